/* driver.h: the driver: one job, from subscription to TEARDOWN, on the event loop.
 *
 * It binds the scheduler core (sched.h) to a Mesos master (mesos/client.h), to the executors (base/link.h),
 * to the process that runs quern_main() (job/session.h), and to the output folder (output.h). It says on
 * stderr what a person must know, and returns an exit status.
 *
 * Order at the end, whatever the end is (the job done, failed, crashed, Ctrl-C, a lost cluster): the job's
 * process is gone -> an unfinished output folder is removed, TEARDOWN is answered and delegation tokens of
 * ours are cancelled, side by side -> return. If there is no master at that moment one is waited for, for as
 * long as at the beginning; the answer to a first SUBSCRIBE for five seconds. Else after five seconds only
 * the output is waited for, for as long as HDFS is given at all, or until a second Ctrl-C. */
#ifndef QUERN_SCHEDULER_DRIVER_H
#define QUERN_SCHEDULER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hdfs_client/access.h"
#include "mesos/zk_url.h"
#include "scheduler/action.h"
#include "scheduler/executor_outfit.h"
#include "scheduler/job_process.h"
#include "scheduler/sched.h"

enum driver_exit { DRIVER_DONE = 0, DRIVER_JOB_FAILED = 1, DRIVER_NO_CLUSTER = 3, DRIVER_INTERRUPTED = 130 };

struct driver_config {
	const char *const *endpoints; /* host:port of the masters, NULL-terminated ... */
	const struct zk_url *zk;      /* ... or where they are registered; NULL: `endpoints` */
	const char *master;           /* one of the two, for people */
	const char *authorization;    /* for the master, or NULL */
	const char *bind_address;     /* where the driver listens for executors and fetchers */
	const char *host;             /* how they reach it */
	struct executor_outfit executors;
	struct job_process_config process; /* that runs quern_main() */
	const struct hdfs_access *hdfs;    /* of the user; has secrets in it */
	struct action_config action;       /* but for `hdfs`; its cores: that the job may use at a time */
	uint32_t cache_mem_mb;             /* of each executor, for persisted sets: part of its memory */
	uint64_t give_up_ms;               /* without a master for so long: no cluster */
	const char *event_log;             /* a file, see event_log.h; or NULL */
	const char *version;               /* of quern, for that */
	bool quiet;                        /* only errors */
	bool verbose; /* plans, every lost executor and failed attempt, at the end the workers' peak memory */
	bool only_end; /* nothing is run: the framework is taken over to be taken down, as one that failed */
	void (*ends)(void *arg, int status); /* the end begins; nobody else has heard of it yet. Or NULL */
	void *ends_arg;
	struct sched_config sched; /* but for `executor`, which the driver fills in */
};

/* Runs the job and returns an exit status. */
int driver_run(const struct driver_config *config);

#endif
