#include "job/stages.h"

#include <errno.h>

/* A stage on the way from an action to its sources. */
struct cut {
	const quern_set *last; /* its records are the stage's */
	const quern_set *from; /* text, or what a shuffle makes: where the stage begins */
	size_t n_steps;
};

/* What was unpersisted is no step any more. */
static bool is_step(const quern_set *set)
{
	return set->cache == NULL || !set->cache->dropped;
}

static struct cut cut_stage(const quern_set *last)
{
	struct cut c = { .last = last, .from = last };

	for (; c.from->kind == SET_STEP; c.from = c.from->parent)
		c.n_steps += is_step(c.from);
	return c;
}

static int fill_cache(Quern__Step *step, const struct set_cache *set, struct memory *m)
{
	Quern__Cache *cache = memory_take(m, sizeof(*cache));

	if (cache == NULL)
		return -ENOMEM;
	quern__cache__init(cache);
	cache->id = set->id;
	cache->has_compressed = set->compressed;
	cache->compressed = set->compressed;
	step->cache = cache;
	return 0;
}

static int fill_step(Quern__Step *step, const quern_set *set, struct memory *m)
{
	quern__step__init(step);
	step->kind = set->step;
	if (set->cache != NULL)
		return fill_cache(step, set->cache, m);
	step->has_pairs = set->pairs;
	step->pairs = set->pairs;
	step->function = (Quern__Function *)&set->fn;
	return 0;
}

static int fill_steps(Quern__Stage *stage, const struct cut *c, struct memory *m)
{
	if (c->n_steps == 0)
		return 0;
	stage->steps = memory_take(m, c->n_steps * sizeof(*stage->steps));
	Quern__Step *steps = memory_take(m, c->n_steps * sizeof(*steps));
	if (stage->steps == NULL || steps == NULL)
		return -ENOMEM;
	stage->n_steps = c->n_steps;
	size_t i = c->n_steps;
	for (const quern_set *set = c->last; i > 0; set = set->parent) {
		if (!is_step(set))
			continue;
		i--;
		stage->steps[i] = &steps[i];
		int r = fill_step(stage->steps[i], set, m);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_source(Quern__Stage *stage, const quern_set *from, struct memory *m)
{
	Quern__Source *source = memory_take(m, sizeof(*source));

	if (source == NULL)
		return -ENOMEM;
	quern__source__init(source);
	stage->source = source;
	if (set_is_shuffled(from)) {
		source->has_shuffle = true;
		source->shuffle = from->shuffle->id;
		if (from->kind == SET_SORT)
			source->order = (Quern__Order *)&from->order;
		else
			source->reduce = (Quern__Function *)&from->fn;
		return 0;
	}
	source->text = memory_take(m, sizeof(*source->text));
	if (source->text == NULL)
		return -ENOMEM;
	source->text[0] = (char *)from->path;
	source->n_text = 1;
	return 0;
}

/* The end of a stage whose records a shuffle takes to the set `to`. */
static void fill_shuffle(Quern__Sink *sink, const quern_set *to)
{
	quern__sink__init(sink);
	sink->kind = QUERN__SINK__KIND__SHUFFLE;
	sink->has_shuffle = true;
	sink->shuffle = to->shuffle->id;
	sink->has_partitions = to->shuffle->partitions != 0;
	sink->partitions = to->shuffle->partitions;
	if (to->kind == SET_REDUCE) {
		sink->combine = (Quern__Function *)&to->fn;
		return;
	}
	sink->order = (Quern__Order *)&to->order;
	if (to->shuffle->bounds != NULL) {
		sink->bounds = to->shuffle->bounds->at;
		sink->n_bounds = to->shuffle->bounds->n;
	}
}

/* The end of a stage: a shuffle to the set `to`, or, without that, what the action wants. */
static int fill_sink(Quern__Stage *stage, const quern_set *last, const quern_set *to,
	const Quern__Sink *action, struct memory *m)
{
	Quern__Sink *sink = memory_take(m, sizeof(*sink));

	if (sink == NULL)
		return -ENOMEM;
	stage->sink = sink;
	if (to != NULL) {
		fill_shuffle(sink, to);
		return 0;
	}
	*sink = *action;
	if (sink->kind == QUERN__SINK__KIND__TEXT) {
		sink->has_key_type = sink->has_value_type = sink->has_has_key = true;
		sink->key_type = last->key_type;
		sink->value_type = last->value_type;
		sink->has_key = last->has_key;
	}
	return 0;
}

static int fill_stage(Quern__Stage *stage, const struct cut *c, const quern_set *to,
	const Quern__Sink *action, struct memory *m)
{
	quern__stage__init(stage);
	stage->id = to != NULL ? to->shuffle->stage : c->last->job->next_stage++;
	int r = fill_source(stage, c->from, m);
	if (r == 0)
		r = fill_steps(stage, c, m);
	if (r == 0)
		r = fill_sink(stage, c->last, to, action, m);
	return r;
}

int stages_cut(const quern_set *set, const Quern__Sink *sink, struct memory *m, Quern__Run **ret)
{
	size_t n = 1;

	for (struct cut c = cut_stage(set); set_is_shuffled(c.from); c = cut_stage(c.from->parent))
		n++;
	Quern__Run *run = memory_take(m, sizeof(*run));
	Quern__Stage *stages = memory_take(m, n * sizeof(*stages));
	Quern__Stage **list = memory_take(m, n * sizeof(Quern__Stage *));
	if (run == NULL || stages == NULL || list == NULL)
		return -ENOMEM;

	struct cut c = cut_stage(set);
	const quern_set *to = NULL;
	for (size_t i = n; i-- > 0;) {
		int r = fill_stage(&stages[i], &c, to, sink, m);
		if (r < 0)
			return r;
		list[i] = &stages[i];
		if (i > 0) {
			to = c.from;
			c = cut_stage(to->parent);
		}
	}
	quern__run__init(run);
	run->id = set->job->next_run++;
	run->stages = list;
	run->n_stages = n;
	const uint8_t *id;
	size_t len = code_build_id(set->job->code, &id);
	run->build_id = (ProtobufCBinaryData){ .data = (uint8_t *)id, .len = len };
	*ret = run;
	return 0;
}
