/* master_json.c: the master's pages. Names are those of Mesos' /metrics/snapshot and /state. */
#include <jansson.h>
#include <stdio.h>

#include "local/master_state.h"

struct totals {
	uint64_t connected, disconnected, agents_active, agents_inactive, agents_unreachable;
	uint64_t by_state[TASK_STATES];
	int64_t cpus_total, cpus_used, mem_total, mem_used;
	uint64_t offers;
};

static struct totals count(const struct master *m)
{
	struct totals t = { .offers = HASH_COUNT(m->offers) };

	for (const struct framework *f = m->frameworks; f != NULL; f = f->hh.next)
		*(f->connected ? &t.connected : &t.disconnected) += 1;
	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		*(a->unreachable    ? &t.agents_unreachable
			: a->linked ? &t.agents_active
				    : &t.agents_inactive) += 1;
		for (const struct task *task = a->tasks; task != NULL; task = task->next)
			if ((unsigned)task->state < TASK_STATES && !master_terminal(task->state))
				t.by_state[task->state]++;
		if (a->unreachable)
			continue;
		t.cpus_total += resources_milli(a->total, "cpus");
		t.mem_total += resources_milli(a->total, "mem");
		t.cpus_used += resources_milli(a->total, "cpus") - a->free_cpus;
		t.mem_used += resources_milli(a->total, "mem") - a->free_mem;
	}
	return t;
}

static void put(json_t *page, const char *name, double value)
{
	(void)json_object_set_new(page, name, json_real(value));
}

static void put_framework(json_t *page, const struct framework *f)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "calls", f->calls },
		{ "calls/revive", f->revives },
		{ "calls/suppress", f->suppresses },
		{ "calls/decline", f->declines },
		{ "calls/accept", f->accepts },
		{ "events", f->events },
		{ "offers/sent", f->offers_sent },
		{ "offers/accepted", f->offers_accepted },
		{ "offers/declined", f->offers_declined },
		{ "offers/rescinded", f->offers_rescinded },
	};
	char name[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(name, sizeof(name), "master/frameworks/%.60s/%.100s/%s", f->info->name, f->id,
			rows[i].name);
		put(page, name, (double)rows[i].value);
	}
}

static const char *state_name(unsigned state)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state);

	return v != NULL ? v->name : "TASK_UNKNOWN";
}

static void put_tasks(json_t *page, const struct master *m, const struct totals *t)
{
	char name[64];

	for (unsigned state = 0; state < TASK_STATES; state++) {
		int n = snprintf(
			name, sizeof(name), "master/tasks_%s", state_name(state) + sizeof("TASK_") - 1);

		for (int i = 0; i < n; i++)
			if (name[i] >= 'A' && name[i] <= 'Z')
				name[i] = (char)(name[i] - 'A' + 'a');
		put(page, name, (double)(t->by_state[state] + m->tasks_ended[state]));
	}
}

struct json_t *master_metrics(const struct master *m, uint64_t now_ms)
{
	const struct totals t = count(m);
	json_t *page = json_object();

	(void)now_ms;
	if (page == NULL)
		return NULL;
	put(page, "master/elected", 1);
	put(page, "master/frameworks_active", (double)t.connected);
	put(page, "master/frameworks_connected", (double)t.connected);
	put(page, "master/frameworks_disconnected", (double)t.disconnected);
	put(page, "master/slaves_active", (double)t.agents_active);
	put(page, "master/slaves_connected", (double)t.agents_active);
	put(page, "master/slaves_disconnected", (double)t.agents_inactive);
	put(page, "master/slaves_unreachable", (double)t.agents_unreachable);
	put(page, "master/outstanding_offers", (double)t.offers);
	put(page, "master/cpus_total", (double)t.cpus_total / 1000);
	put(page, "master/cpus_used", (double)t.cpus_used / 1000);
	put(page, "master/mem_total", (double)t.mem_total / 1000);
	put(page, "master/mem_used", (double)t.mem_used / 1000);
	put(page, "allocator/mesos/allocation_runs", (double)m->allocation_runs);
	put_tasks(page, m, &t);
	for (const struct framework *f = m->frameworks; f != NULL; f = f->hh.next)
		put_framework(page, f);
	return page;
}

/* ---- /state ---- */

static json_t *agents_json(const struct master *m)
{
	json_t *all = json_array();

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		auto_buf struct buf total = BUF_INIT(1 << 16), unused = BUF_INIT(1 << 16);

		if (resources_print(a->total, &total) < 0 || resources_print(a->free, &unused) < 0)
			continue;
		(void)json_array_append_new(
			all, json_pack("{s:s, s:s, s:i, s:b, s:s%, s:s%}", "id", a->info->id->value,
				     "hostname", a->info->hostname, "port", (int)a->info->port, "active",
				     a->linked && !a->unreachable, "resources",
				     (const char *)(total.data != NULL ? total.data : (const uint8_t *)""),
				     total.len, "unused",
				     (const char *)(unused.data != NULL ? unused.data : (const uint8_t *)""),
				     unused.len));
	}
	return all;
}

static json_t *tasks_json(const struct framework *f)
{
	json_t *all = json_array();

	for (const struct task *t = f->tasks; t != NULL; t = t->hh.next)
		(void)json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", t->info->task_id->value, "name",
				     t->info->name, "slave_id", t->agent->info->id->value, "executor_id",
				     t->info->executor != NULL ? t->info->executor->executor_id->value : "",
				     "state", state_name((unsigned)t->state)));
	return all;
}

static json_t *executors_json(const struct master *m, const struct framework *f)
{
	json_t *all = json_array();

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next)
		for (const struct executor *e = a->executors; e != NULL; e = e->next)
			if (e->member->framework == f)
				(void)json_array_append_new(all,
					json_pack("{s:s, s:s}", "executor_id", e->info->executor_id->value,
						"slave_id", a->info->id->value));
	return all;
}

static json_t *roles_json(const struct framework *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->n_members; i++)
		(void)json_array_append_new(all, json_string(f->members[i]->role->name));
	return all;
}

static json_t *frameworks_json(const struct master *m)
{
	json_t *all = json_array();

	for (const struct framework *f = m->frameworks; f != NULL; f = f->hh.next)
		(void)json_array_append_new(all,
			json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "id", f->id, "name", f->info->name,
				"user", f->info->user, "connected", f->connected, "roles", roles_json(f),
				"tasks", tasks_json(f), "executors", executors_json(m, f)));
	return all;
}

static json_t *history_json(const struct master *m)
{
	json_t *all = json_array();

	for (const struct history *h = m->history; h != NULL; h = h->next)
		(void)json_array_append_new(
			all, json_pack("{s:s, s:s, s:s}", "id", h->task != NULL ? h->task : "",
				     "framework_id", h->framework != NULL ? h->framework : "", "state",
				     state_name((unsigned)h->state)));
	return all;
}

struct json_t *master_state(const struct master *m, uint64_t now_ms)
{
	char leader[64];

	(void)now_ms;
	(void)snprintf(leader, sizeof(leader), "master@%s:%u", m->config.ip, m->config.port);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "version", "1.12.0", "id", m->id, "hostname",
		m->config.hostname, "leader", leader, "slaves", agents_json(m), "frameworks",
		frameworks_json(m), "completed_tasks", history_json(m));
}
