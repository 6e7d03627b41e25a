/* arena.h: memory that is taken in small pieces and given back all at once. */
#ifndef QUERN_EXECUTOR_ARENA_H
#define QUERN_EXECUTOR_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
	struct arena_chunk *chunks; /* newest first */
	uint8_t *at;                /* free bytes of the newest chunk */
	size_t left;
	size_t bytes; /* taken from the system */
};

/* `n` bytes aligned to `align` (a power of two, at most 16), or NULL. */
void *arena_take(struct arena *a, size_t n, size_t align);

/* Gives everything back. */
void arena_deinit(struct arena *a);

#endif
