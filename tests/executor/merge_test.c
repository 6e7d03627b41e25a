#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/hash.h"
#include "executor/merge.h"
#include "tests/executor/kit.h"

static const struct order order = { .by_hash = true };

struct bench {
	char dir[KIT_PATH];
	struct flow flow;
	struct reduce reduce;
	struct keep keep;
	struct spill spill;
	struct merge *merge;
	struct kit_sink out;
	uint64_t stop_after;
};

static void damaged(void *arg, const struct stored *run, int code)
{
	struct bench *b = arg;

	assert_true(spill_has(&b->spill, run));
	scratch_failed(&b->spill.scratch, &b->flow, code);
}

/* `memory`: of the merge; 0 is for two runs at a time. */
static void bench_open(struct bench *b, size_t memory)
{
	Quern__Function sum = kit_builtin("quern_sum_u64");
	struct err err;

	*b = (struct bench){ .stop_after = UINT64_MAX };
	kit_folder(b->dir);
	kit_sink_init(&b->out);
	assert_int_equal(reduce_init(&b->reduce, NULL, &sum, &b->flow, &err), 0);
	spill_init(&b->spill, b->dir, &b->keep, &b->flow);
	const struct merge_config config = { .order = &order,
		.reduce = &b->reduce,
		.memory = memory,
		.spill = &b->spill,
		.keep = &b->keep,
		.flow = &b->flow,
		.damaged = damaged,
		.damaged_arg = b };
	b->merge = merge_new(&config);
	assert_non_null(b->merge);
}

static void bench_close(struct bench *b)
{
	b->merge = merge_free(b->merge);
	spill_deinit(&b->spill);
	keep_deinit(&b->keep);
	reduce_deinit(&b->reduce);
	buf_deinit(&b->out.data);
	assert_int_equal(kit_entries(b->dir), 0);
	tree_remove(b->dir);
}

static void take(void *arg, uint64_t hash, quern_slice key, quern_slice value)
{
	struct bench *b = arg;

	assert_true(hash == hash_key(key, 0));
	b->out.out.emit(&b->out.out, key, value);
	if (b->out.n == b->stop_after)
		b->flow.stop = true;
}

static void merge_all(struct bench *b)
{
	merge_run(b->merge, b->spill.runs.at, b->spill.runs.n, take, b);
}

struct pair {
	uint64_t hash, value;
	char key[8];
};

static int by_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	quern_slice key = quern_bytes(x->key, 8), other = quern_bytes(y->key, 8);

	return order_compare(&order, order_first(&order), key, key, other, other);
}

/* One run of the keys below `n` that `every` divides; each with value `value`. */
static void put_run(struct bench *b, uint64_t n, uint64_t every, uint64_t value)
{
	struct pair *all = calloc(n + 1, sizeof(*all));
	size_t m = 0;

	assert_non_null(all);
	for (uint64_t i = 0; i < n; i += every, m++) {
		memcpy(all[m].key, &i, 8);
		all[m].hash = hash_key(quern_bytes(all[m].key, 8), 0);
		all[m].value = value;
	}
	qsort(all, m, sizeof(*all), by_order);
	spill_begin(&b->spill);
	for (size_t i = 0; i < m; i++)
		spill_put(&b->spill, quern_bytes(all[i].key, 8), quern_bytes(&all[i].value, 8));
	spill_end(&b->spill);
	free(all);
}

/* Run r (from 1) has the multiples of r: the sum over the runs is the sum of the divisors. */
static void sums_of_divisors(struct bench *b, uint64_t n, uint64_t runs)
{
	size_t got;

	for (uint64_t r = 1; r <= runs; r++)
		put_run(b, n, r, r);
	merge_all(b);
	assert_string_equal(b->flow.err.text, "");
	struct kit_record *all = kit_sorted(b->out.data.data, b->out.data.len, &got);
	assert_int_equal(got, n);
	for (size_t i = 0; i < got; i++) {
		uint64_t key = kit_number(all[i].key), sum = 0;

		for (uint64_t r = 1; r <= runs; r++)
			sum += key % r == 0 ? r : 0;
		assert_int_equal(kit_number(all[i].value), sum);
	}
	free(all);
}

static void keys_of_several_runs_are_put_together(void **state)
{
	static const uint64_t counts[] = { 1, 2, 15, 16, 17, 40, 300 };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (size_t memory = 0; memory <= 1 << 30; memory = memory == 0 ? 20000 : memory << 20) {
			bench_open(&b, memory);
			sums_of_divisors(&b, 500, counts[i]);
			if (memory == 0)
				assert_int_equal(b.spill.written > counts[i], counts[i] > 2);
			else if (memory > 20000)
				assert_int_equal(b.spill.written, counts[i]);
			bench_close(&b);
		}
	}
}

static void runs_of_many_blocks(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, 1 << 20);
	sums_of_divisors(&b, 100000, 3);
	bench_close(&b);
}

static void an_empty_run(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, 1 << 20);
	spill_begin(&b.spill);
	spill_end(&b.spill);
	put_run(&b, 10, 1, 1);
	spill_begin(&b.spill);
	spill_end(&b.spill);
	merge_all(&b);
	assert_int_equal(b.flow.result, 0);
	assert_int_equal(b.out.n, 10);
	bench_close(&b);
}

static void a_merge_stops_when_told(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, 1 << 20);
	b.stop_after = 7;
	put_run(&b, 100, 1, 1);
	put_run(&b, 100, 2, 1);
	merge_all(&b);
	assert_int_equal(b.flow.result, 0);
	assert_int_equal(b.out.n, 7);
	bench_close(&b);
}

/* Runs of few large records take memory like many of small ones. */
static void large_records_are_read_few_at_a_time(void **state)
{
	enum { RUNS = 30, LEN = 1 << 20 };
	char *large = calloc(1, LEN);
	struct bench b;

	(void)state;
	assert_non_null(large);
	bench_open(&b, 8 << 20);
	for (uint64_t i = 0; i < RUNS; i++) {
		memcpy(large, &i, 8);
		spill_begin(&b.spill);
		spill_put(&b.spill, quern_bytes(large, LEN), quern_bytes(&i, 8));
		spill_end(&b.spill);
		assert_true(b.spill.runs.at[i].largest >= LEN);
	}
	merge_all(&b);
	assert_string_equal(b.flow.err.text, "");
	assert_int_equal(b.out.n, RUNS);
	assert_true(b.spill.written > RUNS);
	bench_close(&b);
	free(large);
}

/* The scratch file among this process' descriptors: the one in `dir` that has no name any more. */
static int scratch_descriptor(const char *dir)
{
	char path[64], target[KIT_PATH];
	DIR *d = opendir("/proc/self/fd");
	int found = -1;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%.20s", e->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n > 0 && strncmp(target, dir, strlen(dir)) == 0)
			found = atoi(e->d_name);
	}
	(void)closedir(d);
	return found;
}

/* A disk that gives back other bytes than it took. */
static void a_damaged_scratch_file(void **state)
{
	uint8_t byte;
	struct stat st;

	(void)state;
	for (int at = 0; at < 9; at++) {
		struct bench b;

		bench_open(&b, 1 << 20);
		put_run(&b, 50, 1, 1);
		int fd = scratch_descriptor(b.dir);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		off_t where = at < 8 ? st.st_size / 8 * at : st.st_size;
		if (at < 8) {
			assert_int_equal(pread(fd, &byte, 1, where), 1);
			byte ^= 0x10;
			assert_int_equal(pwrite(fd, &byte, 1, where), 1);
		} else {
			assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
		}
		merge_all(&b);
		assert_int_equal(b.flow.result, -EBADMSG);
		assert_non_null(strstr(b.flow.err.text, b.dir));
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_several_runs_are_put_together),
		cmocka_unit_test(runs_of_many_blocks),
		cmocka_unit_test(an_empty_run),
		cmocka_unit_test(large_records_are_read_few_at_a_time),
		cmocka_unit_test(a_merge_stops_when_told),
		cmocka_unit_test(a_damaged_scratch_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
