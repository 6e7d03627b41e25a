/* core_kit.h: drives the executor's core: events of the agent and of the link go in, and what its plans say
 * is noted, a line for each action that the test cares for. Include cmocka before it. */
#ifndef QUERN_TESTS_EXECUTOR_CORE_KIT_H
#define QUERN_TESTS_EXECUTOR_CORE_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "executor/core.h"
#include "tests/one_branch.h"

struct bench {
	struct exec *core;
	uint64_t now;
	struct buf trace;      /* what was said since the last kit_assert_trace() */
	uint8_t last_uuid[16]; /* of the last update that left, where the test notes them */
	char last_task[64];
	Quern__TaskResult *last_status; /* the data of that update, if it had any */
};

/* ---- Traces ---- */

/* The test's own: what it says of an action, by kit_note(). */
static void note_action(struct bench *b, const struct exec_action *a);

__attribute__((format(printf, 2, 3))) static inline void kit_note(struct bench *b, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(text));
	assert_int_equal(buf_add(&b->trace, text, (size_t)n), 0);
}

/* What was said since the last call. */
#define kit_assert_trace(b, text)                                                                            \
	do {                                                                                                 \
		assert_int_equal(buf_add(&(b)->trace, "", 1), 0);                                            \
		assert_string_equal((const char *)(b)->trace.data, text);                                    \
		buf_clear(&(b)->trace);                                                                      \
	} while (0)

static inline void kit_step(struct bench *b, struct exec_event ev)
{
	struct exec_plan plan = { 0 };

	ev.now_ms = b->now;
	assert_int_equal(exec_step(b->core, &ev, &plan), 0);
	for (size_t i = 0; i < plan.n; i++)
		note_action(b, &plan.at[i]);
	exec_plan_deinit(&plan);
}

/* ---- Set-up ---- */

static inline struct exec_config kit_config(void)
{
	return (struct exec_config){ .executor_id = "e1",
		.framework_id = "f1",
		.shuffle_dir = "/sandbox/shuffle",
		.machine = "m1",
		.address = "10.0.0.1" };
}

static inline void kit_open(struct bench *b, const struct exec_config *config)
{
	*b = (struct bench){ .now = 1000, .trace = BUF_INIT(16 << 20) };
	assert_int_equal(exec_new(config, &b->core), 0);
}

static inline void kit_close(struct bench *b)
{
	b->core = exec_free(b->core);
	buf_deinit(&b->trace);
	if (b->last_status != NULL)
		quern__task_result__free_unpacked(b->last_status, NULL);
	b->last_status = NULL;
}

/* ---- Events of the agent ---- */

static inline void kit_mesos(
	struct bench *b, Mesos__V1__Executor__Event *e, Mesos__V1__Executor__Event__Type type)
{
	e->has_type = 1;
	e->type = type;
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_MESOS, .u.mesos = e });
}

/* `cache_memory` 0: unsaid. */
static inline void kit_subscribed(struct bench *b, uint64_t cache_memory)
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
	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED);
}

static inline void kit_launch(struct bench *b, const char *id, const void *data, size_t len)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Launch l = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;
	Mesos__V1__TaskInfo t = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

	task_id.value = (char *)(uintptr_t)id;
	agent_id.value = (char *)(uintptr_t) "a1";
	t.name = task_id.value;
	t.task_id = &task_id;
	t.agent_id = &agent_id;
	t.has_data = 1;
	t.data = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)data, .len = len };
	l.task = &t;
	e.launch = &l;
	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH);
}

static inline void kit_lease(struct bench *b, const char *id, uint32_t slots)
{
	Quern__TaskData d = QUERN__TASK_DATA__INIT;
	Quern__Lease l = QUERN__LEASE__INIT;
	uint8_t bytes[64];

	l.slots = slots;
	d.lease = &l;
	kit_launch(b, id, bytes, quern__task_data__pack(&d, bytes));
}

/* A fine task, or a lease. */
static inline void kit_kill(struct bench *b, const char *id)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Kill k = MESOS__V1__EXECUTOR__EVENT__KILL__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;

	task_id.value = (char *)(uintptr_t)id;
	k.task_id = &task_id;
	e.kill = &k;
	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__KILL);
}

/* ---- Events of the link ---- */

static inline void kit_link_up(struct bench *b)
{
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_LINK_UP });
}

static inline void kit_link_down(struct bench *b, const char *why)
{
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = why });
}

static inline void kit_flush(struct bench *b)
{
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_FLUSH });
}

static inline void kit_tell(struct bench *b, const Quern__ToExecutor *m)
{
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = m });
}

/* A text stage without steps, for the test to change before it tells of it. */
struct kit_stage {
	Quern__Stage stage;
	struct one_branch from;
	Quern__Sink sink;
};

static inline void kit_stage_init(struct kit_stage *s, uint32_t id)
{
	quern__stage__init(&s->stage);
	quern__sink__init(&s->sink);
	one_branch_init(&s->from, &s->stage);
	s->stage.id = id;
	s->stage.sink = &s->sink;
}

static inline void kit_tell_stage(struct bench *b, struct kit_stage *s)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__StageInfo info = QUERN__TO_EXECUTOR__STAGE_INFO__INIT;

	info.stage = &s->stage;
	m.stage = &info;
	kit_tell(b, &m);
}

static inline Quern__Task kit_task(uint32_t stage, uint32_t partition, uint32_t attempt)
{
	Quern__Task t = QUERN__TASK__INIT;

	t.stage = stage;
	t.partition = partition;
	t.attempt = attempt;
	return t;
}

static inline void kit_give(struct bench *b, Quern__Task *tasks, size_t n)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Task *list[64];

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++)
		list[i] = &tasks[i];
	m.tasks = list;
	m.n_tasks = n;
	kit_tell(b, &m);
}

/* ---- Results ---- */

/* For kit_give_result(). */
static inline Quern__TaskResult *kit_result(
	uint32_t stage, uint32_t partition, uint32_t attempt, Quern__TaskResult__State state)
{
	Quern__TaskResult *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	quern__task_result__init(r);
	r->stage = stage;
	r->partition = partition;
	r->attempt = attempt;
	r->state = state;
	return r;
}

/* Takes the result. */
static inline void kit_give_result(struct bench *b, Quern__TaskResult *r)
{
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_RESULT, .u.result = r });
}

#endif
