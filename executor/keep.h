/* keep.h: what a worker keeps from one task for the next, because making it costs more than a short task. */
#ifndef QUERN_EXECUTOR_KEEP_H
#define QUERN_EXECUTOR_KEEP_H

#include <stddef.h>
#include <zstd.h>

#include "hdfs_client/hdfs.h"

/* All zeros: nothing is kept yet. */
struct keep {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
	/* Of the hash tables: memory that one needed, and how many bits of homes the last one did. Tasks of a
	 * stage are alike, so a table does not grow to the same size again in each. */
	void *slots;
	size_t slots_size;
	unsigned table_bits;
	struct hdfs_access access; /* how HDFS is reached */
	struct hdfs_pool *hdfs;    /* by that; NULL: nobody has asked for it yet */
};

/* How HDFS is reached from now on (hdfs_access_pack()), between two tasks. -EPROTO, -ENOMEM. */
int keep_set_access(struct keep *k, const void *data, size_t len);

/* The file systems of HDFS, made when they are asked for first, with their connections. Borrowed; errors as
 * hdfs_pool_new(). */
int keep_hdfs(struct keep *k, struct hdfs_pool **ret, struct err *err);

/* At least `size` bytes that were kept, *ret_size in all, which are the caller's; or NULL. Not zeroed. */
void *keep_take_slots(struct keep *k, size_t size, size_t *ret_size);
/* Takes memory from aligned_alloc() or malloc(): keeps it, or frees it. */
void keep_give_slots(struct keep *k, void *slots, size_t size);

/* The context, made when it is asked for first; only for calls that begin and end a frame. NULL: no memory.
 */
ZSTD_CCtx *keep_compress(struct keep *k);
ZSTD_DCtx *keep_decompress(struct keep *k);

/* Leaves it empty. */
void keep_deinit(struct keep *k);

#endif
