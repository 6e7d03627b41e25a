/* sched_task.c: tasks: waiting, and picked for a slot.
 *
 * A task that failed waits in a queue of its own, ahead of those that never ran, and keeps away from the
 * agents that it failed on: for AVOID_MS, or until nobody else is there to take it. Of the first few an agent
 * gets one that has its data there, if there is one; but none of them waits for that. Those that never ran
 * do: see sched_prefer.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

struct task *sched_task_at(const struct stage *stage, uint32_t partition)
{
	if (partition < stage->first || partition - stage->first >= stage->n_tasks)
		return NULL;
	return &stage->tasks[partition - stage->first];
}

static struct task **queue_of(const struct task *t)
{
	struct stage *stage = t->stage;

	switch (t->queue) {
	case QUEUE_RETRY:
		return &stage->retry;
	case QUEUE_CHOOSY:
		return &stage->choosy;
	case QUEUE_FRESH:
	default:
		return &stage->fresh;
	}
}

void sched_task_queue(struct sched *s, struct task *t)
{
	s->stirred = true;
	t->state = TASK_PENDING;
	if (!t->waits)
		t->queued_ms = (uint32_t)s->now_ms;
	t->waits = true;
	t->queue = QUEUE_RETRY;
	if (t->next_attempt == 0) {
		sched_prefer_enter(t);
		t->queue = sched_prefer_waits(t) ? QUEUE_CHOOSY : QUEUE_FRESH;
	}
	DL_APPEND(*queue_of(t), t);
	t->stage->n_pending++;
	t->stage->n_choosy += t->queue == QUEUE_CHOOSY;
}

static void take_out(struct task *t)
{
	DL_DELETE(*queue_of(t), t);
	t->stage->n_pending--;
	t->stage->n_choosy -= t->queue == QUEUE_CHOOSY;
	sched_prefer_leave(t);
}

void sched_task_requeue(struct sched *s, struct task *t)
{
	take_out(t);
	sched_task_queue(s, t);
}

static bool may_go_there(struct sched *s, const struct task *t, const struct agent *agent)
{
	const struct avoid *avoid = t->avoid;

	if (avoid == NULL || avoid->until_ms <= s->now_ms)
		return true;
	for (uint32_t i = 0; i < avoid->n; i++) {
		if (avoid->at[i] != agent)
			continue;
		if (!sched_agent_other(s, avoid))
			return true;
		sched_look_at(s, avoid->until_ms);
		return false;
	}
	return true;
}

static struct task *retry_of(struct sched *s, const struct stage *stage, const struct agent *agent)
{
	struct task *first = NULL;
	uint32_t looked = 0;

	for (struct task *t = stage->retry; t != NULL && looked < RETRY_LOOK; t = t->next, looked++) {
		if (!may_go_there(s, t, agent))
			continue;
		if (stage->places == NULL || sched_prefer_is_near(t, agent))
			return t;
		first = first == NULL ? t : first;
	}
	return first;
}

bool sched_task_retries(struct sched *s, const struct stage *stage, const struct agent *agent)
{
	return retry_of(s, stage, agent) != NULL;
}

static struct task *find(struct sched *s, struct stage *stage, const struct agent *agent, enum pick what)
{
	struct task *t = retry_of(s, stage, agent);

	if (t == NULL && what >= PICK_NEAR)
		t = sched_prefer_pick(stage, agent);
	if (t != NULL || what < PICK_ANY)
		return t;
	if (stage->fresh != NULL)
		return stage->fresh;
	if (stage->choosy == NULL || !sched_wait_over(s, stage))
		return NULL;
	sched_prefer_give_up(stage->choosy);
	return stage->choosy;
}

struct task *sched_task_pick(struct sched *s, struct stage *stage, const struct agent *agent, enum pick what)
{
	struct task *t = find(s, stage, agent, what);

	if (t == NULL)
		return NULL;
	take_out(t);
	if (s->config.mode->task_per_hold)
		sched_wait_launched(s, stage);
	return t;
}

struct task *sched_task_pick_any(struct sched *s, const struct agent *agent, const struct room *room)
{
	for (size_t i = 0; i < s->run->ready.n; i++) {
		struct stage *stage = s->run->ready.at[i];
		struct task *t = sched_size_fits(s, stage, room) && sched_drain_allows(s, agent, stage)
					 ? sched_task_pick(s, stage, agent, PICK_ANY)
					 : NULL;

		if (t != NULL)
			return t;
	}
	return NULL;
}

void sched_task_done(struct sched *s, struct task *t)
{
	t->state = TASK_DONE;
	t->failures = t->losses = t->stale_fetches =
		0; /* a map may have to run again: that is another story */
	t->stage->n_done++;
	s->ran[t->locality]++;
	if (s->run != NULL)
		s->run->stale = true;
}

void sched_task_fill(const struct sched *s, const struct attempt *a, Quern__Task *ret)
{
	const struct stage *stage = a->task->stage;

	quern__task__init(ret);
	ret->stage = a->name.stage;
	ret->partition = a->name.partition;
	ret->attempt = a->name.attempt;
	struct branch *b = sched_stage_branch(stage, a->name.partition);
	uint32_t part = a->name.partition - b->first;
	ret->has_branch = ret->has_part = 1;
	ret->branch = (uint32_t)(b - stage->branches);
	ret->part = part;
	if (b->n_sources == 0)
		ret->split = stage->splits[b->first_split + part];
	for (uint32_t i = 0; i < b->n_sources; i++)
		b->versions[i] = b->sources[i]->version;
	ret->n_outputs_versions = b->n_sources;
	ret->outputs_versions = b->versions;
	ret->has_memory = 1;
	ret->memory = (uint64_t)sched_size_mem_mb(s, stage) << 20;
	ret->has_slots = a->over_link && a->slots > 1;
	ret->slots = a->slots;
	ret->has_broadcasts_version = s->broadcasts_version > 0;
	ret->broadcasts_version = s->broadcasts_version;
	ret->bad_records = sched_tally_bad_left(s);
	ret->has_bad_records = ret->bad_records > 0;
	if (s->config.task_timeout_ms > 0) {
		ret->has_timeout_ms = 1;
		ret->timeout_ms = s->config.task_timeout_ms;
	}
}
