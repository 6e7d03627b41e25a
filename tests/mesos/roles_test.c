/* roles_test.c: mesos/roles.h, by the cases of src/tests/role_tests.cpp of Apache Mesos and some more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "mesos/roles.h"

static void good_names(void **state)
{
	static const char *const good[] = { "*", "foo", "123", "foo_123", "foo-bar", "foo.bar", "foo..bar",
		"...", "a/b", "foo/bar/baz", "foo/.../bar", "a*", "*a", "a/*b", "a(b)", "f\x08oo" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (roles_check(good[i], NULL) != 0)
			fail_msg("'%s' was refused", good[i]);
}

static void bad_names_are_refused_in_the_words_of_mesos(void **state)
{
	static const struct {
		const char *name, *why;
	} bad[] = {
		{ "", "Role names cannot be the empty string" },
		{ "/", "Role '/' cannot start with a slash" },
		{ "/foo", "Role '/foo' cannot start with a slash" },
		{ "foo/", "Role 'foo/' cannot end with a slash" },
		{ "a//b", "Role 'a//b' cannot contain two adjacent slashes" },
		{ ".", "Role '.' cannot include '.' as a component" },
		{ "..", "Role '..' cannot include '..' as a component" },
		{ "a/./b", "Role 'a/./b' cannot include '.' as a component" },
		{ "a/..", "Role 'a/..' cannot include '..' as a component" },
		{ "a/*", "Role 'a/*' cannot include '*' as a component" },
		{ "*/a", "Role '*/a' cannot include '*' as a component" },
		{ "-foo", "Role component '-foo' is invalid because it starts with a dash" },
		{ "a/-b/c", "Role component '-b' is invalid because it starts with a dash" },
		{ "foo bar",
			"Role component 'foo bar' is invalid because it contains backspace or whitespace" },
		{ "a/b\tc/d",
			"Role component 'b\tc' is invalid because it contains backspace or whitespace" },
		{ "foo\x7f",
			"Role component 'foo\x7f' is invalid because it contains backspace or whitespace" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { "" };

		if (roles_check(bad[i].name, &err) != -EINVAL)
			fail_msg("'%s' was taken", bad[i].name);
		assert_string_equal(err.text, bad[i].why);
	}
}

static void lists(void **state)
{
	char **list = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(roles_parse("a,b/c,*", &list, &err), 0);
	assert_int_equal(roles_count((const char *const *)list), 3);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "b/c");
	assert_string_equal(list[2], "*");
	char **copy = roles_dup((const char *const *)list);
	assert_non_null(copy);
	roles_free(list);
	assert_string_equal(copy[1], "b/c");
	assert_null(copy[3]);
	roles_free(copy);
	roles_free(NULL);
}

static void bad_lists(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = { { "", "the empty string" }, { ",", "the empty string" }, { "a,", "the empty string" },
		{ "a,,b", "the empty string" }, { "a, b", "whitespace" },
		{ "a,b,a", "Role 'a' is there twice" }, { "a,b/", "end with a slash" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { "" };
		char **list = NULL;

		if (roles_parse(bad[i].text, &list, &err) != -EINVAL)
			fail_msg("'%s' was taken", bad[i].text);
		assert_null(list);
		assert_non_null(strstr(err.text, bad[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names),
		cmocka_unit_test(bad_names_are_refused_in_the_words_of_mesos),
		cmocka_unit_test(lists),
		cmocka_unit_test(bad_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
