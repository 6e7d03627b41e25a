/* task_run(): what goes wrong, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/executor/task_kit.h"

static void expect_failed(struct bench *b, bool final, const char *words)
{
	Quern__TaskResult *result = kit_run(b, 0, 0);

	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_int_equal(result->final, final);
	if (strstr(result->error, words) == NULL)
		fail_msg("'%s' is not about '%s'", result->error, words);
	assert_null(strchr(result->error, '\n'));
	assert_int_equal(kit_entries(b->shuffle), 0);
	assert_int_equal(kit_entries(b->scratch), 0);
	kit_done_with(result);
}

static void user_code_that_fails(void **state)
{
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b, "fine\nfail\n", 10);
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "misbehave");
	kit_to_shuffle(&b, 3, "quern_sum_u64");
	expect_failed(&b, true, "4 bytes"); /* "fine" is no number */
	kit_input(&b, "fail\n", 5);
	expect_failed(&b, false, "it is broken: 7");

	b.sink.kind = QUERN__SINK__KIND__TEXT;
	b.sink.path = b.dir;
	assert_int_equal(mkdir(kit_path(b.dir, "_temporary"), 0700), 0);
	expect_failed(&b, false, "it is broken: 7");
	assert_int_equal(kit_entries(kit_path(b.dir, "_temporary")), 0);
	kit_close(&b);
}

static void a_misfit_names_its_record(void **state)
{
	struct bench b;
	(void)state;

	kit_open(&b);
	kit_input(&b, "12345678\nshort\n", 15);
	kit_to_shuffle(&b, 1, "quern_sum_u64");
	Quern__TaskResult *result = kit_run(&b, 0, 0);
	assert_true(result->state == QUERN__TASK_RESULT__STATE__FAILED && result->final);
	assert_non_null(strstr(result->error, "a value of 5 bytes"));
	assert_non_null(strstr(result->error, "record 2: value 'short')"));
	kit_done_with(result);
	kit_close(&b);
}

static void a_combine_that_fails(void **state)
{
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b, "w w\n", 4);
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	kit_to_shuffle(&b, 3, "quern_sum_u64");
	b.combine = kit_function(kit_code, "reduce_fails");
	expect_failed(&b, false, "two values of a key");
	b.combine = kit_function(kit_code, "no_result");
	expect_failed(&b, true, "no value");
	kit_close(&b);
}

static void a_map_that_is_none(void **state)
{
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b, "a\n", 2);
	kit_add_step(&b, QUERN__STEP__KIND__MAP, false, "twice");
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	expect_failed(&b, true, "more than one record");
	b.functions[0].offset = 1; /* not a function: in the headers of the object */
	expect_failed(&b, true, "no function of the job");
	kit_close(&b);
}

static void plans_that_make_no_sense(void **state)
{
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b, "a\n", 2);
	kit_to_shuffle(&b, 0, "quern_sum_u64");
	expect_failed(&b, true, "0 partitions");
	b.sink.partitions = 2;
	b.sink.has_shuffle = false;
	expect_failed(&b, true, "without a name");
	b.task.split = NULL;
	expect_failed(&b, false, "without a split");
	kit_from_shuffle(&b, "quern_sum_u64");
	b.outputs.shuffle = SHUFFLE + 1;
	expect_failed(&b, false, "nothing is known");
	b.outputs.shuffle = SHUFFLE;
	kit_note_output(&b, 0, 0);
	kit_note_output(&b, 0, 1);
	expect_failed(&b, true, "two outputs of map 0");
	b.map_outputs[1].map = 1;
	b.map_outputs[1].host = 1;
	expect_failed(&b, true, "no known host");
	kit_close(&b);
}

/* Whoever made the plan: a record goes to a partition that there is, or the task fails. */
static void tags_of_partitions_that_are_not_there(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT;
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b, "a\nb\nc\n", 6);
	order.tagged = order.loose = true;
	kit_to_shuffle(&b, 2, "quern_sum_u64");
	b.sink.combine = NULL;
	b.sink.order = &order;
	kit_add_step(&b, QUERN__STEP__KIND__TAG, false, "by_first_byte");
	b.steps[0].divide = QUERN__STEP__DIVIDE__ROUND_ROBIN;
	b.steps[0].partitions = 3;
	expect_failed(&b, true, "that the shuffle does not have: it has 2");
	/* No tags at all. */
	b.from.branch.n_steps = 0;
	expect_failed(&b, true, "that the shuffle does not have: it has 2");
	b.from.branch.n_steps = 1;
	b.steps[0].partitions = 2;
	kit_done_with(kit_run_done(&b, 0, 0));
	kit_close(&b);
}

/* quern_fail() in the thread that a partition's function has, and before it. */
static void a_function_of_partitions_that_fails(void **state)
{
	unsigned ends = 0, *arg = &ends;
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b, "a\nb\nc\nfail\n", 11);
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	kit_add_step(&b, QUERN__STEP__KIND__MAP_PARTITIONS, true, "fail_at_third");
	b.functions[0].has_arg = true;
	b.functions[0].arg = (ProtobufCBinaryData){ sizeof(arg), (uint8_t *)&arg };
	expect_failed(&b, false, "the third: c");
	b.from.branch.n_steps = 0;
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "misbehave");
	kit_add_step(&b, QUERN__STEP__KIND__MAP_PARTITIONS, true, "pass_on");
	expect_failed(&b, false, "broken: 7");
	assert_int_equal(ends, 0);
	kit_close(&b);
}

static void inputs_and_outputs_that_are_not_there(void **state)
{
	struct bench b;

	(void)state;
	kit_open(&b);
	b.extent.length = 1;
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	expect_failed(&b, false, b.input);
	kit_input(&b, "a\n", 2);
	b.extent.length = 3;
	expect_failed(&b, true, "shorter");
	b.extent.length = 2;
	b.sink.kind = QUERN__SINK__KIND__TEXT;
	b.sink.path = b.dir; /* without _temporary */
	expect_failed(&b, false, b.dir);
	kit_to_shuffle(&b, 1, "quern_sum_u64");
	b.env.shuffle_dir = b.input; /* not a folder */
	expect_failed(&b, false, "map output");
	kit_close(&b);
}

/* One map output of three is missing, or not what it should be. */
static void lost_map_output(void **state)
{
	struct bench b;

	(void)state;
	for (int damage = 0; damage < 3; damage++) {
		kit_open(&b);
		kit_input(&b, "x y x z y x", 11);
		kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
		kit_to_shuffle(&b, 2, "quern_sum_u64");
		for (uint32_t i = 0; i < 3; i++) {
			kit_done_with(kit_run_done(&b, i, 5));
			kit_note_output(&b, i, 5);
		}
		const char *file = kit_path(b.shuffle, "7-1-5.map");
		if (damage == 0)
			assert_int_equal(unlink(file), 0);
		else if (damage == 1)
			assert_int_equal(truncate(file, 50), 0);
		else
			kit_write(file, "", 0);
		kit_from_shuffle(&b, "quern_sum_u64");
		Quern__TaskResult *result = kit_run(&b, 1, 4);
		assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FETCH_FAILED);
		assert_int_equal(result->fetch_shuffle, SHUFFLE);
		assert_int_equal(result->fetch->map, 1);
		assert_int_equal(result->fetch->attempt, 5);
		assert_int_equal(result->fetch->stage, MAP_STAGE);
		assert_non_null(strstr(result->error, "map output 7-1-5"));
		kit_done_with(result);
		kit_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_code_that_fails),
		cmocka_unit_test(a_misfit_names_its_record),
		cmocka_unit_test(a_combine_that_fails),
		cmocka_unit_test(a_map_that_is_none),
		cmocka_unit_test(plans_that_make_no_sense),
		cmocka_unit_test(tags_of_partitions_that_are_not_there),
		cmocka_unit_test(a_function_of_partitions_that_fails),
		cmocka_unit_test(inputs_and_outputs_that_are_not_there),
		cmocka_unit_test(lost_map_output),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
