/* settings.h: what was said about a job, as properties, in its order: for a driver that runs elsewhere and
 * hears the same. */
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

/* The same of an option, "task-cores" is quern.task.cores; value NULL: it has none, and is "true". */
int settings_add_option(struct settings *s, const char *name, const char *value);

/* The same of an option of a command line, by its key. Nothing, for what is not in the list, or has but a
 * letter. 0 or -ENOMEM. */
int settings_note(struct settings *s, const struct argp_option *list, int key, const char *value);

void settings_deinit(struct settings *s);

#endif
