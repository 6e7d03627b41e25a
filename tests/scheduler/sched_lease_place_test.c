/* Leases where data is: each is taken where a task would go, and one is kept while a task waits for its
 * place. */
#include "tests/scheduler/place_kit.h"

enum { IDLE_MS = 100 };

static void start(struct kit *k, uint32_t max_slots)
{
	struct sched_config config = config_of(&mode_adaptive);

	config.mode_config.max_slots = max_slots;
	config.mode_config.lease_idle_ms = IDLE_MS;
	config.mode_config.lease_max_ms = 1000000;
	config.revive_burst = 50;
	kit_new(k, &config);
	kit_subscribed(k);
}

static void each_agent_has_as_many_as_its_data_has_tasks(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 4);
	submit(&k, 1, "a b a c");
	offer(&k, "a:9.1 b:9.1 c:9.1"); /* not all four where the first offer is */
	launched(&k, "a: lease-2 lease-3 | b: lease-0 | c: lease-1");
	kit_free(&k);
}

static void what_is_coming_there_is_not_taken_again(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0);
	submit(&k, 1, "a a b b");
	offer(&k, "a:2.1");
	launched(&k, "a: lease-0 lease-1");
	kit_link(&k, "000007-0-0");
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, "000007-0-0", "1.0.0");
	offer(&k, "a:5"); /* one waits for it, and has a slot coming; the others wait for b */
	launched(&k, "");
	offer(&k, "b:5.1");
	launched(&k, "b: lease-2 lease-3");
	kit_free(&k);
}

/* What is coming for tasks of one kind is not for those of the other. */
static void what_is_coming_for_data_is_not_for_the_others(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0);
	submit(&k, 1, "a a - -");
	offer(&k, "a:2.1");
	launched(&k, "a: lease-0 lease-1");
	offer(&k, "b:3.1");
	launched(&k, "b: lease-2 lease-3");
	kit_free(&k);

	start(&k, 0);
	submit(&k, 1, "- - a a");
	offer(&k, "b:1.1"); /* nobody has seen a: there is nothing to wait for */
	launched(&k, "b: lease-0");
	offer(&k, "a:1.1");
	launched(&k, "a: lease-1");
	offer(&k, "c:4.1"); /* one of the others is served */
	launched(&k, "c: lease-2");
	kit_free(&k);
}

/* Tasks that have no place take what is there. */
static void the_others_go_anywhere(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0);
	submit(&k, 1, "- - b -");
	offer(&k, "a:2.1 b:2.1");
	launched(&k, "a: lease-1 lease-2 | b: lease-0 lease-3");
	kit_free(&k);
}

static void an_offer_elsewhere_is_passed_over_until_the_wait_is_over(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 1);
	submit(&k, 1, "a");
	offer(&k, "b:1.1");
	launched(&k, "b: lease-0"); /* nobody has seen a: there is nothing to wait for */
	kit_link(&k, k.executor);
	kit_free(&k);

	start(&k, 2);
	submit(&k, 1, "a a");
	offer(&k, "a:1.1 b:1.1");
	launched(&k, "a: lease-0");
	assert_int_equal(kit_calls(&k, CALL(DECLINE)), 1);
	k.now += 2 * WAIT_MS; /* half of the time is lost while one of two runs; none does yet */
	kit_tick(&k);
	offer(&k, "b:1.1");
	launched(&k, "b: lease-1");
	kit_free(&k);
}

/* So that there is one elsewhere, which would be more than the job may have. */
static void a_slot_that_no_task_wants_goes_back(void **state)
{
	struct kit k;
	char b[64];
	(void)state;

	start(&k, 2);
	submit(&k, 1, "a b a");
	offer(&k, "a:1.1 b:1.1");
	launched(&k, "a: lease-1 | b: lease-0");
	kit_link(&k, "000007-0-0");
	kit_running(&k, "lease-1", "a");
	kit_link(&k, "000007-1-0");
	kit_running(&k, "lease-0", "b");
	(void)snprintf(b, sizeof(b), "000007-1-0");
	kit_sent(&k, b, "1.1.0");
	kit_coarse_done(&k, b, "1.1.0"); /* what is left would rather run on a */
	kit_sent(&k, b, "");
	k.now += IDLE_MS;
	kit_tick(&k);
	Quern__ToExecutor *m = kit_link_sent(&k, 0);
	assert_non_null(m);
	assert_string_equal(m->end_leases[0], "lease-0");
	quern__to_executor__free_unpacked(m, NULL);
	kit_update(&k, "lease-0", "b", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:1"); /* there it would be as idle as before */
	launched(&k, "");
	offer(&k, "a:1");
	launched(&k, "a: lease-2");
	kit_free(&k);
}

/* The promise: all of the waiting costs no more than that, whether slots were idle or not taken. */
static void when_it_has_waited_long_enough_it_takes_a_slot_anywhere(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 2);
	submit(&k, 1, "a a");
	offer(&k, "a:1.1 b:1.1");
	launched(&k, "a: lease-0");
	kit_link(&k, "000007-0-0");
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, "000007-0-0", "1.0.0");
	k.now += WAIT_MS - 1; /* all that is left could be running */
	kit_tick(&k);
	offer(&k, "b:1.1");
	launched(&k, "");
	k.now += 1;
	kit_tick(&k);
	offer(&k, "b:1.1");
	launched(&k, "b: lease-1");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_agent_has_as_many_as_its_data_has_tasks),
		cmocka_unit_test(what_is_coming_there_is_not_taken_again),
		cmocka_unit_test(what_is_coming_for_data_is_not_for_the_others),
		cmocka_unit_test(the_others_go_anywhere),
		cmocka_unit_test(an_offer_elsewhere_is_passed_over_until_the_wait_is_over),
		cmocka_unit_test(a_slot_that_no_task_wants_goes_back),
		cmocka_unit_test(when_it_has_waited_long_enough_it_takes_a_slot_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
