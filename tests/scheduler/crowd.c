#include "tests/scheduler/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/one_branch.h"
#include "tests/scheduler/sim_state.h"

enum {
	CALL_MS = 1,    /* a message takes so long */
	START_MS = 300, /* an executor does */
	ANSWERS = 1000, /* connections of calls but SUBSCRIBE */
	END_MS = 4 * 3600 * 1000
};

/* An executor, on one agent. */
struct place_of_work {
	char id[64]; /* "": there is none */
	uint64_t up_ms;
};

struct member {
	uint32_t index;
	struct sched *core;
	struct sched_plan plan;
	uint64_t armed_ms, last_call, last_event, submitted_ms;
	char *stream_id;
	bool done;
	uint64_t launched_ms; /* the last time */
	uint32_t local, in_partition;
	uint8_t *near;               /* by task and agent: its data is there */
	struct place_of_work *works; /* by agent */
};

struct crowd {
	struct sim sim; /* its heap, its random numbers, its master */
	const struct crowd_config *config;
	struct crowd_report *report;
	struct member members[CROWD_MAX];
	char (*agent_ids)[64];
	uint32_t registered, over;
};

static struct crowd *crowd_of(struct sim *sim)
{
	return (struct crowd *)sim; /* its first member */
}

static void step_master(struct crowd *c, struct master_event *ev);
static void step_member(struct crowd *c, struct member *m, struct sched_event ev);

/* ---- The master ---- */

static void master_tick(struct sim *sim, struct sim_event *e)
{
	struct master_event ev = { .kind = MASTER_EV_TICK };

	if (sim->master.armed_ms != e->at_ms)
		return;
	sim->master.armed_ms = UINT64_MAX;
	step_master(crowd_of(sim), &ev);
}

static void call_arrives(struct sim *sim, struct sim_event *e)
{
	Mesos__V1__Scheduler__Call *call = mesos__v1__scheduler__call__unpack(NULL, e->len, e->data);
	const struct member *m = &crowd_of(sim)->members[e->index];

	sim_check(call == NULL);
	bool subscribes = call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	struct master_event ev = { .kind = MASTER_EV_CALL,
		.u.call = { .conn = subscribes ? e->index : ANSWERS + e->index,
			.stream_id = m->stream_id,
			.call = call } };
	step_master(crowd_of(sim), &ev);
	mesos__v1__scheduler__call__free_unpacked(call, NULL);
}

static void update_arrives(struct sim *sim, struct sim_event *e)
{
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, e->len, e->data);

	sim_check(m == NULL);
	struct master_event ev = { .kind = MASTER_EV_AGENT, .u.agent = { .link = e->tag, .message = m } };
	step_master(crowd_of(sim), &ev);
	quern__local__to_master__free_unpacked(m, NULL);
}

static void event_arrives(struct sim *sim, struct sim_event *e)
{
	Mesos__V1__Scheduler__Event *m = mesos__v1__scheduler__event__unpack(NULL, e->len, e->data);

	sim_check(m == NULL);
	step_member(crowd_of(sim), &crowd_of(sim)->members[e->index],
		(struct sched_event){ .kind = SCHED_EV_MESOS, .u.mesos = m });
	mesos__v1__scheduler__event__free_unpacked(m, NULL);
}

static void to_agent(struct crowd *c, uint64_t link, const void *data, size_t len);

static void act_master(struct crowd *c, const struct master_action *x)
{
	struct sim *sim = &c->sim;

	if (x->kind == MASTER_DO_REPLY && x->status == 200)
		c->members[x->conn].stream_id = sim_dup(x->stream_id);
	else if (x->kind == MASTER_DO_REPLY && x->status != 202)
		sim_wrong(sim, "a call was refused: %d %s", x->status, x->text);
	else if (x->kind == MASTER_DO_EVENT)
		sim_send(sim, CALL_MS, &c->members[x->conn].last_event, event_arrives, x->data, x->len)
			->index = (uint32_t)x->conn;
	else if (x->kind == MASTER_DO_AGENT)
		to_agent(c, x->link, x->data, x->len);
}

static void step_master(struct crowd *c, struct master_event *ev)
{
	struct sim_master *m = &c->sim.master;

	ev->now_ms = c->sim.now_ms;
	sim_check(master_step(m->core, ev, &m->plan));
	for (size_t i = 0; i < m->plan.n; i++)
		act_master(c, &m->plan.at[i]);
	master_plan_reset(&m->plan);
	sim_arm(&c->sim, master_next_ms(m->core), &m->armed_ms, master_tick, 0, 0);
}

static void master_start(struct crowd *c)
{
	const struct master_config config = {
		.hostname = "master", .ip = "127.0.0.1", .port = 5050, .seed = sim_random(&c->sim)
	};
	struct err err = { "" };

	sim_check(master_new(&config, &c->sim.master.core, &err));
	c->sim.master.armed_ms = UINT64_MAX;
}

/* ---- Agents and executors ---- */

static void host_name(char ret[32], uint32_t agent)
{
	(void)snprintf(ret, 32, "dn%u.quern.test", agent);
}

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
static void agent_start(struct crowd *c, uint32_t index)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Register reg = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
	Mesos__V1__Resource r[2], *list[] = { &r[0], &r[1] };
	Mesos__V1__Value__Scalar values[2];
	char name[32];

	host_name(name, index);
	scalar(&r[0], &values[0], "cpus", c->config->slots);
	scalar(&r[1], &values[1], "mem", c->config->slots * 1000.0 + c->config->frameworks);
	info.hostname = name;
	info.n_resources = 2;
	info.resources = list;
	reg.info = &info;
	m.register_ = &reg;
	struct master_event ev = { .kind = MASTER_EV_AGENT, .u.agent = { .link = index, .message = &m } };
	step_master(c, &ev);
}

static void task_ends(struct sim *sim, struct sim_event *e)
{
	sim_send(sim, CALL_MS, NULL, update_arrives, e->data, e->len)->tag = e->tag;
}

/* What the agent will say when the task is done. */
static void will_end(struct crowd *c, uint32_t agent, const Quern__Local__ToAgent__Run *run,
	const Quern__Task *task, uint64_t ms)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Update update = QUERN__LOCAL__TO_MASTER__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Quern__TaskResult result = QUERN__TASK_RESULT__INIT;
	uint64_t uuid[2] = { sim_random(&c->sim), sim_random(&c->sim) };
	uint8_t packed[4096], data[256];

	result.stage = task->stage;
	result.partition = task->partition;
	result.attempt = task->attempt;
	result.state = QUERN__TASK_RESULT__STATE__DONE;
	result.has_data = 1;
	result.data = (ProtobufCBinaryData){ .data = (uint8_t *)uuid, .len = 8 };
	agent_id.value = c->agent_ids[agent];
	status.task_id = run->task->task_id;
	status.state = MESOS__V1__TASK_STATE__TASK_FINISHED;
	status.has_source = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status.agent_id = &agent_id;
	status.executor_id = run->task->executor->executor_id;
	status.has_uuid = 1;
	status.uuid = (ProtobufCBinaryData){ .data = (uint8_t *)uuid, .len = 16 };
	status.has_data = 1;
	status.data.data = data;
	status.data.len = quern__task_result__pack(&result, data);
	update.framework_id = run->framework->id;
	update.status = &status;
	update.has_latest_state = 1;
	update.latest_state = status.state;
	m.update = &update;
	sim_check(quern__local__to_master__get_packed_size(&m) > sizeof(packed));
	size_t len = quern__local__to_master__pack(&m, packed);
	sim_send(&c->sim, ms, NULL, task_ends, packed, len)->tag = agent;
}

static void link_up(struct sim *sim, struct sim_event *e)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Hello hello = QUERN__TO_DRIVER__HELLO__INIT;
	struct member *member = &crowd_of(sim)->members[e->index];

	step_member(crowd_of(sim), member,
		(struct sched_event){ .kind = SCHED_EV_LINK_UP, .u.link = { .executor_id = e->text } });
	hello.shuffle_port = 1;
	hello.directory = hello.machine = hello.address = e->text;
	m.hello = &hello;
	step_member(crowd_of(sim), member,
		(struct sched_event){
			.kind = SCHED_EV_LINK, .u.link = { .executor_id = e->text, .message = &m } });
}

/* Where it runs is what all of this is about. */
static void task_begins(struct crowd *c, uint32_t agent, const Quern__Local__ToAgent__Run *run)
{
	Quern__TaskData *data = quern__task_data__unpack(NULL, run->task->data.len, run->task->data.data);
	struct member *m = NULL;
	const char *id = run->task->executor->executor_id->value;

	sim_check(data == NULL || data->task == NULL);
	uint32_t index = data->task->stage; /* each framework's stage has its own number */
	sim_check(index >= c->config->frameworks);
	m = &c->members[index];
	struct place_of_work *w = &m->works[agent];
	if (w->id[0] == '\0') {
		(void)snprintf(w->id, sizeof(w->id), "%s", id);
		w->up_ms = c->sim.now_ms + START_MS;
		struct sim_event *up = sim_after(&c->sim, START_MS, link_up);
		up->index = index;
		up->text = sim_dup(id);
	} else if (strcmp(w->id, id) != 0) {
		sim_wrong(&c->sim, "two executors of one framework on one agent");
	}
	if (c->sim.now_ms - m->launched_ms > c->report->gap_ms)
		c->report->gap_ms = c->sim.now_ms - m->launched_ms;
	m->launched_ms = c->sim.now_ms;
	uint64_t begin = w->up_ms > c->sim.now_ms ? w->up_ms - c->sim.now_ms : 0;
	/* However it is scheduled, the work is the same. */
	uint64_t ms = c->config->task_min_ms + sim_value(c->config->seed + index, data->task->partition) %
						       (c->config->task_max_ms - c->config->task_min_ms + 1);
	c->report->task_ms += ms;
	m->local += m->near[(size_t)data->task->partition * c->config->agents + agent];
	will_end(c, agent, run, data->task, begin + ms);
	quern__task_data__free_unpacked(data, NULL);
}

static void to_agent(struct crowd *c, uint64_t link, const void *data, size_t len)
{
	Quern__Local__ToAgent *m = quern__local__to_agent__unpack(NULL, len, data);

	sim_check(m == NULL);
	if (m->registered != NULL)
		(void)snprintf(c->agent_ids[link], sizeof(c->agent_ids[link]), "%s", m->registered->value);
	if (m->run != NULL)
		task_begins(c, (uint32_t)link, m->run);
	if (m->kill != NULL)
		sim_wrong(&c->sim, "a task was killed");
	quern__local__to_agent__free_unpacked(m, NULL);
}

/* ---- Frameworks ---- */

static void send_call(struct crowd *c, struct member *m, const void *data, size_t len)
{
	sim_send(&c->sim, CALL_MS, &m->last_call, call_arrives, data, len)->index = m->index;
}

static void member_tick(struct sim *sim, struct sim_event *e)
{
	struct member *m = &crowd_of(sim)->members[e->index];

	if (m->armed_ms != e->at_ms)
		return;
	m->armed_ms = UINT64_MAX;
	step_member(crowd_of(sim), m, (struct sched_event){ .kind = SCHED_EV_TICK });
}

static void act_member(struct crowd *c, struct member *m, const struct sched_action *a)
{
	if (a->kind == SCHED_DO_CALL)
		send_call(c, m, a->data, a->len);
	if (a->kind == SCHED_DO_FATAL || (a->kind == SCHED_DO_DONE && a->code != 0))
		sim_wrong(&c->sim, "framework %u: %s", m->index, a->text);
	if (a->kind == SCHED_DO_DONE && !m->done) {
		m->done = true;
		c->over++;
		c->report->done_ms[m->index] = c->sim.now_ms - m->submitted_ms;
	}
}

static void step_member(struct crowd *c, struct member *m, struct sched_event ev)
{
	ev.now_ms = c->sim.now_ms;
	sim_check(sched_step(m->core, &ev, &m->plan));
	for (size_t i = 0; i < m->plan.n; i++)
		act_member(c, m, &m->plan.at[i]);
	sched_plan_reset(&m->plan);
	sim_arm(&c->sim, sched_next_ms(m->core), &m->armed_ms, member_tick, m->index, 0);
}

/* The blocks' replicas are on so many agents each. */
static void place_data(struct crowd *c, struct member *m, char (*names)[32])
{
	uint32_t agents = c->config->agents,
		 size = (agents + c->config->frameworks - 1) / c->config->frameworks;

	for (uint32_t i = 0; i < c->config->tasks; i++) {
		bool in = false;

		for (uint32_t k = 0; k < c->config->replicas;) {
			uint32_t a = (uint32_t)sim_below(&c->sim, agents);

			if (m->near[(size_t)i * agents + a] != 0)
				continue;
			m->near[(size_t)i * agents + a] = 1;
			host_name(names[i * c->config->replicas + k++], a);
			in = in || a / size == m->index;
		}
		m->in_partition += in;
	}
}

static void submit(struct sim *sim, struct sim_event *e)
{
	struct crowd *c = crowd_of(sim);
	struct member *m = &c->members[e->index];
	uint32_t n = c->config->tasks, replicas = c->config->replicas;
	char(*names)[32] = sim_alloc((size_t)n * replicas * sizeof(*names)),
	**hosts = sim_alloc((size_t)n * replicas * sizeof(*hosts));
	Quern__Split *splits = sim_alloc(n * sizeof(*splits));
	const Quern__Split **list = sim_alloc(n * sizeof(*list)), *const * lists[] = { list };
	Quern__Run run = QUERN__RUN__INIT;
	Quern__Stage stage = QUERN__STAGE__INIT, *stages[] = { &stage };
	Quern__Sink sink = QUERN__SINK__INIT;
	struct one_branch from;
	const size_t n_splits = n;

	place_data(c, m, names);
	for (uint32_t i = 0; i < n; i++) {
		quern__split__init(&splits[i]);
		splits[i].n_hosts = replicas;
		splits[i].hosts = &hosts[i * replicas];
		for (uint32_t k = 0; k < replicas; k++)
			splits[i].hosts[k] = names[i * replicas + k];
		list[i] = &splits[i];
	}
	stage.id = m->index;
	one_branch_init(&from, &stage);
	one_branch_count(&from, n);
	sink.kind = QUERN__SINK__KIND__COUNT;
	stage.sink = &sink;
	run.id = 1;
	run.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "id", .len = 2 };
	run.n_stages = 1;
	run.stages = stages;
	m->submitted_ms = m->launched_ms = sim->now_ms;
	step_member(c, m,
		(struct sched_event){ .kind = SCHED_EV_RUN,
			.u.run = { .run = &run, .splits = lists, .n_splits = &n_splits } });
	free(names);
	free(hosts);
	free(splits);
	free(list);
}

static void member_start(struct crowd *c, uint32_t index)
{
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;
	struct member *m = &c->members[index];
	const struct sched_config config = { .name = "crowd",
		.user = "me",
		.failover_timeout_s = 600,
		.mode = &mode_fine,
		.mode_config = { .max_registered_wait_ms = 30000 },
		.task_cpus_milli = 1000,
		.task_mem_mb = 1000,
		.executor_cpus_milli = 0,
		.executor_mem_mb = 1,
		.task_max_failures = 4,
		.revive_interval_ms = 20,
		.revive_burst = 50,
		.locality_wait_ms = c->config->wait_ms,
		.executor = &executor,
		.seed = index + 1 };
	struct buf call = BUF_INIT(1 << 20);
	struct err err = { "" };

	command.value = (char *)(uintptr_t) "./quern-executor";
	executor.has_type = 1;
	executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	executor.command = &command;
	*m = (struct member){ .index = index, .armed_ms = UINT64_MAX };
	m->near = sim_alloc((size_t)c->config->tasks * c->config->agents);
	m->works = sim_alloc(c->config->agents * sizeof(*m->works));
	sim_check(sched_new(&config, &m->core, &err));
	sim_check(sched_subscribe_call(m->core, &call));
	send_call(c, m, call.data, call.len);
	buf_deinit(&call);
	sim_after(&c->sim, 10 + sim_below(&c->sim, c->config->start_ms), submit)->index = index;
}

/* ---- From beginning to end ---- */

static bool all_done(const struct sim *sim)
{
	const struct crowd *c = (const struct crowd *)sim;

	return c->over == c->config->frameworks;
}

static void add_up(struct crowd *c)
{
	struct crowd_report *r = c->report;

	r->ms = c->sim.now_ms;
	r->worst_local = 1;
	for (uint32_t i = 0; i < c->config->frameworks; i++) {
		const struct member *m = &c->members[i];
		struct sched_progress p;

		sched_get_progress(m->core, &p);
		if (p.locality.host != m->local || p.locality.host + p.locality.elsewhere != c->config->tasks)
			sim_wrong(&c->sim, "framework %u counts %llu local tasks of %u", i,
				(unsigned long long)p.locality.host, m->local);
		r->local += m->local;
		r->tasks += c->config->tasks;
		r->in_partition += m->in_partition;
		if ((double)m->local / c->config->tasks < r->worst_local)
			r->worst_local = (double)m->local / c->config->tasks;
		r->offers += p.offers;
		r->declined += p.declined;
		r->revives += p.revives;
	}
}

void crowd_run(const struct crowd_config *config, struct crowd_report *ret)
{
	struct sim_report report = { 0 };
	struct crowd *c = sim_alloc(sizeof(*c));

	*ret = (struct crowd_report){ 0 };
	c->config = config;
	c->report = ret;
	c->sim.report = &report;
	c->sim.random = config->seed;
	c->sim.now_ms = 1000;
	c->agent_ids = sim_alloc(config->agents * sizeof(*c->agent_ids));
	master_start(c);
	for (uint32_t i = 0; i < config->agents; i++)
		agent_start(c, i);
	for (uint32_t i = 0; i < config->frameworks; i++)
		member_start(c, i);
	if (!sim_go_on(&c->sim, END_MS, all_done))
		sim_wrong(&c->sim, "not over after %d ms", END_MS);
	add_up(c);
	(void)snprintf(ret->wrong, sizeof(ret->wrong), "%s", report.wrong);
	sim_drop_all(&c->sim);
	for (uint32_t i = 0; i < config->frameworks; i++) {
		struct member *m = &c->members[i];

		(void)sched_free(m->core);
		sched_plan_deinit(&m->plan);
		free(m->stream_id);
		free(m->near);
		free(m->works);
	}
	(void)master_free(c->sim.master.core);
	master_plan_deinit(&c->sim.master.plan);
	free(c->agent_ids);
	free(c);
}
