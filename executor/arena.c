#include "executor/arena.h"

#include <stdlib.h>

struct arena_chunk {
	_Alignas(16) struct arena_chunk *next;
};

enum { ARENA_FIRST = 4096, ARENA_CHUNK = 1 << 20 };

/* Chunks double, so that a small arena stays small and a large one has few of them. */
static int arena_grow(struct arena *a, size_t n)
{
	size_t size = a->bytes < ARENA_FIRST ? ARENA_FIRST : a->bytes;

	if (size > ARENA_CHUNK)
		size = ARENA_CHUNK;
	if (n > SIZE_MAX / 2)
		return -1;
	if (n > size)
		size = n;
	struct arena_chunk *c = malloc(sizeof(*c) + size);
	if (c == NULL)
		return -1;
	c->next = a->chunks;
	a->chunks = c;
	a->at = (uint8_t *)(c + 1);
	a->left = size;
	a->bytes += sizeof(*c) + size;
	return 0;
}

void *arena_take(struct arena *a, size_t n, size_t align)
{
	size_t pad = (size_t) - (uintptr_t)a->at & (align - 1);

	if (a->left < pad || a->left - pad < n) {
		if (arena_grow(a, n) < 0)
			return NULL;
		pad = 0; /* chunks are aligned */
	}
	uint8_t *p = a->at + pad;
	a->at = p + n;
	a->left -= pad + n;
	return p;
}

void arena_deinit(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}
