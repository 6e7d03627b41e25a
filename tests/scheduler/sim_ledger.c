/* sim_ledger.c: what the simulated master has allocated to us, to be compared with what the scheduler says. */
#include "local/master_state.h"
#include "mesos/resources.h"
#include "tests/scheduler/sim_ledger.h"

static void add(struct sim_held *held, const struct resources *r)
{
	held->cpus_milli += (uint64_t)resources_milli(r, "cpus");
	held->mem_milli += (uint64_t)resources_milli(r, "mem");
}

struct sim_held sim_master_held(const struct master *m)
{
	struct sim_held held = { 0 };

	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next) {
		for (const struct executor *e = a->executors; e != NULL; e = e->next)
			add(&held, e->resources);
		for (const struct task *t = a->tasks; t != NULL; t = t->next)
			if (!t->freed)
				add(&held, t->resources);
	}
	return held;
}
