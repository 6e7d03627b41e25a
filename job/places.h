/* places.h: where bytes of files are: hosts, and how many bytes each of them has. */
#ifndef QUERN_JOB_PLACES_H
#define QUERN_JOB_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "job/storage.h"

enum { PLACES_MAX = 8 /* hosts of a split: names and addresses of four replicas */ };

struct place {
	const char *host;
	uint64_t bytes;
};

/* {0} is empty. Names are borrowed from the blocks. */
struct places {
	VEC(struct place) v;
};

/* Adds `length` bytes from `offset` on of the file that has these blocks. 0 or -ENOMEM. */
int places_add(struct places *p, const struct storage_blocks *blocks, uint64_t offset, uint64_t length);

/* Leaves only those that have at least half of what the best one has, PLACES_MAX at most, the best first. */
void places_best(struct places *p);

/* Whether a host has all of `bytes`; so it is of no bytes. */
bool places_have(const struct places *p, uint64_t bytes);

void places_deinit(struct places *p);

#endif
