/* Fields and numbers from anywhere: fields joined again are the text, and numbers are those of libc. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/out.h"

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void divide(quern_slice text, quern_slice separator)
{
	quern_slice field, rest = text;
	QUERN_BUFFER(again, MOST);
	size_t n = 0;

	while (quern_next_field(&rest, separator, &field)) {
		if (n++ > 0)
			quern_append(&again, separator);
		quern_append(&again, field);
		assert(quern_find(field, separator) == NULL);
	}
	assert(n == quern_split(text, separator, NULL, 0));
	assert(quern_same(quern_written(&again), text));
}

static void parse(quern_slice text)
{
	char copy[MOST + 1];
	uint64_t u;
	int64_t i;
	double d;

	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	errno = 0;
	if (quern_parse_u64(text, &u))
		assert(u == strtoull(copy, NULL, 10) && errno == 0);
	if (quern_parse_i64(text, &i))
		assert(i == strtoll(copy, NULL, 10) && errno == 0);
	if (quern_parse_double(text, &d)) {
		double wanted = strtod(copy, NULL);

		assert(memcmp(&d, &wanted, sizeof(d)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > MOST)
		return 0;
	const size_t n = (size_t)data[0] % 3 + 1;
	const quern_slice all = quern_bytes(data + 1, size - 1);
	if (all.len >= n)
		divide(quern_bytes(all.ptr + n, all.len - n), quern_bytes(all.ptr, n));
	parse(all);
	parse(quern_trim(all));
	return 0;
}
