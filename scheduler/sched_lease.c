/* sched_lease.c: leases that are taken as tasks need them, and given back.
 *
 * What a lease is for is not written down: a task goes to any idle slot of an executor, and the slots of its
 * leases are alike. So is what goes back: with as many idle slots as a lease has, any lease of that executor
 * will do, and the oldest goes. Of several executors those without any task go first, so that what stays is on
 * few agents, and neighbours with large tasks find whole ones.
 *
 * Idle slots are told apart by time alone. A task takes the slot that became idle last, so a slot that is not
 * needed shows by the age of the oldest. What runnable tasks will take when they have waited for their data's
 * place is of use and stays; what is idle for any other reason does not: it is on an agent that is left out, or
 * too small for what is left, or nothing is left. The mode says for how long (mode_ops.release).
 *
 * To end a lease we ask its executor, over the link that brings the tasks: so it knows of every task that was
 * sent before, and none is sent that it has no slot for. The lease ends as finished tasks do; that is one
 * update and no call to the master, and sooner than a KILL would be, which travels over master and agent. The
 * lease is counted as held until Mesos says that it is over. If that does not come, it is killed
 * (sched_holds_look()).
 *
 * A lease that is too old, but busy, is *going*: its slots get no more tasks, and it is ended when one that
 * runs has made room. */
#include <string.h>

#include "scheduler/sched_place.h"

static bool gives_back(const struct sched *s)
{
	return s->config.mode->as_needed && !s->config.mode->task_per_hold;
}

/* ---- From its beginning to its end ---- */

void sched_lease_begins(struct sched *s, struct hold *h)
{
	struct executor *e = h->executor;

	s->coming -= h->slots;
	e->slots += h->slots;
	if (e->linked)
		s->registered += h->slots;
	if (gives_back(s)) {
		h->way = LEASE_KEPT;
		DL_APPEND2(s->kept, h, way_prev, way_next);
	}
	sched_executor_refresh(s, e);
}

static void leave_way(struct sched *s, struct hold *h)
{
	if (h->way == LEASE_KEPT)
		DL_DELETE2(s->kept, h, way_prev, way_next);
	if (h->way == LEASE_GOING) {
		DL_DELETE2(s->going, h, way_prev, way_next);
		h->executor->going -= h->slots;
	}
}

/* Its slots are not there for tasks any more. */
static void take_slots(struct sched *s, struct hold *h)
{
	struct executor *e = h->executor;

	leave_way(s, h);
	if (h->way != LEASE_ENDED && e->state != EXECUTOR_GONE) {
		e->slots -= h->slots;
		if (e->linked)
			s->registered -= h->slots;
	}
	h->way = LEASE_ENDED;
	sched_executor_refresh(s, e);
}

void sched_lease_ended(struct sched *s, struct hold *h)
{
	take_slots(s, h);
}

/* With slots idle, or just made free. */
static int end(struct sched *s, struct hold *h)
{
	take_slots(s, h);
	h->kill = true;
	return sched_link_end_lease(s, h);
}

int sched_lease_linked(struct sched *s, const struct executor *e)
{
	int r = 0;

	for (struct hold *h = e->holds; r == 0 && h != NULL; h = h->next)
		if (h->way == LEASE_ENDED) /* the old link may have lost it */
			r = sched_link_end_lease(s, h);
	return r;
}

/* ---- Too old ---- */

static int end_going(struct sched *s)
{
	struct hold *h, *next;
	int r = 0;

	s->may_go = false;
	DL_FOREACH_SAFE2(s->going, h, next, way_next)
	{
		const struct executor *e = h->executor;

		if (r == 0 && e->linked && !e->leaving && (uint64_t)e->load + h->slots <= e->slots)
			r = end(s, h);
	}
	return r;
}

int sched_lease_age(struct sched *s)
{
	struct hold *h;

	while ((h = s->kept) != NULL && s->kept_ms <= s->now_ms) {
		const struct mode_view v = sched_view_of(s);

		if (!s->config.mode->release(s->mode, &v, UINT64_MAX, h->launched_ms, &s->kept_ms))
			break;
		s->kept_ms = s->now_ms;
		leave_way(s, h);
		h->way = LEASE_GOING;
		DL_APPEND2(s->going, h, way_prev, way_next);
		h->executor->going += h->slots;
		sched_executor_refresh(s, h->executor);
	}
	if (s->kept != NULL && s->kept_ms != UINT64_MAX)
		sched_look_at(s, s->kept_ms);
	return s->may_go ? end_going(s) : 0;
}

/* ---- Idle ---- */

void sched_lease_idle(struct sched *s, struct executor *e)
{
	if (!gives_back(s))
		return;
	s->may_go = s->may_go || e->going > 0;
	if (e->idle_since.n < e->free_slots)
		s->idle_ms = 0;
	if (e->idle_since.n > e->free_slots)
		e->idle_since.n = e->free_slots;
	while (e->idle_since.n < e->free_slots && vec_push(&e->idle_since, s->now_ms) == 0)
		; /* no memory: it is not given back for that reason */
}

/* Idle slots of the executor that are whole tasks of the stage. */
static uint32_t whole(const struct executor *e, uint32_t slots)
{
	return e->free_slots / slots * slots;
}

/* Of all executors, those where the stage's tasks may go. */
static uint64_t fitting(struct sched *s, const struct stage *stage)
{
	uint32_t slots = sched_size_slots(s, stage);
	const struct executor *e;
	uint64_t n = 0;

	if (slots == 1 && s->left_out_agents == 0)
		return s->free_slots;
	DL_FOREACH(s->asked, e)
	{
		if (sched_agent_usable(s, e->agent))
			n += whole(e, slots);
	}
	return n;
}

/* Whatever does not wait for a place has one by now, or has no use for those that are idle. */
void sched_lease_count(struct sched *s)
{
	uint64_t n = 0;

	if (!gives_back(s))
		return;
	s->useful = 0;
	for (size_t i = 0; s->free_slots > 0 && i < s->run->ready.n; i++) {
		struct stage *stage = s->run->ready.at[i];

		if (stage->n_choosy == 0 || sched_wait_over(s, stage))
			continue;
		uint64_t fit = fitting(s, stage), wait = (uint64_t)stage->n_choosy * sched_size_slots(s, stage);
		n += fit < wait ? fit : wait;
	}
	s->useful = n < s->free_slots ? (uint32_t)n : s->free_slots;
}

/* The oldest lease that is no larger. */
static struct hold *one_of(const struct executor *e, uint32_t slots)
{
	struct hold *h = e->holds;

	while (h != NULL && (h->way != LEASE_KEPT || h->slots > slots))
		h = h->next;
	return h;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What the mode wants back of this executor's idle slots, *left at most. */
static int give_back(struct sched *s, struct executor *e, uint32_t *left)
{
	const struct mode_view v = sched_view_of(s);
	struct hold *h;
	int r = 0;

	while (r == 0 && (h = one_of(e, min_u32(min_u32(e->free_slots, *left), (uint32_t)e->idle_since.n))) !=
				 NULL) {
		uint64_t until;

		if (!s->config.mode->release(
			    s->mode, &v, e->idle_since.at[h->slots - 1], h->launched_ms, &until)) {
			s->idle_ms = until < s->idle_ms ? until : s->idle_ms;
			break;
		}
		*left -= h->slots;
		e->idle_since.n -= h->slots; /* the oldest */
		memmove(e->idle_since.at, e->idle_since.at + h->slots,
			e->idle_since.n * sizeof(*e->idle_since.at));
		r = end(s, h);
	}
	return r;
}

int sched_lease_settle(struct sched *s)
{
	struct executor *e, *next;
	uint32_t left;
	int r = 0;

	if (s->run == NULL || s->run->ended)
		s->useful = 0;
	else if (!s->run->may_run) /* all of them will do when it may */
		s->useful = sched_run_runnable(s);
	if (!gives_back(s) || s->free_slots <= s->useful || s->stopping) {
		s->idle_left = 0;
		return 0;
	}
	left = s->free_slots - s->useful;
	if (s->idle_ms <= s->now_ms || left > s->idle_left) {
		s->idle_ms = UINT64_MAX;
		for (int busy = 0; busy < 2; busy++) {
			DL_FOREACH_SAFE(s->idle, e, next)
			{
				if (r == 0 && (e->load > 0) == busy)
					r = give_back(s, e, &left);
			}
			DL_FOREACH_SAFE(s->asked, e, next)
			{
				if (r == 0 && (e->load > 0) == busy)
					r = give_back(s, e, &left);
			}
		}
	}
	s->idle_left = left;
	if (s->idle_ms != UINT64_MAX)
		sched_look_at(s, s->idle_ms);
	return r;
}
