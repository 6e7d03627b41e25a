/* master_framework.c: from SUBSCRIBE to the end of a framework.
 *
 * Master::subscribe(), addFramework(), failoverFramework(), disconnect(), removeFramework() in
 * src/master/master.cpp of Apache Mesos. A subscription that is refused is an HTTP stream all the same:
 * ERROR, then its end. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

typedef Mesos__V1__Scheduler__Call__Subscribe Subscribe;
typedef Mesos__V1__FrameworkInfo FrameworkInfo;

struct framework *master_framework(const struct master *m, const char *id)
{
	struct framework *f;

	HASH_FIND_STR(m->frameworks, id, f);
	return f;
}

struct member *master_member(const struct framework *f, const char *role)
{
	for (size_t i = 0; i < f->members.n; i++)
		if (strcmp(f->members.at[i]->role->name, role) == 0)
			return f->members.at[i];
	return NULL;
}

/* ---- Members ---- */

struct member *master_need_member(struct master *m, struct framework *f, const char *role)
{
	struct member *member = master_member(f, role);

	if (member != NULL)
		return member;
	struct role *r = master_need_role(m, role);
	member = calloc(1, sizeof(*member));
	if (r == NULL || member == NULL || vec_push(&f->members, member) < 0) {
		m->oom = true;
		free(member);
		return NULL;
	}
	member->framework = f;
	member->role = r;
	member->share = (struct share){ .name = f->id, .owner = member };
	if (master_sorter_add(&r->members, &member->share) < 0) {
		m->oom = true;
		f->members.n--;
		free(member);
		return NULL;
	}
	return member;
}

static void free_member(struct master *m, struct member *member)
{
	master_clear_filters(m, member);
	master_sorter_remove(&member->role->members, &member->share);
	master_tidy_role(m, member->role);
	free(member);
}

static bool in_list(const char *name, char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/* Brings the members in line with what a subscription, or an update, says. A role that is no longer
 * suppressed loses its filters, as by REVIVE. */
static void set_roles(
	struct master *m, struct framework *f, char *const *suppressed_roles, size_t n_suppressed)
{
	char *const *roles;
	size_t n = master_roles_of(f->info, &roles);

	for (size_t i = 0; i < n; i++)
		(void)master_need_member(m, f, roles[i]);
	for (size_t i = 0; i < f->members.n; i++) {
		struct member *member = f->members.at[i];
		bool suppressed = in_list(member->role->name, suppressed_roles, n_suppressed);

		member->subscribed = in_list(member->role->name, roles, n);
		if (member->suppressed && !suppressed)
			master_clear_filters(m, member);
		member->suppressed = suppressed;
		master_set_active(member, f->connected && member->subscribed && !suppressed);
	}
}

/* ---- Birth ---- */

static void take_info(struct framework *f, FrameworkInfo *info)
{
	if (f->info != NULL)
		mesos__v1__framework_info__free_unpacked(f->info, NULL);
	f->info = info;
	f->multi_role = master_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
	f->partition_aware =
		master_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
	f->refined = master_has_capability(
		info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT);
	f->revocable =
		master_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REVOCABLE_RESOURCES);
	f->shared =
		master_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__SHARED_RESOURCES);
}

static void take_constraints(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__OfferConstraints *c)
{
	if (f->constraints != NULL)
		mesos__v1__scheduler__offer_constraints__free_unpacked(f->constraints, NULL);
	f->constraints = c != NULL ? master_dup(m, c) : NULL;
}

/* A copy that says `id`. */
static FrameworkInfo *copy_info(struct master *m, const FrameworkInfo *from, const char *id)
{
	FrameworkInfo own = *from;
	Mesos__V1__FrameworkID name = MESOS__V1__FRAMEWORK_ID__INIT;

	name.value = (char *)id;
	own.id = &name;
	return master_dup(m, &own);
}

static struct framework *new_framework(struct master *m, const FrameworkInfo *info, const char *id)
{
	struct framework *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		m->oom = true;
		return NULL;
	}
	f->heartbeat.kind = TIMER_HEARTBEAT;
	f->failover.kind = TIMER_FAILOVER;
	f->registered_ms = m->now;
	f->id = master_strdup(m, id);
	FrameworkInfo *copy = copy_info(m, info, id);
	if (copy != NULL)
		take_info(f, copy);
	if (f->id != NULL && copy != NULL)
		HASH_ADD_KEYPTR(hh, m->frameworks, f->id, strlen(f->id), f);
	if (f->hh.tbl == NULL) {
		m->oom = true;
		master_free_framework(m, f);
		return NULL;
	}
	return f;
}

struct framework *master_recover_framework(struct master *m, const FrameworkInfo *info)
{
	struct framework *f = new_framework(m, info, info->id->value);

	if (f == NULL)
		return NULL;
	set_roles(m, f, NULL, 0);
	/* It may still come: for as long as agents may, at least. */
	double wait = info->failover_timeout * 1000, least = (double)m->config.agent_reregister_timeout_ms;
	master_set_timer(m, &f->failover, m->now + (uint64_t)(wait > least ? wait : least));
	return f;
}

/* ---- The stream ---- */

void master_heartbeat(struct master *m, struct framework *f)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;

	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__HEARTBEAT, &event);
	master_set_timer(m, &f->heartbeat, m->now + m->config.heartbeat_interval_ms);
}

static void send_error(struct master *m, uint64_t conn, const char *message)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Error error = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;

	error.message = (char *)message;
	event.error = &error;
	master_event(m, conn, MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR, &event);
	master_close(m, conn);
}

static void refuse(struct master *m, uint64_t conn, const char *message)
{
	char stream_id[UUID_TEXT];

	random_uuid_text(&m->random, stream_id);
	master_open(m, conn, stream_id);
	send_error(m, conn, message);
}

static void send_subscribed(struct master *m, struct framework *f)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Subscribed subscribed = MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__MasterInfo info = MESOS__V1__MASTER_INFO__INIT;
	Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;
	char pid[512];
	struct in_addr ip = { 0 };

	(void)inet_pton(AF_INET, m->config.ip, &ip);
	(void)snprintf(pid, sizeof(pid), "master@%s:%u", m->config.ip, m->config.port);
	address.hostname = (char *)m->config.hostname;
	address.ip = (char *)m->config.ip;
	address.port = m->config.port;
	info.id = m->id;
	info.ip = ip.s_addr; /* in network order, as Mesos has it */
	info.port = m->config.port;
	info.pid = pid;
	info.hostname = (char *)m->config.hostname;
	info.version = (char *)"1.12.0"; /* of the API that is spoken */
	info.address = &address;
	subscribed.framework_id = f->info->id;
	subscribed.has_heartbeat_interval_seconds = 1;
	subscribed.heartbeat_interval_seconds = (double)m->config.heartbeat_interval_ms / 1000;
	subscribed.master_info = &info;
	event.subscribed = &subscribed;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED, &event);
}

/* Whether the connection had been the framework's: then it is no more. */
static bool unlink_conn(struct master *m, struct framework *f)
{
	if (!f->connected)
		return false;
	f->connected = false;
	HASH_DELETE(hh_conn, m->conns, f);
	master_timer_clear(&m->timers, &f->heartbeat);
	return true;
}

static void link_conn(struct master *m, struct framework *f, uint64_t conn)
{
	f->conn = conn;
	random_uuid_text(&m->random, f->stream_id);
	HASH_ADD(hh_conn, m->conns, conn, sizeof(f->conn), f);
	if (f->hh_conn.tbl == NULL)
		m->oom = true;
	else
		f->connected = true;
	master_open(m, conn, f->stream_id);
}

/* ---- SUBSCRIBE ---- */

/* Everything that is offered to it; `rescind`: it hears of it. */
static void drop_offers(struct master *m, struct framework *f, bool rescind)
{
	struct offer *o, *next;

	HASH_ITER (hh, m->offers, o, next) {
		if (f->n_offers == 0)
			break;
		if (o->member->framework != f)
			continue;
		if (rescind)
			master_rescind_offer(m, o);
		else
			master_discard_offer(m, o, NULL, false);
	}
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* User and checkpointing stay what they were. False: the principal is another one. */
static bool change_info(struct master *m, struct framework *f, const FrameworkInfo *to)
{
	FrameworkInfo info = *to;

	if (strcmp(or_empty(f->info->principal), or_empty(info.principal)) != 0)
		return false;
	info.user = f->info->user;
	info.has_checkpoint = f->info->has_checkpoint;
	info.checkpoint = f->info->checkpoint;
	FrameworkInfo *copy = copy_info(m, &info, f->id);
	if (copy != NULL)
		take_info(f, copy);
	return true;
}

/* Again, with an id: the older stream, if there is one, ends. */
static void resubscribe(struct master *m, struct framework *f, uint64_t conn, const Subscribe *s)
{
	if (!change_info(m, f, s->framework_info)) {
		refuse(m, conn, "Changing framework's principal is not allowed.");
		return;
	}
	f->calls[MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE]++;
	f->reregistered_ms = m->now;
	uint64_t old = f->conn;
	if (unlink_conn(m, f))
		send_error(m, old, "Framework failed over");
	master_timer_clear(&m->timers, &f->failover);
	drop_offers(m, f, false);
	link_conn(m, f, conn);
	take_constraints(m, f, s->offer_constraints);
	set_roles(m, f, s->suppressed_roles, s->n_suppressed_roles);
	send_subscribed(m, f);
	master_heartbeat(m, f);
	master_allocate(m, NULL);
}

static void subscribe(struct master *m, uint64_t conn, const Subscribe *s, const char *id)
{
	struct framework *f = new_framework(m, s->framework_info, id);

	if (f == NULL)
		return;
	f->calls[MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE]++;
	link_conn(m, f, conn);
	take_constraints(m, f, s->offer_constraints);
	set_roles(m, f, s->suppressed_roles, s->n_suppressed_roles);
	send_subscribed(m, f);
	master_heartbeat(m, f);
	master_allocate(m, NULL);
}

void master_subscribe(struct master *m, uint64_t conn, const Subscribe *s)
{
	const FrameworkInfo *info = s->framework_info;
	struct err err = { "" };
	struct gone *gone = NULL;
	char id[UUID_TEXT + 24];

	if (master_check_framework(info, &err) < 0 ||
		master_wishes_check(info, s->offer_constraints, &err) < 0) {
		refuse(m, conn, err.text);
		return;
	}
	bool first = info->id == NULL || info->id->value[0] == '\0';
	if (!first)
		HASH_FIND_STR(m->gone, info->id->value, gone);
	if (gone != NULL) {
		refuse(m, conn, "Framework has been removed");
		return;
	}
	if (master_check_suppressed(info, s->suppressed_roles, s->n_suppressed_roles, &err) < 0) {
		refuse(m, conn, err.text);
		return;
	}
	struct framework *f = first ? NULL : master_framework(m, info->id->value);
	if (f != NULL) {
		resubscribe(m, f, conn, s);
		return;
	}
	(void)snprintf(id, sizeof(id), "%s-%04llu", m->id, (unsigned long long)m->next_framework);
	if (first)
		m->next_framework++;
	subscribe(m, conn, s, first ? id : info->id->value);
}

/* Nothing is allocated for it, as in Mesos. */
int master_update_framework(struct master *m, struct framework *f,
	const Mesos__V1__Scheduler__Call__UpdateFramework *u, struct err *err)
{
	const FrameworkInfo *info = u->framework_info;

	if (info->id == NULL || strcmp(info->id->value, f->id) != 0)
		return err_set(
			err, -EINVAL, "Framework id in the call doesn't match that in `framework_info`");
	int r = master_check_framework(info, err);
	r = r < 0 ? r : master_wishes_check(info, u->offer_constraints, err);
	if (r == 0)
		r = master_check_suppressed(info, u->suppressed_roles, u->n_suppressed_roles, err);
	if (r == 0 && !change_info(m, f, info))
		r = err_set(err, -EINVAL, "Changing framework's principal is not allowed.");
	if (r < 0)
		return r;
	take_constraints(m, f, u->offer_constraints);
	set_roles(m, f, u->suppressed_roles, u->n_suppressed_roles);
	return 0;
}

/* ---- The end ---- */

void master_disconnected(struct master *m, uint64_t conn)
{
	struct framework *f;

	HASH_FIND(hh_conn, m->conns, &conn, sizeof(conn), f);
	if (f == NULL)
		return;
	(void)unlink_conn(m, f);
	for (size_t i = 0; i < f->members.n; i++) {
		master_set_active(f->members.at[i], false);
		master_clear_filters(m, f->members.at[i]);
	}
	drop_offers(m, f, false);
	double seconds = f->info->failover_timeout;
	if (seconds > 0)
		master_set_timer(m, &f->failover, m->now + (uint64_t)(seconds * 1000));
	else
		master_remove_framework(m, f);
}

static void remember(struct master *m, struct framework *f)
{
	struct gone *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		m->oom = true;
		return;
	}
	g->id = master_strdup(m, f->id);
	g->name = master_strdup(m, f->info->name);
	g->registered_ms = f->registered_ms;
	g->gone_ms = m->now;
	if (g->id != NULL && g->name != NULL)
		HASH_ADD_KEYPTR(hh, m->gone, g->id, strlen(g->id), g);
	if (g->hh.tbl == NULL) {
		m->oom = true;
	} else if (HASH_COUNT(m->gone) > COMPLETED_MAX) {
		g = m->gone; /* the oldest */
		HASH_DEL(m->gone, g);
	} else {
		return;
	}
	free(g->id);
	free(g->name);
	free(g);
}

static void free_executors(struct master *m, struct agent *a, const struct framework *f)
{
	struct executor *e, *next;

	DL_FOREACH_SAFE(a->executors, e, next)
	if (e->member->framework == f)
		master_free_executor(m, a, e, true);
}

void master_remove_framework(struct master *m, struct framework *f)
{
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	struct agent *a, *next_agent;
	struct task *t, *next_task;
	uint64_t conn = f->conn;

	for (size_t i = 0; i < f->members.n; i++)
		master_set_active(f->members.at[i], false);
	drop_offers(m, f, false);
	if (unlink_conn(m, f))
		master_close(m, conn);
	message.shutdown_framework = f->info->id;
	HASH_ITER (hh, m->agents, a, next_agent)
		master_to_agent(m, a, &message);
	HASH_ITER (hh, f->tasks, t, next_task) {
		master_task_state(m, t, MESOS__V1__TASK_STATE__TASK_KILLED);
		master_complete_task(m, t);
	}
	HASH_ITER (hh, m->agents, a, next_agent)
		free_executors(m, a, f);
	remember(m, f);
	master_free_framework(m, f);
}

void master_free_framework(struct master *m, struct framework *f)
{
	struct task *t, *next;
	struct completed_task *c, *next_completed;

	master_timer_clear(&m->timers, &f->heartbeat);
	master_timer_clear(&m->timers, &f->failover);
	(void)unlink_conn(m, f);
	HASH_ITER (hh, f->tasks, t, next)
		master_free_task(m, t);
	HASH_ITER (hh, f->unreachable, t, next)
		master_free_task(m, t);
	DL_FOREACH_SAFE(f->completed, c, next_completed)
	{
		free(c->id);
		free(c->name);
		free(c->agent);
		free(c);
	}
	for (size_t i = 0; i < f->members.n; i++)
		free_member(m, f->members.at[i]);
	vec_deinit(&f->members);
	vec_deinit(&f->fresh);
	if (f->hh.tbl != NULL)
		HASH_DELETE(hh, m->frameworks, f);
	take_constraints(m, f, NULL);
	if (f->info != NULL)
		mesos__v1__framework_info__free_unpacked(f->info, NULL);
	free(f->id);
	free(f);
}
