/* set_step.c: narrow transformations: a record of the new set needs one of the old ones. */
#include "job/plan_check.h"
#include "job/set.h"

quern_set *quern_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg)
{
	return set_step(set, "quern_map", QUERN__STEP__KIND__MAP, false, (code_fn *)fn, arg);
}

quern_set *quern_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg)
{
	return set_step(set, "quern_map_pairs", QUERN__STEP__KIND__MAP, true, (code_fn *)fn, arg);
}

quern_set *quern_flat_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg)
{
	return set_step(set, "quern_flat_map", QUERN__STEP__KIND__FLAT_MAP, false, (code_fn *)fn, arg);
}

quern_set *quern_flat_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg)
{
	return set_step(set, "quern_flat_map_pairs", QUERN__STEP__KIND__FLAT_MAP, true, (code_fn *)fn, arg);
}

/* What stays is as it was. */
static quern_set *filter(quern_set *parent, const char *what, bool pairs, code_fn *fn, const quern_slice *arg)
{
	quern_set *set = set_step(parent, what, QUERN__STEP__KIND__FILTER, pairs, fn, arg);

	if (set->error == NULL)
		set_types(set, parent);
	return set;
}

quern_set *quern_filter(quern_set *set, quern_filter_fn *fn, const quern_slice *arg)
{
	return filter(set, "quern_filter", false, (code_fn *)fn, arg);
}

quern_set *quern_filter_pairs(quern_set *set, quern_filter_pair_fn *fn, const quern_slice *arg)
{
	return filter(set, "quern_filter_pairs", true, (code_fn *)fn, arg);
}

/* Keys stay as they were. */
static quern_set *map_values(
	quern_set *parent, const char *what, Quern__Step__Kind kind, quern_map_fn *fn, const quern_slice *arg)
{
	quern_set *set = set_step(parent, what, kind, false, (code_fn *)fn, arg);

	if (set->error == NULL) {
		set->has_key = parent->has_key;
		set->key_type = parent->key_type;
	}
	return set;
}

quern_set *quern_map_values(quern_set *set, quern_map_fn *fn, const quern_slice *arg)
{
	return map_values(set, "quern_map_values", QUERN__STEP__KIND__MAP_VALUES, fn, arg);
}

quern_set *quern_flat_map_values(quern_set *set, quern_map_fn *fn, const quern_slice *arg)
{
	return map_values(set, "quern_flat_map_values", QUERN__STEP__KIND__FLAT_MAP_VALUES, fn, arg);
}

quern_set *quern_map_partitions(quern_set *set, quern_partition_fn *fn, const quern_slice *arg)
{
	return set_step(
		set, "quern_map_partitions", QUERN__STEP__KIND__MAP_PARTITIONS, true, (code_fn *)fn, arg);
}

quern_set *quern_sample(quern_set *parent, bool with_replacement, double fraction, uint64_t seed)
{
	if (parent->error != NULL)
		return parent;
	double most = with_replacement ? PLAN_FRACTION_MAX : 1;
	if (!(fraction >= 0 && fraction <= most))
		return set_wrong(parent->job,
			memory_format(&parent->job->memory,
				"quern_sample(): a fraction of %g is not from 0 to %g", fraction, most));
	quern_set *set = set_plain_step(parent, QUERN__STEP__KIND__SAMPLE);
	if (set->error != NULL)
		return set;
	Quern__Sampling *sampling = memory_take(&parent->job->memory, sizeof(*sampling));
	if (sampling == NULL)
		return &parent->job->no_memory;
	quern__sampling__init(sampling);
	sampling->fraction = fraction;
	sampling->has_with_replacement = sampling->with_replacement = with_replacement;
	sampling->has_seed = true;
	sampling->seed = seed;
	set->step.sampling = sampling;
	return set;
}

/* The numbers are there when an action begins (action.c). */
quern_set *quern_zip_with_index(quern_set *parent, quern_zip_fn *fn, const quern_slice *arg)
{
	if (fn != NULL)
		return set_step(
			parent, "quern_zip_with_index", QUERN__STEP__KIND__ZIP, true, (code_fn *)fn, arg);
	quern_set *set = set_plain_step(parent, QUERN__STEP__KIND__ZIP);
	if (set->error == NULL) {
		set->has_key = true;
		set->key_type = QUERN__VALUE_TYPE__U64;
	}
	return set;
}

/* Types are known where both sides agree. */
quern_set *quern_union(quern_set *a, quern_set *b)
{
	if (a->error != NULL || b->error != NULL)
		return a->error != NULL ? a : b;
	if (a->job != b->job)
		return set_wrong(a->job, "quern_union(): the sets are of two jobs");
	quern_set *set = set_new(a->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_UNION;
	set->parents = memory_take(&a->job->memory, 2 * sizeof(*set->parents));
	if (set->parents == NULL)
		return &a->job->no_memory;
	set->n_parents = 2;
	set->parents[0] = a;
	set->parents[1] = b;
	set_types(set, a);
	set->has_key = a->has_key || b->has_key;
	if (a->key_type != b->key_type)
		set->key_type = QUERN__VALUE_TYPE__BYTES;
	if (a->value_type != b->value_type)
		set->value_type = QUERN__VALUE_TYPE__BYTES;
	return set;
}
