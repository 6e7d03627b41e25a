/* task_kit.h: task_run() over a stage that a test makes by hand: its branch and sink, what the task gets, map
 * outputs that are served. Include cmocka before it. */
#ifndef QUERN_TESTS_EXECUTOR_TASK_KIT_H
#define QUERN_TESTS_EXECUTOR_TASK_KIT_H

#include "executor/bytes.h"
#include "executor/task.h"
#include "tests/executor/kit.h"
#include "tests/executor/serve.h"
#include "tests/one_branch.h"

enum { SHUFFLE = 7, MAP_STAGE = 1, REDUCE_STAGE = 2, MAPS_MAX = 8 };

/* A stage whose parts are here, for the test to change; maps' outputs; the folders of an executor. */
struct bench {
	char dir[KIT_PATH], shuffle[KIT_PATH + 16], scratch[KIT_PATH + 16], input[KIT_PATH + 16];
	struct serve serve;
	struct keep keep;
	struct task_env env;

	Quern__Stage stage;
	struct one_branch from;
	Quern__Sink sink;
	Quern__Step steps[4];
	Quern__Step *step_list[4];
	Quern__Function functions[4], reduce, combine;

	Quern__Task task;
	Quern__Split split;
	Quern__Extent extent;
	Quern__Extent *extent_list[1];

	Quern__Outputs outputs;
	Quern__MapOutput map_outputs[MAPS_MAX];
	Quern__MapOutput *map_output_list[MAPS_MAX];
	Quern__OutputHost host;
	Quern__OutputHost *host_list[1];
	Quern__Outputs second; /* of another shuffle, when there are two */

	Quern__TaskCache *cache; /* NULL: the task has nothing to do with persisted sets */
	Quern__Cache caches[2];
};

static inline void kit_subfolder(char *path, size_t size, const char *dir, const char *name)
{
	(void)snprintf(path, size, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static inline void kit_open(struct bench *b)
{
	*b = (struct bench){ .stage = QUERN__STAGE__INIT,
		.sink = QUERN__SINK__INIT,
		.task = QUERN__TASK__INIT,
		.split = QUERN__SPLIT__INIT,
		.extent = QUERN__EXTENT__INIT,
		.outputs = QUERN__OUTPUTS__INIT,
		.host = QUERN__OUTPUT_HOST__INIT };
	kit_folder(b->dir);
	kit_subfolder(b->shuffle, sizeof(b->shuffle), b->dir, "shuffle");
	kit_subfolder(b->scratch, sizeof(b->scratch), b->dir, "scratch");
	(void)snprintf(b->input, sizeof(b->input), "%s/input", b->dir);
	serve_start(&b->serve, b->shuffle, NULL);
	b->env = (struct task_env){ .code = kit_code,
		.executor_id = SERVE_ID,
		.machine = "here",
		.shuffle_dir = b->shuffle,
		.scratch_dir = b->scratch,
		.secret = serve_secret,
		.keep = &b->keep };

	b->stage.id = MAP_STAGE;
	one_branch_init(&b->from, &b->stage);
	b->stage.sink = &b->sink;
	b->from.branch.steps = b->step_list;
	b->task.stage = MAP_STAGE;
	b->task.split = &b->split;
	b->split.extents = b->extent_list;
	b->split.n_extents = 1;
	b->extent_list[0] = &b->extent;
	b->extent.path = b->input;

	b->outputs.shuffle = SHUFFLE;
	b->outputs.hosts = b->host_list;
	b->outputs.n_hosts = 1;
	b->outputs.outputs = b->map_output_list;
	b->host_list[0] = &b->host;
	b->host.executor_id = (char *)(uintptr_t)SERVE_ID;
	b->host.address = (char *)(uintptr_t) "127.0.0.1";
	b->host.port = b->serve.port;
	b->host.directory = b->shuffle;
	b->host.machine = (char *)(uintptr_t) "here";
}

static inline void kit_close(struct bench *b)
{
	assert_int_equal(kit_entries(b->scratch), 0);
	serve_stop(&b->serve);
	keep_deinit(&b->keep);
	tree_remove(b->dir);
}

static inline void kit_input(struct bench *b, const void *text, size_t len)
{
	kit_write(b->input, text, len);
	b->extent.offset = 0;
	b->extent.length = len;
}

static inline void kit_add_step(struct bench *b, Quern__Step__Kind kind, bool pairs, const char *function)
{
	size_t i = b->from.branch.n_steps++;

	quern__step__init(&b->steps[i]);
	b->functions[i] = kit_function(kit_code, function);
	b->steps[i].kind = kind;
	b->steps[i].has_pairs = true;
	b->steps[i].pairs = pairs;
	b->steps[i].function = &b->functions[i];
	b->step_list[i] = &b->steps[i];
}

static inline void kit_to_shuffle(struct bench *b, uint32_t partitions, const char *combine)
{
	b->combine = kit_builtin(combine);
	b->sink.kind = QUERN__SINK__KIND__SHUFFLE;
	b->sink.has_shuffle = b->sink.has_partitions = true;
	b->sink.has_seed = true;
	b->sink.shuffle = b->sink.seed = SHUFFLE;
	b->sink.partitions = partitions;
	b->sink.combine = &b->combine;
}

/* The stage behind it: no steps, everything to the driver. */
static inline void kit_from_shuffle(struct bench *b, const char *reduce)
{
	one_branch_init(&b->from, &b->stage);
	quern__sink__init(&b->sink);
	b->reduce = kit_builtin(reduce);
	b->stage.id = b->task.stage = REDUCE_STAGE;
	b->from.branch.steps = b->step_list;
	one_branch_read(&b->from, SHUFFLE);
	b->from.input.reduce = &b->reduce;
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
	b->task.split = NULL;
}

static inline Quern__TaskResult *kit_run(struct bench *b, uint32_t partition, uint32_t attempt)
{
	const Quern__Outputs *outputs[] = { &b->outputs, &b->second };
	const struct task t = { .stage = &b->stage,
		.branch = &b->from.branch,
		.task = &b->task,
		.outputs = outputs,
		.n_outputs = b->from.source.n_shuffles,
		.cache = b->cache };
	Quern__TaskResult *result = NULL;

	b->task.partition = b->task.part = partition;
	b->task.attempt = attempt;
	assert_int_equal(task_run(&b->env, &t, &result), 0);
	assert_non_null(result);
	assert_int_equal(result->stage, b->stage.id);
	assert_int_equal(result->partition, partition);
	assert_int_equal(result->attempt, attempt);
	return result;
}

static inline Quern__TaskResult *kit_run_done(struct bench *b, uint32_t partition, uint32_t attempt)
{
	Quern__TaskResult *result = kit_run(b, partition, attempt);

	if (result->state != QUERN__TASK_RESULT__STATE__DONE)
		fail_msg("%s", result->error);
	return result;
}

static inline void kit_done_with(Quern__TaskResult *result)
{
	quern__task_result__free_unpacked(result, NULL);
}

static inline void kit_note_output(struct bench *b, uint32_t map, uint32_t attempt)
{
	Quern__MapOutput *o = &b->map_outputs[b->outputs.n_outputs];

	quern__map_output__init(o);
	o->map = map;
	o->attempt = attempt;
	o->stage = MAP_STAGE;
	b->map_output_list[b->outputs.n_outputs++] = o;
}

#endif
