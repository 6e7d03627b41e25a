#include "cli/host_task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Executor__Call Call;

/* A status with what it points at. */
struct status {
	Mesos__V1__Executor__Call__Update update;
	Mesos__V1__TaskStatus status;
	Mesos__V1__ExecutorID executor;
};

static bool is_end(Mesos__V1__TaskState state)
{
	return state != MESOS__V1__TASK_STATE__TASK_RUNNING;
}

int host_task_launch(struct host_task *t, const Mesos__V1__TaskInfo *info)
{
	size_t len = mesos__v1__task_info__get_packed_size(info);
	uint8_t *bytes = t->info == NULL ? malloc(len + 1) : NULL;

	if (t->info != NULL)
		return -EEXIST;
	if (bytes == NULL)
		return -ENOMEM;
	(void)mesos__v1__task_info__pack(info, bytes);
	t->info = mesos__v1__task_info__unpack(NULL, len, bytes);
	free(bytes);
	return t->info == NULL ? -ENOMEM : 0;
}

int host_task_update(
	struct host_task *t, Mesos__V1__TaskState state, const char *message, uint64_t seed, double timestamp)
{
	struct host_update *u = &t->updates[t->n_updates];

	if (t->info == NULL || t->n_updates == HOST_UPDATES ||
		(t->n_updates > 0 && is_end(t->updates[t->n_updates - 1].state)))
		return -EINVAL;
	*u = (struct host_update){ .state = state, .timestamp = timestamp };
	if (message != NULL && (u->message = strdup(message)) == NULL)
		return -ENOMEM;
	random_uuid(&seed, u->uuid);
	t->n_updates++;
	return 0;
}

void host_task_acknowledged(struct host_task *t, const ProtobufCBinaryData *uuid)
{
	for (size_t i = 0; i < t->n_updates; i++) {
		struct host_update *u = &t->updates[i];

		if (uuid->len == sizeof(u->uuid) && memcmp(uuid->data, u->uuid, sizeof(u->uuid)) == 0)
			u->known = t->known = true;
	}
}

bool host_task_over(const struct host_task *t)
{
	const struct host_update *last = t->n_updates > 0 ? &t->updates[t->n_updates - 1] : NULL;

	return last != NULL && is_end(last->state) && last->known;
}

/* ---- Calls ---- */

static void fill(const struct host_task *t, const struct host_update *u, struct status *s)
{
	mesos__v1__executor__call__update__init(&s->update);
	mesos__v1__task_status__init(&s->status);
	mesos__v1__executor_id__init(&s->executor);
	s->executor.value = (char *)(uintptr_t)t->executor_id;
	s->status.task_id = t->info->task_id;
	s->status.executor_id = &s->executor;
	s->status.state = u->state;
	s->status.message = u->message;
	s->status.has_source = 1;
	s->status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	s->status.has_timestamp = 1;
	s->status.timestamp = u->timestamp;
	s->status.has_uuid = 1;
	s->status.uuid =
		(ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)u->uuid, .len = sizeof(u->uuid) };
	s->update.status = &s->status;
}

static int pack(const struct host_task *t, Call *call, Mesos__V1__Executor__Call__Type type, struct buf *out)
{
	Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;

	executor.value = (char *)(uintptr_t)t->executor_id;
	framework.value = (char *)(uintptr_t)t->framework_id;
	call->executor_id = &executor;
	call->framework_id = &framework;
	call->has_type = 1;
	call->type = type;
	int r = buf_reserve(out, mesos__v1__executor__call__get_packed_size(call));
	if (r == 0)
		out->len += mesos__v1__executor__call__pack(call, out->data + out->len);
	return r;
}

int host_task_subscribe(const struct host_task *t, struct buf *out)
{
	Call call = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__Executor__Call__Subscribe subscribe = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;
	Mesos__V1__TaskInfo *task = t->info;
	struct status statuses[HOST_UPDATES];
	Mesos__V1__Executor__Call__Update *list[HOST_UPDATES];

	subscribe.unacknowledged_tasks = &task;
	subscribe.n_unacknowledged_tasks = t->info != NULL && !t->known ? 1 : 0;
	subscribe.unacknowledged_updates = list;
	for (size_t i = 0; i < t->n_updates; i++) {
		if (t->updates[i].known)
			continue;
		fill(t, &t->updates[i], &statuses[i]);
		list[subscribe.n_unacknowledged_updates++] = &statuses[i].update;
	}
	call.subscribe = &subscribe;
	return pack(t, &call, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE, out);
}

int host_task_update_call(const struct host_task *t, size_t i, struct buf *out)
{
	Call call = MESOS__V1__EXECUTOR__CALL__INIT;
	struct status s;

	fill(t, &t->updates[i], &s);
	call.update = &s.update;
	return pack(t, &call, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE, out);
}

void host_task_deinit(struct host_task *t)
{
	if (t->info != NULL)
		mesos__v1__task_info__free_unpacked(t->info, NULL);
	for (size_t i = 0; i < t->n_updates; i++)
		free(t->updates[i].message);
	*t = (struct host_task){ 0 };
}
