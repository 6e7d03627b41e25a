/* master_accept.c: ACCEPT: offers become tasks. Master::accept() and _accept() in src/master/master.cpp,
 * validation::offer::validate() in src/master/validation.cpp of Apache Mesos. Operations on volumes and
 * reservations are not part of this cluster: they are dropped, which Mesos does with those that it finds
 * invalid. */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "local/master_state.h"

typedef Mesos__V1__Scheduler__Call__Accept Accept;

/* ---- Whether the offers may be used, in Mesos' order ---- */

static int check_unique(const Accept *a, struct err *err)
{
	for (size_t i = 0; i < a->n_offer_ids; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(a->offer_ids[i]->value, a->offer_ids[j]->value) == 0)
				return err_set(err, -EINVAL, "Duplicate offer %s in offer list",
					a->offer_ids[i]->value);
	return 0;
}

static int check_owner(const struct offer *o, const struct framework *f, struct err *err)
{
	if (o->member->framework == f)
		return 0;
	return err_set(err, -EINVAL, "Offer %s has invalid framework %s while framework %s is expected",
		o->id, o->member->framework->id, f->id);
}

static int check_together(const struct offer *first, const struct offer *o, struct err *err)
{
	if (first->member != o->member)
		return err_set(err, -EINVAL,
			"Aggregated offers must be allocated to the same role. Offer %s uses role '%s but "
			"another "
			"is using role '%s",
			o->id, o->member->role->name, first->member->role->name);
	if (first->agent != o->agent)
		return err_set(err, -EINVAL,
			"Aggregated offers must belong to one single agent. Offer %s uses agent %s and agent "
			"%s",
			o->id, o->agent->info->id->value, first->agent->info->id->value);
	return 0;
}

static int check_offers(const struct master *m, const struct framework *f, const Accept *a, struct err *err)
{
	int r = a->n_offer_ids > 0 ? check_unique(a, err) : err_set(err, -EINVAL, "No offers specified");

	for (size_t i = 0; r == 0 && i < a->n_offer_ids; i++)
		if (master_offer(m, a->offer_ids[i]->value) == NULL)
			r = err_set(err, -EINVAL, "Offer %s is no longer valid", a->offer_ids[i]->value);
	for (size_t i = 0; r == 0 && i < a->n_offer_ids; i++)
		r = check_owner(master_offer(m, a->offer_ids[i]->value), f, err);
	for (size_t i = 1; r == 0 && i < a->n_offer_ids; i++)
		r = check_together(master_offer(m, a->offer_ids[0]->value),
			master_offer(m, a->offer_ids[i]->value), err);
	return r;
}

/* ---- Tasks that do not come to be ---- */

static const Mesos__V1__Offer__Operation__Launch *launch_of(const Mesos__V1__Offer__Operation *o)
{
	bool is = o->has_type && o->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
	return is ? o->launch : NULL;
}

static void reject(struct master *m, struct framework *f, const Mesos__V1__TaskInfo *task,
	Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason, const char *message)
{
	const struct word w = {
		.task = task->task_id->value,
		.agent = task->agent_id->value,
		.state = state,
		.reason = reason,
		.message = message,
	};

	m->ended[state]++;
	f->ended[state]++;
	master_say(m, f, &w);
}

/* Offers that cannot be used: those that exist are free again, without a filter, and every task is lost. */
static void drop_all(struct master *m, struct framework *f, const Accept *a, const char *why)
{
	struct err text;

	(void)err_set(&text, 0, "Task launched with invalid offers: %s", why);
	for (size_t i = 0; i < a->n_offer_ids; i++) {
		struct offer *o = master_offer(m, a->offer_ids[i]->value);

		if (o != NULL && o->member->framework == f)
			master_discard_offer(m, o, NULL, false);
	}
	for (size_t i = 0; i < a->n_operations; i++) {
		const Mesos__V1__Offer__Operation__Launch *l = launch_of(a->operations[i]);

		for (size_t j = 0; l != NULL && j < l->n_task_infos; j++)
			reject(m, f, l->task_infos[j],
				f->partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
						   : MESOS__V1__TASK_STATE__TASK_LOST,
				MESOS__V1__TASK_STATUS__REASON__REASON_INVALID_OFFERS, text.text);
	}
}

/* ---- Tasks that do ---- */

/* The task as the agent gets it: every resource says what it is allocated to. */
static void send_run(struct master *m, const struct launch *l, const Mesos__V1__TaskInfo *task)
{
	const struct framework *f = l->member->framework;
	const char *role = l->member->role->name;
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Run run = QUERN__LOCAL__TO_AGENT__RUN__INIT;
	Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;
	struct resource_list own = { 0 }, executors = { 0 };
	Mesos__V1__TaskInfo copy = *task;

	if (master_resources_inject(task->resources, task->n_resources, role, &own) < 0)
		m->oom = true;
	copy.resources = own.at;
	if (task->executor != NULL && !m->oom) {
		executor = *task->executor;
		if (master_resources_inject(executor.resources, executor.n_resources, role, &executors) < 0)
			m->oom = true;
		executor.resources = executors.at;
		copy.executor = &executor;
	}
	run.framework = f->info;
	run.task = &copy;
	message.run = &run;
	if (!m->oom)
		master_to_agent(m, l->agent, &message);
	master_resource_list_deinit(&executors);
	master_resource_list_deinit(&own);
}

/* A task of an executor that need not say whose it is: the framework's. Borrows from `given`. */
static const Mesos__V1__TaskInfo *fill_in(const struct framework *f, const Mesos__V1__TaskInfo *given,
	Mesos__V1__TaskInfo *task, Mesos__V1__ExecutorInfo *executor)
{
	if (given->executor == NULL || given->executor->framework_id != NULL)
		return given;
	*task = *given;
	*executor = *given->executor;
	executor->framework_id = f->info->id;
	task->executor = executor;
	return task;
}

static void launch(struct master *m, struct launch *l, const Mesos__V1__TaskInfo *given)
{
	struct framework *f = l->member->framework;
	struct resources *own = NULL, *executor = NULL;
	struct err err = { "" };
	Mesos__V1__TaskInfo filled;
	Mesos__V1__ExecutorInfo info;

	const Mesos__V1__TaskInfo *task = fill_in(f, given, &filled, &info);
	int r = master_check_task(m, l, task, &own, &executor, &err);
	if (r == -EINVAL) {
		reject(m, f, task, MESOS__V1__TASK_STATE__TASK_ERROR,
			MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID, err.text);
		return;
	}
	if (r == 0)
		r = resources_subtract(l->offered, own);
	if (r == 0 && executor != NULL)
		r = resources_subtract(l->offered, executor);
	if (r < 0) {
		m->oom = true;
		resources_free(own);
		resources_free(executor);
		return;
	}
	if (executor != NULL)
		(void)master_new_executor(m, l->agent, l->member, task->executor, executor);
	(void)master_new_task(m, l->member, l->agent, task, own);
	send_run(m, l, task);
}

/* The offers are one pot from here on. NULL: no memory. */
static struct resources *pour(struct master *m, struct framework *f, const Accept *a)
{
	struct resources *all = NULL;

	if (resources_new(&all) < 0)
		m->oom = true;
	for (size_t i = 0; all != NULL && i < a->n_offer_ids; i++) {
		struct offer *o = master_offer(m, a->offer_ids[i]->value);

		if (resources_add(all, o->resources) < 0)
			m->oom = true;
		master_free_offer(m, o);
		f->offers_accepted++;
	}
	return all;
}

void master_accept(struct master *m, struct framework *f, const Accept *a)
{
	struct err err = { "" };
	size_t launches = 0;

	for (size_t i = 0; i < a->n_operations; i++)
		if (launch_of(a->operations[i]) != NULL && launch_of(a->operations[i])->n_task_infos > 0)
			launches++;
	m->count[launches > 0 ? COUNT_LAUNCH : COUNT_DECLINE]++;
	if (check_offers(m, f, a, &err) < 0) {
		drop_all(m, f, a, err.text);
		return;
	}
	const struct offer *first = master_offer(m, a->offer_ids[0]->value);
	struct launch l = { .member = first->member, .agent = first->agent };
	l.offered = pour(m, f, a);
	if (l.offered == NULL)
		return;
	for (size_t i = 0; i < a->n_operations; i++) {
		const Mesos__V1__Offer__Operation__Launch *some = launch_of(a->operations[i]);

		for (size_t j = 0; some != NULL && j < some->n_task_infos && !m->oom; j++)
			launch(m, &l, some->task_infos[j]);
	}
	if (!resources_empty(l.offered)) {
		master_give_back(m, l.agent, l.member, l.offered);
		master_filter(m, l.agent, l.member, l.offered, a->filters);
	}
	resources_free(l.offered);
}
