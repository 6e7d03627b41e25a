/* block.h: segments: what one map attempt has for one partition, or one sorted run of a spill.
 *
 * A segment is a sequence of blocks, the last of them marked (an empty segment is one empty block). A block,
 * all little-endian:
 *
 *     u32 stored   bytes that follow this header
 *     u32 raw      bytes of the records (job/records.h) in it
 *     u32 records  how many
 *     u32 flags    1: the last of the segment; 2: stored as they are, else one zstd frame
 *     u64 sum      XXH64 of the 16 bytes above and the stored bytes, seeded with the segment's id plus the
 *                  number of the block in it
 *
 * The seed makes a block that is elsewhere than it was written as wrong as one that was changed; the mark
 * makes a segment that was cut between blocks as wrong as one cut inside. */
#ifndef QUERN_EXECUTOR_BLOCK_H
#define QUERN_EXECUTOR_BLOCK_H

#include <quern/quern.h>
#include <zstd.h>

#include "base/buf.h"

enum {
	BLOCK_HEADER = 24,
	BLOCK_RAW = 256 << 10,           /* raw bytes after which a block is closed */
	BLOCK_RAW_MAX = (1 << 30) + 4096 /* of a block: a single record of any size that a reader gives */
};

/* The id of a segment of a shuffle. */
uint64_t segment_seed(uint32_t shuffle, uint32_t map, uint32_t attempt, uint32_t partition);

struct segment_writer {
	ZSTD_CCtx *zstd;
	struct buf raw;
	size_t block; /* raw bytes after which a block is closed */
	uint32_t block_records;
	uint64_t seed;    /* of the next block */
	uint64_t records; /* of the segment so far */
};

/* `block`: usually BLOCK_RAW. 0 or -ENOMEM. */
int segment_writer_init(struct segment_writer *w, size_t block);
void segment_writer_deinit(struct segment_writer *w);

/* Begins a segment; the one before has ended. */
void segment_begin(struct segment_writer *w, uint64_t seed);
/* Adds a record; a block that it fills is appended to `out`. 0, -ENOMEM, or -EMSGSIZE: the record is larger
 * than BLOCK_RAW_MAX, or `out` may not hold the block. */
int segment_add(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out);
/* Appends the last block to `out`. */
int segment_end(struct segment_writer *w, struct buf *out);

struct segment_reader {
	ZSTD_DCtx *zstd; /* borrowed */
	uint64_t seed;   /* of the next block */
	uint64_t bytes;  /* of blocks taken: where in the segment the next one begins */
	bool last;       /* the last block was taken */
	struct buf raw;  /* records of the block taken */
	uint32_t records;
};

void segment_reader_init(struct segment_reader *r, ZSTD_DCtx *zstd, uint64_t seed);
void segment_reader_deinit(struct segment_reader *r);

/* Takes the block at the front of `data` into r->raw. 1: done, *ret is its length; 0: it is not whole, *ret
 * bytes in all are needed to know more; -EBADMSG: it is not a block of this place; -ENOMEM. Behind
 * the last block there is none: -EBADMSG. */
int segment_take(struct segment_reader *r, const uint8_t *data, size_t len, size_t *ret);

#endif
