/* state.h: what the files of the core share (core.c, agent.c, attempt.c, driver.c, persist.c, broadcast.c).
 * Not for others: core.h is. */
#ifndef QUERN_EXECUTOR_STATE_H
#define QUERN_EXECUTOR_STATE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "base/random.h"
#include "base/vec.h"
#include "executor/cache.h"
#include "executor/core.h"

enum {
	UUID = RANDOM_UUID,
	STATUS_DATA_MAX = 1 << 10,   /* bytes of a status update's data: it runs through the master */
	STATUS_FAILED_MAX = 5 << 10, /* and of a failure's, which carries the end of stderr */
	RUNNING_DELAY_MS = 250,
	LINK_GRACE_MS = 15000,
	RECONNECT_MIN_MS = 50,
	RECONNECT_MAX_MS = 2000,
	RESEND_MIN_MS =
		10000, /* an update that is not acknowledged: as the agent's own (src/slave/constants.hpp) */
	RESEND_MAX_MS = 600000,
	MAX_DATA = 60 << 20,
	BATCH_MAX = 1 << 20, /* bytes of results in one frame */
	LEAVE_MS = 1000,     /* that an agent has for its SHUTDOWN when the driver wants the executor gone */
	FLUSH_MS = 1,        /* that results may wait for others, while there is more to run */
	HISTORY_MAX = 16 << 20, /* bytes of results that a link may lose with its sockets' buffers */
	STAGES_MAX = 256,       /* stages remembered; a forgotten one is asked for again */
	MAX_KEPT = 256,
	EVICTED_MAX = 32 /* evictions that one result tells of */
};

struct mtask;
struct persist;

enum attempt_state {
	ATTEMPT_WAITING,    /* for its stage, map outputs or broadcasts */
	ATTEMPT_QUEUED,     /* for a slot of the leases */
	ATTEMPT_RUNNING,    /* in a worker */
	ATTEMPT_DELIVERING, /* over; its data is on the way to the driver */
};

enum attempt_end { END_ITSELF, END_ASKED, END_TIMEOUT }; /* why it was killed, if it was */

struct attempt {
	struct exec_name name;
	enum attempt_state state;
	enum attempt_end end;
	struct mtask *mesos; /* of a fine one; NULL: over the link */
	Quern__Task *task;
	struct persist *persist;     /* while it runs: see persist.c; NULL: nothing */
	uint64_t deadline_ms;        /* of a running one with a timeout; UINT64_MAX: none */
	Quern__TaskResult *result;   /* while ATTEMPT_DELIVERING */
	struct attempt *prev, *next; /* of exec.queue, while ATTEMPT_QUEUED, of exec.running likewise */
	UT_hash_handle hh;
};

/* A task that the agent launched. */
struct mtask {
	Mesos__V1__TaskInfo *info; /* the key is its id */
	struct attempt *attempt;   /* of a fine one that has not ended */
	uint32_t slots;            /* of a lease */
	bool lease;
	bool known;    /* the agent has acknowledged an update of it */
	bool running;  /* TASK_RUNNING was sent */
	bool leaving;  /* lease: its end follows when its attempts are gone */
	bool unwanted; /* and it is the driver's wish, over the link: TASK_FINISHED. Else TASK_KILLED */
	bool terminal; /* its last update was sent */
	uint64_t running_due_ms;
	UT_hash_handle hh;
};

struct update {
	uint8_t uuid[UUID];
	Mesos__V1__Executor__Call__Update *message;
	bool terminal;
	uint64_t resend_ms, backoff_ms;
	UT_hash_handle hh;
};

struct stage_info {
	uint32_t id;
	Quern__Stage *stage; /* NULL: asked for */
	bool asked;          /* on this link */
	UT_hash_handle hh;
};

struct outputs_info {
	uint32_t shuffle;
	Quern__Outputs *outputs;
	uint32_t asked; /* the version that was asked for on this link; 0: none */
	UT_hash_handle hh;
};

struct sent_result {
	uint8_t *data; /* a packed ToDriver */
	size_t len;
};

enum link_state { LINK_NONE, LINK_WAITING, LINK_TRYING, LINK_IS_UP };

struct exec {
	struct exec_config config;
	char *executor_id, *framework_id, *shuffle_dir, *machine, *address;
	uint64_t now_ms;
	uint64_t random;
	bool subscribed, ended;
	uint64_t leave_due_ms; /* the driver wants it gone; UINT64_MAX: it does not */

	struct mtask *mtasks;     /* by task id */
	struct update *updates;   /* by uuid, in the order they were made */
	struct attempt *attempts; /* by name, in the order they came */
	struct attempt *queue, *running;
	size_t queued;       /* in it */
	uint32_t slots;      /* of all leases that are not leaving */
	uint32_t busy;       /* of them, those of attempts that are running */
	uint32_t fine, warm; /* fine attempts; workers asked for */
	char *unloadable;

	Quern__ExecutorData *setup;
	enum link_state link;
	uint64_t link_lost_ms, link_retry_ms, link_backoff_ms;
	struct stage_info *stages;
	ProtobufCBinaryData hdfs; /* for stages that have files there; wiped */
	struct outputs_info *outputs;
	VEC(Quern__TaskResult *) outbox; /* results for the driver */
	uint64_t outbox_ms;              /* when the first of them came */
	VEC(struct sent_result) history; /* sent on this link or an earlier one, oldest first */
	size_t history_bytes;

	struct copy *copies;         /* of broadcasts, by id */
	uint32_t broadcasts_version; /* of the driver's table of them */
	uint32_t broadcasts_asked;   /* the version that was asked for on this link; 0: none */

	struct cache *cache; /* NULL: nothing is kept */
	uint32_t last_blob;
	VEC(struct cache_gone) evicted; /* that the driver was not told of */
};

/* ---- plan.c ---- */

/* Appends an action; its bytes and text become the plan's, also on failure. 0 or -ENOMEM. */
int plan_add(struct exec_plan *plan, struct exec_action action);
int plan_text(struct exec_plan *plan, enum exec_action_kind kind, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Appends one with a packed message. */
int plan_message(struct exec_plan *plan, enum exec_action_kind kind, const ProtobufCMessage *message);

/* A deep copy, for protobuf_c_message_free_unpacked(). NULL: no memory. */
void *message_dup(const ProtobufCMessage *message);

/* The driver has no more use for the executor. */
int core_leave(struct exec *x, struct exec_plan *plan);

/* ---- agent.c: Mesos' side ---- */

int agent_event(struct exec *x, const Mesos__V1__Executor__Event *event, struct exec_plan *plan);
/* TASK_RUNNING of tasks that have been at it for a while, updates that nobody acknowledged. */
int agent_tick(struct exec *x, struct exec_plan *plan);
uint64_t agent_due_ms(const struct exec *x);
/* Leases become usable. */
int agent_link_up(struct exec *x, struct exec_plan *plan);
/* The last update of a fine task, by its result. */
int agent_finish(struct exec *x, struct mtask *t, const Quern__TaskResult *result, struct exec_plan *plan);
/* The driver does not want a lease any more. */
int agent_end_lease(struct exec *x, const char *id, struct exec_plan *plan);
/* The end of leases that were to end, when what ran in them is gone. */
int agent_leases_left(struct exec *x, struct exec_plan *plan);
/* The end: every task that is not over gets TASK_KILLED. */
int agent_shutdown(struct exec *x, struct exec_plan *plan);
void agent_deinit(struct exec *x);

/* ---- attempt.c: what runs ---- */

/* A task to run, copied; `t` is its Mesos task or NULL. A name that is held already is ignored. */
int attempt_add(struct exec *x, const Quern__Task *task, struct mtask *t, struct exec_plan *plan);
/* There are fewer slots: as many workers fewer. */
int attempt_cool(struct exec *x, struct exec_plan *plan);
/* Asks for its end. */
int attempt_kill(struct exec *x, struct attempt *a, struct exec_plan *plan);
/* Those that waited for something may go on. */
int attempt_advance_all(struct exec *x, struct exec_plan *plan);
int attempt_advance(struct exec *x, struct attempt *a, struct exec_plan *plan);
/* Fills the slots of the leases from the queue, or, when there are fewer slots now, ends what is too much. */
int attempt_dispatch(struct exec *x, struct exec_plan *plan);
int attempt_result(struct exec *x, Quern__TaskResult *result, struct exec_plan *plan);
/* What those wait for that wait for broadcasts cannot be had: they fail. */
int attempt_starve(struct exec *x, const char *why, struct exec_plan *plan);
int attempt_unloadable(struct exec *x, const char *why, struct exec_plan *plan);
int attempt_tick(struct exec *x, struct exec_plan *plan);
uint64_t attempt_next_ms(const struct exec *x);
struct attempt *attempt_find(const struct exec *x, const struct exec_name *name);
/* The driver has the data of a result. */
int attempt_data_taken(struct exec *x, const struct exec_name *name, struct exec_plan *plan);
void attempt_deinit(struct exec *x);

/* ---- persist.c: persisted sets ---- */

/* What the attempt may begin with and is to keep: into `run`, for as long as it runs. 0 or -ENOMEM. */
int persist_begin(struct exec *x, struct attempt *a, struct exec_action *run);
/* Before the result goes on: it says then what the driver is to know. 0 or -ENOMEM. */
int persist_end(struct exec *x, struct attempt *a, Quern__TaskResult *result, struct exec_plan *plan);
/* A set is not wanted any more. */
int persist_drop(struct exec *x, uint32_t set, struct exec_plan *plan);
/* The driver has said how much room there is. */
int persist_setup(struct exec *x);
void persist_forget(struct attempt *a);
void persist_deinit(struct exec *x);

/* ---- broadcast.c ---- */

/* What there is; where to fetch one; what became of that (an error only if it is not here). 0 or -ENOMEM. */
int broadcast_table(struct exec *x, const Quern__Broadcasts *table, struct exec_plan *plan);
int broadcast_fetch(struct exec *x, const Quern__ToExecutor__Fetch *fetch, struct exec_plan *plan);
int broadcast_fetched(struct exec *x, uint32_t id, bool here, const char *error, struct exec_plan *plan);
/* Whether all that a task may need is here; what is missing is asked for. 0 or -ENOMEM. */
int broadcast_ready(struct exec *x, const Quern__Task *task, bool *ret_ready, struct exec_plan *plan);
int broadcast_link_up(struct exec *x, struct exec_plan *plan);
void broadcast_deinit(struct exec *x);

/* ---- driver.c: the link's side ---- */

int driver_setup(struct exec *x, const ProtobufCBinaryData *data, struct exec_plan *plan);
int driver_up(struct exec *x, struct exec_plan *plan);
int driver_down(struct exec *x, const char *why, struct exec_plan *plan);
int driver_message(struct exec *x, const Quern__ToExecutor *m, struct exec_plan *plan);
int driver_tick(struct exec *x, struct exec_plan *plan);
uint64_t driver_next_ms(const struct exec *x);
/* What the driver said about stage or shuffle; NULL: it was asked now, or before. -ENOMEM or 0. */
int driver_stage(struct exec *x, uint32_t id, const Quern__Stage **ret, struct exec_plan *plan);
int driver_outputs(struct exec *x, uint32_t shuffle, uint32_t version, const Quern__Outputs **ret,
	struct exec_plan *plan);
/* A result of an attempt that came over the link; taken. */
int driver_result(struct exec *x, Quern__TaskResult *result);
/* The data of a result, before its status update. */
int driver_data(struct exec *x, const Quern__TaskResult *result, struct exec_plan *plan);
/* The slots of a lease are there. The link is up. */
int driver_lease(char *id, struct exec_plan *plan);
int driver_flush(struct exec *x, struct exec_plan *plan);
/* Whether they should leave now. As long as more tasks wait here than there are results, the driver is in no
 * hurry for those, and they go in one frame. */
bool driver_flush_due(const struct exec *x);
void driver_deinit(struct exec *x);

#endif
