/* options.h: the options of `quern run` and of every other command that runs a job, each as --long-name
 * VALUE, as --conf quern.long.name=VALUE, and as a line of a properties file. The command line wins over
 * --properties-file. */
#ifndef QUERN_CLI_OPTIONS_H
#define QUERN_CLI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/cluster_options.h"
#include "cli/detach_options.h"
#include "cli/files.h"
#include "cli/hdfs_options.h"
#include "cli/settings.h"
#include "modes/modes.h"

struct hosting;

struct run_options {
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
	uint64_t lease_idle_ms, lease_max_ms;
	uint32_t parallelism;         /* 0: from the cores */
	uint32_t shuffle_compression; /* level of zstd, 0: none; UINT32_MAX: not said */
	char *cflags;
	char *event_log;    /* or NULL */
	struct files files; /* --files */
	struct cluster_options cluster;
	struct detach_options detached;
	struct hdfs_options hdfs;
	struct settings settings;      /* what was said, but of HDFS on the command line */
	const struct hosting *hosting; /* of a driver that the cluster hosts; NULL: it does not */
	bool recursive;                /* folders in folders of an input are looked into */
	bool quiet, verbose, explain;
};

/* A command that runs a job: what it has beside the options above. */
struct options_command {
	const struct argp_option *own; /* NULL: no options */
	argp_parser_t take;            /* of those, and of all that is no option */
	void *input;                   /* of `take` */
	const char *args, *doc;        /* as args_doc and doc of an argp */
	unsigned flags;                /* of argp_parse() */
};

/* What holds when nothing is said. -ENOMEM with a sentence; options_deinit() in any case. */
int options_init(struct run_options *o, struct err *err);

/* Parses the command line of `command`; argv[0] is what it is called in messages. On a mistake, or --help, it
 * prints and exits (2, or 0), as the GNU programs do. */
void options_parse(int argc, char **argv, const struct options_command *command, struct run_options *ret);

/* An option by the name of its property: "quern.task.cores" is --task-cores. -EINVAL with a sentence. */
int options_set(struct run_options *o, const char *property, const char *value, struct err *err);

void options_deinit(struct run_options *o);

#endif
