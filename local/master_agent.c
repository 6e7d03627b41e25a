/* master_agent.c: agents that are there, and how they go: without a word (the link ends, and after the ping
 * timeout the agent is unreachable: it may come back), or with one (it unregisters). Master::exited(),
 * disconnect(), markUnreachable(), __removeSlave(), removeSlave(), exitedExecutor() in src/master/master.cpp
 * of Apache Mesos. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

struct agent *master_agent(const struct master *m, const char *id)
{
	struct agent *a;

	HASH_FIND_STR(m->agents, id, a);
	return a;
}

struct agent *master_registered_agent(const struct master *m, const char *id)
{
	struct agent *a = master_agent(m, id);

	return a != NULL && !a->unreachable ? a : NULL;
}

static struct agent *by_link(const struct master *m, uint64_t link)
{
	struct agent *a;

	HASH_FIND(hh_link, m->links, &link, sizeof(link), a);
	return a;
}

/* ---- Executors ---- */

struct executor *master_executor(const struct agent *a, const struct framework *f, const char *id)
{
	struct executor *e;

	DL_FOREACH(a->executors, e)
	if (e->member->framework == f && strcmp(e->id, id) == 0)
		return e;
	return NULL;
}

uint8_t *master_pack_executor(
	struct master *m, const Mesos__V1__ExecutorInfo *info, const char *role, size_t *ret_len)
{
	Mesos__V1__ExecutorInfo copy = *info;
	struct resource_list list = { 0 };
	uint8_t *packed = NULL;

	if (master_resources_inject(info->resources, info->n_resources, role, &list) < 0) {
		m->oom = true;
		return NULL;
	}
	copy.resources = list.at;
	packed = master_pack(m, &copy, ret_len);
	master_resource_list_deinit(&list);
	return packed;
}

struct executor *master_new_executor(struct master *m, struct agent *a, struct member *member,
	const Mesos__V1__ExecutorInfo *info, struct resources *resources)
{
	struct executor *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		m->oom = true;
		resources_free(resources);
		return NULL;
	}
	e->member = member;
	e->resources = resources;
	e->id = master_strdup(m, info->executor_id->value);
	e->name = master_strdup(m, info->name != NULL ? info->name : "");
	e->packed = master_pack_executor(m, info, member->role->name, &e->packed_len);
	DL_APPEND(a->executors, e);
	return e;
}

void master_free_executor(struct master *m, struct agent *a, struct executor *e, bool give_back)
{
	if (give_back)
		master_give_back(m, a, e->member, e->resources);
	DL_DELETE(a->executors, e);
	resources_free(e->resources);
	free(e->packed);
	free(e->name);
	free(e->id);
	free(e);
}

static void send_failure(struct master *m, struct framework *f, Mesos__V1__AgentID *agent,
	Mesos__V1__ExecutorID *executor, int32_t status)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;

	failure.agent_id = agent;
	failure.executor_id = executor;
	failure.has_status = executor != NULL;
	failure.status = status;
	event.failure = &failure;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE, &event);
}

static void executor_exited(
	struct master *m, struct agent *a, const Quern__Local__ToMaster__ExecutorExited *message)
{
	struct framework *f = master_framework(m, message->framework_id->value);
	struct executor *e = f != NULL ? master_executor(a, f, message->executor_id->value) : NULL;

	m->count[COUNT_EXITED_EXECUTOR]++;
	if (e == NULL)
		return;
	master_free_executor(m, a, e, true);
	send_failure(m, f, a->info->id, message->executor_id, message->status);
}

static void forward_message(struct master *m, struct agent *a, Quern__Local__ToMaster__Message *message)
{
	struct framework *f = master_framework(m, message->framework_id->value);
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Message inner = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;

	m->count[COUNT_TO_FRAMEWORK]++;
	if (f == NULL)
		return;
	inner.agent_id = a->info->id;
	inner.executor_id = message->executor_id;
	inner.data = message->data;
	event.message = &inner;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE, &event);
}

/* ---- Going ---- */

static void rescind_all(struct master *m, struct agent *a)
{
	while (a->offers != NULL)
		master_rescind_offer(m, a->offers);
}

static void unlink_agent(struct master *m, struct agent *a)
{
	if (a->linked)
		HASH_DELETE(hh_link, m->links, a);
	a->linked = false;
}

/* A task ends by the master's word. */
static void end_task(struct master *m, struct agent *a, struct task *t, const struct word *how)
{
	struct framework *f = t->member->framework;
	struct word w = *how;

	w.task = t->id;
	w.agent = a->info->id->value;
	w.executor = t->executor_id;
	master_task_state(m, t, w.state);
	if (f->connected)
		master_say(m, f, &w);
	if (w.unreachable_ms > 0)
		master_lose_task(m, t);
	else
		master_complete_task(m, t);
}

/* The state of what was on an agent that cannot be reached; `w` is for those who know partitions. */
static void end_tasks(struct master *m, struct agent *a, const struct word *how)
{
	struct task *t, *next;

	DL_FOREACH_SAFE(a->tasks, t, next)
	{
		struct word w = *how;

		if (!t->member->framework->partition_aware)
			w.state = MESOS__V1__TASK_STATE__TASK_LOST;
		end_task(m, a, t, &w);
	}
}

static void drop_executors(struct master *m, struct agent *a)
{
	while (a->executors != NULL)
		master_free_executor(m, a, a->executors, true);
}

/* Every framework hears that it is gone, whether it had anything there or not. */
static void announce_loss(struct master *m, struct agent *a)
{
	struct framework *f, *next;

	HASH_ITER (hh, m->frameworks, f, next)
		send_failure(m, f, a->info->id, NULL, 0);
}

static void clear_agent_filters(struct master *m, struct agent *a)
{
	while (a->filters != NULL)
		master_free_filter(m, a->filters);
}

void master_agent_unreachable(struct master *m, struct agent *a)
{
	struct err text;
	const struct word how = {
		.state = MESOS__V1__TASK_STATE__TASK_UNREACHABLE,
		.reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
		.message = text.text,
		.unreachable_ms = m->now,
	};

	(void)err_set(&text, 0, "Agent %s is unreachable: health check timed out", a->info->hostname);
	unlink_agent(m, a);
	m->count[COUNT_AGENT_REMOVALS]++;
	end_tasks(m, a, &how);
	drop_executors(m, a);
	rescind_all(m, a);
	clear_agent_filters(m, a);
	master_remove_total(m, a);
	a->unreachable = true;
	a->unreachable_ms = m->now;
	announce_loss(m, a);
	a->timer.kind = TIMER_AGENT_FORGET;
	master_set_timer(m, &a->timer, m->now + m->config.agent_reregister_timeout_ms);
}

void master_remove_agent(struct master *m, struct agent *a, const char *why)
{
	struct task *t, *next;
	struct err text;
	const struct word how = {
		.state = MESOS__V1__TASK_STATE__TASK_LOST,
		.reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
		.message = text.text,
	};

	(void)err_set(&text, 0, "Agent %s removed: %s", a->info->hostname, why);
	m->count[COUNT_AGENT_REMOVALS]++;
	DL_FOREACH_SAFE(a->tasks, t, next)
	end_task(m, a, t, &how);
	drop_executors(m, a);
	rescind_all(m, a);
	announce_loss(m, a);
	master_free_agent(m, a);
}

/* Tasks and executors of frameworks that do not checkpoint do not outlive the link. */
static void drop_unchecked(struct master *m, struct agent *a)
{
	struct task *t, *next_task;
	struct executor *e, *next_executor;
	struct err text;
	const struct word how = {
		.state = MESOS__V1__TASK_STATE__TASK_LOST,
		.reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DISCONNECTED,
		.message = text.text,
	};

	(void)err_set(&text, 0, "Agent %s disconnected", a->info->hostname);
	DL_FOREACH_SAFE(a->tasks, t, next_task)
	if (!t->member->framework->info->checkpoint)
		end_task(m, a, t, &how);
	DL_FOREACH_SAFE(a->executors, e, next_executor)
	if (!e->member->framework->info->checkpoint)
		master_free_executor(m, a, e, true);
}

void master_agent_down(struct master *m, uint64_t link)
{
	struct agent *a = by_link(m, link);

	if (a == NULL)
		return;
	unlink_agent(m, a);
	rescind_all(m, a);
	drop_unchecked(m, a);
	a->timer.kind = TIMER_AGENT_LOST;
	master_set_timer(m, &a->timer, m->now + m->config.agent_ping_timeout_ms);
}

void master_free_agent(struct master *m, struct agent *a)
{
	unlink_agent(m, a);
	master_timer_clear(&m->timers, &a->timer);
	clear_agent_filters(m, a);
	while (a->offers != NULL)
		master_free_offer(m, a->offers);
	while (a->tasks != NULL)
		master_free_task(m, a->tasks);
	while (a->executors != NULL)
		master_free_executor(m, a, a->executors, false);
	if (a->hh.tbl != NULL) {
		HASH_DELETE(hh, m->agents, a);
		if (!a->unreachable)
			master_remove_total(m, a);
	}
	resources_free(a->total);
	resources_free(a->free);
	if (a->info != NULL)
		mesos__v1__agent_info__free_unpacked(a->info, NULL);
	free(a);
}

void master_agent_message(struct master *m, uint64_t link, const Quern__Local__ToMaster *message)
{
	if (message->register_ != NULL) {
		master_register(m, link, message->register_);
		return;
	}
	struct agent *a = by_link(m, link);
	if (a == NULL)
		return; /* it has not registered, or is gone */
	if (message->update != NULL)
		master_update(m, a, message->update);
	if (message->executor_exited != NULL)
		executor_exited(m, a, message->executor_exited);
	if (message->message != NULL)
		forward_message(m, a, message->message);
	if (message->has_unregister && message->unregister) {
		m->count[COUNT_UNREGISTER_AGENT]++;
		master_remove_agent(m, a, "the agent unregistered");
	}
}
