/* Whole clusters in virtual time: every action comes to what it must, whatever dies meanwhile, and the same
 * seed gives the same trace.
 *
 * Where everything goes wrong, as many seeds are tried in each mode as QUERN_SIM_SEEDS says, or FEW_SEEDS.
 * scripts/sanitizers.sh tries more of them than an ordinary run of the tests. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/modes/scripted.h"
#include "tests/scheduler/sim.h"

/* Four failures of a task end its run. With FAIL_PERMILLE that is one in a million tasks; with 50 one in
 * 160000, which is one job of this size in some 400 (tried with 1500 seeds), and seed 3 of fine mode was one
 * of them. */
enum { FEW_SEEDS = 25, SIM_ACTIONS = 3, FAIL_PERMILLE = 30 };

static uint64_t seeds = FEW_SEEDS; /* in each mode */

static const struct sim_job small_job = {
	.maps = 60, .middle = 20, .reduces = 40, .collects = 80, .task_ms = 300, .large_percent = 10
};

/* Everything at once; something about every second. */
static const struct sim_faults everything = { .fail_permille = 10,
	.kill_executor_ms = 4000,
	.agent_off_ms = 8000,
	.agent_cut_ms = 4000,
	.link_cut_ms = 1500,
	.stream_cut_ms = 6000,
	.master_off_ms = 12000,
	.lag_ms = 5000 };

static struct sim_config small(const struct mode_ops *mode, uint64_t seed)
{
	return (struct sim_config){ .seed = seed,
		.mode = mode,
		.agents = 20,
		.resources = "cpus:2.1;mem:2048;disk:1000",
		.max_slots = 30,
		.lease_max_ms = 2000,
		.job = small_job };
}

static void run(const struct sim_config *config, struct sim_report *r)
{
	sim_run(config, r);
	if (r->wrong[0] != '\0')
		fail_msg("%s, seed %" PRIu64 ": after %" PRIu64 " ms: %s", config->mode->name, config->seed,
			r->ms, r->wrong);
}

static void a_quiet_cluster(void **state)
{
	const struct mode_ops *mode = *state;
	struct sim_config c = small(mode, 1);
	struct sim_report r;

	run(&c, &r);
	assert_int_equal(r.attempts, 60 + 20 + 40 + 40 + 80); /* none twice: the shuffle is used twice */
	assert_int_equal(r.failed, 0);
	assert_true(r.from_cache > 30 && r.from_cache <= 40); /* not all find room */
	assert_true(r.executors <= 20);
	if (mode == &mode_adaptive)
		assert_true(r.leases >= 30); /* thirty slots, and the job has long tails */
	else
		assert_int_equal(r.leases, 0);
}

/* What the scheduler says it holds is what the master has allocated, but for the time that a launch and an
 * update are on their way; whatever dies. Of an executor without tasks on an agent that is cut off the master
 * frees the share without a word, and says that the agent is lost when it has waited for it. */
static void the_ledger_is_the_masters(void **state)
{
	static const struct sim_faults faults[] = { { .fail_permille = 0 },
		{ .fail_permille = FAIL_PERMILLE }, { .kill_executor_ms = 1000 }, { .link_cut_ms = 200 },
		{ .agent_off_ms = 2000 } };
	enum { WAY_MS = 15, SILENT_MS = 8000 };
	struct sim_report r;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		for (uint64_t seed = 1; seed <= 5; seed++) {
			struct sim_config c = small(*state, seed);

			c.faults = faults[i];
			c.ledger = true;
			run(&c, &r);
			uint64_t said = r.said.task_core_us + r.said.executor_core_us;
			/* a slot of 1 core, or a task's two, and an executor's 0.1 */
			uint64_t most =
				(r.holds * 1000 + r.executors * 100) * WAY_MS + r.offs * 100 * SILENT_MS;

			if (said > r.master_core_us + most || r.master_core_us > said + most)
				fail_msg("%s, fault %zu, seed %" PRIu64 ": said %" PRIu64
					 " core-ms, the master %" PRIu64,
					c.mode->name, i, seed, said / 1000, r.master_core_us / 1000);
			uint64_t mb = r.said.task_mb_ms + r.said.executor_mb_ms,
				 most_mb = (r.holds * 512 + r.executors * 64) * WAY_MS +
					   r.offs * 64 * SILENT_MS;
			assert_true(mb <= r.master_mem_milli / 1000 + most_mb);
			assert_true(r.master_mem_milli / 1000 <= mb + most_mb);
			/* of what dies unheard more may be told than was held: the two slots of an agent */
			if (r.said.used_core_us > r.said.task_core_us + r.offs * 2 * 1000 * SILENT_MS)
				fail_msg("%s, fault %zu, seed %" PRIu64 ": used %" PRIu64 " of %" PRIu64
					 " core-us",
					c.mode->name, i, seed, r.said.used_core_us, r.said.task_core_us);
		}
	}
}

static void a_quiet_cluster_of_any_mode(void **state)
{
	struct sim_config c = small(*state, 1);
	struct sim_report r;

	run(&c, &r);
	assert_int_equal(r.failed, 0);
	assert_true(r.leases > 100); /* slots come and go */
}

/* One kind of fault after the other, so that each is known to be survived, and to have happened. */
static void each_fault_alone(void **state)
{
	static const struct sim_faults faults[] = { { .fail_permille = FAIL_PERMILLE },
		{ .kill_executor_ms = 1000 }, { .agent_off_ms = 2000 }, { .agent_cut_ms = 500 },
		{ .link_cut_ms = 200 }, { .stream_cut_ms = 1000 }, { .master_off_ms = 1500 },
		{ .lag_ms = 500 } };
	struct sim_report r;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		uint64_t happened = 0;

		for (uint64_t seed = 1; seed <= 5; seed++) {
			struct sim_config c = small(*state, seed);

			c.faults = faults[i];
			run(&c, &r);
			happened += r.failed + r.kills + r.offs + r.cuts + r.link_cuts + r.stream_cuts +
				    r.failovers + r.rescinded;
		}
		if (happened == 0)
			fail_msg("%s: fault %zu of the list never happened",
				(*(const struct mode_ops **)state)->name, i);
	}
}

static void everything_goes_wrong(void **state)
{
	struct sim_report r, sum = { 0 };

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct sim_config c = small(*state, seed);

		c.faults = everything;
		run(&c, &r);
		sum.failed += r.failed;
		sum.from_cache += r.from_cache;
		sum.kills += r.kills;
		sum.offs += r.offs;
		sum.cuts += r.cuts;
		sum.link_cuts += r.link_cuts;
		sum.stream_cuts += r.stream_cuts;
		sum.failovers += r.failovers;
		sum.rescinded += r.rescinded;
	}
	assert_true(sum.from_cache > seeds * 10);
	assert_true(sum.failed > 0 && sum.kills > 0 && sum.offs > 0 && sum.cuts > 0 && sum.link_cuts > 0 &&
		    sum.stream_cuts > 0 && sum.failovers > 0 && sum.rescinded > 0);
}

/* Where each agent has one slot reserved in each of two roles; and where it has one more that is revocable.
 */
static void everything_goes_wrong_in_several_roles(void **state)
{
	static const char *const roles[] = { "a", "b/c", NULL };
	struct sim_report r;

	for (uint64_t seed = 1; seed <= seeds / 4; seed++) {
		struct sim_config c = small(*state, seed);

		c.roles = roles;
		c.revocable = seed % 2 == 0;
		c.resources = c.revocable
				      ? "cpus(a):1.1;mem(a):700;cpus(b):1;mem(b/c):600;cpus{REV}:2.1;mem:2048"
				      : "cpus(a):1.1;mem(a):700;cpus(b):1;mem(b/c):600;disk(a):1000";
		c.faults = everything;
		run(&c, &r);
		assert_true(r.executors > 0);
	}
}

/* Of tasks so short that executors are sent more than they have slots for. */
static void everything_goes_wrong_with_short_tasks(void **state)
{
	const struct mode_ops *mode = *state;
	struct sim_report r;
	uint64_t ahead = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct sim_config c = small(mode, seed);

		c.job = (struct sim_job){ .maps = 600,
			.middle = 100,
			.reduces = 200,
			.collects = 400,
			.task_ms = 1 + seed % 60,
			.large_percent = 10 };
		c.faults = everything;
		c.faults.kill_executor_ms = 2000;
		c.faults.link_cut_ms = 500;
		run(&c, &r);
		ahead += r.ahead;
	}
	if (!mode->task_per_hold)
		assert_true(ahead > 100);
	else
		assert_int_equal(ahead, 0);
}

/* What all tasks need, and tasks that take two slots of an agent. */
static void everything_goes_wrong_with_more_to_wait_for(void **state)
{
	struct sim_report r, sum = { 0 };

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct sim_config c = small(*state, seed);

		c.job.broadcasts = true;
		c.job.middle_slots = 2;
		c.faults = everything;
		run(&c, &r);
		sum.fetched[0] += r.fetched[0];
		sum.fetched[1] += r.fetched[1];
	}
	assert_true(sum.fetched[0] > 0 && sum.fetched[1] > sum.fetched[0]);
}

/* Each executor fetches each of them once, all but a few of them from one another. */
static void broadcasts_in_a_quiet_cluster(void **state)
{
	struct sim_config c = small(*state, 1);
	struct sim_report r;

	c.job.broadcasts = true;
	c.job.middle_slots = 2;
	run(&c, &r);
	assert_int_equal(r.failed, 0);
	assert_true(r.fetched[0] + r.fetched[1] >= r.executors);
	assert_true(r.fetched[0] + r.fetched[1] <= SIM_ACTIONS * r.executors);
	assert_true(r.fetched[0] < r.fetched[1]);
}

static void the_same_seed_gives_the_same_trace(void **state)
{
	struct sim_report a, b, other;
	struct sim_config c = small(*state, 5);

	c.faults = everything;
	run(&c, &a);
	run(&c, &b);
	assert_int_equal(a.actions, b.actions);
	assert_int_equal(a.ms, b.ms);
	assert_true(a.trace == b.trace);
	c.seed = 6;
	run(&c, &other);
	assert_true(other.trace != a.trace);
}

/* A thousand agents of three slots each, and twenty thousand tasks. */
static void a_large_cluster(void **state)
{
	struct sim_report a, b;
	struct sim_config c = { .seed = 1,
		.mode = *state,
		.agents = 1000,
		.resources = "cpus:3.1;mem:2048;disk:1000;ports:[31000-32000]",
		.max_slots = 3000,
		.lease_max_ms = 2000,
		.job = { .maps = 2000,
			.reduces = 1000,
			.collects = 16000,
			.task_ms = 1000,
			.large_percent = 1 },
		.faults = { .fail_permille = 5,
			.kill_executor_ms = 6000,
			.agent_off_ms = 12000,
			.agent_cut_ms = 4000,
			.link_cut_ms = 1000,
			.stream_cut_ms = 10000,
			.master_off_ms = 15000,
			.lag_ms = 5000 } };

	run(&c, &a);
	assert_true(a.attempts >= 20000);
	run(&c, &b);
	assert_true(a.trace == b.trace);
}

#define IN_MODE(name)                                                                                        \
	{ #name ", coarse", name, NULL, NULL, (void *)(uintptr_t)&mode_coarse },                             \
		{ #name ", fine", name, NULL, NULL, (void *)(uintptr_t)&mode_fine },                         \
	{                                                                                                    \
#name ", adaptive", name, NULL, NULL, (void *)(uintptr_t)&mode_adaptive                      \
	}

#define IN_SCRIPT(name)                                                                                      \
	{                                                                                                    \
#name ", scripted", name, NULL, NULL, (void *)(uintptr_t)&mode_scripted                      \
	}

/* At least eight: some of them are divided by four, and those into even and odd ones. */
static void read_seeds(void)
{
	const char *text = getenv("QUERN_SIM_SEEDS");
	char *end;

	if (text == NULL)
		return;
	seeds = strtoull(text, &end, 10);
	if (end == text || *end != '\0' || seeds < 8) {
		fprintf(stderr, "QUERN_SIM_SEEDS is '%s': no number of 8 or more\n", text);
		exit(EXIT_FAILURE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_MODE(a_quiet_cluster),
		IN_MODE(the_ledger_is_the_masters),
		IN_SCRIPT(a_quiet_cluster_of_any_mode),
		IN_SCRIPT(everything_goes_wrong),
		IN_SCRIPT(everything_goes_wrong_with_more_to_wait_for),
		IN_SCRIPT(the_same_seed_gives_the_same_trace),
		IN_MODE(each_fault_alone),
		IN_MODE(the_same_seed_gives_the_same_trace),
		IN_MODE(everything_goes_wrong),
		IN_MODE(everything_goes_wrong_in_several_roles),
		IN_MODE(everything_goes_wrong_with_short_tasks),
		IN_MODE(broadcasts_in_a_quiet_cluster),
		IN_MODE(everything_goes_wrong_with_more_to_wait_for),
		IN_MODE(a_large_cluster),
	};

	read_seeds();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
