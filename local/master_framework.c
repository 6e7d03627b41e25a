/* master_framework.c: frameworks: from SUBSCRIBE to the end of their id. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

enum { HTTP_OK = 200, HTTP_BAD_REQUEST = 400 };

struct framework *master_framework(const struct master *m, const char *id)
{
	struct framework *f;

	HASH_FIND_STR(m->frameworks, id, f);
	return f;
}

struct membership *master_member(const struct framework *f, const char *role)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (strcmp(f->members[i]->role->name, role) == 0)
			return f->members[i];
	return NULL;
}

static struct membership *add_member(struct master *m, struct framework *f, const char *role)
{
	struct membership *member = calloc(1, sizeof(*member));
	struct membership **more = realloc(f->members, (f->n_members + 1) * sizeof(struct membership *));

	if (more != NULL)
		f->members = more;
	struct role *of = member != NULL && more != NULL ? master_role(m, role) : NULL;
	if (of == NULL) {
		free(member);
		m->oom = true;
		return NULL;
	}
	member->framework = f;
	member->role = of;
	member->share = (struct share){ .name = f->id, .owner = member, .active = f->connected };
	if (master_sorter_add(&of->members, &member->share) < 0)
		m->oom = true;
	of->n_members++;
	f->members[f->n_members++] = member;
	return member;
}

struct membership *master_need_member(struct master *m, struct framework *f, const char *role)
{
	struct membership *member = master_member(f, role);

	return member != NULL ? member : add_member(m, f, role);
}

/* ---- What a FrameworkInfo says ---- */

static bool has(const Mesos__V1__FrameworkInfo *info, Mesos__V1__FrameworkInfo__Capability__Type type)
{
	for (size_t i = 0; i < info->n_capabilities; i++)
		if (info->capabilities[i]->has_type && info->capabilities[i]->type == type)
			return true;
	return false;
}

static bool multi_role(const Mesos__V1__FrameworkInfo *info)
{
	return has(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
}

static bool is_suppressed(const Mesos__V1__Scheduler__Call__Subscribe *s, const char *role)
{
	for (size_t i = 0; i < s->n_suppressed_roles; i++)
		if (strcmp(s->suppressed_roles[i], role) == 0)
			return true;
	return false;
}

/* The roles of a subscription; a role that is not named any more gets no offers. */
static void set_roles(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Subscribe *s)
{
	const Mesos__V1__FrameworkInfo *info = s->framework_info;
	const char *const one[] = { info->role != NULL ? info->role : "*" };
	const char *const *roles = multi_role(info) ? (const char *const *)info->roles : one;
	size_t n = multi_role(info) ? info->n_roles : 1;

	for (size_t i = 0; i < f->n_members; i++)
		f->members[i]->suppressed = true;
	for (size_t i = 0; i < n; i++) {
		struct membership *member = master_need_member(m, f, roles[i]);

		if (member != NULL)
			member->suppressed = is_suppressed(s, roles[i]);
	}
}

static void set_info(struct master *m, struct framework *f, const Mesos__V1__FrameworkInfo *info)
{
	Mesos__V1__FrameworkInfo with_id = *info;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	id.value = f->id;
	with_id.id = &id;
	Mesos__V1__FrameworkInfo *copy = master_dup(m, &with_id);
	if (copy == NULL)
		return;
	if (f->info != NULL)
		mesos__v1__framework_info__free_unpacked(f->info, NULL);
	f->info = copy;
	f->partition_aware = has(copy, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
	f->refined = has(copy, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT);
	f->revocable = has(copy, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REVOCABLE_RESOURCES);
	f->shared = has(copy, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__SHARED_RESOURCES);
}

static struct framework *add_framework(struct master *m, const char *id, const Mesos__V1__FrameworkInfo *info)
{
	struct framework *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		m->oom = true;
		return NULL;
	}
	f->heartbeat.kind = TIMER_HEARTBEAT;
	f->failover.kind = TIMER_FAILOVER;
	f->registered_ms = m->now;
	f->id = id != NULL ? master_strdup(m, id)
			   : master_format(m, "%s-%04llu", m->id, (unsigned long long)m->next_framework++);
	if (f->id != NULL)
		set_info(m, f, info);
	if (f->info == NULL) {
		free(f->id);
		free(f);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, m->frameworks, f->id, strlen(f->id), f);
	return f;
}

struct framework *master_recover(struct master *m, const Mesos__V1__FrameworkInfo *info)
{
	struct gone *gone;

	if (info->id == NULL)
		return NULL;
	struct framework *f = master_framework(m, info->id->value);
	if (f != NULL)
		return f;
	HASH_FIND_STR(m->gone, info->id->value, gone);
	return gone != NULL ? NULL : add_framework(m, info->id->value, info);
}

/* ---- The connection ---- */

static void set_connected(struct framework *f, bool connected)
{
	f->connected = connected;
	for (size_t i = 0; i < f->n_members; i++)
		master_sorter_activate(&f->members[i]->role->members, &f->members[i]->share, connected);
}

static void drop_offers(struct master *m, const struct framework *f)
{
	for (struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		for (struct offer *o = a->offers, *next; o != NULL; o = next) {
			next = o->next;
			if (o->member->framework == f)
				master_rescind(m, o, false);
		}
	}
}

static void send_error(struct master *m, uint64_t conn, const char *text)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Error error = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;
	struct framework somebody = { .connected = true, .conn = conn };

	error.message = (char *)text;
	event.error = &error;
	master_to_framework(m, &somebody, MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR, &event);
	master_do(m, MASTER_DO_CLOSE)->conn = conn;
}

static void say_subscribed(struct master *m, struct framework *f)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Subscribed subscribed = MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__MasterInfo info = MESOS__V1__MASTER_INFO__INIT;
	Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;
	char *pid = master_format(m, "master@%s:%u", m->config.ip, m->config.port);

	address.hostname = (char *)m->config.hostname;
	address.ip = (char *)m->config.ip;
	address.port = m->config.port;
	info.id = m->id;
	info.ip = inet_addr(m->config.ip); /* in network order, as Mesos has it */
	info.port = m->config.port;
	info.pid = pid;
	info.hostname = (char *)m->config.hostname;
	info.version = (char *)"1.12.0"; /* the Mesos that we stand in for */
	info.address = &address;
	subscribed.framework_id = f->info->id;
	subscribed.has_heartbeat_interval_seconds = 1;
	subscribed.heartbeat_interval_seconds = (double)m->config.heartbeat_interval_ms / 1000;
	subscribed.master_info = &info;
	event.subscribed = &subscribed;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED, &event);
	free(pid);
}

void master_heartbeat(struct master *m, struct framework *f)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;

	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__HEARTBEAT, &event);
	master_set_timer(m, &f->heartbeat, m->now + m->config.heartbeat_interval_ms);
}

static void open_stream(struct master *m, uint64_t conn, char stream_id[MASTER_UUID_TEXT])
{
	master_uuid(m, stream_id);
	struct master_action *x = master_do(m, MASTER_DO_REPLY);
	x->conn = conn;
	x->status = HTTP_OK;
	x->stream_id = master_strdup(m, stream_id);
}

void master_subscribe(struct master *m, uint64_t conn, const Mesos__V1__Scheduler__Call__Subscribe *s)
{
	const Mesos__V1__FrameworkInfo *info = s->framework_info;
	const char *id = info->id != NULL && info->id->value[0] != '\0' ? info->id->value : NULL;
	struct framework *f = id != NULL ? master_framework(m, id) : NULL;
	char stream_id[MASTER_UUID_TEXT];
	struct gone *gone = NULL;

	if (multi_role(info) && info->role != NULL &&
		info->role != mesos__v1__framework_info__role__default_value) {
		master_reply(
			m, conn, HTTP_BAD_REQUEST, "'FrameworkInfo.role' must not be set when MULTI_ROLE is");
		return;
	}
	if (id != NULL)
		HASH_FIND_STR(m->gone, id, gone);
	open_stream(m, conn, stream_id);
	if (gone != NULL) {
		send_error(m, conn, "Framework has been removed");
		return;
	}
	if (f == NULL) {
		f = add_framework(m, id, info);
		if (f == NULL)
			return;
	} else {
		if (f->connected)
			send_error(m, f->conn, "Framework failed over");
		drop_offers(m, f);
		set_info(m, f, info);
	}
	f->conn = conn;
	memcpy(f->stream_id, stream_id, sizeof(f->stream_id));
	master_timer_clear(&m->timers, &f->failover);
	set_roles(m, f, s);
	set_connected(f, true);
	for (size_t i = 0; i < f->n_members; i++)
		master_clear_filters(m, f->members[i]);
	say_subscribed(m, f);
	master_heartbeat(m, f);
	master_allocate(m, NULL);
}

static struct framework *of_connection(const struct master *m, uint64_t conn)
{
	for (struct framework *f = m->frameworks; f != NULL; f = f->hh.next)
		if (f->connected && f->conn == conn)
			return f;
	return NULL;
}

void master_closed(struct master *m, uint64_t conn)
{
	struct framework *f = of_connection(m, conn);

	if (f == NULL)
		return;
	double timeout = f->info->has_failover_timeout && f->info->failover_timeout > 0
				 ? f->info->failover_timeout
				 : 0;
	set_connected(f, false);
	master_timer_clear(&m->timers, &f->heartbeat);
	drop_offers(m, f);
	if (timeout > 1e9) /* as good as never */
		timeout = 1e9;
	master_set_timer(m, &f->failover, m->now + (uint64_t)(timeout * 1000));
}

/* ---- The end ---- */

static void remember_gone(struct master *m, const char *id)
{
	struct gone *g = malloc(sizeof(*g) + strlen(id) + 1);

	if (g == NULL) {
		m->oom = true;
		return;
	}
	memcpy(g->id, id, strlen(id) + 1);
	HASH_ADD_KEYPTR(hh, m->gone, g->id, strlen(g->id), g);
}

static void leave_agent(struct master *m, struct agent *a, struct framework *f)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	bool there = false;

	for (struct task *t = a->tasks, *next; t != NULL; t = next) {
		next = t->next;
		if (t->member->framework == f) {
			there = true;
			master_free_task(m, t);
		}
	}
	for (struct executor *e = a->executors, *next; e != NULL; e = next) {
		next = e->next;
		if (e->member->framework == f) {
			there = true;
			master_free_executor(m, a, e);
		}
	}
	if (!there)
		return;
	to.shutdown_framework = f->info->id;
	master_to_agent(m, a, &to);
}

void master_remove_framework(struct master *m, struct framework *f)
{
	if (f->connected)
		master_do(m, MASTER_DO_CLOSE)->conn = f->conn;
	set_connected(f, false);
	drop_offers(m, f);
	for (struct agent *a = m->agents; a != NULL; a = a->hh.next)
		leave_agent(m, a, f);
	for (size_t i = 0; i < f->n_members; i++)
		master_clear_filters(m, f->members[i]);
	remember_gone(m, f->id);
	HASH_DEL(m->frameworks, f);
	master_free_framework(m, f);
}

void master_free_framework(struct master *m, struct framework *f)
{
	master_timer_clear(&m->timers, &f->heartbeat);
	master_timer_clear(&m->timers, &f->failover);
	for (size_t i = 0; i < f->n_members; i++) {
		master_sorter_remove(&f->members[i]->role->members, &f->members[i]->share);
		master_role_leave(m, f->members[i]->role);
		free(f->members[i]);
	}
	free(f->members);
	vec_deinit(&f->pending);
	mesos__v1__framework_info__free_unpacked(f->info, NULL);
	free(f->id);
	free(f);
}
