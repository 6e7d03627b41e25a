/* sched_room.c: what the offers of one agent in one role hold, of which part of it a launch may be made, and
 * what room that is.
 *
 * Mesos launches from offers of one role only, and refuses a launch in which a task and its executor have
 * both revocable and other pieces of one kind, "cpus" say (src/master/validation.cpp:
 * validateAllocationRole(), validateRevocableAndNonRevocableResources()). So with --revocable an executor is
 * of one sort from its start to its end: on revocable pieces, or on others; and so is all that runs in it.
 * The sort of a new one is that which has room for more tasks now; at a tie it is not revocable, for what is
 * may be taken away at any time.
 *
 * Only cores, memory and ports are looked at. Disks, volumes, GPUs, and kinds that are newer than we are,
 * stay in the offer and go back with what is left of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_offer.h"

const char *sched_offer_role(const struct sched *s, const Mesos__V1__Offer *o)
{
	if (o->allocation_info == NULL || o->allocation_info->role == NULL) /* the only one that we have */
		return s->roles[0];
	for (size_t i = 0; s->roles[i] != NULL; i++)
		if (strcmp(s->roles[i], o->allocation_info->role) == 0)
			return s->roles[i];
	return NULL;
}

/* ---- What is there ---- */

static bool is_of_use(const Mesos__V1__Resource *r)
{
	return strcmp(r->name, "cpus") == 0 || strcmp(r->name, "mem") == 0 || strcmp(r->name, "ports") == 0;
}

/* Adds what is of use in the offer. -EINVAL: it makes no sense. */
static int add_offer(struct resources *pool, const Mesos__V1__Offer *o, const char *role)
{
	Mesos__V1__Resource **list = calloc(o->n_resources + 1, sizeof(*list));
	struct resources *one = NULL;
	size_t n = 0;

	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_resources; i++)
		if (is_of_use(o->resources[i]))
			list[n++] = o->resources[i];
	int r = resources_from_pb(list, n, &one, NULL);
	if (r == 0)
		r = resources_allocate(one, role);
	if (r == 0)
		r = resources_add(pool, one);
	(void)resources_free(one);
	free(list);
	return r;
}

/* What the agent's offers in the role hold together. */
static int pool_of(const struct sched *s, const struct launches *l, struct resources **ret)
{
	struct resources *pool = NULL;
	int r = resources_new(&pool);

	for (size_t i = 0; r == 0 && i < l->agent->offers.n; i++) {
		const Mesos__V1__Offer *o = l->agent->offers.at[i];

		if (sched_offer_role(s, o) == l->role)
			r = add_offer(pool, o, l->role);
	}
	if (r < 0)
		pool = resources_free(pool);
	*ret = pool;
	return r;
}

/* ---- Room ---- */

/* What is left of it for tasks. */
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

/* As tasks see it: whatever one takes of a lease, it takes in slots. */
static struct room for_tasks(const struct sched *s, const struct room *room)
{
	if (s->config.mode->task_per_hold)
		return *room;
	return (struct room){ .slots = slots_of(s, room), .cpus_milli = INT64_MAX, .mem_milli = INT64_MAX };
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

/* The most that the agent had for tasks in one role: what is left now, and what we hold. */
static void note_seen(const struct sched *s, const struct launches *l, const struct room *room)
{
	struct agent *a = l->agent;
	struct room all = *room;

	for (const struct hold *h = a->executor != NULL ? a->executor->holds : NULL; h != NULL; h = h->next) {
		if (h->role != l->role)
			continue;
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

/* ---- Which sort ---- */

/* The room is all that there is, until it is as tasks see it. */
static void measure(const struct sched *s, struct take *t)
{
	const struct agent *a = t->launches.agent;

	t->room = room_of(s, a, t->launches.pool);
	const struct room room = for_tasks(s, &t->room);
	t->fits = fits(s, &room);
	t->portless = t->fits > 0 && s->config.ports_from_offer && a->executor == NULL &&
		      !resources_has_port(t->launches.pool);
	if (t->portless)
		t->fits = 0;
}

static void keep(struct resources *pool, bool revocable_cpus, bool revocable_mem)
{
	resources_keep(pool, "cpus", revocable_cpus);
	resources_keep(pool, "mem", revocable_mem);
	resources_keep(pool, "ports", false);
}

/* Of a new executor: `t` is that of the sort without revocable pieces; `all` has all. */
static int choose_sort(const struct sched *s, struct take *t, const struct resources *all)
{
	bool cpus = resources_revocable(all, "cpus"), mem = resources_revocable(all, "mem");
	struct take other = { .launches = { .agent = t->launches.agent } };

	if (!s->config.revocable || (!cpus && !mem))
		return 0;
	int r = resources_dup(all, &other.launches.pool);
	if (r < 0)
		return r;
	keep(other.launches.pool, cpus, mem);
	measure(s, &other);
	if (other.fits > t->fits) {
		struct resources *worse = t->launches.pool;

		t->launches.pool = other.launches.pool;
		other.launches.pool = worse;
		t->room = other.room;
		t->fits = other.fits;
		t->portless = other.portless;
	}
	(void)resources_free(other.launches.pool);
	return 0;
}

int sched_room_look(struct sched *s, struct take *t)
{
	const struct executor *e = t->launches.agent->executor;
	struct resources *all = NULL;

	int r = pool_of(s, &t->launches, &all);
	if (r == 0)
		r = resources_dup(all, &t->launches.pool);
	if (r == 0) {
		keep(t->launches.pool, e != NULL && e->revocable_cpus, e != NULL && e->revocable_mem);
		measure(s, t);
		if (e == NULL)
			r = choose_sort(s, t, all);
	}
	if (r == 0) {
		note_seen(s, &t->launches, &t->room);
		t->whole = t->room;
		t->room = for_tasks(s, &t->room);
	}
	(void)resources_free(all);
	return r;
}
