/* scripted.h: a mode that decides by the dice: whatever modes.h allows, at any moment. What keeps its
 * promises with it keeps them with every mode. The dice fall by the time and the question, so that the same
 * situation gets the same answer. */
#ifndef QUERN_TESTS_MODES_SCRIPTED_H
#define QUERN_TESTS_MODES_SCRIPTED_H

#include "base/random.h"
#include "modes/policy.h"

static inline uint64_t scripted_dice(const struct mode_view *v, uint64_t question)
{
	uint64_t state = v->now_ms * 1000003 + question;

	return random_next(&state);
}

static inline uint32_t scripted_missing(const struct mode *m, const struct mode_view *v)
{
	uint64_t there = (uint64_t)v->idle + v->coming;
	uint32_t need = v->runnable > there ? v->runnable - (uint32_t)there : 0, max = m->config.max_slots;
	uint32_t left = max == 0 ? UINT32_MAX : v->held < max ? max - v->held : 0;

	return need < left ? need : left;
}

/* Anything that is allowed: often enough all of it. */
static inline uint32_t scripted_consider(
	struct mode *m, const struct mode_view *v, const struct mode_offer *o)
{
	uint32_t most = scripted_missing(m, v);

	most = most < o->fits ? most : o->fits;
	return scripted_dice(v, 1) % 2 == 0 ? most : (uint32_t)(scripted_dice(v, 2) % ((uint64_t)most + 1));
}

/* Waits now and then, in the middle of an action as well. */
static inline enum mode_start scripted_start(
	struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why)
{
	(void)m;
	(void)why;
	*ret_until_ms = v->now_ms + 1 + scripted_dice(v, 3) % 50;
	return scripted_dice(v, 4) % 4 == 0 ? MODE_WAIT : MODE_RUN;
}

static inline bool scripted_hungry(struct mode *m, const struct mode_view *v)
{
	return scripted_missing(m, v) > 0;
}

static inline bool scripted_release(struct mode *m, const struct mode_view *v, uint64_t idle_since_ms,
	uint64_t held_since_ms, uint64_t *ret_until_ms)
{
	(void)m;
	(void)held_since_ms;
	*ret_until_ms = v->now_ms + 1 + scripted_dice(v, 5) % 200;
	return scripted_dice(v, idle_since_ms == UINT64_MAX ? 6 : 7) %
		       (idle_since_ms == UINT64_MAX ? 20 : 3) ==
	       0;
}

__attribute__((unused)) static const struct mode_ops mode_scripted = { .name = "scripted",
	.task_per_hold = false,
	.as_needed = true,
	.executor_first = true,
	.consider = scripted_consider,
	.start = scripted_start,
	.hungry = scripted_hungry,
	.release = scripted_release };

#endif
