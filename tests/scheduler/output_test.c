#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/auto.h"
#include "scheduler/output.h"

/* A new folder, and paths in it. */
struct place {
	char dir[64], out[96];
};

static void place_make(struct place *p)
{
	(void)snprintf(p->dir, sizeof(p->dir), "%s", "/tmp/quern-output-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->out, sizeof(p->out), "%s/deep/er/out", p->dir);
}

static void path_in(const struct place *p, const char *name, char ret[256])
{
	(void)snprintf(ret, 256, "%s/%s", p->out, name);
}

static bool exists(const struct place *p, const char *name)
{
	char path[256];

	path_in(p, name, path);
	return access(path, F_OK) == 0;
}

/* What an executor would have written. */
static void write_part(const struct place *p, const char *name, const char *text)
{
	char path[256];

	path_in(p, "_temporary/", path);
	(void)strncat(path, name, sizeof(path) - strlen(path) - 1);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void place_remove(const struct place *p)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", p->dir);
	assert_int_equal(system(command), 0);
}

static void a_finished_output_holds_its_parts_and_success(void **state)
{
	struct place p;
	struct err err = { "" };
	struct output *o = NULL;
	(void)state;

	place_make(&p);
	assert_int_equal(output_open(p.out, "", NULL, &o, &err), 0);
	write_part(&p, "3.0.0.part-00000", "a");
	write_part(&p, "3.1.2.part-00001", "b");
	write_part(&p, "3.1.1.part-00001", "of a losing attempt");
	assert_int_equal(output_commit(o, "3.0.0.part-00000", 0, &err), 0);
	assert_false(exists(&p, "_SUCCESS"));
	assert_int_equal(output_commit(o, "3.1.2.part-00001", 1, &err), 0);
	assert_int_equal(output_finish(o, &err), 0);
	assert_null(output_free(o));
	assert_true(exists(&p, "part-00000"));
	assert_true(exists(&p, "part-00001"));
	assert_true(exists(&p, "_SUCCESS"));
	assert_false(exists(&p, "_temporary"));
	place_remove(&p);
}

static void an_unfinished_output_goes_with_the_parents_it_made(void **state)
{
	struct place p;
	struct err err = { "" };
	struct output *o = NULL;
	char parent[96];
	(void)state;

	place_make(&p);
	assert_int_equal(output_open(p.out, "", NULL, &o, &err), 0);
	write_part(&p, "3.0.0.part-00000", "a");
	assert_int_equal(output_commit(o, "3.0.0.part-00000", 0, &err), 0);
	assert_non_null(output_path(o));
	assert_int_equal(output_remove(o, &err), 0);
	assert_null(output_path(o));
	(void)output_free(o);
	(void)snprintf(parent, sizeof(parent), "%s/deep", p.dir);
	assert_int_not_equal(access(parent, F_OK), 0);
	assert_int_equal(rmdir(p.dir), 0); /* empty again */
}

static void what_was_there_stays(void **state)
{
	struct place p;
	struct err err = { "" };
	struct output *o = NULL;
	(void)state;

	place_make(&p);
	assert_int_equal(output_open(p.dir, "", NULL, &o, &err), -EEXIST);
	assert_non_null(strstr(err.text, p.dir));
	assert_null(o);
	/* A link that leads nowhere is something as well. */
	char link[96];
	(void)snprintf(link, sizeof(link), "%s/link", p.dir);
	assert_int_equal(symlink("/nowhere/at/all", link), 0);
	assert_int_equal(output_open(link, "", NULL, &o, &err), -EEXIST);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(p.dir), 0);
}

static void names_that_are_none_of_a_part_are_refused(void **state)
{
	static const char *const names[] = { "", "part-00000", "../x.part-00000", "1.2.3/../../part-00000",
		"1.2.3.part-00000x", "1.2.3.part-00001", "/1.2.3.part-00000", "1.2.part-00000",
		" 1.2.3.part-00000", "1.2.3.part- 0", "-1.2.3.part-00000", "1.2.3..part-00000",
		"1.2.3/part-00000" };
	struct place p;
	struct err err = { "" };
	struct output *o = NULL;
	(void)state;

	place_make(&p);
	assert_int_equal(output_open(p.out, "", NULL, &o, &err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(output_commit(o, names[i], 0, &err), -EINVAL);
	/* One of the right form that is not there. */
	assert_int_equal(output_commit(o, "1.0.0.part-00000", 0, &err), -ENOENT);
	assert_int_equal(output_remove(o, &err), 0);
	(void)output_free(o);
	assert_int_equal(rmdir(p.dir), 0);
}

static void names_have_the_suffix_of_the_output(void **state)
{
	struct place p;
	struct err err = { "" };
	struct output *o = NULL;
	(void)state;

	place_make(&p);
	assert_int_equal(output_open(p.out, ".gz", NULL, &o, &err), 0);
	write_part(&p, "3.0.0.part-00000.gz", "a");
	assert_int_equal(output_commit(o, "3.0.0.part-00000", 0, &err), -EINVAL);
	assert_int_equal(output_commit(o, "3.0.0.part-00000.zst", 0, &err), -EINVAL);
	assert_int_equal(output_commit(o, "3.0.0.part-00000.gz.gz", 0, &err), -EINVAL);
	assert_int_equal(output_commit(o, "3.0.0.part-00000.gz", 0, &err), 0);
	assert_int_equal(output_finish(o, &err), 0);
	assert_null(output_free(o));
	assert_true(exists(&p, "part-00000.gz"));
	assert_false(exists(&p, "part-00000"));
	place_remove(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finished_output_holds_its_parts_and_success),
		cmocka_unit_test(an_unfinished_output_goes_with_the_parents_it_made),
		cmocka_unit_test(what_was_there_stays),
		cmocka_unit_test(names_that_are_none_of_a_part_are_refused),
		cmocka_unit_test(names_have_the_suffix_of_the_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
