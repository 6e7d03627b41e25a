/* Whole clusters in virtual time where leases may be held for less time than executors take to start. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/scheduler/sim.h"

enum { TASKS = 60 + 20 + 40 + 40 + 80 /* of all actions: the shuffle is used twice */, SEEDS = 10 };

static const struct sim_faults everything = { .fail_permille = 10,
	.kill_executor_ms = 4000,
	.agent_off_ms = 8000,
	.agent_cut_ms = 4000,
	.link_cut_ms = 1500,
	.stream_cut_ms = 6000,
	.master_off_ms = 12000,
	.lag_ms = 5000 };

static struct sim_config config_of(uint64_t seed, uint64_t lease_max_ms)
{
	return (struct sim_config){ .seed = seed,
		.mode = &mode_adaptive,
		.agents = 20,
		.resources = "cpus:2.1;mem:2048;disk:1000",
		.max_slots = 30,
		.lease_max_ms = lease_max_ms,
		.job = { .maps = 60,
			.middle = 20,
			.reduces = 40,
			.collects = 80,
			.task_ms = 300,
			.large_percent = 10 } };
}

static void run(const struct sim_config *config, struct sim_report *r)
{
	sim_run(config, r);
	if (r->wrong[0] != '\0')
		fail_msg("leases of %" PRIu64 " ms, seed %" PRIu64 ": after %" PRIu64 " ms: %s",
			config->lease_max_ms, config->seed, r->ms, r->wrong);
}

/* A lease for each task, and hardly one that no task was left for. */
static void leases_of_one_task(void **state)
{
	struct sim_config c = config_of(1, 0);
	struct sim_report r;
	(void)state;

	c.ledger = true; /* counts holds */
	run(&c, &r);
	assert_int_equal(r.attempts, TASKS);
	assert_true(r.holds >= TASKS && r.holds < TASKS + TASKS / 5);
}

/* Those of the first wave serve as well: executors take 50 ms to start, about. */
static void leases_shorter_than_a_start(void **state)
{
	struct sim_config c = config_of(1, 20), longer = config_of(1, 2000);
	struct sim_report r, l;
	(void)state;

	c.ledger = true;
	run(&c, &r);
	assert_int_equal(r.attempts, TASKS);
	assert_true(r.holds < TASKS + TASKS / 5);
	run(&longer, &l);
	assert_true(r.ms < l.ms * 3 / 2);
}

/* The start of an executor is held for one slot of two, and jobs are hardly longer for that. */
static void the_first_lease_brings_the_executor(void **state)
{
	struct mode_ops at_once = mode_adaptive;
	uint64_t ms[2] = { 0 }, waste_us[2] = { 0 };
	struct sim_report r;
	(void)state;

	at_once.executor_first = false;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		for (int i = 0; i < 2; i++) {
			struct sim_config c = config_of(seed, 1000000);

			c.mode = i == 0 ? &mode_adaptive : &at_once;
			c.ledger = true;
			run(&c, &r);
			ms[i] += r.ms;
			waste_us[i] += r.said.task_core_us - r.said.used_core_us;
		}
	}
	assert_true(waste_us[0] < waste_us[1] * 95 / 100);
	assert_true(ms[0] < ms[1] * 103 / 100);
}

static void whatever_goes_wrong(void **state)
{
	struct sim_report r;
	(void)state;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_config c = config_of(seed, seed % 2 == 0 ? 0 : 20);

		c.faults = everything;
		run(&c, &r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leases_of_one_task),
		cmocka_unit_test(leases_shorter_than_a_start),
		cmocka_unit_test(the_first_lease_brings_the_executor),
		cmocka_unit_test(whatever_goes_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
