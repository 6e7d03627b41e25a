/* The plans of sets whose partitions are divided anew or whose records are numbered, and what runs before
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/job/runner_kit.h"

/* The branch of a stage of the last run. */
static const Quern__Branch *branch_of(const struct runner *x, size_t stage, size_t branch)
{
	const Quern__Run *run = x->runs[x->n_runs - 1];

	assert_true(stage < run->n_stages && branch < run->stages[stage]->n_branches);
	return run->stages[stage]->branches[branch];
}

static const Quern__Sink *sink_of(const struct runner *x, size_t stage)
{
	return x->runs[x->n_runs - 1]->stages[stage]->sink;
}

static void partitions_need_no_sample(void **state)
{
	struct runner *x = *state;
	quern_set *text = quern_text(&x->job, "in");
	quern_set *sets[] = { quern_repartition(text, 5), quern_coalesce(text, 5),
		quern_partition_by(text, 5, x->f->first, NULL),
		quern_partition_and_sort(text, 5, NULL, NULL, QUERN_DESCENDING) };
	const Quern__Step__Divide divides[] = { QUERN__STEP__DIVIDE__ROUND_ROBIN, QUERN__STEP__DIVIDE__WHOLE,
		QUERN__STEP__DIVIDE__FUNCTION, QUERN__STEP__DIVIDE__HASH };
	uint64_t n;

	for (size_t i = 0; i < 4; i++) {
		runner_forget_runs(x);
		assert_int_equal(quern_count(sets[i], &n), 0);
		assert_int_equal(x->n_runs, 1);
		const Quern__Branch *tags = branch_of(x, 0, 0), *back = branch_of(x, 1, 0);
		assert_int_equal(tags->n_steps, 1);
		assert_int_equal(tags->steps[0]->kind, QUERN__STEP__KIND__TAG);
		assert_int_equal(tags->steps[0]->divide, divides[i]);
		assert_int_equal(tags->steps[0]->partitions, 5);
		assert_int_equal(tags->steps[0]->function != NULL, i == 2);
		assert_int_equal(sink_of(x, 0)->partitions, 5);
		assert_true(sink_of(x, 0)->order->tagged);
		assert_int_equal(sink_of(x, 0)->order->loose != 0, i != 3);
		assert_int_equal(sink_of(x, 0)->order->descending != 0, i == 3);
		assert_int_equal(back->n_steps, 1);
		assert_int_equal(back->steps[0]->kind, QUERN__STEP__KIND__UNTAG);
	}
}

/* Which branches its partitions are of. */
static void a_coalesced_union_knows_its_branches(void **state)
{
	struct runner *x = *state;
	quern_set *a = quern_text(&x->job, "a"), *b = quern_text(&x->job, "b"), *c = quern_text(&x->job, "c");
	quern_set *set = quern_union(a, quern_coalesce(quern_union(b, c), 2));
	uint64_t n;

	assert_int_equal(quern_count(set, &n), 0);
	for (size_t i = 0; i < 2; i++) {
		const Quern__Step *s = branch_of(x, 0, i)->steps[0];

		assert_int_equal(s->first, 0);
		assert_int_equal(s->branches, 2);
	}
	/* Behind another branch of the same stage. */
	set = quern_sort_by_key(quern_union(a, quern_map_partitions(quern_union(b, c), x->f->pass_on, NULL)),
		QUERN_ASCENDING);
	assert_int_equal(quern_count(quern_coalesce(quern_partitions(set, 1), 1), &n), 0);
	assert_int_equal(branch_of(x, 0, 0)->n_steps, 0);
	assert_int_equal(branch_of(x, 0, 1)->steps[0]->first, 1);
	assert_int_equal(branch_of(x, 0, 2)->steps[0]->first, 1);
}

static void types_stay_where_they_can(void **state)
{
	struct runner *x = *state;
	quern_set *set = quern_typed(quern_text(&x->job, "in"), QUERN_I64, QUERN_DOUBLE);
	quern_set *same[] = { quern_repartition(set, 2), quern_coalesce(set, 2),
		quern_partition_by(set, 2, x->f->first, NULL),
		quern_partition_and_sort(set, 2, NULL, NULL, QUERN_THEN_BY_VALUE),
		quern_sample(set, true, 2, 3), quern_distinct(set) };

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_null(same[i]->error);
		assert_int_equal(same[i]->key_type, QUERN__VALUE_TYPE__I64);
		assert_int_equal(same[i]->value_type, QUERN__VALUE_TYPE__DOUBLE);
	}
	quern_set *values = quern_map_values(set, x->f->words, NULL);
	assert_int_equal(values->key_type, QUERN__VALUE_TYPE__I64);
	assert_int_equal(values->value_type, QUERN__VALUE_TYPE__BYTES);
	quern_set *zipped = quern_zip_with_index(set, NULL, NULL);
	assert_int_equal(zipped->key_type, QUERN__VALUE_TYPE__U64);
	assert_int_equal(zipped->value_type, QUERN__VALUE_TYPE__DOUBLE);
	assert_true(zipped->has_key);
}

static void assert_starts(const Quern__Step *step, const uint64_t *starts, size_t n)
{
	assert_int_equal(step->kind, QUERN__STEP__KIND__ZIP);
	assert_int_equal(step->n_starts, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(step->starts[i], starts[i]);
}

/* Each action counts: the input may be another one then. */
static void numbers_are_counted_first(void **state)
{
	struct runner *x = *state;
	quern_set *zipped = quern_zip_with_index(quern_text(&x->job, "in"), x->f->number, NULL);
	uint64_t n;

	x->numbers = (const uint64_t[]){ 3, 0, 4 };
	x->partitions = 3;
	assert_int_equal(quern_count(zipped, &n), 0);
	assert_int_equal(x->n_runs, 2);
	assert_int_equal(x->runs[0]->stages[0]->sink->kind, QUERN__SINK__KIND__COUNT);
	assert_int_equal(x->runs[0]->stages[0]->branches[0]->n_steps, 0);
	assert_true(x->runs[0]->goes_on);
	assert_false(x->runs[1]->goes_on);
	assert_starts(branch_of(x, 0, 0)->steps[0], (const uint64_t[]){ 0, 3, 3, 7 }, 4);

	x->numbers = (const uint64_t[]){ 1, 1, 1, 1 };
	x->partitions = 4;
	assert_int_equal(quern_count(quern_zip_with_index(zipped, NULL, NULL), &n), 0);
	assert_int_equal(x->n_runs, 5); /* what the second counts is numbered itself */
	assert_starts(branch_of(x, 0, 0)->steps[0], (const uint64_t[]){ 0, 1, 2, 3, 4 }, 5);
	assert_starts(branch_of(x, 0, 0)->steps[1], (const uint64_t[]){ 0, 1, 2, 3, 4 }, 5);

	x->partitions = 0;
	assert_int_equal(quern_count(zipped, &n), 0);
	assert_starts(branch_of(x, 0, 0)->steps[0], (const uint64_t[]){ 0 }, 1);
}

static void numbers_before_a_shuffle_are_those_of_the_first_time(void **state)
{
	struct runner *x = *state;
	quern_set *zipped = quern_zip_with_index(quern_text(&x->job, "in"), NULL, NULL);
	quern_set *moved = quern_repartition(zipped, 2);
	uint64_t n;

	x->numbers = (const uint64_t[]){ 3, 5 };
	x->partitions = 2;
	assert_int_equal(quern_count(moved, &n), 0);
	assert_int_equal(x->n_runs, 2);
	x->numbers = (const uint64_t[]){ 9, 9 };
	assert_int_equal(quern_count(moved, &n), 0);
	assert_int_equal(x->n_runs, 3);
	assert_starts(branch_of(x, 0, 0)->steps[0], (const uint64_t[]){ 0, 3, 8 }, 3);
}

static void numbers_before_what_is_persisted_stay(void **state)
{
	struct runner *x = *state;
	quern_set *zipped = quern_zip_with_index(quern_text(&x->job, "in"), NULL, NULL);
	quern_set *kept = quern_persist(zipped, QUERN_MEMORY);
	uint64_t n;

	x->numbers = (const uint64_t[]){ 3, 5 };
	x->partitions = 2;
	assert_int_equal(quern_count(kept, &n), 0);
	assert_int_equal(x->n_runs, 2);
	assert_int_equal(quern_count(kept, &n), 0);
	assert_int_equal(x->n_runs, 3);
	assert_starts(branch_of(x, 0, 0)->steps[0], (const uint64_t[]){ 0, 3, 8 }, 3);
	quern_unpersist(kept);
	x->numbers = (const uint64_t[]){ 4, 5 };
	assert_int_equal(quern_count(kept, &n), 0);
	assert_int_equal(x->n_runs, 5);
	assert_starts(branch_of(x, 0, 0)->steps[0], (const uint64_t[]){ 0, 4, 9 }, 3);
}

static int any(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)value, (void)arg;
	return 0;
}

static void taking_counts_once(void **state)
{
	struct runner *x = *state;
	quern_set *zipped = quern_zip_with_index(quern_text(&x->job, "in"), NULL, NULL);

	/* Eight bytes of records: 0 0 is an empty one, four of them. */
	x->numbers = (const uint64_t[]){ 0, 0, 0, 0, 0, 0, 0, 0 };
	x->partitions = 1;
	assert_int_equal(quern_take(zipped, 6, any, NULL), 0);
	assert_int_equal(x->n_runs, 3);
	assert_int_equal(x->runs[0]->stages[0]->sink->kind, QUERN__SINK__KIND__COUNT);
	assert_int_equal(x->runs[1]->stages[0]->sink->kind, QUERN__SINK__KIND__COLLECT);
	assert_int_equal(x->runs[2]->stages[0]->sink->kind, QUERN__SINK__KIND__COLLECT);
}

static void a_count_that_is_none_fails_the_action(void **state)
{
	struct runner *x = *state;
	quern_set *zipped = quern_zip_with_index(quern_text(&x->job, "in"), NULL, NULL);
	uint64_t n;

	x->numbers = (const uint64_t[]){ 3 };
	x->partitions = 1;
	x->len = 7;
	assert_int_not_equal(quern_count(zipped, &n), 0);
	assert_int_equal(x->n_runs, 1);
}

static void foreach_is_a_step_that_gives_nothing(void **state)
{
	struct runner *x = *state;
	quern_set *text = quern_text(&x->job, "in");

	assert_int_equal(quern_foreach_partition(text, x->f->pass_on, NULL), 0);
	assert_int_equal(branch_of(x, 0, 0)->steps[0]->kind, QUERN__STEP__KIND__MAP_PARTITIONS);
	assert_int_equal(sink_of(x, 0)->kind, QUERN__SINK__KIND__COUNT);
	assert_int_not_equal(quern_foreach(text, NULL, NULL), 0);
	assert_int_equal(x->n_runs, 1);
}

static void distinct_records_are_keys_for_a_while(void **state)
{
	struct runner *x = *state;
	uint64_t n;

	assert_int_equal(quern_count(quern_distinct(quern_text(&x->job, "in")), &n), 0);
	assert_int_equal(branch_of(x, 0, 0)->steps[0]->kind, QUERN__STEP__KIND__FUSE);
	assert_string_equal(sink_of(x, 0)->combine->builtin, "quern_keep_first");
	assert_string_equal(branch_of(x, 1, 0)->source->shuffles[0]->reduce->builtin, "quern_keep_first");
	assert_int_equal(branch_of(x, 1, 0)->steps[0]->kind, QUERN__STEP__KIND__SPLIT);

	/* Behind it, as behind any other shuffle, the job may say how many partitions there are. */
	assert_int_equal(quern_count(quern_partitions(quern_distinct(quern_text(&x->job, "in")), 7), &n), 0);
	assert_int_equal(sink_of(x, 0)->partitions, 7);
	assert_int_equal(branch_of(x, 1, 0)->steps[0]->kind, QUERN__STEP__KIND__SPLIT);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, runner_setup, runner_teardown)
	const struct CMUnitTest tests[] = {
		test(partitions_need_no_sample),
		test(a_coalesced_union_knows_its_branches),
		test(types_stay_where_they_can),
		test(numbers_are_counted_first),
		test(numbers_before_a_shuffle_are_those_of_the_first_time),
		test(numbers_before_what_is_persisted_stay),
		test(taking_counts_once),
		test(a_count_that_is_none_fails_the_action),
		test(foreach_is_a_step_that_gives_nothing),
		test(distinct_records_are_keys_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
