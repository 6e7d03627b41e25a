#include "job/set.h"

#include "job/plan_check.h"

quern_set *set_new(quern_job *job)
{
	quern_set *set = memory_take(&job->memory, sizeof(*set));

	if (set == NULL)
		return &job->no_memory;
	set->job = job;
	quern__step__init(&set->step);
	quern__function__init(&set->fn);
	quern__order__init(&set->order);
	return set;
}

quern_set *set_wrong(quern_job *job, const char *error)
{
	quern_set *set = set_new(job);

	if (error == NULL)
		return &job->no_memory;
	if (set->error == NULL)
		set->error = error;
	return set;
}

quern_set *set_copy(const quern_set *from)
{
	quern_set *set = set_new(from->job);

	if (set->error == NULL)
		*set = *from;
	return set;
}

bool set_function(quern_job *job, Quern__Function *f, const char *what, code_fn *fn, const quern_slice *arg,
	const char **ret_error)
{
	struct memory *m = &job->memory;
	struct err err = { "" };

	*ret_error = NULL;
	if (fn == NULL || code_describe(job->code, fn, f, &err) < 0) {
		*ret_error =
			memory_format(m, "%s(): %s", what, fn == NULL ? "the function is NULL" : err.text);
		return false;
	}
	if (arg == NULL)
		return true;
	if (arg->len > PLAN_ARG_MAX) {
		*ret_error = memory_format(
			m, "%s(): an argument of %zu bytes is more than %d", what, arg->len, PLAN_ARG_MAX);
		return false;
	}
	f->has_arg = true;
	f->arg.len = arg->len;
	f->arg.data = memory_copy(m, arg->ptr, arg->len);
	return f->arg.data != NULL;
}

void set_types(quern_set *set, const quern_set *from)
{
	set->has_key = from->has_key;
	set->key_type = from->key_type;
	set->value_type = from->value_type;
}

quern_set *set_plain_step(quern_set *parent, Quern__Step__Kind kind)
{
	if (parent->error != NULL)
		return parent;
	quern_set *set = set_new(parent->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_STEP;
	set->parent = parent;
	set->step.kind = kind;
	set_types(set, parent);
	return set;
}

quern_set *set_step(quern_set *parent, const char *what, Quern__Step__Kind kind, bool pairs, code_fn *fn,
	const quern_slice *arg)
{
	quern_set *set = set_plain_step(parent, kind);
	const char *error;

	if (set->error != NULL)
		return set;
	set->step.has_pairs = set->step.pairs = pairs;
	set->has_key = true; /* whether a record has one is the function's business */
	set->key_type = set->value_type = QUERN__VALUE_TYPE__BYTES;
	return set_function(set->job, &set->fn, what, fn, arg, &error) ? set : set_wrong(set->job, error);
}

struct set_shuffle *set_shuffle_new(quern_set *from, uint32_t partitions)
{
	quern_job *job = from->job;
	struct set_shuffle *shuffle = memory_take(&job->memory, sizeof(*shuffle));

	if (shuffle == NULL || (shuffle->seed = memory_take(&job->memory, sizeof(*shuffle->seed))) == NULL)
		return NULL;
	shuffle->id = shuffle->seed->id = job->next_shuffle++;
	shuffle->seed->partitions = partitions;
	shuffle->stage = job->next_stage++;
	shuffle->from = from;
	return shuffle;
}

bool set_shuffles_agree(const struct set_shuffle *a, const struct set_shuffle *b)
{
	struct set_seed *to = shuffle_seed(a), *from = shuffle_seed(b);

	if (to == from)
		return true;
	if (from->planned) {
		struct set_seed *other = to;

		to = from;
		from = other;
	}
	/* What an action had stays as it is; the driver's choice gives way to the job's. */
	if (from->planned || (from->partitions != to->partitions && from->partitions != 0 &&
				     (to->planned || to->partitions != 0)))
		return false;
	if (to->partitions == 0)
		to->partitions = from->partitions;
	from->same = to;
	return true;
}
