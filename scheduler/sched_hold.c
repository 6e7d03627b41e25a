/* sched_hold.c: holds: our Mesos tasks, and what Mesos says about them.
 *
 * Ordering guarantee: an update that must be acknowledged is acknowledged before anything else follows from
 * it, whether the task is known or not: the agent holds back what comes after it.
 *
 * What the end of a hold means for the task that it carried:
 *   a result is with it              as the result says
 *   the executor or the agent says   the executor died: counts as a loss, of which a task has LOSSES times as
 *   FAILED without a result          many as failures, for what ran in it may be why
 *   ERROR                            the launch was refused for what it is: a loss as well
 *   LOST, DROPPED, UNREACHABLE,      not the task's doing: does not count
 *   GONE, UNKNOWN, KILLED
 *   its revocable resources were     likewise, whatever the state
 *   taken away
 * UNKNOWN is an end only for what never ran, or when it has been said for UNKNOWN_MS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_parts.h"

static struct hold *find(const struct sched *s, const char *id)
{
	struct hold *h;

	HASH_FIND_STR(s->holds, id, h);
	return h;
}

int sched_hold_new(
	struct sched *s, const char *id, struct executor *e, uint32_t slots, bool lease, struct hold **ret)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return -ENOMEM;
	h->id = strdup(id);
	struct hold *added = h;
	if (h->id != NULL)
		HASH_ADD_KEYPTR(hh, s->holds, h->id, strlen(h->id), added);
	if (h->id == NULL || added == NULL || added->hh.tbl == NULL) {
		free(h->id);
		free(h);
		return -ENOMEM;
	}
	h->executor = e;
	h->slots = slots;
	h->lease = lease;
	DL_APPEND(e->holds, h);
	s->held += slots;
	s->coming += lease ? slots : 0;
	*ret = h;
	return 0;
}

void sched_hold_free(struct sched *s, struct hold *h, enum sched_return why)
{
	struct executor *e = h->executor;

	HASH_DELETE(hh, s->holds, h);
	DL_DELETE(e->holds, h);
	s->held -= h->slots;
	s->freed = true;
	sched_ledger_hold(s, h, 0, 0);
	sched_log_return(s, h->id, why);
	e->ending = false;
	if (h->lease && !h->running)
		sched_lease_arrived(s, h);
	else if (h->lease)
		sched_lease_ended(s, h);
	free(h->id);
	free(h);
}

int sched_hold_kill(struct sched *s, struct hold *h)
{
	h->kill = true;
	h->kill_told = s->subscribed && !h->executor->agent->expected;
	return sched_call_kill(s, h->id, h->executor->agent->id);
}

/* ---- Updates ---- */

static bool is_live(Mesos__V1__TaskState state)
{
	return state == MESOS__V1__TASK_STATE__TASK_STAGING ||
	       state == MESOS__V1__TASK_STATE__TASK_STARTING ||
	       state == MESOS__V1__TASK_STATE__TASK_RUNNING || state == MESOS__V1__TASK_STATE__TASK_KILLING;
}

static bool from_executor(const Mesos__V1__TaskStatus *status)
{
	return status->has_source ? status->source == MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR
				  : status->has_data;
}

/* An operator empties the agent. */
static bool is_drained(const Mesos__V1__TaskStatus *status)
{
	return status->has_reason && status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING;
}

/* The agent is away, or was started anew, and with it everything that was there. */
static bool agent_is_lost(const Mesos__V1__TaskStatus *status)
{
	if (is_drained(status)) /* it is there, until its operator takes it away */
		return false;
	if (status->state == MESOS__V1__TASK_STATE__TASK_UNREACHABLE ||
		status->state == MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR)
		return true;
	if (!status->has_reason || (status->state != MESOS__V1__TASK_STATE__TASK_LOST &&
					   status->state != MESOS__V1__TASK_STATE__TASK_GONE))
		return false;
	return status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED ||
	       status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED_BY_OPERATOR ||
	       status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_RESTARTED;
}

/* The agent wanted revocable resources back, and has ended the executor for that. */
static bool is_preempted(const Mesos__V1__TaskStatus *status)
{
	return status->has_reason &&
	       status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_PREEMPTED;
}

/* The master knows the end of a task, but not what came with it: the agent sends that until it is
 * acknowledged. Waiting for it is better than running the task again. */
static bool is_announced(const Mesos__V1__TaskStatus *status)
{
	return !status->has_uuid && status->has_reason &&
	       status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION &&
	       (status->state == MESOS__V1__TASK_STATE__TASK_FINISHED ||
		       status->state == MESOS__V1__TASK_STATE__TASK_FAILED ||
		       status->state == MESOS__V1__TASK_STATE__TASK_KILLED);
}

/* A new master does not know the tasks of agents that have not found it yet. One that ran, and whose executor
 * we are talking with, is not given up for that; but not waited for forever either. */
static bool may_come_back(const struct sched *s, struct hold *h, const Mesos__V1__TaskStatus *status)
{
	if (status->state != MESOS__V1__TASK_STATE__TASK_UNKNOWN) {
		h->unknown_ms = 0;
		return false;
	}
	if (!h->running || !h->executor->linked)
		return false;
	if (h->unknown_ms == 0)
		h->unknown_ms = s->now_ms;
	return s->now_ms - h->unknown_ms < UNKNOWN_MS;
}

static int on_running(struct sched *s, struct hold *h)
{
	struct executor *e = h->executor;

	sched_executor_is_up(e);
	if (h->running)
		return 0;
	h->running = true;
	sched_log_running(s, h->id);
	if (h->attempt != NULL && s->config.task_timeout_ms > 0) {
		h->attempt->deadline_ms = s->now_ms + s->config.task_timeout_ms + TIMEOUT_GRACE_MS;
		sched_look_at(s, h->attempt->deadline_ms);
	}
	if (h->lease)
		sched_lease_begins(s, h);
	return 0;
}

int sched_hold_begins(struct sched *s, const struct executor *e, const char *id)
{
	struct hold *h = find(s, id);

	return h != NULL && h->executor == e && h->lease ? on_running(s, h) : 0;
}

static const char *sentence(const Mesos__V1__TaskStatus *status, char *ret, size_t size)
{
	const ProtobufCEnumValue *state =
		protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)status->state);

	(void)snprintf(ret, size, "%s%s%s", state != NULL ? state->name : "an unknown state",
		status->message != NULL && status->message[0] != '\0' ? ": " : "",
		status->message != NULL ? status->message : "");
	return ret;
}

/* The result that came with the end of the hold of `a`: 1, and its end is settled; 0: there is none. */
static int take_result(struct sched *s, struct attempt *a, const Mesos__V1__TaskStatus *status)
{
	Quern__TaskResult *result =
		status->has_data ? quern__task_result__unpack(NULL, status->data.len, status->data.data)
				 : NULL;

	if (result == NULL)
		return 0;
	bool its_own = result->stage == a->name.stage && result->partition == a->name.partition &&
		       result->attempt == a->name.attempt;
	int r = its_own ? sched_attempt_result(s, a, result) : 0;
	quern__task_result__free_unpacked(result, NULL);
	return r < 0 ? r : its_own;
}

static int end_attempt(struct sched *s, struct attempt *a, const Mesos__V1__TaskStatus *status)
{
	char why[512];
	bool counts = !is_preempted(status) && (status->state == MESOS__V1__TASK_STATE__TASK_FAILED ||
						       status->state == MESOS__V1__TASK_STATE__TASK_ERROR ||
						       status->state == MESOS__V1__TASK_STATE__TASK_FINISHED);

	a->hold = NULL;
	if (from_executor(status)) {
		int r = take_result(s, a, status);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return sched_attempt_lost(s, a, counts, sentence(status, why, sizeof(why)));
}

/* Whatever else the end of one hold says about its executor. */
static int judge_executor(struct sched *s, struct executor *e, const Mesos__V1__TaskStatus *status)
{
	char why[512];

	(void)sentence(status, why, sizeof(why));
	if (e->state == EXECUTOR_GONE)
		return 0;
	if (agent_is_lost(status))
		return sched_agent_lost(s, e->agent, why);
	if (is_preempted(status))
		return sched_executor_lost(s, e, false, why);
	if (from_executor(status)) {
		sched_executor_is_up(e);
		return e->doubtful && e->holds == NULL ? sched_executor_lost(s, e, false, "it ended") : 0;
	}
	if (status->state == MESOS__V1__TASK_STATE__TASK_FAILED)
		return e->wire ? sched_executor_give_up(s, e, why) : sched_executor_lost(s, e, true, why);
	if (e->state == EXECUTOR_STARTING && e->holds == NULL) /* what was to bring it was refused */
		return sched_executor_lost(s, e, status->state == MESOS__V1__TASK_STATE__TASK_ERROR, why);
	if (e->doubtful && e->holds == NULL) /* nobody will say it */
		return sched_executor_lost(s, e, false, why);
	return 0;
}

static enum sched_return why_of(const struct hold *h, const Mesos__V1__TaskStatus *status)
{
	if (h->way == LEASE_ENDED)
		return h->why;
	if (is_drained(status))
		return SCHED_RETURN_DRAINED;
	if (h->kill && (h->lease || status->state == MESOS__V1__TASK_STATE__TASK_KILLED))
		return SCHED_RETURN_KILLED;
	return h->lease || !from_executor(status) ? SCHED_RETURN_LOST : SCHED_RETURN_FINISHED;
}

static int on_end(struct sched *s, struct hold *h, const Mesos__V1__TaskStatus *status)
{
	struct executor *e = h->executor;
	struct attempt *a = h->attempt;
	int r = is_drained(status) ? sched_drain_ordered(s, e->agent) : 0;

	sched_hold_free(s, h, why_of(h, status));
	if (r < 0)
		return r;
	if (a != NULL)
		r = end_attempt(s, a, status);
	return r < 0 ? r : judge_executor(s, e, status);
}

int sched_hold_update(struct sched *s, const Mesos__V1__TaskStatus *status)
{
	struct agent *a = status->agent_id != NULL ? sched_agent_find(s, status->agent_id->value) : NULL;
	int r = 0;

	if (a != NULL)
		a->expected = false;
	if (status->has_uuid && status->uuid.len > 0 && status->agent_id != NULL)
		r = sched_call_acknowledge(s, status);
	if (r == 0 && a != NULL && a->lost && is_live(status->state))
		r = sched_agent_back(s, a);
	if (r < 0)
		return r;
	if (s->config.own_task != NULL && strcmp(s->config.own_task, status->task_id->value) == 0) {
		s->own_ended = s->own_ended || !is_live(status->state);
		return 0;
	}
	struct hold *h = find(s, status->task_id->value);
	if (h == NULL)
		return is_live(status->state)
			       ? sched_call_kill(s, status->task_id->value,
					 status->agent_id != NULL ? status->agent_id->value : NULL)
			       : 0;
	h->seen = !is_announced(status) && !may_come_back(s, h, status);
	if (!h->seen)
		return 0;
	if (!is_live(status->state))
		return on_end(s, h, status);
	return status->state == MESOS__V1__TASK_STATE__TASK_RUNNING ? on_running(s, h) : 0;
}

/* ---- Time ---- */

void sched_holds_unseen(struct sched *s)
{
	for (struct hold *h = s->holds; h != NULL; h = h->hh.next)
		h->seen = false;
}

int sched_holds_look(struct sched *s)
{
	int r = 0;

	s->holds_look_ms = s->now_ms + LOOK_MS;
	for (struct hold *h = s->holds; r == 0 && h != NULL; h = h->hh.next)
		if (h->kill)
			r = sched_call_kill(s, h->id, h->executor->agent->id);
	return r < 0 ? r : sched_call_reconcile(s, false);
}

void sched_holds_deinit(struct sched *s)
{
	struct hold *h, *next;

	HASH_ITER (hh, s->holds, h, next) {
		sched_hold_free(s, h, SCHED_RETURN_END);
	}
}
