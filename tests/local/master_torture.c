/* Every allocation of the master's core fails once, the first, the second, and so on until none is left: each
 * time the step ends with -ENOMEM, and what the core took it gives back when it is freed (which a sanitizer
 * or valgrind sees). Linked with --wrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "tests/local/master_kit_calls.h"
#include "tests/refuse.h"

/* An agent that comes back with a task, and one of which the master never heard. */
static void come_back(struct kit *k, int link)
{
	Quern__Local__ToMaster__Register r = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	const struct kit_task known = { .id = "t1", .executor = "e1", .role = "a" };
	const struct kit_task unknown = { .id = "t9", .executor = "e9", .executor_framework = "other" };
	Mesos__V1__TaskInfo *tasks[] = { kit_task_info(k, k->framework[1], &known),
		kit_task_info(k, "other", &unknown) };
	Mesos__V1__TaskStatus status[2], *statuses[] = { &status[0], &status[1] };
	Mesos__V1__ExecutorInfo *executors[] = { tasks[0]->executor, tasks[1]->executor };
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT, *frameworks[] = { &info };
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;

	framework.value = info.user = info.name = (char *)"other";
	info.id = &framework;
	for (size_t i = 0; i < 2; i++) {
		mesos__v1__task_status__init(&status[i]);
		status[i].task_id = tasks[i]->task_id;
		status[i].state = MESOS__V1__TASK_STATE__TASK_RUNNING;
	}
	r.tasks = statuses;
	r.task_infos = tasks;
	r.executors = executors;
	r.frameworks = frameworks;
	r.n_tasks = r.n_task_infos = r.n_executors = 2;
	r.n_frameworks = 1;
	kit_register(k, link, "S0", "cpus:4;mem:1024", &r);
	for (size_t i = 0; i < 2; i++)
		mesos__v1__task_info__free_unpacked(tasks[i], NULL);
}

/* Something of everything that the core does. */
static void live(struct kit *k)
{
	const struct kit_framework two = { .roles = { "a", "b" }, .failover_timeout = 9, .checkpoint = true };
	const struct kit_framework again = { .id = "F0", .roles = { "c", "a" }, .checkpoint = true };

	kit_agent(k, 1, "cpus(a):1;cpus:3;mem:1024;ports:[1-9]");
	kit_subscribe_as(k, 1, &two);
	kit_subscribe(k, 2);
	kit_subscribe_as(k, 3, &(struct kit_framework){ .roles = { "/" } });
	kit_agent(k, 2, "cpus:4;mem:1024");
	kit_launch(k, 1, "O0", 1000, { .id = "t1", .executor = "e1", .role = "a" },
		{ .id = "t2", .executor = "e1", .role = "a" },
		{ .id = "t3", .resources = "cpus:9", .role = "a" });
	kit_launch(k, 1, "O0", 1000, { .id = "t4", .role = "a" });
	kit_update(k, 1, 1, "t1", TASK_RUNNING, 1);
	kit_acknowledge(k, 1, "S0", "t1", 1);
	kit_update(k, 1, 1, "t2", TASK_FINISHED, 2);
	kit_acknowledge(k, 1, "S0", "t2", 2);
	kit_reconcile(k, 1, NULL, NULL);
	kit_kill(k, 1, "t1", NULL);
	kit_revive(k, 1, NULL);
	kit_wait(k, 1000);
	kit_agent_down(k, 1);
	kit_wait(k, 75000);
	come_back(k, 1);
	kit_subscribe_as(k, 4, &again);
	kit_exited(k, 1, 4, "e1", 0);
	kit_wait(k, 2000);
	kit_closed(k, 2);
	kit_unregister(k, 2);
	kit_teardown(k, 4);
}

static void every_allocation_of_a_step_may_fail(void **state)
{
	long n = 1;
	(void)state;

	for (bool all = false; !all; n++) {
		struct kit k;

		kit_init_with(&k, (struct master_config){ .seed = 1, .offer_timeout_ms = 1500 });
		k.mute = true;
		k.arm = arm;
		until_failure = n;
		live(&k);
		all = until_failure > 0;
		assert_int_equal(k.failed, !all);
		kit_deinit(&k);
	}
	assert_true(n > 500);
}

static void a_master_that_cannot_be_made_leaves_nothing(void **state)
{
	const struct master_config config = { .hostname = "h", .ip = "127.0.0.1" };
	struct master *m = NULL;
	long n = 0;
	int r;
	(void)state;

	do {
		until_failure = ++n;
		armed = true;
		r = master_new(&config, &m, NULL);
		armed = false;
		assert_true(r == (until_failure > 0 ? 0 : -ENOMEM));
	} while (r < 0);
	assert_int_equal(n, 4);
	until_failure = 0;
	master_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_step_may_fail),
		cmocka_unit_test(a_master_that_cannot_be_made_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
