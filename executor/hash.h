/* hash.h: the hash of a key, and the partition that it gives: the same on every machine. */
#ifndef QUERN_EXECUTOR_HASH_H
#define QUERN_EXECUTOR_HASH_H

/* Inlined: a call would cost as much as the hash of a word. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <quern/quern.h>
#include <stdint.h>

#include "executor/key.h"

/* Never 0, which marks what has no hash; that two hashes become one is no matter. */
static inline uint64_t hash_packed(const uint64_t words[2])
{
	uint64_t h = key_hash_packed(words);

	return h != 0 ? h : 1;
}

/* The same for a key of any length; equal for equal keys, however they are held. */
static inline uint64_t hash_key(quern_slice key)
{
	uint64_t words[2], h;

	if (key.len <= KEY_SHORT) {
		key_pack(key, words);
		return hash_packed(words);
	}
	h = XXH3_64bits(key.ptr, key.len);
	return h != 0 ? h : 1;
}

/* The partition among `n`: grows with the hash, so that what is in the order of hashes is in the order of
 * partitions, whatever `n` is. */
static inline uint32_t hash_partition(uint64_t hash, uint32_t n)
{
	return (uint32_t)(((hash >> 32) * n) >> 32);
}

#endif
