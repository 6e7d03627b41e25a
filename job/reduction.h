/* reduction.h: the reductions that quern knows, on the bits of numbers: as the functions of job/reduction.c
 * do them, without a call. */
#ifndef QUERN_JOB_REDUCTION_H
#define QUERN_JOB_REDUCTION_H

#include <math.h>
#include <string.h>

#include "job/code.h"

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

/* What changes no number that it is combined with. */
static inline uint64_t reduce_identity(enum reduction kind)
{
	switch (kind) {
	case REDUCE_MIN_U64:
		return UINT64_MAX;
	case REDUCE_MIN_I64:
		return (uint64_t)INT64_MAX;
	case REDUCE_MAX_I64:
		return (uint64_t)INT64_MIN;
	case REDUCE_MIN_DOUBLE:
		return reduce_of_double(HUGE_VAL);
	case REDUCE_MAX_DOUBLE:
		return reduce_of_double(-HUGE_VAL);
	default:
		return 0;
	}
}

#endif
