#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "job/plan_check.h"
#include "job/tally.h"
#include "tests/job/kit.h"
#include "tests/one_branch.h"

/* A word count: text -> flat_map -> shuffle 1 -> filter -> text. Each test spoils one thing in it. */
struct plan {
	Quern__Run run;
	Quern__Stage stage[2], *stages[2];
	struct one_branch from[2];
	Quern__Sink sink[2];
	Quern__Step step[2], *steps[2];
	Quern__Function map, reduce, combine, filter;
	char *text[1], in[8], out[8];
	uint8_t id[4];
};

static void plan_init(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	quern__run__init(&p->run);
	for (int i = 0; i < 2; i++) {
		quern__stage__init(&p->stage[i]);
		quern__sink__init(&p->sink[i]);
		quern__step__init(&p->step[i]);
		p->stages[i] = &p->stage[i];
		p->steps[i] = &p->step[i];
		one_branch_init(&p->from[i], &p->stage[i]);
		p->stage[i].sink = &p->sink[i];
		p->from[i].branch.steps = &p->steps[i];
		p->from[i].branch.n_steps = 1;
		p->stage[i].id = (uint32_t)i + 1;
	}
	quern__function__init(&p->map);
	quern__function__init(&p->reduce);
	quern__function__init(&p->combine);
	quern__function__init(&p->filter);
	p->map.has_offset = p->filter.has_offset = 1;
	p->reduce.builtin = p->combine.builtin = (char *)"quern_sum_u64";
	memcpy(p->in, "in", 3);
	memcpy(p->out, "out", 4);
	memcpy(p->id, "\1\2\3\4", 4);

	p->run.id = 9;
	p->run.stages = p->stages;
	p->run.n_stages = 2;
	p->run.build_id = (ProtobufCBinaryData){ .data = p->id, .len = 4 };
	p->text[0] = p->in;
	p->from[0].source.text = p->text;
	p->from[0].source.n_text = 1;
	p->step[0].kind = QUERN__STEP__KIND__FLAT_MAP;
	p->step[0].function = &p->map;
	p->sink[0].kind = QUERN__SINK__KIND__SHUFFLE;
	p->sink[0].has_shuffle = p->sink[0].has_seed = p->sink[0].has_partitions = 1;
	p->sink[0].shuffle = p->sink[0].seed = 1;
	p->sink[0].partitions = 4;
	p->sink[0].combine = &p->combine;
	one_branch_read(&p->from[1], 1);
	p->from[1].input.reduce = &p->reduce;
	p->step[1].kind = QUERN__STEP__KIND__FILTER;
	p->step[1].function = &p->filter;
	p->sink[1].kind = QUERN__SINK__KIND__TEXT;
	p->sink[1].path = p->out;
}

static void assert_good(const struct plan *p)
{
	struct err err = { "" };

	if (plan_check(&p->run, p->id, 4, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(plan_check(&p->run, NULL, 0, &err), 0);
}

static void assert_bad(const struct plan *p, const char *words)
{
	struct err err = { "" };

	assert_int_equal(plan_check(&p->run, p->id, 4, &err), -EBADMSG);
	if (strstr(err.text, words) == NULL || strstr(err.text, "run 9") == NULL ||
		strchr(err.text, '\n') != NULL)
		fail_msg("no '%s' in: %s", words, err.text);
}

/* Spoils a good plan by `change`, which must be found, and leaves a good one. */
#define assert_found(change, words)                                                                          \
	do {                                                                                                 \
		struct plan plan, *p = &plan;                                                                \
		plan_init(p);                                                                                \
		change;                                                                                      \
		assert_bad(p, words);                                                                        \
	} while (0)
#define assert_fine(change)                                                                                  \
	do {                                                                                                 \
		struct plan plan, *p = &plan;                                                                \
		plan_init(p);                                                                                \
		change;                                                                                      \
		assert_good(p);                                                                              \
	} while (0)

static void a_word_count_is_good(void **state)
{
	(void)state;
	assert_fine(p->run.id = 9);
	assert_fine(p->sink[1].kind = QUERN__SINK__KIND__COUNT);
	assert_fine((p->sink[1].kind = QUERN__SINK__KIND__COLLECT, p->sink[1].path = NULL));
	assert_fine(p->sink[0].has_partitions = 0);
	assert_fine(p->sink[0].combine = NULL);
	assert_fine(p->from[1].input.reduce = NULL);
	assert_fine(p->from[0].branch.n_steps = p->from[1].branch.n_steps = 0);
	assert_fine((p->run.has_first_partition = p->run.has_partition_count = 1, p->run.partition_count = 1,
		p->run.first_partition = UINT32_MAX));
	/* One stage alone. */
	assert_fine((p->run.n_stages = 1, p->sink[0] = p->sink[1]));
}

static void the_run_itself_is_checked(void **state)
{
	(void)state;
	assert_found(p->run.build_id.len = 3, "another build");
	assert_found(p->run.build_id.data = (uint8_t *)"\1\2\3\5", "another build");
	assert_found(p->run.n_stages = 0, "stages");
	assert_found((p->run.has_first_partition = 1), "one end");
	assert_found((p->run.has_partition_count = 1, p->run.partition_count = 1), "one end");
	assert_found((p->run.has_partition_count = p->run.has_first_partition = 1), "no partitions");
	assert_found(p->stage[1].id = 1, "stage 1");
}

static void sources_and_sinks_have_to_meet(void **state)
{
	(void)state;
	assert_found(one_branch_read(&p->from[0], 1), "exactly one");
	assert_found(p->from[0].source.n_text = 0, "exactly one");
	assert_found((p->from[1].source.n_shuffles = 0, p->from[1].source.n_text = 1,
			     p->from[1].source.text = p->text),
		"no stage behind");
	assert_found(p->from[1].source.n_shuffles = 0, "no stage behind");
	assert_found((p->from[1].source.n_text = 1, p->from[1].source.text = p->text), "exactly one");
	assert_found(p->from[1].input.shuffle = 2, "shuffle 1");
	assert_found(p->from[1].input.seed = 2, "hashed in two ways");
	assert_found(p->sink[0].has_seed = 0, "no seed");
	assert_found(p->stage[0].n_branches = 0, "branches");
	assert_found(p->stage[1].n_branches = PLAN_BRANCHES_MAX + 1, "branches");
	assert_found((p->from[0].source.n_text = 0, one_branch_read(&p->from[0], 1)), "shuffle 1");
	assert_found((p->from[1].source = p->from[0].source), "shuffle 1");
	assert_found(p->sink[1] = p->sink[0], "no answer");
	assert_found(p->sink[0] = p->sink[1], "only the last");
	assert_found(p->sink[0].has_shuffle = 0, "no name");
	assert_found(p->run.n_stages = 1, "no answer");
	assert_found((p->stages[0] = &p->stage[1], p->stages[1] = &p->stage[0]), "stage 2");
}

static void a_shuffle_is_written_once(void **state)
{
	Quern__Stage *stages[3];
	struct plan plan, *p = &plan;
	Quern__Stage again;

	(void)state;
	plan_init(p);
	again = p->stage[0];
	again.id = 3;
	stages[0] = &p->stage[0];
	stages[1] = &again;
	stages[2] = &p->stage[1];
	p->run.stages = stages;
	p->run.n_stages = 3;
	assert_bad(p, "written twice");
}

static void enums_are_known(void **state)
{
	(void)state;
	assert_found(p->step[0].kind = (Quern__Step__Kind)99, "unknown kind 99");
	assert_found(p->step[1].kind = (Quern__Step__Kind)-1, "unknown kind");
	assert_found(p->sink[1].kind = (Quern__Sink__Kind)99, "unknown kind 99");
	assert_found(p->sink[1].key_type = (Quern__ValueType)4, "unknown type");
	assert_found(p->sink[1].value_type = (Quern__ValueType)77, "unknown type");
	assert_found(p->sink[1].codec = (Quern__Codec)3, "unknown kind of compression 3");
	assert_fine(p->sink[1].codec = QUERN__CODEC__ZSTD);
}

static void orders_have_a_shuffle_of_their_own(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT, unknown = QUERN__ORDER__INIT;

	(void)state;
	unknown.key = (Quern__ValueType)9;
	assert_fine((p->sink[0].combine = NULL, p->sink[0].order = &order, p->from[1].input.reduce = NULL,
		p->from[1].input.order = &order));
	assert_fine((p->sink[1].kind = QUERN__SINK__KIND__SAMPLE, p->sink[1].order = &order));
	ProtobufCBinaryData bound = { 3, (uint8_t *)"\1\2\3" };
	Quern__Order number = QUERN__ORDER__INIT;
	number.key = QUERN__VALUE_TYPE__U64;
	assert_found((p->sink[0].combine = NULL, p->sink[0].order = &number, p->from[1].input.reduce = NULL,
			     p->from[1].input.order = &number, p->sink[0].bounds = &bound,
			     p->sink[0].n_bounds = 1),
		"a bound of 3 bytes");
	assert_found((p->sink[0].bounds = &bound, p->sink[0].n_bounds = 1), "bounds without an order");
	assert_found((p->sink[0].combine = NULL, p->sink[0].order = &order), "at one end only");
	assert_found((p->from[1].input.reduce = NULL, p->from[1].input.order = &order), "at one end only");
	assert_found(
		(p->sink[1].kind = QUERN__SINK__KIND__SAMPLE, p->sink[1].order = &unknown), "unknown type");
	assert_found(p->sink[0].order = &order, "both a combination and an order");
	assert_found(p->from[1].input.order = &order, "both a reduction and an order");
	assert_found(p->sink[1].order = &order, "not shuffled");
	assert_found((p->sink[0].combine = NULL, p->sink[0].order = &unknown), "unknown type");
	assert_found((p->from[1].input.reduce = NULL, p->from[1].input.order = &unknown), "unknown type");
	assert_found(p->sink[1].order = &unknown, "not shuffled");
	assert_found((p->sink[0].has_compression = 1, p->sink[0].compression = 20), "compression 20");
}

static void what_comes_to_the_driver_is_one_thing(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT;
	(void)state;
#define COLLECT(p) (p)->sink[1].kind = QUERN__SINK__KIND__COLLECT, order = (Quern__Order)QUERN__ORDER__INIT

	assert_fine(COLLECT(p); p->sink[1].combine = &p->combine);
	assert_fine(COLLECT(p); p->sink[1].order = &order; p->sink[1].has_limit = 1; p->sink[1].limit = 3;
		    order.by_value = order.value_first = 1);
	assert_found(COLLECT(p); p->sink[1].combine = &p->combine; p->sink[1].has_limit = 1;
		     p->sink[1].limit = 3, "a combination and");
	assert_found(COLLECT(p); p->sink[1].combine = &p->combine;
		     p->sink[1].order = &order, "a combination and");
	assert_found(COLLECT(p); p->sink[1].order = &order, "not how many");
	assert_found(COLLECT(p); p->sink[1].order = &order; p->sink[1].has_limit = 1, "not how many");
	assert_found(COLLECT(p); p->sink[1].order = &order; p->sink[1].has_limit = 1; p->sink[1].limit = 3;
		     order.value_first = 1, "not for what comes");
	assert_found(COLLECT(p); p->sink[1].order = &order; p->sink[1].has_limit = 1; p->sink[1].limit = 3;
		     order.key = (Quern__ValueType)9, "unknown type");
	assert_found(COLLECT(p); p->sink[1].combine = &p->combine;
		     p->combine.builtin = (char *)"quern_count_one", "no function");
#undef COLLECT
}

static void folds_have_a_zero(void **state)
{
	(void)state;
	assert_fine(p->step[0].kind = QUERN__STEP__KIND__FOLD; p->step[0].has_zero = 1);
	assert_fine(p->step[0].kind = QUERN__STEP__KIND__FOLD; p->step[0].has_zero = 1; p->map.has_offset = 0;
		    p->map.builtin = (char *)"quern_count_one");
	assert_fine(p->step[0].kind = QUERN__STEP__KIND__FOLD; p->step[0].has_zero = 1; p->map.has_offset = 0;
		    p->map.builtin = (char *)"quern_sum_u64");
	assert_found(p->step[0].kind = QUERN__STEP__KIND__FOLD, "a fold from nothing");
	assert_found(p->step[0].has_zero = 1, "a fold from nothing");
	assert_found(p->step[0].kind = QUERN__STEP__KIND__FOLD; p->step[0].has_zero = 1;
		     p->map.has_offset = 0; p->map.builtin = (char *)"quern_count_value", "no function");
	/* Each of quern's own where it belongs. */
	assert_fine(p->step[0].kind = QUERN__STEP__KIND__MAP; p->map.has_offset = 0;
		    p->map.builtin = (char *)"quern_count_value");
	assert_found(p->map.has_offset = 0; p->map.builtin = (char *)"quern_count_value", "no function");
	assert_found(p->reduce.builtin = (char *)"quern_stats_u64", "no function");
	assert_fine(p->reduce.builtin = (char *)"quern_stats_merge");
}

static void accumulators_have_names(void **state)
{
	Quern__Accumulator a = QUERN__ACCUMULATOR__INIT, *list[TALLY_COUNTS + 1];
	char name[TALLY_NAME + 2] = "";
	(void)state;

	for (size_t i = 0; i <= TALLY_COUNTS; i++)
		list[i] = &a;
	memset(name, 'x', TALLY_NAME);
	a.name = name;
	a.kind = QUERN__COUNT__KIND__MAX_I64;
	assert_fine(p->run.accumulators = list; p->run.n_accumulators = TALLY_COUNTS);
	assert_found(p->run.accumulators = list;
		     p->run.n_accumulators = TALLY_COUNTS + 1, "121 accumulators");
	name[TALLY_NAME] = 'x';
	assert_found(p->run.accumulators = list; p->run.n_accumulators = 1, "name of an accumulator");
	name[0] = '\0';
	assert_found(p->run.accumulators = list; p->run.n_accumulators = 1, "name of an accumulator");
	name[0] = 'x', name[1] = '\0';
	a.kind = (Quern__Count__Kind)0;
	assert_found(p->run.accumulators = list; p->run.n_accumulators = 1, "unknown kind");
}

static void functions_are_exactly_one(void **state)
{
	(void)state;
	assert_found(p->map.has_offset = 0, "exactly one");
	assert_found(p->map.builtin = (char *)"quern_sum_u64", "exactly one");
	assert_found(p->combine.has_offset = 1, "exactly one");
	assert_found(p->reduce.builtin = (char *)"quern_sum_u65", "quern_sum_u65");
	assert_found(p->combine.builtin = (char *)"", "no function");
	/* A reduction takes other arguments than a step gives. */
	assert_found((p->map.has_offset = 0, p->map.builtin = (char *)"quern_sum_u64"), "quern_sum_u64");
	assert_fine((p->reduce.has_offset = 1, p->reduce.builtin = NULL));
	assert_found(p->sink[1].combine = &p->combine, "not shuffled");
}

/* Makes step `i` one that keeps records. */
static void keep(struct plan *p, size_t i, Quern__Cache *cache)
{
	quern__cache__init(cache);
	cache->id = 7;
	p->step[i].kind = QUERN__STEP__KIND__CACHE;
	p->step[i].has_first = 1;
	p->step[i].function = NULL;
	p->step[i].cache = cache;
}

static void what_keeps_records_does_nothing_else(void **state)
{
	static Quern__Step *many[PLAN_CACHES_MAX + 1], steps[PLAN_CACHES_MAX + 1];
	static Quern__Cache caches[PLAN_CACHES_MAX + 1];
	Quern__Step *twice[2];
	Quern__Cache cache, other;

	(void)state;
	assert_fine(keep(p, 0, &cache));
	assert_fine((keep(p, 0, &cache), keep(p, 1, &other))); /* in two stages: it is the same set */
	assert_found((keep(p, 0, &cache), p->step[0].cache = NULL), "nothing else");
	assert_found((keep(p, 0, &cache), p->step[0].function = &p->map), "nothing else");
	assert_found((keep(p, 0, &cache), p->step[0].kind = QUERN__STEP__KIND__MAP), "without a function");
	assert_found((keep(p, 0, &cache), p->step[0].kind = QUERN__STEP__KIND__MAP,
			     p->step[0].function = &p->map, p->step[0].has_first = 0),
		"nothing else");
	assert_found((keep(p, 0, &cache), p->step[0].has_first = 0), "begin nowhere");
	assert_found((keep(p, 0, &cache), p->step[0].first = 1), "begin behind it");
	assert_found(p->step[0].has_first = 1, "begin nowhere");
	assert_found(p->step[1].function = NULL, "without a function");
	assert_found((keep(p, 0, &cache), twice[0] = twice[1] = &p->step[0], p->from[0].branch.steps = twice,
			     p->from[0].branch.n_steps = 2),
		"set 7 is kept twice");
	for (uint32_t i = 0; i <= PLAN_CACHES_MAX; i++) {
		quern__step__init(&steps[i]);
		quern__cache__init(&caches[i]);
		steps[i].kind = QUERN__STEP__KIND__CACHE;
		steps[i].has_first = 1;
		steps[i].cache = &caches[i];
		caches[i].id = i;
		many[i] = &steps[i];
	}
	assert_fine((p->from[0].branch.steps = many, p->from[0].branch.n_steps = PLAN_CACHES_MAX));
	assert_found((p->from[0].branch.steps = many, p->from[0].branch.n_steps = PLAN_CACHES_MAX + 1),
		"more than 100");
}

/* The first source is of this format. */
static Quern__Source *format(struct plan *p, Quern__Source__Format format)
{
	p->from[0].source.format = format;
	p->from[0].source.width = 1;
	p->from[0].source.separator = (ProtobufCBinaryData){ .data = (uint8_t *)"\t", .len = 1 };
	return &p->from[0].source;
}

static void sources_of_other_kinds(void **state)
{
	Quern__Range range = QUERN__RANGE__INIT;

	(void)state;
	for (int f = QUERN__SOURCE__FORMAT__LINES; f <= QUERN__SOURCE__FORMAT__SEQ; f++)
		assert_fine(format(p, (Quern__Source__Format)f));
	assert_found(format(p, (Quern__Source__Format)5), "unknown format 5");
	assert_found(format(p, QUERN__SOURCE__FORMAT__PAIRS)->separator.len = 0, "a separator of 0 bytes");
	assert_found(format(p, QUERN__SOURCE__FORMAT__PAIRS)->separator.len = PLAN_SEPARATOR_MAX + 1,
		"a separator of 1025 bytes");
	assert_found(format(p, QUERN__SOURCE__FORMAT__FIXED)->width = 0, "records of 0 bytes");
	assert_found(format(p, QUERN__SOURCE__FORMAT__FIXED)->width = PLAN_WIDTH_MAX + 1,
		"records of 67108865 bytes");
	assert_found(p->from[0].source.range = &range, "exactly one");
	assert_found(p->from[0].source.has_records = 1, "exactly one");
	assert_fine((p->from[0].source.n_text = 0, p->from[0].source.range = &range));
	assert_fine((p->from[0].source.n_text = 0, p->from[0].source.has_records = 1));
	assert_found((p->from[0].source.n_text = 0, p->from[0].source.has_records = 1,
			     p->from[0].source.records =
				     (ProtobufCBinaryData){ .data = (uint8_t *)"\0\5ab", .len = 4 }),
		"what should be records");
}

static void files_of_other_kinds(void **state)
{
	(void)state;
	assert_fine(p->sink[1].kind = QUERN__SINK__KIND__SEQ);
	assert_fine((p->sink[1].kind = QUERN__SINK__KIND__SEQ, p->sink[1].codec = QUERN__CODEC__ZSTD));
	assert_found(
		(p->sink[1].kind = QUERN__SINK__KIND__SEQ, p->sink[1].codec = QUERN__CODEC__GZIP), "gzip");
	assert_fine((p->sink[1].kind = QUERN__SINK__KIND__RAW, p->sink[1].codec = QUERN__CODEC__GZIP));
	assert_found((p->sink[1].kind = QUERN__SINK__KIND__RAW, p->sink[1].path = NULL), "path");
	assert_found((p->sink[1].kind = QUERN__SINK__KIND__SEQ, p->sink[1].key_type = (Quern__ValueType)9),
		"unknown type");
	assert_found((p->sink[1].kind = QUERN__SINK__KIND__RAW, p->sink[1].codec = (Quern__Codec)9),
		"compression 9");
}

static void numbers_and_paths_are_within_limits(void **state)
{
	static uint8_t arg[PLAN_ARG_MAX + 1];

	(void)state;
	assert_found(p->text[0] = (char *)"", "path");
	assert_found(p->sink[1].path = NULL, "path");
	assert_found(p->sink[1].path[0] = '\0', "path");
	assert_fine(p->sink[0].partitions = 0);
	assert_fine(p->sink[0].partitions = PLAN_PARTITIONS_MAX);
	assert_found(p->sink[0].partitions = PLAN_PARTITIONS_MAX + 1, "1000001 partitions");
	assert_fine((p->map.has_arg = 1, p->map.arg.data = arg, p->map.arg.len = PLAN_ARG_MAX));
	assert_found((p->map.has_arg = 1, p->map.arg.data = arg, p->map.arg.len = PLAN_ARG_MAX + 1),
		"8388609 bytes");
	assert_found(p->from[0].source.n_text = PLAN_PATHS_MAX + 1, "100001 paths");
	assert_found(p->from[0].branch.n_steps = PLAN_STEPS_MAX + 1, "10001 steps");
	assert_found(p->run.n_stages = PLAN_STAGES_MAX + 1, "1001 stages");
	assert_fine(p->stage[0].task_cores_milli = PLAN_CORES_MAX * 1000);
	assert_found(p->stage[0].task_cores_milli = PLAN_CORES_MAX * 1000 + 1, "10000 cores");
	assert_fine(p->stage[1].task_mem_mb = PLAN_MEMORY_MB_MAX);
	assert_found(p->stage[1].task_mem_mb = PLAN_MEMORY_MB_MAX + 1, "1048576 MB");
}

/* The second stage groups its shuffle, which it reads as often. */
static void group(struct plan *p, Quern__Group *g, int kind, size_t shuffles, Quern__Function *function)
{
	static Quern__ShuffleInput *inputs[3];

	quern__group__init(g);
	g->kind = (Quern__Group__Kind)kind;
	g->function = function;
	for (size_t i = 0; i < 3; i++)
		inputs[i] = &p->from[1].input;
	p->from[1].source.shuffles = inputs;
	p->from[1].source.n_shuffles = shuffles;
	p->from[1].source.group = g;
}

static void groups_are_of_shuffles_that_are_hashed_alike(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT;
	Quern__ShuffleInput other;
	Quern__Sink second;
	Quern__Group g;

	(void)state;
	assert_fine(group(p, &g, QUERN__GROUP__KIND__GROUP, 1, &p->map));
	for (int kind = QUERN__GROUP__KIND__COGROUP; kind <= QUERN__GROUP__KIND__CROSS; kind++) {
		bool may = kind != QUERN__GROUP__KIND__SUBTRACT && kind != QUERN__GROUP__KIND__INTERSECT;
		bool must = kind == QUERN__GROUP__KIND__COGROUP || kind == QUERN__GROUP__KIND__CROSS;

		if (!must)
			assert_fine(group(p, &g, kind, 2, NULL));
		else
			assert_found(group(p, &g, kind, 2, NULL), "without a function");
		if (may)
			assert_fine(group(p, &g, kind, 2, &p->map));
		else
			assert_found(group(p, &g, kind, 2, &p->map), "no use for");
		assert_found(group(p, &g, kind, 1, must ? &p->map : NULL), "a group of 1 shuffles");
		assert_found(group(p, &g, kind, 3, must ? &p->map : NULL), "a group of 3 shuffles");
	}
	assert_found(group(p, &g, QUERN__GROUP__KIND__GROUP, 2, &p->map), "a group of 2 shuffles");
	assert_found(group(p, &g, 99, 2, NULL), "unknown kind 99");
	assert_found((group(p, &g, QUERN__GROUP__KIND__JOIN, 2, &p->map), p->map.has_offset = 0),
		"not exactly one");
	assert_found(group(p, &g, QUERN__GROUP__KIND__JOIN, 2, &p->reduce), "no function 'quern_sum_u64'");
	assert_found((group(p, &g, QUERN__GROUP__KIND__GROUP, 1, &p->map), p->from[1].source.group = NULL,
			     p->from[1].source.n_shuffles = 2),
		"2 shuffles at a time");
	assert_found((group(p, &g, QUERN__GROUP__KIND__GROUP, 1, &p->map), p->from[0].source.group = &g),
		"a group of 0 shuffles");
	assert_found(
		(group(p, &g, QUERN__GROUP__KIND__GROUP, 1, &p->map), p->sink[0].combine = NULL,
			p->from[1].input.reduce = NULL, p->sink[0].order = p->from[1].input.order = &order),
		"not hashed alike");
	/* Two shuffles with two seeds. */
	struct plan plan, *p = &plan;
	Quern__Stage third, *stages[3];
	plan_init(p);
	group(p, &g, QUERN__GROUP__KIND__JOIN, 2, NULL);
	third = p->stage[0];
	second = p->sink[0];
	other = p->from[1].input;
	third.id = 7;
	third.sink = &second;
	second.shuffle = second.seed = other.shuffle = other.seed = 2;
	p->from[1].source.shuffles[1] = &other;
	stages[0] = &p->stage[0], stages[1] = &third, stages[2] = &p->stage[1];
	p->run.stages = stages;
	p->run.n_stages = 3;
	assert_bad(p, "not hashed alike");
	second.seed = other.seed = 1;
	assert_good(p);
}

static void an_order_may_be_a_function(void **state)
{
	static ProtobufCBinaryData bound = { 3, (uint8_t *)"abc" };
	Quern__Order order = QUERN__ORDER__INIT;

	(void)state;
	order.key = QUERN__VALUE_TYPE__U64;
#define SORTED(p)                                                                                            \
	(p->sink[0].combine = NULL, p->from[1].input.reduce = NULL,                                          \
		p->sink[0].order = p->from[1].input.order = &order, p->sink[0].bounds = &bound,              \
		p->sink[0].n_bounds = 1)
	assert_found(SORTED(p), "a bound of 3 bytes");
	assert_fine((SORTED(p), order.compare = &p->map));
	assert_found((SORTED(p), order.compare = &p->map, p->map.has_offset = 0), "not exactly one");
	assert_found((SORTED(p), order.compare = &p->reduce), "no function 'quern_sum_u64'");
#undef SORTED
}

static void tag(struct plan *p, Quern__Step__Divide divide)
{
	p->step[0].kind = QUERN__STEP__KIND__TAG;
	p->step[0].function = divide == QUERN__STEP__DIVIDE__FUNCTION ? &p->map : NULL;
	p->step[0].has_first = p->step[0].has_partitions = p->step[0].has_divide = 1;
	p->step[0].partitions = 4;
	p->step[0].divide = divide;
	p->step[0].has_branches = divide == QUERN__STEP__DIVIDE__WHOLE;
	p->step[0].branches = 1;
}

static void order(struct plan *p, Quern__Order *order)
{
	quern__order__init(order);
	order->tagged = order->has_tagged = 1;
	p->sink[0].combine = NULL;
	p->sink[0].order = p->from[1].input.order = order;
	p->from[1].input.reduce = NULL;
}

static void tags_are_checked(void **state)
{
	Quern__Order o, other;

	(void)state;
	for (int divide = 0; divide < 4; divide++)
		assert_fine((tag(p, (Quern__Step__Divide)divide), order(p, &o)));
	assert_found(tag(p, (Quern__Step__Divide)4), "unknown way 4");
	assert_found((tag(p, QUERN__STEP__DIVIDE__HASH), p->step[0].partitions = 0), "from 1 to");
	assert_found((tag(p, QUERN__STEP__DIVIDE__HASH), p->step[0].partitions = PLAN_PARTITIONS_MAX + 1),
		"from 1 to");
	assert_found((tag(p, QUERN__STEP__DIVIDE__HASH), p->step[0].has_first = 0), "begin nowhere");
	assert_found((tag(p, QUERN__STEP__DIVIDE__HASH), p->step[0].first = 1), "begin behind");
	assert_found((tag(p, QUERN__STEP__DIVIDE__HASH), p->step[0].function = &p->map), "does not call");
	assert_found(
		(tag(p, QUERN__STEP__DIVIDE__FUNCTION), p->step[0].function = NULL), "without a function");
	assert_found((tag(p, QUERN__STEP__DIVIDE__WHOLE), p->step[0].has_branches = 0), "end nowhere");
	assert_found((tag(p, QUERN__STEP__DIVIDE__WHOLE), p->step[0].branches = 0), "end elsewhere");
	assert_found((tag(p, QUERN__STEP__DIVIDE__WHOLE), p->step[0].branches = 2), "end elsewhere");
	assert_found((tag(p, QUERN__STEP__DIVIDE__HASH), p->step[0].has_branches = 1), "end nowhere");
	assert_found((p->step[0].has_branches = 1, p->step[0].branches = 1), "end nowhere");

	assert_found((order(p, &o), o.tagged = 0, o.loose = 1), "an order that is none");
	assert_found((order(p, &o), p->sink[0].partitions = 0), "known number");
	assert_found((order(p, &o), p->sink[0].n_bounds = 1), "without bounds");
	assert_found((order(p, &o), other = o, other.tagged = 0, p->from[1].input.order = &other),
		"tagged at one end");
}

static void samples_and_numbers_are_checked(void **state)
{
	Quern__Sampling sampling = QUERN__SAMPLING__INIT;
	uint64_t starts[] = { 0, 7, 7, 9 };
	struct plan plan, *p = &plan;

	(void)state;
	plan_init(p);
	p->step[0].kind = QUERN__STEP__KIND__SAMPLE;
	p->step[0].has_first = 1;
	p->step[0].function = NULL;
	assert_bad(p, "how large");
	p->step[0].sampling = &sampling;
	assert_good(p);
	sampling.fraction = 1.1;
	assert_bad(p, "a sample of 1.1");
	sampling.with_replacement = 1;
	assert_good(p);
	sampling.fraction = -0.1;
	assert_bad(p, "a sample of -0.1");
	sampling.fraction = (double)NAN;
	assert_bad(p, "a sample of");
	sampling.fraction = PLAN_FRACTION_MAX + 1;
	assert_bad(p, "a sample of 1001");

	plan_init(p);
	p->step[0].kind = QUERN__STEP__KIND__ZIP;
	p->step[0].has_first = 1;
	assert_bad(p, "0 partitions");
	p->step[0].starts = starts;
	p->step[0].n_starts = 4;
	assert_good(p);
	p->step[0].function = NULL;
	assert_good(p);
	starts[3] = 6;
	assert_bad(p, "go down");
}

static void steps_have_the_functions_that_they_call(void **state)
{
	static const Quern__Step__Kind with[] = { QUERN__STEP__KIND__MAP, QUERN__STEP__KIND__FLAT_MAP,
		QUERN__STEP__KIND__FILTER, QUERN__STEP__KIND__MAP_VALUES, QUERN__STEP__KIND__FLAT_MAP_VALUES,
		QUERN__STEP__KIND__MAP_PARTITIONS, QUERN__STEP__KIND__FOREACH };
	static const Quern__Step__Kind without[] = { QUERN__STEP__KIND__UNTAG, QUERN__STEP__KIND__FUSE,
		QUERN__STEP__KIND__SPLIT };
	struct plan plan, *p = &plan;

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		plan_init(p);
		p->step[0].kind = with[i];
		p->step[0].has_first = with[i] == QUERN__STEP__KIND__MAP_PARTITIONS;
		assert_good(p);
		p->step[0].function = NULL;
		assert_bad(p, "without a function");
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		plan_init(p);
		p->step[0].kind = without[i];
		assert_bad(p, "does not call");
		p->step[0].function = NULL;
		assert_good(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_checked),
		cmocka_unit_test(samples_and_numbers_are_checked),
		cmocka_unit_test(steps_have_the_functions_that_they_call),
		cmocka_unit_test(a_word_count_is_good),
		cmocka_unit_test(the_run_itself_is_checked),
		cmocka_unit_test(sources_and_sinks_have_to_meet),
		cmocka_unit_test(a_shuffle_is_written_once),
		cmocka_unit_test(enums_are_known),
		cmocka_unit_test(orders_have_a_shuffle_of_their_own),
		cmocka_unit_test(what_comes_to_the_driver_is_one_thing),
		cmocka_unit_test(folds_have_a_zero),
		cmocka_unit_test(accumulators_have_names),
		cmocka_unit_test(functions_are_exactly_one),
		cmocka_unit_test(what_keeps_records_does_nothing_else),
		cmocka_unit_test(sources_of_other_kinds),
		cmocka_unit_test(files_of_other_kinds),
		cmocka_unit_test(numbers_and_paths_are_within_limits),
		cmocka_unit_test(groups_are_of_shuffles_that_are_hashed_alike),
		cmocka_unit_test(an_order_may_be_a_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
