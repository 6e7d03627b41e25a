/* explain_job.h: what a job would run, without running it: `quern run --explain`. */
#ifndef QUERN_SCHEDULER_EXPLAIN_JOB_H
#define QUERN_SCHEDULER_EXPLAIN_JOB_H

#include "scheduler/action.h"
#include "scheduler/job_process.h"

struct explain_config {
	struct job_process_config process; /* that runs quern_main() */
	const struct hdfs_access *hdfs;    /* of the user */
	struct action_config action;       /* but for `hdfs` */
};

/* Prints the plan of each action of the job on stdout, with the sizes of its input. Input is listed, output
 * is looked for; nothing is read, run or written. Actions that only write are taken for done; at the first
 * whose answer the job's code waits for it ends there, and says so. Returns an exit status of driver.h. */
int explain_job(const struct explain_config *config);

#endif
