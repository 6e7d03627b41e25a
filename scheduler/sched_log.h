/* sched_log.h: what the scheduler's core tells of as it happens, for an event log (docs/event-log.md): who
 * holds what since when, and what is done with it. From these events alone follows whatever
 * sched_get_ledger() says.
 *
 * They are no actions, for nothing is to be done: the core calls sched_set_log()'s function, if there is one,
 * in the middle of a step and in the order in which things happen. It may not call the core. What an event
 * points at is borrowed until it returns. */
#ifndef QUERN_SCHEDULER_SCHED_LOG_H
#define QUERN_SCHEDULER_SCHED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sched_logged_kind {
	SCHED_LOGGED_FRAMEWORK,   /* u.framework: a subscription has begun */
	SCHED_LOGGED_NO_MASTER,   /* and ended */
	SCHED_LOGGED_OFFER,       /* u.offer */
	SCHED_LOGGED_DECLINE,     /* u.decline */
	SCHED_LOGGED_RESCIND,     /* u.id: of an offer */
	SCHED_LOGGED_ACCEPT,      /* u.accept: something is held from now on */
	SCHED_LOGGED_RUNNING,     /* u.id: of what is held: it is up */
	SCHED_LOGGED_RETURN,      /* u.returned: it is held no longer */
	SCHED_LOGGED_START,       /* u.start: an attempt at a task has its slot */
	SCHED_LOGGED_END,         /* u.end: and has ended, as far as is known here */
	SCHED_LOGGED_REVIVE,      /* offers are wanted now */
	SCHED_LOGGED_SUPPRESS,    /* and none are */
	SCHED_LOGGED_WAITING,     /* u.waiting: from the end of this step on tasks wait for slots */
	SCHED_LOGGED_WAITING_END, /* and none does */
	SCHED_LOGGED_RUN,         /* u.run: an action of the job begins */
	SCHED_LOGGED_RUN_END,     /* u.run */
	SCHED_LOGGED_STAGE,       /* u.stage: tasks of it may start */
	SCHED_LOGGED_STAGE_END,   /* u.stage: and no longer: it is done, or lacks its input again */
};

enum sched_held { SCHED_HELD_TASK, SCHED_HELD_LEASE, SCHED_HELD_EXECUTOR };

/* Why something is given back, or was taken. */
enum sched_return {
	SCHED_RETURN_LOST,     /* with its executor or agent; or it was never launched */
	SCHED_RETURN_FINISHED, /* the task that it was for has ended, however */
	SCHED_RETURN_IDLE,     /* no task for it */
	SCHED_RETURN_AGE,      /* --lease-max */
	SCHED_RETURN_DRAINED,  /* its agent is to be left */
	SCHED_RETURN_KILLED,   /* a KILL was asked for: its task is not wanted, or its executor not heard */
	SCHED_RETURN_END,      /* of the framework */
};

enum sched_end {
	SCHED_END_FINISHED,
	SCHED_END_FAILED,
	SCHED_END_FETCH_FAILED, /* its input was lost */
	SCHED_END_KILLED,
	SCHED_END_LOST,
};

struct sched_logged {
	enum sched_logged_kind kind;
	uint64_t now_ms; /* of the step */
	union {
		const char *id;
		struct {
			const char *id;
			bool suppressed; /* no offers are wanted */
		} framework;
		struct {
			const char *id, *agent, *host, *role; /* role: NULL, it is not said */
			uint64_t cpus_milli, mem_milli;
		} offer;
		struct {
			const char *offer, *reason;
			const char *constraint; /* its name, where that is the reason; or NULL */
			double refuse_s;
		} decline;
		struct {
			const char *id; /* of a Mesos task, or of an executor */
			enum sched_held held;
			const char *executor, *agent, *host, *role; /* executor: that it is on, or itself */
			uint32_t slots;                             /* of a lease; else 0 */
			uint32_t cpus_milli, mem_mb;
			const char *const *offers; /* that were accepted for it */
			size_t n_offers;
		} accept;
		struct {
			const char *id;
			enum sched_return why;
		} returned;
		struct {
			uint32_t stage, partition, attempt;
			const char *executor;
			const char *slot; /* of its own, as accepted; NULL: in leases of the executor */
			uint32_t cpus_milli;
			uint64_t waited_ms; /* since it could have started; UINT64_MAX: not known */
		} start;
		struct {
			uint32_t stage, partition, attempt;
			enum sched_end state;
			uint64_t ran_us; /* as it is used in the ledger */
		} end;
		struct {
			uint32_t slots; /* that those tasks could take */
		} waiting;
		struct {
			uint32_t id;
			uint32_t stages;
			int code; /* of the end */
		} run;
		struct {
			uint32_t run, id;
			uint32_t tasks, done;
		} stage;
	} u;
};

#endif
