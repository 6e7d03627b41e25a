/* hash.h: the hash of a key, and the partition that it gives: the same on every machine. */
#ifndef QUERN_EXECUTOR_HASH_H
#define QUERN_EXECUTOR_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <quern/quern.h>
#include <stdint.h>

#include "executor/key.h"

static inline uint64_t hash_key(quern_slice key)
{
	uint64_t words[2];

	if (key.len > KEY_SHORT)
		return XXH3_64bits(key.ptr, key.len);
	key_pack(key, words);
	return key_hash_packed(words);
}

/* The partition among `n`: grows with the hash, so that what is in the order of hashes is in the order of
 * partitions, whatever `n` is. */
static inline uint32_t hash_partition(uint64_t hash, uint32_t n)
{
	return (uint32_t)(((hash >> 32) * n) >> 32);
}

#endif
