/* What people are told that the driver waits for, when TEARDOWN takes too long. */
#include "scheduler/driver_state.h"
#include "tests/scheduler/sched_kit.h"

static void awaits(const struct kit *k, const char *expected)
{
	const struct driver d = { .sched = k->s, .subscribed = true };

	if (strstr(driver_master_awaits(&d), expected) == NULL)
		fail_msg("no '%s' in '%s'", expected, driver_master_awaits(&d));
}

/* The driver runs in a task, and its first executor is on its way. */
static void one_starts(struct kit *k)
{
	struct sched_config config = kit_config(&mode_fine);

	config.framework_id = "framework-1";
	config.own_task = "driver";
	kit_new(k, &config);
	kit_subscribed(k);
	kit_run(k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 1.1, 1000);
	kit_accepted(k, "5.0.0");
}

static void each_thing_that_is_waited_for_is_named_in_its_turn(void **state)
{
	struct kit k;
	(void)state;

	one_starts(&k);
	kit_down(&k);
	kit_subscribed(&k);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	awaits(&k, "found the new master");
	kit_agent_is_there(&k, "a");
	awaits(&k, "were starting");
	kit_says(&k, "5.0.0", "a", STATE(KILLED));
	awaits(&k, "the driver's own task");
	kit_free(&k);
}

static void an_agent_that_is_silent_is_not_named_for_ever(void **state)
{
	struct kit k;
	(void)state;

	one_starts(&k);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	awaits(&k, "were starting");
	kit_wait(&k, 1000);
	kit_tick(&k);
	awaits(&k, "the driver's own task");
	kit_free(&k);
}

static void without_a_master_it_is_the_master(void **state)
{
	const struct driver none = { .subscribed = false }, gone = { .subscribed = true, .stopped = true };
	(void)state;

	assert_string_equal(driver_master_awaits(&none), "no master is there to be told");
	assert_string_equal(driver_master_awaits(&gone), "TEARDOWN was not answered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thing_that_is_waited_for_is_named_in_its_turn),
		cmocka_unit_test(an_agent_that_is_silent_is_not_named_for_ever),
		cmocka_unit_test(without_a_master_it_is_the_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
