/* crowd_member.c: a framework: the scheduler's core, what it costs, and its shell. */
#include <stdlib.h>
#include <string.h>

#include "bench/sim/crowd_state.h"

enum { TASK_MB = 1000, MAX_FAILURES = 4, MANY_FAILURES = 1000, CALL_MAX = 1 << 20 };

/* ---- Its shell ---- */

static void stops(struct sim *sim, struct sim_event *e)
{
	crowd_member_step(sim, e->who, (struct sched_event){ .kind = SCHED_EV_STOP });
}

static void act(struct sim *sim, struct member *m, const struct sched_action *a)
{
	switch (a->kind) {
	case SCHED_DO_CALL:
		crowd_call(sim, m, a->data, a->len);
		break;
	case SCHED_DO_LINK:
		crowd_link(sim, a->text, a->data, a->len);
		break;
	case SCHED_DO_FATAL:
		crowd_wrong(sim, "framework %u: %s", m->index, a->text);
		break;
	case SCHED_DO_DONE:
		if (a->code != 0)
			crowd_wrong(sim, "framework %u: %s", m->index, a->text);
		if (m->stopping)
			break;
		m->stopping = true;
		sim->report->done_us[m->index] = sim->time.now - m->submitted;
		sim_after(sim, sim->config->times.end_us, stops)->who = m;
		break;
	default: /* results are known; what is for people is for nobody */
		break;
	}
}

static void tick(struct sim *sim, struct sim_event *e)
{
	struct member *m = &sim->members[e->index];

	if (m->armed != e->at)
		return;
	m->armed = UINT64_MAX;
	crowd_member_step(sim, m, (struct sched_event){ .kind = SCHED_EV_TICK });
}

void crowd_member_step(struct sim *sim, struct member *m, struct sched_event ev)
{
	uint64_t before = sim->weigh ? cost_bytes() : 0, after, with_plan;

	ev.now_ms = sim->time.now / 1000;
	cost_begin(&sim->cost);
	int r = sched_step(m->core, &ev, &m->plan);
	cost_end(&sim->cost);
	sim_check(r);
	after = sim->weigh ? cost_bytes() : 0;
	for (size_t i = 0; i < m->plan.n; i++)
		act(sim, m, &m->plan.at[i]);
	with_plan = sim->weigh ? cost_bytes() : 0;
	sched_plan_reset(&m->plan);
	if (sim->weigh) /* less what the plan was */
		sim->bytes += (int64_t)(after - before) - (int64_t)(with_plan - cost_bytes());
	uint64_t next = sched_next_ms(m->core);
	sim_arm(sim, next == UINT64_MAX ? next : next * 1000, &m->armed, tick, m->index, 0);
}

/* An offer, and what it is put in order by. */
struct placed {
	Mesos__V1__Offer *offer;
	double cores;
	size_t came;
};

static int fewest_cores_first(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->cores < y->cores || x->cores > y->cores)
		return x->cores < y->cores ? -1 : 1;
	return x->came < y->came ? -1 : x->came > y->came;
}

static int most_cores_first(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->cores < y->cores || x->cores > y->cores)
		return x->cores > y->cores ? -1 : 1;
	return x->came < y->came ? -1 : x->came > y->came;
}

static void place(const struct sim *sim, Mesos__V1__Scheduler__Event__Offers *offers)
{
	struct placed *all = calloc(offers->n_offers + 1, sizeof(*all));

	sim_check(all == NULL);
	for (size_t i = 0; i < offers->n_offers; i++) {
		all[i] = (struct placed){ .offer = offers->offers[i], .came = i };
		for (size_t k = 0; k < all[i].offer->n_resources; k++)
			if (strcmp(all[i].offer->resources[k]->name, "cpus") == 0)
				all[i].cores += all[i].offer->resources[k]->scalar->value;
	}
	qsort(all, offers->n_offers, sizeof(*all),
		sim->config->placement == CROWD_PACK ? fewest_cores_first : most_cores_first);
	for (size_t i = 0; i < offers->n_offers; i++)
		offers->offers[i] = all[i].offer;
	free(all);
}

static void event_arrives(struct sim *sim, struct sim_event *e)
{
	Mesos__V1__Scheduler__Event *ev = mesos__v1__scheduler__event__unpack(NULL, e->len, e->data);
	struct member *m = e->who;

	sim_check(ev == NULL);
	if (ev->subscribed != NULL && m->id == NULL)
		m->id = sim_dup(ev->subscribed->framework_id->value);
	if (ev->offers != NULL && sim->config->placement != CROWD_AS_OFFERED)
		place(sim, ev->offers);
	crowd_member_step(sim, m, (struct sched_event){ .kind = SCHED_EV_MESOS, .u.mesos = ev });
	mesos__v1__scheduler__event__free_unpacked(ev, NULL);
}

void crowd_member_event(struct sim *sim, struct member *m, const void *data, size_t len)
{
	sim_send(sim, sim->config->times.call_us, &m->last_event, event_arrives, data, len)->who = m;
}

/* ---- Life ---- */

static void submits(struct sim *sim, struct sim_event *e)
{
	crowd_job_submit(sim, e->who);
}

static void subscribes(struct sim *sim, struct sim_event *e)
{
	struct member *m = e->who;
	struct buf call = BUF_INIT(CALL_MAX);

	sim_check(sched_subscribe_call(m->core, &call));
	crowd_call(sim, m, call.data, call.len);
	buf_deinit(&call);
	sim_after(sim, sim->config->times.submit_us, submits)->who = m;
}

void crowd_member_start(struct sim *sim, uint32_t index)
{
	const struct crowd_config *c = sim->config;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;
	struct member *m = &sim->members[index];
	const struct sched_config config = { .name = "crowd",
		.user = "me",
		.failover_timeout_s = 600,
		.mode = c->mode,
		.mode_config = { .max_slots = c->max_slots,
			.min_ratio_percent = 80,
			.max_registered_wait_ms = 30000,
			.lease_idle_ms = c->lease_idle_ms,
			.lease_max_ms = c->lease_max_ms },
		.task_cpus_milli = 1000,
		.task_mem_mb = TASK_MB,
		.executor_cpus_milli = c->executor_cpus_milli,
		.executor_mem_mb = c->executor_mem_mb,
		/* a job of a million tasks is to end however rare luck is */
		.task_max_failures = c->failures > 0 ? MANY_FAILURES : MAX_FAILURES,
		.revive_interval_ms = c->revive_interval_ms,
		.revive_burst = c->revive_burst,
		.locality_wait_ms = c->locality_wait_ms,
		.checkpoint = true,
		.executor = &executor,
		.seed = sim_random(sim) };
	struct err err = { "" };

	command.value = (char *)(uintptr_t) "./quern-executor";
	executor.has_type = 1;
	executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	executor.command = &command;
	*m = (struct member){ .index = index, .armed = UINT64_MAX };
	sim_check(sched_new(&config, &m->core, &err));
	sim_after(sim, c->times.begin_us + sim_below(sim, c->within_us + 1), subscribes)->who = m;
}

void crowd_member_end(struct member *m)
{
	(void)sched_free(m->core);
	sched_plan_deinit(&m->plan);
	free(m->id);
	free(m->stream_id);
	free(m->near);
}
