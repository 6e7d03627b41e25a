#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/tail.h"

static void expect(const struct tail *t, const char *text)
{
	char *got = tail_text(t);

	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
}

static void expect_of(const char *printed, const char *text)
{
	struct tail *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	tail_add(t, printed, strlen(printed));
	expect(t, text);
	free(t);
}

static void what_was_printed(void **state)
{
	(void)state;
	expect_of("", "");
	expect_of("\n", "");
	expect_of("one", "one");
	expect_of("one\n", "one");
	expect_of("one\n\ntwo\tthree\n", "one\n\ntwo\tthree");
}

/* Only what a person can read, and UTF-8. */
static void bytes_of_any_kind(void **state)
{
	(void)state;
	expect_of("a\x01"
		  "b\x7f\x1b[0m",
		"a?b??[0m");
	expect_of("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xbe",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xbe");
	expect_of("\xc3", "?");                  /* cut */
	expect_of("\xc0\xaf", "??");             /* not the shortest form */
	expect_of("\xed\xa0\x80", "???");        /* a surrogate */
	expect_of("\xf4\x90\x80\x80", "????");   /* beyond the last */
	expect_of("\x80\xff\xe2\x82x", "????x"); /* broken */
}

static void the_last_lines(void **state)
{
	struct tail *t = calloc(1, sizeof(*t));
	char line[64], text[64 * TAIL_LINES] = "";

	(void)state;
	assert_non_null(t);
	for (int i = 0; i < 5 * TAIL_LINES; i++) {
		int n = snprintf(line, sizeof(line), "line %d\n", i);

		tail_add(t, line, (size_t)n);
		if (i >= 4 * TAIL_LINES)
			(void)strcat(text, line);
	}
	text[strlen(text) - 1] = '\0';
	expect(t, text);
	tail_reset(t);
	expect(t, "");
	free(t);
}

/* In pieces of any size the end is the same as at once. */
static void any_pieces(void **state)
{
	enum { LEN = 3 * TAIL_BYTES };
	char *all = malloc(LEN + 1);
	struct tail *whole = calloc(1, sizeof(*whole));

	(void)state;
	assert_true(all != NULL && whole != NULL);
	for (size_t i = 0; i < LEN; i++)
		all[i] = i % 997 == 0 ? '\n' : (char)('a' + i % 26);
	all[LEN] = '\0';
	tail_add(whole, all, LEN);
	char *expected = tail_text(whole);
	assert_true(strlen(expected) > 0 && strlen(expected) <= TAIL_BYTES);
	assert_memory_equal(expected, all + LEN - strlen(expected), strlen(expected));
	for (size_t piece = 1; piece < 2 * TAIL_BYTES; piece = piece * 3 + 1) {
		struct tail *t = calloc(1, sizeof(*t));

		assert_non_null(t);
		for (size_t at = 0; at < LEN; at += piece)
			tail_add(t, all + at, LEN - at < piece ? LEN - at : piece);
		expect(t, expected);
		free(t);
	}
	free(expected);
	free(whole);
	free(all);
}

/* A line that is longer than all that is kept is shown cut, rather than not at all. */
static void one_endless_line(void **state)
{
	struct tail *t = calloc(1, sizeof(*t));

	(void)state;
	assert_non_null(t);
	for (int i = 0; i < 3 * TAIL_BYTES; i++)
		tail_add(t, "x", 1);
	char *text = tail_text(t);
	assert_int_equal(strlen(text), TAIL_BYTES);
	assert_int_equal(strspn(text, "x"), TAIL_BYTES);
	free(text);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_printed),
		cmocka_unit_test(bytes_of_any_kind),
		cmocka_unit_test(the_last_lines),
		cmocka_unit_test(any_pieces),
		cmocka_unit_test(one_endless_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
