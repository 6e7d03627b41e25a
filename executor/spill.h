/* spill.h: runs: records in some order that did not fit a task's memory, as segments (block.h) in its scratch
 * file. */
#ifndef QUERN_EXECUTOR_SPILL_H
#define QUERN_EXECUTOR_SPILL_H

#include "base/vec.h"
#include "executor/cursor.h"
#include "executor/scratch.h"

struct spill {
	struct scratch scratch;
	struct flow *flow; /* borrowed */
	struct segment_writer writer;
	struct buf out;
	uint64_t began;          /* where the open run begins */
	uint64_t written;        /* runs so far, those included that became part of others */
	VEC(struct stored) runs; /* in the order in which they were written, or should have been: merge.h */
};

/* `dir`, `keep` and `flow` are borrowed. */
void spill_init(struct spill *s, const char *dir, struct keep *keep, struct flow *flow);
void spill_deinit(struct spill *s);

/* Writing a run: begin, records in order, end, which appends it to s->runs. Failures go into the flow. */
void spill_begin(struct spill *s);
void spill_put(struct spill *s, quern_slice key, quern_slice value);
void spill_end(struct spill *s);

/* spill_put() as a record_give (fold.h) whose `arg` is the spill. */
void spill_give(void *spill, uint64_t word, quern_slice key, quern_slice value);

/* The same, for the run alone. false: it failed. */
bool spill_end_run(struct spill *s, struct stored *ret);

/* Whether a run is one of this file's. */
bool spill_has(const struct spill *s, const struct stored *run);

#endif
