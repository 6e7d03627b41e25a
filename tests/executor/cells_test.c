/* The cells of a cartesian product: whatever the number of partitions, a record of a row and one of a column
 * meet in exactly one, and each cell is a partition of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/hash.h"
#include "executor/steps.h"
#include "executor/task.h"
#include "tests/executor/kit.h"

enum { RECORDS = 50, SEED = 9 };

/* Where the records of one side go. */
struct side {
	struct quern_out out;
	uint32_t partitions;
	uint64_t n;             /* emitted */
	bool (*there)[RECORDS]; /* of each partition */
	uint8_t (*keys)[8];
};

/* The record's value is its number, and its key as well, but for the first, which has none. */
static void note(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct side *s = (struct side *)out;
	quern_slice own = quern_left(value);
	uint64_t number = kit_number(quern_right(value));

	assert_true(number < RECORDS && key.len == 8);
	if (number == 0)
		assert_null(own.ptr);
	else
		assert_int_equal(kit_number(own), number);
	uint32_t at = hash_partition(hash_key(key, task_hash_seed(kit_code, SEED)), s->partitions);
	assert_false(s->there[at][number]);
	s->there[at][number] = true;
	memcpy(s->keys[at], key.ptr, 8);
	s->n++;
}

static int open_step(
	struct side *s, const Quern__Sink *sink, bool columns, struct flow *flow, struct steps **ret)
{
	Quern__Step step = QUERN__STEP__INIT, *list[1] = { &step };
	Quern__Task task = QUERN__TASK__INIT;
	const struct step_env env = { .code = kit_code, .flow = flow, .task = &task, .sink = sink };
	struct err err;

	step.kind = QUERN__STEP__KIND__CELLS;
	step.has_columns = step.columns = columns;
	return steps_new(&env, list, 1, &s->out, ret, &err);
}

static void give_side(struct side *s, const Quern__Sink *sink, bool columns)
{
	struct steps *steps = NULL;
	struct flow flow = { 0 };

	*s = (struct side){ .out = { note }, .partitions = sink->partitions };
	s->there = calloc(sink->partitions, sizeof(*s->there));
	s->keys = calloc(sink->partitions, sizeof(*s->keys));
	assert_true(s->there != NULL && s->keys != NULL);
	assert_int_equal(open_step(s, sink, columns, &flow, &steps), 0);
	for (uint64_t i = 0; i < RECORDS; i++) {
		quern_slice number = quern_bytes(&i, sizeof(i));

		steps_in(steps)->emit(steps_in(steps), i == 0 ? quern_bytes(NULL, 0) : number, number);
	}
	assert_int_equal(flow.result, 0);
	steps = steps_free(steps);
}

static Quern__Sink sink_of(uint32_t partitions)
{
	Quern__Sink sink = QUERN__SINK__INIT;

	sink.kind = QUERN__SINK__KIND__SHUFFLE;
	sink.partitions = partitions;
	sink.seed = SEED;
	return sink;
}

static void each_pair_meets_once(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 70; n += n < 20 ? 1 : 10) {
		const Quern__Sink sink = sink_of(n);
		struct side left, right;
		unsigned meetings = 0, used = 0;

		give_side(&left, &sink, false);
		give_side(&right, &sink, true);
		for (uint32_t p = 0; p < n; p++) {
			unsigned a = 0, b = 0;

			for (size_t i = 0; i < RECORDS; i++) {
				a += left.there[p][i];
				b += right.there[p][i];
			}
			meetings += a * b;
			used += a * b > 0;
			/* It is one cell: under one key on both sides. */
			if (a > 0 && b > 0)
				assert_memory_equal(left.keys[p], right.keys[p], 8);
		}
		for (size_t i = 0; i < RECORDS; i++) {
			for (size_t k = 0; k < RECORDS; k++) {
				unsigned met = 0;

				for (uint32_t p = 0; p < n; p++)
					met += left.there[p][i] && right.there[p][k];
				assert_int_equal(met, 1);
			}
		}
		assert_int_equal(meetings, RECORDS * RECORDS);
		/* Nearly all partitions are cells, and nearly a square: records are moved no more often than
		 * that takes. */
		assert_true(used * 3 >= n * 2);
		assert_true((left.n / RECORDS) * (right.n / RECORDS) <= n);
		free(left.there), free(left.keys);
		free(right.there), free(right.keys);
	}
}

static void plans_that_make_no_sense(void **state)
{
	Quern__Sink sink = sink_of(0);
	struct steps *steps = NULL;
	struct flow flow = { 0 };
	struct side side = { .out = { note } };

	(void)state;
	assert_int_equal(open_step(&side, &sink, false, &flow, &steps), -EINVAL);
	sink = sink_of(5);
	sink.kind = QUERN__SINK__KIND__COUNT;
	assert_int_equal(open_step(&side, &sink, false, &flow, &steps), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_meets_once),
		cmocka_unit_test(plans_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
