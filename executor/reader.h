/* reader.h: the lines of a Split: what is between newlines, any bytes. '\r' stays; the last line needs no
 * newline; nothing behind a final newline is no line. Any division of a file into extents gives each line
 * once: of a plain file a line belongs to the extent in which its first byte is, which the byte before the
 * extent decides. Of frames of a compressed file, which nobody can look behind without decoding them, an
 * extent that is not the file's first leaves out everything up to and with its first newline, and each goes
 * on until one newline behind its end (as Hadoop's LineRecordReader does): a line that begins right at the
 * border belongs to the extent before it. */
#ifndef QUERN_EXECUTOR_READER_H
#define QUERN_EXECUTOR_READER_H

#include <stddef.h>
#include <stdint.h>

#include "executor/decode.h"
#include "executor/extent.h"
#include "executor/flow.h"
#include "job/link.pb-c.h"
#include "job/out.h"

enum {
	READER_BUFFER = 256 << 10, /* bytes asked for at a time; stays in a core's cache */
	READER_LINE_MAX = 1 << 30  /* bytes; a longer line fails the task */
};

/* Freed by whoever made it, because a user function that fails leaves reader_run() by a jump. */
struct reader {
	struct keep *keep; /* how HDFS is reached, or NULL; borrowed */
	struct extent_file file;
	struct decoder *decoder; /* NULL: none was needed so far */
	bool coded;              /* the extent is compressed: positions count what its bytes stand for */
	uint8_t *data; /* cap bytes, len of them read, from `base` in the file on; the next line is at `at` */
	size_t cap, len, at;
	size_t scanned; /* bytes of the next line that are known to hold no newline */
	uint64_t base;
	uint64_t end; /* lines from here on belong to others */
	uint64_t records;
	uint64_t bytes; /* of the lines given, newlines included; compressed: bytes of the extents decoded */
};

#define READER_INIT ((struct reader){ .file = EXTENT_FILE_INIT })

/* Gives every line to `out`, without a key and without its newline, until the end or flow->stop. Failures
 * (no such file, shorter than the split says, a line that is too long, damaged) are in `flow`. */
void reader_run(struct reader *r, const Quern__Split *split, struct quern_out *out, struct flow *flow);
void reader_deinit(struct reader *r);

#endif
