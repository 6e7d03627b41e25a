/* crowd.h: several frameworks on one cluster in virtual time, to see how much of their tasks run where their
 * data is. Each is a real scheduler's core, in fine mode; the master is the real one, with its allocator; the
 * agents and executors are as little as the two notice: a task runs for some time and is done.
 *
 * The experiment is that of the Mesos paper (NSDI 2011, "Data locality through delay scheduling and resource
 * offers"): 16 Hadoop instances on 93 nodes of four slots, each of which scans a 100 GB file that lies in
 * three replicas all over the cluster. Here a block is 256 MB, so a scan has 400 tasks; how long they take
 * the paper does not say. */
#ifndef QUERN_TESTS_SCHEDULER_CROWD_H
#define QUERN_TESTS_SCHEDULER_CROWD_H

#include <stdint.h>

enum { CROWD_MAX = 16 };

struct crowd_config {
	uint64_t seed;
	uint32_t frameworks; /* CROWD_MAX at most */
	uint32_t agents, slots;
	uint32_t tasks; /* of each framework */
	uint32_t replicas;
	uint64_t task_min_ms, task_max_ms; /* each length between is as likely */
	uint64_t start_ms;                 /* the frameworks submit their job within that time */
	uint64_t wait_ms;                  /* --locality-wait */
};

struct crowd_report {
	uint64_t local, tasks; /* of all frameworks */
	uint64_t in_partition; /* tasks whose data would be in a partition of the cluster for each alone */
	uint64_t done_ms[CROWD_MAX]; /* from the submission of each */
	double worst_local;          /* the framework with the least */
	uint64_t gap_ms;             /* the longest that a framework with tasks had none launched */
	uint64_t ms;                 /* until the last was done */
	uint64_t task_ms;            /* lengths of all tasks together */
	uint64_t offers, declined, revives;
	char wrong[512]; /* "" */
};

void crowd_run(const struct crowd_config *config, struct crowd_report *ret);

#endif
