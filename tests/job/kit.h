/* kit.h: what the tests of job/ share: a folder of a test's own as its *state, and files in it. Include
 * cmocka before it. */
#ifndef QUERN_TESTS_JOB_KIT_H
#define QUERN_TESTS_JOB_KIT_H

#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/code.h"
#include "tests/job/job.h"

enum { KIT_PATH = 1024 };

/* The paths that kit_path() made: they end with their test. */
static struct kit_paths {
	struct kit_paths *next;
	char text[KIT_PATH];
} * kit_paths;

static inline int kit_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (asprintf(&dir, "%s/quern-test-XXXXXX", tmp != NULL ? tmp : "/tmp") < 0 || mkdtemp(dir) == NULL)
		return -1;
	/* Compared with what getcwd() says. */
	*state = realpath(dir, NULL);
	free(dir);
	return *state != NULL ? 0 : -1;
}

static inline int kit_remove(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

static inline int kit_teardown(void **state)
{
	int r = nftw(*state, kit_remove, 16, FTW_DEPTH | FTW_PHYS);

	free(*state);
	for (struct kit_paths *p; (p = kit_paths) != NULL; free(p))
		kit_paths = p->next;
	return r;
}

#define kit_test(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

/* DIR/NAME, where NAME is made as by printf(); good until the test ends. */
__attribute__((format(printf, 2, 3))) static inline const char *kit_path(
	const char *dir, const char *name, ...)
{
	struct kit_paths *path = malloc(sizeof(*path));
	va_list ap;

	assert_non_null(path);
	path->next = kit_paths;
	kit_paths = path;
	int n = snprintf(path->text, KIT_PATH, "%s/", dir);
	va_start(ap, name);
	(void)vsnprintf(path->text + n, KIT_PATH - (size_t)n, name, ap);
	va_end(ap);
	return path->text;
}

static inline void kit_write_bytes(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	if (len > 0)
		assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void kit_write(const char *path, const char *text)
{
	kit_write_bytes(path, text, strlen(text));
}

/* An environment variable that the build sets for tests. */
static inline const char *kit_env(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("%s is not set: run this by `meson test`", name);
	return value;
}

/* The job of the tests, tests/job/job.c, loaded. */
static inline struct code *kit_load(void)
{
	struct code *code = NULL;
	struct err err = { "" };

	if (code_load(kit_env("QUERN_TEST_JOB"), NULL, 0, &code, &err) < 0)
		fail_msg("%s", err.text);
	return code;
}

/* Something in that job, once it is loaded; it stays loaded. */
static inline const void *kit_symbol(const char *name)
{
	void *job = dlopen(kit_env("QUERN_TEST_JOB"), RTLD_NOW | RTLD_NOLOAD);

	assert_non_null(job);
	const void *symbol = dlsym(job, name);
	assert_non_null(symbol);
	(void)dlclose(job);
	return symbol;
}

#endif
