/* cache_place.h: what both halves of cache_file.h share. Not for others. */
#ifndef QUERN_EXECUTOR_CACHE_PLACE_H
#define QUERN_EXECUTOR_CACHE_PLACE_H

#include "executor/cache_file.h"
#include "job/records.h"

enum {
	CACHE_BLOCK = 256 << 10,            /* raw bytes after which they are written */
	CACHE_BLOCK_MAX = (1 << 30) + 4096, /* of a block: a single record of any size that a reader gives */
	CACHE_BLOCK_HEADER = 8
};

/* Opens it, if that is what is there. A descriptor or a negative errno; -ESTALE: something else is. */
int cache_place_open(const struct cache_place *place, int flags);

#endif
