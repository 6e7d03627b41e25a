#include "executor/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/bytes.h"

enum { NUMBER_MAX = 32 /* characters of a printed number */ };

static size_t print_u64(char *to, uint64_t v)
{
	char digits[NUMBER_MAX];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

static size_t print_i64(char *to, uint64_t bits)
{
	if (bits >> 63 == 0)
		return print_u64(to, bits);
	to[0] = '-';
	return 1 + print_u64(to + 1, -bits);
}

/* With as few digits as give the same number back. */
static size_t print_double(char *to, uint64_t bits)
{
	double v;
	int n = 0;

	memcpy(&v, &bits, sizeof(v));
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(to, NUMBER_MAX, "%.*g", digits, v);
		if (strtod(to, NULL) == v)
			break;
	}
	return (size_t)n;
}

int text_put(struct buf *to, Quern__ValueType type, quern_slice s)
{
	if (type == QUERN__VALUE_TYPE__BYTES)
		return buf_add(to, s.ptr, s.len);
	if (s.len != 8)
		return TEXT_MISFIT;
	int r = buf_reserve(to, NUMBER_MAX);
	if (r < 0)
		return r;
	char *at = (char *)to->data + to->len;
	uint64_t bits = get_le64(s.ptr);
	to->len += type == QUERN__VALUE_TYPE__U64   ? print_u64(at, bits)
		   : type == QUERN__VALUE_TYPE__I64 ? print_i64(at, bits)
						    : print_double(at, bits);
	return 0;
}
