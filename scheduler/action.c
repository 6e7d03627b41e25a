#include "scheduler/action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "hdfs_client/url.h"
#include "job/explain.h"
#include "job/plan_check.h"
#include "job/source_splits.h"
#include "job/stage.h"
#include "scheduler/hdfs_storage.h"
#include "scheduler/output.h"

enum { SPLIT_LEAST = 16 << 20 /* bytes */ };

/* The input of a stage: of its branches that do not read shuffles, one behind the other. */
struct stage_splits {
	VEC(struct input_splits) inputs; /* of each of those branches */
	VEC(Quern__Split *) all;         /* borrowed from them */
};

struct action {
	Quern__Run *run;
	struct stage_splits *splits;      /* per stage */
	const Quern__Split *const **list; /* the same, as the core wants it */
	size_t *n_list;
	struct action_config config;
	struct storage hdfs; /* of config.hdfs */
	struct action_memory *memory;
	struct output *output; /* NULL: the action writes none */
};

void action_memory_deinit(struct action_memory *m)
{
	vec_deinit(&m->shuffles);
}

static const uint32_t *remembered(const struct action_memory *m, uint32_t seed)
{
	for (size_t i = 0; i < m->shuffles.n; i++)
		if (m->shuffles.at[i].seed == seed)
			return &m->shuffles.at[i].partitions;
	return NULL;
}

/* ---- Paths ---- */

static int check_hdfs(const char *path, struct err *err)
{
	struct hdfs_url url;
	int r = hdfs_url_parse(path, &url, err);

	hdfs_url_deinit(&url);
	return r;
}

/* Replaces *path by its absolute form. */
static int make_absolute(char **path, struct err *err)
{
	auto_free char *cwd = NULL;
	char *ret;

	if (hdfs_url_is(*path))
		return check_hdfs(*path, err);
	if (strncmp(*path, "file:///", 8) == 0)
		(void)memmove(*path, *path + 7, strlen(*path + 7) + 1);
	else if (strstr(*path, "://") != NULL && (*path)[strcspn(*path, ":/")] == ':')
		return err_set(err, -EINVAL,
			"'%s': quern's files are local (a path, file:///PATH) or in HDFS "
			"(hdfs://NAMENODE/PATH)",
			*path);
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
		const Quern__Stage *stage = run->stages[s];

		for (size_t b = 0; b < stage->n_branches && r == 0; b++) {
			Quern__Source *source = stage->branches[b]->source;

			for (size_t i = 0; i < source->n_text && r == 0; i++)
				r = make_absolute(&source->text[i], err);
		}
		if (r == 0 && stage->sink->path != NULL)
			r = make_absolute(&stage->sink->path, err);
	}
	return r;
}

/* ---- Partitions ---- */

/* How many tasks a stage has that has been counted. */
static uint64_t tasks_of(const Quern__Stage *stage)
{
	uint64_t n = 0;

	for (size_t i = 0; i < stage->n_branches; i++)
		n += stage->branches[i]->tasks;
	return n;
}

static bool is_counted(const Quern__Stage *stage)
{
	for (size_t i = 0; i < stage->n_branches; i++)
		if (!stage->branches[i]->has_tasks)
			return false;
	return true;
}

static int set_tasks(const Quern__Stage *stage, Quern__Branch *branch, uint64_t n, struct err *err)
{
	branch->has_tasks = true;
	branch->tasks = n <= PLAN_TASKS_MAX ? (uint32_t)n : 0;
	return n <= PLAN_TASKS_MAX && tasks_of(stage) <= PLAN_TASKS_MAX
		       ? 0
		       : err_set(err, -E2BIG, "stage %u: more than %d tasks", stage->id, PLAN_TASKS_MAX);
}

/* Says how many partitions the sets of steps have that have to know. `starts`: of all branches, and the end.
 */
static void count_partitions(const Quern__Branch *b, const uint32_t *starts)
{
	for (size_t i = 0; i < b->n_steps; i++) {
		Quern__Step *s = b->steps[i];

		s->has_tasks = s->has_branches;
		if (s->has_branches) /* plan_check(): they end with the stage at the latest */
			s->tasks = starts[s->first + s->branches] - starts[s->first];
	}
}

/* Counts the tasks of branches that read shuffles, and says where the partitions of numbered steps begin. */
static int count_tasks(const Quern__Stage *stage, const struct action_memory *memory, struct err *err)
{
	uint32_t *starts = calloc(stage->n_branches + 1, sizeof(*starts));
	int r = starts == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < stage->n_branches && r == 0; i++) {
		Quern__Branch *b = stage->branches[i];

		if (b->source->n_shuffles > 0) {
			const uint32_t *n = remembered(memory, b->source->shuffles[0]->seed);
			r = set_tasks(stage, b, n != NULL ? *n : 1, err); /* an earlier stage writes it */
		}
		starts[i + 1] = starts[i] + b->tasks;
		for (size_t k = 0; k < b->n_steps && r == 0; k++) {
			b->steps[k]->has_origin = b->steps[k]->has_first;
			b->steps[k]->origin = starts[b->steps[k]->first]; /* plan_check(): not behind */
		}
	}
	for (size_t i = 0; i < stage->n_branches && r == 0; i++)
		count_partitions(stage->branches[i], starts);
	free(starts);
	return r;
}

/* Into how many partitions the shuffles with that seed go, when the job does not say: one for each core, but
 * those of a small input are not worth a task each. What writes them is not always counted yet. */
static uint32_t partitions_of(const struct action *a, uint32_t seed)
{
	uint64_t most = 0;

	if (a->config.partitions > 0)
		return a->config.partitions;
	for (size_t s = 0; s < a->run->n_stages; s++) {
		const Quern__Stage *stage = a->run->stages[s];

		if (stage->sink->kind != QUERN__SINK__KIND__SHUFFLE || stage->sink->seed != seed)
			continue;
		uint64_t tasks = is_counted(stage) ? tasks_of(stage) : a->config.cores;
		most = tasks > most ? tasks : most;
	}
	return most < a->config.cores ? (uint32_t)most : a->config.cores;
}

/* Those with the same seed are divided alike. */
static int settle_shuffle(struct action *a, struct action_memory *memory, Quern__Sink *sink, struct err *err)
{
	if (sink->kind != QUERN__SINK__KIND__SHUFFLE)
		return 0;
	sink->has_compression = 1;
	sink->compression = a->config.compression;
	const uint32_t *known = remembered(memory, sink->seed);
	if (known != NULL)
		sink->partitions = *known;
	else if (!sink->has_partitions || sink->partitions == 0)
		sink->partitions = partitions_of(a, sink->seed);
	if (sink->partitions == 0)
		sink->partitions = 1;
	sink->has_partitions = 1;
	if (known == NULL &&
		vec_push(&memory->shuffles, ((struct action_shuffle){ sink->seed, sink->partitions })) < 0)
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

/* Who only looks has not saved the checkpoint that is read here. */
static bool not_there_yet(const struct action *a, const Quern__Source *source)
{
	struct storage_entry e = { 0 };

	if (!a->config.only_look || !source->file_each)
		return false;
	const struct storage *s = a->hdfs.has(source->text[0]) ? &a->hdfs : &storage_local;
	int r = s->stat(s->arg, source->text[0], &e, NULL);
	storage_entry_deinit(&e);
	return r == -ENOENT || r == -ENOTDIR;
}

static int split_branch(const struct action *a, const Quern__Stage *stage, Quern__Branch *branch,
	struct stage_splits *splits, struct err *err)
{
	const struct input_config config = { .target_bytes = split_target(a->config.task_memory),
		.parallelism = a->config.cores,
		.recursive = a->config.recursive,
		.remote = &a->hdfs };
	struct input_splits input;

	Quern__Source nothing = QUERN__SOURCE__INIT;

	nothing.has_records = true;
	int r = source_splits(
		not_there_yet(a, branch->source) ? &nothing : branch->source, &config, &input, err);
	if (r < 0)
		return r;
	/* They travel with their tasks; of the stage, which every executor gets, they are no part. */
	free(branch->source->records.data);
	branch->source->records = (ProtobufCBinaryData){ 0 };
	if (vec_push(&splits->inputs, input) < 0) {
		input_splits_deinit(&input);
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < input.n; i++)
		if (vec_push(&splits->all, input.at[i]) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	return set_tasks(stage, branch, input.n, err);
}

/* Cuts up what does not come from shuffles. */
static int split_stage(struct action *a, size_t s, struct err *err)
{
	const Quern__Stage *stage = a->run->stages[s];
	int r = 0;

	for (size_t i = 0; i < stage->n_branches && r == 0; i++)
		if (stage->branches[i]->source->n_shuffles == 0)
			r = split_branch(a, stage, stage->branches[i], &a->splits[s], err);
	a->list[s] = (const Quern__Split *const *)a->splits[s].all.at;
	a->n_list[s] = a->splits[s].all.n;
	return r;
}

static int prepare(struct action *a, struct err *err)
{
	size_t n = a->run->n_stages;
	int r = absolute_paths(a->run, err);

	if (r < 0)
		return r;
	a->splits = calloc(n, sizeof(*a->splits));
	a->list = calloc(n, sizeof(*a->list));
	a->n_list = calloc(n, sizeof(*a->n_list));
	if (a->splits == NULL || a->list == NULL || a->n_list == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t s = 0; s < n && r == 0; s++)
		r = split_stage(a, s, err);
	for (size_t s = 0; s < n && r == 0; s++) {
		r = count_tasks(a->run->stages[s], a->memory, err);
		if (r == 0)
			r = settle_shuffle(a, a->memory, a->run->stages[s]->sink, err);
	}
	const Quern__Sink *sink = a->run->stages[n - 1]->sink;
	if (r < 0 || !sink_writes_files(sink))
		return r;
	return a->config.only_look
		       ? output_look(sink->path, a->config.hdfs, err)
		       : output_open(sink->path, sink_suffix(sink), a->config.hdfs, &a->output, err);
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

int action_new(const Quern__Run *run, struct action_memory *memory, const struct action_config *config,
	struct action **ret, struct err *err)
{
	struct action *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->run = copy_run(run)) == NULL) {
		free(a);
		return err_set(err, -ENOMEM, "out of memory");
	}
	a->memory = memory;
	a->config = *config;
	a->hdfs = hdfs_storage(config->hdfs);
	if (a->config.cores == 0)
		a->config.cores = 1;
	*ret = a;
	return 0;
}

int action_begin(struct action *a, struct err *err)
{
	size_t known = a->memory->shuffles.n;
	int r = prepare(a, err);

	if (r < 0)
		a->memory->shuffles.n = known;
	return r;
}

void action_event(const struct action *a, struct sched_event *ev)
{
	ev->u.run.run = a->run;
	ev->u.run.splits = a->list;
	ev->u.run.n_splits = a->n_list;
}

/* What the splits of a stage come from. */
static int explain_input(const struct action *a, size_t s, struct buf *out)
{
	const struct stage_splits *splits = &a->splits[s];
	uint64_t files = 0, bytes = 0;

	if (splits->inputs.n == 0)
		return 0;
	for (size_t i = 0; i < splits->inputs.n; i++) {
		files += splits->inputs.at[i].files;
		bytes += splits->inputs.at[i].bytes;
	}
	return buf_add_fmt(out, "  input of stage %u: %llu file%s of %.1f MiB in %zu split%s\n",
		a->run->stages[s]->id, (unsigned long long)files, files == 1 ? "" : "s",
		(double)bytes / (1 << 20), splits->all.n, splits->all.n == 1 ? "" : "s");
}

int action_explain(struct action *a, const struct symbols *symbols, struct buf *out)
{
	int r = symbols != NULL ? symbols_name(symbols, &a->run->base) : 0;

	if (r == 0)
		r = explain_run(a->run, out);
	for (size_t s = 0; r == 0 && s < a->run->n_stages; s++)
		r = explain_input(a, s, out);
	return r;
}

uint32_t action_run(const struct action *a)
{
	return a->run->id;
}

const char *action_output(const struct action *a)
{
	return a->output != NULL ? output_path(a->output) : NULL;
}

int action_commit(struct action *a, const char *file, uint32_t partition, struct err *err)
{
	if (a->output == NULL)
		return err_set(err, -EINVAL, "no output is being written by that action");
	return output_commit(a->output, file, partition, err);
}

int action_finish(struct action *a, struct err *err)
{
	return a->output == NULL ? 0 : output_finish(a->output, err);
}

int action_undo(struct action *a, struct err *err)
{
	return a->output == NULL ? 0 : output_remove(a->output, err);
}

struct action *action_free(struct action *a)
{
	if (a == NULL)
		return NULL;
	for (size_t s = 0; a->splits != NULL && s < a->run->n_stages; s++) {
		for (size_t i = 0; i < a->splits[s].inputs.n; i++)
			input_splits_deinit(&a->splits[s].inputs.at[i]);
		vec_deinit(&a->splits[s].inputs);
		vec_deinit(&a->splits[s].all);
	}
	free(a->splits);
	free(a->list);
	free(a->n_list);
	(void)output_free(a->output);
	quern__run__free_unpacked(a->run, NULL);
	free(a);
	return NULL;
}
