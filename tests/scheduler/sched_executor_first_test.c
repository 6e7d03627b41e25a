/* Adaptive leases of an agent that has no executor yet: one brings it, the others wait for it. */
#include "tests/scheduler/sched_kit.h"

enum { LATER_MS = 5000 }; /* as in scheduler/sched_state.h */

static void begin(struct kit *k, uint64_t revive_interval_ms, uint32_t revive_burst)
{
	struct sched_config config = kit_config(&mode_adaptive);

	config.mode_config.lease_idle_ms = 100;
	config.mode_config.lease_max_ms = 60000;
	config.revive_interval_ms = revive_interval_ms;
	config.revive_burst = revive_burst;
	kit_new(k, &config);
	kit_subscribed(k);
}

/* Three tasks, and agent "a", which was offered with room for all of them. Its executor is on its way. */
static void one_of_three(struct kit *k)
{
	begin(k, 20, 10);
	kit_run(k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 4.1, 1000);
	kit_accepted(k, "lease-0");
}

/* Asked for now, or within the budget of REVIVEs. */
static void revived(struct kit *k)
{
	if (kit_calls(k, CALL(REVIVE)) == 0)
		kit_wait(k, 20);
	assert_int_equal(kit_calls(k, CALL(REVIVE)), 1);
}

static uint32_t held(const struct kit *k)
{
	struct sched_progress p;

	sched_get_progress(k->s, &p);
	return p.slots_held;
}

static void the_others_are_asked_for_when_the_executor_is_there(void **state)
{
	struct kit k;
	(void)state;

	one_of_three(&k);
	assert_int_equal(held(&k), 1);
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1); /* they are coming */
	kit_offer(&k, "b", 4.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_link(&k, k.executor);
	revived(&k);
	kit_offer(&k, "a", 3, 900);
	kit_accepted(&k, "lease-1 lease-2");
	assert_int_equal(held(&k), 3);
	kit_free(&k);
}

static void what_others_have_taken_meanwhile_is_taken_elsewhere(void **state)
{
	struct kit k;
	(void)state;

	one_of_three(&k);
	kit_link(&k, k.executor);
	revived(&k);
	kit_offer(&k, "b", 4.1, 1000);
	kit_accepted(&k, "lease-1"); /* and "b" is the next to wait for */
	kit_offer(&k, "a", 1, 900);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

static void an_executor_is_not_waited_for_without_end(void **state)
{
	struct kit k;
	(void)state;

	one_of_three(&k);
	kit_wait(&k, LATER_MS - 1);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_wait(&k, 1);
	revived(&k);
	kit_offer(&k, "a", 3, 900); /* that is not there yet */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_offer(&k, "b", 4.1, 1000);
	kit_accepted(&k, "lease-1");
	kit_free(&k);
}

static void nor_one_that_has_ended(void **state)
{
	struct kit k;
	(void)state;

	one_of_three(&k);
	kit_failure(&k, k.executor, "a");
	revived(&k);
	kit_offer(&k, "b", 4.1, 1000);
	kit_accepted(&k, "lease-1");
	assert_int_equal(held(&k), 1);
	kit_free(&k);
}

static void all_are_taken_at_once_where_offers_do_not_come_when_asked_for(void **state)
{
	static const uint64_t intervals_ms[] = { UINT64_MAX, 1000 };
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct kit k;

		begin(&k, intervals_ms[i], 10);
		kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
		kit_offer(&k, "a", 4.1, 1000);
		kit_accepted(&k, "lease-0 lease-1 lease-2");
		kit_free(&k);
	}
}

static void no_more_executors_are_waited_for_than_there_are_revives(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 20, 2); /* one of them for the first offer */
	kit_run(&k, 1, 5, 6, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "lease-0");
	kit_offer(&k, "b", 2.1, 1000);
	kit_accepted(&k, "lease-1 lease-2");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_others_are_asked_for_when_the_executor_is_there),
		cmocka_unit_test(what_others_have_taken_meanwhile_is_taken_elsewhere),
		cmocka_unit_test(an_executor_is_not_waited_for_without_end),
		cmocka_unit_test(nor_one_that_has_ended),
		cmocka_unit_test(all_are_taken_at_once_where_offers_do_not_come_when_asked_for),
		cmocka_unit_test(no_more_executors_are_waited_for_than_there_are_revives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
