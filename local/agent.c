#include "local/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local/agent_state.h"
#include "mesos/attributes.h"
#include "mesos/resources.h"

enum {
	REGISTRATION_TIMEOUT_MS = 60000,
	SHUTDOWN_GRACE_MS = 5000
}; /* Mesos' defaults, see MESOS flags of the agent */

/* ---- Time ---- */

static void executor_due(struct agent *a, struct executor *e)
{
	if (e->deadline <= a->now) {
		e->timed_out = e->state == EXECUTOR_REGISTERING;
		executor_kill(a, e);
	}
	if (e->subscribed && e->heartbeat_at <= a->now) {
		Mesos__V1__Executor__Event heartbeat = MESOS__V1__EXECUTOR__EVENT__INIT;

		agent_to_executor(a, e, MESOS__V1__EXECUTOR__EVENT__TYPE__HEARTBEAT, &heartbeat);
		e->heartbeat_at = a->now + HEARTBEAT_MS;
	}
	for (struct task *t = e->tasks; t != NULL; t = t->hh.next)
		if (t->retry_at <= a->now && t->first != NULL && !e->framework->removed)
			task_send(a, t);
}

static void tick(struct agent *a)
{
	for (struct framework *f = a->frameworks; f != NULL; f = f->next)
		for (struct executor *e = f->executors; e != NULL; e = e->next)
			executor_due(a, e);
}

uint64_t agent_next_ms(const struct agent *a)
{
	uint64_t next = UINT64_MAX;

	for (const struct framework *f = a->frameworks; f != NULL; f = f->next) {
		for (const struct executor *e = f->executors; e != NULL; e = e->next) {
			if (e->deadline < next)
				next = e->deadline;
			if (e->subscribed && e->heartbeat_at < next)
				next = e->heartbeat_at;
			for (const struct task *t = e->tasks; t != NULL && !f->removed; t = t->hh.next)
				if (t->retry_at < next)
					next = t->retry_at;
		}
	}
	return next;
}

/* ---- Events ---- */

static void stop(struct agent *a)
{
	a->stopping = true;
	for (struct framework *f = a->frameworks; f != NULL; f = f->next)
		for (struct executor *e = f->executors; e != NULL; e = e->next)
			executor_shutdown(a, e);
}

/* When the last process is gone, so are we. */
static void try_to_stop(struct agent *a)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;

	for (const struct framework *f = a->frameworks; f != NULL; f = f->next)
		for (const struct executor *e = f->executors; e != NULL; e = e->next)
			if (e->state != EXECUTOR_TERMINATED)
				return;
	a->stopped = true;
	m.has_unregister = m.unregister = 1;
	agent_to_master(a, &m);
	(void)agent_do(a, AGENT_DO_STOPPED);
}

static void closed(struct agent *a, uint64_t conn)
{
	for (struct framework *f = a->frameworks; f != NULL; f = f->next)
		for (struct executor *e = f->executors; e != NULL; e = e->next)
			if (e->subscribed && e->conn == conn)
				e->subscribed = false; /* it subscribes again, or its process ends */
}

static void take(struct agent *a, const struct agent_event *ev)
{
	struct executor *e;

	switch (ev->kind) {
	case AGENT_EV_LINK_UP:
		a->linked = true;
		agent_register(a);
		break;
	case AGENT_EV_LINK_DOWN:
		a->linked = false;
		break;
	case AGENT_EV_MASTER:
		agent_message(a, ev->u.master);
		break;
	case AGENT_EV_CALL:
		agent_call(a, ev->u.call.conn, ev->u.call.call);
		break;
	case AGENT_EV_CLOSED:
		closed(a, ev->u.conn);
		break;
	case AGENT_EV_STARTED:
	case AGENT_EV_TICK:
		break;
	case AGENT_EV_START_FAILED:
	case AGENT_EV_EXITED:
		e = agent_container(a, ev->u.container.id);
		if (e != NULL && e->state != EXECUTOR_TERMINATED)
			executor_ended(a, e, ev->u.container.status,
				ev->kind == AGENT_EV_START_FAILED ? ev->u.container.text : NULL);
		break;
	case AGENT_EV_STOP:
		stop(a);
		break;
	}
}

int agent_step(struct agent *a, const struct agent_event *ev, struct agent_plan *plan)
{
	if (a->stopped) {
		if (ev->kind == AGENT_EV_CALL) {
			a->plan = plan;
			agent_reply(a, ev->u.call.conn, 503, "Agent is shutting down");
		}
		return a->oom ? -ENOMEM : 0;
	}
	a->now = ev->now_ms;
	a->plan = plan;
	take(a, ev);
	tick(a);
	agent_tidy(a);
	if (a->stopping)
		try_to_stop(a);
	a->plan = NULL;
	return a->oom ? -ENOMEM : 0;
}

/* ---- Life ---- */

static int make_info(struct agent *a, struct err *err)
{
	Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
	struct resources *resources = NULL;
	int r = resources_parse(a->config.resources, &resources, err);

	if (r < 0)
		return r;
	r = attributes_parse(a->config.attributes, &info.attributes, &info.n_attributes, err);
	if (r == 0 && resources_to_pb(resources, &info.resources, &info.n_resources) < 0) {
		attributes_free(info.attributes, info.n_attributes);
		r = err_set(err, -ENOMEM, "out of memory");
	}
	(void)resources_free(resources);
	if (r < 0)
		return r;
	info.hostname = (char *)a->config.hostname;
	info.has_port = 1;
	info.port = a->config.port;
	a->info = agent_dup(a, &info);
	resources_pb_free(info.resources, info.n_resources);
	attributes_free(info.attributes, info.n_attributes);
	return a->info == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

int agent_new(const struct agent_config *config, struct agent **ret, struct err *err)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	a->config = *config;
	a->random = config->seed;
	if (a->config.registration_timeout_ms == 0)
		a->config.registration_timeout_ms = REGISTRATION_TIMEOUT_MS;
	if (a->config.shutdown_grace_ms == 0)
		a->config.shutdown_grace_ms = SHUTDOWN_GRACE_MS;
	a->config.hostname = agent_strdup(a, config->hostname);
	a->config.ip = agent_strdup(a, config->ip);
	a->config.resources = agent_strdup(a, config->resources);
	a->config.work_dir = agent_strdup(a, config->work_dir);
	int r = a->oom ? err_set(err, -ENOMEM, "out of memory") : make_info(a, err);
	a->config.attributes = NULL; /* they are in the info */
	if (r < 0) {
		(void)agent_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

struct agent *agent_free(struct agent *a)
{
	if (a == NULL)
		return NULL;
	while (a->frameworks != NULL) {
		struct framework *f = a->frameworks;

		a->frameworks = f->next;
		framework_free(f);
	}
	if (a->info != NULL)
		mesos__v1__agent_info__free_unpacked(a->info, NULL);
	free((char *)a->config.hostname);
	free((char *)a->config.ip);
	free((char *)a->config.resources);
	free((char *)a->config.work_dir);
	free(a);
	return NULL;
}
