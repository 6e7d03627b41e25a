/* binary.h: files that are not read line by line: each as a whole, its path the key; or as records of so many
 * bytes each, without a key. Compressed ones (job/codec.h) are always one extent.
 *
 * A record of a fixed width belongs to the extent in which its first byte is, wherever that is cut. */
#ifndef QUERN_EXECUTOR_BINARY_H
#define QUERN_EXECUTOR_BINARY_H

#include "base/buf.h"
#include "executor/decode.h"
#include "executor/extent.h"
#include "executor/flow.h"
#include "job/input.h"
#include "job/out.h"

/* Freed by whoever made it, because a user function that fails leaves a run by a jump. */
struct binary_reader {
	struct keep *keep; /* how HDFS is reached, or NULL; borrowed */
	struct extent_file file;
	uint64_t at; /* in it, or in what it stands for */
	struct decoder *decoder;
	struct buf data;
	uint64_t records, bytes;
};

void binary_reader_init(struct binary_reader *r, struct keep *keep);
/* Give what they read to `out`, until the end or flow->stop. Failures are in `flow`. */
void binary_reader_whole(
	struct binary_reader *r, const Quern__Extent *x, struct quern_out *out, struct flow *flow);
void binary_reader_fixed(struct binary_reader *r, const Quern__Extent *x, uint32_t width,
	struct quern_out *out, struct flow *flow);
void binary_reader_deinit(struct binary_reader *r);

#endif
