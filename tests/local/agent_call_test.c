/* What executors say: subscribing again, messages, and calls that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/local/agent_kit_calls.h"

static void messages_go_both_ways(void **state)
{
	struct kit *k = *state;
	struct kit_call c;

	assert_string_equal(kit_message(k, "e1", "ping"), "event 5 MESSAGE \"ping\"\n");
	assert_string_equal(kit_message(k, "e9", "ping"), "");
	kit_call_init(&c, MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE, "f1", "e1");
	c.message.data = (ProtobufCBinaryData){ .data = (uint8_t *)"pong", .len = 4 };
	c.call.message = &c.message;
	assert_string_equal(kit_call_send(k, 99, &c), "reply 99 202\n"
						      "message e1 \"pong\"\n");
}

static const char *bare_call(
	struct kit *k, Mesos__V1__Executor__Call__Type type, const char *framework, const char *executor)
{
	struct kit_call c;

	kit_call_init(&c, type, framework, executor);
	kit_call_update(&c, 0, (struct kit_status){ "t1", S(RUNNING), 7 });
	c.call.subscribe = &c.subscribe;
	c.call.update = &c.updates[0];
	c.call.message = &c.message;
	return kit_call_send(k, 9, &c);
}

static void calls_of_strangers_are_refused(void **state)
{
	struct kit *k = *state;
	static const Mesos__V1__Executor__Call__Type types[] = {
		MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE,
		MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE,
		MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_string_equal(
			bare_call(k, types[i], "f9", "e1"), "reply 9 400 \"Framework cannot be found\"\n");
		assert_string_equal(
			bare_call(k, types[i], "f1", "e9"), "reply 9 400 \"Executor cannot be found\"\n");
	}
}

static void who_has_not_subscribed_may_not_speak(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	assert_string_equal(bare_call(k, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE, "f1", "e1"),
		"reply 9 403 \"Executor is not subscribed\"\n");
	assert_string_equal(bare_call(k, MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE, "f1", "e1"),
		"reply 9 403 \"Executor is not subscribed\"\n");
}

static void half_a_call_is_refused(void **state)
{
	struct kit *k = *state;
	struct kit_call c;

	kit_call_init(&c, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE, "f1", "e1");
	assert_string_equal(kit_call_send(k, 9, &c), "reply 9 400 \"Expecting 'subscribe' to be present\"\n");
	c.call.type = MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE;
	assert_string_equal(kit_call_send(k, 9, &c), "reply 9 400 \"Expecting 'update' to be present\"\n");
	c.call.type = MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE;
	assert_string_equal(kit_call_send(k, 9, &c), "reply 9 400 \"Expecting 'message' to be present\"\n");
	static const struct kit_status without_uuid[] = { { "t1", S(RUNNING), 0 }, { NULL, S(RUNNING), 0 } };
	assert_string_equal(kit_subscribe_with(k, 9, NULL, without_uuid),
		"reply 9 400 \"Expecting 'uuid' to be present\"\n");
	assert_string_equal(
		kit_update(k, "t1", S(RUNNING), 0), "reply 99 400 \"Expecting 'uuid' to be present\"\n");
}

static void a_second_subscription_replaces_the_first(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	assert_string_equal(kit_subscribe(k, 6), "close 5\n"
						 "reply 6 200\n"
						 "event 6 SUBSCRIBED\n");
	assert_string_equal(kit_closed(k, 5), "");
	assert_string_equal(kit_run(k, "e1", "t2"), "event 6 LAUNCH t2\n");
}

static void tasks_wait_while_the_stream_is_away(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	assert_string_equal(kit_closed(k, 5), "");
	assert_string_equal(kit_run(k, "e1", "t2"), "");
	assert_string_equal(kit_kill(k, "t1"), ""); /* lost, as in Mesos */
	assert_string_equal(kit_update(k, "t1", S(FINISHED), 8), "reply 99 202\n");
	assert_string_equal(kit_subscribe(k, 6), "reply 6 200\n"
						 "event 6 SUBSCRIBED\n"
						 "event 6 LAUNCH t2\n");
}

static void a_subscription_brings_what_was_not_acknowledged(void **state)
{
	struct kit *k = *state;
	static const struct kit_status updates[] = {
		{ "t1", S(RUNNING), 7 },
		{ "t1", S(FINISHED), 8 },
		{ NULL, S(RUNNING), 0 },
	};

	(void)kit_update(k, "t1", S(RUNNING), 7); /* its ACKNOWLEDGED was lost with the stream */
	(void)kit_closed(k, 5);
	assert_string_equal(kit_subscribe_with(k, 6, "t1", updates), "reply 6 200\n"
								     "event 6 SUBSCRIBED\n"
								     "event 6 ACKNOWLEDGED t1 uuid=7\n"
								     "event 6 ACKNOWLEDGED t1 uuid=8\n");
	assert_string_equal(
		kit_acknowledge(k, "t1", 7), "update t1 TASK_FINISHED uuid=8 latest=TASK_FINISHED\n");
}

static void a_launch_that_was_lost_drops_the_task(void **state)
{
	struct kit *k = *state;

	(void)kit_closed(k, 5);
	assert_string_equal(kit_subscribe(k, 6),
		"reply 6 200\n"
		"event 6 SUBSCRIBED\n"
		"update t1 TASK_DROPPED REASON_AGENT_RESTARTED \"Task launched during agent restart\" "
		"uuid=own latest=TASK_DROPPED\n");
}

static void a_launch_that_arrived_is_no_loss(void **state)
{
	struct kit *k = *state;

	(void)kit_closed(k, 5);
	assert_string_equal(kit_subscribe_with(k, 6, "t1", NULL), "reply 6 200\n"
								  "event 6 SUBSCRIBED\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(messages_go_both_ways, kit_setup_running),
		KIT_TEST(calls_of_strangers_are_refused, kit_setup_running),
		KIT_TEST(who_has_not_subscribed_may_not_speak, kit_setup_registered),
		KIT_TEST(half_a_call_is_refused, kit_setup_running),
		KIT_TEST(a_second_subscription_replaces_the_first, kit_setup_running),
		KIT_TEST(tasks_wait_while_the_stream_is_away, kit_setup_running),
		KIT_TEST(a_subscription_brings_what_was_not_acknowledged, kit_setup_running),
		KIT_TEST(a_launch_that_was_lost_drops_the_task, kit_setup_running),
		KIT_TEST(a_launch_that_arrived_is_no_loss, kit_setup_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
