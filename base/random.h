/* random.h: numbers and ids from a seed: the same for the same seed, for cores that are replayed. Not for
 * secrets. */
#ifndef QUERN_BASE_RANDOM_H
#define QUERN_BASE_RANDOM_H

#include <stdint.h>

enum { RANDOM_UUID = 16, RANDOM_UUID_TEXT = 37 };

/* The next number; `state` is the seed at first (splitmix64, S. Vigna,
 * https://prng.di.unimi.it/splitmix64.c). */
uint64_t random_next(uint64_t *state);

/* A version 4 UUID (RFC 4122, section 4.4): as bytes, or as text with its NUL. */
void random_uuid(uint64_t *state, uint8_t ret[RANDOM_UUID]);
void random_uuid_text(uint64_t *state, char ret[RANDOM_UUID_TEXT]);

#endif
