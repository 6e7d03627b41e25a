#include "bench/sim/crowd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sim/crowd_state.h"

#define SECOND_US 1000000ULL
#define START_US  SECOND_US               /* so that no time is 0, which means something to some */
#define END_US    (48 * 3600 * SECOND_US) /* of the cluster: it hangs */

struct crowd_times crowd_times_default(void)
{
	return (struct crowd_times){ .link_us = 190,
		.call_us = 400,
		.agent_us = 650,
		.start_us = 88000,
		.task_us = 400,
		.begin_us = 55000,
		.submit_us = 8000,
		.end_us = 5000 };
}

void crowd_wrong(struct sim *sim, const char *format, ...)
{
	va_list ap;

	if (sim->report->wrong[0] != '\0')
		return;
	va_start(ap, format);
	(void)vsnprintf(sim->report->wrong, sizeof(sim->report->wrong), format, ap);
	va_end(ap);
}

uint64_t crowd_length_us(const struct sim *sim, const struct member *m, uint32_t stage, uint32_t partition)
{
	struct lengths l = sim->config->stages[stage];

	l.seed += m->index; /* the first framework's are those of the job alone */
	return lengths_us(&l, partition);
}

/* Of steps that are too many every other one goes, and those to come are further apart. */
void crowd_note(struct sim *sim)
{
	struct crowd_report *r = sim->report;
	uint64_t us = sim->time.now - START_US;
	struct crowd_step *last = r->n_timeline > 0 ? &r->timeline[r->n_timeline - 1] : NULL;

	if (last != NULL && us - last->us <= sim->step_us) {
		last->held_milli = sim->master.held_milli;
		last->used_milli = sim->used_milli;
		return;
	}
	if (r->n_timeline == CROWD_STEPS) {
		r->n_timeline /= 2;
		for (size_t i = 0; i < r->n_timeline; i++)
			r->timeline[i] = r->timeline[2 * i];
		sim->step_us = (us / CROWD_STEPS) * 2;
	}
	r->timeline[r->n_timeline++] = (struct crowd_step){ us, sim->master.held_milli, sim->used_milli };
}

/* ---- From beginning to end ---- */

static bool all_over(const struct sim *sim)
{
	return sim->over == sim->config->frameworks || sim->report->wrong[0] != '\0';
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void add_ledger(struct sched_ledger *sum, const struct sched_ledger *l)
{
	sum->task_core_us += l->task_core_us;
	sum->task_mb_ms += l->task_mb_ms;
	sum->executor_core_us += l->executor_core_us;
	sum->executor_mb_ms += l->executor_mb_ms;
	sum->used_core_us += l->used_core_us;
	sum->gaps += l->gaps;
	sum->gap_p50_ms = max_u64(sum->gap_p50_ms, l->gap_p50_ms);
	sum->gap_p99_ms = max_u64(sum->gap_p99_ms, l->gap_p99_ms);
}

static void add_member(struct sim *sim, const struct member *m)
{
	struct crowd_report *r = sim->report;
	const struct crowd_config *c = sim->config;
	struct sched_progress p;
	struct sched_ledger l;

	sched_get_progress(m->core, &p);
	sched_get_ledger(m->core, &l);
	add_ledger(&r->said, &l);
	r->offers += p.offers;
	r->declined += p.declined;
	r->revives += p.revives;
	r->tasks += m->tasks;
	for (uint32_t i = 0; i < c->n_stages; i++)
		for (uint32_t k = 0; k < c->stages[i].tasks; k++)
			r->task_us += crowd_length_us(sim, m, i, k);
	if (m->near == NULL)
		return;
	if (c->failures <= 0 &&
		(p.locality.host != m->local || p.locality.host + p.locality.elsewhere != c->stages[0].tasks))
		crowd_wrong(sim, "framework %u counts %llu local tasks of %u", m->index,
			(unsigned long long)p.locality.host, m->local);
	r->local += m->local;
	r->in_partition += m->in_partition;
	if (m->local < r->worst_local * c->stages[0].tasks)
		r->worst_local = (double)m->local / c->stages[0].tasks;
}

static void start(struct sim *sim)
{
	const struct crowd_config *c = sim->config;

	cost_init(&sim->cost);
	sim->agents = sim_alloc(c->agents * sizeof(*sim->agents));
	crowd_master_start(sim);
	for (uint32_t i = 0; i < c->agents; i++) {
		sim->agents[i].link = i;
		crowd_agent_on(sim, i);
	}
	for (uint32_t i = 0; i < c->frameworks; i++)
		crowd_member_start(sim, i);
}

static void end(struct sim *sim)
{
	sim->report->us = sim->time.now - START_US;
	sim->report->worst_local = 1;
	for (uint32_t i = 0; i < sim->config->frameworks; i++)
		add_member(sim, &sim->members[i]);
	sim->report->cpu_ns = cost_total(&sim->cost);
	sim->report->steps = sim->cost.times;
	crowd_note(sim);
	crowd_master_end(sim);
	sim_drop_all(sim);
	crowd_works_end(sim);
	for (uint32_t i = 0; i < sim->config->frameworks; i++)
		crowd_member_end(&sim->members[i]);
	vec_deinit(&sim->lost);
	free(sim->agents);
}

/* *ret_bytes: what the schedulers' cores need in the end, but for the plans; NULL: it is not asked for. */
static void run(const struct crowd_config *config, struct crowd_report *ret, int64_t *ret_bytes)
{
	struct sim *sim = sim_alloc(sizeof(*sim));

	*ret = (struct crowd_report){ 0 };
	sim->config = config;
	sim->report = ret;
	sim->time.random = config->seed;
	sim->time.now = START_US;
	sim->master.since = START_US;
	sim->weigh = ret_bytes != NULL;
	start(sim);
	if (!sim_go_on(sim, END_US, all_over))
		crowd_wrong(sim, "not over after %llu s", (unsigned long long)(END_US / SECOND_US));
	if (ret_bytes != NULL)
		*ret_bytes = sim->bytes;
	end(sim);
	free(sim);
}

void crowd_run(const struct crowd_config *config, struct crowd_report *ret)
{
	run(config, ret, NULL);
}

uint64_t crowd_bytes_per_agent(const struct crowd_config *config)
{
	const struct lengths one = { .tasks = 1 };
	struct crowd_config c = *config;
	struct crowd_report r;
	int64_t bytes;

	c.frameworks = c.n_stages = 1;
	c.stages = &one;
	c.replicas = 0;
	c.failures = 0;
	run(&c, &r, &bytes);
	return bytes > 0 && r.wrong[0] == '\0' ? (uint64_t)bytes / c.agents : 0;
}
