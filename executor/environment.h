/* environment.h: what the agent tells an executor (src/slave/slave.cpp of Apache Mesos,
 * executorEnvironment()), and its framework by way of it. */
#ifndef QUERN_EXECUTOR_ENVIRONMENT_H
#define QUERN_EXECUTOR_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct environment { /* texts are borrowed from the process' environment */
	const char *framework_id, *executor_id;
	const char *agent;   /* host:port */
	const char *sandbox; /* folder */
	const char *token;   /* of MESOS_EXECUTOR_AUTHENTICATION_TOKEN, or NULL */
	bool checkpoint;
	uint64_t recovery_timeout_ms; /* with checkpointing: how long a lost agent is waited for */
	uint64_t backoff_max_ms;
	uint16_t shuffle_port; /* to serve at, 0: any */
	uint64_t grace_ms;     /* between SHUTDOWN and being killed */
};

/* Reads it by way of `get` (getenv, or a test's). -EINVAL with a sentence that names the variable. */
int environment_read(char *(*get)(const char *name), struct environment *ret, struct err *err);

/* "5secs", "1.5mins": a duration as Mesos writes it (stout's duration.hpp), in milliseconds. -EINVAL. */
int duration_parse(const char *text, uint64_t *ret_ms);

#endif
