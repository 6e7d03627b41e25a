#include "job/stages.h"

#include <errno.h>

#include "base/vec.h"
#include "job/plan_check.h"
#include "job/stage.h"

/* The Run in the making. */
struct cutter {
	struct memory *m;
	struct err *err;
	VEC(Quern__Stage *) stages;
	uint32_t stamp; /* shuffles that have it have their stage already */
};

/* The branches of a stage in the making. */
struct branches {
	VEC(Quern__Branch *) list;
	size_t n_steps;               /* of all of them */
	uint32_t cores_milli, mem_mb; /* of a task: the most that a set of the stage asks for */
};

/* The steps between a set and the end of its stage, the set's own first. */
struct steps {
	Quern__Step *step;
	const struct steps *next;
	size_t n;
};

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ---- Steps ---- */

/* What was unpersisted is no step any more. */
static bool is_step(const quern_set *set)
{
	return set->cache == NULL || !set->cache->dropped;
}

static int fill_cache(Quern__Step *step, struct set_cache *set, struct memory *m)
{
	Quern__Cache *cache = memory_take(m, sizeof(*cache));

	if (cache == NULL)
		return -ENOMEM;
	quern__cache__init(cache);
	cache->id = set->id;
	cache->has_compressed = set->compressed;
	cache->compressed = set->compressed;
	set->planned = true;
	step->cache = cache;
	return 0;
}

/* The step of `set`, whose partitions begin at branch `first`. NULL: no memory. */
static Quern__Step *make_step(struct cutter *c, quern_set *set, size_t first)
{
	Quern__Step *step = memory_take(c->m, sizeof(*step));

	if (step == NULL)
		return NULL;
	*step = set->step;
	if (step_numbered(step)) {
		step->has_first = true;
		step->first = (uint32_t)first;
	}
	if (set->cache != NULL)
		return fill_cache(step, set->cache, c->m) == 0 ? step : NULL;
	if (set->fn.builtin != NULL || set->fn.has_offset)
		step->function = &set->fn;
	return step;
}

/* ---- Branches ---- */

static int fill_steps(struct cutter *c, Quern__Branch *branch, const struct steps *steps)
{
	size_t i = 0;

	if (steps == NULL)
		return 0;
	branch->n_steps = steps->n;
	branch->steps = memory_take(c->m, steps->n * sizeof(Quern__Step *));
	if (branch->steps == NULL)
		return no_memory(c->err);
	for (; steps != NULL; steps = steps->next)
		branch->steps[i++] = steps->step;
	return 0;
}

static int cut_shuffle(struct cutter *c, struct set_shuffle *shuffle);

static int fill_input(struct cutter *c, const struct set_input *from, Quern__ShuffleInput **ret)
{
	Quern__ShuffleInput *input = memory_take(c->m, sizeof(*input));

	if (input == NULL)
		return no_memory(c->err);
	quern__shuffle_input__init(input);
	input->shuffle = from->shuffle->id;
	input->seed = shuffle_seed(from->shuffle)->id;
	input->reduce = (Quern__Function *)from->reduce;
	input->order = (Quern__Order *)from->order;
	*ret = input;
	return cut_shuffle(c, from->shuffle);
}

/* What a set that begins a branch reads. */
static int fill_source(struct cutter *c, const quern_set *from, Quern__Source **ret)
{
	if (from->kind == SET_SOURCE) {
		*ret = from->source;
		return 0;
	}
	Quern__Source *source = memory_take(c->m, sizeof(*source));
	if (source == NULL)
		return no_memory(c->err);
	quern__source__init(source);
	*ret = source;
	source->shuffles = memory_take(c->m, from->n_inputs * sizeof(Quern__ShuffleInput *));
	if (source->shuffles == NULL)
		return no_memory(c->err);
	source->n_shuffles = from->n_inputs;
	source->group = (Quern__Group *)from->group;
	int r = 0;
	for (size_t i = 0; r == 0 && i < from->n_inputs; i++)
		r = fill_input(c, &from->inputs[i], &source->shuffles[i]);
	return r;
}

static int add_branch(struct cutter *c, struct branches *b, const quern_set *from, const struct steps *steps)
{
	Quern__Branch *branch = memory_take(c->m, sizeof(*branch));

	if (branch == NULL || vec_push(&b->list, branch) < 0)
		return no_memory(c->err);
	quern__branch__init(branch);
	b->n_steps += steps != NULL ? steps->n : 0;
	if (b->n_steps > PLAN_STEPS_MAX || b->list.n > PLAN_BRANCHES_MAX)
		return err_set(c->err, -E2BIG,
			"a stage of more than %d branches or %d steps: persist or checkpoint sets on the way",
			PLAN_BRANCHES_MAX, PLAN_STEPS_MAX);
	int r = fill_steps(c, branch, steps);
	return r < 0 ? r : fill_source(c, from, &branch->source);
}

static void note_size(struct branches *b, const quern_set *set)
{
	if (set->task_cores_milli > b->cores_milli)
		b->cores_milli = set->task_cores_milli;
	if (set->task_mem_mb > b->mem_mb)
		b->mem_mb = set->task_mem_mb;
}

/* Says in steps, up to those that begin with `end`, how many branches their sets have, where it matters. */
static void count_branches(const struct steps *steps, const struct steps *end, size_t n)
{
	for (; steps != end; steps = steps->next) {
		if (steps->step->kind != QUERN__STEP__KIND__TAG ||
			steps->step->divide != QUERN__STEP__DIVIDE__WHOLE)
			continue;
		steps->step->has_branches = true;
		steps->step->branches = (uint32_t)n;
	}
}

/* All branches that end in `set`, which `steps` follow. */
static int add_branches(struct cutter *c, struct branches *b, quern_set *set, const struct steps *steps)
{
	const struct steps *behind = steps;
	const size_t first = b->list.n;
	int r = 0;

	for (; set->kind == SET_STEP; set = set->parent) {
		struct steps *more;

		note_size(b, set);
		if (!is_step(set))
			continue;
		more = memory_take(c->m, sizeof(*more));
		if (more == NULL || (more->step = make_step(c, set, b->list.n)) == NULL)
			return no_memory(c->err);
		more->next = steps;
		more->n = steps != NULL ? steps->n + 1 : 1;
		steps = more;
	}
	note_size(b, set);
	if (set->kind != SET_UNION)
		r = add_branch(c, b, set, steps);
	for (size_t i = 0; r == 0 && i < set->n_parents; i++)
		r = add_branches(c, b, set->parents[i], steps);
	count_branches(steps, behind, b->list.n - first);
	return r;
}

/* ---- Stages ---- */

static int fill_branches(struct cutter *c, Quern__Stage *stage, quern_set *last)
{
	struct branches b = { 0 };

	int r = add_branches(c, &b, last, NULL);
	if (r == 0) {
		stage->branches = memory_take(c->m, b.list.n * sizeof(Quern__Branch *));
		r = stage->branches == NULL ? no_memory(c->err) : 0;
	}
	if (r == 0) {
		stage->n_branches = b.list.n;
		memcpy(stage->branches, b.list.at, b.list.n * sizeof(Quern__Branch *));
		stage->has_task_cores_milli = b.cores_milli > 0;
		stage->task_cores_milli = b.cores_milli;
		stage->has_task_mem_mb = b.mem_mb > 0;
		stage->task_mem_mb = b.mem_mb;
	}
	vec_deinit(&b.list);
	return r;
}

/* The stage that ends in `sink`, behind those that it reads from. */
static int cut_stage(struct cutter *c, quern_set *last, uint32_t id, Quern__Sink *sink)
{
	Quern__Stage *stage = memory_take(c->m, sizeof(*stage));

	if (stage == NULL)
		return no_memory(c->err);
	quern__stage__init(stage);
	stage->id = id;
	stage->sink = sink;
	int r = fill_branches(c, stage, last);
	if (r < 0)
		return r;
	if (c->stages.n == PLAN_STAGES_MAX)
		return err_set(
			c->err, -E2BIG, "more than %d stages: checkpoint sets on the way", PLAN_STAGES_MAX);
	return vec_push(&c->stages, stage) < 0 ? no_memory(c->err) : 0;
}

static int cut_shuffle(struct cutter *c, struct set_shuffle *shuffle)
{
	if (shuffle->stamp == c->stamp)
		return 0;
	shuffle->stamp = c->stamp;
	struct set_seed *seed = shuffle_seed(shuffle);
	shuffle->planned = seed->planned = true;
	Quern__Sink *sink = memory_take(c->m, sizeof(*sink));
	if (sink == NULL)
		return no_memory(c->err);
	quern__sink__init(sink);
	sink->kind = QUERN__SINK__KIND__SHUFFLE;
	sink->has_shuffle = sink->has_seed = true;
	sink->shuffle = shuffle->id;
	sink->seed = seed->id;
	sink->has_partitions = seed->partitions != 0;
	sink->partitions = seed->partitions;
	sink->combine = (Quern__Function *)shuffle->combine;
	sink->order = (Quern__Order *)shuffle->order;
	if (shuffle->bounds != NULL) {
		sink->bounds = shuffle->bounds->at;
		sink->n_bounds = shuffle->bounds->n;
	}
	return cut_stage(c, shuffle->from, shuffle->stage, sink);
}

static bool reads_shuffles(const Quern__Stage *stage)
{
	for (size_t i = 0; i < stage->n_branches; i++)
		if (stage->branches[i]->source->n_shuffles > 0)
			return true;
	return false;
}

/* The stage that answers the action. */
static int cut_last(struct cutter *c, quern_set *set, const Quern__Sink *action)
{
	Quern__Sink *sink = memory_take(c->m, sizeof(*sink));

	if (sink == NULL)
		return no_memory(c->err);
	*sink = *action;
	if (sink_writes_files(sink)) {
		sink->has_key_type = sink->has_value_type = sink->has_has_key = true;
		sink->key_type = set->key_type;
		sink->value_type = set->value_type;
		sink->has_key = set->has_key;
	}
	int r = cut_stage(c, set, set->job->next_stage++, sink);
	/* What comes out of a shuffle has a key, an empty one if it had none. A file of records says so. */
	if (r == 0 && sink->kind == QUERN__SINK__KIND__SEQ && reads_shuffles(c->stages.at[c->stages.n - 1]))
		sink->has_key = true;
	return r;
}

static int fill_run(struct cutter *c, quern_job *job, Quern__Run **ret)
{
	Quern__Run *run = memory_take(c->m, sizeof(*run));
	const uint8_t *id;

	if (run == NULL)
		return no_memory(c->err);
	quern__run__init(run);
	run->id = job->next_run++;
	run->n_stages = c->stages.n;
	run->stages = memory_take(c->m, c->stages.n * sizeof(Quern__Stage *));
	if (run->stages == NULL)
		return no_memory(c->err);
	memcpy(run->stages, c->stages.at, c->stages.n * sizeof(Quern__Stage *));
	size_t len = code_build_id(job->code, &id);
	run->build_id = (ProtobufCBinaryData){ .data = (uint8_t *)id, .len = len };
	*ret = run;
	return 0;
}

int stages_cut(quern_set *set, const Quern__Sink *sink, struct memory *m, Quern__Run **ret, struct err *err)
{
	struct cutter c = { .m = m, .err = err, .stamp = ++set->job->stamp };

	int r = cut_last(&c, set, sink);
	if (r == 0)
		r = fill_run(&c, set->job, ret);
	vec_deinit(&c.stages);
	return r;
}

/* ---- What has to be known before ---- */

static int walk(quern_set *set, uint32_t stamp, const struct stages_each *each)
{
	int r = 0;

	for (; set->kind == SET_STEP && set->step.kind != QUERN__STEP__KIND__ZIP; set = set->parent)
		if (set->cache != NULL && is_step(set) && set->cache->planned)
			return 0;
	if (set->stamp == stamp)
		return 0;
	set->stamp = stamp;
	if (set->kind == SET_STEP) {
		r = walk(set->parent, stamp, each);
		return r != 0 ? r : each->zip(each->arg, set);
	}
	for (size_t i = 0; r == 0 && i < set->n_parents; i++)
		r = walk(set->parents[i], stamp, each);
	for (size_t i = 0; r == 0 && i < set->n_inputs; i++) {
		struct set_shuffle *shuffle = set->inputs[i].shuffle;

		if (shuffle->stamp == stamp || shuffle->planned)
			continue;
		shuffle->stamp = stamp;
		r = walk(shuffle->from, stamp, each);
		if (r == 0)
			r = each->shuffle(each->arg, shuffle);
	}
	return r;
}

int stages_each(quern_set *set, const struct stages_each *each)
{
	return walk(set, ++set->job->stamp, each);
}
