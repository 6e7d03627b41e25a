/* crowd_executor.c: executors: they start, are told of Mesos tasks by their agent and of tasks over the link,
 * and go. What of executor/core.h a scheduler can tell is here: which updates it gets and when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sim/crowd_state.h"

enum { RUNNING_US = 250000 /* executor/core.h: running_delay_ms */ };

struct work *crowd_work_find(const struct sim *sim, const char *id)
{
	struct work *w;

	HASH_FIND_STR(sim->by_id, id, w);
	return w;
}

/* ---- Mesos tasks ---- */

static void running_is_said(struct sim *sim, struct sim_event *e)
{
	struct work *w = e->who;
	struct place *p;

	DL_FOREACH(w->places, p)
	{
		if (strcmp(p->id, e->text) == 0) {
			crowd_update(sim, w, p->id, MESOS__V1__TASK_STATE__TASK_RUNNING, 0, NULL);
			return;
		}
	}
}

static void say_running(struct sim *sim, struct work *w, const struct place *p, uint64_t later)
{
	struct sim_event *e = sim_after(sim, later, running_is_said);

	e->who = w;
	e->text = sim_dup(p->id);
}

/* On an executor that is up. */
static void begin(struct sim *sim, struct work *w, struct place *p)
{
	if (p->slots > 0) {
		w->slots += p->slots;
		say_running(sim, w, p, 0);
		crowd_tries_go(sim, w);
		return;
	}
	Quern__Task *task = p->task;
	p->task = NULL;
	say_running(sim, w, p, RUNNING_US);
	crowd_try_add(sim, w, task, p);
	quern__task__free_unpacked(task, NULL);
}

void crowd_place_free(struct work *w, struct place *p)
{
	DL_DELETE(w->places, p);
	if (p->task != NULL)
		quern__task__free_unpacked(p->task, NULL);
	free(p->id);
	free(p);
}

static void add_place(struct sim *sim, struct work *w, const Mesos__V1__TaskInfo *task)
{
	Quern__TaskData *data = quern__task_data__unpack(NULL, task->data.len, task->data.data);
	struct place *p = sim_alloc(sizeof(*p));

	sim_check(data == NULL);
	p->id = sim_dup(task->task_id->value);
	if (data->lease != NULL) {
		p->slots = data->lease->slots;
	} else {
		p->task = data->task;
		data->task = NULL;
	}
	quern__task_data__free_unpacked(data, NULL);
	DL_APPEND(w->places, p);
	if (w->state == WORK_UP)
		begin(sim, w, p);
}

void crowd_leases_end(struct sim *sim, struct work *w)
{
	struct place *p, *next;

	if (w->busy > w->slots)
		return;
	DL_FOREACH_SAFE(w->places, p, next)
	{
		if (!p->leaving)
			continue;
		crowd_update(sim, w, p->id,
			p->unwanted ? MESOS__V1__TASK_STATE__TASK_FINISHED
				    : MESOS__V1__TASK_STATE__TASK_KILLED,
			0, NULL);
		crowd_place_free(w, p);
	}
}

static void leave(struct sim *sim, struct work *w, struct place *p, bool unwanted)
{
	if (p->leaving)
		return;
	p->leaving = true;
	p->unwanted = unwanted;
	if (w->state == WORK_UP)
		w->slots -= p->slots;
	crowd_leases_end(sim, w);
}

static struct place *find_place(const struct work *w, const char *id)
{
	struct place *p;

	DL_FOREACH(w->places, p)
	{
		if (strcmp(p->id, id) == 0)
			return p;
	}
	return NULL;
}

void crowd_work_kill(struct sim *sim, struct work *w, const char *task)
{
	struct place *p = find_place(w, task);

	if (p == NULL)
		return;
	if (p->slots > 0) {
		leave(sim, w, p, false);
	} else if (p->task != NULL) { /* it has not begun */
		crowd_update(sim, w, p->id, MESOS__V1__TASK_STATE__TASK_KILLED, 0, NULL);
		crowd_place_free(w, p);
	} else {
		struct try *t;

		DL_FOREACH(w->running, t)
		{
			if (t->place == p) {
				crowd_try_kill(sim, w, t->stage, t->partition, t->attempt);
				return;
			}
		}
	}
}

/* ---- The link ---- */

static void hello(struct sim *sim, struct work *w)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Hello hello = QUERN__TO_DRIVER__HELLO__INIT;

	crowd_member_step(sim, w->member,
		(struct sched_event){ .kind = SCHED_EV_LINK_UP, .u.link = { .executor_id = w->id } });
	hello.shuffle_port = 1;
	hello.directory = hello.machine = hello.address = w->id;
	m.hello = &hello;
	crowd_up(sim, w, &m);
}

static void comes_up(struct sim *sim, struct sim_event *e)
{
	struct work *w = e->who;
	struct place *p, *next;

	if (w->state != WORK_STARTING || w->member->gone)
		return;
	w->state = WORK_UP;
	hello(sim, w);
	DL_FOREACH_SAFE(w->places, p, next)
	{
		if (!p->leaving)
			begin(sim, w, p);
	}
}

static void leaves(struct sim *sim, struct sim_event *e)
{
	crowd_work_dies(sim, e->who, false);
}

static uint32_t stage_of(const struct work *w, uint32_t id)
{
	uint32_t stage = id - crowd_stage(w->member);

	sim_check(stage >= CROWD_STAGES);
	return stage;
}

static void frame_arrives(struct sim *sim, struct sim_event *e)
{
	struct work *w = e->who;

	if (w->state != WORK_UP)
		return;
	Quern__ToExecutor *m = quern__to_executor__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	if (m->stage != NULL)
		w->known |= 1U << stage_of(w, m->stage->stage->id);
	if (m->outputs != NULL)
		w->versions[stage_of(w, m->outputs->shuffle)] = m->outputs->version;
	for (size_t i = 0; i < m->n_tasks; i++)
		crowd_try_add(sim, w, m->tasks[i], NULL);
	for (size_t i = 0; i < m->n_end_leases; i++) {
		struct place *p = find_place(w, m->end_leases[i]);

		if (p != NULL)
			leave(sim, w, p, true);
	}
	for (size_t i = 0; i < m->n_kill; i++)
		crowd_try_kill(
			sim, w, stage_of(w, m->kill[i]->stage), m->kill[i]->partition, m->kill[i]->attempt);
	crowd_tries_go(sim, w);
	if (m->has_leave && m->leave)
		sim_after(sim, sim->config->times.agent_us, leaves)->who = w;
	quern__to_executor__free_unpacked(m, NULL);
}

void crowd_link(struct sim *sim, const char *id, const void *data, size_t len)
{
	struct work *w = crowd_work_find(sim, id);

	if (w == NULL || w->state != WORK_UP)
		return;
	sim_send(sim, sim->config->times.link_us, &w->last_down, frame_arrives, data, len)->who = w;
}

/* ---- Life ---- */

static struct member *member_of(struct sim *sim, const char *framework)
{
	for (uint32_t i = 0; i < sim->config->frameworks; i++)
		if (sim->members[i].id != NULL && strcmp(sim->members[i].id, framework) == 0)
			return &sim->members[i];
	return NULL;
}

static struct work *start(struct sim *sim, uint32_t agent, struct member *m, const char *id)
{
	struct work *w = sim_alloc(sizeof(*w)), *old = crowd_work_find(sim, id);

	w->id = sim_dup(id);
	w->member = m;
	w->agent = agent;
	if (old != NULL)
		HASH_DEL(sim->by_id, old);
	HASH_ADD_KEYPTR(hh, sim->by_id, w->id, strlen(w->id), w);
	LL_PREPEND(sim->works, w);
	DL_APPEND2(sim->agents[agent].works, w, prev_here, next_here);
	sim->report->executors++;
	sim_after(sim, sim->config->times.start_us, comes_up)->who = w;
	return w;
}

void crowd_work_run(struct sim *sim, uint32_t agent, const Quern__Local__ToAgent__Run *run)
{
	struct member *m = member_of(sim, run->framework->id->value);
	const char *id = run->task->executor->executor_id->value;
	struct work *w = crowd_work_find(sim, id);

	if (m == NULL || m->gone)
		return;
	if (w == NULL || w->state == WORK_GONE) {
		const struct work *other;

		DL_FOREACH2(sim->agents[agent].works, other, next_here)
		{
			if (other->member == m)
				crowd_wrong(sim, "two executors of one framework on one agent");
		}
		w = start(sim, agent, m, id);
	}
	if (sim->time.now - m->launched > sim->report->gap_us)
		sim->report->gap_us = sim->time.now - m->launched;
	m->launched = sim->time.now;
	add_place(sim, w, run->task);
}

static void notices(struct sim *sim, struct sim_event *e)
{
	struct work *w = e->who;

	crowd_member_step(sim, w->member,
		(struct sched_event){ .kind = SCHED_EV_LINK_DOWN, .u.link = { .executor_id = w->id } });
}

void crowd_work_dies(struct sim *sim, struct work *w, bool machine)
{
	bool was_up = w->state == WORK_UP;

	if (w->state == WORK_GONE)
		return;
	w->state = WORK_GONE;
	crowd_tries_drop(sim, w);
	while (w->places != NULL) {
		if (!machine && !w->member->gone)
			crowd_update(sim, w, w->places->id, MESOS__V1__TASK_STATE__TASK_FAILED,
				MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED, NULL);
		crowd_place_free(w, w->places);
	}
	if (!machine && !w->member->gone)
		crowd_exited(sim, w);
	DL_DELETE2(sim->agents[w->agent].works, w, prev_here, next_here);
	if (was_up)
		sim_send(sim, sim->config->times.link_us, &w->last_up, notices, NULL, 0)->who = w;
}

void crowd_works_end(struct sim *sim)
{
	struct work *w, *next;

	HASH_CLEAR(hh, sim->by_id);
	LL_FOREACH_SAFE(sim->works, w, next)
	{
		crowd_tries_drop(sim, w);
		while (w->places != NULL)
			crowd_place_free(w, w->places);
		vec_deinit(&w->outbox);
		free(w->id);
		free(w);
	}
}
