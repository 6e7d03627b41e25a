/* detach.h: `--detach`: gives a job to the cluster, driver and all. See hosting.h. */
#ifndef QUERN_CLI_DETACH_H
#define QUERN_CLI_DETACH_H

#include "cli/options.h"
#include "scheduler/sched.h"

/* Everything is borrowed. */
struct detach_config {
	const struct run_options *options;
	const char *const *endpoints; /* of the masters, NULL-terminated */
	const char *authorization;    /* for them, or NULL */
	const char *bind_address;     /* where the agent's fetcher gets the pieces, ... */
	const char *host;             /* ... and how it reaches that */
	const char *bundle;           /* file: what a driver is started from */
	const char *so;               /* the job */
	char *const *argv;            /* of quern_main() */
	int argc;
	struct sched_config sched; /* of the framework; its executor is not looked at */
};

/* Submits the job, prints its id on stdout, and returns when its driver runs: an exit status (enum
 * driver_exit). What goes wrong, and Ctrl-C, take everything down again. */
int detach_job(const struct detach_config *config);

#endif
