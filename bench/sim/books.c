#include "bench/sim/books.h"

#include "local/master_state.h"
#include "mesos/resources.h"

static void add(struct books *held, const struct resources *r)
{
	held->cpus_milli += (uint64_t)resources_milli(r, "cpus");
	held->mem_milli += (uint64_t)resources_milli(r, "mem");
}

static void add_agent(struct books *held, const struct agent *a)
{
	for (const struct executor *e = a->executors; e != NULL; e = e->next)
		add(held, e->resources);
	for (const struct task *t = a->tasks; t != NULL; t = t->next)
		if (!t->freed)
			add(held, t->resources);
}

struct books books_all(const struct master *m)
{
	struct books held = { 0 };

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next)
		add_agent(&held, a);
	return held;
}

struct books books_agent(const struct master *m, const char *agent)
{
	const struct agent *a = master_agent(m, agent);
	struct books held = { 0 };

	if (a != NULL)
		add_agent(&held, a);
	return held;
}

uint64_t books_allocation_runs(const struct master *m)
{
	return m->count[COUNT_ALLOCATION_RUNS];
}
