/* reduce.h: combines two values of a key: a reduction that quern knows, or the user's function. */
#ifndef QUERN_EXECUTOR_REDUCE_H
#define QUERN_EXECUTOR_REDUCE_H

#include "base/buf.h"
#include "executor/bytes.h"
#include "executor/flow.h"
#include "job/out.h"
#include "job/reduction.h"

struct reduce {
	struct quern_out out; /* the user's function emits here */
	enum reduction kind;
	quern_reduce_fn *fn; /* with REDUCE_CALL */
	void *arg;           /* owned */
	struct buf result;
	unsigned emitted; /* by this call; stays at 2 */
	struct flow *flow;
};

/* 0, or a negative errno with a sentence: the function is not in the job. `flow` is borrowed. */
int reduce_init(struct reduce *r, const struct code *code, const Quern__Function *f, struct flow *flow,
	struct err *err);
void reduce_deinit(struct reduce *r);

/* fn(a, b) of any kind; borrowed until the next call. A function that does not emit exactly one value, or a
 * value that is not 8 bytes for a known reduction, fails the flow; the result is `a` then. */
quern_slice reduce_values(struct reduce *r, quern_slice a, quern_slice b);

/* Fails the flow because `value` is not 8 bytes. */
void reduce_wrong_length(struct reduce *r, quern_slice value);

#endif
