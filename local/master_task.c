/* master_task.c: tasks: what the agents say of them, what the master says, what frameworks ask of them.
 * Master::statusUpdate(), updateTask(), removeTask(), acknowledge(), kill() in src/master/master.cpp of
 * Apache Mesos.
 *
 * A terminal state frees the task's resources in the very step that forwards it, so that a REVIVE which the
 * framework sends upon it finds them. It does not allocate anything by itself. The task is forgotten when the
 * framework has acknowledged its terminal update. */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

bool master_terminal(Mesos__V1__TaskState state)
{
	switch (state) {
	case MESOS__V1__TASK_STATE__TASK_FINISHED:
	case MESOS__V1__TASK_STATE__TASK_FAILED:
	case MESOS__V1__TASK_STATE__TASK_KILLED:
	case MESOS__V1__TASK_STATE__TASK_LOST:
	case MESOS__V1__TASK_STATE__TASK_ERROR:
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

/* ---- Life ---- */

static void free_fields(struct task *t)
{
	if (t->container != NULL)
		mesos__v1__container_status__free_unpacked(t->container, NULL);
	resources_free(t->resources);
	free(t->id);
	free(t->name);
	free(t->executor_id);
	free(t);
}

struct task *master_new_task(struct master *m, struct member *member, struct agent *a,
	const Mesos__V1__TaskInfo *info, struct resources *resources)
{
	struct framework *f = member->framework;
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		m->oom = true;
		resources_free(resources);
		return NULL;
	}
	t->member = member;
	t->agent = a;
	t->resources = resources;
	t->state = MESOS__V1__TASK_STATE__TASK_STAGING;
	t->id = master_strdup(m, info->task_id->value);
	t->name = master_strdup(m, info->name);
	if (info->executor != NULL)
		t->executor_id = master_strdup(m, info->executor->executor_id->value);
	if (t->id != NULL && t->name != NULL)
		HASH_ADD_KEYPTR(hh, f->tasks, t->id, strlen(t->id), t);
	if (t->hh.tbl == NULL) {
		m->oom = true;
		free_fields(t);
		return NULL;
	}
	DL_APPEND(a->tasks, t);
	return t;
}

void master_free_task(struct master *m, struct task *t)
{
	struct framework *f = t->member->framework;

	(void)m;
	if (t->agent != NULL) {
		DL_DELETE(t->agent->tasks, t);
		HASH_DEL(f->tasks, t);
	} else {
		HASH_DEL(f->unreachable, t);
	}
	free_fields(t);
}

void master_task_state(struct master *m, struct task *t, Mesos__V1__TaskState state)
{
	struct framework *f = t->member->framework;

	if (master_terminal(t->state))
		return;
	t->state = state;
	if (t->freed || !(master_terminal(state) || state == MESOS__V1__TASK_STATE__TASK_UNREACHABLE))
		return;
	t->freed = true;
	master_give_back(m, t->agent, t->member, t->resources);
	if (master_terminal(state)) {
		m->ended[state]++;
		f->ended[state]++;
	}
}

static void free_completed(struct completed_task *c)
{
	free(c->id);
	free(c->name);
	free(c->agent);
	free(c);
}

static void remember(struct master *m, const struct task *t)
{
	struct framework *f = t->member->framework;
	struct completed_task *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		m->oom = true;
		return;
	}
	c->id = master_strdup(m, t->id);
	c->name = master_strdup(m, t->name);
	c->agent = master_strdup(m, t->agent->info->id->value);
	c->state = t->state;
	DL_APPEND(f->completed, c);
	if (++f->n_completed > COMPLETED_MAX) {
		c = f->completed;
		DL_DELETE(f->completed, c);
		free_completed(c);
		f->n_completed--;
	}
}

void master_complete_task(struct master *m, struct task *t)
{
	remember(m, t);
	master_free_task(m, t);
}

void master_lose_task(struct master *m, struct task *t)
{
	struct framework *f = t->member->framework;

	DL_DELETE(t->agent->tasks, t);
	HASH_DEL(f->tasks, t);
	t->agent = NULL;
	HASH_ADD_KEYPTR(hh, f->unreachable, t->id, strlen(t->id), t);
	if (t->hh.tbl == NULL) {
		m->oom = true;
		free_fields(t);
	} else if (HASH_COUNT(f->unreachable) > UNREACHABLE_MAX) {
		master_free_task(m, f->unreachable); /* the oldest */
	}
}

/* ---- What frameworks are told ---- */

static void forward(struct master *m, struct framework *f, Mesos__V1__TaskStatus *status)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;

	update.status = status;
	event.update = &update;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE, &event);
}

void master_say(struct master *m, struct framework *f, const struct word *w)
{
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID task = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__TimeInfo since = MESOS__V1__TIME_INFO__INIT;

	task.value = (char *)w->task;
	agent.value = (char *)w->agent;
	executor.value = (char *)w->executor;
	since.nanoseconds = (int64_t)w->unreachable_ms * 1000000;
	status.task_id = &task;
	status.agent_id = w->agent != NULL ? &agent : NULL;
	status.executor_id = w->executor != NULL ? &executor : NULL;
	status.unreachable_time = w->unreachable_ms > 0 ? &since : NULL;
	status.state = w->state;
	status.has_source = status.has_reason = status.has_timestamp = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER;
	status.reason = w->reason;
	status.timestamp = (double)m->now / 1000;
	status.message = (char *)w->message;
	status.container_status = w->container;
	status.has_healthy = w->has_healthy;
	status.healthy = w->healthy;
	forward(m, f, &status);
}

/* ---- What agents say ---- */

/* The last word that the framework has: what a reconciliation repeats, and what an acknowledgement is of. */
static void note_said(struct master *m, struct task *t, const Mesos__V1__TaskStatus *status)
{
	if (status->container_status != NULL) {
		if (t->container != NULL)
			mesos__v1__container_status__free_unpacked(t->container, NULL);
		t->container = master_dup(m, status->container_status);
	}
	t->has_healthy = status->has_healthy;
	t->healthy = status->healthy;
	if (!status->has_uuid || status->uuid.len != sizeof(t->said_uuid))
		return;
	t->said = true;
	t->said_state = status->state;
	memcpy(t->said_uuid, status->uuid.data, sizeof(t->said_uuid));
}

void master_update(struct master *m, struct agent *a, const Quern__Local__ToMaster__Update *update)
{
	struct framework *f = master_framework(m, update->framework_id->value);
	Mesos__V1__TaskStatus status = *update->status;

	m->count[COUNT_UPDATE]++;
	if (f == NULL) {
		m->count[COUNT_INVALID_UPDATES]++;
		return;
	}
	if (status.agent_id == NULL)
		status.agent_id = a->info->id;
	struct task *t = master_task(f, status.task_id->value);
	bool known = t != NULL && t->agent == a;
	m->count[f->connected && known ? COUNT_VALID_UPDATES : COUNT_INVALID_UPDATES]++;
	if (f->connected) {
		forward(m, f, &status);
		if (known)
			note_said(m, t, &status);
	}
	if (!known)
		return;
	master_task_state(m, t, update->has_latest_state ? update->latest_state : status.state);
	if (!status.has_uuid && master_terminal(status.state))
		master_complete_task(m, t); /* nobody will acknowledge it */
}

/* ---- What frameworks ask ---- */

void master_acknowledge(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Acknowledge *ack)
{
	const struct agent *a = master_registered_agent(m, ack->agent_id->value);
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Acknowledge inner = QUERN__LOCAL__TO_AGENT__ACKNOWLEDGE__INIT;
	struct task *t = master_task(f, ack->task_id->value);

	m->count[COUNT_ACKNOWLEDGE]++;
	if (a == NULL || !a->linked || (t != NULL && t->agent == a && !t->said)) {
		m->count[COUNT_INVALID_ACKNOWLEDGEMENTS]++;
		return;
	}
	if (t != NULL && t->agent == a && master_terminal(t->said_state) &&
		ack->uuid.len == sizeof(t->said_uuid) &&
		memcmp(ack->uuid.data, t->said_uuid, sizeof(t->said_uuid)) == 0) {
		master_task_state(m, t, t->said_state);
		master_complete_task(m, t);
	}
	inner.framework_id = f->info->id;
	inner.task_id = ack->task_id;
	inner.uuid = ack->uuid;
	message.acknowledge = &inner;
	master_to_agent(m, a, &message);
	m->count[COUNT_VALID_ACKNOWLEDGEMENTS]++;
}

void master_kill(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Kill *kill)
{
	struct task *t = master_task(f, kill->task_id->value);
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Kill inner = QUERN__LOCAL__TO_AGENT__KILL__INIT;

	m->count[COUNT_KILL]++;
	if (t == NULL) {
		Mesos__V1__Scheduler__Call__Reconcile reconcile = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;
		Mesos__V1__Scheduler__Call__Reconcile__Task one =
			MESOS__V1__SCHEDULER__CALL__RECONCILE__TASK__INIT;
		Mesos__V1__Scheduler__Call__Reconcile__Task *list[] = { &one };

		one.task_id = kill->task_id;
		one.agent_id = kill->agent_id;
		reconcile.tasks = list;
		reconcile.n_tasks = 1;
		master_reconcile(m, f, &reconcile);
		return;
	}
	if (kill->agent_id != NULL && strcmp(kill->agent_id->value, t->agent->info->id->value) != 0)
		return;
	inner.framework_id = f->info->id;
	inner.task_id = kill->task_id;
	inner.kill_policy = kill->kill_policy;
	message.kill = &inner;
	/* To an agent whose link is down it is not sent: see master_register(). */
	t->killed = true;
	master_to_agent(m, t->agent, &message);
}
