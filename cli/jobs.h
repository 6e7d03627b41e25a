/* jobs.h: the jobs of a cluster, as its master tells: frameworks that say they are jobs of ours, by a label.
 */
#ifndef QUERN_CLI_JOBS_H
#define QUERN_CLI_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "mesos/master.pb-c.h"

enum job_state {
	JOB_RUNNING,
	JOB_AWAY, /* its driver is not connected: the master waits for it */
	JOB_DONE,
	JOB_FAILED,
	JOB_INTERRUPTED,
	JOB_KILLED, /* over, and nobody said how: it was taken down, or its driver was lost */
};

/* Texts are borrowed from the message; never NULL but for those that say so. */
struct job {
	const char *id, *name, *user, *mode;
	const char *host;            /* of the driver */
	const char *agent, *sandbox; /* of a driver that the cluster hosts; both NULL: it does not */
	uint64_t log_from[2];        /* where its own begins in the sandbox's "stdout", "stderr" */
	enum job_state state;
	int status;                    /* exit status, when it is over */
	uint64_t started_ms, ended_ms; /* since 1970; 0: not known */
	int64_t cpus_milli, mem_milli; /* held: thousandths of cores and of MB */
};

typedef VEC(struct job) job_list;

/* The jobs of an answer to GET_FRAMEWORKS: those that run, by when they began, the latest first; then those
 * that are over, likewise. Nothing in the message is trusted. -ENOMEM. */
int jobs_list(const Mesos__V1__Master__Response *from, job_list *ret);

/* The job of that id; or the only one whose id ends in "-TEXT". -ENOENT, -EINVAL (several) with a sentence.
 */
int jobs_find(const job_list *jobs, const char *text, const struct job **ret, struct err *err);

bool job_is_over(const struct job *j);
const char *job_state_name(enum job_state state);

#endif
