/* sched_goodbye.c: TEARDOWN, the last call.
 *
 * A master that has just taken over hears of executors by their agents, as these find it. If a framework that
 * is gone by then has executors on one, such a master dies of their end (Mesos 1.12: "Check failed:
 * 'get_(role)' Must be SOME" in hierarchical.cpp). So TEARDOWN waits for the agents that have ours: a master
 * answers a question about a task on an agent, be there no such task, as soon as it knows of the agent. How
 * long that may take is the driver's to say.
 *
 * An agent that hears of the end of a framework in the moment before it launches an executor forgets to
 * launch it, and that it has not: it keeps executor and framework for as long as it runs, and tells the next
 * master of them (Mesos 1.12: Slave::launchExecutor() of slave.cpp returns without executorTerminated() when
 * the framework is terminating). So the tasks that executors start for are killed first, which an agent
 * answers at once and minds at that moment; one that does not answer is not waited for.
 *
 * A driver that runs in a task of its own framework waits until the master knows how that has ended, too:
 * TEARDOWN would make it a task that was killed. */
#include "scheduler/sched_parts.h"

enum { ASK_MS = 1000 };

void sched_goodbye_expect(struct sched *s)
{
	for (struct agent *a = s->agents; a != NULL; a = a->hh.next)
		a->expected = a->executor != NULL;
	for (struct hold *h = s->holds; h != NULL; h = h->hh.next)
		h->kill_told = false;
	s->goodbye_ms = 0;
	s->own_due_ms = s->starting_due_ms = UINT64_MAX;
}

uint32_t sched_goodbye_expected(const struct sched *s)
{
	uint32_t n = 0;

	for (const struct agent *a = s->agents; s->stopping && a != NULL; a = a->hh.next)
		n += a->expected;
	return n;
}

static bool is_starting(const struct executor *e)
{
	return e->state == EXECUTOR_STARTING && !e->agent->lost;
}

uint32_t sched_goodbye_starting(const struct sched *s)
{
	bool waits = s->stopping && s->starting_due_ms > s->now_ms;
	uint32_t n = 0;

	for (const struct executor *e = s->executors; waits && e != NULL; e = e->hh.next)
		n += is_starting(e) && e->holds != NULL;
	return n;
}

/* Kills what executors that start are for, unless this master was told to before; *ret_waits: some of it has
 * not ended yet. */
static int end_starting(struct sched *s, bool *ret_waits)
{
	bool first = s->starting_due_ms == UINT64_MAX;
	int r = 0;

	*ret_waits = false;
	for (struct executor *e = s->executors; r == 0 && e != NULL; e = e->hh.next) {
		for (struct hold *h = is_starting(e) ? e->holds : NULL; r == 0 && h != NULL; h = h->next) {
			*ret_waits = true;
			if (first && !h->kill_told)
				r = sched_hold_kill(s, h);
		}
	}
	if (first && *ret_waits)
		s->starting_due_ms = s->goodbye_ms = s->now_ms + STARTING_END_MS;
	*ret_waits = *ret_waits && s->starting_due_ms > s->now_ms;
	return r;
}

int sched_goodbye_settle(struct sched *s)
{
	if (!s->stopping || !s->subscribed || s->over)
		return 0;
	uint32_t n = sched_goodbye_expected(s);
	if (n > 0) {
		if (s->goodbye_ms > s->now_ms)
			return 0;
		s->goodbye_ms = s->now_ms + ASK_MS;
		return sched_call_reconcile_agents(s, n);
	}
	bool waits;
	int r = end_starting(s, &waits);
	if (r < 0 || waits)
		return r;
	if (s->config.own_task != NULL && !s->own_ended) {
		if (s->own_due_ms == UINT64_MAX)
			s->own_due_ms = s->goodbye_ms = s->now_ms + OWN_END_MS;
		if (s->own_due_ms > s->now_ms)
			return 0;
	}
	r = sched_call_status(s);
	if (r == 0)
		r = sched_call_simple(s, MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN);
	if (r == 0)
		r = sched_plan_add(s, (struct sched_action){ .kind = SCHED_DO_STOPPED });
	s->over = true;
	return r;
}
