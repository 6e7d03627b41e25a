/* What is held and used, to the millisecond of a virtual clock: a task has 1 core and 100 MB, an executor 0.1
 * and 64. */
#include "tests/scheduler/sched_kit.h"

static void begin(struct kit *k, const struct mode_ops *mode, uint32_t max_slots)
{
	struct sched_config config = kit_config(mode);

	config.mode_config.max_slots = max_slots;
	config.mode_config.lease_idle_ms = 100;
	config.mode_config.lease_max_ms = 100000;
	config.revive_burst = 50;
	kit_new(k, &config);
	kit_subscribed(k);
}

/* In core-milliseconds. */
static void expect(const struct kit *k, uint64_t task_ms, uint64_t executor_ms, uint64_t used_ms)
{
	struct sched_ledger l;

	sched_get_ledger(k->s, &l);
	assert_int_equal(l.task_core_us, task_ms * 1000);
	assert_int_equal(l.task_mb_ms, task_ms * 100);
	assert_int_equal(l.executor_core_us, executor_ms * 100);
	assert_int_equal(l.executor_mb_ms, executor_ms * 64);
	assert_int_equal(l.used_core_us, used_ms * 1000);
}

static Quern__TaskResult took(const char *name, uint64_t ms)
{
	Quern__TaskResult r = kit_result(name, DID(DONE));

	r.has_wall_us = 1;
	r.wall_us = ms * 1000;
	return r;
}

static void a_fine_task_holds_from_its_launch_to_its_end(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	k.now += 500;
	kit_tick(&k);
	expect(&k, 0, 0, 0);
	kit_offer(&k, "a", 2.1, 1000);
	k.now += 300;
	kit_link(&k, k.executor);
	expect(&k, 600, 300, 0);
	k.now += 700;
	const Quern__TaskResult r = took("5.0.0", 650);
	kit_fine(&k, "5.0.0", "a", &r);
	expect(&k, 2000, 1000, 650);
	k.now += 1000;
	kit_fine_done(&k, "5.1.0", "a"); /* it does not say: from its launch on */
	expect(&k, 3000, 2000, 2650);
	k.now += 1000;
	kit_tick(&k);
	expect(&k, 3000, 3000, 2650); /* the executor stays */
	kit_free(&k);
}

static void a_coarse_lease_holds_idle_or_not(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_coarse, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	k.now += 200;
	kit_running(&k, "lease-0", "a");
	k.now += 100;
	const Quern__TaskResult r = took("5.0.0", 90), more = took("5.1.0", 1000000);
	kit_coarse(&k, k.executor, &r);
	expect(&k, 600, 300, 90);
	k.now += 100;
	kit_coarse(&k, k.executor, &more); /* that cannot be */
	expect(&k, 800, 400, 290);
	k.now += 10000;
	kit_tick(&k);
	expect(&k, 20800, 10400, 290);
	kit_free(&k);
}

static void an_adaptive_lease_holds_until_mesos_says_that_it_is_over(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_adaptive, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	kit_running(&k, "lease-1", "a");
	k.now += 1000;
	const Quern__TaskResult r = took("5.0.0", 1000);
	kit_coarse(&k, k.executor, &r);
	k.now += 100;
	kit_tick(&k); /* asks for its end */
	k.now += 10;
	kit_tick(&k);
	expect(&k, 2220, 1110, 1000);
	kit_update(&k, "lease-0", "a", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
	k.now += 90;
	kit_tick(&k);
	expect(&k, 2310, 1200, 1000);
	kit_free(&k);
}

static void what_is_lost_is_not_held(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_coarse, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	k.now += 1000;
	kit_failure(&k, k.executor, "a");
	expect(&k, 2000, 1000, 2000); /* two tasks ran there */
	k.now += 1000;
	kit_says(&k, "lease-0", "a", STATE(FAILED));
	expect(&k, 2000, 1000, 2000);
	kit_free(&k);
}

static void it_stops_with_the_framework(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_coarse, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	k.now += 1000;
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	k.now += 1000;
	kit_tick(&k);
	expect(&k, 2000, 1000, 0);
	kit_free(&k);
}

static void gaps(const struct kit *k, uint64_t n, uint64_t p50, uint64_t p99)
{
	struct sched_ledger l;

	sched_get_ledger(k->s, &l);
	assert_int_equal(l.gaps, n);
	assert_int_equal(l.gap_p50_ms, p50);
	assert_int_equal(l.gap_p99_ms, p99);
}

static void a_gap_is_from_an_end_to_a_beginning_while_tasks_wait(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	kit_run(&k, 1, 5, 4, 0, QUERN__SINK__KIND__COUNT);
	k.now += 100;
	kit_offer(&k, "a", 2.1, 1000); /* the first two wait for an offer, but for no slot */
	kit_link(&k, k.executor);
	gaps(&k, 0, 0, 0);
	k.now += 50;
	kit_fine_done(&k, "5.0.0", "a");
	k.now += 7;
	kit_offer(&k, "a", 1, 900);
	kit_accepted(&k, "5.2.0");
	gaps(&k, 1, 7, 7);
	kit_fine_done(&k, "5.1.0", "a");
	k.now += 200;
	kit_offer(&k, "a", 1, 900);
	kit_accepted(&k, "5.3.0");
	gaps(&k, 2, 7, 192); /* to an eighth */
	kit_fine_done(&k, "5.2.0", "a");
	kit_fine_done(&k, "5.3.0", "a");
	k.now += 1000; /* nothing waits */
	kit_run(&k, 2, 6, 1, 0, QUERN__SINK__KIND__COUNT);
	k.now += 30;
	kit_offer(&k, "a", 2, 900);
	kit_accepted(&k, "6.0.0");
	gaps(&k, 2, 7, 192);
	kit_free(&k);
}

static void over_a_link_there_is_none(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_coarse, 1);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 1.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	k.now += 50;
	kit_coarse_done(&k, k.executor, "5.0.0");
	k.now += 50;
	kit_coarse_done(&k, k.executor, "5.1.0");
	gaps(&k, 2, 0, 0);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fine_task_holds_from_its_launch_to_its_end),
		cmocka_unit_test(a_coarse_lease_holds_idle_or_not),
		cmocka_unit_test(an_adaptive_lease_holds_until_mesos_says_that_it_is_over),
		cmocka_unit_test(what_is_lost_is_not_held),
		cmocka_unit_test(it_stops_with_the_framework),
		cmocka_unit_test(a_gap_is_from_an_end_to_a_beginning_while_tasks_wait),
		cmocka_unit_test(over_a_link_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
