/* From the registration to tasks that their executor has: containers, sandboxes, environments, waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>

#include "tests/local/agent_kit_calls.h"

static void an_agent_registers_with_what_it_has(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_simple(k, AGENT_EV_LINK_UP), "register | |\n");
	Quern__Local__ToMaster *m =
		quern__local__to_master__unpack(NULL, k->plan.at[0].len, k->plan.at[0].data);
	const Mesos__V1__AgentInfo *info = m->register_->info;
	assert_string_equal(info->hostname, "agent1");
	assert_int_equal(info->port, 5051);
	assert_null(info->id);
	assert_int_equal(info->n_resources, 2);
	assert_string_equal(info->resources[0]->name, "cpus");
	assert_true(info->resources[0]->scalar->value == 4.0);
	quern__local__to_master__free_unpacked(m, NULL);
	assert_string_equal(kit_registered(k), "");
}

static void nothing_runs_before_the_master_gave_an_id(void **state)
{
	struct kit *k = *state;

	(void)kit_simple(k, AGENT_EV_LINK_UP);
	assert_string_equal(kit_run(k, "e1", "t1"), "");
}

static const char *variable(const struct agent_action *start, const char *name)
{
	size_t len = strlen(name);
	const char *found = NULL;

	for (char **v = start->env; *v != NULL; v++) {
		if (strncmp(*v, name, len) == 0 && (*v)[len] == '=') {
			assert_null(found); /* each once */
			found = *v + len + 1;
		}
	}
	return found;
}

static void a_container_starts_as_mesos_would_start_it(void **state)
{
	struct kit *k = *state;
	char start[512];

	assert_string_equal(kit_run(k, "e1", "t1"), "start\n");
	const struct agent_action *x = &k->plan.at[0];
	assert_int_equal(strlen(x->container), 36);
	(void)snprintf(start, sizeof(start),
		WORK_DIR "/slaves/" AGENT_ID "/frameworks/f1/executors/e1/runs/%s", x->container);
	assert_string_equal(x->path, start);
	assert_string_equal(x->command->value, "exec recorder");
	/* The names and forms of a recorded executor's environment. */
	const struct {
		const char *name, *value;
	} wanted[] = {
		{ "LIBPROCESS_IP", "127.0.0.1" },
		{ "LIBPROCESS_PORT", "0" },
		{ "MESOS_AGENT_ENDPOINT", "127.0.0.1:5051" },
		{ "MESOS_CHECKPOINT", "0" },
		{ "MESOS_DIRECTORY", start },
		{ "MESOS_EXECUTOR_ID", "e1" },
		{ "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs" },
		{ "MESOS_FRAMEWORK_ID", "f1" },
		{ "MESOS_HTTP_COMMAND_EXECUTOR", "0" },
		{ "MESOS_SANDBOX", start },
		{ "MESOS_SLAVE_ID", AGENT_ID },
		{ "MESOS_SLAVE_PID", "slave(1)@127.0.0.1:5051" },
		{ "LANG", "C.UTF-8" },
	};
	size_t n = 0;
	while (x->env[n] != NULL)
		n++;
	assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < n; i++) {
		if (variable(x, wanted[i].name) == NULL)
			fail_msg("%s is not set", wanted[i].name);
		assert_string_equal(variable(x, wanted[i].name), wanted[i].value);
	}
}

static void checkpointing_and_an_own_grace_show_in_the_environment(void **state)
{
	struct kit *k = *state;
	Mesos__V1__DurationInfo grace = MESOS__V1__DURATION_INFO__INIT;

	grace.nanoseconds = 120000000000;
	k->grace = &grace;
	k->checkpoint = true;
	(void)kit_run(k, "e1", "t1");
	assert_string_equal(variable(&k->plan.at[0], "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"), "2mins");
	assert_string_equal(variable(&k->plan.at[0], "MESOS_CHECKPOINT"), "1");
	assert_string_equal(variable(&k->plan.at[0], "MESOS_RECOVERY_TIMEOUT"), "15mins");
	assert_string_equal(variable(&k->plan.at[0], "MESOS_SUBSCRIPTION_BACKOFF_MAX"), "2secs");
}

static void tasks_wait_for_the_subscription_and_come_one_by_one(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	assert_string_equal(kit_run(k, "e1", "t2"), "");
	assert_string_equal(kit_container(k, AGENT_EV_STARTED, 0, NULL), "");
	assert_string_equal(kit_subscribe(k, 5), "reply 5 200\n"
						 "event 5 SUBSCRIBED\n"
						 "event 5 LAUNCH t1\n"
						 "event 5 LAUNCH t2\n");
	assert_string_equal(kit_run(k, "e1", "t3"), "event 5 LAUNCH t3\n");
}

static void a_subscription_is_told_who_is_who(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	(void)kit_subscribe(k, 5);
	Mesos__V1__Executor__Event *e =
		mesos__v1__executor__event__unpack(NULL, k->plan.at[1].len, k->plan.at[1].data);
	assert_non_null(e->subscribed);
	assert_string_equal(e->subscribed->executor_info->executor_id->value, "e1");
	assert_string_equal(e->subscribed->executor_info->framework_id->value, "f1");
	assert_string_equal(e->subscribed->framework_info->id->value, "f1");
	assert_string_equal(e->subscribed->agent_info->id->value, AGENT_ID);
	assert_string_equal(e->subscribed->container_id->value, k->container);
	mesos__v1__executor__event__free_unpacked(e, NULL);
}

static void a_task_given_twice_runs_once(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_run(k, "e1", "t1"), "");
	assert_string_equal(kit_run(k, "e1", "t2"), "event 5 LAUNCH t2\n");
	assert_string_equal(kit_run(k, "e1", "t2"), "");
}

static void an_executor_that_does_not_subscribe_is_killed(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	(void)kit_container(k, AGENT_EV_STARTED, 0, NULL);
	assert_int_equal(agent_next_ms(k->agent), 1060000);
	assert_string_equal(kit_tick(k, 1059999), "");
	assert_string_equal(kit_tick(k, 1060000), "kill 9\n");
	assert_string_equal(kit_container(k, AGENT_EV_EXITED, SIGKILL, NULL),
		"update t1 TASK_FAILED REASON_EXECUTOR_REGISTRATION_TIMEOUT "
		"\"Executor did not register within 1mins\" uuid=own latest=TASK_FAILED\n"
		"exited e1 9\n"
		"remove\n");
}

static void a_container_that_fails_to_start_fails_its_tasks(void **state)
{
	struct kit *k = *state;

	(void)kit_run(k, "e1", "t1");
	(void)kit_run(k, "e1", "t2");
	assert_string_equal(kit_container(k, AGENT_EV_START_FAILED, 0, "no such file"),
		"update t1 TASK_FAILED REASON_CONTAINER_LAUNCH_FAILED "
		"\"Failed to launch container: no such file\" uuid=own latest=TASK_FAILED\n"
		"update t2 TASK_FAILED REASON_CONTAINER_LAUNCH_FAILED "
		"\"Failed to launch container: no such file\" uuid=own latest=TASK_FAILED\n"
		"exited e1 -1\n"
		"remove\n");
}

static void a_task_without_an_executor_is_an_error(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_run(k, NULL, "t1"),
		"update t1 TASK_ERROR REASON_TASK_INVALID \"This cluster runs custom executors only: the "
		"task has no executor with a command\" - latest=TASK_ERROR\n");
}

static void ids_that_are_paths_are_refused(void **state)
{
	struct kit *k = *state;
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "a\nb", "a\\b" };
	static const char words[] =
		"update t1 TASK_ERROR REASON_TASK_INVALID \"An ID is no name that a folder "
		"could have\" - latest=TASK_ERROR\n";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_string_equal(kit_run(k, bad[i], "t1"), words);
		assert_string_equal(kit_run_as(k, bad[i], "e1", "t1"), words);
	}
}

static void executors_of_different_frameworks_are_different(void **state)
{
	struct kit *k = *state;

	assert_string_equal(kit_run(k, "e1", "t1"), "start\n");
	assert_string_equal(kit_run(k, "e2", "t2"), "start\n");
	assert_string_equal(kit_run_as(k, "f2", "e1", "t1"), "start\n");
}

static void equal_seeds_give_equal_plans(void **state)
{
	struct kit *k = *state;
	char first[64];
	void *other;

	(void)kit_run(k, "e1", "t1");
	(void)snprintf(first, sizeof(first), "%s", k->container);
	(void)kit_setup_registered(&other);
	(void)kit_run(other, "e1", "t1");
	assert_string_equal(((struct kit *)other)->container, first);
	(void)kit_run(other, "e2", "t2");
	assert_string_not_equal(((struct kit *)other)->container, first);
	(void)kit_teardown(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(an_agent_registers_with_what_it_has, kit_setup),
		KIT_TEST(nothing_runs_before_the_master_gave_an_id, kit_setup),
		KIT_TEST(a_container_starts_as_mesos_would_start_it, kit_setup_registered),
		KIT_TEST(checkpointing_and_an_own_grace_show_in_the_environment, kit_setup_registered),
		KIT_TEST(tasks_wait_for_the_subscription_and_come_one_by_one, kit_setup_registered),
		KIT_TEST(a_subscription_is_told_who_is_who, kit_setup_registered),
		KIT_TEST(a_task_given_twice_runs_once, kit_setup_running),
		KIT_TEST(an_executor_that_does_not_subscribe_is_killed, kit_setup_registered),
		KIT_TEST(a_container_that_fails_to_start_fails_its_tasks, kit_setup_registered),
		KIT_TEST(a_task_without_an_executor_is_an_error, kit_setup_registered),
		KIT_TEST(ids_that_are_paths_are_refused, kit_setup_registered),
		KIT_TEST(executors_of_different_frameworks_are_different, kit_setup_registered),
		KIT_TEST(equal_seeds_give_equal_plans, kit_setup_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
