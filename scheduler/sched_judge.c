/* sched_judge.c: what the offers of one agent are worth: whether they may be used at all, what there is in
 * them, and for how long they are refused if not. */
#include <errno.h>

#include "scheduler/sched_offer.h"

/* What the offers of an agent hold together. -EINVAL: it makes no sense. */
static int pool_of(const struct agent *a, struct resources **ret)
{
	struct resources *pool = NULL, *one = NULL;
	int r = resources_new(&pool);

	for (size_t i = 0; r == 0 && i < a->offers.n; i++) {
		const Mesos__V1__Offer *o = a->offers.at[i];

		r = resources_from_pb(o->resources, o->n_resources, &one, NULL);
		if (r == 0 && o->allocation_info != NULL && o->allocation_info->role != NULL)
			r = resources_allocate(one, o->allocation_info->role);
		if (r == 0)
			r = resources_add(pool, one);
		one = resources_free(one);
	}
	if (r < 0)
		pool = resources_free(pool);
	*ret = pool;
	return r;
}

/* What is left of them for tasks. */
static struct room room_of(const struct sched *s, const struct agent *a, const struct resources *pool)
{
	struct room room = { .slots = UINT32_MAX,
		.cpus_milli = resources_milli(pool, "cpus"),
		.mem_milli = resources_milli(pool, "mem") };

	if (a->executor == NULL) {
		room.cpus_milli -= s->config.executor_cpus_milli;
		room.mem_milli -= (int64_t)s->config.executor_mem_mb * 1000;
	}
	return room;
}

/* Slots of a lease; or of as many tasks as fit, of the stage of which most do. */
static uint32_t fits(const struct sched *s, const struct room *room)
{
	int64_t per_cpus = s->config.task_cpus_milli, per_mem = (int64_t)s->config.task_mem_mb * 1000;
	uint32_t most = 0;

	if (room->cpus_milli < 0 || room->mem_milli < 0)
		return 0;
	for (size_t i = 0; s->config.mode->task_per_hold && i < s->run->ready.n; i++) {
		const struct stage *stage = s->run->ready.at[i];
		uint32_t n = stage->n_pending > 0 ? sched_size_count(s, stage, room) : 0;

		most = n > most ? n : most;
	}
	if (s->config.mode->task_per_hold)
		return most;
	int64_t n = room->cpus_milli / per_cpus;
	if (per_mem > 0 && room->mem_milli / per_mem < n)
		n = room->mem_milli / per_mem;
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* The most that the agent had for tasks: what is left now, and what we hold. */
static void note_seen(struct agent *a, const struct room *room)
{
	struct room all = *room;

	for (const struct hold *h = a->executor != NULL ? a->executor->holds : NULL; h != NULL; h = h->next) {
		all.cpus_milli += h->cpus_milli;
		all.mem_milli += (int64_t)h->mem_mb * 1000;
	}
	a->seen.slots = UINT32_MAX;
	if (all.cpus_milli > a->seen.cpus_milli)
		a->seen.cpus_milli = all.cpus_milli;
	if (all.mem_milli > a->seen.mem_milli)
		a->seen.mem_milli = all.mem_milli;
}

/* ---- Of use, or not ---- */

/* A constraint that the agent does not meet, or NULL. What an agent is does not change while it is there. */
static const struct constraint *unmet_by(const struct sched *s, const struct agent *a)
{
	const Mesos__V1__Offer *o = a->offers.at[0];
	const struct constrained c = { o->hostname, o->attributes, o->n_attributes, o->domain };

	return constraints_unmet(&s->constraints, &c);
}

/* Some stage's tasks may begin there, if it is to be left some time. */
static bool in_time(const struct sched *s, const struct agent *a)
{
	if (a->leaves_ms == UINT64_MAX)
		return true;
	for (size_t i = 0; s->config.mode->task_per_hold && i < s->run->ready.n; i++)
		if (s->run->ready.at[i]->n_pending > 0 && sched_drain_allows(s, a, s->run->ready.at[i]))
			return true;
	return false; /* a lease has no end that is known */
}

/* What is wrong with the agent itself, whatever it offers, and for how long that is so. REASON_NONE: nothing.
 */
static enum reason fault_of(struct sched *s, const struct agent *agent, double *ret_s)
{
	const struct executor *e = agent->executor;

	*ret_s = UNWANTED_S;
	if (unmet_by(s, agent) != NULL)
		return REASON_CONSTRAINT;
	*ret_s = TOO_SMALL_S;
	if (agent->draining || !in_time(s, agent))
		return REASON_DRAINING;
	*ret_s = 0;
	if (!sched_agent_usable(s, agent)) {
		if (agent->excluded_until_ms > s->now_ms)
			*ret_s = (double)(agent->excluded_until_ms - s->now_ms) / 1000;
		return REASON_FAILURES;
	}
	if (e != NULL && (e->state != EXECUTOR_UP || !e->linked || e->leaving))
		return REASON_STARTING;
	return REASON_NONE;
}

/* What a task needs that is not in the room. */
static enum reason missing(const struct sched *s, const struct room *room)
{
	return room->cpus_milli < (int64_t)s->least_cpus_milli ? REASON_CORES : REASON_MEMORY;
}

int sched_offer_judge(struct sched *s, struct agent *agent, struct take *ret)
{
	struct verdict v = { .reason = REASON_ENOUGH };

	*ret = (struct take){ .refuse_s = UNWANTED_S, .launches = { .agent = agent } };
	if (!sched_appetite_hungry(s)) {
		sched_reason_judge(s, agent, v);
		return 0;
	}
	v.reason = fault_of(s, agent, &ret->refuse_s);
	if (v.reason == REASON_CONSTRAINT)
		v.constraint = (size_t)(unmet_by(s, agent) - s->constraints.at);
	if (v.reason != REASON_NONE) {
		sched_reason_judge(s, agent, v);
		return 0;
	}
	int r = pool_of(agent, &ret->launches.pool);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	ret->room = room_of(s, agent, ret->launches.pool);
	note_seen(agent, &ret->room);
	ret->fits = fits(s, &ret->room);
	if (ret->fits > 0)
		return 1;
	ret->refuse_s = TOO_SMALL_S;
	v.reason = missing(s, &ret->room);
	v.cpus_milli = ret->room.cpus_milli;
	v.mem_milli = ret->room.mem_milli;
	sched_reason_judge(s, agent, v);
	sched_launches_deinit(&ret->launches);
	return 0;
}
