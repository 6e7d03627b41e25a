/* master_json.c: /state: what a person, or a script of one, wants to know. Names are those of Mesos
 * (src/master/readonly_handler.cpp); of its fields there are those that this cluster has something to say
 * for. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "local/master_state.h"

typedef Mesos__V1__Resource Resource;

static double seconds(uint64_t ms)
{
	return (double)ms / 1000;
}

/* Appends `item` (taken). 0 or -1: no memory. */
static int push(json_t *array, json_t *item)
{
	return item != NULL ? json_array_append_new(array, item) : -1;
}

static json_t *text_of(const char *text)
{
	json_t *s = text != NULL ? json_string(text) : json_null();
	return s != NULL ? s : json_string("?"); /* not UTF-8 */
}

/* A number that came from a message: JSON has none for those that are not finite. */
static json_t *number_of(double d)
{
	return isfinite(d) ? json_real(d) : json_null();
}

static const char *state_name(Mesos__V1__TaskState state)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state);
	return v != NULL ? v->name : "?";
}

/* ---- Resources ---- */

/* Adds one to what is there under its name: a number, or a text of ranges or items. */
static int add_resource(json_t *to, const Resource *r)
{
	json_t *name = text_of(r->name);
	auto_free char *key = name != NULL ? strdup(json_string_value(name)) : NULL;
	char text[256];
	size_t len = 0;

	json_decref(name);
	if (key == NULL)
		return -1;
	const json_t *there = json_object_get(to, key);

	if (r->scalar != NULL)
		return json_object_set_new(to, key, number_of(json_number_value(there) + r->scalar->value));
	text[0] = '\0';
	for (size_t i = 0; r->ranges != NULL && i < r->ranges->n_range && len + 64 < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%llu-%llu", i > 0 ? ", " : "[",
			(unsigned long long)r->ranges->range[i]->begin,
			(unsigned long long)r->ranges->range[i]->end);
	for (size_t i = 0; r->set != NULL && i < r->set->n_item && len + 64 < sizeof(text); i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%.50s", i > 0 ? ", " : "{", r->set->item[i]);
	if (len > 0)
		(void)snprintf(text + len, sizeof(text) - len, "%s", r->ranges != NULL ? "]" : "}");
	return json_object_set_new(to, key, text_of(text));
}

static int add_resources(json_t *to, const struct resources *some)
{
	Resource **pieces = NULL;
	size_t n = 0;
	int r = resources_to_pb(some, &pieces, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_resource(to, pieces[i]);
	resources_pb_free(pieces, n);
	return r;
}

/* An object with what everybody has some of. */
static json_t *nothing(void)
{
	return json_pack("{s:f, s:f, s:f}", "cpus", 0.0, "mem", 0.0, "disk", 0.0);
}

static json_t *resources_json(const struct resources *some)
{
	json_t *to = nothing();

	if (to != NULL && add_resources(to, some) != 0) {
		json_decref(to);
		return NULL;
	}
	return to;
}

/* ---- Tasks, executors, offers ---- */

static json_t *task_json(const struct task *t, const char *framework)
{
	json_t *resources = resources_json(t->resources);

	if (resources == NULL)
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "id", text_of(t->id), "name",
		text_of(t->name), "framework_id", text_of(framework), "executor_id",
		text_of(t->executor_id != NULL ? t->executor_id : ""), "slave_id",
		text_of(t->agent != NULL ? t->agent->info->id->value : NULL), "state", state_name(t->state),
		"role", text_of(t->member->role->name), "resources", resources);
}

static json_t *completed_json(const struct completed_task *c, const char *framework)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "id", text_of(c->id), "name", text_of(c->name),
		"framework_id", text_of(framework), "slave_id", text_of(c->agent), "state",
		state_name(c->state));
}

static json_t *executor_json(const struct executor *e, const struct agent *a)
{
	json_t *resources = resources_json(e->resources);

	if (resources == NULL)
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "executor_id", text_of(e->id), "name",
		text_of(e->name), "framework_id", text_of(e->member->framework->id), "slave_id",
		text_of(a->info->id->value), "role", text_of(e->member->role->name), "resources", resources);
}

static json_t *offer_json(const struct offer *o)
{
	json_t *resources = resources_json(o->resources);

	if (resources == NULL)
		return NULL;
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "id", o->id, "framework_id",
		text_of(o->member->framework->id), "slave_id", text_of(o->agent->info->id->value), "role",
		text_of(o->member->role->name), "resources", resources);
}

/* ---- Frameworks ---- */

struct lists {
	json_t *tasks, *unreachable, *completed, *executors, *offers, *roles, *used, *offered;
};

static void lists_deinit(struct lists *l)
{
	json_decref(l->tasks);
	json_decref(l->unreachable);
	json_decref(l->completed);
	json_decref(l->executors);
	json_decref(l->offers);
	json_decref(l->roles);
	json_decref(l->used);
	json_decref(l->offered);
}

static int list_tasks(struct lists *l, const struct framework *f)
{
	int r = 0;

	for (const struct task *t = f->tasks; r == 0 && t != NULL; t = t->hh.next) {
		r = push(l->tasks, task_json(t, f->id));
		if (r == 0 && !t->freed)
			r = add_resources(l->used, t->resources);
	}
	for (const struct task *t = f->unreachable; r == 0 && t != NULL; t = t->hh.next)
		r = push(l->unreachable, task_json(t, f->id));
	for (const struct completed_task *c = f->completed; r == 0 && c != NULL; c = c->next)
		r = push(l->completed, completed_json(c, f->id));
	for (size_t i = 0; r == 0 && i < f->members.n; i++)
		if (f->members.at[i]->subscribed)
			r = push(l->roles, text_of(f->members.at[i]->role->name));
	return r;
}

static int list_rest(struct lists *l, const struct master *m, const struct framework *f)
{
	int r = 0;

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		for (const struct executor *e = a->executors; r == 0 && e != NULL; e = e->next) {
			if (e->member->framework != f)
				continue;
			r = push(l->executors, executor_json(e, a));
			if (r == 0)
				r = add_resources(l->used, e->resources);
		}
		for (const struct offer *o = a->offers; r == 0 && o != NULL; o = o->next) {
			if (o->member->framework != f)
				continue;
			r = push(l->offers, offer_json(o));
			if (r == 0)
				r = add_resources(l->offered, o->resources);
		}
	}
	return r;
}

static json_t *framework_json(const struct master *m, const struct framework *f)
{
	const Mesos__V1__FrameworkInfo *info = f->info;
	struct lists l = { json_array(), json_array(), json_array(), json_array(), json_array(), json_array(),
		nothing(), nothing() };
	json_t *ret = NULL;

	if (list_tasks(&l, f) == 0 && list_rest(&l, m, f) == 0)
		ret = json_pack("{s:o, s:o, s:o, s:O, s:b, s:b, s:b, s:o, s:f, s:f, s:o, s:O, s:O, s:O, s:O, "
				"s:O, s:O, "
				"s:O}",
			"id", text_of(f->id), "name", text_of(info->name), "user", text_of(info->user),
			"roles", l.roles, "active", f->connected, "connected", f->connected, "checkpoint",
			info->checkpoint, "failover_timeout", number_of(info->failover_timeout),
			"registered_time", seconds(f->registered_ms), "reregistered_time",
			seconds(f->reregistered_ms), "webui_url",
			text_of(info->webui_url != NULL ? info->webui_url : ""), "used_resources", l.used,
			"offered_resources", l.offered, "tasks", l.tasks, "unreachable_tasks", l.unreachable,
			"completed_tasks", l.completed, "executors", l.executors, "offers", l.offers);
	lists_deinit(&l);
	return ret;
}

/* ---- Agents ---- */

static int agent_uses(json_t *used, json_t *offered, const struct agent *a)
{
	int r = 0;

	for (const struct task *t = a->tasks; r == 0 && t != NULL; t = t->next)
		if (!t->freed)
			r = add_resources(used, t->resources);
	for (const struct executor *e = a->executors; r == 0 && e != NULL; e = e->next)
		r = add_resources(used, e->resources);
	for (const struct offer *o = a->offers; r == 0 && o != NULL; o = o->next)
		r = add_resources(offered, o->resources);
	return r;
}

static json_t *agent_json(const struct master *m, const struct agent *a)
{
	json_t *used = nothing(), *offered = nothing(), *total = resources_json(a->total), *ret = NULL;
	char pid[256];

	(void)snprintf(pid, sizeof(pid), "slave(1)@%.200s:%d", m->config.ip, a->info->port);
	if (total != NULL && agent_uses(used, offered, a) == 0)
		ret = json_pack("{s:o, s:o, s:i, s:s, s:b, s:f, s:O, s:O, s:O}", "id",
			text_of(a->info->id->value), "hostname", text_of(a->info->hostname), "port",
			(int)a->info->port, "pid", pid, "active", a->linked && !a->unreachable,
			"registered_time", seconds(a->registered_ms), "resources", total, "used_resources",
			used, "offered_resources", offered);
	json_decref(total);
	json_decref(used);
	json_decref(offered);
	return ret;
}

static json_t *gone_json(const struct gone *g)
{
	return json_pack("{s:o, s:o, s:b, s:f, s:f}", "id", text_of(g->info->id->value), "name",
		text_of(g->info->name), "active", 0, "registered_time", seconds(g->registered_ms),
		"unregistered_time", seconds(g->gone_ms));
}

static int fill(const struct master *m, json_t *frameworks, json_t *agents, json_t *completed)
{
	int r = 0;

	for (const struct framework *f = m->frameworks; r == 0 && f != NULL; f = f->hh.next)
		r = push(frameworks, framework_json(m, f));
	for (const struct agent *a = m->agents; r == 0 && a != NULL; a = a->hh.next)
		r = push(agents, agent_json(m, a));
	for (const struct gone *g = m->gone; r == 0 && g != NULL; g = g->hh.next)
		r = push(completed, gone_json(g));
	return r;
}

json_t *master_state(const struct master *m, uint64_t now_ms)
{
	json_t *frameworks = json_array(), *agents = json_array(), *completed = json_array(), *ret = NULL;
	uint64_t there = 0;
	char pid[256];

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next)
		there += a->linked;
	(void)now_ms;
	(void)snprintf(pid, sizeof(pid), "master@%.200s:%u", m->config.ip, m->config.port);
	if (fill(m, frameworks, agents, completed) == 0)
		ret = json_pack("{s:s, s:s, s:s, s:o, s:f, s:I, s:I, s:O, s:O, s:O}", "version", "1.12.0",
			"id", m->id, "pid", pid, "hostname", text_of(m->config.hostname), "start_time",
			seconds(m->started_ms), "activated_slaves", (json_int_t)there, "deactivated_slaves",
			(json_int_t)(HASH_COUNT(m->agents) - there), "slaves", agents, "frameworks",
			frameworks, "completed_frameworks", completed);
	json_decref(frameworks);
	json_decref(agents);
	json_decref(completed);
	return ret;
}
