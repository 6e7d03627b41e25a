/* sampler.h: random keys of a task's records, for the driver (Sink.SAMPLE). */
#ifndef QUERN_EXECUTOR_SAMPLER_H
#define QUERN_EXECUTOR_SAMPLER_H

#include "base/buf.h"
#include "executor/flow.h"
#include "executor/order.h"
#include "job/out.h"

enum {
	SAMPLER_KEY_MAX = 128,    /* bytes; the end of a longer key is left out */
	SAMPLER_WHOLE_MAX = 1024, /* of one that a function compares: longer ones are left out as a whole */
};

struct sampler {
	struct quern_out in;
	const struct order *order;
	uint64_t limit; /* keys */
	uint64_t seen;  /* records */
	uint64_t random;
	struct buf *keys;
	struct flow *flow;
};

/* `order` is borrowed. `seed`: the same gives the same sample. 0 or -ENOMEM. */
int sampler_init(
	struct sampler *s, const struct order *order, uint64_t limit, uint64_t seed, struct flow *flow);
void sampler_deinit(struct sampler *s);

/* Appends the sample as the driver wants it. Each record that was seen stands for `scale`. 0 or -ENOMEM. */
int sampler_put(const struct sampler *s, double scale, struct buf *out);

#endif
