/* Status updates on their way to the framework: one at a time per task, again and again until acknowledged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/local/agent_kit_calls.h"

static void an_update_is_taken_and_sent_on(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_update(k, "t1", S(RUNNING), 7),
		"reply 99 202\n"
		"event 5 ACKNOWLEDGED t1 uuid=7\n"
		"update t1 TASK_RUNNING uuid=7 latest=TASK_RUNNING\n");
}

static void the_agent_fills_in_what_it_knows(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	const struct agent_action *x = &k->plan.at[2];
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, x->len, x->data);
	const Mesos__V1__TaskStatus *s = m->update->status;
	assert_string_equal(m->update->framework_id->value, "f1");
	assert_null(s->executor_id); /* it is the executor's to say, and is not needed */
	assert_true(s->has_timestamp && s->timestamp == 1000.0);
	assert_string_equal(s->container_status->container_id->value, k->container);
	assert_string_equal(s->container_status->network_infos[0]->ip_addresses[0]->ip_address, "127.0.0.1");
	quern__local__to_master__free_unpacked(m, NULL);
}

static void the_next_update_leaves_after_the_acknowledgement(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	assert_string_equal(kit_update(k, "t1", S(FINISHED), 8), "reply 99 202\n"
								 "event 5 ACKNOWLEDGED t1 uuid=8\n");
	assert_string_equal(kit_acknowledge(k, "t1", 8), ""); /* not its turn */
	assert_string_equal(
		kit_acknowledge(k, "t1", 7), "update t1 TASK_FINISHED uuid=8 latest=TASK_FINISHED\n");
	assert_string_equal(kit_acknowledge(k, "t1", 7), ""); /* the same again */
	assert_string_equal(kit_acknowledge(k, "t1", 8), "");
	assert_int_equal(agent_next_ms(k->agent), 1000000 + 30 * 60 * 1000); /* the executor's heartbeat */
	/* The task is gone: its name is free again. */
	assert_string_equal(kit_run(k, "e1", "t1"), "event 5 LAUNCH t1\n");
}

static void tasks_do_not_wait_for_one_another(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t2");
	(void)kit_update(k, "t1", S(RUNNING), 7);
	assert_string_equal(kit_update(k, "t2", S(RUNNING), 8),
		"reply 99 202\n"
		"event 5 ACKNOWLEDGED t2 uuid=8\n"
		"update t2 TASK_RUNNING uuid=8 latest=TASK_RUNNING\n");
}

static void an_update_is_repeated_ever_more_seldom(void **state)
{
	struct kit *k = *state;
	static const uint64_t seconds[] = { 10, 20, 40, 80, 160, 320, 600, 600, 600 };

	(void)kit_closed(k, 5); /* no heartbeats */
	(void)kit_update(k, "t1", S(RUNNING), 7);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		uint64_t next = k->now + seconds[i] * 1000;

		assert_int_equal(agent_next_ms(k->agent), next);
		assert_string_equal(kit_tick(k, next - 1), "");
		assert_string_equal(kit_tick(k, next), "update t1 TASK_RUNNING uuid=7 latest=TASK_RUNNING\n");
	}
	assert_string_equal(kit_acknowledge(k, "t1", 7), "");
	assert_string_equal(kit_update(k, "t1", S(FINISHED), 8),
		"reply 99 202\n"
		"update t1 TASK_FINISHED uuid=8 latest=TASK_FINISHED\n");
	assert_int_equal(agent_next_ms(k->agent), k->now + 10000); /* each update anew */
}

static void a_repeated_update_says_the_latest_state(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(RUNNING), 7);
	(void)kit_update(k, "t1", S(FINISHED), 8);
	assert_string_equal(kit_tick(k, 1010000), "update t1 TASK_RUNNING uuid=7 latest=TASK_FINISHED\n");
}

static void the_same_update_twice_is_one(void **state)
{
	struct kit *k = *state;
	static const char text[] = "reply 99 202\n"
				   "event 5 ACKNOWLEDGED t1 uuid=7\n";

	(void)kit_update(k, "t1", S(RUNNING), 7);
	assert_string_equal(kit_update(k, "t1", S(RUNNING), 7), text);
	(void)kit_acknowledge(k, "t1", 7);
	assert_string_equal(kit_update(k, "t1", S(RUNNING), 7), text); /* acknowledged already */
}

static void after_a_terminal_update_nothing_counts(void **state)
{
	struct kit *k = *state;

	(void)kit_update(k, "t1", S(FINISHED), 7);
	assert_string_equal(kit_update(k, "t1", S(FAILED), 8), "reply 99 202\n"
							       "event 5 ACKNOWLEDGED t1 uuid=8\n");
	assert_string_equal(kit_acknowledge(k, "t1", 7), "");
	assert_string_equal(kit_acknowledge(k, "t1", 8), "");
}

static void an_update_of_no_task_goes_nowhere(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_update(k, "t9", S(RUNNING), 7), "reply 99 202\n"
								"event 5 ACKNOWLEDGED t9 uuid=7\n");
}

static void without_a_link_updates_wait(void **state)
{
	struct kit *k = *state;

	(void)kit_simple(k, AGENT_EV_LINK_DOWN);
	assert_string_equal(kit_update(k, "t1", S(RUNNING), 7), "reply 99 202\n"
								"event 5 ACKNOWLEDGED t1 uuid=7\n");
	assert_string_equal(kit_tick(k, 1010000), "");
	assert_string_equal(kit_tick(k, 1030000), "");
	assert_string_equal(kit_simple(k, AGENT_EV_LINK_UP), "register t1:TASK_RUNNING | e1 | f1\n");
	assert_string_equal(kit_registered(k), "update t1 TASK_RUNNING uuid=7 latest=TASK_RUNNING\n");
	assert_int_equal(agent_next_ms(k->agent), 1040000); /* 10 s anew */
}

static void a_registration_again_lists_what_is_there(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t2");
	(void)kit_update(k, "t2", S(FINISHED), 7);
	(void)kit_run(k, "e1", "t3");
	(void)kit_update(k, "t3", S(FINISHED), 8);
	(void)kit_acknowledge(k, "t3", 8);
	(void)kit_simple(k, AGENT_EV_LINK_DOWN);
	assert_string_equal(
		kit_simple(k, AGENT_EV_LINK_UP), "register t1:TASK_STAGING t2:TASK_FINISHED | e1 | f1\n");
	Quern__Local__ToMaster *m =
		quern__local__to_master__unpack(NULL, k->plan.at[0].len, k->plan.at[0].data);
	assert_string_equal(m->register_->info->id->value, AGENT_ID);
	quern__local__to_master__free_unpacked(m, NULL);
}

static void a_subscribed_executor_hears_a_heartbeat(void **state)
{
	struct kit *k = *state;

	assert_int_equal(agent_next_ms(k->agent), 2800000);
	assert_string_equal(kit_tick(k, 2800000), "event 5 HEARTBEAT\n");
	assert_int_equal(agent_next_ms(k->agent), 4600000);
	assert_string_equal(kit_closed(k, 5), "");
	assert_int_equal(agent_next_ms(k->agent), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(an_update_is_taken_and_sent_on, kit_setup_running),
		KIT_TEST(the_agent_fills_in_what_it_knows, kit_setup_running),
		KIT_TEST(the_next_update_leaves_after_the_acknowledgement, kit_setup_running),
		KIT_TEST(tasks_do_not_wait_for_one_another, kit_setup_running),
		KIT_TEST(an_update_is_repeated_ever_more_seldom, kit_setup_running),
		KIT_TEST(a_repeated_update_says_the_latest_state, kit_setup_running),
		KIT_TEST(the_same_update_twice_is_one, kit_setup_running),
		KIT_TEST(after_a_terminal_update_nothing_counts, kit_setup_running),
		KIT_TEST(an_update_of_no_task_goes_nowhere, kit_setup_running),
		KIT_TEST(without_a_link_updates_wait, kit_setup_running),
		KIT_TEST(a_registration_again_lists_what_is_there, kit_setup_running),
		KIT_TEST(a_subscribed_executor_hears_a_heartbeat, kit_setup_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
