/* stateful.h: narrow steps that are more than a function call per record: they hold records back, have memory
 * of their own, or something to give when there are no more. Each kind has a file of its own with a function
 * of type stateful_new_fn, which steps.c calls. */
#ifndef QUERN_EXECUTOR_STATEFUL_H
#define QUERN_EXECUTOR_STATEFUL_H

#include "executor/flow.h"
#include "executor/keep.h"
#include "job/code.h"
#include "job/link.pb-c.h"
#include "job/out.h"

/* What steps run in. Everything is borrowed, and outlives them. */
struct step_env {
	const struct code *code;
	struct flow *flow;
	const char *scratch_dir; /* for temporary files */
	struct keep *keep;
	size_t memory; /* bytes of records that each step may hold */
	const Quern__Task *task;
	const Quern__Sink *sink; /* of the stage */
	uint32_t partition;      /* of the step's set: filled in for each step by steps_new() */
};

/* A step embeds this as its first member. Failures at run time go into the flow (flow.h); nothing is to be
 * emitted once flow->stop is set. */
struct stateful {
	struct quern_out in; /* takes the step's records */
	/* All records have come, and what it makes of them is wanted: it may emit the rest. Not called when
	 * the flow has stopped: because something failed, or because a limit is reached. May be NULL. */
	void (*finish)(struct stateful *s);
	/* In any state: user code may have been left by a jump. Returns NULL. */
	struct stateful *(*free)(struct stateful *s);
};

/* Makes the step that `step` (borrowed, for as long as it lives) describes, which emits to `next`. 0, or a
 * negative errno with a sentence; -EINVAL: the plan makes no sense. `env` is gone afterwards. */
typedef int stateful_new_fn(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err);

/* The kinds, each in the file of its name. */
stateful_new_fn step_cells_new, step_fuse_new, step_partition_new, step_sample_new, step_tag_new,
	step_zip_new;

#endif
