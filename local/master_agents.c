/* master_agents.c: the list of agents that operators' tools ask for (GET_AGENTS of the v1 operator API). */
#include <stdlib.h>

#include "local/master_state.h"
#include "mesos/master.pb-c.h"

/* One agent as a message, with what it points to. */
struct entry {
	Mesos__V1__Master__Response__GetAgents__Agent agent;
	struct resources *allocated, *offered;
};

static int sum_up(struct entry *e, const struct agent *a)
{
	int r = resources_new(&e->allocated);

	if (r == 0)
		r = resources_new(&e->offered);
	for (const struct task *t = a->tasks; r == 0 && t != NULL; t = t->next)
		if (!t->freed)
			r = resources_add(e->allocated, t->resources);
	for (const struct executor *x = a->executors; r == 0 && x != NULL; x = x->next)
		r = resources_add(e->allocated, x->resources);
	for (const struct offer *o = a->offers; r == 0 && o != NULL; o = o->next)
		r = resources_add(e->offered, o->resources);
	return r;
}

static int fill(struct entry *e, const struct agent *a)
{
	Mesos__V1__Master__Response__GetAgents__Agent *m = &e->agent;

	mesos__v1__master__response__get_agents__agent__init(m);
	m->agent_info = a->info;
	m->active = a->linked && !a->unreachable;
	m->version = (char *)"1.12.0";
	m->n_total_resources = a->info->n_resources;
	m->total_resources = a->info->resources;
	int r = sum_up(e, a);
	if (r == 0)
		r = resources_to_pb(e->allocated, &m->allocated_resources, &m->n_allocated_resources);
	return r < 0 ? r : resources_to_pb(e->offered, &m->offered_resources, &m->n_offered_resources);
}

static void entry_deinit(struct entry *e)
{
	resources_pb_free(e->agent.allocated_resources, e->agent.n_allocated_resources);
	resources_pb_free(e->agent.offered_resources, e->agent.n_offered_resources);
	(void)resources_free(e->allocated);
	(void)resources_free(e->offered);
}

int master_list_agents(const struct master *m, struct buf *out)
{
	Mesos__V1__Master__Response response = MESOS__V1__MASTER__RESPONSE__INIT;
	Mesos__V1__Master__Response__GetAgents all = MESOS__V1__MASTER__RESPONSE__GET_AGENTS__INIT;
	size_t n = HASH_COUNT(m->agents);
	struct entry *entries = calloc(n + 1, sizeof(*entries));
	Mesos__V1__Master__Response__GetAgents__Agent **list =
		calloc(n + 1, sizeof(Mesos__V1__Master__Response__GetAgents__Agent *));
	int r = entries == NULL || list == NULL ? -ENOMEM : 0;

	for (const struct agent *a = m->agents; r == 0 && a != NULL; a = a->hh.next) {
		r = fill(&entries[all.n_agents], a);
		list[all.n_agents] = &entries[all.n_agents].agent;
		all.n_agents++;
	}
	all.agents = list;
	response.has_type = 1;
	response.type = MESOS__V1__MASTER__RESPONSE__TYPE__GET_AGENTS;
	response.get_agents = &all;
	if (r == 0)
		r = buf_reserve(out, mesos__v1__master__response__get_packed_size(&response));
	if (r == 0)
		out->len += mesos__v1__master__response__pack(&response, out->data + out->len);
	for (size_t i = 0; i < all.n_agents; i++)
		entry_deinit(&entries[i]);
	free(entries);
	free(list);
	return r;
}
