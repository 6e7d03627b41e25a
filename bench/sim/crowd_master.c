/* crowd_master.c: the master's core and its shell; and what it has given away, by its own books.
 *
 * Those books are looked at agent by agent, whenever one may have changed: a step about an agent, or one that
 * sends it something, changes that one; time alone changes those that are off. */
#include <stdlib.h>
#include <string.h>

#include "bench/sim/books.h"
#include "bench/sim/crowd_state.h"

enum { ANSWERS = 1 << 20 /* connections of calls but SUBSCRIBE */ };

/* ---- Its books ---- */

static void recount(struct sim *sim, struct book *book)
{
	uint64_t now = book->id[0] != '\0' ? books_agent(sim->master.core, book->id).cpus_milli : 0;

	if (now == book->held_milli)
		return;
	sim->report->master_core_us += sim->master.held_milli * (sim->time.now - sim->master.since) / 1000;
	sim->master.since = sim->time.now;
	sim->master.held_milli += now - book->held_milli;
	book->held_milli = now;
	crowd_note(sim);
}

static void recount_lost(struct sim *sim)
{
	for (size_t i = 0; i < sim->lost.n; i++)
		recount(sim, &sim->lost.at[i]);
}

/* ---- Its shell ---- */

static void master_tick(struct sim *sim, struct sim_event *e)
{
	struct master_event ev = { .kind = MASTER_EV_TICK };

	if (sim->master.armed != e->at)
		return;
	sim->master.armed = UINT64_MAX;
	crowd_master_step(sim, &ev);
	recount_lost(sim);
}

static uint32_t agent_of(const struct sim *sim, uint64_t link)
{
	return (uint32_t)(link % sim->config->agents);
}

static void agent_hears(struct sim *sim, struct sim_event *e)
{
	uint32_t agent = agent_of(sim, e->tag);

	if (sim->agents[agent].off || sim->agents[agent].link != e->tag)
		return;
	Quern__Local__ToAgent *m = quern__local__to_agent__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	crowd_agent_message(sim, agent, m);
	quern__local__to_agent__free_unpacked(m, NULL);
}

static void act(struct sim *sim, const struct master_action *x)
{
	uint64_t later = sim->config->times.agent_us;
	struct member *m = &sim->members[x->conn % ANSWERS];

	switch (x->kind) {
	case MASTER_DO_REPLY:
		if (x->status == 200 && x->stream_id != NULL)
			m->stream_id = sim_dup(x->stream_id);
		else if (x->status != 200 && x->status != 202)
			crowd_wrong(sim, "a call was refused: %d %s", x->status, x->text);
		break;
	case MASTER_DO_EVENT:
		crowd_member_event(sim, m, x->data, x->len);
		break;
	case MASTER_DO_AGENT:
		sim_send(sim, later, NULL, agent_hears, x->data, x->len)->tag = x->link;
		recount(sim, &sim->agents[agent_of(sim, x->link)].book);
		break;
	case MASTER_DO_CLOSE: /* of a framework that is over */
		break;
	}
}

void crowd_master_step(struct sim *sim, struct master_event *ev)
{
	ev->now_ms = sim->time.now / 1000;
	sim_check(master_step(sim->master.core, ev, &sim->master.plan));
	for (size_t i = 0; i < sim->master.plan.n; i++)
		act(sim, &sim->master.plan.at[i]);
	master_plan_reset(&sim->master.plan);
	uint64_t next = master_next_ms(sim->master.core);
	sim_arm(sim, next == UINT64_MAX ? next : next * 1000, &sim->master.armed, master_tick, 0, 0);
}

static void call_arrives(struct sim *sim, struct sim_event *e)
{
	Mesos__V1__Scheduler__Call *call = mesos__v1__scheduler__call__unpack(NULL, e->len, e->data);
	struct member *m = e->who;

	sim_check(call == NULL);
	bool subscribes = call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	struct master_event ev = { .kind = MASTER_EV_CALL,
		.u.call = { .conn = subscribes ? m->index : ANSWERS + m->index,
			.stream_id = m->stream_id,
			.call = call } };
	crowd_master_step(sim, &ev);
	if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN) {
		m->gone = true;
		sim->over++;
		recount_lost(sim);
	}
	mesos__v1__scheduler__call__free_unpacked(call, NULL);
}

void crowd_call(struct sim *sim, struct member *m, const void *data, size_t len)
{
	sim_send(sim, sim->config->times.call_us, &m->last_call, call_arrives, data, len)->who = m;
}

/* ---- Agents ---- */

static void message_arrives(struct sim *sim, struct sim_event *e)
{
	uint32_t agent = agent_of(sim, e->tag);

	if (sim->agents[agent].off || sim->agents[agent].link != e->tag)
		return;
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	struct master_event ev = { .kind = MASTER_EV_AGENT, .u.agent = { .link = e->tag, .message = m } };
	crowd_master_step(sim, &ev);
	recount(sim, &sim->agents[agent].book);
	quern__local__to_master__free_unpacked(m, NULL);
}

void crowd_to_master(struct sim *sim, uint32_t agent, const Quern__Local__ToMaster *m)
{
	struct crowd_agent *a = &sim->agents[agent];
	size_t len = quern__local__to_master__get_packed_size(m);
	uint8_t *packed = sim_alloc(len);

	(void)quern__local__to_master__pack(m, packed);
	sim_send(sim, sim->config->times.agent_us, &a->last_up, message_arrives, packed, len)->tag = a->link;
	free(packed);
}

void crowd_agent_down(struct sim *sim, uint32_t agent)
{
	struct crowd_agent *a = &sim->agents[agent];
	struct master_event ev = { .kind = MASTER_EV_AGENT_DOWN, .u.agent = { .link = a->link } };

	sim_check(vec_push(&sim->lost, a->book));
	a->book = (struct book){ "", 0 };
	crowd_master_step(sim, &ev);
	recount_lost(sim);
}

/* ---- Life ---- */

void crowd_master_start(struct sim *sim)
{
	const struct master_config config = { .hostname = "master",
		.ip = "127.0.0.1",
		.port = 5050,
		.allocation_interval_ms = sim->config->allocation_interval_ms,
		.seed = sim_random(sim) };
	struct err err = { "" };

	sim_check(master_new(&config, &sim->master.core, &err));
	sim->master.armed = UINT64_MAX;
}

void crowd_master_end(struct sim *sim)
{
	sim->report->master_core_us += sim->master.held_milli * (sim->time.now - sim->master.since) / 1000;
	sim->report->allocation_runs = books_allocation_runs(sim->master.core);
	sim->master.core = master_free(sim->master.core);
	master_plan_deinit(&sim->master.plan);
}
