/* Stages of several branches, which read several shuffles. */
#include "tests/scheduler/sched_kit.h"

enum { FIRST = 5, SECOND = 6, LAST = 7, TEXTS = 2, PARTS = 2 };

/* Two stages of one task write a shuffle each; the last one has two tasks of its own input, then two that
 * read both shuffles, then two that read the first once more. */
struct graph {
	Quern__Run run;
	Quern__Stage stages[3], *stage_list[3];
	Quern__Sink sinks[3];
	struct one_branch from[5];
	Quern__Branch *branches[3];
	Quern__ShuffleInput second, *both[2];
	Quern__Split split, *splits[TEXTS + 1];
	const Quern__Split *const *splits_of[3];
	size_t n_splits[3];
};

static void graph_init(struct graph *g)
{
	memset(g, 0, sizeof(*g));
	quern__run__init(&g->run);
	g->run.id = 1;
	g->run.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "id", .len = 2 };
	g->run.stages = g->stage_list;
	g->run.n_stages = 3;
	quern__split__init(&g->split);
	for (size_t i = 0; i <= TEXTS; i++)
		g->splits[i] = &g->split;
	for (uint32_t i = 0; i < 3; i++) {
		quern__stage__init(&g->stages[i]);
		quern__sink__init(&g->sinks[i]);
		g->stage_list[i] = &g->stages[i];
		g->stages[i].id = FIRST + i;
		g->stages[i].sink = &g->sinks[i];
		one_branch_init(&g->from[i], &g->stages[i]);
		one_branch_count(&g->from[i], i < 2 ? 1 : TEXTS);
		g->sinks[i].kind = i < 2 ? QUERN__SINK__KIND__SHUFFLE : QUERN__SINK__KIND__COUNT;
		g->sinks[i].has_shuffle = g->sinks[i].has_partitions = i < 2;
		g->sinks[i].shuffle = FIRST + i;
		g->sinks[i].partitions = PARTS;
		g->splits_of[i] = (const Quern__Split *const *)g->splits;
		g->n_splits[i] = i < 2 ? 1 : TEXTS;
	}
	Quern__Stage scratch = QUERN__STAGE__INIT;
	for (size_t i = 3; i < 5; i++) {
		one_branch_init(&g->from[i], &scratch);
		one_branch_read(&g->from[i], FIRST);
		one_branch_count(&g->from[i], PARTS);
	}
	quern__shuffle_input__init(&g->second);
	g->second.shuffle = g->second.seed = SECOND;
	g->both[0] = &g->from[3].input;
	g->both[1] = &g->second;
	g->from[3].source.shuffles = g->both;
	g->from[3].source.n_shuffles = 2;
	for (size_t i = 0; i < 3; i++)
		g->branches[i] = &g->from[2 + i].branch;
	g->stages[2].branches = g->branches;
	g->stages[2].n_branches = 3;
}

static void submit(struct kit *k, const struct graph *g)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_RUN,
			    .u.run = { .run = &g->run, .splits = g->splits_of, .n_splits = g->n_splits } });
}

/* On agent a, whose executor is left in the kit. */
static void start(struct kit *k)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct graph g;

	kit_new(k, &config);
	kit_subscribed(k);
	graph_init(&g);
	submit(k, &g);
}

/* Task `i` of the only ACCEPT, to be freed. */
static Quern__TaskData *launched(const struct kit *k, size_t i)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);

	assert_non_null(c);
	const Mesos__V1__Offer__Operation__Launch *launch = c->accept->operations[0]->launch;
	assert_true(i < launch->n_task_infos);
	const ProtobufCBinaryData *data = &launch->task_infos[i]->data;
	Quern__TaskData *d = quern__task_data__unpack(NULL, data->len, data->data);
	assert_non_null(d);
	kit_call_free(c);
	return d;
}

/* Shuffles whose tables went to executors in the last step: their sum. */
static unsigned tables(const struct kit *k)
{
	Quern__ToExecutor *m;
	unsigned sum = 0;

	for (size_t i = 0; (m = kit_link_sent(k, i)) != NULL; i++) {
		sum += m->outputs != NULL ? m->outputs->shuffle : 0;
		quern__to_executor__free_unpacked(m, NULL);
	}
	return sum;
}

/* Both writers at once, and nothing of the last stage before both are done: not even what reads no shuffle.
 */
static void everything_that_may_run_does(void **state)
{
	struct kit k;
	char a[64];
	(void)state;

	start(&k);
	kit_offer(&k, "a", 8, 4000);
	kit_accepted(&k, "5.0.0 6.0.0");
	memcpy(a, k.executor, sizeof(a));
	kit_link(&k, a);
	kit_fine_done(&k, "6.0.0", "a");
	kit_offer(&k, "a", 6, 3000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_fine_done(&k, "5.0.0", "a");
	kit_offer(&k, "a", 8, 4000);
	kit_accepted(&k, "7.0.0 7.1.0 7.2.0 7.3.0 7.4.0 7.5.0");
	assert_int_equal(tables(&k), FIRST + SECOND);
	for (uint32_t i = 0; i < 6; i++) {
		Quern__TaskData *d = launched(&k, i);
		static const size_t versions[] = { 0, 2, 1 };

		assert_int_equal(d->task->partition, i);
		assert_int_equal(d->task->branch, i / 2);
		assert_int_equal(d->task->part, i % 2);
		assert_int_equal(d->task->n_outputs_versions, versions[i / 2]);
		assert_true((d->task->split != NULL) == (i < TEXTS));
		quern__task_data__free_unpacked(d, NULL);
	}
	kit_free(&k);
}

/* Which of the shuffles an output was missing in counts, and only its map runs again. */
static void what_is_missing_is_written_again(void **state)
{
	struct kit k;
	Quern__TaskResult r = kit_result("7.3.0", DID(FETCH_FAILED));
	Quern__MapOutput fetch = QUERN__MAP_OUTPUT__INIT;
	char a[64];
	(void)state;

	start(&k);
	kit_offer(&k, "a", 8, 4000);
	memcpy(a, k.executor, sizeof(a));
	kit_link(&k, a);
	kit_fine_done(&k, "5.0.0", "a");
	kit_fine_done(&k, "6.0.0", "a");
	kit_offer(&k, "a", 8, 4000);
	fetch.stage = SECOND;
	r.fetch = &fetch;
	r.has_fetch_shuffle = 1;
	r.fetch_shuffle = SECOND;
	kit_fine(&k, "7.3.0", "a", &r);
	kit_offer(&k, "b", 8, 4000);
	kit_accepted(&k, "6.0.1");
	kit_free(&k);
}

/* Tasks, splits and shuffles have to fit together. */
static void graphs_that_make_no_sense_end_at_once(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);

	(void)state;
	for (int wrong = 0; wrong < 4; wrong++) {
		struct kit k;
		struct graph g;

		kit_new(&k, &config);
		kit_subscribed(&k);
		graph_init(&g);
		if (wrong == 0)
			g.sinks[1].partitions = PARTS + 1;
		else if (wrong == 1)
			g.n_splits[2] = TEXTS + 1;
		else if (wrong == 2)
			one_branch_count(&g.from[4], PARTS + 1);
		else
			g.second.shuffle = 99;
		submit(&k, &g);
		kit_done(&k, 1,
			wrong == 0   ? "do not fit together"
			: wrong == 3 ? "nothing writes"
				     : "as many");
		kit_free(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_may_run_does),
		cmocka_unit_test(what_is_missing_is_written_again),
		cmocka_unit_test(graphs_that_make_no_sense_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
