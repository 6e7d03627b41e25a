/* decode.h: the frames of an extent of a compressed file, as the bytes that they stand for. A frame is one of
 * zstd, skippable ones included, or a member of a gzip file.
 *
 * A stream of bytes in bounded memory, which does not end with the extent: a zstd file's goes on into the
 * frames behind it, since the last line of an extent may (a gzip extent is the whole file). Trusts neither
 * the extent nor the file: whatever is damaged, cut short or changed since the input was divided ends in an
 * error, never in bytes that are missing silently. */
#ifndef QUERN_EXECUTOR_DECODE_H
#define QUERN_EXECUTOR_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "executor/extent.h"

enum {
	DECODE_INPUT = 256 << 10,   /* compressed bytes read at a time */
	DECODE_BEHIND = 64 << 10,   /* the same behind the extent, where a line is all that is wanted */
	DECODE_WINDOW_LOG_MAX = 27, /* zstd: frames that need more than 2 to this of memory are refused */
};

struct decoder;

int decoder_new(struct decoder **ret); /* 0 or -ENOMEM */
struct decoder *decoder_free(struct decoder *d);

/* Begins with the extent that `file` was opened for, which is borrowed until the next decoder_start(). May
 * follow anything. 0; -EPROTO: no such codec, or not a whole gzip file; -ENOMEM. With a sentence, as all
 * errors here. */
int decoder_start(struct decoder *d, const struct extent_file *file, struct err *err);

/* Decodes some bytes, at most `room` (> 0). How many; 0: the file ends here. -EBADMSG: the file's bytes are
 * wrong; -ESTALE: they are not what was divided; -ENOMEM, or what extent_some() says. Not to be called again
 * after an error. */
ssize_t decoder_read(struct decoder *d, uint8_t *to, size_t room, struct err *err);

/* How many of the bytes given so far belong to the extent's frames once those have ended; before that:
 * UINT64_MAX. */
uint64_t decoder_end(const struct decoder *d);

/* Compressed bytes of the extent that were decoded. */
uint64_t decoder_bytes(const struct decoder *d);

#endif
