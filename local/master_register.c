/* master_register.c: an agent that comes, for the first time or again, and what it brings along.
 * Master::registerSlave(), reregisterSlave(), reconcileKnownSlave() in src/master/master.cpp of Apache Mesos.
 *
 * Where Mesos asks an agent about tasks that the master knows and the agent does not, the answer is known
 * here: the agent said what it has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "local/master_state.h"

typedef Quern__Local__ToMaster__Register Register;

/* ---- The agent itself ---- */

static void link_agent(struct master *m, struct agent *a, uint64_t link)
{
	struct agent *other;

	HASH_FIND(hh_link, m->links, &link, sizeof(link), other);
	if (other == a && a->linked)
		return;
	if (other != NULL)
		master_remove_agent(m, other, "a new agent registered at the same address");
	if (a->linked)
		HASH_DELETE(hh_link, m->links, a);
	a->link = link;
	HASH_ADD(hh_link, m->links, link, sizeof(a->link), a);
	a->linked = a->hh_link.tbl != NULL;
	if (!a->linked)
		m->oom = true;
}

/* What the agent is, and has; everything is free. 0, or -EINVAL: it has nonsense. */
static int take_info(struct master *m, struct agent *a, const Mesos__V1__AgentInfo *info, const char *id)
{
	Mesos__V1__AgentInfo own = *info;
	Mesos__V1__AgentID name = MESOS__V1__AGENT_ID__INIT;
	struct resources *total = NULL, *left = NULL;

	int r = master_resources_read(info->resources, info->n_resources, &total, NULL);
	if (r == -EINVAL)
		return r;
	name.value = (char *)id;
	own.id = &name;
	Mesos__V1__AgentInfo *copy = master_dup(m, &own);
	if (r < 0 || copy == NULL || resources_dup(total, &left) < 0 ||
		master_resources_plain(total, &a->plain) < 0) {
		m->oom = true;
		resources_free(total);
		resources_free(left);
		if (copy != NULL)
			mesos__v1__agent_info__free_unpacked(copy, NULL);
		return 0;
	}
	if (a->info != NULL)
		mesos__v1__agent_info__free_unpacked(a->info, NULL);
	resources_free(a->total);
	resources_free(a->free);
	a->info = copy;
	a->total = total;
	a->free = left;
	return 0;
}

static struct agent *new_agent(struct master *m, const Mesos__V1__AgentInfo *info, const char *id)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		m->oom = true;
		return NULL;
	}
	if (take_info(m, a, info, id) == 0 && !m->oom) {
		HASH_ADD_KEYPTR(hh, m->agents, a->info->id->value, strlen(a->info->id->value), a);
		if (a->hh.tbl == NULL)
			m->oom = true;
	}
	if (a->hh.tbl == NULL) {
		master_free_agent(m, a);
		return NULL;
	}
	a->registered_ms = m->now;
	master_add_total(m, a);
	return a;
}

/* An agent that was unreachable starts again with what it says it has. */
static int revive_agent(struct master *m, struct agent *a, const Mesos__V1__AgentInfo *info)
{
	auto_free char *id = master_strdup(m, a->info->id->value);

	if (id == NULL)
		return 0;
	HASH_DELETE(hh, m->agents, a); /* its key is part of its info */
	int r = take_info(m, a, info, id);
	HASH_ADD_KEYPTR(hh, m->agents, a->info->id->value, strlen(a->info->id->value), a);
	if (a->hh.tbl == NULL) {
		m->oom = true;
		master_free_agent(m, a);
	}
	if (r < 0 || m->oom)
		return r;
	a->unreachable = false;
	master_add_total(m, a);
	return 0;
}

static void greet(struct master *m, const struct agent *a)
{
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;

	message.registered = a->info->id;
	master_to_agent(m, a, &message);
}

/* ---- What it brings ---- */

/* The role that resources of an agent are allocated to; those of a framework of one role need not say. NULL:
 * it cannot be told. */
static const char *role_of(const struct framework *f, Mesos__V1__Resource *const *r, size_t n)
{
	if (n > 0 && r[0]->allocation_info != NULL && r[0]->allocation_info->role != NULL)
		return r[0]->allocation_info->role;
	return f->members.n > 0 ? f->members.at[0]->role->name : NULL;
}

/* Resources that the agent says are in use; if it has not got them, it does not. */
static struct resources *take_used(struct master *m, struct agent *a, struct member *member,
	Mesos__V1__Resource *const *pieces, size_t n)
{
	struct resources *r = NULL;

	int k = master_resources_read(pieces, n, &r, NULL);
	if (k == 0 && !resources_contains(a->free, r)) {
		r = resources_free(r);
		k = -EINVAL;
	}
	if (k == -EINVAL)
		k = resources_new(&r);
	if (k < 0) {
		m->oom = true;
		return NULL;
	}
	master_take(m, a, member, r);
	return r;
}

static struct framework *framework_of(const struct master *m, const Mesos__V1__FrameworkID *id)
{
	return id != NULL ? master_framework(m, id->value) : NULL;
}

static void adopt_executor(struct master *m, struct agent *a, const Mesos__V1__ExecutorInfo *info)
{
	struct framework *f = framework_of(m, info->framework_id);
	const char *role = f != NULL ? role_of(f, info->resources, info->n_resources) : NULL;

	if (role == NULL || master_executor(a, f, info->executor_id->value) != NULL)
		return;
	struct member *member = master_need_member(m, f, role);
	struct resources *r =
		member != NULL ? take_used(m, a, member, info->resources, info->n_resources) : NULL;
	if (r != NULL)
		(void)master_new_executor(m, a, member, info, r);
}

/* The framework is told where its task was found again. */
static void say_back(struct master *m, struct framework *f, const struct task *t, const char *why)
{
	const struct word w = {
		.task = t->id,
		.agent = t->agent->info->id->value,
		.executor = t->executor_id,
		.state = t->state,
		.reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
		.message = why,
	};

	master_say(m, f, &w);
}

/* A task that the agent has and the master had not, or not any more. */
static void adopt_task(struct master *m, struct agent *a, struct framework *f,
	const Mesos__V1__TaskInfo *info, Mesos__V1__TaskState state, const char *why)
{
	const char *role = role_of(f, info->resources, info->n_resources);
	struct task *lost;

	if (role == NULL)
		return;
	HASH_FIND_STR(f->unreachable, info->task_id->value, lost);
	if (lost != NULL)
		master_free_task(m, lost);
	struct member *member = master_need_member(m, f, role);
	struct resources *r =
		member != NULL ? take_used(m, a, member, info->resources, info->n_resources) : NULL;
	struct task *t = r != NULL ? master_new_task(m, member, a, info, r) : NULL;
	if (t == NULL)
		return;
	master_task_state(m, t, state);
	say_back(m, f, t, why);
}

static void kill_again(
	struct master *m, const struct agent *a, const struct framework *f, const struct task *t)
{
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Kill kill = QUERN__LOCAL__TO_AGENT__KILL__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;

	id.value = t->id;
	kill.framework_id = f->info->id;
	kill.task_id = &id;
	message.kill = &kill;
	master_to_agent(m, a, &message);
}

/* The framework of a task that the agent has; NULL: it is over, or never was. */
static struct framework *framework_of_task(const struct master *m, const Mesos__V1__TaskInfo *info)
{
	return info->executor != NULL ? framework_of(m, info->executor->framework_id) : NULL;
}

static void meet_task(struct master *m, struct agent *a, const Mesos__V1__TaskInfo *info,
	const Mesos__V1__TaskStatus *status, const char *why)
{
	struct framework *f = framework_of_task(m, info);
	struct task *t = f != NULL ? master_task(f, info->task_id->value) : NULL;

	if (f == NULL)
		return;
	if (t == NULL) {
		adopt_task(m, a, f, info, status->state, why);
	} else if (t->agent == a) {
		master_task_state(m, t, status->state);
		if (t->killed && !master_terminal(status->state))
			kill_again(m, a, f, t);
	}
}

/* Tasks and executors that the master had and the agent has not: they never arrived, or are over. */
static void drop_unseen(struct master *m, struct agent *a, const Register *r)
{
	struct task *t, *next_task;
	struct executor *e, *next_executor;

	DL_FOREACH_SAFE(a->tasks, t, next_task)
	{
		struct framework *f = t->member->framework;
		const struct word w = {
			.task = t->id,
			.agent = a->info->id->value,
			.executor = t->executor_id,
			.state = f->partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
						    : MESOS__V1__TASK_STATE__TASK_LOST,
			.reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
			.message = "Reconciliation: task unknown to the agent",
		};

		if (t->seen)
			continue;
		master_task_state(m, t, w.state);
		master_say(m, f, &w);
		master_complete_task(m, t);
	}
	DL_FOREACH_SAFE(a->executors, e, next_executor)
	{
		bool seen = false;

		for (size_t i = 0; i < r->n_executors && !seen; i++)
			seen = strcmp(r->executors[i]->executor_id->value, e->id) == 0 &&
			       framework_of(m, r->executors[i]->framework_id) == e->member->framework;
		if (!seen)
			master_free_executor(m, a, e, true);
	}
}

/* Frameworks that are over are over on this agent too. */
static void shut_down_gone(struct master *m, const struct agent *a, const Mesos__V1__FrameworkID *id)
{
	Quern__Local__ToAgent message = QUERN__LOCAL__TO_AGENT__INIT;

	message.shutdown_framework = (Mesos__V1__FrameworkID *)id;
	master_to_agent(m, a, &message);
}

static void meet_frameworks(struct master *m, const struct agent *a, const Register *r)
{
	for (size_t i = 0; i < r->n_frameworks; i++) {
		const Mesos__V1__FrameworkInfo *info = r->frameworks[i];
		struct gone *gone;

		if (info->id == NULL || master_check_id(info->id->value, NULL) < 0 ||
			master_check_framework(info, NULL) < 0)
			continue;
		HASH_FIND_STR(m->gone, info->id->value, gone);
		if (gone != NULL)
			shut_down_gone(m, a, info->id);
		else if (master_framework(m, info->id->value) == NULL)
			(void)master_recover_framework(m, info);
	}
}

static void take_stock(struct master *m, struct agent *a, const Register *r, const char *why)
{
	size_t n = r->n_task_infos < r->n_tasks ? r->n_task_infos : r->n_tasks;
	struct task *t;

	meet_frameworks(m, a, r);
	DL_FOREACH(a->tasks, t)
	t->seen = false;
	for (size_t i = 0; i < n; i++) {
		const struct framework *f = framework_of_task(m, r->task_infos[i]);

		t = f != NULL ? master_task(f, r->task_infos[i]->task_id->value) : NULL;
		if (t != NULL)
			t->seen = true;
	}
	drop_unseen(m, a, r); /* what is gone makes room for what is there */
	for (size_t i = 0; i < r->n_executors && !m->oom; i++)
		adopt_executor(m, a, r->executors[i]);
	for (size_t i = 0; i < n && !m->oom; i++)
		meet_task(m, a, r->task_infos[i], r->tasks[i], why);
}

/* ---- Registering ---- */

static void register_new(struct master *m, uint64_t link, const Register *r)
{
	char id[UUID_TEXT + 24];

	m->count[COUNT_REGISTER_AGENT]++;
	(void)snprintf(id, sizeof(id), "%s-S%llu", m->id, (unsigned long long)m->next_agent);
	struct agent *a = new_agent(m, r->info, id);
	if (a == NULL)
		return;
	m->next_agent++;
	m->count[COUNT_AGENT_REGISTRATIONS]++;
	link_agent(m, a, link);
	greet(m, a);
	master_allocate(m, a);
}

void master_register(struct master *m, uint64_t link, const Register *r)
{
	const char *id = r->info->id != NULL ? r->info->id->value : "";
	const char *why = "Unknown agent reregistered";

	if (id[0] == '\0') {
		register_new(m, link, r);
		return;
	}
	m->count[COUNT_REREGISTER_AGENT]++;
	if (master_check_id(id, NULL) < 0)
		return;
	struct agent *a = master_agent(m, id);
	if (a == NULL) {
		a = new_agent(m, r->info, id);
		if (a == NULL)
			return;
	} else if (a->unreachable) {
		why = "Unreachable agent re-reregistered";
		if (revive_agent(m, a, r->info) < 0 || m->oom)
			return;
	}
	master_timer_clear(&m->timers, &a->timer);
	m->count[COUNT_AGENT_REREGISTRATIONS]++;
	link_agent(m, a, link);
	greet(m, a);
	take_stock(m, a, r, why);
	master_allocate(m, a);
}
