/* reduce.h: combines two values of a key: a reduction that quern knows, or the user's function. */
#ifndef QUERN_EXECUTOR_REDUCE_H
#define QUERN_EXECUTOR_REDUCE_H

#include <math.h>

#include "base/buf.h"
#include "executor/bytes.h"
#include "executor/flow.h"
#include "job/code.h"
#include "job/out.h"

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

static inline double reduce_as_double(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static inline uint64_t reduce_of_double(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

/* A known reduction on the bits of two numbers, as the function of job/reduction.c does it: signed sums wrap,
 * and a NaN gives way to a number. */
static inline uint64_t reduce_bits(enum reduction kind, uint64_t a, uint64_t b)
{
	switch (kind) {
	case REDUCE_SUM_U64:
	case REDUCE_SUM_I64:
		return a + b;
	case REDUCE_MIN_U64:
		return a < b ? a : b;
	case REDUCE_MAX_U64:
		return a > b ? a : b;
	case REDUCE_MIN_I64:
		return (int64_t)a < (int64_t)b ? a : b;
	case REDUCE_MAX_I64:
		return (int64_t)a > (int64_t)b ? a : b;
	case REDUCE_SUM_DOUBLE:
		return reduce_of_double(reduce_as_double(a) + reduce_as_double(b));
	case REDUCE_MIN_DOUBLE:
		return isnan(reduce_as_double(a)) || reduce_as_double(b) < reduce_as_double(a) ? b : a;
	case REDUCE_MAX_DOUBLE:
		return isnan(reduce_as_double(a)) || reduce_as_double(b) > reduce_as_double(a) ? b : a;
	case REDUCE_CALL:
	default:
		return a;
	}
}

#endif
