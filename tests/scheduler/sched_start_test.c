/* What adaptive and fine mode take while executors start: of each agent the first lease or task, which brings
 * the executor; the slots beside it wait until that has its link, and are asked for then. */
#include "tests/scheduler/place_kit.h"

enum { LATER_MS = 5000 /* that they wait at most */, PLENTY = 50 /* REVIVEs */ };

static struct sched_config config_for(const struct mode_ops *mode, uint32_t max_slots, uint32_t revives)
{
	struct sched_config config = config_of(mode);

	config.mode = mode;
	config.mode_config.max_slots = max_slots;
	config.mode_config.lease_idle_ms = 100;
	config.mode_config.lease_max_ms = 1000000;
	config.revive_burst = revives;
	return config;
}

static void start_with(struct kit *k, const struct sched_config *config)
{
	kit_new(k, config);
	kit_subscribed(k);
}

static void start_in(struct kit *k, const struct mode_ops *mode, uint32_t max_slots)
{
	const struct sched_config config = config_for(mode, max_slots, PLENTY);

	start_with(k, &config);
}

static void start(struct kit *k, uint32_t max_slots)
{
	start_in(k, &mode_adaptive, max_slots);
}

static void tasks(struct kit *k, uint32_t n)
{
	kit_run(k, 1, 5, n, 0, QUERN__SINK__KIND__COUNT);
	k->now += 1000; /* since the last REVIVE */
}

/* Twenty tasks, and agent "a" with room for four: the lease that brings its executor was launched. */
static void one_is_on_its_way(struct kit *k, uint32_t max_slots)
{
	start(k, max_slots);
	tasks(k, 20);
	offer(k, "a:4.1");
	launched(k, "a: lease-0");
}

/* Only the first is held, but the others count: they are not taken elsewhere. */
static void the_first_lease_of_an_agent_brings_its_executor(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 8);
	tasks(&k, 20);
	offer(&k, "a:4.1 b:4.1 c:4.1");
	launched(&k, "a: lease-0 | b: lease-1");
	assert_int_equal(kit_held(&k), 2);
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1); /* that is all that it may have */
	k.now += 250;
	kit_link_up(&k, "000007-0-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:3 a:3 c:4.1");
	launched(&k, "a: lease-2 lease-3 lease-4");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, "000007-0-0", "5.0.0");
	k.now += 50;
	kit_link_up(&k, "000007-1-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:3 c:4.1");
	launched(&k, "b: lease-5 lease-6 lease-7");
	assert_int_equal(kit_held(&k), 8);
	kit_free(&k);
}

/* In fine mode it is the first task. */
static void so_does_the_first_task(void **state)
{
	struct kit k;
	(void)state;

	start_in(&k, &mode_fine, 8);
	tasks(&k, 20);
	offer(&k, "a:4.1 b:4.1 c:4.1");
	launched(&k, "a: 5.0.0 | b: 5.1.0");
	assert_int_equal(kit_held(&k), 2);
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 0); /* there is more to do than it may hold */
	k.now += 250;
	kit_link_up(&k, "000007-0-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:3 a:3 c:4.1");
	launched(&k, "a: 5.2.0 5.3.0 5.4.0");
	k.now += 50;
	kit_link_up(&k, "000007-1-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:3 c:4.1");
	launched(&k, "b: 5.5.0 5.6.0 5.7.0");
	assert_int_equal(kit_held(&k), 8);
	kit_free(&k);
}

/* Nothing is wanted while all that there is waits for executors. */
static void tasks_that_wait_for_an_executor_want_no_offers(void **state)
{
	struct kit k;
	(void)state;

	start_in(&k, &mode_fine, 0);
	tasks(&k, 3);
	offer(&k, "a:4.1");
	launched(&k, "a: 5.0.0");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	kit_says(&k, "5.0.0", "a", STATE(FAILED)); /* it did not start */
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:4.1");
	launched(&k, "b: 5.0.1");
	k.now += 250;
	kit_link_up(&k, "000007-1-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:3");
	launched(&k, "b: 5.1.0 5.2.0");
	kit_free(&k);
}

/* A task that would rather be elsewhere is not one of those that wait here. */
static void those_that_wait_are_tasks_of_that_place(void **state)
{
	struct kit k;
	(void)state;

	start_in(&k, &mode_fine, 0);
	tasks(&k, 2);
	offer(&k, "a:8.1");
	launched(&k, "a: 5.0.0");
	offer(&k, "b:8.1"); /* the other one is counted for "a" */
	launched(&k, "");
	kit_link_up(&k, "000007-0-0");
	offer(&k, "b:8.1 a:7");
	launched(&k, "a: 5.1.0");
	kit_free(&k);
}

static void where_an_executor_is_slots_are_taken_at_once(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0);
	tasks(&k, 20);
	offer(&k, "a:1.1");
	launched(&k, "a: lease-0");
	kit_link_up(&k, "000007-0-0");
	offer(&k, "b:4.1 a:2"); /* and first */
	launched(&k, "a: lease-1 lease-2 | b: lease-3");
	kit_free(&k);
}

/* More could be used than there is: offers are wanted all the time. */
static void what_is_wanted_beside_them_is_taken(void **state)
{
	struct kit k;
	(void)state;

	one_is_on_its_way(&k, 0);
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 0);
	assert_true(kit_refused(&k) < 1);
	offer(&k, "a:3 b:1.1");
	launched(&k, "b: lease-1");
	kit_link_up(&k, "000007-0-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_link_up(&k, "000007-1-0"); /* nothing waits for it */
	k.now += 1000;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_free(&k);
}

static void if_they_are_not_there_any_more_others_will_do(void **state)
{
	struct kit k;
	(void)state;

	one_is_on_its_way(&k, 4);
	offer(&k, "b:3.1");
	launched(&k, "");
	kit_link_up(&k, "000007-0-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "a:1 b:3.1");
	launched(&k, "a: lease-1 | b: lease-2");
	kit_free(&k);
}

static void if_the_executor_is_lost_others_are_asked_for(void **state)
{
	struct kit k;
	(void)state;

	one_is_on_its_way(&k, 4);
	kit_says(&k, "lease-0", "a", STATE(FAILED));
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:4.1");
	launched(&k, "b: lease-1");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	kit_free(&k);
}

static void if_it_takes_too_long_others_are_asked_for(void **state)
{
	struct kit k;
	(void)state;

	one_is_on_its_way(&k, 4);
	kit_wait(&k, LATER_MS - 1);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "a:3 b:4.1");
	launched(&k, "b: lease-1"); /* and two later */
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	kit_link_up(&k, "000007-0-0");
	kit_link_up(&k, "000007-1-0");
	offer(&k, "a:3 b:3");
	launched(&k, "a: lease-2 lease-3");
	kit_free(&k);
}

/* With nothing left to run they are not asked for. */
static void nobody_asks_for_what_nobody_wants(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 4);
	tasks(&k, 4);
	offer(&k, "a:4.1");
	launched(&k, "a: lease-0");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	kit_link_up(&k, "000007-0-0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_run(&k, 2, 6, 2, 0, QUERN__SINK__KIND__COUNT);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1); /* the lease is one */
	offer(&k, "a:3");
	launched(&k, "a: lease-1");
	kit_free(&k);
}

static void where_none_may_be_asked_for_all_are_taken(void **state)
{
	struct sched_config never = config_for(&mode_adaptive, 4, PLENTY),
			    slow = config_for(&mode_adaptive, 4, PLENTY);
	struct kit k;
	(void)state;

	never.revive_interval_ms = UINT64_MAX;
	slow.revive_interval_ms = 1000;
	start_with(&k, &never);
	tasks(&k, 20);
	offer(&k, "a:4.1");
	launched(&k, "a: lease-0 lease-1 lease-2 lease-3");
	kit_free(&k);

	start_with(&k, &slow);
	tasks(&k, 20);
	offer(&k, "a:4.1");
	launched(&k, "a: lease-0 lease-1 lease-2 lease-3");
	kit_free(&k);
}

/* There may be a REVIVE for each executor, and no more of them. */
static void no_more_executors_are_waited_for_than_may_be_asked_for(void **state)
{
	const struct sched_config config = config_for(&mode_adaptive, 0, 2);
	struct kit k;
	(void)state;

	start_with(&k, &config);
	tasks(&k, 20);
	offer(&k, "a:2.1 b:3.1 c:2.1");
	launched(&k, "a: lease-0 | b: lease-1 | c: lease-2 lease-3");
	kit_free(&k);
}

static void a_lease_is_as_large_as_its_task(void **state)
{
	struct kit_run r;
	struct kit k;
	(void)state;

	start(&k, 6);
	kit_run_init(&r, 1, 5, 5, 0, QUERN__SINK__KIND__COUNT);
	r.stages[0].has_task_cores_milli = 1;
	r.stages[0].task_cores_milli = 2000;
	kit_submit(&k, &r);
	offer(&k, "a:5.1 b:2.1 c:4.1");
	launched(&k, "a: lease-0 | b: lease-1");
	assert_int_equal(kit_held(&k), 4);
	kit_link_up(&k, "000007-0-0");
	offer(&k, "a:3 c:4.1");
	launched(&k, "a: lease-2");
	assert_int_equal(kit_held(&k), 6);
	kit_free(&k);
}

/* Tasks that have their data there wait for it as well. */
static void where_data_is_they_are_for_its_tasks(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0);
	submit(&k, 1, "a a a b -");
	offer(&k, "a:4.1 b:4.1");
	launched(&k, "a: lease-1 | b: lease-0");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	k.now += 250;
	kit_link_up(&k, "000007-1-0");
	offer(&k, "a:3 b:3"); /* the tasks of a do not want it */
	launched(&k, "");
	kit_link_up(&k, "000007-0-0");
	offer(&k, "b:3 a:3");
	launched(&k, "b: lease-4 | a: lease-2 lease-3");
	kit_free(&k);
}

/* Of four slots that were passed over three are made good: by the tasks, and not by their waiting as well. */
static void a_task_that_waited_makes_good_one_slot(void **state)
{
	struct kit k;
	(void)state;

	start_in(&k, &mode_fine, 0);
	submit(&k, 1, "a a a a a a a a");
	offer(&k, "a:0.1 b:4.1");
	launched(&k, "");
	offer(&k, "a:3.1");
	launched(&k, "a: 1.0.0");
	kit_link_up(&k, "000007-0-0");
	offer(&k, "a:2");
	launched(&k, "a: 1.1.0 1.2.0");
	kit_wait(&k, WAIT_MS * 4 - 1); /* three run and one more could */
	offer(&k, "b:1.1");
	launched(&k, "");
	k.now++;
	kit_tick(&k);
	offer(&k, "b:1.1");
	launched(&k, "b: 1.3.0");
	kit_free(&k);
}

/* ---- Several stages ---- */

struct part {
	uint32_t tasks;
	char *host; /* of their data; NULL: anywhere */
};

enum { PARTS_MAX = 3 };

/* Stages 5, 7 ... of such tasks, which may all start, and one that reads them all. */
static void submit_parts(struct kit *k, const struct part *parts, size_t n)
{
	struct kit_run each[PARTS_MAX];
	Quern__Stage *stages[PARTS_MAX + 1];
	Quern__Branch *branches[PARTS_MAX];
	const Quern__Split *const *splits_of[PARTS_MAX + 1] = { NULL };
	size_t n_splits[PARTS_MAX + 1] = { 0 };
	struct kit_run *first = &each[0];

	for (size_t i = 0; i < n; i++) {
		kit_run_init(&each[i], 2, 5 + 2 * (uint32_t)i, parts[i].tasks, 1, QUERN__SINK__KIND__COUNT);
		for (uint32_t t = 0; parts[i].host != NULL && t < parts[i].tasks; t++) {
			each[i].splits[t].hosts = (char **)(uintptr_t)&parts[i].host;
			each[i].splits[t].n_hosts = 1;
		}
		stages[i] = &each[i].stages[0];
		branches[i] = &each[i].from[1].branch;
		splits_of[i] = each[i].split_list;
		n_splits[i] = parts[i].tasks;
	}
	stages[n] = &first->stages[1];
	stages[n]->branches = branches;
	stages[n]->n_branches = n;
	first->run.stages = stages;
	first->run.n_stages = n + 1;
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_RUN,
			    .u.run = { .run = &first->run, .splits = splits_of, .n_splits = n_splits } });
	k->now += 1000; /* since the last REVIVE */
}

/* In fine mode: there is an executor on b, and nothing to do. */
static void b_is_there(struct kit *k, uint64_t locality_wait_ms)
{
	struct sched_config config = config_for(&mode_fine, 0, PLENTY);

	config.locality_wait_ms = locality_wait_ms;
	start_with(k, &config);
	kit_run(k, 1, 1, 1, 0, QUERN__SINK__KIND__COUNT);
	offer(k, "b:1.1");
	launched(k, "b: 1.0.0");
	kit_link(k, "000007-0-0");
	kit_fine_done(k, "1.0.0", "b");
	kit_done(k, 0, NULL);
}

/* Also where an executor is: what is taken there is for others. */
static void for_tasks_whose_slots_are_coming_none_is_taken_elsewhere(void **state)
{
	struct part parts[] = { { 3, (char *)(uintptr_t) "a" }, { 1, NULL } };
	struct kit k;
	(void)state;

	b_is_there(&k, 0);
	submit_parts(&k, parts, 2);
	offer(&k, "a:3.1");
	launched(&k, "a: 5.0.0");
	offer(&k, "b:1");
	launched(&k, "b: 7.0.0");
	kit_link_up(&k, "000007-1-0");
	offer(&k, "a:2");
	launched(&k, "a: 5.1.0 5.2.0");
	kit_free(&k);
}

/* Those of the first stage wait for one slot, as one of them was launched; those of the second for two. */
static void what_was_launched_waits_no_longer(void **state)
{
	struct part parts[] = { { 2, (char *)(uintptr_t) "a" }, { 2, (char *)(uintptr_t) "a" }, { 1, NULL } };
	struct kit k;
	(void)state;

	b_is_there(&k, WAIT_MS);
	submit_parts(&k, parts, 3);
	offer(&k, "a:9.1 b:1");
	launched(&k, "b: 9.0.0 | a: 5.0.0");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_lease_of_an_agent_brings_its_executor),
		cmocka_unit_test(so_does_the_first_task),
		cmocka_unit_test(tasks_that_wait_for_an_executor_want_no_offers),
		cmocka_unit_test(those_that_wait_are_tasks_of_that_place),
		cmocka_unit_test(where_an_executor_is_slots_are_taken_at_once),
		cmocka_unit_test(what_is_wanted_beside_them_is_taken),
		cmocka_unit_test(if_they_are_not_there_any_more_others_will_do),
		cmocka_unit_test(if_the_executor_is_lost_others_are_asked_for),
		cmocka_unit_test(if_it_takes_too_long_others_are_asked_for),
		cmocka_unit_test(nobody_asks_for_what_nobody_wants),
		cmocka_unit_test(where_none_may_be_asked_for_all_are_taken),
		cmocka_unit_test(no_more_executors_are_waited_for_than_may_be_asked_for),
		cmocka_unit_test(a_lease_is_as_large_as_its_task),
		cmocka_unit_test(where_data_is_they_are_for_its_tasks),
		cmocka_unit_test(a_task_that_waited_makes_good_one_slot),
		cmocka_unit_test(for_tasks_whose_slots_are_coming_none_is_taken_elsewhere),
		cmocka_unit_test(what_was_launched_waits_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
