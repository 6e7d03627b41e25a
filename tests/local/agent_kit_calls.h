/* agent_kit_calls.h: what executors say to their agent, in a test. */
#ifndef QUERN_TESTS_LOCAL_AGENT_KIT_CALLS_H
#define QUERN_TESTS_LOCAL_AGENT_KIT_CALLS_H

#include "tests/local/agent_kit.h"

enum { KIT_UPDATES_MAX = 8 };

/* A call with everything that a test may want in it. */
struct kit_call {
	Mesos__V1__Executor__Call call;
	Mesos__V1__FrameworkID framework;
	Mesos__V1__ExecutorID executor;
	Mesos__V1__Executor__Call__Subscribe subscribe;
	Mesos__V1__Executor__Call__Message message;
	Mesos__V1__Executor__Call__Update updates[KIT_UPDATES_MAX], *update_list[KIT_UPDATES_MAX];
	Mesos__V1__TaskStatus statuses[KIT_UPDATES_MAX];
	Mesos__V1__TaskID ids[KIT_UPDATES_MAX];
	uint8_t uuids[KIT_UPDATES_MAX][16];
	Mesos__V1__TaskInfo task, *task_list[1];
	Mesos__V1__TaskID task_id;
	Mesos__V1__AgentID agent;
};

static inline void kit_call_init(
	struct kit_call *c, Mesos__V1__Executor__Call__Type type, const char *framework, const char *executor)
{
	*c = (struct kit_call){
		.call = MESOS__V1__EXECUTOR__CALL__INIT,
		.framework = MESOS__V1__FRAMEWORK_ID__INIT,
		.executor = MESOS__V1__EXECUTOR_ID__INIT,
		.subscribe = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT,
		.message = MESOS__V1__EXECUTOR__CALL__MESSAGE__INIT,
		.task = MESOS__V1__TASK_INFO__INIT,
		.task_id = MESOS__V1__TASK_ID__INIT,
		.agent = MESOS__V1__AGENT_ID__INIT,
	};
	c->framework.value = (char *)framework;
	c->executor.value = (char *)executor;
	c->call.framework_id = &c->framework;
	c->call.executor_id = &c->executor;
	c->call.has_type = 1;
	c->call.type = type;
}

/* Fills in update i; uuid 0: it has none. */
static inline void kit_call_update(struct kit_call *c, size_t i, struct kit_status s)
{
	Mesos__V1__Executor__Call__Update *u = &c->updates[i];
	Mesos__V1__TaskStatus *status = &c->statuses[i];

	*u = (Mesos__V1__Executor__Call__Update)MESOS__V1__EXECUTOR__CALL__UPDATE__INIT;
	*status = (Mesos__V1__TaskStatus)MESOS__V1__TASK_STATUS__INIT;
	c->ids[i] = (Mesos__V1__TaskID)MESOS__V1__TASK_ID__INIT;
	c->ids[i].value = (char *)s.task;
	memset(c->uuids[i], s.uuid, sizeof(c->uuids[i]));
	status->task_id = &c->ids[i];
	status->state = s.state;
	status->has_source = 1;
	status->source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status->has_uuid = s.uuid != 0;
	status->uuid = (ProtobufCBinaryData){ .data = c->uuids[i], .len = sizeof(c->uuids[i]) };
	u->status = status;
	c->update_list[i] = u;
}

static inline const char *kit_call_send(struct kit *k, uint64_t conn, const struct kit_call *c)
{
	struct agent_event ev = { .kind = AGENT_EV_CALL, .u.call = { .conn = conn, .call = &c->call } };
	return kit_step(k, &ev);
}

/* SUBSCRIBE of e1, with a task that it has heard of (NULL: none) and updates up to one without a task. */
static inline const char *kit_subscribe_with(
	struct kit *k, uint64_t conn, const char *task, const struct kit_status *updates)
{
	struct kit_call c;

	kit_call_init(&c, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE, "f1", "e1");
	c.call.subscribe = &c.subscribe;
	if (task != NULL) {
		c.agent.value = (char *)AGENT_ID;
		c.task_id.value = c.task.name = (char *)task;
		c.task.task_id = &c.task_id;
		c.task.agent_id = &c.agent;
		c.task_list[0] = &c.task;
		c.subscribe.unacknowledged_tasks = c.task_list;
		c.subscribe.n_unacknowledged_tasks = 1;
	}
	c.subscribe.unacknowledged_updates = c.update_list;
	for (size_t i = 0; updates != NULL && updates[i].task != NULL; i++) {
		kit_call_update(&c, i, updates[i]);
		c.subscribe.n_unacknowledged_updates++;
	}
	return kit_call_send(k, conn, &c);
}

static inline const char *kit_subscribe(struct kit *k, uint64_t conn)
{
	return kit_subscribe_with(k, conn, NULL, NULL);
}

/* An update of e1's, on connection 99. */
static inline const char *kit_update(
	struct kit *k, const char *task, Mesos__V1__TaskState state, uint8_t uuid)
{
	struct kit_call c;

	kit_call_init(&c, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE, "f1", "e1");
	kit_call_update(&c, 0, (struct kit_status){ task, state, uuid });
	c.call.update = &c.updates[0];
	return kit_call_send(k, 99, &c);
}

/* ---- Life ---- */

static inline int kit_setup(void **state)
{
	static const struct agent_config config = {
		.hostname = "agent1",
		.ip = "127.0.0.1",
		.port = 5051,
		.resources = "cpus:4;mem:4096",
		.work_dir = WORK_DIR,
		.seed = 1,
	};
	struct kit *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->now = 1000000;
	k->partition_aware = true;
	assert_int_equal(agent_new(&config, &k->agent, NULL), 0);
	*state = k;
	return 0;
}

/* ... and registered. */
static inline int kit_setup_registered(void **state)
{
	(void)kit_setup(state);
	(void)kit_simple(*state, AGENT_EV_LINK_UP);
	(void)kit_registered(*state);
	return 0;
}

/* ... and with executor e1, subscribed on connection 5, which has got task t1. */
static inline int kit_setup_running(void **state)
{
	(void)kit_setup_registered(state);
	(void)kit_run(*state, "e1", "t1");
	(void)kit_container(*state, AGENT_EV_STARTED, 0, NULL);
	(void)kit_subscribe(*state, 5);
	return 0;
}

static inline int kit_teardown(void **state)
{
	struct kit *k = *state;

	agent_plan_deinit(&k->plan);
	(void)agent_free(k->agent);
	free(k);
	return 0;
}

#define KIT_TEST(f, setup) cmocka_unit_test_setup_teardown(f, setup, kit_teardown)
#define S(state)           MESOS__V1__TASK_STATE__TASK_##state

#endif
