#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "modes/modes.h"

enum { IDLE_MS = 100, MAX_MS = 5000 };

static int setup(void **state)
{
	const struct mode_config config = { .max_slots = 10,
		.max_registered_wait_ms = 30000,
		.lease_idle_ms = IDLE_MS,
		.lease_max_ms = MAX_MS };
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

static void takes_what_tasks_lack(void **state)
{
	const struct mode_offer one = { .fits = 1 }, four = { .fits = 4 };
	const struct mode_view many = { .runnable = 100 }, two = { .runnable = 2 },
			       served = { .runnable = 5, .held = 5, .registered = 3, .idle = 3, .coming = 2 },
			       nearly = { .runnable = 6, .held = 5, .registered = 3, .idle = 3, .coming = 2 };

	assert_int_equal(mode_adaptive.consider(*state, &many, &four), 4);
	assert_int_equal(mode_adaptive.consider(*state, &two, &four), 2);
	assert_int_equal(mode_adaptive.consider(*state, &served, &one), 0);
	assert_false(mode_adaptive.hungry(*state, &served));
	assert_int_equal(mode_adaptive.consider(*state, &nearly, &four), 1);
	assert_true(mode_adaptive.hungry(*state, &nearly));
}

/* What goes back is held until it is back. */
static void never_holds_more_than_it_may(void **state)
{
	const struct mode_offer four = { .fits = 4 };
	const struct mode_view eight = { .runnable = 100, .held = 8, .registered = 5 },
			       ten = { .runnable = 100, .held = 10, .registered = 4 };

	assert_int_equal(mode_adaptive.consider(*state, &eight, &four), 2);
	assert_int_equal(mode_adaptive.consider(*state, &ten, &four), 0);
	assert_false(mode_adaptive.hungry(*state, &ten));
}

static void waits_for_nothing(void **state)
{
	const struct mode_view v = { .wanted = 100, .since_ms = 5, .now_ms = 5 };
	uint64_t until = 0;

	assert_int_equal(mode_adaptive.start(*state, &v, &until, NULL), MODE_RUN);
	assert_int_equal(until, UINT64_MAX);
}

static void an_idle_slot_goes_back_after_a_while(void **state)
{
	struct mode_view v = { .now_ms = 1099 };
	uint64_t until = 0;

	assert_false(mode_adaptive.release(*state, &v, 1000, 900, &until));
	assert_int_equal(until, 1100);
	v.now_ms = 1100;
	assert_true(mode_adaptive.release(*state, &v, 1000, 900, &until));
}

static void it_goes_back_at_once_when_nothing_will_come_for_long(void **state)
{
	struct mode_view v = { .now_ms = 1000, .more_ms = IDLE_MS - 1 };
	uint64_t until = 0;

	assert_false(mode_adaptive.release(*state, &v, 1000, 900, &until));
	assert_int_equal(until, 1100);
	v.more_ms = IDLE_MS;
	assert_true(mode_adaptive.release(*state, &v, 1000, 900, &until));
}

static void an_old_one_goes_back_idle_or_not(void **state)
{
	struct mode_view v = { .now_ms = 5899, .runnable = 50, .more_ms = 1000 };
	uint64_t until = 0;

	assert_false(mode_adaptive.release(*state, &v, UINT64_MAX, 900, &until));
	assert_int_equal(until, 5900);
	v.more_ms = 0;
	assert_false(mode_adaptive.release(*state, &v, 5890, 900, &until));
	assert_int_equal(until, 5900); /* sooner than it is idle for long enough */
	v.now_ms = 5900;
	assert_true(mode_adaptive.release(*state, &v, UINT64_MAX, 900, &until));
	assert_true(mode_adaptive.release(*state, &v, 5890, 900, &until));
}

static void without_limits_nothing_goes_back(void **state)
{
	const struct mode_config config = { .lease_idle_ms = UINT64_MAX, .lease_max_ms = UINT64_MAX };
	const struct mode_view v = { .now_ms = UINT64_MAX / 2 };
	struct mode *m;
	uint64_t until = 0;
	(void)state;

	assert_int_equal(mode_new(&config, &m), 0);
	assert_false(mode_adaptive.release(m, &v, 1, 1, &until));
	assert_int_equal(until, UINT64_MAX);
	mode_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_what_tasks_lack, setup, teardown),
		cmocka_unit_test_setup_teardown(never_holds_more_than_it_may, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_idle_slot_goes_back_after_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_goes_back_at_once_when_nothing_will_come_for_long, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_one_goes_back_idle_or_not, setup, teardown),
		cmocka_unit_test_setup_teardown(without_limits_nothing_goes_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
