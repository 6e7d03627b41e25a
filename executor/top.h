/* top.h: the first records of a task in some order, however many there are: a heap of those that are the
 * first so far. Of equal ones those that came first. */
#ifndef QUERN_EXECUTOR_TOP_H
#define QUERN_EXECUTOR_TOP_H

#include "executor/flow.h"
#include "job/out.h"
#include "job/plan.pb-c.h"

struct top_record;

struct top {
	struct quern_out in;
	const Quern__Order *order; /* borrowed, like `flow` */
	uint64_t limit;            /* records that are wanted */
	size_t memory;             /* bytes that they may take */
	struct flow *flow;
	struct top_record **heap; /* of n; the last in the order is at 0 */
	size_t n, cap, bytes;
	uint64_t came;
};

/* `limit` is at least 1. */
void top_init(struct top *t, const Quern__Order *order, uint64_t limit, size_t memory, struct flow *flow);

/* No record follows: emits them to `next`, in order. */
void top_finish(struct top *t, struct quern_out *next);

void top_deinit(struct top *t);

#endif
