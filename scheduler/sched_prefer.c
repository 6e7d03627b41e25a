/* sched_prefer.c: tasks that would rather run in one place than in another.
 *
 * A task may prefer executors, which have a partition that it begins with (sched_cache.c), and hosts, which
 * have its input (Split.hosts). What an executor has saves more than what a host has: a task with such an
 * executor waits for that alone, and for hosts when the last such executor is lost.
 *
 * A task that never ran, while it is pending, is in the list of each place that it waits for, and in the
 * stage's queue `choosy` if one of them is worth waiting for (place.usable), else in `fresh`. A slot gets, of
 * one stage: a task that is tried again; else one that waits for its executor; else for its host; else one
 * that need not wait; else, when that has taken long enough (sched_wait.c), one that waits for others.
 *
 * Where nothing is preferred nothing of this costs anything. A choice is a look into a table, a task costs 16
 * bytes for each place. A place that comes or goes costs a look at the tasks that wait for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/stage.h"
#include "scheduler/sched_place.h"

/* ---- Places ---- */

static struct place *find(const struct stage *stage, const void *key)
{
	struct place *p = NULL;

	if (stage->places != NULL && key != NULL)
		HASH_FIND_PTR(stage->places, &key, p);
	return p;
}

/* Made if it is not there. NULL: no memory. */
static struct place *get(struct stage *stage, struct executor *e, struct host *h)
{
	const void *key = e != NULL ? (const void *)e : h;
	struct place *p = find(stage, key), *added;

	if (p != NULL)
		return p;
	p = added = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	*p = (struct place){ .executor = e,
		.host = h,
		.key = key,
		.number = (uint32_t)stage->place_list.n,
		.first = PREFER_NOWHERE };
	if (vec_push(&stage->place_list, p) < 0) {
		free(p);
		return NULL;
	}
	HASH_ADD_PTR(stage->places, key, added);
	if (added != NULL && added->hh.tbl != NULL)
		return p;
	stage->place_list.n--;
	free(p);
	return NULL;
}

/* Whether it may come to run the tasks that wait for it. */
static bool is_usable(const struct sched *s, const struct stage *stage, const struct place *p)
{
	if (p->executor != NULL)
		return !p->lost;
	return p->host->usable > 0 || (stage->hopeful && p->host->agents == 0 && !p->host->given_up &&
					      s->config.mode->as_needed);
}

static struct place *place_of(const struct stage *stage, const struct prefer *p)
{
	return stage->place_list.at[p->place];
}

/* ---- Lists of those who wait ---- */

static bool is_in(const struct prefer *p)
{
	return p->prev != PREFER_NOWHERE;
}

static void enter(struct stage *stage, uint32_t i)
{
	struct prefer *all = stage->prefers.at;
	struct place *place = place_of(stage, &all[i]);

	if (is_in(&all[i]))
		return;
	all[i].next = PREFER_NOWHERE;
	all[i].prev = i;
	if (place->first == PREFER_NOWHERE) {
		place->first = i;
	} else {
		all[i].prev = all[place->first].prev;
		all[all[i].prev].next = i;
		all[place->first].prev = i;
	}
	place->n++;
}

static void leave(struct stage *stage, uint32_t i)
{
	struct prefer *all = stage->prefers.at, *p = &all[i];
	struct place *place = place_of(stage, p);

	if (!is_in(p))
		return;
	if (place->first == i)
		place->first = p->next;
	else
		all[p->prev].next = p->next;
	if (p->next != PREFER_NOWHERE)
		all[p->next].prev = p->prev;
	else if (place->first != PREFER_NOWHERE)
		all[place->first].prev = p->prev;
	p->prev = p->next = PREFER_NOWHERE;
	place->n--;
}

/* Waits for its executors, or else for its hosts. */
void sched_prefer_enter(struct task *t)
{
	struct stage *stage = t->stage;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n_owners; i++) {
		if (!place_of(stage, &stage->prefers.at[t->prefer + i])->usable)
			continue;
		enter(stage, t->prefer + i);
		n++;
	}
	for (uint32_t i = t->n_owners; n == 0 && i < t->n_prefer; i++)
		enter(stage, t->prefer + i);
}

void sched_prefer_leave(struct task *t)
{
	for (uint32_t i = 0; i < t->n_prefer; i++)
		leave(t->stage, t->prefer + i);
}

bool sched_prefer_waits(const struct task *t)
{
	const struct stage *stage = t->stage;

	for (uint32_t i = t->prefer; i < t->prefer + t->n_prefer; i++)
		if (is_in(&stage->prefers.at[i]) && place_of(stage, &stage->prefers.at[i])->usable)
			return true;
	return false;
}

/* ---- What a task prefers ---- */

static int add(struct stage *stage, struct task *t, struct executor *e, struct host *h)
{
	const struct place *place = get(stage, e, h);

	if (place == NULL)
		return -ENOMEM;
	for (uint32_t i = t->prefer; i < t->prefer + t->n_prefer; i++)
		if (stage->prefers.at[i].place == place->number) /* a host may be named twice */
			return 0;
	const struct prefer p = { .task = t->partition - stage->first,
		.place = place->number,
		.prev = PREFER_NOWHERE,
		.next = PREFER_NOWHERE };
	if (vec_push(&stage->prefers, p) < 0 || stage->prefers.n == PREFER_NOWHERE)
		return -ENOMEM;
	t->n_prefer++;
	if (e != NULL)
		t->n_owners++;
	return 0;
}

static int add_hosts(struct sched *s, struct task *t)
{
	struct stage *stage = t->stage;
	const struct branch *b = sched_stage_branch(stage, t->partition);
	int r = 0;

	if (stage->first_host == NULL || b->n_sources > 0)
		return 0;
	uint32_t split = b->first_split + (t->partition - b->first);
	for (uint32_t i = stage->first_host[split]; r == 0 && i < stage->first_host[split + 1]; i++)
		r = add(stage, t, NULL, s->host_list.at[stage->split_hosts.at[i]]);
	return r;
}

static int add_all(struct sched *s, struct task *t, bool keeps)
{
	struct executor *owners[PREFER_MAX];
	uint32_t n = keeps ? sched_cache_owners(s, t, owners) : 0;
	int r = 0;

	t->prefer = (uint32_t)t->stage->prefers.n;
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = add(t->stage, t, owners[i], NULL);
	return r < 0 ? r : add_hosts(s, t);
}

static void forget(struct stage *stage)
{
	HASH_CLEAR(hh, stage->places);
	stage->hopeful = false;
	for (size_t i = 0; i < stage->place_list.n; i++)
		free(stage->place_list.at[i]);
	stage->place_list.n = stage->prefers.n = 0;
	for (uint32_t i = 0; stage->tasks != NULL && i < stage->n_tasks; i++)
		stage->tasks[i].prefer = stage->tasks[i].n_prefer = stage->tasks[i].n_owners = 0;
}

static void forget_hosts(struct stage *stage)
{
	vec_deinit(&stage->split_hosts);
	free(stage->first_host);
	stage->first_host = NULL;
}

/* The array grew by doubling, and stays. */
static void trim(struct stage *stage)
{
	struct prefer *at =
		stage->prefers.n > 0 ? realloc(stage->prefers.at, stage->prefers.n * sizeof(*at)) : NULL;

	if (at == NULL)
		return;
	stage->prefers.at = at;
	stage->prefers.cap = stage->prefers.n;
}

/* Those who wait there may have to wait in another queue, or for something else. */
static void refresh(struct sched *s, struct stage *stage, struct place *place)
{
	bool usable = is_usable(s, stage, place);
	uint32_t next;

	if (place->usable == usable)
		return;
	place->usable = usable;
	for (uint32_t i = place->first; i != PREFER_NOWHERE; i = next) {
		struct task *t = &stage->tasks[stage->prefers.at[i].task];

		next = stage->prefers.at[i].next;
		if (place->executor != NULL || sched_prefer_waits(t) != (t->queue == QUEUE_CHOOSY))
			sched_task_requeue(s, t);
	}
}

static void refresh_all(struct sched *s, struct stage *stage)
{
	for (size_t i = 0; !stage->hopeful && i < stage->place_list.n; i++) {
		const struct host *h = stage->place_list.at[i]->host;

		stage->hopeful = h != NULL && h->agents > 0;
	}
	for (size_t i = 0; i < stage->place_list.n; i++)
		refresh(s, stage, stage->place_list.at[i]);
}

int sched_prefer_make(struct sched *s, struct stage *stage)
{
	bool keeps = stage_keeps(stage->message);
	int r = 0;

	sched_wait_begin(s, stage);
	if (keeps || stage->first_host != NULL) {
		forget(stage);
		for (uint32_t i = 0; r == 0 && i < stage->n_tasks; i++)
			r = add_all(s, &stage->tasks[i], keeps);
		for (size_t i = 0; r == 0 && i < stage->place_list.n; i++)
			stage->place_list.at[i]->usable = is_usable(s, stage, stage->place_list.at[i]);
		for (uint32_t i = 0; r == 0 && i < stage->n_tasks; i++)
			if (stage->tasks[i].state == TASK_PENDING && stage->tasks[i].queue != QUEUE_RETRY)
				sched_task_requeue(s, &stage->tasks[i]);
		trim(stage);
		if (!keeps) /* it is not made again */
			forget_hosts(stage);
	}
	refresh_all(s, stage);
	return r;
}

void sched_prefer_free(struct stage *stage)
{
	forget(stage);
	vec_deinit(&stage->place_list);
	vec_deinit(&stage->prefers);
	forget_hosts(stage);
}

/* ---- Choosing ---- */

/* Where the agent's next task is from; NULL: none waits for it. */
static const struct place *place_for(const struct stage *stage, const struct agent *agent)
{
	const struct place *p = find(stage, agent->executor);

	if (p == NULL || p->n == 0)
		p = find(stage, agent->host);
	return p != NULL && p->n > 0 ? p : NULL;
}

struct task *sched_prefer_pick(const struct stage *stage, const struct agent *agent)
{
	const struct place *p = place_for(stage, agent);

	return p != NULL ? &stage->tasks[stage->prefers.at[p->first].task] : NULL;
}

uint32_t sched_prefer_count(const struct stage *stage, const struct agent *agent)
{
	const struct place *e = find(stage, agent->executor), *h = find(stage, agent->host);

	return (e != NULL ? e->n : 0) + (h != NULL ? h->n : 0);
}

static enum locality where(const struct task *t, const struct executor *e, const struct host *h)
{
	enum locality best = t->n_prefer > 0 ? LOCALITY_ELSEWHERE : LOCALITY_ANY;

	for (uint32_t i = t->prefer; i < t->prefer + t->n_prefer; i++) {
		const struct place *p = place_of(t->stage, &t->stage->prefers.at[i]);

		if (p->executor != NULL && p->executor == e && !p->lost)
			return LOCALITY_CACHED;
		if (p->host == h)
			best = LOCALITY_HOST;
	}
	return best;
}

enum locality sched_prefer_where(const struct task *t, const struct executor *e)
{
	return where(t, e, e->agent->host);
}

bool sched_prefer_is_near(const struct task *t, const struct agent *agent)
{
	return where(t, agent->executor, agent->host) <= LOCALITY_HOST;
}

/* ---- Places that come and go ---- */

void sched_prefer_lost(struct sched *s, const struct executor *e)
{
	for (struct stage *stage = s->stages; stage != NULL; stage = stage->hh.next) {
		struct place *p = find(stage, e);

		if (p == NULL)
			continue;
		p->lost = true;
		refresh(s, stage, p);
	}
}

void sched_prefer_host(struct sched *s, const struct host *host)
{
	for (struct stage *stage = s->stages; stage != NULL; stage = stage->hh.next) {
		struct place *p = find(stage, host);

		if (p != NULL && stage->hopeful)
			refresh(s, stage, p);
		else if (p != NULL)
			refresh_all(s, stage);
	}
}

void sched_prefer_give_up(const struct task *t)
{
	for (uint32_t i = t->prefer; i < t->prefer + t->n_prefer; i++) {
		struct host *h = place_of(t->stage, &t->stage->prefers.at[i])->host;

		if (h != NULL)
			h->given_up = h->agents == 0;
	}
}
