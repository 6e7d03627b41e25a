/* jobs_command.h: what the commands share that look at jobs of a cluster: quern ps, kill, wait, log. */
#ifndef QUERN_CLI_JOBS_COMMAND_H
#define QUERN_CLI_JOBS_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/cluster_options.h"
#include "cli/jobs.h"
#include "cli/console.h"

struct jobs_command {
	const char *name; /* in messages: "quern ps" */
	struct cluster_options cluster;
	struct console *console;
	char **args; /* what is no option */
	int n;
	bool given[128]; /* its own options, by their letter */
};

/* How a command is called. */
struct jobs_usage {
	const struct argp_option *own;
	const char *args, *doc;
	int min, max; /* arguments; max < 0: any number */
};

/* Exit statuses: as of `quern run` (0, 1, 3), and */
enum { JOBS_BAD_USAGE = 2 /* the command line is wrong, or there is no such job */ };

/* Parses the command line: --master, --master-timeout, --principal, --secret-file, --properties-file and
 * those of `usage`. On a mistake, or --help, it prints and exits. 0, or an exit status: what went wrong was
 * printed. jobs_command_deinit() in any case. */
int jobs_command_init(struct jobs_command *c, int argc, char **argv, const struct jobs_usage *usage);
void jobs_command_deinit(struct jobs_command *c);

/* What the master knows, and the jobs in it: message and list are the caller's, for jobs_answer_deinit().
 * -EHOSTUNREACH and the like with a sentence; then there is nothing to be freed. */
struct jobs_answer {
	Mesos__V1__Master__Response *message;
	job_list jobs;
};
int jobs_ask(const struct jobs_command *c, struct jobs_answer *ret, struct err *err);
void jobs_answer_deinit(struct jobs_answer *a);

/* Prints the sentence; the exit status that goes with the code. */
int jobs_fail(const struct jobs_command *c, int code, const struct err *err);

#endif
