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
 * A lease is as old as its slots have been there for tasks: since it is RUNNING, for until then its executor
 * may have been on its way. One that is too old goes between two tasks: whenever a task has ended, and before
 * its slot gets another one. So each new lease serves a task, if there is one, however little time it may be
 * held. One of several slots, of which not all are idle then, is *going*: they get no more tasks, and it is
 * ended when enough of them have made room.
 *
 * An executor takes a while to start, and what is leased meanwhile lies idle. So the first lease of an agent
 * brings it, and the slots that would be taken beside that one wait (mode_ops.executor_first): they are left
 * to others, but count as coming, so that none are taken elsewhere in their place. When the executor has its
 * link they are asked for, by a REVIVE, like any slot that tasks lack: if they are not offered any more,
 * others will do. After LATER_MS others will do as well, for then it is not known when it will be there.
 * REVIVEs are few on large clusters, so no more executors are waited for than there may be REVIVEs. */
#include <string.h>

#include "scheduler/sched_place.h"

static bool gives_back(const struct sched *s)
{
	return s->config.mode->as_needed && !s->config.mode->task_per_hold;
}

/* ---- Later ---- */

bool sched_lease_waits(struct sched *s, const struct agent *agent)
{
	const struct executor *e = agent->executor;

	return s->config.mode->executor_first && e != NULL && !e->linked &&
	       (e->later > 0 || sched_appetite_soon(s, s->later_executors + 1));
}

void sched_lease_later(struct sched *s, struct executor *e, uint32_t slots, bool near)
{
	if (e->later == 0) {
		s->later_executors++;
		e->later_ms = s->now_ms + LATER_MS;
		sched_look_at(s, e->later_ms);
	}
	e->later += slots;
	e->later_near += near ? slots : 0;
	s->later += slots;
	s->coming += slots;
	s->coming_near += near ? slots : 0;
}

void sched_lease_ask(struct sched *s, struct executor *e)
{
	if (e->later == 0)
		return;
	s->later_executors--;
	s->later -= e->later;
	s->coming -= e->later;
	s->coming_near -= e->later_near;
	e->later = e->later_near = 0;
	s->freed = true; /* as far as REVIVE goes */
}

/* ---- From its beginning to its end ---- */

void sched_lease_arrived(struct sched *s, const struct hold *h)
{
	s->coming -= h->slots;
	s->coming_near -= h->near ? h->slots : 0;
}

void sched_lease_begins(struct sched *s, struct hold *h)
{
	struct executor *e = h->executor;

	sched_lease_arrived(s, h);
	e->slots += h->slots;
	if (e->linked)
		s->registered += h->slots;
	h->since_ms = s->now_ms;
	if (gives_back(s))
		h->way = LEASE_KEPT;
	sched_executor_refresh(s, e);
}

static void leave_going(struct sched *s, struct hold *h)
{
	if (h->way != LEASE_GOING)
		return;
	DL_DELETE2(s->going, h, going_prev, going_next);
	h->executor->going -= h->slots;
}

/* Its slots are not there for tasks any more. */
static void take_slots(struct sched *s, struct hold *h)
{
	struct executor *e = h->executor;

	leave_going(s, h);
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
int sched_lease_end(struct sched *s, struct hold *h, enum sched_return why)
{
	h->why = why;
	if (!h->executor->linked)
		return sched_hold_kill(s, h);
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

/* The oldest lease that is kept, and no larger; NULL: there is none. */
static struct hold *oldest(const struct executor *e, uint32_t slots)
{
	struct hold *h = e->holds;

	while (h != NULL && (h->way != LEASE_KEPT || h->slots > slots))
		h = h->next;
	return h;
}

/* It goes between two tasks, and that is now. */
static bool is_too_old(struct sched *s, const struct hold *h)
{
	const struct mode_view v = sched_view_of(s);
	uint64_t until;

	return s->config.mode->release(s->mode, &v, UINT64_MAX, h->since_ms, &until);
}

bool sched_lease_is_due(struct sched *s, const struct executor *e)
{
	const struct hold *h = gives_back(s) ? oldest(e, UINT32_MAX) : NULL;

	return h != NULL && is_too_old(s, h);
}

void sched_lease_between(struct sched *s, struct executor *e)
{
	struct hold *h;

	if (!gives_back(s) || e->losing)
		return;
	while ((uint64_t)e->load + e->going < e->slots && (h = oldest(e, UINT32_MAX)) != NULL &&
		is_too_old(s, h)) {
		h->way = LEASE_GOING;
		DL_APPEND2(s->going, h, going_prev, going_next);
		e->going += h->slots;
	}
}

int sched_lease_go(struct sched *s)
{
	struct hold *h, *next;
	int r = 0;

	if (!s->may_go)
		return 0;
	s->may_go = false;
	DL_FOREACH_SAFE2(s->going, h, next, going_next)
	{
		const struct executor *e = h->executor;

		if (r == 0 && e->linked && !e->doubtful && (uint64_t)e->load + h->slots <= e->slots)
			r = sched_lease_end(s, h, SCHED_RETURN_AGE);
	}
	return r;
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

	while (r == 0 && (h = oldest(e, (uint32_t)e->idle_since.n)) != NULL) {
		uint64_t until;

		if (!s->config.mode->release(
			    s->mode, &v, e->idle_since.at[h->slots - 1], h->since_ms, &until)) {
			s->idle_ms = until < s->idle_ms ? until : s->idle_ms;
			break;
		}
		pass_over(s, h);
		e->idle_since.n -= h->slots; /* the oldest */
		memmove(e->idle_since.at, e->idle_since.at + h->slots,
			e->idle_since.n * sizeof(*e->idle_since.at));
		r = sched_lease_end(s, h, SCHED_RETURN_IDLE);
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
