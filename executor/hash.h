/* hash.h: the hash of a key, and the partition that it gives: the same on every machine. */
#ifndef QUERN_EXECUTOR_HASH_H
#define QUERN_EXECUTOR_HASH_H

/* Inlined: a call would cost as much as the hash of a word. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <quern/quern.h>
#include <stdint.h>

#include "executor/key.h"

/* Of a key of at most KEY_SHORT bytes, as key_pack() makes it. Never 0, which marks what has no hash; that
 * two hashes become one is no matter. */
static inline uint64_t hash_packed(const uint64_t words[2], uint64_t seed)
{
	uint64_t h = key_hash_packed(words, seed);

	return h != 0 ? h : 1;
}

/* The same for a key of any length. Each shuffle has a seed of its own (hash_seed()), but for those
 * that are read together: the keys of one partition of one are anywhere in the next, and in its tables, whose
 * slots go by the same bits that partitions do. */
static inline uint64_t hash_key(quern_slice key, uint64_t seed)
{
	uint64_t words[2], h;

	if (key.len <= KEY_SHORT) {
		key_pack(key, words);
		return hash_packed(words, seed);
	}
	h = XXH3_64bits(key.ptr, key.len) ^ seed;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
	h ^= h >> 29;
	return h != 0 ? h : 1;
}

/* The seed of a shuffle of the job with this build id: the same for all who have to do with it. */
static inline uint64_t hash_seed(const uint8_t *build_id, size_t len, uint32_t shuffle)
{
	return XXH64(build_id, len, shuffle);
}

/* The partition among `n`: grows with the hash, so that what is in the order of hashes is in the order of
 * partitions, whatever `n` is. */
static inline uint32_t hash_partition(uint64_t hash, uint32_t n)
{
	return (uint32_t)(((hash >> 32) * n) >> 32);
}

#endif
