/* sort.h: puts any number of records in an order: in memory as far as that goes, in runs on disk beyond. */
#ifndef QUERN_EXECUTOR_SORT_H
#define QUERN_EXECUTOR_SORT_H

#include "executor/merge.h"
#include "executor/sorter.h"

struct sort_config {
	const struct order *order;
	struct reduce *reduce; /* combines equal keys (of an order by hash); NULL: every record is given */
	size_t memory;         /* bytes that it may hold */
	const char *scratch_dir;
	struct keep *keep;
	struct flow *flow;
};

struct sort {
	struct sort_config config; /* borrowed */
	struct sorter sorter;
	struct spill spill;
	struct merge *merge; /* while the records are given */
	struct fold fold;
};

void sort_init(struct sort *s, const struct sort_config *config);
void sort_deinit(struct sort *s);

/* Takes a record. Failures go into the flow: one that the order cannot have, or no memory, or the disk. */
void sort_add(struct sort *s, uint64_t word, quern_slice key, quern_slice value);

/* The same for one whose word is not known. */
void sort_record(struct sort *s, quern_slice key, quern_slice value);

/* Gives all records in order, equal ones as they came: those that were added, and those of runs that the
 * caller has put into s->spill in the same order. Nothing can be added after that. */
void sort_finish(struct sort *s, record_give *give, void *arg);

#endif
