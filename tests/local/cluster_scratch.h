/* cluster_scratch.h: a folder of a test's own, and small things to do in it. */
#ifndef QUERN_TESTS_LOCAL_CLUSTER_SCRATCH_H
#define QUERN_TESTS_LOCAL_CLUSTER_SCRATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "local/sandbox.h"

/* Makes the folder, fills in its path. */
static inline void scratch_make(char path[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	int n = snprintf(path, PATH_MAX, "%s/quern-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_in_range(n, 1, PATH_MAX - 1);
	assert_non_null(mkdtemp(path));
}

static inline void scratch_remove(const char *path)
{
	assert_int_equal(sandbox_remove(path, NULL), 0);
}

static inline const char *scratch_path(const char *dir, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	assert_in_range(n, 1, PATH_MAX - 1);
	return path;
}

static inline void scratch_write(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f = fopen(scratch_path(dir, name, path), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static inline bool scratch_exists(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	return lstat(scratch_path(dir, name, path), &st) == 0;
}

/* The content of a small file, NUL-terminated; the test fails if it is not there. */
static inline const char *scratch_read(const char *dir, const char *name, char text[4096])
{
	char path[PATH_MAX];
	FILE *f = fopen(scratch_path(dir, name, path), "r");

	if (f == NULL)
		fail_msg("%s is not there", path);
	size_t n = fread(text, 1, 4095, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

#endif
