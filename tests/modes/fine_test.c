#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "modes/modes.h"

static int setup(void **state)
{
	const struct mode_config config = { .max_slots = 10 };
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

static void a_hold_is_a_task(void **state)
{
	(void)state;
	assert_true(mode_fine.task_per_hold);
	assert_true(mode_fine.as_needed);
}

static void takes_what_fits_and_what_is_runnable(void **state)
{
	const struct mode_offer four = { .fits = 4 }, none = { .fits = 0 };
	const struct mode_view many = { .runnable = 100 }, two = { .runnable = 2 }, idle = { .wanted = 5 };

	assert_int_equal(mode_fine.consider(*state, &many, &four), 4);
	assert_int_equal(mode_fine.consider(*state, &two, &four), 2);
	assert_int_equal(mode_fine.consider(*state, &idle, &four), 0);
	assert_int_equal(mode_fine.consider(*state, &many, &none), 0);
}

static void never_holds_more_than_it_may(void **state)
{
	const struct mode_offer four = { .fits = 4 };
	const struct mode_view eight = { .runnable = 100, .held = 8 }, ten = { .runnable = 100, .held = 10 };

	assert_int_equal(mode_fine.consider(*state, &eight, &four), 2);
	assert_int_equal(mode_fine.consider(*state, &ten, &four), 0);
	assert_true(mode_fine.hungry(*state, &ten)); /* there will be room */
}

static void is_hungry_only_with_something_to_run(void **state)
{
	const struct mode_view idle = { .held = 3, .wanted = 3 }, one = { .runnable = 1 };

	assert_false(mode_fine.hungry(*state, &idle));
	assert_true(mode_fine.hungry(*state, &one));
}

static void waits_for_nothing(void **state)
{
	const struct mode_view v = { .wanted = 100, .since_ms = 5, .now_ms = 5 };
	uint64_t until = 0;

	assert_int_equal(mode_fine.start(*state, &v, &until, NULL), MODE_RUN);
	assert_int_equal(until, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_hold_is_a_task, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_what_fits_and_what_is_runnable, setup, teardown),
		cmocka_unit_test_setup_teardown(never_holds_more_than_it_may, setup, teardown),
		cmocka_unit_test_setup_teardown(is_hungry_only_with_something_to_run, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
