/* batch.h: what the batch framework decides and counts: a core without I/O. It takes of every offer what it
 * has room for, launches tasks of one length, and knows how much work they have done. */
#ifndef QUERN_BENCH_NEIGHBOUR_BATCH_H
#define QUERN_BENCH_NEIGHBOUR_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "mesos/mesos.pb-c.h"

enum {
	BATCH_TASK_MILLI = 1000,    /* thousandths of a core of a task */
	BATCH_TASK_MB = 64,         /* its memory */
	BATCH_EXECUTOR_MILLI = 100, /* the same of an executor */
	BATCH_EXECUTOR_MB = 64,
	BATCH_LAUNCH_MAX = 256, /* tasks of one launch */
	BATCH_ID_SIZE = 24
};

struct batch_config {
	uint64_t task_us; /* length of a task */
	uint64_t tasks;   /* how many; 0: without end */
	uint32_t limit;   /* tasks at a time; 0: any number */
	bool executor;    /* tasks are run by an executor, which has a share of its own on each agent */
};

struct batch;

int batch_new(const struct batch_config *config, struct batch **ret); /* 0 or -ENOMEM */
struct batch *batch_free(struct batch *b);

/* How many tasks to launch of an offer of so much, at most BATCH_LAUNCH_MAX. `has_executor`: it need not
 * bring the executor's share. */
uint32_t batch_room(const struct batch *b, double cpus, double mem_mb, bool has_executor);

/* A task is launched at that time. Writes its id. 0 or -ENOMEM. */
int batch_launch(struct batch *b, uint64_t now_us, char id[BATCH_ID_SIZE]);

/* What was said of a task. True: it has ended by that, and others may take its place. What is said of tasks
 * that are not known, or again, changes nothing. */
bool batch_status(struct batch *b, const char *id, Mesos__V1__TaskState state, uint64_t now_us);

struct batch_count {
	uint64_t finished, lost; /* tasks; lost: that ended in another way */
	uint32_t running;        /* launched and not over */
	/* Microseconds of work done: all of the finished ones', and what those that run have done so far.
	 * What was begun and lost is none. */
	uint64_t work_us;
	uint64_t elapsed_us; /* from the first launch to the last end */
};
struct batch_count batch_count(const struct batch *b, uint64_t now_us);

/* All tasks that were to be launched have ended. */
bool batch_done(const struct batch *b);
/* There are tasks to be launched, and it has room for them. */
bool batch_wants(const struct batch *b);

#endif
