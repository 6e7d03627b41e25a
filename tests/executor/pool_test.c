/* The pool with real processes: zygote and workers are those of the program, the job is tests/executor/job.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "executor/pool.h"
#include "executor/task.h"
#include "hdfs_client/access.h"
#include "tests/executor/kit.h"
#include "tests/one_branch.h"

enum { RESULTS_MAX = 64, PATIENCE_S = 30 };

struct bench {
	char dir[KIT_PATH], shuffle[KIT_PATH + 16], scratch[KIT_PATH + 16], input[KIT_PATH + 16];
	struct event_base *loop;
	struct pool *pool;
	struct code *code;
	Quern__TaskResult *results[RESULTS_MAX];
	size_t n, wanted;
	char unloadable[1024];

	Quern__Stage stage;
	struct one_branch from;
	Quern__Sink sink;
	Quern__Step step;
	Quern__Step *steps[1];
	Quern__Function function;
	Quern__Task task;
	Quern__Split split;
	Quern__Extent extent;
	Quern__Extent *extents[1];
	ProtobufCBinaryData hdfs;
};

static const uint8_t secret[] = "0123456789abcdef0123456789abcdef";

/* ---- The pool and its owner ---- */

static void on_result(void *arg, Quern__TaskResult *result)
{
	struct bench *b = arg;

	assert_true(b->n < RESULTS_MAX);
	b->results[b->n++] = result;
	if (b->n >= b->wanted)
		(void)event_base_loopbreak(b->loop);
}

static void on_unloadable(void *arg, const char *why)
{
	struct bench *b = arg;

	(void)snprintf(b->unloadable, sizeof(b->unloadable), "%s", why);
	(void)event_base_loopbreak(b->loop);
}

static const struct pool_ops ops = { on_result, on_unloadable };

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fail_msg("nothing happens any more");
}

/* Runs the loop until somebody breaks it. */
static void wait_for(struct bench *b)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct event *timeout = event_new(b->loop, -1, 0, on_timeout, NULL);

	assert_non_null(timeout);
	assert_int_equal(event_add(timeout, &patience), 0);
	(void)event_base_dispatch(b->loop);
	event_free(timeout);
}

static void wait_results(struct bench *b, size_t n)
{
	b->wanted = n;
	if (b->n < n)
		wait_for(b);
}

static void folder(char *path, size_t size, const char *dir, const char *name)
{
	(void)snprintf(path, size, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void bench_open(struct bench *b)
{
	struct err err = { "" };

	*b = (struct bench){ .stage = QUERN__STAGE__INIT,
		.sink = QUERN__SINK__INIT,
		.step = QUERN__STEP__INIT,
		.task = QUERN__TASK__INIT,
		.split = QUERN__SPLIT__INIT,
		.extent = QUERN__EXTENT__INIT };
	kit_folder(b->dir);
	folder(b->shuffle, sizeof(b->shuffle), b->dir, "shuffle");
	folder(b->scratch, sizeof(b->scratch), b->dir, "scratch");
	(void)snprintf(b->input, sizeof(b->input), "%s/input", b->dir);
	b->code = kit_load_job();
	b->function = kit_function(b->code, "misbehave");
	one_branch_init(&b->from, &b->stage);
	b->stage.sink = &b->sink;
	b->from.branch.steps = b->steps;
	b->from.branch.n_steps = 1;
	b->steps[0] = &b->step;
	b->step.kind = QUERN__STEP__KIND__FLAT_MAP;
	b->step.function = &b->function;
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
	b->task.split = &b->split;
	b->split.extents = b->extents;
	b->split.n_extents = 1;
	b->extents[0] = &b->extent;
	b->loop = event_base_new();
	assert_non_null(b->loop);
	if (pool_new(b->loop, getenv("QUERN_EXECUTOR"), 0, &ops, b, &b->pool, &err) < 0)
		fail_msg("%s", err.text);
}

static void load_job(struct bench *b, const char *path, const uint8_t *id, size_t len)
{
	const struct pool_job job = { .path = path,
		.build_id = id,
		.build_id_len = len,
		.executor_id = "e",
		.machine = "here",
		.shuffle_dir = b->shuffle,
		.scratch_dir = b->scratch,
		.broadcast_dir = b->scratch,
		.files_dir = "/nonexistent",
		.secret = secret };

	assert_int_equal(pool_load(b->pool, &job), 0);
}

static void load_test_job(struct bench *b)
{
	const uint8_t *id;
	size_t len = code_build_id(b->code, &id);

	load_job(b, getenv("QUERN_TEST_JOB"), id, len);
}

static void drop_results(struct bench *b)
{
	for (size_t i = 0; i < b->n; i++)
		quern__task_result__free_unpacked(b->results[i], NULL);
	b->n = 0;
}

static void bench_close(struct bench *b)
{
	b->pool = pool_free(b->pool);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child of any kind */
	assert_int_equal(kit_entries(b->scratch), 0);
	drop_results(b);
	event_base_free(b->loop);
	b->code = code_free(b->code);
	tree_remove(b->dir);
}

/* Starts attempt `attempt` of a task whose input is `line`. */
static void start_attempt(struct bench *b, uint32_t partition, uint32_t attempt, const char *line)
{
	char path[2 * KIT_PATH];

	(void)snprintf(path, sizeof(path), "%s.%u.%u", b->input, partition, attempt);
	kit_write(path, line, strlen(line));
	b->extent.path = path;
	b->extent.length = strlen(line);
	b->task.partition = partition;
	b->task.attempt = attempt;
	assert_int_equal(pool_run(b->pool, &b->task, &b->stage, &b->hdfs, NULL, 0, NULL), 0);
}

static Quern__TaskResult *run_one(struct bench *b, const char *line)
{
	drop_results(b);
	start_attempt(b, 5, 1, line);
	wait_results(b, 1);
	assert_int_equal(b->results[0]->partition, 5);
	assert_int_equal(b->results[0]->attempt, 1);
	return b->results[0];
}

static void expect_line(const Quern__TaskResult *r, const char *value)
{
	size_t n;

	if (r->state != QUERN__TASK_RESULT__STATE__DONE)
		fail_msg("%s", r->error);
	struct kit_record *all = kit_sorted(r->data.data, r->data.len, &n);
	assert_int_equal(n, 1);
	assert_int_equal(all[0].value.len, strlen(value));
	assert_memory_equal(all[0].value.ptr, value, all[0].value.len);
	free(all);
}

/* A number that the task gave as its only record. */
static int number_of(const Quern__TaskResult *r)
{
	size_t n;
	char text[32] = "";

	assert_int_equal(r->state, QUERN__TASK_RESULT__STATE__DONE);
	struct kit_record *all = kit_sorted(r->data.data, r->data.len, &n);
	assert_int_equal(n, 1);
	assert_true(all[0].value.len < sizeof(text));
	memcpy(text, all[0].value.ptr, all[0].value.len);
	free(all);
	return atoi(text);
}

static void expect_failed(const Quern__TaskResult *r, const char *error, const char *printed)
{
	assert_int_equal(r->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_false(r->final);
	if (strstr(r->error, error) == NULL)
		fail_msg("'%s' does not say '%s'", r->error, error);
	if (printed == NULL)
		assert_null(r->stderr_tail);
	else
		assert_string_equal(r->stderr_tail, printed);
}

/* ---- Tests ---- */

static void a_task_runs(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	expect_line(run_one(&b, "hello"), "hello");
	assert_true(b.results[0]->wall_us > 0);
	assert_true(b.results[0]->peak_rss > 0);
	bench_close(&b);
}

static void a_healthy_worker_is_used_again(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	int first = number_of(run_one(&b, "pid"));
	for (int i = 0; i < 20; i++)
		assert_int_equal(number_of(run_one(&b, "pid")), first);
	bench_close(&b);
}

/* A worker that is told what it cannot read does not go on with what it had. */
static void workers_are_told_how_hdfs_is_reached(void **state)
{
	struct hdfs_access access = { .patience_ms = 1000 };
	struct buf packed = BUF_INIT(1 << 20);
	uint8_t nonsense[] = "nonsense";
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	assert_int_equal(hdfs_access_pack(&access, &packed), 0);
	b.hdfs = (ProtobufCBinaryData){ .data = packed.data, .len = packed.len };
	int first = number_of(run_one(&b, "pid"));
	assert_int_equal(number_of(run_one(&b, "pid")), first);
	b.hdfs = (ProtobufCBinaryData){ .data = nonsense, .len = sizeof(nonsense) };
	expect_failed(run_one(&b, "pid"), "exited with status 1", "quern worker: Protocol error");
	b.hdfs = (ProtobufCBinaryData){ 0 };
	expect_line(run_one(&b, "next"), "next");
	buf_deinit(&packed);
	bench_close(&b);
}

static void attempts_wait_for_the_job(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	for (uint32_t i = 0; i < 3; i++)
		start_attempt(&b, i, 0, "early");
	load_test_job(&b);
	wait_results(&b, 3);
	for (size_t i = 0; i < 3; i++)
		expect_line(b.results[i], "early");
	bench_close(&b);
}

static void a_crash_costs_one_attempt(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	expect_failed(run_one(&b, "crash"), "SIGSEGV", "about to crash");
	expect_line(run_one(&b, "next"), "next");
	expect_failed(run_one(&b, "exit"), "exited with status 3", "first line\nlast words");
	expect_line(run_one(&b, "next"), "next");
	expect_failed(run_one(&b, "kill"), "SIGKILL", NULL);
	expect_line(run_one(&b, "next"), "next");
	expect_failed(run_one(&b, "fail"), "it is broken: 7", NULL);
	expect_line(run_one(&b, "next"), "next");
	bench_close(&b);
}

/* What one task printed is not in another's failure. */
static void stderr_belongs_to_its_task(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	expect_line(run_one(&b, "print"), "print");
	expect_failed(run_one(&b, "kill"), "SIGKILL", NULL);
	bench_close(&b);
}

static void crashes_side_by_side(void **state)
{
	static const char *const lines[] = { "crash", "fine", "exit", "fine", "kill", "fine" };
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	for (uint32_t i = 0; i < 30; i++)
		start_attempt(&b, i, 0, lines[i % 6]);
	wait_results(&b, 30);
	bool seen[30] = { false };
	for (size_t i = 0; i < 30; i++) {
		const Quern__TaskResult *r = b.results[i];

		assert_false(seen[r->partition]);
		seen[r->partition] = true;
		assert_int_equal(r->state == QUERN__TASK_RESULT__STATE__DONE, r->partition % 2);
	}
	bench_close(&b);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	(void)event_base_loopbreak(arg);
}

/* Lets the loop run until `path` is there. */
static void wait_for_file(struct bench *b, const char *path)
{
	const struct timeval often = { .tv_usec = 2000 };
	struct event *tick = event_new(b->loop, -1, EV_PERSIST, on_tick, b->loop);

	assert_int_equal(event_add(tick, &often), 0);
	for (int i = 0; access(path, F_OK) < 0; i++) {
		assert_true(i < PATIENCE_S * 500);
		(void)event_base_dispatch(b->loop);
	}
	event_free(tick);
}

static void a_hang_can_be_killed(void **state)
{
	const struct exec_name name = { 0, 1, 0 }, other = { 0, 1, 1 };
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	char path[2 * KIT_PATH];
	(void)snprintf(path, sizeof(path), "%s/hangs", b.dir);
	b.function.has_arg = true;
	b.function.arg = (ProtobufCBinaryData){ strlen(path) + 1, (uint8_t *)path };
	start_attempt(&b, 1, 0, "hang");
	start_attempt(&b, 2, 0, "fine");
	wait_for_file(&b, path);
	wait_results(&b, 1);
	assert_int_equal(b.results[0]->partition, 2);
	pool_kill(b.pool, &other); /* nobody's */
	pool_kill(b.pool, &name);
	wait_results(&b, 2);
	expect_failed(b.results[1], "SIGKILL", "hanging");
	bench_close(&b);
}

/* An attempt that is killed before there is a process for it. */
static void a_kill_before_the_fork(void **state)
{
	const struct exec_name name = { 0, 1, 0 };
	struct bench b;

	(void)state;
	bench_open(&b);
	start_attempt(&b, 1, 0, "hang");
	start_attempt(&b, 2, 0, "fine");
	pool_kill(b.pool, &name);
	wait_results(&b, 1);
	expect_failed(b.results[0], "SIGKILL", NULL);
	load_test_job(&b);
	wait_results(&b, 2);
	expect_line(b.results[1], "fine");
	bench_close(&b);
}

/* A process that user code left behind, in a session of its own, ends with its worker at the latest. */
static void children_of_user_code_end(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	struct kit_process child = kit_watch(number_of(run_one(&b, "child")));
	bench_close(&b);
	kit_expect_end(child);

	bench_open(&b);
	load_test_job(&b);
	child = kit_watch(number_of(run_one(&b, "child")));
	expect_failed(run_one(&b, "crash"), "SIGSEGV", "about to crash"); /* the same worker */
	kit_expect_end(child);
	bench_close(&b);
}

static void a_dead_zygote_is_replaced(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_test_job(&b);
	expect_line(run_one(&b, "before"), "before");
	int zygote = pool_zygote(b.pool);
	start_attempt(&b, 9, 0, "hang");
	assert_int_equal(kill(zygote, SIGKILL), 0);
	wait_results(&b, 2);
	assert_int_equal(b.results[1]->state, QUERN__TASK_RESULT__STATE__FAILED);
	expect_line(run_one(&b, "after"), "after");
	assert_int_not_equal(pool_zygote(b.pool), zygote);
	bench_close(&b);
}

static void workers_are_kept_ready(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	pool_warm(b.pool, 4);
	load_test_job(&b);
	expect_line(run_one(&b, "x"), "x");
	assert_int_equal(pool_workers(b.pool), 5); /* and one that is idle when all of those are busy */
	expect_failed(run_one(&b, "kill"), "SIGKILL", NULL);
	expect_line(run_one(&b, "x"), "x");
	assert_int_equal(pool_workers(b.pool), 5);
	pool_warm(b.pool, 2); /* there is less to do */
	expect_line(run_one(&b, "x"), "x");
	while (pool_workers(b.pool) > 3)
		assert_int_equal(event_base_loop(b.loop, EVLOOP_ONCE), 0);
	expect_line(run_one(&b, "x"), "x");
	assert_int_equal(pool_workers(b.pool), 3);
	bench_close(&b);
}

static void jobs_that_cannot_be_loaded(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	load_job(&b, kit_path(b.dir, "missing.so"), (const uint8_t *)"id", 2);
	wait_for(&b);
	assert_non_null(strstr(b.unloadable, "missing.so"));
	start_attempt(&b, 0, 0, "never");
	bench_close(&b);

	bench_open(&b);
	load_job(&b, getenv("QUERN_TEST_JOB"), (const uint8_t *)"id", 2);
	wait_for(&b);
	assert_non_null(strstr(b.unloadable, "build id"));
	bench_close(&b);
}

static void a_program_that_is_not_there(void **state)
{
	struct bench b;
	struct err err = { "" };

	(void)state;
	bench_open(&b);
	b.pool = pool_free(b.pool);
	int r = pool_new(b.loop, "/no/such/program", 0, &ops, &b, &b.pool, &err);
	if (r == 0) { /* not every system says so at once */
		load_test_job(&b);
		wait_for(&b);
		assert_non_null(strstr(b.unloadable, "cannot be loaded"));
	} else {
		assert_int_equal(r, -ENOENT);
		assert_non_null(strstr(err.text, "/no/such/program"));
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_runs),
		cmocka_unit_test(a_healthy_worker_is_used_again),
		cmocka_unit_test(workers_are_told_how_hdfs_is_reached),
		cmocka_unit_test(attempts_wait_for_the_job),
		cmocka_unit_test(a_crash_costs_one_attempt),
		cmocka_unit_test(stderr_belongs_to_its_task),
		cmocka_unit_test(crashes_side_by_side),
		cmocka_unit_test(a_hang_can_be_killed),
		cmocka_unit_test(a_kill_before_the_fork),
		cmocka_unit_test(children_of_user_code_end),
		cmocka_unit_test(a_dead_zygote_is_replaced),
		cmocka_unit_test(workers_are_kept_ready),
		cmocka_unit_test(jobs_that_cannot_be_loaded),
		cmocka_unit_test(a_program_that_is_not_there),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
