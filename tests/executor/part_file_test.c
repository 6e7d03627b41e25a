/* Part files in HDFS: what becomes of one that was not finished. The HDFS is made up
 * (tests/hdfs_client/fake.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/part_file.h"
#include "tests/hdfs_client/fake.h"

enum { STEP = 64 << 10, MUCH = 32 << 20 /* bytes: more than is held before the first error is heard */ };

#define NAME "0.0.0.part-00000"

struct bench {
	struct fake hdfs;
	struct keep keep;
	char folder[96];
	struct err err;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	char authority[64];

	assert_non_null(b);
	fake_init(&b->hdfs, 0);
	b->hdfs.name = "out/_temporary/" NAME;
	b->hdfs.there = false;
	fake_access(&b->hdfs, &b->keep.access);
	fake_url(&b->hdfs, authority);
	(void)snprintf(b->folder, sizeof(b->folder), "%s/out", authority);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	keep_deinit(&b->keep);
	fake_deinit(&b->hdfs);
	free(b);
	return 0;
}

static struct part_file *new (struct bench *b)
{
	struct part_file *f;

	if (part_file_new(b->folder, NAME, &b->keep, &f, &b->err) < 0)
		fail_msg("%s", b->err.text);
	return f;
}

/* Until it fails. */
static int write_much(struct bench *b, struct part_file *f)
{
	static const char bytes[STEP];
	int r = 0;

	for (size_t n = 0; n < MUCH && r == 0; n += STEP)
		r = part_file_write(f, bytes, STEP, &b->err);
	return r;
}

static void what_is_not_finished_is_removed(void **state)
{
	struct bench *b = *state;
	struct part_file *f;

	for (int i = 0; i < FAKE_DATANODES; i++)
		fake_set(&b->hdfs, i, FAKE_QUOTA);
	f = new (b);
	assert_int_equal(write_much(b, f), -EDQUOT);
	(void)part_file_free(f);
	assert_int_equal(b->hdfs.deletes, 1);
}

static void what_is_whole_stays(void **state)
{
	struct bench *b = *state;
	struct part_file *f = new (b);

	assert_int_equal(part_file_write(f, "abc", 3, &b->err), 0);
	if (part_file_finish(f, &b->err) < 0)
		fail_msg("%s", b->err.text);
	(void)part_file_free(f);
	assert_int_equal(b->hdfs.deletes, 0);
	assert_int_equal(b->hdfs.len, 3);
}

/* A task of a job that is no more may write where another job has begun: it is the other's file. */
static void what_another_made_stays(void **state)
{
	struct bench *b = *state;
	struct part_file *f;

	for (int i = 0; i < FAKE_DATANODES; i++)
		fake_set(&b->hdfs, i, FAKE_EXISTS);
	f = new (b);
	assert_int_equal(part_file_finish(f, &b->err), -EEXIST);
	(void)part_file_free(f);
	assert_int_equal(b->hdfs.deletes, 0);

	b->hdfs.there = false;
	f = new (b);
	assert_int_equal(write_much(b, f), -EEXIST);
	(void)part_file_free(f);
	assert_int_equal(b->hdfs.deletes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_finished_is_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_whole_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(what_another_made_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
