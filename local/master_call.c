/* master_call.c: the calls of frameworks, and what is wrong with some. The statuses and words are those of
 * Master::Http::scheduler() in src/master/http.cpp of Apache Mesos; what can be said of a call alone was
 * checked before (server_validate.h). */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

enum { HTTP_ACCEPTED = 202, HTTP_BAD_REQUEST = 400, HTTP_FORBIDDEN = 403 };

/* Whether a role is meant: all of them if none is named. */
static bool named(char *const *roles, size_t n, const char *role)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(roles[i], role) == 0)
			return true;
	return n == 0;
}

static void suppress(struct framework *f, const Mesos__V1__Scheduler__Call__Suppress *s)
{
	f->suppresses++;
	for (size_t i = 0; i < f->n_members; i++)
		if (s == NULL || named(s->roles, s->n_roles, f->members[i]->role->name))
			f->members[i]->suppressed = true;
}

static void revive(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Revive *r)
{
	f->revives++;
	for (size_t i = 0; i < f->n_members; i++) {
		if (r != NULL && !named(r->roles, r->n_roles, f->members[i]->role->name))
			continue;
		f->members[i]->suppressed = false;
		master_clear_filters(m, f->members[i]);
	}
	master_allocate(m, NULL);
}

static void shut_down(
	struct master *m, const struct framework *f, const Mesos__V1__Scheduler__Call__Shutdown *s)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__ShutdownExecutor x = QUERN__LOCAL__TO_AGENT__SHUTDOWN_EXECUTOR__INIT;
	const struct agent *a = master_agent(m, s->agent_id->value);

	if (a == NULL)
		return;
	x.framework_id = f->info->id;
	x.executor_id = s->executor_id;
	to.shutdown_executor = &x;
	master_to_agent(m, a, &to);
}

static void send_message(
	struct master *m, const struct framework *f, const Mesos__V1__Scheduler__Call__Message *s)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Message x = QUERN__LOCAL__TO_AGENT__MESSAGE__INIT;
	const struct agent *a = master_agent(m, s->agent_id->value);

	if (a == NULL)
		return;
	x.framework_id = f->info->id;
	x.executor_id = s->executor_id;
	x.data = s->data;
	to.message = &x;
	m->messages++;
	master_to_agent(m, a, &to);
}

static void perform(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call *call)
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
		suppress(f, call->suppress);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__KILL:
		master_kill(m, f, call->kill);
		break;
	case MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN:
		shut_down(m, f, call->shutdown);
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
	default: /* REQUEST is ignored by Mesos' allocator; there are no inverse offers to answer */
		break;
	}
}

void master_call(
	struct master *m, uint64_t conn, const char *stream_id, const Mesos__V1__Scheduler__Call *call)
{
	if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE) {
		master_subscribe(m, conn, call->subscribe);
		return;
	}
	struct framework *f = master_framework(m, call->framework_id->value);
	if (f == NULL) {
		master_reply(m, conn, HTTP_BAD_REQUEST, "Framework cannot be found");
	} else if (!f->connected) {
		master_reply(m, conn, HTTP_FORBIDDEN, "Framework is not subscribed");
	} else if (stream_id == NULL) {
		master_reply(m, conn, HTTP_BAD_REQUEST,
			"All non-subscribe calls should include the 'Mesos-Stream-Id' header");
	} else if (strcmp(stream_id, f->stream_id) != 0) {
		char *text = master_format(m,
			"The stream ID '%.200s' included in this request didn't match the stream ID "
			"currently associated "
			"with framework ID %s",
			stream_id, f->id);
		master_reply(m, conn, HTTP_BAD_REQUEST, text);
		free(text);
	} else {
		f->calls++;
		master_reply(m, conn, HTTP_ACCEPTED, NULL);
		perform(m, f, call);
	}
}
