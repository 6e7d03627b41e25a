/* sched_place.h: where tasks would rather run, and how long they wait for it: sched_host.c, sched_prefer.c,
 * sched_wait.c. Not for others: sched.h is. */
#ifndef QUERN_SCHEDULER_SCHED_PLACE_H
#define QUERN_SCHEDULER_SCHED_PLACE_H

#include "scheduler/sched_parts.h"

/* A host name, once: in lower case, without a dot at its end. Agents have one, and so has data. */
struct host {
	char *name;
	uint32_t number; /* in sched.host_list */
	uint32_t agents; /* that were ever seen there */
	uint32_t usable; /* of them, those that may get tasks */
	bool given_up;   /* was waited for in vain: no agent was seen there */
	UT_hash_handle hh;
};

enum { PREFER_NOWHERE = UINT32_MAX };

/* That a task prefers a place. While it waits for it, it is in the place's list. Numbers, not pointers: there
 * are several for each task that waits. */
struct prefer {
	uint32_t task;       /* of the stage's tasks */
	uint32_t place;      /* of the stage's places */
	uint32_t prev, next; /* of place.first; `prev` of the first is the last */
};

/* Where some tasks of a stage would rather run: an executor, for it has their partition, or a host, for it
 * has their input. */
struct place {
	struct executor *executor; /* or NULL */
	struct host *host;         /* or NULL */
	const void *key;           /* whichever it is */
	bool lost;                 /* the executor has nothing of that any more */
	bool usable;               /* worth waiting for */
	uint32_t number;           /* of the stage's places */
	uint32_t first;            /* of the stage's prefers, PREFER_NOWHERE: none waits here */
	uint32_t n;
	UT_hash_handle hh;
};

/* ---- sched_host.c ---- */

/* The host of that name, made if it is not known. NULL: no memory. */
struct host *sched_host_get(struct sched *s, const char *name);
/* The agent may or may not be given tasks from now on: whoever waits for its host hears of it. */
void sched_host_refresh(struct sched *s, struct agent *a);
/* Agents of which time alone decides. */
void sched_hosts_look(struct sched *s);
/* The numbers of the hosts of the splits of a stage. `splits` are those of the run. 0 or -ENOMEM. */
int sched_hosts_of_splits(
	struct sched *s, struct stage *stage, const Quern__Split *const *splits, size_t n_splits);
void sched_hosts_deinit(struct sched *s);

/* ---- sched_prefer.c ---- */

/* What the tasks of the stage prefer, for the run that begins. 0 or -ENOMEM. */
int sched_prefer_make(struct sched *s, struct stage *stage);
/* Forgets all of that, and the hosts of the splits. */
void sched_prefer_free(struct stage *stage);
/* Whether a task that never ran has a place worth waiting for. */
bool sched_prefer_waits(const struct task *t);
/* A task that never ran begins to wait, or does no longer. */
void sched_prefer_enter(struct task *t);
void sched_prefer_leave(struct task *t);
/* A task that waits for the agent: for its executor, or else for its host; NULL: none. */
struct task *sched_prefer_pick(const struct stage *stage, const struct agent *agent);
/* How many do. */
uint32_t sched_prefer_count(const struct stage *stage, const struct agent *agent);
/* Whether the task prefers the agent's host, or its executor. */
bool sched_prefer_is_near(const struct task *t, const struct agent *agent);
/* Which of its places the executor is to a task. */
enum locality sched_prefer_where(const struct task *t, const struct executor *e);
/* The executor is gone. */
void sched_prefer_lost(struct sched *s, const struct executor *e);
/* host->usable became 0, or is not 0 any more. */
void sched_prefer_host(struct sched *s, const struct host *host);
/* The task has waited in vain for its hosts. */
void sched_prefer_give_up(const struct task *t);

/* ---- sched_wait.c ---- */

/* A run of the stage begins. */
void sched_wait_begin(struct sched *s, struct stage *stage);
/* Its tasks need not wait now. */
bool sched_wait_over(struct sched *s, struct stage *stage);
/* How much of the time is left, at least. */
uint64_t sched_wait_left_ms(struct sched *s, struct stage *stage);
/* Offers of the agent that have room for `n` tasks are passed over. */
void sched_wait_pass(struct sched *s, struct stage *stage, struct agent *agent, uint32_t n);
/* Slots for `n` tasks are held and passed over: all there are. */
void sched_wait_idle(struct sched *s, struct stage *stage, uint32_t n);
/* A slot was taken for a task of the stage: by its launch, or by a lease. */
void sched_wait_launched(struct sched *s, struct stage *stage);
/* At the end of a step, before it is decided about REVIVE. */
void sched_wait_settle(struct sched *s);

#endif
