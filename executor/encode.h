/* encode.h: bytes on their way into a compressed file: a stream in, a gzip member or zstd frames out.
 *
 * zstd ends a frame every ENCODE_FRAME bytes, so that the file can be read by many tasks (job/frames.h), and
 * puts a checksum into each. */
#ifndef QUERN_EXECUTOR_ENCODE_H
#define QUERN_EXECUTOR_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "job/plan.pb-c.h"

enum {
	ENCODE_FRAME = 8 << 20, /* bytes in a zstd frame; four times the window of its level */
	ENCODE_GZIP_LEVEL = 4,  /* of text: 1.8 times as fast as 6, for a file 6 % larger */
	ENCODE_ZSTD_LEVEL = 3,
};

struct encoder;

/* 0; -EINVAL: no codec that compresses; -ENOMEM. With a sentence. */
int encoder_new(Quern__Codec codec, struct encoder **ret, struct err *err);
struct encoder *encoder_free(struct encoder *e);

/* Compresses `len` bytes and appends to `out` what comes of it so far. 0 or -ENOMEM (also of `out`). */
int encoder_put(struct encoder *e, const uint8_t *data, size_t len, struct buf *out);

/* Appends the rest: what was put is a whole file now, also when it was nothing. Once, last. Errors as
 * encoder_put(). */
int encoder_end(struct encoder *e, struct buf *out);

#endif
