#include "scheduler/action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "hdfs_client/url.h"
#include "job/codec.h"
#include "job/input.h"
#include "scheduler/output.h"

enum { SPLIT_LEAST = 16 << 20 /* bytes */ };

struct action {
	Quern__Run *run;
	struct input_splits *input;         /* per stage; n 0 where the source is a shuffle */
	const Quern__Split *const **splits; /* the same, as the core wants it */
	size_t *n_splits;
	struct action_config config;
	struct output *output; /* NULL: the action writes none */
};

void action_memory_deinit(struct action_memory *m)
{
	vec_deinit(&m->shuffles);
}

static uint32_t *remembered(struct action_memory *m, uint32_t shuffle)
{
	for (size_t i = 0; i < m->shuffles.n; i++)
		if (m->shuffles.at[i].shuffle == shuffle)
			return &m->shuffles.at[i].partitions;
	return NULL;
}

/* ---- Paths ---- */

/* A path that looks right and cannot be had is better said to be so than looked for on the local disk. */
static int check_hdfs(const char *path, struct err *err)
{
	struct hdfs_url url;
	int r = hdfs_url_parse(path, &url, err);

	hdfs_url_deinit(&url);
	return r < 0 ? r
		     : err_set(err, -EOPNOTSUPP, "'%.500s': this version reads and writes local files only",
			       path);
}

/* Replaces *path by its absolute form. */
static int make_absolute(char **path, struct err *err)
{
	auto_free char *cwd = NULL;
	char *ret;

	if (hdfs_url_is(*path))
		return check_hdfs(*path, err);
	if ((*path)[0] == '/')
		return 0;
	cwd = getcwd(NULL, 0);
	if (cwd == NULL)
		return err_errno(err, -errno, "the current folder");
	if (asprintf(&ret, "%s%s%s", cwd, strcmp(cwd, "/") == 0 ? "" : "/", *path) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	free(*path);
	*path = ret;
	return 0;
}

static int absolute_paths(Quern__Run *run, struct err *err)
{
	int r = 0;

	for (size_t s = 0; s < run->n_stages && r == 0; s++) {
		Quern__Stage *stage = run->stages[s];

		for (size_t i = 0; i < stage->source->n_text && r == 0; i++)
			r = make_absolute(&stage->source->text[i], err);
		if (r == 0 && stage->sink->path != NULL)
			r = make_absolute(&stage->sink->path, err);
	}
	return r;
}

/* ---- Partitions ---- */

/* How many tasks a stage has, once its source is settled. */
static uint32_t tasks_of(const struct action *a, struct action_memory *memory, size_t s)
{
	const Quern__Source *source = a->run->stages[s]->source;

	if (!source->has_shuffle)
		return (uint32_t)a->n_splits[s];
	const uint32_t *n = remembered(memory, source->shuffle);
	return n != NULL ? *n : 1; /* plan_check(): an earlier stage writes it */
}

/* Partitions of a small input are not worth a task each. */
static int settle_shuffle(struct action *a, struct action_memory *memory, size_t s, struct err *err)
{
	Quern__Sink *sink = a->run->stages[s]->sink;
	uint32_t tasks = tasks_of(a, memory, s);

	if (sink->kind != QUERN__SINK__KIND__SHUFFLE)
		return 0;
	sink->has_compression = 1;
	sink->compression = a->config.compression;
	const uint32_t *known = remembered(memory, sink->shuffle);
	if (known != NULL) {
		sink->partitions = *known;
		sink->has_partitions = 1;
		return 0;
	}
	if (!sink->has_partitions || sink->partitions == 0)
		sink->partitions = a->config.partitions > 0  ? a->config.partitions
				   : tasks < a->config.cores ? tasks
							     : a->config.cores;
	if (sink->partitions == 0)
		sink->partitions = 1;
	sink->has_partitions = 1;
	if (vec_push(&memory->shuffles, ((struct action_shuffle){ sink->shuffle, sink->partitions })) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* ---- Input ---- */

/* A quarter of the memory, so that a task can sort its split without spilling; but not so little that there
 * are more map outputs than a reduce can merge at a time. */
static uint64_t split_target(uint64_t task_memory)
{
	uint64_t target = task_memory / 4;

	if (task_memory == 0 || target > INPUT_TARGET)
		return INPUT_TARGET;
	return target < SPLIT_LEAST ? SPLIT_LEAST : target;
}

static int split_stage(struct action *a, size_t s, struct err *err)
{
	const Quern__Source *source = a->run->stages[s]->source;
	const struct input_config config = { .target_bytes = split_target(a->config.task_memory),
		.parallelism = a->config.cores };

	if (source->has_shuffle)
		return 0;
	int r = input_splits(source->text, source->n_text, &config, &a->input[s], err);
	if (r < 0)
		return r;
	a->splits[s] = (const Quern__Split *const *)a->input[s].at;
	a->n_splits[s] = a->input[s].n;
	return 0;
}

static int prepare(struct action *a, struct action_memory *memory, struct err *err)
{
	size_t n = a->run->n_stages;
	int r = absolute_paths(a->run, err);

	if (r < 0)
		return r;
	a->input = calloc(n, sizeof(*a->input));
	a->splits = calloc(n, sizeof(*a->splits));
	a->n_splits = calloc(n, sizeof(*a->n_splits));
	if (a->input == NULL || a->splits == NULL || a->n_splits == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t s = 0; s < n && r == 0; s++) {
		r = split_stage(a, s, err);
		if (r == 0)
			r = settle_shuffle(a, memory, s, err);
	}
	const Quern__Sink *sink = a->run->stages[n - 1]->sink;
	if (r == 0 && sink->kind == QUERN__SINK__KIND__TEXT)
		r = output_open(sink->path, codec_suffix(sink->codec), &a->output, err);
	return r;
}

/* A copy of `run` that is this action's own. */
static Quern__Run *copy_run(const Quern__Run *run)
{
	size_t len = quern__run__get_packed_size(run);
	auto_free uint8_t *packed = malloc(len > 0 ? len : 1);

	if (packed == NULL)
		return NULL;
	(void)quern__run__pack(run, packed);
	return quern__run__unpack(NULL, len, packed);
}

int action_begin(const Quern__Run *run, struct action_memory *memory, const struct action_config *config,
	struct action **ret, struct err *err)
{
	struct action *a = calloc(1, sizeof(*a));
	size_t known = memory->shuffles.n;

	*ret = NULL;
	if (a == NULL || (a->run = copy_run(run)) == NULL) {
		free(a);
		return err_set(err, -ENOMEM, "out of memory");
	}
	a->config = *config;
	if (a->config.cores == 0)
		a->config.cores = 1;
	int r = prepare(a, memory, err);
	if (r < 0) {
		memory->shuffles.n = known;
		(void)action_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void action_event(const struct action *a, struct sched_event *ev)
{
	ev->u.run.run = a->run;
	ev->u.run.splits = a->splits;
	ev->u.run.n_splits = a->n_splits;
}

int action_commit(struct action *a, uint32_t run, const char *file, uint32_t partition, struct err *err)
{
	if (run != a->run->id || a->output == NULL)
		return err_set(err, -EINVAL, "no output is being written by that action");
	return output_commit(a->output, file, partition, err);
}

int action_finish(struct action *a, struct err *err)
{
	return a->output == NULL ? 0 : output_finish(a->output, err);
}

struct action *action_free(struct action *a)
{
	if (a == NULL)
		return NULL;
	for (size_t s = 0; a->input != NULL && s < a->run->n_stages; s++)
		input_splits_deinit(&a->input[s]);
	free(a->input);
	free(a->splits);
	free(a->n_splits);
	(void)output_free(a->output);
	quern__run__free_unpacked(a->run, NULL);
	free(a);
	return NULL;
}
