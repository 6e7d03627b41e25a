/* set_step.c: narrow transformations: a record of the new set needs one of the old ones. */
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
