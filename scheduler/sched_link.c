/* sched_link.c: the executors' connections: tasks for the slots that are held, results, and what executors
 * ask for.
 *
 * Ordering guarantees: a stage and a table of outputs go ahead of the first task that needs them. When a link
 * comes up anew the executor first repeats the results that the old one may have lost; only then (RESEND_MS)
 * is what it seems to have still sent again, or it would run twice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

static int send(struct sched *s, const struct executor *e, const Quern__ToExecutor *m)
{
	return sched_plan_message(s, SCHED_DO_LINK, e->id, &m->base);
}

/* ---- What goes ahead of tasks ---- */

static int send_stage(struct sched *s, struct executor *e, const struct stage *stage)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__StageInfo info = QUERN__TO_EXECUTOR__STAGE_INFO__INIT;

	info.run = s->run != NULL ? s->run->id : 0;
	info.stage = stage->message;
	sched_hdfs_fill(s, e, stage, &info);
	m.stage = &info;
	return send(s, e, &m);
}

static int send_outputs(struct sched *s, const struct executor *e, struct shuffle *shuffle)
{
	struct sched_action a = { .kind = SCHED_DO_LINK };

	int r = sched_shuffle_pack(s, shuffle);
	if (r < 0)
		return r;
	a.text = strdup(e->id);
	return a.text == NULL ? -ENOMEM : sched_plan_bytes(s, a, shuffle->packed, shuffle->packed_len);
}

/* The outputs of a shuffle, unless they were sent as they are. */
static int prepare_outputs(struct sched *s, struct executor *e, struct shuffle *shuffle)
{
	struct known_outputs *known = NULL;

	for (uint32_t i = 0; i < e->n_outputs_sent; i++)
		if (e->outputs_sent[i].shuffle == shuffle->id)
			known = &e->outputs_sent[i];
	if (known != NULL && known->version == shuffle->version)
		return 0;
	if (known == NULL) {
		known = &e->outputs_sent[e->next_outputs_sent];
		e->next_outputs_sent = (e->next_outputs_sent + 1) % OUTPUTS_KNOWN;
		if (e->n_outputs_sent < OUTPUTS_KNOWN)
			e->n_outputs_sent++;
	}
	*known = (struct known_outputs){ shuffle->id, shuffle->version };
	return send_outputs(s, e, shuffle);
}

int sched_link_prepare(struct sched *s, struct executor *e, const struct task *t)
{
	const struct stage *stage = t->stage;
	const struct branch *b = sched_stage_branch(stage, t->partition);
	int r = 0;

	if (!e->linked)
		return 0;
	if (!e->knows_stage || e->stage != stage->id || e->revision != stage->message->revision ||
		sched_hdfs_stale(s, e, stage))
		r = send_stage(s, e, stage);
	e->knows_stage = true;
	e->stage = stage->id;
	e->revision = stage->message->revision;
	for (uint32_t i = 0; r == 0 && i < b->n_sources; i++)
		r = prepare_outputs(s, e, b->sources[i]);
	return r < 0 ? r : sched_broadcasts_prepare(s, e);
}

/* ---- Tasks ---- */

/* Sends those of `n` attempts that still are to run. */
static int send_tasks(struct sched *s, struct executor *e, struct attempt *const *attempts, size_t n)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Task *tasks = calloc(n + 1, sizeof(*tasks)), **list = calloc(n + 1, sizeof(*list));
	int r = tasks == NULL || list == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = sched_link_prepare(s, e, attempts[i]->task);
		sched_task_fill(s, attempts[i], &tasks[i]);
		list[i] = &tasks[i];
	}
	m.n_tasks = n;
	m.tasks = list;
	if (r == 0 && n > 0)
		r = send(s, e, &m);
	free(tasks);
	free(list);
	return r;
}

/* One that goes ahead waits for one slot. */
static struct room room_of(const struct executor *e)
{
	uint32_t n = sched_executor_free(e);

	return (struct room){ .slots = n > 0 ? n : 1, .cpus_milli = INT64_MAX, .mem_milli = INT64_MAX };
}

static int give(struct sched *s, struct executor *e, struct task *t)
{
	struct attempt *a;

	int r = sched_attempt_new(s, t, e, NULL, &a);
	if (r == 0 && e->batch.n == 0)
		r = vec_push(&s->batched, e);
	return r < 0 ? r : vec_push(&e->batch, a);
}

/* Tasks of the stage for free slots: one for each executor, then another one, and so on. */
static int give_round(struct sched *s, struct stage *stage, enum pick what)
{
	struct executor *e, *next;
	bool given = true;
	int r = 0;

	while (r == 0 && given && s->idle != NULL && stage->n_pending > 0) {
		given = false;
		DL_FOREACH_SAFE(s->idle, e, next)
		{
			const struct room room = room_of(e);
			struct task *t = r == 0 && sched_size_fits(s, stage, &room) &&
							 sched_agent_usable(s, e->agent) &&
							 sched_drain_allows(s, e->agent, stage)
						 ? sched_task_pick(s, stage, e->agent, what)
						 : NULL;

			if (t == NULL)
				continue;
			r = give(s, e, t);
			given = true;
		}
	}
	return r;
}

/* What the stage could use of slots that are free and stay so. */
static void note_idle(struct sched *s, struct stage *stage)
{
	uint32_t slots = sched_size_slots(s, stage);
	const struct executor *e;
	uint64_t n = 0;

	if (stage->n_choosy == 0 && stage->wait.behind == 0)
		return;
	if (slots == 1) {
		n = s->free_slots;
	} else {
		DL_FOREACH(s->idle, e)
		{
			n += e->free_slots / slots;
		}
		DL_FOREACH(s->asked, e)
		{
			n += e->free_slots / slots;
		}
	}
	sched_wait_idle(s, stage, n < UINT32_MAX ? (uint32_t)n : UINT32_MAX);
}

void sched_link_note_idle(struct sched *s)
{
	for (size_t i = 0; s->run != NULL && !s->run->ended && i < s->run->ready.n; i++)
		note_idle(s, s->run->ready.at[i]);
}

/* Everybody gets what it has the data of, before anybody gets what another one may have. */
static int give_stage(struct sched *s, struct stage *stage)
{
	int r = stage->places != NULL ? give_round(s, stage, PICK_NEAR) : 0;

	return r < 0 ? r : give_round(s, stage, PICK_ANY);
}

/* Those that have free slots and got nothing are not asked again before something has changed: with many of
 * them, waiting for tasks that wait for other places, each result would be dear. */
static int give_all(struct sched *s)
{
	struct executor *e, *next;
	int r = 0;

	if (s->stirred) {
		DL_FOREACH(s->asked, e)
		{
			e->asked = false;
		}
		DL_CONCAT(s->asked, s->idle);
		s->idle = s->asked;
		s->asked = NULL;
	}
	s->stirred = false;
	for (size_t i = 0; r == 0 && s->idle != NULL && i < s->run->ready.n; i++)
		r = give_stage(s, s->run->ready.at[i]);
	DL_FOREACH_SAFE(s->idle, e, next)
	{
		if (r == 0)
			r = sched_drain_idle(s, e->agent);
	}
	DL_FOREACH(s->idle, e)
	{
		e->asked = true;
	}
	DL_CONCAT(s->asked, s->idle);
	s->idle = NULL;
	sched_link_note_idle(s);
	return r;
}

static int give_ahead(struct sched *s, struct executor *e)
{
	while (sched_ahead_room(s, e) && sched_agent_usable(s, e->agent)) {
		const struct room room = room_of(e);
		struct task *t = sched_task_pick_any(s, e->agent, &room);
		int r = t != NULL ? give(s, e, t) : 0;

		if (r < 0 || t == NULL)
			return r;
	}
	return 0;
}

int sched_link_dispatch(struct sched *s)
{
	int r;

	if (s->config.mode->task_per_hold || s->run == NULL || s->run->ended || !s->run->may_run)
		return 0;
	r = give_all(s);
	if (r == 0 && s->heard != NULL)
		r = give_ahead(s, s->heard);
	if (r == 0)
		r = sched_ahead_take_back(s);
	for (size_t i = 0; i < s->batched.n; i++) {
		struct executor *e = s->batched.at[i];

		if (r == 0)
			r = send_tasks(s, e, e->batch.at, e->batch.n);
		e->batch.n = 0;
	}
	s->batched.n = 0;
	return r;
}

static int send_kill(struct sched *s, const struct executor *e, const struct attempt *a)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__TaskName name = QUERN__TO_EXECUTOR__TASK_NAME__INIT, *list[] = { &name };

	name.stage = a->name.stage;
	name.partition = a->name.partition;
	name.attempt = a->name.attempt;
	m.n_kill = 1;
	m.kill = list;
	return send(s, e, &m);
}

int sched_link_kill(struct sched *s, const struct attempt *a)
{
	return a->over_link && a->executor->linked ? send_kill(s, a->executor, a) : 0;
}

int sched_link_end_lease(struct sched *s, const struct hold *h)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	char *list[] = { h->id };

	m.n_end_leases = 1;
	m.end_leases = list;
	return send(s, h->executor, &m);
}

int sched_link_resend(struct sched *s, struct executor *e)
{
	int r = 0;

	if (!e->linked)
		return 0;
	for (struct attempt *a = e->attempts; r == 0 && a != NULL; a = a->next) {
		if (!a->over_link)
			continue;
		/* One that was to be killed is sent as well: the executor says what became of it. */
		if (a->task != NULL)
			r = send_tasks(s, e, &a, 1);
		if (r == 0 && a->kill)
			r = send_kill(s, e, a);
	}
	return r;
}

/* ---- Up and down ---- */

int sched_link_up(struct sched *s, const char *executor_id)
{
	struct executor *e = sched_executor_find(s, executor_id);

	if (e == NULL)
		return 0;
	e->wire = true;
	if (e->state == EXECUTOR_GONE) {
		int gone = sched_call_shutdown(s, e);

		return gone < 0 ? gone : sched_link_leave(s, e);
	}
	if (e->linked)
		return 0;
	sched_executor_is_up(e);
	e->linked = true;
	sched_log_running(s, e->id);
	e->doubtful = e->ending = false; /* whoever it is, it lives */
	e->due_ms = UINT64_MAX;
	e->knows_stage = false;
	e->n_outputs_sent = e->next_outputs_sent = 0;
	e->broadcasts_version = e->hdfs_version = 0;
	s->linked++;
	s->registered += e->slots;
	if (e->load > 0) {
		e->resend_ms = s->now_ms + RESEND_MS;
		sched_look_at(s, e->resend_ms);
	}
	sched_executor_refresh(s, e);
	sched_lease_ask(s, e);
	int r = sched_lease_linked(s, e);
	return r < 0 ? r : sched_cache_linked(s, e);
}

int sched_link_down(struct sched *s, const char *executor_id)
{
	struct executor *e = sched_executor_find(s, executor_id);

	if (e == NULL)
		return 0;
	e->wire = false;
	if (!e->linked)
		return 0;
	e->linked = false;
	e->due_ms = s->now_ms + LINK_AGAIN_MS;
	sched_look_at(s, e->due_ms);
	s->linked--;
	s->registered -= e->slots;
	sched_executor_refresh(s, e);
	return 0;
}

int sched_link_leave(struct sched *s, const struct executor *e)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	m.has_leave = m.leave = 1;
	return e->wire ? send(s, e, &m) : 0;
}

/* ---- What executors say ---- */

static int set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

/* Another process under the old name: the agent starts one when a launch meets an executor that has just
 * died. Nothing that the old one had is there. */
static int begin_anew(struct sched *s, struct executor *e)
{
	struct attempt *a, *next;
	int r = 0;

	while (e->outputs != NULL)
		sched_output_lost(s, e->outputs);
	sched_cache_lost(s, e);
	e->losing = true;
	DL_FOREACH_SAFE(e->attempts, a, next)
	{
		if (r == 0 && a->over_link)
			r = sched_attempt_lost(s, a, true, "its executor was started anew");
	}
	e->losing = false;
	e->resend_ms = UINT64_MAX;
	return r < 0 ? r : sched_broadcasts_lost(s, e);
}

static bool same_process(const struct executor *e, const Quern__ToDriver__Hello *hello)
{
	return e->port == hello->shuffle_port && strcmp(e->directory, hello->directory) == 0 &&
	       strcmp(e->address, hello->address) == 0;
}

static int on_hello(struct sched *s, struct executor *e, const Quern__ToDriver__Hello *hello)
{
	int r = e->hello && !same_process(e, hello) ? begin_anew(s, e) : 0;

	if (r == 0)
		r = set_text(&e->address, hello->address);
	if (r == 0)
		r = set_text(&e->directory, hello->directory);
	if (r == 0)
		r = set_text(&e->machine, hello->machine);
	e->port = hello->shuffle_port;
	e->hello = r == 0;
	s->start_failures = 0;
	return r;
}

/* A table that never was complete is not given to anybody; nobody who asks for it would be ours. */
static int on_need(struct sched *s, struct executor *e, const Quern__ToDriver__Need *need)
{
	struct stage *stage = NULL;
	int r = 0;

	if (need->has_stage) {
		HASH_FIND(hh, s->stages, &need->stage, sizeof(need->stage), stage);
		if (stage != NULL)
			r = send_stage(s, e, stage);
	}
	if (r == 0 && need->has_shuffle) {
		struct shuffle *shuffle = sched_shuffle_find(s, need->shuffle);

		if (shuffle != NULL && shuffle->complete_once)
			r = send_outputs(s, e, shuffle);
	}
	if (r == 0 && need->has_broadcasts && need->broadcasts)
		r = sched_broadcasts_send(s, e);
	return r;
}

static int on_data(struct sched *s, struct executor *e, const Quern__ToDriver__Data *data)
{
	struct attempt *a = sched_attempt_find(s, data->stage, data->partition, data->attempt);
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__TaskName name = QUERN__TO_EXECUTOR__TASK_NAME__INIT;
	int r = 0;

	if (a != NULL && a->executor == e)
		r = sched_attempt_data(s, a, data);
	if (r < 0)
		return r;
	name.stage = data->stage;
	name.partition = data->partition;
	name.attempt = data->attempt;
	m.data_taken = &name;
	return send(s, e, &m);
}

int sched_link_message(struct sched *s, const char *executor_id, const Quern__ToDriver *m)
{
	struct executor *e = sched_executor_find(s, executor_id);
	int r = 0;

	if (e == NULL || !e->linked || m == NULL)
		return 0;
	if (m->hello != NULL)
		r = on_hello(s, e, m->hello);
	if (r == 0 && m->need != NULL)
		r = on_need(s, e, m->need);
	if (r == 0 && m->data != NULL)
		r = on_data(s, e, m->data);
	for (size_t i = 0; r == 0 && i < m->n_copies; i++)
		r = sched_broadcasts_copy(s, e, m->copies[i]);
	for (size_t i = 0; r == 0 && i < m->n_leases; i++)
		r = sched_hold_begins(s, e, m->leases[i]);
	if (m->n_results > 0) {
		s->heard = e;
		e->heard_ms = s->now_ms;
	}
	for (size_t i = 0; r == 0 && i < m->n_results && e->linked; i++) {
		const Quern__TaskResult *result = m->results[i];
		struct attempt *a = sched_attempt_find(s, result->stage, result->partition, result->attempt);

		if (a != NULL && a->executor == e && a->over_link)
			r = sched_attempt_result(s, a, result);
	}
	return r;
}
