/* Leases that come and go with the tasks: taken one by one, used at once, given back over the link. */
#include "tests/scheduler/sched_kit.h"

enum { IDLE_MS = 100, MAX_MS = 5000 };

static struct sched_config config_of(uint32_t max_slots)
{
	struct sched_config config = kit_config(&mode_adaptive);

	config.mode_config.max_slots = max_slots;
	config.mode_config.lease_idle_ms = IDLE_MS;
	config.mode_config.lease_max_ms = MAX_MS;
	config.revive_burst = 50;
	return config;
}

static void begin_with(struct kit *k, uint32_t max_slots, uint64_t lease_max_ms)
{
	struct sched_config config = config_of(max_slots);

	config.mode_config.lease_max_ms = lease_max_ms;
	kit_new(k, &config);
	kit_subscribed(k);
}

static void begin(struct kit *k, uint32_t max_slots)
{
	begin_with(k, max_slots, MAX_MS);
}

/* Two slots of agent "a", and a run of `tasks`. */
static void two_slots(struct kit *k, uint32_t tasks, uint32_t reduces)
{
	begin(k, 2);
	kit_run(k, 1, 5, tasks, reduces, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 2.1, 1000);
	kit_accepted(k, "lease-0 lease-1");
	kit_link(k, k->executor);
	kit_running(k, "lease-0", "a");
	kit_running(k, "lease-1", "a");
}

static void finished(struct kit *k, const char *lease, const char *agent)
{
	kit_update(k, lease, agent, STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
}

/* It took so long. */
static void done_after(struct kit *k, const char *executor, const char *name, uint64_t ms)
{
	Quern__TaskResult r = kit_result(name, DID(DONE));

	r.has_wall_us = 1;
	r.wall_us = ms * 1000;
	kit_coarse(k, executor, &r);
}

/* ---- Taken ---- */

static void tasks_run_as_soon_as_a_slot_is_there(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 8);
	kit_run(&k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 3.1, 1000);
	kit_accepted(&k, "lease-0 lease-1 lease-2");
	Call *c = kit_call(&k, CALL(ACCEPT), 0);
	const Mesos__V1__TaskInfo *t = c->accept->operations[0]->launch->task_infos[1];
	Quern__TaskData *data = quern__task_data__unpack(NULL, t->data.len, t->data.data);
	assert_int_equal(data->lease->slots, 1);
	assert_int_equal((int)t->resources[0]->scalar->value, 1);
	quern__task_data__free_unpacked(data, NULL);
	kit_call_free(c);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-1", "a");
	kit_sent(&k, k.executor, "5.0.0");
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, k.executor, "5.1.0");
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_sent(&k, k.executor, "5.2.0"); /* no round trip to the master */
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0);
	kit_free(&k);
}

static void says_that_it_begins(struct kit *k, const char *executor, const char *lease)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	char *list[] = { (char *)(uintptr_t)lease };

	m.n_leases = 1;
	m.leases = list;
	kit_link_message(k, executor, &m);
}

static void its_executor_says_that_a_lease_runs_before_mesos_does(void **state)
{
	struct kit k;
	char a[64];
	(void)state;

	begin(&k, 8);
	kit_run(&k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	memcpy(a, k.executor, sizeof(a));
	kit_link(&k, a);
	kit_offer(&k, "b", 1.1, 1000);
	kit_accepted(&k, "lease-2");
	kit_link(&k, k.executor);
	says_that_it_begins(&k, a, "lease-1");
	kit_sent(&k, a, "5.0.0");
	says_that_it_begins(&k, a, "lease-1");
	says_that_it_begins(&k, a, "lease-2"); /* it is not its own */
	says_that_it_begins(&k, a, "lease-7");
	kit_running(&k, "lease-1", "a");
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 1);
	kit_sent(&k, a, "");
	says_that_it_begins(&k, k.executor, "lease-2");
	kit_sent(&k, k.executor, "5.1.0");
	kit_says(&k, "lease-1", "a", STATE(FAILED)); /* with its executor */
	assert_int_equal(kit_held(&k), 1);
	kit_free(&k);
}

static void no_more_is_taken_than_tasks_lack(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 8);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "lease-0 lease-1");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 0);
	kit_offer(&k, "b", 4.1, 1000);
	kit_accepted(&k, "lease-2");
	assert_true(kit_refused(&k) > 1000);
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	kit_offer(&k, "c", 4.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

/* Two stages of four tasks each, and one that reads both. Their data is on `host`; NULL: anywhere. */
static void two_stages(struct kit *k, char *host)
{
	struct kit_run a, b;
	Quern__Stage *stages[3] = { &b.stages[0], &a.stages[0], &a.stages[1] };
	Quern__ShuffleInput *both[2] = { &a.from[1].input, &b.from[1].input };
	const Quern__Split *const *splits_of[3];
	size_t n_splits[3] = { 4, 4, 0 };

	kit_run_init(&b, 1, 5, 4, 2, QUERN__SINK__KIND__COUNT);
	kit_run_init(&a, 1, 7, 4, 2, QUERN__SINK__KIND__COUNT);
	for (int i = 0; host != NULL && i < 4; i++) {
		a.splits[i].hosts = b.splits[i].hosts = &host;
		a.splits[i].n_hosts = b.splits[i].n_hosts = 1;
	}
	splits_of[0] = b.splits_of[0];
	splits_of[1] = a.splits_of[0];
	splits_of[2] = a.splits_of[1];
	a.run.stages = stages;
	a.run.n_stages = 3;
	a.from[1].source.shuffles = both;
	a.from[1].source.n_shuffles = 2;
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_RUN,
			    .u.run = { .run = &a.run, .splits = splits_of, .n_splits = n_splits } });
}

/* What is coming serves one of them. */
static void of_two_stages_each_gets_what_it_lacks(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 0);
	two_stages(&k, NULL);
	kit_offer(&k, "a", 3.1, 1000);
	kit_accepted(&k, "lease-0 lease-1 lease-2");
	kit_offer(&k, "b", 3.1, 1000);
	kit_accepted(&k, "lease-3 lease-4 lease-5");
	kit_offer(&k, "c", 3.1, 1000);
	kit_accepted(&k, "lease-6 lease-7");
	assert_int_equal(kit_calls(&k, CALL(SUPPRESS)), 1);
	kit_free(&k);
}

static void so_where_both_have_their_data(void **state)
{
	struct sched_config config = config_of(0);
	struct kit k;
	(void)state;

	config.locality_wait_ms = 3000;
	kit_new(&k, &config);
	kit_subscribed(&k);
	two_stages(&k, (char *)(uintptr_t) "a");
	kit_offer(&k, "a", 9.1, 10000);
	kit_accepted(&k, "lease-0 lease-1 lease-2 lease-3 lease-4 lease-5 lease-6 lease-7");
	kit_free(&k);
}

static void at_the_limit_nothing_is_asked_for(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 10, 0);
	kit_offer(&k, "a", 4, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	assert_int_equal(kit_held(&k), 2);
	kit_free(&k);
}

/* ---- Given back ---- */

static void idle_slots_go_back_after_a_while_and_are_held_until_they_are(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 3, 0);
	k.now += 50;
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_sent(&k, k.executor, "5.2.0");
	kit_coarse_done(&k, k.executor, "5.1.0");
	k.now += IDLE_MS - 1;
	kit_tick(&k);
	kit_ended(&k, "");
	assert_int_equal(sched_next_ms(k.s), k.now + 1);
	k.now++;
	kit_tick(&k);
	kit_ended(&k, "lease-0");                            /* the older one: they are alike */
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0); /* it costs the master no call */
	assert_int_equal(kit_held(&k), 2);
	finished(&k, "lease-0", "a");
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 1);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0); /* nothing is wanted */
	assert_int_equal(kit_held(&k), 1);
	kit_coarse_done(&k, k.executor, "5.2.0");
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void they_go_back_at_once_when_what_runs_takes_long(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 4, 0);
	k.now += 1000;
	done_after(&k, k.executor, "5.0.0", 1000);
	kit_sent(&k, k.executor, "5.2.0");
	k.now += 200;
	done_after(&k, k.executor, "5.1.0", 1200);
	kit_sent(&k, k.executor, "5.3.0");
	kit_ended(&k, "");
	k.now += 500;
	done_after(&k, k.executor, "5.2.0", 700); /* the other has half a second to go */
	kit_ended(&k, "lease-0");
	kit_free(&k);
}

static void at_the_end_of_a_wave_they_stay(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 4, 2);
	k.now += 1000;
	done_after(&k, k.executor, "5.0.0", 1000);
	done_after(&k, k.executor, "5.1.0", 1000);
	k.now += 980;
	done_after(&k, k.executor, "5.2.0", 980); /* the other one is about to end, and more will come */
	kit_ended(&k, "");
	k.now += 40;
	done_after(&k, k.executor, "5.3.0", 1020);
	kit_sent(&k, k.executor, "6.0.0 6.1.0");
	kit_free(&k);
}

static void between_two_actions_they_stay_for_a_while(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 2, 0);
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_coarse_done(&k, k.executor, "5.1.0");
	kit_done(&k, 0, NULL);
	k.now += IDLE_MS - 1;
	kit_run(&k, 2, 6, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_sent(&k, k.executor, "6.0.0 6.1.0");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_coarse_done(&k, k.executor, "6.0.0");
	kit_coarse_done(&k, k.executor, "6.1.0");
	kit_done(&k, 0, NULL);
	k.now += IDLE_MS;
	kit_tick(&k);
	kit_ended(&k, "lease-0 lease-1");
	finished(&k, "lease-0", "a");
	finished(&k, "lease-1", "a");
	struct sched_progress p;
	sched_get_progress(k.s, &p);
	assert_int_equal(p.slots_held, 0);
	assert_int_equal(p.executors, 1); /* it stays */
	kit_run(&k, 3, 7, 1, 0, QUERN__SINK__KIND__COUNT);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_offer(&k, "a", 2, 900);
	kit_accepted(&k, "lease-2");
	kit_running(&k, "lease-2", "a");
	kit_sent(&k, k.executor, "7.0.0");
	kit_free(&k);
}

static void whole_executors_are_emptied_first(void **state)
{
	struct kit k;
	char e[2][64];
	(void)state;

	begin(&k, 4);
	kit_run(&k, 1, 5, 4, 0, QUERN__SINK__KIND__COUNT);
	for (int i = 0; i < 2; i++) {
		kit_offer(&k, i == 0 ? "a" : "b", 2.1, 1000);
		memcpy(e[i], k.executor, sizeof(e[i]));
		kit_link(&k, e[i]);
	}
	kit_running(&k, "lease-0", "a");
	kit_running(&k, "lease-1", "a");
	kit_running(&k, "lease-2", "b");
	kit_running(&k, "lease-3", "b");
	kit_coarse_done(&k, e[0], "5.0.0");
	kit_coarse_done(&k, e[1], "5.2.0");
	kit_coarse_done(&k, e[1], "5.3.0");
	k.now += IDLE_MS;
	kit_tick(&k);
	kit_ended(&k, "lease-2 lease-3 lease-0");
	kit_free(&k);
}

static void what_is_not_over_is_killed_at_last(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 2, 0);
	kit_coarse_done(&k, k.executor, "5.0.0");
	k.now += IDLE_MS;
	kit_tick(&k);
	kit_ended(&k, "lease-0");
	kit_unlink(&k, k.executor);
	kit_link(&k, k.executor);
	kit_unlink(&k, k.executor);
	kit_link_up(&k, k.executor);
	kit_ended(&k, "lease-0"); /* the old link may have lost it */
	kit_coarse_done(&k, k.executor, "5.1.0");
	kit_wait(&k, 30000);
	kit_tick(&k);
	k.now += 30000;
	kit_tick(&k);
	assert_true(kit_calls(&k, CALL(KILL)) >= 1);
	Call *c = kit_call(&k, CALL(KILL), 0);
	assert_string_equal(c->kill->task_id->value, "lease-0");
	kit_call_free(c);
	kit_says(&k, "lease-0", "a", STATE(KILLED));
	assert_int_equal(kit_held(&k), 1);
	kit_free(&k);
}

/* ---- Too old ---- */

static void an_old_one_goes_between_two_tasks_and_is_asked_for_again(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 10, 0);
	kit_wait(&k, MAX_MS);
	kit_tick(&k);
	kit_ended(&k, ""); /* both are busy */
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_ended(&k, "lease-0");
	kit_sent(&k, k.executor, "");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 0);
	kit_coarse_done(&k, k.executor, "5.1.0");
	kit_ended(&k, "lease-1");
	kit_sent(&k, k.executor, "");
	finished(&k, "lease-0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_offer(&k, "a", 1, 900);
	kit_accepted(&k, "lease-2");
	kit_running(&k, "lease-2", "a");
	kit_sent(&k, k.executor, "5.2.0");
	kit_free(&k);
}

/* Short ones wait there for a slot: they run, and nothing more is sent before there is room. */
static void what_went_ahead_runs_first(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 60, 0);
	done_after(&k, k.executor, "5.0.0", 5);
	done_after(&k, k.executor, "5.1.0", 5);
	struct sched_progress p;
	sched_get_progress(k.s, &p);
	assert_int_equal(p.tasks_running, 2);
	assert_true(kit_actions(&k, SCHED_DO_LINK) > 0); /* ahead */
	kit_wait(&k, MAX_MS);
	kit_tick(&k);
	kit_ended(&k, "");
	/* 5.2 to 5.5 are there, whichever of them waits: two run, and one lease goes when one is left. */
	unsigned sent = 0, left;
	for (left = 0; sent < 20; sent++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "5.%u.0", 2 + sent);
		done_after(&k, k.executor, name, 5);
		kit_sent(&k, k.executor, "");
		sched_get_progress(k.s, &p);
		left = p.tasks_running;
		if (left == 1)
			break;
		kit_ended(&k, "");
	}
	assert_int_equal(left, 1);
	kit_ended(&k, "lease-0");
	kit_free(&k);
}

/* However little time it may be held, and however long its executor takes to start. */
static void each_lease_serves_a_task_at_least(void **state)
{
	struct kit k;
	(void)state;

	begin_with(&k, 2, 0);
	kit_run(&k, 1, 5, 4, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "lease-0 lease-1");
	k.now += 300;
	kit_running(&k, "lease-0", "a");
	kit_wait(&k, 50); /* its tasks come over the link */
	kit_link(&k, k.executor);
	assert_int_equal(kit_held(&k), 2);
	kit_running(&k, "lease-1", "a");
	kit_sent(&k, k.executor, "5.1.0");
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_ended(&k, "lease-0");
	kit_sent(&k, k.executor, "");
	finished(&k, "lease-0", "a");
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_offer(&k, "a", 1, 900);
	kit_accepted(&k, "lease-2");
	kit_running(&k, "lease-2", "a");
	kit_sent(&k, k.executor, "5.2.0"); /* beside the one of lease-1 */
	kit_ended(&k, "");
	kit_coarse_done(&k, k.executor, "5.1.0");
	kit_ended(&k, "lease-1");
	finished(&k, "lease-1", "a");
	kit_offer(&k, "a", 1, 900);
	kit_accepted(&k, "lease-3");
	kit_running(&k, "lease-3", "a");
	kit_sent(&k, k.executor, "5.3.0");
	kit_coarse_done(&k, k.executor, "5.2.0");
	kit_ended(&k, "lease-2");
	kit_coarse_done(&k, k.executor, "5.3.0");
	kit_ended(&k, "lease-3");
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void the_start_of_its_executor_is_not_of_its_age(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 2);
	kit_run(&k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "lease-0");
	k.now += 2 * MAX_MS;
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, k.executor, "5.0.0");
	k.now += MAX_MS - 1;
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_sent(&k, k.executor, "5.1.0");
	kit_ended(&k, "");
	k.now++;
	kit_coarse_done(&k, k.executor, "5.1.0");
	kit_ended(&k, "lease-0");
	kit_free(&k);
}

/* Nothing has ended: the old one is busy, and the new one is not given back in its place. */
static void a_new_one_is_used_beside_an_old_one(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 2);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 1.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	kit_wait(&k, MAX_MS + 1);
	kit_tick(&k);
	kit_offer(&k, "a", 1, 900);
	kit_accepted(&k, "lease-1");
	kit_running(&k, "lease-1", "a");
	kit_sent(&k, k.executor, "5.1.0");
	kit_ended(&k, "");
	kit_coarse_done(&k, k.executor, "5.1.0"); /* slots are alike */
	kit_ended(&k, "lease-0");
	kit_free(&k);
}

static void nothing_goes_ahead_to_a_slot_that_is_about_to_go(void **state)
{
	struct kit k;
	(void)state;

	begin_with(&k, 2, 0);
	kit_run(&k, 1, 5, 60, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	kit_running(&k, "lease-1", "a");
	done_after(&k, k.executor, "5.0.0", 5);
	kit_ended(&k, "lease-0");
	kit_sent(&k, k.executor, "");
	kit_free(&k);
}

/* ---- Things that go wrong ---- */

static void a_lost_executor_takes_its_leases_along(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 10, 0);
	k.now += 20;
	kit_failure(&k, k.executor, "a");
	assert_int_equal(kit_held(&k), 0);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_says(&k, "lease-0", "a", STATE(FAILED));
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "lease-2 lease-3");
	kit_free(&k);
}

static void what_never_came_is_taken_again(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "lease-0 lease-1");
	kit_offer(&k, "b", 2.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0); /* they are coming */
	kit_says(&k, "lease-0", "a", STATE(DROPPED));
	kit_says(&k, "lease-1", "a", STATE(DROPPED));
	kit_offer(&k, "b", 2.1, 1000);
	kit_accepted(&k, "lease-2 lease-3");
	kit_free(&k);
}

static void stopping_gives_nothing_back_one_by_one(void **state)
{
	struct kit k;
	(void)state;

	two_slots(&k, 2, 0);
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_coarse_done(&k, k.executor, "5.1.0");
	k.now += IDLE_MS;
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	kit_ended(&k, "");
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	kit_free(&k);
}

/* ---- Larger tasks ---- */

static void run_of_size(struct kit *k, uint32_t id, uint32_t stage, uint32_t tasks, uint32_t milli)
{
	struct kit_run r;

	kit_run_init(&r, id, stage, tasks, 0, QUERN__SINK__KIND__COUNT);
	r.stages[0].has_task_cores_milli = 1;
	r.stages[0].task_cores_milli = milli;
	kit_submit(k, &r);
}

static void a_lease_is_as_large_as_its_task(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 8);
	run_of_size(&k, 1, 5, 3, 2000);
	kit_offer(&k, "a", 5.1, 1000); /* two, and one core is of no use */
	kit_accepted(&k, "lease-0 lease-1");
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, k.executor, "5.0.0");
	assert_int_equal(kit_held(&k), 4);
	kit_offer(&k, "b", 1.5, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

static void an_old_one_of_several_slots_goes_when_they_are_all_idle(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, 2);
	run_of_size(&k, 1, 5, 1, 2000);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	kit_coarse_done(&k, k.executor, "5.0.0");
	kit_run(&k, 2, 6, 6, 0, QUERN__SINK__KIND__COUNT);
	kit_sent(&k, k.executor, "6.0.0 6.1.0");
	kit_wait(&k, MAX_MS);
	kit_coarse_done(&k, k.executor, "6.0.0");
	kit_sent(&k, k.executor, "");
	kit_ended(&k, "");
	kit_coarse_done(&k, k.executor, "6.1.0");
	kit_sent(&k, k.executor, "");
	kit_ended(&k, "lease-0");
	kit_free(&k);
}

/* Slots here and there that no task fits in do not keep the job from getting others. */
static void slots_that_are_too_few_for_a_task_make_room(void **state)
{
	struct kit k;
	char a[64];
	(void)state;

	begin(&k, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 1.1, 1000);
	memcpy(a, k.executor, sizeof(a));
	kit_offer(&k, "b", 1.1, 1000);
	kit_link(&k, a);
	kit_running(&k, "lease-0", "a");
	kit_link(&k, k.executor);
	kit_running(&k, "lease-1", "b");
	kit_coarse_done(&k, a, "5.0.0");
	kit_coarse_done(&k, k.executor, "5.1.0");
	run_of_size(&k, 2, 6, 1, 2000);
	kit_offer(&k, "c", 2.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0); /* two are held */
	k.now += IDLE_MS;
	kit_tick(&k);
	kit_ended(&k, "lease-0 lease-1");
	finished(&k, "lease-0", "a");
	finished(&k, "lease-1", "b");
	kit_offer(&k, "c", 2.1, 1000);
	kit_accepted(&k, "lease-2");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_run_as_soon_as_a_slot_is_there),
		cmocka_unit_test(its_executor_says_that_a_lease_runs_before_mesos_does),
		cmocka_unit_test(no_more_is_taken_than_tasks_lack),
		cmocka_unit_test(of_two_stages_each_gets_what_it_lacks),
		cmocka_unit_test(so_where_both_have_their_data),
		cmocka_unit_test(at_the_limit_nothing_is_asked_for),
		cmocka_unit_test(idle_slots_go_back_after_a_while_and_are_held_until_they_are),
		cmocka_unit_test(they_go_back_at_once_when_what_runs_takes_long),
		cmocka_unit_test(at_the_end_of_a_wave_they_stay),
		cmocka_unit_test(between_two_actions_they_stay_for_a_while),
		cmocka_unit_test(whole_executors_are_emptied_first),
		cmocka_unit_test(what_is_not_over_is_killed_at_last),
		cmocka_unit_test(an_old_one_goes_between_two_tasks_and_is_asked_for_again),
		cmocka_unit_test(what_went_ahead_runs_first),
		cmocka_unit_test(each_lease_serves_a_task_at_least),
		cmocka_unit_test(the_start_of_its_executor_is_not_of_its_age),
		cmocka_unit_test(a_new_one_is_used_beside_an_old_one),
		cmocka_unit_test(nothing_goes_ahead_to_a_slot_that_is_about_to_go),
		cmocka_unit_test(a_lost_executor_takes_its_leases_along),
		cmocka_unit_test(what_never_came_is_taken_again),
		cmocka_unit_test(stopping_gives_nothing_back_one_by_one),
		cmocka_unit_test(a_lease_is_as_large_as_its_task),
		cmocka_unit_test(an_old_one_of_several_slots_goes_when_they_are_all_idle),
		cmocka_unit_test(slots_that_are_too_few_for_a_task_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
