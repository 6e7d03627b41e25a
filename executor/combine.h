/* combine.h: one record per key: takes records, combines the values of equal keys in a hash table, and gives
 * each key once, in the order of the hashes, that is, of partitions. What does not fit the memory goes to the
 * scratch file in that order, and is merged at the end. When keys turn out to hardly repeat, records are
 * sorted instead. */
#ifndef QUERN_EXECUTOR_COMBINE_H
#define QUERN_EXECUTOR_COMBINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "executor/flow.h"
#include "executor/fold.h"
#include "executor/keep.h"
#include "job/code.h"
#include "job/out.h"

enum { COMBINE_MEMORY_MIN = 64 << 10 }; /* bytes; less is taken for this */

struct combine;

struct combine_config {
	const struct code *code;
	const Quern__Function *function; /* combines two values */
	size_t memory;                   /* bytes that it may hold */
	const char *scratch_dir;         /* borrowed, as the next two */
	struct keep *keep;
	uint64_t seed; /* of the hash (hash.h) */
	struct flow *flow;
};

/* 0, or a negative errno with a sentence. */
int combine_new(const struct combine_config *config, struct combine **ret, struct err *err);

/* Where the records go in. A record without a key counts as one with an empty key. */
struct quern_out *combine_in(struct combine *c);

/* Gives every key, once, with its hash_key() of that seed, until flow->stop. Nothing can be put in after
 * that. */
void combine_finish(struct combine *c, record_give *give, void *arg);

/* Runs written to scratch so far, merged ones included. */
uint64_t combine_runs(const struct combine *c);

/* For tests: whether keys hardly repeated, and records were sorted. */
bool combine_gave_up(const struct combine *c);

/* Leaves no scratch file behind. */
struct combine *combine_free(struct combine *c);

AUTO_FREE(combine, struct combine, combine_free)
#define auto_combine AUTO_CLEANUP(auto_combine_cleanup_)

#endif
