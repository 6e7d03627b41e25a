#include "job/pipe_check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int check_separator(protobuf_c_boolean there, const ProtobufCBinaryData *s, struct err *err)
{
	if (!there)
		return 0;
	if (s->len < 1 || s->len > PIPE_SEPARATOR_MAX)
		return err_set(err, -EBADMSG, "a separator of %zu bytes: it has 1 to %d", s->len,
			PIPE_SEPARATOR_MAX);
	return memchr(s->data, '\n', s->len) == NULL
		       ? 0
		       : err_set(err, -EBADMSG, "a separator with a newline, which ends a line");
}

static int check_variable(const char *s, struct err *err)
{
	const char *value = strchr(s, '=');

	if (value == NULL || value == s)
		return err_set(err, -EBADMSG, "'%.100s' is no variable: write NAME=value", s);
	if (strlen(s) > PIPE_COMMAND_MAX)
		return err_set(err, -EBADMSG, "the variable %.*s is longer than %d bytes",
			(int)(value - s < 100 ? value - s : 100), s, PIPE_COMMAND_MAX);
	return 0;
}

int pipe_check(const Quern__Pipe *p, struct err *err)
{
	if (p->command[strspn(p->command, " \t\n")] == '\0')
		return err_set(err, -EBADMSG, "the command is empty");
	if (strlen(p->command) > PIPE_COMMAND_MAX)
		return err_set(err, -EBADMSG, "the command is longer than %d bytes", PIPE_COMMAND_MAX);
	if (protobuf_c_enum_descriptor_get_value(&quern__value_type__descriptor, (int)p->key_type) == NULL ||
		protobuf_c_enum_descriptor_get_value(&quern__value_type__descriptor, (int)p->value_type) ==
			NULL)
		return err_set(err, -EBADMSG, "values of an unknown type");
	int r = check_separator(p->has_in_separator, &p->in_separator, err);
	if (r == 0)
		r = check_separator(p->has_out_separator, &p->out_separator, err);
	if (r == 0 && p->n_environment > PIPE_ENVIRONMENT_MAX)
		return err_set(err, -EBADMSG, "%zu variables are more than %d", p->n_environment,
			PIPE_ENVIRONMENT_MAX);
	for (size_t i = 0; r == 0 && i < p->n_environment; i++)
		r = check_variable(p->environment[i], err);
	return r;
}
