/* input.h: from the paths of a source to the input of its tasks. */
#ifndef QUERN_JOB_INPUT_H
#define QUERN_JOB_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/plan.pb-c.h"
#include "job/storage.h"

enum {
	INPUT_TARGET = 64 << 20,   /* bytes of a split, decompressed: seconds of work at most, ms at least */
	INPUT_MIN = 64 << 10,      /* of one that is cut only so that every core has something to do */
	INPUT_SPLITS_MAX = 100000, /* tasks of a stage; beyond that splits grow */
	INPUT_WHOLE_MAX = 1 << 30, /* bytes of a file that is one record, decompressed */
};

struct input_config {
	uint64_t target_bytes; /* of a split at most, about; 0: INPUT_TARGET */
	uint32_t parallelism;  /* at least so many splits, unless they would be smaller than INPUT_MIN */
	uint32_t pieces;       /* 0; or at least so many, however small */
	Quern__Source__Format format;
	uint32_t width;               /* of FIXED */
	bool file_each;               /* a file is a split */
	bool recursive;               /* folders in folders are looked into */
	const struct storage *remote; /* of the paths that it has; NULL: all are local */
};

struct input_splits {
	Quern__Split **at; /* in the order of the records; never none: an empty input is one empty split */
	size_t n;
	uint64_t files, bytes; /* of the input */
};

/* Expands `paths` (each a file, a folder, or a glob if no file is called so) and cuts them up. Of a folder
 * and a glob the files are in the order of their names as bytes, without those that begin with '.' or '_'; a
 * folder within a folder is an error, so that nothing is left out silently, or is in its place in that order
 * if `recursive`. Paths of extents are absolute, or those of the storage that has them. Every byte of the
 * input is in exactly one extent; borders of extents are anywhere: the reader finds the lines. Compressed
 * files (job/codec.h) count as LISTING_CODED_WORK times their size; gzip is one extent whatever its size,
 * zstd is cut where a frame begins, as far as such places are found (job/frames.h). Files that are one record
 * each are one extent, and so are compressed ones of records of a fixed width. Of the content of files
 * nothing is known here but what their sizes and names say.
 *
 * Files that have blocks are cut where those end: a split is a block, unless target_bytes is less than
 * INPUT_TARGET and less than that, or there would not be enough splits; a tail of a tenth of a split belongs
 * to the one before it. Splits say on which hosts most of their bytes are.
 * -ENOENT, -EACCES, -EINVAL (not a file, a folder in a folder, an empty file that should be compressed),
 * -ELOOP (a folder that is in itself), -ENOMEM, ... with one line that names the path. */
int input_splits(char *const *paths, size_t n_paths, const struct input_config *config,
	struct input_splits *ret, struct err *err);
void input_splits_deinit(struct input_splits *s);

#endif
