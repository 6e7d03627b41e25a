/* sim_ledger.h: see sim_ledger.c. */
#ifndef QUERN_TESTS_SCHEDULER_SIM_LEDGER_H
#define QUERN_TESTS_SCHEDULER_SIM_LEDGER_H

#include <stdint.h>

struct master;

struct sim_held {
	uint64_t cpus_milli, mem_milli;
};

/* By tasks and executors, of all frameworks: there is one. */
struct sim_held sim_master_held(const struct master *m);

#endif
