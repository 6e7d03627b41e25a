#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "job/explain.h"
#include "tests/one_branch.h"

struct plan {
	Quern__Run run;
	Quern__Stage stage[2], *stages[2];
	struct one_branch from[2];
	Quern__Sink sink[2];
	Quern__Step step[3], *steps[3];
	Quern__Function function, sum;
	char *text[2];
};

/* text -> flat_map, filter -> shuffle 4 -> text; the last step is of the second stage. */
static void plan_init(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	quern__run__init(&p->run);
	quern__function__init(&p->function);
	quern__function__init(&p->sum);
	p->function.has_offset = 1;
	p->function.offset = 0x1139;
	p->sum.builtin = (char *)"quern_sum_u64";
	for (int i = 0; i < 3; i++) {
		quern__step__init(&p->step[i]);
		p->step[i].function = &p->function;
		p->steps[i] = &p->step[i];
	}
	for (int i = 0; i < 2; i++) {
		quern__stage__init(&p->stage[i]);
		quern__sink__init(&p->sink[i]);
		p->stages[i] = &p->stage[i];
		one_branch_init(&p->from[i], &p->stage[i]);
		p->stage[i].sink = &p->sink[i];
		p->stage[i].id = (uint32_t)i + 7;
		p->from[i].branch.n_steps = i == 0 ? 2 : 1;
		p->from[i].branch.steps = &p->steps[i == 0 ? 0 : 2];
	}
	p->run.id = 3;
	p->run.name = (char *)"save_text(out)";
	p->run.stages = p->stages;
	p->run.n_stages = 2;
	p->text[0] = (char *)"in.txt";
	p->text[1] = (char *)"more";
	p->from[0].source.text = p->text;
	p->from[0].source.n_text = 2;
	p->step[0].kind = QUERN__STEP__KIND__FLAT_MAP;
	p->step[1].kind = QUERN__STEP__KIND__FILTER;
	p->step[2].kind = QUERN__STEP__KIND__MAP;
	p->step[2].pairs = 1;
	p->sink[0].kind = QUERN__SINK__KIND__SHUFFLE;
	p->sink[0].shuffle = 4;
	one_branch_read(&p->from[1], 4);
	p->sink[0].combine = p->from[1].input.reduce = &p->sum;
	p->sink[1].kind = QUERN__SINK__KIND__TEXT;
	p->sink[1].path = (char *)"out";
	p->sink[1].has_key = 1;
	p->sink[1].value_type = QUERN__VALUE_TYPE__U64;
}

static void assert_text(const struct plan *p, const char *wanted)
{
	auto_buf struct buf b = BUF_INIT(10000);

	assert_int_equal(explain_run(&p->run, &b), 0);
	assert_int_equal(buf_add(&b, "", 1), 0);
	assert_string_equal((const char *)b.data, wanted);
}

static void a_line_for_the_run_and_each_stage_and_step(void **state)
{
	struct plan p;

	(void)state;
	plan_init(&p);
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 7: text 'in.txt', 'more' -> shuffle 4, combined by quern_sum_u64\n"
			"    flat_map job+0x1139\n"
			"    filter job+0x1139\n"
			"  stage 8: shuffle 4, reduced by quern_sum_u64 -> text 'out' as key<TAB>u64\n"
			"    map (key, value) job+0x1139\n");
}

static void what_is_kept_is_shown(void **state)
{
	Quern__Cache cache = QUERN__CACHE__INIT, packed = QUERN__CACHE__INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	p.run.n_stages = 1;
	cache.id = 5;
	packed.id = 6;
	packed.compressed = 1;
	p.step[0].kind = p.step[1].kind = QUERN__STEP__KIND__CACHE;
	p.step[0].function = p.step[1].function = NULL;
	p.step[0].cache = &cache;
	p.step[1].cache = &packed;
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 7: text 'in.txt', 'more' -> shuffle 4, combined by quern_sum_u64\n"
			"    cache 5\n"
			"    cache 6 (compressed)\n");
}

static void commands_and_sorts_are_shown(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT;
	Quern__Pipe pipe = QUERN__PIPE__INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	p.run.n_stages = 1;
	pipe.command = (char *)"sort |\nuniq";
	order.descending = order.by_value = 1;
	order.value = QUERN__VALUE_TYPE__I64;
	p.step[0].kind = QUERN__STEP__KIND__SORT;
	p.step[1].kind = QUERN__STEP__KIND__PIPE;
	p.step[0].function = p.step[1].function = NULL;
	p.step[0].order = &order;
	p.step[1].pipe = &pipe;
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 7: text 'in.txt', 'more' -> shuffle 4, combined by quern_sum_u64\n"
			"    sort by key, then i64, descending\n"
			"    pipe 'sort |\\x0auniq'\n");
}

static void what_moves_records_is_shown(void **state)
{
	Quern__Sampling sampling = QUERN__SAMPLING__INIT;
	Quern__Order order = QUERN__ORDER__INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	sampling.fraction = 0.25;
	sampling.with_replacement = 1;
	sampling.seed = 7;
	p.step[0].kind = QUERN__STEP__KIND__SAMPLE;
	p.step[0].function = NULL;
	p.step[0].sampling = &sampling;
	p.step[1].kind = QUERN__STEP__KIND__TAG;
	p.step[1].partitions = 3;
	p.step[1].divide = QUERN__STEP__DIVIDE__FUNCTION;
	p.step[2].kind = QUERN__STEP__KIND__UNTAG;
	p.step[2].pairs = 0;
	p.step[2].function = NULL;
	order.tagged = 1;
	p.sink[0].combine = p.from[1].input.reduce = NULL;
	p.sink[0].order = p.from[1].input.order = &order;
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 7: text 'in.txt', 'more' -> shuffle 4, sorted by tag, then key\n"
			"    sample 0.25 with replacement, seed 7\n"
			"    tag 3 partitions function job+0x1139\n"
			"  stage 8: shuffle 4, in the order of tag, then key -> text 'out' as key<TAB>u64\n"
			"    untag\n");
	order.loose = 1;
	sampling.with_replacement = 0;
	p.step[1].partitions = 1;
	p.step[1].divide = QUERN__STEP__DIVIDE__WHOLE;
	p.step[1].function = NULL;
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 7: text 'in.txt', 'more' -> shuffle 4, sorted by tag\n"
			"    sample 0.25, seed 7\n"
			"    tag 1 partition whole\n"
			"  stage 8: shuffle 4, in the order of tag -> text 'out' as key<TAB>u64\n"
			"    untag\n");
}

static void what_is_known_is_shown(void **state)
{
	struct plan p;

	(void)state;
	plan_init(&p);
	p.run.name = NULL;
	p.run.has_first_partition = p.run.has_partition_count = 1;
	p.run.first_partition = 5;
	p.run.partition_count = 16;
	p.sink[0].has_partitions = 1;
	p.sink[0].partitions = 12;
	p.sink[0].combine = NULL;
	p.function.has_arg = 1;
	p.function.name = (char *)"words";
	p.function.arg.len = 10;
	p.from[0].branch.n_steps = 1;
	p.from[1].branch.n_steps = 0;
	one_branch_count(&p.from[0], 1);
	one_branch_count(&p.from[1], 12);
	p.sink[1].kind = QUERN__SINK__KIND__COLLECT;
	assert_text(&p, "run 3, partitions 5 to 20\n"
			"  stage 7 (1 task): text 'in.txt', 'more' -> shuffle 4 of 12 partitions\n"
			"    flat_map words (argument of 10 bytes)\n"
			"  stage 8 (12 tasks): shuffle 4, reduced by quern_sum_u64 -> collect\n");
	p.sink[1].has_limit = 1;
	p.sink[1].limit = 9;
	p.from[1].input.reduce = NULL;
	p.run.n_stages = 1;
	p.stages[0] = &p.stage[1];
	assert_text(&p, "run 3, partitions 5 to 20\n"
			"  stage 8 (12 tasks): shuffle 4 -> collect, at most 9 records a task\n");
	p.sink[1].kind = QUERN__SINK__KIND__COUNT;
	p.run.has_first_partition = p.run.has_partition_count = 0;
	assert_text(&p, "run 3\n  stage 8 (12 tasks): shuffle 4 -> count\n");
	p.sink[1].kind = QUERN__SINK__KIND__TEXT;
	p.sink[1].codec = QUERN__CODEC__ZSTD;
	assert_text(&p, "run 3\n  stage 8 (12 tasks): shuffle 4 -> text 'out' as key<TAB>u64, zstd\n");
	/* The first in an order, and all as one. */
	Quern__Order order = QUERN__ORDER__INIT;
	order.by_value = order.value_first = order.descending = 1;
	order.value = QUERN__VALUE_TYPE__I64;
	p.sink[1].kind = QUERN__SINK__KIND__COLLECT;
	p.sink[1].order = &order;
	assert_text(&p,
		"run 3\n"
		"  stage 8 (12 tasks): shuffle 4 -> collect the first 9 by i64, then key, descending\n");
	p.sink[1].order = NULL;
	p.sink[1].has_limit = 0;
	p.sink[1].combine = &p.sum;
	assert_text(&p, "run 3\n"
			"  stage 8 (12 tasks): shuffle 4 -> collect, combined by quern_sum_u64\n");
}

static void every_kind_of_source_and_file(void **state)
{
	Quern__Range range = QUERN__RANGE__INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	p.run.name = NULL;
	p.run.n_stages = 1;
	p.from[0].branch.n_steps = 0;
	p.from[0].source.n_text = 1;
	p.sink[0] = p.sink[1];
	p.sink[0].kind = QUERN__SINK__KIND__SEQ;
	p.from[0].source.format = QUERN__SOURCE__FORMAT__PAIRS;
	assert_text(&p, "run 3\n  stage 7: key-value text 'in.txt' -> seq 'out' as key, u64\n");
	p.sink[0].kind = QUERN__SINK__KIND__RAW;
	p.sink[0].codec = QUERN__CODEC__GZIP;
	p.from[0].source.format = QUERN__SOURCE__FORMAT__FIXED;
	p.from[0].source.width = 100;
	assert_text(&p, "run 3\n  stage 7: records of 100 bytes 'in.txt' -> raw 'out' as key, u64, gzip\n");
	p.sink[0].kind = QUERN__SINK__KIND__COUNT;
	p.from[0].source.format = QUERN__SOURCE__FORMAT__WHOLE;
	assert_text(&p, "run 3\n  stage 7: whole files 'in.txt' -> count\n");
	p.from[0].source.format = QUERN__SOURCE__FORMAT__SEQ;
	p.from[0].source.file_each = 1;
	assert_text(&p, "run 3\n  stage 7: seq, a task for each file, 'in.txt' -> count\n");
	p.from[0].source.n_text = 0;
	p.from[0].source.range = &range;
	range.end = 7;
	assert_text(&p, "run 3\n  stage 7: range 0 to 7 -> count\n");
	p.from[0].source.range = NULL;
	p.from[0].source.has_records = 1;
	assert_text(&p, "run 3\n  stage 7: records in memory -> count\n");
}

static void groups_and_orders_are_shown(void **state)
{
	Quern__ShuffleInput second = QUERN__SHUFFLE_INPUT__INIT, *inputs[2] = { NULL, &second };
	Quern__Order order = QUERN__ORDER__INIT;
	Quern__Group group = QUERN__GROUP__INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	p.stages[0] = &p.stage[1];
	p.run.n_stages = 1;
	p.from[1].branch.n_steps = 0;
	p.sink[1].kind = QUERN__SINK__KIND__COUNT;
	inputs[0] = &p.from[1].input;
	second.shuffle = 5;
	p.from[1].source.shuffles = inputs;
	p.from[1].source.n_shuffles = 2;
	p.from[1].source.group = &group;
	group.kind = QUERN__GROUP__KIND__LEFT_JOIN;
	group.function = &p.function;
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 8: left_join by job+0x1139 of shuffle 4, reduced by quern_sum_u64 and "
			"shuffle 5 -> count\n");
	group.kind = QUERN__GROUP__KIND__INTERSECT;
	group.function = NULL;
	p.from[1].input.reduce = NULL;
	assert_text(&p, "run 3: save_text(out)\n  stage 8: intersect of shuffle 4 and shuffle 5 -> count\n");
	p.from[1].source.group = NULL;
	p.from[1].source.n_shuffles = 1;
	p.from[1].input.order = &order;
	order.compare = &p.function;
	order.has_descending = order.descending = 1;
	assert_text(&p, "run 3: save_text(out)\n"
			"  stage 8: shuffle 4, in the order of job+0x1139, descending -> count\n");
}

/* Names are the job's: they do not make lines of their own, or move the cursor. */
static void control_characters_are_spelt_out(void **state)
{
	struct plan p;

	(void)state;
	plan_init(&p);
	p.run.n_stages = 1;
	p.run.name = (char *)"a\nb";
	p.from[0].branch.n_steps = 0;
	p.from[0].source.n_text = 1;
	p.text[0] = (char *)"\x1b[2J\x7f\xc3\xa9";
	p.sink[0].kind = (Quern__Sink__Kind)77;
	assert_text(&p, "run 3: a\\x0ab\n  stage 7: text '\\x1b[2J\\x7f\xc3\xa9' -> ?\n");
}

static void a_full_buffer_is_an_error(void **state)
{
	struct plan p;

	(void)state;
	plan_init(&p);
	for (size_t max = 0; max < 200; max++) {
		auto_buf struct buf b = BUF_INIT(max);

		assert_int_equal(explain_run(&p.run, &b), -EMSGSIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_for_the_run_and_each_stage_and_step),
		cmocka_unit_test(what_is_kept_is_shown),
		cmocka_unit_test(commands_and_sorts_are_shown),
		cmocka_unit_test(what_moves_records_is_shown),
		cmocka_unit_test(what_is_known_is_shown),
		cmocka_unit_test(every_kind_of_source_and_file),
		cmocka_unit_test(groups_and_orders_are_shown),
		cmocka_unit_test(control_characters_are_spelt_out),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
