/* How HDFS is reached, in the executor's core: which tasks get what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/keep.h"
#include "tests/executor/core_kit.h"

static void note_action(struct bench *b, const struct exec_action *a)
{
	if (a->kind == EXEC_DO_RUN)
		kit_note(b, "run %u.%u %.*s\n", a->task->stage, a->task->partition,
			a->hdfs.len > 0 ? (int)a->hdfs.len : 1,
			a->hdfs.len > 0 ? (const char *)a->hdfs.data : "-");
}

/* A stage that reads `path`; `hdfs`: NULL, nothing is said. */
static void tell_stage(struct bench *b, uint32_t id, const char *path, const char *hdfs)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__StageInfo info = QUERN__TO_EXECUTOR__STAGE_INFO__INIT;
	struct kit_stage s;
	char *text[] = { (char *)(uintptr_t)path };

	kit_stage_init(&s, id);
	s.from.source.text = text;
	s.from.source.n_text = 1;
	info.stage = &s.stage;
	if (hdfs != NULL) {
		info.has_hdfs = 1;
		info.hdfs = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)hdfs, .len = strlen(hdfs) };
	}
	m.stage = &info;
	kit_tell(b, &m);
}

static void give(struct bench *b, uint32_t stage, uint32_t partition)
{
	Quern__Task t = kit_task(stage, partition, 0);

	kit_give(b, &t, 1);
}

static void tasks_of_stages_with_files_there_get_the_last(void **state)
{
	const struct exec_config config = kit_config();
	struct bench b;
	(void)state;

	kit_open(&b, &config);
	kit_subscribed(&b, 0);
	kit_link_up(&b);
	kit_lease(&b, "lease", 8);
	tell_stage(&b, 1, "hdfs://nn/in", "one");
	tell_stage(&b, 2, "/local/in", NULL);
	tell_stage(&b, 3, "webhdfs://nn/in", NULL); /* is told the same: not again */
	give(&b, 1, 0);
	give(&b, 2, 0);
	give(&b, 3, 0);
	kit_assert_trace(&b, "run 1.0 one\nrun 2.0 -\nrun 3.0 one\n");
	tell_stage(&b, 3, "webhdfs://nn/in", "another");
	give(&b, 1, 1);
	give(&b, 2, 1);
	give(&b, 3, 1);
	kit_assert_trace(&b, "run 1.1 another\nrun 2.1 -\nrun 3.1 another\n");
	kit_close(&b);
}

/* So the worker waits for a NameNode that is not there as long as the driver would. */
static void what_a_worker_is_told_is_known(void **state)
{
	const struct hdfs_access access = { .user = (char *)"ann" };
	struct keep keep = { 0 };
	auto_buf struct buf packed = BUF_INIT(1 << 16);
	(void)state;

	assert_int_equal(hdfs_access_pack(&access, &packed), 0);
	assert_int_equal(keep_set_access(&keep, packed.data, packed.len), 0);
	assert_string_equal(keep.access.user, "ann");
	assert_true(keep.access.known);
	keep_deinit(&keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_of_stages_with_files_there_get_the_last),
		cmocka_unit_test(what_a_worker_is_told_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
