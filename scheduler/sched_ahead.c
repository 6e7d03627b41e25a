/* sched_ahead.c: tasks that are sent to an executor before it has a slot for them, so that a worker that
 * ends one does not wait for a round trip to the driver, and frames carry many.
 *
 * What waits there must not be missed elsewhere, nor be late:
 *
 * - Only tasks that are short, by the mean of their stage, go ahead: to a long one a round trip is
 *   nothing. Of a stage that nothing is known of yet none do.
 * - At most AHEAD_US of work for each slot, but one task at least.
 * - Only while more than AHEAD_RESERVE tasks for each slot of the job wait here, so that what is left at
 *   the end of a stage goes to whoever is free.
 * - Only tasks of one slot: so what waits is counted in slots and in tasks alike.
 * - Not to an executor whose next slot is to go back (sched_lease.c).
 * - Only tasks that were never tried: one that has killed an executor is to be known by it.
 * - If slots are free all the same, with nothing left here, because an executor is stuck behind something
 *   long (QUIET_MS without a result), what it has not begun is taken back: killed, which counts for
 *   nothing.
 *
 * An executor runs what it gets in order. So an attempt that went ahead is taken for begun when fewer of
 * those before it are left than there are slots, and until then its executor's death is not held against
 * it. */
#include "scheduler/sched_parts.h"

enum {
	AHEAD_TASK_US = 250000,   /* stages of longer tasks send none ahead */
	AHEAD_US = 10000,         /* of work that waits for a slot there */
	AHEAD_MAX = 32,           /* tasks that do */
	AHEAD_RESERVE = 2,        /* tasks here, for each slot of the job */
	MEAN_SHARE = 8,           /* the mean moves by one part of so many */
	WALL_US_MAX = 3600000000, /* what is believed of a task's time */
	QUIET_MS = 20
};

/* ---- What is known ---- */

void sched_ahead_learn(struct sched *s, struct stage *stage, const Quern__TaskResult *result)
{
	if (!result->has_wall_us)
		return;
	int64_t us = (int64_t)(result->wall_us < WALL_US_MAX ? result->wall_us : WALL_US_MAX);
	if (!stage->timed)
		stage->mean_us = us;
	else
		stage->mean_us += (us - stage->mean_us) / MEAN_SHARE;
	s->stirred = s->stirred || !stage->timed; /* it may fit in before an agent is to be left */
	stage->timed = true;
	s->mean_us += s->mean_us == 0 ? us : (us - s->mean_us) / MEAN_SHARE;
}

/* The begun ones are the oldest. */
void sched_ahead_settle(struct sched *s, struct executor *e)
{
	struct attempt *a = e->attempts;

	while (!e->losing && e->ahead > 0 && e->load - e->ahead < e->slots) {
		while (!a->ahead)
			a = a->next;
		sched_attempt_begins(s, a);
	}
}

/* ---- Giving ---- */

/* How many tasks may wait for each slot, beyond the one that runs in it. */
static uint32_t depth(const struct sched *s)
{
	const struct stage *stage = NULL;

	for (size_t i = 0; stage == NULL && i < s->run->ready.n; i++)
		if (s->run->ready.at[i]->n_pending > 0)
			stage = s->run->ready.at[i];
	if (stage == NULL || sched_size_slots(s, stage) > 1 || stage->retry != NULL || !stage->timed ||
		stage->mean_us >= AHEAD_TASK_US ||
		sched_run_runnable(s) <= (uint64_t)AHEAD_RESERVE * s->registered)
		return 0;
	int64_t n = AHEAD_US / (stage->mean_us + 1);
	return n < 1 ? 1 : n > AHEAD_MAX ? AHEAD_MAX : (uint32_t)n;
}

bool sched_ahead_room(struct sched *s, const struct executor *e)
{
	if (!e->linked || e->state != EXECUTOR_UP || e->doubtful || e->ending)
		return false;
	if (e->going > 0) /* what waited for its slots would keep them busy */
		return sched_executor_free(e) > 0;
	if (e->load >= (uint64_t)e->slots * (1 + depth(s)))
		return false;
	return e->load < e->slots || !sched_lease_is_due(s, e);
}

/* ---- Taking back ---- */

/* The newest first; at most `n`. */
static int take_from(struct sched *s, struct executor *e, uint32_t *n)
{
	struct attempt *a = e->attempts->prev; /* the last */
	uint32_t ahead = e->ahead;
	int r = 0;

	for (; r == 0 && ahead > 0 && *n > 0; a = a->prev) {
		if (!a->ahead)
			continue;
		ahead--;
		if (a->kill)
			continue;
		(*n)--;
		r = sched_attempt_kill(s, a);
	}
	return r;
}

int sched_ahead_take_back(struct sched *s)
{
	struct executor *e;
	int r = 0;

	if (s->behind == NULL || s->free_slots == 0 || s->run == NULL || s->run->ended ||
		sched_run_runnable(s) > 0)
		return 0;
	if (s->now_ms < s->behind_look_ms) { /* not at every result of a large cluster */
		sched_look_at(s, s->behind_look_ms);
		return 0;
	}
	s->behind_look_ms = s->now_ms + QUIET_MS;
	sched_look_at(s, s->behind_look_ms);
	uint32_t n = s->free_slots;
	for (e = s->behind; r == 0 && n > 0 && e != NULL; e = e->behind_next)
		if (e->heard_ms + QUIET_MS <= s->now_ms)
			r = take_from(s, e, &n);
	return r;
}
