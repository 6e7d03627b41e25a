/* sched_drain.c: agents that are to be left: because of maintenance (their offers say when it begins, and
 * inverse offers ask for what we hold), or because an operator drains them (their tasks are killed, and say
 * why).
 *
 * An inverse offer is accepted at once: we shall be gone when the maintenance begins. Mesos makes one as soon
 * as we have anything on an agent whose maintenance is planned, be that for next week. So it is no reason to
 * leave now: until EARLY_MS before that time the agent gets tasks, and leases for them, that end before it as
 * far as is known. Then nothing more begins there. What runs ends; leases end when nothing runs; and the
 * executor is shut down when it has nothing that the job may still need (map outputs, partitions of persisted
 * sets), or LEAVE_MS before the time. What is lost by that is made again elsewhere. None of it is a failure
 * of anybody.
 *
 * A mode that keeps its leases to the end leaves an agent as soon as none of the tasks that wait may begin in
 * a slot that it has there: it asks for others then.
 *
 * An operator who drains an agent ends its tasks by himself; we leave when they have ended.
 *
 * It is over when the agent makes offers without unavailability, or with that of another time. */
#include "scheduler/sched_place.h"

enum {
	LEAVE_MS = 10000, /* for an executor to end, before its agent does */
	TASK_MS = 60000,  /* of a stage that no task of has ended yet: what one may take */
	TASK_TIMES = 3,   /* the longest of the others takes so much more than the mean */
	EARLY_MS = LEAVE_MS + TASK_MS,
	AGAIN_MS = 5000, /* an inverse offer that comes again so soon was brought by a REVIVE of ours */
};

/* Nanoseconds since 1970, in the core's time. */
static uint64_t core_ms(const struct sched *s, int64_t ns)
{
	int64_t ms = ns / 1000000 - (int64_t)s->wall_ms + (int64_t)s->now_ms;

	return ms > 0 ? (uint64_t)ms : 0;
}

/* When it begins; UINT64_MAX: it is over, or there is none. */
static uint64_t begin_of(const struct sched *s, const Mesos__V1__Unavailability *u)
{
	if (u == NULL)
		return UINT64_MAX;
	int64_t start = u->start->nanoseconds;
	if (u->duration != NULL && u->duration->nanoseconds >= 0 && start > 0 &&
		u->duration->nanoseconds < INT64_MAX - start &&
		core_ms(s, start + u->duration->nanoseconds) <= s->now_ms)
		return UINT64_MAX;
	return core_ms(s, start);
}

/* Another time than was known ends what followed from that. */
static void learn(struct sched *s, struct agent *a, const Mesos__V1__Unavailability *u)
{
	uint64_t begins_ms = begin_of(s, u);
	bool none = begins_ms == UINT64_MAX;
	int64_t start = none ? 0 : u->start->nanoseconds;
	bool other = none != (a->leaves_ms == UINT64_MAX) || start != a->leaves_ns;

	a->ordered = a->ordered && !none;
	if (none || (other && !a->ordered))
		a->draining = a->asked = false;
	if (other)
		s->stirred = true; /* slots there may be of use again */
	a->leaves_ns = start;
	a->leaves_ms = begins_ms;
}

void sched_drain_offered(struct sched *s, struct agent *a, const Mesos__V1__Unavailability *u)
{
	learn(s, a, u);
}

static int list(struct sched *s, struct agent *a)
{
	for (size_t i = 0; i < s->draining.n; i++)
		if (s->draining.at[i] == a)
			return 0;
	return vec_push(&s->draining, a);
}

static int begin(struct sched *s, struct agent *a)
{
	a->gone_ms = s->now_ms + LEAVE_MS;
	if (!a->ordered)
		a->gone_ms = a->leaves_ms > LEAVE_MS ? a->leaves_ms - LEAVE_MS : 0;
	a->draining = true;
	if (a->executor != NULL)
		sched_executor_refresh(s, a->executor);
	sched_host_refresh(s, a);
	return list(s, a);
}

/* When nothing more begins there. */
static uint64_t early_ms(const struct agent *a)
{
	return a->leaves_ms > EARLY_MS ? a->leaves_ms - EARLY_MS : 0;
}

/* Begins when it is time for that. */
static int begin_in_time(struct sched *s, struct agent *a)
{
	uint64_t at = early_ms(a);

	if (!a->asked || a->draining)
		return 0;
	if (at <= s->now_ms)
		return begin(s, a);
	s->drain_ms = at < s->drain_ms ? at : s->drain_ms;
	return 0;
}

int sched_drain_asked(struct sched *s, struct agent *a, const Mesos__V1__Unavailability *u, bool *ret_again)
{
	a->ordered = false;
	learn(s, a, u);
	*ret_again = a->asked && a->asked_ms != 0 && s->now_ms - a->asked_ms < AGAIN_MS;
	if (!*ret_again)
		a->asked_ms = s->now_ms;
	a->asked = a->leaves_ms != UINT64_MAX;
	return begin_in_time(s, a);
}

void sched_drain_subscribed(struct sched *s)
{
	for (struct agent *a = s->agents; a != NULL; a = a->hh.next)
		a->asked_ms = 0;
}

int sched_drain_ordered(struct sched *s, struct agent *a)
{
	if (a->draining && a->ordered)
		return 0;
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

bool sched_drain_in_time(const struct sched *s, const struct agent *a)
{
	for (size_t i = 0; a->leaves_ms != UINT64_MAX && i < s->run->ready.n; i++)
		if (s->run->ready.at[i]->n_pending > 0 && sched_drain_allows(s, a, s->run->ready.at[i]))
			return true;
	return a->leaves_ms == UINT64_MAX;
}

int sched_drain_idle(struct sched *s, struct agent *a)
{
	bool useless = !s->config.mode->as_needed && sched_run_runnable(s) > 0 && !sched_drain_in_time(s, a);

	return useless && !a->draining ? begin(s, a) : 0;
}

/* ---- Leaving ---- */

static int end_leases(struct sched *s, struct executor *e)
{
	int r = 0;

	for (struct hold *h = e->holds; r == 0 && h != NULL; h = h->next)
		if (h->lease && h->running && !h->kill)
			r = sched_lease_end(s, h, SCHED_RETURN_DRAINED);
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

/* Of those that are to be left later. */
static int look(struct sched *s)
{
	int r = 0;

	if (s->drain_ms <= s->now_ms) {
		s->drain_ms = UINT64_MAX;
		for (struct agent *a = s->agents; r == 0 && a != NULL; a = a->hh.next)
			r = begin_in_time(s, a);
	}
	if (s->drain_ms != UINT64_MAX)
		sched_look_at(s, s->drain_ms);
	return r;
}

int sched_drain_settle(struct sched *s)
{
	int r = look(s);

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
