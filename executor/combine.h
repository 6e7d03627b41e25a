/* combine.h: one record per key: takes records, combines the values of equal keys in a hash table, and gives
 * each key once. What does not fit the memory goes to scratch files as runs in the order of hashes, which are
 * merged at the end. */
#ifndef QUERN_EXECUTOR_COMBINE_H
#define QUERN_EXECUTOR_COMBINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "executor/flow.h"
#include "job/code.h"
#include "job/out.h"

enum { COMBINE_MEMORY_MIN = 64 << 10 }; /* bytes; less is taken for this */

struct combine;

struct combine_config {
	const struct code *code;
	const Quern__Function *function; /* combines two values */
	size_t memory;                   /* bytes that it may hold */
	const char *scratch_dir;         /* borrowed */
	/* The records all belong to one partition, and the order in which they come out is of no interest.
	 * Otherwise they come out in the order of hash_key(), that is, of partitions. */
	bool one_partition;
	struct flow *flow; /* borrowed */
};

/* Takes one result. A failure is put into the flow. */
typedef void combine_give(void *arg, uint64_t hash, quern_slice key, quern_slice value);

/* 0, or a negative errno with a sentence. */
int combine_new(const struct combine_config *config, struct combine **ret, struct err *err);

/* Where the records go in. A record without a key counts as one with an empty key. */
struct quern_out *combine_in(struct combine *c);

/* Gives every key, once, until flow->stop. Nothing can be put in after that. `hash` is hash_key() unless
 * `one_partition`: then it is of no use. */
void combine_finish(struct combine *c, combine_give *give, void *arg);

/* Runs written to scratch so far, merged ones included. */
uint64_t combine_runs(const struct combine *c);

/* Leaves no scratch file behind. */
struct combine *combine_free(struct combine *c);

AUTO_FREE(combine, struct combine, combine_free)
#define auto_combine AUTO_CLEANUP(auto_combine_cleanup_)

#endif
