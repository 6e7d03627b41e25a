#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "executor/bytes.h"
#include "executor/combine.h"
#include "executor/hash.h"
#include "tests/executor/kit.h"

/* ---- One run of a combine ---- */

struct bench {
	char dir[KIT_PATH];
	struct flow flow;
	struct combine *combine;
	struct kit_sink out;
	struct keep keep;
	uint64_t last_hash;
	bool ordered; /* hashes come in order */
};

static void bench_open(struct bench *b, const Quern__Function *f, size_t memory)
{
	struct err err = { "" };

	*b = (struct bench){ .ordered = true };
	kit_folder(b->dir);
	kit_sink_init(&b->out);
	const struct combine_config config = { .code = kit_code,
		.function = f,
		.memory = memory,
		.scratch_dir = b->dir,
		.keep = &b->keep,
		.flow = &b->flow };
	if (combine_new(&config, &b->combine, &err) < 0)
		fail_msg("%s", err.text);
}

static void bench_put(struct bench *b, quern_slice key, quern_slice value)
{
	struct quern_out *in = combine_in(b->combine);

	in->emit(in, key, value);
}

static void take(void *arg, uint64_t hash, quern_slice key, quern_slice value)
{
	struct bench *b = arg;

	b->ordered &= hash >= b->last_hash && hash == hash_key(key, 0);
	b->last_hash = hash;
	b->out.out.emit(&b->out.out, key, value);
}

/* Returns the runs that were spilled. */
static uint64_t bench_finish(struct bench *b)
{
	combine_finish(b->combine, take, b);
	uint64_t runs = combine_runs(b->combine);
	b->combine = combine_free(b->combine);
	assert_int_equal(kit_entries(b->dir), 0); /* no scratch file is left, nor has a name meanwhile */
	return runs;
}

static void bench_close(struct bench *b)
{
	b->combine = combine_free(b->combine);
	buf_deinit(&b->out.data);
	keep_deinit(&b->keep);
	tree_remove(b->dir);
}

/* ---- The oracle: records sorted by key, values of a key folded one by one ---- */

typedef void fold(struct buf *into, quern_slice value);

static void fold_all(const struct buf *records, fold *fn, struct buf *ret)
{
	size_t n;
	struct kit_record *all = kit_sorted(records->data, records->len, &n);

	*ret = BUF_INIT(SIZE_MAX / 2);
	for (size_t i = 0, end; i < n; i = end) {
		struct buf value = BUF_INIT(SIZE_MAX / 2);

		assert_int_equal(buf_add(&value, all[i].value.ptr, all[i].value.len), 0);
		for (end = i + 1; end < n && kit_compare_slices(all[end].key, all[i].key) == 0; end++)
			fn(&value, all[end].value);
		assert_int_equal(record_put(ret, all[i].key, quern_bytes(value.data, value.len)), 0);
		buf_deinit(&value);
	}
	free(all);
}

static void fold_sum(struct buf *into, quern_slice value)
{
	put_le64(into->data, get_le64(into->data) + kit_number(value));
}

static void fold_min_u64(struct buf *into, quern_slice value)
{
	if (kit_number(value) < get_le64(into->data))
		put_le64(into->data, kit_number(value));
}

static void fold_max_i64(struct buf *into, quern_slice value)
{
	if ((int64_t)kit_number(value) > (int64_t)get_le64(into->data))
		put_le64(into->data, kit_number(value));
}

static void fold_longest(struct buf *into, quern_slice value)
{
	quern_slice had = quern_bytes(into->data, into->len);

	if (value.len < had.len || (value.len == had.len && kit_compare_slices(value, had) <= 0))
		return;
	buf_clear(into);
	assert_int_equal(buf_add(into, value.ptr, value.len), 0);
}

/* ---- Random records ---- */

struct shape {
	uint64_t keys; /* different ones, about */
	size_t key_max, value_max;
	bool numbers;
};

static quern_slice random_bytes(uint64_t seed, char *room, size_t max)
{
	size_t len = (size_t)kit_below(&seed, max + 1);

	for (size_t i = 0; i < len; i++)
		room[i] = (char)random_next(&seed);
	return quern_bytes(room, len);
}

static void put_random(
	struct bench *b, uint64_t *random, const struct shape *s, size_t n, struct buf *records)
{
	char *key = malloc(s->key_max + 1), *value = malloc(s->value_max + 8);

	assert_true(key != NULL && value != NULL);
	*records = BUF_INIT(SIZE_MAX / 2);
	for (size_t i = 0; i < n; i++) {
		quern_slice k = random_bytes(kit_below(random, s->keys), key, s->key_max);
		quern_slice v = random_bytes(random_next(random), value, s->value_max);

		if (s->numbers) {
			put_le64((uint8_t *)value, random_next(random));
			v = quern_bytes(value, 8);
		}
		bench_put(b, k, v);
		assert_int_equal(record_put(records, k, v), 0);
	}
	assert_string_equal(b->flow.err.text, "");
	free(key);
	free(value);
}

static const size_t memories[] = { 0, 200 << 10, 1 << 20, 64 << 20 };

static void against_the_oracle(const Quern__Function *f, fold *fn, const struct shape *shapes,
	size_t n_shapes, size_t n, bool spills)
{
	uint64_t random = 7, spilled = 0;

	for (size_t s = 0; s < n_shapes; s++)
		for (size_t m = 0; m < sizeof(memories) / sizeof(memories[0]); m++) {
			struct buf records, expected;
			struct bench b;

			bench_open(&b, f, memories[m]);
			put_random(&b, &random, &shapes[s], n, &records);
			uint64_t runs = bench_finish(&b);
			spilled += runs;
			assert_int_equal(b.flow.result, 0);
			assert_true(b.ordered);
			fold_all(&records, fn, &expected);
			kit_assert_same(&b.out.data, &expected);
			if (m == sizeof(memories) / sizeof(memories[0]) - 1)
				assert_int_equal(runs, 0);
			buf_deinit(&records);
			buf_deinit(&expected);
			bench_close(&b);
		}
	assert_int_equal(spilled > 0, spills);
}

static const struct shape numbers[] = {
	{ 1, 10, 8, true },
	{ 50, 12, 8, true },
	{ 5000, 20, 8, true },
	{ 1000000, 200, 8, true },
};
static const struct shape megabytes[] = { { 30, 1 << 20, 8, true } };
enum { N_NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static void sums(void **state)
{
	Quern__Function f = kit_builtin("quern_sum_u64");

	(void)state;
	against_the_oracle(&f, fold_sum, numbers, N_NUMBERS, 30000, true);
	against_the_oracle(&f, fold_sum, megabytes, 1, 100, true);
	f = kit_builtin("quern_sum_i64");
	against_the_oracle(&f, fold_sum, numbers, N_NUMBERS, 3000, true);
}

static void extremes(void **state)
{
	Quern__Function f = kit_builtin("quern_min_u64");

	(void)state;
	against_the_oracle(&f, fold_min_u64, numbers, N_NUMBERS, 5000, true);
	f = kit_builtin("quern_max_i64");
	against_the_oracle(&f, fold_max_i64, numbers, N_NUMBERS, 5000, true);
}

static void functions_of_the_user(void **state)
{
	static const struct shape shapes[] = { { 3, 10, 3000, false }, { 500, 20, 100, false },
		{ 100000, 299, 300, false } };
	Quern__Function f = kit_function(kit_code, "longest");

	(void)state;
	against_the_oracle(&f, fold_longest, shapes, 3, 10000, true);
}

/* Values that grow leave their old places behind: memory is given back by a spill. */
static void values_that_grow(void **state)
{
	Quern__Function f = kit_function(kit_code, "join");
	struct bench b;

	(void)state;
	bench_open(&b, &f, 0);
	for (int i = 0; i < 20000; i++)
		bench_put(&b, quern_str(i % 2 == 0 ? "even" : "odd"), quern_str("0123456789"));
	assert_true(bench_finish(&b) > 0);
	assert_int_equal(b.flow.result, 0);
	size_t n;
	struct kit_record *all = kit_sorted(b.out.data.data, b.out.data.len, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(all[i].value.len, 100000);
		for (size_t j = 0; j < all[i].value.len; j++)
			assert_int_equal(all[i].value.ptr[j], '0' + (int)(j % 10));
	}
	free(all);
	bench_close(&b);
}

/* More runs than are merged at a time. */
static void runs_of_runs(void **state)
{
	Quern__Function f = kit_builtin("quern_sum_u64");
	const struct shape shape = { UINT64_MAX, 100, 8, true };
	struct buf records, expected;
	uint64_t random = 8;
	struct bench b;

	(void)state;
	bench_open(&b, &f, 0);
	put_random(&b, &random, &shape, 300000, &records);
	assert_true(bench_finish(&b) > 16 * 16);
	assert_int_equal(b.flow.result, 0);
	assert_true(b.ordered);
	fold_all(&records, fold_sum, &expected);
	kit_assert_same(&b.out.data, &expected);
	buf_deinit(&records);
	buf_deinit(&expected);
	bench_close(&b);
}

/* All keys of one partition, whose hashes have the high bits in common: more of them than there are slots
 * near their homes, however large the table is. */
static void of_one_partition(uint32_t partitions, uint32_t partition, size_t keys)
{
	enum { TIMES = 3 };
	Quern__Function f = kit_builtin("quern_sum_u64");
	char key[256]; /* of any length that the hash looks at by pieces */
	uint8_t value[8];
	struct bench b;
	size_t n = 0, got;

	bench_open(&b, &f, 64 << 20);
	put_le64(value, 1);
	for (uint64_t i = 0; n < keys; i++) {
		quern_slice k =
			quern_bytes(key, (size_t)snprintf(key, sizeof(key), "%llu", (unsigned long long)i));

		if (hash_partition(hash_key(k, 0), partitions) != partition)
			continue;
		for (int t = 0; t < TIMES; t++)
			bench_put(&b, k, quern_bytes(value, 8));
		n++;
	}
	(void)bench_finish(&b);
	assert_string_equal(b.flow.err.text, "");
	assert_true(b.ordered);
	struct kit_record *all = kit_sorted(b.out.data.data, b.out.data.len, &got);
	assert_int_equal(got, keys);
	for (size_t i = 0; i < got; i++)
		assert_int_equal(kit_number(all[i].value), TIMES);
	free(all);
	bench_close(&b);
}

static void keys_of_one_partition(void **state)
{
	(void)state;
	of_one_partition(2, 0, 100000);
	of_one_partition(8, 3, 50000);
	of_one_partition(4096, 17, 3000);
	of_one_partition(2048, 2047, 3000);
	of_one_partition(10000, 9998, 1000);
}

/* Doubles: sums of whole numbers are exact in any order. */
static void doubles(void **state)
{
	static const struct {
		const char *name;
		double result;
	} all[] = { { "quern_sum_double", 1000 * 999 / 2 }, { "quern_min_double", 0 },
		{ "quern_max_double", 999 } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		Quern__Function f = kit_builtin(all[i].name);
		struct bench b;
		size_t n;

		bench_open(&b, &f, 0);
		for (int j = i == 0 ? 0 : -1; j < 1000; j++) {
			double d = j < 0 ? (double)NAN
					 : (double)(j * 7 % 1000); /* which gives way to any number */

			bench_put(&b, quern_str("k"), quern_bytes(&d, sizeof(d)));
		}
		(void)bench_finish(&b);
		struct kit_record *one = kit_sorted(b.out.data.data, b.out.data.len, &n);
		double d;
		assert_int_equal(n, 1);
		memcpy(&d, one[0].value.ptr, sizeof(d));
		assert_true(fabs(d - all[i].result) < 1e-9);
		free(one);
		bench_close(&b);
	}
}

static void empty_and_missing_keys_are_one(void **state)
{
	Quern__Function f = kit_builtin("quern_sum_u64");
	uint8_t value[8];
	struct bench b;
	size_t n;

	(void)state;
	bench_open(&b, &f, 0);
	put_le64(value, 5);
	bench_put(&b, quern_bytes(NULL, 0), quern_bytes(value, 8));
	bench_put(&b, quern_str(""), quern_bytes(value, 8));
	(void)bench_finish(&b);
	struct kit_record *one = kit_sorted(b.out.data.data, b.out.data.len, &n);
	assert_int_equal(n, 1);
	assert_int_equal(one[0].key.len, 0);
	assert_int_equal(kit_number(one[0].value), 10);
	free(one);
	bench_close(&b);
}

/* Keys that do not repeat are sorted; those that do, if only later, come out once all the same. */
static void keys_that_hardly_repeat(void **state)
{
	enum { KEYS = 100000 };
	Quern__Function f = kit_builtin("quern_sum_u64");
	struct bench b;
	uint8_t value[8];
	uint64_t key;
	size_t n;

	(void)state;
	for (int repeat = 1; repeat <= 4; repeat += 3) {
		bench_open(&b, &f, 64 << 20);
		put_le64(value, 1);
		for (uint64_t i = 0; i < KEYS; i++)
			for (int j = 0; j < repeat; j++)
				bench_put(&b, quern_bytes(&i, 8), quern_bytes(value, 8));
		assert_int_equal(combine_gave_up(b.combine), repeat == 1);
		for (uint64_t i = 0; i < KEYS; i += 10)
			bench_put(&b, quern_bytes(&i, 8), quern_bytes(value, 8));
		assert_int_equal(bench_finish(&b), 0);
		assert_true(b.ordered);
		struct kit_record *all = kit_sorted(b.out.data.data, b.out.data.len, &n);
		assert_int_equal(n, KEYS);
		for (size_t i = 0; i < n; i++) {
			memcpy(&key, all[i].key.ptr, sizeof(key));
			assert_int_equal(kit_number(all[i].value), repeat + (key % 10 == 0));
		}
		free(all);
		bench_close(&b);
	}
}

static void nothing_in_nothing_out(void **state)
{
	Quern__Function f = kit_builtin("quern_sum_u64");
	struct bench b;

	(void)state;
	bench_open(&b, &f, 0);
	assert_int_equal(bench_finish(&b), 0);
	assert_int_equal(b.out.n, 0);
	bench_close(&b);
}

/* ---- What goes wrong ---- */

static void expect_failure(struct bench *b, int result, bool final, const char *words)
{
	(void)bench_finish(b);
	assert_true(b->flow.stop);
	assert_int_equal(b->flow.result, result);
	assert_int_equal(b->flow.final, final);
	assert_non_null(strstr(b->flow.err.text, words));
	assert_int_equal(b->out.n, 0);
	bench_close(b);
}

static void mistakes_of_the_job(void **state)
{
	Quern__Function f = kit_builtin("quern_sum_u64");
	struct bench b;

	(void)state;
	bench_open(&b, &f, 0);
	bench_put(&b, quern_str("a"), quern_str("not 8 bytes"));
	expect_failure(&b, -EINVAL, true, "11 bytes");

	f = kit_function(kit_code, "no_result");
	bench_open(&b, &f, 0);
	bench_put(&b, quern_str("a"), quern_str("1"));
	bench_put(&b, quern_str("a"), quern_str("2"));
	expect_failure(&b, -EINVAL, true, "no value");

	f = kit_function(kit_code, "twice_reduced");
	bench_open(&b, &f, 0);
	bench_put(&b, quern_str("a"), quern_str("1"));
	bench_put(&b, quern_str("a"), quern_str("2"));
	expect_failure(&b, -EINVAL, true, "more than one");
}

static void a_function_that_is_not_there(void **state)
{
	Quern__Function f = kit_builtin("quern_no_such_thing");
	struct combine *c = NULL;
	struct flow flow = { 0 };
	struct keep keep = { 0 };
	struct err err = { "" };
	const struct combine_config config = {
		.code = kit_code, .function = &f, .scratch_dir = "/", .keep = &keep, .flow = &flow
	};

	(void)state;
	assert_int_equal(combine_new(&config, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "quern_no_such_thing"));
	keep_deinit(&keep);
}

static void no_place_to_spill(void **state)
{
	Quern__Function f = kit_builtin("quern_sum_u64");
	uint64_t random = 9;
	struct bench b;
	char key[100];

	(void)state;
	bench_open(&b, &f, 0);
	assert_int_equal(rmdir(b.dir), 0);
	for (int i = 0; i < 100000 && !b.flow.stop; i++) {
		for (size_t j = 0; j < sizeof(key); j++)
			key[j] = (char)random_next(&random);
		bench_put(&b, quern_bytes(key, sizeof(key)), quern_bytes(key, 8));
	}
	assert_true(b.flow.stop);
	assert_int_equal(b.flow.result, -ENOENT);
	assert_non_null(strstr(b.flow.err.text, b.dir));
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(extremes),
		cmocka_unit_test(functions_of_the_user),
		cmocka_unit_test(values_that_grow),
		cmocka_unit_test(runs_of_runs),
		cmocka_unit_test(keys_of_one_partition),
		cmocka_unit_test(doubles),
		cmocka_unit_test(empty_and_missing_keys_are_one),
		cmocka_unit_test(keys_that_hardly_repeat),
		cmocka_unit_test(nothing_in_nothing_out),
		cmocka_unit_test(mistakes_of_the_job),
		cmocka_unit_test(a_function_that_is_not_there),
		cmocka_unit_test(no_place_to_spill),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
