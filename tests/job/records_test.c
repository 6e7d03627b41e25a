#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "job/records.h"

static void assert_record(const uint8_t **p, const uint8_t *end, quern_slice key, quern_slice value)
{
	quern_slice k, v;

	assert_int_equal(record_next(p, end, &k, &v), 1);
	assert_int_equal(k.len, key.len);
	assert_memory_equal(k.ptr, key.ptr, key.len);
	assert_int_equal(v.len, value.len);
	assert_memory_equal(v.ptr, value.ptr, value.len);
}

static void the_format_is_two_varints_and_the_bytes(void **state)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	static char large[300];

	(void)state;
	assert_int_equal(record_put(&b, quern_str("ab"), quern_str("xyz")), 0);
	assert_int_equal(record_put(&b, quern_bytes(NULL, 0), quern_bytes(large, 300)), 0);
	assert_int_equal(b.len, 2 + 5 + 3 + 300);
	assert_memory_equal(b.data,
		"\x02\x03"
		"abxyz"
		"\x00\xac\x02\x00",
		11);
}

static void what_was_put_comes_back(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 126, 127, 128, 129, 16383, 16384, 2097151, 2097152 };
	enum { N = sizeof(lengths) / sizeof(lengths[0]) };
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	static char bytes[2097152 + N];
	quern_slice k, v;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * i >> 3);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			assert_int_equal(record_put(&b, quern_bytes(bytes + j, lengths[i]),
						 quern_bytes(bytes, lengths[j])),
				0);
	const uint8_t *p = b.data, *end = p + b.len;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			assert_record(
				&p, end, quern_bytes(bytes + j, lengths[i]), quern_bytes(bytes, lengths[j]));
	assert_int_equal(record_next(&p, end, &k, &v), 0);
}

static void a_record_cut_anywhere_is_none(void **state)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	char value[200] = "v";
	quern_slice k, v;

	(void)state;
	assert_int_equal(record_put(&b, quern_str("key"), quern_bytes(value, sizeof(value))), 0);
	for (size_t len = 1; len < b.len; len++) {
		const uint8_t *p = b.data;

		assert_int_equal(record_next(&p, b.data + len, &k, &v), -EBADMSG);
		assert_ptr_equal(p, b.data);
	}
}

static void lengths_that_lie_are_found(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} lies[] = {
		{ "\x05\x01xx", 4 }, { "\x01\x05xx", 4 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11 },             /* 2^64 - 1 */
		{ "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12 },            /* whose sum wraps */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00", 11 },             /* 65 bits */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x00", 12 },         /* 11 bytes */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 14 }, /* without an end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const uint8_t *p = (const uint8_t *)lies[i].bytes;
		quern_slice k, v;

		assert_int_equal(record_next(&p, p + lies[i].len, &k, &v), -EBADMSG);
	}
}

static void a_full_buffer_stays_as_it_is(void **state)
{
	auto_buf struct buf b = BUF_INIT(10);

	(void)state;
	assert_int_equal(record_put(&b, quern_str("1234"), quern_str("5678")), 0);
	assert_int_equal(record_put(&b, quern_str(""), quern_str("")), -EMSGSIZE);
	assert_int_equal(record_put(&b, quern_bytes("", SIZE_MAX), quern_bytes("", SIZE_MAX)), -EMSGSIZE);
	assert_int_equal(b.len, 10);
}

static void a_key_may_be_missing_or_empty(void **state)
{
	static const uint8_t expected[] = { 0, 1, 'v', 1, 1, 'w', 2, 0, 'k' };
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	static char large[1000];
	quern_slice k, v, none = { NULL, 0 };

	(void)state;
	assert_int_equal(record_put_optional(&b, none, quern_str("v")), 0);
	assert_int_equal(record_put_optional(&b, quern_str(""), quern_str("w")), 0);
	assert_int_equal(record_put_optional(&b, quern_str("k"), none), 0);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));
	assert_int_equal(record_put_optional(&b, quern_bytes(large, 127), quern_bytes(large, 1000)), 0);
	assert_int_equal(b.len - sizeof(expected),
		record_size_optional(quern_bytes(large, 127), quern_bytes(large, 1000)));

	const uint8_t *p = b.data, *end = p + b.len;
	assert_int_equal(record_next_optional(&p, end, &k, &v), 1);
	assert_null(k.ptr);
	assert_int_equal(v.len, 1);
	assert_int_equal(record_next_optional(&p, end, &k, &v), 1);
	assert_non_null(k.ptr);
	assert_int_equal(k.len, 0);
	assert_int_equal(record_next_optional(&p, end, &k, &v), 1);
	assert_memory_equal(k.ptr, "k", 1);
	assert_int_equal(v.len, 0);
	const uint8_t *last = p;
	assert_int_equal(record_next_optional(&p, end - 1, &k, &v), -EBADMSG);
	assert_ptr_equal(p, last);
	assert_int_equal(record_next_optional(&p, end, &k, &v), 1);
	assert_int_equal(k.len, 127);
	assert_int_equal(v.len, 1000);
	assert_int_equal(record_next_optional(&p, end, &k, &v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_two_varints_and_the_bytes),
		cmocka_unit_test(what_was_put_comes_back),
		cmocka_unit_test(a_record_cut_anywhere_is_none),
		cmocka_unit_test(lengths_that_lie_are_found),
		cmocka_unit_test(a_full_buffer_stays_as_it_is),
		cmocka_unit_test(a_key_may_be_missing_or_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
