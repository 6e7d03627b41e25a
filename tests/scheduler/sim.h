/* sim.h: a whole cluster in virtual time: the scheduler's core against a master core, agent cores and
 * executor cores, with no socket, process or clock. Everything that happens follows from the seed.
 *
 * What the cores are not, is made up here: messages that take a while, streams and links that break,
 * processes that start and die, tasks that run for some time and whose results are known beforehand. A
 * message between two that both live arrives, and in order; one to somebody who is gone, or over a connection
 * that has ended, does not. */
#ifndef QUERN_TESTS_SCHEDULER_SIM_H
#define QUERN_TESTS_SCHEDULER_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modes/modes.h"
#include "scheduler/sched.h"

/* What the job does: these four actions, one after the other. */
struct sim_job {
	uint32_t maps;     /* of a shuffle ... */
	uint32_t reduces;  /* ... that an action counts, and another one, which finds it written, saves; what
			      is read of it is persisted, and unpersisted at last */
	uint32_t middle;   /* partitions of a second shuffle between; 0: none */
	uint32_t collects; /* text tasks whose records the last action collects */
	uint64_t task_ms;  /* how long a task takes, about */
	uint32_t large_percent; /* of collected data: too large for a status update */
	bool broadcasts;        /* each action has one more, the third one less */
	uint32_t middle_slots;  /* that a task of the stage between takes; 0: one */
};

/* How often things go wrong: means of the times between, in ms; 0: never. */
struct sim_faults {
	uint32_t fail_permille; /* of attempts */
	uint64_t kill_executor_ms;
	uint64_t agent_off_ms;  /* an agent is switched off, and later on: as another one */
	uint64_t agent_cut_ms;  /* its link to the master is cut for a while */
	uint64_t link_cut_ms;   /* an executor's link to the driver ends; both may connect again */
	uint64_t stream_cut_ms; /* the scheduler's stream ends */
	uint64_t master_off_ms; /* the master fails over */
	uint64_t lag_ms;        /* the scheduler's calls arrive late for a while: its offers are rescinded */
};

struct sim_config {
	uint64_t seed;
	const struct mode_ops *mode;
	uint32_t agents;
	const char *resources;    /* of each */
	const char *const *roles; /* of the job, as of a sched_config */
	bool revocable;           /* likewise */
	uint32_t max_slots;       /* 0: no limit */
	uint64_t lease_max_ms;    /* as of a mode_config */
	struct sim_job job;
	struct sim_faults faults;
	bool no_revive; /* but to un-suppress */
	bool ledger;    /* what the master has allocated is counted: it takes its time */
	bool verbose;
	/* Of the scheduler's core, as of sched_set_log(); or NULL. */
	void (*log)(void *arg, const struct sched_logged *what);
	void *log_arg;
};

/* What came of it. */
struct sim_report {
	uint64_t trace;            /* hash of every action of every core, in order, with its time */
	uint64_t actions;          /* how many */
	uint64_t ms;               /* virtual time that it took */
	uint64_t attempts, failed; /* that ran */
	uint64_t from_cache;       /* of them: began with a persisted partition */
	uint64_t executors;        /* that started */
	uint64_t ahead;            /* messages with tasks that brought more than there were slots for */
	uint64_t fetched[2];       /* broadcasts: from the driver, and from executors */
	uint64_t kills, offs, cuts, link_cuts, stream_cuts, failovers; /* faults that took place */
	uint64_t offers, declined, revives, rescinded;
	uint64_t leases;                           /* that ended as the driver wanted */
	uint64_t holds;                            /* Mesos tasks that were launched */
	struct sched_ledger said;                  /* by the scheduler; and by the master, with `ledger`: */
	uint64_t master_core_us, master_mem_milli; /* the latter for ms */
	char wrong[512]; /* "": every action ended right, and nothing was left at the end. Else what first
			    went wrong */
};

/* Runs to the end of the job, and of everything that it started. */
void sim_run(const struct sim_config *config, struct sim_report *ret);

#endif
