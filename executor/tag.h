/* tag.h: keys with a tag: which partition of a shuffle the record is to go to, where that does not follow
 * from the key. Four bytes, the highest first, so that tags are in order as bytes; one that says whether the
 * record has a key; then the key. */
#ifndef QUERN_EXECUTOR_TAG_H
#define QUERN_EXECUTOR_TAG_H

#include <stdbool.h>
#include <stdint.h>
#include <quern/quern.h>

enum { TAG_SIZE = 5 /* bytes before the key */ };

static inline void tag_put(uint8_t to[TAG_SIZE], uint32_t partition, bool has_key)
{
	to[0] = (uint8_t)(partition >> 24);
	to[1] = (uint8_t)(partition >> 16);
	to[2] = (uint8_t)(partition >> 8);
	to[3] = (uint8_t)partition;
	to[4] = has_key;
}

/* Of a key of TAG_SIZE bytes at least, as for all that follow. */
static inline uint32_t tag_partition(quern_slice key)
{
	const uint8_t *p = (const uint8_t *)key.ptr;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What follows the tag. */
static inline quern_slice tag_rest(quern_slice key)
{
	return quern_bytes(key.ptr + TAG_SIZE, key.len - TAG_SIZE);
}

/* The key as it was before it was tagged: NULL if the record had none. */
static inline quern_slice tag_key(quern_slice key)
{
	return key.ptr[TAG_SIZE - 1] != 0 ? tag_rest(key) : quern_bytes(NULL, 0);
}

#endif
