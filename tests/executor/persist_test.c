/* Persisted sets in the executor's core: where attempts begin, what becomes of what they keep, and what the
 * driver hears of it. No memory is behind the blobs here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/core.h"
#include "tests/one_branch.h"

enum { BUDGET = 1000, SETS_MAX = 20 };

struct bench {
	struct exec *core;
	uint64_t now;
	char trace[8192]; /* what was said since the last assert_trace() */
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) note(struct bench *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(b->trace + b->len, sizeof(b->trace) - b->len, format, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(b->trace) - b->len);
	b->len += (size_t)n;
}

static void note_run(struct bench *b, const struct exec_action *a)
{
	note(b, "run %u.%u.%u", a->task->stage, a->task->partition, a->task->attempt);
	if (a->cached != NULL && a->cached->reads)
		note(b, " read %u:%u(%u)", a->cached->read.step, a->cached->read.blob,
			(unsigned)a->cached->read.bytes);
	for (uint32_t i = 0; a->cached != NULL && i < a->cached->n_write; i++)
		note(b, " write %u:%u", a->cached->write[i].step, a->cached->write[i].blob);
	if (a->cached != NULL && a->cached->most != BUDGET)
		note(b, " most %u", (unsigned)a->cached->most);
	note(b, "\n");
}

static void note_results(struct bench *b, const struct exec_action *a)
{
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, a->len, a->data);

	assert_non_null(m);
	for (size_t i = 0; i < m->n_results; i++) {
		const Quern__TaskResult *r = m->results[i];

		note(b, "result %u.%u.%u", r->stage, r->partition, r->attempt);
		for (size_t k = 0; k < r->n_kept; k++)
			note(b, " %s %u", r->kept[k]->too_large ? "too large" : "kept", r->kept[k]->cache);
		for (size_t k = 0; k < r->n_evicted; k++)
			note(b, " evicted %u.%u", r->evicted[k]->cache, r->evicted[k]->partition);
		note(b, "\n");
	}
	quern__to_driver__free_unpacked(m, NULL);
}

static void step(struct bench *b, struct exec_event ev)
{
	struct exec_plan plan = { 0 };

	ev.now_ms = b->now;
	assert_int_equal(exec_step(b->core, &ev, &plan), 0);
	for (size_t i = 0; i < plan.n; i++) {
		const struct exec_action *a = &plan.at[i];

		if (a->kind == EXEC_DO_RUN)
			note_run(b, a);
		else if (a->kind == EXEC_DO_LINK)
			note_results(b, a);
		else if (a->kind == EXEC_DO_DISCARD)
			note(b, "discard %u\n", a->n);
	}
	exec_plan_deinit(&plan);
}

static void assert_trace(struct bench *b, const char *expected)
{
	assert_string_equal(b->len > 0 ? b->trace : "", expected);
	b->len = 0;
}

/* ---- Events ---- */

static void mesos(struct bench *b, Mesos__V1__Executor__Event *e, Mesos__V1__Executor__Event__Type type)
{
	e->has_type = 1;
	e->type = type;
	step(b, (struct exec_event){ .kind = EXEC_EV_MESOS, .u.mesos = e });
}

static void subscribed(struct bench *b, uint64_t cache_memory)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Subscribed s = MESOS__V1__EXECUTOR__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__ExecutorInfo info = MESOS__V1__EXECUTOR_INFO__INIT;
	Quern__ExecutorData data = QUERN__EXECUTOR_DATA__INIT;
	uint8_t bytes[256], secret[32] = { 1 };

	data.driver_host = (char *)(uintptr_t) "driver";
	data.driver_port = 4711;
	data.secret = (ProtobufCBinaryData){ .data = secret, .len = 32 };
	data.job = (char *)(uintptr_t) "job.so";
	data.build_id = (ProtobufCBinaryData){ .data = secret, .len = 20 };
	data.has_cache_memory = cache_memory > 0;
	data.cache_memory = cache_memory;
	info.has_data = 1;
	info.data = (ProtobufCBinaryData){ .data = bytes, .len = quern__executor_data__pack(&data, bytes) };
	s.executor_info = &info;
	e.subscribed = &s;
	mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED);
}

static void lease(struct bench *b, uint32_t slots)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Launch l = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;
	Mesos__V1__TaskInfo t = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Quern__TaskData d = QUERN__TASK_DATA__INIT;
	Quern__Lease slots_of = QUERN__LEASE__INIT;
	uint8_t bytes[64];

	slots_of.slots = slots;
	d.lease = &slots_of;
	task_id.value = t.name = (char *)(uintptr_t) "lease-0";
	agent_id.value = (char *)(uintptr_t) "a1";
	t.task_id = &task_id;
	t.agent_id = &agent_id;
	t.has_data = 1;
	t.data = (ProtobufCBinaryData){ .data = bytes, .len = quern__task_data__pack(&d, bytes) };
	l.task = &t;
	e.launch = &l;
	mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH);
}

/* A text stage with a map and then a CACHE step for each of `sets`. */
static void tell_stage(struct bench *b, uint32_t id, const uint32_t *sets, size_t n)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__StageInfo info = QUERN__TO_EXECUTOR__STAGE_INFO__INIT;
	Quern__Stage stage = QUERN__STAGE__INIT;
	struct one_branch from;
	Quern__Sink sink = QUERN__SINK__INIT;
	Quern__Step steps[2 * SETS_MAX], *list[2 * SETS_MAX];
	Quern__Cache caches[SETS_MAX];

	stage.id = id;
	one_branch_init(&from, &stage);
	stage.sink = &sink;
	from.branch.steps = list;
	from.branch.n_steps = 2 * n;
	for (size_t i = 0; i < n; i++) {
		quern__step__init(&steps[2 * i]);
		quern__step__init(&steps[2 * i + 1]);
		quern__cache__init(&caches[i]);
		list[2 * i] = &steps[2 * i];
		list[2 * i + 1] = &steps[2 * i + 1];
		steps[2 * i + 1].kind = QUERN__STEP__KIND__CACHE;
		steps[2 * i + 1].cache = &caches[i];
		caches[i].id = sets[i];
	}
	info.stage = &stage;
	m.stage = &info;
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = &m });
}

static void open_bench(struct bench *b, uint64_t budget)
{
	const struct exec_config config = { .executor_id = "e1",
		.framework_id = "f1",
		.shuffle_dir = "/sandbox/shuffle",
		.machine = "m1",
		.address = "10.0.0.1" };

	*b = (struct bench){ .now = 1000 };
	assert_int_equal(exec_new(&config, &b->core), 0);
	subscribed(b, budget);
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK_UP });
	lease(b, 2);
	tell_stage(b, 1, (const uint32_t[]){ 5, 6 }, 2);
	tell_stage(b, 2, (const uint32_t[]){ 5 }, 1);
	tell_stage(b, 3, (const uint32_t[]){ 7 }, 1);
	b->len = 0;
}

static void close_bench(struct bench *b)
{
	b->core = exec_free(b->core);
}

/* Over one extent of file `path`; `memory` 0: unsaid. */
static void give_task(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt, const char *path,
	uint64_t memory)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Task task = QUERN__TASK__INIT, *tasks[] = { &task };
	Quern__Split split = QUERN__SPLIT__INIT;
	Quern__Extent extent = QUERN__EXTENT__INIT, *extents[] = { &extent };

	extent.path = (char *)(uintptr_t)path;
	extent.length = 100;
	split.extents = extents;
	split.n_extents = 1;
	task.stage = stage;
	task.partition = partition;
	task.attempt = attempt;
	task.split = &split;
	task.has_memory = memory > 0;
	task.memory = memory;
	m.tasks = tasks;
	m.n_tasks = 1;
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = &m });
}

static void give(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	give_task(b, stage, partition, attempt, "/in", 0);
}

struct said {
	uint32_t set;
	uint64_t bytes; /* UINT64_MAX: too large */
};

static void end(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt,
	Quern__TaskResult__State state, const struct said *said, size_t n)
{
	Quern__TaskResult *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	quern__task_result__init(r);
	r->stage = stage;
	r->partition = partition;
	r->attempt = attempt;
	r->state = state;
	r->n_kept = n;
	r->kept = calloc(n + 1, sizeof(Quern__TaskResult__Kept *));
	assert_non_null(r->kept);
	for (size_t i = 0; i < n; i++) {
		r->kept[i] = calloc(1, sizeof(Quern__TaskResult__Kept));
		assert_non_null(r->kept[i]);
		quern__task_result__kept__init(r->kept[i]);
		r->kept[i]->cache = said[i].set;
		r->kept[i]->has_too_large = r->kept[i]->too_large = said[i].bytes == UINT64_MAX;
		r->kept[i]->has_bytes = said[i].bytes != UINT64_MAX;
		r->kept[i]->bytes = said[i].bytes;
	}
	step(b, (struct exec_event){ .kind = EXEC_EV_RESULT, .u.result = r });
	step(b, (struct exec_event){ .kind = EXEC_EV_FLUSH });
}

/* It is done and has kept `bytes` of a set. */
static void done(struct bench *b, uint32_t stage, uint32_t partition, uint32_t set, uint64_t bytes)
{
	const struct said said = { set, bytes };

	end(b, stage, partition, 0, QUERN__TASK_RESULT__STATE__DONE, &said, 1);
}

static void drop(struct bench *b, uint32_t set)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	m.n_drop_caches = 1;
	m.drop_caches = &set;
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = &m });
}

/* ---- Tests ---- */

static void an_attempt_begins_behind_the_last_step_that_is_kept(void **state)
{
	const struct said both[] = { { 5, 100 }, { 6, 50 } };
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 1, 0, 0);
	assert_trace(&b, "run 1.0.0 write 1:1 write 3:2\n");
	end(&b, 1, 0, 0, QUERN__TASK_RESULT__STATE__DONE, both, 2);
	assert_trace(&b, "result 1.0.0 kept 5 kept 6\n");
	give(&b, 1, 0, 1);
	assert_trace(&b, "run 1.0.1 read 3:2(50)\n");
	give(&b, 2, 0, 0); /* another stage, of the first set alone */
	assert_trace(&b, "run 2.0.0 read 1:1(100)\n");
	end(&b, 1, 0, 1, QUERN__TASK_RESULT__STATE__DONE, NULL, 0);
	assert_trace(&b, "result 1.0.1\n");
	end(&b, 2, 0, 0, QUERN__TASK_RESULT__STATE__DONE, NULL, 0);
	assert_trace(&b, "result 2.0.0\n");
	give(&b, 1, 1, 0); /* another partition */
	assert_trace(&b, "run 1.1.0 write 1:3 write 3:4\n");
	close_bench(&b);
}

static void what_comes_behind_is_kept_as_well(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 100);
	assert_trace(&b, "run 2.0.0 write 1:1\nresult 2.0.0 kept 5\n");
	give(&b, 1, 0, 0);
	assert_trace(&b, "run 1.0.0 read 1:1(100) write 3:2\n");
	done(&b, 1, 0, 6, 10);
	assert_trace(&b, "result 1.0.0 kept 6\n");
	close_bench(&b);
}

static void only_what_is_whole_is_kept(void **state)
{
	const struct said said[] = { { 5, 100 }, { 99, 5 } }; /* one set that nobody asked for */
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	end(&b, 2, 0, 0, QUERN__TASK_RESULT__STATE__FAILED, said, 1);
	assert_trace(&b, "run 2.0.0 write 1:1\ndiscard 1\nresult 2.0.0\n");
	give(&b, 2, 0, 1);
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__DONE, NULL, 0); /* a limit stopped it */
	assert_trace(&b, "run 2.0.1 write 1:2\ndiscard 2\nresult 2.0.1\n");
	give(&b, 2, 0, 2);
	end(&b, 2, 0, 2, QUERN__TASK_RESULT__STATE__KILLED, said, 1);
	assert_trace(&b, "run 2.0.2 write 1:3\ndiscard 3\nresult 2.0.2\n");
	give(&b, 2, 0, 3);
	end(&b, 2, 0, 3, QUERN__TASK_RESULT__STATE__DONE, said, 2);
	assert_trace(&b, "run 2.0.3 write 1:4\nresult 2.0.3 kept 5\n");
	close_bench(&b);
}

static void another_division_of_the_input_is_another_partition(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give_task(&b, 2, 0, 0, "/in", 0);
	done(&b, 2, 0, 5, 100);
	give_task(&b, 2, 0, 1, "/in2", 0);
	assert_trace(&b, "run 2.0.0 write 1:1\nresult 2.0.0 kept 5\nrun 2.0.1 write 1:2\n");
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__DONE, &(const struct said){ 5, 30 }, 1);
	assert_trace(&b, "discard 1\nresult 2.0.1 kept 5\n");
	give_task(&b, 2, 0, 2, "/in", 0);
	assert_trace(&b, "run 2.0.2 write 1:3\n");
	close_bench(&b);
}

static void what_makes_room_is_told(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	for (uint32_t i = 0; i < 2; i++) {
		give(&b, 2, i, 0);
		done(&b, 2, i, 5, 400);
	}
	b.len = 0;
	give(&b, 3, 0, 0);
	done(&b, 3, 0, 7, 900);
	assert_trace(&b, "run 3.0.0 write 1:3\n"
			 "discard 1\ndiscard 2\n"
			 "result 3.0.0 kept 7 evicted 5.0 evicted 5.1\n");
	/* The set itself does not make room for its own. */
	give(&b, 3, 1, 0);
	done(&b, 3, 1, 7, 900);
	assert_trace(&b, "run 3.1.0 write 1:4\ndiscard 4\nresult 3.1.0\n");
	give(&b, 3, 2, 0);
	done(&b, 3, 2, 7, UINT64_MAX);
	assert_trace(&b, "run 3.2.0 write 1:5\ndiscard 5\nresult 3.2.0 too large 7\n");
	close_bench(&b);
}

static void what_is_read_stays_until_the_end(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 600);
	b.len = 0;
	give(&b, 2, 0, 1);
	give(&b, 3, 0, 0);
	assert_trace(&b, "run 2.0.1 read 1:1(600)\nrun 3.0.0 write 1:2\n");
	done(&b, 3, 0, 7, 600); /* there is no room for both */
	assert_trace(&b, "discard 2\nresult 3.0.0\n");
	drop(&b, 5);
	assert_trace(&b, "");
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__DONE, NULL, 0);
	assert_trace(&b, "discard 1\nresult 2.0.1\n");
	close_bench(&b);
}

static void a_dropped_set_is_given_back_and_not_kept_again(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 100);
	give(&b, 2, 1, 0);
	b.len = 0;
	drop(&b, 5);
	assert_trace(&b, "discard 1\n");
	done(&b, 2, 1, 5, 100); /* it had begun before */
	assert_trace(&b, "discard 2\nresult 2.1.0\n");
	give(&b, 2, 0, 1);
	assert_trace(&b, "run 2.0.1\n");
	close_bench(&b);
}

static void a_task_that_fails_on_what_was_kept_gets_it_anew(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 100);
	b.len = 0;
	give(&b, 2, 0, 1);
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__FAILED, NULL, 0);
	assert_trace(&b, "run 2.0.1 read 1:1(100)\ndiscard 1\nresult 2.0.1 evicted 5.0\n");
	give(&b, 2, 0, 2);
	assert_trace(&b, "run 2.0.2 write 1:2\n");
	close_bench(&b);
}

static void a_quarter_of_the_tasks_memory_is_for_what_it_keeps(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give_task(&b, 2, 0, 0, "/in", 300);
	give_task(&b, 2, 1, 0, "/in", 6000);
	assert_trace(&b, "run 2.0.0 write 1:1 most 75\nrun 2.1.0 write 1:2\n");
	close_bench(&b);
}

static void without_a_budget_nothing_is_kept(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, 0);
	give(&b, 1, 0, 0);
	done(&b, 1, 0, 5, 1);
	drop(&b, 5);
	give(&b, 1, 0, 1);
	assert_trace(&b, "run 1.0.0\nresult 1.0.0\nrun 1.0.1\n");
	close_bench(&b);
}

static void an_attempt_keeps_so_many_sets_and_no_more(void **state)
{
	uint32_t sets[SETS_MAX];
	char expected[1024] = "run 4.0.0";
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	for (uint32_t i = 0; i < SETS_MAX; i++)
		sets[i] = 100 + i;
	for (uint32_t i = 0; i < EXEC_KEEPS_MAX; i++) {
		size_t len = strlen(expected);

		(void)snprintf(expected + len, sizeof(expected) - len, " write %u:%u%s", 2 * i + 1, i + 1,
			i + 1 == EXEC_KEEPS_MAX ? "\n" : "");
	}
	tell_stage(&b, 4, sets, SETS_MAX);
	give(&b, 4, 0, 0);
	assert_trace(&b, expected);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_begins_behind_the_last_step_that_is_kept),
		cmocka_unit_test(what_comes_behind_is_kept_as_well),
		cmocka_unit_test(only_what_is_whole_is_kept),
		cmocka_unit_test(another_division_of_the_input_is_another_partition),
		cmocka_unit_test(what_makes_room_is_told),
		cmocka_unit_test(what_is_read_stays_until_the_end),
		cmocka_unit_test(a_dropped_set_is_given_back_and_not_kept_again),
		cmocka_unit_test(a_task_that_fails_on_what_was_kept_gets_it_anew),
		cmocka_unit_test(a_quarter_of_the_tasks_memory_is_for_what_it_keeps),
		cmocka_unit_test(without_a_budget_nothing_is_kept),
		cmocka_unit_test(an_attempt_keeps_so_many_sets_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
