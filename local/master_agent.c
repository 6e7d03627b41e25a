/* master_agent.c: agents: registered, away, gone; their executors, and what they say. */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

struct agent *master_agent(const struct master *m, const char *id)
{
	struct agent *a;

	HASH_FIND_STR(m->agents, id, a);
	return a;
}

static struct agent *of_link(const struct master *m, uint64_t link)
{
	struct agent *a;

	HASH_FIND(hh_link, m->links, &link, sizeof(link), a);
	return a;
}

/* ---- Executors ---- */

struct executor *master_executor(const struct agent *a, const struct framework *f, const char *id)
{
	struct executor *e = a->executors;

	while (e != NULL && (e->member->framework != f || strcmp(e->info->executor_id->value, id) != 0))
		e = e->next;
	return e;
}

struct executor *master_add_executor(struct master *m, struct agent *a, struct membership *member,
	const Mesos__V1__ExecutorInfo *info, struct resources *resources)
{
	struct executor *e = calloc(1, sizeof(*e));

	if (e == NULL || (e->info = master_dup(m, info)) == NULL) {
		free(e);
		(void)resources_free(resources);
		m->oom = true;
		return NULL;
	}
	e->member = member;
	e->resources = resources;
	e->next = a->executors;
	a->executors = e;
	return e;
}

void master_free_executor(struct master *m, struct agent *a, struct executor *e)
{
	struct executor **at = &a->executors;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	master_give_back(m, a, e->member, e->resources);
	(void)resources_free(e->resources);
	mesos__v1__executor_info__free_unpacked(e->info, NULL);
	free(e);
}

static void say_failure(struct master *m, struct framework *f, const struct agent *a, const char *executor,
	const int32_t *status)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;
	Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;

	failure.agent_id = a->info->id;
	if (executor != NULL) {
		id.value = (char *)executor;
		failure.executor_id = &id;
	}
	if (status != NULL) {
		failure.has_status = 1;
		failure.status = *status;
	}
	event.failure = &failure;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE, &event);
}

static void executor_exited(
	struct master *m, struct agent *a, const Quern__Local__ToMaster__ExecutorExited *x)
{
	struct framework *f = master_framework(m, x->framework_id->value);
	struct executor *e = f != NULL ? master_executor(a, f, x->executor_id->value) : NULL;

	if (e == NULL)
		return;
	say_failure(m, f, a, x->executor_id->value, &x->status);
	master_free_executor(m, a, e);
}

/* ---- Leaving ---- */

static void drop_offers(struct master *m, struct agent *a)
{
	while (a->offers != NULL)
		master_rescind(m, a->offers, true);
}

/* Every framework that has something there hears what became of it. */
static void lose_tasks(struct master *m, struct agent *a, bool unreachable, const char *message)
{
	while (a->tasks != NULL) {
		struct task *t = a->tasks;
		struct framework *f = t->member->framework;

		if (!master_terminal(t->state)) {
			t->state = unreachable && f->partition_aware ? MESOS__V1__TASK_STATE__TASK_UNREACHABLE
								     : MESOS__V1__TASK_STATE__TASK_LOST;
			master_say(m, f, t->info->task_id->value, a,
				t->info->executor != NULL ? t->info->executor->executor_id->value : NULL,
				t->state, MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED, message);
		}
		master_free_task(m, t);
	}
	while (a->executors != NULL)
		master_free_executor(m, a, a->executors);
}

static void say_agent_lost(struct master *m, const struct agent *a)
{
	for (struct framework *f = m->frameworks; f != NULL; f = f->hh.next)
		say_failure(m, f, a, NULL, NULL);
}

static void unlink_agent(struct master *m, struct agent *a)
{
	if (a->linked)
		HASH_DELETE(hh_link, m->links, a);
	a->linked = false;
}

/* Takes it out of what the shares are reckoned from. */
static void discount(struct master *m, struct agent *a)
{
	struct quantities q;

	master_quantities(m, a->total, &q);
	master_quantities_subtract(&m->total, &q);
	m->role_sorter.dirty = true;
	for (struct role *r = m->roles; r != NULL; r = r->hh.next)
		r->members.dirty = true;
}

static void count_in(struct master *m, struct agent *a)
{
	struct quantities q;

	master_quantities(m, a->total, &q);
	master_quantities_add(&m->total, &q);
	m->role_sorter.dirty = true;
	for (struct role *r = m->roles; r != NULL; r = r->hh.next)
		r->members.dirty = true;
}

void master_agent_down(struct master *m, uint64_t link)
{
	struct agent *a = of_link(m, link);

	if (a == NULL)
		return;
	unlink_agent(m, a);
	drop_offers(m, a);
	a->timer.kind = TIMER_AGENT_LOST;
	master_set_timer(m, &a->timer, m->now + m->config.agent_ping_timeout_ms);
}

void master_agent_unreachable(struct master *m, struct agent *a)
{
	char *message =
		master_format(m, "Agent %s is unreachable: health check timed out", a->info->hostname);

	lose_tasks(m, a, true, message);
	free(message);
	say_agent_lost(m, a);
	discount(m, a);
	a->unreachable = true;
	a->timer.kind = TIMER_AGENT_FORGET;
	master_set_timer(m, &a->timer, m->now + m->config.agent_reregister_timeout_ms);
}

void master_free_agent(struct master *m, struct agent *a)
{
	while (a->offers != NULL)
		master_rescind(m, a->offers, false);
	while (a->filters != NULL)
		master_free_filter(m, a->filters);
	while (a->tasks != NULL)
		master_free_task(m, a->tasks);
	while (a->executors != NULL)
		master_free_executor(m, a, a->executors);
	unlink_agent(m, a);
	master_timer_clear(&m->timers, &a->timer);
	HASH_DEL(m->agents, a);
	(void)resources_free(a->total);
	(void)resources_free(a->free);
	mesos__v1__agent_info__free_unpacked(a->info, NULL);
	free(a);
}

static void unregister(struct master *m, struct agent *a)
{
	char *message = master_format(m, "Agent %s removed: the agent unregistered", a->info->hostname);

	drop_offers(m, a);
	lose_tasks(m, a, false, message);
	free(message);
	say_agent_lost(m, a);
	discount(m, a);
	master_free_agent(m, a);
}

/* ---- Coming ---- */

/* The agent's info with its id, which it gets here if it has none. */
static Mesos__V1__AgentInfo *name_agent(struct master *m, const Mesos__V1__AgentInfo *info)
{
	Mesos__V1__AgentInfo with_id = *info;
	Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
	char *fresh = NULL;

	if (info->id == NULL) {
		fresh = master_format(m, "%s-S%llu", m->id, (unsigned long long)m->next_agent++);
		id.value = fresh;
		with_id.id = &id;
	}
	Mesos__V1__AgentInfo *copy = info->id == NULL && fresh == NULL ? NULL : master_dup(m, &with_id);
	free(fresh);
	return copy;
}

static struct agent *add_agent(struct master *m, const Mesos__V1__AgentInfo *info)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct err err;

	if (a == NULL || (a->info = name_agent(m, info)) == NULL) {
		free(a);
		m->oom = true;
		return NULL;
	}
	a->total = master_read(m, info->resources, info->n_resources, &err);
	if (a->total == NULL || resources_dup(a->total, &a->free) < 0) {
		(void)resources_free(a->total);
		mesos__v1__agent_info__free_unpacked(a->info, NULL);
		free(a);
		return NULL; /* resources that are none: the agent is left alone */
	}
	master_count_free(a);
	HASH_ADD_KEYPTR(hh, m->agents, a->info->id->value, strlen(a->info->id->value), a);
	count_in(m, a);
	return a;
}

static const char *role_of(Mesos__V1__Resource *const *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (r[i]->allocation_info != NULL && r[i]->allocation_info->role != NULL)
			return r[i]->allocation_info->role;
	return "*";
}

static void adopt_executor(struct master *m, struct agent *a, const Mesos__V1__ExecutorInfo *info)
{
	struct framework *f =
		info->framework_id != NULL ? master_framework(m, info->framework_id->value) : NULL;
	struct err err;

	if (f == NULL || master_executor(a, f, info->executor_id->value) != NULL)
		return;
	struct membership *member = master_need_member(m, f, role_of(info->resources, info->n_resources));
	struct resources *r =
		member != NULL ? master_read(m, info->resources, info->n_resources, &err) : NULL;
	if (r == NULL)
		return;
	master_take(m, a, member, r);
	(void)master_add_executor(m, a, member, info, r);
}

static void adopt_task(struct master *m, struct agent *a, const Mesos__V1__TaskInfo *info,
	const Mesos__V1__TaskStatus *status)
{
	const Mesos__V1__ExecutorInfo *e = info->executor;
	struct framework *f =
		e != NULL && e->framework_id != NULL ? master_framework(m, e->framework_id->value) : NULL;
	struct err err;

	if (f == NULL)
		return;
	struct task *t = master_task(f, info->task_id->value);
	if (t == NULL) {
		struct membership *member =
			master_need_member(m, f, role_of(info->resources, info->n_resources));
		struct resources *r =
			member != NULL ? master_read(m, info->resources, info->n_resources, &err) : NULL;

		if (r == NULL)
			return;
		master_take(m, a, member, r);
		t = master_add_task(m, member, a, info, r);
	}
	if (t == NULL)
		return;
	if (!master_terminal(t->state))
		t->state = status->state;
	if (master_terminal(t->state))
		master_release_task(m, t);
}

static bool names_task(const Quern__Local__ToMaster__Register *r, const struct task *t)
{
	for (size_t i = 0; i < r->n_task_infos; i++) {
		const Mesos__V1__ExecutorInfo *e = r->task_infos[i]->executor;

		if (strcmp(r->task_infos[i]->task_id->value, t->info->task_id->value) == 0 && e != NULL &&
			e->framework_id != NULL &&
			strcmp(e->framework_id->value, t->member->framework->id) == 0)
			return true;
	}
	return false;
}

static bool names_executor(const Quern__Local__ToMaster__Register *r, const struct executor *e)
{
	for (size_t i = 0; i < r->n_executors; i++)
		if (r->executors[i]->framework_id != NULL &&
			strcmp(r->executors[i]->framework_id->value, e->member->framework->id) == 0 &&
			strcmp(r->executors[i]->executor_id->value, e->info->executor_id->value) == 0)
			return true;
	return false;
}

/* What the master believes to be there and is not: a launch that was lost on the way, an executor whose end
 * was. */
static void drop_strangers(struct master *m, struct agent *a, const Quern__Local__ToMaster__Register *r)
{
	for (struct task *t = a->tasks, *next; t != NULL; t = next) {
		struct framework *f = t->member->framework;

		next = t->next;
		if (names_task(r, t))
			continue;
		if (!master_terminal(t->state)) {
			t->state = f->partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
						      : MESOS__V1__TASK_STATE__TASK_LOST;
			master_say(m, f, t->info->task_id->value, a,
				t->info->executor != NULL ? t->info->executor->executor_id->value : NULL,
				t->state, MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
				"Reconciliation: Task unknown to the agent");
		}
		master_free_task(m, t);
	}
	for (struct executor *e = a->executors, *next; e != NULL; e = next) {
		next = e->next;
		if (names_executor(r, e))
			continue;
		say_failure(m, e->member->framework, a, e->info->executor_id->value, NULL);
		master_free_executor(m, a, e);
	}
}

/* Frameworks that ended while the agent was away are ended there as well. */
static void meet_frameworks(struct master *m, struct agent *a, const Quern__Local__ToMaster__Register *r)
{
	for (size_t i = 0; i < r->n_frameworks; i++) {
		Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;

		if (r->frameworks[i]->id == NULL || master_recover(m, r->frameworks[i]) != NULL)
			continue;
		to.shutdown_framework = r->frameworks[i]->id;
		master_to_agent(m, a, &to);
	}
}

static void set_link(struct master *m, struct agent *a, uint64_t link)
{
	unlink_agent(m, a);
	a->link = link;
	a->linked = true;
	HASH_ADD(hh_link, m->links, link, sizeof(a->link), a);
	master_timer_clear(&m->timers, &a->timer);
}

static void register_agent(struct master *m, uint64_t link, const Quern__Local__ToMaster__Register *r)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	struct agent *a = r->info->id != NULL ? master_agent(m, r->info->id->value) : NULL;

	if (of_link(m, link) != NULL && of_link(m, link) != a)
		return; /* one agent a link */
	if (a == NULL)
		a = add_agent(m, r->info);
	else if (a->unreachable)
		count_in(m, a);
	if (a == NULL)
		return;
	a->unreachable = false;
	drop_offers(m, a);
	set_link(m, a, link);
	to.registered = a->info->id;
	master_to_agent(m, a, &to);
	drop_strangers(m, a, r);
	meet_frameworks(m, a, r);
	for (size_t i = 0; i < r->n_executors; i++)
		adopt_executor(m, a, r->executors[i]);
	for (size_t i = 0; i < r->n_task_infos && i < r->n_tasks; i++)
		adopt_task(m, a, r->task_infos[i], r->tasks[i]);
	master_allocate(m, a);
}

/* ---- Messages ---- */

static void pass_message(struct master *m, const struct agent *a, const Quern__Local__ToMaster__Message *x)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Message message = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
	struct framework *f = master_framework(m, x->framework_id->value);

	if (f == NULL)
		return;
	message.agent_id = a->info->id;
	message.executor_id = x->executor_id;
	message.data = x->data;
	event.message = &message;
	m->messages++;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE, &event);
}

void master_agent_message(struct master *m, uint64_t link, const Quern__Local__ToMaster *message)
{
	if (message->register_ != NULL)
		register_agent(m, link, message->register_);
	struct agent *a = of_link(m, link);
	if (a == NULL)
		return;
	if (message->update != NULL)
		master_update(m, a, message->update);
	if (message->executor_exited != NULL)
		executor_exited(m, a, message->executor_exited);
	if (message->message != NULL)
		pass_message(m, a, message->message);
	if (message->has_unregister && message->unregister)
		unregister(m, a);
}
