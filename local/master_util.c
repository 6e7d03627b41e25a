/* master_util.c: actions, copies, ids and sums of the master's core. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

struct master_action *master_do(struct master *m, enum master_action_kind kind)
{
	static struct master_action nowhere; /* is never read: the step fails */

	if (vec_push(m->plan, ((struct master_action){ .kind = kind })) < 0) {
		m->oom = true;
		return &nowhere;
	}
	return &m->plan->at[m->plan->n - 1];
}

char *master_strdup(struct master *m, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		m->oom = true;
	return copy;
}

char *master_format(struct master *m, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		m->oom = true;
		return NULL;
	}
	return text;
}

void master_reply(struct master *m, uint64_t conn, int status, const char *text)
{
	struct master_action *x = master_do(m, MASTER_DO_REPLY);

	x->conn = conn;
	x->status = status;
	if (text != NULL)
		x->text = master_strdup(m, text);
	if (status >= 400)
		m->invalid_calls++;
}

static uint8_t *pack(struct master *m, const ProtobufCMessage *message, size_t *ret_len)
{
	*ret_len = protobuf_c_message_get_packed_size(message);
	uint8_t *data = malloc(*ret_len > 0 ? *ret_len : 1);

	if (data == NULL)
		m->oom = true;
	else
		(void)protobuf_c_message_pack(message, data);
	return data;
}

void master_to_agent(struct master *m, const struct agent *a, const Quern__Local__ToAgent *message)
{
	size_t len;

	if (!a->linked)
		return;
	uint8_t *data = pack(m, &message->base, &len);
	struct master_action *x = master_do(m, MASTER_DO_AGENT);
	x->link = a->link;
	x->data = data;
	x->len = len;
}

void master_to_framework(struct master *m, struct framework *f, Mesos__V1__Scheduler__Event__Type type,
	Mesos__V1__Scheduler__Event *event)
{
	size_t len;

	if (!f->connected)
		return;
	event->has_type = 1;
	event->type = type;
	uint8_t *data = pack(m, &event->base, &len);
	struct master_action *x = master_do(m, MASTER_DO_EVENT);
	x->conn = f->conn;
	x->data = data;
	x->len = len;
	f->events++;
}

void *master_dup(struct master *m, const void *message)
{
	const ProtobufCMessage *from = message;
	size_t len;
	uint8_t *data = pack(m, from, &len);

	void *copy = data != NULL ? protobuf_c_message_unpack(from->descriptor, NULL, len, data) : NULL;
	free(data);
	if (copy == NULL)
		m->oom = true;
	return copy;
}

/* splitmix64 (Vigna): good enough for ids, and the same for the same seed. */
static uint64_t next_random(struct master *m)
{
	uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void master_uuid(struct master *m, char ret[MASTER_UUID_TEXT])
{
	uint64_t a = next_random(m), b = next_random(m);

	/* RFC 4122: version 4, random */
	(void)snprintf(ret, MASTER_UUID_TEXT, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
		(unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0x3fff) | 0x8000,
		(unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

void master_set_timer(struct master *m, struct timer *t, uint64_t at_ms)
{
	if (master_timer_set(&m->timers, t, at_ms) < 0)
		m->oom = true;
}

struct resources *master_read(struct master *m, Mesos__V1__Resource *const *pieces, size_t n, struct err *err)
{
	struct resources *r = NULL;
	int k = master_resources_read(pieces, n, &r, err);

	if (k == -ENOMEM)
		m->oom = true;
	return k < 0 ? NULL : r;
}

void master_add(struct master *m, struct resources *into, const struct resources *what)
{
	if (resources_add(into, what) < 0)
		m->oom = true;
}

void master_subtract(struct master *m, struct resources *from, const struct resources *what)
{
	if (resources_subtract(from, what) == -ENOMEM)
		m->oom = true;
}
