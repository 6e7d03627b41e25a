/* What a job's functions call: emitting, failing, words, numbers, the known reductions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/out.h"

/* Keeps the last record. */
struct last {
	struct quern_out out;
	unsigned n;
	bool has_key;
	char key[64], value[64];
	size_t key_len, value_len;
};

static void keep(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct last *l = (struct last *)out;

	assert_true(key.len <= sizeof(l->key) && value.len <= sizeof(l->value));
	l->n++;
	l->has_key = key.ptr != NULL;
	l->key_len = key.len;
	l->value_len = value.len;
	if (key.len > 0)
		memcpy(l->key, key.ptr, key.len);
	if (value.len > 0)
		memcpy(l->value, value.ptr, value.len);
}

static quern_slice value_of(const struct last *l)
{
	return quern_bytes(l->value, l->value_len);
}

static void records_have_a_key_or_none(void **state)
{
	struct last l = { .out = { keep } };

	(void)state;
	quern_emit(&l.out, quern_str("k"), quern_str("value"));
	assert_true(l.has_key && l.key_len == 1 && l.value_len == 5);
	quern_put(&l.out, quern_str("v"));
	assert_true(!l.has_key && l.key_len == 0 && l.value_len == 1);
	/* An empty key is one. */
	quern_emit(&l.out, quern_bytes(NULL, 0), quern_bytes(NULL, 0));
	assert_true(l.has_key && l.key_len == 0 && l.value_len == 0);
	assert_int_equal(l.n, 3);
}

static void numbers_are_eight_bytes_little_endian(void **state)
{
	struct last l = { .out = { keep } };

	(void)state;
	quern_emit_u64(&l.out, quern_str("k"), 0x0102030405060708);
	assert_int_equal(l.value_len, 8);
	assert_memory_equal(l.value, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	assert_true(quern_as_u64(value_of(&l)) == 0x0102030405060708);
	quern_emit_i64(&l.out, quern_str("k"), -2);
	assert_memory_equal(l.value, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8);
	assert_true(quern_as_i64(value_of(&l)) == -2);
	quern_emit_double(&l.out, quern_str("k"), -0.5);
	assert_memory_equal(l.value, "\0\0\0\0\0\0\xe0\xbf", 8);
	assert_true(quern_as_double(value_of(&l)) == -0.5);
}

static void words_are_what_isspace_leaves(void **state)
{
	char all[256];
	quern_slice word = { 0 }, text;

	(void)state;
	/* Every byte there is: 9 to 13 and 32 separate. */
	for (int c = 0; c < 256; c++)
		all[c] = (char)c;
	text = quern_bytes(all, 256);
	assert_true(quern_next_word(&text, &word));
	assert_true(word.ptr == all && word.len == 9);
	assert_true(quern_next_word(&text, &word));
	assert_true(word.ptr == all + 14 && word.len == 18);
	assert_true(quern_next_word(&text, &word));
	assert_true(word.ptr == all + 33 && word.len == 223);
	assert_false(quern_next_word(&text, &word));
	assert_false(quern_next_word(&text, &word));

	text = quern_str("");
	assert_false(quern_next_word(&text, &word));
	text = quern_str(" \t\n\v\f\r ");
	assert_false(quern_next_word(&text, &word));
}

/* Words end where they should at any place of any length of text, and nothing beyond its end is looked at. */
static void words_of_random_text(void **state)
{
	static const char bytes[] =
		"aZ\x80\xa0\xff\x1f\x01\x0e\x08!  \t\n\v\f\r"; /* and the NUL behind them */
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)(round % 40), at = 0;
		char *data = malloc(len + 1); /* its own, so that a sanitizer sees the end */
		quern_slice text = quern_bytes(data, len), word = { NULL, 0 };

		assert_non_null(data);
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			data[i] = bytes[(random >> 16) % sizeof(bytes)];
			if (round % 3 != 0 && i % 11 != 0)
				data[i] = 'x'; /* longer words */
		}
		for (;;) {
			while (at < len && isspace((unsigned char)data[at]))
				at++;
			size_t begin = at;
			while (at < len && !isspace((unsigned char)data[at]))
				at++;
			assert_int_equal(quern_next_word(&text, &word), begin < at);
			if (begin == at)
				break;
			assert_true(word.ptr == data + begin && word.len == at - begin);
		}
		free(data);
	}
}

/* Against the plain way, over bytes that are often spaces, or close to one, at every alignment and length. */
static void words_are_those_of_the_plain_way(void **state)
{
	static const char bytes[] = " \t\n\v\f\r\x08\x0e\x1f!a\0\x80\x89\xa0\xff";
	uint64_t random = 1;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		size_t len = round % 40, kinds = 1 + round / 40 % (sizeof(bytes) - 1);
		/* No byte more: what is behind is not looked at. */
		char *text = malloc(len + 1), *from = text + 1;
		quern_slice rest = quern_bytes(from, len), word;

		assert_non_null(text);
		for (size_t i = 0; i < len; i++) {
			random = random * 6364136223846793005 + 1442695040888963407;
			/* Long words as well. */
			from[i] = random >> 62 != 0 && kinds % 2 == 0 ? 'x' : bytes[(random >> 33) % kinds];
		}
		for (size_t at = 0;;) {
			while (at < len && isspace((unsigned char)from[at]))
				at++;
			if (at == len)
				break;
			size_t begin = at;
			while (at < len && !isspace((unsigned char)from[at]))
				at++;
			assert_true(quern_next_word(&rest, &word));
			assert_ptr_equal(word.ptr, from + begin);
			assert_int_equal(word.len, at - begin);
		}
		assert_false(quern_next_word(&rest, &word));
		free(text);
	}
}

/* ---- Failing ---- */

static void fails(void *arg)
{
	quern_fail("no %s at %d", (const char *)arg, 7);
}

static void reads_a_short_number(void *arg)
{
	(void)quern_as_u64(quern_bytes(arg, 7));
}

static void does_nothing(void *arg)
{
	(void)arg;
}

static void fails_at_length(void *arg)
{
	quern_fail("%5000s", (const char *)arg);
}

static void a_failure_ends_the_guard_with_its_text(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(out_guard(fails, (void *)"luck", NULL, &err), -ECANCELED);
	assert_string_equal(err.text, "no luck at 7");
	assert_int_equal(out_guard(does_nothing, NULL, NULL, &err), 0);
	assert_int_equal(out_guard(reads_a_short_number, (void *)"1234567", NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "quern_as_u64(): 7 bytes are not a number"));
	assert_int_equal(out_guard(fails_at_length, (void *)"x", NULL, &err), -ECANCELED);
	assert_true(strlen(err.text) > 100 && strlen(err.text) < sizeof(err.text));
}

static void a_failure_names_its_record(void **state)
{
	struct out_record record = {
		.number = 7, .key = quern_bytes("k\0'", 3), .value = quern_str("value")
	};
	struct out_task task = { .path = "a.txt", .from = "shuffle 3", .record = &record };
	char long_value[200];
	struct err err = { "" };

	(void)state;
	assert_int_equal(out_guard(fails, (void *)"luck", &task, &err), -ECANCELED);
	assert_string_equal(err.text, "no luck at 7 (input 'a.txt', record 7: key 'k\\x00'', value 'value')");
	/* No key; from elsewhere; too long to be shown. */
	memset(long_value, 'v', sizeof(long_value));
	record = (struct out_record){ .number = 1, .value = quern_bytes(long_value, sizeof(long_value)) };
	task.path = NULL;
	task.from = "shuffle 3, partition 0";
	assert_int_equal(out_guard(fails, (void *)"luck", &task, &err), -ECANCELED);
	assert_memory_equal(err.text, "no luck at 7 (shuffle 3, partition 0, record 1: value 'vvvv", 58);
	assert_int_equal(strlen(err.text), 55 + 60 + strlen("...')"));
	/* A sentence that fills all the room. */
	assert_int_equal(out_guard(fails_at_length, (void *)"x", &task, &err), -ECANCELED);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	/* A key and all its values. */
	record = (struct out_record){ .number = 2, .key = quern_str("k") };
	assert_int_equal(out_guard(fails, (void *)"luck", &task, &err), -ECANCELED);
	assert_string_equal(err.text, "no luck at 7 (shuffle 3, partition 0, record 2: key 'k')");
	/* At none. */
	task.record = NULL;
	assert_int_equal(out_guard(fails, (void *)"luck", &task, &err), -ECANCELED);
	assert_string_equal(err.text, "no luck at 7");
}

/* ---- Bad records ---- */

/* The numbers 0 ... n - 1, each a record; the odd ones are bad. */
struct numbers {
	struct tally tally;
	struct out_record record;
	struct out_task task;
	unsigned n, good;
};

static void take_even(unsigned i)
{
	if (i % 2 != 0)
		quern_bad_record("%u is\nodd", i);
}

static void take_numbers(void *arg)
{
	struct numbers *numbers = arg;
	volatile unsigned i;
	jmp_buf here;

	assert_null(out_skip(&here));
	for (i = 0; i < numbers->n; i++) {
		numbers->record.number++;
		numbers->record.value = quern_str("x");
		if (_setjmp(here) == 0) {
			take_even(i);
			numbers->good++;
		}
	}
	assert_ptr_equal(out_skip(NULL), &here);
}

static void bad_records_are_left_out_up_to_a_limit(void **state)
{
	struct numbers *numbers = calloc(1, sizeof(*numbers));
	struct err err = { "" };

	(void)state;
	assert_non_null(numbers);
	numbers->n = 20;
	numbers->tally.bad_max = 10;
	numbers->task = (struct out_task){ .record = &numbers->record, .tally = &numbers->tally };
	assert_int_equal(out_guard(take_numbers, numbers, &numbers->task, &err), 0);
	assert_int_equal(numbers->good, 10);
	assert_int_equal(numbers->tally.bad, 10);
	assert_string_equal(numbers->tally.texts[0], "1 is odd (record 2: value 'x')");
	assert_string_equal(numbers->tally.texts[TALLY_TEXTS - 1], "9 is odd (record 10: value 'x')");
	/* One more than may be. */
	*numbers = (struct numbers){
		.n = 20, .task = { .record = &numbers->record, .tally = &numbers->tally }, .tally.bad_max = 9
	};
	assert_int_equal(out_guard(take_numbers, numbers, &numbers->task, &err), -EBADMSG);
	assert_string_equal(err.text, "19 is\nodd (record 20: value 'x')");
	assert_int_equal(numbers->tally.bad, 9);
	free(numbers);
}

static void a_bad_record_that_cannot_be_left_out_fails(void **state)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	struct out_task task = { .tally = tally };
	struct err err = { "" };

	(void)state;
	assert_non_null(tally);
	tally->bad_max = 10;
	assert_int_equal(out_guard(reads_a_short_number, (void *)"1234567", &task, &err), -EBADMSG);
	assert_int_equal(tally->bad, 0);
	free(tally);
}

static void outside_of_a_guard_a_failure_ends_the_process(void **state)
{
	char said[100] = "";
	int pipes[2], status;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(pipes[1], STDERR_FILENO);
		fails((void *)"luck");
	}
	(void)close(pipes[1]);
	for (ssize_t n, at = 0; (n = read(pipes[0], said + at, sizeof(said) - 1 - (size_t)at)) > 0;)
		at += n;
	assert_string_equal(said, "quern: no luck at 7\n");
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* ---- Reductions ---- */

static quern_slice of_u64(uint64_t *n)
{
	return quern_bytes(n, sizeof(*n));
}

static uint64_t reduce(quern_reduce_fn *fn, uint64_t a, uint64_t b)
{
	struct last l = { .out = { keep } };

	fn(of_u64(&a), of_u64(&b), &l.out, NULL);
	assert_int_equal(l.n, 1);
	assert_false(l.has_key);
	return quern_as_u64(value_of(&l));
}

static double reduce_double(quern_reduce_fn *fn, double a, double b)
{
	uint64_t x, y;
	double d;

	memcpy(&x, &a, sizeof(x));
	memcpy(&y, &b, sizeof(y));
	x = reduce(fn, x, y);
	memcpy(&d, &x, sizeof(d));
	return d;
}

static void the_known_reductions_are_arithmetic(void **state)
{
	const uint64_t minus_5 = (uint64_t)-5;

	(void)state;
	assert_true(reduce(quern_sum_u64, 3, 4) == 7);
	assert_true(reduce(quern_sum_u64, UINT64_MAX, 2) == 1);
	assert_true(reduce(quern_min_u64, 3, minus_5) == 3);
	assert_true(reduce(quern_max_u64, 3, minus_5) == minus_5);
	assert_true(reduce(quern_sum_i64, 3, minus_5) == (uint64_t)-2);
	assert_true(reduce(quern_sum_i64, INT64_MAX, 1) == (uint64_t)INT64_MIN);
	assert_true(reduce(quern_min_i64, 3, minus_5) == minus_5);
	assert_true(reduce(quern_max_i64, 3, minus_5) == 3);
	assert_true(reduce_double(quern_sum_double, 0.25, -1) == -0.75);
	assert_true(reduce_double(quern_min_double, 0.25, -1) == -1);
	assert_true(reduce_double(quern_max_double, 0.25, -1) == 0.25);
	assert_true(
		reduce_double(quern_min_double, NAN, 1) == 1 && reduce_double(quern_min_double, 1, NAN) == 1);
	assert_true(
		reduce_double(quern_max_double, NAN, 1) == 1 && reduce_double(quern_max_double, 1, NAN) == 1);
	assert_true(isnan(reduce_double(quern_max_double, NAN, NAN)));
	assert_true(isinf(reduce_double(quern_sum_double, INFINITY, -1)));
	assert_true(isnan(reduce_double(quern_sum_double, NAN, -1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_have_a_key_or_none),
		cmocka_unit_test(numbers_are_eight_bytes_little_endian),
		cmocka_unit_test(words_are_what_isspace_leaves),
		cmocka_unit_test(words_of_random_text),
		cmocka_unit_test(words_are_those_of_the_plain_way),
		cmocka_unit_test(a_failure_ends_the_guard_with_its_text),
		cmocka_unit_test(a_failure_names_its_record),
		cmocka_unit_test(bad_records_are_left_out_up_to_a_limit),
		cmocka_unit_test(a_bad_record_that_cannot_be_left_out_fails),
		cmocka_unit_test(outside_of_a_guard_a_failure_ends_the_process),
		cmocka_unit_test(the_known_reductions_are_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
