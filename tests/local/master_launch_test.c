/* ACCEPT: offers become tasks, or why they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/local/master_kit_calls.h"

#define ERROR_OF(task, words)                                                                                \
	"1 UPDATE " task " TASK_ERROR S0 SOURCE_MASTER REASON_TASK_INVALID \"" words "\" -\n"
#define DROPPED(task, words)                                                                                 \
	"1 UPDATE " task                                                                                     \
	" TASK_DROPPED S0 SOURCE_MASTER REASON_INVALID_OFFERS \"Task launched with invalid "                 \
	"offers: " words "\" -\n"

/* One agent, offered as O0. */
static void init(struct kit *k)
{
	kit_init(k);
	kit_agent(k, 1, "cpus:4;mem:1024");
	kit_subscribe(k, 1);
	k->text[0] = '\0';
}

static void several_tasks_share_an_executor(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1" }, { .id = "t2", .executor = "e1" },
		{ .id = "t3", .executor = "e2" });
	kit_expect(&k, "agent 1: run t1 e1\nagent 1: run t2 e1\nagent 1: run t3 e2\n");
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=0.8 mem=768 (*) [e1] [e2]\n");
	/* One that runs already costs nothing. */
	kit_launch(&k, 1, "O1", 0, { .id = "t4", .executor = "e1", .resources = "cpus:0.8;mem:768" });
	kit_expect(&k, "agent 1: run t4 e1\n");
	kit_deinit(&k);
}

static void offers_of_one_agent_are_used_together(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .resources = "cpus:2;mem:512" });
	kit_wait(&k, 1000);
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 1);
	kit_wait(&k, 1000);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O1 O2", 0, { .id = "t2", .resources = "cpus:4;mem:1024" });
	kit_expect(&k, "agent 1: run t2\n");
	kit_deinit(&k);
}

static void a_task_larger_than_its_offer_is_an_error(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "big", .resources = "cpus:400;mem:32" },
		{ .id = "good", .resources = "cpus:3;mem:32" }, { .id = "late", .resources = "cpus:1.5" });
	/* In the words of Mesos; what fits is launched all the same. */
	kit_expect(&k,
		ERROR_OF("big", "Total resources cpus(allocated: *):400; mem(allocated: *):32 required by "
				"task and its "
				"executor is more than available cpus(allocated: *):4; mem(allocated: "
				"*):1024") "agent 1: run good\n" ERROR_OF("late",
			"Total resources cpus(allocated: *):1.5 required by task and its executor is more "
			"than available cpus(allocated: *):1; mem(allocated: *):992"));
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=1 mem=992 (*)\n");
	kit_deinit(&k);
}

static void the_executor_of_a_task_has_to_fit_too(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1", .resources = "cpus:4;mem:32" });
	kit_expect(
		&k, ERROR_OF("t1",
			    "Total resources cpus(allocated: *):4.1; mem(allocated: *):64 required by task "
			    "and its "
			    "executor is more than available cpus(allocated: *):4; mem(allocated: *):1024"));
	kit_deinit(&k);
}

static void used_and_unknown_offers_drop_their_tasks(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1" });
	k.text[0] = '\0';
	kit_launch(&k, 1, "O0", 0, { .id = "t2" }, { .id = "t3" });
	kit_expect(&k,
		DROPPED("t2", "Offer @O0 is no longer valid") DROPPED("t3", "Offer @O0 is no longer valid"));
	kit_launch(&k, 1, "O77", 0, { .id = "t2" });
	kit_expect(&k, DROPPED("t2", "Offer @O77 is no longer valid"));
	kit_launch(&k, 1, "", 0, { .id = "t2" });
	kit_expect(&k, DROPPED("t2", "No offers specified"));
	kit_deinit(&k);
}

static void a_bad_offer_among_good_ones_frees_those(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0 O77", -1, { .id = "t1" });
	kit_expect(&k, DROPPED("t1", "Offer @O77 is no longer valid"));
	kit_wait(&k, 1000); /* without a filter */
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_launch(&k, 1, "O1 O1", 0, { .id = "t1" });
	kit_expect(&k, DROPPED("t1", "Duplicate offer @O1 in offer list"));
	kit_deinit(&k);
}

static void frameworks_without_partitions_lose_their_tasks(void **state)
{
	const struct kit_framework f = { .not_partition_aware = true };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe_as(&k, 1, &f);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O5", 0, { .id = "t1" });
	kit_expect(&k,
		"1 UPDATE t1 TASK_LOST S0 SOURCE_MASTER REASON_INVALID_OFFERS \"Task launched with invalid "
		"offers: Offer @O5 is no longer valid\" -\n");
	kit_deinit(&k);
}

static void offers_that_do_not_belong_together(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_agent(&k, 2, "cpus:1;mem:64");
	kit_subscribe(&k, 2);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O0 O1", 0, { .id = "t1" });
	kit_expect(&k,
		DROPPED("t1", "Aggregated offers must belong to one single agent. Offer @O1 uses agent @S1 "
			      "and agent @S0"));
	kit_wait(&k, 1000);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O2", 0, { .id = "t1" });
	kit_expect(
		&k, DROPPED("t1", "Offer @O2 has invalid framework @0001 while framework @0000 is expected"));
	kit_deinit(&k);
}

static void offers_of_two_roles_do_not_mix(void **state)
{
	const struct kit_framework f = { .roles = { "a", "b" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus(a):1;cpus(b):1");
	kit_subscribe_as(&k, 1, &f);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O0 O1", 0, { .id = "t1" });
	kit_expect(&k,
		DROPPED("t1", "Aggregated offers must be allocated to the same role. Offer @O1 uses role 'b "
			      "but another is using role 'a"));
	kit_deinit(&k);
}

/* ---- Tasks that are not what they should be ---- */

static void expect_error(const struct kit_task *task, const char *words)
{
	struct kit k;
	char expected[1024];
	const struct kit_task tasks[] = { *task, { 0 } };

	init(&k);
	kit_accept(&k, 1, "O0", 0, tasks);
	(void)snprintf(expected, sizeof(expected),
		"1 UPDATE %s TASK_ERROR %s SOURCE_MASTER REASON_TASK_INVALID \"%s\" -\n", task->id,
		task->agent != NULL ? task->agent : "S0", words);
	kit_expect(&k, expected);
	kit_wait(&k, 1000); /* the offer is free again */
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void tasks_that_are_wrong_are_errors(void **state)
{
	(void)state;
	expect_error(&(struct kit_task){ .id = "a/b" }, "'a/b' contains invalid characters");
	expect_error(&(struct kit_task){ .id = "..", .executor = "e" }, "'..' is disallowed");
	expect_error(&(struct kit_task){ .id = "t", .agent = "S9" },
		"Task uses invalid agent @S9 while agent @S0 is expected");
	expect_error(&(struct kit_task){ .id = "t", .resources = "" }, "Task uses no resources");
	expect_error(&(struct kit_task){ .id = "t", .neither = true },
		"Task should have at least one (but not both) of CommandInfo or ExecutorInfo present");
	expect_error(&(struct kit_task){ .id = "t", .executor = "e", .both = true },
		"Task should have at least one (but not both) of CommandInfo or ExecutorInfo present");
	expect_error(&(struct kit_task){ .id = "t", .executor = "e/" }, "'e/' contains invalid characters");
	expect_error(&(struct kit_task){ .id = "t", .executor = "e", .executor_framework = "other" },
		"ExecutorInfo has an invalid FrameworkID (Actual: other vs Expected: @0000)");
	expect_error(&(struct kit_task){ .id = "t", .role = "r" },
		"Total resources cpus(allocated: r):1; mem(allocated: r):64 required by task and its "
		"executor is more "
		"than available cpus(allocated: *):4; mem(allocated: *):1024");
}

static void resources_without_a_role_have_that_of_the_offer(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1", .role = "" });
	kit_expect(&k, "agent 1: run t1 e1\n"); /* the kit looks whether the agent is told the role */
	kit_deinit(&k);
}

static void the_framework_of_an_executor_goes_without_saying(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1", .executor_framework = "" },
		{ .id = "t2", .executor = "e1" });
	kit_expect(&k, "agent 1: run t1 e1\nagent 1: run t2 e1\n");
	kit_deinit(&k);
}

static void resources_of_a_reservation_have_to_say_so(void **state)
{
	const struct kit_framework f = { .roles = { "a" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus(a):2;cpus:1;mem:128");
	kit_subscribe_as(&k, 1, &f);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .resources = "cpus(a):2;cpus:1;mem:64", .role = "a" },
		{ .id = "t2", .resources = "cpus:1", .role = "a" });
	kit_expect(&k,
		"agent 1: run t1\n" ERROR_OF("t2",
			"Total resources cpus(allocated: a):1 required by task and its executor is more than "
			"available mem(allocated: a):64"));
	kit_deinit(&k);
}

#define BOTH(whose, name)                                                                                    \
	whose " revocable and non-revocable resources: Cannot use both revocable and non-revocable '" name   \
	      "' at the same time"

static void what_is_revocable_and_what_is_not_do_not_mix(void **state)
{
	const struct kit_framework f = { .roles = { "*" }, .revocable = true };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;cpus{REV}:4;mem:1024;ports:[1-9]");
	kit_subscribe_as(&k, 1, &f);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .resources = "cpus{REV}:1;cpus:1" },
		{ .id = "t2", .executor = "e1", .of_executor = "cpus{REV}:1;cpus:1" },
		{ .id = "t3", .executor = "e1", .resources = "cpus{REV}:1" },
		{ .id = "t4", .executor = "e1", .resources = "cpus:1", .of_executor = "mem:32;ports:[1-2]" },
		{ .id = "t5",
			.executor = "e1",
			.resources = "cpus{REV}:1",
			.of_executor = "mem:32;ports:[1-2]" },
		{ .id = "t6",
			.executor = "e1",
			.resources = "ports:[2-3]",
			.of_executor = "mem:32;ports:[1-2]" });
	kit_expect(&k, ERROR_OF("t1", BOTH("Task mixes", "cpus")) ERROR_OF(
			       "t2", BOTH("Executor mixes", "cpus")) ERROR_OF("t3",
			       BOTH("Task and its executor mix",
				       "cpus")) "agent 1: run t4 e1\n"
						"agent 1: run t5 e1\n" ERROR_OF("t6",
							"There are overlapping resources in the task "
							"resources ports(allocated: *):[2-3] and executor "
							"resources mem(allocated: *):32; ports(allocated: "
							"*):[1-2]"));
	kit_deinit(&k);
}

/* A task may be of another role than its executor, where that runs. */
static void an_executor_runs_tasks_of_several_roles(void **state)
{
	const struct kit_framework f = { .roles = { "a", "b" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus(a):2;mem(a):128;cpus(b):2;mem(b):128");
	kit_subscribe_as(&k, 1, &f);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O0", 0,
		{ .id = "t1",
			.executor = "e1",
			.role = "a",
			.resources = "cpus(a):1",
			.of_executor = "cpus(a):0.1" });
	kit_launch(&k, 1, "O1", 0,
		{ .id = "t2",
			.executor = "e1",
			.role = "b",
			.executor_role = "a",
			.resources = "cpus(b):1",
			.of_executor = "cpus(a):0.1" });
	kit_expect(&k, "agent 1: run t1 e1\nagent 1: run t2 e1\n");
	kit_wait(&k, 1000);
	kit_expect(
		&k, "1 OFFERS O2:S0 cpus=1<b> mem=128<b> (b) [e1] O3:S0 cpus=0.9<a> mem=128<a> (a) [e1]\n");
	kit_deinit(&k);
}

static void task_ids_are_used_once_at_a_time(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1" }, { .id = "t1" });
	kit_expect(&k, "agent 1: run t1\n" ERROR_OF("t1", "Task has duplicate ID: t1"));
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 1);
	kit_wait(&k, 1000);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O1", 0, { .id = "t1" }); /* its end is not acknowledged */
	kit_expect(&k, ERROR_OF("t1", "Task has duplicate ID: t1"));
	kit_acknowledge(&k, 1, "S0", "t1", 1);
	kit_wait(&k, 1000);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O2", 0, { .id = "t1" });
	kit_expect(&k, "agent 1: run t1\n");
	kit_deinit(&k);
}

static void an_executor_id_stands_for_one_executor(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1", .executor_name = "one" },
		{ .id = "t2", .executor = "e1", .executor_name = "other" },
		{ .id = "t3", .executor = "e1", .executor_name = "one", .of_executor = "cpus:0.2;mem:32" },
		{ .id = "t4", .executor = "e1", .executor_name = "one", .role = "" });
	kit_expect(&k,
		"agent 1: run t1 e1\n" ERROR_OF("t2",
			"ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID 'e1'")
			ERROR_OF("t3", "ExecutorInfo is not compatible with existing ExecutorInfo with same "
				       "ExecutorID 'e1'") "agent 1: run t4 e1\n");
	kit_deinit(&k);
}

static void an_accept_without_tasks_is_a_refusal(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	kit_accept(&k, 1, "O0", 3, NULL);
	kit_wait(&k, 2999);
	kit_expect(&k, "");
	kit_wait(&k, 1001);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_tasks_share_an_executor),
		cmocka_unit_test(offers_of_one_agent_are_used_together),
		cmocka_unit_test(a_task_larger_than_its_offer_is_an_error),
		cmocka_unit_test(the_executor_of_a_task_has_to_fit_too),
		cmocka_unit_test(used_and_unknown_offers_drop_their_tasks),
		cmocka_unit_test(a_bad_offer_among_good_ones_frees_those),
		cmocka_unit_test(frameworks_without_partitions_lose_their_tasks),
		cmocka_unit_test(offers_that_do_not_belong_together),
		cmocka_unit_test(offers_of_two_roles_do_not_mix),
		cmocka_unit_test(tasks_that_are_wrong_are_errors),
		cmocka_unit_test(resources_without_a_role_have_that_of_the_offer),
		cmocka_unit_test(the_framework_of_an_executor_goes_without_saying),
		cmocka_unit_test(resources_of_a_reservation_have_to_say_so),
		cmocka_unit_test(what_is_revocable_and_what_is_not_do_not_mix),
		cmocka_unit_test(an_executor_runs_tasks_of_several_roles),
		cmocka_unit_test(task_ids_are_used_once_at_a_time),
		cmocka_unit_test(an_executor_id_stands_for_one_executor),
		cmocka_unit_test(an_accept_without_tasks_is_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
