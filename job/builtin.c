#include "job/builtin.h"

#include <math.h>

static void put_u64(quern_out *out, uint64_t n)
{
	QUERN_BUFFER(b, sizeof(n));

	quern_put(out, quern_append_u64(&b, n));
}

void quern_count_one(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)b, (void)arg;
	put_u64(out, quern_as_u64(a) + 1);
}

void quern_count_value(quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit_u64(out, value, 1);
}

void quern_keep_first(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)b, (void)arg;
	quern_put(out, a);
}

/* ---- Statistics ----
 *
 * Count, mean, sum of the squares of differences from it, least and greatest number, in a struct as it is in
 * memory: made and read by the same program on machines of one kind. Two parts are merged as Chan, Golub and
 * LeVeque do (Algorithms for Computing the Sample Variance, 1983): nothing large is subtracted from something
 * large. */

static void put_number(quern_out *out, double d)
{
	const struct quern_stats s = { .count = 1, .mean = d, .sum = d, .min = d, .max = d };

	quern_put(out, quern_bytes(&s, sizeof(s)));
}

void quern_stats_u64(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)a, (void)arg;
	put_number(out, (double)quern_as_u64(b));
}

void quern_stats_i64(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)a, (void)arg;
	put_number(out, (double)quern_as_i64(b));
}

void quern_stats_double(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)a, (void)arg;
	put_number(out, quern_as_double(b));
}

void quern_stats_merge(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	struct quern_stats x, y;

	(void)arg;
	if (a.len != sizeof(x) || b.len != sizeof(y))
		quern_bad_record("statistics of %zu and %zu bytes", a.len, b.len);
	memcpy(&x, a.ptr, sizeof(x));
	memcpy(&y, b.ptr, sizeof(y));
	const double n = (double)x.count + (double)y.count, apart = y.mean - x.mean;

	x.squares += y.squares + apart * apart * ((double)x.count * (double)y.count / n);
	x.mean += apart * ((double)y.count / n);
	x.count += y.count;
	x.sum += y.sum;
	x.min = isnan(x.min) || y.min < x.min ? y.min : x.min;
	x.max = isnan(x.max) || y.max > x.max ? y.max : x.max;
	quern_put(out, quern_bytes(&x, sizeof(x)));
}
