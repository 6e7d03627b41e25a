/* set.c: sources and transformations. Each makes a set, or one that carries the first mistake. */
#include <inttypes.h>

#include "job/graph.h"
#include "job/plan_check.h"

/* A set of `job`; the job's only one for this purpose when there is no memory. */
static quern_set *set_new(quern_job *job)
{
	quern_set *set = memory_take(&job->memory, sizeof(*set));

	if (set == NULL)
		return &job->no_memory;
	set->job = job;
	quern__function__init(&set->fn);
	return set;
}

static quern_set *set_wrong(quern_job *job, const char *error)
{
	quern_set *set = set_new(job);

	if (error == NULL)
		return &job->no_memory;
	if (set->error == NULL)
		set->error = error;
	return set;
}

static quern_set *set_copy(const quern_set *from)
{
	quern_set *set = set_new(from->job);

	if (set->error == NULL)
		*set = *from;
	return set;
}

/* Makes `set` call `fn`. false: a mistake, which stands in *ret_error (NULL: no memory). */
static bool set_function(
	quern_set *set, const char *what, code_fn *fn, const quern_slice *arg, const char **ret_error)
{
	struct memory *m = &set->job->memory;
	struct err err = { "" };

	*ret_error = NULL;
	if (fn == NULL || code_describe(set->job->code, fn, &set->fn, &err) < 0) {
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
	set->fn.has_arg = true;
	set->fn.arg.len = arg->len;
	set->fn.arg.data = memory_copy(m, arg->ptr, arg->len);
	return set->fn.arg.data != NULL;
}

quern_set *quern_text(quern_job *job, const char *path)
{
	if (path == NULL || *path == '\0')
		return set_wrong(job, path == NULL ? "quern_text(): the path is NULL: is an argument missing?"
						   : "quern_text(): the path is empty");
	quern_set *set = set_new(job);
	if (set->error != NULL)
		return set;
	set->kind = SET_TEXT;
	set->path = memory_copy(&job->memory, path, strlen(path));
	return set->path != NULL ? set : &job->no_memory;
}

static quern_set *step_new(quern_set *parent, const char *what, Quern__Step__Kind kind, bool pairs,
	code_fn *fn, const quern_slice *arg)
{
	const char *error;

	if (parent->error != NULL)
		return parent;
	quern_set *set = set_new(parent->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_STEP;
	set->parent = parent;
	set->step = kind;
	set->pairs = pairs;
	set->has_key = true; /* whether a record has one is the function's business */
	if (kind == QUERN__STEP__KIND__FILTER) {
		set->has_key = parent->has_key;
		set->key_type = parent->key_type;
		set->value_type = parent->value_type;
	}
	return set_function(set, what, fn, arg, &error) ? set : set_wrong(parent->job, error);
}

quern_set *quern_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg)
{
	return step_new(set, "quern_map", QUERN__STEP__KIND__MAP, false, (code_fn *)fn, arg);
}

quern_set *quern_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg)
{
	return step_new(set, "quern_map_pairs", QUERN__STEP__KIND__MAP, true, (code_fn *)fn, arg);
}

quern_set *quern_flat_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg)
{
	return step_new(set, "quern_flat_map", QUERN__STEP__KIND__FLAT_MAP, false, (code_fn *)fn, arg);
}

quern_set *quern_flat_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg)
{
	return step_new(set, "quern_flat_map_pairs", QUERN__STEP__KIND__FLAT_MAP, true, (code_fn *)fn, arg);
}

quern_set *quern_filter(quern_set *set, quern_filter_fn *fn, const quern_slice *arg)
{
	return step_new(set, "quern_filter", QUERN__STEP__KIND__FILTER, false, (code_fn *)fn, arg);
}

quern_set *quern_filter_pairs(quern_set *set, quern_filter_pair_fn *fn, const quern_slice *arg)
{
	return step_new(set, "quern_filter_pairs", QUERN__STEP__KIND__FILTER, true, (code_fn *)fn, arg);
}

quern_set *quern_persist(quern_set *parent, enum quern_storage storage)
{
	if (parent->error != NULL)
		return parent;
	if (storage != QUERN_MEMORY && storage != QUERN_MEMORY_COMPRESSED)
		return set_wrong(parent->job, "quern_persist(): no such storage");
	quern_set *set = set_new(parent->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_STEP;
	set->parent = parent;
	set->step = QUERN__STEP__KIND__CACHE;
	set->has_key = parent->has_key;
	set->key_type = parent->key_type;
	set->value_type = parent->value_type;
	set->cache = memory_take(&parent->job->memory, sizeof(*set->cache));
	if (set->cache == NULL)
		return &parent->job->no_memory;
	set->cache->id = parent->job->next_cache++;
	set->cache->compressed = storage == QUERN_MEMORY_COMPRESSED;
	return set;
}

void quern_unpersist(quern_set *set)
{
	if (set->error != NULL || set->cache == NULL || set->cache->dropped)
		return;
	set->cache->dropped = true;
	/* Without a driver nothing is kept either, and the next action says so. */
	if (set->job->runner.unpersist != NULL)
		(void)set->job->runner.unpersist(set->job->runner.arg, set->cache->id);
}

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

/* Gives `set` a shuffle of its own. */
static bool set_shuffle(quern_set *set, uint32_t partitions)
{
	struct set_shuffle *shuffle = memory_take(&set->job->memory, sizeof(*shuffle));

	if (shuffle == NULL)
		return false;
	shuffle->id = set->job->next_shuffle++;
	shuffle->stage = set->job->next_stage++;
	shuffle->partitions = partitions;
	set->shuffle = shuffle;
	return true;
}

quern_set *quern_reduce_by_key(quern_set *parent, quern_reduce_fn *fn, const quern_slice *arg)
{
	const char *error;

	if (parent->error != NULL)
		return parent;
	quern_set *set = set_new(parent->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_REDUCE;
	set->parent = parent;
	set->has_key = true;
	if (!set_function(set, "quern_reduce_by_key", (code_fn *)fn, arg, &error))
		return set_wrong(parent->job, error);
	set->key_type = parent->key_type;
	set->value_type = type_of_reduction(&set->fn, parent->value_type);
	return set_shuffle(set, 0) ? set : &parent->job->no_memory;
}

quern_set *quern_sort_by_key(quern_set *parent, unsigned order)
{
	if (parent->error != NULL)
		return parent;
	if ((order & ~(unsigned)(QUERN_DESCENDING | QUERN_THEN_BY_VALUE)) != 0)
		return set_wrong(parent->job, "quern_sort_by_key(): no such order");
	quern_set *set = set_new(parent->job);
	if (set->error != NULL)
		return set;
	set->kind = SET_SORT;
	set->parent = parent;
	set->has_key = parent->has_key;
	set->key_type = parent->key_type;
	set->value_type = parent->value_type;
	quern__order__init(&set->order);
	set->order.has_descending = set->order.descending = (order & QUERN_DESCENDING) != 0;
	set->order.has_by_value = set->order.by_value = (order & QUERN_THEN_BY_VALUE) != 0;
	set->order.has_key = set->order.has_value = true;
	set->order.key = parent->key_type;
	set->order.value = parent->value_type;
	return set_shuffle(set, 0) ? set : &parent->job->no_memory;
}

quern_set *quern_partitions(quern_set *from, uint32_t partitions)
{
	if (from->error != NULL)
		return from;
	if (!set_is_shuffled(from))
		return set_wrong(from->job, "quern_partitions(): the set is not the result of a shuffle "
					    "(quern_reduce_by_key(), quern_sort_by_key())");
	if (partitions == 0 || partitions > PLAN_PARTITIONS_MAX)
		return set_wrong(from->job, memory_format(&from->job->memory,
						    "quern_partitions(): %" PRIu32 " is not from 1 to %d",
						    partitions, PLAN_PARTITIONS_MAX));
	quern_set *set = set_copy(from);
	if (set->error != NULL)
		return set;
	return set_shuffle(set, partitions) ? set : &from->job->no_memory;
}

static bool type_known(enum quern_type t)
{
	return t == QUERN_BYTES || t == QUERN_U64 || t == QUERN_I64 || t == QUERN_DOUBLE;
}

quern_set *quern_typed(quern_set *from, enum quern_type key, enum quern_type value)
{
	if (from->error != NULL)
		return from;
	if (!type_known(key) || !type_known(value))
		return set_wrong(from->job, "quern_typed(): no such type");
	quern_set *set = set_copy(from);
	if (set->error == NULL) {
		set->key_type = (Quern__ValueType)key; /* the same numbers: plan.proto */
		set->value_type = (Quern__ValueType)value;
	}
	return set;
}
