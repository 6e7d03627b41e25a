/* set_divide.c: the same records in other partitions, which do not follow from the hashes of their keys: each
 * key is tagged with the partition's number, for as long as the record is under way (plan.proto: TAG). */
#include <inttypes.h>

#include "job/plan_check.h"
#include "job/set.h"

/* The parent's records, with tags; NULL: no memory. */
static quern_set *tagged(quern_set *parent, const char *what, uint32_t n, Quern__Step__Divide divide)
{
	if (parent->error != NULL)
		return parent;
	if (n == 0 || n > PLAN_PARTITIONS_MAX)
		return set_wrong(parent->job, memory_format(&parent->job->memory,
						      "%s(): %" PRIu32 " partitions are not from 1 to %d",
						      what, n, PLAN_PARTITIONS_MAX));
	quern_set *set = set_plain_step(parent, QUERN__STEP__KIND__TAG);
	if (set->error != NULL)
		return set;
	set->step.has_partitions = set->step.has_divide = true;
	set->step.partitions = n;
	set->step.divide = divide;
	return set;
}

/* The same by a function, or by hash. */
static quern_set *tagged_by(
	quern_set *parent, const char *what, uint32_t n, quern_partitioner_fn *fn, const quern_slice *arg)
{
	quern_set *set = tagged(
		parent, what, n, fn != NULL ? QUERN__STEP__DIVIDE__FUNCTION : QUERN__STEP__DIVIDE__HASH);
	const char *error;

	if (set->error != NULL || fn == NULL)
		return set;
	return set_function(set->job, &set->fn, what, (code_fn *)fn, arg, &error)
		       ? set
		       : set_wrong(set->job, error);
}

/* Tagged records in their partitions, as they were before, in the order that is known, or as they come. */
static quern_set *divided(quern_set *from, const char *what, const unsigned *order)
{
	quern_set *set = set_shuffled(from, from->step.partitions);

	if (set->error != NULL)
		return set;
	if (!set_ordered(set, order != NULL ? *order : QUERN_ASCENDING))
		return set_wrong(from->job, memory_format(&from->job->memory, "%s(): no such order", what));
	set->order.has_tagged = set->order.tagged = true;
	set->order.has_loose = set->order.loose = order == NULL;
	return set_plain_step(set, QUERN__STEP__KIND__UNTAG);
}

quern_set *quern_repartition(quern_set *set, uint32_t n)
{
	return divided(tagged(set, "quern_repartition", n, QUERN__STEP__DIVIDE__ROUND_ROBIN),
		"quern_repartition", NULL);
}

quern_set *quern_coalesce(quern_set *set, uint32_t n)
{
	return divided(tagged(set, "quern_coalesce", n, QUERN__STEP__DIVIDE__WHOLE), "quern_coalesce", NULL);
}

quern_set *quern_partition_by(quern_set *set, uint32_t n, quern_partitioner_fn *fn, const quern_slice *arg)
{
	if (fn == NULL && n <= PLAN_PARTITIONS_MAX)
		return set_shuffled(set, n);
	return divided(tagged_by(set, "quern_partition_by", n, fn, arg), "quern_partition_by", NULL);
}

quern_set *quern_partition_and_sort(
	quern_set *set, uint32_t n, quern_partitioner_fn *fn, const quern_slice *arg, unsigned order)
{
	return divided(
		tagged_by(set, "quern_partition_and_sort", n, fn, arg), "quern_partition_and_sort", &order);
}
