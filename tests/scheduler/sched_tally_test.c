/* What tasks count: once for each task that succeeds, whatever becomes of its output and of other attempts.
 */
#include "tests/scheduler/sched_kit.h"

/* A tally with one accumulator or counter, and bad records. */
struct counted {
	Quern__Tally tally;
	Quern__Count count, *list[1];
	char *texts[1];
};

static Quern__TaskResult result_with(
	const char *name, Quern__TaskResult__State state, struct counted *c, uint64_t n)
{
	Quern__TaskResult r = kit_result(name, state);

	*c = (struct counted){ .tally = QUERN__TALLY__INIT, .count = QUERN__COUNT__INIT };
	c->count.kind = QUERN__COUNT__KIND__SUM_U64;
	c->count.has_id = true;
	c->count.bits = n;
	c->list[0] = &c->count;
	c->tally.counts = c->list;
	c->tally.n_counts = 1;
	r.tally = &c->tally;
	return r;
}

/* One task, on an agent that has room for no more. */
static void launches(struct kit *k, const char *agent, const char *name)
{
	kit_offer(k, agent, 1.1, 1000);
	kit_accepted(k, name);
}

/* The end of a fine task that counted `n`. */
static void ends(
	struct kit *k, const char *name, const char *agent, Quern__TaskResult__State state, uint64_t n)
{
	struct counted c;
	const Quern__TaskResult r = result_with(name, state, &c, n);

	kit_fine(k, name, agent, &r);
}

static uint64_t total(const struct kit *k)
{
	struct sched_tally t;

	sched_get_tally(k->s, &t);
	assert_true(t.n_totals <= 1);
	return t.n_totals == 1 ? t.totals[0]->bits : 0;
}

/* A run that has accumulators: sums of u64, least of i64. */
struct counting_run {
	struct kit_run run;
	Quern__Accumulator accumulators[2], *list[2];
};

static void submit(
	struct kit *k, uint32_t id, uint32_t stage, uint32_t maps, uint32_t reduces, Quern__Sink__Kind kind)
{
	static struct counting_run r;

	kit_run_init(&r.run, id, stage, maps, reduces, kind);
	for (int i = 0; i < 2; i++) {
		quern__accumulator__init(&r.accumulators[i]);
		r.accumulators[i].name = (char *)(uintptr_t) "n";
		r.accumulators[i].kind = i == 0 ? QUERN__COUNT__KIND__SUM_U64 : QUERN__COUNT__KIND__MIN_I64;
		r.list[i] = &r.accumulators[i];
	}
	r.run.run.accumulators = r.list;
	r.run.run.n_accumulators = 2;
	kit_submit(k, &r.run);
}

static void start(struct kit *k, uint64_t max_bad, uint32_t maps, uint32_t reduces, Quern__Sink__Kind kind)
{
	struct sched_config config = kit_config(&mode_fine);

	config.max_bad_records = max_bad;
	kit_new(k, &config);
	kit_subscribed(k);
	submit(k, 1, 5, maps, reduces, kind);
}

/* ---- Once ---- */

static void an_attempt_that_fails_counts_nothing(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0, 1, 0, QUERN__SINK__KIND__COUNT);
	launches(&k, "a", "5.0.0");
	ends(&k, "5.0.0", "a", DID(FAILED), 1000);
	launches(&k, "b", "5.0.1");
	ends(&k, "5.0.1", "b", DID(KILLED), 100);
	launches(&k, "c", "5.0.2");
	assert_int_equal(total(&k), 0);
	ends(&k, "5.0.2", "c", DID(DONE), 7);
	kit_done(&k, 0, NULL);
	assert_int_equal(total(&k), 7);
	kit_free(&k);
}

static void an_output_that_is_made_again_counts_once(void **state)
{
	struct kit k;
	char a[64];
	(void)state;

	start(&k, 0, 2, 1, QUERN__SINK__KIND__COUNT);
	launches(&k, "a", "5.0.0");
	memcpy(a, k.executor, sizeof(a));
	kit_link(&k, a);
	launches(&k, "b", "5.1.0");
	kit_link(&k, k.executor);
	ends(&k, "5.0.0", "a", DID(DONE), 1);
	ends(&k, "5.1.0", "b", DID(DONE), 10);
	assert_int_equal(total(&k), 11);
	kit_failure(&k, a, "a");
	kit_offer(&k, "c", 8, 1000);
	kit_accepted(&k, "5.0.1");
	kit_link(&k, k.executor);
	ends(&k, "5.0.1", "c", DID(DONE), 1);
	assert_int_equal(total(&k), 11);
	kit_offer(&k, "c", 8, 1000);
	kit_accepted(&k, "6.0.0");
	ends(&k, "6.0.0", "c", DID(DONE), 100);
	kit_done(&k, 0, NULL);
	assert_int_equal(total(&k), 111);
	kit_free(&k);
}

/* Nobody could fetch it: the task has not succeeded. */
static void an_output_without_a_server_does_not_count(void **state)
{
	struct kit k;
	(void)state;

	start(&k, 0, 1, 1, QUERN__SINK__KIND__COUNT);
	launches(&k, "a", "5.0.0");
	ends(&k, "5.0.0", "a", DID(DONE), 1);
	assert_int_equal(total(&k), 0);
	kit_free(&k);
}

/* What comes with the data is there when the action ends, and does not come again with the end of the task.
 */
static void data_that_comes_first_brings_the_tally(void **state)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Data data = QUERN__TO_DRIVER__DATA__INIT;
	struct counted c;
	struct kit k;
	(void)state;

	start(&k, 0, 1, 0, QUERN__SINK__KIND__COLLECT);
	launches(&k, "a", "5.0.0");
	kit_link(&k, k.executor);
	Quern__TaskResult r = result_with("5.0.0", DID(DONE), &c, 7);
	data.stage = 5;
	data.tally = r.tally;
	m.data = &data;
	kit_link_message(&k, k.executor, &m);
	kit_done(&k, 0, NULL);
	assert_int_equal(total(&k), 7);
	r.has_data_on_link = r.data_on_link = true;
	kit_fine(&k, "5.0.0", "a", &r);
	assert_int_equal(total(&k), 7);
	kit_free(&k);
}

static void a_part_counts_once(void **state)
{
	struct counted c;
	struct kit k;
	(void)state;

	start(&k, 0, 1, 0, QUERN__SINK__KIND__TEXT);
	kit_offer(&k, "a", 1.1, 1000);
	Quern__TaskResult r = result_with("5.0.0", DID(DONE), &c, 7);
	r.file = (char *)(uintptr_t) "5.0.0.part-00000";
	kit_fine(&k, "5.0.0", "a", &r);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_COMMITTED, .u.committed = { .run = 1 } });
	kit_done(&k, 0, NULL);
	assert_int_equal(total(&k), 7);
	kit_free(&k);
}

/* ---- What is added up ---- */

/* The end of a task that says so of an accumulator. */
static void accumulates(struct kit *k, const char *name, uint32_t id, Quern__Count__Kind kind, uint64_t n)
{
	struct counted c;
	const Quern__TaskResult r = result_with(name, DID(DONE), &c, n);

	c.count.id = id;
	c.count.kind = kind;
	kit_fine(k, name, "a", &r);
}

static void kinds_are_those_of_the_run(void **state)
{
	struct sched_tally t;
	struct counted c;
	struct kit k;
	(void)state;

	start(&k, 0, 6, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 8, 1000);
	kit_accepted(&k, "5.0.0 5.1.0 5.2.0 5.3.0 5.4.0 5.5.0");
	/* Accumulator 1 is a least number. */
	accumulates(&k, "5.0.0", 1, QUERN__COUNT__KIND__MIN_I64, (uint64_t)-5);
	accumulates(&k, "5.1.0", 1, QUERN__COUNT__KIND__MIN_I64, 3);
	/* Another kind than the run's, one that the run does not have, and both a number and a name. */
	accumulates(&k, "5.2.0", 1, QUERN__COUNT__KIND__SUM_U64, 9);
	accumulates(&k, "5.3.0", 2, QUERN__COUNT__KIND__SUM_U64, 9);
	Quern__TaskResult r = result_with("5.4.0", DID(DONE), &c, 9);
	c.count.name = (char *)(uintptr_t) "x";
	kit_fine(&k, "5.4.0", "a", &r);
	sched_get_tally(k.s, &t);
	assert_int_equal(t.n_totals, 1);
	assert_int_equal(t.totals[0]->id, 1);
	assert_true((int64_t)t.totals[0]->bits == -5);
	/* A counter has a name alone. */
	r = result_with("5.5.0", DID(DONE), &c, 9);
	c.count.name = (char *)(uintptr_t) "mill:grain";
	c.count.has_id = false;
	c.count.kind = QUERN__COUNT__KIND__SUM_I64;
	kit_fine(&k, "5.5.0", "a", &r);
	kit_done(&k, 0, NULL);
	sched_get_tally(k.s, &t);
	assert_int_equal(t.n_totals, 2);
	assert_string_equal(t.totals[1]->name, "mill:grain");
	kit_free(&k);
}

static void too_many_counters_end_the_run(void **state)
{
	enum { MORE = 121 };
	Quern__Count counts[MORE], *list[MORE];
	char names[MORE][8];
	struct counted c;
	struct kit k;
	(void)state;

	start(&k, 0, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 8, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	kit_link(&k, k.executor);
	/* More than fits into an update: over the link. */
	for (int i = 0; i < MORE; i++) {
		quern__count__init(&counts[i]);
		(void)snprintf(names[i], sizeof(names[i]), "c%d", i);
		counts[i].name = names[i];
		counts[i].kind = QUERN__COUNT__KIND__SUM_I64;
		list[i] = &counts[i];
	}
	Quern__TaskResult r = result_with("5.0.0", DID(DONE), &c, 0);
	c.tally.counts = list;
	c.tally.n_counts = MORE - 1;
	kit_fine(&k, "5.0.0", "a", &r);
	assert_int_equal(kit_actions(&k, SCHED_DO_DONE), 0);
	r = result_with("5.1.0", DID(DONE), &c, 0);
	c.tally.counts = list + 1;
	c.tally.n_counts = MORE - 1;
	kit_fine(&k, "5.1.0", "a", &r);
	kit_done(&k, 1, "'c120' is one too many");
	kit_free(&k);
}

/* ---- Bad records ---- */

/* How many the next task that is launched may leave out. */
static uint64_t may_leave_out(const struct kit *k)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);

	assert_non_null(c);
	const ProtobufCBinaryData *data = &c->accept->operations[0]->launch->task_infos[0]->data;
	Quern__TaskData *task = quern__task_data__unpack(NULL, data->len, data->data);
	assert_non_null(task);
	uint64_t n = task->task->has_bad_records ? task->task->bad_records : 0;
	quern__task_data__free_unpacked(task, NULL);
	kit_call_free(c);
	return n;
}

static void leaves_out(struct kit *k, const char *name, uint64_t n, const char *text)
{
	struct counted c;
	Quern__TaskResult r = result_with(name, DID(DONE), &c, 0);

	c.tally.has_bad = true;
	c.tally.bad = n;
	c.texts[0] = (char *)(uintptr_t)text;
	c.tally.texts = c.texts;
	c.tally.n_texts = 1;
	kit_fine(k, name, "a", &r);
}

static void bad_records_are_those_of_all_tasks(void **state)
{
	struct sched_tally t;
	struct kit k;
	(void)state;

	start(&k, 10, 3, 0, QUERN__SINK__KIND__COUNT);
	launches(&k, "a", "5.0.0");
	assert_int_equal(may_leave_out(&k), 10);
	kit_link(&k, k.executor);
	leaves_out(&k, "5.0.0", 7, "first");
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.1.0");
	assert_int_equal(may_leave_out(&k), 3);
	leaves_out(&k, "5.1.0", 3, "second");
	kit_offer(&k, "a", 1, 1000);
	kit_accepted(&k, "5.2.0");
	assert_int_equal(may_leave_out(&k), 0);
	sched_get_tally(k.s, &t);
	assert_int_equal(t.bad, 10);
	assert_int_equal(t.n_texts, 2);
	assert_string_equal(t.texts[1], "second");
	/* It ran already when there were some left: now they are too many. */
	leaves_out(&k, "5.2.0", 1, "third");
	kit_done(&k, 1, "11 bad records, more than --max-bad-records 10; one of them: third");
	kit_free(&k);
}

static void a_final_failure_ends_the_run_at_once(void **state)
{
	struct counted c;
	struct kit k;
	(void)state;

	start(&k, 0, 2, 0, QUERN__SINK__KIND__COUNT);
	launches(&k, "a", "5.0.0");
	Quern__TaskResult r = result_with("5.0.0", DID(FAILED), &c, 1);
	r.has_final = r.final = true;
	kit_fine(&k, "5.0.0", "a", &r);
	kit_done(&k, 1, "stage 5, task 0 failed on a: it went wrong");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_that_fails_counts_nothing),
		cmocka_unit_test(an_output_that_is_made_again_counts_once),
		cmocka_unit_test(an_output_without_a_server_does_not_count),
		cmocka_unit_test(data_that_comes_first_brings_the_tally),
		cmocka_unit_test(a_part_counts_once),
		cmocka_unit_test(kinds_are_those_of_the_run),
		cmocka_unit_test(too_many_counters_end_the_run),
		cmocka_unit_test(bad_records_are_those_of_all_tasks),
		cmocka_unit_test(a_final_failure_ends_the_run_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
