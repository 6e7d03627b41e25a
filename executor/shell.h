/* shell.h: an executor's life: sockets, timers and processes around its core. */
#ifndef QUERN_EXECUTOR_SHELL_H
#define QUERN_EXECUTOR_SHELL_H

#include <stdint.h>

#include "executor/environment.h"

/* Serves until it is shut down. `program`: this program's own file; `start_us`: when it was started, of
 * CLOCK_MONOTONIC. The exit status of the process: what went wrong is on standard error. No process and no
 * file of the executor's is left behind. */
int shell_run(const struct environment *environment, const char *program, uint64_t start_us);

#endif
