/* sink.h: what becomes of a task's records: map output, combined or sorted; a part file; or something for the
 * driver. */
#ifndef QUERN_EXECUTOR_SINK_H
#define QUERN_EXECUTOR_SINK_H

#include "executor/combine.h"
#include "executor/output.h"
#include "executor/ranges.h"
#include "executor/sampler.h"
#include "executor/shuffle_write.h"
#include "executor/sort.h"
#include "executor/task.h"
#include "executor/top.h"
#include "executor/total.h"

struct sink_config {
	const struct task_env *env;
	const struct task *task;
	size_t memory; /* bytes for what is combined or sorted */
	struct flow *flow;
};

struct sink {
	struct sink_config config; /* borrowed */
	struct quern_out *in;      /* where records go: one of those below */

	struct combine *combine;
	struct order order; /* of what is sorted, or of which there is a sample */
	struct sorting {
		struct quern_out in;
		struct sort sort;
		struct ranges ranges;
	} sorting;
	struct shuffle_writer *writer;

	struct part *part;
	const char *file; /* of the part, once it is whole */

	struct collect collect; /* also counts */
	struct total total;     /* before it, when values are combined */
	struct top top;         /* or when it gets the first in some order */
	struct sampler sampler;
};

/* 0, or a negative errno with a sentence; sink_close() in either case. */
int sink_open(struct sink *s, const struct sink_config *config, struct err *err);

/* No record follows: writes what is left. Failures go into the flow. `scale`: records that each one stands
 * for (source.h). */
void sink_finish(struct sink *s, double scale);

/* Fills in what came out, and the answer. 0 or -ENOMEM. */
int sink_answer(struct sink *s, Quern__TaskResult *result);

void sink_close(struct sink *s);

#endif
