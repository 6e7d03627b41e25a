#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "modes/modes.h"

enum { WAIT_MS = 30000 };

static int setup(void **state)
{
	const struct mode_config config = {
		.max_slots = 10, .min_ratio_percent = 80, .max_registered_wait_ms = WAIT_MS
	};
	struct mode *m;

	if (mode_new(&config, &m) < 0)
		return -1;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	mode_free(*state);
	return 0;
}

static enum mode_start ask(void *m, struct mode_view v, uint64_t *until, struct err *why)
{
	return mode_coarse.start(m, &v, until, why);
}

static void takes_up_to_the_request(void **state)
{
	const struct mode_offer four = { .fits = 4 };
	const struct mode_view none = { .wanted = 100 }, eight = { .wanted = 100, .held = 8 },
			       narrow = { .wanted = 3 }, full = { .wanted = 100, .held = 10 };

	assert_int_equal(mode_coarse.consider(*state, &none, &four), 4);
	assert_int_equal(mode_coarse.consider(*state, &eight, &four), 2);
	assert_int_equal(mode_coarse.consider(*state, &narrow, &four), 3);
	assert_int_equal(mode_coarse.consider(*state, &full, &four), 0);
}

static void is_hungry_until_it_has_its_request(void **state)
{
	const struct mode_view less = { .wanted = 100, .held = 9 }, full = { .wanted = 100, .held = 10 },
			       narrow = { .wanted = 2, .held = 2, .runnable = 50 }, idle = { .wanted = 0 };

	assert_true(mode_coarse.hungry(*state, &less));
	assert_false(mode_coarse.hungry(*state, &full));
	assert_false(mode_coarse.hungry(*state, &narrow));
	assert_false(mode_coarse.hungry(*state, &idle));
}

static void starts_as_a_gang(void **state)
{
	uint64_t until;
	struct mode_view v = { .wanted = 100, .held = 10, .registered = 9, .since_ms = 50, .now_ms = 60 };

	assert_int_equal(ask(*state, v, &until, NULL), MODE_WAIT);
	assert_int_equal(until, 50 + WAIT_MS);
	v.registered = 10;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
	v.registered = v.held = 3; /* it has started: losses do not stop it */
	v.now_ms += 10 * (uint64_t)WAIT_MS;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
}

static void starts_with_the_ratio_when_the_wait_is_over(void **state)
{
	uint64_t until;
	struct mode_view v = {
		.wanted = 10, .held = 8, .registered = 8, .since_ms = 50, .now_ms = 49 + WAIT_MS
	};

	assert_int_equal(ask(*state, v, &until, NULL), MODE_WAIT);
	v.now_ms++;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
	/* The next action knows that eight are what is to be had. */
	v.since_ms = v.now_ms + 5;
	v.now_ms += 6;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
	v.since_ms = v.now_ms + 5;
	v.now_ms += 6;
	v.registered = 7;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_WAIT);
}

static void gives_up_below_the_ratio_and_says_why(void **state)
{
	struct err why = { "" };
	uint64_t until;
	const struct mode_view v = {
		.wanted = 100, .held = 8, .registered = 7, .since_ms = 50, .now_ms = 50 + WAIT_MS
	};

	assert_int_equal(ask(*state, v, &until, &why), MODE_GIVE_UP);
	assert_non_null(strstr(why.text, "asked for 10 slots"));
	assert_non_null(strstr(why.text, "8 are held"));
	assert_non_null(strstr(why.text, "7 registered"));
	assert_int_equal(ask(*state, v, &until, &why), MODE_GIVE_UP);
}

static void with_a_ratio_of_nothing_any_slot_is_enough_and_is_waited_for(void **state)
{
	const struct mode_config config = { .max_slots = 10, .max_registered_wait_ms = WAIT_MS };
	struct mode *m;
	struct err why = { "" };
	uint64_t until;
	struct mode_view v = { .wanted = 10, .since_ms = 50, .now_ms = 50 + WAIT_MS };
	(void)state;

	assert_int_equal(mode_new(&config, &m), 0);
	assert_int_equal(mode_coarse.start(m, &v, &until, &why), MODE_WAIT); /* others have everything */
	assert_int_equal(until, UINT64_MAX);
	v.held = 3;
	v.registered = 1;
	v.coming = 2;
	v.now_ms += 100 * (uint64_t)WAIT_MS;
	v.homeless = true; /* a task takes two slots: those are coming */
	assert_int_equal(mode_coarse.start(m, &v, &until, &why), MODE_WAIT);
	v.held = 1;
	v.coming = 0;
	assert_int_equal(mode_coarse.start(m, &v, &until, &why), MODE_GIVE_UP);
	v.homeless = false;
	assert_int_equal(mode_coarse.start(m, &v, &until, &why), MODE_RUN);
	mode_free(m);
}

static void waits_again_when_everything_is_lost(void **state)
{
	struct err why = { "" };
	uint64_t until;
	struct mode_view v = { .wanted = 2, .held = 2, .registered = 2, .since_ms = 50, .now_ms = 60 };

	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
	v.registered = v.held = 0;
	v.now_ms = 100000;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_WAIT);
	assert_int_equal(until, 100000 + WAIT_MS);
	v.now_ms = 100000 + WAIT_MS - 1;
	v.registered = 1;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
	v.registered = 0;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_WAIT);
	v.now_ms += WAIT_MS;
	assert_int_equal(ask(*state, v, &until, &why), MODE_GIVE_UP);
	assert_non_null(strstr(why.text, "lost all"));
}

static void the_largest_task_has_room_on_one_agent(void **state)
{
	const struct mode_offer four = { .fits = 4 }, three = { .fits = 3 },
				two_more = { .fits = 2, .held_here = 2 };
	struct mode_view v = { .wanted = 4, .widest = 4, .homeless = true };

	assert_int_equal(mode_coarse.consider(*state, &v, &four), 4);
	v.held = 4; /* here and there: it has its request, and is hungry for a larger agent all the same */
	assert_true(mode_coarse.hungry(*state, &v));
	assert_int_equal(mode_coarse.consider(*state, &v, &three), 0);
	assert_int_equal(mode_coarse.consider(*state, &v, &four), 4);
	assert_int_equal(mode_coarse.consider(*state, &v, &two_more), 2);
	v.held = 8; /* the limit is ten */
	assert_int_equal(mode_coarse.consider(*state, &v, &four), 2);
	v.held = 10;
	assert_false(mode_coarse.hungry(*state, &v));
	v.held = 4;
	v.homeless = false;
	assert_false(mode_coarse.hungry(*state, &v));
}

static void slots_come_by_whole_tasks(void **state)
{
	const struct mode_offer five = { .fits = 5 }, four = { .fits = 4 };
	const struct mode_view v = { .wanted = 4, .widest = 3 },
			       some = { .wanted = 6, .widest = 3, .held = 4 };

	assert_int_equal(mode_coarse.consider(*state, &v, &four), 4); /* two would need six */
	assert_int_equal(mode_coarse.consider(*state, &v, &five), 4);
	assert_int_equal(mode_coarse.consider(*state, &some, &four), 3); /* not two, which run none */
}

static void without_room_for_the_largest_task_it_does_not_start(void **state)
{
	struct err why = { "" };
	uint64_t until;
	struct mode_view v = { .wanted = 4,
		.widest = 4,
		.held = 4,
		.registered = 4,
		.homeless = true,
		.since_ms = 50,
		.now_ms = 60 };

	assert_int_equal(ask(*state, v, &until, NULL), MODE_WAIT);
	assert_int_equal(until, 50 + WAIT_MS);
	v.now_ms = 50 + WAIT_MS;
	assert_int_equal(ask(*state, v, &until, &why), MODE_GIVE_UP);
	v.homeless = false;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
}

static void it_goes_on_for_a_while_when_that_room_is_lost(void **state)
{
	struct err why = { "" };
	uint64_t until;
	struct mode_view v = {
		.wanted = 4, .widest = 4, .held = 4, .registered = 4, .since_ms = 50, .now_ms = 60
	};

	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
	assert_int_equal(until, UINT64_MAX);
	v.registered = v.held = 2;
	v.homeless = true;
	v.now_ms = 5000;
	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN); /* smaller tasks can */
	assert_int_equal(until, 5000 + WAIT_MS);
	v.now_ms = 5000 + WAIT_MS;
	assert_int_equal(ask(*state, v, &until, &why), MODE_GIVE_UP);
	assert_non_null(strstr(why.text, "--max-registered-wait"));
}

static void an_empty_action_needs_nothing(void **state)
{
	uint64_t until;
	const struct mode_view v = { .wanted = 0, .since_ms = 50, .now_ms = 50 };

	assert_int_equal(ask(*state, v, &until, NULL), MODE_RUN);
}

static void gives_nothing_back(void **state)
{
	const struct mode_view v = { .now_ms = UINT64_MAX / 2 };
	uint64_t until = 0;

	assert_false(mode_coarse.release(*state, &v, 0, 0, &until));
	assert_int_equal(until, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_up_to_the_request, setup, teardown),
		cmocka_unit_test_setup_teardown(is_hungry_until_it_has_its_request, setup, teardown),
		cmocka_unit_test_setup_teardown(starts_as_a_gang, setup, teardown),
		cmocka_unit_test_setup_teardown(starts_with_the_ratio_when_the_wait_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_up_below_the_ratio_and_says_why, setup, teardown),
		cmocka_unit_test(with_a_ratio_of_nothing_any_slot_is_enough_and_is_waited_for),
		cmocka_unit_test_setup_teardown(waits_again_when_everything_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_task_has_room_on_one_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(slots_come_by_whole_tasks, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_room_for_the_largest_task_it_does_not_start, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_goes_on_for_a_while_when_that_room_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_action_needs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_nothing_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
