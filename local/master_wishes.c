#include "local/master_wishes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef Mesos__V1__Scheduler__AttributeConstraint part;
typedef Mesos__V1__Scheduler__AttributeConstraint__Predicate predicate;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints groups;

/* ---- Constraints ---- */

/* What a selector names: nothing, a text, or a value that is none. */
struct selected {
	bool there, is_text;
	const char *text;
};

static struct selected select_text(const char *text)
{
	return (struct selected){ .there = text != NULL, .is_text = true, .text = text };
}

static struct selected select_from(const part *p, const Mesos__V1__AgentInfo *agent)
{
	const Mesos__V1__DomainInfo__FaultDomain *d =
		agent->domain != NULL ? agent->domain->fault_domain : NULL;

	switch (p->selector->has_pseudoattribute_type ? p->selector->pseudoattribute_type : 0) {
	case MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__HOSTNAME:
		return select_text(agent->hostname);
	case MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__REGION:
		return select_text(d != NULL ? d->region->name : NULL);
	case MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__ZONE:
		return select_text(d != NULL ? d->zone->name : NULL);
	default:
		break;
	}
	for (size_t i = 0; i < agent->n_attributes; i++) {
		const Mesos__V1__Attribute *a = agent->attributes[i];

		if (strcmp(a->name, p->selector->attribute_name) != 0)
			continue;
		bool is_text = a->type == MESOS__V1__VALUE__TYPE__TEXT && a->text != NULL;
		return (struct selected){
			.there = true, .is_text = is_text, .text = is_text ? a->text->value : NULL
		};
	}
	return (struct selected){ 0 };
}

/* Regular expressions are not taken: master_wishes_check(). */
static bool holds(const part *p, const Mesos__V1__AgentInfo *agent)
{
	const struct selected s = select_from(p, agent);
	const predicate *q = p->predicate;

	if (q->exists != NULL)
		return s.there;
	if (q->not_exists != NULL)
		return !s.there;
	if (q->text_equals != NULL)
		return s.there && (!s.is_text || strcmp(s.text, q->text_equals->value) == 0);
	return !s.there || !s.is_text || strcmp(s.text, q->text_not_equals->value) != 0;
}

bool master_wishes_allow(const groups *c, const Mesos__V1__AgentInfo *agent)
{
	for (size_t i = 0; c != NULL && i < c->n_groups; i++) {
		size_t k = 0;

		while (k < c->groups[i]->n_attribute_constraints &&
			holds(c->groups[i]->attribute_constraints[k], agent))
			k++;
		if (k == c->groups[i]->n_attribute_constraints)
			return true;
	}
	return c == NULL;
}

const groups *master_wishes_of(const Mesos__V1__Scheduler__OfferConstraints *all, const char *role)
{
	for (size_t i = 0; all != NULL && i < all->n_role_constraints; i++)
		if (all->role_constraints[i]->key != NULL && strcmp(all->role_constraints[i]->key, role) == 0)
			return all->role_constraints[i]->value;
	return NULL;
}

/* ---- The least ---- */

static bool contains(const struct resources *r, const Mesos__V1__OfferFilters__ResourceQuantities *q)
{
	for (size_t i = 0; i < q->n_quantities; i++)
		if (resources_milli(r, q->quantities[i]->key) <
			(int64_t)(q->quantities[i]->value->value * 1000 + 0.5))
			return false;
	return true;
}

bool master_wishes_enough(const Mesos__V1__FrameworkInfo *info, const char *role, const struct resources *r,
	int64_t least_cpus, int64_t least_mem)
{
	const Mesos__V1__OfferFilters__MinAllocatableResources *least = NULL;

	for (size_t i = 0; i < info->n_offer_filters; i++)
		if (strcmp(info->offer_filters[i]->key, role) == 0)
			least = info->offer_filters[i]->value->min_allocatable_resources;
	if (least == NULL)
		return resources_milli(r, "cpus") >= least_cpus || resources_milli(r, "mem") >= least_mem;
	for (size_t i = 0; i < least->n_quantities; i++)
		if (contains(r, least->quantities[i]))
			return true;
	return least->n_quantities == 0;
}

/* ---- Checking ---- */

static int check_quantities(const Mesos__V1__OfferFilters__ResourceQuantities *q, struct err *err)
{
	if (q->n_quantities == 0)
		return err_set(err, -EINVAL, "Resource quantities must contain at least one quantity");
	for (size_t i = 0; i < q->n_quantities; i++) {
		const Mesos__V1__OfferFilters__ResourceQuantities__QuantitiesEntry *e = q->quantities[i];

		if (e->key == NULL || e->value == NULL || !isfinite(e->value->value) || e->value->value < 0 ||
			e->value->value > 1e12)
			return err_set(err, -EINVAL, "Invalid resource quantity for '%s'",
				e->key != NULL ? e->key : "");
	}
	return 0;
}

static int check_filters(const Mesos__V1__FrameworkInfo *info, struct err *err)
{
	for (size_t i = 0; i < info->n_offer_filters; i++) {
		const Mesos__V1__FrameworkInfo__OfferFiltersEntry *e = info->offer_filters[i];

		if (e->key == NULL || e->value == NULL)
			return err_set(err, -EINVAL, "An entry of 'offer_filters' is not complete");
		const Mesos__V1__OfferFilters__MinAllocatableResources *least =
			e->value->min_allocatable_resources;
		for (size_t k = 0; least != NULL && k < least->n_quantities; k++)
			if (check_quantities(least->quantities[k], err) < 0)
				return -EINVAL;
	}
	return 0;
}

static int check_part(const part *p, struct err *err)
{
	bool pseudo = p->selector->has_pseudoattribute_type;
	const predicate *q = p->predicate;

	if (pseudo == (p->selector->attribute_name != NULL) ||
		(pseudo &&
			p->selector->pseudoattribute_type ==
				MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__UNKNOWN))
		return err_set(err, -EINVAL,
			"Exactly one of 'AttributeConstraint::Selector::name' or"
			" 'AttributeConstraint::Selector::pseudoattribute_type' must be set");
	if (q->text_matches != NULL || q->text_not_matches != NULL)
		return err_set(err, -EINVAL, "this master knows no regular expressions in offer constraints");
	if (q->exists == NULL && q->not_exists == NULL && q->text_equals == NULL &&
		q->text_not_equals == NULL)
		return err_set(err, -EINVAL, "Unknown predicate type");
	return 0;
}

static int check_groups(const char *role, const groups *c, struct err *err)
{
	if (c->n_groups == 0)
		return err_set(err, -EINVAL,
			"'OfferConstraints::role_constraints' has an empty `RoleConstraints` for role %s",
			role);
	for (size_t i = 0; i < c->n_groups; i++) {
		if (c->groups[i]->n_attribute_constraints == 0)
			return err_set(err, -EINVAL, "Empty `Group` in offer constraints of role %s", role);
		for (size_t k = 0; k < c->groups[i]->n_attribute_constraints; k++)
			if (check_part(c->groups[i]->attribute_constraints[k], err) < 0)
				return -EINVAL;
	}
	return 0;
}

int master_wishes_check(const Mesos__V1__FrameworkInfo *info, const Mesos__V1__Scheduler__OfferConstraints *c,
	struct err *err)
{
	int r = check_filters(info, err);

	for (size_t i = 0; r == 0 && c != NULL && i < c->n_role_constraints; i++) {
		const Mesos__V1__Scheduler__OfferConstraints__RoleConstraintsEntry *e =
			c->role_constraints[i];

		if (e->key == NULL || e->value == NULL)
			return err_set(err, -EINVAL, "An entry of 'role_constraints' is not complete");
		r = check_groups(e->key, e->value, err);
	}
	return r;
}
