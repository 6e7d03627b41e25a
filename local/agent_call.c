/* agent_call.c: what executors say to their agent (src/slave/http.cpp and Slave::subscribe() of Apache
 * Mesos). */
#include <string.h>

#include "local/agent_state.h"

enum { HTTP_OK = 200, HTTP_ACCEPTED = 202, HTTP_BAD_REQUEST = 400, HTTP_FORBIDDEN = 403 };

static void acknowledge(struct agent *a, const struct executor *e, const Mesos__V1__TaskStatus *status)
{
	Mesos__V1__Executor__Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Acknowledged ack = MESOS__V1__EXECUTOR__EVENT__ACKNOWLEDGED__INIT;

	if (!e->subscribed || !status->has_uuid)
		return;
	ack.task_id = status->task_id;
	ack.uuid = status->uuid;
	event.acknowledged = &ack;
	agent_to_executor(a, e, MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED, &event);
}

/* The agent has it from here on, whatever becomes of the executor: that is what ACKNOWLEDGED says. */
static void take_update(struct agent *a, struct executor *e, const Mesos__V1__TaskStatus *status)
{
	struct task *t = executor_task(e, status->task_id->value);

	if (e->framework->removed)
		return; /* nobody would ever acknowledge it */
	acknowledge(a, e, status);
	if (t != NULL && !task_terminal(t->state) && !task_has_update(t, &status->uuid))
		task_update(a, t, status);
}

/* ---- SUBSCRIBE ---- */

static void say_subscribed(struct agent *a, const struct executor *e)
{
	Mesos__V1__Executor__Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Subscribed subscribed = MESOS__V1__EXECUTOR__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__ContainerID container = MESOS__V1__CONTAINER_ID__INIT;

	container.value = (char *)e->container;
	subscribed.executor_info = e->info;
	subscribed.framework_info = e->framework->info;
	subscribed.agent_info = a->info;
	subscribed.container_id = &container;
	event.subscribed = &subscribed;
	agent_to_executor(a, e, MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED, &event);
}

static bool knows(const Mesos__V1__Executor__Call__Subscribe *s, const char *task)
{
	for (size_t i = 0; i < s->n_unacknowledged_tasks; i++)
		if (strcmp(s->unacknowledged_tasks[i]->task_id->value, task) == 0)
			return true;
	return false;
}

/* A task whose LAUNCH was lost with the stream before will not come to anything by itself. The words are of
 * the one case in which Mesos expects it. */
static void drop_undelivered(
	struct agent *a, struct executor *e, const Mesos__V1__Executor__Call__Subscribe *s)
{
	for (struct task *t = e->tasks; t != NULL; t = t->hh.next)
		if (t->delivered && t->state == MESOS__V1__TASK_STATE__TASK_STAGING &&
			!knows(s, t->info->task_id->value))
			task_end(a, t, task_dropped(e->framework),
				MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_RESTARTED,
				"Task launched during agent restart");
}

static void deliver_queued(struct agent *a, struct executor *e)
{
	for (struct task *t = e->tasks; t != NULL; t = t->hh.next)
		if (!task_terminal(t->state))
			task_deliver(a, t);
}

static bool has_work(const struct executor *e)
{
	for (const struct task *t = e->tasks; t != NULL; t = t->hh.next)
		if (!task_terminal(t->state))
			return true;
	return e->had_tasks;
}

static void dismiss(struct agent *a, const struct executor *e)
{
	Mesos__V1__Executor__Event shutdown = MESOS__V1__EXECUTOR__EVENT__INIT;

	agent_to_executor(a, e, MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN, &shutdown);
	agent_do(a, AGENT_DO_CLOSE)->conn = e->conn;
}

static void subscribe(
	struct agent *a, struct executor *e, uint64_t conn, const Mesos__V1__Executor__Call__Subscribe *s)
{
	if (e->subscribed)
		agent_do(a, AGENT_DO_CLOSE)->conn = e->conn;
	agent_reply(a, conn, HTTP_OK, NULL);
	e->conn = conn;
	e->subscribed = e->state != EXECUTOR_TERMINATING;
	if (!e->subscribed) {
		dismiss(a, e);
		return;
	}
	e->state = EXECUTOR_RUNNING;
	e->deadline = UINT64_MAX;
	e->heartbeat_at = a->now + HEARTBEAT_MS;
	if (!has_work(e)) { /* all that it was started for was killed meanwhile */
		executor_shutdown(a, e);
		return;
	}
	say_subscribed(a, e);
	for (size_t i = 0; i < s->n_unacknowledged_updates; i++)
		take_update(a, e, s->unacknowledged_updates[i]->status);
	drop_undelivered(a, e, s);
	deliver_queued(a, e);
}

/* ---- The others ---- */

static void send_message(struct agent *a, const struct executor *e, const ProtobufCBinaryData *data)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Message message = QUERN__LOCAL__TO_MASTER__MESSAGE__INIT;

	if (e->framework->removed)
		return;
	message.framework_id = e->framework->info->id;
	message.executor_id = e->info->executor_id;
	message.data = *data;
	m.message = &message;
	agent_to_master(a, &m);
}

static bool has_uuid(const Mesos__V1__TaskStatus *status)
{
	return status->has_uuid && status->uuid.len == UUID_SIZE;
}

/* What the call lacks, or NULL. The shell lets only whole calls through (server_validate.h), but for the
 * updates that come with a subscription. */
static const char *missing(const Mesos__V1__Executor__Call *call)
{
	switch (call->type) {
	case MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE:
		if (call->subscribe == NULL)
			return "Expecting 'subscribe' to be present";
		for (size_t i = 0; i < call->subscribe->n_unacknowledged_updates; i++)
			if (!has_uuid(call->subscribe->unacknowledged_updates[i]->status))
				return "Expecting 'uuid' to be present";
		return NULL;
	case MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE:
		if (call->update == NULL)
			return "Expecting 'update' to be present";
		return has_uuid(call->update->status) ? NULL : "Expecting 'uuid' to be present";
	case MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE:
		return call->message != NULL ? NULL : "Expecting 'message' to be present";
	default:
		return NULL;
	}
}

void agent_call(struct agent *a, uint64_t conn, const Mesos__V1__Executor__Call *call)
{
	const struct framework *f = agent_framework(a, call->framework_id->value);
	struct executor *e = f != NULL ? agent_executor(f, call->executor_id->value) : NULL;

	if (missing(call) != NULL) {
		agent_reply(a, conn, HTTP_BAD_REQUEST, missing(call));
	} else if (f == NULL) {
		agent_reply(a, conn, HTTP_BAD_REQUEST, "Framework cannot be found");
	} else if (e == NULL || e->state == EXECUTOR_TERMINATED) {
		agent_reply(a, conn, HTTP_BAD_REQUEST, "Executor cannot be found");
	} else if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE) {
		subscribe(a, e, conn, call->subscribe);
	} else if (e->state == EXECUTOR_REGISTERING) {
		agent_reply(a, conn, HTTP_FORBIDDEN, "Executor is not subscribed");
	} else {
		agent_reply(a, conn, HTTP_ACCEPTED, NULL);
		if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE)
			take_update(a, e, call->update->status);
		else if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE)
			send_message(a, e, &call->message->data);
	}
}
