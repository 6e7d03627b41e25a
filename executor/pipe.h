/* pipe.h: the step that an external command does: records go to its standard input as lines, the lines of its
 * standard output are the records behind it. The command is killed when the step is freed before its end. */
#ifndef QUERN_EXECUTOR_PIPE_H
#define QUERN_EXECUTOR_PIPE_H

#include "executor/reports.h"
#include "executor/stateful.h"
#include "job/plan.pb-c.h"

struct pipe_config {
	const Quern__Pipe *pipe;
	char *const
		*environment;  /* of the task, "NAME=value", NULL at the end; those of `pipe` go over them */
	const char *directory; /* where the command runs; NULL: where we are */
	reports_count_fn *count;
	void *count_arg;
	struct flow *flow;
};

/* Starts the command. `config` is borrowed until then, its flow and `next` until the step is freed. A command
 * that does not end with status 0 fails the flow. 0, or -errno with a sentence. */
int pipe_new(
	const struct pipe_config *config, struct quern_out *next, struct stateful **ret, struct err *err);

/* The same for a step of kind PIPE (pipe_step.c): the command sees in its environment what task it is for. */
stateful_new_fn pipe_step_new;

#endif
