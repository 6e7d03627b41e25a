/* master_state.h: what the master's core is made of. Private to master*.c.
 *
 * Nothing here fails one by one: where memory is missing, m->oom is set, and the step as a whole gives
 * -ENOMEM.
 *
 * Names: a *framework* has a *membership* for each of its roles; memberships are what offers are made to. */
#ifndef QUERN_LOCAL_MASTER_STATE_H
#define QUERN_LOCAL_MASTER_STATE_H

#include <uthash.h>

#include "local/master.h"
#include "local/master_resources.h"
#include "local/master_sorter.h"
#include "local/master_timer.h"

enum { MASTER_UUID_TEXT = 37, TASK_STATES = 14 /* of enum TaskState */ };

struct agent;
struct framework;

struct role {
	UT_hash_handle hh;
	char *name;
	struct share share; /* among roles */
	struct sorter members;
	unsigned n_members;
};

struct membership {
	struct framework *framework;
	struct role *role;
	struct share share; /* among the frameworks of the role */
	bool suppressed;
};

struct offer {
	UT_hash_handle hh;
	char *id;
	struct membership *member;
	struct agent *agent;
	struct offer *next, **back; /* of the agent */
	struct resources *resources;
	struct timer timer;
};

/* What was declined is not offered to that membership again while the filter stands, unless there is more. */
struct filter {
	struct filter *next, **back; /* of the agent */
	struct membership *member;
	struct agent *agent;
	struct resources *resources;
	struct timer timer;
};

struct executor {
	struct executor *next; /* of the agent */
	struct membership *member;
	Mesos__V1__ExecutorInfo *info;
	struct resources *resources;
};

struct task {
	UT_hash_handle hh;         /* of the framework */
	struct task *next, **back; /* of the agent */
	struct membership *member;
	struct agent *agent;
	Mesos__V1__TaskInfo *info;
	struct resources *resources;
	Mesos__V1__TaskState state; /* the latest; once it is terminal the resources are free */
	bool freed;
	Mesos__V1__TaskStatus *said; /* the last update that the framework was sent; NULL: none */
};

struct agent {
	UT_hash_handle hh; /* by id */
	UT_hash_handle hh_link;
	Mesos__V1__AgentInfo *info; /* with its id */
	uint64_t link;
	bool linked, unreachable;
	struct resources *total, *free;
	int64_t free_cpus, free_mem; /* of `free`, in thousandths */
	struct executor *executors;
	struct task *tasks;
	struct offer *offers;
	struct filter *filters;
	struct timer timer; /* TIMER_AGENT_LOST or TIMER_AGENT_FORGET */
};

struct framework {
	UT_hash_handle hh;
	char *id;
	Mesos__V1__FrameworkInfo *info; /* with its id */
	bool connected, partition_aware, refined, revocable, shared;
	uint64_t conn;
	char stream_id[MASTER_UUID_TEXT];
	struct membership **members;
	size_t n_members;
	struct task *tasks;
	struct timer heartbeat, failover;
	uint64_t registered_ms;
	uint64_t calls, revives, suppresses, declines, accepts, offers_sent, offers_accepted, offers_declined,
		offers_rescinded, events;
	VEC(Mesos__V1__Offer *) pending; /* to go out together, of this allocation run */
};

/* A framework that is over: its id is dead. */
struct gone {
	UT_hash_handle hh;
	char id[];
};

/* For a person: the last tasks that ended. */
struct history {
	struct history *next;
	char *task, *framework;
	Mesos__V1__TaskState state;
};

struct master {
	struct master_config config; /* strings are ours */
	uint64_t random;
	char id[MASTER_UUID_TEXT];
	uint64_t now;
	struct master_plan *plan; /* of this step */
	bool oom, allocating;
	struct timers timers;
	struct timer allocate;
	struct framework *frameworks;
	struct gone *gone;
	struct agent *agents, *links;
	struct offer *offers;
	struct role *roles;
	struct sorter role_sorter;
	struct quantities total; /* of all agents that are there */
	char *scalars[SCALARS_MAX];
	uint64_t next_framework, next_agent, next_offer;
	uint64_t allocation_runs, tasks_ended[TASK_STATES], messages, invalid_calls;
	struct history *history, **history_last;
	size_t n_history;
};

/* ---- master_plan.c ---- */

struct master_action *master_do(struct master *m, enum master_action_kind kind);
void master_reply(struct master *m, uint64_t conn, int status, const char *text);
/* Of a framework that is not connected, or an agent without a link: nothing is sent. */
void master_to_agent(struct master *m, const struct agent *a, const Quern__Local__ToAgent *message);
void master_to_framework(struct master *m, struct framework *f, Mesos__V1__Scheduler__Event__Type type,
	Mesos__V1__Scheduler__Event *event);
void *master_dup(struct master *m, const void *message);
char *master_strdup(struct master *m, const char *text);
char *master_format(struct master *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
void master_uuid(struct master *m, char ret[MASTER_UUID_TEXT]);
void master_set_timer(struct master *m, struct timer *t, uint64_t at_ms);
/* Resources of a message; NULL without memory or sense, then err says which. */
struct resources *master_read(
	struct master *m, Mesos__V1__Resource *const *pieces, size_t n, struct err *err);
void master_add(struct master *m, struct resources *into, const struct resources *what);
void master_subtract(struct master *m, struct resources *from, const struct resources *what);

/* ---- master_framework.c ---- */

struct framework *master_framework(const struct master *m, const char *id);
struct membership *master_member(const struct framework *f, const char *role);
struct membership *master_need_member(
	struct master *m, struct framework *f, const char *role); /* made if need be */
void master_subscribe(struct master *m, uint64_t conn, const Mesos__V1__Scheduler__Call__Subscribe *s);
/* A framework that an agent knows and this master does not: it may come back. NULL: it may not. */
struct framework *master_recover(struct master *m, const Mesos__V1__FrameworkInfo *info);
void master_closed(struct master *m, uint64_t conn);
void master_heartbeat(struct master *m, struct framework *f);
/* It is over: agents are told, everything it had is free. */
void master_remove_framework(struct master *m, struct framework *f);
void master_free_framework(struct master *m, struct framework *f);

/* ---- master_allocator.c ---- */

struct role *master_role(struct master *m, const char *name); /* made if need be */
void master_role_leave(struct master *m, struct role *role);
void master_quantities(struct master *m, const struct resources *r, struct quantities *ret);
void master_allocate(struct master *m, struct agent *only); /* NULL: all */
/* `r` of `a` is used by `member`, or not any more. */
void master_take(struct master *m, struct agent *a, struct membership *member, const struct resources *r);
void master_give_back(
	struct master *m, struct agent *a, struct membership *member, const struct resources *r);
void master_count_free(struct agent *a);
/* Refuses `r` for a while, in the name of `member`. */
void master_filter(struct master *m, struct agent *a, struct membership *member, const struct resources *r,
	double seconds);
void master_free_filter(struct master *m, struct filter *f);
/* Takes the filters of a membership down. */
void master_clear_filters(struct master *m, const struct membership *member);

/* ---- master_offer.c ---- */

struct offer *master_offer(const struct master *m, const char *id);
/* Offers `r` (taken). Sent by master_send_offers(). */
void master_make_offer(struct master *m, struct agent *a, struct membership *member, struct resources *r);
void master_send_offers(struct master *m);
/* Ends an offer: it is nobody's from here on. Its resources stay taken. */
void master_free_offer(struct master *m, struct offer *o);
/* Takes it back. `say`: the framework hears of it. */
void master_rescind(struct master *m, struct offer *o, bool say);
void master_accept(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Accept *accept);
void master_decline(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Decline *decline);

/* ---- master_task.c ---- */

bool master_terminal(Mesos__V1__TaskState state);
struct task *master_task(const struct framework *f, const char *id);
/* A task that runs, or is to run, on `a`; takes `resources`. */
struct task *master_add_task(struct master *m, struct membership *member, struct agent *a,
	const Mesos__V1__TaskInfo *info, struct resources *resources);
void master_free_task(struct master *m, struct task *t);
/* Its resources are free, whatever it says later. */
void master_release_task(struct master *m, struct task *t);
/* The master's own word on a task, without a uuid. */
void master_say(struct master *m, struct framework *f, const char *task, const struct agent *a,
	const char *executor, Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason,
	const char *message);
void master_update(struct master *m, struct agent *a, const Quern__Local__ToMaster__Update *update);
void master_acknowledge(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Acknowledge *ack);
void master_reconcile(
	struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Reconcile *reconcile);
void master_kill(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Kill *kill);

/* ---- master_agent.c ---- */

struct agent *master_agent(const struct master *m, const char *id);
struct executor *master_executor(const struct agent *a, const struct framework *f, const char *id);
struct executor *master_add_executor(struct master *m, struct agent *a, struct membership *member,
	const Mesos__V1__ExecutorInfo *info, struct resources *resources);
void master_free_executor(struct master *m, struct agent *a, struct executor *e);
void master_agent_message(struct master *m, uint64_t link, const Quern__Local__ToMaster *message);
void master_agent_down(struct master *m, uint64_t link);
void master_agent_unreachable(struct master *m, struct agent *a);
void master_free_agent(struct master *m, struct agent *a);

/* ---- master_call.c ---- */

void master_call(
	struct master *m, uint64_t conn, const char *stream_id, const Mesos__V1__Scheduler__Call *call);

#endif
