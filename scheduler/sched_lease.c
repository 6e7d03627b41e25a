/* sched_lease.c: leases that are taken as tasks need them, and given back.
 *
 * What a lease is for is not written down: a task goes to any idle slot of an executor, and the slots of its
 * leases are alike. So is what goes back: with as many idle slots as a lease has, any lease of that executor
 * will do, and the oldest goes. Of several executors those without any task go first, so that what stays is
 * on few agents, and neighbours with large tasks find whole ones.
 *
 * Idle slots are told apart by time alone. A task takes the slot that became idle last, so a slot that is not
 * needed shows by the age of the oldest. Whatever is idle when tasks were given out is of no use there:
 * nothing is left, or what is left waits for another place, is too large, or keeps away from that agent. The
 * mode says for how long it may stay (mode_ops.release).
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

		if (r == 0 && e->linked && !e->doubtful && (uint64_t)e->load + h->slots <= e->slots)
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

/* The oldest lease that is no larger. */
static struct hold *one_of(const struct executor *e, uint32_t slots)
{
	struct hold *h = e->holds;

	while (h != NULL && (h->way != LEASE_KEPT || h->slots > slots))
		h = h->next;
	return h;
}

/* For tasks that wait for another place it is as an offer that they do not take. */
static void pass_over(struct sched *s, const struct hold *h)
{
	for (size_t i = 0; s->run != NULL && !s->run->ended && i < s->run->ready.n; i++) {
		struct stage *stage = s->run->ready.at[i];

		if (stage->n_choosy > 0 && !sched_wait_over(s, stage))
			sched_wait_pass(s, stage, h->executor->agent, h->slots / sched_size_slots(s, stage));
	}
}

/* What the mode wants back of this executor's idle slots. */
static int give_back(struct sched *s, struct executor *e)
{
	const struct mode_view v = sched_view_of(s);
	struct hold *h;
	int r = 0;

	while (r == 0 && (h = one_of(e, (uint32_t)e->idle_since.n)) != NULL) {
		uint64_t until;

		if (!s->config.mode->release(
			    s->mode, &v, e->idle_since.at[h->slots - 1], h->launched_ms, &until)) {
			s->idle_ms = until < s->idle_ms ? until : s->idle_ms;
			break;
		}
		pass_over(s, h);
		e->idle_since.n -= h->slots; /* the oldest */
		memmove(e->idle_since.at, e->idle_since.at + h->slots,
			e->idle_since.n * sizeof(*e->idle_since.at));
		r = end(s, h);
	}
	return r;
}

static int give_back_all(struct sched *s, struct executor *list, bool busy)
{
	struct executor *e, *next;
	int r = 0;

	DL_FOREACH_SAFE(list, e, next)
	{
		if (r == 0 && (e->load > 0) == busy)
			r = give_back(s, e);
	}
	return r;
}

int sched_lease_settle(struct sched *s)
{
	bool waits = s->run != NULL && !s->run->ended && !s->run->may_run; /* and will use them */
	int r = 0;

	if (!gives_back(s) || s->free_slots == 0 || s->stopping || waits)
		return 0;
	if (s->idle_ms <= s->now_ms) {
		uint32_t before = s->free_slots;

		s->idle_ms = UINT64_MAX;
		for (int busy = 0; r == 0 && busy < 2; busy++) {
			r = give_back_all(s, s->idle, busy);
			if (r == 0)
				r = give_back_all(s, s->asked, busy);
		}
		if (s->free_slots < before)
			sched_link_note_idle(s);
	}
	if (s->idle_ms != UINT64_MAX)
		sched_look_at(s, s->idle_ms);
	return r;
}
