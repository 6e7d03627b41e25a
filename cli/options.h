/* options.h: the options of `quern run`, each as --long-name VALUE, as --conf quern.long.name=VALUE, and as a
 * line of a properties file. The command line wins over --properties-file. */
#ifndef QUERN_CLI_OPTIONS_H
#define QUERN_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/files.h"
#include "cli/master.h"
#include "modes/modes.h"

struct run_options {
	struct master_url master;
	const struct mode_ops *mode;
	char *name;                 /* NULL: the job's file name */
	uint32_t total_cores_milli; /* 0: not said */
	uint32_t task_cpus_milli, task_mem_mb;
	uint32_t executor_cpus_milli, executor_mem_mb;
	uint32_t cache_mem_mb; /* UINT32_MAX: not said */
	uint32_t task_max_failures;
	uint64_t task_timeout_ms;
	uint64_t max_bad_records;
	uint64_t locality_wait_ms; /* UINT64_MAX: not said */
	uint32_t min_registered_percent;
	uint64_t max_registered_wait_ms;
	uint64_t revive_interval_ms; /* UINT64_MAX: never */
	uint64_t master_timeout_ms;
	uint32_t parallelism;         /* 0: from the cores */
	uint32_t shuffle_compression; /* level of zstd, 0: none; UINT32_MAX: not said */
	char *role, *principal, *secret_file, *driver_host, *executor_uri, *cflags;
	struct files files; /* --files */
	bool quiet, verbose, explain;
	int first; /* index in argv of the job */
};

/* Parses the command line of `quern run`; argv[0] is what the command is called in messages. On a mistake, or
 * --help, it prints and exits (2, or 0), as the GNU programs do. */
void options_parse(int argc, char **argv, struct run_options *ret);
void options_deinit(struct run_options *o);

#endif
