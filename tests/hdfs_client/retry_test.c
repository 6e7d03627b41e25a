/* retry_test.c: which NameNode is asked next, and when: in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hdfs_client/retry.h"

enum { PATIENCE = 60000 };

struct run {
	struct hdfs_retry r;
	uint64_t now, wait;
};

static void begin(struct run *run, unsigned n, unsigned first, bool repeatable)
{
	*run = (struct run){ .now = 1000 };
	hdfs_retry_init(&run->r, n, first, true, repeatable, PATIENCE, 7, run->now);
}

/* The next step, after whose wait it is. */
static enum hdfs_next step(struct run *run, enum hdfs_outcome outcome)
{
	enum hdfs_next next = hdfs_retry_step(&run->r, outcome, run->now, &run->wait);

	if (next == HDFS_NEXT_ASK)
		run->now += run->wait;
	return next;
}

static void an_answer_is_taken(void **state)
{
	struct run run;
	(void)state;

	begin(&run, 2, 1, false);
	assert_int_equal(run.r.at, 1);
	assert_int_equal(step(&run, HDFS_ANSWERED), HDFS_NEXT_TAKE);
	assert_int_equal(run.r.at, 1);
}

static void a_round_has_no_waits_and_rounds_have_longer_ones(void **state)
{
	struct run run;
	uint64_t most = HDFS_WAIT_FIRST_MS;
	(void)state;

	begin(&run, 3, 1, true);
	for (int round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(step(&run, i == 0 ? HDFS_STANDBY : HDFS_UNREACHED), HDFS_NEXT_ASK);
			assert_int_equal(run.wait, 0);
			assert_int_equal(run.r.at, (2 + i) % 3);
		}
		assert_int_equal(step(&run, HDFS_STANDBY), HDFS_NEXT_ASK);
		assert_int_equal(run.r.at, 1);
		assert_in_range(run.wait, most / 2, most);
		most = most * 2 < HDFS_WAIT_MOST_MS ? most * 2 : HDFS_WAIT_MOST_MS;
	}
}

/* A thousand clients that fail at the same time do not come back at the same time. */
static void waits_differ_by_seed(void **state)
{
	uint64_t first = 0;
	bool differ = false;
	(void)state;

	for (uint64_t seed = 0; seed < 20; seed++) {
		struct hdfs_retry r;
		uint64_t wait;

		hdfs_retry_init(&r, 1, 0, true, true, PATIENCE, seed, 0);
		assert_int_equal(hdfs_retry_step(&r, HDFS_UNREACHED, 0, &wait), HDFS_NEXT_ASK);
		differ = differ || (seed > 0 && wait != first);
		first = wait;
	}
	assert_true(differ);
}

static void safe_mode_waits_at_once_and_asks_the_other(void **state)
{
	struct run run;
	(void)state;

	begin(&run, 2, 0, false);
	assert_int_equal(step(&run, HDFS_NOT_NOW), HDFS_NEXT_ASK);
	assert_true(run.wait > 0);
	assert_int_equal(run.r.at, 1);
	assert_int_equal(step(&run, HDFS_STANDBY), HDFS_NEXT_ASK);
	assert_int_equal(run.wait, 0);
	assert_int_equal(run.r.at, 0);
	assert_int_equal(step(&run, HDFS_ANSWERED), HDFS_NEXT_TAKE);
}

/* The last time is at the very end, and not after. */
static void patience_is_used_up_and_no_more(void **state)
{
	struct run run;
	enum hdfs_next next;
	int steps = 0;
	(void)state;

	begin(&run, 1, 0, true);
	while ((next = step(&run, HDFS_UNREACHED)) == HDFS_NEXT_ASK)
		assert_true(++steps < 100);
	assert_int_equal(next, HDFS_NEXT_GIVE_UP);
	assert_int_equal(run.now, 1000 + PATIENCE);
}

static void requests_that_take_long_use_patience_too(void **state)
{
	struct run run;
	(void)state;

	begin(&run, 1, 0, true);
	run.now += PATIENCE;
	assert_int_equal(step(&run, HDFS_LOST), HDFS_NEXT_GIVE_UP);
}

/* One that hangs may take all the time there is: the other one may serve. */
static void all_are_asked_before_it_is_given_up(void **state)
{
	struct run run;
	(void)state;

	begin(&run, 3, 1, true);
	run.now += 10 * PATIENCE;
	assert_int_equal(step(&run, HDFS_LOST), HDFS_NEXT_ASK);
	assert_int_equal(run.r.at, 2);
	assert_int_equal(run.wait, 0);
	assert_int_equal(step(&run, HDFS_STANDBY), HDFS_NEXT_ASK);
	assert_int_equal(run.r.at, 0);
	assert_int_equal(step(&run, HDFS_UNREACHED), HDFS_NEXT_GIVE_UP);
}

/* Steps until it is given up, of which the first NameNode's outcomes are `outcome`. */
static void goes_on_for(struct run *run, enum hdfs_outcome outcome, uint64_t ms)
{
	enum hdfs_next next;
	int steps = 0;

	while ((next = step(run, run->r.at == 0 ? outcome : HDFS_UNREACHED)) == HDFS_NEXT_ASK)
		assert_true(++steps < 100);
	assert_int_equal(next, HDFS_NEXT_GIVE_UP);
	assert_int_equal(run->now, 1000 + ms);
	assert_int_equal(hdfs_retry_patience_ms(&run->r), ms);
}

static void those_that_never_answered_are_soon_given_up(void **state)
{
	struct run run;
	(void)state;

	begin(&run, 2, 0, true);
	run.r.known = false;
	goes_on_for(&run, HDFS_UNREACHED, HDFS_STRANGE_MS);
	begin(&run, 2, 0, true);
	run.r.known = false;
	goes_on_for(&run, HDFS_LOST, HDFS_STRANGE_MS);
	assert_false(run.r.known);

	begin(&run, 2, 0, true); /* this one did nothing, but it was there */
	run.r.known = false;
	goes_on_for(&run, HDFS_STANDBY, PATIENCE);
	assert_true(run.r.known);
	begin(&run, 2, 0, true);
	run.r.known = false;
	goes_on_for(&run, HDFS_NOT_NOW, PATIENCE);

	hdfs_retry_init(&run.r, 1, 0, false, true, 300, 7, 1000); /* who has less patience has less */
	run.now = 1000;
	goes_on_for(&run, HDFS_UNREACHED, 300);
}

static void a_name_that_nobody_knows_is_soon_given_up(void **state)
{
	struct run run;
	int steps = 0;
	(void)state;

	begin(&run, 2, 0, true);
	while (step(&run, HDFS_HOPELESS) == HDFS_NEXT_ASK)
		steps++;
	assert_int_equal(steps, 2 * HDFS_HOPELESS_ROUNDS - 1);
	assert_true(run.now < 1000 + PATIENCE / 10);

	begin(&run, 2, 0, true); /* but not if the other one is only down */
	for (int i = 0; i < 10; i++)
		assert_int_equal(step(&run, i % 2 == 0 ? HDFS_UNREACHED : HDFS_HOPELESS), HDFS_NEXT_ASK);
}

static void what_may_have_taken_place_is_looked_up(void **state)
{
	struct run run;
	(void)state;

	begin(&run, 2, 0, false);
	assert_int_equal(step(&run, HDFS_UNREACHED), HDFS_NEXT_ASK); /* nothing was sent */
	assert_false(run.r.uncertain);
	assert_int_equal(step(&run, HDFS_LOST), HDFS_NEXT_LOOK_UP);
	assert_true(run.r.uncertain);
	assert_int_equal(hdfs_retry_undone(&run.r, run.now, &run.wait), HDFS_NEXT_ASK);
	assert_int_equal(run.r.at, 0);
	assert_int_equal(step(&run, HDFS_LOST), HDFS_NEXT_LOOK_UP);
	assert_int_equal(hdfs_retry_undone(&run.r, 1000 + PATIENCE, &run.wait), HDFS_NEXT_ASK);
	assert_int_equal(run.wait, 0); /* the other one */
	assert_int_equal(step(&run, HDFS_LOST), HDFS_NEXT_LOOK_UP);
	assert_int_equal(hdfs_retry_undone(&run.r, 1000 + PATIENCE, &run.wait), HDFS_NEXT_GIVE_UP);

	begin(&run, 1, 0, true); /* twice is as good as once */
	assert_int_equal(step(&run, HDFS_LOST), HDFS_NEXT_ASK);
	assert_true(run.r.uncertain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_taken),
		cmocka_unit_test(a_round_has_no_waits_and_rounds_have_longer_ones),
		cmocka_unit_test(waits_differ_by_seed),
		cmocka_unit_test(safe_mode_waits_at_once_and_asks_the_other),
		cmocka_unit_test(patience_is_used_up_and_no_more),
		cmocka_unit_test(requests_that_take_long_use_patience_too),
		cmocka_unit_test(all_are_asked_before_it_is_given_up),
		cmocka_unit_test(those_that_never_answered_are_soon_given_up),
		cmocka_unit_test(a_name_that_nobody_knows_is_soon_given_up),
		cmocka_unit_test(what_may_have_taken_place_is_looked_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
