/* job_process.h: the process that runs quern_main(), as the driver sees it: started, listened to
 * (job/session.h), ended. */
#ifndef QUERN_SCHEDULER_JOB_PROCESS_H
#define QUERN_SCHEDULER_JOB_PROCESS_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "job/plan.pb-c.h"
#include "job/session.pb-c.h"
#include "scheduler/shipped.h"

struct job_process;

struct job_process_ops {
	void (*run)(void *arg, const Quern__Run *run); /* an action; borrowed, checked (job/plan_check.h) */
	void (*cancel)(void *arg, uint32_t run);       /* it wants no more results of that action */
	void (*unpersist)(void *arg, uint32_t cache);  /* nor what is kept of that persisted set */
	/* A value for all tasks, as process `pid` offers it. 0; or negative with a sentence, which it is
	 * told. */
	int (*broadcast)(
		void *arg, pid_t pid, const Quern__SessionToDriver__Broadcast *broadcast, struct err *err);
	void (*destroy)(void *arg, uint32_t broadcast); /* one that was taken may go */
	/* The process ended; `status` as waitpid(2) gives it. Or it broke the protocol and was killed: `why`
	 * says how (else NULL). Exactly once, not for a process that job_process_free() ends. */
	void (*gone)(void *arg, int status, const char *why);
};

struct job_process_config {
	const char *self;        /* the program that has the command `job` (cli/commands.h) */
	const char *so;          /* the job's object */
	const uint8_t *build_id; /* of it as executors get it: a process that loaded another is broken off.
				    Borrowed for the life of the process */
	size_t build_id_len;
	const struct shipped *files; /* for quern_file_path() */
	size_t n_files;
	char **argv; /* of quern_main() */
	int argc;
};

/* Starts `self job FD SO N [NAME FILE]... ARG...`. Standard input, output and error are the driver's own. The
 * process dies with the driver, however that ends. */
int job_process_start(struct event_base *loop, const struct job_process_config *config,
	const struct job_process_ops *ops, void *arg, struct job_process **ret, struct err *err);

/* Kills it if it is still there. Takes and returns NULL. */
struct job_process *job_process_free(struct job_process *p);

/* Data of partition `partition` of an action, and the end of one, with what tasks have counted so far. 0,
 * -ENOMEM, or -EMSGSIZE. */
int job_process_result(struct job_process *p, uint32_t run, uint32_t partition, const void *data, size_t len);
int job_process_done(struct job_process *p, uint32_t run, int code, const char *text,
	Quern__Count *const *totals, size_t n_totals);

#endif
