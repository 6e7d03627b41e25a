/* master_allocator.c: who is offered what. HierarchicalAllocatorProcess in
 * src/master/allocator/mesos/hierarchical.cpp of Apache Mesos, without quota and weights.
 *
 * An allocation visits agents in random order. On each, the roles have their turn by fairness, and in each
 * role its frameworks; the first who may have what is there, and did not refuse it, gets all of it. What
 * triggers an allocation is the callers' to know: the periodic timer, REVIVE, a subscription, an agent that
 * comes. */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

void master_set_active(struct member *member, bool active)
{
	master_sorter_activate(&member->role->members, &member->share, active);
}

/* ---- Quantities ---- */

static void quantities_of(const struct master *m, const struct resources *r, struct quantities *ret)
{
	*ret = (struct quantities){ 0 };
	for (size_t i = 0; i < SCALARS_MAX && m->scalars[i] != NULL; i++)
		ret->milli[i] = resources_milli(r, m->scalars[i]);
}

static void learn_scalar(struct master *m, const char *name)
{
	for (size_t i = 0; i < SCALARS_MAX; i++) {
		if (m->scalars[i] == NULL) {
			m->scalars[i] = master_strdup(m, name);
			return;
		}
		if (strcmp(m->scalars[i], name) == 0)
			return;
	}
}

static void count_free(struct agent *a)
{
	a->free_cpus = resources_milli(a->free, "cpus");
	a->free_mem = resources_milli(a->free, "mem");
}

void master_add_total(struct master *m, struct agent *a)
{
	for (size_t i = 0; i < a->info->n_resources; i++)
		if (a->info->resources[i]->type == MESOS__V1__VALUE__TYPE__SCALAR)
			learn_scalar(m, a->info->resources[i]->name);
	quantities_of(m, a->total, &a->quantities);
	master_quantities_add(&m->total, &a->quantities);
	count_free(a);
	master_role_total_changed(m);
}

void master_remove_total(struct master *m, const struct agent *a)
{
	master_quantities_subtract(&m->total, &a->quantities);
	master_role_total_changed(m);
}

/* ---- Holding ---- */

void master_take(struct master *m, struct agent *a, struct member *member, const struct resources *r)
{
	struct quantities q;

	/* What an agent that comes back has may be more than it says it has: then it has nothing left. */
	if (resources_subtract(a->free, r) == -ENOMEM)
		m->oom = true;
	count_free(a);
	quantities_of(m, r, &q);
	master_role_allocated(m, member->role, &q);
	master_sorter_allocated(&member->role->members, &member->share, &q, &m->total);
}

void master_give_back(struct master *m, struct agent *a, struct member *member, const struct resources *r)
{
	struct quantities q;

	if (resources_add(a->free, r) < 0)
		m->oom = true;
	count_free(a);
	quantities_of(m, r, &q);
	master_role_unallocated(m, member->role, &q);
	master_sorter_unallocated(&member->role->members, &member->share, &q);
}

/* ---- Offering ---- */

static bool enough(int64_t cpus, int64_t mem)
{
	return cpus >= MIN_ALLOCATABLE_CPUS || mem >= MIN_ALLOCATABLE_MEM;
}

/* What `member` may be offered of the agent: all that is free of a plain agent. */
static int pick(const struct agent *a, const struct member *member, struct resources **ret)
{
	const struct framework *f = member->framework;
	const struct resource_taste taste = {
		.role = member->role->name,
		.revocable = f->revocable,
		.shared = f->shared,
		.refined = f->refined,
	};

	return a->plain ? resources_dup(a->free, ret) : master_resources_pick(a->free, &taste, ret);
}

static void consider(struct master *m, struct agent *a, struct member *member)
{
	const struct framework *f = member->framework;
	struct resources *r = NULL;

	if (!master_wishes_allow(master_wishes_of(f->constraints, member->role->name), a->info))
		return;
	if (a->plain && master_filtered(a, member, a->free))
		return;
	if (pick(a, member, &r) < 0) {
		m->oom = true;
		return;
	}
	if (!master_wishes_enough(
		    f->info, member->role->name, r, MIN_ALLOCATABLE_CPUS, MIN_ALLOCATABLE_MEM) ||
		(!a->plain && master_filtered(a, member, r))) {
		resources_free(r);
		return;
	}
	master_take(m, a, member, r);
	master_make_offer(m, a, member, r);
}

/* Remembers the order as it is now: allocating changes it. */
static size_t in_turn(struct master *m, struct sorter *s, struct share ***at, size_t *cap)
{
	size_t n = master_sorter_sort(s, &m->total);

	if (n > *cap) {
		struct share **more = realloc(*at, n * sizeof(*more));
		if (more == NULL) {
			m->oom = true;
			return 0;
		}
		*at = more;
		*cap = n;
	}
	if (n > 0)
		memcpy(*at, s->clients.at, n * sizeof(**at));
	return n;
}

static void visit(struct master *m, struct agent *a)
{
	size_t n_roles = master_roles_in_turn(m);

	for (size_t i = 0; i < n_roles && enough(a->free_cpus, a->free_mem); i++) {
		struct role *role = m->roles_in_turn.at[i]->owner;
		size_t n = in_turn(m, &role->members, &m->members_in_turn.at, &m->members_in_turn.cap);

		for (size_t j = 0; j < n && enough(a->free_cpus, a->free_mem); j++)
			consider(m, a, m->members_in_turn.at[j]->owner);
	}
}

static bool anyone_wants(const struct master *m)
{
	struct role *role, *next;

	HASH_ITER (hh, m->roles, role, next)
		if (master_sorter_sort(&role->members, &m->total) > 0)
			return true;
	return false;
}

static void add_candidate(struct master *m, struct agent *a)
{
	if (a->linked && !a->unreachable && enough(a->free_cpus, a->free_mem) &&
		vec_push(&m->candidates, a) < 0)
		m->oom = true;
}

/* Fisher and Yates. */
static void shuffle(struct master *m)
{
	for (size_t i = m->candidates.n; i > 1; i--) {
		size_t j = (size_t)(random_next(&m->random) % i);
		struct agent *other = m->candidates.at[j];

		m->candidates.at[j] = m->candidates.at[i - 1];
		m->candidates.at[i - 1] = other;
	}
}

void master_allocate(struct master *m, struct agent *only)
{
	struct agent *a, *next;

	m->count[COUNT_ALLOCATION_RUNS]++;
	if (m->oom || !anyone_wants(m))
		return;
	m->candidates.n = 0;
	if (only != NULL)
		add_candidate(m, only);
	else
		HASH_ITER (hh, m->agents, a, next)
			add_candidate(m, a);
	shuffle(m);
	for (size_t i = 0; i < m->candidates.n && !m->oom; i++)
		visit(m, m->candidates.at[i]);
	master_send_offers(m);
}
