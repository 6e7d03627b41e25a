/* task.c: puts the operators of one task together, from its source to its sink, and says what became of it.
 *
 *     source (source.h) -> steps (steps.h) -> sink (sink.h)
 *     kept (task_cache.h) -> the steps behind ---^
 *
 * User functions run inside of run_guarded() alone, and may leave it by a jump: everything that has to be
 * undone hangs on struct run. */
#include "executor/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/gate.h"
#include "executor/hash.h"
#include "executor/sink.h"
#include "executor/source.h"
#include "executor/steps.h"
#include "executor/task_cache.h"
#include "job/stage.h"

enum {
	MEMORY_DEFAULT = 256 << 20, /* bytes, of a task that does not say */
	MEMORY_SHARE = 2 /* one part of so many is for records; user code and buffers have the rest */
};

struct run {
	const struct task_env *env;
	const struct task *t;
	struct flow flow;
	struct tally tally;
	struct out_task functions; /* the task, as they see it */
	struct gate gate;
	struct task_cache cache;
	struct source source; /* not opened if records that were kept are read instead */
	struct steps *steps;
	struct sink sink;
};

/* Who holds records, one behind the other: the source, sorts among the steps, the sink. */
static size_t holders(const struct task *t)
{
	size_t n = t->branch->source->n_shuffles > 0;

	n += t->stage->sink->kind == QUERN__SINK__KIND__SHUFFLE;
	for (size_t i = 0; i < t->branch->n_steps; i++)
		n += t->branch->steps[i]->kind == QUERN__STEP__KIND__SORT;
	return n;
}

/* Bytes of records for each holder. One gives what it has while the next takes it; no third has any then. */
static size_t records_memory(const struct task *t)
{
	uint64_t all = t->task->has_memory && t->task->memory > 0 ? t->task->memory : MEMORY_DEFAULT;
	bool both = holders(t) > 1;

	all /= MEMORY_SHARE;
	if (t->cache != NULL && t->cache->n_write > 0)
		all /= 2; /* the other half of it is for what is kept (persist.c) */
	return (size_t)(both ? all / 2 : all);
}

/* User functions run in here. */
static void run_guarded(void *arg)
{
	struct run *r = arg;

	gate_init(&r->gate, steps_in(r->steps), &r->functions);
	if (r->cache.reads)
		cache_reader_run(&r->cache.reader, &r->gate.in, &r->flow);
	else
		source_run(&r->source, &r->gate.in);
	steps_finish(r->steps);
	if (r->flow.result == 0)
		sink_finish(&r->sink, r->cache.reads ? 1 : source_scale(&r->source));
}

/* ---- What became of it ---- */

/* 0 or -ENOMEM. */
static int fill_done(struct run *r, Quern__TaskResult *result)
{
	result->state = QUERN__TASK_RESULT__STATE__DONE;
	result->has_records_in = result->has_bytes_in = true;
	result->records_in = r->cache.reads ? r->cache.reader.records : source_records(&r->source);
	result->bytes_in = r->cache.reads ? r->cache.reader.len : source_bytes(&r->source);
	/* What is counted later, when it is done again, must be done again. */
	bool uncounted = r->t->stage->sink->uncounted;
	bool again = uncounted && tally_counted(&r->tally);
	/* When a limit stopped it not all has passed. */
	if (task_cache_finish(&r->cache, !r->flow.stop && !again, result) < 0)
		return -ENOMEM;
	if (!uncounted && tally_message(&r->tally, &result->tally) < 0)
		return -ENOMEM;
	return sink_answer(&r->sink, result);
}

/* Which map output it was. 0 or -ENOMEM. */
static int fill_fetch(uint32_t shuffle, const Quern__MapOutput *lost, Quern__TaskResult *result)
{
	result->state = QUERN__TASK_RESULT__STATE__FETCH_FAILED;
	result->has_fetch_shuffle = true;
	result->fetch_shuffle = shuffle;
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
	uint32_t shuffle = 0;
	const Quern__MapOutput *lost = source_lost(&r->source, &shuffle);

	result->state = QUERN__TASK_RESULT__STATE__FAILED;
	result->has_final = true;
	result->final = r->flow.final;
	result->error = strdup(r->flow.err.text);
	if (result->error == NULL)
		return -ENOMEM;
	for (char *c = result->error; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' '; /* it is to be one line */
	return lost != NULL ? fill_fetch(shuffle, lost, result) : 0;
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
	const struct source_config source = { .env = r->env,
		.task = r->t,
		.memory = records_memory(r->t),
		/* What is to be kept is read as a whole. */
		.sample = stage->sink->kind == QUERN__SINK__KIND__SAMPLE && !branch_whole(r->t->branch) &&
			  (r->t->cache == NULL || r->t->cache->n_write == 0),
		.flow = &r->flow };
	const struct sink_config sink = {
		.env = r->env, .task = r->t, .memory = records_memory(r->t), .flow = &r->flow
	};
	const struct step_env steps = { .code = r->env->code,
		.flow = &r->flow,
		.scratch_dir = r->env->scratch_dir,
		.keep = r->env->keep,
		.memory = records_memory(r->t),
		.task = r->t->task,
		.sink = stage->sink };

	const Quern__Branch *branch = r->t->branch;
	task_cache_init(&r->cache, branch, r->t->task->partition, r->t->cache);
	int e = r->cache.reads ? 0 : source_open(&r->source, &source, err);
	if (e == 0)
		e = sink_open(&r->sink, &sink, err);
	if (e == 0)
		e = steps_new(&steps, branch->steps + r->cache.first, branch->n_steps - r->cache.first,
			r->sink.in, &r->steps, err);
	if (e == 0)
		e = task_cache_tee(&r->cache, r->steps, err);
	return e;
}

static void close_all(struct run *r)
{
	source_close(&r->source);
	task_cache_deinit(&r->cache);
	r->steps = steps_free(r->steps);
	sink_close(&r->sink);
}

uint64_t task_hash_seed(const struct code *code, uint32_t seed)
{
	const uint8_t *build_id = NULL;
	size_t len = code_build_id(code, &build_id);

	return hash_seed(build_id, len, seed);
}

int task_run(const struct task_env *env, const struct task *t, Quern__TaskResult **ret)
{
	struct run r = { .env = env, .t = t };
	struct err err = { "" };

	r.flow.task = &r.functions;
	r.functions.tally = &r.tally;
	r.tally.bad_max = t->task->has_bad_records ? t->task->bad_records : 0;

	int e = open_all(&r, &err);
	if (e < 0)
		/* A plan that makes no sense here makes none elsewhere. */
		flow_fail(&r.flow, e, e == -EINVAL, "%s", err.text);
	else if ((e = out_guard(run_guarded, &r, &r.functions, &err)) < 0)
		flow_fail(&r.flow, e, e == -EBADMSG, "%s", err.text);
	e = fill_result(&r, ret);
	close_all(&r);
	return e;
}
