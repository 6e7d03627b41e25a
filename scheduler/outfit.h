/* outfit.h: what executors are started with: their bundle, the job's object, the files that travel with the
 * job, all served to fetchers, and what they are told (ExecutorData). */
#ifndef QUERN_SCHEDULER_OUTFIT_H
#define QUERN_SCHEDULER_OUTFIT_H

#include <stdint.h>

#include "base/err.h"
#include "scheduler/artifacts.h"
#include "scheduler/driver.h"
#include "scheduler/sched.h"

/* Adds to `artifacts` what is fetched from there, and makes a scheduler's core of config->sched that starts
 * executors with it, which connect to `port` with `secret` (LINK_SECRET bytes). 0, or a negative errno with a
 * sentence. */
int outfit_sched(const struct driver_config *config, struct artifacts *artifacts, uint16_t port,
	const uint8_t *secret, struct sched **ret, struct err *err);

#endif
