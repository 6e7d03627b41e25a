/* glob_test.c: hdfs_client/glob.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/glob.h"

static bool matches(const char *pattern, const char *name)
{
	auto_hdfs_name_glob struct hdfs_name_glob *g = NULL;
	struct err err = { 0 };

	if (hdfs_name_glob_new(pattern, strlen(pattern), &g, &err) < 0)
		fail_msg("'%s': %s", pattern, err.text);
	return hdfs_name_glob_match(g, name);
}

static void patterns_match_as_hadoops_do(void **state)
{
	static const struct {
		const char *pattern, *yes, *no; /* names, after a space each */
	} cases[] = {
		{ "", "", "a" },
		{ "abc", "abc", "ab abcd xabc" },
		{ "*", "a .hidden a.b \xc3\xa4", "" },
		{ "a*c", "ac abc abbbc acc", "a c acb bac" },
		{ "*.gz", ".gz a.gz a.gz.gz", "gz a.gzip" },
		{ "a?c",
			"abc a.c a\xc3\xa4"
			"c",
			"ac abbc" },
		{ "??", "ab \xc3\xa4\xe2\x82\xac \xff\xff", "a abc \xc3\xa4" },
		{ "[abc]x", "ax bx cx", "dx x abx" },
		{ "[a-c]x", "ax bx cx", "dx -x" },
		{ "[^a-c]x", "dx -x \xc3\xa4x", "ax bx x" },
		{ "[!a-c]x", "dx", "ax" },
		{ "[]a]", "] a", "b" },
		{ "[a-]", "a -", "b" },
		{ "[\\]-]", "] -", "\\" },
		{ "[\xc3\xa0-\xc3\xbc]", "\xc3\xa4", "a \xc3\xbf" },
		{ "part-{00,01}", "part-00 part-01", "part- part-02 part-0001" },
		{ "{a,b}{c,}", "a b ac bc", "c abc" },
		{ "{a,b{c,d}*}e", "ae bce bdxe", "be abce" },
		{ "{}x", "x", "{}x" },
		{ "a,b}", "a,b}", "a b" },
		{ "\xc0\xaa", "\xc0\xaa", "a abc *" }, /* a '*' that is none: it is written too long */
		{ "?\xe0\x80\xaa", "x\xe0\x80\xaa", "x xabc x*" },
		{ "\\*\\?\\[\\{\\\\", "*?[{\\", "abcd" },
		{ "*a*b*c", "abc xaxbxc aabbcc", "acb ab" },
		{ "{*,*}{*,*}x", "x ax", "xa" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int yes = 0; yes < 2; yes++) {
			char *names = strdup(yes ? cases[i].yes : cases[i].no), *rest = names, *name;

			while ((name = strsep(&rest, " ")) != NULL)
				if (*names != '\0' && matches(cases[i].pattern, name) != (bool)yes)
					fail_msg("'%s' and '%s': wrong", cases[i].pattern, name);
			free(names);
		}
	}
	assert_true(matches("", ""));
}

static void what_is_not_closed_is_refused(void **state)
{
	static const struct {
		const char *pattern, *words;
	} cases[] = {
		{ "a[bc", "a '[' is not closed" },
		{ "[", "a '[' is not closed" },
		{ "[]", "a '[' is not closed" },
		{ "{a,b", "a '{' is not closed" },
		{ "a\\", "a pattern ends with '\\'" },
		{ "[z-a]", "the end of a range in '[' comes before its start" },
		{ "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{", "more than 32 '{' in each other" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hdfs_name_glob *g = NULL;
		struct err err = { 0 };

		assert_int_equal(
			hdfs_name_glob_new(cases[i].pattern, strlen(cases[i].pattern), &g, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].words);
		assert_null(g);
	}
}

/* With backtracking this would take longer than the universe is old. */
static void no_pattern_takes_long(void **state)
{
	char name[2001];
	(void)state;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(matches("*a*a*a*a*a*a*a*a*a*a*{a,*a,a*}*a*a*a*a*a*a*a*a*b", name));
	assert_true(matches("*a*a*a*a*a*a*a*a*a*a*{a,*a,a*}*a*a*a*a*a*a*a*a*a", name));
}

static void check_split(const char *pattern, const char *want)
{
	auto_hdfs_globs struct hdfs_globs g = { 0 };
	struct err err = { 0 };
	char all[512] = "";

	if (hdfs_glob_split(pattern, &g, &err) < 0)
		fail_msg("'%s': %s", pattern, err.text);
	for (size_t i = 0; i < g.n; i++) {
		assert_true(strlen(all) + strlen(g.at[i]) + 2 < sizeof(all));
		strcat(strcat(all, i > 0 ? " " : ""), g.at[i]);
	}
	assert_string_equal(all, want);
}

static void braces_with_slashes_are_taken_apart(void **state)
{
	(void)state;

	check_split("/a/*.gz", "/a/*.gz");
	check_split("/a/{b,c}/d", "/a/{b,c}/d");
	check_split("/{a/b,c}/d*", "/a/b/d* /c/d*");
	check_split("/{x,y}/{a/b,c}", "/{x,y}/a/b /{x,y}/c");
	check_split("{/a,/b{/c,/d}}", "/a /b/c /b/d");
	check_split("/{a,{b/c,d}}", "/a /b/c /d");
	check_split("/\\{a/b,c}", "/\\{a/b,c}");
	check_split("/[{]a/b,c}", "/[{]a/b,c}");
	check_split("/[^]{]a/b,c}", "/[^]{]a/b,c}");
	check_split("/{a\\,/b,c}", "/a\\,/b /c");
	check_split("/{a/b", "/{a/b");
}

static void braces_stand_for_a_number_of_patterns_that_is_bounded(void **state)
{
	auto_hdfs_globs struct hdfs_globs g = { 0 };
	struct err err = { 0 };
	char pattern[256] = "";
	(void)state;

	for (int i = 0; i < 30; i++)
		strcat(pattern, "{/a,/b}");
	assert_int_equal(hdfs_glob_split(pattern, &g, &err), -EINVAL);
	assert_string_equal(err.text, "its braces stand for more than 1024 patterns");
}

static void what_is_no_pattern_is_meant_literally(void **state)
{
	static const struct {
		const char *pattern, *literal; /* NULL: a pattern */
	} cases[] = { { "a b", "a b" }, { "a\\*b", "a*b" }, { "\\\\", "\\" }, { "a*", NULL }, { "?", NULL },
		{ "a[", NULL }, { "{", NULL }, { "}]", "}]" }, { "\\\\*", NULL } };
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].pattern);

		assert_int_equal(hdfs_glob_is(cases[i].pattern, len), cases[i].literal == NULL);
		if (cases[i].literal == NULL)
			continue;
		char *literal = hdfs_glob_literal(cases[i].pattern, len);
		assert_string_equal(literal, cases[i].literal);
		free(literal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_hadoops_do),
		cmocka_unit_test(what_is_not_closed_is_refused),
		cmocka_unit_test(no_pattern_takes_long),
		cmocka_unit_test(braces_with_slashes_are_taken_apart),
		cmocka_unit_test(braces_stand_for_a_number_of_patterns_that_is_bounded),
		cmocka_unit_test(what_is_no_pattern_is_meant_literally),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
