#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/neighbour/batch.h"

enum { MS = 1000 };

#define FINISHED MESOS__V1__TASK_STATE__TASK_FINISHED
#define RUNNING  MESOS__V1__TASK_STATE__TASK_RUNNING

static struct batch *make(const struct batch_config *config)
{
	struct batch *b;

	assert_int_equal(batch_new(config, &b), 0);
	return b;
}

static void launch(struct batch *b, uint64_t now_us, const char *id)
{
	char given[BATCH_ID_SIZE];

	assert_int_equal(batch_launch(b, now_us, given), 0);
	assert_string_equal(given, id);
}

static void takes_what_there_is_room_for(void **state)
{
	struct batch *b = make(&(struct batch_config){ .task_us = 500 * MS, .executor = true });

	(void)state;
	assert_int_equal(batch_room(b, 4.1, 1024, false), 4);
	assert_int_equal(batch_room(b, 4, 1024, false), 3); /* the executor takes its share of the first */
	assert_int_equal(batch_room(b, 4, 1024, true), 4);
	assert_int_equal(batch_room(b, 4.1, 2 * BATCH_TASK_MB + BATCH_EXECUTOR_MB, false), 2);
	assert_int_equal(batch_room(b, 0.1, 1024, false), 0);
	assert_int_equal(batch_room(b, 1e9, 1e12, true), BATCH_LAUNCH_MAX);
	assert_null(batch_free(b));
	b = make(&(struct batch_config){ .task_us = 500 * MS });
	assert_int_equal(batch_room(b, 4, 1024, false), 4); /* commands have no executor's share */
	batch_free(b);
}

static void keeps_to_its_limit(void **state)
{
	struct batch *b = make(&(struct batch_config){ .task_us = 500 * MS, .limit = 3 });

	(void)state;
	assert_int_equal(batch_room(b, 8, 1024, false), 3);
	launch(b, 0, "0");
	launch(b, 0, "1");
	assert_int_equal(batch_room(b, 8, 1024, false), 1);
	assert_true(batch_wants(b));
	launch(b, 0, "2");
	assert_int_equal(batch_room(b, 8, 1024, false), 0);
	assert_false(batch_wants(b));
	assert_true(batch_status(b, "1", FINISHED, 500 * MS));
	assert_int_equal(batch_room(b, 8, 1024, false), 1);
	batch_free(b);
}

static void ends_after_so_many(void **state)
{
	struct batch *b = make(&(struct batch_config){ .task_us = 0, .tasks = 2 });

	(void)state;
	assert_int_equal(batch_room(b, 8, 1024, false), 2);
	launch(b, 10 * MS, "0");
	launch(b, 10 * MS, "1");
	assert_false(batch_wants(b));
	assert_true(batch_status(b, "1", FINISHED, 12 * MS));
	assert_false(batch_done(b));
	assert_true(batch_status(b, "0", FINISHED, 15 * MS));
	assert_true(batch_done(b));
	assert_int_equal(batch_count(b, 100 * MS).elapsed_us, 5 * MS);
	batch_free(b);
}

static void counts_work(void **state)
{
	struct batch *b = make(&(struct batch_config){ .task_us = 500 * MS });

	(void)state;
	launch(b, 0, "0");
	launch(b, 0, "1");
	launch(b, 0, "2");
	assert_false(batch_status(b, "0", RUNNING, 100 * MS));
	assert_false(batch_status(b, "1", RUNNING, 200 * MS));
	assert_false(batch_status(b, "1", RUNNING, 250 * MS)); /* said again: it has not begun anew */
	assert_int_equal(batch_count(b, 300 * MS).work_us, (200 + 100) * MS);
	assert_true(batch_status(b, "0", FINISHED, 610 * MS));
	assert_false(batch_status(b, "0", FINISHED, 620 * MS)); /* and again */
	assert_int_equal(batch_count(b, 610 * MS).work_us, (500 + 410) * MS);
	assert_int_equal(
		batch_count(b, 5000 * MS).work_us, (500 + 500) * MS); /* a task is no more than its length */
	assert_true(batch_status(b, "1", MESOS__V1__TASK_STATE__TASK_LOST, 700 * MS));
	struct batch_count c = batch_count(b, 700 * MS);
	assert_int_equal(c.work_us, 500 * MS); /* what was lost is no work */
	assert_int_equal(c.finished, 1);
	assert_int_equal(c.lost, 1);
	assert_int_equal(c.running, 1);
	assert_false(batch_status(b, "77", FINISHED, 700 * MS));
	batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_there_is_room_for),
		cmocka_unit_test(keeps_to_its_limit),
		cmocka_unit_test(ends_after_so_many),
		cmocka_unit_test(counts_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
