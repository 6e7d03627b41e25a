/* master_kit.h: a master's core in a test: its events as functions, its plan as text, one line per action.
 *
 * Ids are short: F0 is the first framework, S0 the first agent, O0 the first offer. Lines:
 *
 *   reply 0 400 "words" | reply 1 stream | close 1      (that a call was taken, reply 0 202, is not said)
 *   1 SUBSCRIBED F0 | 1 HEARTBEAT | 1 OFFERS O0:S0 cpus=4 mem=1024 (role) [e1] | 1 RESCIND O0
 *   1 UPDATE t1 TASK_LOST S0 e1 SOURCE_MASTER REASON_... "words" -      (- or the first byte of the uuid)
 *   1 FAILURE S0 e1 768 | 1 MESSAGE S0 e1 "data" | 1 ERROR "words"
 *   agent 1: registered S0 | run t1 e1 | kill t1 | acknowledge t1 7 | shutdown e1 | end F0 | message e1
 * "data" */
#ifndef QUERN_TESTS_LOCAL_MASTER_KIT_H
#define QUERN_TESTS_LOCAL_MASTER_KIT_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/master.h"

enum { KIT_TEXT = 1 << 16, KIT_CONNS = 32, KIT_UUID = 36, KIT_ID = 64 };

struct kit {
	struct master *master;
	struct master_plan plan;
	uint64_t now;
	char id[KIT_UUID + 1];             /* of the master, once it was seen */
	char stream[KIT_CONNS][64];        /* by number of the connection */
	char framework[KIT_CONNS][KIT_ID]; /* likewise: whose stream it is */
	char text[KIT_TEXT];
	bool mute;              /* nothing is written, for tests of many */
	void (*arm)(bool on);   /* not NULL: called around each step, which may then fail ... */
	bool failed;            /* ... and no other follows */
	size_t offers, updates; /* seen */
};

/* ---- The plan as text ---- */

__attribute__((format(printf, 2, 3))) static inline void kit_say(struct kit *k, const char *format, ...)
{
	size_t at = strlen(k->text);
	va_list ap;

	if (k->mute)
		return;
	va_start(ap, format);
	int n = vsnprintf(k->text + at, sizeof(k->text) - at, format, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof(k->text) - at - 1);
}

/* The short form of an id of this master; frameworks' are "-0000" behind its own. */
static inline const char *kit_short(struct kit *k, const char *id, char room[KIT_ID])
{
	if (strlen(id) <= KIT_UUID || id[KIT_UUID] != '-')
		return id;
	if (k->id[0] == '\0')
		(void)snprintf(k->id, sizeof(k->id), "%.36s", id);
	const char *rest = id + KIT_UUID + 1;
	if (rest[0] == 'O' || rest[0] == 'S')
		return rest;
	(void)snprintf(room, KIT_ID, "F%d", atoi(rest));
	return room;
}

/* The long form of a short id, in `room`. */
static inline char *kit_long(const struct kit *k, const char *name, char room[KIT_ID])
{
	if (name[0] == 'F' && name[1] >= '0' && name[1] <= '9')
		(void)snprintf(room, KIT_ID, "%s-%04d", k->id, atoi(name + 1));
	else if ((name[0] == 'O' || name[0] == 'S') && name[1] >= '0' && name[1] <= '9')
		(void)snprintf(room, KIT_ID, "%s-%s", k->id, name);
	else
		(void)snprintf(room, KIT_ID, "%s", name);
	return room;
}

static inline void kit_say_offer(struct kit *k, const Mesos__V1__Offer *o)
{
	char a[KIT_ID], b[KIT_ID];

	kit_say(k, " %s:%s", kit_short(k, o->id->value, a), kit_short(k, o->agent_id->value, b));
	for (size_t i = 0; i < o->n_resources; i++) {
		const Mesos__V1__Resource *r = o->resources[i];

		if (r->scalar != NULL)
			kit_say(k, " %s=%.15g", r->name, r->scalar->value);
		if (r->ranges != NULL)
			kit_say(k, " %s=%llu-%llu", r->name, (unsigned long long)r->ranges->range[0]->begin,
				(unsigned long long)r->ranges->range[0]->end);
		if (strcmp(r->role, "*") != 0)
			kit_say(k, "<%s>", r->role);
		/* A framework of several roles is told the role of each, the others of none. */
		assert_int_equal(r->allocation_info != NULL, o->allocation_info != NULL);
		if (r->allocation_info != NULL)
			assert_string_equal(r->allocation_info->role, o->allocation_info->role);
	}
	if (o->allocation_info != NULL)
		kit_say(k, " (%s)", o->allocation_info->role);
	for (size_t i = 0; i < o->n_executor_ids; i++)
		kit_say(k, " [%s]", o->executor_ids[i]->value);
}

static inline const char *kit_enum(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);

	assert_non_null(v);
	return v->name;
}

static inline void kit_say_status(struct kit *k, const Mesos__V1__TaskStatus *s)
{
	char room[KIT_ID];

	kit_say(k, " %s %s", s->task_id->value, kit_enum(&mesos__v1__task_state__descriptor, (int)s->state));
	if (s->agent_id != NULL)
		kit_say(k, " %s", kit_short(k, s->agent_id->value, room));
	if (s->executor_id != NULL)
		kit_say(k, " %s", s->executor_id->value);
	if (s->has_source)
		kit_say(k, " %s", kit_enum(&mesos__v1__task_status__source__descriptor, (int)s->source));
	if (s->has_reason)
		kit_say(k, " %s", kit_enum(&mesos__v1__task_status__reason__descriptor, (int)s->reason));
	if (s->message != NULL)
		kit_say(k, " \"%s\"", s->message);
	if (s->unreachable_time != NULL)
		kit_say(k, " since=%lld", (long long)s->unreachable_time->nanoseconds / 1000000);
	if (s->has_uuid)
		kit_say(k, " %u", s->uuid.data[0]);
	else
		kit_say(k, " -");
}

static inline void kit_say_event(struct kit *k, const struct master_action *x)
{
	Mesos__V1__Scheduler__Event *e = mesos__v1__scheduler__event__unpack(NULL, x->len, x->data);
	char a[KIT_ID];

	assert_non_null(e);
	kit_say(k, "%d %s", (int)x->conn,
		kit_enum(&mesos__v1__scheduler__event__type__descriptor, (int)e->type));
	if (e->subscribed != NULL) {
		const char *id = e->subscribed->framework_id->value;

		(void)snprintf(k->framework[x->conn], KIT_ID, "%s", id);
		kit_say(k, " %s", kit_short(k, id, a));
	}
	for (size_t i = 0; e->offers != NULL && i < e->offers->n_offers; i++)
		kit_say_offer(k, e->offers->offers[i]);
	k->offers += e->offers != NULL ? e->offers->n_offers : 0;
	k->updates += e->update != NULL;
	if (e->rescind != NULL)
		kit_say(k, " %s", kit_short(k, e->rescind->offer_id->value, a));
	if (e->update != NULL)
		kit_say_status(k, e->update->status);
	if (e->failure != NULL) {
		kit_say(k, " %s", kit_short(k, e->failure->agent_id->value, a));
		if (e->failure->executor_id != NULL)
			kit_say(k, " %s %d", e->failure->executor_id->value, e->failure->status);
	}
	if (e->message != NULL)
		kit_say(k, " %s %s \"%.*s\"", kit_short(k, e->message->agent_id->value, a),
			e->message->executor_id->value, (int)e->message->data.len,
			(const char *)e->message->data.data);
	if (e->error != NULL)
		kit_say(k, " \"%s\"", e->error->message);
	kit_say(k, "\n");
	mesos__v1__scheduler__event__free_unpacked(e, NULL);
}

static inline void kit_say_agent(struct kit *k, const struct master_action *x)
{
	Quern__Local__ToAgent *m = quern__local__to_agent__unpack(NULL, x->len, x->data);
	char a[KIT_ID];

	assert_non_null(m);
	kit_say(k, "agent %d:", (int)x->link);
	if (m->registered != NULL)
		kit_say(k, " registered %s", kit_short(k, m->registered->value, a));
	if (m->run != NULL) {
		kit_say(k, " run %s", m->run->task->task_id->value);
		if (m->run->task->executor != NULL)
			kit_say(k, " %s", m->run->task->executor->executor_id->value);
		for (size_t i = 0; i < m->run->task->n_resources; i++)
			assert_non_null(m->run->task->resources[i]->allocation_info->role);
	}
	if (m->kill != NULL)
		kit_say(k, " kill %s", m->kill->task_id->value);
	if (m->acknowledge != NULL)
		kit_say(k, " acknowledge %s %u", m->acknowledge->task_id->value,
			m->acknowledge->uuid.data[0]);
	if (m->shutdown_executor != NULL)
		kit_say(k, " shutdown %s", m->shutdown_executor->executor_id->value);
	if (m->shutdown_framework != NULL)
		kit_say(k, " end %s", kit_short(k, m->shutdown_framework->value, a));
	if (m->message != NULL)
		kit_say(k, " message %s \"%.*s\"", m->message->executor_id->value, (int)m->message->data.len,
			(const char *)m->message->data.data);
	kit_say(k, "\n");
	quern__local__to_agent__free_unpacked(m, NULL);
}

static inline void kit_say_action(struct kit *k, const struct master_action *x)
{
	switch (x->kind) {
	case MASTER_DO_REPLY:
		if (x->status == 200) {
			assert_non_null(x->stream_id);
			(void)snprintf(k->stream[x->conn], sizeof(k->stream[0]), "%s", x->stream_id);
			kit_say(k, "reply %d stream\n", (int)x->conn);
		} else if (x->text != NULL) {
			kit_say(k, "reply %d %d \"%s\"\n", (int)x->conn, x->status, x->text);
		} else {
			assert_int_equal(x->conn, 0);
			assert_int_equal(x->status, 202);
		}
		break;
	case MASTER_DO_EVENT:
		kit_say_event(k, x);
		break;
	case MASTER_DO_CLOSE:
		kit_say(k, "close %d\n", (int)x->conn);
		break;
	case MASTER_DO_AGENT:
		kit_say_agent(k, x);
		break;
	}
}

/* Words hold long ids: the master's own id becomes "@" there. */
static inline void kit_shorten(struct kit *k)
{
	char *at;

	while (k->id[0] != '\0' && (at = strstr(k->text, k->id)) != NULL) {
		at[0] = '@';
		memmove(at + 1, at + KIT_UUID + 1, strlen(at + KIT_UUID + 1) + 1);
	}
}

/* What was done since the last time. */
#define kit_expect(k, expected)                                                                              \
	do {                                                                                                 \
		kit_shorten(k);                                                                              \
		assert_string_equal((k)->text, expected);                                                    \
		(k)->text[0] = '\0';                                                                         \
	} while (0)

/* ---- Life and time ---- */

static inline void kit_step(struct kit *k, struct master_event *ev)
{
	if (k->failed)
		return;
	ev->now_ms = k->now;
	if (k->arm != NULL)
		k->arm(true);
	int r = master_step(k->master, ev, &k->plan);
	if (k->arm != NULL)
		k->arm(false);
	k->failed = k->arm != NULL && r == -ENOMEM;
	assert_int_equal(r, k->failed ? -ENOMEM : 0);
	for (size_t i = 0; r == 0 && i < k->plan.n; i++)
		kit_say_action(k, &k->plan.at[i]);
	master_plan_reset(&k->plan);
}

static inline void kit_init_with(struct kit *k, struct master_config config)
{
	*k = (struct kit){ .now = 1000000 };
	config.hostname = "localhost";
	config.ip = "127.0.0.1";
	config.port = 5050;
	assert_int_equal(master_new(&config, &k->master, NULL), 0);
	kit_step(k, &(struct master_event){ .kind = MASTER_EV_TICK });
}

static inline void kit_init(struct kit *k)
{
	/* Heartbeats would be in the way of most tests. */
	kit_init_with(k, (struct master_config){ .seed = 1, .heartbeat_interval_ms = 100000000 });
}

static inline void kit_deinit(struct kit *k)
{
	assert_string_equal(k->text, "");
	master_plan_deinit(&k->plan);
	assert_null(master_free(k->master));
}

/* Time goes by. */
static inline void kit_wait(struct kit *k, uint64_t ms)
{
	uint64_t end = k->now + ms, next;

	while (!k->failed && (next = master_next_ms(k->master)) <= end) {
		k->now = next > k->now ? next : k->now;
		kit_step(k, &(struct master_event){ .kind = MASTER_EV_TICK });
	}
	k->now = end;
}

#endif
