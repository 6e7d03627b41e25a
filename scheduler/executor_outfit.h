/* executor_outfit.h: what a user says about how executors are started. */
#ifndef QUERN_SCHEDULER_EXECUTOR_OUTFIT_H
#define QUERN_SCHEDULER_EXECUTOR_OUTFIT_H

#include <stdbool.h>
#include <stddef.h>

/* A folder of the agent's machine, in the executor's container. */
struct executor_volume {
	char *host_path, *container_path; /* absolute */
	bool read_only;
};

/* Everything is borrowed. */
struct executor_outfit {
	const char *bundle;  /* file: the program and its libraries, served by the driver ... */
	const char *uri;     /* ... or, unless NULL, fetched from here */
	bool cache;          /* by the agent's fetcher, which keeps it */
	const char *command; /* for /bin/sh, in the sandbox; NULL: the bundle's program */
	char *const *env;    /* "NAME=value" */
	size_t n_env;
	const char *image;                     /* Docker image for Mesos' own containerizer; NULL: none */
	const struct executor_volume *volumes; /* of the container */
	size_t n_volumes;
};

#endif
