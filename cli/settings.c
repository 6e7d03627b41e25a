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

error_t settings_take(int key, char *arg, struct argp_state *state)
{
	const struct settings_input *in = state->input;

	if (key == ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (key <= UCHAR_MAX)
		return 0;
	for (const struct argp_option *o = in->options; o->name != NULL; o++) {
		if (o->key != key)
			continue;
		if (settings_add_option(in->to, o->name, arg) < 0)
			argp_failure(state, argp_err_exit_status, 0, "out of memory");
		break;
	}
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
