/* sim_cluster.c: the master's core and the agents', and the links between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scheduler/sim_state.h"

enum {
	PING_TIMEOUT_MS = 5000, /* of an agent; the default would make every test last minutes */
	REREGISTER_TIMEOUT_MS = 30000,
	OFFER_TIMEOUT_MS = 100,
	NO_MASTER_MS = 2000, /* between two of them, about */
	RETRY_MS = 200
};

static void step_master(struct sim *sim, struct master_event *ev);

/* ---- The master's shell ---- */

static void to_agent(struct sim *sim, struct sim_event *e)
{
	struct sim_agent *a = &sim->agents[e->index];
	Quern__Local__ToAgent *m;

	if (a->core == NULL || a->link != e->tag)
		return;
	m = quern__local__to_agent__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	struct agent_event ev = { .kind = AGENT_EV_MASTER, .u.master = m };
	sim_agent_event(sim, e->index, &ev);
	quern__local__to_agent__free_unpacked(m, NULL);
}

static void act_master(struct sim *sim, const struct master_action *a)
{
	uint32_t index;

	sim_trace(sim, 'm', a->conn ^ a->link, (int)a->kind, a->text, a->data, a->len);
	switch (a->kind) {
	case MASTER_DO_REPLY:
		sim_driver_reply(sim, a->conn, a->status, a->stream_id, a->text);
		break;
	case MASTER_DO_EVENT:
		sim_driver_stream(sim, a->conn, a->data, a->len);
		break;
	case MASTER_DO_CLOSE:
		sim_driver_stream(sim, a->conn, NULL, 0);
		break;
	case MASTER_DO_AGENT:
		index = sim->agent_of_link.at[a->link];
		struct sim_event *e = sim_send(
			sim, 1 + sim_below(sim, 2), &sim->agents[index].last_down, to_agent, a->data, a->len);
		e->index = index;
		e->tag = a->link;
		break;
	}
}

static void master_tick(struct sim *sim, struct sim_event *e)
{
	struct master_event ev = { .kind = MASTER_EV_TICK };

	if (sim->master.life != e->tag || sim->master.armed_ms != e->at)
		return;
	sim->master.armed_ms = UINT64_MAX;
	step_master(sim, &ev);
}

static void count_held(struct sim *sim)
{
	struct sim_master *m = &sim->master;
	uint64_t ms = sim->time.now - m->held_ms;

	sim->report->master_core_us += m->held.cpus_milli * ms;
	sim->report->master_mem_milli += m->held.mem_milli * ms;
	m->held = books_all(m->core);
	m->held_ms = sim->time.now;
}

static void step_master(struct sim *sim, struct master_event *ev)
{
	struct sim_master *m = &sim->master;

	if (m->core == NULL)
		return;
	ev->now_ms = sim->time.now;
	sim_check(master_step(m->core, ev, &m->plan));
	if (sim->config->ledger)
		count_held(sim);
	for (size_t i = 0; i < m->plan.n; i++)
		act_master(sim, &m->plan.at[i]);
	master_plan_reset(&m->plan);
	sim_arm(sim, master_next_ms(m->core), &m->armed_ms, master_tick, 0, m->life);
}

static void call_arrives(struct sim *sim, struct sim_event *e)
{
	if (sim->master.core == NULL || sim->master.life != e->tag)
		return;
	Mesos__V1__Scheduler__Call *call = mesos__v1__scheduler__call__unpack(NULL, e->len, e->data);
	sim_check(call == NULL);
	struct master_event ev = { .kind = MASTER_EV_CALL,
		.u.call = { .conn = e->extra, .stream_id = e->text, .call = call } };
	step_master(sim, &ev);
	mesos__v1__scheduler__call__free_unpacked(call, NULL);
}

void sim_master_call(struct sim *sim, uint64_t conn, const char *stream_id, const void *data, size_t len)
{
	struct sim_driver *d = &sim->driver;
	struct sim_event *e =
		sim_send(sim, 1 + sim_below(sim, 2) + d->lag_ms, &d->last_call, call_arrives, data, len);

	e->tag = sim->master.life;
	e->extra = conn;
	e->text = stream_id != NULL ? sim_dup(stream_id) : NULL;
}

static void closed_arrives(struct sim *sim, struct sim_event *e)
{
	struct master_event ev = { .kind = MASTER_EV_CLOSED, .u.conn = e->extra };

	if (sim->master.life == e->tag)
		step_master(sim, &ev);
}

void sim_master_closed(struct sim *sim, uint64_t conn)
{
	struct sim_event *e =
		sim_send(sim, 1 + sim_below(sim, 20), &sim->driver.last_call, closed_arrives, NULL, 0);

	e->tag = sim->master.life;
	e->extra = conn;
}

static void master_begin(struct sim *sim)
{
	const struct master_config config = { .hostname = "master",
		.ip = "127.0.0.1",
		.port = 5050,
		.agent_ping_timeout_ms = PING_TIMEOUT_MS,
		.agent_reregister_timeout_ms = REREGISTER_TIMEOUT_MS,
		.offer_timeout_ms = OFFER_TIMEOUT_MS,
		.seed = sim_random(sim) };
	struct err err = { "" };

	sim_check(master_new(&config, &sim->master.core, &err));
	sim->master.armed_ms = UINT64_MAX;
}

/* ---- Links of agents ---- */

static void message_arrives(struct sim *sim, struct sim_event *e)
{
	if (sim->master.core == NULL || sim->agents[e->index].link != e->tag)
		return;
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	struct master_event ev = { .kind = MASTER_EV_AGENT, .u.agent = { .link = e->tag, .message = m } };
	step_master(sim, &ev);
	quern__local__to_master__free_unpacked(m, NULL);
}

static void link_ends(struct sim *sim, struct sim_event *e)
{
	struct master_event ev = { .kind = MASTER_EV_AGENT_DOWN, .u.agent = { .link = e->extra } };

	if (sim->master.life == e->tag)
		step_master(sim, &ev);
}

static void connect(struct sim *sim, struct sim_event *e)
{
	struct agent_event ev = { .kind = AGENT_EV_LINK_UP };
	struct sim_agent *a = &sim->agents[e->index];

	if (a->core == NULL || a->life != e->tag || a->link != 0)
		return;
	if (sim->master.core == NULL) {
		struct sim_event *again = sim_after(sim, RETRY_MS, connect);
		again->index = e->index;
		again->tag = e->tag;
		return;
	}
	sim_check(vec_push(&sim->agent_of_link, e->index));
	a->link = sim->agent_of_link.n - 1;
	sim_agent_event(sim, e->index, &ev);
}

static void connect_after(struct sim *sim, uint32_t index, uint64_t ms)
{
	struct sim_event *e = sim_after(sim, ms, connect);

	e->index = index;
	e->tag = sim->agents[index].life;
}

void sim_agent_cut(struct sim *sim, uint32_t index, uint64_t ms)
{
	struct agent_event ev = { .kind = AGENT_EV_LINK_DOWN };
	struct sim_agent *a = &sim->agents[index];

	if (a->core == NULL || a->link == 0)
		return;
	struct sim_event *e = sim_after(sim, 1 + sim_below(sim, 20), link_ends);
	e->tag = sim->master.life;
	e->extra = a->link;
	a->link = 0;
	sim_agent_event(sim, index, &ev);
	connect_after(sim, index, ms);
}

/* ---- An agent's shell ---- */

static void act_agent(struct sim *sim, uint32_t index, const struct agent_action *x)
{
	struct sim_agent *a = &sim->agents[index];
	struct sim_event *e;

	sim_trace(sim, 'a', index, (int)x->kind, x->container, x->data, x->len);
	switch (x->kind) {
	case AGENT_DO_MASTER:
		if (a->link == 0)
			break;
		e = sim_send(sim, 1 + sim_below(sim, 2), &a->last_up, message_arrives, x->data, x->len);
		e->index = index;
		e->tag = a->link;
		break;
	case AGENT_DO_REPLY:
		if (x->status != 200 && x->status != 202)
			sim_executor_stream(sim, x->conn, NULL, 0);
		break;
	case AGENT_DO_EVENT:
		sim_executor_stream(sim, x->conn, x->data, x->len);
		break;
	case AGENT_DO_CLOSE:
		sim_executor_stream(sim, x->conn, NULL, 0);
		break;
	case AGENT_DO_START:
		sim_executor_start(sim, index, x);
		break;
	case AGENT_DO_KILL:
		sim_executor_kill(sim, x->container);
		break;
	case AGENT_DO_REMOVE:
	case AGENT_DO_STOPPED:
		break;
	}
}

static void agent_tick(struct sim *sim, struct sim_event *e)
{
	struct agent_event ev = { .kind = AGENT_EV_TICK };
	struct sim_agent *a = &sim->agents[e->index];

	if (a->life != e->tag || a->armed_ms != e->at)
		return;
	a->armed_ms = UINT64_MAX;
	sim_agent_event(sim, e->index, &ev);
}

void sim_agent_event(struct sim *sim, uint32_t index, struct agent_event *ev)
{
	struct sim_agent *a = &sim->agents[index];

	if (a->core == NULL)
		return;
	ev->now_ms = sim->time.now;
	sim_check(agent_step(a->core, ev, &a->plan));
	for (size_t i = 0; i < a->plan.n; i++)
		act_agent(sim, index, &a->plan.at[i]);
	agent_plan_reset(&a->plan);
	sim_arm(sim, agent_next_ms(a->core), &a->armed_ms, agent_tick, index, a->life);
}

static void agent_on(struct sim *sim, struct sim_event *e)
{
	struct sim_agent *a = &sim->agents[e->index];
	char hostname[32];
	struct err err = { "" };

	(void)snprintf(hostname, sizeof(hostname), "host%u", e->index);
	const struct agent_config config = { .hostname = hostname,
		.ip = "127.0.0.1",
		.port = 5051,
		.resources = sim->config->resources,
		.work_dir = "/work",
		.seed = sim_random(sim) };
	sim_check(agent_new(&config, &a->core, &err));
	a->life++;
	a->armed_ms = UINT64_MAX;
	connect_after(sim, e->index, sim_spread(sim, 50));
}

void sim_agent_off(struct sim *sim, uint32_t index, uint64_t ms)
{
	struct sim_agent *a = &sim->agents[index];

	if (a->core == NULL)
		return;
	for (size_t i = 0; i < sim->executors.n; i++)
		if (sim->executors.at[i]->agent == index && sim->executors.at[i]->agent_life == a->life)
			sim_executor_die(sim, sim->executors.at[i], 9, true);
	if (a->link != 0) {
		struct sim_event *e = sim_after(sim, 1 + sim_below(sim, 2000), link_ends);
		e->tag = sim->master.life;
		e->extra = a->link;
	}
	a->link = 0;
	a->core = agent_free(a->core);
	struct sim_event *on = sim_after(sim, ms, agent_on);
	on->index = index;
}

/* ---- The master's end, and the next one ---- */

static void master_back(struct sim *sim, struct sim_event *e)
{
	(void)e;
	master_begin(sim);
}

void sim_master_failover(struct sim *sim)
{
	if (sim->master.core == NULL)
		return;
	sim->master.core = master_free(sim->master.core);
	sim->master.life++;
	sim_driver_down(sim);
	for (uint32_t i = 0; i < sim->config->agents; i++)
		sim_agent_cut(sim, i, sim_spread(sim, NO_MASTER_MS));
	(void)sim_after(sim, sim_spread(sim, NO_MASTER_MS), master_back);
}

void sim_cluster_start(struct sim *sim)
{
	sim->agents = sim_alloc(sim->config->agents * sizeof(*sim->agents));
	master_begin(sim);
	for (uint32_t i = 0; i < sim->config->agents; i++) {
		struct sim_event e = { .index = i };
		agent_on(sim, &e);
	}
}

void sim_cluster_end(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config->agents; i++) {
		(void)agent_free(sim->agents[i].core);
		agent_plan_deinit(&sim->agents[i].plan);
	}
	free(sim->agents);
	(void)master_free(sim->master.core);
	master_plan_deinit(&sim->master.plan);
}
