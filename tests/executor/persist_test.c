/* Persisted sets in the executor's core: where attempts begin, what becomes of what they keep, and what the
 * driver hears of it. No memory is behind the blobs here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/executor/core_kit.h"

enum { BUDGET = 1000, SETS_MAX = 20 };

static void note_run(struct bench *b, const struct exec_action *a)
{
	kit_note(b, "run %u.%u.%u", a->task->stage, a->task->partition, a->task->attempt);
	if (a->cached != NULL && a->cached->reads)
		kit_note(b, " read %u:%u(%u)", a->cached->read.step, a->cached->read.blob,
			(unsigned)a->cached->read.bytes);
	for (uint32_t i = 0; a->cached != NULL && i < a->cached->n_write; i++)
		kit_note(b, " write %u:%u", a->cached->write[i].step, a->cached->write[i].blob);
	if (a->cached != NULL && a->cached->most != BUDGET)
		kit_note(b, " most %u", (unsigned)a->cached->most);
	kit_note(b, "\n");
}

static void note_results(struct bench *b, const struct exec_action *a)
{
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, a->len, a->data);

	assert_non_null(m);
	for (size_t i = 0; i < m->n_results; i++) {
		const Quern__TaskResult *r = m->results[i];

		kit_note(b, "result %u.%u.%u", r->stage, r->partition, r->attempt);
		for (size_t k = 0; k < r->n_kept; k++)
			kit_note(
				b, " %s %u", r->kept[k]->too_large ? "too large" : "kept", r->kept[k]->cache);
		for (size_t k = 0; k < r->n_evicted; k++)
			kit_note(b, " evicted %u.%u", r->evicted[k]->cache, r->evicted[k]->partition);
		kit_note(b, "\n");
	}
	quern__to_driver__free_unpacked(m, NULL);
}

static void note_action(struct bench *b, const struct exec_action *a)
{
	if (a->kind == EXEC_DO_RUN)
		note_run(b, a);
	else if (a->kind == EXEC_DO_LINK)
		note_results(b, a);
	else if (a->kind == EXEC_DO_DISCARD)
		kit_note(b, "discard %u\n", a->n);
}

/* ---- Events ---- */

/* A text stage with a map and then a CACHE step for each of `sets`. */
static void tell_stage(struct bench *b, uint32_t id, const uint32_t *sets, size_t n)
{
	struct kit_stage s;
	Quern__Step steps[2 * SETS_MAX], *list[2 * SETS_MAX];
	Quern__Cache caches[SETS_MAX];

	kit_stage_init(&s, id);
	s.from.branch.steps = list;
	s.from.branch.n_steps = 2 * n;
	for (size_t i = 0; i < n; i++) {
		quern__step__init(&steps[2 * i]);
		quern__step__init(&steps[2 * i + 1]);
		quern__cache__init(&caches[i]);
		list[2 * i] = &steps[2 * i];
		list[2 * i + 1] = &steps[2 * i + 1];
		steps[2 * i + 1].kind = QUERN__STEP__KIND__CACHE;
		steps[2 * i + 1].cache = &caches[i];
		caches[i].id = sets[i];
	}
	kit_tell_stage(b, &s);
}

static void open_bench(struct bench *b, uint64_t budget)
{
	const struct exec_config config = kit_config();

	kit_open(b, &config);
	kit_subscribed(b, budget);
	kit_link_up(b);
	kit_lease(b, "lease-0", 2);
	tell_stage(b, 1, (const uint32_t[]){ 5, 6 }, 2);
	tell_stage(b, 2, (const uint32_t[]){ 5 }, 1);
	tell_stage(b, 3, (const uint32_t[]){ 7 }, 1);
	buf_clear(&b->trace);
}

/* Over one extent of file `path`; `memory` 0: unsaid. */
static void give_task(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt, const char *path,
	uint64_t memory)
{
	Quern__Task task = kit_task(stage, partition, attempt);
	Quern__Split split = QUERN__SPLIT__INIT;
	Quern__Extent extent = QUERN__EXTENT__INIT, *extents[] = { &extent };

	extent.path = (char *)(uintptr_t)path;
	extent.length = 100;
	split.extents = extents;
	split.n_extents = 1;
	task.split = &split;
	task.has_memory = memory > 0;
	task.memory = memory;
	kit_give(b, &task, 1);
}

static void give(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	give_task(b, stage, partition, attempt, "/in", 0);
}

struct said {
	uint32_t set;
	uint64_t bytes; /* UINT64_MAX: too large */
};

static void end(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt,
	Quern__TaskResult__State state, const struct said *said, size_t n)
{
	Quern__TaskResult *r = kit_result(stage, partition, attempt, state);

	r->n_kept = n;
	r->kept = calloc(n + 1, sizeof(Quern__TaskResult__Kept *));
	assert_non_null(r->kept);
	for (size_t i = 0; i < n; i++) {
		r->kept[i] = calloc(1, sizeof(Quern__TaskResult__Kept));
		assert_non_null(r->kept[i]);
		quern__task_result__kept__init(r->kept[i]);
		r->kept[i]->cache = said[i].set;
		r->kept[i]->has_too_large = r->kept[i]->too_large = said[i].bytes == UINT64_MAX;
		r->kept[i]->has_bytes = said[i].bytes != UINT64_MAX;
		r->kept[i]->bytes = said[i].bytes;
	}
	kit_give_result(b, r);
	kit_flush(b);
}

/* It is done and has kept `bytes` of a set. */
static void done(struct bench *b, uint32_t stage, uint32_t partition, uint32_t set, uint64_t bytes)
{
	const struct said said = { set, bytes };

	end(b, stage, partition, 0, QUERN__TASK_RESULT__STATE__DONE, &said, 1);
}

static void drop(struct bench *b, uint32_t set)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	m.n_drop_caches = 1;
	m.drop_caches = &set;
	kit_tell(b, &m);
}

/* ---- Tests ---- */

static void an_attempt_begins_behind_the_last_step_that_is_kept(void **state)
{
	const struct said both[] = { { 5, 100 }, { 6, 50 } };
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 1, 0, 0);
	kit_assert_trace(&b, "run 1.0.0 write 1:1 write 3:2\n");
	end(&b, 1, 0, 0, QUERN__TASK_RESULT__STATE__DONE, both, 2);
	kit_assert_trace(&b, "result 1.0.0 kept 5 kept 6\n");
	give(&b, 1, 0, 1);
	kit_assert_trace(&b, "run 1.0.1 read 3:2(50)\n");
	give(&b, 2, 0, 0); /* another stage, of the first set alone */
	kit_assert_trace(&b, "run 2.0.0 read 1:1(100)\n");
	end(&b, 1, 0, 1, QUERN__TASK_RESULT__STATE__DONE, NULL, 0);
	kit_assert_trace(&b, "result 1.0.1\n");
	end(&b, 2, 0, 0, QUERN__TASK_RESULT__STATE__DONE, NULL, 0);
	kit_assert_trace(&b, "result 2.0.0\n");
	give(&b, 1, 1, 0); /* another partition */
	kit_assert_trace(&b, "run 1.1.0 write 1:3 write 3:4\n");
	kit_close(&b);
}

static void what_comes_behind_is_kept_as_well(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 100);
	kit_assert_trace(&b, "run 2.0.0 write 1:1\nresult 2.0.0 kept 5\n");
	give(&b, 1, 0, 0);
	kit_assert_trace(&b, "run 1.0.0 read 1:1(100) write 3:2\n");
	done(&b, 1, 0, 6, 10);
	kit_assert_trace(&b, "result 1.0.0 kept 6\n");
	kit_close(&b);
}

static void only_what_is_whole_is_kept(void **state)
{
	const struct said said[] = { { 5, 100 }, { 99, 5 } }; /* one set that nobody asked for */
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	end(&b, 2, 0, 0, QUERN__TASK_RESULT__STATE__FAILED, said, 1);
	kit_assert_trace(&b, "run 2.0.0 write 1:1\ndiscard 1\nresult 2.0.0\n");
	give(&b, 2, 0, 1);
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__DONE, NULL, 0); /* a limit stopped it */
	kit_assert_trace(&b, "run 2.0.1 write 1:2\ndiscard 2\nresult 2.0.1\n");
	give(&b, 2, 0, 2);
	end(&b, 2, 0, 2, QUERN__TASK_RESULT__STATE__KILLED, said, 1);
	kit_assert_trace(&b, "run 2.0.2 write 1:3\ndiscard 3\nresult 2.0.2\n");
	give(&b, 2, 0, 3);
	end(&b, 2, 0, 3, QUERN__TASK_RESULT__STATE__DONE, said, 2);
	kit_assert_trace(&b, "run 2.0.3 write 1:4\nresult 2.0.3 kept 5\n");
	kit_close(&b);
}

static void another_division_of_the_input_is_another_partition(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give_task(&b, 2, 0, 0, "/in", 0);
	done(&b, 2, 0, 5, 100);
	give_task(&b, 2, 0, 1, "/in2", 0);
	kit_assert_trace(&b, "run 2.0.0 write 1:1\nresult 2.0.0 kept 5\nrun 2.0.1 write 1:2\n");
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__DONE, &(const struct said){ 5, 30 }, 1);
	kit_assert_trace(&b, "discard 1\nresult 2.0.1 kept 5\n");
	give_task(&b, 2, 0, 2, "/in", 0);
	kit_assert_trace(&b, "run 2.0.2 write 1:3\n");
	kit_close(&b);
}

static void what_makes_room_is_told(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	for (uint32_t i = 0; i < 2; i++) {
		give(&b, 2, i, 0);
		done(&b, 2, i, 5, 400);
	}
	buf_clear(&b.trace);
	give(&b, 3, 0, 0);
	done(&b, 3, 0, 7, 900);
	kit_assert_trace(&b, "run 3.0.0 write 1:3\n"
			     "discard 1\ndiscard 2\n"
			     "result 3.0.0 kept 7 evicted 5.0 evicted 5.1\n");
	/* The set itself does not make room for its own. */
	give(&b, 3, 1, 0);
	done(&b, 3, 1, 7, 900);
	kit_assert_trace(&b, "run 3.1.0 write 1:4\ndiscard 4\nresult 3.1.0\n");
	give(&b, 3, 2, 0);
	done(&b, 3, 2, 7, UINT64_MAX);
	kit_assert_trace(&b, "run 3.2.0 write 1:5\ndiscard 5\nresult 3.2.0 too large 7\n");
	kit_close(&b);
}

static void what_is_read_stays_until_the_end(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 600);
	buf_clear(&b.trace);
	give(&b, 2, 0, 1);
	give(&b, 3, 0, 0);
	kit_assert_trace(&b, "run 2.0.1 read 1:1(600)\nrun 3.0.0 write 1:2\n");
	done(&b, 3, 0, 7, 600); /* there is no room for both */
	kit_assert_trace(&b, "discard 2\nresult 3.0.0\n");
	drop(&b, 5);
	kit_assert_trace(&b, "");
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__DONE, NULL, 0);
	kit_assert_trace(&b, "discard 1\nresult 2.0.1\n");
	kit_close(&b);
}

static void a_dropped_set_is_given_back_and_not_kept_again(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 100);
	give(&b, 2, 1, 0);
	buf_clear(&b.trace);
	drop(&b, 5);
	kit_assert_trace(&b, "discard 1\n");
	done(&b, 2, 1, 5, 100); /* it had begun before */
	kit_assert_trace(&b, "discard 2\nresult 2.1.0\n");
	give(&b, 2, 0, 1);
	kit_assert_trace(&b, "run 2.0.1\n");
	kit_close(&b);
}

static void a_task_that_fails_on_what_was_kept_gets_it_anew(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give(&b, 2, 0, 0);
	done(&b, 2, 0, 5, 100);
	buf_clear(&b.trace);
	give(&b, 2, 0, 1);
	end(&b, 2, 0, 1, QUERN__TASK_RESULT__STATE__FAILED, NULL, 0);
	kit_assert_trace(&b, "run 2.0.1 read 1:1(100)\ndiscard 1\nresult 2.0.1 evicted 5.0\n");
	give(&b, 2, 0, 2);
	kit_assert_trace(&b, "run 2.0.2 write 1:2\n");
	kit_close(&b);
}

static void a_quarter_of_the_tasks_memory_is_for_what_it_keeps(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	give_task(&b, 2, 0, 0, "/in", 300);
	give_task(&b, 2, 1, 0, "/in", 6000);
	kit_assert_trace(&b, "run 2.0.0 write 1:1 most 75\nrun 2.1.0 write 1:2\n");
	kit_close(&b);
}

static void without_a_budget_nothing_is_kept(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, 0);
	give(&b, 1, 0, 0);
	done(&b, 1, 0, 5, 1);
	drop(&b, 5);
	give(&b, 1, 0, 1);
	kit_assert_trace(&b, "run 1.0.0\nresult 1.0.0\nrun 1.0.1\n");
	kit_close(&b);
}

static void an_attempt_keeps_so_many_sets_and_no_more(void **state)
{
	uint32_t sets[SETS_MAX];
	char expected[1024] = "run 4.0.0";
	struct bench b;

	(void)state;
	open_bench(&b, BUDGET);
	for (uint32_t i = 0; i < SETS_MAX; i++)
		sets[i] = 100 + i;
	for (uint32_t i = 0; i < EXEC_KEEPS_MAX; i++) {
		size_t len = strlen(expected);

		(void)snprintf(expected + len, sizeof(expected) - len, " write %u:%u%s", 2 * i + 1, i + 1,
			i + 1 == EXEC_KEEPS_MAX ? "\n" : "");
	}
	tell_stage(&b, 4, sets, SETS_MAX);
	give(&b, 4, 0, 0);
	kit_assert_trace(&b, expected);
	kit_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_begins_behind_the_last_step_that_is_kept),
		cmocka_unit_test(what_comes_behind_is_kept_as_well),
		cmocka_unit_test(only_what_is_whole_is_kept),
		cmocka_unit_test(another_division_of_the_input_is_another_partition),
		cmocka_unit_test(what_makes_room_is_told),
		cmocka_unit_test(what_is_read_stays_until_the_end),
		cmocka_unit_test(a_dropped_set_is_given_back_and_not_kept_again),
		cmocka_unit_test(a_task_that_fails_on_what_was_kept_gets_it_anew),
		cmocka_unit_test(a_quarter_of_the_tasks_memory_is_for_what_it_keeps),
		cmocka_unit_test(without_a_budget_nothing_is_kept),
		cmocka_unit_test(an_attempt_keeps_so_many_sets_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
