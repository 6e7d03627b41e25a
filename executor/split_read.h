/* split_read.h: the records of a split, in whichever way its source has them: in files of several formats, in
 * the split itself, or as a range of numbers. */
#ifndef QUERN_EXECUTOR_SPLIT_READ_H
#define QUERN_EXECUTOR_SPLIT_READ_H

#include "executor/binary.h"
#include "executor/reader.h"
#include "executor/seq.h"

/* Freed by whoever made it, because a user function that fails leaves split_reader_run() by a jump. */
struct split_reader {
	const Quern__Source *source; /* borrowed */
	struct reader lines;
	struct pairs { /* takes lines */
		struct quern_out in, *out;
		quern_slice separator;
	} pairs;
	struct binary_reader binary;
	struct seq_reader seq;
	uint64_t records, bytes; /* of what is in no file */
};

/* `source` does not read shuffles; `keep` is borrowed as well. */
void split_reader_init(struct split_reader *r, const Quern__Source *source, struct keep *keep);

/* Gives every record to `out`, until the end or flow->stop. Failures are in `flow`. */
void split_reader_run(
	struct split_reader *r, const Quern__Split *split, struct quern_out *out, struct flow *flow);

/* So far. */
uint64_t split_reader_records(const struct split_reader *r);
uint64_t split_reader_bytes(const struct split_reader *r);

/* Also of one that is all zeros. */
void split_reader_deinit(struct split_reader *r);

#endif
