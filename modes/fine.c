/* fine.c: one hold per task. It is launched with the task and ends with it; nothing is held for later. Nor
 * while an executor starts: the first task of an agent comes with it, and the others when it is there. */
#include "modes/policy.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Tasks that do not wait for an executor that starts. */
static uint32_t waiting(const struct mode_view *v)
{
	return v->runnable > v->coming ? v->runnable - v->coming : 0;
}

/* Holds that may be added now: a task for each, and within the application's limit. */
static uint32_t room(const struct mode *m, const struct mode_view *v)
{
	uint32_t max = m->config.max_slots;

	if (max == 0)
		return waiting(v);
	return least(waiting(v), v->held < max ? max - v->held : 0);
}

static uint32_t consider(struct mode *m, const struct mode_view *v, const struct mode_offer *o)
{
	return least(o->fits, room(m, v));
}

static enum mode_start start(
	struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why)
{
	return policy_hopeless(m, v, ret_until_ms, why) ? MODE_GIVE_UP : MODE_RUN;
}

/* Also at the limit: a task that ends makes room for another, and to suppress and revive for each of them is
 * dearer than the offers. */
static bool hungry(struct mode *m, const struct mode_view *v)
{
	(void)m;
	return waiting(v) > 0;
}

const struct mode_ops mode_fine = { .name = "fine",
	.task_per_hold = true,
	.as_needed = true,
	.executor_first = true,
	.consider = consider,
	.start = start,
	.hungry = hungry,
	.release = policy_release_never }; /* a hold ends with its task */
