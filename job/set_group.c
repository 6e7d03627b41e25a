/* set_group.c: sets that are made of others key by key: groups, joins, differences. Each reads shuffles by
 * hash, two that are divided alike. */
#include "job/set.h"

/* ---- Shuffles ---- */

/* The records of `set` as they are, through a shuffle by hash: the one that makes them, or one of its own. */
static bool by_hash(quern_set *set, struct set_input *ret)
{
	if (set->kind == SET_SHUFFLED && set->inputs[0].order == NULL) {
		*ret = set->inputs[0];
		return true;
	}
	if (set->by_hash == NULL)
		set->by_hash = set_shuffle_new(set, 0);
	*ret = (struct set_input){ .shuffle = set->by_hash };
	return set->by_hash != NULL;
}

/* Two that are divided alike. What makes the right set is left alone, and it has another shuffle, when the
 * two were divided in other ways already. */
static bool both_by_hash(quern_set *left, quern_set *right, struct set_input ret[2])
{
	if (!by_hash(left, &ret[0]) || !by_hash(right, &ret[1]))
		return false;
	if (set_shuffles_agree(ret[0].shuffle, ret[1].shuffle))
		return true;
	right->by_hash = set_shuffle_new(right, 0);
	ret[1] = (struct set_input){ .shuffle = right->by_hash };
	return right->by_hash != NULL && set_shuffles_agree(ret[0].shuffle, right->by_hash);
}

/* ---- Sets ---- */

/* `right`: NULL for a group of one. `fn`: as the kind has it, NULL for none. */
static quern_set *grouped(quern_set *left, quern_set *right, Quern__Group__Kind kind, const char *what,
	code_fn *fn, const quern_slice *arg)
{
	quern_job *job = left->job;
	const char *error;

	if (left->error != NULL || (right != NULL && right->error != NULL))
		return left->error != NULL ? left : right;
	if (right != NULL && right->job != job)
		return set_wrong(job, memory_format(&job->memory, "%s(): the sets are of two jobs", what));
	quern_set *set = set_new(job);
	Quern__Group *group = memory_take(&job->memory, sizeof(*group));
	if (set->error != NULL || group == NULL)
		return &job->no_memory;
	quern__group__init(group);
	group->kind = kind;
	if (fn != NULL && !set_function(job, &set->fn, what, fn, arg, &error))
		return set_wrong(job, error);
	group->function = fn != NULL ? &set->fn : NULL;
	set->kind = SET_GROUPED;
	set->group = group;
	set->has_key = true;
	set->n_inputs = right != NULL ? 2 : 1;
	if (right != NULL ? !both_by_hash(left, right, set->inputs) : !by_hash(left, &set->inputs[0]))
		return &job->no_memory;
	return set;
}

/* The same for what cannot be without a function. */
static quern_set *called(quern_set *left, quern_set *right, Quern__Group__Kind kind, const char *what,
	code_fn *fn, const quern_slice *arg)
{
	quern_job *job = left->job;

	if (fn != NULL || left->error != NULL || (right != NULL && right->error != NULL))
		return grouped(left, right, kind, what, fn, arg);
	return set_wrong(job, memory_format(&job->memory, "%s(): the function is NULL", what));
}

quern_set *quern_group_by_key(quern_set *set, quern_group_fn *fn, const quern_slice *arg)
{
	return called(set, NULL, QUERN__GROUP__KIND__GROUP, "quern_group_by_key", (code_fn *)fn, arg);
}

quern_set *quern_cogroup(quern_set *left, quern_set *right, quern_cogroup_fn *fn, const quern_slice *arg)
{
	return called(left, right, QUERN__GROUP__KIND__COGROUP, "quern_cogroup", (code_fn *)fn, arg);
}

/* Without a function keys stay as they are. */
static quern_set *joined(quern_set *left, quern_set *right, Quern__Group__Kind kind, const char *what,
	quern_join_fn *fn, const quern_slice *arg)
{
	quern_set *set = grouped(left, right, kind, what, (code_fn *)fn, arg);

	if (set->error == NULL && fn == NULL && left->key_type == right->key_type)
		set->key_type = left->key_type;
	return set;
}

quern_set *quern_join(quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg)
{
	return joined(left, right, QUERN__GROUP__KIND__JOIN, "quern_join", fn, arg);
}

quern_set *quern_left_outer_join(quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg)
{
	return joined(left, right, QUERN__GROUP__KIND__LEFT_JOIN, "quern_left_outer_join", fn, arg);
}

quern_set *quern_right_outer_join(
	quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg)
{
	return joined(left, right, QUERN__GROUP__KIND__RIGHT_JOIN, "quern_right_outer_join", fn, arg);
}

quern_set *quern_full_outer_join(quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg)
{
	return joined(left, right, QUERN__GROUP__KIND__FULL_JOIN, "quern_full_outer_join", fn, arg);
}

quern_set *quern_subtract_by_key(quern_set *left, quern_set *right)
{
	quern_set *set =
		grouped(left, right, QUERN__GROUP__KIND__SUBTRACT, "quern_subtract_by_key", NULL, NULL);

	if (set->error == NULL)
		set_types(set, left);
	return set;
}

/* ---- Whole records: they are the keys ---- */

static quern_set *whole(quern_set *a, quern_set *b, Quern__Group__Kind kind, const char *what)
{
	quern_set *keys = grouped(set_plain_step(a, QUERN__STEP__KIND__FUSE),
		set_plain_step(b, QUERN__STEP__KIND__FUSE), kind, what, NULL, NULL);
	quern_set *set = set_plain_step(keys, QUERN__STEP__KIND__SPLIT);

	if (set->error == NULL)
		set_types(set, a);
	return set;
}

quern_set *quern_intersection(quern_set *a, quern_set *b)
{
	return whole(a, b, QUERN__GROUP__KIND__INTERSECT, "quern_intersection");
}

quern_set *quern_subtract(quern_set *left, quern_set *right)
{
	return whole(left, right, QUERN__GROUP__KIND__SUBTRACT, "quern_subtract");
}

/* ---- All pairs ---- */

static quern_set *cells(quern_set *from, bool columns)
{
	quern_set *set = set_plain_step(from, QUERN__STEP__KIND__CELLS);

	if (set->error == NULL)
		set->step.has_columns = set->step.columns = columns;
	return set;
}

quern_set *quern_cartesian(quern_set *left, quern_set *right, quern_cartesian_fn *fn, const quern_slice *arg)
{
	return called(cells(left, false), cells(right, true), QUERN__GROUP__KIND__CROSS, "quern_cartesian",
		(code_fn *)fn, arg);
}
