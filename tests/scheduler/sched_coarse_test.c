/* Leases, the start of a gang, tasks and results over links. */
#include "tests/scheduler/sched_kit.h"

/* Two agents of two slots each, for a run of `tasks`. */
struct gang {
	struct kit k;
	char e[2][64];
};

static void launch(struct gang *g, uint32_t tasks, uint32_t reduces, Quern__Sink__Kind kind)
{
	struct sched_config config = kit_config(&mode_coarse);

	config.mode_config.max_slots = 4;
	kit_new(&g->k, &config);
	kit_subscribed(&g->k);
	kit_run(&g->k, 1, 5, tasks, reduces, kind);
	kit_offer(&g->k, "a", 2.1, 1000);
	kit_accepted(&g->k, "lease-0");
	memcpy(g->e[0], g->k.executor, sizeof(g->e[0]));
	kit_offer(&g->k, "b", 2.1, 1000);
	kit_accepted(&g->k, "lease-1");
	memcpy(g->e[1], g->k.executor, sizeof(g->e[1]));
}

static void gang(struct gang *g, uint32_t tasks, uint32_t reduces, Quern__Sink__Kind kind)
{
	launch(g, tasks, reduces, kind);
	kit_link(&g->k, g->e[0]);
	kit_running(&g->k, "lease-0", "a");
	kit_link(&g->k, g->e[1]);
	kit_running(&g->k, "lease-1", "b");
}

static void a_lease_is_one_task_of_all_slots(void **state)
{
	struct gang g;
	(void)state;

	launch(&g, 10, 0, QUERN__SINK__KIND__COUNT);
	assert_int_equal(kit_calls(&g.k, CALL(SUPPRESS)), 1); /* it has what it wants */
	Call *c = kit_call(&g.k, CALL(ACCEPT), 0);
	const Mesos__V1__TaskInfo *t = c->accept->operations[0]->launch->task_infos[0];
	Quern__TaskData *data = quern__task_data__unpack(NULL, t->data.len, t->data.data);
	assert_null(data->task);
	assert_int_equal(data->lease->slots, 2);
	assert_int_equal((int)t->resources[0]->scalar->value, 2);
	quern__task_data__free_unpacked(data, NULL);
	kit_call_free(c);
	assert_string_not_equal(g.e[0], g.e[1]);
	kit_offer(&g.k, "c", 8, 1000);
	assert_int_equal(kit_calls(&g.k, CALL(ACCEPT)), 0); /* no more than was asked for */
	kit_free(&g.k);
}

static void nothing_runs_before_all_is_registered(void **state)
{
	struct gang g;
	(void)state;

	launch(&g, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_link(&g.k, g.e[0]);
	kit_running(&g.k, "lease-0", "a");
	kit_sent(&g.k, g.e[0], "");
	kit_running(&g.k, "lease-1", "b");
	kit_sent(&g.k, g.e[0], ""); /* not linked yet */
	kit_link(&g.k, g.e[1]);
	kit_step(&g.k, (struct sched_event){ .kind = SCHED_EV_TICK });
	struct sched_progress p;
	sched_get_progress(g.k.s, &p);
	assert_int_equal(p.tasks_running, 4);
	assert_int_equal(p.slots_held, 4);
	assert_int_equal(p.executors, 2);
	kit_free(&g.k);
}

static void tasks_go_to_free_slots_in_batches(void **state)
{
	struct gang g;
	(void)state;

	gang(&g, 6, 0, QUERN__SINK__KIND__COUNT);
	kit_sent(&g.k, g.e[0], "5.0.0 5.2.0");
	kit_sent(&g.k, g.e[1], "5.1.0 5.3.0");
	Quern__ToExecutor *m = kit_link_sent(&g.k, 0); /* ahead of them, the stage */
	assert_int_equal(m->stage->stage->id, 5);
	quern__to_executor__free_unpacked(m, NULL);
	kit_coarse_done(&g.k, g.e[1], "5.1.0");
	assert_int_equal(kit_actions(&g.k, SCHED_DO_RESULT), 1);
	kit_sent(&g.k, g.e[1], "5.4.0");
	assert_int_equal(kit_actions(&g.k, SCHED_DO_LINK), 1); /* the stage is known */
	kit_coarse_done(&g.k, g.e[1], "5.1.0");                /* again: once is enough */
	assert_int_equal(kit_actions(&g.k, SCHED_DO_RESULT), 0);
	kit_coarse_done(&g.k, g.e[0], "5.3.0"); /* of another executor */
	assert_int_equal(kit_actions(&g.k, SCHED_DO_RESULT), 0);
	kit_free(&g.k);
}

static void gives_up_with_a_sentence(void **state)
{
	struct sched_config config = kit_config(&mode_coarse);
	struct kit k;
	(void)state;

	config.mode_config.max_slots = 4;
	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_offer(&k, "b", 0.5, 1000);
	kit_wait(&k, 29999);
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	k.now++;
	kit_tick(&k);
	kit_done(&k, 1, "asked for 4 slots");
	kit_done(&k, 1, "2 are held and 0 registered");
	kit_done(&k, 1, "too few cores: 1 agent (the most: 0.4)");
	kit_done(&k, 1, "executor not up yet: 1");
	kit_free(&k);
}

static void a_lost_executors_tasks_run_elsewhere(void **state)
{
	struct gang g;
	(void)state;

	gang(&g, 6, 0, QUERN__SINK__KIND__COUNT);
	g.k.now += 20;
	kit_failure(&g.k, g.e[0], "a");
	assert_int_equal(kit_calls(&g.k, CALL(REVIVE)), 1); /* its slots are missing */
	kit_unlink(&g.k, g.e[0]);
	kit_coarse_done(&g.k, g.e[1], "5.1.0");
	kit_sent(&g.k, g.e[1], "5.0.1");               /* what ran there first, under a new name */
	kit_says(&g.k, "lease-0", "a", STATE(FAILED)); /* the agent's word for it comes late */
	assert_int_equal(kit_calls(&g.k, CALL(ACKNOWLEDGE)), 1);
	kit_offer(&g.k, "a", 2.1, 1000);
	kit_accepted(&g.k, "lease-2");
	assert_string_not_equal(g.k.executor, g.e[0]);
	kit_free(&g.k);
}

/* What it ended would go to it again and again, until the end of its lease has come by way of the master. */
static void an_executor_whose_lease_is_taken_away_gets_nothing_more(void **state)
{
	const Quern__TaskResult first = kit_result("5.0.0", DID(KILLED));
	struct gang g;
	(void)state;

	gang(&g, 6, 0, QUERN__SINK__KIND__COUNT);
	kit_coarse(&g.k, g.e[0], &first);
	kit_sent(&g.k, g.e[0], "");
	kit_coarse_done(&g.k, g.e[1], "5.1.0");
	kit_sent(&g.k, g.e[1], "5.0.1");
	kit_unlink(&g.k, g.e[0]);
	g.k.now += 500;
	kit_link(&g.k, g.e[0]); /* it was another reason, and is over */
	kit_coarse_done(&g.k, g.e[0], "5.2.0");
	kit_sent(&g.k, g.e[0], "5.5.0"); /* its other slot has had 5.4.0 at once */
	kit_free(&g.k);
}

static void a_new_link_gets_its_tasks_again_but_not_at_once(void **state)
{
	struct gang g;
	(void)state;

	gang(&g, 4, 0, QUERN__SINK__KIND__COUNT);
	kit_unlink(&g.k, g.e[0]);
	g.k.now += 500;
	kit_link(&g.k, g.e[0]);
	kit_sent(&g.k, g.e[0], "");
	kit_coarse_done(&g.k, g.e[0], "5.0.0"); /* what the old link lost, repeated */
	g.k.now += 1000;
	kit_tick(&g.k);
	kit_sent(&g.k, g.e[0], "5.2.0");
	kit_free(&g.k);
}

static void an_executor_without_a_link_is_given_up(void **state)
{
	struct gang g;
	(void)state;

	gang(&g, 4, 0, QUERN__SINK__KIND__COUNT);
	kit_unlink(&g.k, g.e[0]);
	kit_wait(&g.k, 19999);
	assert_int_equal(kit_calls(&g.k, CALL(SHUTDOWN)), 0);
	g.k.now++;
	kit_tick(&g.k);
	Call *c = kit_call(&g.k, CALL(SHUTDOWN), 0);
	assert_non_null(c);
	assert_string_equal(c->shutdown->executor_id->value, g.e[0]);
	kit_call_free(c);
	struct sched_progress p;
	sched_get_progress(g.k.s, &p);
	assert_int_equal(p.slots_held, 2);
	kit_link(&g.k, g.e[0]); /* it comes back too late */
	kit_sent(&g.k, g.e[0], "");
	kit_free(&g.k);
}

static void a_cancelled_run_kills_its_tasks_and_keeps_its_slots(void **state)
{
	struct gang g;
	(void)state;

	gang(&g, 6, 0, QUERN__SINK__KIND__COLLECT);
	kit_step(&g.k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	kit_done(&g.k, 0, NULL);
	size_t kills = 0;
	for (size_t i = 0; i < kit_actions(&g.k, SCHED_DO_LINK); i++) {
		Quern__ToExecutor *m = kit_link_sent(&g.k, i);
		kills += m->n_kill;
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_int_equal(kills, 4);
	assert_int_equal(kit_calls(&g.k, CALL(KILL)), 0);
	kit_run(&g.k, 2, 6, 1, 0, QUERN__SINK__KIND__COLLECT);
	kit_sent(&g.k, g.e[0], ""); /* the slots are not free yet */
	const Quern__TaskResult r = kit_result("5.0.0", DID(KILLED));
	kit_coarse(&g.k, g.e[0], &r);
	assert_int_equal(kit_actions(&g.k, SCHED_DO_RESULT), 0);
	kit_sent(&g.k, g.e[0], "6.0.0");
	kit_free(&g.k);
}

static void executors_that_never_start_end_the_run(void **state)
{
	struct sched_config config = kit_config(&mode_coarse);
	struct kit k;
	char id[32];
	int i;
	(void)state;

	config.mode_config.max_slots = 1;
	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	for (i = 0; i < 100; i++) {
		kit_offer(&k, "a", 2.1, 1000);
		(void)snprintf(id, sizeof(id), "lease-%d", i);
		kit_accepted(&k, id);
		kit_says(&k, id, "a", STATE(FAILED));
		if (kit_action(&k, SCHED_DO_DONE, 0) != NULL)
			break;
	}
	assert_true(i < 20);
	kit_done(&k, 1, "no executor starts");
	kit_free(&k);
}

static uint64_t peak_after(struct gang *g, const char *executor, const char *name,
	Quern__TaskResult__State state, uint64_t peak_rss)
{
	Quern__TaskResult result = kit_result(name, state);
	struct sched_progress p;

	result.has_peak_rss = peak_rss > 0;
	result.peak_rss = peak_rss;
	kit_coarse(&g->k, executor, &result);
	sched_get_progress(g->k.s, &p);
	return p.peak_rss;
}

static void the_peak_memory_of_workers_is_the_most_that_one_told_of(void **state)
{
	const uint64_t gib = 1 << 30;
	struct gang g;
	(void)state;

	gang(&g, 8, 0, QUERN__SINK__KIND__COUNT);
	assert_int_equal(peak_after(&g, g.e[0], "5.0.0", DID(DONE), 0), 0);
	assert_int_equal(peak_after(&g, g.e[0], "5.2.0", DID(DONE), 5 * gib), 5 * gib);
	assert_int_equal(peak_after(&g, g.e[1], "5.1.0", DID(DONE), gib), 5 * gib);
	assert_int_equal(peak_after(&g, g.e[1], "5.3.0", DID(FAILED), 6 * gib), 6 * gib);
	assert_int_equal(peak_after(&g, g.e[1], "5.3.0", DID(DONE), 7 * gib), 6 * gib); /* it has ended */
	kit_free(&g.k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_one_task_of_all_slots),
		cmocka_unit_test(nothing_runs_before_all_is_registered),
		cmocka_unit_test(tasks_go_to_free_slots_in_batches),
		cmocka_unit_test(gives_up_with_a_sentence),
		cmocka_unit_test(a_lost_executors_tasks_run_elsewhere),
		cmocka_unit_test(an_executor_whose_lease_is_taken_away_gets_nothing_more),
		cmocka_unit_test(a_new_link_gets_its_tasks_again_but_not_at_once),
		cmocka_unit_test(an_executor_without_a_link_is_given_up),
		cmocka_unit_test(a_cancelled_run_kills_its_tasks_and_keeps_its_slots),
		cmocka_unit_test(executors_that_never_start_end_the_run),
		cmocka_unit_test(the_peak_memory_of_workers_is_the_most_that_one_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
