/* frames.h: where the frames of a zstd file begin, found without decoding anything: a frame's length is not
 * written in it, but the header of each of its blocks says where the next one is (RFC 8878). That is one
 * small read for every 128 KiB of what the file stands for, so it is bounded; where it ends early, or finds
 * what is no zstd, the rest of the file is not divided, and whoever decodes it says what is wrong with it. */
#ifndef QUERN_JOB_FRAMES_H
#define QUERN_JOB_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/vec.h"

enum {
	FRAMES_BLOCKS_MAX = 8 << 10, /* of one frame: a file with one this long, a GB of text, is taken for
					one  that has no other */
};

/* Offsets in a file: {0} is empty. */
struct frames {
	VEC(uint64_t) begin;
};

/* Where bytes come from: as pread(), with a sentence about a negative errno. */
struct frames_file {
	ssize_t (*read)(void *file, void *to, size_t len, uint64_t offset, struct err *err);
	void *file;
};

/* Appends the offsets at which a frame begins, in order, of a file of `size` bytes; not 0, nor one less than
 * `apart` bytes behind the last one or the file's beginning. Takes what it reads from *reads. 0, -ENOMEM, or
 * what `read` says. */
int frames_find(const struct frames_file *file, uint64_t size, uint64_t apart, uint32_t *reads,
	struct frames *ret, struct err *err);
void frames_deinit(struct frames *f);

#endif
