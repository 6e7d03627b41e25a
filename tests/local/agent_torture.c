/* Every allocation of the agent's core fails once, the first, the second, and so on until none is left: each
 * time the step ends with -ENOMEM, and what the core took it gives back when it is freed (which a sanitizer
 * or valgrind sees). Linked with --wrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/local/agent_kit_calls.h"
#include "tests/refuse.h"

/* Something of everything that the core does. */
static void live(struct kit *k)
{
	static const struct kit_status again[] = {
		{ "t1", S(RUNNING), 1 },
		{ "t1", S(FINISHED), 2 },
		{ NULL, S(RUNNING), 0 },
	};

	k->checkpoint = true;
	(void)kit_simple(k, AGENT_EV_LINK_UP);
	(void)kit_registered(k);
	(void)kit_run(k, "e1", "t1");
	(void)kit_run(k, "e1", "t2");
	(void)kit_run(k, "..", "t3");
	(void)kit_kill(k, "t2");
	(void)kit_container(k, AGENT_EV_STARTED, 0, NULL);
	(void)kit_update(k, "t1", S(RUNNING), 1);
	(void)kit_subscribe(k, 5);
	(void)kit_update(k, "t1", S(RUNNING), 1);
	(void)kit_message(k, "e1", "x");
	(void)kit_run(k, "e1", "t4");
	(void)kit_kill(k, "t4");
	(void)kit_subscribe_with(k, 6, NULL, again);
	(void)kit_acknowledge(k, "t1", 1);
	(void)kit_tick(k, k->now + 10000);
	(void)kit_simple(k, AGENT_EV_LINK_DOWN);
	(void)kit_simple(k, AGENT_EV_LINK_UP);
	(void)kit_registered(k);
	(void)kit_shutdown_executor(k, "e1");
	(void)kit_tick(k, k->now + 5000);
	(void)kit_container(k, AGENT_EV_EXITED, 9, NULL);
	(void)kit_run(k, "e1", "t5");
	(void)kit_run(k, "e2", "t6");
	(void)kit_container(k, AGENT_EV_START_FAILED, 0, "why");
	(void)kit_shutdown_framework(k);
	(void)kit_simple(k, AGENT_EV_STOP);
}

static void every_allocation_of_a_step_may_fail(void **state)
{
	long n = 1;
	(void)state;

	for (bool all = false; !all; n++) {
		void *made;

		(void)kit_setup(&made);
		struct kit *k = made;
		k->arm = arm;
		until_failure = n;
		live(k);
		all = until_failure > 0;
		assert_int_equal(k->failed, !all);
		(void)kit_teardown(&made);
	}
	assert_true(n > 100);
}

static void an_agent_that_cannot_be_made_leaves_nothing(void **state)
{
	const struct agent_config config = {
		.hostname = "h", .ip = "127.0.0.1", .resources = "cpus:1;ports:[1-2]", .work_dir = "/w"
	};
	struct agent *a = NULL;
	long n = 0;
	int r;
	(void)state;

	do {
		until_failure = ++n;
		armed = true;
		r = agent_new(&config, &a, NULL);
		armed = false;
		assert_true(r == (until_failure > 0 ? 0 : -ENOMEM));
	} while (r < 0);
	assert_true(n > 10);
	until_failure = 0;
	(void)agent_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_step_may_fail),
		cmocka_unit_test(an_agent_that_cannot_be_made_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
