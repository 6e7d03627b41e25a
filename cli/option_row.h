/* option_row.h: tables of options: each has a name, and a function that reads its value. */
#ifndef QUERN_CLI_OPTION_ROW_H
#define QUERN_CLI_OPTION_ROW_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct option_row {
	const char *name, *value, *help; /* `value` as --help calls it; NULL: there is none */
	/* `value` may be NULL when the row has none. -EINVAL, -ENOMEM with a sentence. */
	int (*set)(void *options, const char *value, struct err *err);
};

/* From the command line: a mistake's sentence has the option's name in it. */
int option_row_set(const struct option_row *row, void *options, const char *value, struct err *err);

/* The row of that name. -ENOENT: there is none, and no sentence. */
int option_rows_set(const struct option_row *rows, size_t n, void *options, const char *name,
	const char *value, struct err *err);

/* As argp wants them, with the keys from `first` on. Writes n entries. */
void option_rows_list(const struct option_row *rows, size_t n, int first, struct argp_option *list);

/* The parser of an argp that has just those; its input is what their functions fill. On a mistake it prints
 * and exits (argp_err_exit_status). */
error_t option_rows_take(
	const struct option_row *rows, size_t n, int first, int key, char *arg, struct argp_state *state);

/* Replaces a text by a copy of `value`. */
int option_text(char **where, const char *value, struct err *err);

/* "true" or "false", or NULL of an option without a value: true. */
int option_bool(bool *where, const char *value, struct err *err);

#endif
