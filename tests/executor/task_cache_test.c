/* task_run() with persisted sets: what a task keeps, and another begins with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "tests/executor/task_kit.h"

/* A memfd for a CACHE step, and what the task is told of it. */
struct kept {
	int fd;
	char path[64];
	Quern__TaskCache cache;
	Quern__TaskCache__File file, *list[1];
};

static void kept_open(struct kept *k, uint32_t step, uint64_t most)
{
	quern__task_cache__init(&k->cache);
	quern__task_cache__file__init(&k->file);
	k->fd = memfd_create("quern-cache-1", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(k->fd >= 0);
	(void)snprintf(k->path, sizeof(k->path), "/proc/%d/fd/%d", (int)getpid(), k->fd);
	k->file.path = k->path;
	k->file.name = (char *)(uintptr_t) "quern-cache-1";
	k->file.step = step;
	k->cache.has_most = 1;
	k->cache.most = most;
	k->list[0] = &k->file;
	k->cache.write = k->list;
	k->cache.n_write = 1;
}

/* What was written is to be read. */
static void kept_read(struct kept *k, uint64_t bytes)
{
	k->cache.n_write = 0;
	k->cache.read = &k->file;
	k->file.has_bytes = 1;
	k->file.bytes = bytes;
}

static void add_cache_step(struct bench *b, uint32_t id, bool compressed)
{
	size_t i = b->from.branch.n_steps++;

	quern__step__init(&b->steps[i]);
	quern__cache__init(&b->caches[0]);
	b->caches[0].id = id;
	b->caches[0].has_compressed = b->caches[0].compressed = compressed;
	b->steps[i].kind = QUERN__STEP__KIND__CACHE;
	b->steps[i].cache = &b->caches[0];
	b->step_list[i] = &b->steps[i];
}

/* words -> kept -> twice -> collect */
static void open_kept(struct bench *b, struct kept *k, bool compressed, uint64_t most)
{
	static const char text[] = "one two\nthree four\nfive\n";

	kit_open(b);
	kit_input(b, text, sizeof(text) - 1);
	kit_add_step(b, QUERN__STEP__KIND__FLAT_MAP, false, "words");
	add_cache_step(b, 33, compressed);
	kit_add_step(b, QUERN__STEP__KIND__FLAT_MAP, false, "twice");
	b->sink.kind = QUERN__SINK__KIND__COLLECT;
	kept_open(k, 1, most);
	b->cache = &k->cache;
}

static void close_kept(struct bench *b, const struct kept *k)
{
	(void)close(k->fd);
	kit_close(b);
}

static void a_task_keeps_and_another_begins_there(void **state)
{
	for (int compressed = 0; compressed < 2; compressed++) {
		struct bench b;
		struct kept k;

		(void)state;
		open_kept(&b, &k, compressed != 0, 10000);
		Quern__TaskResult *first = kit_run_done(&b, 0, 0);
		assert_int_equal(first->n_kept, 1);
		assert_int_equal(first->kept[0]->cache, 33);
		assert_true(first->kept[0]->has_bytes && first->kept[0]->bytes > 0);
		assert_int_equal(first->records_in, 3);
		assert_int_equal(first->records_out, 10);
		assert_false(first->from_cache);

		kept_read(&k, first->kept[0]->bytes);
		assert_int_equal(unlink(b.input), 0); /* nobody reads it */
		Quern__TaskResult *second = kit_run_done(&b, 0, 1);
		assert_true(second->from_cache);
		assert_int_equal(second->n_kept, 0);
		assert_int_equal(second->records_in, 5);
		assert_int_equal(second->bytes_in, first->kept[0]->bytes);
		assert_int_equal(second->data.len, first->data.len);
		assert_memory_equal(second->data.data, first->data.data, first->data.len);
		kit_done_with(first);
		kit_done_with(second);
		close_kept(&b, &k);
	}
}

static void what_cannot_be_had_is_computed(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	kept_read(&k, 5); /* it is empty */
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	assert_false(result->from_cache);
	assert_int_equal(result->records_in, 3);
	kit_done_with(result);
	k.file.step = 2; /* no step that keeps anything */
	k.file.bytes = 0;
	result = kit_run_done(&b, 0, 1);
	assert_false(result->from_cache);
	assert_int_equal(result->records_out, 10);
	kit_done_with(result);
	close_kept(&b, &k);
}

static void what_cannot_be_kept_is_not_missed(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10);
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	assert_int_equal(result->records_out, 10);
	assert_int_equal(result->n_kept, 1);
	assert_true(result->kept[0]->too_large);
	assert_false(result->kept[0]->has_bytes);
	kit_done_with(result);
	k.file.path = (char *)(uintptr_t) "/proc/self/fd/9999";
	result = kit_run_done(&b, 0, 1);
	assert_int_equal(result->records_out, 10);
	assert_int_equal(result->n_kept, 0);
	kit_done_with(result);
	close_kept(&b, &k);
}

/* Not all records passed: a later task would take them for all. */
static void what_a_limit_stopped_is_not_kept(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	b.sink.has_limit = true;
	b.sink.limit = 3;
	Quern__TaskResult *result = kit_run_done(&b, 0, 0);
	assert_int_equal(result->records_out, 3);
	assert_int_equal(result->n_kept, 0);
	kit_done_with(result);
	close_kept(&b, &k);
}

static void what_failed_is_not_kept(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	b.functions[2] = kit_function(kit_code, "upper");
	b.steps[2].kind = QUERN__STEP__KIND__MAP;
	b.functions[0] = kit_function(kit_code, "twice");
	b.steps[0].kind = QUERN__STEP__KIND__MAP; /* emits two */
	Quern__TaskResult *result = kit_run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_int_equal(result->n_kept, 0);
	kit_done_with(result);
	close_kept(&b, &k);
}

static void what_is_damaged_fails_the_attempt(void **state)
{
	struct bench b;
	struct kept k;

	(void)state;
	open_kept(&b, &k, false, 10000);
	assert_int_equal(pwrite(k.fd, "\7\7", 2, 0), 2);
	kept_read(&k, 2);
	Quern__TaskResult *result = kit_run(&b, 0, 0);
	assert_int_equal(result->state, QUERN__TASK_RESULT__STATE__FAILED);
	assert_non_null(strstr(result->error, "damaged"));
	assert_false(result->final);
	kit_done_with(result);
	close_kept(&b, &k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_keeps_and_another_begins_there),
		cmocka_unit_test(what_cannot_be_had_is_computed),
		cmocka_unit_test(what_cannot_be_kept_is_not_missed),
		cmocka_unit_test(what_a_limit_stopped_is_not_kept),
		cmocka_unit_test(what_failed_is_not_kept),
		cmocka_unit_test(what_is_damaged_fails_the_attempt),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
