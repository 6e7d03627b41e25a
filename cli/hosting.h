/* hosting.h: a job whose driver the cluster hosts ("detached"): what its parts have in common.
 *
 * The one who submits it (cli/detach.c) subscribes as a framework, launches one task, DETACH_TASK, and leaves
 * when the framework has been taken over. Its executor is `quern host` (cli/host.c), which starts the driver,
 * `quern hosted` (cli/hosted.c), and tells the agent how that ends. The driver subscribes with the id of the
 * framework that its own task belongs to: from there on it is like any other. */
#ifndef QUERN_CLI_HOSTING_H
#define QUERN_CLI_HOSTING_H

#include <stdbool.h>

#include "mesos/mesos.pb-c.h"

/* The executor and its one task. */
#define DETACH_TASK "driver"

/* In the sandbox. */
#define DETACH_SEALED "job.sealed"
#define DETACH_OBJECT "job.so"

/* Labels of the framework from when its driver runs: where its log is. */
#define LABEL_AGENT   "quern.agent"   /* HOST:PORT */
#define LABEL_SANDBOX "quern.sandbox" /* folder */
#define LABEL_LOG     "quern.log"     /* "N,M": bytes of stdout, of stderr, that are others', a fetcher's */

/* What a hosted driver knows beside its options; everything is borrowed. */
struct hosting {
	const char *framework_id;
	const char *user;            /* of the framework */
	const char *authorization;   /* for the master, or NULL */
	const char *so;              /* the job */
	bool lost;                   /* the driver has died: this one is there to take its framework down */
	const char *agent, *sandbox; /* for the labels: where the log is, ... */
	char log_from[2 * 24];       /* ... and where in "stdout" and "stderr" it begins: two numbers */
	void (*ends)(void *arg, int status); /* as of struct driver_config */
	void *ends_arg;
};

/* The labels of a job's framework. `h` may be NULL. What they point at is borrowed. */
struct job_labels {
	Mesos__V1__Labels labels;
	Mesos__V1__Label at[4], *list[4];
};
void job_labels_init(struct job_labels *l, const char *mode, const struct hosting *h);

#endif
