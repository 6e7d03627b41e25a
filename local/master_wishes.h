/* master_wishes.h: what a framework told the master about the offers it has use for: offer constraints
 * (src/master/allocator/mesos/offer_constraints_filter.cpp of Apache Mesos) and the least of what an offer
 * must hold (OfferFilters.min_allocatable_resources in mesos.proto). */
#ifndef QUERN_LOCAL_MASTER_WISHES_H
#define QUERN_LOCAL_MASTER_WISHES_H

#include <stdbool.h>

#include "base/err.h"
#include "mesos/resources.h"
#include "mesos/scheduler.pb-c.h"

/* Whether an agent may be offered. `c` NULL: there are no constraints. */
bool master_wishes_allow(
	const Mesos__V1__Scheduler__OfferConstraints__RoleConstraints *c, const Mesos__V1__AgentInfo *agent);

/* Those of a role, or NULL. */
const Mesos__V1__Scheduler__OfferConstraints__RoleConstraints *master_wishes_of(
	const Mesos__V1__Scheduler__OfferConstraints *all, const char *role);

/* Whether `r` is worth an offer to the role: by what the framework says, or else by the master's own least
 * (cores and MB, in thousandths; either suffices). */
bool master_wishes_enough(const Mesos__V1__FrameworkInfo *info, const char *role, const struct resources *r,
	int64_t least_cpus, int64_t least_mem);

/* 0, or -EINVAL with Mesos' sentence. */
int master_wishes_check(const Mesos__V1__FrameworkInfo *info, const Mesos__V1__Scheduler__OfferConstraints *c,
	struct err *err);

#endif
