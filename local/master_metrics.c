/* master_metrics.c: /metrics/snapshot: numbers under Mesos' names (src/master/metrics.cpp and
 * src/master/allocator/mesos/metrics.cpp of Apache Mesos). */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "local/master_state.h"

static const char *const counters[COUNTERS] = {
	[COUNT_ALLOCATION_RUNS] = "allocator/mesos/allocation_runs",
	[COUNT_KILL] = "master/messages_kill_task",
	[COUNT_ACKNOWLEDGE] = "master/messages_status_update_acknowledgement",
	[COUNT_REQUEST] = "master/messages_resource_request",
	[COUNT_LAUNCH] = "master/messages_launch_tasks",
	[COUNT_DECLINE] = "master/messages_decline_offers",
	[COUNT_REVIVE] = "master/messages_revive_offers",
	[COUNT_SUPPRESS] = "master/messages_suppress_offers",
	[COUNT_RECONCILE] = "master/messages_reconcile_tasks",
	[COUNT_TO_EXECUTOR] = "master/messages_framework_to_executor",
	[COUNT_TO_FRAMEWORK] = "master/messages_executor_to_framework",
	[COUNT_REGISTER_AGENT] = "master/messages_register_slave",
	[COUNT_REREGISTER_AGENT] = "master/messages_reregister_slave",
	[COUNT_UNREGISTER_AGENT] = "master/messages_unregister_slave",
	[COUNT_UPDATE] = "master/messages_status_update",
	[COUNT_EXITED_EXECUTOR] = "master/messages_exited_executor",
	[COUNT_VALID_UPDATES] = "master/valid_status_updates",
	[COUNT_INVALID_UPDATES] = "master/invalid_status_updates",
	[COUNT_VALID_ACKNOWLEDGEMENTS] = "master/valid_status_update_acknowledgements",
	[COUNT_INVALID_ACKNOWLEDGEMENTS] = "master/invalid_status_update_acknowledgements",
	[COUNT_AGENT_REGISTRATIONS] = "master/slave_registrations",
	[COUNT_AGENT_REREGISTRATIONS] = "master/slave_reregistrations",
	[COUNT_AGENT_REMOVALS] = "master/slave_removals",
	[COUNT_DROPPED] = "master/dropped_messages",
};

/* Sets one, `value` taken. Names hold ids, roles and resources, which may be any bytes and cut short: what is
 * not ASCII might be no UTF-8. */
static int set(json_t *to, const char *name, json_t *value)
{
	char plain[1200];
	size_t i = 0;

	for (; name[i] != '\0' && i < sizeof(plain) - 1; i++)
		plain[i] = (unsigned char)name[i] < 0x80 ? name[i] : '?';
	plain[i] = '\0';
	return json_object_set_new(to, plain, value);
}

static int add(json_t *to, const char *name, double value)
{
	/* Whole numbers without a fraction: the values of Mesos are numbers of either form. */
	return set(to, name, json_real(value));
}

static int add_count(json_t *to, const char *prefix, const char *name, uint64_t value)
{
	char key[1200];

	if (value > INT64_MAX || snprintf(key, sizeof(key), "%s%s", prefix, name) >= (int)sizeof(key))
		return 0;
	return set(to, key, json_integer((json_int_t)value));
}

/* The name of an enum value in small letters. */
static const char *small(const ProtobufCEnumDescriptor *type, unsigned value, char room[64])
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, (int)value);
	size_t i = 0;

	if (v == NULL)
		return NULL;
	for (; v->name[i] != '\0' && i < 63; i++)
		room[i] = (char)tolower((unsigned char)v->name[i]);
	room[i] = '\0';
	return room;
}

static int add_states(json_t *to, const char *prefix, const uint64_t counts[TASK_STATES], bool terminal)
{
	char room[64];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < TASK_STATES; i++) {
		const char *name = small(&mesos__v1__task_state__descriptor, i, room);

		if (name == NULL || master_terminal((Mesos__V1__TaskState)i) != terminal ||
			i == MESOS__V1__TASK_STATE__TASK_UNKNOWN)
			continue;
		r = add_count(to, prefix, name, counts[i]);
	}
	return r;
}

/* Mesos says "tasks_running" of the master, "task_running" of a framework. */
static int add_master_states(json_t *to, const uint64_t counts[TASK_STATES], bool terminal)
{
	char room[64], key[128];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < TASK_STATES; i++) {
		const char *name = small(&mesos__v1__task_state__descriptor, i, room);

		if (name == NULL || master_terminal((Mesos__V1__TaskState)i) != terminal ||
			i == MESOS__V1__TASK_STATE__TASK_UNKNOWN)
			continue;
		(void)snprintf(key, sizeof(key), "master/tasks_%s", name + strlen("task_"));
		r = add_count(to, "", key, counts[i]);
	}
	return r;
}

static void count_active(const struct framework *f, uint64_t ret[TASK_STATES])
{
	const struct task *t;

	for (t = f->tasks; t != NULL; t = t->hh.next)
		if ((size_t)t->state < TASK_STATES)
			ret[t->state]++;
	ret[MESOS__V1__TASK_STATE__TASK_UNREACHABLE] += HASH_COUNT(f->unreachable);
}

/* ---- One framework ---- */

/* As process::http::encode() does it. */
static int add_encoded(struct buf *to, const char *text)
{
	int r = 0;

	for (; r == 0 && *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		r = isalnum(c) || strchr("-_.~", c) != NULL ? buf_add(to, text, 1)
							    : buf_add_fmt(to, "%%%02X", c);
	}
	return r;
}

static int add_enum(json_t *to, const char *prefix, const char *group, const ProtobufCEnumDescriptor *type,
	const uint64_t *counts, unsigned n)
{
	char room[64], key[96];
	uint64_t sum = 0;
	int r = 0;

	for (unsigned i = 1; r == 0 && i < n; i++) {
		const char *name = small(type, i, room);

		sum += counts[i];
		if (name == NULL)
			continue;
		(void)snprintf(key, sizeof(key), "%s/%s", group, name);
		r = add_count(to, prefix, key, counts[i]);
	}
	return r == 0 ? add_count(to, prefix, group, sum) : r;
}

static int add_roles(json_t *to, const char *prefix, const struct framework *f)
{
	auto_buf struct buf key = BUF_INIT(4096);
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->members.n; i++) {
		buf_clear(&key);
		r = buf_add_fmt(&key, "roles/%s/suppressed", f->members.at[i]->role->name);
		if (r == 0)
			r = buf_add(&key, "", 1);
		if (r == 0)
			r = add_count(to, prefix, (const char *)key.data, f->members.at[i]->suppressed);
	}
	return r == -EMSGSIZE ? 0 : r;
}

static int add_framework(json_t *to, const struct framework *f)
{
	auto_buf struct buf text = BUF_INIT(1024);
	uint64_t active[TASK_STATES] = { 0 };
	char prefix[1100];

	int r = add_encoded(&text, f->info->name);
	if (r == -ENOMEM)
		return r;
	(void)snprintf(prefix, sizeof(prefix), "master/frameworks/%.*s/%.60s/",
		(int)(text.len < 960 ? text.len : 960), text.data != NULL ? (const char *)text.data : "",
		f->id);
	count_active(f, active);
	r = add_count(to, prefix, "subscribed", f->connected);
	if (r == 0)
		r = add_count(to, prefix, "offers/sent", f->offers_sent);
	if (r == 0)
		r = add_count(to, prefix, "offers/accepted", f->offers_accepted);
	if (r == 0)
		r = add_count(to, prefix, "offers/declined", f->offers_declined);
	if (r == 0)
		r = add_count(to, prefix, "offers/rescinded", f->offers_rescinded);
	if (r == 0)
		r = add_enum(to, prefix, "calls", &mesos__v1__scheduler__call__type__descriptor, f->calls,
			CALL_TYPES);
	if (r == 0)
		r = add_enum(to, prefix, "events", &mesos__v1__scheduler__event__type__descriptor, f->events,
			EVENT_TYPES);
	if (r == 0)
		r = add_roles(to, prefix, f);
	char group[1120];
	(void)snprintf(group, sizeof(group), "%stasks/active/", prefix);
	if (r == 0)
		r = add_states(to, group, active, false);
	(void)snprintf(group, sizeof(group), "%stasks/terminal/", prefix);
	return r == 0 ? add_states(to, group, f->ended, true) : r;
}

/* ---- All of them ---- */

static int add_frameworks(json_t *to, const struct master *m)
{
	uint64_t states[TASK_STATES] = { 0 }, connected = 0, n = 0;
	int r = 0;

	for (const struct framework *f = m->frameworks; r == 0 && f != NULL; f = f->hh.next) {
		n++;
		connected += f->connected;
		count_active(f, states);
		r = add_framework(to, f);
	}
	if (r == 0)
		r = add_master_states(to, states, false);
	if (r == 0)
		r = add_count(to, "", "master/frameworks_active", connected);
	if (r == 0)
		r = add_count(to, "", "master/frameworks_connected", connected);
	if (r == 0)
		r = add_count(to, "", "master/frameworks_disconnected", n - connected);
	return r == 0 ? add_count(to, "", "master/frameworks_inactive", n - connected) : r;
}

static int add_agents(json_t *to, const struct master *m)
{
	uint64_t connected = 0, unreachable = 0;

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		connected += a->linked;
		unreachable += a->unreachable;
	}
	uint64_t away = HASH_COUNT(m->agents) - connected - unreachable;
	int r = add_count(to, "", "master/slaves_active", connected);
	if (r == 0)
		r = add_count(to, "", "master/slaves_connected", connected);
	if (r == 0)
		r = add_count(to, "", "master/slaves_disconnected", away);
	if (r == 0)
		r = add_count(to, "", "master/slaves_inactive", away);
	return r == 0 ? add_count(to, "", "master/slaves_unreachable", unreachable) : r;
}

/* Of each scalar: all of it, what tasks and executors use, and what is used or offered. */
static int add_scalar(json_t *to, const struct master *m, size_t i)
{
	int64_t held = 0, offered = 0;
	char key[512];

	for (const struct role *r = m->roles; r != NULL; r = r->hh.next)
		held += r->share.allocated.milli[i];
	for (const struct offer *o = m->offers; o != NULL; o = o->hh.next)
		offered += resources_milli(o->resources, m->scalars[i]);
	double total = (double)m->total.milli[i] / 1000, used = (double)(held - offered) / 1000;
	(void)snprintf(key, sizeof(key), "master/%.300s_total", m->scalars[i]);
	int r = add(to, key, total);
	(void)snprintf(key, sizeof(key), "master/%.300s_used", m->scalars[i]);
	if (r == 0)
		r = add(to, key, used);
	(void)snprintf(key, sizeof(key), "master/%.300s_percent", m->scalars[i]);
	if (r == 0)
		r = add(to, key, total > 0 ? used / total : 0);
	(void)snprintf(key, sizeof(key), "allocator/mesos/resources/%.300s/total", m->scalars[i]);
	if (r == 0)
		r = add(to, key, total);
	(void)snprintf(
		key, sizeof(key), "allocator/mesos/resources/%.300s/offered_or_allocated", m->scalars[i]);
	return r == 0 ? add(to, key, (double)held / 1000) : r;
}

static int fill(json_t *to, const struct master *m, uint64_t now_ms)
{
	uint64_t up = m->started && now_ms > m->started_ms ? now_ms - m->started_ms : 0;

	int r = add(to, "master/elected", 1);
	if (r == 0)
		r = add(to, "master/uptime_secs", (double)up / 1000);
	if (r == 0)
		r = add_count(to, "", "master/outstanding_offers", HASH_COUNT(m->offers));
	for (size_t i = 0; r == 0 && i < COUNTERS; i++)
		r = add_count(to, "", counters[i], m->count[i]);
	if (r == 0)
		r = add_master_states(to, m->ended, true);
	if (r == 0)
		r = add_frameworks(to, m);
	if (r == 0)
		r = add_agents(to, m);
	for (size_t i = 0; r == 0 && i < SCALARS_MAX && m->scalars[i] != NULL; i++)
		r = add_scalar(to, m, i);
	return r;
}

json_t *master_metrics(const struct master *m, uint64_t now_ms)
{
	json_t *all = json_object();

	if (all != NULL && fill(all, m, now_ms) != 0) {
		json_decref(all);
		return NULL;
	}
	return all;
}
