#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/local/cluster_scratch.h"

static void folders_are_made_with_those_above_them(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX];

	(void)state;
	scratch_make(dir);
	assert_int_equal(sandbox_make(scratch_path(dir, "a/b/c", path), NULL), 0);
	assert_int_equal(sandbox_make(path, NULL), 0);
	scratch_write(dir, "a/file", "x");
	assert_int_equal(sandbox_make(scratch_path(dir, "a/file", path), NULL), -ENOTDIR);
	scratch_remove(dir);
	assert_int_equal(access(dir, F_OK), -1);
}

static void what_links_point_to_stays(void **state)
{
	char dir[PATH_MAX], box[PATH_MAX], path[PATH_MAX], text[4096];

	(void)state;
	scratch_make(dir);
	assert_int_equal(sandbox_make(scratch_path(dir, "outside", path), NULL), 0);
	scratch_write(dir, "outside/file", "kept");
	assert_int_equal(sandbox_make(scratch_path(dir, "box/in", box), NULL), 0);
	assert_int_equal(symlink(path, scratch_path(dir, "box/in/link", box)), 0);
	assert_int_equal(symlink("../../outside", scratch_path(dir, "box/relative", box)), 0);
	assert_int_equal(sandbox_remove(scratch_path(dir, "box", box), NULL), 0);
	assert_false(scratch_exists(dir, "box"));
	assert_string_equal(scratch_read(dir, "outside/file", text), "kept");

	assert_int_equal(symlink("outside", scratch_path(dir, "box", box)), 0);
	assert_int_equal(sandbox_remove(box, NULL), -ENOTDIR);
	assert_string_equal(scratch_read(dir, "outside/file", text), "kept");
	scratch_remove(dir);
}

static void folders_without_permissions_are_removed_too(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX];

	(void)state;
	scratch_make(dir);
	assert_int_equal(sandbox_make(scratch_path(dir, "box/shut/in", path), NULL), 0);
	scratch_write(dir, "box/shut/in/file", "x");
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(scratch_path(dir, "box/shut", path), 0500), 0);
	assert_int_equal(sandbox_remove(scratch_path(dir, "box", path), NULL), 0);
	assert_false(scratch_exists(dir, "box"));
	scratch_remove(dir);
}

static void the_deepest_of_folders_is_removed(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX];
	enum { DEPTH = 1000 };

	(void)state;
	scratch_make(dir);
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, "a-folder-with-a-long-name", 0755), 0);
		int below = openat(at, "a-folder-with-a-long-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		(void)close(at);
		at = below;
	}
	(void)close(at);
	assert_int_equal(sandbox_remove(scratch_path(dir, "a-folder-with-a-long-name", path), NULL), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void what_is_not_there_is_removed_already(void **state)
{
	(void)state;
	assert_int_equal(sandbox_remove("/nonexistent/quern", NULL), 0);
}

static void empty_folders_above_go_up_to_the_top(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX];

	(void)state;
	scratch_make(dir);
	assert_int_equal(sandbox_make(scratch_path(dir, "a/b/c/d", path), NULL), 0);
	scratch_write(dir, "a/file", "x");
	assert_int_equal(rmdir(path), 0);
	sandbox_prune(path, dir);
	assert_false(scratch_exists(dir, "a/b"));
	assert_true(scratch_exists(dir, "a/file"));
	scratch_remove(dir);
}

/* Makes and removes one sandbox again and again, with the folders above it. */
static void churn(const char *dir, const char *name, int rounds)
{
	char path[PATH_MAX];
	struct err err = { 0 };

	for (int i = 0; i < rounds; i++) {
		if (sandbox_make(scratch_path(dir, name, path), &err) < 0 || sandbox_remove(path, &err) < 0) {
			(void)fprintf(stderr, "round %d of '%s': %s\n", i, name, err.text);
			_exit(1);
		}
		sandbox_prune(path, dir);
	}
}

static void sandboxes_come_and_go_beside_each_other(void **state)
{
	char dir[PATH_MAX];
	int status = -1;
	(void)state;

	scratch_make(dir);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		churn(dir, "a/b/c/d/one", 3000);
		_exit(0);
	}
	churn(dir, "a/b/c/d/two", 3000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_made_with_those_above_them),
		cmocka_unit_test(sandboxes_come_and_go_beside_each_other),
		cmocka_unit_test(what_links_point_to_stays),
		cmocka_unit_test(folders_without_permissions_are_removed_too),
		cmocka_unit_test(the_deepest_of_folders_is_removed),
		cmocka_unit_test(what_is_not_there_is_removed_already),
		cmocka_unit_test(empty_folders_above_go_up_to_the_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
