/* crowd.h: frameworks on one cluster in virtual time. Each is a real scheduler's core, in any mode; the
 * master is the real one, with its allocator; agents and executors are as little as the two notice: they
 * start, run for some time what they are given, as executor/ would, and say so, and may die of it. All that
 * happens follows from the seed.
 *
 * What takes time: messages, the start of an executor, and tasks. What the cores compute takes none, however
 * long it is: that is measured (cost.h), and changes nothing. */
#ifndef QUERN_BENCH_SIM_CROWD_H
#define QUERN_BENCH_SIM_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/jobs/lengths.h"
#include "modes/modes.h"
#include "scheduler/sched.h"

enum { CROWD_FRAMEWORKS = 64, CROWD_STAGES = 16, CROWD_STEPS = 400 };

/* How long things take, in microseconds. */
struct crowd_times {
	uint64_t link_us;   /* a message between scheduler and executor */
	uint64_t call_us;   /* between scheduler and master */
	uint64_t agent_us;  /* between master and executor, by way of the agent */
	uint64_t start_us;  /* an executor, from its launch until it is connected */
	uint64_t task_us;   /* what a task takes beside its length: as much, or half of it more or less */
	uint64_t begin_us;  /* from the command to SUBSCRIBE */
	uint64_t submit_us; /* from then to the job's action */
	uint64_t end_us;    /* from the last result to the job's end */
};

/* In which order a framework's scheduler finds the offers that come in one event. It takes agents in that
 * order, but for those with data, or with an executor of its own, which come first. */
enum crowd_placement {
	CROWD_AS_OFFERED, /* the master's */
	CROWD_PACK,       /* with the fewest cores left first: whole agents stay free */
	CROWD_SPREAD      /* with the most cores left first */
};

struct crowd_config {
	uint64_t seed;
	uint32_t frameworks; /* CROWD_FRAMEWORKS at most */
	uint32_t agents;
	uint32_t slots; /* of an agent: room for so many tasks, beside an executor of each framework */
	const struct lengths
		*stages;    /* of each framework's job: each reads what the one before has written */
	uint32_t n_stages;  /* CROWD_STAGES at most */
	uint32_t replicas;  /* of a first stage's input: its tasks prefer so many agents; 0: none */
	uint64_t within_us; /* frameworks begin within that time */
	/* How a task's attempt ends: it fails with that probability; its executor dies of it with a tenth
	 * of that, and the whole agent with a hundredth. */
	double failures;
	uint64_t allocation_interval_ms; /* 0: the master's own */
	enum crowd_placement placement;
	struct crowd_times times;

	/* As of a sched_config. */
	const struct mode_ops *mode;
	uint32_t max_slots;
	uint64_t lease_idle_ms, lease_max_ms, revive_interval_ms, locality_wait_ms;
	uint32_t revive_burst;
	uint32_t executor_cpus_milli, executor_mem_mb;
};

/* Cores held, by the master's account, and used, from then on. */
struct crowd_step {
	uint64_t us;
	uint64_t held_milli, used_milli;
};

struct crowd_report {
	uint64_t us; /* until the last framework was over */
	uint64_t tasks;
	uint64_t task_us;         /* lengths of all tasks together */
	struct sched_ledger said; /* by all schedulers: sums, and the largest of the quantiles */
	uint64_t master_core_us;  /* what the master had given to tasks and executors */
	uint64_t offers, declined, revives, allocation_runs;
	uint64_t attempts, failed, killed_executors, lost_agents, executors;
	/* What was measured of the schedulers' cores. */
	uint64_t cpu_ns, steps;
	uint64_t bytes_per_task; /* of the first framework, when its tasks have come; 0: not measured */

	uint64_t done_us[CROWD_FRAMEWORKS]; /* from the submission of each */
	uint64_t local;                     /* tasks that ran where their data was */
	uint64_t in_partition; /* tasks whose data would be in a part of the cluster for each alone */
	double worst_local;    /* the framework with the least */
	uint64_t gap_us;       /* the longest that a framework with tasks had none launched */

	struct crowd_step timeline[CROWD_STEPS];
	size_t n_timeline;
	char wrong[512]; /* "" */
};

/* As measured on an embedded cluster on a machine of two cores, from event logs of bench/jobs/sleep.c with
 * 192 tasks of 100 ms over 8 slots: `link` is half of what passes between start and end of a task beside what
 * it ran, in coarse mode; `call` and `agent` together half of the same in fine mode, behind the first wave;
 * `start` is from the acceptance of an executor until it is up; `task` what tasks ran beyond 100 ms; the rest
 * lies between the command, the first lines of the log, its last ones and the exit. `quern bench sim
 * calibration` says how far they hold. */
struct crowd_times crowd_times_default(void);

void crowd_run(const struct crowd_config *config, struct crowd_report *ret);

/* What a scheduler's core needs for each agent that it knows and has nothing on, in bytes; 0: not measured.
 * It takes a run of its own, of a job of one task. */
uint64_t crowd_bytes_per_agent(const struct crowd_config *config);

#endif
