/* sim_driver.c: the scheduler's core and what scheduler/driver.c does around it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scheduler/sim_state.h"

enum { BACKOFF_MS = 500, GOODBYE_MS = 200 };

static void subscribe(struct sim *sim, struct sim_event *e);

static void tick(struct sim *sim, struct sim_event *e)
{
	if (sim->driver.armed_ms != e->at)
		return;
	sim->driver.armed_ms = UINT64_MAX;
	sim_driver_step(sim, (struct sched_event){ .kind = SCHED_EV_TICK });
}

static void leave(struct sim *sim, struct sim_event *e)
{
	(void)e;
	sim->driver.gone = true;
	if (sim->driver.conn != 0)
		sim_master_closed(sim, sim->driver.conn);
	sim->driver.conn = 0;
	sim_executors_abandon(sim);
}

static void commit(struct sim *sim, const struct sched_action *a)
{
	const char *why = sim_job_commit(sim, a);
	struct sim_event *e = sim_alloc(sizeof(*e));

	e->index = a->run;
	e->tag = a->partition;
	e->text = why != NULL ? sim_dup(why) : NULL;
	sim_check(vec_push(&sim->driver.committed, e));
}

static void count_launches(struct sim *sim, const struct sched_action *a)
{
	Mesos__V1__Scheduler__Call *c = mesos__v1__scheduler__call__unpack(NULL, a->len, a->data);

	sim_check(c == NULL);
	for (size_t i = 0; c->accept != NULL && i < c->accept->n_operations; i++)
		sim->report->holds += c->accept->operations[i]->launch->n_task_infos;
	mesos__v1__scheduler__call__free_unpacked(c, NULL);
}

static void act(struct sim *sim, const struct sched_action *a)
{
	struct sim_driver *d = &sim->driver;

	sim_trace(sim, 's', ((uint64_t)a->run << 32) | a->partition, (int)a->kind, a->text, a->data, a->len);
	if (sim->config->verbose && a->text != NULL && a->kind != SCHED_DO_LINK && a->kind != SCHED_DO_COMMIT)
		(void)fprintf(stderr, "%8llu %s\n", (unsigned long long)sim->time.now, a->text);
	switch (a->kind) {
	case SCHED_DO_CALL:
		if (sim->config->ledger)
			count_launches(sim, a);
		if (d->stream_id == NULL)
			sim_wrong(sim, "a call without a subscription");
		else
			sim_master_call(sim, sim_conn(sim, SIM_NOBODY), d->stream_id, a->data, a->len);
		break;
	case SCHED_DO_LINK:
		sim_executor_link(sim, a->text, a->data, a->len);
		break;
	case SCHED_DO_RESULT:
		sim_job_result(sim, a);
		break;
	case SCHED_DO_COMMIT:
		commit(sim, a);
		break;
	case SCHED_DO_DONE:
		sim_job_done(sim, a);
		d->done = true;
		break;
	case SCHED_DO_FATAL:
		sim_wrong(sim, "fatal: %s", a->text);
		break;
	case SCHED_DO_STOPPED:
		d->stopped = true;
		(void)sim_after(sim, sim_spread(sim, GOODBYE_MS), leave);
		break;
	case SCHED_DO_LOG:
	case SCHED_DO_NOTE:
	case SCHED_DO_SURVEY: /* which nobody answers */
		break;
	}
}

static void step_once(struct sim *sim, struct sched_event *ev)
{
	struct sim_driver *d = &sim->driver;

	ev->now_ms = sim->time.now;
	sim_check(sched_step(d->core, ev, &d->plan));
	for (size_t i = 0; i < d->plan.n; i++)
		act(sim, &d->plan.at[i]);
	sched_plan_reset(&d->plan);
}

/* The next action, or the end. Not from within a step. */
static void go_on(struct sim *sim, struct sim_event *e)
{
	struct sim_driver *d = &sim->driver;

	(void)e;
	if (d->run < SIM_RUNS) {
		sim_job_submit(sim, ++d->run);
		return;
	}
	d->stopping = true;
	sim_driver_step(sim, (struct sched_event){ .kind = SCHED_EV_STOP });
}

void sim_driver_step(struct sim *sim, struct sched_event ev)
{
	struct sim_driver *d = &sim->driver;

	step_once(sim, &ev);
	while (d->committed.n > 0) {
		struct sim_event *c = d->committed.at[0];
		struct sched_event answer = { .kind = SCHED_EV_COMMITTED,
			.u.committed = { .run = c->index, .partition = (uint32_t)c->tag, .error = c->text } };

		vec_remove(&d->committed, 0);
		step_once(sim, &answer);
		free(c->text);
		free(c);
	}
	if (d->done && !d->stopping) {
		d->done = false;
		(void)sim_after(sim, 1 + sim_below(sim, 50), go_on);
	}
	sim_arm(sim, sched_next_ms(d->core), &d->armed_ms, tick, 0, 0);
}

/* ---- The stream ---- */

static void subscribe_after(struct sim *sim, uint64_t ms)
{
	(void)sim_after(sim, ms, subscribe);
}

static void subscribe(struct sim *sim, struct sim_event *e)
{
	struct sim_driver *d = &sim->driver;
	struct buf call = BUF_INIT(1 << 20);

	(void)e;
	if (d->stopped || d->conn != 0)
		return;
	if (sim->master.core == NULL) {
		subscribe_after(sim, BACKOFF_MS / 2);
		return;
	}
	d->conn = sim_conn(sim, SIM_NOBODY);
	sim_check(sched_subscribe_call(d->core, &call));
	sim_master_call(sim, d->conn, NULL, call.data, call.len);
	buf_deinit(&call);
}

void sim_driver_down(struct sim *sim)
{
	struct sim_driver *d = &sim->driver;

	if (d->conn == 0)
		return;
	d->conn = 0;
	free(d->stream_id);
	d->stream_id = NULL;
	sim_driver_step(sim, (struct sched_event){ .kind = SCHED_EV_MESOS_DOWN });
	subscribe_after(sim, sim_spread(sim, BACKOFF_MS));
}

static void reply_arrives(struct sim *sim, struct sim_event *e)
{
	struct sim_driver *d = &sim->driver;

	if (d->conn != e->extra)
		return;
	if (e->tag != 200) {
		sim_driver_down(sim);
		return;
	}
	d->stream_id = sim_dup(e->text);
}

void sim_driver_reply(struct sim *sim, uint64_t conn, int status, const char *stream_id, const char *text)
{
	struct sim_driver *d = &sim->driver;

	if (conn != d->conn) {
		if (status != 202 && sim->config->verbose)
			(void)fprintf(stderr, "%8llu a call was refused: %d %s\n",
				(unsigned long long)sim->time.now, status, text != NULL ? text : "");
		return;
	}
	struct sim_event *e = sim_send(sim, 1 + sim_below(sim, 2), &d->last_event, reply_arrives, NULL, 0);
	e->tag = (uint64_t)status;
	e->extra = conn;
	e->text = stream_id != NULL ? sim_dup(stream_id) : NULL;
}

static void event_arrives(struct sim *sim, struct sim_event *e)
{
	struct sim_driver *d = &sim->driver;

	if (d->conn != e->extra)
		return;
	if (e->data == NULL) {
		sim_driver_down(sim);
		return;
	}
	Mesos__V1__Scheduler__Event *m = mesos__v1__scheduler__event__unpack(NULL, e->len, e->data);
	sim_check(m == NULL);
	sim->report->rescinded += m->rescind != NULL;
	if (m->update != NULL && m->update->status->state == MESOS__V1__TASK_STATE__TASK_FINISHED &&
		strncmp(m->update->status->task_id->value, "lease-", 6) == 0)
		sim->report->leases++;
	sim_driver_step(sim, (struct sched_event){ .kind = SCHED_EV_MESOS, .u.mesos = m });
	mesos__v1__scheduler__event__free_unpacked(m, NULL);
}

void sim_driver_stream(struct sim *sim, uint64_t conn, const void *data, size_t len)
{
	struct sim_driver *d = &sim->driver;

	if (conn != d->conn)
		return;
	struct sim_event *e = sim_send(sim, 1 + sim_below(sim, 2), &d->last_event, event_arrives, data, len);
	e->extra = conn;
}

/* ---- Life ---- */

void sim_driver_start(struct sim *sim)
{
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;
	static const uint8_t secret[32];
	const struct sim_config *c = sim->config;
	Quern__ExecutorData data = QUERN__EXECUTOR_DATA__INIT;
	uint8_t packed[256];
	struct err err = { "" };

	data.driver_host = (char *)(uintptr_t) "driver";
	data.driver_port = 1;
	data.secret = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)secret, .len = sizeof(secret) };
	data.job = (char *)(uintptr_t) "job.so";
	data.has_cache_memory = 1;
	data.cache_memory = SIM_CACHE;
	data.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)secret, .len = 8 };
	command.value = (char *)(uintptr_t) "./quern-executor";
	executor.has_type = executor.has_data = 1;
	executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	executor.command = &command;
	executor.data =
		(ProtobufCBinaryData){ .data = packed, .len = quern__executor_data__pack(&data, packed) };
	const struct sched_config config = { .name = "simulation",
		.user = "me",
		.failover_timeout_s = 600,
		.roles = c->roles,
		.revocable = c->revocable,
		.mode = c->mode,
		.mode_config = { .max_slots = c->max_slots,
			.min_ratio_percent = 50,
			.max_registered_wait_ms = 30000,
			.lease_idle_ms = 100,
			.lease_max_ms = c->lease_max_ms },
		.task_cpus_milli = 1000,
		.task_mem_mb = 512,
		.executor_cpus_milli = 100,
		.executor_mem_mb = 64,
		.task_max_failures = 4,
		.revive_interval_ms = c->no_revive ? UINT64_MAX : 20,
		.revive_burst = 50,
		.locality_wait_ms = 1000,
		.exclude_after = 4,
		.exclude_ms = 60000,
		.checkpoint = sim_below(sim, 2) == 0,
		.executor = &executor,
		.seed = sim_random(sim) };
	sim_check(sched_new(&config, &sim->driver.core, &err));
	sched_set_log(sim->driver.core, c->log, c->log_arg);
	sim->driver.armed_ms = UINT64_MAX;
	subscribe_after(sim, 100);
	(void)sim_after(sim, 1 + sim_below(sim, 400), go_on);
}

void sim_driver_end(struct sim *sim)
{
	struct sim_driver *d = &sim->driver;

	(void)sched_free(d->core);
	sched_plan_deinit(&d->plan);
	vec_deinit(&d->committed);
	free(d->stream_id);
	d->conn = 0;
}
