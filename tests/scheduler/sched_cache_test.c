/* Persisted sets as the scheduler sees them: tasks go where their partition is, wait for it a while, and go
 * elsewhere when it is lost. */
#include "tests/scheduler/sched_kit.h"

enum { SET = 3, WAIT_MS = 3000 };

/* A run of one text stage that keeps set SET, and then set SET + 1. */
struct job {
	struct kit_run run;
	Quern__Step steps[2], *list[2];
	Quern__Cache caches[2];
};

static void submit(struct kit *k, uint32_t id, uint32_t stage, uint32_t tasks, uint32_t sets)
{
	struct job j;

	kit_run_init(&j.run, id, stage, tasks, 0, QUERN__SINK__KIND__COUNT);
	j.run.from[0].branch.steps = j.list;
	j.run.from[0].branch.n_steps = sets;
	for (uint32_t i = 0; i < sets; i++) {
		quern__step__init(&j.steps[i]);
		quern__cache__init(&j.caches[i]);
		j.steps[i].kind = QUERN__STEP__KIND__CACHE;
		j.steps[i].cache = &j.caches[i];
		j.caches[i].id = SET + i;
		j.list[i] = &j.steps[i];
	}
	kit_submit(k, &j.run);
}

/* Two agents of two slots each, in coarse mode; nothing is under way. */
struct gang {
	struct kit k;
	char e[2][64];
};

static struct sched_config config_of(const struct mode_ops *mode)
{
	struct sched_config config = kit_config(mode);

	config.locality_wait_ms = WAIT_MS;
	config.mode_config.max_slots = 4;
	return config;
}

/* Its first run, `stage` 1, has `tasks` tasks and gives two to each agent. */
static void gang(struct gang *g, uint32_t tasks, uint32_t sets)
{
	const struct sched_config config = config_of(&mode_coarse);

	kit_new(&g->k, &config);
	kit_subscribed(&g->k);
	submit(&g->k, 1, 1, tasks, sets);
	kit_offer(&g->k, "a", 2.1, 1000);
	memcpy(g->e[0], g->k.executor, sizeof(g->e[0]));
	kit_offer(&g->k, "b", 2.1, 1000);
	memcpy(g->e[1], g->k.executor, sizeof(g->e[1]));
	kit_link(&g->k, g->e[0]);
	kit_running(&g->k, "lease-0", "a");
	kit_link(&g->k, g->e[1]);
	kit_running(&g->k, "lease-1", "b");
}

/* A result that says that its partition of `set` was kept (`too_large`: was not). */
static void done_keeping(struct kit *k, const char *executor, const char *name, uint32_t set, bool too_large)
{
	Quern__TaskResult r = kit_result(name, DID(DONE));
	Quern__TaskResult__Kept kept = QUERN__TASK_RESULT__KEPT__INIT, *list[] = { &kept };

	kept.cache = set;
	kept.partition = r.partition;
	kept.has_bytes = !too_large;
	kept.has_too_large = kept.too_large = too_large;
	r.n_kept = 1;
	r.kept = list;
	kit_coarse(k, executor, &r);
}

static void done_evicting(
	struct kit *k, const char *executor, const char *name, uint32_t set, uint32_t partition)
{
	Quern__TaskResult r = kit_result(name, DID(DONE));
	Quern__TaskResult__CachedPartition gone = QUERN__TASK_RESULT__CACHED_PARTITION__INIT,
					   *list[] = { &gone };

	gone.cache = set;
	gone.partition = partition;
	r.n_evicted = 1;
	r.evicted = list;
	kit_coarse(k, executor, &r);
}

/* The first run of four is done: agent a has partitions 0 and 2, b has 1 and 3. */
static void fill(struct gang *g)
{
	gang(g, 4, 1);
	kit_sent(&g->k, g->e[0], "1.0.0 1.2.0");
	kit_sent(&g->k, g->e[1], "1.1.0 1.3.0");
	done_keeping(&g->k, g->e[0], "1.0.0", SET, false);
	done_keeping(&g->k, g->e[0], "1.2.0", SET, false);
	done_keeping(&g->k, g->e[1], "1.1.0", SET, false);
	done_keeping(&g->k, g->e[1], "1.3.0", SET, false);
	kit_done(&g->k, 0, NULL);
}

/* A run that is not wanted any more has all slots: a runs 0 and 2 of `stage`, b 1 and 3. */
static void occupy(struct gang *g, uint32_t stage)
{
	submit(&g->k, stage, stage, 64, 0);
	kit_step(&g->k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = stage });
	kit_done(&g->k, 0, NULL);
}

/* One of those tasks ends, if it is there. */
static void killed(struct gang *g, size_t executor, const char *name)
{
	const Quern__TaskResult r = kit_result(name, DID(KILLED));

	kit_coarse(&g->k, g->e[executor], &r);
}

static void tasks_go_where_their_partition_is(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	for (uint32_t run = 2; run < 5; run++) {
		char names[2][32];

		submit(&g.k, run, run, 4, 1);
		(void)snprintf(names[0], sizeof(names[0]), "%u.0.0 %u.2.0", run, run);
		(void)snprintf(names[1], sizeof(names[1]), "%u.1.0 %u.3.0", run, run);
		kit_sent(&g.k, g.e[0], names[0]);
		kit_sent(&g.k, g.e[1], names[1]);
		for (uint32_t i = 0; i < 4; i++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "%u.%u.0", run, i);
			kit_coarse_done(&g.k, g.e[i % 2], name);
		}
		kit_done(&g.k, 0, NULL);
	}
	kit_free(&g.k);
}

static void what_is_nowhere_goes_anywhere_and_what_is_elsewhere_waits(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	submit(&g.k, 2, 2, 8, 1); /* 4 to 7 are nowhere */
	kit_sent(&g.k, g.e[0], "2.0.0 2.2.0");
	kit_sent(&g.k, g.e[1], "2.1.0 2.3.0");
	kit_coarse_done(&g.k, g.e[1], "2.1.0");
	kit_sent(&g.k, g.e[1], "2.4.0");
	kit_coarse_done(&g.k, g.e[1], "2.3.0");
	kit_sent(&g.k, g.e[1], "2.5.0");
	kit_free(&g.k);
}

static void a_task_waits_for_its_executor_and_not_for_ever(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	occupy(&g, 2);
	submit(&g.k, 3, 3, 1, 1);
	uint64_t end = g.k.now + WAIT_MS;
	killed(&g, 1, "2.1.0");
	kit_sent(&g.k, g.e[1], ""); /* it could take it, and does not */
	assert_true(sched_next_ms(g.k.s) <= end);
	kit_wait(&g.k, WAIT_MS - 1);
	killed(&g, 1, "2.3.0");
	kit_sent(&g.k, g.e[1], "");
	g.k.now = end;
	kit_tick(&g.k);
	kit_sent(&g.k, g.e[1], "3.0.0");
	kit_free(&g.k);
}

static void a_slot_that_comes_free_in_time_is_taken(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	occupy(&g, 2);
	submit(&g.k, 3, 3, 4, 1);
	killed(&g, 1, "2.1.0");
	kit_sent(&g.k, g.e[1], "3.1.0");
	kit_wait(&g.k, WAIT_MS - 10);
	killed(&g, 0, "2.0.0");
	kit_sent(&g.k, g.e[0], "3.0.0");
	kit_free(&g.k);
}

static void what_a_lost_executor_had_is_nowhere(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	kit_failure(&g.k, g.e[0], "a");
	submit(&g.k, 2, 2, 4, 1);
	kit_sent(&g.k, g.e[1], "2.1.0 2.3.0");
	kit_coarse_done(&g.k, g.e[1], "2.1.0");
	kit_sent(&g.k, g.e[1], "2.0.0"); /* at once */
	kit_free(&g.k);
}

static void an_executor_that_is_lost_while_tasks_wait_for_it(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	occupy(&g, 2);
	submit(&g.k, 3, 3, 4, 1);
	killed(&g, 1, "2.1.0");
	killed(&g, 1, "2.3.0");
	kit_coarse_done(&g.k, g.e[1], "3.1.0");
	kit_sent(&g.k, g.e[1], ""); /* 0 and 2 wait for a */
	kit_failure(&g.k, g.e[0], "a");
	kit_sent(&g.k, g.e[1], "3.0.0");
	kit_free(&g.k);
}

static void what_was_evicted_is_nowhere(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	submit(&g.k, 2, 2, 4, 1);
	done_evicting(&g.k, g.e[1], "2.1.0", SET, 3);
	done_evicting(&g.k, g.e[1], "2.3.0", SET, 2); /* which it does not have */
	kit_coarse_done(&g.k, g.e[0], "2.0.0");
	kit_coarse_done(&g.k, g.e[0], "2.2.0");
	kit_done(&g.k, 0, NULL);
	submit(&g.k, 3, 3, 4, 1);
	kit_sent(&g.k, g.e[0], "3.0.0 3.2.0");
	kit_sent(&g.k, g.e[1], "3.1.0 3.3.0"); /* 3 as what nobody has */
	kit_coarse_done(&g.k, g.e[0], "3.0.0");
	kit_free(&g.k);
}

static void an_unpersisted_set_is_dropped_everywhere_and_again_on_a_new_link(void **state)
{
	struct gang g;

	(void)state;
	fill(&g);
	kit_step(&g.k, (struct sched_event){ .kind = SCHED_EV_UNPERSIST, .u.cache = SET });
	for (size_t i = 0; i < 2; i++) {
		Quern__ToExecutor *m = kit_link_sent(&g.k, i);

		assert_non_null(m);
		assert_int_equal(m->n_drop_caches, 1);
		assert_int_equal(m->drop_caches[0], SET);
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_int_equal(kit_actions(&g.k, SCHED_DO_LINK), 2);
	kit_step(&g.k, (struct sched_event){ .kind = SCHED_EV_UNPERSIST, .u.cache = SET });
	assert_int_equal(kit_actions(&g.k, SCHED_DO_LINK), 0); /* once is enough */
	kit_unlink(&g.k, g.e[0]);
	kit_step(&g.k, (struct sched_event){ .kind = SCHED_EV_UNPERSIST, .u.cache = 99 });
	assert_int_equal(kit_actions(&g.k, SCHED_DO_LINK), 1);
	kit_link_up(&g.k, g.e[0]);
	Quern__ToExecutor *m = kit_link_sent(&g.k, 0);
	assert_int_equal(m->n_drop_caches, 2);
	quern__to_executor__free_unpacked(m, NULL);

	/* Nobody is preferred for it any more, whatever a late result says: what a had would go to b at once.
	 */
	submit(&g.k, 2, 2, 4, 1);
	for (uint32_t i = 0; i < 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "2.%u.0", i);
		for (int e = 0; e < 2; e++)
			done_keeping(&g.k, g.e[e], name, SET, false);
	}
	occupy(&g, 3);
	for (uint32_t i = 0; i < 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "3.%u.0", i);
		killed(&g, 1, name);
	}
	submit(&g.k, 4, 4, 2, 1);
	struct sched_progress p;
	sched_get_progress(g.k.s, &p);
	assert_int_equal(p.tasks_running, 4); /* two that are still being killed on a */
	kit_free(&g.k);
}

static void the_last_set_that_anybody_has_counts(void **state)
{
	struct gang g;

	(void)state;
	gang(&g, 4, 2);
	done_keeping(&g.k, g.e[0], "1.0.0", SET, false);
	done_keeping(&g.k, g.e[0], "1.2.0", SET, false);
	done_keeping(&g.k, g.e[1], "1.1.0", SET + 1, false);
	done_keeping(&g.k, g.e[1], "1.3.0", SET + 1, false);
	kit_done(&g.k, 0, NULL);
	submit(&g.k, 2, 2, 1, 2); /* a has set 3 of partition 0, nobody set 4 */
	kit_sent(&g.k, g.e[0], "2.0.0");
	done_keeping(&g.k, g.e[0], "2.0.0", SET + 1, false);
	submit(&g.k, 3, 3, 4, 2);
	kit_sent(&g.k, g.e[0], "3.0.0 3.2.0");
	kit_sent(&g.k, g.e[1], "3.1.0 3.3.0");
	kit_free(&g.k);
}

static void too_large_is_said_once(void **state)
{
	struct gang g;

	(void)state;
	gang(&g, 4, 1);
	done_keeping(&g.k, g.e[0], "1.0.0", SET, true);
	const struct sched_action *a = kit_action(&g.k, SCHED_DO_LOG, 0);
	assert_non_null(a);
	assert_non_null(strstr(a->text, "cache 3: partition 0 on a"));
	done_keeping(&g.k, g.e[0], "1.2.0", SET, true);
	assert_null(kit_action(&g.k, SCHED_DO_LOG, 0));
	kit_coarse_done(&g.k, g.e[1], "1.1.0");
	kit_coarse_done(&g.k, g.e[1], "1.3.0");
	submit(&g.k, 2, 2, 4, 1); /* it is nowhere */
	kit_sent(&g.k, g.e[1], "2.1.0 2.3.0");
	kit_free(&g.k);
}

/* ---- Fine ---- */

/* A run of two fine tasks on agents a and b: each keeps its partition. */
static void fine(struct kit *k, char e[2][64])
{
	struct sched_config config = config_of(&mode_fine);

	kit_new(k, &config);
	kit_subscribed(k);
	submit(k, 1, 1, 2, 1);
	for (int i = 0; i < 2; i++) {
		const char *agent = i == 0 ? "a" : "b", *name = i == 0 ? "1.0.0" : "1.1.0";
		Quern__TaskResult r = kit_result(name, DID(DONE));
		Quern__TaskResult__Kept kept = QUERN__TASK_RESULT__KEPT__INIT, *list[] = { &kept };

		kit_offer(k, agent, 1.1, 200);
		kit_accepted(k, name);
		(void)memcpy(e[i], k->executor, 64);
		kit_link(k, e[i]);
		kept.cache = SET;
		kept.partition = r.partition;
		kept.has_bytes = 1;
		r.n_kept = 1;
		r.kept = list;
		kit_fine(k, name, agent, &r);
	}
	kit_done(k, 0, NULL);
}

static void fine_tasks_go_where_their_partition_is(void **state)
{
	struct kit k;
	char e[2][64];

	(void)state;
	fine(&k, e);
	submit(&k, 2, 2, 2, 1);
	kit_offer(&k, "b", 8, 2000); /* for one alone: the other waits for a */
	kit_accepted(&k, "2.1.0");
	kit_offer(&k, "c", 8, 2000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	assert_true(kit_refused(&k) <= WAIT_MS / 1000.0); /* it may be wanted then */
	kit_offer(&k, "a", 8, 2000);
	kit_accepted(&k, "2.0.0");
	kit_free(&k);
}

static void a_fine_task_takes_any_offer_in_the_end(void **state)
{
	struct kit k;
	char e[2][64];

	(void)state;
	fine(&k, e);
	submit(&k, 2, 2, 1, 1);
	kit_offer(&k, "c", 8, 2000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	uint64_t end = k.now + WAIT_MS;
	kit_wait(&k, WAIT_MS - 1);
	kit_offer(&k, "c", 8, 2000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	k.now = end;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1); /* what was declined is wanted now */
	kit_offer(&k, "c", 8, 2000);
	kit_accepted(&k, "2.0.0");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_go_where_their_partition_is),
		cmocka_unit_test(what_is_nowhere_goes_anywhere_and_what_is_elsewhere_waits),
		cmocka_unit_test(a_task_waits_for_its_executor_and_not_for_ever),
		cmocka_unit_test(a_slot_that_comes_free_in_time_is_taken),
		cmocka_unit_test(what_a_lost_executor_had_is_nowhere),
		cmocka_unit_test(an_executor_that_is_lost_while_tasks_wait_for_it),
		cmocka_unit_test(what_was_evicted_is_nowhere),
		cmocka_unit_test(an_unpersisted_set_is_dropped_everywhere_and_again_on_a_new_link),
		cmocka_unit_test(the_last_set_that_anybody_has_counts),
		cmocka_unit_test(too_large_is_said_once),
		cmocka_unit_test(fine_tasks_go_where_their_partition_is),
		cmocka_unit_test(a_fine_task_takes_any_offer_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
