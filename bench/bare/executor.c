/* executor.c: the executor of the bare framework: each task ends the moment it is launched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/auto.h"
#include "mesos/client.h"
#include "mesos/codec.h"
#include "mesos/executor.pb-c.h"

struct bare {
	struct event_base *loop;
	struct mesos_client *mesos;
	Mesos__V1__ExecutorID executor_id;
	Mesos__V1__FrameworkID framework_id;
};

static void call(const struct bare *b, Mesos__V1__Executor__Call *c, struct buf *out)
{
	c->executor_id = (Mesos__V1__ExecutorID *)&b->executor_id;
	c->framework_id = (Mesos__V1__FrameworkID *)&b->framework_id;
	c->has_type = 1;
	if (mesos_encode(&c->base, MESOS_PROTOBUF, out) < 0)
		abort();
}

static int on_subscribe(void *arg, struct buf *body)
{
	Mesos__V1__Executor__Call c = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__Executor__Call__Subscribe s = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;

	c.type = MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
	c.subscribe = &s;
	call(arg, &c, body);
	return 0;
}

static void finish(struct bare *b, Mesos__V1__TaskInfo *task)
{
	Mesos__V1__Executor__Call c = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__Executor__Call__Update u = MESOS__V1__EXECUTOR__CALL__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	auto_buf struct buf out = BUF_INIT(1 << 16);
	uuid_t uuid;

	uuid_generate(uuid);
	status.task_id = task->task_id;
	status.state = MESOS__V1__TASK_STATE__TASK_FINISHED;
	status.has_source = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status.has_uuid = 1;
	status.uuid = (ProtobufCBinaryData){ .data = uuid, .len = sizeof(uuid) };
	c.type = MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE;
	c.update = &u;
	u.status = &status;
	call(b, &c, &out);
	if (mesos_client_call(b->mesos, out.data, out.len) < 0)
		abort();
}

static int on_event(void *arg, const void *data, size_t len)
{
	struct bare *b = arg;
	ProtobufCMessage *m;
	struct err err;

	if (mesos_decode(&mesos__v1__executor__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err) < 0)
		return -1;
	Mesos__V1__Executor__Event *e = (Mesos__V1__Executor__Event *)m;
	if (e->launch != NULL)
		finish(b, e->launch->task);
	if (e->has_type && e->type == MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN)
		(void)event_base_loopbreak(b->loop);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static void on_end(void *arg, const char *why)
{
	const struct bare *b = arg;

	(void)why;
	(void)event_base_loopbreak(b->loop);
}

int main(void)
{
	static const struct mesos_client_ops ops = {
		.subscribe = on_subscribe, .event = on_event, .down = on_end, .lost = on_end
	};
	const char *endpoints[] = { getenv("MESOS_AGENT_ENDPOINT"), NULL };
	const struct mesos_client_config config = { .endpoints = endpoints, .path = "/api/v1/executor" };
	struct bare b = { .executor_id = MESOS__V1__EXECUTOR_ID__INIT,
		.framework_id = MESOS__V1__FRAMEWORK_ID__INIT };
	struct http_client *http;
	struct err err = { "" };

	b.executor_id.value = getenv("MESOS_EXECUTOR_ID");
	b.framework_id.value = getenv("MESOS_FRAMEWORK_ID");
	b.loop = event_base_new();
	if (endpoints[0] == NULL || b.executor_id.value == NULL || b.framework_id.value == NULL ||
		b.loop == NULL || http_client_new(b.loop, 0, &http, &err) < 0 ||
		mesos_client_new(b.loop, http, &config, &ops, &b, &b.mesos, &err) < 0 ||
		mesos_client_start(b.mesos, &err) < 0) {
		(void)fprintf(stderr, "bare executor: %s\n", err.text);
		return 1;
	}
	(void)event_base_dispatch(b.loop);
	(void)mesos_client_free(b.mesos);
	(void)http_client_free(http);
	event_base_free(b.loop);
	return 0;
}
