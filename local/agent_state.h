/* agent_state.h: what the agent's core is made of. Private to agent*.c.
 *
 * Nothing here fails one by one: where memory is missing, a->oom is set, and the step as a whole gives
 * -ENOMEM. */
#ifndef QUERN_LOCAL_AGENT_STATE_H
#define QUERN_LOCAL_AGENT_STATE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/random.h"
#include "base/vec.h"
#include "local/agent.h"

enum {
	UUID_SIZE = RANDOM_UUID,
	UUID_TEXT = RANDOM_UUID_TEXT,
	HEARTBEAT_MS = 30 * 60 * 1000, /* DEFAULT_EXECUTOR_HEARTBEAT_INTERVAL of src/slave/constants.hpp */
};

struct uuid {
	uint8_t bytes[UUID_SIZE];
};

/* A status update that the framework has not acknowledged. */
struct update {
	struct update *next;
	Mesos__V1__TaskStatus *status; /* with a uuid */
};

struct task {
	UT_hash_handle hh;
	struct executor *executor;
	Mesos__V1__TaskInfo *info;
	Mesos__V1__TaskState state;   /* the latest that the agent knows */
	bool delivered;               /* the executor was given it */
	struct update *first, **last; /* only the first is on its way */
	VEC(struct uuid) seen;        /* of all its updates, acknowledged ones too */
	uint64_t retry_ms, retry_at;  /* of the first; UINT64_MAX: none is */
};

enum executor_state {
	EXECUTOR_REGISTERING, /* its container starts, it has not subscribed */
	EXECUTOR_RUNNING,
	EXECUTOR_TERMINATING, /* asked to go, or being killed */
	EXECUTOR_TERMINATED,  /* gone; its last updates are on their way */
};

struct executor {
	struct executor *next;
	struct framework *framework;
	Mesos__V1__ExecutorInfo *info;
	char container[UUID_TEXT];
	char *path; /* of its sandbox */
	enum executor_state state;
	bool subscribed; /* there is a stream: conn */
	uint64_t conn;
	uint64_t deadline;     /* to have subscribed, or to be gone; UINT64_MAX: none */
	uint64_t heartbeat_at; /* of a subscribed one */
	bool timed_out;        /* it did not subscribe in time */
	bool had_tasks;        /* it was given one */
	struct task *tasks;
};

struct framework {
	struct framework *next;
	Mesos__V1__FrameworkInfo *info; /* with its id */
	bool removed;                   /* by the master: nobody wants updates any more */
	struct executor *executors;
};

struct agent {
	struct agent_config config; /* strings are ours */
	uint64_t random;
	Mesos__V1__AgentInfo *info; /* the id: once the master gave one */
	bool linked, stopping, stopped, oom;
	uint64_t now;
	struct agent_plan *plan; /* of this step */
	struct framework *frameworks;
};

/* ---- agent_plan.c: what a step wants done ---- */

/* A new action, never NULL. */
struct agent_action *agent_do(struct agent *a, enum agent_action_kind kind);
void agent_reply(struct agent *a, uint64_t conn, int status, const char *text);
void agent_to_master(struct agent *a, const Quern__Local__ToMaster *m);
void agent_to_executor(struct agent *a, const struct executor *e, Mesos__V1__Executor__Event__Type type,
	Mesos__V1__Executor__Event *m);

/* A copy of a message, NULL without memory. Its type is that of the argument. */
void *agent_dup(struct agent *a, const void *message);
char *agent_strdup(struct agent *a, const char *text);

/* ---- agent_executor.c ---- */

struct framework *agent_framework(const struct agent *a, const char *id);
struct executor *agent_executor(const struct framework *f, const char *id);
struct executor *agent_container(const struct agent *a, const char *id);

/* Starts one. NULL: no memory. */
struct executor *executor_launch(struct agent *a, struct framework *f, const Mesos__V1__ExecutorInfo *info);
/* Asks it to go, or kills it if it cannot be asked. Nothing, if it is going already. */
void executor_shutdown(struct agent *a, struct executor *e);
void executor_kill(struct agent *a, struct executor *e);
/* Its container is gone; `why`: it never ran. */
void executor_ended(struct agent *a, struct executor *e, int status, const char *why);
/* Forgets what is over: executors without a process and without tasks, frameworks without executors. */
void agent_tidy(struct agent *a);
void framework_free(struct framework *f);

/* ---- agent_task.c ---- */

struct task *executor_task(const struct executor *e, const char *id);
void task_add(struct agent *a, struct executor *e, const Mesos__V1__TaskInfo *info);
/* Gives it to its executor, if that listens. */
void task_deliver(struct agent *a, struct task *t);
bool task_terminal(Mesos__V1__TaskState state);
/* The state of a task that never came to run, as its framework understands it. */
Mesos__V1__TaskState task_dropped(const struct framework *f);
/* Queues an update of the executor's (copied), or one of the agent's own. */
void task_update(struct agent *a, struct task *t, const Mesos__V1__TaskStatus *status);
void task_end(struct agent *a, struct task *t, Mesos__V1__TaskState state,
	Mesos__V1__TaskStatus__Reason reason, const char *message);
/* Whether this update was queued before, be it acknowledged by now or not. */
bool task_has_update(const struct task *t, const ProtobufCBinaryData *uuid);
/* The framework has it: the next one leaves. The task is gone after its last. */
void task_acknowledged(struct agent *a, struct task *t, const ProtobufCBinaryData *uuid);
/* Sends the first update (again), later than the last time. */
void task_send(struct agent *a, struct task *t);
/* Sends it as if for the first time: there is a master again. */
void task_resend(struct agent *a, struct task *t);
void task_free(struct task *t);

/* ---- agent_call.c, agent_master.c ---- */

void agent_call(struct agent *a, uint64_t conn, const Mesos__V1__Executor__Call *call);
void agent_message(struct agent *a, const Quern__Local__ToAgent *m);
void agent_register(struct agent *a);

#endif
