/* coarse.c: everything that the application can use is held, from before the first task to the end.
 *
 * An action starts when all slots of its request are registered, or after max_registered_wait when
 * min_ratio_percent of them are; what it was content with then is enough for the actions after it, so that a
 * loop of many actions waits once. Its largest task must have room on one agent as well. An action that has
 * started goes on with whatever is left, down to one slot; without any it waits again, for the same time. To
 * be content with nothing of the request (0 %) is to be content with any slot, and to wait for the first one
 * however long it takes. */
#include "modes/policy.h"

#include <inttypes.h>

/* Slots that the application could use at a time. */
static uint32_t target_of(const struct mode *m, const struct mode_view *v)
{
	uint32_t max = m->config.max_slots;

	return max != 0 && max < v->wanted ? max : v->wanted;
}

/* How many more of them are to be had, `fits` at most. */
static uint32_t missing(const struct mode *m, const struct mode_view *v, uint32_t fits)
{
	uint32_t all = target_of(m, v), n = v->held < all ? all - v->held : 0;

	return fits < n ? fits : n;
}

/* Slots of an agent beyond those of tasks of the largest kind are of no use to them: some more may be. */
static uint32_t round_up(const struct mode_view *v, const struct mode_offer *o, uint32_t n)
{
	uint64_t over = ((uint64_t)o->held_here + n) % v->widest;
	uint64_t more = over > 0 ? v->widest - over : 0;

	return n + more <= o->fits ? n + (uint32_t)more : n;
}

static uint32_t consider(struct mode *m, const struct mode_view *v, const struct mode_offer *o)
{
	uint32_t n = missing(m, v, o->fits), max = m->config.max_slots;
	uint32_t left = max == 0 ? UINT32_MAX : v->held < max ? max - v->held : 0;
	uint32_t need = v->widest > o->held_here ? v->widest - o->held_here : 0;

	/* The largest task needs one agent: what is held elsewhere does not count for it. */
	if (v->homeless && n < need && need <= o->fits)
		n = need;
	else if (n > 0 && v->widest > 1)
		n = round_up(v, o, n);
	return n < left ? n : left;
}

static bool hungry(struct mode *m, const struct mode_view *v)
{
	uint32_t max = m->config.max_slots;

	return missing(m, v, UINT32_MAX) > 0 || (v->homeless && (max == 0 || v->held < max));
}

/* The action runs already. */
static enum mode_start go_on(
	struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why)
{
	if (v->registered > 0 || v->wanted == 0) {
		m->empty_ms = UINT64_MAX;
		return policy_hopeless(m, v, ret_until_ms, why) ? MODE_GIVE_UP : MODE_RUN;
	}
	m->homeless_ms = UINT64_MAX; /* what comes back is judged anew */
	if (m->empty_ms == UINT64_MAX)
		m->empty_ms = v->now_ms;
	*ret_until_ms = policy_after(m->empty_ms, m->config.max_registered_wait_ms);
	if (v->now_ms < *ret_until_ms)
		return MODE_WAIT;
	*ret_until_ms = UINT64_MAX;
	if (m->config.min_ratio_percent == 0)
		return MODE_WAIT;
	(void)err_set(why, 0,
		"coarse mode lost all of its slots, and none came back within %" PRIu64 " ms: %u are held, 0 "
		"registered",
		m->config.max_registered_wait_ms, v->held);
	return MODE_GIVE_UP;
}

static enum mode_start start(
	struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why)
{
	uint32_t target = target_of(m, v);
	uint32_t enough = target < m->settled ? target : m->settled;

	*ret_until_ms = UINT64_MAX;
	if (!m->begun || m->action_ms != v->since_ms) {
		m->begun = true;
		m->action_ms = v->since_ms;
		m->started = false;
		m->empty_ms = UINT64_MAX;
	}
	if (m->started)
		return go_on(m, v, ret_until_ms, why);
	if (v->registered >= enough && !v->homeless) {
		m->started = true;
		return MODE_RUN;
	}
	*ret_until_ms = policy_after(v->since_ms, m->config.max_registered_wait_ms);
	if (v->now_ms < *ret_until_ms)
		return MODE_WAIT;
	*ret_until_ms = UINT64_MAX;
	if (m->config.min_ratio_percent == 0 && (v->registered == 0 || (v->homeless && v->coming > 0)))
		return MODE_WAIT; /* whatever comes, comes when others have ended */
	if (v->registered > 0 && !v->homeless &&
		(uint64_t)v->registered * 100 >= (uint64_t)target * m->config.min_ratio_percent) {
		m->started = true;
		m->settled = v->registered;
		return MODE_RUN;
	}
	(void)err_set(why, 0,
		"coarse mode asked for %u slots; after %" PRIu64
		" ms %u are held and %u registered, and %u%% "
		"must be. Ask for fewer cores, wait longer (--max-registered-wait) or start with less "
		"(--min-registered-ratio)",
		target, m->config.max_registered_wait_ms, v->held, v->registered,
		m->config.min_ratio_percent);
	return MODE_GIVE_UP;
}

const struct mode_ops mode_coarse = { .name = "coarse",
	.task_per_hold = false,
	.as_needed = false,
	.executor_first = false,
	.consider = consider,
	.start = start,
	.hungry = hungry,
	.release = policy_release_never };
