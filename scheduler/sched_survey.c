/* sched_survey.c: what is wrong with an agent that makes no offers, from what the master says of it
 * (GET_AGENTS). */
#include <math.h>
#include <string.h>

#include "scheduler/sched_parts.h"

/* Cores and memory by who may have them. */
struct sums {
	int64_t cpus, mem;
};
enum { OURS, REVOCABLE, RESERVED, KINDS };

/* The role that a resource is reserved for; NULL: none. */
static const char *reserved_for(const Mesos__V1__Resource *r)
{
	if (r->n_reservations > 0)
		return r->reservations[r->n_reservations - 1]->role;
	return r->role != NULL && strcmp(r->role, "*") != 0 ? r->role : NULL;
}

/* What is reserved for a role is offered to it and to roles below it ("a" to "a/b"). */
static bool is_for(const char *reserved, const char *role)
{
	size_t len = strlen(reserved);

	return strncmp(reserved, role, len) == 0 && (role[len] == '\0' || role[len] == '/');
}

static int kind_of(const struct sched *s, const Mesos__V1__Resource *r)
{
	const char *role = reserved_for(r);

	bool ours = role == NULL;

	for (size_t i = 0; !ours && s->roles[i] != NULL; i++)
		ours = is_for(role, s->roles[i]);
	if (!ours)
		return RESERVED;
	return r->revocable != NULL && !s->config.revocable ? REVOCABLE : OURS;
}

enum { UNITS_MAX = 1 << 30 }; /* cores or MB of one piece: more is not meant seriously */

static int64_t milli_of(double units)
{
	if (!(units > 0)) /* no number, perhaps */
		return 0;
	return units < UNITS_MAX ? llround(units * 1000) : UNITS_MAX * INT64_C(1000);
}

static void sum_up(const struct sched *s, Mesos__V1__Resource *const *list, size_t n, int64_t sign,
	struct sums ret[KINDS])
{
	for (size_t i = 0; i < n; i++) {
		if (list[i]->scalar == NULL)
			continue;
		int64_t milli = sign * milli_of(list[i]->scalar->value);
		struct sums *sums = &ret[kind_of(s, list[i])];

		if (strcmp(list[i]->name, "cpus") == 0)
			sums->cpus += milli;
		else if (strcmp(list[i]->name, "mem") == 0)
			sums->mem += milli;
	}
}

static bool covers(const struct sums *sums, const struct need *need)
{
	return sums->cpus >= need->cpus_milli && sums->mem >= need->mem_milli;
}

static void add(struct sums *to, const struct sums *other)
{
	to->cpus += other->cpus;
	to->mem += other->mem;
}

/* By its size, whatever is free of it. */
static enum reason by_size(const struct sums total[KINDS], const struct need *need)
{
	struct sums all = total[OURS];

	if (covers(&all, need))
		return REASON_NONE;
	add(&all, &total[REVOCABLE]);
	if (covers(&all, need))
		return REASON_REVOCABLE;
	add(&all, &total[RESERVED]);
	if (covers(&all, need))
		return REASON_RESERVED;
	return total[OURS].cpus < need->cpus_milli ? REASON_CORES : REASON_MEMORY;
}

static const char *region_of(const Mesos__V1__DomainInfo *d)
{
	return d != NULL && d->fault_domain != NULL ? d->fault_domain->region->name : NULL;
}

struct verdict sched_survey_judge(const struct sched *s,
	const Mesos__V1__Master__Response__GetAgents__Agent *agent, const struct need *need)
{
	const Mesos__V1__AgentInfo *info = agent->agent_info;
	const struct constrained c = { info->hostname, info->attributes, info->n_attributes, info->domain };
	const struct constraint *unmet = constraints_unmet(&s->constraints, &c);
	const char *region = region_of(info->domain);
	struct sums total[KINDS] = { 0 }, left[KINDS];
	struct verdict v = { 0 };

	sum_up(s, agent->total_resources, agent->n_total_resources, 1, total);
	memcpy(left, total, sizeof(left));
	sum_up(s, agent->allocated_resources, agent->n_allocated_resources, -1, left);
	sum_up(s, agent->offered_resources, agent->n_offered_resources, -1, left);
	v.cpus_milli = total[OURS].cpus - s->config.executor_cpus_milli;
	v.mem_milli = total[OURS].mem - (int64_t)s->config.executor_mem_mb * 1000;
	if (unmet != NULL) {
		v.reason = REASON_CONSTRAINT;
		v.constraint = (size_t)(unmet - s->constraints.at);
	} else if (s->region != NULL && region != NULL && strcmp(region, s->region) != 0 &&
		   !constraints_about(&s->constraints, "region")) {
		v.reason = REASON_REGION;
	} else if (!agent->active || (agent->has_deactivated && agent->deactivated)) {
		v.reason = REASON_AWAY;
	} else {
		v.reason = by_size(total, need);
	}
	if (v.reason == REASON_NONE)
		v.reason = covers(&left[OURS], need) ? REASON_WITHHELD : REASON_BUSY;
	return v;
}
