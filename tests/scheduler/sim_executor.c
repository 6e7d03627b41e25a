/* sim_executor.c: containers: each an executor's core that starts, runs, and dies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/resources.h"
#include "tests/scheduler/sim_state.h"

enum { START_MS = 50, EXIT_MS = 20, CONNECT_MS = 3, SIGNAL_KILL = 9 };

static void step(struct sim *sim, struct sim_executor *x, struct exec_event ev);

struct sim_executor *sim_executor_find(const struct sim *sim, const char *id)
{
	struct sim_executor *x;

	HASH_FIND_STR(sim->by_id, id, x);
	return x;
}

struct sim_executor *sim_executor_host(const struct sim *sim, const char *directory)
{
	unsigned index;

	if (sscanf(directory, "/shuffle/%u", &index) != 1 || index >= sim->executors.n)
		return NULL;
	return sim->executors.at[index];
}

/* ---- The agent's side ---- */

static bool agent_lives(const struct sim *sim, const struct sim_executor *x)
{
	const struct sim_agent *a = &sim->agents[x->agent];

	return a->core != NULL && a->life == x->agent_life;
}

/* Something that the agent hears of a container. */
static void container_event(struct sim *sim, const struct sim_executor *x, enum agent_event_kind kind,
	int status, const char *text)
{
	struct agent_event ev = { .kind = kind,
		.u.container = {
			.id = x->container, .pid = 1000 + x->index, .status = status, .text = text } };

	if (agent_lives(sim, x))
		sim_agent_event(sim, x->agent, &ev);
}

static void call_arrives(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (!agent_lives(sim, x))
		return;
	Mesos__V1__Executor__Call *call = mesos__v1__executor__call__unpack(NULL, e->len, e->data);
	sim_check(call == NULL);
	struct agent_event ev = { .kind = AGENT_EV_CALL, .u.call = { .conn = e->extra, .call = call } };
	sim_agent_event(sim, x->agent, &ev);
	mesos__v1__executor__call__free_unpacked(call, NULL);
}

static void call_agent(struct sim *sim, struct sim_executor *x, uint64_t conn, const void *data, size_t len)
{
	struct sim_event *e = sim_send(sim, sim_below(sim, 2), &x->last_up, call_arrives, data, len);

	e->index = x->index;
	e->extra = conn;
}

static void stream_arrives(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->core == NULL || x->conn != e->extra)
		return;
	if (e->data == NULL) {
		x->conn = 0;
		step(sim, x, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
		return;
	}
	Mesos__V1__Executor__Event *m = mesos__v1__executor__event__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	step(sim, x, (struct exec_event){ .kind = EXEC_EV_MESOS, .u.mesos = m });
	mesos__v1__executor__event__free_unpacked(m, NULL);
}

void sim_executor_stream(struct sim *sim, uint64_t conn, const void *data, size_t len)
{
	uint32_t index = sim->executor_of_conn.at[conn];
	struct sim_executor *x = sim->executors.at[index];

	if (x->conn != conn)
		return;
	struct sim_event *e = sim_send(sim, sim_below(sim, 2), &x->last_down, stream_arrives, data, len);
	e->index = index;
	e->extra = conn;
}

/* ---- The driver's side ---- */

static void hello_arrives(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->core != NULL && x->link == e->tag)
		step(sim, x, (struct exec_event){ .kind = EXEC_EV_LINK_UP });
}

static void connected(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->core == NULL)
		return;
	if (sim->driver.gone) {
		step(sim, x, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = "refused" });
		return;
	}
	for (struct sim_executor *o = x; o != NULL; o = o->older) {
		if (o->driver_link == 0)
			continue;
		o->driver_link = 0; /* the new link takes the place of the old one */
		sim_driver_step(sim, (struct sched_event){ .kind = SCHED_EV_LINK_DOWN,
					     .u.link = { .executor_id = x->id } });
	}
	x->link = x->driver_link = ++sim->next_link;
	sim_driver_step(
		sim, (struct sched_event){ .kind = SCHED_EV_LINK_UP, .u.link = { .executor_id = x->id } });
	struct sim_event *up = sim_send(sim, 1, &x->last_down, hello_arrives, NULL, 0);
	up->index = x->index;
	up->tag = x->link;
}

static void frame_arrives(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->driver_link != e->tag)
		return;
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	sim_driver_step(sim, (struct sched_event){ .kind = SCHED_EV_LINK,
				     .u.link = { .executor_id = x->id, .message = m } });
	quern__to_driver__free_unpacked(m, NULL);
}

static void frame_from_driver(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->core == NULL || x->link != e->tag)
		return;
	Quern__ToExecutor *m = quern__to_executor__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	step(sim, x, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = m });
	sim->report->ahead += m->n_tasks > 0 && exec_attempts(x->core) > x->runs.n;
	quern__to_executor__free_unpacked(m, NULL);
}

void sim_executor_link(struct sim *sim, const char *id, const void *data, size_t len)
{
	struct sim_executor *x = sim_executor_find(sim, id);

	if (x == NULL || x->driver_link == 0)
		return;
	struct sim_event *e =
		sim_send(sim, 1 + sim_below(sim, 2), &x->last_down, frame_from_driver, data, len);
	e->index = x->index;
	e->tag = x->driver_link;
}

static void driver_notices(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->driver_link != e->tag)
		return;
	x->driver_link = 0;
	sim_driver_step(
		sim, (struct sched_event){ .kind = SCHED_EV_LINK_DOWN, .u.link = { .executor_id = x->id } });
}

/* The link is no more; the driver notices after `ms`, behind what is on its way. */
static void end_link(struct sim *sim, struct sim_executor *x, uint64_t ms)
{
	if (x->driver_link == 0)
		return;
	struct sim_event *e = sim_send(sim, ms, &x->last_up, driver_notices, NULL, 0);
	e->index = x->index;
	e->tag = x->driver_link;
	x->link = 0;
}

static void executor_notices(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->core == NULL || x->link != e->tag)
		return;
	x->link = 0;
	step(sim, x, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = "cut" });
}

/* What is on its way is lost, both ways. */
void sim_executor_cut(struct sim *sim, struct sim_executor *x)
{
	if (x->core == NULL || x->link == 0 || x->driver_link != x->link)
		return;
	struct sim_event *e = sim_after(sim, sim_below(sim, 500), executor_notices);
	e->index = x->index;
	e->tag = x->link;
	x->driver_link = 0;
	sim_driver_step(
		sim, (struct sched_event){ .kind = SCHED_EV_LINK_DOWN, .u.link = { .executor_id = x->id } });
}

/* ---- Tasks ---- */

static void forget_run(struct sim_executor *x, const struct sim_event *e)
{
	for (size_t i = 0; i < x->runs.n; i++) {
		if (x->runs.at[i] == e) {
			vec_remove(&x->runs, i);
			return;
		}
	}
}

static void add_file(struct sim_executor *x, const Quern__TaskResult *r, uint32_t shuffle, uint64_t value)
{
	struct sim_file *f = sim_alloc(sizeof(*f)), *old;

	f->name = (struct sim_file_name){ r->stage, r->partition, r->attempt };
	f->set = shuffle;
	f->value = value;
	HASH_FIND(hh, x->files, &f->name, sizeof(f->name), old);
	if (old != NULL) { /* written again, as the same bytes */
		HASH_DELETE(hh, x->files, old);
		free(old);
	}
	HASH_ADD(hh, x->files, name, sizeof(f->name), f);
}

/* What the sink of an attempt is: in `tag` of its event. */
static void run_ends(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];
	Quern__TaskResult *r = e->result;

	if (r == NULL) /* it was killed before */
		return;
	forget_run(x, e);
	if (x->core == NULL)
		return;
	if (r->state == QUERN__TASK_RESULT__STATE__DONE && e->tag == QUERN__SINK__KIND__SHUFFLE)
		add_file(x, r, (uint32_t)(e->extra >> 44), e->extra & (((uint64_t)1 << 44) - 1));
	if (r->state == QUERN__TASK_RESULT__STATE__DONE && e->tag == QUERN__SINK__KIND__TEXT)
		sim_job_part(sim, &(struct exec_name){ r->stage, r->partition, r->attempt }, e->extra);
	e->result = NULL;
	step(sim, x, (struct exec_event){ .kind = EXEC_EV_RESULT, .u.result = r });
}

/* ---- Persisted partitions ---- */

static struct sim_blob *find_blob(struct sim_executor *x, uint32_t number)
{
	for (size_t i = 0; i < x->blobs.n; i++)
		if (x->blobs.at[i].number == number)
			return &x->blobs.at[i];
	return NULL;
}

static void discard(struct sim *sim, struct sim_executor *x, uint32_t number)
{
	struct sim_blob *b = find_blob(x, number);

	if (b == NULL)
		sim_wrong(sim, "blob %u is discarded, and is not there", number);
	else
		vec_remove(&x->blobs, (size_t)(b - x->blobs.at));
}

/* The memory that the run fills; what will be in it is known. */
static void add_blobs(
	struct sim *sim, struct sim_executor *x, const struct exec_cached *cached, uint64_t value)
{
	for (uint32_t i = 0; cached != NULL && i < cached->n_write; i++) {
		const struct sim_blob b = { cached->write[i].blob, value };

		if (find_blob(x, b.number) != NULL)
			sim_wrong(sim, "blob %u is made twice", b.number);
		sim_check(vec_push(&x->blobs, b));
	}
}

/* What the run begins with; NULL: nothing that was kept. */
static const uint64_t *kept_value(struct sim *sim, struct sim_executor *x, const struct exec_cached *cached)
{
	if (cached == NULL || !cached->reads)
		return NULL;
	const struct sim_blob *b = find_blob(x, cached->read.blob);
	if (b == NULL)
		sim_wrong(sim, "blob %u is read, and is not there", cached->read.blob);
	sim->report->from_cache++;
	return b != NULL ? &b->value : NULL;
}

/* ---- Broadcasts ---- */

static void fetch_ends(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index], *from;
	const char *error = NULL;

	if (x->core == NULL)
		return;
	HASH_FIND_STR(sim->by_id, e->text, from);
	if (e->text[0] != '\0' && (from == NULL || from->core == NULL || !from->broadcasts[e->tag]))
		error = "it is gone";
	else if (sim->config->faults.fail_permille > 0 && sim_below(sim, 10) == 0)
		error = "it broke off";
	if (error == NULL && !x->forgotten[e->tag]) {
		x->broadcasts[e->tag] = true;
		sim->report->fetched[e->text[0] != '\0']++;
	}
	step(sim, x,
		(struct exec_event){ .kind = EXEC_EV_FETCHED,
			.u.fetched = { .broadcast = (uint32_t)e->tag, .error = error } });
}

static void fetch(struct sim *sim, struct sim_executor *x, const struct exec_action *a)
{
	struct sim_event *e = sim_after(sim, sim_spread(sim, 20), fetch_ends);

	e->index = x->index;
	e->tag = a->n;
	e->text = strdup(a->fetch->executor_id != NULL ? a->fetch->executor_id : "");
	sim_check(e->text == NULL || a->n > SIM_BROADCASTS);
}

/* The table has one more with each action, and the first one less with the third: so version 3 is without it,
 * version 4 has all others. A task of an action that is over may find less. */
static void look_at_broadcasts(struct sim *sim, const struct sim_executor *x, const Quern__Task *task)
{
	static const uint32_t since[] = { 0, 1, 2, 4 };

	for (uint32_t i = sim->driver.run < SIM_RUNS ? 1 : 2; i <= SIM_BROADCASTS; i++)
		if (task->broadcasts_version >= since[i] && !x->broadcasts[i] && !x->forgotten[i])
			sim_wrong(sim, "a task began without broadcast %u", i);
}

/* ---- Runs ---- */

/* Cores of an agent, of those that are revocable or of the others: an executor has only one sort. */
static uint32_t cores_of(const struct sim *sim, bool revocable)
{
	struct resources *r = NULL;

	sim_check(resources_parse(sim->config->resources, &r, NULL));
	resources_keep(r, "cpus", revocable);
	uint32_t n = (uint32_t)(resources_milli(r, "cpus") / 1000);
	(void)resources_free(r);
	return n;
}

/* No more run over the link than leases can hold, which is what an agent has. */
static void look_at_slots(struct sim *sim, const struct sim_executor *x, uint32_t slots)
{
	uint32_t most = cores_of(sim, false), revocable = cores_of(sim, true);

	most = revocable > most ? revocable : most;
	for (size_t i = 0; i < x->runs.n; i++)
		slots += x->runs.at[i]->slots;
	if (slots > most)
		sim_wrong(sim, "%u slots are taken where there are %u", slots, most);
}

static void start_run(struct sim *sim, struct sim_executor *x, const struct exec_action *run)
{
	const Quern__Sink *sink = run->stage->sink;
	struct sim_event *e = sim_after(sim, sim_spread(sim, sim->config->job.task_ms), run_ends);

	e->index = x->index;
	e->tag = sink->kind;
	e->slots = sim->config->mode->task_per_hold ? 0 : run->task->has_slots ? run->task->slots : 1;
	look_at_slots(sim, x, e->slots);
	look_at_broadcasts(sim, x, run->task);
	e->result = sim_task(sim, run, kept_value(sim, x, run->cached), &e->extra);
	e->result->has_wall_us = 1;
	e->result->wall_us = (e->at - sim->time.now) * 1000;
	add_blobs(sim, x, run->cached, e->extra);
	if (sink->kind == QUERN__SINK__KIND__SHUFFLE)
		e->extra |= (uint64_t)sink->shuffle << 44; /* values have 44 bits */
	sim_check(vec_push(&x->runs, e));
	sim->report->attempts++;
	if (e->result->state == QUERN__TASK_RESULT__STATE__FAILED)
		sim->report->failed++;
}

static void kill_run(struct sim *sim, struct sim_executor *x, const struct exec_name *name)
{
	for (size_t i = 0; i < x->runs.n; i++) {
		struct sim_event *e = x->runs.at[i];
		const Quern__TaskResult *r = e->result;

		if (r->stage != name->stage || r->partition != name->partition || r->attempt != name->attempt)
			continue;
		quern__task_result__free_unpacked(e->result, NULL);
		e->result = NULL;
		vec_remove(&x->runs, i);
		struct sim_event *end = sim_after(sim, 1 + sim_below(sim, 5), run_ends);
		end->index = x->index;
		end->slots = e->slots;
		end->tag = QUERN__SINK__KIND__COUNT;
		end->result = sim_task_killed(name);
		sim_check(vec_push(&x->runs, end));
		return;
	}
}

/* ---- The shell ---- */

static void exits(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (!x->dead)
		sim_executor_die(sim, x, (int)e->extra, false);
}

static void act(struct sim *sim, struct sim_executor *x, const struct exec_action *a)
{
	struct sim_event *e;

	sim_trace(sim, 'x', x->index, (int)a->kind, a->text, a->data, a->len);
	switch (a->kind) {
	case EXEC_DO_CALL:
		if (x->conn != 0)
			call_agent(sim, x, sim_conn(sim, x->index), a->data, a->len);
		break;
	case EXEC_DO_CONNECT:
		e = sim_after(sim, 1 + sim_below(sim, CONNECT_MS), connected);
		e->index = x->index;
		break;
	case EXEC_DO_LINK:
		if (x->link == 0)
			break;
		e = sim_send(sim, 1 + sim_below(sim, 2), &x->last_up, frame_arrives, a->data, a->len);
		e->index = x->index;
		e->tag = x->link;
		break;
	case EXEC_DO_RUN:
		start_run(sim, x, a);
		break;
	case EXEC_DO_KILL:
		kill_run(sim, x, &a->name);
		break;
	case EXEC_DO_EXIT:
		e = sim_send(sim, sim_spread(sim, EXIT_MS), &x->last_up, exits, NULL, 0);
		e->index = x->index;
		e->extra = (uint64_t)a->code << 8;
		break;
	case EXEC_DO_DISCARD:
		discard(sim, x, a->n);
		break;
	case EXEC_DO_FETCH:
		fetch(sim, x, a);
		break;
	case EXEC_DO_FORGET:
		sim_check(a->n > SIM_BROADCASTS);
		x->broadcasts[a->n] = false;
		x->forgotten[a->n] = true;
		break;
	case EXEC_DO_SETUP:
	case EXEC_DO_WARM:
	case EXEC_DO_DROP:
	case EXEC_DO_LOG:
		break;
	}
}

static void tick(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (x->core == NULL || x->armed_ms != e->at)
		return;
	x->armed_ms = UINT64_MAX;
	step(sim, x, (struct exec_event){ .kind = EXEC_EV_TICK });
}

static void step_once(struct sim *sim, struct sim_executor *x, struct exec_event *ev)
{
	ev->now_ms = sim->time.now;
	sim_check(exec_step(x->core, ev, &x->plan));
	for (size_t i = 0; i < x->plan.n; i++)
		act(sim, x, &x->plan.at[i]);
	exec_plan_reset(&x->plan);
}

static void step(struct sim *sim, struct sim_executor *x, struct exec_event ev)
{
	struct exec_event flush = { .kind = EXEC_EV_FLUSH };

	step_once(sim, x, &ev);
	if (exec_wants_flush(x->core))
		step_once(sim, x, &flush);
	sim_arm(sim, exec_next_ms(x->core), &x->armed_ms, tick, x->index, 0);
}

/* ---- Life ---- */

static void started(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];
	struct buf call = BUF_INIT(1 << 20);
	char directory[32];

	if (x->dead || !agent_lives(sim, x))
		return;
	container_event(sim, x, AGENT_EV_STARTED, 0, NULL);
	(void)snprintf(directory, sizeof(directory), "/shuffle/%u", x->index);
	const struct exec_config config = { .executor_id = x->id,
		.framework_id = e->text,
		.seed = sim_random(sim),
		.shuffle_port = 1 + x->index % 60000,
		.shuffle_dir = directory,
		.machine = "machine",
		.address = "127.0.0.1" };
	sim_check(exec_new(&config, &x->core));
	x->armed_ms = UINT64_MAX;
	x->conn = sim_conn(sim, x->index);
	sim_check(exec_subscribe_call(x->core, &call));
	call_agent(sim, x, x->conn, call.data, call.len);
	buf_deinit(&call);
}

static const char *variable(char **env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; env[i] != NULL; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return env[i] + len + 1;
	sim_check(-1);
	return NULL;
}

void sim_executor_start(struct sim *sim, uint32_t agent, const struct agent_action *start)
{
	struct sim_executor *x = sim_alloc(sizeof(*x));

	x->index = (uint32_t)sim->executors.n;
	x->agent = agent;
	x->agent_life = sim->agents[agent].life;
	x->container = sim_dup(start->container);
	x->id = sim_dup(variable(start->env, "MESOS_EXECUTOR_ID"));
	struct sim_executor *old = sim_executor_find(sim, x->id);
	x->older = old;
	if (old != NULL)
		HASH_DELETE(hh, sim->by_id, old);
	if (old != NULL && !old->dead)
		sim_wrong(sim, "executor %s was started twice", x->id);
	sim_check(vec_push(&sim->executors, x));
	HASH_ADD_KEYPTR(hh, sim->by_id, x->id, strlen(x->id), x);
	HASH_ADD_KEYPTR(by_container, sim->by_container, x->container, strlen(x->container), x);
	struct sim_event *e = sim_after(sim, sim_spread(sim, START_MS), started);
	e->index = x->index;
	e->text = sim_dup(variable(start->env, "MESOS_FRAMEWORK_ID"));
}

static void killed(struct sim *sim, struct sim_event *e)
{
	struct sim_executor *x = sim->executors.at[e->index];

	if (!x->dead)
		sim_executor_die(sim, x, SIGNAL_KILL, false);
}

void sim_executor_kill(struct sim *sim, const char *container)
{
	struct sim_executor *x;

	HASH_FIND(by_container, sim->by_container, container, strlen(container), x);
	if (x == NULL)
		return;
	struct sim_event *e = sim_after(sim, 1, killed);
	e->index = x->index;
}

static void reaped(struct sim *sim, struct sim_event *e)
{
	const struct sim_executor *x = sim->executors.at[e->index];
	struct agent_event closed = { .kind = AGENT_EV_CLOSED, .u.conn = e->extra };

	if (!agent_lives(sim, x))
		return;
	if (e->extra != 0)
		sim_agent_event(sim, x->agent, &closed);
	container_event(sim, x, e->extra != 0 ? AGENT_EV_EXITED : AGENT_EV_START_FAILED, (int)e->tag,
		"killed while it started");
}

void sim_executor_die(struct sim *sim, struct sim_executor *x, int status, bool machine)
{
	struct sim_file *f, *next;

	if (x->dead)
		return;
	x->dead = true;
	if (!machine) {
		struct sim_event *e = sim_send(sim, sim_spread(sim, 5), &x->last_up, reaped, NULL, 0);
		e->index = x->index;
		e->tag = (uint64_t)status;
		e->extra = x->conn;
	}
	/* Nobody closes the connections of a machine that is off: it takes a while to notice. */
	end_link(sim, x, machine ? sim_spread(sim, 5000) : 1 + sim_below(sim, 50));
	x->core = exec_free(x->core);
	HASH_ITER (hh, x->files, f, next) {
		HASH_DELETE(hh, x->files, f);
		free(f);
	}
}

void sim_executors_abandon(struct sim *sim)
{
	for (size_t i = 0; i < sim->executors.n; i++) {
		struct sim_executor *x = sim->executors.at[i];

		x->driver_link = 0;
		if (x->core == NULL || x->link == 0)
			continue;
		struct sim_event *e = sim_after(sim, sim_below(sim, 50), executor_notices);
		e->index = x->index;
		e->tag = x->link;
	}
}

void sim_executors_end(struct sim *sim)
{
	HASH_CLEAR(hh, sim->by_id);
	HASH_CLEAR(by_container, sim->by_container);
	for (size_t i = 0; i < sim->executors.n; i++) {
		struct sim_executor *x = sim->executors.at[i];

		sim_executor_die(sim, x, 0, true);
		exec_plan_deinit(&x->plan);
		vec_deinit(&x->runs);
		vec_deinit(&x->blobs);
		free(x->container);
		free(x->id);
		free(x);
	}
	vec_deinit(&sim->executors);
}
