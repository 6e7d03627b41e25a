#include "cli/option_row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int option_row_set(const struct option_row *row, void *options, const char *value, struct err *err)
{
	int r = row->set(options, value, err);

	return r < 0 && strstr(err->text, "--") == NULL ? err_prefix(err, r, "--%s", row->name) : r;
}

int option_rows_set(const struct option_row *rows, size_t n, void *options, const char *name,
	const char *value, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].set(options, value, err);
	return -ENOENT;
}

void option_rows_list(const struct option_row *rows, size_t n, int first, struct argp_option *list)
{
	for (size_t i = 0; i < n; i++)
		list[i] = (struct argp_option){
			.name = rows[i].name, .key = first + (int)i, .arg = rows[i].value, .doc = rows[i].help
		};
}

error_t option_rows_take(
	const struct option_row *rows, size_t n, int first, int key, char *arg, struct argp_state *state)
{
	struct err err = { "" };

	if (key < first || (size_t)(key - first) >= n)
		return ARGP_ERR_UNKNOWN;
	if (option_row_set(&rows[key - first], state->input, arg, &err) < 0)
		argp_failure(state, argp_err_exit_status, 0, "%s", err.text);
	return 0;
}

int option_text(char **where, const char *value, struct err *err)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	free(*where);
	*where = copy;
	return 0;
}

int option_bool(bool *where, const char *value, struct err *err)
{
	if (value != NULL && strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
		return err_set(err, -EINVAL, "'%s' is neither true nor false", value);
	*where = value == NULL || strcasecmp(value, "true") == 0;
	return 0;
}
