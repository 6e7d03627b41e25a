/* cache.h: which partitions of persisted sets this executor has, and which go when there is no room for
 * another one. A plain index without I/O: the memory itself is named by a number, the *blob*; whoever owns
 * the memory gives it back when a blob is said to be gone.
 *
 * At the limit those go first that were not used for longest, but never one of the set that the new one
 * belongs to: a loop over a set that is larger than the limit would otherwise find nothing of it, each
 * partition having just made room for another. What a task uses stays until it is released.
 *
 * A partition is known by its set and number, and holds what was made of one `origin` (a hash of the part of
 * the input, or the shuffle): the same number of another origin is another partition, and takes its place. */
#ifndef QUERN_EXECUTOR_CACHE_H
#define QUERN_EXECUTOR_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct cache;

struct cache_key {
	uint32_t set, partition;
	uint64_t origin;
};

/* A partition in use, from cache_use() to cache_release(). */
struct cache_entry;

struct cache_gone {
	uint32_t set, partition, blob;
	bool evicted; /* it made room for another; otherwise it was dropped or replaced */
};

/* Blobs whose memory is to be given back: appended to; the caller's to empty and deinit. */
struct cache_gones {
	struct cache_gone *at;
	size_t n, cap;
};

/* `budget`: bytes of all partitions together; `most`: how many. 0 or -ENOMEM. */
int cache_new(uint64_t budget, size_t most, struct cache **ret);
struct cache *cache_free(struct cache *c);

/* Whether partitions of a set are to be kept: it was not dropped. */
bool cache_wants(const struct cache *c, uint32_t set);

/* The partition, to be released; NULL: it is not there. Its blob and bytes in *ret_blob and *ret_bytes. */
struct cache_entry *cache_use(
	struct cache *c, const struct cache_key *key, uint32_t *ret_blob, uint64_t *ret_bytes);
/* `useless`: and nobody is to use it again. 0 or -ENOMEM. */
int cache_release(struct cache *c, struct cache_entry *e, bool useless, struct cache_gones *gone);

/* Takes a new partition in. 1: done. 0: there is no room, or it is there already, or its set was dropped: the
 * blob stays the caller's. -ENOMEM. */
int cache_put(struct cache *c, const struct cache_key *key, uint32_t blob, uint64_t bytes,
	struct cache_gones *gone);

/* Drops all of a set, for good. 0 or -ENOMEM. */
int cache_drop(struct cache *c, uint32_t set, struct cache_gones *gone);

/* Of all partitions, those included that are gone but in use. */
uint64_t cache_bytes(const struct cache *c);
size_t cache_count(const struct cache *c);

#endif
