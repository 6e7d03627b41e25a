/* task_run() over whole stages: what maps write, reduces read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/executor/task_kit.h"

/* ---- Word count ---- */

/* Words of a small vocabulary, or of a large one, in lines. */
static void make_text(uint64_t *random, size_t len, uint64_t vocabulary, struct buf *ret)
{
	*ret = BUF_INIT(SIZE_MAX / 2);
	while (ret->len < len)
		assert_int_equal(
			buf_add_fmt(ret, "w%llx%s", (unsigned long long)kit_below(random, vocabulary),
				kit_below(random, 10) == 0 ? "\n" : " "),
			0);
}

/* By strtok() and qsort(): an emitted record (word, 1) each, folded. */
static void count_plainly(const struct buf *text, struct buf *ret)
{
	struct buf ones = BUF_INIT(SIZE_MAX / 2);
	char *copy = calloc(1, text->len + 1), *rest = copy;
	size_t n;

	assert_non_null(copy);
	if (text->len > 0)
		memcpy(copy, text->data, text->len);
	for (char *word; (word = strsep(&rest, " \t\r\n\v\f")) != NULL;)
		if (*word != '\0')
			assert_int_equal(record_put(&ones, quern_str(word), quern_bytes(NULL, 0)), 0);
	struct kit_record *all = kit_sorted(ones.data, ones.len, &n);
	*ret = BUF_INIT(SIZE_MAX / 2);
	for (size_t i = 0, end; i < n; i = end) {
		uint8_t count[8];

		for (end = i + 1; end < n && kit_compare_slices(all[end].key, all[i].key) == 0; end++)
			;
		put_le64(count, end - i);
		assert_int_equal(record_put(ret, all[i].key, quern_bytes(count, 8)), 0);
	}
	free(all);
	free(copy);
	buf_deinit(&ones);
}

static void word_count(
	size_t len, uint64_t vocabulary, uint32_t maps, uint32_t partitions, uint64_t memory, bool http)
{
	struct buf text, expected, counts = BUF_INIT(SIZE_MAX / 2);
	uint64_t random = len, lines_in = 0, records_in = 0, records_out = 0;
	struct bench b;

	make_text(&random, len, vocabulary, &text);
	count_plainly(&text, &expected);
	kit_open(&b);
	kit_input(&b, text.data, text.len);
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	kit_to_shuffle(&b, partitions, "quern_sum_u64");
	b.task.has_memory = memory > 0;
	b.task.memory = memory;
	if (http)
		b.host.machine = (char *)(uintptr_t) "elsewhere";
	for (uint32_t i = 0; i < maps; i++) {
		b.extent.offset = text.len * i / maps;
		b.extent.length = text.len * (i + 1) / maps - b.extent.offset;
		Quern__TaskResult *result = kit_run_done(&b, i, i % 3);
		lines_in += result->records_in;
		records_out += result->records_out;
		kit_done_with(result);
		kit_note_output(&b, i, i % 3);
	}
	assert_int_equal(kit_entries(b.shuffle), maps);
	kit_from_shuffle(&b, "quern_sum_u64");
	for (uint32_t i = 0; i < partitions; i++) {
		Quern__TaskResult *result = kit_run_done(&b, i, 0);
		records_in += result->records_in;
		assert_int_equal(buf_add(&counts, result->data.data, result->data.len), 0);
		kit_done_with(result);
	}
	uint64_t lines = 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n' || i + 1 == text.len;
	assert_int_equal(lines_in, lines);
	assert_int_equal(records_in, records_out);
	kit_assert_same(&counts, &expected);
	buf_deinit(&text);
	buf_deinit(&expected);
	buf_deinit(&counts);
	kit_close(&b);
}

static void words_are_counted(void **state)
{
	(void)state;
	word_count(0, 10, 1, 1, 0, false);
	word_count(100, 10, 3, 5, 0, false);
	word_count(300000, 50, 8, 3, 0, false);
	word_count(300000, 100000, 2, 7, 0, false);
}

static void words_are_counted_over_http(void **state)
{
	(void)state;
	word_count(0, 10, 2, 1, 0, true);
	word_count(3000000, 1000000, 8, 3, 0, true);
}

static void words_are_counted_with_little_memory(void **state)
{
	(void)state;
	word_count(3000000, 1000000, 3, 2, 1, false);
	word_count(3000000, 1000000, 3, 2, 1 << 20, false);
}

/* ---- Other sinks ---- */

static void collects_up_to_a_limit(void **state)
{
	struct bench b;
	size_t n;

	(void)state;
	kit_open(&b);
	kit_input(&b,
		"a\nb\n\nc\n"
		"d\n",
		9);
	kit_add_step(&b, QUERN__STEP__KIND__FILTER, false, "not_empty");
	kit_add_step(&b, QUERN__STEP__KIND__MAP, false, "upper");
	b.sink.kind = QUERN__SINK__KIND__COLLECT;
	for (uint64_t limit = 0; limit < 6; limit++) {
		b.sink.has_limit = true;
		b.sink.limit = limit;
		Quern__TaskResult *result = kit_run_done(&b, 0, 0);
		struct kit_record *all = kit_sorted(result->data.data, result->data.len, &n);
		assert_int_equal(n, limit == 0 || limit > 4 ? 4 : limit);
		assert_int_equal(result->records_out, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(all[i].value.ptr[0], 'A' + (int)i);
		free(all);
		kit_done_with(result);
	}
	kit_close(&b);
}

static void counts(void **state)
{
	struct bench b;

	(void)state;
	kit_open(&b);
	kit_input(&b,
		"a\nb\n\nc\n"
		"d\n",
		9);
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "twice");
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	assert_int_equal(result->data.len, 8);
	assert_int_equal(get_le64(result->data.data), 10);
	kit_done_with(result);
	kit_close(&b);
}

static void writes_a_part(void **state)
{
	struct bench b;
	size_t len;

	(void)state;
	kit_open(&b);
	kit_input(&b, "b a\na", 5);
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	b.sink.kind = QUERN__SINK__KIND__TEXT;
	b.sink.path = b.dir;
	b.sink.has_key = true;
	b.sink.value_type = QUERN__VALUE_TYPE__U64;
	assert_int_equal(mkdir(kit_path(b.dir, "_temporary"), 0700), 0);
	Quern__TaskResult *result = kit_run_done(&b, 12, 1);
	assert_string_equal(result->file, "1.12.1.part-00012");
	assert_int_equal(result->bytes_out, 12);
	assert_int_equal(result->records_out, 3);
	kit_done_with(result);
	uint8_t *data = kit_read(kit_path(b.dir, "_temporary/1.12.1.part-00012"), &len);
	assert_string_equal((char *)data, "b\t1\na\t1\na\t1\n");
	free(data);
	kit_close(&b);
}

/* Two shuffles: both tables of a task in between are in use. */
static void reduces_into_another_shuffle(void **state)
{
	struct bench b;
	size_t n;

	(void)state;
	kit_open(&b);
	kit_input(&b, "x y x z y x", 11);
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	kit_to_shuffle(&b, 1, "quern_sum_u64");
	kit_done_with(kit_run_done(&b, 0, 0));
	kit_note_output(&b, 0, 0);

	/* x 3, y 2, z 1 -> 3 x, 2 y, 1 z -> the longest word of each count */
	kit_from_shuffle(&b, "quern_sum_u64");
	kit_add_step(&b, QUERN__STEP__KIND__FLAT_MAP, true, "swap");
	kit_to_shuffle(&b, 1, "quern_sum_u64");
	b.combine = kit_function(kit_code, "longest");
	b.sink.shuffle = b.sink.seed = SHUFFLE + 1;
	kit_done_with(kit_run_done(&b, 0, 0));

	kit_from_shuffle(&b, "quern_sum_u64");
	b.from.input.shuffle = b.from.input.seed = b.outputs.shuffle = SHUFFLE + 1;
	b.reduce = kit_function(kit_code, "longest");
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	struct kit_record *all = kit_sorted(result->data.data, result->data.len, &n);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(kit_number(all[i].key), i + 1);
		assert_int_equal(all[i].value.len, 1);
		assert_int_equal(all[i].value.ptr[0], "zyx"[i]);
	}
	free(all);
	kit_done_with(result);
	kit_close(&b);
}

/* ---- What functions count, and bad records ---- */

static void numbers_of(struct bench *b, const char *text)
{
	kit_open(b);
	kit_input(b, text, strlen(text));
	kit_add_step(b, QUERN__STEP__KIND__MAP, false, "number");
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
}

static void counts_are_in_the_result(void **state)
{
	struct bench b;
	(void)state;

	numbers_of(&b, "1\n2\n3\n");
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	assert_non_null(result->tally);
	assert_int_equal(result->tally->n_counts, 2);
	assert_true(result->tally->counts[0]->id == 3 && result->tally->counts[0]->bits == 3);
	assert_string_equal(result->tally->counts[1]->name, "numbers");
	assert_true(result->tally->counts[1]->bits == 3);
	assert_false(result->tally->has_bad);
	kit_done_with(result);
	/* The next task of the worker begins at nothing. */
	result = kit_run_done(&b, 1, 0);
	assert_true(result->tally->counts[0]->bits == 3);
	kit_done_with(result);
	/* What a sample computes is computed again. */
	b.sink.kind = QUERN__SINK__KIND__SAMPLE;
	b.sink.has_limit = true;
	b.sink.limit = 10;
	b.sink.has_uncounted = b.sink.uncounted = true;
	result = kit_run_done(&b, 0, 0);
	assert_null(result->tally);
	kit_done_with(result);
	kit_close(&b);
}

static void bad_records_fail_for_good_or_are_left_out(void **state)
{
	struct bench b;
	(void)state;

	numbers_of(&b, "1\nx\n3\ny\n5");
	Quern__TaskResult *result = kit_run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_true(result->has_final && result->final);
	assert_non_null(strstr(result->error, "'x' is not a number without a sign (input '"));
	assert_non_null(strstr(result->error, "input', record 2: value 'x')"));
	assert_null(result->tally);
	kit_done_with(result);

	b.task.has_bad_records = true;
	b.task.bad_records = 1;
	result = kit_run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_true(result->has_final && result->final);
	assert_non_null(strstr(result->error, "record 4: value 'y')"));
	kit_done_with(result);

	b.task.bad_records = 2;
	result = kit_run_done(&b, 0, 0);
	assert_true(result->records_in == 5 && result->records_out == 3);
	assert_true(result->tally->bad == 2 && result->tally->n_texts == 2);
	assert_non_null(strstr(result->tally->texts[1], "record 4: value 'y')"));
	kit_done_with(result);
	kit_close(&b);
}

/* ---- One value, and the first in an order ---- */

static void values_become_one(void **state)
{
	struct bench b;
	(void)state;

	numbers_of(&b, "1\n20\n300\n");
	b.combine = kit_builtin("quern_sum_u64");
	b.sink.combine = &b.combine;
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	/* No key, 8 bytes. */
	assert_true(result->data.len == 10 && result->data.data[0] == 0 && result->data.data[1] == 8);
	assert_true(get_le64(result->data.data + 2) == 321);
	assert_true(result->records_out == 1);
	kit_done_with(result);

	/* By a function of the job; and of none there is none. */
	b.from.branch.n_steps = 0;
	b.combine = kit_function(kit_code, "longest");
	result = kit_run_done(&b, 0, 0);
	assert_true(result->data.len == 5 && memcmp(result->data.data + 2, "300", 3) == 0);
	kit_done_with(result);
	kit_input(&b, "", 0);
	result = kit_run_done(&b, 0, 0);
	assert_int_equal(result->data.len, 0);
	kit_done_with(result);
	kit_close(&b);
}

static void values_are_folded(void **state)
{
	struct bench b;
	(void)state;

	kit_open(&b);
	kit_input(&b, "a\nbcd\nef\n", 9);
	kit_add_step(&b, QUERN__STEP__KIND__FOLD, false, "longest");
	b.steps[0].has_zero = true;
	b.steps[0].zero = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "zz", .len = 2 };
	b.sink.kind = QUERN__SINK__KIND__COLLECT;
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	assert_int_equal(result->data.len, 3 * 2 + 2 + 3 + 2);
	assert_memory_equal(result->data.data, "\0\2zz\0\3bcd\0\2zz", 13);
	kit_done_with(result);
	/* One that emits nothing. */
	b.functions[0] = kit_function(kit_code, "no_result");
	result = kit_run(&b, 0, 0);
	assert_true(result->state == QUERN__TASK_RESULT__STATE__FAILED && result->final);
	assert_non_null(strstr(result->error, "emitted no record"));
	kit_done_with(result);
	kit_close(&b);
}

/* ---- Two shuffles ---- */

/* Counts of the words of one text, and the words of another, in two partitions that are divided alike. */
static void write_two_shuffles(struct bench *b)
{
	kit_input(b, "x y x z y x", 11);
	kit_add_step(b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	kit_to_shuffle(b, 2, "quern_sum_u64");
	kit_done_with(kit_run_done(b, 0, 0));
	kit_note_output(b, 0, 0);
	kit_input(b, "y z w y", 7);
	b->sink.combine = NULL;
	b->sink.shuffle = SHUFFLE + 1;
	kit_done_with(kit_run_done(b, 0, 3));
}

/* The full join of the two, without a function. */
static void join_two_shuffles(struct bench *b, Quern__MapOutput *output, Quern__MapOutput **list,
	Quern__ShuffleInput *input, Quern__ShuffleInput **inputs, Quern__Group *group)
{
	kit_from_shuffle(b, "quern_sum_u64");
	quern__map_output__init(output);
	output->attempt = 3;
	output->stage = MAP_STAGE;
	list[0] = output;
	b->second = b->outputs;
	b->second.shuffle = SHUFFLE + 1;
	b->second.outputs = list;
	b->second.n_outputs = 1;
	quern__shuffle_input__init(input);
	input->shuffle = SHUFFLE + 1;
	input->seed = SHUFFLE;
	inputs[0] = &b->from.input;
	inputs[1] = input;
	quern__group__init(group);
	group->kind = QUERN__GROUP__KIND__FULL_JOIN;
	b->from.source.shuffles = inputs;
	b->from.source.n_shuffles = 2;
	b->from.source.group = group;
}

static void add_pairs(struct buf *text, const Quern__TaskResult *result)
{
	const uint8_t *p = result->data.data, *end = p != NULL ? p + result->data.len : NULL;
	quern_slice key, value;

	while (record_next(&p, end, &key, &value) > 0) {
		quern_slice left = quern_left(value), right = quern_right(value);

		assert_int_equal(buf_add_fmt(text, "%.*s", (int)key.len, key.ptr), 0);
		assert_int_equal(
			buf_add_fmt(text, "%c", left.ptr != NULL ? '0' + (int)kit_number(left) : '-'), 0);
		assert_int_equal(
			buf_add_fmt(text, "%c ", right.ptr != NULL ? '0' + (int)kit_number(right) : '-'), 0);
	}
}

static void two_shuffles_are_joined(void **state)
{
	static const char *const pairs[] = { "x3- ", "y21 y21 ", "z11 ", "w-1 " };
	Quern__ShuffleInput input, *inputs[2];
	Quern__MapOutput output, *list[1];
	auto_buf struct buf text = BUF_INIT(1000);
	Quern__Group group;
	struct bench b;

	(void)state;
	kit_open(&b);
	write_two_shuffles(&b);
	join_two_shuffles(&b, &output, list, &input, inputs, &group);
	for (uint32_t i = 0; i < 2; i++) {
		Quern__TaskResult *result = kit_run_done(&b, i, 0);

		add_pairs(&text, result);
		kit_done_with(result);
	}
	assert_int_equal(buf_add(&text, "", 1), 0);
	assert_int_equal(strlen((const char *)text.data), 5 * 4);
	for (size_t i = 0; i < 4; i++)
		assert_non_null(strstr((const char *)text.data, pairs[i]));
	kit_close(&b);
}

static void the_shuffle_that_is_lost_is_named(void **state)
{
	Quern__ShuffleInput input, *inputs[2];
	Quern__MapOutput output, *list[1];
	Quern__Group group;
	struct bench b;

	(void)state;
	for (uint32_t lost = 0; lost < 2; lost++) {
		kit_open(&b);
		write_two_shuffles(&b);
		join_two_shuffles(&b, &output, list, &input, inputs, &group);
		assert_int_equal(unlink(kit_path(b.shuffle, lost == 0 ? "7-0-0.map" : "8-0-3.map")), 0);
		Quern__TaskResult *result = kit_run(&b, 1, 0);
		assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FETCH_FAILED);
		assert_int_equal(result->fetch_shuffle, SHUFFLE + lost);
		assert_int_equal(result->fetch->attempt, lost == 0 ? 0 : 3);
		kit_done_with(result);
		kit_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_counted),
		cmocka_unit_test(words_are_counted_over_http),
		cmocka_unit_test(words_are_counted_with_little_memory),
		cmocka_unit_test(collects_up_to_a_limit),
		cmocka_unit_test(counts),
		cmocka_unit_test(writes_a_part),
		cmocka_unit_test(reduces_into_another_shuffle),
		cmocka_unit_test(counts_are_in_the_result),
		cmocka_unit_test(bad_records_fail_for_good_or_are_left_out),
		cmocka_unit_test(values_become_one),
		cmocka_unit_test(values_are_folded),
		cmocka_unit_test(two_shuffles_are_joined),
		cmocka_unit_test(the_shuffle_that_is_lost_is_named),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
