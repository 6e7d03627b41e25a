/* master_call.c: calls of frameworks. Who may call at all: Master::Http::scheduler() in src/master/http.cpp;
 * what the call is made of was checked before (server_validate.h). */
#include <stdio.h>
#include <string.h>

#include "local/master_state.h"

typedef Mesos__V1__Scheduler__Call Call;

/* The framework, or NULL: the call is answered. */
static struct framework *caller(struct master *m, uint64_t conn, const char *stream_id, const Call *call)
{
	struct framework *f =
		call->framework_id != NULL ? master_framework(m, call->framework_id->value) : NULL;
	char text[1024];

	if (f == NULL) {
		master_reply(m, conn, 400, "Framework cannot be found");
		return NULL;
	}
	if ((size_t)call->type < CALL_TYPES)
		f->calls[call->type]++;
	if (!f->connected) {
		master_reply(m, conn, 403, "Framework is not subscribed");
	} else if (stream_id == NULL) {
		master_reply(
			m, conn, 400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
	} else if (strcmp(stream_id, f->stream_id) != 0) {
		(void)snprintf(text, sizeof(text),
			"The stream ID '%.200s' included in this request didn't match the stream ID "
			"currently "
			"associated with framework ID %.200s",
			stream_id, f->id);
		master_reply(m, conn, 400, text);
	} else {
		return f;
	}
	return NULL;
}

/* ---- REVIVE, SUPPRESS: a role that the framework does not have drops the whole call ---- */

static bool has_roles(const struct framework *f, char *const *roles, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct member *member = master_member(f, roles[i]);

		if (member == NULL || !member->subscribed)
			return false;
	}
	return true;
}

static bool named(const struct member *member, char *const *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(roles[i], member->role->name) == 0)
			return true;
	return n == 0;
}

static void revive(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Revive *call)
{
	char *const *roles = call != NULL ? call->roles : NULL;
	size_t n = call != NULL ? call->n_roles : 0;

	m->count[COUNT_REVIVE]++;
	if (!has_roles(f, roles, n)) {
		m->count[COUNT_DROPPED]++;
		return;
	}
	for (size_t i = 0; i < f->members.n; i++) {
		struct member *member = f->members.at[i];

		if (!member->subscribed || !named(member, roles, n))
			continue;
		master_clear_filters(m, member);
		member->suppressed = false;
		master_set_active(member, true);
	}
	master_allocate(m, NULL);
}

static void suppress(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Suppress *call)
{
	char *const *roles = call != NULL ? call->roles : NULL;
	size_t n = call != NULL ? call->n_roles : 0;

	m->count[COUNT_SUPPRESS]++;
	if (!has_roles(f, roles, n)) {
		m->count[COUNT_DROPPED]++;
		return;
	}
	for (size_t i = 0; i < f->members.n; i++) {
		if (f->members.at[i]->subscribed && named(f->members.at[i], roles, n)) {
			f->members.at[i]->suppressed = true;
			master_set_active(f->members.at[i], false);
		}
	}
}

/* ---- SHUTDOWN, MESSAGE: handed on to the agent, if it is there ---- */

static void shutdown_executor(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Shutdown *call)
{
	const struct agent *a = master_registered_agent(m, call->agent_id->value);
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__ShutdownExecutor shutdown = QUERN__LOCAL__TO_AGENT__SHUTDOWN_EXECUTOR__INIT;

	if (a == NULL || master_executor(a, f, call->executor_id->value) == NULL)
		return;
	shutdown.framework_id = f->info->id;
	shutdown.executor_id = call->executor_id;
	message.shutdown_executor = &shutdown;
	master_to_agent(m, a, &message);
}

static void send_message(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Message *call)
{
	const struct agent *a = master_registered_agent(m, call->agent_id->value);
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Message inner = QUERN__LOCAL__TO_AGENT__MESSAGE__INIT;

	m->count[COUNT_TO_EXECUTOR]++;
	if (a == NULL)
		return;
	inner.framework_id = f->info->id;
	inner.executor_id = call->executor_id;
	inner.data = call->data;
	message.message = &inner;
	master_to_agent(m, a, &message);
}

/* The part that the type of a call asks for; calls that the shell let through have it. */
static bool complete(const Call *call)
{
	switch (call->type) {
	case MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE:
		return call->subscribe != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT:
		return call->accept != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE:
		return call->decline != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__KILL:
		return call->kill != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN:
		return call->shutdown != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE:
		return call->acknowledge != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE:
		return call->reconcile != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__MESSAGE:
		return call->message != NULL;
	case MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK:
		return call->update_framework != NULL;
	default:
		return true;
	}
}

static void act(struct master *m, struct framework *f, const Call *call)
{
	switch (call->type) {
	case MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN:
		master_remove_framework(m, f);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT:
		master_accept(m, f, call->accept);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE:
		master_decline(m, f, call->decline);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE:
		revive(m, f, call->revive);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS:
		suppress(m, f, call->suppress);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__KILL:
		master_kill(m, f, call->kill);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN:
		shutdown_executor(m, f, call->shutdown);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE:
		master_acknowledge(m, f, call->acknowledge);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE:
		master_reconcile(m, f, call->reconcile);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__MESSAGE:
		send_message(m, f, call->message);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__REQUEST: /* the allocator of Mesos ignores it too */
		m->count[COUNT_REQUEST]++;
		break;
	default: /* inverse offers are not made here */
		break;
	}
}

void master_call(struct master *m, uint64_t conn, const char *stream_id, const Call *call)
{
	if (!call->has_type || !complete(call)) {
		master_reply(m, conn, 400, "Failed to validate scheduler::Call: the call is not complete");
		return;
	}
	if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE) {
		master_subscribe(m, conn, call->subscribe);
		return;
	}
	struct framework *f = caller(m, conn, stream_id, call);
	if (f == NULL)
		return;
	if (call->type ==
		MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK) { /* the one that is answered. Mesos says
									 200, which here is a stream's */
		struct err err = { "" };
		int r = master_update_framework(m, f, call->update_framework, &err);

		master_reply(m, conn, r < 0 ? 400 : 202, r < 0 ? err.text : NULL);
		return;
	}
	master_reply(m, conn, 202, NULL);
	act(m, f, call);
}
