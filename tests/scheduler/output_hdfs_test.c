/* output_hdfs_test.c: an output in HDFS, with others who want the same folder, at every point, and calls that
 * fail, at every point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "scheduler/output.h"
#include "tests/scheduler/fake_hdfs.h"

#define URL "hdfs://fake/a/b/out"

enum { CALLS = 64 }; /* more than one output makes */

static int open_it(struct hdfs_pool *p, struct output **o, struct err *err)
{
	return output_open(URL, "", p, o, err);
}

/* One part, from its task to its place. */
static int fill(struct hdfs_pool *p, struct output *o, struct err *err)
{
	fake_add(&p->fs, "/a/b/out/_temporary/3.0.0.part-00000", false);
	int r = output_commit(o, "3.0.0.part-00000", 0, err);
	return r < 0 ? r : output_finish(o, err);
}

static void expect_whole(const struct hdfs_pool *p)
{
	assert_int_equal(p->fs.n, 5); /* a, b, out, and in it: */
	assert_true(fake_has(&p->fs, "/a/b/out/part-00000"));
	assert_true(fake_has(&p->fs, "/a/b/out/_SUCCESS"));
}

static void it_is_whole_at_the_end(void **state)
{
	struct hdfs_pool p = { 0 };
	struct output *o = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(output_look(URL "/", &p, &err), 0);
	assert_int_equal(output_open(URL "/", "", &p, &o, &err), 0);
	assert_int_equal(fill(&p, o, &err), 0);
	assert_null(output_path(o));
	assert_int_equal(output_remove(o, &err), 0); /* it is finished */
	o = output_free(o);
	expect_whole(&p);
}

static void what_is_there_is_said_to_be(void **state)
{
	struct hdfs_pool p = { 0 };
	struct output *o = NULL;
	struct err err = { "" };

	(void)state;
	fake_add(&p.fs, "/a/b/out", false);
	assert_int_equal(open_it(&p, &o, &err), -EEXIST);
	assert_string_equal(err.text, "output '" URL "' exists already: remove it or name another");
	fake_remove(&p.fs, "/a");
	fake_add(&p.fs, "/a/b/out/_temporary", true);
	assert_int_equal(output_look(URL, &p, &err), -EEXIST);
	assert_non_null(strstr(err.text, "quern fs rm -r"));
	assert_int_equal(open_it(&p, &o, &err), -EEXIST);
	assert_int_equal(p.fs.n, 4);
}

static void it_goes_with_the_parents_it_made(void **state)
{
	struct hdfs_pool p = { 0 };
	struct output *o = NULL;
	struct err err = { "" };

	(void)state;
	fake_add(&p.fs, "/a", true);
	assert_int_equal(open_it(&p, &o, &err), 0);
	assert_int_equal(output_remove(o, &err), 0);
	assert_int_equal(output_remove(o, &err), 0);
	o = output_free(o);
	assert_int_equal(p.fs.n, 1);
	assert_int_equal(open_it(&p, &o, &err), 0);
	fake_add(&p.fs, "/a/b/of another", false);
	assert_int_equal(output_remove(o, &err), 0);
	o = output_free(o);
	assert_int_equal(p.fs.n, 3);
	assert_true(fake_has(&p.fs, "/a/b/of another"));
}

/* ---- Two ---- */

struct other {
	struct hdfs_pool *p;
	struct output *o;
	int r;
	int how_far; /* 0: opens; 1: finishes as well; 2: removes it again */
};

static void other_comes(void *arg)
{
	struct other *x = arg;
	struct err err = { "" };

	x->r = open_it(x->p, &x->o, &err);
	if (x->r == 0 && x->how_far == 1)
		x->r = fill(x->p, x->o, &err);
	if (x->r == 0 && x->how_far == 2) {
		assert_int_equal(output_remove(x->o, &err), 0);
		x->o = output_free(x->o);
	}
}

/* Another comes between two calls of ours, wherever that is. One has the folder, and it is as that one wants
 * it; the other is told, and has removed nothing. */
static void one_of_two_has_it(int how_far)
{
	for (unsigned at = 1; at < CALLS; at++) {
		struct hdfs_pool p = { 0 };
		struct other x = { .p = &p, .how_far = how_far };
		struct output *o = NULL;
		struct err err = { "" };

		p.fs.before = other_comes;
		p.fs.before_arg = &x;
		p.fs.before_at = at;
		int r = open_it(&p, &o, &err);
		if (r == 0)
			r = fill(&p, o, &err);
		bool came = p.fs.calls >= at;
		if (how_far == 0 && came && x.r == 0) {
			assert_int_equal(r, -EEXIST);
			assert_int_equal(fill(&p, x.o, &err), 0);
		} else if (!came) {
			assert_int_equal(r, 0);
		} else {
			assert_true(how_far == 2 || (r == 0) != (x.r == 0));
			assert_true(r == 0 || r == -EEXIST || how_far == 2);
		}
		if (o != NULL && r < 0)
			(void)output_remove(o, &err);
		o = output_free(o);
		x.o = output_free(x.o);
		if (r == 0 || x.r == 0)
			if (how_far != 2 || r == 0)
				expect_whole(&p);
		if (!came)
			return;
	}
	fail();
}

static void another_begins(void **state)
{
	(void)state;
	one_of_two_has_it(0);
}

static void another_is_through(void **state)
{
	(void)state;
	one_of_two_has_it(1);
}

static void another_fails(void **state)
{
	(void)state;
	one_of_two_has_it(2);
}

/* Somebody removes the folder, and another job writes it: it is no longer ours. */
static void what_became_of_another_is_left_alone(void **state)
{
	struct hdfs_pool p = { 0 };
	struct output *o = NULL, *second = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(open_it(&p, &o, &err), 0);
	fake_remove(&p.fs, "/a");
	assert_int_equal(open_it(&p, &second, &err), 0);
	assert_int_equal(output_finish(o, &err), -ESTALE);
	assert_int_equal(output_remove(o, &err), 0);
	o = output_free(o);
	assert_int_equal(fill(&p, second, &err), 0);
	second = output_free(second);
	expect_whole(&p);
}

/* ---- Failures ---- */

/* One call fails, whichever it is. The output is whole, or nothing is left and a sentence is there. */
static void one_call_fails(int with)
{
	for (unsigned at = 1; at < CALLS; at++) {
		struct hdfs_pool p = { .fs = { .fail_at = at, .fail_with = with } };
		struct output *o = NULL;
		struct err err = { "" };

		int r = open_it(&p, &o, &err);
		if (r == 0)
			r = fill(&p, o, &err);
		assert_true(r == 0 || r == with);
		if (o != NULL && r < 0)
			assert_int_equal(output_remove(o, NULL), 0);
		o = output_free(o);
		if (p.fs.calls < at) {
			expect_whole(&p);
			return;
		}
		assert_true(r < 0);
		assert_non_null(strstr(err.text, "fake"));
		assert_int_equal(p.fs.n, 0);
	}
	fail();
}

static void a_call_fails_and_nothing_is_left(void **state)
{
	(void)state;
	one_call_fails(-EDQUOT);
	one_call_fails(-EIO);
}

/* From one call on HDFS is gone. What is left is said to be, by who cannot remove it. */
static void hdfs_is_gone(void **state)
{
	(void)state;
	for (unsigned at = 1; at < CALLS; at++) {
		struct hdfs_pool p = { .fs = { .fail_at = at, .fail_ever = true, .fail_with = -EHOSTDOWN } };
		struct output *o = NULL;
		struct err err = { "" }, left = { "" };

		int r = open_it(&p, &o, &err);
		bool opened = r == 0;
		if (opened)
			r = fill(&p, o, &err);
		if (r == 0) {
			o = output_free(o);
			expect_whole(&p);
			return;
		}
		assert_int_equal(r, -EHOSTDOWN);
		if (opened)
			assert_int_equal(output_remove(o, &left), -EHOSTDOWN);
		if (p.fs.n > 0)
			assert_non_null(strstr(opened ? left.text : err.text, "quern fs rm -r"));
		assert_false(fake_has(&p.fs, "/a/b/out/_SUCCESS"));
		o = output_free(o);
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_whole_at_the_end),
		cmocka_unit_test(what_is_there_is_said_to_be),
		cmocka_unit_test(it_goes_with_the_parents_it_made),
		cmocka_unit_test(another_begins),
		cmocka_unit_test(another_is_through),
		cmocka_unit_test(another_fails),
		cmocka_unit_test(what_became_of_another_is_left_alone),
		cmocka_unit_test(a_call_fails_and_nothing_is_left),
		cmocka_unit_test(hdfs_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
