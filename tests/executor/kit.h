/* kit.h: what the tests of the executor share: a folder of a test's own, random numbers, and sinks for
 * records. Include cmocka before it. */
#ifndef QUERN_TESTS_EXECUTOR_KIT_H
#define QUERN_TESTS_EXECUTOR_KIT_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "base/buf.h"
#include "executor/flow.h"
#include "executor/strays.h"
#include "job/code.h"
#include "job/out.h"
#include "job/records.h"

/* ---- Folders and files ---- */

enum { KIT_PATH = 512 };

static inline void kit_folder(char path[KIT_PATH])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(path, KIT_PATH, "%s/quern-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
}

/* The name of something in a folder; a buffer of its own for each of a few calls. */
static inline const char *kit_path(const char *dir, const char *name)
{
	static char paths[8][2 * KIT_PATH];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static inline void kit_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	if (len > 0)
		assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* The file's bytes with a NUL behind them; the caller frees them. */
static inline uint8_t *kit_read(const char *path, size_t *ret_len)
{
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fstat(fileno(f), &st), 0);
	uint8_t *data = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(data);
	*ret_len = fread(data, 1, (size_t)st.st_size, f);
	assert_int_equal(*ret_len, (size_t)st.st_size);
	(void)fclose(f);
	return data;
}

/* How many entries a folder has. */
static inline size_t kit_entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return n;
}

/* ---- Processes that are not this one's children ---- */

enum { KIT_PATIENCE_S = 30 };

struct kit_process {
	int pid;
	int fd; /* readable when it has ended; -1 where the system (valgrind's) has no such thing */
};

/* Of a process that lives. */
static inline struct kit_process kit_watch(int pid)
{
	struct kit_process p = { pid, (int)syscall(SYS_pidfd_open, pid, 0) };

	assert_true(p.fd >= 0 || errno == ENOSYS);
	assert_int_equal(kill(pid, 0), 0);
	return p;
}

/* Waits for its end. */
static inline void kit_expect_end(struct kit_process p)
{
	struct pollfd end = { .fd = p.fd, .events = POLLIN };
	const struct timespec pause = { .tv_nsec = 1000000 };

	if (p.fd >= 0) {
		assert_int_equal(poll(&end, 1, KIT_PATIENCE_S * 1000), 1);
		(void)close(p.fd);
		return;
	}
	for (int i = 0; kill(p.pid, 0) == 0; i++) {
		assert_true(i < KIT_PATIENCE_S * 1000);
		(void)nanosleep(&pause, NULL);
	}
}

/* ---- Random numbers: the same in each run ---- */

static inline uint64_t kit_below(uint64_t *state, uint64_t n)
{
	return random_next(state) % n;
}

/* ---- Records ---- */

/* Keeps them as job/records.h has them. */
struct kit_sink {
	struct quern_out out;
	struct buf data;
	uint64_t n;
	struct flow *flow; /* NULL, or stopped after `limit` records */
	uint64_t limit;
};

static inline void kit_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct kit_sink *s = (struct kit_sink *)out;

	assert_int_equal(record_put(&s->data, key, value), 0);
	if (++s->n == s->limit && s->flow != NULL)
		s->flow->stop = true;
}

static inline void kit_sink_init(struct kit_sink *s)
{
	*s = (struct kit_sink){ .out = { kit_emit }, .data = BUF_INIT(SIZE_MAX / 2) };
}

struct kit_record {
	quern_slice key, value;
};

static inline int kit_compare_slices(quern_slice a, quern_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static inline int kit_compare(const void *a, const void *b)
{
	const struct kit_record *x = a, *y = b;
	int c = kit_compare_slices(x->key, y->key);

	return c != 0 ? c : kit_compare_slices(x->value, y->value);
}

/* The records in `data`, by key and value; the caller frees the array, whose slices lie in `data`. */
static inline struct kit_record *kit_sorted(const uint8_t *data, size_t len, size_t *ret_n)
{
	const uint8_t *p = data, *end = p + len;
	size_t n = 0, cap = 16;
	struct kit_record *all = malloc(cap * sizeof(*all));

	assert_non_null(all);
	while (p != end) {
		if (n == cap)
			all = realloc(all, (cap *= 2) * sizeof(*all));
		assert_non_null(all);
		assert_int_equal(record_next(&p, end, &all[n].key, &all[n].value), 1);
		n++;
	}
	qsort(all, n, sizeof(*all), kit_compare);
	*ret_n = n;
	return all;
}

static inline uint64_t kit_number(quern_slice s)
{
	uint64_t v = 0;

	assert_int_equal(s.len, 8);
	for (int i = 7; i >= 0; i--)
		v = v << 8 | (uint8_t)s.ptr[i];
	return v;
}

/* Both sequences hold the same records, in whatever order. */
static inline void kit_assert_same(const struct buf *a, const struct buf *b)
{
	size_t n, m;
	struct kit_record *x = kit_sorted(a->data, a->len, &n), *y = kit_sorted(b->data, b->len, &m);

	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(kit_compare(&x[i], &y[i]), 0);
	free(x);
	free(y);
}

/* ---- The tests' job (tests/executor/job.c) ---- */

static inline struct code *kit_load_job(void)
{
	struct code *code = NULL;
	struct err err = { "" };
	const char *path = getenv("QUERN_TEST_JOB");

	if (path == NULL)
		fail_msg("QUERN_TEST_JOB names the job of these tests");
	if (code_load(path, NULL, 0, &code, &err) < 0)
		fail_msg("%s", err.text);
	return code;
}

/* That job for all tests of a file whose group is set up by kit_load() and ended by kit_unload(). */
static struct code *kit_code;

static inline int kit_load(void **state)
{
	(void)state;
	kit_code = kit_load_job();
	return 0;
}

static inline int kit_unload(void **state)
{
	(void)state;
	kit_code = code_free(kit_code);
	return 0;
}

/* How the job's function `name` travels. */
static inline Quern__Function kit_function(const struct code *code, const char *name)
{
	Quern__Function f = QUERN__FUNCTION__INIT;
	struct err err = { "" };
	void *job = dlopen(getenv("QUERN_TEST_JOB"), RTLD_NOW | RTLD_NOLOAD);

	assert_non_null(job);
	void *symbol = dlsym(job, name);
	if (symbol == NULL)
		fail_msg("%s: no such function", name);
	if (code_describe(code, (code_fn *)symbol, &f, &err) < 0)
		fail_msg("%s", err.text);
	(void)dlclose(job);
	return f;
}

static inline Quern__Function kit_builtin(const char *name)
{
	Quern__Function f = QUERN__FUNCTION__INIT;

	f.builtin = (char *)(uintptr_t)name;
	return f;
}

#endif
