/* sched_wishes.c: which offers we have any use for, as far as the master can be told: so it keeps the others
 * away from us, and gives them to somebody else at once.
 *
 * The least of what an offer must hold (OfferFilters.min_allocatable_resources, Mesos 1.9) is what the
 * smallest task takes without an executor, for there may be one. Agents are told by offer_constraints (1.11).
 * Older masters know neither and ignore them: every offer is looked at here as well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/sched_parts.h"

typedef Mesos__V1__OfferFilters__ResourceQuantities__QuantitiesEntry quantity;

struct wishes {
	Mesos__V1__OfferFilters filters;
	Mesos__V1__OfferFilters__MinAllocatableResources least;
	Mesos__V1__OfferFilters__ResourceQuantities quantities, *quantities_list[1];
	quantity entries[2], *entry_list[2];
	Mesos__V1__Value__Scalar values[2];
	Mesos__V1__Scheduler__OfferConstraints constraints;
	Mesos__V1__Scheduler__OfferConstraints__RoleConstraints *groups; /* the same for each role; or NULL */
	/* One for each role: */
	size_t n;
	Mesos__V1__FrameworkInfo__OfferFiltersEntry *filter_entries, **filter_list;
	Mesos__V1__Scheduler__OfferConstraints__RoleConstraintsEntry *constraint_entries, **constraint_list;
};

static void set_quantity(struct wishes *w, const char *name, double value)
{
	size_t i = w->quantities.n_quantities++;

	mesos__v1__value__scalar__init(&w->values[i]);
	w->values[i].value = value;
	mesos__v1__offer_filters__resource_quantities__quantities_entry__init(&w->entries[i]);
	w->entries[i].key = (char *)(uintptr_t)name;
	w->entries[i].value = &w->values[i];
	w->entry_list[i] = &w->entries[i];
}

static void set_least(const struct sched *s, struct wishes *w)
{
	mesos__v1__offer_filters__init(&w->filters);
	mesos__v1__offer_filters__min_allocatable_resources__init(&w->least);
	mesos__v1__offer_filters__resource_quantities__init(&w->quantities);
	w->quantities.quantities = w->entry_list;
	if (s->least_cpus_milli > 0)
		set_quantity(w, "cpus", s->least_cpus_milli / 1000.0);
	if (s->least_mem_mb > 0)
		set_quantity(w, "mem", s->least_mem_mb);
	w->quantities_list[0] = &w->quantities;
	w->least.n_quantities = 1;
	w->least.quantities = w->quantities_list;
	w->filters.min_allocatable_resources = &w->least;
}

static int make_lists(struct wishes *w)
{
	w->filter_entries = calloc(w->n, sizeof(*w->filter_entries));
	w->filter_list = calloc(w->n, sizeof(*w->filter_list));
	w->constraint_entries = calloc(w->n, sizeof(*w->constraint_entries));
	w->constraint_list = calloc(w->n, sizeof(*w->constraint_list));
	return w->filter_entries == NULL || w->filter_list == NULL || w->constraint_entries == NULL ||
			       w->constraint_list == NULL
		       ? -ENOMEM
		       : 0;
}

struct wishes *sched_wishes_free(struct wishes *w)
{
	if (w == NULL)
		return NULL;
	if (w->groups != NULL)
		protobuf_c_message_free_unpacked(&w->groups->base, NULL);
	free(w->filter_entries);
	free(w->filter_list);
	free(w->constraint_entries);
	free(w->constraint_list);
	free(w);
	return NULL;
}

int sched_wishes_say(struct sched *s, Mesos__V1__FrameworkInfo *info,
	Mesos__V1__Scheduler__OfferConstraints **ret_constraints, struct wishes **ret)
{
	struct wishes *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->n = info->n_roles;
	int r = make_lists(w);
	if (r == 0)
		r = constraints_to_mesos(&s->constraints, &w->groups);
	if (r < 0) {
		(void)sched_wishes_free(w);
		return r;
	}
	set_least(s, w);
	mesos__v1__scheduler__offer_constraints__init(&w->constraints);
	for (size_t i = 0; i < w->n; i++) {
		mesos__v1__framework_info__offer_filters_entry__init(&w->filter_entries[i]);
		w->filter_entries[i].key = info->roles[i];
		w->filter_entries[i].value = &w->filters;
		w->filter_list[i] = &w->filter_entries[i];
		mesos__v1__scheduler__offer_constraints__role_constraints_entry__init(
			&w->constraint_entries[i]);
		w->constraint_entries[i].key = info->roles[i];
		w->constraint_entries[i].value = w->groups;
		w->constraint_list[i] = &w->constraint_entries[i];
	}
	info->n_offer_filters = w->n;
	info->offer_filters = w->filter_list;
	w->constraints.n_role_constraints = w->n;
	w->constraints.role_constraints = w->constraint_list;
	s->said_cpus_milli = s->least_cpus_milli;
	s->said_mem_mb = s->least_mem_mb;
	*ret_constraints = w->groups != NULL ? &w->constraints : NULL;
	*ret = w;
	return 0;
}

int sched_wishes_run(struct sched *s, const struct run *run)
{
	for (size_t i = 0; s->config.mode->task_per_hold && i < run->stages.n; i++) {
		uint32_t cpus = sched_size_cpus_milli(s, run->stages.at[i]);
		uint32_t mem = sched_size_mem_mb(s, run->stages.at[i]);

		s->least_cpus_milli = cpus < s->least_cpus_milli ? cpus : s->least_cpus_milli;
		s->least_mem_mb = mem < s->least_mem_mb ? mem : s->least_mem_mb;
	}
	return sched_wishes_renew(s);
}

int sched_wishes_renew(struct sched *s)
{
	bool same = s->said_cpus_milli == s->least_cpus_milli && s->said_mem_mb == s->least_mem_mb;

	return same ? 0 : sched_call_update_framework(s);
}
