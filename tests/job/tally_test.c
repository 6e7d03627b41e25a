/* What functions count: accumulators and counters of a task, and what quern_main() reads of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/graph.h"
#include "job/out.h"
#include "job/reduction.h"
#include "tests/job/kit.h"

struct job {
	quern_job job;
	struct code *code;
	quern_accumulator sum, least, most;
	struct tally tally;
	struct out_task task;
};

static int setup(void **state)
{
	struct job *j = calloc(1, sizeof(*j));
	const struct job_runner none = { 0 };

	assert_non_null(j);
	j->code = kit_load();
	job_init(&j->job, j->code, &none);
	j->sum = quern_accumulator_u64(&j->job, "sum");
	j->least = quern_accumulator_by(&j->job, "least", quern_min_i64);
	j->most = quern_accumulator_by(&j->job, "most", quern_max_double);
	j->task.tally = &j->tally;
	*state = j;
	return 0;
}

static int teardown(void **state)
{
	struct job *j = *state;

	job_deinit(&j->job);
	(void)code_free(j->code);
	free(j);
	return 0;
}

static void count(void *arg)
{
	const struct job *j = arg;

	quern_add_u64(j->sum, 3);
	quern_add_u64(j->sum, 4);
	quern_add_i64(j->least, 5);
	quern_add_i64(j->least, -6);
	quern_counter_add("mill:grain", 2);
	quern_counter_add("mill:chaff", 1);
	quern_counter_add("mill:grain", -5);
}

static void a_tasks_counts_become_a_message(void **state)
{
	struct job *j = *state;
	Quern__Tally *m;

	assert_int_equal(tally_message(&j->tally, &m), 0);
	assert_null(m); /* there is nothing */
	assert_int_equal(out_guard(count, j, &j->task, NULL), 0);
	assert_int_equal(tally_message(&j->tally, &m), 0);
	assert_int_equal(m->n_counts, 4); /* `most` has nothing */
	for (size_t i = 0; i < m->n_counts; i++)
		assert_true(tally_count_valid(m->counts[i]));
	assert_true(m->counts[0]->has_id && m->counts[0]->id == j->sum.id && m->counts[0]->bits == 7);
	assert_true(m->counts[1]->id == j->least.id && (int64_t)m->counts[1]->bits == -6);
	assert_string_equal(m->counts[2]->name, "mill:grain");
	assert_true((int64_t)m->counts[2]->bits == -3);
	assert_string_equal(m->counts[3]->name, "mill:chaff");
	assert_false(m->has_bad);

	/* And quern_main() reads them. */
	job_take_totals(&j->job, m->counts, m->n_counts);
	m->counts = NULL;
	m->n_counts = 0;
	quern__tally__free_unpacked(m, NULL);
	assert_true(quern_total_u64(&j->job, j->sum) == 7);
	assert_true(quern_total_i64(&j->job, j->least) == -6);
	assert_true(quern_total_double(&j->job, j->most) == -HUGE_VAL); /* nothing */
	assert_true(quern_counter_total(&j->job, "mill:grain") == -3);
	assert_true(quern_counter_total(&j->job, "mill:other") == 0);
}

static void adds_another_type(void *arg)
{
	const struct job *j = arg;

	quern_add_double(j->sum, 1);
}

static void adds_to_none(void *arg)
{
	(void)arg;
	quern_add_u64((quern_accumulator){ TALLY_COUNTS, REDUCE_SUM_U64 }, 1);
}

static void adds_too_many(void *arg)
{
	char name[TALLY_NAME + 2];

	(void)arg;
	for (int i = 0; i <= TALLY_COUNTS; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		quern_counter_add(name, 1);
	}
}

static void adds_a_long_name(void *arg)
{
	char name[TALLY_NAME + 2] = "";

	(void)arg;
	memset(name, 'x', TALLY_NAME + 1);
	quern_counter_add(name, 1);
}

static void what_cannot_be_counted_fails(void **state)
{
	struct job *j = *state;
	struct err err;

	assert_int_equal(out_guard(adds_another_type, j, &j->task, &err), -ECANCELED);
	assert_non_null(strstr(err.text, "but of u64"));
	assert_int_equal(out_guard(adds_to_none, j, &j->task, &err), -ECANCELED);
	assert_int_equal(out_guard(adds_too_many, j, &j->task, &err), -ECANCELED);
	assert_non_null(strstr(err.text, "'120' is none"));
	assert_int_equal(out_guard(adds_a_long_name, j, &j->task, &err), -ECANCELED);
	/* Outside of tasks nothing is counted. */
	quern_add_u64(j->sum, 1);
	quern_counter_add("x", 1);
}

static void a_job_has_so_many_accumulators(void **state)
{
	struct job *j = *state;

	for (int i = 3; i < TALLY_COUNTS; i++)
		assert_int_equal(quern_accumulator_i64(&j->job, "one more").id, i);
	assert_true(quern_accumulator_double(&j->job, "one too many").id >= TALLY_COUNTS);
	assert_true(quern_accumulator_u64(&j->job, "").id >= TALLY_COUNTS);
	assert_true(quern_accumulator_by(&j->job, "of nothing", NULL).id >= TALLY_COUNTS);
	assert_int_equal(j->job.n_accumulators, TALLY_COUNTS);
}

static void counts_that_make_no_sense(void **state)
{
	Quern__Count c = QUERN__COUNT__INIT;
	char name[TALLY_NAME + 2] = "";

	(void)state;
	c.kind = QUERN__COUNT__KIND__SUM_I64;
	assert_false(tally_count_valid(&c)); /* of nothing */
	c.has_id = true;
	c.id = TALLY_COUNTS - 1;
	assert_true(tally_count_valid(&c));
	c.id = TALLY_COUNTS;
	assert_false(tally_count_valid(&c));
	c.id = 0;
	c.name = name;
	assert_false(tally_count_valid(&c)); /* both */
	c.has_id = false;
	assert_false(tally_count_valid(&c)); /* no name */
	memset(name, 'x', TALLY_NAME);
	assert_true(tally_count_valid(&c));
	name[TALLY_NAME] = 'x';
	assert_false(tally_count_valid(&c));
	name[1] = '\0';
	c.kind = QUERN__COUNT__KIND__SUM_U64;
	assert_false(tally_count_valid(&c)); /* a counter is a sum of i64 */
	c.kind = (Quern__Count__Kind)99;
	assert_false(tally_count_valid(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tasks_counts_become_a_message, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_counted_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(a_job_has_so_many_accumulators, setup, teardown),
		cmocka_unit_test(counts_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
