/* detach_options.h: the options about a job whose driver the cluster hosts: an argp child, and the same as
 * properties
 * (--driver-cores is quern.driver.cores). */
#ifndef QUERN_CLI_DETACH_OPTIONS_H
#define QUERN_CLI_DETACH_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct detach_options {
	bool detach;
	uint32_t cpus_milli, mem_mb; /* of the driver */
};

/* What of these is the share of the executor that the driver runs below: what Mesos wants at least. */
enum { HOST_CPUS_MILLI = 10, HOST_MEM_MB = 32 };

/* What holds when nothing is said. */
void detach_options_init(struct detach_options *o);

/* An option by its name, "driver-cores". -ENOENT: there is none of that name, and no sentence. -EINVAL with a
 * sentence. */
int detach_options_set(struct detach_options *o, const char *name, const char *value, struct err *err);

/* The options and the parser of an argp, whose input is a struct detach_options. On a mistake it prints and
 * exits (argp_err_exit_status). */
const struct argp_option *detach_options_list(void);
error_t detach_options_take(int key, char *arg, struct argp_state *state);

#endif
