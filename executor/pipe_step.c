/* pipe_step.c: a pipe as a step of a task: what the command is told about the task. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "executor/pipe.h"
#include "job/tally.h"

enum { VARIABLES_MAX = 16 };

struct variables {
	char *at[VARIABLES_MAX + 1]; /* NULL at the end */
	size_t n;
};

/* 0 or -ENOMEM. */
static int add(struct variables *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int add(struct variables *v, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&v->at[v->n], format, ap);
	va_end(ap);
	if (n < 0) {
		v->at[v->n] = NULL;
		return -ENOMEM;
	}
	v->n++;
	return 0;
}

static void variables_deinit(struct variables *v)
{
	while (v->n > 0)
		free(v->at[--v->n]);
}

/* The file that the input is, or is a part of; NULL: it is none, or of several. */
static const Quern__Extent *only_extent(const Quern__Task *task)
{
	return task->split != NULL && task->split->n_extents == 1 ? task->split->extents[0] : NULL;
}

/* Hadoop's names are those of its job configuration with '_' for '.', as Hadoop Streaming has them. 0 or
 * -ENOMEM. */
static int fill(struct variables *v, const Quern__Task *task, const char *scratch_dir)
{
	const Quern__Extent *x = only_extent(task);
	const bool map = task->split != NULL;

	int r = add(v, "TMPDIR=%s", scratch_dir);
	if (r == 0)
		r = add(v, "QUERN_STAGE=%" PRIu32, task->stage);
	if (r == 0)
		r = add(v, "QUERN_TASK_PARTITION=%" PRIu32, task->partition);
	if (r == 0)
		r = add(v, "QUERN_TASK_ATTEMPT=%" PRIu32, task->attempt);
	if (r == 0)
		r = add(v, "mapreduce_task_partition=%" PRIu32, task->partition);
	if (r == 0)
		r = add(v, "mapreduce_task_ismap=%s", map ? "true" : "false");
	if (r == 0)
		r = add(v, "mapreduce_task_attempt_id=attempt_0_%04" PRIu32 "_%c_%06" PRIu32 "_%" PRIu32,
			task->stage, map ? 'm' : 'r', task->partition, task->attempt);
	if (r == 0 && x != NULL)
		r = add(v, "mapreduce_map_input_file=%s", x->path);
	if (r == 0 && x != NULL)
		r = add(v, "mapreduce_map_input_start=%" PRIu64, x->offset);
	if (r == 0 && x != NULL)
		r = add(v, "mapreduce_map_input_length=%" PRIu64, x->length);
	return r;
}

/* Counters of Hadoop's have two names. One that there is no room for fails the task (quern_counter_add()). */
static void count(void *arg, const char *group, const char *name, int64_t n)
{
	char both[2 * TALLY_NAME + 2];

	(void)arg;
	(void)snprintf(both, sizeof(both), "%s:%s", group, name);
	quern_counter_add(both, n);
}

int pipe_step_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	struct variables variables = { 0 };
	const struct pipe_config config = {
		.pipe = step->pipe, .environment = variables.at, .count = count, .flow = env->flow
	};

	if (step->pipe == NULL)
		return err_set(err, -EINVAL, "a pipe without a command");
	int r = fill(&variables, env->task, env->scratch_dir);
	if (r < 0)
		(void)err_set(err, r, "out of memory");
	else
		r = pipe_new(&config, next, ret, err);
	variables_deinit(&variables);
	return r;
}
