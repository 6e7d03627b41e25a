/* constraints.h: which agents a job may use, by their attributes: --constraints "rack:a,b;ssd".
 *
 * All constraints must be met, as those of Spark's spark.mesos.constraints. NAME alone: the agent has an
 * attribute of that name. NAME:VALUE,...: and its value suits, by its type: text is one of the values; a
 * number is at least one of them; ranges hold one of them; a set has all of them. Of several attributes of
 * one name the first counts, as with Mesos. An agent without an attribute `hostname`, `region` or `zone` has
 * one by its host's name and by its fault domain. */
#ifndef QUERN_SCHEDULER_CONSTRAINTS_H
#define QUERN_SCHEDULER_CONSTRAINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"
#include "mesos/scheduler.pb-c.h"

struct constraint {
	char *name;
	VEC(char *) values; /* none: that it is there is enough */
};

struct constraints {
	struct constraint *at;
	size_t n, cap;
};

/* What agents are told apart by. Borrowed. */
struct constrained {
	const char *hostname;
	Mesos__V1__Attribute *const *attributes;
	size_t n_attributes;
	const Mesos__V1__DomainInfo *domain; /* or NULL */
};

/* NULL and "" are no constraints. 0, -ENOMEM, or -EINVAL with a sentence. */
int constraints_parse(const char *text, struct constraints *ret, struct err *err);
void constraints_deinit(struct constraints *c);

/* The first one that the agent does not meet; NULL: it meets all. */
const struct constraint *constraints_unmet(const struct constraints *c, const struct constrained *agent);

/* Whether one of them is about `name`. */
bool constraints_about(const struct constraints *c, const char *name);

/* What a master can be told of them (offer_constraints, Mesos 1.11 and later): all that meet them meet this,
 * and few others do. *ret: to be freed with protobuf_c_message_free_unpacked(); NULL if there is nothing to
 * tell. 0 or -ENOMEM. */
int constraints_to_mesos(
	const struct constraints *c, Mesos__V1__Scheduler__OfferConstraints__RoleConstraints **ret);

#endif
