#include "mesos/attributes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "mesos/resources.h"

/* Ranges are those of resources. */
static int set_ranges(Mesos__V1__Attribute *a, const char *value, struct err *err)
{
	struct resources *r = NULL;
	Mesos__V1__Resource **list = NULL;
	size_t n = 0;
	auto_free char *text = malloc(strlen(value) + 3);

	if (text == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	(void)stpcpy(stpcpy(text, "r:"), value);
	int result = resources_parse(text, &r, err);
	if (result == 0 && resources_to_pb(r, &list, &n) < 0)
		result = err_set(err, -ENOMEM, "out of memory");
	if (result == 0 && (n != 1 || list[0]->ranges == NULL))
		result = err_set(err, -EINVAL, "attribute '%s': '%s' are no ranges", a->name, value);
	if (result == 0) {
		a->type = MESOS__V1__VALUE__TYPE__RANGES;
		a->ranges = list[0]->ranges;
		list[0]->ranges = NULL;
	}
	resources_pb_free(list, n);
	(void)resources_free(r);
	return result;
}

static int set_value(Mesos__V1__Attribute *a, const char *value, struct err *err)
{
	char *end;
	double d = strtod(value, &end);

	if (*value == '[')
		return set_ranges(a, value, err);
	if (end != value && *end == '\0' && isfinite(d)) {
		a->type = MESOS__V1__VALUE__TYPE__SCALAR;
		a->scalar = malloc(sizeof(*a->scalar));
		if (a->scalar == NULL)
			return err_set(err, -ENOMEM, "out of memory");
		mesos__v1__value__scalar__init(a->scalar);
		a->scalar->value = d;
		return 0;
	}
	a->type = MESOS__V1__VALUE__TYPE__TEXT;
	a->text = malloc(sizeof(*a->text));
	if (a->text == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	mesos__v1__value__text__init(a->text);
	a->text->value = strdup(value);
	return a->text->value == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int parse_one(char *text, Mesos__V1__Attribute **ret, struct err *err)
{
	char *value = strchr(text, ':');

	if (value == NULL || value == text || value[1] == '\0')
		return err_set(err, -EINVAL, "attribute '%s': write NAME:VALUE", text);
	*value++ = '\0';
	Mesos__V1__Attribute *a = malloc(sizeof(*a));
	if (a == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	mesos__v1__attribute__init(a);
	a->name = strdup(text);
	int r = a->name == NULL ? err_set(err, -ENOMEM, "out of memory") : set_value(a, value, err);
	if (r < 0)
		mesos__v1__attribute__free_unpacked(a, NULL);
	else
		*ret = a;
	return r;
}

int attributes_parse(const char *text, Mesos__V1__Attribute ***ret, size_t *ret_n, struct err *err)
{
	auto_free char *copy = strdup(text != NULL ? text : "");
	size_t n = 0, most = 1;
	int r = 0;

	for (const char *p = text; p != NULL && *p != '\0'; p++)
		most += *p == ';';
	Mesos__V1__Attribute **list = calloc(most, sizeof(Mesos__V1__Attribute *));
	if (copy == NULL || list == NULL) {
		free(list);
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (char *rest = copy, *one; r == 0 && *copy != '\0' && (one = strsep(&rest, ";")) != NULL;) {
		r = parse_one(one, &list[n], err);
		n += r == 0;
	}
	if (r < 0) {
		attributes_free(list, n);
		return r;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

void attributes_free(Mesos__V1__Attribute **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mesos__v1__attribute__free_unpacked(list[i], NULL);
	free(list);
}
