/* cluster_options.h: the options about the cluster and how we are seen there, of every command that talks
 * with one: an argp child, and the same as properties (--master-timeout is quern.master.timeout). Secrets are
 * in files, never in options. */
#ifndef QUERN_CLI_CLUSTER_OPTIONS_H
#define QUERN_CLI_CLUSTER_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/master.h"
#include "cli/outfit_options.h"

struct cluster_options {
	struct master_url master;
	uint64_t master_timeout_ms;
	uint64_t failover_timeout_ms; /* UINT64_MAX: as long as that */
	uint64_t revive_interval_ms;  /* UINT64_MAX: never */
	char *driver_host;
	char *executor_uri, *executor_command;
	bool fetcher_cache; /* keeps what is at executor_uri */
	env_list executor_env;
	char *container_image;
	volume_list volumes; /* of the container */
	bool checkpoint;
	char **roles; /* NULL-terminated; NULL: not said */
	bool revocable, ports_from_offer;
	char *principal, *secret_file;
};

/* What holds when nothing is said. */
int cluster_options_init(struct cluster_options *o, struct err *err);

/* An option by its name, "master-timeout". -ENOENT: there is none of that name, and no sentence. -EINVAL,
 * -ENOMEM with a sentence. */
int cluster_options_set(struct cluster_options *o, const char *name, const char *value, struct err *err);

/* Once all of them are there: what does not go together. -EINVAL with a sentence. */
int cluster_options_check(const struct cluster_options *o, struct err *err);

/* The options and the parser of an argp, whose input is a struct cluster_options. On a mistake it prints and
 * exits (argp_err_exit_status). */
const struct argp_option *cluster_options_list(void);
error_t cluster_options_take(int key, char *arg, struct argp_state *state);

void cluster_options_deinit(struct cluster_options *o);

#endif
