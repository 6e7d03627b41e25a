/* Sources, files and checkpoints: from quern.h's calls to the Run that the driver gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/job/runner_kit.h"

static void assert_wrong(struct runner *x, quern_set *set, const char *words)
{
	size_t before = x->n_runs;
	uint64_t n;

	assert_non_null(set->error);
	if (strstr(set->error, words) == NULL)
		fail_msg("no '%s' in: %s", words, set->error);
	assert_int_equal(quern_count(set, &n), 1);
	assert_int_equal(x->n_runs, before);
}

static void sources_reach_the_plan(void **state)
{
	struct runner *x = *state;
	const char *const lines[] = { "a", "" };
	const quern_record records[] = { { quern_str("k"), quern_str("v") },
		{ quern_bytes(NULL, 0), quern_str("w") } };
	quern_job *job = &x->job;
	quern_set *const sets[] = { quern_text_pairs(job, "in", "=>"), quern_whole_files(job, "in"),
		quern_fixed(job, "in", 100), quern_seq(job, "in"),
		quern_pieces(quern_lines_from(job, lines, 2), 9), quern_records_from(job, records, 2),
		quern_range(job, 3, 5), quern_text(job, "in") };
	const bool has_key[] = { true, true, false, true, false, true, false, false };
	uint64_t n;

	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(quern_count(sets[i], &n), 0);
		const Quern__Source *s = x->runs[i]->stages[0]->branches[0]->source;
		assert_int_equal(s->n_text, i < 4 || i == 7);
		assert_int_equal(s->format, i < 4 ? i + 1 : 0);
		assert_int_equal(sets[i]->has_key, has_key[i]);
	}
	assert_memory_equal(x->runs[0]->stages[0]->branches[0]->source->separator.data, "=>", 2);
	assert_int_equal(x->runs[2]->stages[0]->branches[0]->source->width, 100);
	const Quern__Source *s = x->runs[4]->stages[0]->branches[0]->source;
	assert_int_equal(s->pieces, 9);
	assert_int_equal(s->records.len, 5);
	assert_memory_equal(s->records.data, "\0\1a\0\0", 5);
	s = x->runs[5]->stages[0]->branches[0]->source;
	assert_memory_equal(s->records.data, "\2\1kv\0\1w", 7);
	s = x->runs[6]->stages[0]->branches[0]->source;
	assert_int_equal(s->range->start, 3);
	assert_int_equal(s->range->end, 5);
	assert_int_equal(sets[6]->value_type, QUERN__VALUE_TYPE__U64);
}

static void mistakes_in_sources(void **state)
{
	static char large[16 << 20];
	struct runner *x = *state;
	const quern_record record = { quern_bytes(NULL, 0), quern_bytes(large, sizeof(large)) };
	quern_job *job = &x->job;

	assert_wrong(x, quern_text_pairs(job, "in", ""), "the separator");
	assert_wrong(x, quern_text_pairs(job, "in", NULL), "the separator");
	assert_wrong(x, quern_text_pairs(job, "in", "a\nb"), "the separator");
	assert_wrong(x, quern_text_pairs(job, "", "="), "quern_text_pairs(): the path is empty");
	assert_wrong(x, quern_fixed(job, "in", 0), "a width of 0 bytes");
	assert_wrong(x, quern_fixed(job, NULL, 1), "quern_fixed(): the path is NULL");
	assert_wrong(x, quern_seq(job, ""), "quern_seq(): the path is empty");
	assert_wrong(x, quern_whole_files(job, ""), "quern_whole_files(): the path is empty");
	assert_wrong(x, quern_records_from(job, &record, 1), "quern_records_from(): more than 15 MiB");
	assert_wrong(x, quern_pieces(quern_persist(quern_range(job, 0, 1), QUERN_MEMORY), 3),
		"the set is no source");
	assert_wrong(x, quern_pieces(quern_seq(job, NULL), 3), "quern_seq(): the path is NULL");
}

static void files_of_records_and_raw_ones(void **state)
{
	struct runner *x = *state;
	quern_set *numbers = quern_range(&x->job, 0, 5);

	assert_int_equal(quern_save_seq(numbers, "out", QUERN_ZSTD), 0);
	assert_int_equal(quern_save_raw(numbers, "out", QUERN_GZIP), 0);
	assert_int_equal(x->runs[0]->stages[0]->sink->kind, QUERN__SINK__KIND__SEQ);
	assert_int_equal(x->runs[0]->stages[0]->sink->value_type, QUERN__VALUE_TYPE__U64);
	assert_int_equal(x->runs[0]->stages[0]->sink->codec, QUERN__CODEC__ZSTD);
	assert_string_equal(x->runs[0]->name, "save_seq(out)");
	assert_int_equal(x->runs[1]->stages[0]->sink->kind, QUERN__SINK__KIND__RAW);
	assert_string_equal(x->runs[1]->name, "save_raw(out)");
	assert_int_equal(quern_save_seq(numbers, "out", QUERN_GZIP), 1);
	assert_int_equal(quern_save_raw(numbers, NULL, QUERN_PLAIN), 1);
	assert_int_equal(x->n_runs, 2);
}

static void a_checkpoint_is_saved_and_read(void **state)
{
	struct runner *x = *state;
	quern_set *pairs = quern_typed(quern_text_pairs(&x->job, "in", "="), QUERN_I64, QUERN_DOUBLE);
	uint64_t n;

	quern_set *set = quern_checkpoint(pairs, "point");
	assert_int_equal(x->n_runs, 1);
	assert_int_equal(x->runs[0]->stages[0]->sink->kind, QUERN__SINK__KIND__SEQ);
	assert_string_equal(x->runs[0]->stages[0]->sink->path, "point");
	assert_int_equal(set->key_type, QUERN__VALUE_TYPE__I64);
	assert_int_equal(set->value_type, QUERN__VALUE_TYPE__DOUBLE);
	assert_int_equal(quern_count(set, &n), 0);
	const Quern__Source *s = x->runs[1]->stages[0]->branches[0]->source;
	assert_string_equal(s->text[0], "point");
	assert_int_equal(s->format, QUERN__SOURCE__FORMAT__SEQ);
	assert_true(s->file_each);
	assert_int_equal(x->runs[1]->stages[0]->branches[0]->n_steps, 0);
	assert_wrong(x, quern_pieces(set, 3), "a checkpoint has the partitions");
	x->returns = 1;
	quern_set *failed = quern_checkpoint(pairs, "point");
	x->returns = 0;
	assert_wrong(x, failed, "could not be saved");
	assert_wrong(
		x, quern_checkpoint(quern_text(&x->job, ""), "point"), "quern_text(): the path is empty");
}

#define test(name) cmocka_unit_test_setup_teardown(name, runner_setup, runner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(sources_reach_the_plan),
		test(mistakes_in_sources),
		test(files_of_records_and_raw_ones),
		test(a_checkpoint_is_saved_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
