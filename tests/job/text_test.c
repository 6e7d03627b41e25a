/* Fields and numbers in text (quern/text.h). Words are tested by out_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/out.h"

static const quern_slice comma = { ",", 1 };

/* The fields, with a bar behind each. */
static const char *fields_of(quern_slice text, quern_slice separator)
{
	static char all[256];
	quern_slice field;
	size_t n = 0;

	while (quern_next_field(&text, separator, &field)) {
		assert_true(n + field.len + 1 < sizeof(all));
		if (field.len > 0)
			memcpy(all + n, field.ptr, field.len);
		n += field.len;
		all[n++] = '|';
	}
	all[n] = '\0';
	/* Nothing follows, however often one asks. */
	assert_false(quern_next_field(&text, separator, &field));
	return all;
}

static void fields_are_what_is_between_separators(void **state)
{
	(void)state;
	assert_string_equal(fields_of(quern_str("a,b,c"), comma), "a|b|c|");
	assert_string_equal(fields_of(quern_str("a,,b,"), comma), "a||b||");
	assert_string_equal(fields_of(quern_str(","), comma), "||");
	assert_string_equal(fields_of(quern_str("abc"), comma), "abc|");
	assert_string_equal(fields_of(quern_str(""), comma), "|");
	assert_string_equal(fields_of(quern_bytes(NULL, 0), comma), "|");
	assert_string_equal(fields_of(quern_str("a::b:::c"), quern_str("::")), "a|b|:c|");
	assert_string_equal(fields_of(quern_str(":"), quern_str("::")), ":|");
	assert_string_equal(fields_of(quern_str("::"), quern_str("::")), "||");
	assert_string_equal(fields_of(quern_str("abc"), quern_str("")), "abc|");
}

static void fields_have_numbers(void **state)
{
	quern_slice field = { "old", 3 }, fields[2];

	(void)state;
	assert_true(quern_field(quern_str("a,bc,d"), comma, 1, &field));
	assert_true(quern_same(field, quern_str("bc")));
	assert_false(quern_field(quern_str("a,bc,d"), comma, 3, &field));
	assert_true(quern_same(field, quern_str("bc")));
	assert_true(quern_same(quern_need_field(quern_str("a,bc"), comma, 0), quern_str("a")));
	assert_int_equal(quern_split(quern_str("a,b,c,d"), comma, fields, 2), 4);
	assert_true(quern_same(fields[0], quern_str("a")) && quern_same(fields[1], quern_str("b")));
}

static void fields_are_joined(void **state)
{
	const quern_slice fields[] = { quern_str("a"), quern_bytes(NULL, 0), quern_str("bc") };
	QUERN_BUFFER(b, 16);

	(void)state;
	assert_true(quern_same(quern_join_fields(&b, quern_str("::"), fields, 3), quern_str("a::::bc")));
	quern_clear(&b);
	assert_int_equal(quern_join_fields(&b, comma, fields, 0).len, 0);
}

static void spaces_at_the_ends_go(void **state)
{
	(void)state;
	assert_true(quern_same(quern_trim(quern_str(" \t a b\r\n")), quern_str("a b")));
	assert_int_equal(quern_trim(quern_str(" \n ")).len, 0);
	assert_int_equal(quern_trim(quern_bytes(NULL, 0)).len, 0);
}

/* ---- Numbers ---- */

static void whole_numbers(void **state)
{
	static const char *const wrong[] = { "", "-", "+", " 1", "1 ", "1x", "0x1", "1.0", "--1",
		"18446744073709551616", "99999999999999999999" };
	uint64_t u = 7;
	int64_t i = 7;

	(void)state;
	assert_true(quern_parse_u64(quern_str("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_true(quern_parse_u64(quern_str("00012"), &u) && u == 12);
	assert_true(quern_parse_i64(quern_str("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(quern_parse_i64(quern_str("+9223372036854775807"), &i) && i == INT64_MAX);
	assert_true(quern_need_i64(quern_str("-0")) == 0);
	assert_true(quern_need_u64(quern_str("5")) == 5);
	assert_false(quern_parse_u64(quern_str("-1"), &u) || quern_parse_u64(quern_str("+1"), &u));
	assert_false(quern_parse_i64(quern_str("9223372036854775808"), &i));
	assert_false(quern_parse_i64(quern_str("-9223372036854775809"), &i));
	assert_false(quern_parse_u64(quern_bytes("1\0", 2), &u));
	for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
		assert_false(
			quern_parse_u64(quern_str(wrong[k]), &u) || quern_parse_i64(quern_str(wrong[k]), &i));
	assert_true(u == 12 && i == INT64_MAX);
}

static void doubles(void **state)
{
	static const char *const wrong[] = { "", " 1", "1 ", "1,5", "1e", "1e999", "-1e999", "x" };
	char digits[600];
	double d = 7;

	(void)state;
	assert_true(quern_parse_double(quern_str("-1.5e-3"), &d) && d == -1.5e-3);
	assert_true(quern_parse_double(quern_str("1e-320"), &d) && d > 0 && d < DBL_MIN);
	assert_true(quern_parse_double(quern_str("inf"), &d) && isinf(d));
	assert_true(quern_parse_double(quern_str("nan"), &d) && isnan(d));
	assert_true(quern_need_double(quern_str("0.1")) == 0.1);
	d = 7;
	for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
		assert_false(quern_parse_double(quern_str(wrong[k]), &d));
	memset(digits, '0', sizeof(digits));
	assert_true(quern_parse_double(quern_bytes(digits, 500), &d) && d == 0);
	assert_false(quern_parse_double(quern_bytes(digits, 501), &d));
	/* No NUL follows, and what follows is a digit. */
	assert_true(quern_parse_double(quern_bytes("12345", 2), &d) && d == 12);
}

/* As libc has them, over many. */
static void numbers_are_those_of_libc(void **state)
{
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[64];
		uint64_t u;
		int64_t i;
		double d, wanted;

		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		uint64_t n = random >> (round % 64);
		(void)snprintf(text, sizeof(text), "%" PRIu64, n);
		assert_true(quern_parse_u64(quern_str(text), &u) && u == n);
		(void)snprintf(text, sizeof(text), "%" PRId64, (int64_t)n);
		assert_true(quern_parse_i64(quern_str(text), &i) && i == (int64_t)n);
		memcpy(&wanted, &random, sizeof(wanted));
		(void)snprintf(text, sizeof(text), "%.17g", wanted);
		assert_true(quern_parse_double(quern_str(text), &d));
		assert_true(isnan(wanted) ? isnan(d) : d == wanted);
	}
}

static void needs_a_number(void *arg)
{
	(void)quern_need_u64(quern_str(arg));
}

static void needs_a_field(void *arg)
{
	(void)quern_need_field(quern_str(arg), comma, 3);
}

static void what_must_be_there_makes_a_bad_record(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(out_guard(needs_a_number, (void *)"12a", NULL, &err), -EBADMSG);
	assert_string_equal(err.text, "'12a' is not a number without a sign");
	assert_int_equal(out_guard(needs_a_field, (void *)"a,b,c", NULL, &err), -EBADMSG);
	assert_string_equal(err.text, "there is no field 3: it has 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_what_is_between_separators),
		cmocka_unit_test(fields_have_numbers),
		cmocka_unit_test(fields_are_joined),
		cmocka_unit_test(spaces_at_the_ends_go),
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(doubles),
		cmocka_unit_test(numbers_are_those_of_libc),
		cmocka_unit_test(what_must_be_there_makes_a_bad_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
