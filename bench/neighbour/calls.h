/* calls.h: the calls that the batch framework makes, as bytes. */
#ifndef QUERN_BENCH_NEIGHBOUR_CALLS_H
#define QUERN_BENCH_NEIGHBOUR_CALLS_H

#include "base/buf.h"
#include "bench/neighbour/batch.h"
#include "mesos/scheduler.pb-c.h"

struct calls_config {
	const char *name, *role;
	const char *executor; /* command of the executor that runs tasks; NULL: a task is a command itself */
	uint64_t task_ms;
	bool spin; /* a task computes, and does not sleep */
};

/* Each appends one call to `out`. 0, -ENOMEM, -EMSGSIZE. */
int calls_subscribe(const struct calls_config *config, struct buf *out);
/* `acknowledge`: what is to be acknowledged, for ACKNOWLEDGE. */
int calls_simple(Mesos__V1__Scheduler__Call__Type type, const char *framework_id,
	Mesos__V1__TaskStatus *acknowledge, struct buf *out);
/* ACCEPT of an offer, for the tasks of these ids; with none of them it is declined for some seconds. */
int calls_accept(const struct calls_config *config, const char *framework_id, Mesos__V1__Offer *offer,
	char (*ids)[BATCH_ID_SIZE], uint32_t n, struct buf *out);

/* How much of a resource an offer has that is nobody's in particular. */
double calls_offered(const Mesos__V1__Offer *offer, const char *name);

#endif
