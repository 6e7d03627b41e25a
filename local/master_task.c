/* master_task.c: what the master knows of tasks, and says about them. */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

enum { HISTORY_MAX = 1000 }; /* --max_completed_tasks_per_framework */

bool master_terminal(Mesos__V1__TaskState state)
{
	switch (state) {
	case MESOS__V1__TASK_STATE__TASK_FINISHED:
	case MESOS__V1__TASK_STATE__TASK_FAILED:
	case MESOS__V1__TASK_STATE__TASK_KILLED:
	case MESOS__V1__TASK_STATE__TASK_ERROR:
	case MESOS__V1__TASK_STATE__TASK_LOST:
	case MESOS__V1__TASK_STATE__TASK_DROPPED:
	case MESOS__V1__TASK_STATE__TASK_GONE:
	case MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR:
		return true;
	default:
		return false;
	}
}

struct task *master_task(const struct framework *f, const char *id)
{
	struct task *t;

	HASH_FIND_STR(f->tasks, id, t);
	return t;
}

struct task *master_add_task(struct master *m, struct membership *member, struct agent *a,
	const Mesos__V1__TaskInfo *info, struct resources *resources)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->info = master_dup(m, info)) == NULL) {
		free(t);
		(void)resources_free(resources);
		m->oom = true;
		return NULL;
	}
	t->member = member;
	t->agent = a;
	t->resources = resources;
	t->state = MESOS__V1__TASK_STATE__TASK_STAGING;
	t->next = a->tasks;
	t->back = &a->tasks;
	if (t->next != NULL)
		t->next->back = &t->next;
	a->tasks = t;
	HASH_ADD_KEYPTR(
		hh, member->framework->tasks, t->info->task_id->value, strlen(t->info->task_id->value), t);
	return t;
}

void master_release_task(struct master *m, struct task *t)
{
	if (t->freed)
		return;
	t->freed = true;
	master_give_back(m, t->agent, t->member, t->resources);
}

static void remember(struct master *m, const struct task *t)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		m->oom = true;
		return;
	}
	h->task = master_strdup(m, t->info->task_id->value);
	h->framework = master_strdup(m, t->member->framework->id);
	h->state = t->state;
	*m->history_last = h;
	m->history_last = &h->next;
	if (++m->n_history <= HISTORY_MAX)
		return;
	h = m->history;
	m->history = h->next;
	m->n_history--;
	free(h->task);
	free(h->framework);
	free(h);
}

void master_free_task(struct master *m, struct task *t)
{
	master_release_task(m, t);
	remember(m, t);
	if ((unsigned)t->state < TASK_STATES && master_terminal(t->state))
		m->tasks_ended[t->state]++;
	HASH_DEL(t->member->framework->tasks, t);
	*t->back = t->next;
	if (t->next != NULL)
		t->next->back = t->back;
	if (t->said != NULL)
		mesos__v1__task_status__free_unpacked(t->said, NULL);
	(void)resources_free(t->resources);
	mesos__v1__task_info__free_unpacked(t->info, NULL);
	free(t);
}

/* ---- Updates ---- */

static void send_status(struct master *m, struct framework *f, Mesos__V1__TaskStatus *status)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;

	update.status = status;
	event.update = &update;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE, &event);
}

void master_say(struct master *m, struct framework *f, const char *task, const struct agent *a,
	const char *executor, Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason,
	const char *message)
{
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;

	task_id.value = (char *)task;
	status.task_id = &task_id;
	status.state = state;
	status.message = (char *)message;
	status.has_source = status.has_reason = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER;
	status.reason = reason;
	if (a != NULL)
		status.agent_id = a->info->id;
	if (executor != NULL) {
		executor_id.value = (char *)executor;
		status.executor_id = &executor_id;
	}
	send_status(m, f, &status);
}

/* Resources are free as soon as the agent knows that a task has ended, in the handler that also passes the
 * word on: a REVIVE that answers the update finds them (Mesos from 1.10). */
void master_update(struct master *m, struct agent *a, const Quern__Local__ToMaster__Update *update)
{
	struct framework *f = master_framework(m, update->framework_id->value);
	struct task *t = f != NULL ? master_task(f, update->status->task_id->value) : NULL;

	if (f == NULL || (t != NULL && t->agent != a))
		return;
	if (t != NULL) {
		Mesos__V1__TaskState latest =
			update->has_latest_state ? update->latest_state : update->status->state;

		if (!master_terminal(t->state))
			t->state = latest;
		if (master_terminal(latest))
			master_release_task(m, t);
	}
	if (!f->connected)
		return; /* the agent says it again */
	send_status(m, f, update->status);
	if (t == NULL)
		return;
	if (t->said != NULL)
		mesos__v1__task_status__free_unpacked(t->said, NULL);
	t->said = master_dup(m, update->status);
	if (!update->status->has_uuid && master_terminal(update->status->state))
		master_free_task(m, t); /* nothing to acknowledge */
}

void master_acknowledge(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Acknowledge *ack)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Acknowledge acknowledge = QUERN__LOCAL__TO_AGENT__ACKNOWLEDGE__INIT;
	const struct agent *a = master_agent(m, ack->agent_id->value);
	struct task *t = master_task(f, ack->task_id->value);

	if (a == NULL)
		return;
	acknowledge.framework_id = f->info->id;
	acknowledge.task_id = ack->task_id;
	acknowledge.uuid = ack->uuid;
	to.acknowledge = &acknowledge;
	master_to_agent(m, a, &to);
	if (t != NULL && t->said != NULL && master_terminal(t->said->state) &&
		t->said->uuid.len == ack->uuid.len &&
		memcmp(t->said->uuid.data, ack->uuid.data, ack->uuid.len) == 0)
		master_free_task(m, t);
}

/* ---- RECONCILE and KILL ---- */

static void say_latest(struct master *m, struct framework *f, const struct task *t)
{
	/* What the framework has not acknowledged comes again from the agent; this is about what it knows so
	 * far (Master::_reconcileTasks(): status_update_state before state). */
	Mesos__V1__TaskState state = t->said != NULL ? t->said->state : t->state;

	master_say(m, f, t->info->task_id->value, t->agent,
		t->info->executor != NULL ? t->info->executor->executor_id->value : NULL, state,
		MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION, "Reconciliation: Latest task state");
}

static void reconcile_one(
	struct master *m, struct framework *f, const char *task, const Mesos__V1__AgentID *agent)
{
	const struct task *t = master_task(f, task);
	const struct agent *a = agent != NULL ? master_agent(m, agent->value) : NULL;

	if (t != NULL)
		say_latest(m, f, t);
	else if (a != NULL && a->unreachable)
		master_say(m, f, task, a, NULL,
			f->partition_aware ? MESOS__V1__TASK_STATE__TASK_UNREACHABLE
					   : MESOS__V1__TASK_STATE__TASK_LOST,
			MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
			"Reconciliation: Task is unreachable");
	else
		master_say(m, f, task, a, NULL,
			f->partition_aware ? MESOS__V1__TASK_STATE__TASK_UNKNOWN
					   : MESOS__V1__TASK_STATE__TASK_LOST,
			MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
			"Reconciliation: Task is unknown");
}

void master_reconcile(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Reconcile *reconcile)
{
	for (size_t i = 0; i < reconcile->n_tasks; i++)
		reconcile_one(m, f, reconcile->tasks[i]->task_id->value, reconcile->tasks[i]->agent_id);
	if (reconcile->n_tasks > 0)
		return;
	for (const struct task *t = f->tasks; t != NULL; t = t->hh.next)
		say_latest(m, f, t);
}

void master_kill(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Kill *kill)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Kill k = QUERN__LOCAL__TO_AGENT__KILL__INIT;
	const struct task *t = master_task(f, kill->task_id->value);

	if (t == NULL) {
		reconcile_one(m, f, kill->task_id->value, kill->agent_id);
		return;
	}
	k.framework_id = f->info->id;
	k.task_id = kill->task_id;
	k.kill_policy = kill->kill_policy;
	to.kill = &k;
	master_to_agent(m, t->agent, &to);
}
