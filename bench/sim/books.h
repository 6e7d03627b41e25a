/* books.h: what a simulated master has given away, to be compared with what schedulers say. Its core's state
 * is looked into. */
#ifndef QUERN_BENCH_SIM_BOOKS_H
#define QUERN_BENCH_SIM_BOOKS_H

#include <stdint.h>

struct master;

struct books {
	uint64_t cpus_milli, mem_milli;
};

/* Held by tasks and executors of all frameworks. */
struct books books_all(const struct master *m);
/* The same of the agent with that id; of one that it does not know, nothing. */
struct books books_agent(const struct master *m, const char *agent);
uint64_t books_allocation_runs(const struct master *m);

#endif
