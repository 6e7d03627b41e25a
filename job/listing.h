/* listing.h: the files that the paths of an input stand for: the first half of job/input.h. */
#ifndef QUERN_JOB_LISTING_H
#define QUERN_JOB_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "job/codec.h"
#include "job/storage.h"

enum {
	LISTING_CODED_WORK = 4,   /* bytes of text in a byte of a compressed file, about */
	LISTING_DEPTH_MAX = 1000, /* folders within folders; HDFS has no more */
};

struct listed {
	char *path;
	const struct storage *storage; /* that it is in */
	uint64_t size;
	uint64_t block;               /* as in struct storage_entry */
	struct storage_blocks blocks; /* none before listing_locate(), and where nothing is known */
	uint64_t work;                /* about how many bytes there are to be read, once decompressed */
	Quern__Codec codec;
};

/* {0} is empty. */
struct listing {
	VEC(struct listed) files; /* in the order of the records; empty ones as well */
	uint64_t bytes, work;     /* of all */
	uint64_t opening;         /* what opening them costs, in bytes */
};

/* Adds the file, the files of the folder, or those that match the glob `path`, which is in `storage`, as
 * input.h says. `recursive`: those of folders in folders as well. Errors as input_splits(); then some may
 * have been added. */
int listing_add(
	struct listing *l, const struct storage *storage, const char *path, bool recursive, struct err *err);

/* Finds out whether the files may be read, and where their blocks are. */
int listing_locate(struct listing *l, struct err *err);

void listing_deinit(struct listing *l);

#endif
