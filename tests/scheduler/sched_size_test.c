/* Stages whose tasks take more, or less, than others: never more runs than fits, and what fits nowhere is an
 * error. A slot is a core and 100 MB. */
#include "tests/scheduler/sched_kit.h"

static void begin(struct kit *k, const struct mode_ops *mode, uint32_t max_slots)
{
	struct sched_config config = kit_config(mode);

	config.mode_config.max_slots = max_slots;
	kit_new(k, &config);
	kit_subscribed(k);
}

/* `maps` tasks, then `reduces` with none of the same size; 0: as any task. */
static void run(struct kit *k, uint32_t maps, uint32_t map_cores_milli, uint32_t map_mb, uint32_t reduces,
	uint32_t reduce_cores_milli)
{
	struct kit_run r;

	kit_run_init(&r, 1, 5, maps, reduces, QUERN__SINK__KIND__COUNT);
	r.stages[0].has_task_cores_milli = map_cores_milli > 0;
	r.stages[0].task_cores_milli = map_cores_milli;
	r.stages[0].has_task_mem_mb = map_mb > 0;
	r.stages[0].task_mem_mb = map_mb;
	r.stages[1].has_task_cores_milli = reduce_cores_milli > 0;
	r.stages[1].task_cores_milli = reduce_cores_milli;
	kit_submit(k, &r);
}

/* An agent with a lease of that many slots, linked and running. */
static void join(struct kit *k, const char *agent, const char *lease, double cpus, char executor[64])
{
	kit_offer(k, agent, cpus + 0.1, 10000);
	kit_accepted(k, lease);
	memcpy(executor, k->executor, 64);
	kit_link(k, executor);
	kit_running(k, lease, agent);
}

/* Cores and MB of a task of the last ACCEPT, and its memory as the executor is told. */
static void accepted_size(const struct kit *k, size_t i, double cores, double mb, uint64_t told_mb)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);

	assert_non_null(c);
	assert_true(i < c->accept->operations[0]->launch->n_task_infos);
	const Mesos__V1__TaskInfo *t = c->accept->operations[0]->launch->task_infos[i];
	for (size_t n = 0; n < t->n_resources; n++) {
		double has = t->resources[n]->scalar->value;
		double wants = strcmp(t->resources[n]->name, "cpus") == 0 ? cores : mb;

		assert_true(has > wants - 0.0005 && has < wants + 0.0005);
	}
	Quern__TaskData *d = quern__task_data__unpack(NULL, t->data.len, t->data.data);
	assert_int_equal(d->task->memory, told_mb << 20);
	quern__task_data__free_unpacked(d, NULL);
	kit_call_free(c);
}

/* ---- Fine ---- */

static void a_fine_task_is_of_its_size(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	run(&k, 4, 2500, 300, 1, 0);
	kit_offer(&k, "a", 5.2, 10000); /* two, and 0.1 for the executor */
	kit_accepted(&k, "5.0.0 5.1.0");
	accepted_size(&k, 1, 2.5, 300, 300);
	kit_offer(&k, "b", 10, 64 + 300 + 299); /* memory for one */
	kit_accepted(&k, "5.2.0");
	kit_offer(&k, "c", 2.55, 10000); /* not with an executor */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

static void small_fine_tasks_fill_what_there_is(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	run(&k, 10, 250, 10, 0, 0);
	kit_offer(&k, "a", 1.1, 10000);
	kit_accepted(&k, "5.0.0 5.1.0 5.2.0 5.3.0");
	accepted_size(&k, 0, 0.25, 10, 10);
	kit_free(&k);
}

static void fine_tasks_count_on_the_limit_by_their_size(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 5);
	run(&k, 4, 2000, 0, 0, 0);
	kit_offer(&k, "a", 20, 10000);
	kit_accepted(&k, "5.0.0 5.1.0"); /* four slots; one is not enough for another */
	kit_link(&k, k.executor);
	kit_running(&k, "5.0.0", "a");
	kit_fine_done(&k, "5.0.0", "a");
	kit_offer(&k, "a", 16, 10000);
	kit_accepted(&k, "5.2.0");
	kit_free(&k);
}

static void a_fine_task_larger_than_any_agent_ends_the_action(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	run(&k, 1, 8000, 0, 0, 0);
	kit_offer(&k, "a", 4.1, 1064);
	kit_wait(&k, 29999);
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	k.now++;
	kit_tick(&k);
	kit_done(&k, 1, "stage 5: a task needs 8 cores and 100 MB");
	kit_done(&k, 1, "the most that one had was 4 cores and 1000 MB");
	kit_free(&k);
}

static void a_fine_task_waits_for_room_that_is_only_taken(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	run(&k, 4, 1000, 0, 1, 4000);
	kit_offer(&k, "a", 4.1, 10000);
	kit_accepted(&k, "5.0.0 5.1.0 5.2.0 5.3.0");
	kit_link(&k, k.executor);
	kit_wait(&k, 100000); /* the agent has four, of which nothing is left now */
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	for (int i = 0; i < 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "5.%d.0", i);
		kit_fine_done(&k, name, "a");
	}
	kit_offer(&k, "a", 4, 10000);
	kit_accepted(&k, "6.0.0");
	kit_free(&k);
}

/* What it had before it was lost is no hope. */
static void an_agent_may_come_back_smaller(void **state)
{
	struct kit k;
	(void)state;

	begin(&k, &mode_fine, 0);
	run(&k, 1, 8000, 0, 0, 0);
	kit_offer(&k, "a", 8.1, 10000);
	kit_accepted(&k, "5.0.0");
	kit_says(&k, "5.0.0", "a", STATE(UNREACHABLE));
	kit_offer(&k, "a", 4.1, 10000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_wait(&k, 29999);
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	k.now++;
	kit_tick(&k);
	kit_done(&k, 1, "the most that one had was 4 cores");
	kit_free(&k);
}

/* ---- Coarse ---- */

static void a_coarse_task_takes_the_slots_that_cover_it(void **state)
{
	struct kit k;
	char e[64];
	(void)state;

	begin(&k, &mode_coarse, 5);
	run(&k, 4, 1500, 0, 0, 0); /* two slots each */
	join(&k, "a", "lease-0", 5, e);
	kit_sent(&k, e, "5.0.0 5.1.0"); /* of five */
	Quern__ToExecutor *m = kit_link_sent(&k, kit_actions(&k, SCHED_DO_LINK) - 1);
	assert_int_equal(m->tasks[0]->slots, 2);
	quern__to_executor__free_unpacked(m, NULL);
	kit_coarse_done(&k, e, "5.0.0");
	kit_sent(&k, e, "5.2.0");
	kit_free(&k);
}

static void memory_takes_slots_as_well(void **state)
{
	struct kit k;
	char e[64];
	(void)state;

	begin(&k, &mode_coarse, 4);
	run(&k, 4, 0, 201, 0, 0); /* three slots each */
	join(&k, "a", "lease-0", 4, e);
	kit_sent(&k, e, "5.0.0");
	Quern__ToExecutor *m = kit_link_sent(&k, kit_actions(&k, SCHED_DO_LINK) - 1);
	assert_int_equal(m->tasks[0]->memory, 201 << 20);
	quern__to_executor__free_unpacked(m, NULL);
	kit_free(&k);
}

static void small_tasks_take_what_large_ones_leave(void **state)
{
	struct kit k;
	char e[64];
	struct kit_run r;
	(void)state;

	begin(&k, &mode_coarse, 4);
	kit_run_init(&r, 1, 5, 2, 2, QUERN__SINK__KIND__COUNT);
	r.stages[1].has_task_cores_milli = 1;
	r.stages[1].task_cores_milli = 3000;
	kit_submit(&k, &r);
	join(&k, "a", "lease-0", 4, e);
	kit_sent(&k, e, "5.0.0 5.1.0");
	kit_coarse_done(&k, e, "5.0.0");
	kit_coarse_done(&k, e, "5.1.0");
	kit_sent(&k, e, "6.0.0"); /* the other has three slots to wait for */
	kit_coarse_done(&k, e, "6.0.0");
	kit_sent(&k, e, "6.1.0");
	kit_free(&k);
}

static void the_largest_task_needs_one_agent(void **state)
{
	struct kit k;
	char a[64], b[64];
	(void)state;

	begin(&k, &mode_coarse, 6);
	run(&k, 2, 0, 0, 1, 4000); /* four slots are wanted, on one agent */
	join(&k, "a", "lease-0", 2, a);
	kit_sent(&k, a, ""); /* two are there, and the reduce has no room */
	kit_offer(&k, "b", 4.1, 10000);
	kit_accepted(&k, "lease-1"); /* more than what is missing: all that the reduce needs */
	memcpy(b, k.executor, sizeof(b));
	kit_link(&k, b);
	kit_running(&k, "lease-1", "b");
	assert_int_equal(kit_actions(&k, SCHED_DO_LINK), 4); /* a stage and tasks, to each */
	kit_coarse_done(&k, a, "5.0.0");
	kit_coarse_done(&k, b, "5.1.0");
	kit_sent(&k, a, "");
	kit_sent(&k, b, "6.0.0");
	kit_free(&k);
}

static void a_coarse_task_larger_than_any_lease_ends_the_action(void **state)
{
	struct kit k;
	char a[64], b[64];
	(void)state;

	begin(&k, &mode_coarse, 8);
	run(&k, 2, 4000, 0, 0, 0);
	join(&k, "a", "lease-0", 3, a);
	join(&k, "b", "lease-1", 3, b);
	kit_sent(&k, a, "");
	kit_wait(&k, 29000);
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	kit_wait(&k, 1000);
	kit_done(&k, 1, "stage 5: a task needs 4 cores and 100 MB");
	kit_done(&k, 1, "the most that one had was 3 cores and 300 MB");
	kit_free(&k);
}

static void what_the_job_may_not_have_at_a_time_is_refused_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct kit k;

		begin(&k, i == 0 ? &mode_coarse : &mode_fine, 4);
		run(&k, 2, 0, 401, 0, 0);
		kit_done(&k, 1, "a task needs 1 cores and 401 MB, as much as 5 tasks");
		kit_free(&k);
	}
}

static void a_large_task_never_goes_ahead(void **state)
{
	struct kit k;
	char e[64];
	Quern__TaskResult result = kit_result("5.0.0", DID(DONE));
	(void)state;

	begin(&k, &mode_coarse, 4);
	run(&k, 60, 2000, 0, 0, 0);
	join(&k, "a", "lease-0", 4, e);
	kit_sent(&k, e, "5.0.0 5.1.0");
	result.has_wall_us = 1;
	result.wall_us = 10; /* so short that small ones would */
	kit_coarse(&k, e, &result);
	kit_sent(&k, e, "5.2.0");
	kit_free(&k);
}

/* ---- A limit that nobody has chosen ---- */

/* What is said of it in the last step: once, or not at all. */
static void limit_said(const struct kit *k, const char *expected)
{
	const struct sched_action *a = kit_action(k, SCHED_DO_NOTE, 0);

	assert_int_equal(kit_actions(k, SCHED_DO_NOTE), expected != NULL);
	if (a != NULL && strstr(a->text, expected) == NULL)
		fail_msg("no '%s' in '%s'", expected, a->text);
}

static struct sched_config limited(const struct mode_ops *mode, bool by_default)
{
	struct sched_config config = kit_config(mode);

	config.mode_config.max_slots = 4;
	config.limit_by_default = by_default;
	return config;
}

static void a_limit_by_default_is_said_when_more_could_be_used(void **state)
{
	const struct mode_ops *const modes[] = { &mode_fine, &mode_adaptive, &mode_coarse };
	struct kit k;
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		const struct sched_config config = limited(modes[i], true);

		kit_new(&k, &config);
		kit_run(&k, 2, 2, 4, 0, QUERN__SINK__KIND__COUNT);
		kit_subscribed(&k);
		limit_said(&k, NULL); /* all that it wants */
		kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 2 });
		run(&k, 5, 2000, 0, 0, 0);
		limit_said(&k, "could use 10 cores and takes at most 4");
		kit_offer(&k, "a", 2.1, 1000);
		limit_said(&k, NULL);
		kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
		kit_run(&k, 3, 8, 9, 0, QUERN__SINK__KIND__COUNT);
		limit_said(&k, NULL); /* once */
		kit_free(&k);
	}
}

static void it_is_not_said_before_there_is_a_master(void **state)
{
	const struct sched_config config = limited(&mode_fine, true);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_run(&k, 1, 5, 5, 0, QUERN__SINK__KIND__COUNT);
	limit_said(&k, NULL);
	kit_subscribed(&k);
	limit_said(&k, "--total-executor-cores");
	kit_down(&k);
	kit_subscribed(&k);
	limit_said(&k, NULL);
	kit_free(&k);
}

static void one_that_was_chosen_is_not_said(void **state)
{
	const struct sched_config config = limited(&mode_fine, false);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 5, 0, QUERN__SINK__KIND__COUNT);
	limit_said(&k, NULL);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fine_task_is_of_its_size),
		cmocka_unit_test(small_fine_tasks_fill_what_there_is),
		cmocka_unit_test(fine_tasks_count_on_the_limit_by_their_size),
		cmocka_unit_test(a_fine_task_larger_than_any_agent_ends_the_action),
		cmocka_unit_test(a_fine_task_waits_for_room_that_is_only_taken),
		cmocka_unit_test(an_agent_may_come_back_smaller),
		cmocka_unit_test(a_coarse_task_takes_the_slots_that_cover_it),
		cmocka_unit_test(memory_takes_slots_as_well),
		cmocka_unit_test(small_tasks_take_what_large_ones_leave),
		cmocka_unit_test(the_largest_task_needs_one_agent),
		cmocka_unit_test(a_coarse_task_larger_than_any_lease_ends_the_action),
		cmocka_unit_test(what_the_job_may_not_have_at_a_time_is_refused_at_once),
		cmocka_unit_test(a_large_task_never_goes_ahead),
		cmocka_unit_test(a_limit_by_default_is_said_when_more_could_be_used),
		cmocka_unit_test(it_is_not_said_before_there_is_a_master),
		cmocka_unit_test(one_that_was_chosen_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
