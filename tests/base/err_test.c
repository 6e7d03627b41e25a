/* err_test.c: sentences of base/err.h, and the array of base/vec.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"

static void a_sentence_is_set_and_the_code_returned(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "%s %d", "no", 7), -EINVAL);
	assert_string_equal(err.text, "no 7");
	assert_int_equal(err_prefix(&err, -EINVAL, "file '%s'", "x"), -EINVAL);
	assert_string_equal(err.text, "file 'x': no 7");
	assert_int_equal(err_errno(&err, -ENOENT, "opening '%s'", "y"), -ENOENT);
	assert_string_equal(err.text, "opening 'y': No such file or directory");
}

static void nobody_need_want_the_sentence(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -1, "%s", "x"), -1);
	assert_int_equal(err_prefix(NULL, -2, "%s", "x"), -2);
	assert_int_equal(err_errno(NULL, -3, "%s", "x"), -3);
}

static void a_long_sentence_is_cut(void **state)
{
	char words[3000];

	(void)state;
	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	for (size_t keep = 1000; keep <= 1100; keep++) {
		struct {
			struct err err;
			char after[8];
		} guarded = { .after = "guard" };
		const char *tail = words + sizeof(words) - 1 - keep;

		(void)err_set(&guarded.err, -1, "%s", tail);
		assert_int_equal(strlen(guarded.err.text), keep < 1023 ? keep : 1023);
		(void)err_prefix(&guarded.err, -1, "%s", tail);
		assert_true(strlen(guarded.err.text) <= 1023);
		(void)err_errno(&guarded.err, -ENOENT, "%s", tail);
		assert_true(strlen(guarded.err.text) <= 1023);
		assert_string_equal(guarded.after, "guard");
	}
}

static void an_array_keeps_its_order(void **state)
{
	VEC(uint32_t) v = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(vec_push(&v, i), 0);
	assert_int_equal(v.n, 1000);
	vec_remove(&v, 999);
	vec_remove(&v, 500);
	vec_remove(&v, 0);
	assert_int_equal(v.n, 997);
	for (uint32_t i = 0; i < 997; i++)
		assert_int_equal(v.at[i], i < 499 ? i + 1 : i + 2);
	vec_deinit(&v);
	assert_null(v.at);
	assert_int_equal(v.n, 0);
	assert_int_equal(vec_push(&v, 7), 0);
	assert_int_equal(v.at[0], 7);
	vec_deinit(&v);
}

/* More than there can be is no memory, not a wrap. */
static void an_array_has_an_end(void **state)
{
	void *at = NULL;
	size_t cap = SIZE_MAX / 16;

	(void)state;
	assert_int_equal(vec_grow_(&at, cap, &cap, 16), -ENOMEM);
	assert_null(at);
	assert_int_equal(cap, SIZE_MAX / 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_is_set_and_the_code_returned),
		cmocka_unit_test(nobody_need_want_the_sentence),
		cmocka_unit_test(a_long_sentence_is_cut),
		cmocka_unit_test(an_array_keeps_its_order),
		cmocka_unit_test(an_array_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
