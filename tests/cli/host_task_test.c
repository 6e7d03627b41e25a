/* The task that hosts a driver: what the agent has not taken is said again, and an end is an end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/host_task.h"

#define STATE(name) MESOS__V1__TASK_STATE__TASK_##name

static void launch(struct host_task *t, int expected)
{
	Mesos__V1__TaskInfo info = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;

	id.value = (char *)(uintptr_t) "driver";
	agent.value = (char *)(uintptr_t) "a";
	info.name = (char *)(uintptr_t) "driver";
	info.task_id = &id;
	info.agent_id = &agent;
	assert_int_equal(host_task_launch(t, &info), expected);
}

/* What would be said at a subscription now; to be freed. */
static Mesos__V1__Executor__Call *subscription(const struct host_task *t)
{
	struct buf bytes = BUF_INIT(1 << 20);

	assert_int_equal(host_task_subscribe(t, &bytes), 0);
	Mesos__V1__Executor__Call *c = mesos__v1__executor__call__unpack(NULL, bytes.len, bytes.data);
	buf_deinit(&bytes);
	assert_non_null(c);
	assert_int_equal(c->type, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE);
	assert_string_equal(c->framework_id->value, "framework");
	assert_string_equal(c->executor_id->value, "driver");
	return c;
}

static void assert_unknown(const struct host_task *t, size_t tasks, size_t updates)
{
	Mesos__V1__Executor__Call *c = subscription(t);

	assert_int_equal(c->subscribe->n_unacknowledged_tasks, tasks);
	assert_int_equal(c->subscribe->n_unacknowledged_updates, updates);
	mesos__v1__executor__call__free_unpacked(c, NULL);
}

static void acknowledged(struct host_task *t, size_t i)
{
	const ProtobufCBinaryData uuid = { .data = t->updates[i].uuid, .len = sizeof(t->updates[i].uuid) };

	host_task_acknowledged(t, &uuid);
}

static void what_is_not_known_is_said_again(void **state)
{
	struct host_task t = { .framework_id = "framework", .executor_id = "driver" };
	(void)state;

	assert_unknown(&t, 0, 0);
	assert_int_equal(host_task_update(&t, STATE(RUNNING), NULL, 1, 0), -EINVAL);
	launch(&t, 0);
	launch(&t, -EEXIST);
	assert_unknown(&t, 1, 0);
	assert_int_equal(host_task_update(&t, STATE(RUNNING), NULL, 1, 5.5), 0);
	assert_unknown(&t, 1, 1);
	acknowledged(&t, 0);
	assert_unknown(&t, 0, 0);
	assert_false(host_task_over(&t));
	assert_int_equal(host_task_update(&t, STATE(FAILED), "it broke", 2, 6.5), 0);
	assert_unknown(&t, 0, 1);
	assert_false(host_task_over(&t));
	assert_int_equal(host_task_update(&t, STATE(FINISHED), NULL, 3, 7), -EINVAL);
	acknowledged(&t, 1);
	assert_true(host_task_over(&t));
	assert_unknown(&t, 0, 0);
	host_task_deinit(&t);
}

static void an_update_says_everything(void **state)
{
	struct host_task t = { .framework_id = "framework", .executor_id = "driver" };
	struct buf bytes = BUF_INIT(1 << 20);
	(void)state;

	launch(&t, 0);
	assert_int_equal(host_task_update(&t, STATE(FAILED), "it broke", 2, 6.5), 0);
	assert_int_equal(host_task_update_call(&t, 0, &bytes), 0);
	Mesos__V1__Executor__Call *c = mesos__v1__executor__call__unpack(NULL, bytes.len, bytes.data);
	const Mesos__V1__TaskStatus *s = c->update->status;
	assert_int_equal(c->type, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE);
	assert_string_equal(s->task_id->value, "driver");
	assert_string_equal(s->executor_id->value, "driver");
	assert_int_equal(s->state, STATE(FAILED));
	assert_string_equal(s->message, "it broke");
	assert_int_equal(s->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
	assert_true(s->timestamp == 6.5);
	assert_int_equal(s->uuid.len, 16);
	mesos__v1__executor__call__free_unpacked(c, NULL);
	buf_deinit(&bytes);

	const ProtobufCBinaryData wrong = { .data = (uint8_t[16]){ 0 }, .len = 16 };
	host_task_acknowledged(&t, &wrong);
	assert_false(host_task_over(&t));
	host_task_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_is_said_again),
		cmocka_unit_test(an_update_says_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
