/* settings.h: what was said about a job, as properties, in its order: for a driver that runs elsewhere and hears the
 * same. */
#ifndef QUERN_CLI_SETTINGS_H
#define QUERN_CLI_SETTINGS_H

#include <argp.h>

#include "base/vec.h"

struct setting {
	char *property, *value; /* "quern.task.cores", "2" */
};

struct settings {
	VEC(struct setting) list;
};

/* Copies both. 0 or -ENOMEM. */
int settings_add(struct settings *s, const char *property, const char *value);

/* The same for the name of an option, "task-cores"; value NULL: it has none, and is "true". */
int settings_add_option(struct settings *s, const char *name, const char *value);

/* The input of settings_take: the parser of an argp with those options, which only notes them. Options with
 * one letter are not. Without memory it prints and exits. */
struct settings_input {
	const struct argp_option *options;
	struct settings *to;
};
error_t settings_take(int key, char *arg, struct argp_state *state);

void settings_deinit(struct settings *s);

#endif
