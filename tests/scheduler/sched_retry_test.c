/* What failures and losses cost. */
#include "tests/scheduler/sched_kit.h"

/* A subscribed core in fine mode with a run of `tasks` counts. */
static void start(struct kit *k, const struct sched_config *config, uint32_t tasks)
{
	kit_new(k, config);
	kit_subscribed(k);
	kit_run(k, 1, 5, tasks, 0, QUERN__SINK__KIND__COUNT);
}

/* Offers agent `a` room for one task (and an executor), which must be `id`. */
static void run_on(struct kit *k, const char *a, const char *id)
{
	kit_offer(k, a, 1.1, 1000);
	kit_accepted(k, id);
	kit_link(k, k->executor);
}

static void fails(struct kit *k, const char *id, const char *agent)
{
	const Quern__TaskResult r = kit_result(id, DID(FAILED));

	kit_fine(k, id, agent, &r);
}

static void a_failed_attempt_is_tried_again_under_a_new_name(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 1);
	run_on(&k, "a", "5.0.0");
	fails(&k, "5.0.0", "a");
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	assert_non_null(kit_action(&k, SCHED_DO_LOG, 0));
	run_on(&k, "a", "5.0.1"); /* there is no other agent */
	kit_fine_done(&k, "5.0.1", "a");
	assert_int_equal(kit_actions(&k, SCHED_DO_RESULT), 1);
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void the_last_failure_ends_the_run_with_its_words(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.task_max_failures = 2;
	start(&k, &config, 2);
	run_on(&k, "a", "5.0.0");
	fails(&k, "5.0.0", "a");
	run_on(&k, "a", "5.0.1");
	Quern__TaskResult r = kit_result("5.0.1", DID(FAILED));
	r.error = (char *)(uintptr_t) "killed by signal 11";
	r.stderr_tail = (char *)(uintptr_t) "first line\nlast line\n";
	kit_fine(&k, "5.0.1", "a", &r);
	kit_done(&k, 1,
		"stage 5, task 0 failed 2 times, at last on a: killed by signal 11\nfirst line\nlast line");
	kit_free(&k);
}

static void a_final_failure_is_not_tried_again(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 2);
	run_on(&k, "a", "5.0.0");
	kit_offer(&k, "b", 1.1, 1000);
	kit_accepted(&k, "5.1.0");
	Quern__TaskResult r = kit_result("5.0.0", DID(FAILED));
	r.has_final = r.final = 1;
	kit_fine(&k, "5.0.0", "a", &r);
	kit_done(&k, 1, "failed on a");
	Call *c = kit_call(&k, CALL(KILL), 0); /* and the others are ended */
	assert_non_null(c);
	assert_string_equal(c->kill->task_id->value, "5.1.0");
	assert_string_equal(c->kill->agent_id->value, "b");
	kit_call_free(c);
	kit_free(&k);
}

static void a_failed_task_goes_elsewhere_if_there_is_an_elsewhere(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 3);
	run_on(&k, "a", "5.0.0");
	run_on(&k, "b", "5.1.0");
	fails(&k, "5.0.0", "a");
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.2.0"); /* another one */
	kit_fine_done(&k, "5.2.0", "a");
	kit_offer(&k, "a", 1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_fine_done(&k, "5.1.0", "b");
	kit_offer(&k, "b", 1, 1000);
	kit_accepted(&k, "5.0.1");
	kit_free(&k);
}

static void but_does_not_wait_for_it_forever(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config, 2);
	run_on(&k, "a", "5.0.0");
	run_on(&k, "b", "5.1.0");
	fails(&k, "5.0.0", "a");
	kit_offer(&k, "a", 1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	assert_true(kit_refused(&k) <= 0);
	kit_wait(&k, 3000);
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.0.1");
	kit_free(&k);
}

static void an_agent_on_which_much_fails_is_left_out_for_a_while(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.exclude_after = 2;
	start(&k, &config, 9);
	run_on(&k, "b", "5.0.0");
	for (int i = 1; i <= 2; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "5.%d.0", i);
		run_on(&k, "a", id);
		fails(&k, id, "a");
	}
	kit_offer(&k, "a", 1.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	assert_true(kit_refused(&k) > 59 && kit_refused(&k) <= 60);
	kit_wait(&k, 60000);
	kit_offer(&k, "a", 1.1, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 1);
	kit_free(&k);
}

static void the_only_agent_is_not_left_out(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.exclude_after = 1;
	start(&k, &config, 9);
	run_on(&k, "a", "5.0.0");
	fails(&k, "5.0.0", "a");
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.1");
	kit_free(&k);
}

static void a_lost_agent_costs_nothing(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	char id[32];
	(void)state;

	config.task_max_failures = 1;
	start(&k, &config, 1);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(id, sizeof(id), "5.0.%d", i);
		run_on(&k, "a", id);
		if (i % 3 == 0)
			kit_says(&k, id, "a", STATE(UNREACHABLE));
		else if (i % 3 == 1)
			kit_says(&k, id, "a", STATE(LOST));
		else
			kit_failure(&k, NULL, "a");
		assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	}
	kit_free(&k);
}

static void an_executor_that_dies_under_a_task_time_and_again_ends_the_run(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	char id[32];
	int i;
	(void)state;

	config.task_max_failures = 2;
	start(&k, &config, 1);
	for (i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "5.0.%d", i);
		run_on(&k, "a", id);
		if (i % 2 == 0)
			kit_failure(&k, k.executor, "a");
		else
			kit_says(&k, id, "a", STATE(FAILED));
		if (kit_action(&k, SCHED_DO_DONE, 0) != NULL)
			break;
	}
	assert_int_equal(i, 7); /* four times two */
	kit_done(&k, 1, "stage 5, task 0 was lost 8 times");
	kit_free(&k);
}

static void a_task_that_hangs_is_killed_and_then_its_executor(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.task_timeout_ms = 5000;
	start(&k, &config, 1);
	run_on(&k, "a", "5.0.0");
	kit_running(&k, "5.0.0", "a");
	kit_wait(&k, 14999); /* the executor has ten seconds more to do it itself */
	assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	Quern__TaskResult r = kit_result("5.0.0", DID(KILLED));
	kit_fine(&k, "5.0.0", "a", &r);
	assert_non_null(strstr(kit_action(&k, SCHED_DO_LOG, 0)->text, "timeout"));
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.0.1");
	kit_running(&k, "5.0.1", "a");
	kit_wait(&k, 24999);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
	kit_free(&k);
}

static void large_data_counts_once_even_if_its_task_dies_afterwards(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Data data = QUERN__TO_DRIVER__DATA__INIT;
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COLLECT);
	run_on(&k, "a", "5.0.0");
	data.stage = 5;
	data.data = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "records", .len = 7 };
	m.data = &data;
	kit_link_message(&k, k.executor, &m);
	const struct sched_action *a = kit_action(&k, SCHED_DO_RESULT, 0);
	assert_non_null(a);
	assert_int_equal(a->partition, 0);
	assert_int_equal(a->len, 7);
	assert_memory_equal(a->data, "records", 7);
	Quern__ToExecutor *taken = kit_link_sent(&k, 0);
	assert_non_null(taken->data_taken);
	assert_int_equal(taken->data_taken->stage, 5);
	quern__to_executor__free_unpacked(taken, NULL);
	kit_link_message(&k, k.executor, &m); /* the answer was lost: it asks again */
	assert_int_equal(kit_actions(&k, SCHED_DO_RESULT), 0);
	assert_int_equal(kit_actions(&k, SCHED_DO_LINK), 1);
	kit_failure(&k, k.executor, "a");
	run_on(&k, "a", "5.1.0");
	kit_fine_done(&k, "5.1.0", "a");
	assert_int_equal(kit_actions(&k, SCHED_DO_RESULT), 1);
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void a_part_is_committed_once_and_the_run_waits_for_it(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 3, 5, 1, 0, QUERN__SINK__KIND__TEXT);
	run_on(&k, "a", "5.0.0");
	Quern__TaskResult r = kit_result("5.0.0", DID(DONE));
	r.file = (char *)(uintptr_t) "5.0.0.part-00000";
	kit_fine(&k, "5.0.0", "a", &r);
	const struct sched_action *a = kit_action(&k, SCHED_DO_COMMIT, 0);
	assert_non_null(a);
	assert_string_equal(a->text, "5.0.0.part-00000");
	assert_int_equal(a->run, 3);
	assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	kit_fine(&k, "5.0.0", "a", &r); /* the update comes again */
	assert_int_equal(kit_actions(&k, SCHED_DO_COMMIT), 0);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_COMMITTED, .u.committed = { .run = 3 } });
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void a_part_that_cannot_be_put_in_place_ends_the_run(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 3, 5, 1, 0, QUERN__SINK__KIND__TEXT);
	run_on(&k, "a", "5.0.0");
	Quern__TaskResult r = kit_result("5.0.0", DID(DONE));
	r.file = (char *)(uintptr_t) "5.0.0.part-00000";
	kit_fine(&k, "5.0.0", "a", &r);
	kit_step(&k, (struct sched_event){
			     .kind = SCHED_EV_COMMITTED, .u.committed = { .run = 3, .error = "disk full" } });
	kit_done(&k, 1, "disk full");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_attempt_is_tried_again_under_a_new_name),
		cmocka_unit_test(the_last_failure_ends_the_run_with_its_words),
		cmocka_unit_test(a_final_failure_is_not_tried_again),
		cmocka_unit_test(a_failed_task_goes_elsewhere_if_there_is_an_elsewhere),
		cmocka_unit_test(but_does_not_wait_for_it_forever),
		cmocka_unit_test(an_agent_on_which_much_fails_is_left_out_for_a_while),
		cmocka_unit_test(the_only_agent_is_not_left_out),
		cmocka_unit_test(a_lost_agent_costs_nothing),
		cmocka_unit_test(an_executor_that_dies_under_a_task_time_and_again_ends_the_run),
		cmocka_unit_test(a_task_that_hangs_is_killed_and_then_its_executor),
		cmocka_unit_test(large_data_counts_once_even_if_its_task_dies_afterwards),
		cmocka_unit_test(a_part_is_committed_once_and_the_run_waits_for_it),
		cmocka_unit_test(a_part_that_cannot_be_put_in_place_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
