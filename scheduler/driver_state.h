/* driver_state.h: what the files of the driver share (driver.c, driver_job.c). Not for others: driver.h is.
 */
#ifndef QUERN_SCHEDULER_DRIVER_STATE_H
#define QUERN_SCHEDULER_DRIVER_STATE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "mesos/client.h"
#include "scheduler/action.h"
#include "scheduler/artifacts.h"
#include "scheduler/broadcasts.h"
#include "scheduler/driver.h"
#include "scheduler/hdfs_tokens.h"
#include "scheduler/job_process.h"
#include "scheduler/peers.h"
#include "scheduler/progress.h"

struct committed {
	uint32_t run, partition;
	char *error; /* NULL: in place */
};

struct driver {
	const struct driver_config *c;
	struct event_base *loop;
	struct event *tick, *end, *goodbye, *redraw, *stalled, *signals[3];
	uint32_t done_before; /* tasks, at the last look whether anything goes on */
	struct http_client *http;
	struct mesos_client *mesos;
	struct peers *peers;
	struct artifacts *artifacts;
	struct offers *offers; /* broadcasts */
	struct sched *sched;
	struct sched_plan plan;
	VEC(struct committed) committed; /* answers that the core has not had yet */
	struct job_process *job;
	struct action *action;      /* of the job, under way; NULL: none */
	struct hdfs_tokens *tokens; /* NULL: no action has been in HDFS */
	bool tokens_left;           /* some that have not been cancelled */
	struct action_memory memory;
	struct progress progress;
	bool subscribed; /* there is a stream: its end is what TEARDOWN is waited for by */
	bool ending;
	bool stopped; /* the core has nothing more to say */
	int status;
};

/* A line for people, on stderr. */
void driver_say(struct driver *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One event through the core, and everything that follows from it. */
void driver_step(struct driver *d, struct sched_event ev);

/* Tells the job that its action has ended. */
void driver_answer(struct driver *d, uint32_t run, int code, const char *text);

/* Starts the action that has begun: what its tasks need of HDFS goes ahead of it. */
void driver_start(struct driver *d);
/* Runs the action, as everything is there. */
void driver_run_action(struct driver *d);
/* The end of that: cancels tokens. */
void driver_hdfs_end(struct driver *d);
/* Leaves the loop if nothing is waited for any more. */
void driver_leave(struct driver *d);

/* The way out, from wherever: the work is done from the loop. The first reason counts. */
void driver_end(struct driver *d, int status);
void driver_out_of_memory(struct driver *d);

/* Of the job's process; the `arg` is the driver. */
extern const struct job_process_ops driver_job_ops;

#endif
