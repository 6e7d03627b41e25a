/* Tasks once they are launched: updates and their acknowledgement, KILL, RECONCILE, MESSAGE, SHUTDOWN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/local/master_kit_calls.h"

#define LATEST "SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Latest task state\" -\n"

/* Two agents; a task of executor e1 on the first. */
static void init_as(struct kit *k, const struct kit_framework *f)
{
	kit_init(k);
	kit_subscribe_as(k, 1, f);
	kit_agent(k, 1, "cpus:4;mem:1024");
	kit_agent(k, 2, "cpus:4;mem:1024");
	kit_launch(k, 1, "O0", 1000, { .id = "t1", .executor = "e1" });
	k->text[0] = '\0';
}

static void init(struct kit *k)
{
	init_as(k, &(struct kit_framework){ .failover_timeout = 60 });
}

/* ---- Updates ---- */

static void updates_and_acknowledgements_are_handed_on(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_update(&k, 1, 1, "t1", TASK_RUNNING, 3);
	kit_expect(&k, "1 UPDATE t1 TASK_RUNNING S0 SOURCE_EXECUTOR 3\n");
	kit_acknowledge(&k, 1, "S0", "t1", 3);
	kit_expect(&k, "agent 1: acknowledge t1 3\n");
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 4);
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 4); /* the agent says it again until it is acknowledged */
	kit_expect(&k, "1 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 4\n"
		       "1 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 4\n");
	kit_reconcile(&k, 1, NULL, NULL);
	kit_expect(&k, "1 UPDATE t1 TASK_FINISHED S0 e1 " LATEST);
	kit_acknowledge(&k, 1, "S0", "t1", 4);
	kit_expect(&k, "agent 1: acknowledge t1 4\n");
	kit_reconcile(&k, 1, NULL, NULL); /* it is forgotten */
	kit_expect(&k, "");
	kit_acknowledge(&k, 1, "S0", "t1", 4); /* of a task that is over, but the agent may still want it */
	kit_expect(&k, "agent 1: acknowledge t1 4\n");
	kit_deinit(&k);
}

static void the_latest_state_frees_what_the_update_does_not_say_yet(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_update_latest(&k, 1, 1, "t1", "e1", MESOS__V1__TASK_STATE__TASK_RUNNING,
		MESOS__V1__TASK_STATE__TASK_FINISHED, 3);
	kit_expect(&k, "1 UPDATE t1 TASK_RUNNING S0 e1 SOURCE_EXECUTOR 3\n");
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=3.9 mem=992 (*) [e1]\n");
	kit_reconcile(&k, 1, NULL, NULL); /* repeats what was said */
	kit_expect(&k, "1 UPDATE t1 TASK_RUNNING S0 e1 " LATEST);
	kit_acknowledge(&k, 1, "S0", "t1", 3); /* not of the end */
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 4);
	kit_expect(&k, "agent 1: acknowledge t1 3\n1 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 4\n");
	kit_acknowledge(&k, 1, "S0", "t1", 4);
	kit_expect(&k, "agent 1: acknowledge t1 4\n");
	kit_reconcile(&k, 1, NULL, NULL);
	kit_expect(&k, "");
	kit_wait(&k, 1000); /* and it is free once */
	kit_expect(&k, "");
	kit_deinit(&k);
}

static void an_acknowledgement_of_nothing_goes_nowhere(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_acknowledge(&k, 1, "S0", "t1", 9); /* nothing was said of it */
	kit_acknowledge(&k, 1, "S7", "t1", 9);
	kit_expect(&k, "");
	kit_update(&k, 1, 1, "t1", TASK_FAILED, 3);
	kit_acknowledge(&k, 1, "S0", "t1", 2); /* another one */
	kit_reconcile(&k, 1, NULL, NULL);
	kit_expect(&k, "1 UPDATE t1 TASK_FAILED S0 SOURCE_EXECUTOR 3\nagent 1: acknowledge t1 2\n"
		       "1 UPDATE t1 TASK_FAILED S0 e1 " LATEST);
	kit_deinit(&k);
}

static void an_update_without_a_uuid_is_the_last_word(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_update(&k, 1, 1, "t1", TASK_DROPPED, 0);
	kit_expect(&k, "1 UPDATE t1 TASK_DROPPED S0 SOURCE_EXECUTOR -\n");
	kit_reconcile(&k, 1, NULL, NULL);
	kit_expect(&k, "");
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=3.9 mem=992 (*) [e1]\n");
	kit_deinit(&k);
}

static void an_agent_speaks_for_its_own_tasks(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_update(&k, 2, 1, "t1", TASK_FINISHED, 3); /* not on that agent: passed on, and nothing else */
	kit_expect(&k, "1 UPDATE t1 TASK_FINISHED S1 SOURCE_EXECUTOR 3\n");
	kit_reconcile(&k, 1, NULL, NULL);
	kit_expect(&k, "1 UPDATE t1 TASK_STAGING S0 e1 " LATEST);
	kit_update(&k, 7, 1, "t1", TASK_FINISHED, 3); /* of no agent at all */
	kit_expect(&k, "");
	kit_deinit(&k);
}

/* ---- KILL ---- */

static void kill_is_handed_on(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_kill(&k, 1, "t1", "S0");
	kit_kill(&k, 1, "t1", NULL);
	kit_expect(&k, "agent 1: kill t1\nagent 1: kill t1\n");
	kit_kill(&k, 1, "t1", "S1"); /* not there */
	kit_expect(&k, "");
	kit_kill(&k, 1, "t9", "S0"); /* nothing to kill: what is known of it */
	kit_expect(&k,
		"1 UPDATE t9 TASK_GONE S0 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown to the agent\" -\n");
	kit_kill(&k, 1, "t9", NULL);
	kit_expect(&k,
		"1 UPDATE t9 TASK_UNKNOWN SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown\" -\n");
	kit_deinit(&k);
}

/* ---- RECONCILE ---- */

static void explicit_reconciliation_answers_each(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_update(&k, 1, 1, "t1", TASK_RUNNING, 3);
	k.text[0] = '\0';
	kit_reconcile(&k, 1, "t1", NULL);
	kit_expect(&k, "1 UPDATE t1 TASK_RUNNING S0 e1 " LATEST);
	kit_reconcile(&k, 1, "t9", NULL);
	kit_expect(&k,
		"1 UPDATE t9 TASK_UNKNOWN SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown\" -\n");
	kit_reconcile(&k, 1, "t9", "S1");
	kit_expect(&k,
		"1 UPDATE t9 TASK_GONE S1 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown to the agent\" -\n");
	kit_reconcile(&k, 1, "t9", "S9");
	kit_expect(&k,
		"1 UPDATE t9 TASK_UNKNOWN S9 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown\" -\n");
	kit_deinit(&k);
}

static void without_partitions_every_unknown_task_is_lost(void **state)
{
	struct kit k;
	(void)state;

	init_as(&k, &(struct kit_framework){ .not_partition_aware = true });
	kit_reconcile(&k, 1, "t9", NULL);
	kit_expect(&k, "1 UPDATE t9 TASK_LOST SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		       "unknown\" -\n");
	kit_reconcile(&k, 1, "t9", "S1");
	kit_expect(&k,
		"1 UPDATE t9 TASK_LOST S1 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown to the agent\" -\n");
	kit_deinit(&k);
}

static void tasks_of_others_are_nobodys_business(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_subscribe(&k, 2);
	k.text[0] = '\0';
	kit_reconcile(&k, 2, NULL, NULL);
	kit_expect(&k, "");
	kit_kill(&k, 2, "t1", NULL);
	kit_expect(&k,
		"2 UPDATE t1 TASK_UNKNOWN SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown\" -\n");
	kit_deinit(&k);
}

/* ---- MESSAGE, SHUTDOWN ---- */

static void to_executor(struct kit *k, int conn, const char *agent, const char *executor, const char *data)
{
	Mesos__V1__Scheduler__Call__Message message = MESOS__V1__SCHEDULER__CALL__MESSAGE__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];

	agent_id.value = kit_long(k, agent, room);
	executor_id.value = (char *)executor;
	message.agent_id = &agent_id;
	message.executor_id = &executor_id;
	message.data = (ProtobufCBinaryData){ .data = (uint8_t *)data, .len = strlen(data) };
	call.message = &message;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__MESSAGE, &call);
}

static void shut_down(struct kit *k, int conn, const char *agent, const char *executor)
{
	Mesos__V1__Scheduler__Call__Shutdown shutdown = MESOS__V1__SCHEDULER__CALL__SHUTDOWN__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];

	agent_id.value = kit_long(k, agent, room);
	executor_id.value = (char *)executor;
	shutdown.agent_id = &agent_id;
	shutdown.executor_id = &executor_id;
	call.shutdown = &shutdown;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN, &call);
}

static void from_executor(struct kit *k, int link, int conn, const char *executor, const char *data)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Message message = QUERN__LOCAL__TO_MASTER__MESSAGE__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;

	framework.value = k->framework[conn];
	id.value = (char *)executor;
	message.framework_id = &framework;
	message.executor_id = &id;
	message.data = (ProtobufCBinaryData){ .data = (uint8_t *)data, .len = strlen(data) };
	m.message = &message;
	kit_agent_says(k, link, &m);
}

static void messages_go_both_ways(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	to_executor(&k, 1, "S0", "e1", "ping");
	kit_expect(&k, "agent 1: message e1 \"ping\"\n");
	from_executor(&k, 1, 1, "e1", "pong");
	kit_expect(&k, "1 MESSAGE S0 e1 \"pong\"\n");
	to_executor(&k, 1, "S9", "e1", "ping");
	kit_expect(&k, "");
	kit_closed(&k, 1);
	from_executor(&k, 1, 1, "e1", "pong"); /* nobody is there */
	kit_expect(&k, "");
	kit_deinit(&k);
}

static void shutdown_is_handed_on(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_subscribe(&k, 2);
	k.text[0] = '\0';
	shut_down(&k, 1, "S0", "e1");
	kit_expect(&k, "agent 1: shutdown e1\n");
	shut_down(&k, 1, "S1", "e1");
	shut_down(&k, 2, "S0", "e1"); /* not its own */
	kit_expect(&k, "");
	kit_exited(&k, 1, 1, "e1", 9);
	kit_expect(&k, "1 FAILURE S0 e1 9\n");
	kit_exited(&k, 1, 1, "e1", 9); /* once */
	kit_expect(&k, "");
	kit_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(updates_and_acknowledgements_are_handed_on),
		cmocka_unit_test(the_latest_state_frees_what_the_update_does_not_say_yet),
		cmocka_unit_test(an_acknowledgement_of_nothing_goes_nowhere),
		cmocka_unit_test(an_update_without_a_uuid_is_the_last_word),
		cmocka_unit_test(an_agent_speaks_for_its_own_tasks),
		cmocka_unit_test(kill_is_handed_on),
		cmocka_unit_test(explicit_reconciliation_answers_each),
		cmocka_unit_test(without_partitions_every_unknown_task_is_lost),
		cmocka_unit_test(tasks_of_others_are_nobodys_business),
		cmocka_unit_test(messages_go_both_ways),
		cmocka_unit_test(shutdown_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
