/* master_state.h: what the master's core is made of. Private to master*.c.
 *
 * Nothing here fails one by one: where memory is missing, m->oom is set, and the step as a whole gives
 * -ENOMEM.
 *
 * A *framework* has a *member* for each of its roles; members are what offers are made to and what holds
 * resources. Every resource of an agent is free, or held by exactly one offer, task or executor. */
#ifndef QUERN_LOCAL_MASTER_STATE_H
#define QUERN_LOCAL_MASTER_STATE_H

#define HASH_NONFATAL_OOM 1 /* an element that could not be added has hh.tbl == NULL */
#include <uthash.h>
#include <utlist.h>

#include "base/random.h"
#include "local/master.h"
#include "local/master_resources.h"
#include "local/master_sorter.h"
#include "local/master_timer.h"
#include "local/master_wishes.h"

enum {
	UUID_TEXT = RANDOM_UUID_TEXT,
	TASK_STATES = 14,          /* numbers of mesos.v1.TaskState */
	CALL_TYPES = 18,           /* numbers of mesos.v1.scheduler.Call.Type */
	EVENT_TYPES = 11,          /* numbers of mesos.v1.scheduler.Event.Type */
	COMPLETED_MAX = 1000,      /* --max_completed_tasks_per_framework, and what is remembered of others */
	UNREACHABLE_MAX = 1000,    /* --max_unreachable_tasks_per_framework */
	MIN_ALLOCATABLE_CPUS = 10, /* --min_allocatable_resources, "cpus:0.01|mem:32", in thousandths */
	MIN_ALLOCATABLE_MEM = 32000,
};

#define OWNER_OF(pointer, type, field) ((type *)(void *)((char *)(pointer)-offsetof(type, field)))

struct role {
	UT_hash_handle hh;
	char *name;
	struct role_node *node; /* see master_role.c */
	struct share share;     /* in there */
	struct sorter members;
};

struct member {
	struct framework *framework;
	struct role *role;
	struct share share; /* among the frameworks of the role */
	bool subscribed;    /* else a role that the framework left, of which it still has something */
	bool suppressed;
	struct filter *filters;
};

struct offer {
	UT_hash_handle hh;
	char *id;
	struct member *member;
	struct agent *agent;
	struct offer *prev, *next; /* of the agent */
	struct resources *resources;
	struct timer timer;
};

/* What was refused is not offered to that member again while the filter stands, unless there is more. */
struct filter {
	struct filter *agent_prev, *agent_next, *prev, *next; /* of the agent, of the member */
	struct member *member;
	struct agent *agent;
	struct resources *resources;
	struct timer timer;
};

struct executor {
	struct executor *prev, *next; /* of the agent */
	struct member *member;
	char *id, *name;
	uint8_t *packed; /* its ExecutorInfo */
	size_t packed_len;
	struct resources *resources;
};

struct task {
	UT_hash_handle hh;        /* of the framework */
	struct task *prev, *next; /* of the agent */
	struct member *member;
	struct agent *agent; /* NULL: unreachable */
	char *id, *name, *executor_id;
	struct resources *resources;
	Mesos__V1__TaskState state; /* the latest; once it is terminal the resources are free */
	bool freed;
	bool killed; /* the framework asked for its end */
	bool seen;   /* scratch of a re-registration */
	bool said;   /* the framework was sent an update of an agent's: said_state, said_uuid */
	Mesos__V1__TaskState said_state;
	uint8_t said_uuid[16];
	Mesos__V1__ContainerStatus *container;
	bool has_healthy, healthy;
};

struct agent {
	UT_hash_handle hh, hh_link;
	Mesos__V1__AgentInfo *info; /* with its id */
	uint64_t link;
	bool linked;
	bool unreachable; /* is not there, but may come back; nothing is on it */
	bool plain;       /* none of `total` needs asking who wants it */
	uint64_t registered_ms, unreachable_ms;
	struct resources *total, *free;
	struct quantities quantities; /* of `total` */
	int64_t free_cpus, free_mem;  /* of `free`, in thousandths */
	struct executor *executors;
	struct task *tasks;
	struct offer *offers;
	struct filter *filters;
	struct timer timer; /* TIMER_AGENT_LOST or TIMER_AGENT_FORGET */
};

/* What is remembered of a task that ended. */
struct completed_task {
	struct completed_task *prev, *next;
	char *id, *name, *agent;
	Mesos__V1__TaskState state;
};

struct framework {
	UT_hash_handle hh, hh_conn;
	char *id;
	Mesos__V1__FrameworkInfo *info;                      /* with its id */
	Mesos__V1__Scheduler__OfferConstraints *constraints; /* or NULL */
	bool connected, multi_role, partition_aware, refined, revocable, shared;
	uint64_t conn;
	char stream_id[UUID_TEXT];
	VEC(struct member *) members;
	struct task *tasks, *unreachable;
	struct timer heartbeat, failover;
	uint64_t registered_ms, reregistered_ms;
	uint64_t calls[CALL_TYPES], events[EVENT_TYPES], ended[TASK_STATES];
	uint64_t offers_sent, offers_accepted, offers_declined, offers_rescinded;
	size_t n_offers;           /* outstanding */
	VEC(struct offer *) fresh; /* made in this allocation run, not yet sent */
	struct completed_task *completed;
	size_t n_completed;
};

/* A framework that is over: its id is dead. */
struct gone {
	UT_hash_handle hh;
	char *id, *name;
	uint64_t registered_ms, gone_ms;
};

/* Counters of /metrics/snapshot; their names are in master_metrics.c. */
enum counter {
	COUNT_ALLOCATION_RUNS,
	COUNT_KILL,
	COUNT_ACKNOWLEDGE,
	COUNT_REQUEST,
	COUNT_LAUNCH,
	COUNT_DECLINE,
	COUNT_REVIVE,
	COUNT_SUPPRESS,
	COUNT_RECONCILE,
	COUNT_TO_EXECUTOR,
	COUNT_TO_FRAMEWORK,
	COUNT_REGISTER_AGENT,
	COUNT_REREGISTER_AGENT,
	COUNT_UNREGISTER_AGENT,
	COUNT_UPDATE,
	COUNT_EXITED_EXECUTOR,
	COUNT_VALID_UPDATES,
	COUNT_INVALID_UPDATES,
	COUNT_VALID_ACKNOWLEDGEMENTS,
	COUNT_INVALID_ACKNOWLEDGEMENTS,
	COUNT_AGENT_REGISTRATIONS,
	COUNT_AGENT_REREGISTRATIONS,
	COUNT_AGENT_REMOVALS,
	COUNT_DROPPED,
	COUNTERS,
};

struct master {
	struct master_config config; /* strings are ours */
	uint64_t random;
	char id[UUID_TEXT];
	uint64_t now, started_ms;
	struct master_plan *plan; /* of this step */
	bool started, oom;
	struct timers timers;
	struct timer allocate;
	struct framework *frameworks, *conns;
	struct gone *gone;
	struct agent *agents, *links;
	struct offer *offers;
	struct role *roles;
	struct role_node *role_nodes; /* by what a name begins with: see master_role.c */
	struct sorter role_sorter;    /* of those that are in no other */
	struct quantities total;      /* of all agents that are registered */
	char *scalars[SCALARS_MAX];
	uint64_t next_framework, next_agent, next_offer;
	uint64_t count[COUNTERS], ended[TASK_STATES];
	VEC(struct agent *) candidates; /* scratch of an allocation run */
	VEC(struct share *) roles_in_turn, members_in_turn;
	VEC(struct framework *) offering; /* with fresh offers */
};

/* ---- master_plan.c: what a step wants done ---- */

void master_reply(struct master *m, uint64_t conn, int status, const char *text);
/* A stream is opened on `conn`. */
void master_open(struct master *m, uint64_t conn, const char *stream_id);
void master_close(struct master *m, uint64_t conn);
/* Of an agent without a link, or a framework that is not connected: nothing is sent. */
void master_to_agent(struct master *m, const struct agent *a, const Quern__Local__ToAgent *message);
void master_to_framework(struct master *m, struct framework *f, Mesos__V1__Scheduler__Event__Type type,
	Mesos__V1__Scheduler__Event *event);
void master_event(struct master *m, uint64_t conn, Mesos__V1__Scheduler__Event__Type type,
	Mesos__V1__Scheduler__Event *event);

/* A copy of a message; NULL: no memory. Its type is that of the argument. */
void *master_dup(struct master *m, const void *message);
uint8_t *master_pack(struct master *m, const void *message, size_t *ret_len);
char *master_strdup(struct master *m, const char *text);
void master_set_timer(struct master *m, struct timer *t, uint64_t at_ms);

/* ---- master_framework.c ---- */

struct framework *master_framework(const struct master *m, const char *id);
struct member *master_member(const struct framework *f, const char *role);
void master_subscribe(struct master *m, uint64_t conn, const Mesos__V1__Scheduler__Call__Subscribe *s);
/* 0, or -EINVAL with a sentence. */
int master_update_framework(struct master *m, struct framework *f,
	const Mesos__V1__Scheduler__Call__UpdateFramework *u, struct err *err);
/* A framework that an agent knows and this master does not, not connected. NULL: no memory. */
struct framework *master_recover_framework(struct master *m, const Mesos__V1__FrameworkInfo *info);
/* The member of a role, made if need be. NULL: no memory. */
struct member *master_need_member(struct master *m, struct framework *f, const char *role);
void master_disconnected(struct master *m, uint64_t conn);
void master_heartbeat(struct master *m, struct framework *f);
/* It is over: agents are told, everything it had is free. */
void master_remove_framework(struct master *m, struct framework *f);
void master_free_framework(struct master *m, struct framework *f);

/* ---- master_framework_check.c ---- */

/* 0, or -EINVAL with Mesos' sentence. */
int master_check_framework(const Mesos__V1__FrameworkInfo *info, struct err *err);
int master_check_suppressed(
	const Mesos__V1__FrameworkInfo *info, char *const *roles, size_t n, struct err *err);
int master_check_id(const char *id, struct err *err);
bool master_has_capability(
	const Mesos__V1__FrameworkInfo *info, Mesos__V1__FrameworkInfo__Capability__Type capability);
/* The roles of a framework: `roles`, or the one `role`. */
size_t master_roles_of(const Mesos__V1__FrameworkInfo *info, char *const **ret);

/* ---- master_role.c ---- */

struct role *master_need_role(struct master *m, const char *name);
/* A role without members is gone. */
void master_tidy_role(struct master *m, struct role *role);
/* It has so much more, or less. */
void master_role_allocated(struct master *m, struct role *role, const struct quantities *q);
void master_role_unallocated(struct master *m, struct role *role, const struct quantities *q);
/* Every share is a part of the total. */
void master_role_total_changed(struct master *m);
/* Fills m->roles_in_turn with the shares of all roles, in order. How many. */
size_t master_roles_in_turn(struct master *m);

/* ---- master_allocator.c ---- */

/* Whether a member is offered anything. */
void master_set_active(struct member *member, bool active);
/* An agent comes or goes. */
void master_add_total(struct master *m, struct agent *a);
void master_remove_total(struct master *m, const struct agent *a);
void master_allocate(struct master *m, struct agent *only); /* NULL: all */
/* `r` of `a` is held by `member`; `r` of `a` is free. */
void master_take(struct master *m, struct agent *a, struct member *member, const struct resources *r);
void master_give_back(struct master *m, struct agent *a, struct member *member, const struct resources *r);

/* ---- master_filter.c ---- */

/* Refuses `r` in the name of `member`, for as long as the filters of a call say (NULL: the default). */
void master_filter(struct master *m, struct agent *a, struct member *member, const struct resources *r,
	const Mesos__V1__Filters *filters);
bool master_filtered(const struct agent *a, const struct member *member, const struct resources *r);
void master_free_filter(struct master *m, struct filter *f);
void master_clear_filters(struct master *m, struct member *member);

/* ---- master_offer.c ---- */

struct offer *master_offer(const struct master *m, const char *id);
/* Makes an offer of `r` (taken, also on failure), which master_take() has accounted for already. */
void master_make_offer(struct master *m, struct agent *a, struct member *member, struct resources *r);
/* Sends those that are fresh. */
void master_send_offers(struct master *m);
/* The offer is over; its resources stay held: the caller decides about them. */
void master_free_offer(struct master *m, struct offer *o);
/* The offer is over and its resources are free. `filters`: NULL = refuse nothing. */
void master_discard_offer(struct master *m, struct offer *o, const Mesos__V1__Filters *filters, bool filter);
/* Likewise, and the framework hears of it. */
void master_rescind_offer(struct master *m, struct offer *o);
void master_decline(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Decline *decline);

/* ---- master_accept.c, master_task_check.c ---- */

void master_accept(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Accept *accept);

struct launch {
	struct member *member;
	struct agent *agent;
	struct resources *offered; /* what is left of the offers */
};

/* Whether a task may be launched from `offered`. 0 and its resources in *ret_task, *ret_executor (those that
 * it takes for a new executor; NULL: it has none, or one that runs); -EINVAL with Mesos' sentence; -ENOMEM.
 */
int master_check_task(struct master *m, const struct launch *l, const Mesos__V1__TaskInfo *task,
	struct resources **ret_task, struct resources **ret_executor, struct err *err);

/* ---- master_task.c ---- */

bool master_terminal(Mesos__V1__TaskState state);
struct task *master_task(const struct framework *f, const char *id);
/* A task that runs, or is to run, on `a`. Takes `resources`, which master_take() has accounted for already.
 */
struct task *master_new_task(struct master *m, struct member *member, struct agent *a,
	const Mesos__V1__TaskInfo *info, struct resources *resources);
void master_free_task(struct master *m, struct task *t);
/* The latest state. A terminal one frees the resources, and so does being unreachable. */
void master_task_state(struct master *m, struct task *t, Mesos__V1__TaskState state);
/* The task is over: forgotten but for its name. */
void master_complete_task(struct master *m, struct task *t);
/* It goes with its agent, and may come back with it. */
void master_lose_task(struct master *m, struct task *t);

/* The master's own word on a task, without a uuid. */
struct word {
	const char *task, *agent, *executor; /* agent, executor: or NULL */
	Mesos__V1__TaskState state;
	Mesos__V1__TaskStatus__Reason reason;
	const char *message;
	Mesos__V1__ContainerStatus *container; /* or NULL */
	bool has_healthy, healthy;
	uint64_t unreachable_ms; /* or 0 */
};
void master_say(struct master *m, struct framework *f, const struct word *w);
void master_update(struct master *m, struct agent *a, const Quern__Local__ToMaster__Update *update);
void master_acknowledge(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Acknowledge *ack);
void master_kill(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Kill *kill);

/* ---- master_reconcile.c ---- */

void master_reconcile(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Reconcile *reconcile);

/* ---- master_agent.c, master_register.c ---- */

struct agent *master_agent(const struct master *m, const char *id);
/* An agent that is registered: not one that is unreachable. */
struct agent *master_registered_agent(const struct master *m, const char *id);
struct executor *master_executor(const struct agent *a, const struct framework *f, const char *id);
/* What the master keeps of an ExecutorInfo of `role`, to compare. NULL: no memory. */
uint8_t *master_pack_executor(
	struct master *m, const Mesos__V1__ExecutorInfo *info, const char *role, size_t *ret_len);
/* Takes `resources`, which master_take() has accounted for already. */
struct executor *master_new_executor(struct master *m, struct agent *a, struct member *member,
	const Mesos__V1__ExecutorInfo *info, struct resources *resources);
/* `give_back`: its resources are free. */
void master_free_executor(struct master *m, struct agent *a, struct executor *e, bool give_back);
void master_agent_message(struct master *m, uint64_t link, const Quern__Local__ToMaster *message);
void master_agent_down(struct master *m, uint64_t link);
void master_agent_unreachable(struct master *m, struct agent *a);
/* It is gone for good: `why`, in Mesos' words. */
void master_remove_agent(struct master *m, struct agent *a, const char *why);
void master_free_agent(struct master *m, struct agent *a);
void master_register(struct master *m, uint64_t link, const Quern__Local__ToMaster__Register *message);

/* ---- master_call.c ---- */

void master_call(
	struct master *m, uint64_t conn, const char *stream_id, const Mesos__V1__Scheduler__Call *call);

#endif
