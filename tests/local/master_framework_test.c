/* Frameworks: subscriptions and their streams, failover, the end, and who may call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/local/master_kit_calls.h"

static void init_one(struct kit *k, const struct kit_framework *f)
{
	kit_init(k);
	kit_agent(k, 1, "cpus:4;mem:1024");
	kit_subscribe_as(k, 1, f);
	k->text[0] = '\0';
}

/* ---- The stream ---- */

static void heartbeats_come_at_once_and_then_at_intervals(void **state)
{
	struct kit k;
	(void)state;

	kit_init_with(&k, (struct master_config){ .seed = 1 });
	kit_subscribe(&k, 1);
	kit_expect(&k, "reply 1 stream\n1 SUBSCRIBED F0\n1 HEARTBEAT\n");
	kit_wait(&k, 14999);
	kit_expect(&k, "");
	kit_wait(&k, 1);
	kit_expect(&k, "1 HEARTBEAT\n");
	kit_wait(&k, 30000);
	kit_expect(&k, "1 HEARTBEAT\n1 HEARTBEAT\n");
	kit_closed(&k, 1);
	kit_wait(&k, 60000);
	kit_expect(&k, "");
	kit_deinit(&k);
}

/* SUBSCRIBED, as a recorded one of Mesos has it. */
static void subscribed_says_who_the_master_is(void **state)
{
	const struct master_config config = {
		.hostname = "localhost", .ip = "127.0.0.1", .port = 5050, .seed = 3
	};
	Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	struct master_event ev = {
		.now_ms = 1, .kind = MASTER_EV_CALL, .u.call = { .conn = 5, .call = &call }
	};
	struct master_plan plan = { 0 };
	struct master *m;
	(void)state;

	info.user = info.name = (char *)"x";
	subscribe.framework_info = &info;
	call.has_type = 1;
	call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	call.subscribe = &subscribe;
	assert_int_equal(master_new(&config, &m, NULL), 0);
	assert_int_equal(master_step(m, &ev, &plan), 0);
	assert_int_equal(plan.n, 3);
	Mesos__V1__Scheduler__Event *e =
		mesos__v1__scheduler__event__unpack(NULL, plan.at[1].len, plan.at[1].data);
	assert_non_null(e);
	const Mesos__V1__MasterInfo *who = e->subscribed->master_info;
	assert_true(e->subscribed->has_heartbeat_interval_seconds);
	assert_true(e->subscribed->heartbeat_interval_seconds == 15);
	assert_int_equal(who->ip, 16777343);
	assert_int_equal(who->port, 5050);
	assert_string_equal(who->pid, "master@127.0.0.1:5050");
	assert_string_equal(who->hostname, "localhost");
	assert_string_equal(who->address->ip, "127.0.0.1");
	assert_int_equal(who->address->port, 5050);
	assert_int_equal(strlen(who->id), 36);
	assert_int_equal(strncmp(e->subscribed->framework_id->value, who->id, 36), 0);
	assert_string_equal(e->subscribed->framework_id->value + 36, "-0000");
	mesos__v1__scheduler__event__free_unpacked(e, NULL);
	master_plan_deinit(&plan);
	master_free(m);
}

/* ---- Again ---- */

static void the_same_id_takes_the_stream_over(void **state)
{
	const struct kit_framework again = { .id = "F0" };
	struct kit k;
	(void)state;

	init_one(&k, &(struct kit_framework){ 0 });
	kit_launch(&k, 1, "O0", 0, { .id = "t1" });
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=3 mem=960 (*)\n");
	kit_subscribe_as(&k, 2, &again);
	kit_expect(&k,
		"1 ERROR \"Framework failed over\"\nclose 1\nreply 2 stream\n2 SUBSCRIBED F0\n2 HEARTBEAT\n"
		"2 OFFERS O2:S0 cpus=3 mem=960 (*)\n");
	/* The old offer is gone, the task is not. */
	kit_decline(&k, 2, "O1", 1000);
	kit_update(&k, 1, 2, "t1", TASK_RUNNING, 3);
	kit_expect(&k, "2 UPDATE t1 TASK_RUNNING S0 SOURCE_EXECUTOR 3\n");
	/* The end of the old connection is not the end of the framework. */
	kit_closed(&k, 1);
	kit_reconcile(&k, 2, NULL, NULL);
	kit_expect(&k, "2 UPDATE t1 TASK_RUNNING S0 SOURCE_MASTER REASON_RECONCILIATION "
		       "\"Reconciliation: Latest task state\" -\n");
	kit_deinit(&k);
}

static void calls_of_the_older_stream_are_refused(void **state)
{
	const struct kit_framework again = { .id = "F0" };
	struct kit k;
	char expected[512];
	(void)state;

	init_one(&k, &(struct kit_framework){ 0 });
	kit_subscribe_as(&k, 2, &again);
	k.text[0] = '\0';
	(void)snprintf(k.framework[1], KIT_ID, "%s", k.framework[2]);
	kit_revive(&k, 1, NULL);
	(void)snprintf(expected, sizeof(expected),
		"reply 0 400 \"The stream ID '%s' included in this request didn't match the stream ID "
		"currently "
		"associated with framework ID @0000\"\n",
		k.stream[1]);
	kit_expect(&k, expected);
	kit_deinit(&k);
}

static void a_framework_has_its_failover_timeout_to_come_back(void **state)
{
	const struct kit_framework f = { .failover_timeout = 60 },
				   again = { .id = "F0", .failover_timeout = 60 };
	struct kit k;
	(void)state;

	init_one(&k, &f);
	kit_launch(&k, 1, "O0", 0, { .id = "t1" });
	k.text[0] = '\0';
	kit_closed(&k, 1);
	kit_wait(&k, 59999);
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 3); /* nobody hears it: the agent will say it again */
	kit_expect(&k, "");
	kit_subscribe_as(&k, 2, &again);
	kit_expect(&k, "reply 2 stream\n2 SUBSCRIBED F0\n2 HEARTBEAT\n2 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_wait(&k, 100000);
	kit_update(&k, 1, 2, "t1", TASK_FINISHED, 3);
	kit_expect(&k, "2 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 3\n");
	kit_deinit(&k);
}

static void a_framework_that_stays_away_is_removed(void **state)
{
	const struct kit_framework f = { .failover_timeout = 60 }, again = { .id = "F0" };
	struct kit k;
	(void)state;

	init_one(&k, &f);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1" });
	k.text[0] = '\0';
	kit_closed(&k, 1);
	kit_wait(&k, 60000);
	kit_expect(&k, "agent 1: end F0\n");
	kit_subscribe_as(&k, 2, &again);
	kit_expect(&k, "reply 2 stream\n2 ERROR \"Framework has been removed\"\nclose 2\n");
	kit_subscribe(&k, 3); /* everything is free */
	kit_expect(&k, "reply 3 stream\n3 SUBSCRIBED F1\n3 HEARTBEAT\n3 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void without_a_failover_timeout_the_end_of_the_stream_is_the_end(void **state)
{
	struct kit k;
	(void)state;

	init_one(&k, &(struct kit_framework){ 0 });
	kit_closed(&k, 1);
	kit_expect(&k, "agent 1: end F0\n");
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "reply 0 400 \"Framework cannot be found\"\n");
	kit_deinit(&k);
}

static void teardown_ends_everything_without_a_word(void **state)
{
	const struct kit_framework again = { .id = "F0" };
	struct kit k;
	(void)state;

	init_one(&k, &(struct kit_framework){ .failover_timeout = 60 });
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .executor = "e1" });
	k.text[0] = '\0';
	kit_teardown(&k, 1);
	kit_expect(&k, "close 1\nagent 1: end F0\n");
	kit_update(&k, 1, 1, "t1", TASK_KILLED, 3); /* of a framework that is over */
	kit_exited(&k, 1, 1, "e1", 0);
	kit_expect(&k, "");
	kit_subscribe_as(&k, 2, &again);
	kit_expect(&k, "reply 2 stream\n2 ERROR \"Framework has been removed\"\nclose 2\n");
	kit_closed(&k, 2);
	kit_deinit(&k);
}

static void a_framework_of_a_master_before_this_one_is_taken_on(void **state)
{
	const struct kit_framework f = { .id = "another-master-0007" };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe_as(&k, 1, &f);
	kit_expect(&k, "reply 1 stream\n1 SUBSCRIBED another-master-0007\n1 HEARTBEAT\n");
	kit_subscribe(&k, 2); /* the first of this master's own */
	kit_expect(&k, "reply 2 stream\n2 SUBSCRIBED F0\n2 HEARTBEAT\n");
	kit_deinit(&k);
}

static void roles_may_change_on_the_way(void **state)
{
	const struct kit_framework a = { .roles = { "a" } }, b = { .id = "F0", .roles = { "b", "c" } };
	struct kit k;
	(void)state;

	init_one(&k, &a);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .role = "a" });
	k.text[0] = '\0';
	kit_subscribe_as(&k, 2, &b);
	kit_expect(&k,
		"1 ERROR \"Framework failed over\"\nclose 1\nreply 2 stream\n2 SUBSCRIBED F0\n2 HEARTBEAT\n"
		"2 OFFERS O1:S0 cpus=3 mem=960 (b)\n");
	kit_revive(&k, 2, "a"); /* no longer its own */
	kit_update(&k, 1, 2, "t1", TASK_FINISHED, 3);
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	kit_expect(&k, "2 OFFERS O2:S0 cpus=1 mem=64 (c)\n");
	kit_deinit(&k);
}

static void suppressed_roles_of_a_subscription_count(void **state)
{
	const struct kit_framework f = { .suppressed = { "*" } }, again = { .id = "F0" };
	struct kit k;
	(void)state;

	init_one(&k, &f);
	kit_wait(&k, 2000);
	kit_expect(&k, "");
	kit_subscribe_as(&k, 2, &again);
	kit_expect(&k,
		"1 ERROR \"Framework failed over\"\nclose 1\nreply 2 stream\n2 SUBSCRIBED F0\n2 HEARTBEAT\n"
		"2 OFFERS O0:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

/* ---- Refusals ---- */

static void expect_refused(const struct kit_framework *f, const char *words)
{
	struct kit k;
	char expected[1024];

	kit_init(&k);
	kit_subscribe_as(&k, 1, f);
	(void)snprintf(expected, sizeof(expected), "reply 1 stream\n1 ERROR \"%s\"\nclose 1\n", words);
	kit_expect(&k, expected);
	kit_deinit(&k);
}

static void nonsense_is_refused_by_an_error_event(void **state)
{
	(void)state;
	expect_refused(&(struct kit_framework){ .roles = { "a", "b", "a" } },
		"'FrameworkInfo.roles' contains duplicate items: { a }");
	expect_refused(&(struct kit_framework){ .roles = { "/a" } },
		"'FrameworkInfo.roles' contains invalid role: Role '/a' cannot start with a slash");
	expect_refused(&(struct kit_framework){ .roles = { "a/" } },
		"'FrameworkInfo.roles' contains invalid role: Role 'a/' cannot end with a slash");
	expect_refused(&(struct kit_framework){ .roles = { "a//b" } },
		"'FrameworkInfo.roles' contains invalid role: Role 'a//b' cannot contain two adjacent "
		"slashes");
	expect_refused(&(struct kit_framework){ .roles = { "a/.." } },
		"'FrameworkInfo.roles' contains invalid role: Role 'a/..' cannot include '..' as a "
		"component");
	expect_refused(&(struct kit_framework){ .roles = { "a/-b" } },
		"'FrameworkInfo.roles' contains invalid role: Role component '-b' is invalid because it "
		"starts with "
		"a dash");
	expect_refused(&(struct kit_framework){ .role = "a b" },
		"'FrameworkInfo.role' is not a valid role: Role component 'a b' is invalid because it "
		"contains "
		"backspace or whitespace");
	expect_refused(&(struct kit_framework){ .roles = { "a" }, .suppressed = { "b" } },
		"Suppressed roles { b } are not contained in the set of roles");
	expect_refused(&(struct kit_framework){ .id = "a/b" }, "'a/b' contains invalid characters");
	expect_refused(&(struct kit_framework){ .failover_timeout = 1e300 },
		"The framework failover_timeout (1e+300) is invalid");
}

static void the_principal_stays_and_so_does_the_user(void **state)
{
	const struct kit_framework other = { .id = "F0", .principal = "q" },
				   user = { .id = "F0", .principal = "p", .user = "another" };
	struct kit k;
	(void)state;

	init_one(&k, &(struct kit_framework){ .principal = "p" });
	kit_subscribe_as(&k, 2, &other);
	kit_expect(
		&k, "reply 2 stream\n2 ERROR \"Changing framework's principal is not allowed.\"\nclose 2\n");
	kit_subscribe_as(&k, 3, &user);
	kit_expect(&k,
		"1 ERROR \"Framework failed over\"\nclose 1\nreply 3 stream\n3 SUBSCRIBED F0\n3 HEARTBEAT\n"
		"3 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void who_may_call(void **state)
{
	struct kit k;
	char stream[64];
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	(void)state;

	init_one(&k, &(struct kit_framework){ .failover_timeout = 60 });
	(void)snprintf(k.framework[7], KIT_ID, "F9");
	kit_revive(&k, 7, NULL);
	kit_expect(&k, "reply 0 400 \"Framework cannot be found\"\n");
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	id.value = k.framework[1];
	call.framework_id = &id;
	call.has_type = 1;
	call.type = MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE;
	kit_step(&k, &(struct master_event){ .kind = MASTER_EV_CALL, .u.call = { .call = &call } });
	kit_expect(
		&k, "reply 0 400 \"All non-subscribe calls should include the 'Mesos-Stream-Id' header\"\n");
	(void)snprintf(stream, sizeof(stream), "%s", k.stream[1]);
	kit_closed(&k, 1);
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "reply 0 403 \"Framework is not subscribed\"\n");
	kit_deinit(&k);
}

/* The shell checks that the part is there; a core that is asked without it says no. */
static void half_a_call_is_refused(void **state)
{
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	struct kit k;
	(void)state;

	init_one(&k, &(struct kit_framework){ 0 });
	kit_call(&k, 1, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT, &call);
	kit_expect(&k, "reply 0 400 \"Failed to validate scheduler::Call: the call is not complete\"\n");
	kit_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heartbeats_come_at_once_and_then_at_intervals),
		cmocka_unit_test(subscribed_says_who_the_master_is),
		cmocka_unit_test(the_same_id_takes_the_stream_over),
		cmocka_unit_test(calls_of_the_older_stream_are_refused),
		cmocka_unit_test(a_framework_has_its_failover_timeout_to_come_back),
		cmocka_unit_test(a_framework_that_stays_away_is_removed),
		cmocka_unit_test(without_a_failover_timeout_the_end_of_the_stream_is_the_end),
		cmocka_unit_test(teardown_ends_everything_without_a_word),
		cmocka_unit_test(a_framework_of_a_master_before_this_one_is_taken_on),
		cmocka_unit_test(roles_may_change_on_the_way),
		cmocka_unit_test(suppressed_roles_of_a_subscription_count),
		cmocka_unit_test(nonsense_is_refused_by_an_error_event),
		cmocka_unit_test(the_principal_stays_and_so_does_the_user),
		cmocka_unit_test(who_may_call),
		cmocka_unit_test(half_a_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
