#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "executor/environment.h"

/* The environment of a test: NAME=VALUE texts. */
static const char *const *variables;

static char *lookup(const char *name)
{
	size_t n = strlen(name);

	for (const char *const *v = variables; *v != NULL; v++)
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return (char *)(uintptr_t)(*v + n + 1);
	return NULL;
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} right[] = { { "5secs", 5000 }, { "1.5mins", 90000 }, { "15mins", 900000 }, { "0secs", 0 },
		{ "100ms", 100 }, { "2hrs", 7200000 }, { "1days", 86400000 }, { "1weeks", 604800000 },
		{ "5000000us", 5000 }, { "1ns", 0 } };
	static const char *const wrong[] = { "", "5", "secs", "-5secs", "5 secs", "5secsx", "nansecs",
		"infsecs", "1e300secs", "5SECS" };
	uint64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		if (duration_parse(right[i].text, &ms) != 0)
			fail_msg("'%s' is not taken", right[i].text);
		assert_int_equal(ms, right[i].ms);
	}
	ms = 7;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (duration_parse(wrong[i], &ms) != -EINVAL || ms != 7)
			fail_msg("'%s' is taken for a duration", wrong[i]);
}

static void all_of_it(void **state)
{
	static const char *const all[] = { "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
		"MESOS_AGENT_ENDPOINT=h:5051", "MESOS_SANDBOX=/mnt/mesos/sandbox",
		"MESOS_DIRECTORY=/var/lib/x", "MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=2mins",
		"MESOS_SUBSCRIPTION_BACKOFF_MAX=3secs", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=4secs",
		"MESOS_EXECUTOR_AUTHENTICATION_TOKEN=t", "QUERN_SHUFFLE_PORT=65535", NULL };
	struct environment e;
	struct err err;

	(void)state;
	variables = all;
	assert_int_equal(environment_read(lookup, &e, &err), 0);
	assert_string_equal(e.framework_id, "f");
	assert_string_equal(e.executor_id, "e");
	assert_string_equal(e.agent, "h:5051");
	assert_string_equal(e.sandbox, "/mnt/mesos/sandbox");
	assert_true(e.checkpoint);
	assert_int_equal(e.recovery_timeout_ms, 120000);
	assert_int_equal(e.backoff_max_ms, 3000);
	assert_int_equal(e.grace_ms, 4000);
	assert_string_equal(e.token, "t");
	assert_int_equal(e.shuffle_port, 65535);
}

static void the_least(void **state)
{
	static const char *const least[] = { "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
		"MESOS_AGENT_ENDPOINT=h:5051", "MESOS_DIRECTORY=/d", NULL };
	struct environment e;
	struct err err;

	(void)state;
	variables = least;
	assert_int_equal(environment_read(lookup, &e, &err), 0);
	assert_string_equal(e.sandbox, "/d");
	assert_false(e.checkpoint);
	assert_null(e.token);
	assert_int_equal(e.shuffle_port, 0);
	assert_true(e.grace_ms > 0);
}

/* What is missing or nonsense is named. */
static void mistakes(void **state)
{
	static const char *const cases[][6] = {
		{ "MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID=e", "MESOS_AGENT_ENDPOINT=h:1",
			"MESOS_DIRECTORY=/d" },
		{ "MESOS_EXECUTOR_ID", "MESOS_FRAMEWORK_ID=f", "MESOS_AGENT_ENDPOINT=h:1",
			"MESOS_DIRECTORY=/d" },
		{ "MESOS_AGENT_ENDPOINT", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_DIRECTORY=/d" },
		{ "MESOS_DIRECTORY", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1" },
		{ "MESOS_FRAMEWORK_ID", "MESOS_FRAMEWORK_ID=", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1", "MESOS_DIRECTORY=/d" },
		{ "MESOS_RECOVERY_TIMEOUT", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1", "MESOS_DIRECTORY=/d", "MESOS_RECOVERY_TIMEOUT=soon" },
		{ "QUERN_SHUFFLE_PORT", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1", "MESOS_DIRECTORY=/d", "QUERN_SHUFFLE_PORT=0" },
		{ "QUERN_SHUFFLE_PORT", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1", "MESOS_DIRECTORY=/d", "QUERN_SHUFFLE_PORT=65536" },
		{ "QUERN_SHUFFLE_PORT", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1", "MESOS_DIRECTORY=/d", "QUERN_SHUFFLE_PORT=" },
		{ "QUERN_SHUFFLE_PORT", "MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e",
			"MESOS_AGENT_ENDPOINT=h:1", "MESOS_DIRECTORY=/d", "QUERN_SHUFFLE_PORT=80 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *list[6] = { NULL };
		struct environment e;
		struct err err = { "" };

		for (size_t j = 1; j < 6 && cases[i][j] != NULL; j++)
			list[j - 1] = cases[i][j];
		variables = list;
		assert_int_equal(environment_read(lookup, &e, &err), -EINVAL);
		assert_non_null(strstr(err.text, cases[i][0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(the_least),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
