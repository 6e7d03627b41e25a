/* set_pipe.c: what an external command makes of a set. */
#include "job/pipe_check.h"
#include "job/set.h"

/* false: no memory. */
static bool copy_separator(
	struct memory *m, const char *from, protobuf_c_boolean *ret_there, ProtobufCBinaryData *ret)
{
	if (from == NULL)
		return true;
	*ret_there = true;
	ret->len = strlen(from);
	ret->data = memory_copy(m, from, ret->len);
	return ret->data != NULL;
}

/* The same. */
static bool copy_environment(struct memory *m, const char *const *from, Quern__Pipe *ret)
{
	size_t n = 0;

	while (from != NULL && from[n] != NULL)
		n++;
	if (n == 0)
		return true;
	ret->environment = memory_take(m, n * sizeof(*ret->environment));
	if (ret->environment == NULL)
		return false;
	for (; ret->n_environment < n; ret->n_environment++) {
		const char *s = from[ret->n_environment];

		ret->environment[ret->n_environment] = memory_copy(m, s, strlen(s));
		if (ret->environment[ret->n_environment] == NULL)
			return false;
	}
	return true;
}

/* NULL: no memory. */
static Quern__Pipe *make_pipe(struct memory *m, const char *command, const struct quern_pipe_options *o)
{
	Quern__Pipe *p = memory_take(m, sizeof(*p));

	if (p == NULL)
		return NULL;
	quern__pipe__init(p);
	p->command = memory_copy(m, command, strlen(command));
	p->has_values = p->values = o->values;
	p->has_key_fields = o->key_fields > 0;
	p->key_fields = o->key_fields;
	return p->command != NULL &&
			       copy_separator(m, o->separator, &p->has_in_separator, &p->in_separator) &&
			       copy_separator(
				       m, o->key_separator, &p->has_out_separator, &p->out_separator) &&
			       copy_environment(m, o->environment, p)
		       ? p
		       : NULL;
}

quern_set *quern_pipe_with(quern_set *parent, const char *command, const struct quern_pipe_options *options)
{
	quern_set *set = set_plain_step(parent, QUERN__STEP__KIND__PIPE);
	struct err err = { "" };

	if (set->error != NULL)
		return set;
	if (command == NULL)
		return set_wrong(set->job, "quern_pipe(): the command is NULL");
	set->step.pipe = make_pipe(&set->job->memory, command, options);
	if (set->step.pipe == NULL)
		return &set->job->no_memory;
	if (pipe_check(set->step.pipe, &err) < 0)
		return set_wrong(set->job, memory_format(&set->job->memory, "quern_pipe(): %s", err.text));
	/* A key that no record has of itself, but an empty one from a shuffle, is not shown: as in saved
	 * text. */
	if (!parent->has_key)
		set->step.pipe->has_values = set->step.pipe->values = true;
	set->step.pipe->has_key_type = set->step.pipe->has_value_type = true;
	set->step.pipe->key_type = parent->key_type;
	set->step.pipe->value_type = parent->value_type;
	set->has_key = options->key_fields > 0;
	set->key_type = set->value_type = QUERN__VALUE_TYPE__BYTES;
	return set;
}

quern_set *quern_pipe(quern_set *parent, const char *command)
{
	return quern_pipe_with(parent, command, &(const struct quern_pipe_options){ 0 });
}
