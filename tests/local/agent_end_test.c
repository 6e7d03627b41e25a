/* How tasks, executors, frameworks and the agent end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>

#include "tests/local/agent_kit_calls.h"

#define EXITED_T1                                                                                            \
	"update t1 TASK_FAILED REASON_EXECUTOR_TERMINATED \"Executor terminated\" uuid=own "                 \
	"latest=TASK_FAILED\n"

/* Acknowledges the agent's own update in the last plan. */
static const char *acknowledge_own(struct kit *k, size_t action, const char *task)
{
	const struct agent_action *x = &k->plan.at[action];
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, x->len, x->data);
	uint8_t uuid[16];

	assert_non_null(m->update);
	assert_int_equal(m->update->status->uuid.len, sizeof(uuid));
	assert_string_equal(m->update->status->task_id->value, task);
	assert_int_equal(m->update->status->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT);
	assert_string_equal(m->update->status->executor_id->value, "e1");
	assert_true(m->update->status->has_timestamp);
	memcpy(uuid, m->update->status->uuid.data, sizeof(uuid));
	quern__local__to_master__free_unpacked(m, NULL);
	return kit_acknowledge_bytes(k, task, uuid, sizeof(uuid));
}

static void the_tasks_of_an_executor_that_ends_fail(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	(void)kit_acknowledge(k, "t1", 7);
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, 768, NULL),
		"close 5\n" EXITED_T1 "exited e1 768\n"
		"remove\n");
	assert_string_equal(acknowledge_own(k, 1, "t1"), "");
	assert_int_equal(agent_next_ms(k->agent), UINT64_MAX);
	/* All is forgotten: the same executor may start again. */
	assert_string_equal(kit_run(k, "e1", "t1"), "start\n");
}

static void what_was_said_before_the_end_is_still_delivered(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	(void)kit_update(k, "t1", S(FINISHED), 8);
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, 0, NULL), "close 5\n"
									"exited e1 0\n"
									"remove\n");
	assert_string_equal(
		kit_acknowledge(k, "t1", 7), "update t1 TASK_FINISHED uuid=8 latest=TASK_FINISHED\n");
	assert_string_equal(kit_tick(k, 1010000), "update t1 TASK_FINISHED uuid=8 latest=TASK_FINISHED\n");
	assert_string_equal(kit_acknowledge(k, "t1", 8), "");
	assert_int_equal(agent_next_ms(k->agent), UINT64_MAX);
}

static void a_task_for_an_executor_that_is_gone_is_dropped(void **state)
{
	struct kit *k = *state;

	(void)kit_container(k, AGENT_EV_EXITED, 0, NULL); /* t1's update is under way: it is remembered */
	assert_string_equal(kit_run(k, "e1", "t2"),
		"update t2 TASK_DROPPED REASON_EXECUTOR_TERMINATED \"Executor terminated\" uuid=own "
		"latest=TASK_DROPPED\n");
}

static void frameworks_of_old_hear_lost(void **state)
{
	struct kit *k = *state;

	k->partition_aware = false;
	(void)kit_run(k, "e1", "t1");
	(void)kit_subscribe(k, 5);
	(void)kit_shutdown_executor(k, "e1");
	assert_string_equal(kit_run(k, "e1", "t2"),
		"update t2 TASK_LOST REASON_EXECUTOR_TERMINATED \"Executor terminating\" uuid=own "
		"latest=TASK_LOST\n");
}

static void a_kill_goes_to_the_executor(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_kill(k, "t1"), "event 5 KILL t1\n");
	(void)kit_update(k, "t1", S(KILLED), 7);
	assert_string_equal(kit_kill(k, "t1"), ""); /* it is dead already */
}

static void a_kill_before_delivery_needs_no_executor(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	(void)kit_run(k, "e1", "t2");
	assert_string_equal(kit_kill(k, "t1"),
		"update t1 TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH \"Killed before delivery to the "
		"executor\" uuid=own latest=TASK_KILLED\n");
	assert_string_equal(kit_subscribe(k, 5), "reply 5 200\n"
						 "event 5 SUBSCRIBED\n"
						 "event 5 LAUNCH t2\n");
}

static void an_executor_whose_every_task_was_killed_goes(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	(void)kit_kill(k, "t1");
	assert_string_equal(kit_subscribe(k, 5), "reply 5 200\n"
						 "event 5 SHUTDOWN\n");
}

static void a_kill_of_no_task_is_answered(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_kill(k, "t9"),
		"update t9 TASK_DROPPED REASON_EXECUTOR_TERMINATED \"Cannot find executor\" - "
		"latest=TASK_DROPPED\n");
}

static void an_executor_gets_its_grace_and_then_the_axe(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_shutdown_executor(k, "e1"), "event 5 SHUTDOWN\n");
	assert_string_equal(kit_shutdown_executor(k, "e1"), "");
	assert_string_equal(kit_kill(k, "t1"), "");
	assert_string_equal(kit_message(k, "e1", "x"), "");
	assert_int_equal(agent_next_ms(k->agent), 1005000);
	assert_string_equal(kit_tick(k, 1004999), "");
	assert_string_equal(kit_tick(k, 1005000), "kill 9\n");
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, SIGKILL, NULL),
		"close 5\n" EXITED_T1 "exited e1 9\n"
		"remove\n");
}

static void an_executor_may_have_a_grace_of_its_own(void **state)
{
	struct kit *k = *state;
	Mesos__V1__DurationInfo grace = MESOS__V1__DURATION_INFO__INIT;

	grace.nanoseconds = 250000000;
	k->grace = &grace;
	(void)kit_run(k, "e1", "t1");
	(void)kit_subscribe(k, 5);
	(void)kit_shutdown_executor(k, "e1");
	assert_int_equal(agent_next_ms(k->agent), 1000250);
}

static void updates_in_the_grace_count(void **state)
{
	struct kit *k = *state;

	(void)kit_shutdown_executor(k, "e1");
	assert_string_equal(kit_update(k, "t1", S(KILLED), 7),
		"reply 99 202\n"
		"event 5 ACKNOWLEDGED t1 uuid=7\n"
		"update t1 TASK_KILLED uuid=7 latest=TASK_KILLED\n");
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, 0, NULL), "close 5\n"
									"exited e1 0\n"
									"remove\n");
}

static void an_executor_that_cannot_be_asked_yet_is_killed(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	assert_string_equal(kit_shutdown_executor(k, "e1"), "kill 9\n");
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, SIGKILL, NULL), EXITED_T1 "exited e1 9\n"
											"remove\n");
}

static void an_executor_without_a_stream_has_its_grace_too(void **state)
{
	struct kit *k = *state;

	(void)kit_closed(k, 5);
	assert_string_equal(kit_shutdown_executor(k, "e1"), "");
	assert_string_equal(kit_subscribe(k, 6), "reply 6 200\n"
						 "event 6 SHUTDOWN\n"
						 "close 6\n");
	assert_string_equal(kit_tick(k, 1005000), "kill 9\n");
}

static void a_framework_that_is_torn_down_is_heard_no_more(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	assert_string_equal(kit_shutdown_framework(k), "event 5 SHUTDOWN\n");
	assert_string_equal(kit_update(k, "t1", S(KILLED), 8), "reply 99 202\n");
	assert_string_equal(kit_tick(k, 1004999), "");
	assert_string_equal(kit_tick(k, 1010000), "kill 9\n"); /* and no repetition of the update */
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, SIGKILL, NULL), "close 5\n"
									      "remove\n");
	assert_int_equal(agent_next_ms(k->agent), UINT64_MAX);
	(void)kit_simple(k, AGENT_EV_LINK_DOWN);
	assert_string_equal(kit_simple(k, AGENT_EV_LINK_UP), "register | |\n");
}

static void a_teardown_forgets_what_waits_for_acknowledgements(void **state)
{
	struct kit *k = *state;

	(void)kit_container(k, AGENT_EV_EXITED, 0, NULL);
	assert_int_equal(agent_next_ms(k->agent), 1010000);
	assert_string_equal(kit_shutdown_framework(k), "");
	assert_int_equal(agent_next_ms(k->agent), UINT64_MAX);
}

static void an_agent_stops_after_its_executors(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_simple(k, AGENT_EV_STOP), "event 5 SHUTDOWN\n");
	assert_string_equal(kit_run(k, "e2", "t2"), "");
	assert_string_equal(kit_simple(k, AGENT_EV_STOP), "");
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, 0, NULL), "close 5\n" EXITED_T1 "exited e1 0\n"
									"remove\n"
									"unregister\n"
									"stopped\n");
	assert_string_equal(kit_simple(k, AGENT_EV_TICK), "");
	assert_string_equal(kit_subscribe(k, 8), "reply 8 503 \"Agent is shutting down\"\n");
}

static void an_idle_agent_stops_at_once(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_simple(k, AGENT_EV_STOP), "unregister\n"
							  "stopped\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(the_tasks_of_an_executor_that_ends_fail, kit_setup_running),
		KIT_TEST(what_was_said_before_the_end_is_still_delivered, kit_setup_running),
		KIT_TEST(a_task_for_an_executor_that_is_gone_is_dropped, kit_setup_running),
		KIT_TEST(frameworks_of_old_hear_lost, kit_setup_registered),
		KIT_TEST(a_kill_goes_to_the_executor, kit_setup_running),
		KIT_TEST(a_kill_before_delivery_needs_no_executor, kit_setup_registered),
		KIT_TEST(an_executor_whose_every_task_was_killed_goes, kit_setup_registered),
		KIT_TEST(a_kill_of_no_task_is_answered, kit_setup_running),
		KIT_TEST(an_executor_gets_its_grace_and_then_the_axe, kit_setup_running),
		KIT_TEST(an_executor_may_have_a_grace_of_its_own, kit_setup_registered),
		KIT_TEST(updates_in_the_grace_count, kit_setup_running),
		KIT_TEST(an_executor_that_cannot_be_asked_yet_is_killed, kit_setup_registered),
		KIT_TEST(an_executor_without_a_stream_has_its_grace_too, kit_setup_running),
		KIT_TEST(a_framework_that_is_torn_down_is_heard_no_more, kit_setup_running),
		KIT_TEST(a_teardown_forgets_what_waits_for_acknowledgements, kit_setup_running),
		KIT_TEST(an_agent_stops_after_its_executors, kit_setup_running),
		KIT_TEST(an_idle_agent_stops_at_once, kit_setup_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
