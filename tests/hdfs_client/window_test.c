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

static struct hdfs_piece *ask(struct hdfs_window *w, uint64_t reader, uint64_t offset, size_t len)
{
	struct hdfs_piece *p = hdfs_window_next(w, reader);

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

static void pieces_follow_each_other_up_to_the_end(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 70 * MIB, 96 * MIB);
	(void)state;

	assert_false(hdfs_window_misses(&w, 0));
	assert_null(hdfs_window_at(&w, 0));
	struct hdfs_piece *a = ask(&w, 0, 0, 32 * MIB);
	assert_ptr_equal(hdfs_window_at(&w, 0), a);
	assert_null(hdfs_window_next(&w, 0)); /* one at a time, at first */
	fill(a);
	struct hdfs_piece *b = ask(&w, 100, 32 * MIB, 32 * MIB);
	fill(b);
	struct hdfs_piece *c = ask(&w, 100, 64 * MIB, 6 * MIB);
	fill(c);
	assert_null(hdfs_window_next(&w, 100));
	assert_ptr_equal(hdfs_window_at(&w, 32 * MIB), b);
	assert_ptr_equal(hdfs_window_at(&w, 70 * MIB - 1), c);
	assert_null(hdfs_window_next(&w, 70 * MIB - 1));
	assert_int_equal(w.n, 1);
}

static void no_more_pieces_than_there_is_memory_for(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 1024 * MIB, 12 * MIB);
	(void)state;

	for (uint64_t i = 0; i < HDFS_PIECES; i++)
		fill(ask(&w, 0, i * 4 * MIB, 4 * MIB));
	assert_null(hdfs_window_next(&w, 4 * MIB - 1));
	assert_non_null(hdfs_window_at(&w, 4 * MIB));
	(void)ask(&w, 4 * MIB, 12 * MIB, 4 * MIB);
}

static void a_piece_crosses_no_border_of_blocks(void **state)
{
	struct hdfs_window w = window(100 * MIB, UINT64_MAX, 1024 * MIB, 96 * MIB);
	(void)state;

	fill(ask(&w, 100 * MIB, 100 * MIB, 28 * MIB));
	(void)ask(&w, 100 * MIB, 128 * MIB, 32 * MIB);
	hdfs_window_init(&w, 0, UINT64_MAX, 50, UINT64_MAX, 96 * MIB); /* a block size that is none */
	(void)ask(&w, 0, 0, 50);
}

/* The range of a task ends somewhere in a line, whose rest is wanted as well, and no more. */
static void little_is_read_outside_of_what_is_wanted(void **state)
{
	struct hdfs_window w = window(1000, 2000, 1024 * MIB, 96 * MIB);
	(void)state;

	fill(ask(&w, 1000, 1000, 1000));
	assert_null(hdfs_window_next(&w, 1999));
	assert_false(hdfs_window_misses(&w, 2000));
	assert_null(hdfs_window_at(&w, 2000));
	fill(ask(&w, 2000, 2000, HDFS_PIECE_MIN));
	assert_null(hdfs_window_next(&w, 2000));
	assert_null(hdfs_window_at(&w, 2000 + HDFS_PIECE_MIN));
	fill(ask(&w, 2000 + HDFS_PIECE_MIN, 2000 + HDFS_PIECE_MIN, 2 * HDFS_PIECE_MIN));
	assert_true(hdfs_window_misses(&w, 999));
	hdfs_window_reset(&w);
	(void)ask(&w, 999, 999, 1);
}

static void who_goes_elsewhere_misses(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 1024 * MIB, 96 * MIB);
	(void)state;

	w.parallel = 2;
	struct hdfs_piece *a = ask(&w, 0, 0, 32 * MIB);
	(void)ask(&w, 0, 32 * MIB, 32 * MIB);
	assert_false(hdfs_window_misses(&w, 5));
	assert_true(hdfs_window_misses(&w, 32 * MIB)); /* `a` is on its way */
	assert_true(hdfs_window_misses(&w, 64 * MIB + 1));
	a->filled = a->len;
	assert_false(hdfs_window_misses(&w, 32 * MIB));
	assert_true(hdfs_window_ends(&w, 32 * MIB));
	assert_false(hdfs_window_ends(&w, 32 * MIB - 1));
	a->over = true;
	assert_false(hdfs_window_ends(&w, 32 * MIB));
	assert_non_null(hdfs_window_at(&w, 33 * MIB));
	assert_true(hdfs_window_misses(&w, 5));
}

static void who_waits_gets_more_at_a_time(void **state)
{
	struct hdfs_window w = window(0, UINT64_MAX, 1024 * MIB, 96 * MIB);
	(void)state;

	(void)ask(&w, 0, 0, 32 * MIB);
	for (int i = 0; i < HDFS_WAITS; i++) {
		assert_null(hdfs_window_next(&w, 0));
		hdfs_window_waits(&w);
	}
	(void)ask(&w, 0, 32 * MIB, 32 * MIB);
	assert_null(hdfs_window_next(&w, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_follow_each_other_up_to_the_end),
		cmocka_unit_test(no_more_pieces_than_there_is_memory_for),
		cmocka_unit_test(a_piece_crosses_no_border_of_blocks),
		cmocka_unit_test(little_is_read_outside_of_what_is_wanted),
		cmocka_unit_test(who_goes_elsewhere_misses),
		cmocka_unit_test(who_waits_gets_more_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
