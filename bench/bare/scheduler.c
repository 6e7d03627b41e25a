/* scheduler.c: a bare framework: launches N tasks that end at once, one Mesos task each, acknowledges their
 * updates, and does nothing else. What fine mode's price is held against.
 *
 *     bare-scheduler HOST:PORT EXECUTOR N
 *
 * Prints the seconds from the first launch to the last terminal update. Offers are filled whole; REVIVE
 * follows freed resources, at most every 20 ms, as quern's own does. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "mesos/client.h"
#include "mesos/codec.h"
#include "mesos/scheduler.pb-c.h"

enum {
	TASK_MILLI = 1000,
	TASK_MB = 64,
	EXECUTOR_MILLI = 100,
	EXECUTOR_MB = 64,
	REVIVE_MS = 20,
	LAUNCH_MAX = 256
};

struct bare {
	struct event_base *loop;
	struct event *revive;
	struct mesos_client *mesos;
	const char *executor;
	char *framework_id;
	unsigned launched, ended, wanted;
	bool started;
	double start;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "bare scheduler: %s\n", what);
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void send_call(struct bare *b, Mesos__V1__Scheduler__Call *c, Mesos__V1__Scheduler__Call__Type type)
{
	auto_buf struct buf out = BUF_INIT(16 << 20);
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	id.value = b->framework_id;
	c->framework_id = &id;
	c->has_type = 1;
	c->type = type;
	if (mesos_encode(&c->base, MESOS_PROTOBUF, &out) < 0 ||
		mesos_client_call(b->mesos, out.data, out.len) < 0)
		fail("a call could not be sent");
}

static int on_subscribe(void *arg, struct buf *body)
{
	Mesos__V1__Scheduler__Call c = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Subscribe s = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__FrameworkInfo__Capability capability = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__INIT;
	Mesos__V1__FrameworkInfo__Capability *capabilities[] = { &capability };
	char *roles[] = { (char[]){ "*" } };

	(void)arg;
	capability.has_type = 1;
	capability.type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE;
	info.user = getenv("USER") != NULL ? getenv("USER") : (char[]){ "root" };
	info.name = (char[]){ "bare" };
	info.roles = roles;
	info.n_roles = 1;
	info.capabilities = capabilities;
	info.n_capabilities = 1;
	c.has_type = 1;
	c.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	c.subscribe = &s;
	s.framework_info = &info;
	return mesos_encode(&c.base, MESOS_PROTOBUF, body);
}

/* ---- Launching ---- */

struct scalar {
	Mesos__V1__Resource resource;
	Mesos__V1__Resource__AllocationInfo allocation;
	Mesos__V1__Value__Scalar value;
};

static Mesos__V1__Resource *scalar(struct scalar *s, const char *name, double value)
{
	mesos__v1__resource__init(&s->resource);
	mesos__v1__resource__allocation_info__init(&s->allocation);
	mesos__v1__value__scalar__init(&s->value);
	s->value.value = value;
	s->allocation.role = (char *)"*";
	s->resource.name = (char *)name;
	s->resource.type = MESOS__V1__VALUE__TYPE__SCALAR;
	s->resource.scalar = &s->value;
	s->resource.allocation_info = &s->allocation;
	return &s->resource;
}

static double offered(const Mesos__V1__Offer *o, const char *name)
{
	double sum = 0;

	for (size_t i = 0; i < o->n_resources; i++)
		if (o->resources[i]->scalar != NULL && strcmp(o->resources[i]->name, name) == 0)
			sum += o->resources[i]->scalar->value;
	return sum;
}

/* How many tasks fit, with an executor where there is none yet. */
static unsigned room(const struct bare *b, const Mesos__V1__Offer *o)
{
	double cpus = offered(o, "cpus"), mem = offered(o, "mem");
	unsigned n = 0, left = b->wanted - b->launched;

	if (o->n_executor_ids == 0) {
		cpus -= EXECUTOR_MILLI / 1000.0;
		mem -= EXECUTOR_MB;
	}
	while (n < left && n < LAUNCH_MAX && (n + 1) * (TASK_MILLI / 1000.0) <= cpus + 1e-6 &&
		(n + 1) * TASK_MB <= mem)
		n++;
	return n;
}

struct task {
	Mesos__V1__TaskInfo info;
	Mesos__V1__TaskID id;
	char name[16];
};

static void accept_offer(struct bare *b, Mesos__V1__Offer *o, unsigned n)
{
	Mesos__V1__Scheduler__Call c = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
	Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
				    *operations[] = { &operation };
	Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
	Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;
	Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	struct scalar s[4];
	Mesos__V1__Resource *own[] = { scalar(&s[0], "cpus", EXECUTOR_MILLI / 1000.0),
		scalar(&s[1], "mem", EXECUTOR_MB) };
	Mesos__V1__Resource *each[] = { scalar(&s[2], "cpus", TASK_MILLI / 1000.0),
		scalar(&s[3], "mem", TASK_MB) };
	static struct task tasks[LAUNCH_MAX];
	Mesos__V1__TaskInfo *infos[LAUNCH_MAX];

	command.value = (char *)b->executor;
	framework_id.value = b->framework_id;
	executor_id.value = (char *)"bare";
	executor.has_type = 1;
	executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	executor.executor_id = &executor_id;
	executor.framework_id = &framework_id;
	executor.command = &command;
	executor.resources = own;
	executor.n_resources = 2;
	for (unsigned i = 0; i < n; i++) {
		struct task *t = &tasks[i];

		mesos__v1__task_info__init(&t->info);
		mesos__v1__task_id__init(&t->id);
		(void)snprintf(t->name, sizeof(t->name), "%u", b->launched++);
		t->id.value = t->info.name = t->name;
		t->info.task_id = &t->id;
		t->info.agent_id = o->agent_id;
		t->info.executor = &executor;
		t->info.resources = each;
		t->info.n_resources = 2;
		infos[i] = &t->info;
	}
	filters.has_refuse_seconds = 1;
	filters.refuse_seconds = 0;
	operation.has_type = 1;
	operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
	operation.launch = &launch;
	launch.task_infos = infos;
	launch.n_task_infos = n;
	accept.offer_ids = &o->id;
	accept.n_offer_ids = 1;
	accept.operations = operations;
	accept.n_operations = n > 0 ? 1 : 0;
	accept.filters = &filters;
	c.accept = &accept;
	if (!b->started)
		b->start = seconds();
	b->started = true;
	send_call(b, &c, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT);
}

/* ---- Updates ---- */

static void on_revive(evutil_socket_t fd, short what, void *arg)
{
	Mesos__V1__Scheduler__Call c = MESOS__V1__SCHEDULER__CALL__INIT;

	(void)fd;
	(void)what;
	send_call(arg, &c, MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE);
}

static void on_update(struct bare *b, Mesos__V1__TaskStatus *status)
{
	const struct timeval soon = { .tv_usec = REVIVE_MS * 1000 };

	if (status->has_uuid) {
		Mesos__V1__Scheduler__Call c = MESOS__V1__SCHEDULER__CALL__INIT;
		Mesos__V1__Scheduler__Call__Acknowledge ack = MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;

		ack.agent_id = status->agent_id;
		ack.task_id = status->task_id;
		ack.uuid = status->uuid;
		c.acknowledge = &ack;
		send_call(b, &c, MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE);
	}
	if (status->state != MESOS__V1__TASK_STATE__TASK_FINISHED)
		fail(status->message != NULL ? status->message : "a task did not finish");
	if (b->launched < b->wanted && !event_pending(b->revive, EV_TIMEOUT, NULL))
		(void)event_add(b->revive, &soon);
	if (++b->ended == b->wanted) {
		Mesos__V1__Scheduler__Call c = MESOS__V1__SCHEDULER__CALL__INIT;

		(void)printf("%.4f\n", seconds() - b->start);
		send_call(b, &c, MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN);
	}
}

static int on_event(void *arg, const void *data, size_t len)
{
	struct bare *b = arg;
	ProtobufCMessage *m;
	struct err err;

	if (mesos_decode(&mesos__v1__scheduler__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err) < 0)
		fail(err.text);
	Mesos__V1__Scheduler__Event *e = (Mesos__V1__Scheduler__Event *)m;
	if (e->subscribed != NULL)
		b->framework_id = strdup(e->subscribed->framework_id->value);
	if (e->error != NULL)
		fail(e->error->message);
	if (e->update != NULL)
		on_update(b, e->update->status);
	for (size_t i = 0; e->offers != NULL && i < e->offers->n_offers; i++)
		accept_offer(b, e->offers->offers[i], room(b, e->offers->offers[i]));
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static void on_end(void *arg, const char *why)
{
	const struct bare *b = arg;

	if (b->ended < b->wanted)
		fail(why);
	(void)event_base_loopbreak(b->loop);
}

int main(int argc, char **argv)
{
	static const struct mesos_client_ops ops = {
		.subscribe = on_subscribe, .event = on_event, .down = on_end, .lost = on_end
	};
	const char *endpoints[] = { argc == 4 ? argv[1] : NULL, NULL };
	const struct mesos_client_config config = {
		.endpoints = endpoints, .path = "/api/v1/scheduler", .give_up_ms = 10000
	};
	struct bare b = { 0 };
	struct http_client *http;
	struct err err = { "" };

	if (argc != 4 || (b.wanted = (unsigned)strtoul(argv[3], NULL, 10)) == 0)
		fail("Usage: bare-scheduler HOST:PORT EXECUTOR N");
	b.executor = argv[2];
	b.loop = event_base_new();
	b.revive = b.loop != NULL ? event_new(b.loop, -1, 0, on_revive, &b) : NULL;
	if (b.revive == NULL)
		fail("out of memory");
	if (http_client_new(b.loop, 0, &http, &err) < 0 ||
		mesos_client_new(b.loop, http, &config, &ops, &b, &b.mesos, &err) < 0 ||
		mesos_client_start(b.mesos, &err) < 0)
		fail(err.text);
	(void)event_base_dispatch(b.loop);
	(void)mesos_client_free(b.mesos);
	(void)http_client_free(http);
	event_free(b.revive);
	event_base_free(b.loop);
	free(b.framework_id);
	return 0;
}
