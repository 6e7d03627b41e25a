/* run.h: a job, from its source to its exit status. */
#ifndef QUERN_CLI_RUN_H
#define QUERN_CLI_RUN_H

#include "cli/options.h"

/* Runs the job argv[0], a .c file or a shared object, with the arguments behind it; starts and ends an
 * embedded cluster if the options say so. May fill in what they leave open. The exit status; what went wrong
 * was printed. */
int run_job(struct run_options *o, int argc, char **argv);

/* How many tasks of it may run at a time. */
uint32_t run_slots(const struct run_options *o);

#endif
