/* Encodings (quern/encode.h): they read back the same, and their bytes have the order of what they stand for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "job/out.h"

enum { VALUES = 200 };

static uint64_t random_bits(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	return x;
}

static int compare(quern_slice a, quern_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	return c != 0 ? c < 0 ? -1 : 1 : (a.len > b.len) - (a.len < b.len);
}

/* ---- Numbers ---- */

static void numbers_read_back_and_keep_their_order(void **state)
{
	uint64_t values[VALUES] = { 0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN };

	(void)state;
	for (size_t i = 5; i < VALUES; i++)
		values[i] = random_bits() >> (i % 64);
	for (size_t i = 0; i < VALUES; i++) {
		for (size_t k = 0; k < VALUES; k++) {
			uint64_t x = values[i], y = values[k];
			int64_t xi = (int64_t)x, yi = (int64_t)y;

			for (int down = 0; down <= 1; down++) {
				enum quern_direction to = down != 0 ? QUERN_DOWN : QUERN_UP;
				int sign = down != 0 ? -1 : 1;
				QUERN_BUFFER(a, 8);
				QUERN_BUFFER(b, 8);
				quern_encode_u64(&a, x, to);
				quern_encode_u64(&b, y, to);
				assert_int_equal(compare(quern_written(&a), quern_written(&b)),
					sign * ((x > y) - (x < y)));
				quern_slice from = quern_written(&a);
				assert_true(quern_decode_u64(&from, to) == x);
				quern_decode_end(from);
				quern_clear(&a);
				quern_clear(&b);
				quern_encode_i64(&a, xi, to);
				quern_encode_i64(&b, yi, to);
				assert_int_equal(compare(quern_written(&a), quern_written(&b)),
					sign * ((xi > yi) - (xi < yi)));
				from = quern_written(&a);
				assert_true(quern_decode_i64(&from, to) == xi);
			}
		}
	}
}

static void doubles_read_back_and_keep_their_order(void **state)
{
	double values[VALUES] = { -HUGE_VAL, -1e300, -1, -1e-320, -0.0, 0.0, 1e-320, 1, 1e300, HUGE_VAL };

	(void)state;
	/* In order so far; then any. */
	for (size_t i = 0; i + 1 < 10; i++) {
		QUERN_BUFFER(a, 8);
		QUERN_BUFFER(b, 8);
		quern_encode_double(&a, values[i], QUERN_UP);
		quern_encode_double(&b, values[i + 1], QUERN_UP);
		assert_int_equal(compare(quern_written(&a), quern_written(&b)), -1);
	}
	for (size_t i = 10; i < VALUES; i++)
		values[i] = ((double)random_bits() - 9e18) * ldexp(1, (int)(i % 90) - 60);
	for (size_t i = 0; i < VALUES; i++) {
		for (size_t k = 0; k < VALUES; k++) {
			QUERN_BUFFER(a, 8);
			QUERN_BUFFER(b, 8);
			quern_encode_double(&a, values[i], QUERN_DOWN);
			quern_encode_double(&b, values[k], QUERN_DOWN);
			if (values[i] != values[k])
				assert_int_equal(compare(quern_written(&a), quern_written(&b)),
					values[i] < values[k] ? 1 : -1);
			quern_slice from = quern_written(&a);
			double back = quern_decode_double(&from, QUERN_DOWN);
			assert_memory_equal(&back, &values[i], sizeof(back));
		}
	}
	/* Every bit of what is no number. */
	const uint64_t bits = 0xfff8000000000123u;
	double nan, back;
	QUERN_BUFFER(a, 8);
	memcpy(&nan, &bits, sizeof(nan));
	quern_encode_double(&a, nan, QUERN_UP);
	quern_slice from = quern_written(&a);
	back = quern_decode_double(&from, QUERN_UP);
	assert_memory_equal(&back, &bits, sizeof(bits));
}

static void little_endian_is_what_typed_keys_are(void **state)
{
	QUERN_BUFFER(b, 24);

	(void)state;
	assert_true(quern_as_u64(quern_append_u64(&b, 0x0102)) == 0x0102);
	assert_memory_equal(b.data, "\2\1\0\0\0\0\0\0", 8);
	quern_clear(&b);
	assert_true(quern_as_i64(quern_append_i64(&b, -2)) == -2);
	quern_clear(&b);
	assert_true(quern_as_double(quern_append_double(&b, -0.5)) == -0.5);
	assert_int_equal(quern_append_u64(&b, 1).len, 16);
}

/* ---- Strings, and parts in a row ---- */

/* Short, of few bytes, among them those that are special: equal beginnings are common. */
static quern_slice random_string(char room[6])
{
	static const char bytes[] = { 0, 1, 'a', 'b', (char)0xfe, (char)0xff };
	size_t len = random_bits() % 7;

	for (size_t i = 0; i < len; i++)
		room[i] = bytes[random_bits() % sizeof(bytes)];
	return quern_bytes(room, len);
}

static void strings_in_a_row_keep_their_order(void **state)
{
	(void)state;
	for (int round = 0; round < 50000; round++) {
		char room[4][6];
		quern_slice a1 = random_string(room[0]), a2 = random_string(room[1]);
		quern_slice b1 = random_string(room[2]), b2 = random_string(room[3]);
		enum quern_direction first = round % 2 != 0 ? QUERN_DOWN : QUERN_UP;
		enum quern_direction second = round % 4 >= 2 ? QUERN_DOWN : QUERN_UP;
		QUERN_BUFFER(a, 64);
		QUERN_BUFFER(b, 64);
		QUERN_BUFFER(back, 64);

		quern_encode_string(&a, a1, first);
		quern_encode_string(&a, a2, second);
		quern_encode_string(&b, b1, first);
		quern_encode_string(&b, b2, second);
		int wanted = compare(a1, b1) * (first == QUERN_DOWN ? -1 : 1);
		if (wanted == 0)
			wanted = compare(a2, b2) * (second == QUERN_DOWN ? -1 : 1);
		assert_int_equal(compare(quern_written(&a), quern_written(&b)), wanted);
		quern_slice from = quern_written(&a);
		assert_true(quern_same(quern_decode_string(&from, &back, first), a1));
		assert_true(quern_same(quern_decode_string(&from, &back, second), a2));
		quern_decode_end(from);
	}
}

static void a_key_of_several_parts(void **state)
{
	QUERN_BUFFER(key, 100);
	QUERN_BUFFER(room, 20);

	(void)state;
	quern_encode_string(&key, quern_str("mill"), QUERN_UP);
	quern_encode_i64(&key, -3, QUERN_DOWN);
	quern_encode_double(&key, 0.25, QUERN_UP);
	quern_slice from = quern_written(&key);
	assert_int_equal(from.len, 4 + 2 + 8 + 8);
	assert_true(quern_same(quern_decode_string(&from, &room, QUERN_UP), quern_str("mill")));
	assert_true(quern_decode_i64(&from, QUERN_DOWN) == -3);
	assert_true(quern_decode_double(&from, QUERN_UP) == 0.25);
	quern_decode_end(from);
}

/* ---- What is not one ---- */

static void decode_short_number(void *arg)
{
	quern_slice from = quern_bytes(arg, 7);

	(void)quern_decode_u64(&from, QUERN_UP);
}

static void decode_string(void *arg)
{
	quern_slice from = *(quern_slice *)arg;
	QUERN_BUFFER(to, 4);

	(void)quern_decode_string(&from, &to, QUERN_UP);
	quern_decode_end(from);
}

static void overfill(void *arg)
{
	QUERN_BUFFER(b, 10);

	quern_encode_u64(&b, 1, QUERN_UP);
	quern_encode_string(&b, quern_str(arg), QUERN_UP);
}

static void what_is_malformed_makes_a_bad_record(void **state)
{
	struct err err;
	quern_slice s;

	(void)state;
	assert_int_equal(out_guard(decode_short_number, (void *)"1234567", NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "7 are left"));
	s = quern_bytes("ab", 2);
	assert_int_equal(out_guard(decode_string, &s, NULL, &err), -EBADMSG);
	s = quern_bytes("ab\0", 3);
	assert_int_equal(out_guard(decode_string, &s, NULL, &err), -EBADMSG);
	s = quern_bytes("ab\0\7", 4);
	assert_int_equal(out_guard(decode_string, &s, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "0x07"));
	s = quern_bytes("abcde\0\0", 7);
	assert_int_equal(out_guard(decode_string, &s, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "do not fit"));
	s = quern_bytes("ab\0\0x", 5);
	assert_int_equal(out_guard(decode_string, &s, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "1 bytes are left"));
	s = quern_bytes("ab\0\0", 4);
	assert_int_equal(out_guard(decode_string, &s, NULL, &err), 0);
	assert_int_equal(out_guard(overfill, (void *)"", NULL, &err), 0);
	assert_int_equal(out_guard(overfill, (void *)"x", NULL, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_read_back_and_keep_their_order),
		cmocka_unit_test(doubles_read_back_and_keep_their_order),
		cmocka_unit_test(little_endian_is_what_typed_keys_are),
		cmocka_unit_test(strings_in_a_row_keep_their_order),
		cmocka_unit_test(a_key_of_several_parts),
		cmocka_unit_test(what_is_malformed_makes_a_bad_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
