/* Broadcasts, and tasks of several slots, in the executor's core: what a task waits for, what the driver
 * hears, what the shell is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/executor/core_kit.h"

static void note_link(struct bench *b, const struct exec_action *a)
{
	static const char *const states[] = { "done", "failed", "fetch failed", "killed" };
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, a->len, a->data);

	assert_non_null(m);
	if (m->need != NULL && m->need->has_broadcasts)
		kit_note(b, "need the table\n");
	for (size_t i = 0; i < m->n_copies; i++) {
		const Quern__ToDriver__Copy *c = m->copies[i];

		kit_note(b, "%s %u", c->here ? "has" : "wants", c->broadcast);
		if (c->failed != NULL)
			kit_note(b, ", not from '%s': %s", c->failed, c->error);
		kit_note(b, "\n");
	}
	for (size_t i = 0; i < m->n_results; i++)
		kit_note(b, "%s %u.%u.%u%s%s\n", states[m->results[i]->state], m->results[i]->stage,
			m->results[i]->partition, m->results[i]->attempt,
			m->results[i]->error != NULL ? ": " : "",
			m->results[i]->error != NULL ? m->results[i]->error : "");
	quern__to_driver__free_unpacked(m, NULL);
}

static void note_fetch(struct bench *b, const struct exec_action *a)
{
	kit_note(b, "fetch %u, %u bytes, %u", a->n, (unsigned)a->fetch->length, (unsigned)a->fetch->checksum);
	if (a->fetch->executor_id != NULL)
		kit_note(b, ", from %s at %s:%u", a->fetch->executor_id, a->fetch->address, a->fetch->port);
	kit_note(b, "\n");
}

static void note_action(struct bench *b, const struct exec_action *a)
{
	if (a->kind == EXEC_DO_RUN)
		kit_note(b, "run %u.%u.%u\n", a->task->stage, a->task->partition, a->task->attempt);
	else if (a->kind == EXEC_DO_LINK)
		note_link(b, a);
	else if (a->kind == EXEC_DO_FETCH)
		note_fetch(b, a);
	else if (a->kind == EXEC_DO_FORGET)
		kit_note(b, "forget %u\n", a->n);
	else if (a->kind == EXEC_DO_KILL)
		kit_note(b, "kill %u.%u.%u\n", a->name.stage, a->name.partition, a->name.attempt);
}

/* ---- Events ---- */

/* Ids up to a 0; broadcast N has 10 N bytes and checksum 7 N. */
static void tell_table(struct bench *b, uint32_t version, const uint32_t *ids)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Broadcasts table = QUERN__BROADCASTS__INIT;
	Quern__Broadcast all[8], *list[8];

	for (; ids[table.n_list] != 0; table.n_list++) {
		uint32_t id = ids[table.n_list];

		quern__broadcast__init(&all[table.n_list]);
		all[table.n_list].id = id;
		all[table.n_list].length = 10 * id;
		all[table.n_list].checksum = 7 * id;
		list[table.n_list] = &all[table.n_list];
	}
	table.version = version;
	table.list = list;
	m.broadcasts = &table;
	kit_tell(b, &m);
}

/* `from` NULL: the driver. */
static void tell_fetch(struct bench *b, uint32_t id, const char *from)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__Fetch fetch = QUERN__TO_EXECUTOR__FETCH__INIT, *list[] = { &fetch };

	fetch.broadcast = id;
	fetch.executor_id = (char *)(uintptr_t)from;
	fetch.address = from != NULL ? (char *)(uintptr_t) "10.0.0.2" : NULL;
	fetch.has_port = from != NULL;
	fetch.port = 99;
	m.n_fetch = 1;
	m.fetch = list;
	kit_tell(b, &m);
}

static void fetched(struct bench *b, uint32_t id, const char *error)
{
	kit_step(b, (struct exec_event){
			    .kind = EXEC_EV_FETCHED, .u.fetched = { .broadcast = id, .error = error } });
	kit_flush(b);
}

/* Stage 1. `version` of the table 0: none; `slots` 0: unsaid. */
static void give(struct bench *b, uint32_t partition, uint32_t version, uint32_t slots)
{
	Quern__Task task = kit_task(1, partition, 0);

	task.has_broadcasts_version = version > 0;
	task.broadcasts_version = version;
	task.has_slots = slots > 0;
	task.slots = slots;
	kit_give(b, &task, 1);
}

static void done(struct bench *b, uint32_t partition)
{
	kit_give_result(b, kit_result(1, partition, 0, QUERN__TASK_RESULT__STATE__DONE));
	kit_flush(b);
}

static void open_bench(struct bench *b, uint32_t slots)
{
	const struct exec_config config = kit_config();
	struct kit_stage stage;

	kit_open(b, &config);
	kit_subscribed(b, 0);
	kit_link_up(b);
	kit_lease(b, "lease-0", slots);
	kit_stage_init(&stage, 1);
	kit_tell_stage(b, &stage);
	buf_clear(&b->trace);
}

#define IDS(...) ((const uint32_t[]){ __VA_ARGS__, 0 })

/* ---- Broadcasts ---- */

static void a_task_waits_for_all_of_them(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	tell_table(&b, 2, IDS(1, 2));
	kit_assert_trace(&b, "wants 1\nwants 2\n");
	give(&b, 0, 2, 0);
	kit_assert_trace(&b, "");
	tell_fetch(&b, 1, NULL);
	tell_fetch(&b, 2, "e7");
	kit_assert_trace(&b, "fetch 1, 10 bytes, 7\nfetch 2, 20 bytes, 14, from e7 at 10.0.0.2:99\n");
	fetched(&b, 2, NULL);
	kit_assert_trace(&b, "has 2\n");
	fetched(&b, 1, NULL);
	kit_assert_trace(&b, "has 1\nrun 1.0.0\n");
	give(&b, 1, 2, 0);
	kit_assert_trace(&b, "run 1.1.0\n");
	kit_close(&b);
}

static void a_task_that_needs_none_does_not_wait(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	give(&b, 0, 0, 0);
	kit_assert_trace(&b, "run 1.0.0\n");
	kit_close(&b);
}

static void a_table_that_is_too_old_is_asked_for_once(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	tell_table(&b, 1, IDS(1));
	tell_fetch(&b, 1, NULL);
	fetched(&b, 1, NULL);
	buf_clear(&b.trace);
	give(&b, 0, 2, 0);
	kit_assert_trace(&b, "need the table\n");
	give(&b, 1, 2, 0);
	kit_assert_trace(&b, "");
	kit_link_down(&b, "it ended");
	kit_link_up(&b);
	kit_assert_trace(&b, "has 1\nneed the table\n");
	tell_table(&b, 1, IDS(1)); /* late */
	kit_assert_trace(&b, "");
	tell_table(&b, 3, IDS(1));
	kit_assert_trace(&b, "run 1.0.0\nrun 1.1.0\n");
	kit_close(&b);
}

static void what_is_not_in_the_table_goes(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 2);
	tell_table(&b, 3, IDS(1, 2, 3));
	tell_fetch(&b, 1, NULL);
	tell_fetch(&b, 2, NULL);
	fetched(&b, 1, NULL);
	buf_clear(&b.trace);
	give(&b, 0, 3, 0);
	tell_table(&b, 4, IDS(1));
	kit_assert_trace(&b, "forget 2\nforget 3\nrun 1.0.0\n");
	fetched(&b, 2, NULL); /* nobody asked for it */
	tell_fetch(&b, 3, NULL);
	kit_assert_trace(&b, "");
	tell_table(&b, 5, IDS(0));
	kit_assert_trace(&b, "forget 1\n");
	kit_close(&b);
}

static void what_cannot_be_had_is_asked_for_again_and_fails_in_the_end(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 1);
	tell_table(&b, 1, IDS(1));
	give(&b, 0, 1, 0);
	give(&b, 1, 1, 0);
	give(&b, 2, 0, 0); /* needs nothing */
	tell_fetch(&b, 1, "e7");
	buf_clear(&b.trace);
	fetched(&b, 1, "no");
	kit_assert_trace(&b, "wants 1, not from 'e7': no\n");
	for (int i = 0; i < 2; i++) {
		tell_fetch(&b, 1, NULL);
		fetched(&b, 1, "no");
		kit_assert_trace(&b, "fetch 1, 10 bytes, 7\nwants 1, not from '': no\n");
	}
	tell_fetch(&b, 1, NULL);
	fetched(&b, 1, "never");
	kit_assert_trace(&b, "fetch 1, 10 bytes, 7\nfailed 1.0.0: never\nfailed 1.1.0: never\n");
	give(&b, 3, 1, 0); /* the next one begins anew */
	kit_assert_trace(&b, "wants 1\n");
	tell_fetch(&b, 1, NULL);
	fetched(&b, 1, NULL);
	kit_assert_trace(&b, "fetch 1, 10 bytes, 7\nhas 1\n");
	done(&b, 2);
	kit_assert_trace(&b, "run 1.3.0\ndone 1.2.0\n");
	kit_close(&b);
}

static void a_new_link_hears_everything_but_what_is_coming(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 1);
	tell_table(&b, 1, IDS(1, 2, 3));
	tell_fetch(&b, 1, NULL);
	tell_fetch(&b, 2, NULL);
	fetched(&b, 1, NULL);
	kit_link_down(&b, "it ended");
	buf_clear(&b.trace);
	tell_fetch(&b, 2, "e7"); /* it is coming */
	kit_link_up(&b);
	kit_assert_trace(&b, "has 1\nwants 3\n");
	fetched(&b, 2, "no");
	kit_assert_trace(&b, "wants 2, not from '': no\n");
	kit_link_down(&b, "it ended");
	tell_fetch(&b, 2, "e7");
	buf_clear(&b.trace);
	fetched(&b, 2, NULL);
	kit_assert_trace(&b, "");
	kit_link_up(&b);
	kit_assert_trace(&b, "has 1\nhas 2\nwants 3\n");
	kit_close(&b);
}

/* ---- Slots ---- */

static void a_task_takes_its_slots(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 4);
	give(&b, 0, 0, 3);
	give(&b, 1, 0, 0);
	give(&b, 2, 0, 2);
	give(&b, 3, 0, 1);
	kit_assert_trace(&b, "run 1.0.0\nrun 1.1.0\n"); /* in order: the last one does not pass by */
	done(&b, 1);
	kit_assert_trace(&b, "done 1.1.0\n");
	done(&b, 0);
	kit_assert_trace(&b, "run 1.2.0\nrun 1.3.0\ndone 1.0.0\n");
	kit_close(&b);
}

static void a_lease_that_ends_takes_its_tasks_along(void **state)
{
	struct bench b;
	(void)state;

	open_bench(&b, 3);
	kit_lease(&b, "lease-1", 2);
	give(&b, 0, 0, 2);
	give(&b, 1, 0, 3);
	give(&b, 2, 0, 4); /* waits */
	buf_clear(&b.trace);
	kit_kill(&b, "lease-1");
	kit_assert_trace(&b, "kill 1.1.0\n"); /* the newest, which is enough */
	kit_flush(&b);
	kit_assert_trace(&b, "killed 1.2.0: killed as asked\n"); /* could never run here any more */
	kit_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_waits_for_all_of_them),
		cmocka_unit_test(a_task_that_needs_none_does_not_wait),
		cmocka_unit_test(a_table_that_is_too_old_is_asked_for_once),
		cmocka_unit_test(what_is_not_in_the_table_goes),
		cmocka_unit_test(what_cannot_be_had_is_asked_for_again_and_fails_in_the_end),
		cmocka_unit_test(a_new_link_hears_everything_but_what_is_coming),
		cmocka_unit_test(a_task_takes_its_slots),
		cmocka_unit_test(a_lease_that_ends_takes_its_tasks_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
