/* sched_drain.c: agents that are to be left: because of maintenance (their offers say when it begins, and
 * inverse offers ask for what we hold), or because an operator drains them (their tasks are killed, and say
 * why).
 *
 * An agent whose maintenance is announced, and that asks for nothing back, gets tasks that end before it as
 * far as is known, but no leases. One that is asked to be left gets nothing more. What runs there ends;
 * leases end when nothing runs; and the executor is shut down when it has nothing that the job may still need
 * (map outputs, partitions of persisted sets), or LEAVE_MS before the maintenance begins. What is lost by
 * that is made again elsewhere. None of it is a failure of anybody.
 *
 * An operator who drains an agent ends its tasks by himself; we leave when they have ended.
 *
 * It is over when the agent makes offers without unavailability. */
#include "scheduler/sched_place.h"

enum {
	LEAVE_MS = 10000, /* for an executor to end, before its agent does */
	TASK_MS = 60000,  /* of a stage that no task of has ended yet: what one may take */
	TASK_TIMES = 3,   /* the longest of the others takes so much more than the mean */
};

/* Nanoseconds since 1970, in the core's time. */
static uint64_t core_ms(const struct sched *s, int64_t ns)
{
	int64_t ms = ns / 1000000 - (int64_t)s->wall_ms + (int64_t)s->now_ms;

	return ms > 0 ? (uint64_t)ms : 0;
}

/* When it begins; UINT64_MAX: it is over. */
static uint64_t begin_of(const struct sched *s, const Mesos__V1__Unavailability *u)
{
	int64_t start = u->start->nanoseconds;

	if (u->duration != NULL && u->duration->nanoseconds >= 0 &&
		u->duration->nanoseconds < INT64_MAX - start && start > 0 &&
		core_ms(s, start + u->duration->nanoseconds) <= s->now_ms)
		return UINT64_MAX;
	return core_ms(s, start);
}

void sched_drain_offered(struct sched *s, struct agent *a, const Mesos__V1__Unavailability *u)
{
	a->leaves_ms = u != NULL ? begin_of(s, u) : UINT64_MAX;
	if (a->leaves_ms == UINT64_MAX)
		a->draining = false;
}

static int begin(struct sched *s, struct agent *a)
{
	int r = a->draining ? 0 : vec_push(&s->draining, a);

	a->draining = true;
	if (a->executor != NULL)
		sched_executor_refresh(s, a->executor);
	sched_host_refresh(s, a);
	return r;
}

int sched_drain_asked(struct sched *s, struct agent *a, const Mesos__V1__Unavailability *u)
{
	a->leaves_ms = begin_of(s, u);
	a->gone_ms = a->leaves_ms > LEAVE_MS ? a->leaves_ms - LEAVE_MS : 0;
	a->ordered = false;
	return a->leaves_ms != UINT64_MAX ? begin(s, a) : 0;
}

int sched_drain_ordered(struct sched *s, struct agent *a)
{
	if (!a->draining || !a->ordered)
		a->gone_ms = s->now_ms + LEAVE_MS;
	a->leaves_ms = s->now_ms;
	a->ordered = true;
	return begin(s, a);
}

bool sched_drain_allows(const struct sched *s, const struct agent *a, const struct stage *stage)
{
	if (a->draining || a->leaves_ms == UINT64_MAX)
		return !a->draining;
	uint64_t task_ms = stage->timed ? TASK_TIMES * ((uint64_t)stage->mean_us / 1000 + 1) : TASK_MS;
	return s->now_ms + task_ms + LEAVE_MS < a->leaves_ms;
}

/* ---- Leaving ---- */

static int end_leases(struct sched *s, struct executor *e)
{
	int r = 0;

	for (struct hold *h = e->holds; r == 0 && h != NULL; h = h->next)
		if (h->lease && h->running && !h->kill)
			r = sched_hold_kill(s, h);
	return r;
}

/* It has something that the job may need, and there is time. */
static bool stays(const struct sched *s, const struct executor *e)
{
	return s->now_ms < e->agent->gone_ms &&
	       (e->attempts != NULL || (!e->agent->ordered && (e->outputs != NULL || e->cached != NULL)));
}

static int leave(struct sched *s, const struct agent *a)
{
	struct executor *e = a->executor;

	if (e == NULL || e->state != EXECUTOR_UP)
		return 0;
	if (!stays(s, e))
		return sched_executor_leave(s, e, "its agent is to be left");
	sched_look_at(s, a->gone_ms);
	return e->attempts == NULL ? end_leases(s, e) : 0;
}

int sched_drain_settle(struct sched *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->draining.n;) {
		struct agent *a = s->draining.at[i];

		if (!a->draining) {
			s->draining.at[i] = s->draining.at[--s->draining.n];
			if (a->executor != NULL)
				sched_executor_refresh(s, a->executor);
			continue;
		}
		r = leave(s, a);
		i++;
	}
	return r;
}
