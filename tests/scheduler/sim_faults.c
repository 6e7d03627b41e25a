/* sim_faults.c: what goes wrong, and when. */
#include "tests/scheduler/sim_state.h"

enum { OFF_MS = 5000, CUT_MS = 3000, LAG_FOR_MS = 2000, LAG_MS = 300, TRIES = 50 };

static void again(struct sim *sim, uint64_t mean, void (*happen)(struct sim *sim, struct sim_event *e))
{
	if (mean > 0 && !sim->driver.stopping)
		(void)sim_after(sim, sim_spread(sim, mean), happen);
}

/* Some executor that lives, or NULL. */
static struct sim_executor *some_executor(struct sim *sim)
{
	for (int i = 0; i < TRIES && sim->executors.n > 0; i++) {
		/* Mostly among the latest: the others are dead by and by. */
		size_t n = sim->executors.n,
		       among = n < 2 * (size_t)sim->config->agents ? n : 2 * (size_t)sim->config->agents;
		struct sim_executor *x = sim->executors.at[n - 1 - sim_below(sim, among)];

		if (x->core != NULL)
			return x;
	}
	return NULL;
}

static void kill_executor(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = some_executor(sim);

	(void)e;
	if (x != NULL) {
		sim->report->kills++;
		sim_executor_die(sim, x, 9, false);
	}
	again(sim, sim->config->faults.kill_executor_ms, kill_executor);
}

static void agent_off(struct sim *sim, struct sim_event *e)
{
	(void)e;
	sim->report->offs++;
	sim_agent_off(sim, (uint32_t)sim_below(sim, sim->config->agents), sim_spread(sim, OFF_MS));
	again(sim, sim->config->faults.agent_off_ms, agent_off);
}

static void agent_cut(struct sim *sim, struct sim_event *e)
{
	(void)e;
	sim->report->cuts++;
	sim_agent_cut(sim, (uint32_t)sim_below(sim, sim->config->agents), sim_spread(sim, CUT_MS));
	again(sim, sim->config->faults.agent_cut_ms, agent_cut);
}

static void link_cut(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = some_executor(sim);

	(void)e;
	if (x != NULL) {
		sim->report->link_cuts++;
		sim_executor_cut(sim, x);
	}
	again(sim, sim->config->faults.link_cut_ms, link_cut);
}

static void stream_cut(struct sim *sim, struct sim_event *e)
{
	(void)e;
	if (sim->driver.conn != 0) {
		sim->report->stream_cuts++;
		sim_master_closed(sim, sim->driver.conn);
		sim_driver_down(sim);
	}
	again(sim, sim->config->faults.stream_cut_ms, stream_cut);
}

static void master_off(struct sim *sim, struct sim_event *e)
{
	(void)e;
	sim->report->failovers++;
	sim_master_failover(sim);
	again(sim, sim->config->faults.master_off_ms, master_off);
}

static void lag_ends(struct sim *sim, struct sim_event *e)
{
	(void)e;
	sim->driver.lag_ms = 0;
}

static void lag(struct sim *sim, struct sim_event *e)
{
	(void)e;
	sim->driver.lag_ms = sim_spread(sim, LAG_MS);
	(void)sim_after(sim, LAG_FOR_MS, lag_ends);
	again(sim, sim->config->faults.lag_ms, lag);
}

void sim_faults_start(struct sim *sim)
{
	const struct sim_faults *f = &sim->config->faults;

	again(sim, f->kill_executor_ms, kill_executor);
	again(sim, f->agent_off_ms, agent_off);
	again(sim, f->agent_cut_ms, agent_cut);
	again(sim, f->link_cut_ms, link_cut);
	again(sim, f->stream_cut_ms, stream_cut);
	again(sim, f->master_off_ms, master_off);
	again(sim, f->lag_ms, lag);
}
