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

/* Slots of leases that fit. */
static uint32_t slots_of(const struct sched *s, const struct room *room)
{
	int64_t per_cpus = s->config.task_cpus_milli, per_mem = (int64_t)s->config.task_mem_mb * 1000;
	int64_t n = room->cpus_milli / per_cpus;

	if (room->cpus_milli < 0 || room->mem_milli < 0)
		return 0;
	if (per_mem > 0 && room->mem_milli / per_mem < n)
		n = room->mem_milli / per_mem;
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* In slots: all of them; or of as many tasks as fit, of the stage of which most do. */
static uint32_t fits(const struct sched *s, const struct room *room)
{
	uint32_t most = 0;

	if (!s->config.mode->as_needed)
		return room->slots;
	if (room->cpus_milli < 0 || room->mem_milli < 0)
		return 0;
	for (size_t i = 0; i < s->run->ready.n; i++) {
		const struct stage *stage = s->run->ready.at[i];
		uint32_t n = stage->n_pending > 0 ? sched_size_count(s, stage, room) : 0;

		most = n > most ? n : most;
	}
	return most;
}

/* The most that the agent had for tasks: what is left now, and what we hold. */
static void note_seen(const struct sched *s, struct agent *a, const struct room *room)
{
	struct room all = *room;

	for (const struct hold *h = a->executor != NULL ? a->executor->holds : NULL; h != NULL; h = h->next) {
		all.cpus_milli += h->cpus_milli;
		all.mem_milli += (int64_t)h->mem_mb * 1000;
	}
	all.slots = s->config.mode->task_per_hold ? UINT32_MAX : slots_of(s, &all);
	if (all.slots > a->seen.slots)
		a->seen.slots = all.slots;
	if (all.cpus_milli > a->seen.cpus_milli)
		a->seen.cpus_milli = all.cpus_milli;
	if (all.mem_milli > a->seen.mem_milli)
		a->seen.mem_milli = all.mem_milli;
}

/* ---- Of use, or not ---- */

int sched_offer_judge(struct sched *s, struct agent *agent, struct take *ret)
{
	const struct executor *e = agent->executor;

	*ret = (struct take){ .refuse_s = UNWANTED_S, .launches = { .agent = agent } };
	if (!sched_appetite_hungry(s)) {
		s->not_wanted++;
		return 0;
	}
	ret->refuse_s = 0;
	if (!sched_agent_usable(s, agent)) {
		if (agent->excluded_until_ms > s->now_ms)
			ret->refuse_s = (double)(agent->excluded_until_ms - s->now_ms) / 1000;
		s->left_out++;
		return 0;
	}
	if (e != NULL && (e->state != EXECUTOR_UP || !e->linked || e->leaving))
		return 0;
	int r = pool_of(agent, &ret->launches.pool);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	ret->room = room_of(s, agent, ret->launches.pool);
	note_seen(s, agent, &ret->room);
	if (!s->config.mode->task_per_hold) /* whatever a task takes there, it takes in slots */
		ret->room = (struct room){
			.slots = slots_of(s, &ret->room), .cpus_milli = INT64_MAX, .mem_milli = INT64_MAX
		};
	ret->fits = fits(s, &ret->room);
	if (ret->fits > 0)
		return 1;
	ret->refuse_s = TOO_SMALL_S;
	s->too_small++;
	sched_launches_deinit(&ret->launches);
	return 0;
}
