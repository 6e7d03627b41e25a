/* sched_offer.c: offers, answered in the step that they came with.
 *
 * The offers of one agent are used together, in one ACCEPT; every other offer of the event is declined. How
 * long for: what nobody wants, for an hour, which REVIVE takes back; what is too small, for some seconds;
 * what cannot be used this instant, not at all. The rest of an offer that was used is refused for no time
 * while there is more to run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_state.h"

int sched_offer_pool(struct sched *s, const Mesos__V1__Scheduler__Event__Offers *offers)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < offers->n_offers; i++) {
		const Mesos__V1__Offer *o = offers->offers[i];
		struct agent *a = sched_agent_get(s, o->agent_id->value, o->hostname);

		if (a == NULL)
			return -ENOMEM;
		if (a->lost)
			r = sched_executors_dismiss(s, a);
		a->lost = false;
		a->offered_ms = s->now_ms;
		if (o->unavailability == NULL)
			a->draining = false;
		if (r == 0 && a->offers.n == 0)
			r = vec_push(&s->offering, a);
		if (r == 0)
			r = vec_push(&a->offers, o);
		s->offers++;
	}
	return r;
}

/* ---- Room ---- */

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

static uint32_t held_here(const struct agent *a)
{
	uint32_t n = 0;

	for (const struct hold *h = a->executor != NULL ? a->executor->holds : NULL; h != NULL; h = h->next)
		n += h->slots;
	return n;
}

/* ---- Launching ---- */

/* One task of an ACCEPT, with what it points at. */
struct launch {
	Mesos__V1__TaskInfo info;
	Mesos__V1__TaskID task_id;
	Mesos__V1__AgentID agent_id;
};

static void free_launch(struct launch *l)
{
	resources_pb_free(l->info.resources, l->info.n_resources);
	free(l->info.data.data);
}

static int take_resources(struct resources *pool, const struct hold *h, Mesos__V1__TaskInfo *info)
{
	struct resources *part = NULL;
	int r = resources_new(&part);

	if (r == 0)
		r = resources_take(pool, "cpus", h->cpus_milli, part);
	if (r == 0)
		r = resources_take(pool, "mem", (int64_t)h->mem_mb * 1000, part);
	if (r == 0)
		r = resources_to_pb(part, &info->resources, &info->n_resources);
	(void)resources_free(part);
	return r;
}

static int fill_launch(
	struct launch *l, const struct hold *h, const Quern__TaskData *data, struct resources *pool)
{
	struct executor *e = h->executor;

	mesos__v1__task_info__init(&l->info);
	mesos__v1__task_id__init(&l->task_id);
	mesos__v1__agent_id__init(&l->agent_id);
	l->task_id.value = h->id;
	l->agent_id.value = e->agent->id;
	l->info.name = h->id;
	l->info.task_id = &l->task_id;
	l->info.agent_id = &l->agent_id;
	l->info.executor = e->info;
	l->info.has_data = 1;
	l->info.data.len = quern__task_data__get_packed_size(data);
	l->info.data.data = malloc(l->info.data.len);
	if (l->info.data.data == NULL)
		return -ENOMEM;
	(void)quern__task_data__pack(data, l->info.data.data);
	return take_resources(pool, h, &l->info);
}

static int launch_lease(
	struct sched *s, struct executor *e, uint32_t slots, struct resources *pool, struct launch *l)
{
	Quern__TaskData data = QUERN__TASK_DATA__INIT;
	Quern__Lease lease = QUERN__LEASE__INIT;
	struct hold *h;
	char id[ID_MAX];

	(void)snprintf(id, sizeof(id), "lease-%u", s->next_lease++);
	int r = sched_hold_new(s, id, e, slots, true, &h);
	if (r < 0)
		return r;
	h->cpus_milli = s->config.task_cpus_milli * slots;
	h->mem_mb = s->config.task_mem_mb * slots;
	lease.slots = slots;
	data.lease = &lease;
	return fill_launch(l, h, &data, pool);
}

static int launch_task(
	struct sched *s, struct executor *e, struct task *t, struct resources *pool, struct launch *l)
{
	Quern__TaskData data = QUERN__TASK_DATA__INIT;
	Quern__Task task;
	struct hold *h;
	struct attempt *a;
	char id[ID_MAX];

	(void)snprintf(id, sizeof(id), "%u.%u.%u", t->stage->id, t->partition, t->next_attempt);
	int r = sched_hold_new(s, id, e, sched_size_slots(s, t->stage), false, &h);
	if (r < 0)
		return r;
	h->cpus_milli = sched_size_cpus_milli(s, t->stage);
	h->mem_mb = sched_size_mem_mb(s, t->stage);
	if (r == 0)
		r = sched_attempt_new(s, t, e, h, &a);
	if (r == 0)
		r = sched_link_prepare(s, e, t);
	if (r < 0)
		return r;
	sched_task_fill(s, a, &task);
	data.task = &task;
	return fill_launch(l, h, &data, pool);
}

/* Tasks for up to `n` slots of the agent, or a lease of them. */
static int fill_launches(struct sched *s, struct agent *agent, uint32_t n, struct resources *pool,
	struct launch *launches, size_t *ret_n)
{
	struct room room = room_of(s, agent, pool);
	struct task *t = NULL;
	int r = 0;

	room.slots = n;
	if (s->config.mode->task_per_hold && (t = sched_task_pick(s, agent, &room)) == NULL)
		return 0;
	if (agent->executor == NULL)
		r = sched_executor_new(s, agent, pool, &agent->executor);
	if (r == 0 && t == NULL) {
		*ret_n = 1;
		return launch_lease(s, agent->executor, n, pool, &launches[0]);
	}
	while (r == 0 && t != NULL) {
		sched_size_take(s, t->stage, &room);
		r = launch_task(s, agent->executor, t, pool, &launches[(*ret_n)++]);
		t = r == 0 ? sched_task_pick(s, agent, &room) : NULL;
	}
	return r;
}

/* *ret_launched: how many Mesos tasks; 0: the offers are still to be declined. */
static int launch(
	struct sched *s, struct agent *agent, uint32_t n, struct resources *pool, size_t *ret_launched)
{
	struct launch *launches = calloc(n, sizeof(*launches));
	Mesos__V1__TaskInfo **list = calloc(n, sizeof(*list));
	int r = launches == NULL || list == NULL ? -ENOMEM : 0;

	*ret_launched = 0;
	if (r == 0)
		r = fill_launches(s, agent, n, pool, launches, ret_launched);
	for (size_t i = 0; r == 0 && i < *ret_launched; i++)
		list[i] = &launches[i].info;
	if (r == 0 && *ret_launched > 0)
		r = sched_call_accept(
			s, agent, list, *ret_launched, sched_appetite_hungry(s) ? 0 : UNWANTED_S);
	for (size_t i = 0; launches != NULL && i < *ret_launched; i++)
		free_launch(&launches[i]);
	free(launches);
	free(list);
	return r;
}

/* ---- Answering ---- */

/* Uses the agent's offers: 1; or says for how long to decline them: 0. */
static int use(struct sched *s, struct agent *agent, double *ret_refuse_s)
{
	const struct executor *e = agent->executor;
	struct resources *pool;
	size_t launched = 0;

	*ret_refuse_s = UNWANTED_S;
	if (!sched_appetite_hungry(s)) {
		s->not_wanted++;
		return 0;
	}
	*ret_refuse_s = 0;
	if (!sched_agent_usable(s, agent)) {
		if (agent->excluded_until_ms > s->now_ms)
			*ret_refuse_s = (double)(agent->excluded_until_ms - s->now_ms) / 1000;
		s->left_out++;
		return 0;
	}
	if (e != NULL && (e->state != EXECUTOR_UP || !e->linked || e->leaving))
		return 0;
	int r = pool_of(agent, &pool);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	const struct room room = room_of(s, agent, pool);
	note_seen(agent, &room);
	const struct mode_view v = sched_view_of(s);
	const struct mode_offer o = {
		.fits = fits(s, &room), .executor_running = e != NULL, .held_here = held_here(agent)
	};
	uint32_t n = o.fits > 0 ? s->config.mode->consider(s->mode, &v, &o) : 0;
	if (o.fits == 0) {
		*ret_refuse_s = TOO_SMALL_S;
		s->too_small++;
	} else if (n == 0) {
		*ret_refuse_s = TOO_SMALL_S; /* the mode has enough for now */
		s->not_wanted++;
	} else {
		r = launch(s, agent, n, pool, &launched);
	}
	(void)resources_free(pool);
	return r < 0 ? r : launched > 0;
}

struct declined {
	double refuse_s;
	VEC(Mesos__V1__OfferID *) ids;
};

/* Collects the agent's offers, and sends what was collected when these are to be declined for another time.
 */
static int decline(struct sched *s, const struct agent *a, double refuse_s, struct declined *d)
{
	int r = 0;

	if (d->ids.n > 0 && (d->refuse_s < refuse_s || d->refuse_s > refuse_s)) {
		r = sched_call_decline(s, d->ids.at, d->ids.n, d->refuse_s);
		d->ids.n = 0;
	}
	d->refuse_s = refuse_s;
	for (size_t i = 0; r == 0 && i < a->offers.n; i++)
		r = vec_push(&d->ids, a->offers.at[i]->id);
	s->declined += a->offers.n;
	return r;
}

int sched_offers_answer(struct sched *s)
{
	struct declined d = { 0 };
	double refuse_s;
	int r = 0;

	for (size_t i = 0; i < s->offering.n; i++) {
		struct agent *a = s->offering.at[i];

		if (r >= 0)
			r = use(s, a, &refuse_s);
		if (r == 0)
			r = decline(s, a, refuse_s, &d);
		a->offers.n = 0;
	}
	s->offering.n = 0;
	if (r >= 0)
		r = d.ids.n > 0 ? sched_call_decline(s, d.ids.at, d.ids.n, d.refuse_s) : 0;
	vec_deinit(&d.ids);
	return r < 0 ? r : 0;
}
