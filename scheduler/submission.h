/* submission.h: the core of who submits a job to be hosted by the cluster: a framework that launches one task
 * and is then taken over by what runs in it. One door: an event of the subscription in, calls out. No socket,
 * no clock.
 *
 * Order: SUBSCRIBED -> the first offer that will do gets the launch, all others are declined -> the
 * task's updates are acknowledged -> ERROR "Framework failed over": it has been taken over, which is the end.
 * Any other end is a failure with a sentence: the task ends, or the stream does, before that. */
#ifndef QUERN_SCHEDULER_SUBMISSION_H
#define QUERN_SCHEDULER_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "mesos/scheduler.pb-c.h"

struct submission;

struct submission_config {
	const char *task;                              /* id of the task, and of its executor */
	const char *name;                              /* of both, for people */
	uint32_t cpus_milli, mem_mb;                   /* of the task ... */
	uint32_t executor_cpus_milli, executor_mem_mb; /* ... and of its executor */
	const Mesos__V1__ExecutorInfo *executor; /* command, data and the like. Ids, name and resources are
						    the core's */
};

enum submission_state {
	SUBMISSION_WAITS,    /* for a subscription, and for an offer */
	SUBMISSION_LAUNCHED, /* on `host` */
	SUBMISSION_RUNS,     /* its executor has said so */
	SUBMISSION_TAKEN,    /* the end: the framework is somebody else's */
	SUBMISSION_FAILED,   /* the end: `why` */
};

struct submission_view {
	enum submission_state state;
	const char *id;   /* of the framework; NULL: there is none yet */
	const char *host; /* where it was launched, or NULL */
	const char *why;  /* with FAILED */
	uint32_t offers;  /* that were too small, since the start ... */
	uint32_t leaving; /* ... and of agents with maintenance ahead */
	bool unsure;      /* with FAILED: the driver may take over all the same */
};

/* Packed calls, each to be freed with buf_deinit(). */
typedef VEC(struct buf) submission_calls;
void submission_calls_deinit(submission_calls *calls);

/* Borrows everything. 0 or -ENOMEM. */
int submission_new(const struct submission_config *config, struct submission **ret);
struct submission *submission_free(struct submission *s);

/* Advances: appends calls. 0 or -ENOMEM. */
int submission_event(struct submission *s, const Mesos__V1__Scheduler__Event *event, submission_calls *calls);
/* Nothing else was offered for a while: from now on an agent will do whose maintenance begins at `latest_ns`
 * (since 1970) or later. At first none will do that has any ahead: the driver cannot move. */
void submission_settle(struct submission *s, int64_t latest_ns);
/* The stream ended. Nobody subscribes again: that would take the framework away from the driver. */
void submission_down(struct submission *s, const char *why);
/* Appends TEARDOWN, if there is something to take down. */
int submission_tear_down(const struct submission *s, submission_calls *calls);

/* Everything in it is borrowed until the next event. */
struct submission_view submission_look(const struct submission *s);

#endif
