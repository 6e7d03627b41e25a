/* recordio_test.c: mesos/recordio.h, with records and splits made at random from printed seeds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mesos/recordio.h"

/* What was given: every record as "<length>:<bytes>;". */
struct given {
	struct buf text;
	size_t n;
	size_t stop_after; /* the callback returns stop_with at this many; 0: never */
	int stop_with;
};

static void remember(struct buf *text, const void *data, size_t len)
{
	assert_int_equal(buf_add_fmt(text, "%zu:", len), 0);
	assert_int_equal(buf_add(text, data, len), 0);
	assert_int_equal(buf_add_str(text, ";"), 0);
}

static int on_record(void *arg, const void *data, size_t len)
{
	struct given *g = arg;

	remember(&g->text, data, len);
	g->n++;
	return g->n == g->stop_after ? g->stop_with : 0;
}

static struct given given_init(void)
{
	return (struct given){ .text = BUF_INIT(64 << 20) };
}

static uint32_t random_next(uint32_t *state) /* xorshift32 */
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Feeds `bytes` in pieces of `most` bytes; with a seed, of 1 to `most`. Ends at the first error, which it
 * returns. */
static int feed(
	struct recordio *r, const void *bytes, size_t len, size_t most, uint32_t seed, struct given *g)
{
	int k = 0;

	for (size_t at = 0; k == 0 && at < len;) {
		size_t n = seed == 0 ? most : random_next(&seed) % most + 1;

		n = n < len - at ? n : len - at;
		/* A copy of just that size, so that a sanitizer sees a read past it. */
		uint8_t *piece = malloc(n);
		assert_non_null(piece);
		memcpy(piece, (const uint8_t *)bytes + at, n);
		k = recordio_feed(r, piece, n, on_record, g, NULL);
		free(piece);
		at += n;
	}
	return k;
}

static void assert_text(const struct given *g, const void *text, size_t len)
{
	assert_int_equal(g->text.len, len);
	if (len > 0)
		assert_memory_equal(g->text.data, text, len);
}

/* A record of random bytes, among them many that look like a header. */
static size_t random_record(uint32_t *seed, uint8_t bytes[600])
{
	static const char likely[] = "0123456789\n\0\xff";
	const size_t sizes[] = { 0, 1, 9, 10, 99, 600 };

	size_t n = random_next(seed) % (sizes[random_next(seed) % 6] + 1);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)likely[random_next(seed) % (sizeof(likely) - 1)];
	return n;
}

static void any_records_in_any_split_are_given_as_they_were(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 300; seed++) {
		struct buf stream = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20);
		uint32_t random = seed * 2654435761U;
		uint8_t bytes[600];

		for (int i = 0; i < 40; i++) {
			size_t n = random_record(&random, bytes);
			assert_int_equal(recordio_encode(&stream, bytes, n), 0);
			remember(&text, bytes, n);
		}
		const size_t most[] = { stream.len, 1, 2, 3, 1000, 1000, 50, 50 };
		for (size_t way = 0; way < 8; way++) {
			struct recordio r = RECORDIO_INIT(600);
			struct given g = given_init();

			assert_int_equal(feed(&r, stream.data, stream.len, most[way],
						 way < 4 ? 0 : seed + (uint32_t)way, &g),
				0);
			assert_text(&g, text.data, text.len);
			assert_int_equal(r.partial.len, 0);
			buf_deinit(&g.text);
			recordio_deinit(&r);
		}
		buf_deinit(&stream);
		buf_deinit(&text);
	}
}

static void what_is_no_record_is_an_error_in_any_split(void **state)
{
	static const struct {
		const char *stream, *given;
		size_t fails_at; /* byte with which the error is known */
	} cases[] = {
		{ "\n", "", 1 },
		{ "x", "", 1 },
		{ "-1\n", "", 1 },
		{ "+1\n", "", 1 },
		{ " 1\n", "", 1 },
		{ "1 \n", "", 2 },
		{ "1\r\nx", "", 2 },
		{ "0x10\n", "", 2 },
		{ "101\n", "", 3 },
		{ "18446744073709551617\nx", "", 3 },
		{ "000000000000000000001\nx", "", 21 },
		{ "3\nabc\n", "3:abc;", 6 },
		{ "3\nabc0\n1\nxy", "3:abc;0:;1:x;", 11 },
		{ "3\nabc999\n", "3:abc;", 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t most = 1; most <= 12; most++) {
			struct recordio r = RECORDIO_INIT(100);
			struct given g = given_init();
			struct err err = { "" };

			assert_int_equal(feed(&r, cases[i].stream, cases[i].fails_at - 1, most, 0, &g), 0);
			assert_int_equal(
				feed(&r, cases[i].stream + cases[i].fails_at - 1, 1, 1, 0, &g), -EPROTO);
			assert_text(&g, cases[i].given, strlen(cases[i].given));
			/* It stays, with its words. */
			assert_int_equal(recordio_feed(&r, "1\nx", 3, on_record, &g, &err), -EPROTO);
			assert_string_equal(
				err.text, "no length of a record where one must be, or one above 100");
			assert_text(&g, cases[i].given, strlen(cases[i].given));
			buf_deinit(&g.text);
			recordio_deinit(&r);
		}
	}
}

static void the_same_errors_are_found_in_one_piece(void **state)
{
	struct recordio r = RECORDIO_INIT(100);
	struct given g = given_init();

	(void)state;
	assert_int_equal(feed(&r, "3\nabc0\n1\nxy", 11, 11, 0, &g), -EPROTO);
	assert_text(&g, "3:abc;0:;1:x;", 13);
	buf_deinit(&g.text);
	recordio_deinit(&r);
}

static void a_record_of_the_greatest_length_is_taken(void **state)
{
	struct recordio r = RECORDIO_INIT(5), none = RECORDIO_INIT(0);
	struct given g = given_init();

	(void)state;
	assert_int_equal(feed(&r, "5\nabcde5\nfghij", 14, 14, 0, &g), 0);
	assert_int_equal(feed(&r, "00005\nabcde", 11, 1, 0, &g), 0);
	assert_int_equal(feed(&none, "0\n0\n", 4, 1, 0, &g), 0);
	assert_text(&g, "5:abcde;5:fghij;5:abcde;0:;0:;", 30);
	assert_int_equal(feed(&none, "1\n", 2, 1, 0, &g), -EPROTO);
	buf_deinit(&g.text);
	recordio_deinit(&r);
	recordio_deinit(&none);
}

/* Who announces much has sent nothing yet. */
static void a_length_alone_takes_no_memory(void **state)
{
	struct recordio r = RECORDIO_INIT(RECORDIO_MAX);
	struct given g = given_init();

	(void)state;
	assert_int_equal(feed(&r, "67108864\nabc", 12, 1, 0, &g), 0);
	assert_int_equal(g.n, 0);
	assert_true(r.partial.cap < 1024);
	recordio_deinit(&r);
}

static void the_callback_can_stop_with_any_value(void **state)
{
	static const int values[] = { 1, 42, -EPROTO, -ENOMEM, -EBADMSG };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		for (size_t most = 1; most <= 9; most++) {
			struct recordio r = RECORDIO_INIT(100);
			struct given g = given_init();

			g.stop_after = 2;
			g.stop_with = values[i];
			assert_int_equal(feed(&r, "1\na1\nb1\nc", 9, most, 0, &g), values[i]);
			assert_text(&g, "1:a;1:b;", 8);
			/* That was the callback's: the decoder itself goes on with what comes next. */
			assert_int_equal(feed(&r, "1\nx", 3, most, 0, &g), 0);
			assert_text(&g, "1:a;1:b;1:x;", 12);
			buf_deinit(&g.text);
			recordio_deinit(&r);
		}
	}
}

static void encoding_writes_the_length_in_decimal(void **state)
{
	struct buf out = BUF_INIT(100);

	(void)state;
	assert_int_equal(recordio_encode(&out, "abc", 3), 0);
	assert_int_equal(recordio_encode(&out, NULL, 0), 0);
	assert_int_equal(recordio_encode(&out, "0123456789", 10), 0);
	assert_int_equal(out.len, 20);
	assert_memory_equal(out.data, "3\nabc0\n10\n0123456789", 20);
	buf_deinit(&out);
}

static void encoding_above_the_limit_changes_nothing(void **state)
{
	struct buf out = BUF_INIT(5);

	(void)state;
	assert_int_equal(recordio_encode(&out, "abcd", 4), -EMSGSIZE);
	assert_int_equal(out.len, 0);
	assert_int_equal(recordio_encode(&out, "abc", 3), 0);
	assert_int_equal(recordio_encode(&out, "", 0), -EMSGSIZE);
	assert_int_equal(recordio_encode(&out, "", SIZE_MAX), -EMSGSIZE);
	assert_int_equal(out.len, 5);
	buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_records_in_any_split_are_given_as_they_were),
		cmocka_unit_test(what_is_no_record_is_an_error_in_any_split),
		cmocka_unit_test(the_same_errors_are_found_in_one_piece),
		cmocka_unit_test(a_record_of_the_greatest_length_is_taken),
		cmocka_unit_test(a_length_alone_takes_no_memory),
		cmocka_unit_test(the_callback_can_stop_with_any_value),
		cmocka_unit_test(encoding_writes_the_length_in_decimal),
		cmocka_unit_test(encoding_above_the_limit_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
