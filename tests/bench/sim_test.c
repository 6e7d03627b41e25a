/* The simulator of `quern bench sim`: equal seeds give equal runs, whatever dies; what schedulers say they
 * held is what the master had given; and what a scheduler's core needs for a task that waits and an agent
 * that is idle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/sim/crowd.h"

enum { AGENTS = 20, SLOTS = 4, FRAMEWORKS = 3, TASK_BYTES = 512, AGENT_BYTES = 2048 };

static const struct mode_ops *const modes[] = { &mode_coarse, &mode_fine, &mode_adaptive };
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static const struct lengths stages[] = { { .seed = 1, .tasks = 300, .ms = 50, .most_ms = 400 },
	{ .seed = 2, .tasks = 6, .ms = 800, .most_ms = 800 },
	{ .seed = 3, .tasks = 200, .ms = 100, .tail = true } };
enum { STAGES = sizeof(stages) / sizeof(stages[0]), TASKS = 300 + 6 + 200 };

static struct crowd_config config_of(const struct mode_ops *mode, uint64_t seed, double failures)
{
	return (struct crowd_config){ .seed = seed,
		.frameworks = FRAMEWORKS,
		.agents = AGENTS,
		.slots = SLOTS,
		.stages = stages,
		.n_stages = STAGES,
		.within_us = 2000000,
		.failures = failures,
		.times = crowd_times_default(),
		.mode = mode,
		.max_slots = AGENTS * SLOTS / FRAMEWORKS,
		.lease_idle_ms = 100,
		.lease_max_ms = 2000,
		.revive_interval_ms = 20,
		.revive_burst = 50,
		.locality_wait_ms = 1000,
		.executor_cpus_milli = 100,
		.executor_mem_mb = 128 };
}

static struct crowd_report *run(const struct crowd_config *c)
{
	struct crowd_report *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	crowd_run(c, r);
	if (r->wrong[0] != '\0')
		fail_msg("%s, seed %llu: %s", c->mode->name, (unsigned long long)c->seed, r->wrong);
	r->cpu_ns = 0; /* the one thing that is measured */
	return r;
}

static void equal_seeds_give_equal_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODES; i++) {
		struct crowd_config c = config_of(modes[i], 7, 0.02), other = config_of(modes[i], 8, 0.02);
		struct crowd_report *a = run(&c), *b = run(&c), *d = run(&other);

		a->bytes_per_task = b->bytes_per_task = 0; /* the heap is not as it was */
		assert_memory_equal(a, b, sizeof(*a));
		assert_true(a->us != d->us || a->attempts != d->attempts);
		free(a);
		free(b);
		free(d);
	}
}

static struct crowd_report *run_whole(const struct crowd_config *config)
{
	struct crowd_report *r = run(config);

	assert_int_equal(r->tasks, FRAMEWORKS * TASKS);
	assert_int_equal(r->attempts, r->tasks);
	return r;
}

/* Who takes what is nearly full needs executors on more agents than who takes what is emptiest. */
static void placement_orders_what_is_offered(void **state)
{
	struct crowd_config c = config_of(&mode_fine, 5, 0);
	uint64_t executors[3];

	(void)state;
	c.max_slots = AGENTS * SLOTS / FRAMEWORKS / 2;
	for (enum crowd_placement p = CROWD_AS_OFFERED; p <= CROWD_SPREAD; p++) {
		c.placement = p;
		struct crowd_report *r = run_whole(&c);
		executors[p] = r->executors;
		free(r);
	}
	assert_true(executors[CROWD_SPREAD] < executors[CROWD_AS_OFFERED]);
	assert_true(executors[CROWD_AS_OFFERED] < executors[CROWD_PACK]);
}

static void a_smaller_burst_revives_less(void **state)
{
	struct crowd_config c = config_of(&mode_fine, 5, 0);
	struct crowd_report *many = run_whole(&c);

	(void)state;
	c.revive_burst = 1;
	struct crowd_report *few = run_whole(&c);
	assert_true(few->revives < many->revives);
	free(few);
	free(many);
}

static void nothing_runs_twice_where_nothing_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODES; i++) {
		const struct crowd_config c = config_of(modes[i], 1, 0);
		struct crowd_report *r = run(&c);

		assert_int_equal(r->tasks, FRAMEWORKS * TASKS);
		assert_int_equal(r->attempts, r->tasks);
		/* What tasks take beside their length is half of that more or less. */
		assert_true(r->said.used_core_us >= r->task_us);
		assert_true(r->said.used_core_us <= r->task_us + r->tasks * 2 * c.times.task_us);
		free(r);
	}
}

/* Both tell of the same, but for the time that launches and updates are on their way; and of an agent that is
 * gone the master waits a minute and a quarter, local/master.h. */
static void the_ledger_is_the_masters(void **state)
{
	static const double rates[] = { 0, 0.02, 0.1 };
	enum { WAY_US = 15000, GONE_US = 80000000 };
	uint64_t deaths = 0;

	(void)state;
	for (size_t k = 0; k < MODES * sizeof(rates) / sizeof(rates[0]); k++) {
		const struct crowd_config c = config_of(modes[k % MODES], 11, rates[k / MODES]);
		struct crowd_report *r = run(&c);
		uint64_t said = r->said.task_core_us + r->said.executor_core_us, held = r->master_core_us;
		uint64_t most = (r->attempts * 1000 + r->executors * 100) * WAY_US / 1000 +
				r->lost_agents * (SLOTS * 1000 + FRAMEWORKS * 100) * (GONE_US / 1000);

		/* in thousandths of a core, for ms */
		if (said > held + most || held > said + most)
			fail_msg("%s, failures %g: said %llu, the master %llu", c.mode->name,
				rates[k / MODES], (unsigned long long)said, (unsigned long long)held);
		assert_true(r->said.used_core_us <= said);
		if (rates[k / MODES] > 0)
			assert_true(r->failed > 0 && r->attempts > r->tasks);
		deaths += r->killed_executors + r->lost_agents;
		free(r);
	}
	assert_true(deaths > 10);
}

/* bench/RESULTS.md, S2. */
static void what_waits_needs_little_memory(void **state)
{
	static const struct lengths many = { .seed = 1, .tasks = 50000, .ms = 1, .most_ms = 1 };

	(void)state;
	for (size_t i = 0; i < MODES; i++) {
		struct crowd_config c = config_of(modes[i], 1, 0);

		c.frameworks = c.n_stages = 1;
		c.stages = &many;
		c.agents = 1000;
		c.max_slots = c.agents * c.slots;
		struct crowd_report *r = run(&c);
		uint64_t agent = crowd_bytes_per_agent(&c), task = r->bytes_per_task;
		free(r);
		if (task == 0)
			skip(); /* sanitizers' malloc does not say what is allocated */
		assert_true(task <= TASK_BYTES);
		assert_in_range(agent, 1, AGENT_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_seeds_give_equal_runs),
		cmocka_unit_test(placement_orders_what_is_offered),
		cmocka_unit_test(a_smaller_burst_revives_less),
		cmocka_unit_test(nothing_runs_twice_where_nothing_fails),
		cmocka_unit_test(the_ledger_is_the_masters),
		cmocka_unit_test(what_waits_needs_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
