/* constraints_mesos.c: constraints as a master understands them: groups, of which an agent must meet one, in
 * all of its parts (AttributeConstraint, src/master/allocator/mesos/offer_constraints_filter.cpp of Apache
 * Mesos).
 *
 * A constraint of several values is an alternative for each, and all constraints together every combination
 * of theirs. Regular expressions would be shorter, but a master limits their size as its operator likes, and
 * refuses the subscription beyond. What would be too many combinations is told in part; we look at every
 * offer ourselves anyway. The master takes attributes that are no text for suitable: those are ours to judge.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "scheduler/constraints.h"

enum { GROUPS_MAX = 64 };

typedef Mesos__V1__Scheduler__AttributeConstraint part;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints__Group group;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints groups;
typedef Mesos__V1__Scheduler__AttributeConstraint__Selector__PseudoattributeType pseudo;

#define NO_PSEUDO MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__UNKNOWN

/* One thing to ask of an agent: an attribute, or a pseudo attribute: has it a value, this one, none? */
enum predicate { EXISTS, NOT_EXISTS, EQUALS };
struct question {
	const char *name;
	pseudo pseudo; /* in place of the name */
	enum predicate predicate;
	const char *value; /* EQUALS */
};

/* What one alternative of a constraint asks. */
struct alternative {
	struct question at[2];
	size_t n;
};
typedef VEC(struct alternative) alternatives;

/* ---- The alternatives of one constraint ---- */

static pseudo pseudo_of(const char *name)
{
	static const char *const names[] = { NULL, "hostname", "region", "zone" };

	for (int i = 1; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return (pseudo)i;
	return NO_PSEUDO;
}

static int add(alternatives *all, struct question first, const struct question *second)
{
	struct alternative a = { .at = { first }, .n = 1 };

	if (second != NULL)
		a.at[a.n++] = *second;
	return vec_push(all, a);
}

/* An agent has the attribute; or it has none of that name, and the pseudo attribute counts. */
static int alternatives_of(const struct constraint *c, alternatives *ret)
{
	const struct question none = { .name = c->name, .predicate = NOT_EXISTS };
	pseudo p = pseudo_of(c->name);
	int r = 0;

	if (c->values.n == 0) {
		r = add(ret, (struct question){ .name = c->name, .predicate = EXISTS }, NULL);
		if (r == 0 && p != NO_PSEUDO)
			r = add(ret, (struct question){ .pseudo = p, .predicate = EXISTS }, NULL);
		return r;
	}
	for (size_t i = 0; r == 0 && i < c->values.n; i++) {
		const char *value = c->values.at[i];

		r = add(ret, (struct question){ .name = c->name, .predicate = EQUALS, .value = value }, NULL);
		if (r == 0 && p != NO_PSEUDO)
			r = add(ret, (struct question){ .pseudo = p, .predicate = EQUALS, .value = value },
				&none);
	}
	return r;
}

/* Less than all of it: that the attribute is there. Nothing of a pseudo attribute. */
static int weaken(const struct constraint *c, alternatives *all)
{
	all->n = 0;
	return pseudo_of(c->name) != NO_PSEUDO
		       ? 0
		       : add(all, (struct question){ .name = c->name, .predicate = EXISTS }, NULL);
}

/* ---- Messages ---- */

#define NEW(type, variable, init)                                                                            \
	do {                                                                                                 \
		(variable) = malloc(sizeof(type));                                                           \
		if ((variable) != NULL)                                                                      \
			init(variable);                                                                      \
	} while (0)

static int fill_selector(Mesos__V1__Scheduler__AttributeConstraint__Selector *s, const struct question *q)
{
	s->has_pseudoattribute_type = q->pseudo != NO_PSEUDO;
	s->pseudoattribute_type = q->pseudo;
	if (q->name != NULL)
		s->attribute_name = strdup(q->name);
	return q->name != NULL && s->attribute_name == NULL ? -ENOMEM : 0;
}

static int fill_predicate(Mesos__V1__Scheduler__AttributeConstraint__Predicate *p, const struct question *q)
{
	switch (q->predicate) {
	case EXISTS:
		NEW(Mesos__V1__Scheduler__AttributeConstraint__Predicate__Exists, p->exists,
			mesos__v1__scheduler__attribute_constraint__predicate__exists__init);
		return p->exists == NULL ? -ENOMEM : 0;
	case NOT_EXISTS:
		NEW(Mesos__V1__Scheduler__AttributeConstraint__Predicate__NotExists, p->not_exists,
			mesos__v1__scheduler__attribute_constraint__predicate__not_exists__init);
		return p->not_exists == NULL ? -ENOMEM : 0;
	case EQUALS:
	default:
		NEW(Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextEquals, p->text_equals,
			mesos__v1__scheduler__attribute_constraint__predicate__text_equals__init);
		if (p->text_equals == NULL)
			return -ENOMEM;
		p->text_equals->value = strdup(q->value);
		return p->text_equals->value == NULL ? -ENOMEM : 0;
	}
}

static part *part_of(const struct question *q)
{
	part *a;

	NEW(part, a, mesos__v1__scheduler__attribute_constraint__init);
	if (a == NULL)
		return NULL;
	NEW(Mesos__V1__Scheduler__AttributeConstraint__Selector, a->selector,
		mesos__v1__scheduler__attribute_constraint__selector__init);
	NEW(Mesos__V1__Scheduler__AttributeConstraint__Predicate, a->predicate,
		mesos__v1__scheduler__attribute_constraint__predicate__init);
	if (a->selector != NULL && a->predicate != NULL && fill_selector(a->selector, q) == 0 &&
		fill_predicate(a->predicate, q) == 0)
		return a;
	mesos__v1__scheduler__attribute_constraint__free_unpacked(a, NULL);
	return NULL;
}

/* The group of one combination: number `which` of them all. */
static group *group_of(const alternatives *of, size_t n, size_t which)
{
	group *g;

	NEW(group, g, mesos__v1__scheduler__offer_constraints__role_constraints__group__init);
	if (g != NULL)
		g->attribute_constraints = calloc(2 * n, sizeof(part *));
	bool failed = g == NULL || g->attribute_constraints == NULL;
	for (size_t i = 0; !failed && i < n; i++) {
		if (of[i].n == 0)
			continue;
		const struct alternative *a = &of[i].at[which % of[i].n];
		which /= of[i].n;
		for (size_t k = 0; !failed && k < a->n; k++) {
			part *one = part_of(&a->at[k]);

			failed = one == NULL;
			if (one != NULL)
				g->attribute_constraints[g->n_attribute_constraints++] = one;
		}
	}
	if (!failed)
		return g;
	if (g != NULL)
		protobuf_c_message_free_unpacked(&g->base, NULL);
	return NULL;
}

static int groups_of(const alternatives *of, size_t n, size_t combinations, groups **ret)
{
	groups *all;

	NEW(groups, all, mesos__v1__scheduler__offer_constraints__role_constraints__init);
	if (all != NULL)
		all->groups = calloc(combinations, sizeof(group *));
	bool failed = all == NULL || all->groups == NULL;
	for (size_t i = 0; !failed && i < combinations; i++) {
		group *one = group_of(of, n, i);

		failed = one == NULL;
		if (one != NULL)
			all->groups[all->n_groups++] = one;
	}
	if (failed) {
		if (all != NULL)
			protobuf_c_message_free_unpacked(&all->base, NULL);
		return -ENOMEM;
	}
	*ret = all;
	return 0;
}

int constraints_to_mesos(const struct constraints *c, groups **ret)
{
	alternatives *of = calloc(c->n + 1, sizeof(*of));
	size_t combinations = 1, asked = 0;
	int r = of == NULL ? -ENOMEM : 0;

	*ret = NULL;
	for (size_t i = 0; r == 0 && i < c->n; i++) {
		r = alternatives_of(&c->at[i], &of[i]);
		if (r == 0 && combinations * of[i].n > GROUPS_MAX)
			r = weaken(&c->at[i], &of[i]);
		combinations *= of[i].n > 0 ? of[i].n : 1;
		asked += of[i].n;
	}
	if (r == 0 && asked > 0)
		r = groups_of(of, c->n, combinations, ret);
	for (size_t i = 0; of != NULL && i < c->n; i++)
		vec_deinit(&of[i]);
	free(of);
	return r;
}
