#include "scheduler/constraints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* ---- Text ---- */

/* The text up to `end`, without blanks around it. NULL: no memory. */
static char *trimmed(const char *text, const char *end)
{
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return strndup(text, (size_t)(end - text));
}

static int parse_values(struct constraint *c, const char *text, const char *end, struct err *err)
{
	bool more = true;

	while (more) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma != NULL ? comma : end;
		char *value = trimmed(text, stop);

		if (value == NULL || vec_push(&c->values, value) < 0) {
			free(value);
			return err_set(err, -ENOMEM, "out of memory");
		}
		if (*value == '\0')
			return err_set(err, -EINVAL,
				"constraint '%s' has an empty value: write NAME:VALUE,VALUE", c->name);
		more = comma != NULL;
		text = stop + 1;
	}
	return 0;
}

static int parse_one(struct constraints *all, const char *text, const char *end, struct err *err)
{
	const char *colon = memchr(text, ':', (size_t)(end - text));

	if (vec_push(all, (struct constraint){ 0 }) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	struct constraint *c = &all->at[all->n - 1];
	c->name = trimmed(text, colon != NULL ? colon : end);
	if (c->name == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (*c->name == '\0')
		return err_set(err, -EINVAL, "a constraint has no name: write NAME or NAME:VALUE,VALUE;...");
	auto_free char *values = colon != NULL ? trimmed(colon + 1, end) : NULL;
	if (colon != NULL && values == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	return values != NULL && *values != '\0' ? parse_values(c, colon + 1, end, err) : 0;
}

int constraints_parse(const char *text, struct constraints *ret, struct err *err)
{
	struct constraints all = { 0 };
	int r = 0;

	while (r == 0 && text != NULL && *text != '\0') {
		const char *end = text + strcspn(text, ";");

		r = parse_one(&all, text, end, err);
		text = *end != '\0' ? end + 1 : end;
	}
	if (r < 0) {
		constraints_deinit(&all);
		return r;
	}
	*ret = all;
	return 0;
}

void constraints_deinit(struct constraints *c)
{
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->at[i].values.n; k++)
			free(c->at[i].values.at[k]);
		vec_deinit(&c->at[i].values);
		free(c->at[i].name);
	}
	vec_deinit(c);
}

bool constraints_about(const struct constraints *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->at[i].name, name) == 0)
			return true;
	return false;
}

/* ---- Agents ---- */

static bool has_value(const struct constraint *c, const char *text)
{
	for (size_t i = 0; i < c->values.n; i++)
		if (strcmp(c->values.at[i], text) == 0)
			return true;
	return false;
}

static bool at_most(const char *value, double most)
{
	char *end;
	double d = strtod(value, &end);

	return end != value && *end == '\0' && d <= most;
}

static bool within(const char *value, const Mesos__V1__Value__Ranges *ranges)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0)
		return false;
	for (size_t i = 0; i < ranges->n_range; i++)
		if (n >= ranges->range[i]->begin && n <= ranges->range[i]->end)
			return true;
	return false;
}

static bool in_set(const char *value, const Mesos__V1__Value__Set *set)
{
	for (size_t i = 0; i < set->n_item; i++)
		if (strcmp(set->item[i], value) == 0)
			return true;
	return false;
}

static bool suits(const struct constraint *c, const Mesos__V1__Attribute *a)
{
	size_t n = 0;

	if (a->type == MESOS__V1__VALUE__TYPE__TEXT)
		return a->text != NULL && has_value(c, a->text->value);
	for (size_t i = 0; i < c->values.n; i++)
		n += (a->type == MESOS__V1__VALUE__TYPE__SCALAR && a->scalar != NULL &&
			     at_most(c->values.at[i], a->scalar->value)) ||
		     (a->type == MESOS__V1__VALUE__TYPE__RANGES && a->ranges != NULL &&
			     within(c->values.at[i], a->ranges)) ||
		     (a->type == MESOS__V1__VALUE__TYPE__SET && a->set != NULL &&
			     in_set(c->values.at[i], a->set));
	return a->type == MESOS__V1__VALUE__TYPE__SET ? n == c->values.n : n > 0;
}

/* What an agent has without anybody's giving it to it. */
static const char *pseudo_value(const char *name, const struct constrained *agent)
{
	const Mesos__V1__DomainInfo__FaultDomain *d =
		agent->domain != NULL ? agent->domain->fault_domain : NULL;

	if (strcmp(name, "hostname") == 0)
		return agent->hostname;
	if (d != NULL && strcmp(name, "region") == 0)
		return d->region->name;
	return d != NULL && strcmp(name, "zone") == 0 ? d->zone->name : NULL;
}

static bool met(const struct constraint *c, const struct constrained *agent)
{
	for (size_t i = 0; i < agent->n_attributes; i++)
		if (strcmp(agent->attributes[i]->name, c->name) == 0)
			return c->values.n == 0 || suits(c, agent->attributes[i]);
	const char *value = pseudo_value(c->name, agent);
	return value != NULL && (c->values.n == 0 || has_value(c, value));
}

const struct constraint *constraints_unmet(const struct constraints *c, const struct constrained *agent)
{
	for (size_t i = 0; i < c->n; i++)
		if (!met(&c->at[i], agent))
			return &c->at[i];
	return NULL;
}
