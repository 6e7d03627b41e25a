/* Actions that make few values of many: what they ask for, and what they make of tasks' answers. No driver, a
 * runner that answers as the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>

#include "base/buf.h"
#include "job/graph.h"
#include "job/plan_check.h"
#include "job/records.h"
#include "tests/job/kit.h"

enum { ANSWERS_MAX = 4 };

struct fixture {
	struct code *code;
	const struct job_functions *f;
	quern_job job;
	quern_set *lines;
	Quern__Run *asked; /* a copy of the last one */
	unsigned runs;
	struct buf answers[ANSWERS_MAX]; /* of partitions */
	size_t n_answers;
	/* What was given in the end. */
	struct buf given;
	unsigned n_given;
};

static int answer(void *arg, const Quern__Run *run, job_result_fn *result, void *result_arg, struct err *err)
{
	struct fixture *x = arg;
	size_t len = quern__run__get_packed_size(run);
	uint8_t *packed = malloc(len);

	assert_non_null(packed);
	(void)quern__run__pack(run, packed);
	if (x->asked != NULL)
		quern__run__free_unpacked(x->asked, NULL);
	x->asked = quern__run__unpack(NULL, len, packed);
	free(packed);
	x->runs++;
	if (plan_check(run, NULL, 0, err) < 0)
		fail_msg("%s", err->text);
	for (size_t i = 0; i < x->n_answers; i++)
		if (result(result_arg, (uint32_t)i, x->answers[i].data, x->answers[i].len) != 0)
			break;
	return 0;
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	x->code = kit_load();
	x->f = kit_symbol("job_functions");
	job_init(&x->job, x->code, &(const struct job_runner){ .run = answer, .arg = x });
	x->lines = quern_text(&x->job, "in");
	x->given = BUF_INIT(1000);
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		x->answers[i] = BUF_INIT(1000);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	job_deinit(&x->job);
	if (x->asked != NULL)
		quern__run__free_unpacked(x->asked, NULL);
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		buf_deinit(&x->answers[i]);
	buf_deinit(&x->given);
	(void)code_free(x->code);
	free(x);
	return 0;
}

static void put(struct fixture *x, size_t partition, const char *key, quern_slice value)
{
	assert_int_equal(record_put(&x->answers[partition], quern_str(key), value), 0);
	x->n_answers = partition + 1 > x->n_answers ? partition + 1 : x->n_answers;
}

static void put_text(struct fixture *x, size_t partition, const char *key, const char *value)
{
	put(x, partition, key, quern_str(value));
}

/* "key=value;" */
static int give(quern_slice key, quern_slice value, void *arg)
{
	struct fixture *x = arg;

	x->n_given++;
	return buf_add(&x->given, key.ptr, key.len) | buf_add_str(&x->given, "=") |
	       buf_add(&x->given, value.ptr, value.len) | buf_add_str(&x->given, ";");
}

static void assert_given(struct fixture *x, const char *expected)
{
	assert_int_equal(buf_add(&x->given, "", 1), 0);
	assert_string_equal((const char *)x->given.data, expected);
	buf_clear(&x->given);
}

static const Quern__Sink *sink(const struct fixture *x)
{
	return x->asked->stages[x->asked->n_stages - 1]->sink;
}

/* ---- One value ---- */

static void tasks_values_are_reduced_again(void **state)
{
	struct fixture *x = *state;

	put_text(x, 0, "", "a");
	put_text(x, 2, "", "long");
	put_text(x, 3, "", "bc"); /* partition 1 had none */
	assert_int_equal(quern_reduce(x->lines, x->f->either, NULL, give, x), 0);
	assert_given(x, "=long;");
	assert_int_equal(sink(x)->kind, QUERN__SINK__KIND__COLLECT);
	assert_true(sink(x)->combine->has_offset && !sink(x)->has_limit);
	assert_string_equal(x->asked->name, "reduce");

	/* With a zero. */
	assert_int_equal(quern_fold(x->lines, quern_str("longest"), x->f->either, NULL, give, x), 0);
	assert_given(x, "=longest;");

	/* Of none. */
	x->n_answers = 0;
	assert_int_equal(quern_reduce(x->lines, x->f->either, NULL, give, x), 0);
	assert_given(x, "");
	assert_int_equal(quern_fold(x->lines, quern_str(""), x->f->either, NULL, give, x), 0);
	assert_given(x, "=;");
}

static int refuse(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)value, (void)arg;
	return 7;
}

static void what_the_result_returns_is_the_actions(void **state)
{
	struct fixture *x = *state;

	put_text(x, 0, "", "a");
	assert_int_equal(quern_reduce(x->lines, x->f->either, NULL, refuse, x), 7);
}

static void an_aggregate_folds_in_the_task(void **state)
{
	struct fixture *x = *state;
	const uint64_t arg = 3;

	put_text(x, 0, "", "abc");
	assert_int_equal(quern_aggregate(x->lines, quern_str("zero"), x->f->either, x->f->either,
				 QUERN_ARG(arg), give, x),
		0);
	assert_given(x, "=zero;");
	const Quern__Branch *branch = x->asked->stages[0]->branches[0];
	assert_int_equal(branch->n_steps, 1);
	assert_int_equal(branch->steps[0]->kind, QUERN__STEP__KIND__FOLD);
	assert_true(branch->steps[0]->zero.len == 4 && memcmp(branch->steps[0]->zero.data, "zero", 4) == 0);
	assert_true(branch->steps[0]->function->arg.len == 8 && sink(x)->combine->arg.len == 8);
	/* The set is as it was. */
	assert_int_equal(quern_reduce(x->lines, x->f->either, NULL, give, x), 0);
	assert_int_equal(x->asked->stages[0]->branches[0]->n_steps, 0);
}

static void answers_that_are_none(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(buf_add(&x->answers[0], "\5", 1), 0);
	x->n_answers = 1;
	assert_int_not_equal(quern_reduce(x->lines, x->f->either, NULL, give, x), 0);
	assert_int_not_equal(quern_top(x->lines, 3, QUERN_ASCENDING, give, x), 0);
	struct quern_stats stats = { .count = 9 };
	assert_int_not_equal(quern_stats(quern_typed(x->lines, QUERN_BYTES, QUERN_U64), &stats), 0);
	assert_true(stats.count == 9);
	assert_int_equal(x->n_given, 0);
}

static void mistakes_are_said_and_nothing_runs(void **state)
{
	struct fixture *x = *state;
	struct quern_stats stats;
	bool empty;

	assert_int_not_equal(quern_reduce(x->lines, NULL, NULL, give, x), 0);
	assert_int_not_equal(
		quern_fold(quern_text(&x->job, NULL), quern_str(""), x->f->either, NULL, give, x), 0);
	assert_int_not_equal(quern_aggregate(x->lines, quern_str(""), NULL, x->f->either, NULL, give, x), 0);
	assert_int_not_equal(quern_take_ordered(x->lines, 1, 64, give, x), 0);
	assert_int_not_equal(quern_stats(x->lines, &stats), 0);
	assert_int_not_equal(quern_is_empty(quern_text(&x->job, ""), &empty), 0);
	assert_int_not_equal(quern_count(quern_sort_by_key(x->lines, QUERN_BY_VALUE), &stats.count), 0);
	assert_int_equal(x->runs, 0);
	assert_int_equal(x->n_given, 0);
}

/* ---- The first in an order ---- */

static void tasks_firsts_are_merged(void **state)
{
	struct fixture *x = *state;

	put_text(x, 0, "a", "1");
	put_text(x, 0, "c", "1");
	put_text(x, 1, "a", "2");
	put_text(x, 1, "b", "2");
	put_text(x, 3, "b", "4");
	assert_int_equal(quern_take_ordered(x->lines, 4, QUERN_ASCENDING, give, x), 0);
	assert_given(x, "a=1;a=2;b=2;b=4;");
	assert_true(sink(x)->limit == 4 && !sink(x)->order->descending && !sink(x)->order->by_value);
	assert_string_equal(x->asked->name, "take_ordered(4)");
	assert_int_equal(quern_take_ordered(x->lines, 100, QUERN_ASCENDING, give, x), 0);
	assert_given(x, "a=1;a=2;b=2;b=4;c=1;");
	/* Nothing is wanted. */
	x->runs = 0;
	assert_int_equal(quern_top(x->lines, 0, QUERN_ASCENDING, give, x), 0);
	assert_int_equal(x->runs, 0);
}

static void by_values_downwards(void **state)
{
	struct fixture *x = *state;
	const uint64_t one = htole64(1), large = htole64(300);

	put(x, 0, "a", quern_bytes(&large, 8));
	put(x, 0, "b", quern_bytes(&one, 8));
	put(x, 1, "c", quern_bytes(&large, 8));
	quern_set *set = quern_typed(x->lines, QUERN_BYTES, QUERN_U64);
	assert_int_equal(quern_top(set, 2, QUERN_BY_VALUE, give, x), 0);
	assert_memory_equal(x->given.data, "c=\x2c\1", 4);
	assert_memory_equal(x->given.data + 11, "a=", 2);
	const Quern__Order *o = sink(x)->order;
	assert_true(o->descending && o->by_value && o->value_first && o->value == QUERN__VALUE_TYPE__U64);
	assert_string_equal(x->asked->name, "top(2)");
	/* A number that is none. */
	put_text(x, 2, "d", "short");
	assert_int_not_equal(quern_top(set, 2, QUERN_BY_VALUE, give, x), 0);
}

static void empty_or_not(void **state)
{
	struct fixture *x = *state;
	bool empty = false;

	assert_int_equal(quern_is_empty(x->lines, &empty), 0);
	assert_true(empty);
	put_text(x, 0, "", "a");
	assert_int_equal(quern_is_empty(x->lines, &empty), 0);
	assert_false(empty);
	assert_true(sink(x)->limit == 1);
	assert_int_equal(quern_first(x->lines, give, x), 0);
	assert_given(x, "=a;");
}

/* ---- By key ---- */

static void aggregations_are_folds_and_reductions(void **state)
{
	struct fixture *x = *state;
	uint64_t n;

	quern_set *typed = quern_typed(x->lines, QUERN_I64, QUERN_DOUBLE);
	const struct {
		quern_set *set;
		Quern__Step__Kind step;
		Quern__ValueType key, value;
	} all[] = {
		{ quern_aggregate_by_key(typed, quern_str("0"), x->f->either, x->f->either, NULL),
			QUERN__STEP__KIND__FOLD, QUERN__VALUE_TYPE__I64, QUERN__VALUE_TYPE__BYTES },
		{ quern_fold_by_key(typed, quern_str("0"), quern_sum_u64, NULL), QUERN__STEP__KIND__FOLD,
			QUERN__VALUE_TYPE__I64, QUERN__VALUE_TYPE__U64 },
		{ quern_count_by_key(typed), QUERN__STEP__KIND__FOLD, QUERN__VALUE_TYPE__I64,
			QUERN__VALUE_TYPE__U64 },
		{ quern_count_by_value(typed), QUERN__STEP__KIND__MAP, QUERN__VALUE_TYPE__DOUBLE,
			QUERN__VALUE_TYPE__U64 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(quern_count(all[i].set, &n), 0);
		assert_int_equal(x->asked->n_stages, 2);
		const Quern__Branch *branch = x->asked->stages[0]->branches[0];
		assert_int_equal(branch->n_steps, 1);
		assert_int_equal(branch->steps[0]->kind, all[i].step);
		assert_non_null(x->asked->stages[0]->sink->combine);
		assert_int_equal(all[i].set->key_type, all[i].key);
		assert_int_equal(all[i].set->value_type, all[i].value);
	}
}

static void accumulators_go_with_the_run(void **state)
{
	struct fixture *x = *state;
	uint64_t n;

	(void)quern_accumulator_u64(&x->job, "one");
	(void)quern_accumulator_by(&x->job, "two", quern_max_double);
	assert_int_equal(quern_count(x->lines, &n), 0);
	assert_int_equal(x->asked->n_accumulators, 2);
	assert_string_equal(x->asked->accumulators[1]->name, "two");
	assert_int_equal(x->asked->accumulators[1]->kind, QUERN__COUNT__KIND__MAX_DOUBLE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(tasks_values_are_reduced_again),
		TEST(what_the_result_returns_is_the_actions),
		TEST(an_aggregate_folds_in_the_task),
		TEST(answers_that_are_none),
		TEST(mistakes_are_said_and_nothing_runs),
		TEST(tasks_firsts_are_merged),
		TEST(by_values_downwards),
		TEST(empty_or_not),
		TEST(aggregations_are_folds_and_reductions),
		TEST(accumulators_go_with_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
