/* agent.c: the agent's side of the core: the tasks that it launched, and the status updates that it is owed.
 *
 * Ordering guarantees: an update is kept from when it is made until the agent acknowledges it. It is sent
 * when there is a subscription; one that was made without goes with the next SUBSCRIBE, in the order they
 * were made. A short task sends its end alone, which the agent takes (src/slave/slave.cpp,
 * Slave::statusUpdate). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/state.h"

static struct mtask *find(const struct exec *x, const char *id)
{
	struct mtask *t;

	HASH_FIND_STR(x->mtasks, id, t);
	return t;
}

static void forget(struct exec *x, struct mtask *t)
{
	HASH_DELETE(hh, x->mtasks, t);
	mesos__v1__task_info__free_unpacked(t->info, NULL);
	free(t);
}

static void free_update(struct exec *x, struct update *u)
{
	HASH_DELETE(hh, x->updates, u);
	protobuf_c_message_free_unpacked(&u->message->base, NULL);
	free(u);
}

/* ---- Updates ---- */

static int send_update(const struct exec *x, const struct update *u, struct exec_plan *plan)
{
	Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;

	executor.value = x->executor_id;
	framework.value = x->framework_id;
	call.executor_id = &executor;
	call.framework_id = &framework;
	call.has_type = 1;
	call.type = MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE;
	call.update = u->message;
	return plan_message(plan, EXEC_DO_CALL, &call.base);
}

/* Keeps a copy of the update, and sends it if there is somebody to send it to. */
static int keep_update(struct exec *x, Mesos__V1__TaskStatus *status, bool terminal, struct exec_plan *plan)
{
	Mesos__V1__Executor__Call__Update update = MESOS__V1__EXECUTOR__CALL__UPDATE__INIT;
	struct update *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return -ENOMEM;
	random_uuid(&x->random, u->uuid);
	status->has_uuid = 1;
	status->uuid = (ProtobufCBinaryData){ .data = u->uuid, .len = UUID };
	update.status = status;
	u->message = message_dup(&update.base);
	u->terminal = terminal;
	u->backoff_ms = RESEND_MIN_MS;
	u->resend_ms = x->now_ms + u->backoff_ms;
	struct update *added = u;
	if (u->message != NULL)
		HASH_ADD(hh, x->updates, uuid, UUID, added);
	if (u->message == NULL || added == NULL || added->hh.tbl == NULL) {
		if (u->message != NULL)
			protobuf_c_message_free_unpacked(&u->message->base, NULL);
		free(u);
		return -ENOMEM;
	}
	return x->subscribed ? send_update(x, u, plan) : 0;
}

static int update(struct exec *x, struct mtask *t, Mesos__V1__TaskState state, char *message,
	const ProtobufCBinaryData *data, struct exec_plan *plan)
{
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;

	executor.value = x->executor_id;
	status.task_id = t->info->task_id;
	status.executor_id = &executor;
	status.state = state;
	status.message = message;
	status.has_source = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status.has_timestamp = 1;
	status.timestamp = (double)(x->config.epoch_ms + x->now_ms) / 1000.0;
	if (data != NULL) {
		status.has_data = 1;
		status.data = *data;
	}
	t->running = true;
	t->terminal = state != MESOS__V1__TASK_STATE__TASK_RUNNING;
	return keep_update(x, &status, t->terminal, plan);
}

/* Packs what fits of a result into a status' data: the sentences give way, the rest never does. */
static int pack_result(const Quern__TaskResult *result, uint8_t data[STATUS_FAILED_MAX], size_t *ret_len)
{
	Quern__TaskResult r = *result;
	size_t max = r.state == QUERN__TASK_RESULT__STATE__DONE ? STATUS_DATA_MAX : STATUS_FAILED_MAX;
	char error[STATUS_DATA_MAX / 2];

	if (r.error != NULL && strlen(r.error) >= sizeof(error)) {
		memcpy(error, r.error, sizeof(error) - 1);
		error[sizeof(error) - 1] = '\0';
		r.error = error;
	}
	size_t need = quern__task_result__get_packed_size(&r);
	if (need > max && r.stderr_tail != NULL) {
		size_t cut = need - max, len = strlen(r.stderr_tail);

		r.stderr_tail = cut < len ? r.stderr_tail + cut : NULL;
		need = quern__task_result__get_packed_size(&r);
	}
	if (need > max)
		return -EMSGSIZE;
	*ret_len = quern__task_result__pack(&r, data);
	return 0;
}

int agent_finish(struct exec *x, struct mtask *t, const Quern__TaskResult *result, struct exec_plan *plan)
{
	uint8_t bytes[STATUS_FAILED_MAX];
	ProtobufCBinaryData data = { .data = bytes };
	Mesos__V1__TaskState state =
		result->state == QUERN__TASK_RESULT__STATE__DONE     ? MESOS__V1__TASK_STATE__TASK_FINISHED
		: result->state == QUERN__TASK_RESULT__STATE__KILLED ? MESOS__V1__TASK_STATE__TASK_KILLED
								     : MESOS__V1__TASK_STATE__TASK_FAILED;

	t->attempt = NULL;
	if (pack_result(result, bytes, &data.len) == 0)
		return update(x, t, state, result->error, &data, plan);
	return update(x, t, MESOS__V1__TASK_STATE__TASK_FAILED,
		(char *)(uintptr_t) "the result is too large for a status update", NULL, plan);
}

/* ---- Launch and kill ---- */

static int refuse(struct exec *x, struct mtask *t, const char *why, struct exec_plan *plan)
{
	return update(x, t, MESOS__V1__TASK_STATE__TASK_FAILED, (char *)(uintptr_t)why, NULL, plan);
}

/* The driver hears of it twice: its slots are used as soon as they are there. */
static int begin_lease(struct exec *x, struct mtask *t, struct exec_plan *plan)
{
	int r = update(x, t, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL, NULL, plan);

	return r < 0 ? r : driver_lease(t->info->task_id->value, plan);
}

static int add_lease(struct exec *x, struct mtask *t, uint32_t slots, struct exec_plan *plan)
{
	if (slots == 0 || slots > UINT32_MAX - x->slots)
		return refuse(x, t, "a lease of no slots, or of too many", plan);
	t->lease = true;
	t->slots = slots;
	x->slots += slots;
	int r = x->link == LINK_IS_UP ? begin_lease(x, t, plan) : 0;
	return r < 0 ? r : attempt_dispatch(x, plan);
}

static int start(struct exec *x, struct mtask *t, struct exec_plan *plan)
{
	const ProtobufCBinaryData *data = &t->info->data;
	Quern__TaskData *d = t->info->has_data ? quern__task_data__unpack(NULL, data->len, data->data) : NULL;
	int r;

	if (d == NULL || (d->task == NULL) == (d->lease == NULL)) {
		r = refuse(x, t, "the task's data is not a task of quern's", plan);
	} else if (d->lease != NULL) {
		r = add_lease(x, t, d->lease->slots, plan);
	} else {
		t->running_due_ms = x->now_ms + x->config.running_delay_ms;
		r = attempt_add(x, d->task, t, plan);
		if (r == 0 && t->attempt == NULL && !t->terminal)
			r = refuse(x, t, "this attempt is here already", plan);
	}
	if (d != NULL)
		quern__task_data__free_unpacked(d, NULL);
	return r;
}

static int launch(struct exec *x, const Mesos__V1__TaskInfo *info, struct exec_plan *plan)
{
	if (find(x, info->task_id->value) !=
		NULL) /* the agent sends a task once; two of a name cannot be told apart */
		return plan_text(plan, EXEC_DO_LOG, 0, "task '%s' was launched twice; the second is ignored",
			info->task_id->value);
	struct mtask *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->running_due_ms = UINT64_MAX;
	t->info = message_dup(&info->base);
	struct mtask *added = t;
	if (t->info != NULL)
		HASH_ADD_KEYPTR(
			hh, x->mtasks, t->info->task_id->value, strlen(t->info->task_id->value), added);
	if (t->info == NULL || added == NULL || added->hh.tbl == NULL) {
		if (t->info != NULL)
			mesos__v1__task_info__free_unpacked(t->info, NULL);
		free(t);
		return -ENOMEM;
	}
	return start(x, t, plan);
}

int agent_leases_left(struct exec *x, struct exec_plan *plan)
{
	struct mtask *t, *next;
	int r = 0;

	if (x->busy > x->slots)
		return 0;
	HASH_ITER (hh, x->mtasks, t, next) {
		if (r == 0 && t->leaving && !t->terminal)
			r = update(x, t,
				t->unwanted ? MESOS__V1__TASK_STATE__TASK_FINISHED
					    : MESOS__V1__TASK_STATE__TASK_KILLED,
				NULL, NULL, plan);
	}
	return r;
}

static int leave(struct exec *x, struct mtask *t, struct exec_plan *plan)
{
	t->leaving = true;
	x->slots -= t->slots;
	int r = attempt_dispatch(x, plan);
	if (r == 0)
		r = attempt_cool(x, plan);
	return r < 0 ? r : agent_leases_left(x, plan);
}

int agent_end_lease(struct exec *x, const char *id, struct exec_plan *plan)
{
	struct mtask *t = find(x, id);

	if (t == NULL || !t->lease || t->terminal || t->leaving)
		return 0;
	t->unwanted = true;
	return leave(x, t, plan);
}

static int kill_task(struct exec *x, const char *id, struct exec_plan *plan)
{
	struct mtask *t = find(x, id);

	if (t == NULL || t->terminal || t->leaving)
		return 0; /* the agent has, or gets, its end anyway */
	if (!t->lease)
		return attempt_kill(x, t->attempt, plan);
	return leave(x, t, plan);
}

/* ---- Events ---- */

static int on_subscribed(
	struct exec *x, const Mesos__V1__Executor__Event__Subscribed *s, struct exec_plan *plan)
{
	struct update *u;

	x->subscribed = true;
	for (u = x->updates; u != NULL; u = u->hh.next)
		u->resend_ms = x->now_ms + u->backoff_ms; /* they went with SUBSCRIBE */
	if (x->setup != NULL)
		return 0;
	const ProtobufCBinaryData none = { 0 };
	return driver_setup(
		x, s != NULL && s->executor_info->has_data ? &s->executor_info->data : &none, plan);
}

static void on_acknowledged(struct exec *x, const Mesos__V1__Executor__Event__Acknowledged *a)
{
	struct mtask *t = find(x, a->task_id->value);
	struct update *u = NULL;

	if (t != NULL)
		t->known = true;
	if (a->uuid.len == UUID)
		HASH_FIND(hh, x->updates, a->uuid.data, UUID, u);
	if (u == NULL)
		return;
	if (u->terminal && t != NULL)
		forget(x, t);
	free_update(x, u);
}

int agent_event(struct exec *x, const Mesos__V1__Executor__Event *e, struct exec_plan *plan)
{
	int r = 0;

	switch (e->has_type ? e->type : MESOS__V1__EXECUTOR__EVENT__TYPE__UNKNOWN) {
	case MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED:
		return on_subscribed(x, e->subscribed, plan);
	case MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH:
		return e->launch != NULL ? launch(x, e->launch->task, plan) : 0;
	case MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH_GROUP:
		for (size_t i = 0;
			r == 0 && e->launch_group != NULL && i < e->launch_group->task_group->n_tasks; i++)
			r = launch(x, e->launch_group->task_group->tasks[i], plan);
		return r;
	case MESOS__V1__EXECUTOR__EVENT__TYPE__KILL:
		return e->kill != NULL ? kill_task(x, e->kill->task_id->value, plan) : 0;
	case MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED:
		if (e->acknowledged != NULL)
			on_acknowledged(x, e->acknowledged);
		return 0;
	default: /* HEARTBEAT; MESSAGE, for all that is for us comes over the link; and what is newer than we
		    are */
		return 0;
	}
}

/* ---- Time ---- */

int agent_tick(struct exec *x, struct exec_plan *plan)
{
	struct mtask *t, *next;
	int r = 0;

	HASH_ITER (hh, x->mtasks, t, next) {
		if (r == 0 && !t->running && t->running_due_ms <= x->now_ms)
			r = update(x, t, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL, NULL, plan);
	}
	for (struct update *u = x->updates; r == 0 && x->subscribed && u != NULL; u = u->hh.next) {
		if (u->resend_ms > x->now_ms)
			continue;
		u->backoff_ms = u->backoff_ms > RESEND_MAX_MS / 2 ? RESEND_MAX_MS : u->backoff_ms * 2;
		u->resend_ms = x->now_ms + u->backoff_ms;
		r = send_update(x, u, plan);
	}
	return r;
}

uint64_t agent_due_ms(const struct exec *x)
{
	uint64_t next = UINT64_MAX;

	for (const struct mtask *t = x->mtasks; t != NULL; t = t->hh.next)
		if (!t->running && t->running_due_ms < next)
			next = t->running_due_ms;
	for (const struct update *u = x->updates; x->subscribed && u != NULL; u = u->hh.next)
		if (u->resend_ms < next)
			next = u->resend_ms;
	return next;
}

int agent_link_up(struct exec *x, struct exec_plan *plan)
{
	struct mtask *t, *next;
	int r = 0;

	HASH_ITER (hh, x->mtasks, t, next) {
		if (r == 0 && t->lease && !t->running && !t->leaving)
			r = begin_lease(x, t, plan);
	}
	return r;
}

int agent_shutdown(struct exec *x, struct exec_plan *plan)
{
	struct mtask *t, *next;
	int r = 0;

	HASH_ITER (hh, x->mtasks, t, next) {
		if (r == 0 && !t->terminal)
			r = update(x, t, MESOS__V1__TASK_STATE__TASK_KILLED, NULL, NULL, plan);
	}
	return r;
}

/* ---- Subscription ---- */

static int pack_subscribe(const struct exec *x, Mesos__V1__TaskInfo **tasks,
	Mesos__V1__Executor__Call__Update **updates, struct buf *out)
{
	Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__Executor__Call__Subscribe subscribe = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;
	Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;

	executor.value = x->executor_id;
	framework.value = x->framework_id;
	call.executor_id = &executor;
	call.framework_id = &framework;
	call.has_type = 1;
	call.type = MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
	call.subscribe = &subscribe;
	subscribe.unacknowledged_tasks = tasks;
	for (const struct mtask *t = x->mtasks; t != NULL; t = t->hh.next)
		if (!t->known)
			tasks[subscribe.n_unacknowledged_tasks++] = t->info;
	subscribe.unacknowledged_updates = updates;
	for (const struct update *u = x->updates; u != NULL; u = u->hh.next)
		updates[subscribe.n_unacknowledged_updates++] = u->message;

	size_t len = mesos__v1__executor__call__get_packed_size(&call);
	int r = buf_reserve(out, len);
	if (r == 0)
		out->len += mesos__v1__executor__call__pack(&call, out->data + out->len);
	return r;
}

int exec_subscribe_call(const struct exec *x, struct buf *out)
{
	Mesos__V1__TaskInfo **tasks = calloc(HASH_COUNT(x->mtasks) + 1, sizeof(*tasks));
	Mesos__V1__Executor__Call__Update **updates = calloc(HASH_COUNT(x->updates) + 1, sizeof(*updates));
	int r = tasks == NULL || updates == NULL ? -ENOMEM : pack_subscribe(x, tasks, updates, out);

	free(tasks);
	free(updates);
	return r;
}

void agent_deinit(struct exec *x)
{
	struct mtask *t, *next;
	struct update *u, *next_update;

	HASH_ITER (hh, x->updates, u, next_update) {
		free_update(x, u);
	}
	HASH_ITER (hh, x->mtasks, t, next) {
		forget(x, t);
	}
}
