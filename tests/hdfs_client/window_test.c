/* window_test.c: hdfs_client/window.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "hdfs_client/window.h"

enum { MIB = 1 << 20, BLOCK = 128 * MIB };

static struct hdfs_window window(uint64_t from, uint64_t to, uint64_t size, size_t memory)
{
	struct hdfs_window w;

	hdfs_window_init(&w, from, to, size, BLOCK, memory);
	return w;
}

static struct hdfs_piece *ask(struct hdfs_window *w, uint64_t offset, uint64_t len)
{
	struct hdfs_piece *p = hdfs_window_next(w);

	assert_non_null(p);
	assert_int_equal(p->offset, offset);
	assert_int_equal(p->len, len);
	assert_int_equal(p->filled, 0);
	assert_false(p->over);
	return p;
}

static void fill(struct hdfs_piece *p)
{
	p->filled = p->len;
	p->over = true;
}

static void take_all(struct hdfs_window *w)
{
	assert_true(hdfs_window_take(w, hdfs_window_first(w)->len));
	hdfs_window_drop(w);
}

static void pieces_follow_each_other_up_to_the_end(void **state)
{
	struct hdfs_window w = window(100 * MIB, UINT64_MAX, 300 * MIB, 64 * MIB);
	(void)state;

	assert_null(hdfs_window_first(&w));
	struct hdfs_piece *a = ask(&w, 100 * MIB, 28 * MIB); /* no border of blocks is crossed */
	assert_ptr_equal(hdfs_window_first(&w), a);
	assert_null(hdfs_window_next(&w)); /* one at a time, at first */
	fill(a);
	struct hdfs_piece *b = ask(&w, 128 * MIB, 128 * MIB);
	fill(b);
	fill(ask(&w, 256 * MIB, 44 * MIB));
	assert_null(hdfs_window_next(&w));
	assert_false(hdfs_window_take(&w, 28 * MIB - 1));
	assert_true(hdfs_window_take(&w, 1));
	hdfs_window_drop(&w);
	assert_ptr_equal(hdfs_window_first(&w), b);
	take_all(&w);
	take_all(&w);
	assert_null(hdfs_window_next(&w));
}

static void a_block_size_that_is_none_is_not_used(void **state)
{
	struct hdfs_window w;
	(void)state;

	hdfs_window_init(&w, 0, UINT64_MAX, 50, UINT64_MAX, 64 * MIB);
	(void)ask(&w, 0, 50);
	hdfs_window_init(&w, 0, UINT64_MAX, 300 * MIB, 0, 64 * MIB);
	(void)ask(&w, 0, HDFS_PIECE_MAX);
}

/* The range of a task ends somewhere in a line, whose rest is wanted as well, and no more. */
static void little_is_read_outside_of_what_is_wanted(void **state)
{
	struct hdfs_window w = window(1000, 2000, 1024 * MIB, 64 * MIB);
	(void)state;

	fill(ask(&w, 1000, 1000));
	assert_null(hdfs_window_next(&w));
	take_all(&w);
	assert_false(hdfs_window_misses(&w, 2000));
	fill(ask(&w, 2000, HDFS_PIECE_MIN));
	assert_null(hdfs_window_next(&w));
	take_all(&w);
	fill(ask(&w, 2000 + HDFS_PIECE_MIN, 2 * HDFS_PIECE_MIN));
	assert_true(hdfs_window_misses(&w, 999));
	hdfs_window_begin(&w, 999);
	(void)ask(&w, 999, 1);
}

static void who_goes_elsewhere_misses(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 1024 * MIB, 64 * MIB);
	(void)state;

	assert_false(hdfs_window_misses(&w, 0));
	assert_true(hdfs_window_misses(&w, 1));
	(void)ask(&w, 0, BLOCK);
	assert_false(hdfs_window_take(&w, 5));
	assert_true(hdfs_window_misses(&w, 4));
	assert_false(hdfs_window_misses(&w, 5));
	assert_false(hdfs_window_misses(&w, 5 + HDFS_SKIP_MAX));
	assert_true(hdfs_window_misses(&w, 6 + HDFS_SKIP_MAX));
	assert_false(hdfs_window_take(&w, BLOCK - 6));
	assert_true(hdfs_window_misses(&w, BLOCK));
}

static void who_waits_gets_more_at_a_time(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 1024 * MIB, 64 * MIB);
	(void)state;

	(void)ask(&w, 0, BLOCK);
	for (int i = 0; i < HDFS_WAITS; i++) {
		assert_null(hdfs_window_next(&w));
		hdfs_window_waits(&w);
	}
	(void)ask(&w, BLOCK, BLOCK);
	assert_null(hdfs_window_next(&w));
}

static void who_reads_on_gets_more_ahead(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 1024 * MIB, 64 * MIB);
	(void)state;

	struct hdfs_piece *a = ask(&w, 0, BLOCK);
	assert_int_equal(hdfs_window_room(&w, a), HDFS_AHEAD_MIN);
	(void)hdfs_window_take(&w, 10 * MIB);
	assert_int_equal(hdfs_window_room(&w, a), 10 * MIB);
	(void)hdfs_window_take(&w, 100 * MIB);
	assert_int_equal(hdfs_window_room(&w, a), 64 * MIB);
	fill(a);
	assert_int_equal(hdfs_window_room(&w, ask(&w, BLOCK, BLOCK)), 56 * MIB);
	hdfs_window_begin(&w, 5);
	assert_int_equal(hdfs_window_room(&w, ask(&w, 5, BLOCK - 5)), HDFS_AHEAD_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_follow_each_other_up_to_the_end),
		cmocka_unit_test(a_block_size_that_is_none_is_not_used),
		cmocka_unit_test(little_is_read_outside_of_what_is_wanted),
		cmocka_unit_test(who_goes_elsewhere_misses),
		cmocka_unit_test(who_waits_gets_more_at_a_time),
		cmocka_unit_test(who_reads_on_gets_more_ahead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
