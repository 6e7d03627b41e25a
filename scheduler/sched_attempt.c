/* sched_attempt.c: attempts: made, ended, judged.
 *
 * What an end counts for:
 *
 * - FAILED: a failure of the task and of the agent; task_max_failures of them end the run, one `final`
 *   one does so at once.
 * - FETCH_FAILED: the map output that it names is lost and made again. After FETCHES_FREE of those of one
 *   map, each counts as a failure: what cannot be read however often it is written ends the run.
 * - lost: the executor died under it: LOSSES times task_max_failures of them end the run. The agent was
 *   lost, or the launch, or it had not begun: nothing.
 * - KILLED: nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

struct attempt *sched_attempt_find(const struct sched *s, uint32_t stage, uint32_t partition, uint32_t number)
{
	const struct attempt_name name = { stage, partition, number };
	struct attempt *a;

	HASH_FIND(hh, s->attempts, &name, sizeof(name), a);
	return a;
}

int sched_attempt_new(
	struct sched *s, struct task *t, struct executor *e, struct hold *h, struct attempt **ret)
{
	struct attempt *a = calloc(1, sizeof(*a)), *added = a;

	if (a == NULL)
		return -ENOMEM;
	a->name = (struct attempt_name){ t->stage->id, t->partition, t->next_attempt++ };
	a->task = t;
	a->executor = e;
	a->hold = h;
	a->deadline_ms = UINT64_MAX;
	a->slots = sched_size_slots(s, t->stage);
	a->cpus_milli = sched_size_cpus_milli(s, t->stage);
	a->given_ms = s->now_ms;
	HASH_ADD(hh, s->attempts, name, sizeof(a->name), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(a);
		return -ENOMEM;
	}
	DL_APPEND(e->attempts, a);
	t->attempt = a;
	t->state = TASK_RUNNING;
	t->locality = sched_prefer_where(t, e);
	if (h != NULL) {
		h->attempt = a;
		sched_ledger_begins(s, a);
	} else {
		a->over_link = a->ahead = true;
		e->load += a->slots;
		e->ahead += a->slots;
		s->ahead++;
		e->heard_ms = s->now_ms;
		sched_executor_refresh(s, e);
	}
	*ret = a;
	return 0;
}

void sched_attempt_begins(struct sched *s, struct attempt *a)
{
	a->ahead = false;
	a->executor->ahead -= a->slots;
	s->ahead--;
	s->begun_ms = s->now_ms;
	sched_ledger_begins(s, a);
	if (s->config.task_timeout_ms == 0)
		return;
	a->deadline_ms = s->now_ms + 2 * s->config.task_timeout_ms + TIMEOUT_GRACE_MS;
	sched_look_at(s, a->deadline_ms);
}

/* `result`: NULL, there is none. */
static void forget(struct sched *s, struct attempt *a, const Quern__TaskResult *result)
{
	struct executor *e = a->executor;

	sched_ledger_ends(s, a, result);
	HASH_DELETE(hh, s->attempts, a);
	DL_DELETE(e->attempts, a);
	if (a->task != NULL)
		a->task->attempt = NULL;
	if (a->hold != NULL)
		a->hold->attempt = NULL;
	if (a->ahead) {
		e->ahead -= a->slots;
		s->ahead--;
	}
	if (a->over_link) {
		e->load -= a->slots;
		sched_lease_between(s, e);
	}
	sched_executor_refresh(s, e);
	free(a);
}

/* ---- Failures ---- */

static int avoid_agent(struct sched *s, struct task *t, const struct agent *agent)
{
	if (t->avoid == NULL)
		t->avoid = calloc(1, sizeof(*t->avoid));
	if (t->avoid == NULL)
		return -ENOMEM;
	struct avoid *avoid = t->avoid;
	avoid->until_ms = s->now_ms + AVOID_MS;
	for (uint32_t i = 0; i < avoid->n; i++)
		if (avoid->at[i] == agent)
			return 0;
	if (avoid->n == AVOID_MAX) {
		memmove(avoid->at, avoid->at + 1, (AVOID_MAX - 1) * sizeof(avoid->at[0]));
		avoid->n--;
	}
	avoid->at[avoid->n++] = agent;
	return 0;
}

/* What failed, where, and the last words of the user's code. */
static int end_run(struct sched *s, const struct task *t, const struct agent *agent, const char *how,
	const char *error, const char *tail)
{
	size_t len = tail != NULL ? strlen(tail) : 0;

	while (len > 0 && tail[len - 1] == '\n')
		len--;
	return sched_run_end(s, 1, "stage %u, task %u %s on %s: %s%s%.*s", t->stage->id, t->partition, how,
		agent->hostname, error, len > 0 ? "\n" : "", (int)len, len > 0 ? tail : "");
}

static int failed(struct sched *s, struct task *t, struct agent *agent, const Quern__TaskResult *result)
{
	const char *error = result->error != NULL ? result->error : "it did not say why";
	char how[64];

	sched_task_queue(s, t);
	if (!sched_run_has(s, t))
		return 0;
	s->run->failed++;
	t->failures++;
	int r = sched_plan_text(s, SCHED_DO_LOG, s->run->id, 0,
		"stage %u, task %u failed on %s (%u of %u): %s", t->stage->id, t->partition, agent->hostname,
		t->failures, s->config.task_max_failures, error);
	if (r == 0 && result->has_final && result->final)
		return end_run(s, t, agent, "failed", error, result->stderr_tail);
	if (r == 0)
		r = avoid_agent(s, t, agent);
	if (r == 0)
		r = sched_agent_failed(s, agent);
	if (r < 0 || t->failures < s->config.task_max_failures)
		return r;
	(void)snprintf(
		how, sizeof(how), t->failures > 1 ? "failed %u times, at last" : "failed", t->failures);
	return end_run(s, t, agent, how, error, result->stderr_tail);
}

int sched_attempt_lost(struct sched *s, struct attempt *a, bool counts, const char *why)
{
	struct task *t = a->task;
	struct agent *agent = a->executor->agent;
	bool begun = !a->ahead;
	char how[64];

	forget(s, a, NULL);
	if (t == NULL || t->state != TASK_RUNNING)
		return 0;
	sched_task_queue(s, t);
	if (!counts || !begun || !sched_run_has(s, t))
		return 0;
	s->run->failed++;
	t->losses++;
	int r = avoid_agent(s, t, agent);
	if (r < 0 || t->losses < (uint64_t)LOSSES * s->config.task_max_failures)
		return r;
	(void)snprintf(how, sizeof(how), "was lost %u times, at last", t->losses);
	return end_run(s, t, agent, how, why, NULL);
}

static int timed_out(struct sched *s, struct task *t, struct agent *agent)
{
	Quern__TaskResult result = QUERN__TASK_RESULT__INIT;
	char error[64];

	(void)snprintf(error, sizeof(error), "timeout: not done after %llu ms, and killed",
		(unsigned long long)s->config.task_timeout_ms);
	result.error = error;
	return failed(s, t, agent, &result);
}

/* ---- Results ---- */

/* The output could not be had. Where an executor has lost its link, or is reported again, all that is on it
 * is lost: finding out one by one would take as many rounds as there are outputs. */
static int lose_output(struct sched *s, struct task *map)
{
	struct executor *e = map->host;

	sched_output_lost(s, map);
	if (++e->fetches > 1 || !e->linked)
		while (e->outputs != NULL)
			sched_output_lost(s, e->outputs);
	return sched_agent_failed(s, e->agent);
}

static int fetch_failed(struct sched *s, struct task *t, struct agent *agent, const Quern__TaskResult *result)
{
	const Quern__MapOutput *fetch = result->fetch;
	const struct branch *b = sched_stage_branch(t->stage, t->partition);
	struct task *map = NULL;

	for (uint32_t i = 0; fetch != NULL && result->has_fetch_shuffle && i < b->n_sources; i++)
		if (b->sources[i]->id == result->fetch_shuffle)
			map = sched_task_at(b->sources[i]->stage, fetch->map);
	if (map == NULL) /* it does not say what is missing: there is nothing to mend */
		return failed(s, t, agent, result);
	if (map->state == TASK_DONE && map->output == fetch->attempt) {
		int r = sched_plan_text(s, SCHED_DO_LOG, 0, 0, "stage %u, task %u on %s: %s", t->stage->id,
			t->partition, agent->hostname,
			result->error != NULL ? result->error : "map output is gone");
		if (r == 0)
			r = lose_output(s, map);
		if (r < 0)
			return r;
		if (++map->fetches > FETCHES_FREE)
			return failed(s, t, agent, result);
	} else if (++t->stale_fetches > STALE_FETCHES_FREE) {
		return failed(s, t, agent, result);
	}
	sched_task_queue(s, t);
	return 0;
}

static int give_result(
	struct sched *s, struct task *t, const void *data, size_t len, const Quern__Tally *tally)
{
	const struct sched_action a = {
		.kind = SCHED_DO_RESULT, .run = s->run->id, .partition = t->partition
	};

	sched_task_done(s, t);
	int r = sched_tally_add(s, t, tally);
	return r < 0 ? r : sched_plan_bytes(s, a, data, len);
}

static int commit(struct sched *s, struct task *t, struct agent *agent, const Quern__TaskResult *result)
{
	struct sched_action a = { .kind = SCHED_DO_COMMIT, .run = s->run->id, .partition = t->partition };

	if (result->file == NULL)
		return failed(s, t, agent, result);
	a.text = strdup(result->file);
	if (a.text == NULL)
		return -ENOMEM;
	t->state = TASK_COMMITTING;
	int r = sched_plan_add(s, a);
	return r < 0 ? r : sched_tally_add(s, t, result->tally);
}

static int done(struct sched *s, struct task *t, struct executor *e, uint32_t attempt,
	const Quern__TaskResult *result)
{
	Quern__Sink__Kind kind = t->stage->message->sink->kind;

	if (kind == QUERN__SINK__KIND__SHUFFLE) {
		if (!e->hello) { /* nobody could fetch it */
			sched_task_queue(s, t);
			return 0;
		}
		sched_output_set(s, t, e, attempt);
		return sched_tally_add(s, t, result->tally);
	}
	if (!sched_run_has(s, t))
		return 0;
	if (sink_writes_files(t->stage->message->sink))
		return commit(s, t, e->agent, result);
	if (result->has_data_on_link && result->data_on_link && !result->has_data)
		return failed(s, t, e->agent, result); /* it would have come before this */
	return give_result(s, t, result->data.data, result->has_data ? result->data.len : 0, result->tally);
}

int sched_attempt_data(struct sched *s, struct attempt *a, const Quern__ToDriver__Data *data)
{
	struct task *t = a->task;

	if (t == NULL || t->state != TASK_RUNNING || !sched_run_has(s, t))
		return 0;
	const Quern__Sink *sink = t->stage->message->sink;
	if (sink->kind == QUERN__SINK__KIND__SHUFFLE || sink_writes_files(sink))
		return 0;
	return give_result(s, t, data->data.data, data->data.len, data->tally);
}

int sched_attempt_result(struct sched *s, struct attempt *a, const Quern__TaskResult *result)
{
	struct task *t = a->task;
	struct executor *e = a->executor;
	uint32_t number = a->name.attempt;
	bool late = a->late;

	e->ending =
		e->ending || (result->state == QUERN__TASK_RESULT__STATE__KILLED && a->over_link && !a->kill);
	if (result->has_peak_rss && result->peak_rss > s->peak_rss)
		s->peak_rss = result->peak_rss;
	int r = sched_cache_result(s, e, result);
	forget(s, a, result);
	if (r < 0 || t == NULL || t->state != TASK_RUNNING)
		return r;
	switch (result->state) {
	case QUERN__TASK_RESULT__STATE__DONE:
		sched_ahead_learn(s, t->stage, result);
		return done(s, t, e, number, result);
	case QUERN__TASK_RESULT__STATE__FETCH_FAILED:
		return fetch_failed(s, t, e->agent, result);
	case QUERN__TASK_RESULT__STATE__KILLED:
		if (late)
			return timed_out(s, t, e->agent);
		sched_task_queue(s, t);
		return 0;
	case QUERN__TASK_RESULT__STATE__FAILED:
	default:
		return failed(s, t, e->agent, result);
	}
}

/* ---- Killing, and time ---- */

int sched_attempt_kill(struct sched *s, struct attempt *a)
{
	if (a->kill)
		return 0;
	a->kill = true;
	return a->hold != NULL ? sched_hold_kill(s, a->hold) : sched_link_kill(s, a);
}

/* One that is not gone long after it was killed takes its executor with it. */
static int overdue(struct sched *s, struct attempt *a)
{
	if (a->late)
		return sched_executor_give_up(s, a->executor, "a task that takes too long cannot be ended");
	a->late = true;
	a->deadline_ms = s->now_ms + TIMEOUT_GRACE_MS;
	sched_look_at(s, a->deadline_ms);
	return sched_attempt_kill(s, a);
}

int sched_attempts_look(struct sched *s)
{
	struct attempt *a = s->attempts;
	int r = 0;

	while (r == 0 && a != NULL) {
		struct attempt *next = a->hh.next;

		if (a->deadline_ms <= s->now_ms) {
			r = overdue(s, a);
			next = s->attempts; /* its executor may have gone, and this one and others with it */
		} else if (a->deadline_ms != UINT64_MAX) {
			sched_look_at(s, a->deadline_ms);
		}
		a = next;
	}
	return r;
}

void sched_attempts_deinit(struct sched *s)
{
	struct attempt *a, *next;

	HASH_ITER (hh, s->attempts, a, next) {
		HASH_DELETE(hh, s->attempts, a);
		free(a);
	}
}
