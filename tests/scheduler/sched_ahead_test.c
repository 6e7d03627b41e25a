/* Tasks that are sent before there is a slot for them: when, how many, and what becomes of those that wait.
 */
#include "tests/scheduler/sched_kit.h"

/* Two agents of one slot each, with a run of `tasks` in stage 5. */
struct pair {
	struct kit k;
	char e[2][64];
};

static void pair(struct pair *p, uint32_t tasks, uint64_t timeout_ms)
{
	struct sched_config config = kit_config(&mode_coarse);

	config.mode_config.max_slots = 2;
	config.task_timeout_ms = timeout_ms;
	kit_new(&p->k, &config);
	kit_subscribed(&p->k);
	kit_run(&p->k, 1, 5, tasks, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&p->k, "a", 1.1, 1000);
	kit_accepted(&p->k, "lease-0");
	memcpy(p->e[0], p->k.executor, sizeof(p->e[0]));
	kit_offer(&p->k, "b", 1.1, 1000);
	kit_accepted(&p->k, "lease-1");
	memcpy(p->e[1], p->k.executor, sizeof(p->e[1]));
	kit_link(&p->k, p->e[0]);
	kit_running(&p->k, "lease-0", "a");
	kit_link(&p->k, p->e[1]);
	kit_running(&p->k, "lease-1", "b"); /* 5.0.0 runs on the first, 5.1.0 on the second */
}

static void done_after(struct pair *p, int e, const char *name, uint64_t ms)
{
	Quern__TaskResult r = kit_result(name, DID(DONE));

	r.has_wall_us = 1;
	r.wall_us = ms * 1000;
	kit_coarse(&p->k, p->e[e], &r);
}

/* The attempts that the last step asked `executor` to kill: the first of them, and how many. */
static size_t killed(const struct kit *k, const char *executor, char ret[32])
{
	const struct sched_action *a;
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; (a = kit_action(k, SCHED_DO_LINK, i)) != NULL; i++) {
		if (strcmp(a->text, executor) != 0)
			continue;
		Quern__ToExecutor *m = quern__to_executor__unpack(NULL, a->len, a->data);
		assert_non_null(m);
		if (m->n_kill > 0 && n == 0)
			(void)snprintf(ret, 32, "%u.%u.%u", m->kill[0]->stage, m->kill[0]->partition,
				m->kill[0]->attempt);
		n += m->n_kill;
		quern__to_executor__free_unpacked(m, NULL);
	}
	return n;
}

static uint32_t running(const struct kit *k)
{
	struct sched_progress p;

	sched_get_progress(k->s, &p);
	return p.tasks_running;
}

static void short_tasks_go_ahead(void **state)
{
	struct pair p;
	(void)state;

	pair(&p, 20, 0);
	kit_sent(&p.k, p.e[1], "5.1.0"); /* nothing is known of the stage: none ahead */
	done_after(&p, 0, "5.0.0", 100);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0"); /* one that runs, and one that waits */
	kit_sent(&p.k, p.e[1], "");            /* which has not been heard of */
	assert_int_equal(running(&p.k), 2);
	done_after(&p, 0, "5.2.0", 100);
	kit_sent(&p.k, p.e[0], "5.4.0");
	done_after(&p, 1, "5.1.0", 100);
	kit_sent(&p.k, p.e[1], "5.5.0 5.6.0");
	kit_free(&p.k);
}

static void the_shorter_the_more(void **state)
{
	struct pair p;
	(void)state;

	pair(&p, 60, 0);
	done_after(&p, 0, "5.0.0", 2);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0 5.4.0 5.5.0 5.6.0"); /* four of 2 ms wait: no more than 10 ms */
	kit_free(&p.k);
	pair(&p, 60, 0);
	done_after(&p, 0, "5.0.0", 0);
	struct sched_progress progress;
	sched_get_progress(p.k.s, &progress);
	assert_int_equal(progress.tasks_running, 2);
	Quern__ToExecutor *m = kit_link_sent(&p.k, 0);
	assert_int_equal(m->n_tasks, 33);
	quern__to_executor__free_unpacked(m, NULL);
	kit_free(&p.k);
}

static void long_tasks_do_not(void **state)
{
	struct pair p;
	(void)state;

	pair(&p, 20, 0);
	done_after(&p, 0, "5.0.0", 250);
	kit_sent(&p.k, p.e[0], "5.2.0");
	/* The mean follows what comes. */
	done_after(&p, 0, "5.2.0", 200);
	kit_sent(&p.k, p.e[0], "5.3.0 5.4.0");
	done_after(&p, 0, "5.3.0", 3000);
	kit_sent(&p.k, p.e[0], "");
	done_after(&p, 0, "5.4.0", 3000);
	kit_sent(&p.k, p.e[0], "5.5.0");
	/* And what makes no sense is not believed. */
	Quern__TaskResult r = kit_result("5.5.0", DID(DONE));
	r.has_wall_us = 1;
	r.wall_us = UINT64_MAX;
	kit_coarse(&p.k, p.e[0], &r);
	kit_sent(&p.k, p.e[0], "5.6.0");
	kit_free(&p.k);
}

static void the_last_tasks_wait_for_whoever_is_free(void **state)
{
	struct pair p;
	(void)state;

	pair(&p, 8, 0); /* six are left for two slots */
	done_after(&p, 0, "5.0.0", 10);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0"); /* then five, then four */
	done_after(&p, 0, "5.2.0", 10);
	kit_sent(&p.k, p.e[0], "");
	done_after(&p, 0, "5.3.0", 10);
	kit_sent(&p.k, p.e[0], "5.4.0");
	kit_free(&p.k);
}

static void a_task_that_failed_does_not_go_ahead(void **state)
{
	struct pair p;
	(void)state;

	pair(&p, 20, 0);
	done_after(&p, 0, "5.0.0", 100);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0");
	const Quern__TaskResult r = kit_result("5.2.0", DID(FAILED));
	kit_coarse(&p.k, p.e[0], &r); /* 5.3.0 has the slot; 5.2.1 is to run elsewhere */
	kit_sent(&p.k, p.e[0], "");
	done_after(&p, 1, "5.1.0", 100);
	kit_sent(&p.k, p.e[1], "5.2.1 5.4.0"); /* in the slot; after it another one may wait */
	kit_free(&p.k);
}

static void those_that_had_not_begun_are_not_counted_as_lost(void **state)
{
	struct sched_progress progress;
	struct pair p;
	(void)state;

	pair(&p, 20, 0);
	done_after(&p, 0, "5.0.0", 100);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0");
	kit_failure(&p.k, p.e[0], "a");
	sched_get_progress(p.k.s, &progress);
	assert_int_equal(progress.tasks_failed, 1);
	assert_int_equal(progress.tasks_running, 1);
	done_after(&p, 1, "5.1.0", 100);
	kit_sent(&p.k, p.e[1], "5.2.1"); /* both are tried again, and do not go ahead */
	done_after(&p, 1, "5.2.1", 100);
	kit_sent(&p.k, p.e[1], "5.3.1 5.4.0");
	kit_free(&p.k);
}

/* The same when another process comes back under the executor's name. */
static void nor_are_they_when_the_executor_is_started_anew(void **state)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Hello hello = QUERN__TO_DRIVER__HELLO__INIT;
	struct sched_progress progress;
	struct pair p;
	(void)state;

	pair(&p, 20, 0);
	done_after(&p, 0, "5.0.0", 100);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0");
	kit_unlink(&p.k, p.e[0]);
	kit_link_up(&p.k, p.e[0]);
	hello.shuffle_port = 4321;
	hello.directory = (char *)(uintptr_t) "/shuffle";
	hello.machine = (char *)(uintptr_t) "machine";
	hello.address = (char *)(uintptr_t) "10.0.0.1";
	m.hello = &hello;
	kit_link_message(&p.k, p.e[0], &m);
	sched_get_progress(p.k.s, &progress);
	assert_int_equal(progress.tasks_failed, 1);
	kit_sent(&p.k, p.e[0], "5.3.1"); /* 5.2.1 keeps away from where it was lost */
	kit_free(&p.k);
}

static void what_is_stuck_is_taken_back(void **state)
{
	struct pair p;
	char name[32];
	(void)state;

	pair(&p, 8, 0);
	done_after(&p, 0, "5.0.0", 10);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0"); /* 5.2.0 hangs on: 5.3.0 waits behind it */
	done_after(&p, 1, "5.1.0", 10);
	kit_sent(&p.k, p.e[1], "5.4.0");
	p.k.now += 5;
	done_after(&p, 1, "5.4.0", 10);
	done_after(&p, 1, "5.5.0", 10);
	done_after(&p, 1, "5.6.0", 10);
	done_after(&p, 1, "5.7.0", 10); /* nothing is left, and this one is free */
	assert_int_equal(killed(&p.k, p.e[0], name), 0);
	uint64_t begun = p.k.now;
	while (killed(&p.k, p.e[0], name) == 0) {
		uint64_t next = sched_next_ms(p.k.s);

		assert_true(next <= begun + 50);
		p.k.now = next;
		kit_tick(&p.k);
	}
	assert_string_equal(name, "5.3.0");
	kit_tick(&p.k);
	assert_int_equal(killed(&p.k, p.e[0], name), 0); /* once */
	const Quern__TaskResult r = kit_result("5.3.0", DID(KILLED));
	kit_coarse(&p.k, p.e[0], &r);
	kit_sent(&p.k, p.e[1], "5.3.1");
	done_after(&p, 1, "5.3.1", 10);
	p.k.now += 1000;
	kit_tick(&p.k);
	assert_int_equal(killed(&p.k, p.e[0], name), 0); /* what runs is let be */
	done_after(&p, 0, "5.2.0", 2000);
	kit_done(&p.k, 0, NULL);
	kit_free(&p.k);
}

static void time_counts_from_the_slot_on(void **state)
{
	struct pair p;
	char name[32];
	(void)state;

	pair(&p, 20, 1000); /* we step in 10 s after twice that */
	p.k.now += 100;
	done_after(&p, 0, "5.0.0", 100);
	kit_sent(&p.k, p.e[0], "5.2.0 5.3.0");
	p.k.now += 11000;
	done_after(&p, 1, "5.1.0", 100);
	done_after(&p, 0, "5.2.0", 100); /* 5.3.0 begins */
	p.k.now += 11999;
	kit_tick(&p.k);
	assert_int_equal(killed(&p.k, p.e[0], name), 0);
	p.k.now += 1;
	kit_tick(&p.k);
	assert_int_equal(killed(&p.k, p.e[0], name), 1);
	assert_string_equal(name, "5.3.0");
	kit_free(&p.k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_tasks_go_ahead),
		cmocka_unit_test(the_shorter_the_more),
		cmocka_unit_test(long_tasks_do_not),
		cmocka_unit_test(the_last_tasks_wait_for_whoever_is_free),
		cmocka_unit_test(a_task_that_failed_does_not_go_ahead),
		cmocka_unit_test(those_that_had_not_begun_are_not_counted_as_lost),
		cmocka_unit_test(nor_are_they_when_the_executor_is_started_anew),
		cmocka_unit_test(what_is_stuck_is_taken_back),
		cmocka_unit_test(time_counts_from_the_slot_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
