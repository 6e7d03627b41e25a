/* steps.h: an input as steps: a byte that says what, two that say how many bytes follow, and those. */
#ifndef QUERN_TESTS_FUZZ_STEPS_H
#define QUERN_TESTS_FUZZ_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	uint8_t what;
	const uint8_t *data;
	size_t len;
};

/* Takes the next step off the input; a length that is too large means what is left. */
static inline bool step_next(const uint8_t **data, size_t *size, struct step *ret)
{
	if (*size < 3)
		return false;
	*ret = (struct step){ .what = (*data)[0], .data = *data + 3 };
	ret->len = (size_t)(*data)[1] | (size_t)(*data)[2] << 8;
	*data += 3;
	*size -= 3;
	if (ret->len > *size)
		ret->len = *size;
	*data += ret->len;
	*size -= ret->len;
	return true;
}

/* The streams that a core has open, by the numbers of their connections. */
struct streams {
	uint64_t open[64];
	size_t n;
};

static inline bool stream_is_open(const struct streams *s, uint64_t conn)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->open[i] == conn)
			return true;
	return false;
}

/* False: there is no room for another. */
static inline bool stream_open(struct streams *s, uint64_t conn)
{
	if (s->n == sizeof(s->open) / sizeof(s->open[0]))
		return false;
	s->open[s->n++] = conn;
	return true;
}

static inline void stream_close(struct streams *s, uint64_t conn)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->open[i] == conn)
			s->open[i--] = s->open[--s->n];
}

#endif
