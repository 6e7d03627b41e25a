/* sched_launch.c: launches: Mesos tasks for one agent, put together one by one and sent in one ACCEPT. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/sched_parts.h"

/* One task of an ACCEPT, with what it points at. */
struct launch {
	Mesos__V1__TaskInfo info;
	Mesos__V1__TaskID task_id;
	Mesos__V1__AgentID agent_id;
};

static struct launch *free_launch(struct launch *l)
{
	if (l == NULL)
		return NULL;
	resources_pb_free(l->info.resources, l->info.n_resources);
	free(l->info.data.data);
	free(l);
	return NULL;
}

static int take_resources(struct resources *pool, const struct hold *h, Mesos__V1__TaskInfo *info)
{
	struct resources *part = NULL;
	int r = resources_new(&part);

	if (r == 0)
		r = resources_take(pool, "cpus", h->cpus_milli, part);
	if (r == 0)
		r = resources_take(pool, "mem", (int64_t)h->mem_mb * 1000, part);
	if (r == 0)
		r = resources_to_pb(part, &info->resources, &info->n_resources);
	(void)resources_free(part);
	return r;
}

/* What the hold is launched as, at the end of the list. */
static int add_launch(struct launches *all, const struct hold *h, const Quern__TaskData *data)
{
	struct launch *l = calloc(1, sizeof(*l));
	struct executor *e = h->executor;

	if (l == NULL)
		return -ENOMEM;
	mesos__v1__task_info__init(&l->info);
	mesos__v1__task_id__init(&l->task_id);
	mesos__v1__agent_id__init(&l->agent_id);
	l->task_id.value = h->id;
	l->agent_id.value = e->agent->id;
	l->info.name = h->id;
	l->info.task_id = &l->task_id;
	l->info.agent_id = &l->agent_id;
	l->info.executor = e->info;
	l->info.has_data = 1;
	l->info.data.len = quern__task_data__get_packed_size(data);
	l->info.data.data = malloc(l->info.data.len);
	int r = l->info.data.data == NULL ? -ENOMEM : 0;
	if (r == 0) {
		(void)quern__task_data__pack(data, l->info.data.data);
		r = take_resources(all->pool, h, &l->info);
	}
	if (r == 0)
		r = vec_push(&all->list, l);
	if (r < 0)
		(void)free_launch(l);
	return r;
}

static int need_executor(struct sched *s, const struct launches *l)
{
	struct agent *agent = l->agent;

	if (agent->executor != NULL)
		return 0;
	int r = sched_executor_new(s, agent, l->pool, &agent->executor);
	return r < 0 ? r : sched_log_accept(s, l, NULL);
}

int sched_launch_lease(struct sched *s, struct launches *l, uint32_t slots, bool near)
{
	Quern__TaskData data = QUERN__TASK_DATA__INIT;
	Quern__Lease lease = QUERN__LEASE__INIT;
	struct hold *h;
	char id[ID_MAX];

	(void)snprintf(id, sizeof(id), "lease-%u", s->next_lease++);
	int r = need_executor(s, l);
	if (r == 0)
		r = sched_hold_new(s, id, l->agent->executor, slots, true, &h);
	if (r < 0)
		return r;
	h->role = l->role;
	h->near = near;
	s->coming_near += near ? slots : 0;
	sched_ledger_hold(s, h, s->config.task_cpus_milli * slots, s->config.task_mem_mb * slots);
	r = sched_log_accept(s, l, h);
	if (r < 0)
		return r;
	lease.slots = slots;
	data.lease = &lease;
	return add_launch(l, h, &data);
}

int sched_launch_task(struct sched *s, struct launches *l, struct task *t)
{
	Quern__TaskData data = QUERN__TASK_DATA__INIT;
	Quern__Task task;
	struct hold *h;
	struct attempt *a;
	char id[ID_MAX];

	(void)snprintf(id, sizeof(id), "%u.%u.%u", t->stage->id, t->partition, t->next_attempt);
	int r = need_executor(s, l);
	if (r == 0)
		r = sched_hold_new(s, id, l->agent->executor, sched_size_slots(s, t->stage), false, &h);
	if (r < 0)
		return r;
	h->role = l->role;
	sched_ledger_hold(s, h, sched_size_cpus_milli(s, t->stage), sched_size_mem_mb(s, t->stage));
	r = sched_log_accept(s, l, h);
	if (r == 0)
		r = sched_attempt_new(s, t, h->executor, h, &a);
	if (r == 0)
		r = sched_link_prepare(s, h->executor, t);
	if (r < 0)
		return r;
	sched_task_fill(s, a, &task);
	data.task = &task;
	return add_launch(l, h, &data);
}

int sched_launch_send(struct sched *s, const struct launches *l, double refuse_s)
{
	Mesos__V1__TaskInfo **list = calloc(l->list.n + 1, sizeof(*list));

	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->list.n; i++)
		list[i] = &l->list.at[i]->info;
	int r = sched_call_accept(s, l->agent, l->role, list, l->list.n, refuse_s);
	free(list);
	return r;
}

void sched_launches_deinit(struct launches *l)
{
	for (size_t i = 0; i < l->list.n; i++)
		(void)free_launch(l->list.at[i]);
	vec_deinit(&l->list);
	l->pool = resources_free(l->pool);
}
