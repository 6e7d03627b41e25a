/* Broadcasts, and tasks of several slots, in the executor's core: what a task waits for, what the driver
 * hears, what the shell is told. */
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

static void note_link(struct bench *b, const struct exec_action *a)
{
	static const char *const states[] = { "done", "failed", "fetch failed", "killed" };
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, a->len, a->data);

	assert_non_null(m);
	if (m->need != NULL && m->need->has_broadcasts)
		note(b, "need the table\n");
	for (size_t i = 0; i < m->n_copies; i++) {
		const Quern__ToDriver__Copy *c = m->copies[i];

		note(b, "%s %u", c->here ? "has" : "wants", c->broadcast);
		if (c->failed != NULL)
			note(b, ", not from '%s': %s", c->failed, c->error);
		note(b, "\n");
	}
	for (size_t i = 0; i < m->n_results; i++)
		note(b, "%s %u.%u.%u%s%s\n", states[m->results[i]->state], m->results[i]->stage,
			m->results[i]->partition, m->results[i]->attempt,
			m->results[i]->error != NULL ? ": " : "",
			m->results[i]->error != NULL ? m->results[i]->error : "");
	quern__to_driver__free_unpacked(m, NULL);
}

static void note_fetch(struct bench *b, const struct exec_action *a)
{
	note(b, "fetch %u, %u bytes, %u", a->n, (unsigned)a->fetch->length, (unsigned)a->fetch->checksum);
	if (a->fetch->executor_id != NULL)
		note(b, ", from %s at %s:%u", a->fetch->executor_id, a->fetch->address, a->fetch->port);
	note(b, "\n");
}

static void step(struct bench *b, struct exec_event ev)
{
	struct exec_plan plan = { 0 };

	ev.now_ms = b->now;
	assert_int_equal(exec_step(b->core, &ev, &plan), 0);
	for (size_t i = 0; i < plan.n; i++) {
		const struct exec_action *a = &plan.at[i];

		if (a->kind == EXEC_DO_RUN)
			note(b, "run %u.%u.%u\n", a->task->stage, a->task->partition, a->task->attempt);
		else if (a->kind == EXEC_DO_LINK)
			note_link(b, a);
		else if (a->kind == EXEC_DO_FETCH)
			note_fetch(b, a);
		else if (a->kind == EXEC_DO_FORGET)
			note(b, "forget %u\n", a->n);
		else if (a->kind == EXEC_DO_KILL)
			note(b, "kill %u.%u.%u\n", a->name.stage, a->name.partition, a->name.attempt);
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

static void subscribed(struct bench *b)
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
	info.has_data = 1;
	info.data = (ProtobufCBinaryData){ .data = bytes, .len = quern__executor_data__pack(&data, bytes) };
	s.executor_info = &info;
	e.subscribed = &s;
	mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED);
}

static void lease(struct bench *b, const char *id, uint32_t slots)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Launch l = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;
	Mesos__V1__TaskInfo t = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Quern__TaskData d = QUERN__TASK_DATA__INIT;
	Quern__Lease held = QUERN__LEASE__INIT;
	uint8_t bytes[64];

	held.slots = slots;
	d.lease = &held;
	task_id.value = t.name = (char *)(uintptr_t)id;
	agent_id.value = (char *)(uintptr_t) "a1";
	t.task_id = &task_id;
	t.agent_id = &agent_id;
	t.has_data = 1;
	t.data = (ProtobufCBinaryData){ .data = bytes, .len = quern__task_data__pack(&d, bytes) };
	l.task = &t;
	e.launch = &l;
	mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH);
}

static void end_lease(struct bench *b, const char *id)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Kill k = MESOS__V1__EXECUTOR__EVENT__KILL__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;

	task_id.value = (char *)(uintptr_t)id;
	k.task_id = &task_id;
	e.kill = &k;
	mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__KILL);
}

static void link_up(struct bench *b)
{
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK_UP });
}

static void link_down(struct bench *b)
{
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = "it ended" });
}

static void tell(struct bench *b, const Quern__ToExecutor *m)
{
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = m });
}

static void tell_stage(struct bench *b, uint32_t id)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__StageInfo info = QUERN__TO_EXECUTOR__STAGE_INFO__INIT;
	Quern__Stage stage = QUERN__STAGE__INIT;
	struct one_branch from;
	Quern__Sink sink = QUERN__SINK__INIT;

	stage.id = id;
	one_branch_init(&from, &stage);
	stage.sink = &sink;
	info.stage = &stage;
	m.stage = &info;
	tell(b, &m);
}

/* Ids up to a 0; broadcast N has 10 N bytes and checksum 7 N. */
static void tell_table(struct bench *b, uint32_t version, const uint32_t *ids)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Broadcasts table = QUERN__BROADCASTS__INIT;
	Quern__Broadcast all[8], *list[8];

	for (; ids[table.n_list] != 0; table.n_list++) {
		uint32_t id = ids[table.n_list];

		quern__broadcast__init(&all[table.n_list]);
		all[table.n_list].id = id;
		all[table.n_list].length = 10 * id;
		all[table.n_list].checksum = 7 * id;
		list[table.n_list] = &all[table.n_list];
	}
	table.version = version;
	table.list = list;
	m.broadcasts = &table;
	tell(b, &m);
}

/* `from` NULL: the driver. */
static void tell_fetch(struct bench *b, uint32_t id, const char *from)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__Fetch fetch = QUERN__TO_EXECUTOR__FETCH__INIT, *list[] = { &fetch };

	fetch.broadcast = id;
	fetch.executor_id = (char *)(uintptr_t)from;
	fetch.address = from != NULL ? (char *)(uintptr_t) "10.0.0.2" : NULL;
	fetch.has_port = from != NULL;
	fetch.port = 99;
	m.n_fetch = 1;
	m.fetch = list;
	tell(b, &m);
}

static void fetched(struct bench *b, uint32_t id, const char *error)
{
	step(b, (struct exec_event){
			.kind = EXEC_EV_FETCHED, .u.fetched = { .broadcast = id, .error = error } });
	step(b, (struct exec_event){ .kind = EXEC_EV_FLUSH });
}

/* Stage 1. `version` of the table 0: none; `slots` 0: unsaid. */
static void give(struct bench *b, uint32_t partition, uint32_t version, uint32_t slots)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Task task = QUERN__TASK__INIT, *tasks[] = { &task };

	task.stage = 1;
	task.partition = partition;
	task.has_broadcasts_version = version > 0;
	task.broadcasts_version = version;
	task.has_slots = slots > 0;
	task.slots = slots;
	m.tasks = tasks;
	m.n_tasks = 1;
	tell(b, &m);
}

static void done(struct bench *b, uint32_t partition)
{
	Quern__TaskResult *r = malloc(sizeof(*r));

	assert_non_null(r);
	quern__task_result__init(r);
	r->stage = 1;
	r->partition = partition;
	r->state = QUERN__TASK_RESULT__STATE__DONE;
	step(b, (struct exec_event){ .kind = EXEC_EV_RESULT, .u.result = r });
	step(b, (struct exec_event){ .kind = EXEC_EV_FLUSH });
}

static void open_bench(struct bench *b, uint32_t slots)
{
	const struct exec_config config = { .executor_id = "e1",
		.framework_id = "f1",
		.shuffle_dir = "/sandbox/shuffle",
		.machine = "m1",
		.address = "10.0.0.1" };

	*b = (struct bench){ .now = 1000 };
	assert_int_equal(exec_new(&config, &b->core), 0);
	subscribed(b);
	link_up(b);
	lease(b, "lease-0", slots);
	tell_stage(b, 1);
	b->len = 0;
}

static void close_bench(struct bench *b)
{
	b->core = exec_free(b->core);
}

#define IDS(...) ((const uint32_t[]){ __VA_ARGS__, 0 })

/* ---- Broadcasts ---- */

static void a_task_waits_for_all_of_them(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	tell_table(&b, 2, IDS(1, 2));
	assert_trace(&b, "wants 1\nwants 2\n");
	give(&b, 0, 2, 0);
	assert_trace(&b, "");
	tell_fetch(&b, 1, NULL);
	tell_fetch(&b, 2, "e7");
	assert_trace(&b, "fetch 1, 10 bytes, 7\nfetch 2, 20 bytes, 14, from e7 at 10.0.0.2:99\n");
	fetched(&b, 2, NULL);
	assert_trace(&b, "has 2\n");
	fetched(&b, 1, NULL);
	assert_trace(&b, "has 1\nrun 1.0.0\n");
	give(&b, 1, 2, 0);
	assert_trace(&b, "run 1.1.0\n");
	close_bench(&b);
}

static void a_task_that_needs_none_does_not_wait(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	give(&b, 0, 0, 0);
	assert_trace(&b, "run 1.0.0\n");
	close_bench(&b);
}

static void a_table_that_is_too_old_is_asked_for_once(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	tell_table(&b, 1, IDS(1));
	tell_fetch(&b, 1, NULL);
	fetched(&b, 1, NULL);
	b.len = 0;
	give(&b, 0, 2, 0);
	assert_trace(&b, "need the table\n");
	give(&b, 1, 2, 0);
	assert_trace(&b, "");
	link_down(&b);
	link_up(&b);
	assert_trace(&b, "has 1\nneed the table\n");
	tell_table(&b, 1, IDS(1)); /* late */
	assert_trace(&b, "");
	tell_table(&b, 3, IDS(1));
	assert_trace(&b, "run 1.0.0\nrun 1.1.0\n");
	close_bench(&b);
}

static void what_is_not_in_the_table_goes(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	tell_table(&b, 3, IDS(1, 2, 3));
	tell_fetch(&b, 1, NULL);
	tell_fetch(&b, 2, NULL);
	fetched(&b, 1, NULL);
	b.len = 0;
	give(&b, 0, 3, 0);
	tell_table(&b, 4, IDS(1));
	assert_trace(&b, "forget 2\nforget 3\nrun 1.0.0\n");
	fetched(&b, 2, NULL); /* nobody asked for it */
	tell_fetch(&b, 3, NULL);
	assert_trace(&b, "");
	tell_table(&b, 5, IDS(0));
	assert_trace(&b, "forget 1\n");
	close_bench(&b);
}

static void what_cannot_be_had_is_asked_for_again_and_fails_in_the_end(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 1);
	tell_table(&b, 1, IDS(1));
	give(&b, 0, 1, 0);
	give(&b, 1, 1, 0);
	give(&b, 2, 0, 0); /* needs nothing */
	tell_fetch(&b, 1, "e7");
	b.len = 0;
	fetched(&b, 1, "no");
	assert_trace(&b, "wants 1, not from 'e7': no\n");
	for (int i = 0; i < 2; i++) {
		tell_fetch(&b, 1, NULL);
		fetched(&b, 1, "no");
		assert_trace(&b, "fetch 1, 10 bytes, 7\nwants 1, not from '': no\n");
	}
	tell_fetch(&b, 1, NULL);
	fetched(&b, 1, "never");
	assert_trace(&b, "fetch 1, 10 bytes, 7\nfailed 1.0.0: never\nfailed 1.1.0: never\n");
	give(&b, 3, 1, 0); /* the next one begins anew */
	assert_trace(&b, "wants 1\n");
	tell_fetch(&b, 1, NULL);
	fetched(&b, 1, NULL);
	assert_trace(&b, "fetch 1, 10 bytes, 7\nhas 1\n");
	done(&b, 2);
	assert_trace(&b, "run 1.3.0\ndone 1.2.0\n");
	close_bench(&b);
}

static void a_new_link_hears_everything_but_what_is_coming(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 1);
	tell_table(&b, 1, IDS(1, 2, 3));
	tell_fetch(&b, 1, NULL);
	tell_fetch(&b, 2, NULL);
	fetched(&b, 1, NULL);
	link_down(&b);
	b.len = 0;
	tell_fetch(&b, 2, "e7"); /* it is coming */
	link_up(&b);
	assert_trace(&b, "has 1\nwants 3\n");
	fetched(&b, 2, "no");
	assert_trace(&b, "wants 2, not from '': no\n");
	link_down(&b);
	tell_fetch(&b, 2, "e7");
	b.len = 0;
	fetched(&b, 2, NULL);
	assert_trace(&b, "");
	link_up(&b);
	assert_trace(&b, "has 1\nhas 2\nwants 3\n");
	close_bench(&b);
}

/* ---- Slots ---- */

static void a_task_takes_its_slots(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 4);
	give(&b, 0, 0, 3);
	give(&b, 1, 0, 0);
	give(&b, 2, 0, 2);
	give(&b, 3, 0, 1);
	assert_trace(&b, "run 1.0.0\nrun 1.1.0\n"); /* in order: the last one does not pass by */
	done(&b, 1);
	assert_trace(&b, "done 1.1.0\n");
	done(&b, 0);
	assert_trace(&b, "run 1.2.0\nrun 1.3.0\ndone 1.0.0\n");
	close_bench(&b);
}

static void a_lease_that_ends_takes_its_tasks_along(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 3);
	lease(&b, "lease-1", 2);
	give(&b, 0, 0, 2);
	give(&b, 1, 0, 3);
	give(&b, 2, 0, 4); /* waits */
	b.len = 0;
	end_lease(&b, "lease-1");
	assert_trace(&b, "kill 1.1.0\n"); /* the newest, which is enough */
	step(&b, (struct exec_event){ .kind = EXEC_EV_FLUSH });
	assert_trace(&b, "killed 1.2.0: killed as asked\n"); /* could never run here any more */
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_waits_for_all_of_them),
		cmocka_unit_test(a_task_that_needs_none_does_not_wait),
		cmocka_unit_test(a_table_that_is_too_old_is_asked_for_once),
		cmocka_unit_test(what_is_not_in_the_table_goes),
		cmocka_unit_test(what_cannot_be_had_is_asked_for_again_and_fails_in_the_end),
		cmocka_unit_test(a_new_link_hears_everything_but_what_is_coming),
		cmocka_unit_test(a_task_takes_its_slots),
		cmocka_unit_test(a_lease_that_ends_takes_its_tasks_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
