/* compare.h: keys and values as they are put in order: numbers as numbers, other bytes as memcmp() has them.
 */
#ifndef QUERN_JOB_COMPARE_H
#define QUERN_JOB_COMPARE_H

#include <endian.h>
#include <quern/quern.h>

#include "job/plan.pb-c.h"

/* A number of 8 bytes as one that is compared without a sign. -0.0 is below 0.0, NaNs are at both ends. */
static inline uint64_t compare_number(Quern__ValueType type, quern_slice s)
{
	const uint64_t sign = (uint64_t)1 << 63;
	uint64_t v;

	memcpy(&v, s.ptr, sizeof(v));
	v = le64toh(v);
	if (type == QUERN__VALUE_TYPE__I64)
		return v ^ sign;
	if (type == QUERN__VALUE_TYPE__DOUBLE)
		return (v & sign) != 0 ? ~v : v | sign;
	return v;
}

/* < 0, 0 or > 0; the first `skip` bytes, which both have, are equal. */
static inline int compare_bytes(quern_slice a, quern_slice b, size_t skip)
{
	size_t n = (a.len < b.len ? a.len : b.len) - skip;
	int c = n == 0 ? 0 : memcmp(a.ptr + skip, b.ptr + skip, n);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* Numbers have 8 bytes. */
static inline int compare_typed(Quern__ValueType type, quern_slice a, quern_slice b, size_t skip)
{
	if (type == QUERN__VALUE_TYPE__BYTES)
		return compare_bytes(a, b, skip);
	uint64_t x = compare_number(type, a), y = compare_number(type, b);
	return (x > y) - (x < y);
}

/* Whether what is to be compared as a number has 8 bytes. */
static inline bool compare_fits(const Quern__Order *o, quern_slice key, quern_slice value)
{
	return (o->key == QUERN__VALUE_TYPE__BYTES || key.len == 8) &&
	       (!o->by_value || o->value == QUERN__VALUE_TYPE__BYTES || value.len == 8);
}

/* Records in an order; they fit. */
static inline int compare_records(
	const Quern__Order *o, quern_slice key_a, quern_slice value_a, quern_slice key_b, quern_slice value_b)
{
	int c = 0;

	if (o->value_first)
		c = compare_typed(o->value, value_a, value_b, 0);
	if (c == 0)
		c = compare_typed(o->key, key_a, key_b, 0);
	if (c == 0 && o->by_value && !o->value_first)
		c = compare_typed(o->value, value_a, value_b, 0);
	return o->descending ? -c : c;
}

#endif
