/* set_shuffle.c: sets that a shuffle makes. */
#include <inttypes.h>

#include "job/builtin.h"
#include "job/plan_check.h"
#include "job/set.h"

static Quern__ValueType type_of_reduction(const Quern__Function *f, Quern__ValueType otherwise)
{
	switch (code_reduction(f)) {
	case REDUCE_SUM_U64:
	case REDUCE_MIN_U64:
	case REDUCE_MAX_U64:
		return QUERN__VALUE_TYPE__U64;
	case REDUCE_SUM_I64:
	case REDUCE_MIN_I64:
	case REDUCE_MAX_I64:
		return QUERN__VALUE_TYPE__I64;
	case REDUCE_SUM_DOUBLE:
	case REDUCE_MIN_DOUBLE:
	case REDUCE_MAX_DOUBLE:
		return QUERN__VALUE_TYPE__DOUBLE;
	case REDUCE_CALL:
	default:
		return otherwise;
	}
}

quern_set *set_shuffled(quern_set *parent, uint32_t partitions)
{
	if (parent->error != NULL)
		return parent;
	quern_set *set = set_new(parent->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_SHUFFLED;
	set_types(set, parent);
	set->inputs[0].shuffle = set_shuffle_new(parent, partitions);
	set->n_inputs = 1;
	return set->inputs[0].shuffle != NULL ? set : &parent->job->no_memory;
}

/* What comes out of a group is often joined with what went into it (a loop does), even after an action has
 * had it: it had better be divided alike. */
static void divide_as_group(const struct set_shuffle *shuffle)
{
	const quern_set *from = shuffle->from;

	while (from->kind == SET_STEP)
		from = from->parent;
	if (from->kind == SET_GROUPED && from->group->kind != QUERN__GROUP__KIND__CROSS)
		(void)set_shuffles_agree(from->inputs[0].shuffle, shuffle);
}

/* false: there is no such order. */
static bool set_order(quern_set *set, unsigned order)
{
	if ((order & ~(unsigned)(QUERN_DESCENDING | QUERN_THEN_BY_VALUE)) != 0)
		return false;
	set->order.has_descending = set->order.descending = (order & QUERN_DESCENDING) != 0;
	set->order.has_by_value = set->order.by_value = (order & QUERN_THEN_BY_VALUE) != 0;
	set->order.has_key = set->order.has_value = true;
	set->order.key = set->key_type;
	set->order.value = set->value_type;
	return true;
}

bool set_ordered(quern_set *set, unsigned order)
{
	if (!set_order(set, order))
		return false;
	set->inputs[0].order = set->inputs[0].shuffle->order = &set->order;
	return true;
}

quern_set *quern_reduce_by_key(quern_set *parent, quern_reduce_fn *fn, const quern_slice *arg)
{
	quern_set *set = set_shuffled(parent, 0);
	const char *error;

	if (set->error != NULL)
		return set;
	if (!set_function(set->job, &set->fn, "quern_reduce_by_key", (code_fn *)fn, arg, &error))
		return set_wrong(parent->job, error);
	set->has_key = true;
	set->value_type = type_of_reduction(&set->fn, parent->value_type);
	set->inputs[0].reduce = set->inputs[0].shuffle->combine = &set->fn;
	divide_as_group(set->inputs[0].shuffle);
	return set;
}

/* Of equal records, which have become equal keys, one stays. */
quern_set *quern_distinct(quern_set *parent)
{
	quern_set *fused = set_plain_step(parent, QUERN__STEP__KIND__FUSE);
	quern_set *set =
		set_plain_step(quern_reduce_by_key(fused, quern_keep_first, NULL), QUERN__STEP__KIND__SPLIT);

	if (set->error == NULL)
		set_types(set, parent);
	return set;
}

/* What a shuffle does not make: a step that puts records in order. */
quern_set *quern_sort_partitions(quern_set *parent, unsigned order)
{
	quern_set *set = set_plain_step(parent, QUERN__STEP__KIND__SORT);

	if (set->error != NULL)
		return set;
	if (!set_order(set, order))
		return set_wrong(parent->job, "quern_sort_partitions(): no such order");
	set->step.order = &set->order;
	return set;
}

static quern_set *sorted(quern_set *parent, const char *what, unsigned order)
{
	quern_set *set = set_shuffled(parent, 0);

	if (set->error == NULL && !set_ordered(set, order))
		return set_wrong(
			parent->job, memory_format(&parent->job->memory, "%s(): no such order", what));
	return set;
}

quern_set *quern_sort_by_key(quern_set *parent, unsigned order)
{
	return sorted(parent, "quern_sort_by_key", order);
}

quern_set *quern_sort_by(quern_set *parent, quern_compare_fn *fn, unsigned order, const quern_slice *arg)
{
	quern_set *set = sorted(parent, "quern_sort_by", order);
	const char *error;

	if (set->error != NULL)
		return set;
	if (!set_function(set->job, &set->fn, "quern_sort_by", (code_fn *)fn, arg, &error))
		return set_wrong(parent->job, error);
	set->order.compare = &set->fn;
	return set;
}

/* The same shuffle under another name, divided anew. NULL: no memory. */
static struct set_shuffle *divide(const struct set_shuffle *old, uint32_t partitions)
{
	struct set_shuffle *shuffle = set_shuffle_new(old->from, partitions);

	if (shuffle == NULL)
		return NULL;
	shuffle->combine = old->combine;
	shuffle->order = old->order;
	return shuffle;
}

quern_set *quern_partitions(quern_set *from, uint32_t partitions)
{
	if (from->error != NULL)
		return from;
	/* A step of ours that belongs to the shuffle: distinct() and its like. */
	if (from->kind == SET_STEP && from->step.kind == QUERN__STEP__KIND__SPLIT) {
		quern_set *parent = quern_partitions(from->parent, partitions);
		quern_set *set = parent->error != NULL ? parent : set_copy(from);

		if (set->error == NULL)
			set->parent = parent;
		return set;
	}
	if (from->kind != SET_SHUFFLED && from->kind != SET_GROUPED)
		return set_wrong(from->job, "quern_partitions(): the set is not the result of a shuffle "
					    "(quern_reduce_by_key(), quern_sort_by_key(), quern_join() ...)");
	if (partitions == 0 || partitions > PLAN_PARTITIONS_MAX)
		return set_wrong(from->job, memory_format(&from->job->memory,
						    "quern_partitions(): %" PRIu32 " is not from 1 to %d",
						    partitions, PLAN_PARTITIONS_MAX));
	quern_set *set = set_copy(from);
	for (size_t i = 0; set->error == NULL && i < set->n_inputs; i++) {
		bool same = i > 0 && from->inputs[i].shuffle == from->inputs[0].shuffle;

		set->inputs[i].shuffle =
			same ? set->inputs[0].shuffle : divide(from->inputs[i].shuffle, partitions);
		if (set->inputs[i].shuffle == NULL)
			return &from->job->no_memory;
		(void)set_shuffles_agree(set->inputs[0].shuffle, set->inputs[i].shuffle); /* both are new */
	}
	return set;
}
