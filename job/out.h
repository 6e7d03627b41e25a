/* out.h: what stands behind quern_out and quern_fail(): the seam between user functions and whoever runs
 * them. */
#ifndef QUERN_JOB_OUT_H
#define QUERN_JOB_OUT_H

#include <quern/quern.h>

#include "base/err.h"

/* An operator that takes records embeds this as its first member. */
struct quern_out {
	/* Takes one record; copies what it keeps. `key.ptr` is NULL when the record has no key. */
	void (*emit)(struct quern_out *out, quern_slice key, quern_slice value);
};

/* Whoever gives values one by one embeds this as its first member. */
struct quern_values {
	bool (*next)(struct quern_values *values, quern_slice *value); /* quern_next_value() */
};

/* Whoever gives records one by one embeds this as its first member, or finds itself from it. */
struct quern_records {
	bool (*next)(struct quern_records *records, quern_slice *key, quern_slice *value); /* quern_next() */
};

/* Runs `run(arg)`; quern_fail() inside it, at any depth, ends it. 0, or -ECANCELED with quern_fail()'s text
 * in `err`. May not be nested. Outside of a guard quern_fail() prints its text on stderr and exits with 1. */
int out_guard(void (*run)(void *arg), void *arg, struct err *err);

#endif
