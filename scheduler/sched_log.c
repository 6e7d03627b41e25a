/* sched_log.c: tells an event log, if there is one, what happens. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_offer.h"

void sched_set_log(struct sched *s, void (*log)(void *arg, const struct sched_logged *what), void *arg)
{
	s->log = log;
	s->log_arg = arg;
}

static void tell(struct sched *s, struct sched_logged what)
{
	what.now_ms = s->now_ms;
	s->log(s->log_arg, &what);
}

static void tell_kind(struct sched *s, enum sched_logged_kind kind)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = kind });
}

/* ---- The master ---- */

void sched_log_framework(struct sched *s)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_FRAMEWORK,
				.u.framework = { .id = s->framework_id,
					.suppressed = s->appetite == APPETITE_SUPPRESSED } });
}

void sched_log_no_master(struct sched *s)
{
	tell_kind(s, SCHED_LOGGED_NO_MASTER);
}

void sched_log_appetite(struct sched *s)
{
	tell_kind(s, s->appetite == APPETITE_HUNGRY ? SCHED_LOGGED_REVIVE : SCHED_LOGGED_SUPPRESS);
}

/* ---- Offers ---- */

/* What an offer has of a kind; of one that makes no sense, 0. */
static uint64_t milli_of(const Mesos__V1__Offer *o, const char *name)
{
	const double max = 1e15;
	double sum = 0;

	for (size_t i = 0; i < o->n_resources; i++)
		if (strcmp(o->resources[i]->name, name) == 0 && o->resources[i]->scalar != NULL)
			sum += o->resources[i]->scalar->value;
	return isfinite(sum) && sum > 0 && sum < max ? (uint64_t)llround(sum * 1000) : 0;
}

void sched_log_offer(struct sched *s, const Mesos__V1__Offer *o)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_OFFER,
				.u.offer = { .id = o->id->value,
					.agent = o->agent_id->value,
					.host = o->hostname,
					.role = o->allocation_info != NULL ? o->allocation_info->role : NULL,
					.cpus_milli = milli_of(o, "cpus"),
					.mem_milli = milli_of(o, "mem") } });
}

void sched_log_decline(struct sched *s, const struct agent *a, const Mesos__V1__Offer *o, double refuse_s)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_DECLINE,
				.u.decline = { .offer = o->id->value,
					.reason = sched_reason_phrase(&a->verdict),
					.constraint = sched_reason_constraint(s, &a->verdict),
					.refuse_s = refuse_s } });
}

void sched_log_rescind(struct sched *s, const Mesos__V1__Scheduler__Event__Rescind *rescind)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){
				.kind = SCHED_LOGGED_RESCIND, .u.id = rescind->offer_id->value });
}

/* ---- What is held ---- */

int sched_log_accept(struct sched *s, const struct launches *l, const struct hold *h)
{
	const struct agent *a = l->agent;
	const struct executor *e = a->executor;

	if (s->log == NULL)
		return 0;
	const char **offers = calloc(a->offers.n + 1, sizeof(*offers));
	if (offers == NULL)
		return -ENOMEM;
	size_t n = 0;
	for (size_t i = 0; i < a->offers.n; i++)
		if (sched_offer_role(s, a->offers.at[i]) == l->role)
			offers[n++] = a->offers.at[i]->id->value;
	tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_ACCEPT,
			.u.accept = { .id = h != NULL ? h->id : e->id,
				.held = h == NULL  ? SCHED_HELD_EXECUTOR
					: h->lease ? SCHED_HELD_LEASE
						   : SCHED_HELD_TASK,
				.executor = e->id,
				.agent = a->id,
				.host = a->hostname,
				.role = l->role,
				.slots = h != NULL && h->lease ? h->slots : 0,
				.cpus_milli = h != NULL ? h->cpus_milli : s->config.executor_cpus_milli,
				.mem_mb = h != NULL ? h->mem_mb : s->config.executor_mem_mb,
				.offers = offers,
				.n_offers = n } });
	free(offers);
	return 0;
}

void sched_log_running(struct sched *s, const char *id)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_RUNNING, .u.id = id });
}

void sched_log_return(struct sched *s, const char *id, enum sched_return why)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){
				.kind = SCHED_LOGGED_RETURN, .u.returned = { .id = id, .why = why } });
}

/* ---- Attempts ---- */

/* For how long a task has waited for its slot. */
static uint64_t waited_ms(const struct sched *s, const struct task *t)
{
	uint64_t queued = (uint32_t)s->now_ms - t->queued_ms, ready = s->now_ms - t->stage->ready_ms;

	return queued < ready ? queued : ready;
}

void sched_log_start(struct sched *s, const struct attempt *a)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_START,
				.u.start = { .stage = a->name.stage,
					.partition = a->name.partition,
					.attempt = a->name.attempt,
					.executor = a->executor->id,
					.slot = a->hold != NULL ? a->hold->id : NULL,
					.cpus_milli = a->cpus_milli,
					.waited_ms =
						a->task != NULL ? waited_ms(s, a->task) : UINT64_MAX } });
}

static enum sched_end end_of(const struct sched *s, const struct attempt *a, const Quern__TaskResult *result)
{
	if (result == NULL)
		return a->kill || s->over ? SCHED_END_KILLED : SCHED_END_LOST;
	switch (result->state) {
	case QUERN__TASK_RESULT__STATE__DONE:
		return SCHED_END_FINISHED;
	case QUERN__TASK_RESULT__STATE__FETCH_FAILED:
		return SCHED_END_FETCH_FAILED;
	case QUERN__TASK_RESULT__STATE__KILLED:
		return SCHED_END_KILLED;
	case QUERN__TASK_RESULT__STATE__FAILED:
	default:
		return SCHED_END_FAILED;
	}
}

void sched_log_end(struct sched *s, const struct attempt *a, const Quern__TaskResult *result, uint64_t ran_us)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = SCHED_LOGGED_END,
				.u.end = { .stage = a->name.stage,
					.partition = a->name.partition,
					.attempt = a->name.attempt,
					.state = end_of(s, a, result),
					.ran_us = ran_us } });
}

/* ---- The job ---- */

void sched_log_run(struct sched *s, const struct run *run, int code)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){ .kind = run->ended ? SCHED_LOGGED_RUN_END : SCHED_LOGGED_RUN,
				.u.run = {
					.id = run->id, .stages = (uint32_t)run->stages.n, .code = code } });
}

void sched_log_stage(struct sched *s, const struct run *run, const struct stage *stage)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){
				.kind = stage->ready ? SCHED_LOGGED_STAGE : SCHED_LOGGED_STAGE_END,
				.u.stage = { .run = run->id,
					.id = stage->id,
					.tasks = stage->n_tasks,
					.done = stage->n_done } });
}

void sched_log_waiting(struct sched *s, uint32_t slots)
{
	if (s->log != NULL)
		tell(s, (struct sched_logged){
				.kind = slots > 0 ? SCHED_LOGGED_WAITING : SCHED_LOGGED_WAITING_END,
				.u.waiting = { .slots = slots } });
}

/* ---- The end ---- */

void sched_log_over(struct sched *s)
{
	for (const struct hold *h = s->holds; h != NULL; h = h->hh.next)
		sched_log_return(s, h->id, SCHED_RETURN_END);
	for (const struct executor *e = s->executors; e != NULL; e = e->hh.next)
		if (e->state != EXECUTOR_GONE)
			sched_log_return(s, e->id, SCHED_RETURN_END);
}
