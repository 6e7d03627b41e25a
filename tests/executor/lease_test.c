/* Leases that the driver does not want any more: they end as finished tasks do, and nothing that runs ends
 * with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/executor/core_kit.h"

static void note_call(struct bench *b, const struct exec_action *a)
{
	Mesos__V1__Executor__Call *c = mesos__v1__executor__call__unpack(NULL, a->len, a->data);

	assert_non_null(c);
	if (c->update != NULL) {
		const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
			&mesos__v1__task_state__descriptor, (int)c->update->status->state);

		kit_note(b, "%s %s\n", c->update->status->task_id->value, state->name + strlen("TASK_"));
	}
	mesos__v1__executor__call__free_unpacked(c, NULL);
}

static void note_link(struct bench *b, const struct exec_action *a)
{
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, a->len, a->data);

	assert_non_null(m);
	for (size_t i = 0; i < m->n_leases; i++)
		kit_note(b, "link %s\n", m->leases[i]);
	for (size_t i = 0; i < m->n_results; i++)
		kit_note(b, "result %u.%u %s\n", m->results[i]->stage, m->results[i]->partition,
			m->results[i]->state == QUERN__TASK_RESULT__STATE__DONE ? "done" : "not done");
	quern__to_driver__free_unpacked(m, NULL);
}

static void note_action(struct bench *b, const struct exec_action *a)
{
	if (a->kind == EXEC_DO_CALL)
		note_call(b, a);
	else if (a->kind == EXEC_DO_LINK)
		note_link(b, a);
	else if (a->kind == EXEC_DO_WARM)
		kit_note(b, "warm %u\n", a->n);
	else if (a->kind == EXEC_DO_RUN || a->kind == EXEC_DO_KILL)
		kit_note(b, "%s %u.%u\n", a->kind == EXEC_DO_RUN ? "run" : "kill", a->name.stage,
			a->name.partition);
}

/* Three leases of one slot. */
static void begin(struct bench *b)
{
	const struct exec_config config = kit_config();
	struct kit_stage stage;

	kit_open(b, &config);
	kit_subscribed(b, 0);
	kit_link_up(b);
	kit_stage_init(&stage, 1);
	kit_tell_stage(b, &stage);
	kit_lease(b, "l0", 1);
	kit_lease(b, "l1", 1);
	kit_lease(b, "l2", 1);
	kit_assert_trace(
		b, "l0 RUNNING\nlink l0\nwarm 1\nl1 RUNNING\nlink l1\nwarm 2\nl2 RUNNING\nlink l2\nwarm 3\n");
}

static void give(struct bench *b, uint32_t first, uint32_t n)
{
	Quern__Task tasks[8];

	for (uint32_t i = 0; i < n; i++)
		tasks[i] = kit_task(1, first + i, 0);
	kit_give(b, tasks, n);
}

static void end(struct bench *b, const char *id)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	char *list[] = { (char *)(uintptr_t)id };

	m.n_end_leases = 1;
	m.end_leases = list;
	kit_tell(b, &m);
}

static void done(struct bench *b, uint32_t partition)
{
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_RESULT,
			    .u.result = kit_result(1, partition, 0, QUERN__TASK_RESULT__STATE__DONE) });
	kit_flush(b);
}

static void an_idle_one_is_finished_at_once_and_once(void **state)
{
	struct bench b;
	(void)state;

	begin(&b);
	give(&b, 0, 2);
	kit_assert_trace(&b, "run 1.0\nrun 1.1\n");
	end(&b, "l1");
	kit_assert_trace(&b, "warm 2\nl1 FINISHED\n"); /* a worker goes as well */
	end(&b, "l1");                                 /* the driver is not sure that it was heard */
	end(&b, "l9");
	kit_kill(&b, "l1");
	kit_assert_trace(&b, "");
	done(&b, 0);
	kit_assert_trace(&b, "result 1.0 done\n");
	give(&b, 2, 2); /* two slots are left */
	kit_assert_trace(&b, "run 1.2\n");
	kit_close(&b);
}

static void the_last_one_leaves_the_executor_without_slots(void **state)
{
	struct bench b;
	(void)state;

	begin(&b);
	end(&b, "l0");
	end(&b, "l1");
	end(&b, "l2");
	kit_assert_trace(&b, "warm 2\nl0 FINISHED\nwarm 1\nl1 FINISHED\nwarm 0\nl2 FINISHED\n");
	kit_lease(&b, "l3", 1);
	give(&b, 0, 1);
	kit_assert_trace(&b, "l3 RUNNING\nlink l3\nwarm 1\nrun 1.0\n");
	kit_close(&b);
}

static void a_task_of_the_job_is_not_ended_that_way(void **state)
{
	Quern__TaskData d = QUERN__TASK_DATA__INIT;
	Quern__Task t = kit_task(1, 5, 0);
	uint8_t bytes[256];
	struct bench b;
	(void)state;

	begin(&b);
	d.task = &t;
	kit_launch(&b, "1.5.0", bytes, quern__task_data__pack(&d, bytes));
	kit_assert_trace(&b, "warm 4\nrun 1.5\n");
	end(&b, "1.5.0");
	kit_assert_trace(&b, "");
	kit_close(&b);
}

static void one_that_is_killed_meanwhile_is_killed(void **state)
{
	struct bench b;
	(void)state;

	begin(&b);
	give(&b, 0, 3);
	kit_assert_trace(&b, "run 1.0\nrun 1.1\nrun 1.2\n");
	kit_kill(&b, "l0"); /* by the agent: what is too much ends */
	kit_assert_trace(&b, "kill 1.2\nwarm 2\n");
	end(&b, "l0");
	kit_assert_trace(&b, "");
	done(&b, 1);
	kit_assert_trace(&b, "l0 KILLED\nresult 1.1 done\n");
	kit_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_one_is_finished_at_once_and_once),
		cmocka_unit_test(the_last_one_leaves_the_executor_without_slots),
		cmocka_unit_test(a_task_of_the_job_is_not_ended_that_way),
		cmocka_unit_test(one_that_is_killed_meanwhile_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
