/* set_fold.c: reductions by key whose results are something else than the values. */
#include "job/builtin.h"
#include "job/plan_check.h"
#include "job/set.h"

quern_set *set_fold(
	quern_set *parent, const char *what, quern_slice zero, quern_reduce_fn *fn, const quern_slice *arg)
{
	quern_set *set = set_step(parent, what, QUERN__STEP__KIND__FOLD, false, (code_fn *)fn, arg);

	if (set->error != NULL)
		return set;
	if (zero.len > PLAN_ARG_MAX)
		return set_wrong(set->job,
			memory_format(&set->job->memory, "%s(): a zero of %zu bytes is more than %d", what,
				zero.len, PLAN_ARG_MAX));
	set->has_key = parent->has_key;
	set->key_type = parent->key_type;
	set->step.has_zero = true;
	set->step.zero.len = zero.len;
	set->step.zero.data = memory_copy(&set->job->memory, zero.ptr, zero.len);
	return set->step.zero.data != NULL ? set : &set->job->no_memory;
}

quern_set *quern_aggregate_by_key(quern_set *set, quern_slice zero, quern_reduce_fn *add,
	quern_reduce_fn *merge, const quern_slice *arg)
{
	return quern_reduce_by_key(set_fold(set, "quern_aggregate_by_key", zero, add, arg), merge, arg);
}

quern_set *quern_fold_by_key(quern_set *set, quern_slice zero, quern_reduce_fn *fn, const quern_slice *arg)
{
	return quern_reduce_by_key(set_fold(set, "quern_fold_by_key", zero, fn, arg), fn, arg);
}

quern_set *quern_combine_by_key(
	quern_set *set, quern_map_fn *create, quern_reduce_fn *merge, const quern_slice *arg)
{
	quern_set *created = set_step(
		set, "quern_combine_by_key", QUERN__STEP__KIND__MAP_VALUES, false, (code_fn *)create, arg);

	if (created != set && created->error == NULL) {
		created->has_key = set->has_key;
		created->key_type = set->key_type;
	}
	return quern_reduce_by_key(created, merge, arg);
}

quern_set *quern_count_by_key(quern_set *set)
{
	QUERN_BUFFER(zero, 8);

	return quern_reduce_by_key(
		set_fold(set, "quern_count_by_key", quern_append_u64(&zero, 0), quern_count_one, NULL),
		quern_sum_u64, NULL);
}

quern_set *quern_count_by_value(quern_set *parent)
{
	quern_set *set = quern_map(parent, quern_count_value, NULL);

	if (set->error == NULL)
		set->key_type = parent->value_type;
	return quern_reduce_by_key(set, quern_sum_u64, NULL);
}
