/* crowd_try.c: what runs in an executor: it waits for its stage and its table of map outputs, then, over the
 * link, for slots, then runs for its length, and has a result. One that came as a Mesos task says so in an
 * update, the others over the link, where results wait for others as executor/driver.c has it. */
#include <stdlib.h>
#include <string.h>

#include "bench/sim/crowd_state.h"

enum {
	FLUSH_US = 1000, /* executor/state.h: FLUSH_MS */
	DEADLY = 10,     /* of so many failures one is the executor's ... */
	FATAL = 100,     /* ... and of so many one the agent's */
	UPDATE_MAX = 256
};

/* ---- Results ---- */

static void frame_up(struct sim *sim, struct sim_event *e)
{
	struct work *w = e->who;
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, e->len, e->data);

	sim_check(m == NULL);
	crowd_member_step(sim, w->member,
		(struct sched_event){
			.kind = SCHED_EV_LINK, .u.link = { .executor_id = w->id, .message = m } });
	quern__to_driver__free_unpacked(m, NULL);
}

void crowd_up(struct sim *sim, struct work *w, const Quern__ToDriver *m)
{
	size_t len = quern__to_driver__get_packed_size(m);
	uint8_t *packed = sim_alloc(len);

	(void)quern__to_driver__pack(m, packed);
	sim_send(sim, sim->config->times.link_us, &w->last_up, frame_up, packed, len)->who = w;
	free(packed);
}

static void fill(const struct sim *sim, const struct work *w, const struct outcome *o, uint64_t *value,
	Quern__TaskResult *r)
{
	quern__task_result__init(r);
	r->stage = crowd_stage(w->member) + o->stage;
	r->partition = o->partition;
	r->attempt = o->attempt;
	r->state = o->state;
	r->has_wall_us = 1;
	r->wall_us = o->us;
	r->error = o->state == QUERN__TASK_RESULT__STATE__FAILED ? (char *)(uintptr_t) "made to fail" : NULL;
	if (o->state != QUERN__TASK_RESULT__STATE__DONE || o->stage + 1 != sim->config->n_stages)
		return;
	r->has_data = 1; /* of an action that counts */
	r->data = (ProtobufCBinaryData){ .data = (uint8_t *)value, .len = sizeof(*value) };
}

static void flush(struct sim *sim, struct work *w)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	size_t n = w->outbox.n;
	Quern__TaskResult *results = sim_alloc(n * sizeof(*results)), **list = sim_alloc(n * sizeof(*list));
	uint64_t value = 1;

	for (size_t i = 0; i < n; i++) {
		fill(sim, w, &w->outbox.at[i], &value, &results[i]);
		list[i] = &results[i];
	}
	m.results = list;
	m.n_results = n;
	w->outbox.n = 0;
	crowd_up(sim, w, &m);
	free(list);
	free(results);
}

static void flush_due(struct sim *sim, struct sim_event *e)
{
	struct work *w = e->who;

	w->flushing = false;
	if (w->state == WORK_UP && w->outbox.n > 0)
		flush(sim, w);
}

static void say_over_link(struct sim *sim, struct work *w, const struct outcome *o)
{
	sim_check(vec_push(&w->outbox, *o));
	if (w->outbox.n >= w->queued) {
		flush(sim, w);
	} else if (!w->flushing) {
		w->flushing = true;
		sim_after(sim, FLUSH_US, flush_due)->who = w;
	}
}

static void say_in_update(struct sim *sim, struct work *w, struct place *p, const struct outcome *o)
{
	static const Mesos__V1__TaskState states[] = { [QUERN__TASK_RESULT__STATE__DONE] =
							       MESOS__V1__TASK_STATE__TASK_FINISHED,
		[QUERN__TASK_RESULT__STATE__FAILED] = MESOS__V1__TASK_STATE__TASK_FAILED,
		[QUERN__TASK_RESULT__STATE__KILLED] = MESOS__V1__TASK_STATE__TASK_KILLED };
	Quern__TaskResult r;
	uint64_t value = 1;
	uint8_t packed[UPDATE_MAX];
	ProtobufCBinaryData data = { .data = packed };

	fill(sim, w, o, &value, &r);
	sim_check(quern__task_result__get_packed_size(&r) > sizeof(packed));
	data.len = quern__task_result__pack(&r, packed);
	crowd_update(sim, w, p->id, states[o->state], 0, &data);
	crowd_place_free(w, p);
}

/* ---- From its end to its beginning ---- */

static void forget(struct sim *sim, struct try *t)
{
	struct work *w = t->work;

	if (t->end != NULL) {
		t->end->who = NULL;
		DL_DELETE(w->running, t);
		w->busy -= t->place == NULL ? t->slots : 0;
		sim->used_milli -= 1000ULL * t->slots;
		crowd_note(sim);
	}
	free(t);
}

static void over(struct sim *sim, struct try *t, Quern__TaskResult__State state)
{
	const struct outcome o = { t->stage, t->partition, t->attempt, state,
		t->end != NULL ? sim->time.now - t->began : 0 };
	struct work *w = t->work;
	struct place *p = t->place;

	forget(sim, t);
	if (p != NULL)
		say_in_update(sim, w, p, &o);
	else
		say_over_link(sim, w, &o);
}

static void ends(struct sim *sim, struct sim_event *e)
{
	struct try *t = e->who;

	if (t == NULL)
		return;
	struct work *w = t->work;
	over(sim, t, (Quern__TaskResult__State)e->tag);
	crowd_tries_go(sim, w);
}

static void kills_executor(struct sim *sim, struct sim_event *e)
{
	struct try *t = e->who;

	if (t == NULL)
		return;
	sim->report->killed_executors++;
	crowd_work_dies(sim, t->work, false);
}

static void kills_agent(struct sim *sim, struct sim_event *e)
{
	struct try *t = e->who;

	if (t != NULL)
		crowd_agent_off(sim, t->work->agent);
}

static void begin(struct sim *sim, struct try *t)
{
	struct work *w = t->work;
	const struct member *m = w->member;
	double luck = (double)(sim_random(sim) >> 11) / 9007199254740992.0, rate = sim->config->failures;
	uint64_t beside = sim->config->times.task_us, us = crowd_length_us(sim, m, t->stage, t->partition);

	us += beside / 2 + sim_value(sim->config->seed + t->stage, t->partition) % (beside + 1);
	DL_APPEND(w->running, t);
	w->busy += t->place == NULL ? t->slots : 0;
	sim->used_milli += 1000ULL * t->slots;
	sim->report->attempts++;
	crowd_note(sim);
	if (m->near != NULL && t->stage == 0)
		w->member->local += m->near[(size_t)t->partition * sim->config->agents + w->agent];
	t->began = sim->time.now;
	if (luck < rate) {
		t->end = sim_after(sim, sim_below(sim, us + 1), ends);
		t->end->tag = QUERN__TASK_RESULT__STATE__FAILED;
		sim->report->failed++;
	} else if (luck < rate + rate / DEADLY) {
		t->end = sim_after(sim, sim_below(sim, us + 1), kills_executor);
	} else if (luck < rate + rate / DEADLY + rate / FATAL) {
		t->end = sim_after(sim, sim_below(sim, us + 1), kills_agent);
	} else {
		t->end = sim_after(sim, us, ends);
		t->end->tag = QUERN__TASK_RESULT__STATE__DONE;
	}
	t->end->who = t;
}

/* Asks for what it needs, once. */
static bool has_all(struct sim *sim, struct try *t)
{
	struct work *w = t->work;
	uint32_t bit = 1U << t->stage;
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Need need = QUERN__TO_DRIVER__NEED__INIT;

	if ((w->known & bit) != 0 && w->versions[t->stage] >= t->version)
		return true;
	if ((w->asked & bit) != 0)
		return false;
	w->asked |= bit;
	need.has_stage = (w->known & bit) == 0;
	need.has_shuffle = need.has_version = w->versions[t->stage] < t->version;
	need.stage = need.shuffle = crowd_stage(w->member) + t->stage;
	need.version = t->version;
	m.need = &need;
	crowd_up(sim, w, &m);
	return false;
}

void crowd_tries_go(struct sim *sim, struct work *w)
{
	struct try *t, *next;

	DL_FOREACH_SAFE(w->waiting, t, next)
	{
		if (!has_all(sim, t))
			continue;
		w->asked &= ~(1U << t->stage);
		DL_DELETE(w->waiting, t);
		if (t->place != NULL) {
			begin(sim, t);
		} else {
			DL_APPEND(w->queue, t);
			w->queued++;
		}
	}
	while ((t = w->queue) != NULL && w->busy + t->slots <= w->slots) {
		DL_DELETE(w->queue, t);
		w->queued--;
		begin(sim, t);
	}
	crowd_leases_end(sim, w);
}

void crowd_try_add(struct sim *sim, struct work *w, const Quern__Task *task, struct place *place)
{
	struct try *t = sim_alloc(sizeof(*t));

	t->work = w;
	t->stage = task->stage - crowd_stage(w->member);
	sim_check(t->stage >= sim->config->n_stages);
	t->partition = task->partition;
	t->attempt = task->attempt;
	t->slots = task->has_slots && task->slots > 1 ? task->slots : 1;
	t->version = task->n_outputs_versions > 0 ? task->outputs_versions[0] : 0;
	t->place = place;
	DL_APPEND(w->waiting, t);
	crowd_tries_go(sim, w);
}

/* ---- Killed ---- */

static struct try *find(struct try *list, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	struct try *t;

	DL_FOREACH(list, t)
	{
		if (t->stage == stage && t->partition == partition && t->attempt == attempt)
			return t;
	}
	return NULL;
}

/* One that is not known here is as good as killed. */
void crowd_try_kill(struct sim *sim, struct work *w, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	struct try *t = find(w->running, stage, partition, attempt);

	if (t != NULL) {
		over(sim, t, QUERN__TASK_RESULT__STATE__KILLED);
	} else if ((t = find(w->queue, stage, partition, attempt)) != NULL) {
		DL_DELETE(w->queue, t);
		w->queued--;
		over(sim, t, QUERN__TASK_RESULT__STATE__KILLED);
	} else if ((t = find(w->waiting, stage, partition, attempt)) != NULL) {
		DL_DELETE(w->waiting, t);
		over(sim, t, QUERN__TASK_RESULT__STATE__KILLED);
	} else {
		const struct outcome o = { stage, partition, attempt, QUERN__TASK_RESULT__STATE__KILLED, 0 };

		say_over_link(sim, w, &o);
	}
	crowd_tries_go(sim, w);
}

void crowd_tries_drop(struct sim *sim, struct work *w)
{
	struct try *t;

	while (w->running != NULL)
		forget(sim, w->running);
	while ((t = w->queue) != NULL) {
		DL_DELETE(w->queue, t);
		free(t);
	}
	while ((t = w->waiting) != NULL) {
		DL_DELETE(w->waiting, t);
		free(t);
	}
	w->queued = 0;
	w->busy = 0;
}
