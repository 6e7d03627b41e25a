/* merge.h: runs of sorted records become one: a tree of losers (Knuth, The Art of Computer Programming, vol.
 * 3, 5.4.1), whose nodes are a number and the run that it came from. More runs than the memory allows to be
 * read at a time become fewer first, in the scratch file. */
#ifndef QUERN_EXECUTOR_MERGE_H
#define QUERN_EXECUTOR_MERGE_H

#include "base/auto.h"
#include "executor/fold.h"
#include "executor/order.h"
#include "executor/spill.h"

struct merge;

struct merge_config {
	const struct order *order;
	struct reduce *reduce; /* combines equal keys (of an order by hash); NULL: every record is given */
	size_t memory;         /* bytes for blocks of runs; of two runs at least, however large */
	struct spill *spill;   /* for merged runs; its own list of runs is not looked at */
	struct keep *keep;
	struct flow *flow;
	/* Says in the flow that a run cannot be read: -EBADMSG, it does not hold what was written; -errno. It
	 * may be one of the spill's. */
	void (*damaged)(void *arg, const struct stored *run, int code);
	void *damaged_arg;
};

/* Everything is borrowed. NULL: no memory. */
struct merge *merge_new(const struct merge_config *config);

/* Opens the runs, which stay the caller's and there. Failures go into the flow, and there is no record then.
 * Once. */
void merge_open(struct merge *m, const struct stored *runs, size_t n);

/* A record and its first word (order.h). */
struct merge_record {
	uint64_t word;
	quern_slice key, value;
};

/* The next record of the runs in order, equal ones in the order of the runs and of their records; the slices
 * are borrowed until the next call. false: there is none, or the flow has stopped or failed. */
bool merge_next(struct merge *m, struct merge_record *ret);

/* Opens the runs and gives every record, until flow->stop. */
void merge_run(struct merge *m, const struct stored *runs, size_t n, record_give *give, void *arg);

struct merge *merge_free(struct merge *m);

AUTO_FREE(merge, struct merge, merge_free)
#define auto_merge AUTO_CLEANUP(auto_merge_cleanup_)

#endif
