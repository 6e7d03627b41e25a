/* seq.h: files of records ("seq"), as docs/seq-format.md describes them for others.
 *
 *     head     40 bytes: magic, version, types, a mark of 16 random bytes, sum
 *     stretch  the mark, and a segment (block.h) of records that may be without a key (job/records.h)
 *     ...
 *     tail     40 bytes: the mark's complement, records, its own place, sum
 *
 * A stretch is found by its mark from anywhere in the file, so that a file can be divided anywhere: each
 * belongs to where its mark begins. All sums are seeded with the mark and their place, so what is elsewhere
 * than it was written, or is of another file, is as wrong as what was changed; and a file that does not end
 * with its tail is not whole. */
#ifndef QUERN_EXECUTOR_SEQ_H
#define QUERN_EXECUTOR_SEQ_H

#include "executor/block.h"
#include "executor/extent.h"
#include "executor/flow.h"
#include "job/link.pb-c.h"
#include "job/out.h"

enum {
	SEQ_HEAD = 40,
	SEQ_MARK = 16,
	SEQ_TAIL = 40,
	SEQ_STRETCH = 256 << 10, /* bytes after which one ends, as stored */
	SEQ_LEVEL = 3            /* of zstd */
};

/* What the head says. */
struct seq_head {
	Quern__ValueType key_type, value_type;
	bool has_key; /* records may have one */
	uint8_t mark[SEQ_MARK];
};

void seq_head_put(const struct seq_head *h, uint8_t *to);
/* NULL; or why SEQ_HEAD bytes are no head. */
const char *seq_head_parse(const uint8_t *data, struct seq_head *ret);
/* The seed of what begins at `offset` with its mark: of a segment, or of the tail's sum. */
uint64_t seq_seed(const struct seq_head *h, uint64_t offset);
void seq_tail_put(const struct seq_head *h, uint64_t offset, uint64_t records, uint8_t *to);
/* Whether SEQ_TAIL bytes begin as a tail does, whatever else they say. */
bool seq_tail_is(const struct seq_head *h, const uint8_t *data);
/* Whether they are the tail of a file in which it begins at `offset`. */
bool seq_tail_parse(const struct seq_head *h, uint64_t offset, const uint8_t *data, uint64_t *ret_records);

/* ---- Writing ---- */

struct seq_writer {
	struct seq_head head;
	struct segment_writer segment;
	uint64_t at;    /* bytes of the file so far */
	uint64_t begun; /* where the open stretch begins; 0: none is open */
	uint64_t records;
};

/* `level`: of zstd; 0: plain. 0, or a negative errno: no mark could be made. */
int seq_writer_init(struct seq_writer *w, const Quern__Sink *sink, int level, struct keep *keep);
void seq_writer_deinit(struct seq_writer *w);

/* Adds a record; `key.ptr` is NULL when it has no key. What is whole of the file is appended to `out`, whose
 * bytes are the file's, in order. Errors as segment_add(). */
int seq_add(struct seq_writer *w, quern_slice key, quern_slice value, struct buf *out);
/* Appends the rest. Once, last. */
int seq_end(struct seq_writer *w, struct buf *out);

/* ---- Reading ---- */

/* Freed by whoever made it, because a user function that fails leaves seq_reader_run() by a jump. */
struct seq_reader {
	struct keep *keep; /* borrowed */
	struct extent_file file;
	struct seq_head head;
	struct buf in; /* bytes of the file, from `base` on; the next is at `at` */
	uint64_t base;
	size_t at;
	struct buf raw; /* the records of a block */
	uint64_t records, bytes;
};

void seq_reader_init(struct seq_reader *r, struct keep *keep);
/* Gives every record of the extent to `out`, until the end or flow->stop. Failures are in `flow`. */
void seq_reader_run(struct seq_reader *r, const Quern__Extent *x, struct quern_out *out, struct flow *flow);
void seq_reader_deinit(struct seq_reader *r);

#endif
