#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "base/random.h"
#include "job/records.h"
#include "job/sample.h"

struct bench {
	Quern__Order order;
	struct sample sample;
	struct memory memory;
	const struct bounds *bounds;
};

static void bench_open(struct bench *b)
{
	*b = (struct bench){ .order = QUERN__ORDER__INIT };
	sample_init(&b->sample, &b->order);
}

static void bench_close(struct bench *b)
{
	sample_deinit(&b->sample);
	memory_deinit(&b->memory);
}

/* One task's: `n` keys of six digits from `from` on, which stand for `all` records. */
static void add(struct bench *b, uint64_t all, unsigned from, unsigned n)
{
	struct buf data = BUF_INIT(SIZE_MAX / 2);
	uint64_t random = from, bits = htole64(all);
	char key[16];

	assert_int_equal(record_put(&data, quern_str(""), quern_bytes(&bits, sizeof(bits))), 0);
	for (unsigned i = 0; i < n; i++) {
		unsigned k = from + (unsigned)(random_next(&random) % 1000);

		(void)snprintf(key, sizeof(key), "%06u", k);
		assert_int_equal(record_put(&data, quern_str(key), quern_str("")), 0);
	}
	assert_int_equal(sample_add(&b->sample, 0, data.data, data.len), 0);
	buf_deinit(&data);
}

/* Bounds below `key`. */
static size_t below(const struct bench *b, const char *key)
{
	size_t n = 0;

	while (n < b->bounds->n && memcmp(b->bounds->at[n].data, key, 6) < 0)
		n++;
	return n;
}

/* A task whose keys stand for three times as many records has three times as many of the bounds. */
static void records_count_and_not_samples(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	add(&b, 1000000, 100000, 1000);
	add(&b, 3000000, 200000, 1000);
	assert_int_equal(sample_bounds(&b.sample, &b.memory, &b.bounds), 0);
	assert_int_equal(b.bounds->n, SAMPLE_BOUNDS - 1);
	size_t first = below(&b, "200000");
	assert_in_range(first, SAMPLE_BOUNDS / 4 - 40, SAMPLE_BOUNDS / 4 + 40);
	bench_close(&b);
}

/* So many tasks that not all of their keys are kept. */
static void very_many_tasks(void **state)
{
	enum { TASKS = 500 };
	struct bench b;
	char key[16];

	(void)state;
	bench_open(&b);
	for (unsigned i = 0; i < TASKS; i++)
		add(&b, 5000, 1000 * ((i * 7) % TASKS), SAMPLE_KEYS);
	assert_true(b.sample.keys.n <= 1 << 18);
	assert_int_equal(sample_bounds(&b.sample, &b.memory, &b.bounds), 0);
	for (unsigned tenth = 1; tenth < 10; tenth++) {
		(void)snprintf(key, sizeof(key), "%06u", 1000 * TASKS / 10 * tenth);
		assert_in_range(
			below(&b, key), SAMPLE_BOUNDS / 10 * tenth - 100, SAMPLE_BOUNDS / 10 * tenth + 100);
	}
	bench_close(&b);
}

static void nothing_to_go_by(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(sample_bounds(&b.sample, &b.memory, &b.bounds), 0);
	assert_int_equal(b.bounds->n, 0);
	add(&b, 0, 0, 0);
	assert_int_equal(sample_bounds(&b.sample, &b.memory, &b.bounds), 0);
	assert_int_equal(b.bounds->n, 0);
	bench_close(&b);
}

static void what_is_no_sample(void **state)
{
	static const char *const wrong[] = { "", "\1\1ab", "\0\7seventy" };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t len = i == 0 ? 0 : i == 1 ? 4 : 9;

		bench_open(&b);
		assert_int_not_equal(sample_add(&b.sample, 0, (const uint8_t *)wrong[i], len), 0);
		assert_int_equal(sample_bounds(&b.sample, &b.memory, &b.bounds), -EBADMSG);
		assert_null(b.bounds);
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_count_and_not_samples),
		cmocka_unit_test(very_many_tasks),
		cmocka_unit_test(nothing_to_go_by),
		cmocka_unit_test(what_is_no_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
