#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"

static void grows_up_to_its_limit_and_no_further(void **state)
{
	auto_buf struct buf b = BUF_INIT(100);
	char sixty[60];
	(void)state;

	memset(sixty, 'x', sizeof(sixty));
	assert_int_equal(buf_add(&b, sixty, sizeof(sixty)), 0);
	assert_int_equal(buf_add(&b, sixty, sizeof(sixty)), -EMSGSIZE);
	assert_int_equal(b.len, 60);
	assert_int_equal(buf_add(&b, sixty, 40), 0);
	assert_int_equal(b.len, 100);
	assert_int_equal(buf_add(&b, "", 1), -EMSGSIZE);
}

static void consume_drops_from_the_front(void **state)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	(void)state;

	assert_int_equal(buf_add_str(&b, "hello "), 0);
	assert_int_equal(buf_add_fmt(&b, "%s %d", "world", 7), 0);
	buf_consume(&b, 6);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "world 7", 7);
}

static void steal_leaves_an_empty_buffer(void **state)
{
	struct buf b = BUF_INIT(10);
	size_t len = 0;
	(void)state;

	assert_int_equal(buf_add_str(&b, "abc"), 0);
	uint8_t *bytes = buf_steal(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_null(b.data);
	assert_int_equal(b.max, 10);
	free(bytes);
}

static void an_error_is_one_sentence_with_its_prefix(void **state)
{
	struct err err;
	(void)state;

	assert_int_equal(err_errno(&err, -ENOENT, "input '%s'", "x"), -ENOENT);
	assert_string_equal(err.text, "input 'x': No such file or directory");
	assert_int_equal(err_prefix(&err, -ENOENT, "stage %d", 3), -ENOENT);
	assert_string_equal(err.text, "stage 3: input 'x': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_up_to_its_limit_and_no_further),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(steal_leaves_an_empty_buffer),
		cmocka_unit_test(an_error_is_one_sentence_with_its_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
