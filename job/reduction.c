/* reduction.c: the reductions that quern knows, as the functions that quern.h names. The data plane does the
 * same without a call per record (code_reduction()); signed sums wrap there and here,
 * and a NaN never wins against a number, so that the order does not matter. */
#include <endian.h>
#include <math.h>
#include <quern/quern.h>

static void put_bits(quern_out *out, uint64_t bits)
{
	bits = htole64(bits);
	quern_put(out, quern_bytes(&bits, sizeof(bits)));
}

static void put_double(quern_out *out, double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	put_bits(out, bits);
}

#define REDUCTION(name, type, result)                                                                        \
	void quern_##name(quern_slice a, quern_slice b, quern_out *out, void *arg)                           \
	{                                                                                                    \
		type x = quern_as_##type##_(a), y = quern_as_##type##_(b);                                   \
                                                                                                             \
		(void)arg;                                                                                   \
		result;                                                                                      \
	}

#define quern_as_uint64_t_ quern_as_u64
#define quern_as_int64_t_  quern_as_i64
#define quern_as_double_   quern_as_double

REDUCTION(sum_u64, uint64_t, put_bits(out, x + y))
REDUCTION(min_u64, uint64_t, put_bits(out, x < y ? x : y))
REDUCTION(max_u64, uint64_t, put_bits(out, x > y ? x : y))
REDUCTION(sum_i64, int64_t, put_bits(out, (uint64_t)x + (uint64_t)y))
REDUCTION(min_i64, int64_t, put_bits(out, (uint64_t)(x < y ? x : y)))
REDUCTION(max_i64, int64_t, put_bits(out, (uint64_t)(x > y ? x : y)))
REDUCTION(sum_double, double, put_double(out, x + y))
REDUCTION(min_double, double, put_double(out, isnan(x) || y < x ? y : x))
REDUCTION(max_double, double, put_double(out, isnan(x) || y > x ? y : x))
