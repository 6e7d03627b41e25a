/* agent_task.c: tasks and their status updates: one at a time per task leaves the agent, again and again
 * until the framework acknowledges it (src/slave/task_status_update_manager.cpp of Apache Mesos). */
#include <stdlib.h>
#include <string.h>

#include "local/agent_state.h"

enum { RETRY_MIN_MS = 10000, RETRY_MAX_MS = 600000 }; /* STATUS_UPDATE_RETRY_INTERVAL_{MIN,MAX} */

struct task *executor_task(const struct executor *e, const char *id)
{
	struct task *t;

	HASH_FIND_STR(e->tasks, id, t);
	return t;
}

bool task_terminal(Mesos__V1__TaskState state)
{
	switch (state) {
	case MESOS__V1__TASK_STATE__TASK_FINISHED:
	case MESOS__V1__TASK_STATE__TASK_FAILED:
	case MESOS__V1__TASK_STATE__TASK_KILLED:
	case MESOS__V1__TASK_STATE__TASK_ERROR:
	case MESOS__V1__TASK_STATE__TASK_LOST:
	case MESOS__V1__TASK_STATE__TASK_DROPPED:
	case MESOS__V1__TASK_STATE__TASK_GONE:
		return true;
	default:
		return false;
	}
}

Mesos__V1__TaskState task_dropped(const struct framework *f)
{
	for (size_t i = 0; i < f->info->n_capabilities; i++)
		if (f->info->capabilities[i]->has_type &&
			f->info->capabilities[i]->type ==
				MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE)
			return MESOS__V1__TASK_STATE__TASK_DROPPED;
	return MESOS__V1__TASK_STATE__TASK_LOST;
}

void task_add(struct agent *a, struct executor *e, const Mesos__V1__TaskInfo *info)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->info = agent_dup(a, info)) == NULL) {
		a->oom = true;
		free(t);
		return;
	}
	t->executor = e;
	t->state = MESOS__V1__TASK_STATE__TASK_STAGING;
	t->last = &t->first;
	t->retry_at = UINT64_MAX;
	HASH_ADD_KEYPTR(hh, e->tasks, t->info->task_id->value, strlen(t->info->task_id->value), t);
	if (executor_task(e, t->info->task_id->value) != t) {
		a->oom = true;
		task_free(t);
	}
}

void task_deliver(struct agent *a, struct task *t)
{
	Mesos__V1__Executor__Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Launch launch = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;

	if (!t->executor->subscribed || t->executor->state != EXECUTOR_RUNNING || t->delivered)
		return;
	launch.task = t->info;
	event.launch = &launch;
	agent_to_executor(a, t->executor, MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH, &event);
	t->delivered = t->executor->had_tasks = true;
}

/* ---- Updates ---- */

void task_send(struct agent *a, struct task *t)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Update update = QUERN__LOCAL__TO_MASTER__UPDATE__INIT;

	update.framework_id = t->executor->framework->info->id;
	update.status = t->first->status;
	update.has_latest_state = 1;
	update.latest_state = t->state;
	m.update = &update;
	agent_to_master(a, &m);
	t->retry_ms = t->retry_ms == 0 ? RETRY_MIN_MS : t->retry_ms * 2;
	if (t->retry_ms > RETRY_MAX_MS)
		t->retry_ms = RETRY_MAX_MS;
	t->retry_at = a->now + t->retry_ms;
}

void task_resend(struct agent *a, struct task *t)
{
	t->retry_ms = 0;
	task_send(a, t);
}

/* What the agent knows and the executor need not say. Where its container is to be found is of interest only
 * for as long as the executor has the task. */
static Mesos__V1__TaskStatus *complete(
	struct agent *a, const struct task *t, const Mesos__V1__TaskStatus *status)
{
	const struct executor *e = t->executor;
	Mesos__V1__TaskStatus full = *status;
	Mesos__V1__ContainerStatus container = MESOS__V1__CONTAINER_STATUS__INIT;
	Mesos__V1__ContainerID id = MESOS__V1__CONTAINER_ID__INIT;
	Mesos__V1__NetworkInfo network = MESOS__V1__NETWORK_INFO__INIT, *networks[] = { &network };
	Mesos__V1__NetworkInfo__IPAddress ip = MESOS__V1__NETWORK_INFO__IPADDRESS__INIT, *ips[] = { &ip };

	full.agent_id = a->info->id;
	/* As Mesos does: what an executor says names it only if it does so itself. */
	if (status->source != MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR)
		full.executor_id = e->info->executor_id;
	if (!full.has_timestamp) {
		full.has_timestamp = 1;
		full.timestamp = (double)a->now / 1000;
	}
	if (full.container_status == NULL &&
		status->source == MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR) {
		id.value = (char *)e->container;
		container.container_id = &id;
		ip.ip_address = (char *)a->config.ip;
		network.ip_addresses = ips;
		network.n_ip_addresses = 1;
		container.network_infos = networks;
		container.n_network_infos = 1;
		full.container_status = &container;
	}
	return agent_dup(a, &full);
}

static int remember(struct task *t, const ProtobufCBinaryData *uuid)
{
	struct uuid u = { { 0 } };

	memcpy(u.bytes, uuid->data, uuid->len < UUID_SIZE ? uuid->len : UUID_SIZE);
	return vec_push(&t->seen, u);
}

void task_update(struct agent *a, struct task *t, const Mesos__V1__TaskStatus *status)
{
	struct update *u = calloc(1, sizeof(*u));

	if (u == NULL || (u->status = complete(a, t, status)) == NULL || remember(t, &status->uuid) < 0) {
		if (u != NULL && u->status != NULL)
			mesos__v1__task_status__free_unpacked(u->status, NULL);
		a->oom = true;
		free(u);
		return;
	}
	t->state = status->state;
	*t->last = u;
	t->last = &u->next;
	if (t->first == u)
		task_send(a, t);
}

void task_end(struct agent *a, struct task *t, Mesos__V1__TaskState state,
	Mesos__V1__TaskStatus__Reason reason, const char *message)
{
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	uint8_t uuid[UUID_SIZE];

	random_uuid(&a->random, uuid);
	status.task_id = t->info->task_id;
	status.state = state;
	status.has_source = status.has_reason = status.has_uuid = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT;
	status.reason = reason;
	status.uuid = (ProtobufCBinaryData){ .data = uuid, .len = sizeof(uuid) };
	status.message = (char *)message;
	task_update(a, t, &status);
}

static bool same_uuid(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

bool task_has_update(const struct task *t, const ProtobufCBinaryData *uuid)
{
	if (uuid->len != UUID_SIZE)
		return false;
	for (size_t i = 0; i < t->seen.n; i++)
		if (memcmp(t->seen.at[i].bytes, uuid->data, UUID_SIZE) == 0)
			return true;
	return false;
}

static void drop_first(struct task *t)
{
	struct update *u = t->first;

	t->first = u->next;
	if (t->first == NULL)
		t->last = &t->first;
	mesos__v1__task_status__free_unpacked(u->status, NULL);
	free(u);
	t->retry_ms = 0;
	t->retry_at = UINT64_MAX;
}

void task_acknowledged(struct agent *a, struct task *t, const ProtobufCBinaryData *uuid)
{
	struct executor *e = t->executor;

	if (t->first == NULL || !same_uuid(&t->first->status->uuid, uuid))
		return; /* of one that was sent twice */
	drop_first(t);
	if (t->first != NULL) {
		task_send(a, t);
	} else if (task_terminal(t->state)) {
		HASH_DEL(e->tasks, t);
		task_free(t);
	}
}

void task_free(struct task *t)
{
	while (t->first != NULL)
		drop_first(t);
	vec_deinit(&t->seen);
	mesos__v1__task_info__free_unpacked(t->info, NULL);
	free(t);
}
