/* crowd_agent.c: agents: what the master and their executors say goes both ways. An agent that is off comes
 * back as another one; what was on it is gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sim/crowd_state.h"

enum { OFF_US = 10000000, UUID = 16 };

/* ---- To the master ---- */

static void scalar(Mesos__V1__Resource *r, Mesos__V1__Value__Scalar *value, const char *name, double amount)
{
	mesos__v1__resource__init(r);
	mesos__v1__value__scalar__init(value);
	value->value = amount;
	r->name = (char *)(uintptr_t)name;
	r->type = MESOS__V1__VALUE__TYPE__SCALAR;
	r->scalar = value;
}

/* Room for its slots, and for an executor of each framework beside them. */
static void say_register(struct sim *sim, uint32_t agent)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Register reg = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
	Mesos__V1__Resource r[2], *list[] = { &r[0], &r[1] };
	Mesos__V1__Value__Scalar values[2];
	const struct crowd_config *c = sim->config;
	char name[32];

	crowd_host_name(name, agent);
	scalar(&r[0], &values[0], "cpus", c->slots + c->frameworks * (c->executor_cpus_milli / 1000.0));
	scalar(&r[1], &values[1], "mem", c->slots * 1000.0 + (double)c->frameworks * c->executor_mem_mb);
	info.hostname = name;
	info.n_resources = 2;
	info.resources = list;
	reg.info = &info;
	m.register_ = &reg;
	crowd_to_master(sim, agent, &m);
}

void crowd_update(struct sim *sim, const struct work *w, const char *task, Mesos__V1__TaskState state,
	Mesos__V1__TaskStatus__Reason reason, const ProtobufCBinaryData *data)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Update update = QUERN__LOCAL__TO_MASTER__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
	uint64_t uuid[2] = { sim_random(sim), sim_random(sim) };

	agent_id.value = sim->agents[w->agent].book.id;
	task_id.value = (char *)(uintptr_t)task;
	executor_id.value = w->id;
	framework_id.value = w->member->id;
	status.task_id = &task_id;
	status.state = state;
	status.has_source = 1;
	status.source = reason != 0 ? MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT
				    : MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status.has_reason = reason != 0;
	status.reason = reason;
	status.agent_id = &agent_id;
	status.executor_id = &executor_id;
	status.has_uuid = 1;
	status.uuid = (ProtobufCBinaryData){ .data = (uint8_t *)uuid, .len = UUID };
	if (data != NULL) {
		status.has_data = 1;
		status.data = *data;
	}
	update.framework_id = &framework_id;
	update.status = &status;
	update.has_latest_state = 1;
	update.latest_state = state;
	m.update = &update;
	crowd_to_master(sim, w->agent, &m);
}

void crowd_exited(struct sim *sim, const struct work *w)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__ExecutorExited exited = QUERN__LOCAL__TO_MASTER__EXECUTOR_EXITED__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;

	executor_id.value = w->id;
	framework_id.value = w->member->id;
	exited.executor_id = &executor_id;
	exited.framework_id = &framework_id;
	m.executor_exited = &exited;
	crowd_to_master(sim, w->agent, &m);
}

/* ---- From the master ---- */

static void shut_down_framework(struct sim *sim, uint32_t agent, const char *id)
{
	struct work *w, *next;

	DL_FOREACH_SAFE2(sim->agents[agent].works, w, next, next_here)
	{
		if (strcmp(w->member->id, id) == 0)
			crowd_work_dies(sim, w, false);
	}
}

void crowd_agent_message(struct sim *sim, uint32_t agent, const Quern__Local__ToAgent *m)
{
	struct crowd_agent *a = &sim->agents[agent];
	struct work *w, *next;

	if (m->registered != NULL)
		(void)snprintf(a->book.id, sizeof(a->book.id), "%s", m->registered->value);
	if (m->run != NULL)
		crowd_work_run(sim, agent, m->run);
	if (m->shutdown_executor != NULL) {
		w = crowd_work_find(sim, m->shutdown_executor->executor_id->value);
		if (w != NULL && w->agent == agent)
			crowd_work_dies(sim, w, false);
	}
	if (m->shutdown_framework != NULL)
		shut_down_framework(sim, agent, m->shutdown_framework->value);
	if (m->kill == NULL)
		return;
	DL_FOREACH_SAFE2(a->works, w, next, next_here)
	{
		crowd_work_kill(sim, w, m->kill->task_id->value);
	}
}

/* ---- On and off ---- */

static void registers(struct sim *sim, struct sim_event *e)
{
	say_register(sim, e->index);
}

void crowd_agent_on(struct sim *sim, uint32_t agent)
{
	sim->agents[agent].off = false;
	sim->agents[agent].last_up = sim->time.now;
	sim_after(sim, 0, registers)->index = agent;
}

/* The master has let go of the one before, or does so soon: it was told that its link has ended. */
static void comes_back(struct sim *sim, struct sim_event *e)
{
	struct crowd_agent *a = &sim->agents[e->index];

	a->link += sim->config->agents;
	crowd_agent_on(sim, e->index);
}

void crowd_agent_off(struct sim *sim, uint32_t agent)
{
	struct crowd_agent *a = &sim->agents[agent];
	struct work *w, *next;

	if (a->off || a->book.id[0] == '\0')
		return;
	sim->report->lost_agents++;
	a->off = true;
	DL_FOREACH_SAFE2(a->works, w, next, next_here)
	{
		crowd_work_dies(sim, w, true);
	}
	crowd_agent_down(sim, agent);
	sim_after(sim, OFF_US, comes_back)->index = agent;
}
