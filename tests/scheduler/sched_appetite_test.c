/* When REVIVE and SUPPRESS leave. */
#include "tests/scheduler/sched_kit.h"

static void start(struct kit *k, const struct sched_config *config, uint32_t tasks)
{
	kit_new(k, config);
	kit_subscribed(k);
	kit_run(k, 1, 5, tasks, 0, QUERN__SINK__KIND__COUNT);
}

static void subscribes_suppressed_with_nothing_to_run(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct buf out = BUF_INIT(1 << 16);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	assert_int_equal(sched_subscribe_call(k.s, &out), 0);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, out.len, out.data);
	assert_non_null(c);
	assert_int_equal(c->subscribe->n_suppressed_roles, 1);
	assert_string_equal(c->subscribe->suppressed_roles[0], "*");
	assert_int_equal(c->subscribe->framework_info->n_roles, 1);
	assert_null(c->subscribe->framework_info->id);
	kit_call_free(c);
	kit_subscribed(&k);
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0); /* as was said */
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	c = kit_call(&k, CALL(REVIVE), 0);
	assert_non_null(c);
	assert_int_equal(c->revive->n_roles, 1);
	assert_string_equal(c->revive->roles[0], "*");
	kit_call_free(c);
	buf_deinit(&out);
	kit_free(&k);
}

static void subscribes_hungry_with_something_to_run(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct buf out = BUF_INIT(1 << 16);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	assert_int_equal(sched_subscribe_call(k.s, &out), 0);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, out.len, out.data);
	assert_int_equal(c->subscribe->n_suppressed_roles, 0);
	kit_call_free(c);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0); /* subscribing made the master allocate */
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 0);
	buf_deinit(&out);
	kit_free(&k);
}

static void revives_after_a_task_ended_and_only_then(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 10);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1); /* un-suppresses */
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	kit_wait(&k, 5000);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0); /* time alone is no reason */
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	assert_int_equal(k.plan.at[0].kind, SCHED_DO_CALL); /* behind the acknowledgement */
	Call *c = mesos__v1__scheduler__call__unpack(NULL, k.plan.at[0].len, k.plan.at[0].data);
	assert_int_equal(c->type, CALL(ACKNOWLEDGE));
	kit_call_free(c);
	kit_free(&k);
}

static void never_twice_within_the_interval(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 10);
	k.now += 100;
	kit_offer(&k, "a", 3.1, 1000);
	kit_accepted(&k, "5.0.0 5.1.0 5.2.0");
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	k.now += 5;
	kit_fine_done(&k, "5.1.0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	k.now += 5;
	kit_fine_done(&k, "5.2.0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	assert_int_equal(sched_next_ms(k.s), k.now + 10); /* 20 ms after the last one */
	k.now += 10;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1); /* one for both */
	k.now += 1000;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_free(&k);
}

static void the_bucket_empties_and_fills_slowly_on_a_large_cluster(void **state)
{
	const struct sched_config config = kit_config(&mode_fine); /* three tokens */
	struct kit k;
	uint64_t begin, sent = 0;
	char id[32];
	(void)state;

	start(&k, &config, KIT_SPLITS);
	for (int i = 0; i < 400; i++) { /* agents that are of no use, but are there */
		char name[16];

		(void)snprintf(name, sizeof(name), "agent-%d", i);
		kit_offer(&k, name, 0.1, 10);
	}
	kit_offer(&k, "a", KIT_SPLITS - 0.9, 10000);
	kit_link(&k, k.executor);
	k.now += 60000;
	begin = k.now;
	for (int i = 0; k.now < begin + 6000; i++) {
		k.now += 100;
		(void)snprintf(id, sizeof(id), "5.%d.0", i);
		kit_fine_done(&k, id, "a");
		sent += kit_calls(&k, CALL(REVIVE));
	}
	/* Three at once, then one each two seconds (401 agents, 5 ms each). */
	assert_int_equal(sent, 3 + 6000 / 2005);
	kit_free(&k);
}

static void suppresses_with_nothing_runnable_and_revives_for_a_retry(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 2);
	kit_offer(&k, "a", 4.1, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	Call *c = kit_call(&k, CALL(SUPPRESS), 0);
	assert_non_null(c);
	assert_string_equal(c->suppress->roles[0], "*");
	kit_call_free(c);
	kit_link(&k, k.executor);
	k.now += 100;
	kit_fine_done(&k, "5.0.0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0); /* freed, but nothing to run */
	const Quern__TaskResult r = kit_result("5.1.0", DID(FAILED));
	kit_fine(&k, "5.1.0", "a", &r);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_free(&k);
}

static void an_interval_of_never_leaves_only_unsuppressing(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.revive_interval_ms = UINT64_MAX;
	start(&k, &config, 4);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_wait(&k, 60000);
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.2.0");
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.3.0");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	const Quern__TaskResult r = kit_result("5.1.0", DID(FAILED));
	kit_fine(&k, "5.1.0", "a", &r);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_free(&k);
}

static void without_a_subscription_nothing_is_said(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_down(&k);
	kit_run(&k, 1, 5, 4, 0, QUERN__SINK__KIND__COUNT);
	kit_tick(&k);
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subscribes_suppressed_with_nothing_to_run),
		cmocka_unit_test(subscribes_hungry_with_something_to_run),
		cmocka_unit_test(revives_after_a_task_ended_and_only_then),
		cmocka_unit_test(never_twice_within_the_interval),
		cmocka_unit_test(the_bucket_empties_and_fills_slowly_on_a_large_cluster),
		cmocka_unit_test(suppresses_with_nothing_runnable_and_revives_for_a_retry),
		cmocka_unit_test(an_interval_of_never_leaves_only_unsuppressing),
		cmocka_unit_test(without_a_subscription_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
