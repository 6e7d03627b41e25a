/* driver_state.h: what the files of the driver share (driver.c, driver_*.c). Not for others: driver.h is.
 */
#ifndef QUERN_SCHEDULER_DRIVER_STATE_H
#define QUERN_SCHEDULER_DRIVER_STATE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "mesos/client.h"
#include "mesos/detector.h"
#include "scheduler/action.h"
#include "scheduler/artifacts.h"
#include "scheduler/broadcasts.h"
#include "scheduler/driver.h"
#include "scheduler/event_log.h"
#include "scheduler/hdfs_tokens.h"
#include "scheduler/job_process.h"
#include "scheduler/offload.h"
#include "scheduler/peers.h"
#include "scheduler/progress.h"

enum action_phase {
	ACTION_NONE,
	ACTION_BEGINS, /* its input is looked at, its output made */
	ACTION_READY,  /* tokens are waited for */
	ACTION_RUNS,   /* the core has it */
	ACTION_ENDS,   /* its output is finished, or removed */
};

struct driver {
	const struct driver_config *c;
	struct event_base *loop;
	struct event *tick, *end, *goodbye, *redraw, *signals[3];
	struct http_client *http;
	struct detector *detector; /* NULL: the masters were named */
	struct mesos_client *mesos;
	struct event *waiting; /* for the first master */
	char master[272];      /* host:port of the subscription, or of the last one */
	uint64_t lost_ms;      /* since when there is none; 0: there is, or was never */
	bool no_master;        /* and there will not be */
	struct peers *peers;
	struct artifacts *artifacts;
	struct offers *offers; /* broadcasts */
	struct sched *sched;
	struct sched_plan plan;
	struct event_log *log; /* NULL: none was asked for */
	struct job_process *job;
	struct action *action; /* of the job, under way; NULL: none */
	enum action_phase phase;
	struct action_config config; /* that of `c`, and `hdfs` */
	struct hdfs_pool *hdfs;      /* of `offload`'s thread */
	struct offload *offload;     /* what an action asks of disks and HDFS */
	struct hdfs_tokens *tokens;  /* NULL: no action has been in HDFS */
	bool tokens_left;            /* some that have not been cancelled */
	struct action_memory memory;
	struct progress progress;
	bool surveying;  /* the master is being asked for its agents */
	bool subscribed; /* there is a stream: its end is what TEARDOWN is waited for by */
	bool ending;     /* on its way out, */
	bool ended;      /* and everybody has been told */
	bool stopped;    /* the core has nothing more to say */
	bool gone;       /* nobody's answer is waited for any more but that of `offload` */
	int status;
};

/* A line for people, on stderr. */
void driver_say(struct driver *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One event through the core, and everything that follows from it. */
void driver_step(struct driver *d, struct sched_event ev);

/* The job asks for an action; driver_start() follows. */
void driver_action_begin(struct driver *d, const Quern__Run *run);
/* Starts the action that has begun: what its tasks need of HDFS goes ahead of it. */
void driver_start(struct driver *d);
/* Runs the action, as everything is there. */
void driver_run_action(struct driver *d);
/* SCHED_DO_COMMIT; SCHED_EV_COMMITTED follows if the action does not end before. */
void driver_action_commit(struct driver *d, const struct sched_action *a);
/* Ends the action that has begun, once: finishes its output (code 0) or removes it, then answers the job.
 * `text` (may be NULL) is what people and the job are told. */
void driver_action_end(struct driver *d, int code, const char *text);

/* Opens the event log, if there is to be one; the core, once it is there, tells it what happens; its end. */
int driver_log_start(struct driver *d, struct err *err);
void driver_log_follow(struct driver *d);
void driver_log_end(struct driver *d);

/* SCHED_DO_SURVEY; SCHED_EV_SURVEY follows, or nothing. 0 or -ENOMEM. */
int driver_survey(struct driver *d);
/* Subscribes, at once or when a master leads. -ENOMEM, -ENOTSUP with a sentence. */
int driver_master_start(struct driver *d, struct err *err);
/* At the end, when TEARDOWN could not be sent: how long that is waited for, in ms, and says so: another
 * subscription, or agents that have not found the new master. For it would know of the framework by its
 * agents, and keep it for good: failover timeouts are for those that it has seen go. Nothing is said of what
 * does not take long: the answer to the first SUBSCRIBE, the end of executors that were starting, that of the
 * driver's own task. `hurried`: how long when a person is waiting. 0: not at all. */
uint64_t driver_master_patience(struct driver *d, uint64_t hurried);
/* What is waited for there, as part of a sentence. */
const char *driver_master_awaits(const struct driver *d);
void driver_master_end(struct driver *d);

uint64_t driver_now_ms(void);  /* CLOCK_MONOTONIC */
uint64_t driver_wall_ms(void); /* since 1970 */

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
