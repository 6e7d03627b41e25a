/* keep.h: what a worker keeps from one task for the next, because making it costs more than a short task. */
#ifndef QUERN_EXECUTOR_KEEP_H
#define QUERN_EXECUTOR_KEEP_H

#include <zstd.h>

/* All zeros: nothing is kept yet. */
struct keep {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
};

/* The context, made when it is asked for first; only for calls that begin and end a frame. NULL: no memory.
 */
ZSTD_CCtx *keep_compress(struct keep *k);
ZSTD_DCtx *keep_decompress(struct keep *k);

/* Leaves it empty. */
void keep_deinit(struct keep *k);

#endif
