/* zygote.h: the process that loads the job, once, and forks the workers.
 *
 * Started by the pool (pool.c) as `PROGRAM --zygote PARENT`, with its socket as descriptor 3: a fresh
 * process, so that nothing of the executor's is in what user code runs in. It takes ZygoteRequests and sends
 * ZygoteReports (executor/worker.proto), one per packet. It dies with the executor, and its workers die with
 * it. */
#ifndef QUERN_EXECUTOR_ZYGOTE_H
#define QUERN_EXECUTOR_ZYGOTE_H

enum { ZYGOTE_SOCKET = 3 };

#define ZYGOTE_OPTION "--zygote"

/* main() of a program whose first argument is ZYGOTE_OPTION; `parent` is the second. Does not return. */
void zygote_main(const char *parent) __attribute__((noreturn));

#endif
