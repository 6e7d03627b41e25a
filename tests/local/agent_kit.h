/* agent_kit.h: an agent's core in a test: its events as functions, its plan as text, one line per action.
 *
 *   register t1:TASK_RUNNING | e1 | f1      tasks, executors, frameworks that it lists
 *   update t1 TASK_FAILED REASON_... "words" uuid=7 latest=TASK_FAILED      uuid=own: made by the agent; no
 * uuid: - exited e1 768, message e1 "data", unregister reply 5 400 "words", event 5 LAUNCH t1, close 5,
 * start, kill 9, remove, stopped */
#ifndef QUERN_TESTS_LOCAL_AGENT_KIT_H
#define QUERN_TESTS_LOCAL_AGENT_KIT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/agent.h"
#include "local/cluster.pb-c.h"

#define AGENT_ID "m-S1"
#define WORK_DIR "/work"

struct kit {
	struct agent *agent;
	struct agent_plan plan;
	uint64_t now;
	char text[16384];
	char container[64], path[512]; /* of the last start */
	bool partition_aware, checkpoint;
	Mesos__V1__DurationInfo *grace; /* of executors; NULL: the agent's */
	void (*arm)(bool on); /* around each step; NULL: none. Then steps may fail, and the first that does is
				 the last */
	bool failed;
};

/* The description of a status update in a test; uuid 0: none. */
struct kit_status {
	const char *task;
	Mesos__V1__TaskState state;
	uint8_t uuid;
};

/* ---- The plan as text ---- */

__attribute__((format(printf, 2, 3))) static inline void kit_say(struct kit *k, const char *format, ...)
{
	size_t at = strlen(k->text);
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(k->text + at, sizeof(k->text) - at, format, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof(k->text) - at - 1);
}

static inline const char *kit_state(Mesos__V1__TaskState state)
{
	return protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state)->name;
}

static inline void kit_say_uuid(struct kit *k, const Mesos__V1__TaskStatus *s)
{
	bool test = s->has_uuid && s->uuid.len == 16;

	for (size_t i = 1; test && i < 16; i++)
		test = s->uuid.data[i] == s->uuid.data[0];
	if (!s->has_uuid)
		kit_say(k, " -");
	else if (test)
		kit_say(k, " uuid=%u", s->uuid.data[0]);
	else
		kit_say(k, " uuid=own");
}

static inline void kit_say_update(struct kit *k, const Quern__Local__ToMaster__Update *u)
{
	const Mesos__V1__TaskStatus *s = u->status;

	assert_non_null(s->agent_id);
	assert_string_equal(s->agent_id->value, AGENT_ID);
	kit_say(k, "update %s %s", s->task_id->value, kit_state(s->state));
	if (s->has_reason)
		kit_say(k, " %s",
			protobuf_c_enum_descriptor_get_value(
				&mesos__v1__task_status__reason__descriptor, (int)s->reason)
				->name);
	if (s->message != NULL)
		kit_say(k, " \"%s\"", s->message);
	kit_say_uuid(k, s);
	assert_true(u->has_latest_state);
	kit_say(k, " latest=%s\n", kit_state(u->latest_state));
}

static inline void kit_say_register(struct kit *k, const Quern__Local__ToMaster__Register *r)
{
	assert_int_equal(r->n_tasks, r->n_task_infos);
	kit_say(k, "register");
	for (size_t i = 0; i < r->n_tasks; i++) {
		assert_string_equal(r->tasks[i]->task_id->value, r->task_infos[i]->task_id->value);
		kit_say(k, " %s:%s", r->tasks[i]->task_id->value, kit_state(r->tasks[i]->state));
	}
	kit_say(k, " |");
	for (size_t i = 0; i < r->n_executors; i++)
		kit_say(k, " %s", r->executors[i]->executor_id->value);
	kit_say(k, " |");
	for (size_t i = 0; i < r->n_frameworks; i++)
		kit_say(k, " %s", r->frameworks[i]->id->value);
	kit_say(k, "\n");
}

static inline void kit_say_master(struct kit *k, const struct agent_action *x)
{
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, x->len, x->data);

	assert_non_null(m);
	if (m->register_ != NULL)
		kit_say_register(k, m->register_);
	if (m->update != NULL)
		kit_say_update(k, m->update);
	if (m->executor_exited != NULL)
		kit_say(k, "exited %s %d\n", m->executor_exited->executor_id->value,
			m->executor_exited->status);
	if (m->message != NULL)
		kit_say(k, "message %s \"%.*s\"\n", m->message->executor_id->value, (int)m->message->data.len,
			(const char *)m->message->data.data);
	if (m->has_unregister)
		kit_say(k, "unregister\n");
	quern__local__to_master__free_unpacked(m, NULL);
}

static inline void kit_say_event(struct kit *k, const struct agent_action *x)
{
	Mesos__V1__Executor__Event *e = mesos__v1__executor__event__unpack(NULL, x->len, x->data);

	assert_non_null(e);
	kit_say(k, "event %d %s", (int)x->conn,
		protobuf_c_enum_descriptor_get_value(
			&mesos__v1__executor__event__type__descriptor, (int)e->type)
			->name);
	if (e->launch != NULL)
		kit_say(k, " %s", e->launch->task->task_id->value);
	if (e->kill != NULL)
		kit_say(k, " %s", e->kill->task_id->value);
	if (e->acknowledged != NULL)
		kit_say(k, " %s uuid=%u", e->acknowledged->task_id->value, e->acknowledged->uuid.data[0]);
	if (e->message != NULL)
		kit_say(k, " \"%.*s\"", (int)e->message->data.len, (const char *)e->message->data.data);
	kit_say(k, "\n");
	mesos__v1__executor__event__free_unpacked(e, NULL);
}

static inline void kit_say_action(struct kit *k, const struct agent_action *x)
{
	switch (x->kind) {
	case AGENT_DO_MASTER:
		kit_say_master(k, x);
		break;
	case AGENT_DO_REPLY:
		kit_say(k, "reply %d %d", (int)x->conn, x->status);
		kit_say(k, x->text != NULL ? " \"%s\"\n" : "%s\n", x->text != NULL ? x->text : "");
		break;
	case AGENT_DO_EVENT:
		kit_say_event(k, x);
		break;
	case AGENT_DO_CLOSE:
		kit_say(k, "close %d\n", (int)x->conn);
		break;
	case AGENT_DO_START:
		(void)snprintf(k->container, sizeof(k->container), "%s", x->container);
		(void)snprintf(k->path, sizeof(k->path), "%s", x->path);
		kit_say(k, "start\n");
		break;
	case AGENT_DO_KILL:
		assert_string_equal(x->container, k->container);
		kit_say(k, "kill %d\n", x->status);
		break;
	case AGENT_DO_REMOVE:
		assert_string_equal(x->path, k->path);
		kit_say(k, "remove\n");
		break;
	case AGENT_DO_STOPPED:
		kit_say(k, "stopped\n");
		break;
	}
}

/* ---- Steps: each returns the plan's text ---- */

static inline const char *kit_step(struct kit *k, struct agent_event *ev)
{
	ev->now_ms = k->now;
	agent_plan_reset(&k->plan);
	k->text[0] = '\0';
	if (k->failed)
		return k->text;
	if (k->arm != NULL)
		k->arm(true);
	int r = agent_step(k->agent, ev, &k->plan);
	if (k->arm != NULL)
		k->arm(false);
	k->failed = k->arm != NULL && r == -ENOMEM;
	assert_int_equal(r, k->failed ? -ENOMEM : 0);
	if (k->failed)
		return k->text;
	for (size_t i = 0; i < k->plan.n; i++)
		kit_say_action(k, &k->plan.at[i]);
	return k->text;
}

static inline const char *kit_simple(struct kit *k, enum agent_event_kind kind)
{
	struct agent_event ev = { .kind = kind };
	return kit_step(k, &ev);
}

static inline const char *kit_tick(struct kit *k, uint64_t now)
{
	k->now = now;
	return kit_simple(k, AGENT_EV_TICK);
}

static inline const char *kit_closed(struct kit *k, uint64_t conn)
{
	struct agent_event ev = { .kind = AGENT_EV_CLOSED, .u.conn = conn };
	return kit_step(k, &ev);
}

/* The last container: started, failed to start, ended. */
static inline const char *kit_container(
	struct kit *k, enum agent_event_kind kind, int status, const char *text)
{
	struct agent_event ev = {
		.kind = kind,
		.u.container = { .id = k->container, .pid = 4711, .status = status, .text = text },
	};
	return kit_step(k, &ev);
}

static inline const char *kit_master(struct kit *k, const Quern__Local__ToAgent *m)
{
	struct agent_event ev = { .kind = AGENT_EV_MASTER, .u.master = m };
	return kit_step(k, &ev);
}

/* What the tests' ids are made of: one string in a message of its own. */
#define KIT_ID(type, init, name, text)                                                                       \
	type name = init;                                                                                    \
	name.value = (char *)(text)

static inline const char *kit_registered(struct kit *k)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	KIT_ID(Mesos__V1__AgentID, MESOS__V1__AGENT_ID__INIT, id, AGENT_ID);

	m.registered = &id;
	return kit_master(k, &m);
}

static inline const char *kit_run_as(
	struct kit *k, const char *framework, const char *executor, const char *task)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Run run = QUERN__LOCAL__TO_AGENT__RUN__INIT;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__FrameworkInfo__Capability aware = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__INIT,
					     *capabilities[] = { &aware };
	Mesos__V1__TaskInfo t = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__ExecutorInfo e = MESOS__V1__EXECUTOR_INFO__INIT;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	Mesos__V1__Environment env = MESOS__V1__ENVIRONMENT__INIT;
	Mesos__V1__Environment__Variable lang = MESOS__V1__ENVIRONMENT__VARIABLE__INIT, *vars[] = { &lang };
	KIT_ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, fid, framework);
	KIT_ID(Mesos__V1__ExecutorID, MESOS__V1__EXECUTOR_ID__INIT, eid, executor);
	KIT_ID(Mesos__V1__TaskID, MESOS__V1__TASK_ID__INIT, tid, task);
	KIT_ID(Mesos__V1__AgentID, MESOS__V1__AGENT_ID__INIT, aid, AGENT_ID);

	aware.has_type = 1;
	aware.type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE;
	info.user = info.name = (char *)"nobody";
	info.id = &fid;
	info.has_checkpoint = info.checkpoint = k->checkpoint;
	info.capabilities = capabilities;
	info.n_capabilities = k->partition_aware ? 1 : 0;
	lang.name = (char *)"LANG";
	lang.value = (char *)"C.UTF-8";
	env.variables = vars;
	env.n_variables = 1;
	command.value = (char *)"exec recorder";
	command.environment = &env;
	e.executor_id = &eid;
	e.command = &command;
	e.shutdown_grace_period = k->grace;
	t.name = (char *)task;
	t.task_id = &tid;
	t.agent_id = &aid;
	t.executor = executor != NULL ? &e : NULL;
	run.framework = &info;
	run.task = &t;
	m.run = &run;
	return kit_master(k, &m);
}

static inline const char *kit_run(struct kit *k, const char *executor, const char *task)
{
	return kit_run_as(k, "f1", executor, task);
}

static inline const char *kit_kill(struct kit *k, const char *task)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Kill kill = QUERN__LOCAL__TO_AGENT__KILL__INIT;
	KIT_ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, fid, "f1");
	KIT_ID(Mesos__V1__TaskID, MESOS__V1__TASK_ID__INIT, tid, task);

	kill.framework_id = &fid;
	kill.task_id = &tid;
	m.kill = &kill;
	return kit_master(k, &m);
}

/* The framework has acknowledged the update with this uuid, or (NULL, `own`) one of the agent's own. */
static inline const char *kit_acknowledge_bytes(struct kit *k, const char *task, uint8_t *uuid, size_t len)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Acknowledge a = QUERN__LOCAL__TO_AGENT__ACKNOWLEDGE__INIT;
	KIT_ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, fid, "f1");
	KIT_ID(Mesos__V1__TaskID, MESOS__V1__TASK_ID__INIT, tid, task);

	a.framework_id = &fid;
	a.task_id = &tid;
	a.uuid = (ProtobufCBinaryData){ .data = uuid, .len = len };
	m.acknowledge = &a;
	return kit_master(k, &m);
}

static inline const char *kit_acknowledge(struct kit *k, const char *task, uint8_t uuid)
{
	uint8_t bytes[16];

	memset(bytes, uuid, sizeof(bytes));
	return kit_acknowledge_bytes(k, task, bytes, sizeof(bytes));
}

static inline const char *kit_shutdown_executor(struct kit *k, const char *executor)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__ShutdownExecutor s = QUERN__LOCAL__TO_AGENT__SHUTDOWN_EXECUTOR__INIT;
	KIT_ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, fid, "f1");
	KIT_ID(Mesos__V1__ExecutorID, MESOS__V1__EXECUTOR_ID__INIT, eid, executor);

	s.framework_id = &fid;
	s.executor_id = &eid;
	m.shutdown_executor = &s;
	return kit_master(k, &m);
}

static inline const char *kit_shutdown_framework(struct kit *k)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	KIT_ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, fid, "f1");

	m.shutdown_framework = &fid;
	return kit_master(k, &m);
}

static inline const char *kit_message(struct kit *k, const char *executor, const char *data)
{
	Quern__Local__ToAgent m = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Message message = QUERN__LOCAL__TO_AGENT__MESSAGE__INIT;
	KIT_ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, fid, "f1");
	KIT_ID(Mesos__V1__ExecutorID, MESOS__V1__EXECUTOR_ID__INIT, eid, executor);

	message.framework_id = &fid;
	message.executor_id = &eid;
	message.data = (ProtobufCBinaryData){ .data = (uint8_t *)data, .len = strlen(data) };
	m.message = &message;
	return kit_master(k, &m);
}

#endif
