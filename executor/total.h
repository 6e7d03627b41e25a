/* total.h: one value out of all values of a task, whatever their keys: a reduction to the driver. */
#ifndef QUERN_EXECUTOR_TOTAL_H
#define QUERN_EXECUTOR_TOTAL_H

#include "executor/fold.h"

struct total {
	struct quern_out in;
	struct reduce reduce;
	struct fold fold;
	struct quern_out *next; /* gets the value, without a key, when there is one. Borrowed */
};

/* 0, or a negative errno with a sentence: the function is not in the job. total_deinit() in either case. */
int total_init(struct total *t, const struct code *code, const Quern__Function *f, struct quern_out *next,
	struct flow *flow, struct err *err);

/* No record follows. */
void total_finish(struct total *t);

void total_deinit(struct total *t);

#endif
