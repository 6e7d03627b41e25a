/* pipe.h: the step that an external command does: records go to its standard input as lines, the lines of its
 * standard output are the records behind it. The command is killed when the step is freed before its end. */
#ifndef QUERN_EXECUTOR_PIPE_H
#define QUERN_EXECUTOR_PIPE_H

#include "base/auto.h"
#include "executor/flow.h"
#include "executor/reports.h"
#include "job/out.h"
#include "job/plan.pb-c.h"

struct pipe;

struct pipe_config {
	const Quern__Pipe *pipe;
	char *const
		*environment;  /* of the task, "NAME=value", NULL at the end; those of `pipe` go over them */
	const char *directory; /* where the command runs; NULL: where we are */
	reports_count_fn *count;
	void *count_arg;
	struct flow *flow;
};

/* Starts the command. `config` is borrowed until then, its flow and `next` until pipe_free(). 0, or -errno
 * with a sentence. */
int pipe_new(const struct pipe_config *config, struct quern_out *next, struct pipe **ret, struct err *err);

/* Where records go in. */
struct quern_out *pipe_in(struct pipe *p);

/* There are no more records: what the command still has to say goes to `next`. One that did not end with
 * status 0 fails the flow. */
void pipe_finish(struct pipe *p);

struct pipe *pipe_free(struct pipe *p);

AUTO_FREE(pipe, struct pipe, pipe_free)
#define auto_pipe AUTO_CLEANUP(auto_pipe_cleanup_)

#endif
