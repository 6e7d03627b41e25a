#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "job/records.h"
#include "scheduler/action.h"
#include "tests/one_branch.h"

/* Records travel with the tasks that read them; of the stage, which every executor gets, they are no part. */
static void records_in_memory_are_in_splits_alone(void **state)
{
	const struct action_config config = { .cores = 3 };
	auto_buf struct buf records = BUF_INIT(SIZE_MAX), joined = BUF_INIT(SIZE_MAX);
	struct action_memory memory = { 0 };
	Quern__Run run = QUERN__RUN__INIT;
	Quern__Stage stage = QUERN__STAGE__INIT, *stages[] = { &stage };
	Quern__Sink sink = QUERN__SINK__INIT;
	struct sched_event ev = { 0 };
	struct one_branch from;
	struct action *a = NULL;
	struct err err = { "" };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			record_put_optional(&records, quern_bytes(NULL, 0), quern_str("a record")), 0);
	one_branch_init(&from, &stage);
	from.source.has_records = 1;
	from.source.records.data = records.data;
	from.source.records.len = records.len;
	sink.kind = QUERN__SINK__KIND__COUNT;
	stage.sink = &sink;
	run.stages = stages;
	run.n_stages = 1;
	if (action_new(&run, &memory, &config, &a, &err) < 0 || action_begin(a, &err) < 0)
		fail_msg("%s", err.text);
	action_event(a, &ev);
	const Quern__Source *source = ev.u.run.run->stages[0]->branches[0]->source;
	assert_true(source->has_records);
	assert_int_equal(source->records.len, 0);
	assert_int_equal(ev.u.run.n_splits[0], 3);
	for (int i = 0; i < 3; i++) {
		const ProtobufCBinaryData *part = &ev.u.run.splits[0][i]->records;

		assert_in_range(part->len, records.len / 4, records.len / 2);
		assert_int_equal(buf_add(&joined, part->data, part->len), 0);
	}
	assert_int_equal(joined.len, records.len);
	assert_memory_equal(joined.data, records.data, records.len);
	assert_int_equal(from.source.records.len, records.len); /* the job's own stay */
	(void)action_free(a);
	action_memory_deinit(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_memory_are_in_splits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
