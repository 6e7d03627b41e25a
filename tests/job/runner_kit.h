/* runner_kit.h: a job whose runner is no driver: it checks and keeps the Runs that it gets, and answers as
 * the test says. Include cmocka before it. */
#ifndef QUERN_TESTS_JOB_RUNNER_KIT_H
#define QUERN_TESTS_JOB_RUNNER_KIT_H

#include <endian.h>

#include "base/buf.h"
#include "job/graph.h"
#include "job/plan_check.h"
#include "job/records.h"
#include "tests/job/kit.h"

enum { RUNS_MAX = 16 };

struct runner {
	struct code *code;
	const struct job_functions *f;
	quern_job job;

	Quern__Run *runs[RUNS_MAX]; /* copies of what was to be run */
	size_t n_runs;
	/* How they are answered. */
	int returns;
	uint32_t partitions;     /* of the last stage */
	const char *const *data; /* one record, its value, for each partition; NULL: a number */
	const uint64_t *numbers; /* one for each partition; NULL: always `number` */
	uint64_t number;
	size_t len;           /* bytes of a number */
	unsigned given;       /* results */
	uint32_t unpersisted; /* the last one that was; 0: none */
	unsigned unpersists;
};

static inline void runner_keep(struct runner *x, const Quern__Run *run)
{
	size_t len = quern__run__get_packed_size(run);
	uint8_t *packed = malloc(len);

	assert_non_null(packed);
	assert_true(x->n_runs < RUNS_MAX);
	(void)quern__run__pack(run, packed);
	x->runs[x->n_runs] = quern__run__unpack(NULL, len, packed);
	assert_non_null(x->runs[x->n_runs++]);
	free(packed);
}

static inline int runner_answer(struct runner *x, const Quern__Run *run, job_result_fn *result, void *arg)
{
	uint32_t end = run->has_partition_count && run->partition_count < x->partitions - run->first_partition
			       ? run->first_partition + run->partition_count
			       : x->partitions;

	for (uint32_t i = run->first_partition; i < end; i++) {
		const uint64_t number = htole64(x->numbers != NULL ? x->numbers[i] : x->number);
		auto_buf struct buf b = BUF_INIT(1000);

		if (x->data != NULL)
			assert_int_equal(record_put(&b, quern_str(""), quern_str(x->data[i])), 0);
		else
			assert_int_equal(buf_add(&b, &number, x->len), 0);
		x->given++;
		if (result(arg, i, b.data, b.len) != 0)
			break;
	}
	return 0;
}

static inline int runner_run(
	void *arg, const Quern__Run *run, job_result_fn *result, void *result_arg, struct err *err)
{
	struct runner *x = arg;
	const uint8_t *id;
	size_t id_len = code_build_id(x->code, &id);

	runner_keep(x, run);
	/* Whatever a job does by the API is a plan that is accepted. */
	if (plan_check(run, id, id_len, err) < 0)
		fail_msg("%s", err->text);
	return x->returns != 0 ? x->returns : runner_answer(x, run, result, result_arg);
}

static inline int runner_unpersist(void *arg, uint32_t cache)
{
	struct runner *x = arg;

	x->unpersisted = cache;
	x->unpersists++;
	return 0;
}

/* One partition, whose answer is 5, until the test says otherwise. */
static inline void runner_open(struct runner *x)
{
	*x = (struct runner){ .code = kit_load(), .partitions = 1, .number = 5, .len = sizeof(uint64_t) };
	x->f = kit_symbol("job_functions");
	job_init(&x->job, x->code,
		&(const struct job_runner){ .run = runner_run, .unpersist = runner_unpersist, .arg = x });
}

static inline void runner_forget_runs(struct runner *x)
{
	while (x->n_runs > 0)
		quern__run__free_unpacked(x->runs[--x->n_runs], NULL);
}

static inline void runner_close(struct runner *x)
{
	job_deinit(&x->job);
	runner_forget_runs(x);
	(void)code_free(x->code);
}

static inline int runner_setup(void **state)
{
	struct runner *x = malloc(sizeof(*x));

	if (x == NULL)
		return -1;
	runner_open(x);
	*state = x;
	return 0;
}

static inline int runner_teardown(void **state)
{
	runner_close(*state);
	free(*state);
	return 0;
}

#endif
