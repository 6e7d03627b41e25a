/* master_reconcile.c: RECONCILE. Master::reconcile() in src/master/master.cpp of Apache Mesos. The answers
 * are updates without a uuid. */
#include "local/master_state.h"

typedef Mesos__V1__Scheduler__Call__Reconcile Reconcile;

static void say_latest(struct master *m, struct framework *f, const struct task *t)
{
	const struct word w = {
		.task = t->id,
		.agent = t->agent->info->id->value,
		.executor = t->executor_id,
		.state = t->said ? t->said_state : t->state,
		.reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
		.message = "Reconciliation: Latest task state",
		.container = t->container,
		.has_healthy = t->has_healthy,
		.healthy = t->healthy,
	};

	master_say(m, f, &w);
}

/* A task that the master does not know: what can be said depends on its agent. To frameworks that are not
 * aware of partitions it is lost in any case. */
static void say_unknown(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Reconcile__Task *t)
{
	const struct agent *a = t->agent_id != NULL ? master_agent(m, t->agent_id->value) : NULL;
	struct word w = {
		.task = t->task_id->value,
		.agent = t->agent_id != NULL ? t->agent_id->value : NULL,
		.state = MESOS__V1__TASK_STATE__TASK_UNKNOWN,
		.reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
		.message = "Reconciliation: Task is unknown",
	};

	if (a != NULL && a->unreachable) {
		w.state = MESOS__V1__TASK_STATE__TASK_UNREACHABLE;
		w.message = "Reconciliation: Task is unreachable";
		w.unreachable_ms = a->unreachable_ms;
	} else if (a != NULL) {
		w.state = MESOS__V1__TASK_STATE__TASK_GONE;
		w.message = "Reconciliation: Task is unknown to the agent";
	}
	if (!f->partition_aware)
		w.state = MESOS__V1__TASK_STATE__TASK_LOST;
	master_say(m, f, &w);
}

void master_reconcile(struct master *m, struct framework *f, const Reconcile *reconcile)
{
	struct task *t, *next;

	m->count[COUNT_RECONCILE]++;
	if (reconcile->n_tasks == 0) {
		HASH_ITER (hh, f->tasks, t, next)
			say_latest(m, f, t);
		return;
	}
	for (size_t i = 0; i < reconcile->n_tasks; i++) {
		t = master_task(f, reconcile->tasks[i]->task_id->value);
		if (t != NULL)
			say_latest(m, f, t);
		else
			say_unknown(m, f, reconcile->tasks[i]);
	}
}
