#include "tests/scheduler/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tests/scheduler/sim_state.h"

enum { END_MS = 4 * 3600 * 1000, LEFT_MS = 120000, /* for what is left to go away */ WATCH_MS = 1000 };

/* ---- Small things ---- */

void sim_wrong(struct sim *sim, const char *format, ...)
{
	va_list ap;

	if (sim->report->wrong[0] != '\0')
		return;
	va_start(ap, format);
	(void)vsnprintf(sim->report->wrong, sizeof(sim->report->wrong), format, ap);
	va_end(ap);
}

void sim_trace(
	struct sim *sim, char who, uint64_t index, int kind, const char *text, const void *data, size_t len)
{
	const uint64_t head[4] = { sim->time.now, (uint64_t)(unsigned char)who, index, (uint64_t)kind };

	sim->report->actions++;
	(void)XXH64_update(sim->hash, head, sizeof(head));
	if (text != NULL)
		(void)XXH64_update(sim->hash, text, strlen(text) + 1);
	if (len > 0)
		(void)XXH64_update(sim->hash, data, len);
}

uint64_t sim_conn(struct sim *sim, uint32_t executor)
{
	sim_check(vec_push(&sim->executor_of_conn, executor));
	return sim->executor_of_conn.n - 1;
}

/* ---- From beginning to end ---- */

static void watch(struct sim *sim, struct sim_event *e)
{
	struct sched_progress p;

	(void)e;
	sched_get_progress(sim->driver.core, &p);
	(void)fprintf(stderr,
		"%8" PRIu64 " run %u: %u of %u tasks, %u running, %u slots, %u executors, %" PRIu64
		" offers, %" PRIu64 " revives%s\n",
		sim->time.now, p.run, p.tasks_done, p.tasks, p.tasks_running, p.slots_held, p.executors,
		p.offers, p.revives, p.subscribed ? "" : ", not subscribed");
	(void)sim_after(sim, WATCH_MS, watch);
}

static void run_until(struct sim *sim, uint64_t end_ms, bool (*over)(const struct sim *sim))
{
	struct sched_progress p;

	if (sim_go_on(sim, end_ms, over))
		return;
	sched_get_progress(sim->driver.core, &p);
	sim_wrong(sim, "not over after %" PRIu64 " ms: run %u, %u of %u tasks, %u slots, %u executors",
		end_ms, sim->driver.run, p.tasks_done, p.tasks, p.slots_held, p.executors);
}

static bool driver_is_over(const struct sim *sim)
{
	return sim->driver.stopped || sim->report->wrong[0] != '\0';
}

static bool all_gone(const struct sim *sim)
{
	for (size_t i = 0; i < sim->executors.n; i++)
		if (!sim->executors.at[i]->dead)
			return sim->report->wrong[0] != '\0';
	return true;
}

static void finish(struct sim *sim)
{
	struct sched_progress p;

	sched_get_progress(sim->driver.core, &p);
	sched_get_ledger(sim->driver.core, &sim->report->said);
	sim->report->offers = p.offers;
	sim->report->declined = p.declined;
	sim->report->revives = p.revives;
	sim->report->ms = sim->time.now;
	sim->report->executors = sim->executors.n;
	sim->report->trace = XXH64_digest(sim->hash);
}

void sim_run(const struct sim_config *config, struct sim_report *ret)
{
	struct sim sim = { .config = config, .report = ret, .time = { .random = config->seed, .now = 1000 } };

	*ret = (struct sim_report){ 0 };
	sim.hash = XXH64_createState();
	sim_check(sim.hash == NULL);
	(void)XXH64_reset(sim.hash, 0);
	sim_conn(&sim, SIM_NOBODY); /* number 0 is none */
	sim_check(vec_push(&sim.agent_of_link, SIM_NOBODY));
	sim_cluster_start(&sim);
	sim_job_start(&sim);
	sim_driver_start(&sim);
	sim_faults_start(&sim);
	if (config->verbose)
		watch(&sim, NULL);
	run_until(&sim, END_MS, driver_is_over);
	if (ret->wrong[0] == '\0')
		run_until(&sim, sim.time.now + LEFT_MS, all_gone);
	finish(&sim);
	sim_driver_end(&sim);
	sim_job_end(&sim);
	sim_executors_end(&sim);
	sim_cluster_end(&sim);
	sim_drop_all(&sim);
	vec_deinit(&sim.agent_of_link);
	vec_deinit(&sim.executor_of_conn);
	(void)XXH64_freeState(sim.hash);
}
