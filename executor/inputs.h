/* inputs.h: the shuffles that a task reads: brought here, merged, and given record by record, or key by key
 * as group.h has it. */
#ifndef QUERN_EXECUTOR_INPUTS_H
#define QUERN_EXECUTOR_INPUTS_H

#include "executor/group.h"
#include "executor/shuffle_read.h"
#include "executor/task.h"
#include "job/stage.h"

struct input {
	struct shuffle_reader *reader;
	struct order order;
	struct reduce reduce;
	struct merge *merge;
};

struct inputs_config {
	const struct task_env *env;
	const struct task *task;
	size_t memory; /* bytes for the blocks that are read at a time and the values that a group holds */
	struct flow *flow;
};

struct inputs {
	struct inputs_config config;
	struct spill spill; /* has the scratch file */
	struct input at[STAGE_SHUFFLES_MAX];
	size_t n;
	struct group *group; /* or NULL */
	char from[64];       /* what is read, in words */
};

/* Of a branch that has shuffles. 0, or a negative errno with a sentence; inputs_close() in either case. */
int inputs_open(struct inputs *in, const struct inputs_config *config, struct err *err);

/* Gives every record to `out`, until flow->stop. */
void inputs_run(struct inputs *in, struct quern_out *out);

/* The map output that could not be had, and of which shuffle, when that is why the flow failed; else NULL. */
const Quern__MapOutput *inputs_lost(const struct inputs *in, uint32_t *ret_shuffle);

/* Brought so far, and as stored. */
uint64_t inputs_records(const struct inputs *in);
uint64_t inputs_bytes(const struct inputs *in);

/* Also of those that were never opened, all zeros. */
void inputs_close(struct inputs *in);

#endif
