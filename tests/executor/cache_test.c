/* The index of persisted partitions: what is found, what makes room, what stays while it is used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "executor/cache.h"

struct bench {
	struct cache *c;
	struct cache_gones gone;
	char text[4096]; /* of assert_gone() */
};

static void open_bench(struct bench *b, uint64_t budget, size_t most)
{
	*b = (struct bench){ 0 };
	assert_int_equal(cache_new(budget, most, &b->c), 0);
}

static void close_bench(struct bench *b)
{
	assert_null(cache_free(b->c));
	vec_deinit(&b->gone);
}

static struct cache_key key(uint32_t set, uint32_t partition)
{
	return (struct cache_key){ set, partition, 77 };
}

static int put(struct bench *b, uint32_t set, uint32_t partition, uint32_t blob, uint64_t bytes)
{
	const struct cache_key k = key(set, partition);

	return cache_put(b->c, &k, blob, bytes, &b->gone);
}

static struct cache_entry *use(struct bench *b, uint32_t set, uint32_t partition, uint32_t *ret_blob)
{
	const struct cache_key k = key(set, partition);
	uint64_t bytes;

	return cache_use(b->c, &k, ret_blob, &bytes);
}

/* The blob that is found for it, 0: none. */
static uint32_t found(struct bench *b, uint32_t set, uint32_t partition)
{
	uint32_t blob = 0;
	struct cache_entry *e = use(b, set, partition, &blob);

	if (e != NULL)
		assert_int_equal(cache_release(b->c, e, false, &b->gone), 0);
	return blob;
}

/* What has gone since the last call: "SET.PARTITION=BLOB", a '!' behind what was evicted. */
static void assert_gone(struct bench *b, const char *expected)
{
	size_t len = 0;

	b->text[0] = '\0';
	for (size_t i = 0; i < b->gone.n; i++) {
		const struct cache_gone *g = &b->gone.at[i];

		len += (size_t)snprintf(b->text + len, sizeof(b->text) - len, "%s%u.%u=%u%s",
			i > 0 ? " " : "", g->set, g->partition, g->blob, g->evicted ? "!" : "");
	}
	b->gone.n = 0;
	assert_string_equal(b->text, expected);
}

static void what_was_put_is_found_by_its_whole_name(void **state)
{
	struct cache_key other = key(1, 5);
	uint32_t blob;
	uint64_t bytes;
	struct bench b;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(found(&b, 1, 5), 0);
	assert_int_equal(put(&b, 1, 5, 9, 60), 1);
	assert_int_equal(found(&b, 1, 5), 9);
	assert_int_equal(found(&b, 1, 6), 0);
	assert_int_equal(found(&b, 2, 5), 0);
	other.origin++;
	assert_null(cache_use(b.c, &other, &blob, &bytes));
	other.origin--;
	struct cache_entry *e = cache_use(b.c, &other, &blob, &bytes);
	assert_non_null(e);
	assert_int_equal(bytes, 60);
	assert_int_equal(cache_release(b.c, e, false, &b.gone), 0);
	assert_int_equal(put(&b, 1, 5, 10, 60), 0); /* it is there: one is enough */
	assert_int_equal(found(&b, 1, 5), 9);
	assert_gone(&b, "");
	close_bench(&b);
}

static void the_set_that_was_not_used_for_longest_makes_room(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(put(&b, 1, 0, 1, 40), 1);
	assert_int_equal(put(&b, 2, 0, 2, 40), 1);
	assert_int_equal(found(&b, 1, 0), 1);      /* younger than 2.0 now */
	assert_int_equal(put(&b, 3, 0, 3, 20), 1); /* it fits to the byte */
	assert_gone(&b, "");
	assert_int_equal(put(&b, 4, 0, 4, 41), 1);
	assert_gone(&b, "2.0=2! 1.0=1!");
	assert_int_equal(found(&b, 2, 0), 0);
	assert_int_equal(found(&b, 3, 0), 3);
	assert_int_equal(cache_bytes(b.c), 61);
	assert_int_equal(cache_count(b.c), 2);
	assert_int_equal(put(&b, 5, 0, 5, 101), 0); /* never fits: and nothing goes for it */
	assert_gone(&b, "");
	assert_int_equal(put(&b, 5, 0, 6, UINT64_MAX), 0);
	assert_int_equal(cache_count(b.c), 2);
	close_bench(&b);
}

static void a_set_does_not_push_itself_out(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(put(&b, 2, 0, 9, 30), 1);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(put(&b, 1, i, i + 1, 30), 1);
	assert_gone(&b, "2.0=9!");
	assert_int_equal(put(&b, 1, 3, 4, 30), 0);
	assert_gone(&b, "");
	/* So a loop over all of it finds most of it each time. */
	for (int loop = 0; loop < 3; loop++)
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(found(&b, 1, i), i < 3 ? i + 1 : 0);
	assert_int_equal(put(&b, 3, 0, 5, 20), 1); /* but another set does */
	assert_gone(&b, "1.0=1!");
	close_bench(&b);
}

static void there_are_no_more_than_so_many(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, 100, 2);
	assert_int_equal(put(&b, 1, 0, 1, 1), 1);
	assert_int_equal(put(&b, 1, 1, 2, 1), 1);
	assert_int_equal(put(&b, 1, 2, 3, 1), 0);
	assert_int_equal(put(&b, 2, 0, 4, 1), 1);
	assert_gone(&b, "1.0=1!");
	assert_int_equal(put(&b, 3, 0, 5, 0), 1); /* an empty one as well */
	assert_gone(&b, "1.1=2!");
	close_bench(&b);
}

static void what_is_used_stays(void **state)
{
	struct bench b;
	uint32_t blob;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(put(&b, 1, 0, 1, 60), 1);
	struct cache_entry *e = use(&b, 1, 0, &blob), *again = use(&b, 1, 0, &blob);
	assert_int_equal(put(&b, 2, 0, 2, 60), 0);
	/* Dropped: found no more, but its memory is there until the last user is done, and counts. */
	assert_int_equal(cache_drop(b.c, 1, &b.gone), 0);
	assert_int_equal(found(&b, 1, 0), 0);
	assert_int_equal(cache_release(b.c, e, false, &b.gone), 0);
	assert_gone(&b, "");
	assert_int_equal(cache_bytes(b.c), 60);
	assert_int_equal(put(&b, 2, 0, 2, 60), 0);
	assert_int_equal(cache_release(b.c, again, false, &b.gone), 0);
	assert_gone(&b, "1.0=1");
	assert_int_equal(put(&b, 2, 0, 2, 60), 1);
	e = use(&b, 2, 0, &blob);
	close_bench(&b); /* with one in use */
}

static void what_is_useless_is_found_no_more(void **state)
{
	struct bench b;
	uint32_t blob;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(put(&b, 1, 0, 1, 60), 1);
	struct cache_entry *e = use(&b, 1, 0, &blob), *other = use(&b, 1, 0, &blob);
	assert_int_equal(cache_release(b.c, e, true, &b.gone), 0);
	assert_int_equal(found(&b, 1, 0), 0);
	assert_gone(&b, "");
	assert_int_equal(cache_release(b.c, other, true, &b.gone), 0);
	assert_gone(&b, "1.0=1");
	assert_int_equal(cache_bytes(b.c), 0);
	close_bench(&b);
}

static void another_origin_takes_the_place_of_the_old(void **state)
{
	struct cache_key new = key(1, 0);
	struct bench b;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(put(&b, 1, 0, 1, 90), 1);
	new.origin++;
	assert_int_equal(cache_put(b.c, &new, 2, 80, &b.gone), 1);
	assert_gone(&b, "1.0=1");
	assert_int_equal(found(&b, 1, 0), 0);
	assert_int_equal(cache_bytes(b.c), 80);
	close_bench(&b);
}

static void a_dropped_set_is_never_kept_again(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, 100, 10);
	assert_int_equal(put(&b, 1, 0, 1, 10), 1);
	assert_int_equal(put(&b, 1, 1, 2, 10), 1);
	assert_int_equal(put(&b, 2, 0, 3, 10), 1);
	assert_true(cache_wants(b.c, 1));
	assert_int_equal(cache_drop(b.c, 1, &b.gone), 0);
	assert_gone(&b, "1.0=1 1.1=2");
	assert_false(cache_wants(b.c, 1));
	assert_int_equal(put(&b, 1, 0, 4, 10), 0); /* by a task that had begun before */
	assert_int_equal(cache_drop(b.c, 1, &b.gone), 0);
	assert_int_equal(cache_drop(b.c, 9, &b.gone), 0); /* never heard of */
	assert_false(cache_wants(b.c, 9));
	assert_true(cache_wants(b.c, 2));
	assert_gone(&b, "");
	assert_int_equal(cache_bytes(b.c), 10);
	close_bench(&b);
}

/* Whatever happens: the budget holds, each blob goes once at most, and what is found is what was put. */
static void it_holds_whatever_happens(void **state)
{
	enum { BLOBS = 20000, SETS = 6, PARTITIONS = 8, BUDGET = 1000 };
	static bool gone[BLOBS + 1], kept[BLOBS + 1];
	struct cache_entry *used[4] = { NULL };
	uint64_t random = 11;
	struct bench b;
	uint32_t blob;

	(void)state;
	open_bench(&b, BUDGET, 12);
	for (uint32_t i = 1; i <= BLOBS; i++) {
		uint32_t set = (uint32_t)(random_next(&random) % SETS) + 1 + i / (BLOBS / 4) * SETS;
		uint32_t partition = (uint32_t)(random_next(&random) % PARTITIONS);
		size_t u = random_next(&random) % 4;

		if (used[u] != NULL)
			assert_int_equal(
				cache_release(b.c, used[u], random_next(&random) % 8 == 0, &b.gone), 0);
		used[u] = use(&b, set, partition, &blob);
		assert_true(used[u] == NULL || (kept[blob] && !gone[blob]));
		if (random_next(&random) % 500 == 0)
			assert_int_equal(cache_drop(b.c, set, &b.gone), 0);
		int r = put(&b, set, partition, i, random_next(&random) % 300);
		assert_true(r == 0 || r == 1);
		kept[i] = r == 1;
		for (size_t g = 0; g < b.gone.n; g++) {
			assert_true(kept[b.gone.at[g].blob] && !gone[b.gone.at[g].blob]);
			gone[b.gone.at[g].blob] = true;
		}
		b.gone.n = 0;
		assert_true(cache_bytes(b.c) <= BUDGET);
		assert_true(cache_count(b.c) <= 12);
	}
	size_t left = 0;
	for (uint32_t i = 1; i <= BLOBS; i++)
		left += kept[i] && !gone[i];
	assert_int_equal(left, cache_count(b.c));
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_by_its_whole_name),
		cmocka_unit_test(the_set_that_was_not_used_for_longest_makes_room),
		cmocka_unit_test(a_set_does_not_push_itself_out),
		cmocka_unit_test(there_are_no_more_than_so_many),
		cmocka_unit_test(what_is_used_stays),
		cmocka_unit_test(what_is_useless_is_found_no_more),
		cmocka_unit_test(another_origin_takes_the_place_of_the_old),
		cmocka_unit_test(a_dropped_set_is_never_kept_again),
		cmocka_unit_test(it_holds_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
