/* task.c: puts the operators of one task together, from its source to its sink, and says what became of it.
 *
 *     text     reader ------------------> steps -> sink
 *     shuffle  shuffle_reader -> combine -> steps -> sink
 *     kept     cache_reader ------------> steps -> sink    (from behind a CACHE step on)
 *
 * where the sink is a combine whose keys go to a shuffle_writer, a part file, or records for the driver. User
 * functions run inside of run_guarded() alone, and may leave it by a jump: everything that has to be undone
 * hangs on struct run. */
#include "executor/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/bytes.h"
#include "executor/combine.h"
#include "executor/flow.h"
#include "executor/hash.h"
#include "executor/output.h"
#include "executor/reader.h"
#include "executor/shuffle_read.h"
#include "executor/shuffle_write.h"
#include "executor/steps.h"
#include "executor/task_cache.h"
#include "job/out.h"

enum {
	MEMORY_DEFAULT = 256 << 20, /* bytes, of a task that does not say */
	MEMORY_SHARE = 2 /* one part of so many is for tables; user code and buffers have the rest */
};

struct run {
	const struct task_env *env;
	const struct task *t;
	struct flow flow;
	struct quern_out *sink; /* of the last step: one of those below */
	struct steps *steps;
	struct quern_out *in; /* of the first */
	struct task_cache cache;

	struct reader reader;
	struct shuffle_reader *shuffle;
	struct combine *reduce; /* between the shuffle and the steps; NULL: none */

	struct combine *combine;
	struct shuffle_writer *writer;
	struct part *part;
	struct collect collect; /* also counts */
	const char *file;       /* of the part, once it is whole */
};

/* Bytes for each of the tables of the task. */
static size_t table_memory(const struct task *t)
{
	uint64_t all = t->task->has_memory && t->task->memory > 0 ? t->task->memory : MEMORY_DEFAULT;
	bool both = t->stage->source->reduce != NULL && t->stage->sink->combine != NULL;

	all /= MEMORY_SHARE;
	return (size_t)(both ? all / 2 : all);
}

static int combine_open(struct run *r, const Quern__Function *function, bool one_partition,
	struct combine **ret, struct err *err)
{
	const struct combine_config config = { .code = r->env->code,
		.function = function,
		.memory = table_memory(r->t),
		.scratch_dir = r->env->scratch_dir,
		.one_partition = one_partition,
		.flow = &r->flow };

	return combine_new(&config, ret, err);
}

/* ---- The sink ---- */

static int open_map_output(struct run *r, struct err *err)
{
	const Quern__Sink *sink = r->t->stage->sink;
	const Quern__Task *task = r->t->task;
	const struct shuffle_name name = { sink->shuffle, task->partition, task->attempt };

	if (!sink->has_shuffle || sink->combine == NULL)
		return err_set(err, -EINVAL, "stage %u: a shuffle without a function that combines values",
			r->t->stage->id);
	int e = combine_open(r, sink->combine, false, &r->combine, err);
	if (e < 0)
		return e;
	r->sink = combine_in(r->combine);
	return shuffle_writer_new(r->env->shuffle_dir, &name, sink->partitions, &r->writer, err);
}

static int open_sink(struct run *r, struct err *err)
{
	const Quern__Sink *sink = r->t->stage->sink;

	switch (sink->kind) {
	case QUERN__SINK__KIND__SHUFFLE:
		return open_map_output(r, err);
	case QUERN__SINK__KIND__COLLECT:
		collect_init(&r->collect, sink->has_limit ? sink->limit : 0, &r->flow);
		r->sink = &r->collect.in;
		return 0;
	case QUERN__SINK__KIND__COUNT:
		count_init(&r->collect, &r->flow);
		r->sink = &r->collect.in;
		return 0;
	case QUERN__SINK__KIND__TEXT: {
		if (sink->path == NULL)
			return err_set(err, -EINVAL, "stage %u: no output folder", r->t->stage->id);
		int e = part_new(sink, r->t->task, &r->flow, &r->part, err);
		if (e == 0)
			r->sink = part_in(r->part);
		return e;
	}
	default:
		return err_set(err, -EINVAL, "stage %u: an unknown kind of sink", r->t->stage->id);
	}
}

static void give_map_output(void *arg, uint64_t hash, quern_slice key, quern_slice value)
{
	struct run *r = arg;
	struct err err;

	uint32_t partition = hash_partition(hash, r->t->stage->sink->partitions);
	int e = shuffle_writer_add(r->writer, partition, key, value, &err);
	if (e < 0)
		flow_fail_err(&r->flow, e, &err);
}

static void finish_sink(struct run *r)
{
	struct err err;
	int e = 0;

	if (r->combine != NULL)
		combine_finish(r->combine, give_map_output, r);
	if (r->flow.result < 0)
		return;
	if (r->writer != NULL)
		e = shuffle_writer_finish(r->writer, &err);
	else if (r->part != NULL)
		e = part_finish(r->part, &r->file, &err);
	if (e < 0)
		flow_fail_err(&r->flow, e, &err);
}

/* ---- The source ---- */

static int open_shuffle(struct run *r, struct err *err)
{
	const Quern__Source *source = r->t->stage->source;
	const struct shuffle_read_config config = { .outputs = r->t->outputs,
		.partition = r->t->task->partition,
		.machine = r->env->machine,
		.secret = r->env->secret,
		.flow = &r->flow };

	if (r->t->outputs == NULL || r->t->outputs->shuffle != source->shuffle)
		return err_set(err, -EPROTO, "stage %u: nothing is known of the map output of shuffle %u",
			r->t->stage->id, source->shuffle);
	int e = shuffle_reader_new(&config, &r->shuffle, err);
	if (e < 0 || source->reduce == NULL)
		return e;
	return combine_open(r, source->reduce, true, &r->reduce, err);
}

static int open_source(struct run *r, struct err *err)
{
	task_cache_init(&r->cache, r->t->stage, r->t->cache);
	if (r->cache.reads)
		return 0;
	if (r->t->stage->source->has_shuffle)
		return open_shuffle(r, err);
	if (r->t->task->split == NULL)
		return err_set(err, -EPROTO, "stage %u: a task without a split", r->t->stage->id);
	return 0;
}

static void give_reduced(void *arg, uint64_t hash, quern_slice key, quern_slice value)
{
	struct quern_out *in = arg;

	(void)hash;
	in->emit(in, key, value);
}

/* User functions run in here. */
static void run_guarded(void *arg)
{
	struct run *r = arg;

	if (r->cache.reads) {
		cache_reader_run(&r->cache.reader, r->in, &r->flow);
	} else if (r->shuffle == NULL) {
		reader_run(&r->reader, r->t->task->split, r->in, &r->flow);
	} else if (r->reduce == NULL) {
		shuffle_reader_run(r->shuffle, r->in);
	} else {
		shuffle_reader_run(r->shuffle, combine_in(r->reduce));
		combine_finish(r->reduce, give_reduced, r->in);
		r->reduce = combine_free(r->reduce); /* its memory is for what follows */
	}
	if (r->flow.result == 0)
		finish_sink(r);
}

/* ---- What became of it ---- */

static void fill_counts(const struct run *r, Quern__TaskResult *result)
{
	result->has_records_in = result->has_bytes_in = true;
	result->records_in = r->cache.reads       ? r->cache.reader.records
			     : r->shuffle != NULL ? shuffle_reader_records(r->shuffle)
						  : r->reader.records;
	result->bytes_in = r->cache.reads       ? r->cache.reader.len
			   : r->shuffle != NULL ? shuffle_reader_bytes(r->shuffle)
						: r->reader.bytes;
	result->has_records_out = result->has_bytes_out = true;
	result->records_out = r->writer != NULL ? shuffle_writer_records(r->writer)
			      : r->part != NULL ? part_records(r->part)
						: r->collect.records;
	result->bytes_out = r->writer != NULL ? shuffle_writer_bytes(r->writer)
			    : r->part != NULL ? part_bytes(r->part)
					      : r->collect.data.len;
}

/* 0 or -ENOMEM. */
static int fill_done(struct run *r, Quern__TaskResult *result)
{
	result->state = QUERN__TASK_RESULT__STATE__DONE;
	fill_counts(r, result);
	if (task_cache_finish(&r->cache, !r->flow.stop, result) < 0) /* a limit stopped it: not all passed */
		return -ENOMEM;
	switch (r->t->stage->sink->kind) {
	case QUERN__SINK__KIND__COLLECT:
		result->has_data = true;
		result->data.data = buf_steal(&r->collect.data, &result->data.len);
		return 0;
	case QUERN__SINK__KIND__COUNT:
		result->data.data = malloc(sizeof(uint64_t));
		if (result->data.data == NULL)
			return -ENOMEM;
		put_le64(result->data.data, r->collect.records);
		result->data.len = sizeof(uint64_t);
		result->has_data = true;
		return 0;
	case QUERN__SINK__KIND__TEXT:
		result->file = strdup(r->file);
		return result->file == NULL ? -ENOMEM : 0;
	default:
		return 0;
	}
}

/* Which map output it was. 0 or -ENOMEM. */
static int fill_fetch(const struct run *r, const Quern__MapOutput *lost, Quern__TaskResult *result)
{
	result->state = QUERN__TASK_RESULT__STATE__FETCH_FAILED;
	result->has_fetch_shuffle = true;
	result->fetch_shuffle = r->t->outputs->shuffle;
	result->fetch = malloc(sizeof(*result->fetch));
	if (result->fetch == NULL)
		return -ENOMEM;
	quern__map_output__init(result->fetch);
	result->fetch->map = lost->map;
	result->fetch->attempt = lost->attempt;
	result->fetch->stage = lost->stage;
	return 0;
}

/* 0 or -ENOMEM. */
static int fill_failed(const struct run *r, Quern__TaskResult *result)
{
	const Quern__MapOutput *lost = r->shuffle != NULL ? shuffle_reader_lost(r->shuffle) : NULL;

	result->state = QUERN__TASK_RESULT__STATE__FAILED;
	result->has_final = true;
	result->final = r->flow.final;
	result->error = strdup(r->flow.err.text);
	if (result->error == NULL)
		return -ENOMEM;
	for (char *c = result->error; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' '; /* it is to be one line */
	return lost != NULL ? fill_fetch(r, lost, result) : 0;
}

static int fill_result(struct run *r, Quern__TaskResult **ret)
{
	const Quern__Task *task = r->t->task;
	Quern__TaskResult *result = malloc(sizeof(*result));

	if (result == NULL)
		return -ENOMEM;
	quern__task_result__init(result);
	result->stage = task->stage;
	result->partition = task->partition;
	result->attempt = task->attempt;
	int e = r->flow.result < 0 ? fill_failed(r, result) : fill_done(r, result);
	if (e < 0) {
		quern__task_result__free_unpacked(result, NULL);
		return e;
	}
	*ret = result;
	return 0;
}

/* ---- All of it ---- */

static int open_all(struct run *r, struct err *err)
{
	const Quern__Stage *stage = r->t->stage;

	int e = open_source(r, err);
	if (e == 0)
		e = open_sink(r, err);
	if (e == 0)
		e = steps_new(r->env->code, stage->steps + r->cache.first, stage->n_steps - r->cache.first,
			r->sink, &r->flow, &r->steps, err);
	if (e == 0)
		e = task_cache_tee(&r->cache, r->steps, err);
	if (e == 0)
		r->in = steps_in(r->steps);
	return e;
}

static void close_all(struct run *r)
{
	reader_deinit(&r->reader);
	task_cache_deinit(&r->cache);
	r->shuffle = shuffle_reader_free(r->shuffle);
	r->reduce = combine_free(r->reduce);
	r->steps = steps_free(r->steps);
	r->combine = combine_free(r->combine);
	r->writer = shuffle_writer_free(r->writer);
	r->part = part_free(r->part);
	collect_deinit(&r->collect);
}

int task_run(const struct task_env *env, const struct task *t, Quern__TaskResult **ret)
{
	struct run r = { .env = env, .t = t, .reader = READER_INIT };
	struct err err = { "" };

	int e = open_all(&r, &err);
	if (e < 0)
		/* A plan that makes no sense here makes none elsewhere. */
		flow_fail(&r.flow, e, e == -EINVAL, "%s", err.text);
	else if ((e = out_guard(run_guarded, &r, &err)) < 0)
		flow_fail(&r.flow, e, false, "%s", err.text);
	e = fill_result(&r, ret);
	close_all(&r);
	return e;
}
