/* core.h: the executor's core. One door: an event and the time in, a plan out. No socket, clock, process or
 * thread.
 *
 * It holds the Mesos tasks that the agent launched (a *fine* one is one task of the job; a *lease* holds
 * slots for tasks that come over the link), the attempts that are to run or run, the status updates that the
 * agent has not acknowledged, and what the driver said about stages and map outputs.
 *
 * Whose memory: an event and what it points at are the caller's and are not kept after exec_step(), except
 * u.result. A plan's actions and their bytes are the plan's, until exec_plan_reset() or _deinit(); what an
 * EXEC_DO_RUN, _FETCH or _SETUP points at is the core's, until the next exec_step(). -ENOMEM from exec_step()
 * is fatal: the core can only be freed then. Equal configuration and equal events give equal plans, byte for
 * byte. */
#ifndef QUERN_EXECUTOR_CORE_H
#define QUERN_EXECUTOR_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "job/link.pb-c.h"
#include "job/plan.pb-c.h"
#include "job/stage.h"
#include "mesos/executor.pb-c.h"

struct exec;

struct exec_config {
	const char *executor_id;
	const char *framework_id;
	bool checkpoint;   /* of the framework: a lost agent is waited for. Else it is the end */
	uint64_t epoch_ms; /* Unix time at now_ms 0: for the timestamps of updates */
	uint64_t seed;     /* of the updates' uuids; a fresh random number in life, fixed in tests */

	/* For ToDriver.Hello. */
	uint32_t shuffle_port;
	const char *shuffle_dir, *machine, *address;

	uint64_t running_delay_ms; /* of TASK_RUNNING of a fine task: a shorter one only sends its end. 0: 250
				    */
	uint64_t link_grace_ms;    /* without a link to the driver for so long: the end. 0: 15,000 */
	size_t max_data;           /* bytes of one result's data that the link takes. 0: 60 MiB */
	size_t max_kept; /* partitions of persisted sets, each a descriptor of the shell's. 0: 256 */
};

enum { EXEC_KEEPS_MAX = 16 /* sets that one attempt fills; more of them are not kept */ };

/* Memory of a partition of a persisted set, by a number that is not used again. */
struct exec_keep {
	uint32_t step, blob; /* the CACHE step of the stage; the memory */
	uint64_t bytes;      /* of what is read */
};

/* What an attempt has to do with persisted sets. */
struct exec_cached {
	bool reads;
	struct exec_keep read; /* begin behind that step, with these records */
	struct exec_keep write[EXEC_KEEPS_MAX];
	uint32_t n_write;
	uint64_t most; /* bytes that all of `write` may take */
};

/* Where a broadcast is to be fetched, and what it has to be then. */
struct exec_fetch {
	uint64_t length, checksum;
	const char *executor_id, *address; /* NULL: from the driver */
	uint32_t port;
};

/* Of an attempt. No padding: it is a key. */
struct exec_name {
	uint32_t stage, partition, attempt;
};

enum exec_event_kind {
	EXEC_EV_MESOS,      /* u.mesos: an event of the subscription */
	EXEC_EV_MESOS_DOWN, /* u.text: the stream ended; the shell re-subscribes by exec_subscribe_call() */
	EXEC_EV_MESOS_LOST, /* u.text: and has given that up */
	EXEC_EV_LINK_UP,    /* the driver's link is up */
	EXEC_EV_LINK_DOWN,  /* u.text: it ended, or could not be made */
	EXEC_EV_LINK,       /* u.link: a message of the driver's */
	EXEC_EV_RESULT,  /* u.result: an attempt that ran, or died, or was killed, ended. The core's from here
			  * on, to be freed with quern__task_result__free_unpacked(), whatever is returned */
	EXEC_EV_FETCHED, /* u.fetched: what became of an EXEC_DO_FETCH */
	EXEC_EV_UNLOADABLE, /* u.text: the job cannot be loaded: nothing can ever run */
	EXEC_EV_FLUSH,      /* the loop has nothing else at hand, see exec_wants_flush() */
	EXEC_EV_STOP,       /* a signal: as SHUTDOWN */
	EXEC_EV_TICK,       /* a timer went off, or just the time */
};

struct exec_event {
	uint64_t now_ms; /* never decreases */
	enum exec_event_kind kind;
	union {
		const Mesos__V1__Executor__Event *mesos;
		const Quern__ToExecutor *link;
		Quern__TaskResult *result;
		struct {
			uint32_t broadcast;
			const char *error; /* NULL: it is here, and others may have it */
		} fetched;
		const char *text;
	} u;
};

enum exec_action_kind {
	EXEC_DO_CALL,    /* send `data`, a packed mesos.v1.executor.Call */
	EXEC_DO_SETUP,   /* once: load the job that `setup` names */
	EXEC_DO_CONNECT, /* make the link that `setup` names: EXEC_EV_LINK_UP or _LINK_DOWN follows */
	EXEC_DO_LINK,    /* send `data`, a packed ToDriver. Only while the link is up */
	EXEC_DO_RUN,     /* start `task` with `stage` and `outputs` in a worker; EXEC_EV_RESULT
			    follows. `cached` (NULL: nothing): make memory for what it writes. Where something
			    of that cannot be had it may be left out */
	EXEC_DO_KILL,    /* end attempt `name`; its EXEC_EV_RESULT follows */
	EXEC_DO_WARM,    /* keep `n` workers, busy and idle, and no idle ones beyond that */
	EXEC_DO_DROP,    /* remove the files of shuffle `n` */
	EXEC_DO_FETCH,   /* get broadcast `n` as `fetch` says; EXEC_EV_FETCHED follows, unless it is forgotten
			  */
	EXEC_DO_FORGET,  /* broadcast `n` goes, or comes no more */
	EXEC_DO_DISCARD, /* give the memory of blob `n` back, if there is any */
	EXEC_DO_LOG,     /* `text` for people */
	EXEC_DO_EXIT, /* end everything; `code` is the exit status, `text` says why. Calls of this plan still
			 leave */
};

struct exec_action {
	enum exec_action_kind kind;
	int code;
	uint32_t n;
	char *text;
	uint8_t *data;
	size_t len;
	struct exec_name name;
	const Quern__ExecutorData *setup;
	const Quern__Task *task;
	const Quern__Stage *stage;
	ProtobufCBinaryData
		hdfs; /* how its files in HDFS are reached (hdfs_client/access.h); empty: it has none */
	const Quern__Outputs *outputs[STAGE_SHUFFLES_MAX]; /* of the shuffles that the task reads */
	size_t n_outputs;
	const struct exec_cached *cached;
	const struct exec_fetch *fetch;
};

struct exec_plan {
	struct exec_action *at;
	size_t n, cap;
};

void exec_plan_reset(struct exec_plan *plan); /* empties, frees what actions own */
void exec_plan_deinit(struct exec_plan *plan);

/* Copies the configuration. 0 or -ENOMEM. */
int exec_new(const struct exec_config *config, struct exec **ret);
struct exec *exec_free(struct exec *x);

/* Appends the serialised SUBSCRIBE call for a subscription now: with the tasks and updates that the agent has
 * not acknowledged. 0, -ENOMEM, -EMSGSIZE. */
int exec_subscribe_call(const struct exec *x, struct buf *out);

/* Advances. Appends actions to *plan. 0 or -ENOMEM. */
int exec_step(struct exec *x, const struct exec_event *ev, struct exec_plan *plan);

/* When an EXEC_EV_TICK is wanted at the latest; UINT64_MAX: no need. */
uint64_t exec_next_ms(const struct exec *x);

/* Results should go to the driver now: an EXEC_EV_FLUSH is wanted before the loop sleeps. */
bool exec_wants_flush(const struct exec *x);

/* For tests: attempts that are held, and updates that are not acknowledged. */
size_t exec_attempts(const struct exec *x);
size_t exec_unacknowledged(const struct exec *x);

#endif
