/* agent_master.c: what the master says to its agent, and what the agent registers with. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "local/agent_state.h"

/* ---- RUN ---- */

/* Of a task that the agent does not have: said once, without a uuid, as for a reconciliation. */
static void refuse(struct agent *a, Mesos__V1__FrameworkID *framework, Mesos__V1__TaskID *task,
	Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason, const char *message)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Update update = QUERN__LOCAL__TO_MASTER__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;

	status.task_id = task;
	status.state = state;
	status.has_source = status.has_reason = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT;
	status.reason = reason;
	status.message = (char *)message;
	status.agent_id = a->info->id;
	update.framework_id = framework;
	update.status = &status;
	update.has_latest_state = 1;
	update.latest_state = state;
	m.update = &update;
	agent_to_master(a, &m);
}

/* Whether an id may become the name of a folder (validateID() of src/common/validation.cpp). */
static bool is_name(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > NAME_MAX || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (id[i] == '/' || id[i] == '\\' || iscntrl((unsigned char)id[i]))
			return false;
	return true;
}

static struct framework *need_framework(struct agent *a, const Mesos__V1__FrameworkInfo *info)
{
	struct framework *f = agent_framework(a, info->id->value);

	if (f != NULL && !f->removed)
		return f;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->info = agent_dup(a, info)) == NULL) {
		a->oom = true;
		free(f);
		return NULL;
	}
	f->next = a->frameworks;
	a->frameworks = f;
	return f;
}

/* The executor of a task, started if need be. Its info names the framework, also where the task did not. */
static struct executor *need_executor(
	struct agent *a, struct framework *f, const Mesos__V1__ExecutorInfo *info)
{
	Mesos__V1__ExecutorInfo own = *info;
	struct executor *e = agent_executor(f, info->executor_id->value);

	own.framework_id = f->info->id;
	return e != NULL ? e : executor_launch(a, f, &own);
}

static void run(struct agent *a, const Quern__Local__ToAgent__Run *m)
{
	const Mesos__V1__ExecutorInfo *info = m->task->executor;

	if (m->framework->id == NULL || a->stopping)
		return;
	if (!is_name(m->framework->id->value) || (info != NULL && !is_name(info->executor_id->value))) {
		refuse(a, m->framework->id, m->task->task_id, MESOS__V1__TASK_STATE__TASK_ERROR,
			MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID,
			"An ID is no name that a folder could have");
		return;
	}
	if (info == NULL || info->command == NULL) {
		refuse(a, m->framework->id, m->task->task_id, MESOS__V1__TASK_STATE__TASK_ERROR,
			MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID,
			"This cluster runs custom executors only: the task has no executor with a command");
		return;
	}
	struct framework *f = need_framework(a, m->framework);
	struct executor *e = f != NULL ? need_executor(a, f, info) : NULL;
	if (e == NULL || executor_task(e, m->task->task_id->value) != NULL)
		return;
	task_add(a, e, m->task);
	struct task *t = executor_task(e, m->task->task_id->value);
	if (t == NULL)
		return;
	if (e->state == EXECUTOR_TERMINATING || e->state == EXECUTOR_TERMINATED)
		task_end(a, t, task_dropped(f), MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED,
			e->state == EXECUTOR_TERMINATING ? "Executor terminating" : "Executor terminated");
	else
		task_deliver(a, t);
}

/* ---- KILL and the rest ---- */

static struct task *find_task(const struct framework *f, const char *id)
{
	for (const struct executor *e = f != NULL ? f->executors : NULL; e != NULL; e = e->next) {
		struct task *t = executor_task(e, id);

		if (t != NULL)
			return t;
	}
	return NULL;
}

static void kill_task(struct agent *a, const Quern__Local__ToAgent__Kill *m)
{
	Mesos__V1__Executor__Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Kill kill = MESOS__V1__EXECUTOR__EVENT__KILL__INIT;
	const struct framework *f = agent_framework(a, m->framework_id->value);
	struct task *t = find_task(f, m->task_id->value);

	if (f == NULL || f->removed || a->stopping)
		return;
	if (t == NULL) {
		refuse(a, m->framework_id, m->task_id, task_dropped(f),
			MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED, "Cannot find executor");
		return;
	}
	if (task_terminal(t->state) || t->executor->state == EXECUTOR_TERMINATING)
		return; /* its last update is on its way, or will be */
	if (!t->delivered) {
		task_end(a, t, MESOS__V1__TASK_STATE__TASK_KILLED,
			MESOS__V1__TASK_STATUS__REASON__REASON_TASK_KILLED_DURING_LAUNCH,
			"Killed before delivery to the executor");
	} else if (t->executor->subscribed) {
		kill.task_id = m->task_id;
		kill.kill_policy = m->kill_policy != NULL ? m->kill_policy : t->info->kill_policy;
		event.kill = &kill;
		agent_to_executor(a, t->executor, MESOS__V1__EXECUTOR__EVENT__TYPE__KILL, &event);
	}
}

static void send_message(struct agent *a, const Quern__Local__ToAgent__Message *m)
{
	Mesos__V1__Executor__Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Message message = MESOS__V1__EXECUTOR__EVENT__MESSAGE__INIT;
	const struct framework *f = agent_framework(a, m->framework_id->value);
	const struct executor *e = f != NULL ? agent_executor(f, m->executor_id->value) : NULL;

	if (e == NULL || !e->subscribed || e->state != EXECUTOR_RUNNING)
		return; /* messages are best effort */
	message.data = m->data;
	event.message = &message;
	agent_to_executor(a, e, MESOS__V1__EXECUTOR__EVENT__TYPE__MESSAGE, &event);
}

static void shutdown_framework(struct agent *a, const char *id)
{
	struct framework *f = agent_framework(a, id);

	if (f == NULL)
		return;
	f->removed = true;
	for (struct executor *e = f->executors; e != NULL; e = e->next)
		executor_shutdown(a, e);
}

static void shutdown_executor(struct agent *a, const Quern__Local__ToAgent__ShutdownExecutor *m)
{
	const struct framework *f = agent_framework(a, m->framework_id->value);
	struct executor *e = f != NULL ? agent_executor(f, m->executor_id->value) : NULL;

	if (e != NULL)
		executor_shutdown(a, e);
}

/* The master knows the agent now: what waits for an acknowledgement is sent once more. */
static void registered(struct agent *a, const Mesos__V1__AgentID *id)
{
	if (a->info->id == NULL && is_name(id->value))
		a->info->id = agent_dup(a, id);
	for (struct framework *f = a->frameworks; f != NULL; f = f->next)
		for (struct executor *e = f->executors; e != NULL; e = e->next)
			for (struct task *t = e->tasks; t != NULL; t = t->hh.next)
				if (t->first != NULL && !f->removed)
					task_resend(a, t);
}

void agent_message(struct agent *a, const Quern__Local__ToAgent *m)
{
	if (m->registered != NULL)
		registered(a, m->registered);
	if (m->run != NULL && a->info->id != NULL)
		run(a, m->run);
	if (m->kill != NULL)
		kill_task(a, m->kill);
	if (m->acknowledge != NULL) {
		const Quern__Local__ToAgent__Acknowledge *ack = m->acknowledge;
		struct task *t = find_task(agent_framework(a, ack->framework_id->value), ack->task_id->value);

		if (t != NULL)
			task_acknowledged(a, t, &ack->uuid);
	}
	if (m->shutdown_executor != NULL)
		shutdown_executor(a, m->shutdown_executor);
	if (m->shutdown_framework != NULL)
		shutdown_framework(a, m->shutdown_framework->value);
	if (m->message != NULL)
		send_message(a, m->message);
}

/* ---- Register ---- */

struct inventory {
	VEC(Mesos__V1__FrameworkInfo *) frameworks;
	VEC(Mesos__V1__ExecutorInfo *) executors;
	VEC(Mesos__V1__TaskInfo *) tasks;
	VEC(Mesos__V1__TaskStatus *) statuses; /* owned */
};

static void take_stock_of_task(struct agent *a, struct inventory *v, const struct task *t)
{
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;

	status.task_id = t->info->task_id;
	status.state = t->state;
	status.agent_id = a->info->id;
	status.executor_id = t->executor->info->executor_id;
	Mesos__V1__TaskStatus *copy = agent_dup(a, &status);
	if (copy == NULL)
		return;
	if (vec_push(&v->statuses, copy) < 0) {
		a->oom = true;
		mesos__v1__task_status__free_unpacked(copy, NULL);
	} else if (vec_push(&v->tasks, t->info) < 0) {
		a->oom = true;
	}
}

static void take_stock(struct agent *a, struct inventory *v)
{
	for (struct framework *f = a->frameworks; f != NULL; f = f->next) {
		if (f->removed)
			continue;
		if (vec_push(&v->frameworks, f->info) < 0)
			a->oom = true;
		for (struct executor *e = f->executors; e != NULL; e = e->next) {
			if (e->state != EXECUTOR_TERMINATED && vec_push(&v->executors, e->info) < 0)
				a->oom = true;
			for (const struct task *t = e->tasks; t != NULL; t = t->hh.next)
				take_stock_of_task(a, v, t);
		}
	}
}

void agent_register(struct agent *a)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Register r = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	struct inventory v = { 0 };

	take_stock(a, &v);
	r.info = a->info;
	r.frameworks = v.frameworks.at;
	r.n_frameworks = v.frameworks.n;
	r.executors = v.executors.at;
	r.n_executors = v.executors.n;
	r.task_infos = v.tasks.at;
	r.n_task_infos = v.tasks.n;
	r.tasks = v.statuses.at;
	r.n_tasks = v.statuses.n;
	m.register_ = &r;
	if (!a->oom)
		agent_to_master(a, &m);
	for (size_t i = 0; i < v.statuses.n; i++)
		mesos__v1__task_status__free_unpacked(v.statuses.at[i], NULL);
	vec_deinit(&v.statuses);
	vec_deinit(&v.tasks);
	vec_deinit(&v.executors);
	vec_deinit(&v.frameworks);
}
