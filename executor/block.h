/* block.h: segments: what one map attempt has for one partition, one sorted run of a spill, or a stretch of a
 * file of records (seq.h).
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

#include "base/buf.h"
#include "executor/keep.h"
#include "job/records.h"

enum {
	BLOCK_HEADER = 24,
	BLOCK_RAW = 128 << 10,           /* raw bytes after which a block is closed */
	BLOCK_RAW_MAX = (1 << 30) + 4096 /* of a block: a single record of any size that a reader gives */
};

/* The id of a segment of a shuffle. */
uint64_t segment_seed(uint32_t shuffle, uint32_t map, uint32_t attempt, uint32_t partition);

/* ---- Writing ---- */

enum { SEGMENT_LEVEL = 1, SEGMENT_LEVEL_MAX = 19 }; /* of zstd: the default; the slowest */

struct segment_writer {
	struct keep *keep; /* borrowed */
	int level;         /* of zstd; 0: blocks are stored as they are */
	struct buf raw;    /* room for the header, then the records of the open block */
	size_t block;      /* raw bytes after which a block is closed */
	size_t full;       /* raw.len up to which a record only has to be put there */
	uint32_t block_records;
	uint64_t seed;    /* of the next block */
	uint64_t records; /* of the segment so far */
	uint64_t largest; /* raw bytes of its largest block so far */
};

/* `block`: usually BLOCK_RAW. */
void segment_writer_init(struct segment_writer *w, size_t block, int level, struct keep *keep);
void segment_writer_deinit(struct segment_writer *w);

/* Begins a segment; the one before has ended. */
void segment_begin(struct segment_writer *w, uint64_t seed);
/* Adds a record; a block that it fills is appended to `out`. 0, -ENOMEM, or -EMSGSIZE: the record is larger
 * than BLOCK_RAW_MAX, or `out` may not hold the block. */
static inline int segment_add(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out);
/* What it does with a record that is long, or the last of its block. */
int segment_add_any(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out);
/* The same of a record that may be without a key; all of a segment are put in this way, or none. */
int segment_add_optional(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out);
/* Appends the last block to `out`. */
int segment_end(struct segment_writer *w, struct buf *out);

static inline int segment_add(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out)
{
	if (key.len + value.len >= RECORD_SHORT || w->raw.len + 2 + key.len + value.len >= w->full)
		return segment_add_any(w, key, value, out);
	w->records++;
	w->block_records++;
	return record_put(&w->raw, key, value);
}

/* ---- Reading ---- */

struct segment_reader {
	uint64_t seed;  /* of the next block */
	uint64_t bytes; /* of blocks taken: where in the segment the next one begins */
	bool last;      /* the last block was taken */
};

/* A block whose sum is right. */
struct block {
	const uint8_t *bytes; /* as stored; borrowed */
	size_t stored, raw;
	uint32_t records;
	bool plain; /* they are the records */
};

void segment_reader_init(struct segment_reader *r, uint64_t seed);

/* Takes the block at the front of `data`. 1: done, *ret_len is its length; 0: it is not whole, *ret_len bytes
 * in all are needed to know more; -EBADMSG: it is not a block of this place. Behind the last block there is
 * none: -EBADMSG. */
int segment_check(
	struct segment_reader *r, const uint8_t *data, size_t len, size_t *ret_len, struct block *ret);

/* Puts the records of a block into `raw`, whose data is not NULL afterwards. 0, -EBADMSG or -ENOMEM (also for
 * no `zstd`). */
int block_unpack(const struct block *b, ZSTD_DCtx *zstd, struct buf *raw);

#endif
