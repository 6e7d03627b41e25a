/* sched_prefer.c: tasks that would rather run in one place than in another.
 *
 * A task may prefer some executors. While it waits it stands in the stage's queue `choosy`, and in a row for
 * each executor that it prefers. A slot gets, of one stage: a task that prefers its executor; else one that
 * prefers nobody; else, when locality_wait_ms are over, one that prefers others. That time begins when the
 * first slot asks in vain. A preferred executor that is lost is preferred no longer.
 *
 * Where nothing is preferred nothing of this costs anything; a choice is a look into a table. */
#include <errno.h>
#include <stdlib.h>

#include "scheduler/sched_state.h"

static struct place *find(const struct stage *stage, const struct executor *e)
{
	struct place *p;

	HASH_FIND_PTR(stage->places, &e, p);
	return p;
}

/* Made if it is not there. NULL: no memory. */
static struct place *get(struct stage *stage, struct executor *e)
{
	struct place *p = find(stage, e);

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->executor = e;
	struct place *added = p;
	HASH_ADD_PTR(stage->places, executor, added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

static void leave(struct stage *stage, struct prefer *p)
{
	struct place *place = p->place;

	p->place = NULL;
	DL_DELETE(place->tasks, p);
	if (place->tasks != NULL)
		return;
	HASH_DELETE(hh, stage->places, place);
	free(place);
}

void sched_prefer_clear(struct task *t)
{
	for (uint32_t i = 0; t->prefers != NULL && i < t->prefers->n; i++)
		if (t->prefers->at[i].place != NULL)
			leave(t->stage, &t->prefers->at[i]);
	free(t->prefers);
	t->prefers = NULL;
}

int sched_prefer_set(struct task *t, struct executor *const *executors, uint32_t n)
{
	sched_prefer_clear(t);
	if (n == 0)
		return 0;
	t->prefers = calloc(1, sizeof(*t->prefers) + n * sizeof(t->prefers->at[0]));
	if (t->prefers == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct prefer *p = &t->prefers->at[i];

		p->place = get(t->stage, executors[i]);
		if (p->place == NULL)
			return -ENOMEM;
		p->task = t;
		DL_APPEND(p->place->tasks, p);
		t->prefers->n++;
	}
	return 0;
}

struct task *sched_prefer_pick(const struct stage *stage, const struct executor *e)
{
	const struct place *p = stage->places != NULL && e != NULL ? find(stage, e) : NULL;

	return p != NULL ? p->tasks->task : NULL;
}

struct task *sched_prefer_other(struct sched *s, struct stage *stage)
{
	if (stage->choosy == NULL)
		return NULL;
	if (stage->choosy_until_ms == 0)
		stage->choosy_until_ms = s->now_ms + s->config.locality_wait_ms;
	if (stage->choosy_until_ms <= s->now_ms)
		return stage->choosy;
	sched_look_at(s, stage->choosy_until_ms);
	return NULL;
}

/* Without one of those that it preferred. */
static void forget(struct sched *s, struct prefer *p)
{
	struct task *t = p->task;

	leave(t->stage, p);
	for (uint32_t i = 0; i < t->prefers->n; i++)
		if (t->prefers->at[i].place != NULL)
			return;
	sched_task_requeue(s, t);
}

void sched_prefer_lost(struct sched *s, const struct executor *e)
{
	for (struct stage *stage = s->stages; stage != NULL; stage = stage->hh.next) {
		struct prefer *p, *next;
		struct place *place = stage->places != NULL ? find(stage, e) : NULL;

		for (p = place != NULL ? place->tasks : NULL; p != NULL; p = next) {
			next = p->next;
			forget(s, p);
		}
	}
}

void sched_prefer_look(struct sched *s)
{
	for (size_t i = 0; s->run != NULL && i < s->run->ready.n; i++) {
		struct stage *stage = s->run->ready.at[i];

		if (stage->choosy == NULL || stage->choosy_until_ms == 0 || stage->choosy_over)
			continue;
		stage->choosy_over = stage->choosy_until_ms <= s->now_ms;
		if (stage->choosy_over)
			s->freed = true; /* any slot will do now: what was declined for it is wanted */
		else
			sched_look_at(s, stage->choosy_until_ms);
	}
}
