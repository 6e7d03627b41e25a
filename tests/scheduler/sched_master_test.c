/* The subscription: acknowledgements, reconciliation, failover, the ends. */
#include "tests/scheduler/sched_kit.h"

static void start(struct kit *k, uint32_t tasks)
{
	const struct sched_config config = kit_config(&mode_fine);

	kit_new(k, &config);
	kit_subscribed(k);
	kit_run(k, 1, 5, tasks, 0, QUERN__SINK__KIND__COUNT);
}

static void start_coarse(struct kit *k)
{
	const struct sched_config config = kit_config(&mode_coarse);

	kit_new(k, &config);
	kit_subscribed(k);
	kit_run(k, 1, 5, 8, 0, QUERN__SINK__KIND__COUNT);
}

static Call *first_call(const struct kit *k)
{
	assert_true(k->plan.n > 0);
	assert_int_equal(k->plan.at[0].kind, SCHED_DO_CALL);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, k->plan.at[0].len, k->plan.at[0].data);
	assert_non_null(c);
	return c;
}

static void updates_with_a_uuid_are_acknowledged_first(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 4);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "5.0.0", "a");
	Call *c = first_call(&k);
	assert_int_equal(c->type, CALL(ACKNOWLEDGE));
	assert_string_equal(c->acknowledge->task_id->value, "5.0.0");
	assert_string_equal(c->acknowledge->agent_id->value, "a");
	assert_int_equal(c->acknowledge->uuid.len, 16);
	kit_call_free(c);
	kit_fine_done(&k, "5.0.0", "a"); /* brings a result and a REVIVE as well */
	c = first_call(&k);
	assert_int_equal(c->type, CALL(ACKNOWLEDGE));
	kit_call_free(c);
	kit_fine_done(&k, "5.0.0", "a"); /* sent again: acknowledged again */
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 1);
	kit_fine_done(&k, "9.9.9", "a"); /* unknown, and over */
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 1);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
	kit_running(&k, "9.9.9", "a"); /* unknown, and alive */
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 1);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_free(&k);
}

static void updates_without_a_uuid_are_never_acknowledged(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 4);
	kit_offer(&k, "a", 2.1, 1000);
	kit_says(&k, "5.0.0", "a", STATE(DROPPED));
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 0);
	kit_says(&k, "5.1.0", "a", STATE(LOST));
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 0);
	kit_free(&k);
}

static void a_new_subscription_has_the_id_and_asks_about_every_task(void **state)
{
	struct kit k;
	struct buf out = BUF_INIT(1 << 16);
	(void)state;

	start(&k, 2);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	kit_link(&k, k.executor);
	kit_down(&k);
	assert_int_equal(sched_subscribe_call(k.s, &out), 0);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, out.len, out.data);
	assert_string_equal(c->framework_id->value, "framework-1");
	assert_string_equal(c->subscribe->framework_info->id->value, "framework-1");
	kit_call_free(c);
	buf_deinit(&out);
	kit_subscribed(&k);
	c = kit_call(&k, CALL(RECONCILE), 0);
	assert_non_null(c);
	assert_int_equal(c->reconcile->n_tasks, 2);
	assert_string_equal(c->reconcile->tasks[0]->task_id->value, "5.0.0");
	assert_string_equal(c->reconcile->tasks[0]->agent_id->value, "a");
	kit_call_free(c);
	/* One is still there, of the other nothing is heard: it is asked about again. */
	kit_update(
		&k, "5.0.0", "a", STATE(RUNNING), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER, NULL, false);
	kit_wait(&k, 29999);
	k.now++;
	kit_tick(&k);
	c = kit_call(&k, CALL(RECONCILE), 0);
	assert_non_null(c);
	assert_int_equal(c->reconcile->n_tasks, 1);
	assert_string_equal(c->reconcile->tasks[0]->task_id->value, "5.1.0");
	kit_call_free(c);
	kit_says(&k, "5.1.0", "a", STATE(LOST));
	kit_fine_done(&k, "5.0.0", "a");
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.1.1");
	kit_free(&k);
}

static void an_end_that_is_only_announced_is_waited_for(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_update(&k, "5.0.0", "a", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER, NULL,
		false);
	kit_offer(&k, "a", 2.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_fine_done(&k, "5.0.0", "a");
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void a_new_master_that_does_not_know_a_task_yet_ends_nothing(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 2);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "5.0.0", "a");
	kit_down(&k);
	kit_subscribed(&k);
	const Mesos__V1__TaskStatus__Source master = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER;
	kit_update(&k, "5.0.0", "a", STATE(UNKNOWN), master, NULL, false);
	kit_update(&k, "5.1.0", "a", STATE(UNKNOWN), master, NULL, false); /* that never ran */
	struct sched_progress p;
	sched_get_progress(k.s, &p);
	assert_int_equal(p.slots_held, 1);
	kit_wait(&k, 29999);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(RECONCILE)), 1);
	kit_wait(&k, 30000);
	kit_update(&k, "5.0.0", "a", STATE(UNKNOWN), master, NULL, false);
	sched_get_progress(k.s, &p);
	assert_int_equal(p.slots_held, 0);
	kit_free(&k);
}

static void everything_is_reconciled_every_quarter_of_an_hour(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "5.0.0", "a");
	kit_wait(&k, 899999);
	assert_int_equal(kit_calls(&k, CALL(RECONCILE)), 0);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(RECONCILE)), 2); /* of what we know, and of what we do not */
	kit_free(&k);
}

static void kills_are_repeated_until_they_work(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "5.0.0", "a");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_done(&k, 0, NULL);
	kit_wait(&k, 29999);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_down(&k);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_says(&k, "5.0.0", "a", STATE(KILLED));
	kit_wait(&k, 30000);
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
	kit_free(&k);
}

static void stop_tears_down(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	kit_done(&k, 1, NULL);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(k.plan.at[k.plan.n - 1].kind, SCHED_DO_STOPPED);
	kit_offer(&k, "a", 2.1, 1000);
	assert_int_equal(k.plan.n, 0);
	assert_true(sched_next_ms(k.s) == UINT64_MAX);
	kit_free(&k);
}

/* An agent that is about to launch an executor must not hear of TEARDOWN. */
static void stop_ends_first_what_executors_start_for(void **state)
{
	struct kit k;
	(void)state;

	start_coarse(&k);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "lease-0");
	kit_link(&k, k.executor);
	kit_offer(&k, "b", 1.1, 1000);
	kit_accepted(&k, "lease-1");
	kit_offer(&k, "c", 1.1, 1000);
	kit_accepted(&k, "lease-2");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(kit_calls(&k, CALL(KILL)), 2);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
	kit_says(&k, "lease-1", "b", STATE(KILLED));
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
	kit_running(&k, "lease-2", "c"); /* it has started, and is not in its agent's way */
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	kit_free(&k);
}

static void stop_does_not_wait_long_for_an_agent_that_is_silent(void **state)
{
	struct kit k;
	(void)state;

	start_coarse(&k);
	kit_offer(&k, "a", 1.1, 1000);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_wait(&k, 999);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	kit_free(&k);
}

/* What was killed without a master, or while it did not know of the agent. */
static void stop_kills_again_what_the_master_was_not_told(void **state)
{
	struct kit k;
	(void)state;

	for (int before = 0; before < 2; before++) {
		start(&k, 1);
		kit_offer(&k, "a", 1.1, 1000);
		kit_accepted(&k, "5.0.0");
		kit_down(&k);
		if (before == 0)
			kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
		assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
		kit_subscribed(&k);
		if (before == 1)
			kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
		kit_agent_is_there(&k, "a");
		assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
		assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
		kit_says(&k, "5.0.0", "a", STATE(KILLED));
		assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
		assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
		kit_free(&k);
	}
}

static void stop_kills_again_what_only_the_last_master_was_told(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1); /* and not once for its executor as well */
	kit_down(&k);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
	kit_agent_is_there(&k, "a");
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_says(&k, "5.0.0", "a", STATE(KILLED));
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	kit_free(&k);
}

static void stop_before_a_subscription_is_the_end(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	kit_free(&k);
}

/* The master may have made a framework of it by now. */
static void stop_waits_for_the_answer_to_the_first_subscribe(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct buf call = BUF_INIT(1 << 16);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	assert_int_equal(sched_subscribe_call(k.s, &call), 0);
	buf_deinit(&call);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 0);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	kit_free(&k);
}

static void stop_without_a_stream_waits_for_one(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_down(&k);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 0);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	kit_free(&k);
}

static uint32_t expected(const struct kit *k)
{
	struct sched_progress p;

	sched_get_progress(k->s, &p);
	return p.expected;
}

/* A master that has just taken over dies of a framework that is gone when its agents come. */
static void stop_after_a_failover_waits_for_the_agents(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 4);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_offer(&k, "b", 1.1, 1000);
	kit_link(&k, k.executor);
	kit_offer(&k, "c", 0.1, 10); /* nothing of ours is there */
	kit_down(&k);
	kit_subscribed(&k);
	assert_int_equal(expected(&k), 0); /* it is not the end */
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(expected(&k), 2);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
	Call *c = kit_call(&k, CALL(RECONCILE), 0);
	assert_int_equal(c->reconcile->n_tasks, 2);
	assert_string_equal(c->reconcile->tasks[0]->task_id->value, "is-the-agent-there");
	kit_call_free(c);
	kit_agent_is_there(&k, "a");
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0);
	kit_wait(&k, 999);
	k.now++;
	kit_tick(&k);
	c = kit_call(&k, CALL(RECONCILE), 0);
	assert_int_equal(c->reconcile->n_tasks, 1);
	assert_string_equal(c->reconcile->tasks[0]->agent_id->value, "b");
	kit_call_free(c);
	kit_down(&k); /* and yet another */
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(RECONCILE)), 1);
	kit_agent_is_there(&k, "b");
	kit_offer(&k, "a", 1, 1000); /* as good as an answer */
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	assert_true(sched_next_ms(k.s) == UINT64_MAX);
	kit_free(&k);
}

static void an_error_is_the_end(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	kit_error(&k, "Framework has been removed");
	kit_done(&k, 1, "Framework has been removed");
	const struct sched_action *a = kit_action(&k, SCHED_DO_FATAL, 0);
	assert_non_null(a);
	assert_int_equal(a->code, 1);
	assert_non_null(strstr(a->text, "Framework has been removed"));
	assert_null(strchr(a->text, '\n'));
	kit_free(&k);
}

static void a_lost_agent_that_is_back_is_rid_of_its_old_executor(void **state)
{
	struct kit k;
	char first[64];
	(void)state;

	start(&k, 4);
	kit_offer(&k, "a", 1.1, 1000);
	memcpy(first, (kit_accepted(&k, "5.0.0"), k.executor), sizeof(first));
	kit_link(&k, first);
	kit_says(&k, "5.0.0", "a", STATE(UNREACHABLE));
	kit_says(&k, "5.1.0", "a", STATE(UNREACHABLE)); /* that does not mean that it is back */
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
	kit_running(&k, "5.0.0", "a"); /* it was not dead; there may be no offer of it for long */
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	Call *c = kit_call(&k, CALL(SHUTDOWN), 0);
	assert_non_null(c);
	assert_string_equal(c->shutdown->executor_id->value, first);
	kit_call_free(c);
	kit_offer(&k, "a", 1.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
	kit_accepted(&k, "5.0.1");
	assert_string_not_equal(k.executor, first);
	kit_free(&k);
}

/* How many executors were told to leave in the last step. */
static size_t told_to_leave(const struct kit *k)
{
	Quern__ToExecutor *m;
	size_t n = 0;

	for (size_t i = 0; (m = kit_link_sent(k, i)) != NULL; i++) {
		n += m->has_leave && m->leave;
		quern__to_executor__free_unpacked(m, NULL);
	}
	return n;
}

/* It may not hear of it by its agent, which is away; and the agent of others may be, when the end comes. */
static void executors_of_no_more_use_hear_it_over_their_links(void **state)
{
	struct kit k;
	char first[64];
	(void)state;

	start(&k, 4);
	kit_offer(&k, "a", 1.1, 1000);
	memcpy(first, (kit_accepted(&k, "5.0.0"), k.executor), sizeof(first));
	kit_link(&k, first);
	kit_says(&k, "5.0.0", "a", STATE(UNREACHABLE));
	assert_int_equal(told_to_leave(&k), 1);
	kit_unlink(&k, first);
	kit_link_up(&k, first);
	assert_int_equal(told_to_leave(&k), 1); /* it has not heard it */
	kit_unlink(&k, first);
	kit_offer(&k, "b", 1.1, 1000);
	kit_accepted(&k, "5.0.1");
	kit_link(&k, k.executor);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	assert_int_equal(told_to_leave(&k), 1);
	kit_free(&k);
}

static void a_configuration_without_sense_is_refused(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct sched *s = NULL;
	struct err err = { "" };
	(void)state;

	config.task_cpus_milli = 0;
	assert_int_equal(sched_new(&config, &s, &err), -EINVAL);
	assert_true(err.text[0] != '\0');
	config = kit_config(&mode_fine);
	config.task_max_failures = 0;
	assert_int_equal(sched_new(&config, &s, &err), -EINVAL);
	config = kit_config(NULL);
	assert_int_equal(sched_new(&config, &s, &err), -EINVAL);
	assert_null(s);
	assert_null(sched_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(updates_with_a_uuid_are_acknowledged_first),
		cmocka_unit_test(updates_without_a_uuid_are_never_acknowledged),
		cmocka_unit_test(a_new_subscription_has_the_id_and_asks_about_every_task),
		cmocka_unit_test(an_end_that_is_only_announced_is_waited_for),
		cmocka_unit_test(a_new_master_that_does_not_know_a_task_yet_ends_nothing),
		cmocka_unit_test(everything_is_reconciled_every_quarter_of_an_hour),
		cmocka_unit_test(kills_are_repeated_until_they_work),
		cmocka_unit_test(stop_tears_down),
		cmocka_unit_test(stop_ends_first_what_executors_start_for),
		cmocka_unit_test(stop_does_not_wait_long_for_an_agent_that_is_silent),
		cmocka_unit_test(stop_kills_again_what_the_master_was_not_told),
		cmocka_unit_test(stop_kills_again_what_only_the_last_master_was_told),
		cmocka_unit_test(stop_before_a_subscription_is_the_end),
		cmocka_unit_test(stop_waits_for_the_answer_to_the_first_subscribe),
		cmocka_unit_test(stop_without_a_stream_waits_for_one),
		cmocka_unit_test(stop_after_a_failover_waits_for_the_agents),
		cmocka_unit_test(an_error_is_the_end),
		cmocka_unit_test(a_lost_agent_that_is_back_is_rid_of_its_old_executor),
		cmocka_unit_test(executors_of_no_more_use_hear_it_over_their_links),
		cmocka_unit_test(a_configuration_without_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
