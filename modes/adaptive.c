/* adaptive.c: slots are leased one by one: taken when a task waits, kept while there are tasks, given back
 * when there are none.
 *
 * Nothing is waited for: tasks run as soon as the first slot is there. Slots are taken for runnable tasks
 * that neither an idle slot nor one that is on its way will take, so that a job that is content asks for
 * nothing. An executor takes longer to start than a slot to get, so the first slot of an agent comes with it,
 * and the others when it is there.
 *
 * When to give an idle slot back is the question of whoever rents skis: to get it back later costs about
 * lease_idle_ms without it (an update, a REVIVE, an offer, a launch), so it is kept for as long as that, and
 * the worst that can happen is to pay twice. It goes back at once when more is known: what runs is expected
 * to take at least that long before anything else can start. So the tail and the waist of a job of long tasks
 * are given back at once; a loop of short actions, and the short stages of an action, keep what they have.
 *
 * A lease that is older than lease_max_ms goes back between two tasks, and another one is asked for: who gets
 * the slot then is the master's to say. Nobody tells us whether others want it. */
#include "modes/policy.h"

/* Not at the limit: leases last, and the end of one makes it hungry. */
static bool hungry(struct mode *m, const struct mode_view *v)
{
	return policy_needed(m, v, UINT32_MAX) > 0;
}

static bool release(struct mode *m, const struct mode_view *v, uint64_t idle_since_ms, uint64_t held_since_ms,
	uint64_t *ret_until_ms)
{
	uint64_t idle_ms = m->config.lease_idle_ms,
		 until = policy_after(held_since_ms, m->config.lease_max_ms);

	if (idle_since_ms != UINT64_MAX) {
		uint64_t idle_until = policy_after(idle_since_ms, idle_ms);

		until = idle_until < until ? idle_until : until;
		if (v->more_ms > 0 && v->more_ms >= idle_ms)
			until = v->now_ms;
	}
	*ret_until_ms = until;
	return until <= v->now_ms;
}

const struct mode_ops mode_adaptive = { .name = "adaptive",
	.task_per_hold = false,
	.as_needed = true,
	.executor_first = true,
	.consider = policy_consider_needed,
	.start = policy_start_at_once,
	.hungry = hungry,
	.release = release };
