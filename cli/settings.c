#include "cli/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

int settings_add(struct settings *s, const char *property, const char *value)
{
	struct setting one = { strdup(property), strdup(value) };

	if (one.property != NULL && one.value != NULL && vec_push(&s->list, one) == 0)
		return 0;
	free(one.property);
	free(one.value);
	return -ENOMEM;
}

int settings_add_option(struct settings *s, const char *name, const char *value)
{
	auto_free char *property = NULL;

	if (asprintf(&property, "quern.%s", name) < 0) {
		property = NULL;
		return -ENOMEM;
	}
	for (char *p = property; *p != '\0'; p++)
		if (*p == '-')
			*p = '.';
	return settings_add(s, property, value != NULL ? value : "true");
}

int settings_note(struct settings *s, const struct argp_option *list, int key, const char *value)
{
	for (const struct argp_option *o = list; key > UCHAR_MAX && o->name != NULL; o++)
		if (o->key == key)
			return settings_add_option(s, o->name, value);
	return 0;
}

void settings_deinit(struct settings *s)
{
	for (size_t i = 0; i < s->list.n; i++) {
		free(s->list.at[i].property);
		free(s->list.at[i].value);
	}
	vec_deinit(&s->list);
}
