/* From quern.h's calls to the Run that the driver gets, and from its results back: no driver, a runner that
 * notes the Runs and answers as the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "tests/job/runner_kit.h"

static quern_set *word_count(struct runner *x, const char *path)
{
	return quern_reduce_by_key(
		quern_flat_map(quern_text(&x->job, path), x->f->words, NULL), quern_sum_u64, NULL);
}

static code_fn *function(const struct runner *x, const Quern__Function *f)
{
	code_fn *fn = NULL;
	struct err err = { "" };

	if (code_resolve(x->code, f, &fn, &err) < 0)
		fail_msg("%s", err.text);
	return fn;
}

/* ---- Stages ---- */

/* A sort asks for a sample first, once, of what is sorted; its bounds go with the stage that divides by them.
 */
static void a_sort_takes_a_sample_first(void **state)
{
	struct runner *x = *state;
	static const char *const data[] = {
		"12345678"
	}; /* of one record that stands for so many, and no key */

	x->data = data;
	quern_set *words = quern_typed(
		quern_flat_map(quern_text(&x->job, "in"), x->f->words, NULL), QUERN_BYTES, QUERN_U64);
	quern_set *sorted = quern_sort_by_key(words, QUERN_DESCENDING | QUERN_THEN_BY_VALUE);
	assert_int_equal(quern_save_text(sorted, "out"), 0);
	assert_int_equal(quern_save_text(sorted, "again"), 0);
	assert_int_equal(quern_save_text(quern_partitions(sorted, 1), "one"), 0);
	assert_int_equal(x->n_runs, 4);

	const Quern__Run *sample = x->runs[0], *run = x->runs[1];
	assert_int_equal(sample->n_stages, 1);
	assert_int_equal(sample->stages[0]->branches[0]->n_steps, 1);
	assert_int_equal(sample->stages[0]->sink->kind, QUERN__SINK__KIND__SAMPLE);
	assert_true(sample->stages[0]->sink->limit > 0);
	assert_int_equal(run->n_stages, 2);
	const Quern__Order *order = run->stages[0]->sink->order,
			   *again = run->stages[1]->branches[0]->source->shuffles[0]->order;
	assert_true(order != NULL && again != NULL && run->stages[0]->sink->combine == NULL);
	assert_true(order->descending && order->by_value && again->descending && again->by_value);
	assert_int_equal(order->key, QUERN__VALUE_TYPE__BYTES);
	assert_int_equal(order->value, QUERN__VALUE_TYPE__U64);
	assert_int_equal(run->stages[0]->sink->n_bounds, 0);
	assert_int_equal(run->stages[1]->sink->value_type, QUERN__VALUE_TYPE__U64);
	assert_int_equal(x->runs[2]->stages[0]->id, run->stages[0]->id);
	assert_int_equal(x->runs[3]->stages[0]->sink->partitions, 1);
	assert_int_not_equal(x->runs[3]->stages[0]->sink->shuffle, run->stages[0]->sink->shuffle);
}

static void a_sample_that_is_none_fails_the_action(void **state)
{
	struct runner *x = *state;
	static const char *const data[] = { "short" };
	uint64_t n;

	x->data = data;
	quern_set *sorted = quern_sort_by_key(quern_text(&x->job, "in"), QUERN_ASCENDING);
	assert_int_not_equal(quern_count(sorted, &n), 0);
	assert_int_equal(x->n_runs, 1);
	assert_int_not_equal(quern_count(quern_sort_by_key(quern_text(&x->job, "in"), 8), &n), 0);
	assert_int_equal(x->n_runs, 1);
}

static void a_word_count_is_two_stages(void **state)
{
	struct runner *x = *state;

	assert_int_equal(quern_save_text(word_count(x, "in"), "out"), 0);
	assert_int_equal(x->n_runs, 1);
	const Quern__Run *run = x->runs[0];
	assert_string_equal(run->name, "save_text(out)");
	assert_int_equal(run->n_stages, 2);
	assert_false(run->has_first_partition);

	const Quern__Stage *map = run->stages[0], *reduce = run->stages[1];
	assert_int_equal(map->branches[0]->source->n_text, 1);
	assert_string_equal(map->branches[0]->source->text[0], "in");
	assert_int_equal(map->branches[0]->n_steps, 1);
	assert_int_equal(map->branches[0]->steps[0]->kind, QUERN__STEP__KIND__FLAT_MAP);
	assert_false(map->branches[0]->steps[0]->pairs);
	assert_true(function(x, map->branches[0]->steps[0]->function) == (code_fn *)x->f->words);
	assert_int_equal(map->sink->kind, QUERN__SINK__KIND__SHUFFLE);
	assert_string_equal(map->sink->combine->builtin, "quern_sum_u64");
	assert_false(map->sink->has_partitions);

	assert_int_equal(reduce->branches[0]->source->n_shuffles, 1);
	assert_int_equal(reduce->branches[0]->source->shuffles[0]->shuffle, map->sink->shuffle);
	assert_string_equal(reduce->branches[0]->source->shuffles[0]->reduce->builtin, "quern_sum_u64");
	assert_int_equal(reduce->branches[0]->n_steps, 0);
	assert_int_equal(reduce->sink->kind, QUERN__SINK__KIND__TEXT);
	assert_string_equal(reduce->sink->path, "out");
	assert_true(reduce->sink->has_key);
	assert_int_equal(reduce->sink->key_type, QUERN__VALUE_TYPE__BYTES);
	assert_int_equal(reduce->sink->value_type, QUERN__VALUE_TYPE__U64);
}

static void narrow_steps_are_fused_in_their_order(void **state)
{
	struct runner *x = *state;
	const size_t least = 4;

	quern_set *set = quern_filter(quern_text(&x->job, "in"), x->f->long_enough, QUERN_ARG(least));
	set = quern_map_pairs(
		quern_filter_pairs(quern_map(set, x->f->words, NULL), x->f->even, NULL), x->f->swap, NULL);
	set = quern_flat_map_pairs(set, x->f->swap, NULL);
	assert_int_equal(quern_count(set, &(uint64_t){ 0 }), 0);
	assert_int_equal(x->runs[0]->n_stages, 1);
	const Quern__Stage *s = x->runs[0]->stages[0];
	const struct {
		Quern__Step__Kind kind;
		bool pairs;
		code_fn *fn;
	} wanted[] = {
		{ QUERN__STEP__KIND__FILTER, false, (code_fn *)x->f->long_enough },
		{ QUERN__STEP__KIND__MAP, false, (code_fn *)x->f->words },
		{ QUERN__STEP__KIND__FILTER, true, (code_fn *)x->f->even },
		{ QUERN__STEP__KIND__MAP, true, (code_fn *)x->f->swap },
		{ QUERN__STEP__KIND__FLAT_MAP, true, (code_fn *)x->f->swap },
	};
	assert_int_equal(s->branches[0]->n_steps, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(s->branches[0]->steps[i]->kind, wanted[i].kind);
		assert_int_equal(s->branches[0]->steps[i]->pairs, wanted[i].pairs);
		assert_true(function(x, s->branches[0]->steps[i]->function) == wanted[i].fn);
	}
	assert_int_equal(s->branches[0]->steps[0]->function->arg.len, sizeof(least));
	assert_memory_equal(s->branches[0]->steps[0]->function->arg.data, &least, sizeof(least));
	assert_false(s->branches[0]->steps[1]->function->has_arg);
	assert_int_equal(s->sink->kind, QUERN__SINK__KIND__COUNT);
}

static void a_command_is_a_step(void **state)
{
	struct runner *x = *state;
	char separator[] = "::", variable[] = "NAME=value";
	const char *const environment[] = { variable, "EMPTY=", NULL };
	const struct quern_pipe_options options = { .values = true,
		.separator = separator,
		.key_fields = 2,
		.key_separator = ",",
		.environment = environment };

	quern_set *set = quern_pipe(word_count(x, "in"), "sort -u");
	set = quern_sort_partitions(set, QUERN_DESCENDING | QUERN_THEN_BY_VALUE);
	set = quern_pipe_with(set, "cut -c 2-", &options);
	memset(separator, 'x', 2); /* all of it was copied */
	variable[0] = 'x';
	assert_int_equal(quern_save_text(set, "out"), 0);
	const Quern__Stage *last = x->runs[0]->stages[1];
	assert_int_equal(last->branches[0]->n_steps, 3);
	Quern__Step *const *step = last->branches[0]->steps;
	assert_int_equal(step[0]->kind, QUERN__STEP__KIND__PIPE);
	assert_string_equal(step[0]->pipe->command, "sort -u");
	assert_int_equal(step[0]->pipe->value_type, QUERN__VALUE_TYPE__U64);
	assert_false(step[0]->pipe->has_in_separator || step[0]->pipe->has_out_separator);
	assert_int_equal(step[0]->pipe->key_fields, 0);
	assert_int_equal(step[1]->kind, QUERN__STEP__KIND__SORT);
	assert_true(step[1]->order->descending && step[1]->order->by_value);
	assert_int_equal(step[1]->order->value, QUERN__VALUE_TYPE__BYTES);
	const Quern__Pipe *p = step[2]->pipe;
	assert_string_equal(p->command, "cut -c 2-");
	assert_true(p->values);
	assert_int_equal(p->key_fields, 2);
	assert_int_equal(p->in_separator.len, 2);
	assert_memory_equal(p->in_separator.data, "::", 2);
	assert_int_equal(p->out_separator.len, 1);
	assert_memory_equal(p->out_separator.data, ",", 1);
	assert_int_equal(p->n_environment, 2);
	assert_string_equal(p->environment[0], "NAME=value");
	assert_string_equal(p->environment[1], "EMPTY=");
	assert_true(last->sink->has_key);
	assert_int_equal(last->sink->value_type, QUERN__VALUE_TYPE__BYTES);
}

/* The steps of a branch, a letter each: m, f(ilter), w(ords: flat_map), c(ache). */
static const char *branch_steps(const Quern__Branch *b)
{
	static char ret[16];

	assert_true(b->n_steps < sizeof(ret));
	for (size_t k = 0; k < b->n_steps; k++)
		ret[k] = "mwfc"[b->steps[k]->kind];
	ret[b->n_steps] = '\0';
	return ret;
}

/* The steps of stage `i` of the last run. */
static const char *steps_of(const struct runner *x, size_t i)
{
	return branch_steps(x->runs[x->n_runs - 1]->stages[i]->branches[0]);
}

static void what_is_persisted_has_the_same_name_in_every_action(void **state)
{
	struct runner *x = *state;
	const size_t least = 4;

	quern_set *lines = quern_filter(quern_text(&x->job, "in"), x->f->long_enough, QUERN_ARG(least));
	quern_set *kept = quern_persist(lines, QUERN_MEMORY);
	quern_set *packed = quern_persist(quern_map(kept, x->f->words, NULL), QUERN_MEMORY_COMPRESSED);
	assert_int_equal(quern_count(packed, &(uint64_t){ 0 }), 0);
	assert_string_equal(steps_of(x, 0), "fcmc");
	const Quern__Stage *first = x->runs[0]->stages[0];
	assert_null(first->branches[0]->steps[1]->function);
	assert_false(first->branches[0]->steps[1]->cache->compressed);
	assert_true(first->branches[0]->steps[3]->cache->compressed);
	assert_int_not_equal(
		first->branches[0]->steps[1]->cache->id, first->branches[0]->steps[3]->cache->id);

	assert_int_equal(quern_count(quern_flat_map(kept, x->f->words, NULL), &(uint64_t){ 0 }), 0);
	assert_string_equal(steps_of(x, 0), "fcw");
	assert_int_equal(x->runs[1]->stages[0]->branches[0]->steps[1]->cache->id,
		first->branches[0]->steps[1]->cache->id);
	/* A copy is the same set; what it was made of is not. */
	assert_int_equal(quern_count(quern_typed(kept, QUERN_BYTES, QUERN_U64), &(uint64_t){ 0 }), 0);
	assert_int_equal(x->runs[2]->stages[0]->branches[0]->steps[1]->cache->id,
		first->branches[0]->steps[1]->cache->id);
	assert_int_equal(quern_count(lines, &(uint64_t){ 0 }), 0);
	assert_string_equal(steps_of(x, 0), "f");
}

static void what_is_unpersisted_is_left_out_and_told(void **state)
{
	struct runner *x = *state;

	quern_set *lines = quern_text(&x->job, "in"), *kept = quern_persist(lines, QUERN_MEMORY);
	quern_set *counts = quern_reduce_by_key(quern_flat_map(kept, x->f->words, NULL), quern_sum_u64, NULL);
	quern_set *both = quern_persist(counts, QUERN_MEMORY);
	assert_int_equal(quern_save_text(both, "out"), 0);
	assert_string_equal(steps_of(x, 0), "cw");
	assert_string_equal(steps_of(x, 1), "c");
	assert_int_equal(x->runs[0]->stages[1]->sink->value_type, QUERN__VALUE_TYPE__U64);

	quern_unpersist(lines); /* was not */
	assert_int_equal(x->unpersists, 0);
	quern_unpersist(kept);
	assert_int_equal(x->unpersisted, x->runs[0]->stages[0]->branches[0]->steps[0]->cache->id);
	quern_unpersist(kept);
	assert_int_equal(x->unpersists, 1);
	assert_int_equal(quern_save_text(both, "out2"), 0);
	assert_string_equal(steps_of(x, 0), "w");
	assert_string_equal(steps_of(x, 1), "c");
	quern_unpersist(both);
	assert_int_equal(x->unpersists, 2);
	assert_int_equal(quern_count(kept, &(uint64_t){ 0 }), 0);
	assert_string_equal(steps_of(x, 0), "");
	/* Mistakes go through. */
	quern_unpersist(quern_persist(quern_text(&x->job, NULL), QUERN_MEMORY));
	assert_int_equal(x->unpersists, 2);
	assert_int_equal(quern_count(quern_persist(lines, (enum quern_storage)9), &(uint64_t){ 0 }), 1);
}

static void every_shuffle_begins_a_stage(void **state)
{
	struct runner *x = *state;

	quern_set *set = word_count(x, "in");
	for (int i = 0; i < 3; i++)
		set = quern_reduce_by_key(quern_map_pairs(set, x->f->swap, NULL), x->f->either, NULL);
	assert_int_equal(quern_save_text(set, "out"), 0);
	const Quern__Run *run = x->runs[0];
	assert_int_equal(run->n_stages, 5);
	for (size_t i = 1; i < 5; i++)
		assert_int_equal(run->stages[i]->branches[0]->source->shuffles[0]->shuffle,
			run->stages[i - 1]->sink->shuffle);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(run->stages[i]->branches[0]->n_steps, 1);
		assert_true(function(x, run->stages[i]->sink->combine) == (code_fn *)x->f->either);
	}
}

/* Each branch has its own source, its own steps and those behind the union. */
static void a_union_is_branches_of_one_stage(void **state)
{
	struct runner *x = *state;
	const char *const in[] = { "a", "b", "c" }, *const steps[] = { "wm", "m", "fm" };

	quern_set *a = quern_flat_map(quern_text(&x->job, "a"), x->f->words, NULL);
	quern_set *c = quern_filter_pairs(quern_text(&x->job, "c"), x->f->even, NULL);
	quern_set *all = quern_union(quern_union(a, quern_text(&x->job, "b")), c);
	assert_int_equal(quern_count(quern_map_pairs(all, x->f->swap, NULL), &(uint64_t){ 0 }), 0);
	assert_int_equal(x->runs[0]->n_stages, 1);
	const Quern__Stage *s = x->runs[0]->stages[0];
	assert_int_equal(s->n_branches, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(s->branches[i]->source->text[0], in[i]);
		assert_string_equal(branch_steps(s->branches[i]), steps[i]);
	}
}

/* The partitions of a set are numbered from the first branch on that it is made of. */
static void steps_know_where_the_partitions_of_their_set_begin(void **state)
{
	struct runner *x = *state;

	quern_set *two = quern_union(quern_text(&x->job, "a"), quern_text(&x->job, "b"));
	quern_set *all =
		quern_union(quern_text(&x->job, "c"), quern_union(quern_persist(two, QUERN_MEMORY), two));
	assert_int_equal(quern_count(quern_persist(all, QUERN_MEMORY), &(uint64_t){ 0 }), 0);
	const Quern__Stage *s = x->runs[0]->stages[0];
	assert_int_equal(s->n_branches, 5);
	assert_string_equal(branch_steps(s->branches[0]), "c");
	assert_string_equal(branch_steps(s->branches[1]), "cc");
	assert_string_equal(branch_steps(s->branches[2]), "cc");
	assert_string_equal(branch_steps(s->branches[3]), "c");
	assert_int_equal(s->branches[1]->steps[0]->first, 1);
	assert_int_equal(s->branches[2]->steps[0]->first, 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(s->branches[i]->steps[s->branches[i]->n_steps - 1]->first, 0);
}

/* However many read it. */
static void a_shuffle_is_written_once(void **state)
{
	struct runner *x = *state;

	quern_set *counts = word_count(x, "in");
	quern_set *again = quern_reduce_by_key(
		quern_union(counts, quern_map_pairs(counts, x->f->swap, NULL)), x->f->either, NULL);
	assert_int_equal(quern_save_text(quern_union(again, counts), "out"), 0);
	const Quern__Run *run = x->runs[0];
	assert_int_equal(run->n_stages, 3);
	assert_int_equal(run->stages[1]->n_branches, 2);
	assert_int_equal(run->stages[2]->n_branches, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(run->stages[1]->branches[i]->source->shuffles[0]->shuffle,
			run->stages[0]->sink->shuffle);
	assert_int_equal(
		run->stages[2]->branches[1]->source->shuffles[0]->shuffle, run->stages[0]->sink->shuffle);
}

/* A set that is united with itself again and again is refused, and that soon. */
static void too_many_branches_are_a_mistake(void **state)
{
	struct runner *x = *state;

	quern_set *set = quern_text(&x->job, "in");
	for (int i = 0; i < 40; i++)
		set = quern_union(set, set);
	assert_int_not_equal(quern_count(set, &(uint64_t){ 0 }), 0);
	assert_int_equal(x->n_runs, 0);
}

/* What was written once is not written again: the driver knows it by its numbers. */
static void a_shuffle_keeps_its_numbers_over_actions(void **state)
{
	struct runner *x = *state;
	uint64_t n;

	quern_set *counts = word_count(x, "in"), *other = word_count(x, "in");
	quern_set *swapped = quern_map_pairs(counts, x->f->swap, NULL);
	assert_int_equal(quern_count(counts, &n), 0);
	assert_int_equal(quern_count(swapped, &n), 0);
	assert_int_equal(quern_count(other, &n), 0);
	assert_int_equal(quern_count(quern_partitions(counts, 3), &n), 0);
	const Quern__Stage *first = x->runs[0]->stages[0];
	assert_int_equal(x->runs[1]->stages[0]->id, first->id);
	assert_int_equal(x->runs[1]->stages[0]->sink->shuffle, first->sink->shuffle);
	assert_int_not_equal(x->runs[1]->stages[1]->id, x->runs[0]->stages[1]->id);
	assert_int_not_equal(x->runs[2]->stages[0]->id, first->id);
	assert_int_not_equal(x->runs[2]->stages[0]->sink->shuffle, first->sink->shuffle);
	/* Other partitions are another shuffle. */
	assert_int_not_equal(x->runs[3]->stages[0]->sink->shuffle, first->sink->shuffle);
	assert_int_equal(x->runs[3]->stages[0]->sink->partitions, 3);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(x->runs[i]->id, x->runs[j]->id);
}

static void types_and_keys_reach_the_output(void **state)
{
	struct runner *x = *state;
	quern_set *lines = quern_text(&x->job, "in"), *pairs = quern_flat_map(lines, x->f->words, NULL);
	const size_t one = 1;
	const struct {
		quern_set *set;
		bool has_key;
		Quern__ValueType key, value;
	} cases[] = {
		{ lines, false, QUERN__VALUE_TYPE__BYTES, QUERN__VALUE_TYPE__BYTES },
		{ quern_filter(lines, x->f->long_enough, QUERN_ARG(one)), false, QUERN__VALUE_TYPE__BYTES,
			QUERN__VALUE_TYPE__BYTES },
		{ quern_typed(pairs, QUERN_DOUBLE, QUERN_I64), true, QUERN__VALUE_TYPE__DOUBLE,
			QUERN__VALUE_TYPE__I64 },
		{ quern_reduce_by_key(quern_typed(pairs, QUERN_U64, QUERN_I64), x->f->either, NULL), true,
			QUERN__VALUE_TYPE__U64, QUERN__VALUE_TYPE__I64 },
		{ quern_filter_pairs(quern_reduce_by_key(pairs, quern_max_double, NULL), x->f->even, NULL),
			true, QUERN__VALUE_TYPE__BYTES, QUERN__VALUE_TYPE__DOUBLE },
		{ quern_reduce_by_key(pairs, quern_min_i64, NULL), true, QUERN__VALUE_TYPE__BYTES,
			QUERN__VALUE_TYPE__I64 },
		/* A function made these: of what type is not known. */
		{ quern_map_pairs(word_count(x, "in"), x->f->swap, NULL), true, QUERN__VALUE_TYPE__BYTES,
			QUERN__VALUE_TYPE__BYTES },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(quern_save_text(cases[i].set, "out"), 0);
		const Quern__Run *run = x->runs[i];
		const Quern__Sink *sink = run->stages[run->n_stages - 1]->sink;
		assert_int_equal(sink->has_key, cases[i].has_key);
		assert_int_equal(sink->key_type, cases[i].key);
		assert_int_equal(sink->value_type, cases[i].value);
	}
}

static void compression_reaches_the_output(void **state)
{
	struct runner *x = *state;
	quern_set *lines = quern_text(&x->job, "in");
	static const Quern__Codec wanted[] = { QUERN__CODEC__PLAIN, QUERN__CODEC__PLAIN, QUERN__CODEC__GZIP,
		QUERN__CODEC__ZSTD };

	assert_int_equal(quern_save_text(lines, "out"), 0);
	assert_int_equal(quern_save_text_compressed(lines, "out", QUERN_PLAIN), 0);
	assert_int_equal(quern_save_text_compressed(lines, "out", QUERN_GZIP), 0);
	assert_int_equal(quern_save_text_compressed(lines, "out", QUERN_ZSTD), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(x->runs[i]->stages[0]->sink->codec, wanted[i]);
		assert_string_equal(x->runs[i]->name, "save_text(out)");
	}
	assert_int_equal(quern_save_text_compressed(lines, "out", (enum quern_codec)3), 1);
	assert_int_equal(quern_save_text_compressed(lines, "", QUERN_ZSTD), 1);
	assert_int_equal(x->n_runs, 4);
}

/* ---- Mistakes ---- */

static void not_the_jobs(quern_slice value, quern_out *out, void *arg)
{
	(void)value, (void)out, (void)arg;
}

static int never(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)value, (void)arg;
	fail();
	return 0;
}

/* Everything that is done with a wrong set fails, runs nothing, and says the first mistake. */
static void assert_wrong(struct runner *x, quern_set *set, const char *words)
{
	const size_t one = 1;
	uint64_t n = 77;

	assert_non_null(set->error);
	if (strstr(set->error, words) == NULL)
		fail_msg("no '%s' in: %s", words, set->error);
	quern_set *more = quern_filter(quern_map(set, x->f->words, NULL), NULL, QUERN_ARG(one));
	more = quern_typed(
		quern_partitions(quern_reduce_by_key(more, x->f->either, NULL), 0), QUERN_U64, QUERN_U64);
	assert_string_equal(more->error, set->error);
	assert_int_equal(quern_count(more, &n), 1);
	assert_int_equal(n, 77);
	assert_int_equal(quern_collect(set, never, NULL), 1);
	assert_int_equal(quern_take(set, 5, never, NULL), 1);
	assert_int_equal(quern_take(set, 0, never, NULL), 1);
	assert_int_equal(quern_save_text(set, "out"), 1);
	assert_int_equal(x->n_runs, 0);
}

static void a_mistake_is_kept_until_an_action(void **state)
{
	struct runner *x = *state;
	static char large[PLAN_ARG_MAX + 1];
	const quern_slice too_large = quern_bytes(large, sizeof(large));
	quern_set *lines = quern_text(&x->job, "in"), *counts = word_count(x, "in");

	assert_wrong(x, quern_text(&x->job, NULL), "quern_text(): the path is NULL");
	assert_wrong(x, quern_text(&x->job, ""), "quern_text(): the path is empty");
	assert_wrong(x, quern_map(lines, NULL, NULL), "quern_map(): the function is NULL");
	assert_wrong(x, quern_flat_map(lines, not_the_jobs, NULL), "quern_flat_map(): the function at");
	assert_wrong(
		x, quern_reduce_by_key(lines, NULL, NULL), "quern_reduce_by_key(): the function is NULL");
	assert_wrong(x, quern_flat_map(lines, x->f->words, &too_large), "8388609 bytes");
	assert_wrong(x, quern_partitions(lines, 2), "quern_partitions()");
	assert_wrong(x, quern_partitions(quern_map_pairs(counts, x->f->swap, NULL), 2), "quern_partitions()");
	assert_wrong(x, quern_partitions(counts, 0), "0 is not from 1");
	assert_wrong(x, quern_partitions(counts, UINT32_MAX), "4294967295 is not from 1");
	assert_wrong(x, quern_pipe(lines, NULL), "quern_pipe(): the command is NULL");
	assert_wrong(x, quern_pipe(lines, " \n"), "quern_pipe(): the command is empty");
	assert_wrong(x, quern_pipe_with(lines, "cat", &(const struct quern_pipe_options){ .separator = "" }),
		"a separator of 0 bytes");
	assert_wrong(x, quern_sort_partitions(lines, 4), "quern_sort_partitions(): no such order");
	assert_wrong(x, quern_typed(lines, (enum quern_type)4, QUERN_U64), "no such type");
	assert_wrong(x, quern_typed(lines, QUERN_U64, (enum quern_type) - 1), "no such type");
	assert_int_equal(quern_save_text(counts, NULL), 1);
	assert_int_equal(quern_save_text(counts, ""), 1);
	assert_int_equal(x->n_runs, 0);
}

/* ---- Results ---- */

static int append(quern_slice key, quern_slice value, void *arg)
{
	struct buf *b = arg;

	assert_int_equal(key.len, 0);
	return buf_add(b, value.ptr, value.len);
}

static const char *const letters[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n",
	"o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z" };

static void assert_text(struct buf *b, const char *wanted)
{
	assert_int_equal(buf_add(b, "", 1), 0);
	assert_string_equal((const char *)b->data, wanted);
	buf_clear(b);
}

static void collect_gives_every_record(void **state)
{
	struct runner *x = *state;
	auto_buf struct buf b = BUF_INIT(1000);

	x->partitions = 26;
	x->data = letters;
	assert_int_equal(quern_collect(quern_text(&x->job, "in"), append, &b), 0);
	assert_text(&b, "abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(x->n_runs, 1);
	assert_false(x->runs[0]->stages[0]->sink->limit);
	assert_string_equal(x->runs[0]->name, "collect");
}

static int stop_at_c(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)arg;
	return *value.ptr == 'c' ? -3 : 0;
}

static void a_collecting_function_may_end_it(void **state)
{
	struct runner *x = *state;

	x->partitions = 26;
	x->data = letters;
	assert_int_equal(quern_collect(quern_text(&x->job, "in"), stop_at_c, NULL), -3);
	assert_int_equal(x->given, 3);
	assert_int_equal(quern_take(quern_text(&x->job, "in"), 20, stop_at_c, NULL), -3);
}

/* A partition, then four times as many, and so on. */
static void take_runs_as_little_as_it_needs(void **state)
{
	static const struct {
		uint64_t n;
		const char *wanted;
		size_t runs;
	} cases[] = { { 0, "", 0 }, { 1, "a", 1 }, { 2, "ab", 2 }, { 5, "abcde", 2 }, { 6, "abcdef", 3 },
		{ 26, "abcdefghijklmnopqrstuvwxyz", 4 }, { 1000, "abcdefghijklmnopqrstuvwxyz", 4 } };
	struct runner *x = *state;
	auto_buf struct buf b = BUF_INIT(1000);

	x->partitions = 26;
	x->data = letters;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t before = x->n_runs;

		assert_int_equal(quern_take(quern_text(&x->job, "in"), cases[i].n, append, &b), 0);
		assert_text(&b, cases[i].wanted);
		assert_int_equal(x->n_runs - before, cases[i].runs);
		for (size_t r = before, at = 0, count = 1; r < x->n_runs; r++, at += count, count *= 4) {
			assert_int_equal(x->runs[r]->first_partition, at);
			assert_int_equal(x->runs[r]->partition_count, count);
			assert_int_equal(x->runs[r]->stages[0]->sink->limit, cases[i].n - at);
		}
	}
}

static void count_adds_up(void **state)
{
	struct runner *x = *state;
	uint64_t n = 0;

	x->partitions = 7;
	assert_int_equal(quern_count(quern_text(&x->job, "in"), &n), 0);
	assert_int_equal(n, 35);
	x->partitions = 0;
	assert_int_equal(quern_count(quern_text(&x->job, "in"), &n), 0);
	assert_int_equal(n, 0);
}

static void what_is_not_an_answer_is_an_error(void **state)
{
	static const char *const nonsense[] = { "12345" };
	struct runner *x = *state;
	uint64_t n = 77;

	x->data = nonsense;
	assert_int_equal(quern_count(quern_text(&x->job, "in"), &n), 1);
	assert_int_equal(n, 77);
	x->data = NULL;
	x->number = 100; /* a key of 100 bytes would follow */
	assert_int_equal(quern_collect(quern_text(&x->job, "in"), never, NULL), 1);
}

static void what_the_driver_returns_the_action_returns(void **state)
{
	struct runner *x = *state;
	uint64_t n = 77;

	x->returns = 3;
	assert_int_equal(quern_count(quern_text(&x->job, "in"), &n), 3);
	assert_int_equal(quern_take(quern_text(&x->job, "in"), 100, never, NULL), 3);
	x->returns = -ECONNRESET; /* nobody to tell */
	assert_int_equal(quern_save_text(quern_text(&x->job, "in"), "out"), 1);
	assert_int_equal(n, 77);
	assert_int_equal(x->n_runs, 3);
}

static int act_within(quern_slice key, quern_slice value, void *arg)
{
	uint64_t n;

	(void)key, (void)value;
	assert_int_equal(quern_count(arg, &n), 1);
	return 0;
}

static void an_action_within_an_action_is_refused(void **state)
{
	struct runner *x = *state;
	quern_set *lines = quern_text(&x->job, "in");

	x->data = letters;
	assert_int_equal(quern_collect(lines, act_within, lines), 0);
	assert_int_equal(x->given, 1);
	assert_int_equal(x->n_runs, 1);
	/* And is possible afterwards. */
	x->data = NULL;
	assert_int_equal(quern_count(lines, &(uint64_t){ 0 }), 0);
}

static void the_most_that_a_set_of_a_stage_asks_for_counts(void **state)
{
	struct runner *x = *state;
	quern_set *lines = quern_resources(quern_text(&x->job, "in"), 0.2501, 0);
	quern_set *found = quern_resources(quern_flat_map(lines, x->f->words, NULL), 0, 700);
	quern_set *plain = quern_map_pairs(found, x->f->swap, NULL);
	quern_set *counts = quern_resources(quern_reduce_by_key(plain, x->f->either, NULL), 3, 2000);

	/* What comes behind it is of the same stage, and what is made of the set before is not changed. */
	assert_int_equal(quern_count(quern_map_pairs(counts, x->f->swap, NULL), &(uint64_t){ 0 }), 0);
	const Quern__Run *run = x->runs[0];
	assert_int_equal(run->stages[0]->task_cores_milli, 251);
	assert_int_equal(run->stages[0]->task_mem_mb, 700);
	assert_int_equal(run->stages[1]->task_cores_milli, 3000);
	assert_int_equal(run->stages[1]->task_mem_mb, 2000);
	assert_int_equal(
		quern_count(quern_flat_map(quern_text(&x->job, "in"), x->f->words, NULL), &(uint64_t){ 0 }),
		0);
	assert_false(x->runs[1]->stages[0]->has_task_cores_milli || x->runs[1]->stages[0]->has_task_mem_mb);
	/* Mistakes. */
	assert_int_equal(quern_count(quern_resources(lines, -1, 0), &(uint64_t){ 0 }), 1);
	assert_int_equal(quern_count(quern_resources(lines, (double)NAN, 0), &(uint64_t){ 0 }), 1);
	assert_int_equal(quern_count(quern_resources(lines, 1e9, 0), &(uint64_t){ 0 }), 1);
	assert_int_equal(quern_count(quern_resources(lines, 1, UINT32_MAX), &(uint64_t){ 0 }), 1);
	assert_int_equal(x->n_runs, 2);
}

#define test(f) cmocka_unit_test_setup_teardown(f, runner_setup, runner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_word_count_is_two_stages),
		test(a_sort_takes_a_sample_first),
		test(a_sample_that_is_none_fails_the_action),
		test(narrow_steps_are_fused_in_their_order),
		test(a_command_is_a_step),
		test(what_is_persisted_has_the_same_name_in_every_action),
		test(what_is_unpersisted_is_left_out_and_told),
		test(every_shuffle_begins_a_stage),
		test(a_union_is_branches_of_one_stage),
		test(steps_know_where_the_partitions_of_their_set_begin),
		test(a_shuffle_is_written_once),
		test(too_many_branches_are_a_mistake),
		test(a_shuffle_keeps_its_numbers_over_actions),
		test(types_and_keys_reach_the_output),
		test(compression_reaches_the_output),
		test(a_mistake_is_kept_until_an_action),
		test(collect_gives_every_record),
		test(a_collecting_function_may_end_it),
		test(take_runs_as_little_as_it_needs),
		test(count_adds_up),
		test(what_is_not_an_answer_is_an_error),
		test(what_the_driver_returns_the_action_returns),
		test(an_action_within_an_action_is_refused),
		test(the_most_that_a_set_of_a_stage_asks_for_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
