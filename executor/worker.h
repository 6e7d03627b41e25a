/* worker.h: a worker process: runs tasks, one at a time, as its socket brings them. */
#ifndef QUERN_EXECUTOR_WORKER_H
#define QUERN_EXECUTOR_WORKER_H

#include "executor/task.h"

/* Serves the socket (frames of executor/worker.proto) until the other side closes it: 0; a status for _exit()
 * otherwise. */
int worker_serve(const struct task_env *env, int socket);

#endif
