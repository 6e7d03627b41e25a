/* Stages that read what others wrote, and what is lost of it. */
#include "tests/scheduler/sched_kit.h"

/* Two maps and two reduces in fine mode. */
static void start(struct kit *k)
{
	const struct sched_config config = kit_config(&mode_fine);

	kit_new(k, &config);
	kit_subscribed(k);
	kit_run(k, 1, 5, 2, 2, QUERN__SINK__KIND__COUNT);
}

/* One map on agent a, one on agent b, both done. Leaves the executors' ids. */
static void write_maps(struct kit *k, char a[64], char b[64])
{
	kit_offer(k, "a", 1.1, 1000);
	kit_accepted(k, "5.0.0");
	memcpy(a, k->executor, 64);
	kit_link(k, a);
	kit_offer(k, "b", 1.1, 1000);
	kit_accepted(k, "5.1.0");
	memcpy(b, k->executor, 64);
	kit_link(k, b);
	kit_fine_done(k, "5.0.0", "a");
	kit_fine_done(k, "5.1.0", "b");
}

/* The table of outputs among what went to executors in the last step; to be freed. */
static Quern__ToExecutor *table(const struct kit *k)
{
	Quern__ToExecutor *m;

	for (size_t i = 0; (m = kit_link_sent(k, i)) != NULL; i++) {
		if (m->outputs != NULL)
			return m;
		quern__to_executor__free_unpacked(m, NULL);
	}
	return NULL;
}

static void reduces_wait_for_every_map(void **state)
{
	struct kit k;
	char a[64];
	(void)state;

	start(&k);
	kit_offer(&k, "a", 8, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	memcpy(a, k.executor, sizeof(a));
	kit_link(&k, a);
	kit_fine_done(&k, "5.0.0", "a");
	kit_offer(&k, "a", 6, 1000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_fine_done(&k, "5.1.0", "a");
	kit_offer(&k, "a", 6, 1000);
	kit_accepted(&k, "6.0.0 6.1.0");
	Quern__ToExecutor *m = table(&k); /* goes ahead of them */
	assert_non_null(m);
	assert_int_equal(m->outputs->shuffle, 5);
	assert_int_equal(m->outputs->n_outputs, 2);
	assert_int_equal(m->outputs->n_hosts, 1);
	assert_string_equal(m->outputs->hosts[0]->executor_id, a);
	assert_int_equal(m->outputs->hosts[0]->port, 1234);
	Call *c = kit_call(&k, CALL(ACCEPT), 0);
	const ProtobufCBinaryData *data = &c->accept->operations[0]->launch->task_infos[0]->data;
	Quern__TaskData *d = quern__task_data__unpack(NULL, data->len, data->data);
	assert_int_equal(d->task->n_outputs_versions, 1);
	assert_true(d->task->outputs_versions[0] <= m->outputs->version);
	assert_true(d->task->outputs_versions[0] > 0);
	assert_null(d->task->split);
	quern__task_data__free_unpacked(d, NULL);
	kit_call_free(c);
	quern__to_executor__free_unpacked(m, NULL);
	kit_fine_done(&k, "6.0.0", "a");
	kit_fine_done(&k, "6.1.0", "a");
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static void what_is_asked_for_is_answered(void **state)
{
	struct kit k;
	char a[64], b[64];
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Need need = QUERN__TO_DRIVER__NEED__INIT;
	(void)state;

	start(&k);
	write_maps(&k, a, b);
	m.need = &need;
	need.has_stage = 1;
	need.stage = 6;
	kit_link_message(&k, a, &m);
	Quern__ToExecutor *answer = kit_link_sent(&k, 0);
	assert_int_equal(answer->stage->stage->id, 6);
	assert_int_equal(answer->stage->run, 1);
	quern__to_executor__free_unpacked(answer, NULL);
	need.has_stage = 0;
	need.has_shuffle = 1;
	need.shuffle = 5;
	kit_link_message(&k, a, &m);
	answer = table(&k);
	assert_int_equal(answer->outputs->n_outputs, 2);
	assert_int_equal(answer->outputs->n_hosts, 2);
	quern__to_executor__free_unpacked(answer, NULL);
	need.shuffle = 77;
	kit_link_message(&k, a, &m);
	assert_int_equal(kit_actions(&k, SCHED_DO_LINK), 0);
	kit_free(&k);
}

static void a_lost_executors_outputs_are_written_again_and_no_others(void **state)
{
	struct kit k;
	char a[64], b[64];
	(void)state;

	start(&k);
	write_maps(&k, a, b);
	kit_offer(&k, "b", 1, 1000);
	kit_accepted(&k, "6.0.0");
	kit_failure(&k, a, "a");
	kit_offer(&k, "c", 8, 1000);
	kit_accepted(&k, "5.0.1"); /* the other reduce must wait */
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.1", "c");
	kit_offer(&k, "c", 8, 1000);
	kit_accepted(&k, "6.1.0");
	kit_fine_done(&k, "6.1.0", "c");
	kit_fine_done(&k, "6.0.0", "b"); /* that had read it before */
	kit_done(&k, 0, NULL);
	kit_free(&k);
}

static Quern__TaskResult fetch_failed(
	const char *name, Quern__MapOutput *fetch, uint32_t map, uint32_t attempt)
{
	Quern__TaskResult r = kit_result(name, DID(FETCH_FAILED));

	quern__map_output__init(fetch);
	fetch->map = map;
	fetch->attempt = attempt;
	fetch->stage = 5;
	r.fetch = fetch;
	r.has_fetch_shuffle = 1;
	r.fetch_shuffle = 5;
	return r;
}

static void an_output_that_cannot_be_had_is_written_again(void **state)
{
	struct kit k;
	char a[64], b[64];
	Quern__MapOutput fetch;
	(void)state;

	start(&k);
	write_maps(&k, a, b);
	kit_offer(&k, "b", 1, 1000);
	kit_accepted(&k, "6.0.0");
	Quern__TaskResult r = fetch_failed("6.0.0", &fetch, 0, 0);
	kit_fine(&k, "6.0.0", "b", &r);
	kit_offer(&k, "b", 3, 1000);
	kit_accepted(&k, "5.0.1");
	kit_fine_done(&k, "5.0.1", "b");
	kit_offer(&k, "b", 3, 1000);
	kit_accepted(&k, "6.0.1 6.1.0"); /* what failed goes first */
	struct sched_progress p;
	sched_get_progress(k.s, &p);
	assert_int_equal(p.tasks_failed, 0);
	kit_free(&k);
}

static void an_old_complaint_loses_nothing(void **state)
{
	struct kit k;
	char a[64], b[64];
	Quern__MapOutput fetch;
	(void)state;

	start(&k);
	write_maps(&k, a, b);
	kit_offer(&k, "b", 2, 1000);
	kit_accepted(&k, "6.0.0 6.1.0");
	Quern__TaskResult r = fetch_failed("6.0.0", &fetch, 0, 0);
	kit_fine(&k, "6.0.0", "b", &r);
	kit_offer(&k, "b", 3, 1000);
	kit_accepted(&k, "5.0.1");
	kit_fine_done(&k, "5.0.1", "b");
	r = fetch_failed("6.1.0", &fetch, 0, 0); /* of the table before */
	kit_fine(&k, "6.1.0", "b", &r);
	kit_offer(&k, "b", 3, 1000);
	kit_accepted(&k, "6.0.1 6.1.1");
	kit_free(&k);
}

/* Agent b takes one task: its name. */
static void next_task(struct kit *k, char id[32])
{
	kit_wait(k, 5000);
	kit_offer(k, "b", 1, 1000);
	Call *c = kit_call(k, CALL(ACCEPT), 0);
	assert_non_null(c);
	(void)snprintf(id, 32, "%s", c->accept->operations[0]->launch->task_infos[0]->task_id->value);
	kit_call_free(c);
}

static void what_cannot_be_read_however_often_it_is_written_ends_the_run(void **state)
{
	struct kit k;
	char a[64], b[64], id[32];
	Quern__MapOutput fetch;
	uint32_t written = 0, complaints = 0; /* attempts of map 1 */
	(void)state;

	start(&k);
	write_maps(&k, a, b);
	do {
		assert_true(complaints < 100);
		next_task(&k, id);
		if (id[0] == '5') {
			if (strncmp(id, "5.1.", 4) == 0)
				written = (uint32_t)atoi(id + 4);
			kit_fine_done(&k, id, "b");
			continue;
		}
		Quern__TaskResult r = fetch_failed(id, &fetch, 1, written);
		kit_fine(&k, id, "b", &r);
		complaints++;
	} while (kit_action(&k, SCHED_DO_DONE, 0) == NULL);
	kit_done(&k, 1, "stage 6, task 0 failed 4 times");
	assert_int_equal(complaints, 8 + 4);
	kit_free(&k);
}

static void what_is_written_is_not_written_again_for_a_later_run(void **state)
{
	struct kit k;
	struct kit_run next;
	char a[64], b[64];
	(void)state;

	start(&k);
	write_maps(&k, a, b);
	kit_offer(&k, "b", 2, 1000);
	kit_accepted(&k, "6.0.0 6.1.0");
	kit_fine_done(&k, "6.0.0", "b");
	kit_fine_done(&k, "6.1.0", "b");
	kit_done(&k, 0, NULL);
	kit_run_init(&next, 2, 5, 2, 2, QUERN__SINK__KIND__COLLECT);
	next.stages[1].id = 7;
	kit_submit(&k, &next);
	kit_offer(&k, "b", 2, 1000);
	kit_accepted(&k, "7.0.0 7.1.0");
	kit_fine_done(&k, "7.0.0", "b");
	kit_failure(&k, a, "a"); /* but what is lost is */
	Quern__MapOutput fetch;
	Quern__TaskResult r = fetch_failed("7.1.0", &fetch, 0, 0);
	kit_fine(&k, "7.1.0", "b", &r);
	kit_offer(&k, "b", 2, 1000);
	kit_accepted(&k, "5.0.1");
	kit_free(&k);
}

static void another_input_for_half_a_shuffle_begins_it_anew(void **state)
{
	struct kit k;
	struct kit_run next;
	(void)state;

	start(&k);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.0", "a");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	kit_run_init(&next, 2, 5, 2, 2, QUERN__SINK__KIND__COUNT); /* the same input */
	next.stages[1].id = 7;
	kit_submit(&k, &next);
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.1.0");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 2 });
	const Quern__TaskResult r = kit_result("5.1.0", DID(KILLED));
	kit_fine(&k, "5.1.0", "a", &r);
	kit_run_init(&next, 3, 5, 3, 2, QUERN__SINK__KIND__COUNT); /* another one */
	next.stages[1].id = 8;
	kit_submit(&k, &next);
	kit_offer(&k, "a", 8, 1000);
	kit_accepted(&k, "5.0.1 5.1.1 5.2.1");
	kit_free(&k);
}

static void runs_that_make_no_sense_end_at_once(void **state)
{
	struct kit k;
	struct kit_run r;
	(void)state;

	start(&k);
	kit_run_init(&r, 2, 8, 1, 0, QUERN__SINK__KIND__COUNT);
	kit_submit(&k, &r);
	kit_done(&k, 1, "another action");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	one_branch_read(&r.from[0], 99);
	kit_submit(&k, &r);
	kit_done(&k, 1, "which nothing writes");
	kit_run_init(&r, 3, 6, 1, 0, QUERN__SINK__KIND__COUNT); /* the last run's last stage */
	kit_submit(&k, &r);
	kit_done(&k, 1, "there before");
	kit_free(&k);
}

static void empty_stages_are_done_at_once(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	struct kit_run r;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 0, 0, QUERN__SINK__KIND__COUNT);
	kit_done(&k, 0, NULL);
	assert_int_equal(kit_actions(&k, SCHED_DO_RESULT), 0);
	kit_run(&k, 2, 7, 0, 3, QUERN__SINK__KIND__COUNT); /* of nothing, three partitions */
	kit_offer(&k, "a", 8, 1000);
	kit_accepted(&k, "8.0.0 8.1.0 8.2.0");
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 2 });
	kit_run_init(&r, 3, 9, 5, 0, QUERN__SINK__KIND__COUNT);
	r.run.has_first_partition = r.run.has_partition_count = 1;
	r.run.first_partition = 3;
	r.run.partition_count = 9;
	kit_submit(&k, &r);
	kit_link(&k, k.executor);
	kit_offer(&k, "a", 8, 1000);
	kit_accepted(&k, "9.3.0 9.4.0");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduces_wait_for_every_map),
		cmocka_unit_test(what_is_asked_for_is_answered),
		cmocka_unit_test(a_lost_executors_outputs_are_written_again_and_no_others),
		cmocka_unit_test(an_output_that_cannot_be_had_is_written_again),
		cmocka_unit_test(an_old_complaint_loses_nothing),
		cmocka_unit_test(what_cannot_be_read_however_often_it_is_written_ends_the_run),
		cmocka_unit_test(what_is_written_is_not_written_again_for_a_later_run),
		cmocka_unit_test(another_input_for_half_a_shuffle_begins_it_anew),
		cmocka_unit_test(runs_that_make_no_sense_end_at_once),
		cmocka_unit_test(empty_stages_are_done_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
