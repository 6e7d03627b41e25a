/* What groups and joins become in a plan: which shuffles they read, and what is moved for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "job/stages.h"
#include "tests/job/runner_kit.h"

/* Nothing is run. */
struct fixture {
	struct runner runner;
	struct memory memory; /* of plans */
	quern_set *left, *right;
};

static quern_set *words_of(struct runner *x, const char *path)
{
	return quern_flat_map(quern_text(&x->job, path), x->f->words, NULL);
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -1;
	runner_open(&x->runner);
	x->left = words_of(&x->runner, "left");
	x->right = words_of(&x->runner, "right");
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	runner_close(&x->runner);
	memory_deinit(&x->memory);
	free(x);
	return 0;
}

/* What a count of the set would run, as an action does. */
static const Quern__Run *plan(struct fixture *x, quern_set *set)
{
	Quern__Sink count = QUERN__SINK__INIT;
	struct err err = { "" };
	Quern__Run *run = NULL;

	if (set->error != NULL)
		fail_msg("%s", set->error);
	count.kind = QUERN__SINK__KIND__COUNT;
	assert_int_equal(stages_cut(set, &count, &x->memory, &run, &err), 0);
	if (plan_check(run, NULL, 0, &err) < 0)
		fail_msg("%s", err.text);
	return run;
}

/* Where the last stage gets its records. */
static const Quern__Source *last_source(const Quern__Run *run)
{
	const Quern__Stage *last = run->stages[run->n_stages - 1];

	assert_int_equal(last->n_branches, 1);
	return last->branches[0]->source;
}

static const Quern__Sink *writer(const Quern__Run *run, uint32_t shuffle)
{
	for (size_t i = 0; i < run->n_stages; i++)
		if (run->stages[i]->sink->has_shuffle && run->stages[i]->sink->shuffle == shuffle)
			return run->stages[i]->sink;
	fail_msg("nothing writes shuffle %u", shuffle);
	return NULL;
}

static quern_set *counts(const struct fixture *x, quern_set *set)
{
	(void)x;
	return quern_reduce_by_key(set, quern_sum_u64, NULL);
}

static void a_join_moves_both_sides_alike(void **state)
{
	struct fixture *x = *state;
	const Quern__Run *run = plan(x, quern_join(x->left, x->right, NULL, NULL));
	const Quern__Source *source = last_source(run);

	assert_int_equal(run->n_stages, 3);
	assert_int_equal(source->n_shuffles, 2);
	assert_int_equal(source->group->kind, QUERN__GROUP__KIND__JOIN);
	assert_null(source->group->function);
	assert_true(source->shuffles[0]->shuffle != source->shuffles[1]->shuffle);
	for (size_t i = 0; i < 2; i++) {
		const Quern__Sink *sink = writer(run, source->shuffles[i]->shuffle);

		assert_null(sink->combine);
		assert_null(sink->order);
		assert_int_equal(sink->seed, source->shuffles[0]->seed);
		assert_false(sink->has_partitions);
	}
}

static void a_set_with_itself_is_moved_once(void **state)
{
	struct fixture *x = *state;
	const Quern__Run *run = plan(x, quern_join(x->left, x->left, NULL, NULL));
	const Quern__Source *source = last_source(run);

	assert_int_equal(run->n_stages, 2);
	assert_int_equal(source->shuffles[0]->shuffle, source->shuffles[1]->shuffle);
	/* Divided otherwise as well. */
	run = plan(x, quern_partitions(quern_join(x->left, x->left, NULL, NULL), 7));
	assert_int_equal(run->n_stages, 2);
	assert_int_equal(run->stages[0]->sink->partitions, 7);
}

static void what_was_moved_for_one_group_is_there_for_the_next(void **state)
{
	struct fixture *x = *state;
	const Quern__Run *run = plan(x, quern_join(x->left, x->right, NULL, NULL));
	const uint32_t shuffle = last_source(run)->shuffles[0]->shuffle;

	run = plan(x, quern_group_by_key(x->left, (quern_group_fn *)(code_fn *)x->runner.f->words, NULL));
	assert_int_equal(run->n_stages, 2);
	assert_int_equal(last_source(run)->n_shuffles, 1);
	assert_int_equal(last_source(run)->shuffles[0]->shuffle, shuffle);
	assert_int_equal(last_source(run)->group->kind, QUERN__GROUP__KIND__GROUP);
}

static void what_is_reduced_is_read_where_it_is(void **state)
{
	struct fixture *x = *state;
	const Quern__Run *run = plan(x, quern_left_outer_join(counts(x, x->left), x->right, NULL, NULL));
	const Quern__Source *source = last_source(run);

	assert_int_equal(run->n_stages, 3);
	assert_string_equal(source->shuffles[0]->reduce->builtin, "quern_sum_u64");
	assert_null(source->shuffles[1]->reduce);
	assert_non_null(writer(run, source->shuffles[0]->shuffle)->combine);
	/* A sort is not by hash: its records are moved. */
	run = plan(x, quern_join(quern_sort_by_key(x->left, QUERN_ASCENDING), x->right, NULL, NULL));
	assert_int_equal(run->n_stages, 4);
	/* What was done with it since may have changed the keys. */
	run = plan(x, quern_join(quern_map_pairs(counts(x, x->left), x->runner.f->swap, NULL), x->right, NULL,
			      NULL));
	assert_int_equal(run->n_stages, 4);
}

/* Each round adds one shuffle, whether actions come in between or not. */
static void a_loop_moves_what_is_new(void **state)
{
	struct fixture *x = *state;

	for (int act = 0; act < 2; act++) {
		quern_set *links = quern_map_pairs(x->left, x->runner.f->swap, NULL);
		quern_set *ranks = quern_map_pairs(x->right, x->runner.f->swap, NULL);

		for (size_t i = 1; i <= 5; i++) {
			ranks = counts(x, quern_join(links, ranks, NULL, NULL));
			if (act != 0)
				assert_int_equal(plan(x, ranks)->n_stages, i + 3);
		}
		assert_int_equal(plan(x, ranks)->n_stages, 5 + 3);
	}
}

static void the_jobs_number_of_partitions_counts_for_both(void **state)
{
	struct fixture *x = *state;
	quern_set *three = quern_partitions(counts(x, x->left), 3);
	const Quern__Run *run = plan(x, quern_join(x->right, three, NULL, NULL));

	assert_int_equal(run->n_stages, 3);
	assert_int_equal(run->stages[0]->sink->partitions, 3);
	assert_int_equal(run->stages[1]->sink->partitions, 3);
	assert_int_equal(run->stages[0]->sink->seed, run->stages[1]->sink->seed);
}

/* The right one of two that were divided otherwise is moved once more. */
static void what_cannot_agree_is_moved(void **state)
{
	struct fixture *x = *state;
	quern_set *three = quern_partitions(counts(x, x->left), 3);
	quern_set *two = quern_partitions(counts(x, x->right), 2);
	const Quern__Run *run = plan(x, quern_join(three, two, NULL, NULL));

	assert_int_equal(run->n_stages, 4);
	assert_int_equal(writer(run, last_source(run)->shuffles[1]->shuffle)->partitions, 3);
	assert_null(last_source(run)->shuffles[1]->reduce);
	/* The same for what actions have had already; but what none has had follows. */
	quern_set *a = counts(x, x->left), *b = counts(x, x->right), *c = counts(x, x->right);
	(void)plan(x, a);
	(void)plan(x, b);
	assert_int_equal(plan(x, quern_join(a, b, NULL, NULL))->n_stages, 4);
	assert_int_equal(plan(x, quern_join(a, b, NULL, NULL))->n_stages, 4);
	assert_int_equal(plan(x, quern_join(a, c, NULL, NULL))->n_stages, 3);
	/* The driver has chosen for `a`: the job cannot have 5 of it any more. */
	quern_set *five = quern_partitions(counts(x, x->right), 5);
	assert_int_equal(plan(x, quern_join(a, five, NULL, NULL))->n_stages, 4);
}

static void shuffles_that_agree_all_do(void **state)
{
	struct fixture *x = *state;
	quern_set *a = counts(x, x->left), *b = counts(x, x->left), *c = counts(x, x->right),
		  *d = counts(x, x->right);

	(void)quern_join(a, b, NULL, NULL);
	(void)quern_join(c, d, NULL, NULL);
	(void)quern_join(b, c, NULL, NULL);
	(void)plan(x, d);
	const Quern__Run *run = plan(x, quern_join(a, d, NULL, NULL));
	assert_int_equal(run->n_stages, 3);
	assert_int_equal(run->stages[0]->sink->seed, run->stages[1]->sink->seed);
}

static void assert_wrong(const quern_set *set, const char *words)
{
	assert_non_null(set->error);
	if (strstr(set->error, words) == NULL)
		fail_msg("no '%s' in: %s", words, set->error);
}

static void mistakes_are_kept(void **state)
{
	struct fixture *x = *state;
	quern_set *wrong = quern_text(&x->runner.job, "");
	quern_job other;

	assert_wrong(quern_group_by_key(x->left, NULL, NULL), "quern_group_by_key(): the function is NULL");
	assert_wrong(quern_cogroup(x->left, x->right, NULL, NULL), "quern_cogroup(): the function is NULL");
	assert_wrong(quern_group_by_key(wrong, NULL, NULL), "path is empty");
	assert_wrong(quern_join(x->left, wrong, NULL, NULL), "path is empty");
	assert_wrong(quern_full_outer_join(wrong, x->left, NULL, NULL), "path is empty");
	assert_wrong(quern_subtract_by_key(wrong, x->left), "path is empty");
	assert_wrong(quern_right_outer_join(x->left, x->right, (quern_join_fn *)(code_fn *)strlen, NULL),
		"quern_right_outer_join()");
	assert_wrong(
		quern_sort_by(x->left, NULL, QUERN_ASCENDING, NULL), "quern_sort_by(): the function is NULL");
	assert_wrong(quern_sort_by(x->left, NULL, 77, NULL), "quern_sort_by(): no such order");
	job_init(&other, x->runner.code, &(const struct job_runner){ NULL });
	assert_wrong(quern_join(x->left, quern_text(&other, "text"), NULL, NULL),
		"quern_join(): the sets are of two jobs");
	job_deinit(&other);
}

static void types_go_through(void **state)
{
	struct fixture *x = *state;
	quern_set *typed = quern_typed(x->left, QUERN_I64, QUERN_DOUBLE);
	const quern_set *set = quern_subtract_by_key(typed, x->right);

	assert_int_equal(set->key_type, QUERN__VALUE_TYPE__I64);
	assert_int_equal(set->value_type, QUERN__VALUE_TYPE__DOUBLE);
	set = quern_join(typed, quern_typed(x->right, QUERN_I64, QUERN_BYTES), NULL, NULL);
	assert_int_equal(set->key_type, QUERN__VALUE_TYPE__I64);
	assert_int_equal(set->value_type, QUERN__VALUE_TYPE__BYTES);
	set = quern_join(typed, x->right, NULL, NULL);
	assert_int_equal(set->key_type, QUERN__VALUE_TYPE__BYTES);
}

static void whole_records_become_keys_and_back(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 2; i++) {
		quern_set *set =
			i == 0 ? quern_subtract(quern_typed(x->left, QUERN_BYTES, QUERN_U64), x->right)
			       : quern_intersection(quern_typed(x->left, QUERN_BYTES, QUERN_U64), x->right);
		const Quern__Run *run = plan(x, set);

		assert_int_equal(run->n_stages, 3);
		assert_int_equal(last_source(run)->group->kind,
			i == 0 ? QUERN__GROUP__KIND__SUBTRACT : QUERN__GROUP__KIND__INTERSECT);
		for (size_t k = 0; k < 3; k++) {
			const Quern__Branch *b = run->stages[k]->branches[0];
			assert_int_equal(b->steps[b->n_steps - 1]->kind,
				k < 2 ? QUERN__STEP__KIND__FUSE : QUERN__STEP__KIND__SPLIT);
		}
		assert_int_equal(set->value_type, QUERN__VALUE_TYPE__U64);
	}
}

static void a_product_has_rows_and_columns(void **state)
{
	struct fixture *x = *state;
	quern_set *set =
		quern_cartesian(x->left, x->left, (quern_cartesian_fn *)(code_fn *)x->runner.f->words, NULL);
	const Quern__Run *run = plan(x, quern_partitions(set, 6));
	unsigned columns = 0;

	assert_int_equal(run->n_stages, 3);
	assert_int_equal(last_source(run)->group->kind, QUERN__GROUP__KIND__CROSS);
	for (size_t k = 0; k < 2; k++) {
		const Quern__Branch *b = run->stages[k]->branches[0];
		const Quern__Step *last = b->steps[b->n_steps - 1];

		assert_int_equal(last->kind, QUERN__STEP__KIND__CELLS);
		assert_int_equal(run->stages[k]->sink->partitions, 6);
		columns += last->columns != 0;
	}
	assert_int_equal(columns, 1);
	assert_wrong(
		quern_cartesian(x->left, x->right, NULL, NULL), "quern_cartesian(): the function is NULL");
}

#define group_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		group_test(a_join_moves_both_sides_alike),
		group_test(a_set_with_itself_is_moved_once),
		group_test(what_was_moved_for_one_group_is_there_for_the_next),
		group_test(what_is_reduced_is_read_where_it_is),
		group_test(a_loop_moves_what_is_new),
		group_test(the_jobs_number_of_partitions_counts_for_both),
		group_test(what_cannot_agree_is_moved),
		group_test(shuffles_that_agree_all_do),
		group_test(mistakes_are_kept),
		group_test(types_go_through),
		group_test(whole_records_become_keys_and_back),
		group_test(a_product_has_rows_and_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
