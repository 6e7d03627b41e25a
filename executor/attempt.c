/* attempt.c: what is to run, and runs.
 *
 * An attempt waits for its stage, map outputs and broadcasts, then (over the link) for its slots, then runs
 * in a worker. Whatever becomes of it, one result leaves: by status update if it came as a Mesos task, else
 * over the link.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/state.h"

static void leave_queue(struct exec *x, struct attempt *a)
{
	DL_DELETE(x->queue, a);
	x->queued--;
}

/* That it takes of the leases. */
static uint32_t slots_of(const struct attempt *a)
{
	return a->task->has_slots && a->task->slots > 1 ? a->task->slots : 1;
}

static void leave_worker(struct exec *x, struct attempt *a)
{
	DL_DELETE(x->running, a);
	if (a->mesos == NULL)
		x->busy -= slots_of(a);
}

static void forget(struct exec *x, struct attempt *a)
{
	if (a->state == ATTEMPT_QUEUED)
		leave_queue(x, a);
	if (a->state == ATTEMPT_RUNNING)
		leave_worker(x, a);
	if (a->mesos != NULL) {
		a->mesos->attempt = NULL;
		x->fine--;
	}
	HASH_DELETE(hh, x->attempts, a);
	persist_forget(a);
	quern__task__free_unpacked(a->task, NULL);
	if (a->result != NULL)
		quern__task_result__free_unpacked(a->result, NULL);
	free(a);
}

struct attempt *attempt_find(const struct exec *x, const struct exec_name *name)
{
	struct attempt *a;

	HASH_FIND(hh, x->attempts, name, sizeof(*name), a);
	return a;
}

/* ---- Ends ---- */

static Quern__TaskResult *make_result(
	const struct exec_name *name, Quern__TaskResult__State state, const char *error, bool final)
{
	Quern__TaskResult r = QUERN__TASK_RESULT__INIT;

	r.stage = name->stage;
	r.partition = name->partition;
	r.attempt = name->attempt;
	r.state = state;
	r.error = (char *)(uintptr_t)error;
	r.has_final = final;
	r.final = final;
	return message_dup(&r.base);
}

static int set_text(char **text, char *value)
{
	if (value == NULL)
		return -ENOMEM;
	free(*text);
	*text = value;
	return 0;
}

static void drop_data(Quern__TaskResult *r)
{
	free(r->data.data);
	r->data = (ProtobufCBinaryData){ 0 };
	r->has_data = 0;
}

/* A killed attempt did not fail by itself. One that was faster than its killer is done all the same. */
static int explain_end(const struct attempt *a, Quern__TaskResult *r)
{
	char *text = NULL;

	if (a->end == END_ITSELF || r->state == QUERN__TASK_RESULT__STATE__DONE)
		return 0;
	r->has_final = 0;
	if (a->end == END_ASKED) {
		r->state = QUERN__TASK_RESULT__STATE__KILLED;
		return set_text(&r->error, strdup("killed as asked"));
	}
	r->state = QUERN__TASK_RESULT__STATE__FAILED;
	if (asprintf(&text, "timeout: not done after %llu ms", (unsigned long long)a->task->timeout_ms) < 0)
		return -ENOMEM;
	return set_text(&r->error, text);
}

static int refuse_large(const struct exec *x, Quern__TaskResult *r)
{
	char *text = NULL;

	if (!r->has_data || r->data.len <= x->config.max_data)
		return 0;
	if (asprintf(&text,
		    "the result of this task is %zu bytes; at most %zu go to the driver. Save it to files "
		    "instead",
		    r->data.len, x->config.max_data) < 0)
		return -ENOMEM;
	drop_data(r);
	r->state = QUERN__TASK_RESULT__STATE__FAILED;
	r->has_final = 1;
	r->final = 1;
	return set_text(&r->error, text);
}

/* `result` is taken. The attempt is gone afterwards, or waits until the driver has its data. */
static int finish(struct exec *x, struct attempt *a, Quern__TaskResult *result, struct exec_plan *plan)
{
	struct mtask *t = a->mesos;

	int r = persist_end(x, a, result, plan);
	if (r < 0) {
		quern__task_result__free_unpacked(result, NULL);
		return r;
	}
	if (t == NULL) {
		forget(x, a);
		return driver_result(x, result);
	}
	if (result->has_data && quern__task_result__get_packed_size(result) > STATUS_DATA_MAX) {
		if (a->state == ATTEMPT_RUNNING)
			leave_worker(x, a);
		a->state = ATTEMPT_DELIVERING;
		a->result = result;
		return driver_data(x, result, plan);
	}
	forget(x, a);
	r = agent_finish(x, t, result, plan);
	quern__task_result__free_unpacked(result, NULL);
	return r;
}

int attempt_data_taken(struct exec *x, const struct exec_name *name, struct exec_plan *plan)
{
	struct attempt *a = attempt_find(x, name);

	if (a == NULL || a->state != ATTEMPT_DELIVERING)
		return 0;
	Quern__TaskResult *result = a->result;
	struct mtask *t = a->mesos;
	a->result = NULL;
	forget(x, a);
	drop_data(result);
	result->has_data_on_link = 1;
	result->data_on_link = 1;
	int r = agent_finish(x, t, result, plan);
	quern__task_result__free_unpacked(result, NULL);
	return r;
}

static int finish_with(struct exec *x, struct attempt *a, Quern__TaskResult__State state, const char *error,
	bool final, struct exec_plan *plan)
{
	Quern__TaskResult *result = make_result(&a->name, state, error, final);

	return result == NULL ? -ENOMEM : finish(x, a, result, plan);
}

int attempt_result(struct exec *x, Quern__TaskResult *result, struct exec_plan *plan)
{
	const struct exec_name name = { result->stage, result->partition, result->attempt };
	struct attempt *a = attempt_find(x, &name);

	if (a == NULL || a->state != ATTEMPT_RUNNING) {
		quern__task_result__free_unpacked(result, NULL);
		return 0;
	}
	int r = explain_end(a, result);
	if (r == 0)
		r = refuse_large(x, result);
	if (r < 0) {
		quern__task_result__free_unpacked(result, NULL);
		return r;
	}
	r = finish(x, a, result, plan);
	if (r == 0)
		r = attempt_dispatch(x, plan);
	return r < 0 ? r : agent_leases_left(x, plan);
}

int attempt_kill(struct exec *x, struct attempt *a, struct exec_plan *plan)
{
	if (a->state != ATTEMPT_RUNNING)
		/* Data that is on its way is not waited for any longer. */
		return finish_with(x, a, QUERN__TASK_RESULT__STATE__KILLED, "killed as asked", false, plan);
	if (a->end != END_ITSELF)
		return 0;
	a->end = END_ASKED;
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_KILL, .name = a->name });
}

int attempt_starve(struct exec *x, const char *why, struct exec_plan *plan)
{
	struct attempt *a, *next;
	int r = 0;

	HASH_ITER (hh, x->attempts, a, next) {
		if (r == 0 && a->state == ATTEMPT_WAITING && a->task->has_broadcasts_version)
			r = finish_with(x, a, QUERN__TASK_RESULT__STATE__FAILED, why, false, plan);
	}
	return r < 0 ? r : agent_leases_left(x, plan);
}

int attempt_unloadable(struct exec *x, const char *why, struct exec_plan *plan)
{
	struct attempt *a, *next;
	int r = 0;

	if (x->unloadable != NULL)
		return 0;
	x->unloadable = strdup(why);
	if (x->unloadable == NULL)
		return -ENOMEM;
	HASH_ITER (hh, x->attempts, a, next) {
		if (r == 0 && a->state != ATTEMPT_DELIVERING)
			r = finish_with(x, a, QUERN__TASK_RESULT__STATE__FAILED, x->unloadable, true, plan);
	}
	return r < 0 ? r : agent_leases_left(x, plan);
}

/* ---- On the way to a worker ---- */

static int warm(struct exec *x, uint32_t n, struct exec_plan *plan)
{
	x->warm = n;
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_WARM, .n = n });
}

/* Keeps as many workers as have been of use at a time, and the spare one that the shell adds. */
static int keep_warm(struct exec *x, struct exec_plan *plan)
{
	uint32_t want = x->slots + x->fine;

	return want > x->warm ? warm(x, want, plan) : 0;
}

int attempt_cool(struct exec *x, struct exec_plan *plan)
{
	uint32_t want = x->slots + x->fine;

	return want < x->warm ? warm(x, want, plan) : 0;
}

/* What the driver said about the attempt's stage and map outputs. *ret_ready is false while it must be waited
 * for. */
static int look_up(struct exec *x, const struct attempt *a, struct exec_action *run, bool *ret_ready,
	struct exec_plan *plan)
{
	*ret_ready = false;
	*run = (struct exec_action){ .kind = EXEC_DO_RUN, .name = a->name, .task = a->task };
	int r = driver_stage(x, a->name.stage, &run->stage, plan);
	if (r < 0 || run->stage == NULL)
		return r;
	if (a->task->branch >= run->stage->n_branches)
		return 0; /* of a stage that is not what it was: the driver sends that again */
	if (stage_remote(run->stage))
		run->hdfs = x->hdfs;
	const Quern__Source *source = run->stage->branches[a->task->branch]->source;
	if (source->n_shuffles > STAGE_SHUFFLES_MAX)
		return 0;
	*ret_ready = true;
	for (size_t i = 0; r == 0 && i < source->n_shuffles; i++) {
		uint32_t version = i < a->task->n_outputs_versions ? a->task->outputs_versions[i] : 0;

		/* Of each, even when one is missing: they come together then. */
		r = driver_outputs(x, source->shuffles[i]->shuffle, version, &run->outputs[i], plan);
		*ret_ready = *ret_ready && run->outputs[i] != NULL;
	}
	run->n_outputs = source->n_shuffles;
	bool shared = false;
	if (r == 0)
		r = broadcast_ready(x, a->task, &shared, plan);
	*ret_ready = *ret_ready && shared;
	return r;
}

static int run(struct exec *x, struct attempt *a, const struct exec_action *action, struct exec_plan *plan)
{
	if (a->mesos == NULL)
		x->busy += slots_of(a);
	a->state = ATTEMPT_RUNNING;
	DL_APPEND(x->running, a);
	a->deadline_ms = a->task->has_timeout_ms && a->task->timeout_ms > 0 &&
					 a->task->timeout_ms < UINT64_MAX - x->now_ms
				 ? x->now_ms + a->task->timeout_ms
				 : UINT64_MAX;
	struct exec_action with = *action;
	int r = persist_begin(x, a, &with);
	return r < 0 ? r : plan_add(plan, with);
}

/* From waiting to the queue or, a fine one, to a worker. */
int attempt_advance(struct exec *x, struct attempt *a, struct exec_plan *plan)
{
	struct exec_action action;
	bool ready;

	if (a->state != ATTEMPT_WAITING)
		return 0;
	if (x->unloadable != NULL)
		return finish_with(x, a, QUERN__TASK_RESULT__STATE__FAILED, x->unloadable, true, plan);
	int r = look_up(x, a, &action, &ready, plan);
	if (r < 0 || !ready)
		return r;
	if (a->mesos != NULL)
		return run(x, a, &action, plan);
	a->state = ATTEMPT_QUEUED;
	DL_APPEND(x->queue, a);
	x->queued++;
	return 0;
}

int attempt_advance_all(struct exec *x, struct exec_plan *plan)
{
	struct attempt *a, *next;
	int r = 0;

	HASH_ITER (hh, x->attempts, a, next) {
		if (r == 0)
			r = attempt_advance(x, a, plan);
	}
	return r < 0 ? r : attempt_dispatch(x, plan);
}

static int run_next(struct exec *x, struct exec_plan *plan)
{
	struct attempt *a = x->queue;
	struct exec_action action;
	bool ready;

	leave_queue(x, a);
	a->state = ATTEMPT_WAITING;
	int r = look_up(
		x, a, &action, &ready, plan); /* it was there; it may have been replaced by a newer one */
	return r < 0 || !ready ? r : run(x, a, &action, plan);
}

/* The newest first: they have lost the least. */
static int kill_excess(struct exec *x, struct exec_plan *plan)
{
	uint32_t excess = x->busy > x->slots ? x->busy - x->slots : 0;
	struct attempt *a = x->attempts;
	int r = 0;

	if (excess == 0)
		return 0;
	for (const struct attempt *i = x->running; i != NULL; i = i->next)
		if (i->mesos == NULL && i->end == END_ASKED) /* on its way already */
			excess -= excess < slots_of(i) ? excess : slots_of(i);
	a = ELMT_FROM_HH(a->hh.tbl, a->hh.tbl->tail);
	while (r == 0 && a != NULL && excess > 0) {
		if (a->mesos == NULL && a->state == ATTEMPT_RUNNING && a->end != END_ASKED) {
			excess -= excess < slots_of(a) ? excess : slots_of(a);
			r = attempt_kill(x, a, plan);
		}
		a = a->hh.prev;
	}
	return r;
}

/* Without a slot nothing over the link can ever run. */
static int drop_waiting(struct exec *x, struct exec_plan *plan)
{
	struct attempt *a, *next;
	int r = 0;

	HASH_ITER (hh, x->attempts, a, next) {
		if (r == 0 && a->mesos == NULL && a->state != ATTEMPT_RUNNING)
			r = attempt_kill(x, a, plan);
	}
	return r;
}

int attempt_dispatch(struct exec *x, struct exec_plan *plan)
{
	int r = keep_warm(x, plan);

	while (r == 0 && x->queue != NULL && x->slots > 0) {
		uint32_t slots = slots_of(x->queue);

		if (slots > x->slots) /* leases have gone since it was sent: it is no use to wait */
			r = attempt_kill(x, x->queue, plan);
		else if (slots <= x->slots - (x->busy < x->slots ? x->busy : x->slots))
			r = run_next(x, plan);
		else
			break;
	}
	if (r == 0 && x->slots == 0)
		r = drop_waiting(x, plan);
	return r < 0 ? r : kill_excess(x, plan);
}

int attempt_add(struct exec *x, const Quern__Task *task, struct mtask *t, struct exec_plan *plan)
{
	const struct exec_name name = { task->stage, task->partition, task->attempt };

	if (attempt_find(x, &name) != NULL)
		return 0;
	struct attempt *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	a->name = name;
	a->deadline_ms = UINT64_MAX;
	a->task = message_dup(&task->base);
	struct attempt *added = a;
	if (a->task != NULL)
		HASH_ADD(hh, x->attempts, name, sizeof(a->name), added);
	if (a->task == NULL || added == NULL || added->hh.tbl == NULL) {
		if (a->task != NULL)
			quern__task__free_unpacked(a->task, NULL);
		free(a);
		return -ENOMEM;
	}
	a->mesos = t;
	if (t != NULL) {
		t->attempt = a;
		x->fine++;
		int r = keep_warm(x, plan);
		if (r < 0)
			return r;
	}
	return attempt_advance(x, a, plan);
}

/* ---- Time ---- */

int attempt_tick(struct exec *x, struct exec_plan *plan)
{
	struct attempt *a, *next;
	int r = 0;

	DL_FOREACH_SAFE(x->running, a, next)
	{
		if (r < 0 || a->deadline_ms > x->now_ms)
			continue;
		a->deadline_ms = UINT64_MAX;
		if (a->end != END_ITSELF)
			continue;
		a->end = END_TIMEOUT;
		r = plan_add(plan, (struct exec_action){ .kind = EXEC_DO_KILL, .name = a->name });
	}
	return r;
}

uint64_t attempt_next_ms(const struct exec *x)
{
	uint64_t next = UINT64_MAX;

	for (const struct attempt *a = x->running; a != NULL; a = a->next)
		if (a->deadline_ms < next)
			next = a->deadline_ms;
	return next;
}

void attempt_deinit(struct exec *x)
{
	struct attempt *a, *next;

	HASH_ITER (hh, x->attempts, a, next) {
		forget(x, a);
	}
}
