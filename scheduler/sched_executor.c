/* sched_executor.c: our executors: one at a time on an agent.
 *
 * An executor is STARTING from the launch that brings it, UP when Mesos or its own link says so, and GONE
 * when Mesos says that, or when it has had no link for too long. Its id is never used again: a new one on the
 * same agent has the next generation. A STARTING executor gets nothing more, for if that first launch was
 * refused there is none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

struct executor *sched_executor_find(const struct sched *s, const char *id)
{
	struct executor *e;

	HASH_FIND_STR(s->executors, id, e);
	return e;
}

static void forget_info(struct executor *e)
{
	if (e->info != NULL)
		mesos__v1__executor_info__free_unpacked(e->info, NULL);
	e->info = NULL;
}

static void free_executor(struct executor *e)
{
	forget_info(e);
	vec_deinit(&e->batch);
	vec_deinit(&e->idle_since);
	free(e->id);
	free(e->address);
	free(e->directory);
	free(e->machine);
	free(e);
}

/* ---- A new one ---- */

int sched_executor_new(struct sched *s, struct agent *agent, struct resources *pool, struct executor **ret)
{
	struct executor *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -ENOMEM;
	e->agent = agent;
	e->due_ms = s->now_ms + LINK_FIRST_MS;
	e->resend_ms = UINT64_MAX;
	sched_look_at(s, e->due_ms);
	if (asprintf(&e->id, "%06x-%u-%u", (unsigned)(s->config.seed & 0xffffff), agent->number,
		    agent->generation) < 0)
		e->id = NULL;
	int r = e->id == NULL ? -ENOMEM : sched_share_take(s, e, pool);
	struct executor *added = e;
	if (r == 0)
		HASH_ADD_KEYPTR(hh, s->executors, e->id, strlen(e->id), added);
	if (r == 0 && (added == NULL || added->hh.tbl == NULL))
		r = -ENOMEM;
	if (r < 0) {
		free_executor(e);
		return r;
	}
	agent->generation++;
	agent->executor = e;
	sched_ledger_executor(s, true);
	*ret = e;
	return 0;
}

void sched_executor_is_up(struct executor *e)
{
	if (e->state == EXECUTOR_STARTING)
		e->state = EXECUTOR_UP;
}

/* ---- Slots ---- */

/* Into the list of those that have free slots, or out of it. One that has more than when it was asked is
 * asked again. */
static void refresh_idle(struct sched *s, struct executor *e)
{
	bool there =
		e->linked && e->state == EXECUTOR_UP && !e->doubtful && !e->ending && !e->agent->draining;
	uint32_t n = there ? sched_executor_free(e) : 0;
	bool stays = e->idle && n > 0 && (!e->asked || n <= e->free_slots);

	if (e->idle && !stays && e->asked)
		DL_DELETE(s->asked, e);
	else if (e->idle && !stays)
		DL_DELETE(s->idle, e);
	if (n > 0 && !stays) {
		DL_APPEND(s->idle, e);
		e->asked = false;
	}
	e->idle = n > 0;
	s->free_slots += n - e->free_slots;
	e->free_slots = n;
	sched_lease_idle(s, e);
}

void sched_executor_refresh(struct sched *s, struct executor *e)
{
	sched_ahead_settle(s, e);
	refresh_idle(s, e);
	if (e->ahead > 0 && !e->is_behind)
		DL_APPEND2(s->behind, e, behind_prev, behind_next);
	if (e->ahead == 0 && e->is_behind)
		DL_DELETE2(s->behind, e, behind_prev, behind_next);
	e->is_behind = e->ahead > 0;
	if (e->agent->executor == e)
		sched_host_refresh(s, e->agent);
}

/* ---- The end ---- */

static int lose_attempts(struct sched *s, struct executor *e, bool counts, const char *why)
{
	int r = 0;

	e->losing = true;
	while (r == 0 && e->attempts != NULL)
		r = sched_attempt_lost(s, e->attempts, counts, why);
	return r;
}

static void lose_outputs(struct sched *s, struct executor *e)
{
	while (e->outputs != NULL)
		sched_output_lost(s, e->outputs);
}

/* Executors that die one after another before any connects: there is no point in more of them. */
static int count_start_failure(struct sched *s, const struct executor *e, const char *why)
{
	if (++s->start_failures < START_FAILURES_MAX)
		return 0;
	s->start_failures = 0;
	return sched_run_end(s, 1,
		"no executor starts: %u in a row died before they connected, the last on %s: %s",
		START_FAILURES_MAX, e->agent->hostname, why);
}

int sched_executor_lost(struct sched *s, struct executor *e, bool counts, const char *why)
{
	if (e->state == EXECUTOR_GONE)
		return 0;
	bool connected = e->hello;
	enum sched_return returned = e->leaving && !counts ? SCHED_RETURN_DRAINED : SCHED_RETURN_LOST;
	if (e->linked) {
		s->registered -= e->slots;
		s->linked--;
	}
	e->linked = e->doubtful = false;
	e->state = EXECUTOR_GONE;
	sched_ledger_executor(s, false);
	sched_log_return(s, e->id, returned);
	e->due_ms = e->resend_ms = UINT64_MAX;
	sched_lease_ask(s, e);
	sched_executor_refresh(s, e);
	if (e->agent->executor == e)
		e->agent->executor = NULL;
	sched_host_refresh(s, e->agent);
	int r = sched_plan_text(
		s, SCHED_DO_LOG, 0, 0, "lost executor %s on %s: %s", e->id, e->agent->hostname, why);
	if (r == 0)
		r = sched_link_leave(s, e);
	if (r == 0)
		r = lose_attempts(s, e, counts, why);
	while (r == 0 && e->holds != NULL)
		sched_hold_free(s, e->holds, returned);
	e->slots = 0;
	lose_outputs(s, e);
	sched_cache_lost(s, e);
	if (r == 0)
		r = sched_broadcasts_lost(s, e);
	forget_info(e);
	if (r == 0 && counts)
		r = sched_agent_failed(s, e->agent);
	return r == 0 && counts && !connected ? count_start_failure(s, e, why) : r;
}

static int shut_down(struct sched *s, struct executor *e, bool counts, const char *why)
{
	int r = sched_call_shutdown(s, e);

	e->leaving = true;
	return r < 0 ? r : sched_executor_lost(s, e, counts, why);
}

int sched_executor_give_up(struct sched *s, struct executor *e, const char *why)
{
	return shut_down(s, e, true, why);
}

int sched_executor_leave(struct sched *s, struct executor *e, const char *why)
{
	return shut_down(s, e, false, why);
}

int sched_executors_dismiss(struct sched *s, const struct agent *agent)
{
	int r = 0;

	for (struct executor *e = s->executors; r == 0 && e != NULL; e = e->hh.next)
		if (e->state == EXECUTOR_GONE && (e->leaving || e->wire) &&
			(agent == NULL || e->agent == agent))
			r = sched_call_shutdown(s, e);
	return r;
}

/* ---- In doubt ---- */

/* An executor on revocable resources has ended. Whether its agent took them away is said with the end of its
 * tasks, which may come any moment: until then it gets nothing more. Its name may live on: the agent starts
 * another process under it for a launch that met its end. */
void sched_executor_doubt(struct sched *s, struct executor *e)
{
	e->doubtful = true;
	e->due_ms = s->now_ms + LINK_AGAIN_MS;
	sched_look_at(s, e->due_ms);
	sched_executor_refresh(s, e);
}

/* Nobody has said it. */
static int end_doubt(struct sched *s, struct executor *e)
{
	if (!e->linked)
		return sched_executor_leave(s, e, "it ended");
	e->doubtful = false; /* there is one */
	e->due_ms = UINT64_MAX;
	sched_executor_refresh(s, e);
	return 0;
}

/* ---- Time ---- */

static int look(struct sched *s, struct executor *e)
{
	int r = 0;

	if (e->later > 0 && e->later_ms <= s->now_ms)
		sched_lease_ask(s, e);
	else if (e->later > 0)
		sched_look_at(s, e->later_ms);
	if (e->due_ms <= s->now_ms && e->doubtful)
		r = end_doubt(s, e);
	else if (e->due_ms <= s->now_ms)
		r = sched_executor_give_up(s, e,
			e->hello ? "it has lost its connection to the driver"
				 : "it did not connect to the driver");
	else if (e->due_ms != UINT64_MAX)
		sched_look_at(s, e->due_ms);
	if (r == 0 && e->resend_ms <= s->now_ms) {
		e->resend_ms = UINT64_MAX;
		r = sched_link_resend(s, e);
	} else if (e->resend_ms != UINT64_MAX) {
		sched_look_at(s, e->resend_ms);
	}
	return r;
}

int sched_executors_look(struct sched *s)
{
	struct executor *e, *next;
	int r = 0;

	HASH_ITER (hh, s->executors, e, next) {
		if (r == 0 && e->state != EXECUTOR_GONE)
			r = look(s, e);
	}
	return r;
}

void sched_executors_deinit(struct sched *s)
{
	struct executor *e, *next;

	HASH_ITER (hh, s->executors, e, next) {
		HASH_DELETE(hh, s->executors, e);
		free_executor(e);
	}
}
