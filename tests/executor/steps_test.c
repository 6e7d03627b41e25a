/* Steps by themselves: records go in, and come out at a sink. Those that task_test.c knows are not here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/steps.h"
#include "executor/tag.h"
#include "tests/executor/kit.h"

enum { STEPS = 4 };

/* Steps for the test to fill in; what they run in. */
struct bench {
	Quern__Step step[STEPS], *list[STEPS];
	Quern__Function function[STEPS];
	Quern__Sampling sampling;
	size_t n;
	Quern__Task task;
	struct flow flow;
	struct keep keep;
	struct kit_sink sink;
	struct steps *steps;
};

static void bench_init(struct bench *b)
{
	*b = (struct bench){ .task = QUERN__TASK__INIT, .sampling = QUERN__SAMPLING__INIT };
	kit_sink_init(&b->sink);
	b->sink.flow = &b->flow;
}

static Quern__Step *add(struct bench *b, Quern__Step__Kind kind, const char *function)
{
	size_t i = b->n++;

	quern__step__init(&b->step[i]);
	b->step[i].kind = kind;
	b->list[i] = &b->step[i];
	if (function != NULL) {
		b->function[i] = kit_function(kit_code, function);
		b->step[i].function = &b->function[i];
	}
	return &b->step[i];
}

/* The function of the last step gets that. */
static void argue(struct bench *b, void *pointer, size_t len)
{
	Quern__Function *f = &b->function[b->n - 1];

	f->has_arg = true;
	f->arg = (ProtobufCBinaryData){ len, pointer };
}

static int open_steps(struct bench *b, struct err *err)
{
	const struct step_env env = { .code = kit_code,
		.flow = &b->flow,
		.scratch_dir = "/",
		.keep = &b->keep,
		.memory = 1 << 20,
		.task = &b->task };

	return steps_new(&env, b->list, b->n, &b->sink.out, &b->steps, err);
}

static void open_good(struct bench *b)
{
	struct err err = { "" };

	if (open_steps(b, &err) < 0)
		fail_msg("%s", err.text);
}

static void close_steps(struct bench *b)
{
	b->steps = steps_free(b->steps);
	buf_deinit(&b->sink.data);
	keep_deinit(&b->keep);
}

static void give(struct bench *b, quern_slice key, quern_slice value)
{
	struct quern_out *in = steps_in(b->steps);

	in->emit(in, key, value);
}

static const quern_slice no_key = { NULL, 0 };

static void assert_good(const struct bench *b)
{
	assert_string_equal(b->flow.err.text, "");
	assert_int_equal(b->flow.result, 0);
}

static void assert_failed(const struct bench *b, const char *words)
{
	assert_true(b->flow.result < 0);
	if (strstr(b->flow.err.text, words) == NULL)
		fail_msg("no '%s' in: %s", words, b->flow.err.text);
}

/* The next record at the sink. */
static void expect(const uint8_t **p, const struct bench *b, quern_slice key, quern_slice value)
{
	quern_slice k, v;

	assert_int_equal(record_next(p, b->sink.data.data + b->sink.data.len, &k, &v), 1);
	assert_int_equal(kit_compare_slices(k, key), 0);
	assert_int_equal(kit_compare_slices(v, value), 0);
}

static void plans_that_make_no_sense(void **state)
{
	static const struct {
		Quern__Step__Kind kind;
		const char *words;
	} wrong[] = {
		{ (Quern__Step__Kind)999, "unknown kind" },
		{ QUERN__STEP__KIND__MAP_VALUES, "no function" },
		{ QUERN__STEP__KIND__FOREACH, "no function" },
		{ QUERN__STEP__KIND__MAP_PARTITIONS, "without a function" },
		{ QUERN__STEP__KIND__SAMPLE, "how large" },
		{ QUERN__STEP__KIND__ZIP, "more partitions" },
		{ QUERN__STEP__KIND__TAG, "no partitions" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = { "" };
		struct bench b;

		bench_init(&b);
		add(&b, QUERN__STEP__KIND__FUSE, NULL); /* what is open already is closed again */
		add(&b, wrong[i].kind, NULL);
		add(&b, QUERN__STEP__KIND__FUSE, NULL);
		assert_int_equal(open_steps(&b, &err), -EINVAL);
		if (strstr(err.text, wrong[i].words) == NULL)
			fail_msg("no '%s' in: %s", wrong[i].words, err.text);
		close_steps(&b);
	}
}

/* ---- Values ---- */

static void values_keep_their_keys(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__FLAT_MAP_VALUES, "words"); /* it emits keys */
	add(&b, QUERN__STEP__KIND__MAP_VALUES, "upper");
	open_good(&b);
	give(&b, quern_str("key"), quern_str("two words"));
	give(&b, no_key, quern_str("one"));
	give(&b, quern_str(""), quern_str(""));
	steps_finish(b.steps);
	assert_good(&b);
	const uint8_t *p = b.sink.data.data;
	const quern_slice one = quern_bytes("\1\0\0\0\0\0\0\0", 8);
	expect(&p, &b, quern_str("key"), one);
	expect(&p, &b, quern_str("key"), one);
	expect(&p, &b, no_key, one);
	assert_int_equal(b.sink.n, 3);
	close_steps(&b);
}

static void one_value_for_one(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__MAP_VALUES, "twice");
	open_good(&b);
	give(&b, quern_str("key"), quern_str("value"));
	assert_failed(&b, "more than one");
	assert_true(b.flow.final);
	close_steps(&b);
}

static void foreach_gives_nothing(void **state)
{
	unsigned n = 0, *arg = &n;
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__FOREACH, "count_calls");
	argue(&b, &arg, sizeof(arg));
	open_good(&b);
	for (int i = 0; i < 5; i++)
		give(&b, no_key, quern_str("x"));
	assert_int_equal(n, 5);
	assert_int_equal(b.sink.n, 0);
	close_steps(&b);
}

/* ---- Keys that hold more than a key ---- */

static void record_is(struct quern_out *out, quern_slice key, quern_slice value)
{
	const struct kit_record *expected = *(struct kit_record **)(out + 1);

	assert_int_equal(key.ptr == NULL, expected->key.ptr == NULL);
	assert_int_equal(kit_compare_slices(key, expected->key), 0);
	assert_int_equal(kit_compare_slices(value, expected->value), 0);
}

/* What goes in there and comes back is what it was. */
static void there_and_back(Quern__Step__Kind there, Quern__Step__Kind back)
{
	struct {
		struct quern_out out;
		struct kit_record *expected;
	} sink = { .out = { record_is } };
	char bytes[1000];
	uint64_t random = 3;
	struct bench b;

	bench_init(&b);
	add(&b, there, NULL)->partitions = 3;
	add(&b, back, NULL);
	const struct step_env env = { .code = kit_code, .flow = &b.flow, .keep = &b.keep, .task = &b.task };
	struct err err;
	assert_int_equal(steps_new(&env, b.list, b.n, &sink.out, &b.steps, &err), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)random_next(&random);
	for (int i = 0; i < 2000; i++) {
		size_t k = (size_t)kit_below(&random, i % 2 == 0 ? 4 : 500),
		       v = (size_t)kit_below(&random, 500);
		struct kit_record r = { i % 5 == 0 ? no_key : quern_bytes(bytes + v, k),
			quern_bytes(bytes + k, v) };

		sink.expected = &r;
		give(&b, r.key, r.value);
	}
	assert_good(&b);
	close_steps(&b);
}

static void records_are_what_they_were(void **state)
{
	(void)state;
	there_and_back(QUERN__STEP__KIND__FUSE, QUERN__STEP__KIND__SPLIT);
	there_and_back(QUERN__STEP__KIND__TAG, QUERN__STEP__KIND__UNTAG);
}

static void keys_that_were_not_made_so(void **state)
{
	static const struct {
		Quern__Step__Kind kind;
		quern_slice key;
	} wrong[] = {
		{ QUERN__STEP__KIND__UNTAG, { "1234", 4 } },
		{ QUERN__STEP__KIND__UNTAG, { NULL, 0 } },
		{ QUERN__STEP__KIND__SPLIT, { NULL, 0 } },
		{ QUERN__STEP__KIND__SPLIT, { "\4ab", 3 } }, /* a key of three bytes */
		{ QUERN__STEP__KIND__SPLIT, { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10 } },
		{ QUERN__STEP__KIND__SPLIT, { "\x80", 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct bench b;

		bench_init(&b);
		add(&b, wrong[i].kind, NULL);
		open_good(&b);
		give(&b, wrong[i].key, quern_str(""));
		assert_failed(&b, "a");
		assert_int_equal(b.sink.n, 0);
		close_steps(&b);
	}
}

/* How many of `n` records went to each of `partitions`. */
static void count_tags(
	struct bench *b, unsigned *counts, uint32_t partitions, const char *const *keys, size_t n)
{
	quern_slice key, value;

	memset(counts, 0, partitions * sizeof(*counts));
	buf_clear(&b->sink.data);
	for (size_t i = 0; i < n; i++)
		give(b, keys != NULL ? quern_str(keys[i]) : no_key, quern_str(""));
	const uint8_t *p = b->sink.data.data, *end = p + b->sink.data.len;
	while (record_next(&p, end, &key, &value) == 1) {
		assert_true(key.len >= TAG_SIZE && tag_partition(key) < partitions);
		counts[tag_partition(key)]++;
	}
}

static void tags_in_turns_by_hash_or_as_a_whole(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "a", "b", "c", "a", "b", "c" };
	unsigned counts[7], sum[7] = { 0 };
	struct bench b;

	(void)state;
	for (uint32_t partition = 0; partition < 50; partition++) {
		bench_init(&b);
		b.task.partition = partition;
		add(&b, QUERN__STEP__KIND__TAG, NULL)->partitions = 7;
		open_good(&b);
		count_tags(&b, counts, 7, NULL, 1); /* where it begins */
		for (int i = 0; i < 7; i++)
			sum[i] += counts[i];
		count_tags(&b, counts, 7, NULL, 700);
		for (int i = 0; i < 7; i++)
			assert_int_equal(counts[i], 100);
		close_steps(&b);

		bench_init(&b);
		b.task.partition = partition;
		Quern__Step *whole = add(&b, QUERN__STEP__KIND__TAG, NULL);
		whole->partitions = 7;
		whole->divide = QUERN__STEP__DIVIDE__WHOLE;
		whole->tasks = 50;
		open_good(&b);
		count_tags(&b, counts, 7, NULL, 10);
		assert_int_equal(counts[partition * 7 / 50], 10);
		close_steps(&b);
	}
	for (int i = 0; i < 7; i++)
		assert_true(sum[i] > 0 && sum[i] < 20);

	bench_init(&b);
	add(&b, QUERN__STEP__KIND__TAG, NULL)->partitions = 7;
	b.step[0].divide = QUERN__STEP__DIVIDE__HASH;
	open_good(&b);
	count_tags(&b, counts, 7, keys, 9);
	for (int i = 0; i < 7; i++)
		assert_int_equal(counts[i] % 3, 0);
	close_steps(&b);
}

static void tags_by_a_function(void **state)
{
	static const char *const keys[] = { "\1", "\2", "", "\2" };
	unsigned counts[3];
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__TAG, "by_first_byte")->partitions = 3;
	b.step[0].divide = QUERN__STEP__DIVIDE__FUNCTION;
	open_good(&b);
	count_tags(&b, counts, 3, keys, 4);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[2], 2);
	assert_good(&b);
	give(&b, quern_str("\3"), quern_str(""));
	assert_failed(&b, "chose partition 3: there are 3");
	assert_true(b.flow.final);
	close_steps(&b);
}

static void a_whole_partition_of_none(void **state)
{
	struct err err = { "" };
	struct bench b;

	(void)state;
	bench_init(&b);
	b.task.partition = 4;
	add(&b, QUERN__STEP__KIND__TAG, NULL)->partitions = 3;
	b.step[0].divide = QUERN__STEP__DIVIDE__WHOLE;
	b.step[0].tasks = 4;
	assert_int_equal(open_steps(&b, &err), -EINVAL);
	/* Its number in its set is what counts. */
	b.step[0].origin = 1;
	open_good(&b);
	close_steps(&b);
}

/* ---- Samples ---- */

static uint64_t sampled(uint32_t partition, uint64_t seed, double fraction, bool again, struct buf *ret)
{
	struct bench b;

	bench_init(&b);
	b.task.partition = partition;
	add(&b, QUERN__STEP__KIND__SAMPLE, NULL)->sampling = &b.sampling;
	b.sampling.fraction = fraction;
	b.sampling.seed = seed;
	b.sampling.with_replacement = again;
	open_good(&b);
	for (uint32_t i = 0; i < 10000; i++)
		give(&b, no_key, quern_bytes(&i, sizeof(i)));
	assert_good(&b);
	uint64_t n = b.sink.n;
	*ret = b.sink.data;
	b.sink.data = BUF_INIT(0);
	close_steps(&b);
	return n;
}

static bool equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void samples_are_random_but_the_same(void **state)
{
	struct buf one, other;

	(void)state;
	for (int again = 0; again < 2; again++) {
		uint64_t n = sampled(3, 7, 0.3, again, &one);
		assert_true(n > 2700 && n < 3300);
		assert_int_equal(sampled(3, 7, 0.3, again, &other), n);
		assert_true(equal(&one, &other));
		buf_deinit(&other);
		(void)sampled(7, 3, 0.3, again, &other);
		assert_false(equal(&one, &other));
		buf_deinit(&other);
		(void)sampled(4, 7, 0.3, again, &other);
		assert_false(equal(&one, &other));
		buf_deinit(&other);
		buf_deinit(&one);
		assert_int_equal(sampled(0, 0, 0, again, &one), 0);
		buf_deinit(&one);
	}
	assert_int_equal(sampled(1, 1, 1, false, &one), 10000);
	buf_deinit(&one);
	uint64_t many = sampled(1, 1, 100, true, &one);
	assert_true(many > 990000 && many < 1010000);
	buf_deinit(&one);
}

static void a_limit_ends_a_sample(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__SAMPLE, NULL)->sampling = &b.sampling;
	b.sampling.fraction = 1000;
	b.sampling.with_replacement = true;
	b.sink.limit = 5;
	open_good(&b);
	give(&b, no_key, quern_str("x"));
	assert_int_equal(b.sink.n, 5);
	close_steps(&b);
}

/* ---- Numbers ---- */

static void records_get_numbers(void **state)
{
	uint64_t starts[] = { 0, 100, 103 };
	const char *const functions[] = { NULL, "numbered" };
	quern_slice key, value;

	(void)state;
	for (int f = 0; f < 2; f++) {
		struct bench b;

		bench_init(&b);
		b.task.partition = 5;
		Quern__Step *zip = add(&b, QUERN__STEP__KIND__ZIP, functions[f]);
		zip->starts = starts;
		zip->n_starts = 3;
		zip->origin = 4;
		open_good(&b);
		for (int i = 0; i < 3; i++)
			give(&b, quern_str("key"), quern_str("value"));
		steps_finish(b.steps);
		assert_good(&b);
		const uint8_t *p = b.sink.data.data, *end = p + b.sink.data.len;
		for (uint64_t i = 100; i < 103; i++) {
			assert_int_equal(record_next(&p, end, &key, &value), 1);
			assert_int_equal(kit_number(f == 0 ? key : value), i);
			assert_int_equal(kit_compare_slices(f == 0 ? value : key, quern_str("value")), 0);
		}
		give(&b, no_key, quern_str("one too many"));
		assert_failed(&b, "as many records");
		close_steps(&b);
	}
}

static void numbers_that_do_not_fit(void **state)
{
	uint64_t starts[] = { 0, 100, 103 };
	struct err err = { "" };
	struct bench b;

	(void)state;
	bench_init(&b);
	b.task.partition = 2;
	Quern__Step *zip = add(&b, QUERN__STEP__KIND__ZIP, NULL);
	zip->starts = starts;
	zip->n_starts = 3;
	assert_int_equal(open_steps(&b, &err), -EINVAL);
	b.task.partition = 1;
	open_good(&b);
	give(&b, no_key, quern_str("one"));
	steps_finish(b.steps);
	assert_failed(&b, "as many records");
	close_steps(&b);
}

/* ---- Whole partitions ---- */

static void a_function_pulls_a_partition(void **state)
{
	static char large[100 << 10];
	uint64_t random = 5;
	struct kit_sink expected;

	(void)state;
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)random_next(&random);
	for (size_t n = 0; n < 100000; n = n * 7 + 1) {
		struct bench b;

		bench_init(&b);
		kit_sink_init(&expected);
		b.task.partition = 9;
		for (int i = 0; i < 3; i++) /* one behind the other: each has its thread */
			add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "pass_on")->origin = (uint32_t)i;
		open_good(&b);
		for (size_t i = 0; i < n; i++) {
			size_t len = kit_below(&random, 50), from = kit_below(&random, 50);
			quern_slice key = i % 3 == 0 ? no_key : quern_bytes(large + len, from);

			if (i % 1000 == 500)
				len = sizeof(large) - from;
			if (i % 3000 == 700)
				key = quern_bytes(large, sizeof(large) / 2);
			give(&b, key, quern_bytes(large + from, len));
			expected.out.emit(&expected.out, key, quern_bytes(large + from, len));
		}
		for (uint64_t i = 0; i < 3; i++)
			quern_emit_u64(&expected.out, quern_str("partition"), 9 - i);
		steps_finish(b.steps);
		assert_good(&b);
		assert_true(equal(&b.sink.data, &expected.data));
		buf_deinit(&expected.data);
		close_steps(&b);
	}
}

static void a_function_may_end_early(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "take_two");
	open_good(&b);
	for (int i = 0; i < 100000; i++)
		give(&b, no_key, quern_str("record"));
	steps_finish(b.steps);
	assert_good(&b);
	assert_int_equal(b.sink.n, 2);
	close_steps(&b);
}

static void a_limit_ends_functions(void **state)
{
	static const char *const functions[] = { "emit_endless", "pass_on" };

	(void)state;
	for (int f = 0; f < 2; f++) {
		struct bench b;

		bench_init(&b);
		add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, functions[f]);
		add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "pass_on");
		b.sink.limit = 10;
		open_good(&b);
		for (int i = 0; i < 100000 && !b.flow.stop; i++)
			give(&b, no_key, quern_str("record"));
		steps_finish(b.steps);
		assert_good(&b);
		assert_int_equal(b.sink.n, 10);
		close_steps(&b);
	}
}

static void give_many(void *arg)
{
	struct bench *b = arg;

	for (int i = 0; i < 100000 && !b->flow.stop; i++)
		give(b, no_key, quern_str("record"));
	steps_finish(b->steps);
}

/* quern_fail() in the function's thread. */
static void a_function_that_fails(void **state)
{
	unsigned ends = 0, *arg = &ends;
	struct err err = { "" };
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "count_first");
	argue(&b, &arg, sizeof(arg));
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "pass_on");
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "fail_at_third");
	argue(&b, &arg, sizeof(arg));
	open_good(&b);
	assert_int_equal(out_guard(give_many, &b, NULL, &err), 0);
	/* The first gives nothing, so the third sees one record alone: the number of the partition. */
	assert_good(&b);
	assert_int_equal(ends, 3);
	close_steps(&b);

	ends = 0;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "pass_on");
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "fail_at_third");
	argue(&b, &arg, sizeof(arg));
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "pass_on");
	open_good(&b);
	assert_int_equal(out_guard(give_many, &b, NULL, &err), 0);
	assert_failed(&b, "the third: record");
	assert_false(b.flow.final);
	assert_int_equal(ends, 0);
	close_steps(&b);
}

static void give_then_fail(void *arg)
{
	struct bench *b = arg;

	for (int i = 0; i < 100000; i++)
		give(b, no_key, quern_str("record"));
	quern_fail("in the middle");
}

/* quern_fail() in the source's thread, while functions wait. */
static void a_source_that_fails(void **state)
{
	unsigned ends = 0, *arg = &ends;
	struct err err = { "" };
	struct bench b;

	(void)state;
	bench_init(&b);
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "pass_on");
	add(&b, QUERN__STEP__KIND__MAP_PARTITIONS, "count_first");
	argue(&b, &arg, sizeof(arg));
	open_good(&b);
	assert_int_equal(out_guard(give_then_fail, &b, NULL, &err), -ECANCELED);
	assert_string_equal(err.text, "in the middle");
	close_steps(&b);
	assert_int_equal(ends, 1); /* it has begun, and does not go on */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_that_make_no_sense),
		cmocka_unit_test(values_keep_their_keys),
		cmocka_unit_test(one_value_for_one),
		cmocka_unit_test(foreach_gives_nothing),
		cmocka_unit_test(records_are_what_they_were),
		cmocka_unit_test(keys_that_were_not_made_so),
		cmocka_unit_test(tags_in_turns_by_hash_or_as_a_whole),
		cmocka_unit_test(tags_by_a_function),
		cmocka_unit_test(a_whole_partition_of_none),
		cmocka_unit_test(samples_are_random_but_the_same),
		cmocka_unit_test(a_limit_ends_a_sample),
		cmocka_unit_test(records_get_numbers),
		cmocka_unit_test(numbers_that_do_not_fit),
		cmocka_unit_test(a_function_pulls_a_partition),
		cmocka_unit_test(a_function_may_end_early),
		cmocka_unit_test(a_limit_ends_functions),
		cmocka_unit_test(a_function_that_fails),
		cmocka_unit_test(a_source_that_fails),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
