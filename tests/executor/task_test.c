/* task_run() over whole stages: what maps write, reduces read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "executor/bytes.h"
#include "executor/task.h"
#include "tests/executor/kit.h"
#include "tests/executor/serve.h"
#include "tests/one_branch.h"

enum { SHUFFLE = 7, MAP_STAGE = 1, REDUCE_STAGE = 2, MAPS_MAX = 8 };

/* A stage whose parts are here, for the test to change; maps' outputs; the folders of an executor. */
struct bench {
	char dir[KIT_PATH], shuffle[KIT_PATH + 16], scratch[KIT_PATH + 16], input[KIT_PATH + 16];
	struct serve serve;
	struct keep keep;
	struct task_env env;

	Quern__Stage stage;
	struct one_branch from;
	Quern__Sink sink;
	Quern__Step steps[4];
	Quern__Step *step_list[4];
	Quern__Function functions[4], reduce, combine;

	Quern__Task task;
	Quern__Split split;
	Quern__Extent extent;
	Quern__Extent *extent_list[1];

	Quern__Outputs outputs;
	Quern__MapOutput map_outputs[MAPS_MAX];
	Quern__MapOutput *map_output_list[MAPS_MAX];
	Quern__OutputHost host;
	Quern__OutputHost *host_list[1];
	Quern__Outputs second; /* of another shuffle, when there are two */

	Quern__TaskCache *cache; /* NULL: the task has nothing to do with persisted sets */
	Quern__Cache caches[2];
};

static void folder(char *path, size_t size, const char *dir, const char *name)
{
	(void)snprintf(path, size, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void bench_open(struct bench *b)
{
	*b = (struct bench){ .stage = QUERN__STAGE__INIT,
		.sink = QUERN__SINK__INIT,
		.task = QUERN__TASK__INIT,
		.split = QUERN__SPLIT__INIT,
		.extent = QUERN__EXTENT__INIT,
		.outputs = QUERN__OUTPUTS__INIT,
		.host = QUERN__OUTPUT_HOST__INIT };
	kit_folder(b->dir);
	folder(b->shuffle, sizeof(b->shuffle), b->dir, "shuffle");
	folder(b->scratch, sizeof(b->scratch), b->dir, "scratch");
	(void)snprintf(b->input, sizeof(b->input), "%s/input", b->dir);
	serve_start(&b->serve, b->shuffle, NULL);
	b->env = (struct task_env){ .code = kit_code,
		.executor_id = SERVE_ID,
		.machine = "here",
		.shuffle_dir = b->shuffle,
		.scratch_dir = b->scratch,
		.secret = serve_secret,
		.keep = &b->keep };

	b->stage.id = MAP_STAGE;
	one_branch_init(&b->from, &b->stage);
	b->stage.sink = &b->sink;
	b->from.branch.steps = b->step_list;
	b->task.stage = MAP_STAGE;
	b->task.split = &b->split;
	b->split.extents = b->extent_list;
	b->split.n_extents = 1;
	b->extent_list[0] = &b->extent;
	b->extent.path = b->input;

	b->outputs.shuffle = SHUFFLE;
	b->outputs.hosts = b->host_list;
	b->outputs.n_hosts = 1;
	b->outputs.outputs = b->map_output_list;
	b->host_list[0] = &b->host;
	b->host.executor_id = (char *)(uintptr_t)SERVE_ID;
	b->host.address = (char *)(uintptr_t) "127.0.0.1";
	b->host.port = b->serve.port;
	b->host.directory = b->shuffle;
	b->host.machine = (char *)(uintptr_t) "here";
}

static void bench_close(struct bench *b)
{
	assert_int_equal(kit_entries(b->scratch), 0);
	serve_stop(&b->serve);
	keep_deinit(&b->keep);
	tree_remove(b->dir);
}

static void input(struct bench *b, const void *text, size_t len)
{
	kit_write(b->input, text, len);
	b->extent.offset = 0;
	b->extent.length = len;
}

static void add_step(struct bench *b, Quern__Step__Kind kind, bool pairs, const char *function)
{
	size_t i = b->from.branch.n_steps++;

	quern__step__init(&b->steps[i]);
	b->functions[i] = kit_function(kit_code, function);
	b->steps[i].kind = kind;
	b->steps[i].has_pairs = true;
	b->steps[i].pairs = pairs;
	b->steps[i].function = &b->functions[i];
	b->step_list[i] = &b->steps[i];
}

static void to_shuffle(struct bench *b, uint32_t partitions, const char *combine)
{
	b->combine = kit_builtin(combine);
	b->sink.kind = QUERN__SINK__KIND__SHUFFLE;
	b->sink.has_shuffle = b->sink.has_partitions = true;
	b->sink.has_seed = true;
	b->sink.shuffle = b->sink.seed = SHUFFLE;
	b->sink.partitions = partitions;
	b->sink.combine = &b->combine;
}

/* The stage behind it: no steps, everything to the driver. */
static void from_shuffle(struct bench *b, const char *reduce)
{
	one_branch_init(&b->from, &b->stage);
	quern__sink__init(&b->sink);
	b->reduce = kit_builtin(reduce);
	b->stage.id = b->task.stage = REDUCE_STAGE;
	b->from.branch.steps = b->step_list;
	one_branch_read(&b->from, SHUFFLE);
	b->from.input.reduce = &b->reduce;
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
	b->task.split = NULL;
}

static Quern__TaskResult *run(struct bench *b, uint32_t partition, uint32_t attempt)
{
	const Quern__Outputs *outputs[] = { &b->outputs, &b->second };
	const struct task t = { .stage = &b->stage,
		.branch = &b->from.branch,
		.task = &b->task,
		.outputs = outputs,
		.n_outputs = b->from.source.n_shuffles,
		.cache = b->cache };
	Quern__TaskResult *result = NULL;

	b->task.partition = b->task.part = partition;
	b->task.attempt = attempt;
	assert_int_equal(task_run(&b->env, &t, &result), 0);
	assert_non_null(result);
	assert_int_equal(result->stage, b->stage.id);
	assert_int_equal(result->partition, partition);
	assert_int_equal(result->attempt, attempt);
	return result;
}

static Quern__TaskResult *run_done(struct bench *b, uint32_t partition, uint32_t attempt)
{
	Quern__TaskResult *result = run(b, partition, attempt);

	if (result->state != QUERN__TASK_RESULT__STATE__DONE)
		fail_msg("%s", result->error);
	return result;
}

static void done_with(Quern__TaskResult *result)
{
	quern__task_result__free_unpacked(result, NULL);
}

static void note_output(struct bench *b, uint32_t map, uint32_t attempt)
{
	Quern__MapOutput *o = &b->map_outputs[b->outputs.n_outputs];

	quern__map_output__init(o);
	o->map = map;
	o->attempt = attempt;
	o->stage = MAP_STAGE;
	b->map_output_list[b->outputs.n_outputs++] = o;
}

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
	bench_open(&b);
	input(&b, text.data, text.len);
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	to_shuffle(&b, partitions, "quern_sum_u64");
	b.task.has_memory = memory > 0;
	b.task.memory = memory;
	if (http)
		b.host.machine = (char *)(uintptr_t) "elsewhere";
	for (uint32_t i = 0; i < maps; i++) {
		b.extent.offset = text.len * i / maps;
		b.extent.length = text.len * (i + 1) / maps - b.extent.offset;
		Quern__TaskResult *result = run_done(&b, i, i % 3);
		lines_in += result->records_in;
		records_out += result->records_out;
		done_with(result);
		note_output(&b, i, i % 3);
	}
	assert_int_equal(kit_entries(b.shuffle), maps);
	from_shuffle(&b, "quern_sum_u64");
	for (uint32_t i = 0; i < partitions; i++) {
		Quern__TaskResult *result = run_done(&b, i, 0);
		records_in += result->records_in;
		assert_int_equal(buf_add(&counts, result->data.data, result->data.len), 0);
		done_with(result);
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
	bench_close(&b);
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
	bench_open(&b);
	input(&b,
		"a\nb\n\nc\n"
		"d\n",
		9);
	add_step(&b, QUERN__STEP__KIND__FILTER, false, "not_empty");
	add_step(&b, QUERN__STEP__KIND__MAP, false, "upper");
	b.sink.kind = QUERN__SINK__KIND__COLLECT;
	for (uint64_t limit = 0; limit < 6; limit++) {
		b.sink.has_limit = true;
		b.sink.limit = limit;
		Quern__TaskResult *result = run_done(&b, 0, 0);
		struct kit_record *all = kit_sorted(result->data.data, result->data.len, &n);
		assert_int_equal(n, limit == 0 || limit > 4 ? 4 : limit);
		assert_int_equal(result->records_out, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(all[i].value.ptr[0], 'A' + (int)i);
		free(all);
		done_with(result);
	}
	bench_close(&b);
}

static void counts(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b,
		"a\nb\n\nc\n"
		"d\n",
		9);
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "twice");
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	Quern__TaskResult *result = run_done(&b, 0, 0);
	assert_int_equal(result->data.len, 8);
	assert_int_equal(get_le64(result->data.data), 10);
	done_with(result);
	bench_close(&b);
}

static void writes_a_part(void **state)
{
	struct bench b;
	size_t len;

	(void)state;
	bench_open(&b);
	input(&b, "b a\na", 5);
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	b.sink.kind = QUERN__SINK__KIND__TEXT;
	b.sink.path = b.dir;
	b.sink.has_key = true;
	b.sink.value_type = QUERN__VALUE_TYPE__U64;
	assert_int_equal(mkdir(kit_path(b.dir, "_temporary"), 0700), 0);
	Quern__TaskResult *result = run_done(&b, 12, 1);
	assert_string_equal(result->file, "1.12.1/part-00012");
	assert_int_equal(result->bytes_out, 12);
	assert_int_equal(result->records_out, 3);
	done_with(result);
	uint8_t *data = kit_read(kit_path(b.dir, "_temporary/1.12.1/part-00012"), &len);
	assert_string_equal((char *)data, "b\t1\na\t1\na\t1\n");
	free(data);
	bench_close(&b);
}

/* Two shuffles: both tables of a task in between are in use. */
static void reduces_into_another_shuffle(void **state)
{
	struct bench b;
	size_t n;

	(void)state;
	bench_open(&b);
	input(&b, "x y x z y x", 11);
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	to_shuffle(&b, 1, "quern_sum_u64");
	done_with(run_done(&b, 0, 0));
	note_output(&b, 0, 0);

	/* x 3, y 2, z 1 -> 3 x, 2 y, 1 z -> the longest word of each count */
	from_shuffle(&b, "quern_sum_u64");
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, true, "swap");
	to_shuffle(&b, 1, "quern_sum_u64");
	b.combine = kit_function(kit_code, "longest");
	b.sink.shuffle = b.sink.seed = SHUFFLE + 1;
	done_with(run_done(&b, 0, 0));

	from_shuffle(&b, "quern_sum_u64");
	b.from.input.shuffle = b.from.input.seed = b.outputs.shuffle = SHUFFLE + 1;
	b.reduce = kit_function(kit_code, "longest");
	Quern__TaskResult *result = run_done(&b, 0, 0);
	struct kit_record *all = kit_sorted(result->data.data, result->data.len, &n);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(kit_number(all[i].key), i + 1);
		assert_int_equal(all[i].value.len, 1);
		assert_int_equal(all[i].value.ptr[0], "zyx"[i]);
	}
	free(all);
	done_with(result);
	bench_close(&b);
}

/* ---- What goes wrong ---- */

static void expect_failed(struct bench *b, bool final, const char *words)
{
	Quern__TaskResult *result = run(b, 0, 0);

	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_int_equal(result->final, final);
	if (strstr(result->error, words) == NULL)
		fail_msg("'%s' is not about '%s'", result->error, words);
	assert_null(strchr(result->error, '\n'));
	assert_int_equal(kit_entries(b->shuffle), 0);
	assert_int_equal(kit_entries(b->scratch), 0);
	done_with(result);
}

static void user_code_that_fails(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b, "fine\nfail\n", 10);
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "misbehave");
	to_shuffle(&b, 3, "quern_sum_u64");
	expect_failed(&b, true, "4 bytes"); /* "fine" is no number */
	input(&b, "fail\n", 5);
	expect_failed(&b, false, "it is broken: 7");

	b.sink.kind = QUERN__SINK__KIND__TEXT;
	b.sink.path = b.dir;
	assert_int_equal(mkdir(kit_path(b.dir, "_temporary"), 0700), 0);
	expect_failed(&b, false, "it is broken: 7");
	assert_int_equal(kit_entries(kit_path(b.dir, "_temporary")), 0);
	bench_close(&b);
}

/* ---- What functions count, and bad records ---- */

static void numbers_of(struct bench *b, const char *text)
{
	bench_open(b);
	input(b, text, strlen(text));
	add_step(b, QUERN__STEP__KIND__MAP, false, "number");
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
}

static void counts_are_in_the_result(void **state)
{
	struct bench b;
	(void)state;

	numbers_of(&b, "1\n2\n3\n");
	Quern__TaskResult *result = run_done(&b, 0, 0);
	assert_non_null(result->tally);
	assert_int_equal(result->tally->n_counts, 2);
	assert_true(result->tally->counts[0]->id == 3 && result->tally->counts[0]->bits == 3);
	assert_string_equal(result->tally->counts[1]->name, "numbers");
	assert_true(result->tally->counts[1]->bits == 3);
	assert_false(result->tally->has_bad);
	done_with(result);
	/* The next task of the worker begins at nothing. */
	result = run_done(&b, 1, 0);
	assert_true(result->tally->counts[0]->bits == 3);
	done_with(result);
	/* What a sample computes is computed again. */
	b.sink.kind = QUERN__SINK__KIND__SAMPLE;
	b.sink.has_limit = true;
	b.sink.limit = 10;
	b.sink.has_uncounted = b.sink.uncounted = true;
	result = run_done(&b, 0, 0);
	assert_null(result->tally);
	done_with(result);
	bench_close(&b);
}

static void bad_records_fail_for_good_or_are_left_out(void **state)
{
	struct bench b;
	(void)state;

	numbers_of(&b, "1\nx\n3\ny\n5");
	Quern__TaskResult *result = run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_true(result->has_final && result->final);
	assert_non_null(strstr(result->error, "'x' is not a number without a sign (input '"));
	assert_non_null(strstr(result->error, "input', record 2: value 'x')"));
	assert_null(result->tally);
	done_with(result);

	b.task.has_bad_records = true;
	b.task.bad_records = 1;
	result = run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_true(result->has_final && result->final);
	assert_non_null(strstr(result->error, "record 4: value 'y')"));
	done_with(result);

	b.task.bad_records = 2;
	result = run_done(&b, 0, 0);
	assert_true(result->records_in == 5 && result->records_out == 3);
	assert_true(result->tally->bad == 2 && result->tally->n_texts == 2);
	assert_non_null(strstr(result->tally->texts[1], "record 4: value 'y')"));
	done_with(result);
	bench_close(&b);
}

static void a_misfit_names_its_record(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b);
	input(&b, "12345678\nshort\n", 15);
	to_shuffle(&b, 1, "quern_sum_u64");
	Quern__TaskResult *result = run(&b, 0, 0);
	assert_true(result->state == QUERN__TASK_RESULT__STATE__FAILED && result->final);
	assert_non_null(strstr(result->error, "a value of 5 bytes"));
	assert_non_null(strstr(result->error, "record 2: value 'short')"));
	done_with(result);
	bench_close(&b);
}

/* ---- One value, and the first in an order ---- */

static void values_become_one(void **state)
{
	struct bench b;
	(void)state;

	numbers_of(&b, "1\n20\n300\n");
	b.combine = kit_builtin("quern_sum_u64");
	b.sink.combine = &b.combine;
	Quern__TaskResult *result = run_done(&b, 0, 0);
	/* No key, 8 bytes. */
	assert_true(result->data.len == 10 && result->data.data[0] == 0 && result->data.data[1] == 8);
	assert_true(get_le64(result->data.data + 2) == 321);
	assert_true(result->records_out == 1);
	done_with(result);

	/* By a function of the job; and of none there is none. */
	b.from.branch.n_steps = 0;
	b.combine = kit_function(kit_code, "longest");
	result = run_done(&b, 0, 0);
	assert_true(result->data.len == 5 && memcmp(result->data.data + 2, "300", 3) == 0);
	done_with(result);
	input(&b, "", 0);
	result = run_done(&b, 0, 0);
	assert_int_equal(result->data.len, 0);
	done_with(result);
	bench_close(&b);
}

static void values_are_folded(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b);
	input(&b, "a\nbcd\nef\n", 9);
	add_step(&b, QUERN__STEP__KIND__FOLD, false, "longest");
	b.steps[0].has_zero = true;
	b.steps[0].zero = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "zz", .len = 2 };
	b.sink.kind = QUERN__SINK__KIND__COLLECT;
	Quern__TaskResult *result = run_done(&b, 0, 0);
	assert_int_equal(result->data.len, 3 * 2 + 2 + 3 + 2);
	assert_memory_equal(result->data.data, "\0\2zz\0\3bcd\0\2zz", 13);
	done_with(result);
	/* One that emits nothing. */
	b.functions[0] = kit_function(kit_code, "no_result");
	result = run(&b, 0, 0);
	assert_true(result->state == QUERN__TASK_RESULT__STATE__FAILED && result->final);
	assert_non_null(strstr(result->error, "emitted no record"));
	done_with(result);
	bench_close(&b);
}

static void a_combine_that_fails(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b, "w w\n", 4);
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	to_shuffle(&b, 3, "quern_sum_u64");
	b.combine = kit_function(kit_code, "reduce_fails");
	expect_failed(&b, false, "two values of a key");
	b.combine = kit_function(kit_code, "no_result");
	expect_failed(&b, true, "no value");
	bench_close(&b);
}

static void a_map_that_is_none(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b, "a\n", 2);
	add_step(&b, QUERN__STEP__KIND__MAP, false, "twice");
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	expect_failed(&b, true, "more than one record");
	b.functions[0].offset = 1; /* not a function: in the headers of the object */
	expect_failed(&b, true, "no function of the job");
	bench_close(&b);
}

static void plans_that_make_no_sense(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b, "a\n", 2);
	to_shuffle(&b, 0, "quern_sum_u64");
	expect_failed(&b, true, "0 partitions");
	b.sink.partitions = 2;
	b.sink.has_shuffle = false;
	expect_failed(&b, true, "without a name");
	b.task.split = NULL;
	expect_failed(&b, false, "without a split");
	from_shuffle(&b, "quern_sum_u64");
	b.outputs.shuffle = SHUFFLE + 1;
	expect_failed(&b, false, "nothing is known");
	b.outputs.shuffle = SHUFFLE;
	note_output(&b, 0, 0);
	note_output(&b, 0, 1);
	expect_failed(&b, true, "two outputs of map 0");
	b.map_outputs[1].map = 1;
	b.map_outputs[1].host = 1;
	expect_failed(&b, true, "no known host");
	bench_close(&b);
}

/* Whoever made the plan: a record goes to a partition that there is, or the task fails. */
static void tags_of_partitions_that_are_not_there(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT;
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b, "a\nb\nc\n", 6);
	order.tagged = order.loose = true;
	to_shuffle(&b, 2, "quern_sum_u64");
	b.sink.combine = NULL;
	b.sink.order = &order;
	add_step(&b, QUERN__STEP__KIND__TAG, false, "by_first_byte");
	b.steps[0].divide = QUERN__STEP__DIVIDE__ROUND_ROBIN;
	b.steps[0].partitions = 3;
	expect_failed(&b, true, "that the shuffle does not have: it has 2");
	/* No tags at all. */
	b.from.branch.n_steps = 0;
	expect_failed(&b, true, "that the shuffle does not have: it has 2");
	b.from.branch.n_steps = 1;
	b.steps[0].partitions = 2;
	done_with(run_done(&b, 0, 0));
	bench_close(&b);
}

/* quern_fail() in the thread that a partition's function has, and before it. */
static void a_function_of_partitions_that_fails(void **state)
{
	unsigned ends = 0, *arg = &ends;
	struct bench b;

	(void)state;
	bench_open(&b);
	input(&b, "a\nb\nc\nfail\n", 11);
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	add_step(&b, QUERN__STEP__KIND__MAP_PARTITIONS, true, "fail_at_third");
	b.functions[0].has_arg = true;
	b.functions[0].arg = (ProtobufCBinaryData){ sizeof(arg), (uint8_t *)&arg };
	expect_failed(&b, false, "the third: c");
	b.from.branch.n_steps = 0;
	add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "misbehave");
	add_step(&b, QUERN__STEP__KIND__MAP_PARTITIONS, true, "pass_on");
	expect_failed(&b, false, "broken: 7");
	assert_int_equal(ends, 0);
	bench_close(&b);
}

static void inputs_and_outputs_that_are_not_there(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.extent.length = 1;
	b.sink.kind = QUERN__SINK__KIND__COUNT;
	expect_failed(&b, false, b.input);
	input(&b, "a\n", 2);
	b.extent.length = 3;
	expect_failed(&b, true, "shorter");
	b.extent.length = 2;
	b.sink.kind = QUERN__SINK__KIND__TEXT;
	b.sink.path = b.dir; /* without _temporary */
	expect_failed(&b, false, b.dir);
	to_shuffle(&b, 1, "quern_sum_u64");
	b.env.shuffle_dir = b.input; /* not a folder */
	expect_failed(&b, false, "map output");
	bench_close(&b);
}

/* One map output of three is missing, or not what it should be. */
static void lost_map_output(void **state)
{
	struct bench b;

	(void)state;
	for (int damage = 0; damage < 3; damage++) {
		bench_open(&b);
		input(&b, "x y x z y x", 11);
		add_step(&b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
		to_shuffle(&b, 2, "quern_sum_u64");
		for (uint32_t i = 0; i < 3; i++) {
			done_with(run_done(&b, i, 5));
			note_output(&b, i, 5);
		}
		const char *file = kit_path(b.shuffle, "7-1-5.map");
		if (damage == 0)
			assert_int_equal(unlink(file), 0);
		else if (damage == 1)
			assert_int_equal(truncate(file, 50), 0);
		else
			kit_write(file, "", 0);
		from_shuffle(&b, "quern_sum_u64");
		Quern__TaskResult *result = run(&b, 1, 4);
		assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FETCH_FAILED);
		assert_int_equal(result->fetch_shuffle, SHUFFLE);
		assert_int_equal(result->fetch->map, 1);
		assert_int_equal(result->fetch->attempt, 5);
		assert_int_equal(result->fetch->stage, MAP_STAGE);
		assert_non_null(strstr(result->error, "map output 7-1-5"));
		done_with(result);
		bench_close(&b);
	}
}

/* ---- Two shuffles ---- */

/* Counts of the words of one text, and the words of another, in two partitions that are divided alike. */
static void write_two_shuffles(struct bench *b)
{
	input(b, "x y x z y x", 11);
	add_step(b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	to_shuffle(b, 2, "quern_sum_u64");
	done_with(run_done(b, 0, 0));
	note_output(b, 0, 0);
	input(b, "y z w y", 7);
	b->sink.combine = NULL;
	b->sink.shuffle = SHUFFLE + 1;
	done_with(run_done(b, 0, 3));
}

/* The full join of the two, without a function. */
static void join_two_shuffles(struct bench *b, Quern__MapOutput *output, Quern__MapOutput **list,
	Quern__ShuffleInput *input, Quern__ShuffleInput **inputs, Quern__Group *group)
{
	from_shuffle(b, "quern_sum_u64");
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
	bench_open(&b);
	write_two_shuffles(&b);
	join_two_shuffles(&b, &output, list, &input, inputs, &group);
	for (uint32_t i = 0; i < 2; i++) {
		Quern__TaskResult *result = run_done(&b, i, 0);

		add_pairs(&text, result);
		done_with(result);
	}
	assert_int_equal(buf_add(&text, "", 1), 0);
	assert_int_equal(strlen((const char *)text.data), 5 * 4);
	for (size_t i = 0; i < 4; i++)
		assert_non_null(strstr((const char *)text.data, pairs[i]));
	bench_close(&b);
}

static void the_shuffle_that_is_lost_is_named(void **state)
{
	Quern__ShuffleInput input, *inputs[2];
	Quern__MapOutput output, *list[1];
	Quern__Group group;
	struct bench b;

	(void)state;
	for (uint32_t lost = 0; lost < 2; lost++) {
		bench_open(&b);
		write_two_shuffles(&b);
		join_two_shuffles(&b, &output, list, &input, inputs, &group);
		assert_int_equal(unlink(kit_path(b.shuffle, lost == 0 ? "7-0-0.map" : "8-0-3.map")), 0);
		Quern__TaskResult *result = run(&b, 1, 0);
		assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FETCH_FAILED);
		assert_int_equal(result->fetch_shuffle, SHUFFLE + lost);
		assert_int_equal(result->fetch->attempt, lost == 0 ? 0 : 3);
		done_with(result);
		bench_close(&b);
	}
}

/* ---- Persisted sets ---- */

/* A memfd for a CACHE step, and what the task is told of it. */
struct kept {
	int fd;
	char path[64];
	Quern__TaskCache cache;
	Quern__TaskCache__File file, *list[1];
};

static void kept_open(struct kept *k, uint32_t step, uint64_t most)
{
	quern__task_cache__init(&k->cache);
	quern__task_cache__file__init(&k->file);
	k->fd = memfd_create("quern-cache-1", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(k->fd >= 0);
	(void)snprintf(k->path, sizeof(k->path), "/proc/%d/fd/%d", (int)getpid(), k->fd);
	k->file.path = k->path;
	k->file.name = (char *)(uintptr_t) "quern-cache-1";
	k->file.step = step;
	k->cache.has_most = 1;
	k->cache.most = most;
	k->list[0] = &k->file;
	k->cache.write = k->list;
	k->cache.n_write = 1;
}

/* What was written is to be read. */
static void kept_read(struct kept *k, uint64_t bytes)
{
	k->cache.n_write = 0;
	k->cache.read = &k->file;
	k->file.has_bytes = 1;
	k->file.bytes = bytes;
}

static void add_cache_step(struct bench *b, uint32_t id, bool compressed)
{
	size_t i = b->from.branch.n_steps++;

	quern__step__init(&b->steps[i]);
	quern__cache__init(&b->caches[0]);
	b->caches[0].id = id;
	b->caches[0].has_compressed = b->caches[0].compressed = compressed;
	b->steps[i].kind = QUERN__STEP__KIND__CACHE;
	b->steps[i].cache = &b->caches[0];
	b->step_list[i] = &b->steps[i];
}

/* words -> kept -> twice -> collect */
static void open_kept(struct bench *b, struct kept *k, bool compressed, uint64_t most)
{
	static const char text[] = "one two\nthree four\nfive\n";

	bench_open(b);
	input(b, text, sizeof(text) - 1);
	add_step(b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	add_cache_step(b, 33, compressed);
	add_step(b, QUERN__STEP__KIND__FLAT_MAP, false, "twice");
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
	kept_open(k, 1, most);
	b->cache = &k->cache;
}

static void a_task_keeps_and_another_begins_there(void **state)
{
	for (int compressed = 0; compressed < 2; compressed++) {
		struct bench b;
		struct kept k;

		(void)state;
		open_kept(&b, &k, compressed != 0, 10000);
		Quern__TaskResult *first = run_done(&b, 0, 0);
		assert_int_equal(first->n_kept, 1);
		assert_int_equal(first->kept[0]->cache, 33);
		assert_true(first->kept[0]->has_bytes && first->kept[0]->bytes > 0);
		assert_int_equal(first->records_in, 3);
		assert_int_equal(first->records_out, 10);
		assert_false(first->from_cache);

		kept_read(&k, first->kept[0]->bytes);
		assert_int_equal(unlink(b.input), 0); /* nobody reads it */
		Quern__TaskResult *second = run_done(&b, 0, 1);
		assert_true(second->from_cache);
		assert_int_equal(second->n_kept, 0);
		assert_int_equal(second->records_in, 5);
		assert_int_equal(second->bytes_in, first->kept[0]->bytes);
		assert_int_equal(second->data.len, first->data.len);
		assert_memory_equal(second->data.data, first->data.data, first->data.len);
		done_with(first);
		done_with(second);
		(void)close(k.fd);
		bench_close(&b);
	}
}

static void what_cannot_be_had_is_computed(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	kept_read(&k, 5); /* it is empty */
	Quern__TaskResult *result = run_done(&b, 0, 0);
	assert_false(result->from_cache);
	assert_int_equal(result->records_in, 3);
	done_with(result);
	k.file.step = 2; /* no step that keeps anything */
	k.file.bytes = 0;
	result = run_done(&b, 0, 1);
	assert_false(result->from_cache);
	assert_int_equal(result->records_out, 10);
	done_with(result);
	(void)close(k.fd);
	bench_close(&b);
}

static void what_cannot_be_kept_is_not_missed(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10);
	Quern__TaskResult *result = run_done(&b, 0, 0);
	assert_int_equal(result->records_out, 10);
	assert_int_equal(result->n_kept, 1);
	assert_true(result->kept[0]->too_large);
	assert_false(result->kept[0]->has_bytes);
	done_with(result);
	k.file.path = (char *)(uintptr_t) "/proc/self/fd/9999";
	result = run_done(&b, 0, 1);
	assert_int_equal(result->records_out, 10);
	assert_int_equal(result->n_kept, 0);
	done_with(result);
	(void)close(k.fd);
	bench_close(&b);
}

/* Not all records passed: a later task would take them for all. */
static void what_a_limit_stopped_is_not_kept(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	b.sink.has_limit = true;
	b.sink.limit = 3;
	Quern__TaskResult *result = run_done(&b, 0, 0);
	assert_int_equal(result->records_out, 3);
	assert_int_equal(result->n_kept, 0);
	done_with(result);
	(void)close(k.fd);
	bench_close(&b);
}

static void what_failed_is_not_kept(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	b.functions[2] = kit_function(kit_code, "upper");
	b.steps[2].kind = QUERN__STEP__KIND__MAP;
	b.functions[0] = kit_function(kit_code, "twice");
	b.steps[0].kind = QUERN__STEP__KIND__MAP; /* emits two */
	Quern__TaskResult *result = run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_int_equal(result->n_kept, 0);
	done_with(result);
	(void)close(k.fd);
	bench_close(&b);
}

static void what_is_damaged_fails_the_attempt(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	assert_int_equal(pwrite(k.fd, "\7\7", 2, 0), 2);
	kept_read(&k, 2);
	Quern__TaskResult *result = run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_non_null(strstr(result->error, "damaged"));
	assert_false(result->final);
	done_with(result);
	(void)close(k.fd);
	bench_close(&b);
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
		cmocka_unit_test(user_code_that_fails),
		cmocka_unit_test(counts_are_in_the_result),
		cmocka_unit_test(bad_records_fail_for_good_or_are_left_out),
		cmocka_unit_test(a_misfit_names_its_record),
		cmocka_unit_test(values_become_one),
		cmocka_unit_test(values_are_folded),
		cmocka_unit_test(a_combine_that_fails),
		cmocka_unit_test(a_map_that_is_none),
		cmocka_unit_test(plans_that_make_no_sense),
		cmocka_unit_test(tags_of_partitions_that_are_not_there),
		cmocka_unit_test(a_function_of_partitions_that_fails),
		cmocka_unit_test(inputs_and_outputs_that_are_not_there),
		cmocka_unit_test(lost_map_output),
		cmocka_unit_test(two_shuffles_are_joined),
		cmocka_unit_test(the_shuffle_that_is_lost_is_named),
		cmocka_unit_test(a_task_keeps_and_another_begins_there),
		cmocka_unit_test(what_cannot_be_had_is_computed),
		cmocka_unit_test(what_cannot_be_kept_is_not_missed),
		cmocka_unit_test(what_a_limit_stopped_is_not_kept),
		cmocka_unit_test(what_failed_is_not_kept),
		cmocka_unit_test(what_is_damaged_fails_the_attempt),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
