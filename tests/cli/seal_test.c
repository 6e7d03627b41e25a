/* What is sealed is what comes out; nothing else does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/seal.h"

static const char text[] = "what nobody else should read";

static void it_comes_back(void **state)
{
	struct buf sealed = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20);
	uint8_t key[SEAL_KEY], other[SEAL_KEY];
	struct err err = { "" };
	(void)state;

	assert_int_equal(seal(text, sizeof(text), key, &sealed, &err), 0);
	assert_null(memmem(sealed.data, sealed.len, text, 8));
	assert_int_equal(unseal(sealed.data, sealed.len, key, &plain, &err), 0);
	assert_int_equal(plain.len, sizeof(text));
	assert_memory_equal(plain.data, text, sizeof(text));
	buf_deinit(&plain);

	struct buf again = BUF_INIT(1 << 20);
	assert_int_equal(seal(text, sizeof(text), other, &again, &err), 0);
	assert_memory_not_equal(key, other, sizeof(key)); /* a key is used once */
	buf_deinit(&again);
	buf_deinit(&sealed);
}

static void nothing_is_something_too(void **state)
{
	struct buf sealed = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20);
	uint8_t key[SEAL_KEY];
	struct err err = { "" };
	(void)state;

	assert_int_equal(seal("", 0, key, &sealed, &err), 0);
	assert_int_equal(unseal(sealed.data, sealed.len, key, &plain, &err), 0);
	assert_int_equal(plain.len, 0);
	buf_deinit(&plain);
	buf_deinit(&sealed);
}

static void what_was_changed_does_not(void **state)
{
	struct buf sealed = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20);
	uint8_t key[SEAL_KEY];
	struct err err = { "" };
	(void)state;

	assert_int_equal(seal(text, sizeof(text), key, &sealed, &err), 0);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(unseal(sealed.data, sealed.len, key, &plain, &err), -EBADMSG);
		sealed.data[i] ^= 1;
		assert_int_equal(unseal(sealed.data, i, key, &plain, &err), -EBADMSG);
	}
	key[0] ^= 1;
	assert_int_equal(unseal(sealed.data, sealed.len, key, &plain, &err), -EBADMSG);
	assert_int_equal(plain.len, 0);
	buf_deinit(&plain);
	buf_deinit(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back),
		cmocka_unit_test(nothing_is_something_too),
		cmocka_unit_test(what_was_changed_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
