#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/random.h"
#include "job/out.h"

struct sink {
	struct quern_out out;
	struct buf value;
};

static void keep(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sink *s = (struct sink *)out;

	assert_string_equal(key.ptr, "key");
	buf_clear(&s->value);
	assert_int_equal(buf_add(&s->value, value.ptr, value.len), 0);
}

static void assert_side(quern_slice got, const quern_slice *wanted)
{
	if (wanted == NULL) {
		assert_null(got.ptr);
		return;
	}
	assert_non_null(got.ptr);
	assert_int_equal(got.len, wanted->len);
	if (got.len > 0)
		assert_memory_equal(got.ptr, wanted->ptr, got.len);
}

static void what_is_put_together_comes_apart(void **state)
{
	static const size_t lengths[] = { 0, 1, 62, 63, 64, 500, 510, 511, 8191, 70000 };
	enum { N = sizeof(lengths) / sizeof(lengths[0]) };
	struct sink s = { { keep }, BUF_INIT(1 << 20) };
	static char bytes[70000];
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)random_next(&random);
	for (size_t i = 0; i <= N; i++) {
		for (size_t k = 0; k <= N; k++) {
			const quern_slice left = { bytes, i < N ? lengths[i] : 0 };
			const quern_slice right = { bytes + 7, k < N && lengths[k] > 7 ? lengths[k] - 7 : 0 };
			const quern_slice *a = i < N ? &left : NULL, *b = k < N ? &right : NULL;

			quern_pair(&s.out, quern_str("key"), a, b);
			quern_slice pair = quern_bytes(s.value.data, s.value.len);
			assert_side(quern_left(pair), a);
			assert_side(quern_right(pair), b);
		}
	}
	buf_deinit(&s.value);
}

static void take_left(void *pair)
{
	(void)quern_left(*(quern_slice *)pair);
}

static void take_right(void *pair)
{
	(void)quern_right(*(quern_slice *)pair);
}

static void what_is_no_pair_is_said_so(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {
		{ NULL, 0 },
		{ "\x80", 1 }, /* half a number */
		{ "\x06"
		  "a",
			2 }, /* a left one of two bytes */
		{ "\x00"
		  "a",
			2 }, /* neither, and then something */
		{ "\x04"
		  "ab",
			3 }, /* more than the left one */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		quern_slice pair = { wrong[i].bytes, wrong[i].len };
		struct err err = { "" };

		assert_int_equal(out_guard(take_left, &pair, NULL, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "quern_left()"));
		assert_int_equal(out_guard(take_right, &pair, NULL, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "quern_right()"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_together_comes_apart),
		cmocka_unit_test(what_is_no_pair_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
