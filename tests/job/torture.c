/* Every allocation of job/ fails once, the first, the second, and so on until none is left: each time the
 * work ends with -ENOMEM or a set that says so, and gives back what it took (which a sanitizer or valgrind
 * sees). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "job/compile.h"
#include "job/explain.h"
#include "job/graph.h"
#include "job/source_splits.h"
#include "job/records.h"
#include "job/session.h"
#include "tests/job/kit.h"
#include "tests/refuse.h"

/* Calls work(arg) until it gets through: how often an allocation was refused. */
static long torture(int (*work)(void *arg), void *arg)
{
	for (long n = 1;; n++) {
		arm(true);
		until_failure = n;
		int r = work(arg);
		bool all = until_failure > 0;
		until_failure = 0;

		if (all) {
			assert_int_equal(r, 0);
			return n - 1;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

static int split(void *arg)
{
	const struct input_config config = { .parallelism = 3 };
	char *const *paths = arg;
	struct input_splits s = { 0 };
	struct err err = { "" };

	int r = input_splits(paths, 2, &config, &s, &err);
	assert_int_equal(s.n > 0, r == 0);
	assert_int_equal(err.text[0] != '\0', r != 0);
	input_splits_deinit(&s);
	return r;
}

static void splitting_input(void **state)
{
	static char text[200 << 10];
	/* Frames of zstd that stand for nothing. */
	static char frames[4 * (20 << 10)];

	for (size_t i = 0; i < 4; i++)
		memcpy(frames + i * (20 << 10), "\x50\x2a\x4d\x18\xf8\x4f\0\0", 8);
	assert_int_equal(mkdir(kit_path(*state, "folder"), 0700), 0);
	kit_write_bytes(kit_path(*state, "folder/large"), text, sizeof(text));
	kit_write_bytes(kit_path(*state, "folder/frames.zst"), frames, sizeof(frames));
	for (int i = 0; i < 20; i++)
		kit_write(kit_path(*state, "folder/%d", i), "text");
	char *paths[] = { (char *)kit_path(*state, "folder"), (char *)kit_path(*state, "f*") };
	assert_true(torture(split, paths) > 100);
}

static int split_memory(void *arg)
{
	const struct input_config config = { .parallelism = 3 };
	struct input_splits s = { 0 };
	struct err err = { "" };

	int r = source_splits(arg, &config, &s, &err);
	assert_int_equal(s.n, r == 0 ? 3 : 0);
	assert_int_equal(err.text[0] != '\0', r != 0);
	input_splits_deinit(&s);
	return r;
}

static void splitting_what_is_in_memory(void **state)
{
	Quern__Source records = QUERN__SOURCE__INIT, numbers = QUERN__SOURCE__INIT;
	Quern__Range range = QUERN__RANGE__INIT;

	(void)state;
	records.has_records = true;
	records.records.data = (uint8_t *)"\0\1a\0\1b\0\1c\0\1d";
	records.records.len = 12;
	numbers.range = &range;
	range.end = 10;
	assert_true(torture(split_memory, &records) > 5);
	assert_true(torture(split_memory, &numbers) > 5);
}

struct action {
	struct code *code;
	const struct job_functions *f;
};

static int discard(void *arg, const Quern__Run *run, job_result_fn *result, void *result_arg, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(SIZE_MAX), frame = BUF_INIT(SIZE_MAX);

	(void)arg, (void)result, (void)result_arg;
	int r = explain_run(run, &text);
	if (r == 0)
		r = session_put_run(&frame, run);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static int act(void *arg)
{
	const struct action *a = arg;
	const struct job_runner runner = { .run = discard };
	const size_t least = 3;
	quern_job job;

	job_init(&job, a->code, &runner);
	quern_set *set = quern_filter(quern_text(&job, "in"), a->f->long_enough, QUERN_ARG(least));
	set = quern_sort_by(quern_subtract_by_key(set, quern_full_outer_join(set, set, NULL, NULL)),
		(quern_compare_fn *)(code_fn *)a->f->even, QUERN_ASCENDING, QUERN_ARG(least));
	set = quern_persist(quern_partitions(set, 1), QUERN_MEMORY_COMPRESSED);
	set = quern_reduce_by_key(quern_flat_map(set, a->f->words, NULL), quern_sum_u64, NULL);
	set = quern_typed(
		quern_map_pairs(quern_partitions(set, 3), a->f->swap, NULL), QUERN_U64, QUERN_BYTES);
	set = quern_zip_with_index(quern_coalesce(quern_sample(set, true, 3, 1), 2), a->f->number, NULL);
	set = quern_partition_and_sort(
		quern_distinct(set), 3, a->f->first, QUERN_ARG(least), QUERN_ASCENDING);
	set = quern_map_partitions(set, a->f->pass_on, NULL);
	/* A mistake is one as well when there is no memory for its words. */
	assert_non_null(quern_partitions(set, 3)->error);
	assert_non_null(quern_sample(set, false, 2, 1)->error);
	assert_non_null(quern_repartition(set, 0)->error);
	assert_non_null(quern_map(set, NULL, NULL)->error);
	const quern_record record = { quern_str("key"), quern_str("value") };
	set = quern_union(set, quern_pieces(quern_records_from(&job, &record, 1), 2));
	set = quern_union(set, quern_text_pairs(&job, "in", "="));
	set = quern_union(set, quern_range(&job, 0, 5));
	int r = set->error != NULL ? -ENOMEM : 0;
	int e = quern_save_text(set, "out");
	assert_true(e == 0 || e == 1);
	assert_true(r == 0 || e == 1);
	job_deinit(&job);
	return r < 0 || e == 1 || until_failure == 0 ? -ENOMEM : 0;
}

static void building_and_running_a_graph(void **state)
{
	struct action a = { .code = kit_load() };

	(void)state;
	a.f = kit_symbol("job_functions");
	assert_true(torture(act, &a) > 30);
	(void)code_free(a.code);
}

static int feed(void *arg)
{
	const struct buf *bytes = arg;
	const uint8_t *p = bytes->data;
	ProtobufCMessage *m = NULL;
	struct session_reader r;
	struct err err;
	size_t len = bytes->len;

	session_reader_job(&r);
	int got = session_feed(&r, &p, &len, &m, &err);
	if (got == 1)
		protobuf_c_message_free_unpacked(m, NULL);
	session_reader_deinit(&r);
	return got < 0 ? got : 0;
}

static void reading_a_session(void **state)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);

	(void)state;
	assert_int_equal(session_put_result(&b, 1, 2, "some data", 9), 0);
	assert_true(torture(feed, &b) > 0);
}

static int load(void *arg)
{
	struct code *code = NULL;
	struct err err = { "" };

	(void)arg;
	int r = code_load(kit_env("QUERN_TEST_JOB"), NULL, 0, &code, &err);
	(void)code_free(code);
	return r;
}

static void loading_a_job(void **state)
{
	(void)state;
	assert_true(torture(load, NULL) > 0);
}

static int compile(void *arg)
{
	struct err err = { "" };
	char *so = NULL;

	int r = compile_job(arg, kit_env("QUERN_INCLUDE"), "-DA=1 '-DB=two words' -O1", &so, &err);
	assert_int_equal(so != NULL, r == 0);
	free(so);
	return r;
}

static void compiling(void **state)
{
	const char *source = kit_path(*state, "job.c");

	kit_write(source, "#include <quern/quern.h>\nint quern_main(quern_job *j, int c, char **v)\n"
			  "{ (void)j; (void)v; return c; }\n");
	assert_int_equal(setenv("XDG_CACHE_HOME", *state, 1), 0);
	(void)unsetenv("CC");
	assert_true(torture(compile, (void *)source) > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(splitting_input),
		kit_test(splitting_what_is_in_memory),
		kit_test(building_and_running_a_graph),
		kit_test(reading_a_session),
		kit_test(loading_a_job),
		kit_test(compiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
