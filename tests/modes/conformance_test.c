/* What modes.h promises, of every mode, over many made-up situations: those of the product, and one that
 * decides by the dice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/random.h"
#include "modes/modes.h"
#include "tests/modes/scripted.h"

enum { ROUNDS = 5000, ASKED_MAX = 1000 };

struct situation {
	struct mode_config config;
	struct mode_view v;
	struct mode_offer o;
	struct mode *m;
};

static uint32_t rnd(uint64_t *seed, uint32_t below)
{
	return (uint32_t)(random_next(seed) % below);
}

/* Whatever may be, within what the fields of a view mean. */
static void make(struct situation *x, uint64_t *seed)
{
	x->config = (struct mode_config){ .max_slots = rnd(seed, 20),
		.min_ratio_percent = rnd(seed, 101),
		.max_registered_wait_ms = rnd(seed, 1000),
		.lease_idle_ms = rnd(seed, 300),
		.lease_max_ms = rnd(seed, 3000) };
	x->v = (struct mode_view){ .now_ms = 1000 + rnd(seed, 2000),
		.runnable = rnd(seed, 30),
		.held = rnd(seed, 20),
		.widest = 1 + rnd(seed, 4),
		.homeless = rnd(seed, 4) == 0,
		.since_ms = 1000,
		.more_ms = rnd(seed, 2) * rnd(seed, 300) };
	x->v.wanted = x->v.runnable + rnd(seed, 10);
	x->v.registered = rnd(seed, x->v.held + 1);
	x->v.idle = rnd(seed, x->v.registered + 1);
	x->v.coming = rnd(seed, x->v.held - x->v.registered + 1);
	x->o = (struct mode_offer){ .fits = rnd(seed, 10), .held_here = rnd(seed, x->v.held + 1) };
	x->m = NULL;
	assert_int_equal(mode_new(&x->config, &x->m), 0);
}

static void takes_no_more_than_is_offered_and_allowed(void **state)
{
	const struct mode_ops *ops = *state;
	struct situation x;
	uint64_t seed = 1;
	int taken = 0;

	for (int i = 0; i < ROUNDS; i++, mode_free(x.m)) {
		make(&x, &seed);
		uint32_t n = ops->consider(x.m, &x.v, &x.o);
		assert_int_equal(ops->consider(x.m, &x.v, &x.o), n);
		assert_true(n <= x.o.fits);
		taken += n > 0;
		if (x.config.max_slots == 0)
			continue;
		assert_true(n == 0 || x.v.held + n <= x.config.max_slots);
	}
	assert_true(taken > ROUNDS / 20);
}

static void is_hungry_when_it_would_take_and_something_is_wanted(void **state)
{
	const struct mode_ops *ops = *state;
	struct situation x;
	uint64_t seed = 2;
	int hungry = 0;

	for (int i = 0; i < ROUNDS; i++, mode_free(x.m)) {
		make(&x, &seed);
		if (ops->consider(x.m, &x.v, &x.o) > 0)
			assert_true(ops->hungry(x.m, &x.v));
		assert_int_equal(ops->hungry(x.m, &x.v), ops->hungry(x.m, &x.v));
		hungry += ops->hungry(x.m, &x.v);
		x.v.wanted = x.v.runnable = 0;
		x.v.homeless = false;
		assert_false(ops->hungry(x.m, &x.v));
		assert_int_equal(ops->consider(x.m, &x.v, &x.o), 0);
	}
	assert_true(hungry > ROUNDS / 10 && hungry < ROUNDS);
}

static void what_is_there_or_coming_is_not_taken_again(void **state)
{
	const struct mode_ops *ops = *state;
	struct situation x;
	uint64_t seed = 3;

	for (int i = 0; i < ROUNDS; i++, mode_free(x.m)) {
		make(&x, &seed);
		x.v.homeless = false;
		x.v.widest = 1;
		if (ops->task_per_hold) { /* a slot is never there without its task */
			x.v.idle = x.v.coming = 0;
			assert_true(ops->consider(x.m, &x.v, &x.o) <= x.v.runnable);
			continue;
		}
		uint32_t there = ops->as_needed ? x.v.idle + x.v.coming : x.v.held;
		uint32_t use = ops->as_needed ? x.v.runnable : x.v.wanted;
		assert_true(ops->consider(x.m, &x.v, &x.o) <= (use > there ? use - there : 0));
		assert_true(there < use || !ops->hungry(x.m, &x.v));
	}
}

/* Nothing else changes but the time, as it is asked for. */
static void starts_or_gives_up_at_last(void **state)
{
	const struct mode_ops *ops = *state;
	struct situation x;
	uint64_t seed = 4;

	for (int i = 0; i < ROUNDS; i++, mode_free(x.m)) {
		struct err why = { "" };
		uint64_t until = 0, again = 0;
		enum mode_start start = MODE_WAIT;
		int asked = 0;

		make(&x, &seed);
		for (; asked < ASKED_MAX && start == MODE_WAIT; asked++) {
			start = ops->start(x.m, &x.v, &until, &why);
			assert_int_equal(ops->start(x.m, &x.v, &again, &why), start);
			assert_int_equal(until, again);
			assert_true(until > x.v.now_ms);
			if (start == MODE_WAIT && until == UINT64_MAX)
				break; /* for slots that others have, as it was told, or that are coming */
			x.v.now_ms = start == MODE_WAIT ? until : x.v.now_ms;
		}
		assert_true(asked < ASKED_MAX);
		if (start == MODE_WAIT)
			assert_true(
				x.config.min_ratio_percent == 0 && (x.v.registered == 0 || x.v.coming > 0));
		if (start == MODE_GIVE_UP)
			assert_true(strlen(why.text) > 0);
	}
}

static void with_all_that_it_asked_for_it_runs(void **state)
{
	const struct mode_ops *ops = *state;
	struct situation x;
	uint64_t seed = 5;

	for (int i = 0; i < ROUNDS; i++, mode_free(x.m)) {
		uint64_t until = 0;
		int asked = 0;

		make(&x, &seed);
		x.v.homeless = false;
		x.v.held = x.v.registered = x.v.wanted > 0 ? x.v.wanted : 1;
		while (ops->start(x.m, &x.v, &until, NULL) != MODE_RUN && asked++ < ASKED_MAX)
			x.v.now_ms = until;
		assert_true(asked < ASKED_MAX);
	}
}

static void gives_back_when_it_said_or_says_when(void **state)
{
	const struct mode_ops *ops = *state;
	struct situation x;
	uint64_t seed = 6;
	int back = 0;

	for (int i = 0; i < ROUNDS; i++, mode_free(x.m)) {
		make(&x, &seed);
		uint64_t held_since = x.v.now_ms - rnd(&seed, 1000), until = 0, again = 0;
		uint64_t idle_since = rnd(&seed, 2) == 0 ? UINT64_MAX : x.v.now_ms - rnd(&seed, 200);

		bool now = ops->release(x.m, &x.v, idle_since, held_since, &until);
		assert_int_equal(ops->release(x.m, &x.v, idle_since, held_since, &again), now);
		if (!now) {
			assert_int_equal(until, again);
			assert_true(until > x.v.now_ms);
		}
		if (!ops->as_needed || ops->task_per_hold)
			assert_true(!now && until == UINT64_MAX);
		back += now;
	}
	if (ops->as_needed && !ops->task_per_hold)
		assert_true(back > ROUNDS / 20 && back < ROUNDS);
}

#define IN_MODE(test, mode)                                                                                  \
	{                                                                                                    \
#mode ", " #test, test, NULL, NULL, (void *)(uintptr_t)&mode_##mode                          \
	}
#define CONFORMS(mode)                                                                                       \
	IN_MODE(takes_no_more_than_is_offered_and_allowed, mode),                                            \
		IN_MODE(is_hungry_when_it_would_take_and_something_is_wanted, mode),                         \
		IN_MODE(what_is_there_or_coming_is_not_taken_again, mode),                                   \
		IN_MODE(starts_or_gives_up_at_last, mode),                                                   \
		IN_MODE(with_all_that_it_asked_for_it_runs, mode),                                           \
		IN_MODE(gives_back_when_it_said_or_says_when, mode)

int main(void)
{
	const struct CMUnitTest tests[] = { CONFORMS(coarse), CONFORMS(fine), CONFORMS(adaptive),
		CONFORMS(scripted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
