/* What holds for every mode, and how they are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/random.h"
#include "modes/modes.h"

static void modes_are_found_by_name_and_no_other(void **state)
{
	const char *const *names = mode_names();
	size_t n = 0;
	(void)state;

	for (; names[n] != NULL; n++)
		assert_string_equal(mode_find(names[n])->name, names[n]);
	assert_int_equal(n, 3);
	assert_ptr_equal(mode_find("coarse"), &mode_coarse);
	assert_ptr_equal(mode_find("fine"), &mode_fine);
	assert_ptr_equal(mode_find("adaptive"), &mode_adaptive);
	assert_null(mode_find("lazy"));
	assert_null(mode_find(""));
	assert_null(mode_find("coarse "));
}

static void free_takes_null(void **state)
{
	(void)state;
	assert_null(mode_free(NULL));
}

static uint32_t rnd(uint64_t *seed, uint32_t below)
{
	return (uint32_t)(random_next(seed) % below);
}

/* The contract of modes.h, over many made-up situations. */
static void keeps_the_contract(void **state)
{
	const struct mode_ops *ops = *state;
	uint64_t seed = 7;

	for (int round = 0; round < 2000; round++) {
		const struct mode_config config = { .max_slots = rnd(&seed, 20),
			.min_ratio_percent = rnd(&seed, 101),
			.max_registered_wait_ms = rnd(&seed, 1000) };
		struct mode_view v = { .now_ms = 1000 + rnd(&seed, 2000),
			.runnable = rnd(&seed, 30),
			.held = rnd(&seed, 20),
			.since_ms = 1000 };
		const struct mode_offer o = { .fits = rnd(&seed, 10) };
		struct mode *m = NULL;
		uint64_t until[2] = { 0, 0 };

		v.wanted = v.runnable + rnd(&seed, 10);
		v.registered = v.held > 0 ? rnd(&seed, v.held + 1) : 0;
		assert_int_equal(mode_new(&config, &m), 0);
		uint32_t take = ops->consider(m, &v, &o);
		assert_true(take <= o.fits);
		if (config.max_slots != 0 && v.held <= config.max_slots)
			assert_true(v.held + take <= config.max_slots);
		if (take > 0)
			assert_true(ops->hungry(m, &v));
		assert_int_equal(ops->hungry(m, &v), ops->hungry(m, &v));
		enum mode_start first = ops->start(m, &v, &until[0], NULL);
		assert_int_equal(ops->start(m, &v, &until[1], NULL), first);
		assert_int_equal(until[0], until[1]);
		if (first == MODE_WAIT)
			assert_true(until[0] > v.now_ms && until[0] != UINT64_MAX);
		bool back = ops->release(m, &v, 1000, 1000, &until[0]);
		assert_int_equal(ops->release(m, &v, 1000, 1000, &until[1]), back);
		mode_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_are_found_by_name_and_no_other),
		cmocka_unit_test(free_takes_null),
		{ "coarse keeps the contract", keeps_the_contract, NULL, NULL,
			(void *)(uintptr_t)&mode_coarse },
		{ "fine keeps the contract", keeps_the_contract, NULL, NULL, (void *)(uintptr_t)&mode_fine },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
