/* sched.h: the framework scheduler's core. One door: an event and the time in, a plan out. No socket, clock
 * or thread.
 *
 * Whose memory: an event and what it points at are the caller's and are not kept after sched_step(). A plan's
 * actions and their bytes are the plan's, until sched_plan_reset() or _deinit(). -ENOMEM from sched_step() is
 * fatal: the core can only be freed then.
 *
 * The same core runs over HTTP against Apache Mesos, over HTTP against the embedded cluster, and in virtual
 * time against simulated ones (tests/scheduler/sim_test.c): with equal configuration (seed included) and
 * equal events it gives equal plans, byte for byte. */
#ifndef QUERN_SCHEDULER_SCHED_H
#define QUERN_SCHEDULER_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/link.pb-c.h"
#include "job/plan.pb-c.h"
#include "mesos/master.pb-c.h"
#include "mesos/scheduler.pb-c.h"
#include "modes/modes.h"
#include "scheduler/sched_log.h"

struct sched;

/* Labels of our frameworks, for who lists them. */
#define SCHED_LABEL_MODE   "quern.mode"
#define SCHED_LABEL_STATUS "quern.status" /* of one that has ended: its exit status */

struct sched_config {
	const char *name; /* of the framework, as Mesos shows it */
	const char *user;
	/* Roles, none twice, as roles_check() has them; the first ones are preferred. NULL-terminated; NULL:
	 * "*". */
	const char *const *roles;
	bool revocable;        /* resources that the agent may take away again are wanted as well */
	bool ports_from_offer; /* an executor serves at a port that was offered; false: at any */
	const char *principal; /* or NULL */
	const char *hostname;  /* of the driver, or NULL */
	double failover_timeout_s;
	const struct mode_ops *mode;
	struct mode_config mode_config;
	bool limit_by_default; /* nobody has chosen its max_slots: that is said when the job could use more */

	uint32_t task_cpus_milli; /* --task-cores, thousandths */
	uint32_t task_mem_mb;     /* --task-memory */
	uint32_t executor_cpus_milli;
	uint32_t executor_mem_mb;
	uint32_t task_max_failures; /* attempts of a task, all told */
	uint64_t task_timeout_ms;   /* 0: none */
	uint64_t max_bad_records;   /* of the whole job, that are left out */
	uint64_t locality_wait_ms;  /* a stage is so much later at most for its tasks' waiting for executors
				       and hosts that they prefer (sched_wait.c) */

	const char *constraints; /* agents that may be used, see constraints.h; or NULL */

	uint64_t revive_interval_ms; /* least time between two REVIVEs; UINT64_MAX: never REVIVE but to
					un-suppress */
	uint32_t revive_burst;       /* tokens of the bucket */
	uint64_t exclude_after;      /* failures of an agent after which it is left out ... */
	uint64_t exclude_ms;         /* ... for so long */

	bool checkpoint; /* executors outlive a restart of their agent */

	/* How to start an executor: type, command, what is fetched, data (a packed ExecutorData), container.
	 * What it says of ids, name, source and resources is not looked at: that is the core's. */
	const Mesos__V1__ExecutorInfo *executor;

	/* What else the master is told of the framework; and of a driver that is itself a task of it, which
	 * takes over the framework of who submitted it. */
	const Mesos__V1__Labels *labels; /* or NULL */
	const char *framework_id;        /* to subscribe as; NULL: a new one */
	const char *own_task;            /* the task that the driver runs in; NULL: it does not run in one */

	uint64_t seed; /* of ids; a fresh random number in life, fixed in tests */
};

enum sched_event_kind {
	SCHED_EV_MESOS,      /* u.mesos: an event of the subscription */
	SCHED_EV_MESOS_DOWN, /* the stream ended; the shell re-subscribes by sched_subscribe_call() */
	SCHED_EV_LINK_UP,    /* u.link: an executor connected (message NULL) */
	SCHED_EV_LINK_DOWN,  /* u.link: its connection ended */
	SCHED_EV_LINK,       /* u.link: a message of it */
	SCHED_EV_RUN,        /* u.run: the job asks for an action */
	SCHED_EV_CANCEL,     /* u.run_id: and wants it no longer */
	SCHED_EV_UNPERSIST,  /* u.cache: what is kept of that persisted set may go */
	SCHED_EV_BROADCAST,  /* u.broadcast: there is another value for all tasks, which the driver serves */
	SCHED_EV_DESTROY,    /* u.broadcast.id: that one may go */
	SCHED_EV_HDFS,       /* u.hdfs: how executors reach files that are not on local disks, from now on */
	SCHED_EV_SURVEY,     /* u.survey: answer to SCHED_DO_SURVEY, NULL: there is none */
	SCHED_EV_COMMITTED,  /* u.committed: answer to SCHED_DO_COMMIT */
	SCHED_EV_STOP, /* u.status: end everything: the plan gets TEARDOWN, and SCHED_DO_STOPPED when it may
			  be sent: when there is a subscription; of a driver that runs in a task, when the
			  master knows the end of that. SCHED_DO_STOPPED at once if no SUBSCRIBE was ever
			  asked for. The status goes into the label SCHED_LABEL_STATUS of the framework before
			  it */
	SCHED_EV_TICK, /* a timer went off, or just the time */
};

struct sched_event {
	uint64_t now_ms;  /* never decreases */
	uint64_t wall_ms; /* since 1970, for what others date; 0: now_ms does for it */
	enum sched_event_kind kind;
	union {
		const Mesos__V1__Scheduler__Event *mesos;
		struct {
			const char *executor_id;
			const Quern__ToDriver *message;
		} link;
		struct {
			const Quern__Run *run; /* copied */
			const Quern__Split *const *const
				*splits; /* per stage of run, of its branches that do not read shuffles, as
					    many as their `tasks` say; copied */
			const size_t *n_splits; /* per stage */
		} run;
		const Mesos__V1__Master__Response__GetAgents *survey;
		uint32_t run_id;
		uint32_t cache;
		struct {
			uint32_t id; /* not used before */
			uint64_t length, checksum;
		} broadcast;
		struct {
			const void *data; /* opaque; copied, and wiped at last */
			size_t len;
		} hdfs;
		struct {
			uint32_t run, partition;
			const char *error; /* NULL: the file is in place */
		} committed;
		int status; /* of the whole job, an exit status */
	} u;
};

enum sched_action_kind {
	SCHED_DO_CALL,   /* send `data`, a packed mesos.v1.scheduler.Call */
	SCHED_DO_LINK,   /* send `data`, a packed ToExecutor, to executor `text` */
	SCHED_DO_RESULT, /* the job gets `data` (COLLECT: records, COUNT: 8 bytes) of partition `partition` of
			    run `run` */
	SCHED_DO_COMMIT, /* put file `text` of run `run`, partition `partition` in place; answer with
			    SCHED_EV_COMMITTED */
	SCHED_DO_DONE,   /* run `run` ended: `code` 0, or the job's failure, `text` says why (all results went
			    before) */
	SCHED_DO_LOG,    /* `text` for people: a lost executor, a failed attempt */
	SCHED_DO_NOTE, /* `text` for people, asked for or not: why nothing runs, and that it goes on; a limit
			  by default */
	SCHED_DO_SURVEY,  /* ask the master which agents there are; answer with SCHED_EV_SURVEY */
	SCHED_DO_FATAL,   /* the framework cannot go on: `code` is the exit status, `text` the line */
	SCHED_DO_STOPPED, /* nothing more will come */
};

struct sched_action {
	enum sched_action_kind kind;
	uint32_t run, partition;
	int code;
	char *text;
	uint8_t *data;
	size_t len;
};

struct sched_plan {
	struct sched_action *at;
	size_t n, cap;
};

void sched_plan_reset(struct sched_plan *plan); /* empties, frees what actions own */
void sched_plan_deinit(struct sched_plan *plan);

/* Copies the configuration. 0, -ENOMEM, -EINVAL with a sentence. */
int sched_new(const struct sched_config *config, struct sched **ret, struct err *err);
struct sched *sched_free(struct sched *s);

/* Who is told what happens, from now on: see sched_log.h. NULL: nobody, as at first. */
void sched_set_log(struct sched *s, void (*log)(void *arg, const struct sched_logged *what), void *arg);

/* Appends the serialised SUBSCRIBE call for a subscription now: with the framework id when there is one. */
struct buf;
int sched_subscribe_call(struct sched *s, struct buf *out);

/* Advances. Appends actions to *plan. 0 or -ENOMEM. */
int sched_step(struct sched *s, const struct sched_event *ev, struct sched_plan *plan);

/* When a SCHED_EV_TICK is wanted at the latest; UINT64_MAX: no need. */
uint64_t sched_next_ms(const struct sched *s);

/* What tasks that succeeded have counted, in all runs so far. Everything is borrowed until the next step. */
struct sched_tally {
	Quern__Count *const *totals;
	size_t n_totals;
	Quern__Accumulator *const *accumulators; /* by the ids of totals */
	uint64_t bad;                            /* records that were left out */
	const char *const *texts;                /* about the first of them */
	size_t n_texts;
};
void sched_get_tally(const struct sched *s, struct sched_tally *ret);

/* Tasks that succeeded, by where they ran. Those that ran again, for their output was lost, count again. */
struct sched_locality {
	uint64_t cached;    /* where their partition of a persisted set was */
	uint64_t host;      /* on a host of their data */
	uint64_t elsewhere; /* they would rather have run at such a place */
	uint64_t any;       /* there was no such place */
};

/* For a person watching. */
struct sched_progress {
	uint32_t run;
	uint32_t stages_done, stages;
	uint32_t tasks_done, tasks_running, tasks_failed, tasks; /* of the current action */
	uint32_t executors;                                      /* connected */
	uint32_t slots_held;
	uint64_t offers, declined, revives; /* since the start */
	uint64_t peak_rss; /* of any worker since the start, bytes, as the kernel counts; 0: none has said */
	struct sched_locality locality; /* since the start */
	const char *waiting; /* why nothing runs, a sentence, borrowed until the next step; or NULL */
	bool subscribed;
	uint32_t expected; /* at the end: agents that a new master may not have heard of, and TEARDOWN waits
			      for */
	uint32_t starting; /* likewise: executors that were starting, whose end it waits for after that */
};
void sched_get_progress(const struct sched *s, struct sched_progress *ret);

/* Why offers were declined since the start, and how many: "no task waits for it: 12; too few cores: 3"; ""
 * when none was. To be freed. NULL: no memory. */
char *sched_declined_text(const struct sched *s);

/* What was held and used so far, until the last step. Cores for microseconds, and MB for milliseconds. */
struct sched_ledger {
	uint64_t task_core_us, task_mb_ms; /* of Mesos tasks, from the launch to the terminal update */
	/* of executors' own shares, from the launch to their end */
	uint64_t executor_core_us, executor_mb_ms;
	uint64_t used_core_us; /* by attempts: their wall time, times the cores that they take */

	/* Between the end of an attempt (its result or terminal update) and the beginning of the next one
	 * there (in fine mode its launch), while tasks waited. */
	uint64_t gaps;                   /* how many */
	uint64_t gap_p50_ms, gap_p99_ms; /* that so many do not exceed, to an eighth */
};
void sched_get_ledger(const struct sched *s, struct sched_ledger *ret);

#endif
