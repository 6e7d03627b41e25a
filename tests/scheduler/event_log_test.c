/* The file of an event log: what is written when, and what becomes of it when it cannot be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <zstd.h>

#include "scheduler/event_log.h"

enum { FILE_MAX = 4 << 20 };

#define JOB                                                                                                  \
	"{\"t\":0,\"event\":\"job\",\"format\":1,\"version\":\"1\",\"name\":\"a job\",\"mode\":\"fine\","    \
	"\"master\":\"m:5050\",\"unix\":1764158400.123,\"cores\":8,\"task_cores\":2,\"task_memory_mib\":"    \
	"512,"                                                                                               \
	"\"executor_cores\":0.1,\"executor_memory_mib\":64,\"revive_interval_s\":0.02,\"lease_idle_s\":0.1," \
	"\"lease_max_s\":5,\"locality_wait_s\":1}\n"
#define REVIVE "{\"t\":0.25,\"event\":\"revive\"}\n"

struct bench {
	char folder[64], path[128];
	struct event_base *loop;
	struct event_log *log;
	unsigned failures;
	char said[1024];
};

static const struct sched_config config = {
	.mode_config = { .max_slots = 4, .lease_idle_ms = 100, .lease_max_ms = 5000 },
	.task_cpus_milli = 2000,
	.task_mem_mb = 512,
	.executor_cpus_milli = 100,
	.executor_mem_mb = 64,
	.revive_interval_ms = 20,
	.locality_wait_ms = 1000
};

static const struct event_job job = { .version = "1",
	.name = "a job",
	.mode = "fine",
	.master = "m:5050",
	.unix_ms = 1764158400123,
	.config = &config };

static void on_failed(void *arg, const char *text)
{
	struct bench *b = arg;

	b->failures++;
	(void)snprintf(b->said, sizeof(b->said), "%s", text);
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/quern-event-log-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	b->loop = event_base_new();
	assert_non_null(b->loop);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	char command[128];

	assert_null(event_log_free(b->log));
	event_base_free(b->loop);
	(void)snprintf(command, sizeof(command), "rm -r %s", b->folder);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a name of ours */
	free(b);
	return 0;
}

static void open_log(struct bench *b, const char *name)
{
	struct err err = { "" };

	(void)snprintf(b->path, sizeof(b->path), "%s%s%s", name[0] == '/' ? "" : b->folder,
		name[0] == '/' ? "" : "/", name);
	if (event_log_new(b->loop, b->path, 5000, &job, on_failed, b, &b->log, &err) < 0)
		fail_msg("%s", err.text);
}

static void refused(struct bench *b, const char *path, int error, const char *words)
{
	struct err err = { "" };
	struct event_log *log = NULL;

	assert_int_equal(event_log_new(b->loop, path, 5000, &job, on_failed, b, &log, &err), -error);
	if (strstr(err.text, words) == NULL || strstr(err.text, path) == NULL)
		fail_msg("no '%s' in '%s'", words, err.text);
}

static void revive(struct bench *b)
{
	const struct sched_logged what = { .kind = SCHED_LOGGED_REVIVE, .now_ms = 5250 };

	event_log_add(b->log, &what);
}

static size_t read_file(const struct bench *b, char *ret, size_t size)
{
	FILE *f = fopen(b->path, "re");

	assert_non_null(f);
	size_t n = fread(ret, 1, size - 1, f);
	(void)fclose(f);
	ret[n] = '\0';
	return n;
}

static void holds(const struct bench *b, const char *text)
{
	char got[8192];

	(void)read_file(b, got, sizeof(got));
	assert_string_equal(got, text);
}

static void lines_are_there_when_it_is_closed(void **state)
{
	struct bench *b = *state;
	const struct sched_ledger ledger = { .task_core_us = 3500000,
		.task_mb_ms = 2500,
		.executor_core_us = 100001,
		.executor_mb_ms = 1,
		.used_core_us = 2000000,
		.gaps = 7,
		.gap_p50_ms = 3,
		.gap_p99_ms = 40 };
	const struct sched_progress progress = { .offers = 9, .declined = 8, .revives = 1 };

	open_log(b, "log.jsonl");
	revive(b);
	event_log_done(b->log, 6000, "finished", &ledger, &progress);
	b->log = event_log_free(b->log);
	holds(b, JOB REVIVE "{\"t\":1,\"event\":\"done\",\"status\":\"finished\",\"held_core_s\":3.600001,"
			    "\"executor_core_s\":0.100001,"
			    "\"used_core_s\":2,\"held_mib_s\":2.501,\"gaps\":7,\"gap_p50_ms\":3,\"gap_p99_"
			    "ms\":40,\"offers\":9,"
			    "\"declined\":8,\"revives\":1}\n");
	assert_int_equal(b->failures, 0);
	struct stat st;
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0111, 0);
}

static void lines_are_there_a_second_later(void **state)
{
	struct bench *b = *state;

	open_log(b, "log");
	revive(b);
	holds(b, ""); /* not a write for each */
	assert_int_equal(event_base_loop(b->loop, EVLOOP_ONCE), 0);
	holds(b, JOB REVIVE);
	assert_int_equal(
		event_base_get_num_events(b->loop, EVENT_BASE_COUNT_ADDED), 0); /* nothing to wait for */
	revive(b);
	assert_int_equal(event_base_loop(b->loop, EVLOOP_ONCE), 0);
	holds(b, JOB REVIVE REVIVE);
}

static void many_lines_are_there_sooner(void **state)
{
	struct bench *b = *state;
	struct stat st = { 0 };

	open_log(b, "log");
	for (int i = 0; i < 20000 && st.st_size == 0; i++) {
		revive(b);
		assert_int_equal(stat(b->path, &st), 0);
	}
	assert_true(st.st_size > 100000);
}

static void each_second_is_a_frame(void **state)
{
	struct bench *b = *state;
	static char got[FILE_MAX], text[FILE_MAX];

	open_log(b, "log.zst");
	revive(b);
	assert_int_equal(event_base_loop(b->loop, EVLOOP_ONCE), 0);
	size_t first = read_file(b, got, sizeof(got)); /* as it is if the job is killed now */
	size_t n = ZSTD_decompress(text, sizeof(text) - 1, got, first);
	assert_false(ZSTD_isError(n));
	text[n] = '\0';
	assert_string_equal(text, JOB REVIVE);
	revive(b);
	b->log = event_log_free(b->log);
	size_t len = read_file(b, got, sizeof(got));
	assert_int_equal(ZSTD_findFrameCompressedSize(got, len), first);
	n = ZSTD_decompress(text, sizeof(text) - 1, got, len);
	assert_false(ZSTD_isError(n));
	text[n] = '\0';
	assert_string_equal(text, JOB REVIVE REVIVE);
}

static void a_full_disk_ends_the_log_once(void **state)
{
	struct bench *b = *state;

	open_log(b, "/dev/full");
	revive(b);
	assert_int_equal(b->failures, 0);
	assert_int_equal(event_base_loop(b->loop, EVLOOP_ONCE), 0);
	assert_int_equal(b->failures, 1);
	assert_string_equal(b->said, "warning: the event log '/dev/full' ends here: No space left on device");
	for (int i = 0; i < 20000; i++)
		revive(b);
	event_log_done(b->log, 6000, "finished", &(struct sched_ledger){ 0 }, &(struct sched_progress){ 0 });
	b->log = event_log_free(b->log);
	assert_int_equal(b->failures, 1);
}

static void what_cannot_be_made_is_refused(void **state)
{
	struct bench *b = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/none/log", b->folder);
	refused(b, path, ENOENT, "No such file");
	refused(b, b->folder, EEXIST, "exists");
	open_log(b, "log");
	refused(b, b->path, EEXIST, "exists: remove it, or name another one");
	b->log = event_log_free(b->log);
	holds(b, JOB);
	(void)snprintf(path, sizeof(path), "%s/link", b->folder);
	assert_int_equal(symlink("nowhere", path), 0);
	refused(b, path, EEXIST, "File exists");
}

/* Names of others are what they please to be. */
static void whatever_is_in_a_text(void **state)
{
	struct buf out = BUF_INIT(4096);
	struct sched_logged what = { .kind = SCHED_LOGGED_RESCIND,
		.u.id = "\"\\\n\x01 \x7f \xc3\xa9 \xf0\x9f\x8c\xbe \xff \xc3( \xed\xa0\x80" };
	(void)state;

	assert_int_equal(event_line(&out, 0, &what), 0);
	assert_int_equal(buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.data,
		"{\"t\":0,\"event\":\"rescind\",\"offer\":\"\\\"\\\\\\u000a\\u0001 \x7f \xc3\xa9 "
		"\xf0\x9f\x8c\xbe \\ufffd "
		"\\ufffd( \\ufffd\\ufffd\\ufffd\"}\n");
	buf_deinit(&out);
	out = BUF_INIT(20);
	assert_int_equal(event_line(&out, 0, &what), -EMSGSIZE);
	buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_there_when_it_is_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_are_there_a_second_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_lines_are_there_sooner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_second_is_a_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_ends_the_log_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_made_is_refused, set_up, tear_down),
		cmocka_unit_test(whatever_is_in_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
