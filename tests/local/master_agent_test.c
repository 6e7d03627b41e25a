/* Agents: how they come, go, and come again, and what becomes of the tasks on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/local/master_kit_calls.h"

/* One agent with task t1 of executor e1, the rest of it offered as O1. */
static void init(struct kit *k, const struct kit_framework *f)
{
	kit_init(k);
	kit_agent(k, 1, "cpus:4;mem:1024");
	kit_subscribe_as(k, 1, f);
	kit_launch(k, 1, "O0", 0, { .id = "t1", .executor = "e1" });
	kit_wait(k, 1000);
	kit_update(k, 1, 1, "t1", TASK_RUNNING, 3);
	k->text[0] = '\0';
}

static const struct kit_framework keeps = { .checkpoint = true },
				  keeps_old = { .checkpoint = true, .not_partition_aware = true };

/* ---- Going ---- */

static void an_agent_that_unregisters_is_gone_with_its_tasks(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_unregister(&k, 1);
	/* Partition-aware or not, as Mesos has it. */
	kit_expect(&k,
		"1 UPDATE t1 TASK_LOST S0 e1 SOURCE_MASTER REASON_AGENT_REMOVED \"Agent host1 removed: the "
		"agent unregistered\" -\n1 RESCIND O1\n1 FAILURE S0\n");
	kit_reconcile(&k, 1, NULL, NULL);
	kit_expect(&k, "");
	kit_reconcile(&k, 1, "t1", "S0");
	kit_expect(&k,
		"1 UPDATE t1 TASK_UNKNOWN S0 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown\" -\n");
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_expect(&k, "agent 1: registered S1\n1 OFFERS O2:S1 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void a_link_that_ends_takes_offers_and_tasks_that_do_not_checkpoint(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &(struct kit_framework){ 0 });
	kit_agent_down(&k, 1);
	kit_expect(&k,
		"1 RESCIND O1\n1 UPDATE t1 TASK_LOST S0 e1 SOURCE_MASTER REASON_AGENT_DISCONNECTED \"Agent "
		"host1 disconnected\" -\n");
	kit_wait(&k, 74999);
	kit_expect(&k, "");
	kit_wait(&k, 1);
	kit_expect(&k, "1 FAILURE S0\n");
	kit_deinit(&k);
}

static void an_agent_that_stays_away_is_unreachable(void **state)
{
	struct kit k;
	char expected[512];
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	kit_expect(&k, "1 RESCIND O1\n");
	kit_acknowledge(&k, 1, "S0", "t1", 3); /* goes nowhere */
	kit_kill(&k, 1, "t1", NULL);
	kit_wait(&k, 74999);
	kit_expect(&k, "");
	kit_wait(&k, 1);
	(void)snprintf(expected, sizeof(expected),
		"1 UPDATE t1 TASK_UNREACHABLE S0 e1 SOURCE_MASTER REASON_AGENT_REMOVED \"Agent host1 is "
		"unreachable: "
		"health check timed out\" since=%llu -\n1 FAILURE S0\n",
		(unsigned long long)k.now);
	kit_expect(&k, expected);
	(void)snprintf(expected, sizeof(expected),
		"1 UPDATE t1 TASK_UNREACHABLE S0 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task "
		"is "
		"unreachable\" since=%llu -\n",
		(unsigned long long)k.now);
	kit_reconcile(&k, 1, "t1", "S0");
	kit_expect(&k, expected);
	kit_wait(&k, 600000);
	kit_reconcile(&k, 1, "t1", "S0"); /* it is removed */
	kit_expect(&k,
		"1 UPDATE t1 TASK_UNKNOWN S0 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: Task is "
		"unknown\" -\n");
	kit_deinit(&k);
}

static void without_partitions_its_tasks_are_lost(void **state)
{
	struct kit k;
	char expected[512];
	(void)state;

	init(&k, &keeps_old);
	kit_agent_down(&k, 1);
	kit_wait(&k, 75000);
	(void)snprintf(expected, sizeof(expected),
		"1 RESCIND O1\n1 UPDATE t1 TASK_LOST S0 e1 SOURCE_MASTER REASON_AGENT_REMOVED \"Agent host1 "
		"is "
		"unreachable: health check timed out\" since=%llu -\n1 FAILURE S0\n",
		(unsigned long long)k.now);
	kit_expect(&k, expected);
	kit_deinit(&k);
}

static void a_task_for_an_agent_that_went_is_not_launched(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O1", 0, { .id = "t2" });
	kit_expect(&k, "1 UPDATE t2 TASK_DROPPED S0 SOURCE_MASTER REASON_INVALID_OFFERS \"Task launched with "
		       "invalid "
		       "offers: Offer @O1 is no longer valid\" -\n");
	kit_deinit(&k);
}

/* ---- Coming again ---- */

/* What an agent has: tasks of executor e1 in a state each, ended by a NULL name. */
struct kit_left {
	const char *task;
	Mesos__V1__TaskState state;
};

static void come_back(
	struct kit *k, int link, const char *id, const struct kit_framework *f, const struct kit_left *left)
{
	Quern__Local__ToMaster__Register r = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	Mesos__V1__TaskStatus status[KIT_LIST], *statuses[KIT_LIST];
	Mesos__V1__TaskInfo *infos[KIT_LIST] = { NULL };
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT, *frameworks[] = { &info };
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__ExecutorInfo *executors[1];
	size_t n = 0;

	framework.value = k->framework[1];
	info.user = info.name = (char *)"x";
	info.id = &framework;
	info.has_checkpoint = 1;
	info.checkpoint = f->checkpoint;
	for (; left[n].task != NULL; n++) {
		const struct kit_task t = { .id = left[n].task, .agent = id, .executor = "e1" };

		infos[n] = kit_task_info(k, k->framework[1], &t);
		mesos__v1__task_status__init(&status[n]);
		status[n].task_id = infos[n]->task_id;
		status[n].state = left[n].state;
		statuses[n] = &status[n];
	}
	r.tasks = statuses;
	r.task_infos = infos;
	r.frameworks = frameworks;
	r.n_frameworks = 1;
	r.n_tasks = r.n_task_infos = n;
	if (n > 0) {
		executors[0] = infos[0]->executor;
		r.executors = executors;
		r.n_executors = 1;
	}
	kit_register(k, link, id, "cpus:4;mem:1024", &r);
	for (size_t i = 0; i < n; i++)
		mesos__v1__task_info__free_unpacked(infos[i], NULL);
}

#define kit_left(...) ((const struct kit_left[]){ __VA_ARGS__ __VA_OPT__(, ){ NULL, 0 } })

static void a_link_that_comes_back_in_time_changes_nothing(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	k.text[0] = '\0';
	kit_wait(&k, 50000);
	come_back(&k, 1, "S0", &keeps, kit_left({ "t1", MESOS__V1__TASK_STATE__TASK_RUNNING }));
	kit_expect(&k, "agent 1: registered S0\n1 OFFERS O2:S0 cpus=2.9 mem=928 (*) [e1]\n");
	kit_wait(&k, 100000);
	kit_expect(&k, "");
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 4);
	kit_expect(&k, "1 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 4\n");
	kit_deinit(&k);
}

static void what_the_agent_forgot_is_dropped(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	k.text[0] = '\0';
	come_back(&k, 1, "S0", &keeps, kit_left());
	kit_expect(&k,
		"agent 1: registered S0\n1 UPDATE t1 TASK_DROPPED S0 e1 SOURCE_MASTER REASON_RECONCILIATION "
		"\"Reconciliation: task unknown to the agent\" -\n1 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void what_was_to_be_killed_is_killed_when_the_agent_is_back(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	k.text[0] = '\0';
	kit_kill(&k, 1, "t1", NULL);
	kit_expect(&k, "");
	come_back(&k, 1, "S0", &keeps, kit_left({ "t1", MESOS__V1__TASK_STATE__TASK_RUNNING }));
	kit_expect(
		&k, "agent 1: registered S0\nagent 1: kill t1\n1 OFFERS O2:S0 cpus=2.9 mem=928 (*) [e1]\n");
	kit_deinit(&k);
}

static void an_unreachable_agent_brings_its_tasks_back(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	kit_wait(&k, 75000);
	k.text[0] = '\0';
	kit_agent(&k, 3, "cpus:1;mem:64");
	kit_launch(&k, 1, "O2", 0, { .id = "t1", .agent = "S1" }); /* the id is not free yet */
	kit_expect(&k,
		"agent 3: registered S1\n1 OFFERS O2:S1 cpus=1 mem=64 (*)\n"
		"1 UPDATE t1 TASK_ERROR S1 SOURCE_MASTER REASON_TASK_INVALID \"Task reuses the ID of an "
		"unreachable task: t1\" -\n");
	come_back(&k, 2, "S0", &keeps, kit_left({ "t1", MESOS__V1__TASK_STATE__TASK_RUNNING }));
	kit_expect(&k,
		"agent 2: registered S0\n1 UPDATE t1 TASK_RUNNING S0 e1 SOURCE_MASTER REASON_RECONCILIATION "
		"\"Unreachable agent re-reregistered\" -\n1 OFFERS O3:S0 cpus=2.9 mem=928 (*) [e1]\n");
	kit_update(&k, 2, 1, "t1", TASK_FINISHED, 4);
	kit_acknowledge(&k, 1, "S0", "t1", 4);
	kit_expect(&k, "1 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 4\nagent 2: acknowledge t1 4\n");
	kit_deinit(&k);
}

static void an_agent_of_a_master_before_this_one_brings_frameworks_along(void **state)
{
	const struct kit_framework again = { .id = "other-0001", .checkpoint = true };
	struct kit k;
	(void)state;

	kit_init(&k);
	(void)snprintf(k.framework[1], KIT_ID, "other-0001");
	come_back(&k, 1, "other-S5", &keeps, kit_left({ "t1", MESOS__V1__TASK_STATE__TASK_RUNNING }));
	kit_expect(&k, "agent 1: registered other-S5\n");
	kit_subscribe_as(&k, 2, &again);
	kit_expect(&k, "reply 2 stream\n2 SUBSCRIBED other-0001\n2 HEARTBEAT\n"
		       "2 OFFERS O0:other-S5 cpus=2.9 mem=928 (*) [e1]\n");
	kit_reconcile(&k, 2, NULL, NULL);
	kit_expect(&k,
		"2 UPDATE t1 TASK_RUNNING other-S5 e1 SOURCE_MASTER REASON_RECONCILIATION \"Reconciliation: "
		"Latest task state\" -\n");
	kit_deinit(&k);
}

static void a_framework_that_is_over_is_over_on_agents_that_come_back(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent_down(&k, 1);
	kit_teardown(&k, 1);
	kit_expect(&k, "1 RESCIND O1\nclose 1\n");
	come_back(&k, 1, "S0", &keeps, kit_left({ "t1", MESOS__V1__TASK_STATE__TASK_RUNNING }));
	kit_expect(&k, "agent 1: registered S0\nagent 1: end F0\n");
	kit_subscribe(&k, 2);
	kit_expect(&k, "reply 2 stream\n2 SUBSCRIBED F1\n2 HEARTBEAT\n2 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void more_than_an_agent_has_is_not_believed(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe(&k, 1);
	k.text[0] = '\0';
	come_back(&k, 1, "other-S5", &keeps,
		kit_left({ "t1", MESOS__V1__TASK_STATE__TASK_RUNNING },
			{ "t2", MESOS__V1__TASK_STATE__TASK_RUNNING },
			{ "t3", MESOS__V1__TASK_STATE__TASK_RUNNING },
			{ "t4", MESOS__V1__TASK_STATE__TASK_RUNNING },
			{ "t5", MESOS__V1__TASK_STATE__TASK_RUNNING }));
	assert_non_null(strstr(k.text, "OFFERS O0:other-S5 cpus=0.9 mem=800"));
	k.text[0] = '\0';
	for (char task[] = "t1"; task[1] <= '5'; task[1]++)
		kit_update(&k, 1, 1, task, TASK_FINISHED, 3);
	k.text[0] = '\0';
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "1 OFFERS O1:other-S5 cpus=3 mem=192 (*) [e1]\n");
	kit_deinit(&k);
}

static void a_new_agent_at_the_same_place_replaces_the_old_one(void **state)
{
	struct kit k;
	(void)state;

	init(&k, &keeps);
	kit_agent(&k, 1, "cpus:1;mem:64");
	kit_expect(&k,
		"1 UPDATE t1 TASK_LOST S0 e1 SOURCE_MASTER REASON_AGENT_REMOVED \"Agent host1 removed: a new "
		"agent registered at the same address\" -\n1 RESCIND O1\n1 FAILURE S0\n"
		"agent 1: registered S1\n1 OFFERS O2:S1 cpus=1 mem=64 (*)\n");
	kit_deinit(&k);
}

static void an_agent_without_sense_is_not_registered(void **state)
{
	Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
	Mesos__V1__Resource cpus = MESOS__V1__RESOURCE__INIT, *list[] = { &cpus };
	Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Register r = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	struct kit k;
	(void)state;

	kit_init(&k);
	cpus.name = (char *)"cpus";
	cpus.scalar = &scalar;
	scalar.value = -1;
	info.hostname = (char *)"h";
	info.resources = list;
	info.n_resources = 1;
	r.info = &info;
	m.register_ = &r;
	kit_agent_says(&k, 1, &m);
	kit_agent_down(&k, 1);
	kit_agent_down(&k, 9);
	kit_unregister(&k, 1);
	kit_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agent_that_unregisters_is_gone_with_its_tasks),
		cmocka_unit_test(a_link_that_ends_takes_offers_and_tasks_that_do_not_checkpoint),
		cmocka_unit_test(an_agent_that_stays_away_is_unreachable),
		cmocka_unit_test(without_partitions_its_tasks_are_lost),
		cmocka_unit_test(a_task_for_an_agent_that_went_is_not_launched),
		cmocka_unit_test(a_link_that_comes_back_in_time_changes_nothing),
		cmocka_unit_test(what_the_agent_forgot_is_dropped),
		cmocka_unit_test(what_was_to_be_killed_is_killed_when_the_agent_is_back),
		cmocka_unit_test(an_unreachable_agent_brings_its_tasks_back),
		cmocka_unit_test(an_agent_of_a_master_before_this_one_brings_frameworks_along),
		cmocka_unit_test(a_framework_that_is_over_is_over_on_agents_that_come_back),
		cmocka_unit_test(more_than_an_agent_has_is_not_believed),
		cmocka_unit_test(a_new_agent_at_the_same_place_replaces_the_old_one),
		cmocka_unit_test(an_agent_without_sense_is_not_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
