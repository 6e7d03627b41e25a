/* listing.h: the files that the paths of an input stand for: the first half of job/input.h. */
#ifndef QUERN_JOB_LISTING_H
#define QUERN_JOB_LISTING_H

#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "job/codec.h"

enum { LISTING_CODED_WORK = 4 }; /* bytes of text in a byte of a compressed file, about */

struct listed {
	char *path; /* absolute */
	uint64_t size;
	uint64_t work; /* about how many bytes there are to be read, once decompressed */
	Quern__Codec codec;
};

/* {0} is empty. */
struct listing {
	VEC(struct listed) files; /* in the order of the records; empty ones as well */
	uint64_t bytes, work;     /* of all */
};

/* Adds the file, the files of the folder, or those that match the glob `path`, as input.h says. Errors as
 * input_splits(); then some may have been added. */
int listing_add(struct listing *l, const char *path, struct err *err);
void listing_deinit(struct listing *l);

#endif
