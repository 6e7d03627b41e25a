/* key.h: short keys as two numbers: most keys are words, and numbers are compared and hashed without a call
 * and almost without a branch. */
#ifndef QUERN_EXECUTOR_KEY_H
#define QUERN_EXECUTOR_KEY_H

#include <quern/quern.h>

#include "executor/bytes.h"

enum { KEY_SHORT = 12, KEY_COPY_MAX = 40 }; /* bytes */

/* The first 8 of `n` bytes as a little-endian number. No byte beyond the end. */
static inline uint64_t key_first8(const char *p, size_t n)
{
	const uint8_t *b = (const uint8_t *)p;

	if (n >= 8)
		return get_le64(p);
	if (n >= 4)
		return get_le32(p) | (uint64_t)get_le32(p + n - 4) << (8 * (n - 4));
	if (n == 0)
		return 0;
	return b[0] | (uint64_t)b[n / 2] << (8 * (n / 2)) | (uint64_t)b[n - 1] << (8 * (n - 1));
}

/* A key of at most KEY_SHORT bytes: in memory, `words` are those, zeros behind them, and the length as
 * uint32_t.
 */
static inline void key_pack(quern_slice key, uint64_t words[2])
{
	uint32_t last4 = key.len > 8 ? get_le32(key.ptr + key.len - 4) >> (8 * (KEY_SHORT - key.len)) : 0;

	words[0] = htole64(key_first8(key.ptr, key.len));
	words[1] = BYTE_ORDER == LITTLE_ENDIAN ? last4 | (uint64_t)key.len << 32
					       : (uint64_t)htole32(last4) << 32 | key.len;
}

/* Copies a key of more than 8 and at most KEY_COPY_MAX bytes: no call, no byte beyond the end. */
static inline void key_copy(uint8_t *to, quern_slice key)
{
	for (size_t at = 0; at + 8 < key.len; at += 8)
		memcpy(to + at, key.ptr + at, 8);
	memcpy(to + key.len - 8, key.ptr + key.len - 8, 8);
}

/* key_pack() of a key behind whose beginning 16 bytes can be read: without a branch, which the lengths of
 * words would lead astray. */
static inline void key_pack_wide(quern_slice key, uint64_t words[2])
{
#define KEY_MASK(n) ((n) >= 8 ? UINT64_MAX : ((uint64_t)1 << (8 * ((n) % 8))) - 1)
	static const uint64_t first[KEY_SHORT + 1] = { KEY_MASK(0), KEY_MASK(1), KEY_MASK(2), KEY_MASK(3),
		KEY_MASK(4), KEY_MASK(5), KEY_MASK(6), KEY_MASK(7), UINT64_MAX, UINT64_MAX, UINT64_MAX,
		UINT64_MAX, UINT64_MAX };
	static const uint64_t second[KEY_SHORT + 1] = {
		[9] = KEY_MASK(1), [10] = KEY_MASK(2), [11] = KEY_MASK(3), [12] = KEY_MASK(4)
	};
#undef KEY_MASK

	if (BYTE_ORDER != LITTLE_ENDIAN) {
		key_pack(key, words);
		return;
	}
	words[0] = get_le64(key.ptr) & first[key.len];
	words[1] = (get_le64(key.ptr + 8) & second[key.len]) | (uint64_t)key.len << 32;
}

/* Of what key_pack() made: the same on every machine. */
static inline uint64_t key_hash_packed(const uint64_t words[2], uint64_t seed)
{
	uint64_t a = le64toh(words[0]);
	uint64_t b = BYTE_ORDER == LITTLE_ENDIAN
			     ? words[1]
			     : le32toh((uint32_t)(words[1] >> 32)) | (words[1] & UINT32_MAX) << 32;
	/* Odd numbers with as many ones as zeros, of no meaning. */
	unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xbf58476d1ce4e5b9);
	uint64_t h = (uint64_t)product ^ (uint64_t)(product >> 64) ^ a;

	h ^= seed;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93;
	return h ^ h >> 29;
}

#endif
