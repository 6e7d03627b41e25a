/* master_filter.c: what a framework refused, and for how long.
 * HierarchicalAllocatorProcess::recoverResources() and RefusedOfferFilter in
 * src/master/allocator/mesos/hierarchical.cpp. */
#include <stdlib.h>

#include "local/master_state.h"

static const double default_seconds = 5;             /* Filters.refuse_seconds in mesos.proto */
static const double max_seconds = 365.0 * 24 * 3600; /* Days(365) */

static uint64_t refusal_ms(const Mesos__V1__Filters *filters)
{
	double seconds =
		filters != NULL && filters->has_refuse_seconds ? filters->refuse_seconds : default_seconds;

	if (seconds > max_seconds)
		seconds = max_seconds;
	if (!(seconds >= 0)) /* also what is no number */
		seconds = default_seconds;
	return (uint64_t)(seconds * 1000 + 0.5);
}

void master_filter(struct master *m, struct agent *a, struct member *member, const struct resources *r,
	const Mesos__V1__Filters *filters)
{
	uint64_t ms = refusal_ms(filters);

	if (ms == 0 || resources_empty(r))
		return;
	/* Not less than until the next periodic allocation (MESOS-4302). */
	if (ms < m->config.allocation_interval_ms)
		ms = m->config.allocation_interval_ms;
	struct filter *f = calloc(1, sizeof(*f));
	if (f == NULL || resources_dup(r, &f->resources) < 0) {
		m->oom = true;
		free(f);
		return;
	}
	f->agent = a;
	f->member = member;
	f->timer.kind = TIMER_FILTER;
	DL_APPEND2(a->filters, f, agent_prev, agent_next);
	DL_APPEND(member->filters, f);
	master_set_timer(m, &f->timer, m->now + ms);
}

bool master_filtered(const struct agent *a, const struct member *member, const struct resources *r)
{
	for (const struct filter *f = a->filters; f != NULL; f = f->agent_next)
		if (f->member == member && resources_contains(f->resources, r))
			return true;
	return false;
}

void master_free_filter(struct master *m, struct filter *f)
{
	master_timer_clear(&m->timers, &f->timer);
	DL_DELETE2(f->agent->filters, f, agent_prev, agent_next);
	DL_DELETE(f->member->filters, f);
	resources_free(f->resources);
	free(f);
}

void master_clear_filters(struct master *m, struct member *member)
{
	while (member->filters != NULL)
		master_free_filter(m, member->filters);
}
