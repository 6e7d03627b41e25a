/* master_allocator.c: who is offered what: by role, then by framework, each time to the one with the least
 * dominant share (src/master/allocator/mesos/hierarchical.cpp of Apache Mesos, __allocate()). Without quota
 * and weights. */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

/* --min_allocatable_resources: either is enough. In thousandths. */
enum { MIN_CPUS_MILLI = 10, MIN_MEM_MILLI = 32000 };

struct role *master_role(struct master *m, const char *name)
{
	struct role *role;

	HASH_FIND_STR(m->roles, name, role);
	if (role != NULL)
		return role;
	role = calloc(1, sizeof(*role));
	if (role == NULL || (role->name = strdup(name)) == NULL) {
		free(role);
		m->oom = true;
		return NULL;
	}
	role->share = (struct share){ .name = role->name, .owner = role, .active = true };
	if (master_sorter_add(&m->role_sorter, &role->share) < 0)
		m->oom = true;
	HASH_ADD_KEYPTR(hh, m->roles, role->name, strlen(role->name), role);
	return role;
}

void master_role_leave(struct master *m, struct role *role)
{
	if (--role->n_members > 0)
		return;
	master_sorter_remove(&m->role_sorter, &role->share);
	master_sorter_deinit(&role->members);
	HASH_DEL(m->roles, role);
	free(role->name);
	free(role);
}

/* ---- Sums ---- */

/* The place of a kind of scalar in a struct quantities. Beyond SCALARS_MAX kinds the rest counts for nothing.
 */
static size_t scalar_place(struct master *m, const char *name)
{
	size_t i = 0;

	while (i < SCALARS_MAX && m->scalars[i] != NULL && strcmp(m->scalars[i], name) != 0)
		i++;
	if (i < SCALARS_MAX && m->scalars[i] == NULL)
		m->scalars[i] = master_strdup(m, name);
	return i;
}

void master_quantities(struct master *m, const struct resources *r, struct quantities *ret)
{
	Mesos__V1__Resource **pieces;
	size_t n;

	*ret = (struct quantities){ 0 };
	if (resources_to_pb(r, &pieces, &n) < 0) {
		m->oom = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (pieces[i]->scalar != NULL)
			(void)scalar_place(m, pieces[i]->name);
	resources_pb_free(pieces, n);
	for (size_t i = 0; i < SCALARS_MAX && m->scalars[i] != NULL; i++)
		ret->milli[i] = resources_milli(r, m->scalars[i]);
}

void master_count_free(struct agent *a)
{
	a->free_cpus = resources_milli(a->free, "cpus");
	a->free_mem = resources_milli(a->free, "mem");
}

void master_take(struct master *m, struct agent *a, struct membership *member, const struct resources *r)
{
	struct quantities q;

	master_quantities(m, r, &q);
	master_subtract(m, a->free, r);
	master_count_free(a);
	master_sorter_allocated(&member->role->members, &member->share, &q, &m->total);
	master_sorter_allocated(&m->role_sorter, &member->role->share, &q, &m->total);
}

void master_give_back(struct master *m, struct agent *a, struct membership *member, const struct resources *r)
{
	struct quantities q;

	master_quantities(m, r, &q);
	master_add(m, a->free, r);
	master_count_free(a);
	master_sorter_unallocated(&member->role->members, &member->share, &q);
	master_sorter_unallocated(&m->role_sorter, &member->role->share, &q);
}

/* ---- Filters ---- */

void master_filter(struct master *m, struct agent *a, struct membership *member, const struct resources *r,
	double seconds)
{
	/* What is not a number, or less than nothing, is the default (Filters of mesos.proto). */
	double ms = seconds >= 0 ? seconds * 1000 : 5000;

	if (ms <= 0 || resources_empty(r))
		return;
	/* A year is for ever; and a filter outlives the next allocation (MESOS-4302). */
	uint64_t wait = ms > 31536e6 ? (uint64_t)31536e6 : (uint64_t)ms;
	if (wait < m->config.allocation_interval_ms)
		wait = m->config.allocation_interval_ms;
	struct filter *f = calloc(1, sizeof(*f));
	if (f == NULL || resources_dup(r, &f->resources) < 0) {
		free(f);
		m->oom = true;
		return;
	}
	f->member = member;
	f->agent = a;
	f->timer.kind = TIMER_FILTER;
	f->next = a->filters;
	f->back = &a->filters;
	if (f->next != NULL)
		f->next->back = &f->next;
	a->filters = f;
	master_set_timer(m, &f->timer, m->now + wait);
}

void master_free_filter(struct master *m, struct filter *f)
{
	master_timer_clear(&m->timers, &f->timer);
	*f->back = f->next;
	if (f->next != NULL)
		f->next->back = f->back;
	(void)resources_free(f->resources);
	free(f);
}

void master_clear_filters(struct master *m, const struct membership *member)
{
	for (struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		for (struct filter *f = a->filters, *next; f != NULL; f = next) {
			next = f->next;
			if (f->member == member)
				master_free_filter(m, f);
		}
	}
}

static bool filtered(const struct agent *a, const struct membership *member, const struct resources *r)
{
	for (const struct filter *f = a->filters; f != NULL; f = f->next)
		if (f->member == member && resources_contains(f->resources, r))
			return true;
	return false;
}

/* ---- Allocation ---- */

/* Offers what is free of `a`, or what of it `member` may have. false: nothing was offered. */
static bool offer_to(struct master *m, struct agent *a, struct membership *member)
{
	const struct framework *f = member->framework;
	const struct resource_taste taste = { .role = member->role->name,
		.revocable = f->revocable,
		.shared = f->shared,
		.refined = f->refined };
	struct resources *r = NULL;

	if (member->suppressed || !f->connected)
		return false;
	if (master_resources_pick(a->free, &taste, &r) < 0) {
		m->oom = true;
		return false;
	}
	if ((resources_milli(r, "cpus") < MIN_CPUS_MILLI && resources_milli(r, "mem") < MIN_MEM_MILLI) ||
		filtered(a, member, r)) {
		(void)resources_free(r);
		return false;
	}
	master_take(m, a, member, r);
	master_make_offer(m, a, member, r);
	return true;
}

/* Goes through the roles, and through the frameworks of each, anew after every offer: it has changed the
 * order. */
static bool offer_once(struct master *m, struct agent *a)
{
	size_t roles = master_sorter_sort(&m->role_sorter, &m->total);

	for (size_t i = 0; i < roles; i++) {
		struct role *role = m->role_sorter.clients.at[i]->owner;
		size_t members = master_sorter_sort(&role->members, &m->total);

		for (size_t k = 0; k < members; k++)
			if (offer_to(m, a, role->members.clients.at[k]->owner))
				return true;
	}
	return false;
}

static void allocate_agent(struct master *m, struct agent *a)
{
	if (!a->linked || a->unreachable)
		return;
	while (!m->oom && (a->free_cpus >= MIN_CPUS_MILLI || a->free_mem >= MIN_MEM_MILLI) &&
		offer_once(m, a))
		;
}

void master_allocate(struct master *m, struct agent *only)
{
	if (m->frameworks == NULL)
		return;
	m->allocation_runs++;
	if (only != NULL)
		allocate_agent(m, only);
	for (struct agent *a = only == NULL ? m->agents : NULL; a != NULL; a = a->hh.next)
		allocate_agent(m, a);
	master_send_offers(m);
}
