/* sched_state.h: what the files of the core share (sched.c, sched_*.c). Not for others: sched.h is.
 *
 * Who knows whom: an *agent* has at most one *executor* that is not gone; an executor has *holds* (Mesos
 * tasks: leases, or one per task) and *attempts* (tries of the job's tasks); a *run* has *stages*; a stage
 * has *tasks*; a task has at most one attempt under way. A stage that writes a *shuffle* belongs to it and
 * outlives the run, so that what is written is not written again; the last stage of a run goes with the run.
 */
#ifndef QUERN_SCHEDULER_SCHED_STATE_H
#define QUERN_SCHEDULER_SCHED_STATE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/vec.h"
#include "job/tally.h"
#include "job/stage.h"
#include "mesos/resources.h"
#include "scheduler/constraints.h"
#include "mesos/roles.h"
#include "scheduler/sched.h"
#include "scheduler/sched_reason.h"

enum {
	UNWANTED_S = 3600, /* refuse_seconds of what nobody wants: REVIVE takes it back, and so does a slot
			      that is freed, for then there is more than was refused */
	TOO_SMALL_S = 5,   /* of what is too small for a task, while some are wanted */
	LINK_FIRST_MS = 180000,   /* an executor that has not connected by then never will: the agent's own
				     patience is 60 s (src/slave/constants.hpp) */
	LINK_AGAIN_MS = 20000,    /* nor one that lost its link: it ends itself after 15 s */
	RESEND_MS = 1000,         /* after a new link, results that the old one lost arrive first */
	OWN_END_MS = 2000,        /* for the master to learn of the end of the driver's own task */
	LOOK_MS = 30000,          /* between two looks at holds that nothing was heard of */
	RECONCILE_MS = 900000,    /* between two reconciliations of everything */
	LATER_MS = 5000,          /* slots wait no longer for an executor to start */
	AVOID_MS = 3000,          /* a failed task waits so long for another agent than those it failed on */
	AVOID_MAX = 4,            /* agents that it remembers */
	RECENT_MS = 60000,        /* an agent that made offers within is one to hope for */
	TIMEOUT_GRACE_MS = 10000, /* executors end what takes too long; after that we do */
	LOSSES = 4,               /* times task_max_failures: executors that may die under a task */
	FETCHES_FREE = 8,         /* reports of a map's outputs that do not count */
	STALE_FETCHES_FREE = 100, /* fetch failures of a task, of outputs that were known to be lost */
	START_FAILURES_MAX = 8,   /* executors that die one after another before any has connected */
	RETRY_LOOK = 64,          /* tasks of the retry queue that are looked at for one slot */
	PREFER_MAX = 3,           /* executors that a task prefers */
	HOSTS_MAX = 8,            /* hosts that it does */
	REVIVE_PER_AGENT_MS = 5,  /* a token of the bucket comes back after so much for each agent ... */
	REVIVE_TOKEN_MAX_MS = 5000, /* ... and at last after so much */
	SOON_MS = 100,              /* a REVIVE is soon that waits no longer than so after the last one */
	UNSUPPRESS_MS = 1000, /* a REVIVE that un-suppresses waits no longer than so after the last one */
	UNKNOWN_MS = 60000, /* a task that the master does not know, but whose executor is there, may last so
			       long */
	OUTPUTS_KNOWN = 8,  /* tables of outputs that an executor is remembered to have; it has more */
	ID_MAX = 64
};

/* ---- Agents, executors, holds ---- */

/* What there is for tasks somewhere. */
struct room {
	uint32_t slots;                /* UINT32_MAX: not counted in slots, or without a limit */
	int64_t cpus_milli, mem_milli; /* thousandths of cores and of MB; INT64_MAX: all in slots */
};

struct agent {
	char *id, *hostname;
	uint32_t number, generation;          /* of its executors */
	struct executor *executor;            /* not gone; or NULL */
	VEC(const Mesos__V1__Offer *) offers; /* of the event that is being handled */
	uint32_t failures;
	uint64_t failed_ms, excluded_until_ms;
	uint64_t offered_ms;
	bool expected;    /* a master that leads anew may not have heard of it yet, see sched_goodbye.c */
	struct room seen; /* the most that its offers and our holds there had together */
	bool lost;
	bool draining;          /* is to be left now, see sched_drain.c ... */
	bool ordered;           /* ... as an operator ends its tasks */
	bool asked;             /* an inverse offer asked for what we have there */
	uint64_t asked_ms;      /* when one was answered last; 0: not by this subscription */
	int64_t leaves_ns;      /* its maintenance begins, as it was told ... */
	uint64_t leaves_ms;     /* ... and in the core's time; UINT64_MAX: none is known */
	uint64_t gone_ms;       /* while draining: our executor goes at the latest */
	struct verdict verdict; /* of its last offers */
	struct host *host;
	bool usable;           /* counted in host->usable */
	bool is_left_out;      /* counted in sched.left_out_agents */
	VEC(uint64_t) freed;   /* when its last attempts ended, see sched_ledger.c */
	uint64_t passed_round; /* in which it was last passed over, see sched_wait.c ... */
	uint32_t passed;       /* ... with room for so many tasks */
	UT_hash_handle hh;
};

enum executor_state {
	EXECUTOR_STARTING, /* a launch with it was sent; whether Mesos took it is not known */
	EXECUTOR_UP,       /* it runs */
	EXECUTOR_GONE,     /* kept, for map outputs may have been on it */
};

/* A table of outputs that an executor was sent. */
struct known_outputs {
	uint32_t shuffle, version;
};

struct executor {
	char *id;
	struct agent *agent;
	Mesos__V1__ExecutorInfo *info; /* NULL when gone */
	enum executor_state state;
	bool leaving;  /* it is GONE, and SHUTDOWN was asked for */
	bool doubtful; /* it has failed, and whether by its own doing is not known: gets nothing more */
	bool ending; /* it ends tasks that nobody asked it to: its agent takes a lease away. Gets nothing more
		      * until Mesos says which */
	bool revocable_cpus, revocable_mem; /* its sort, see sched_room.c */
	bool losing;                        /* what it has: none of that begins any more */
	bool linked;                        /* and of use */
	bool wire;                          /* its connection is up, of use or not */
	bool hello;
	char *address, *directory, *machine; /* of its shuffle server */
	uint32_t port;
	uint64_t due_ms;    /* without a link until then it is given up; UINT64_MAX: linked */
	uint64_t resend_ms; /* its tasks are sent again; UINT64_MAX: not needed */
	struct hold *holds;
	struct attempt *attempts;
	struct task *outputs;        /* map outputs on it */
	struct cached_at *cached;    /* partitions of persisted sets on it, see sched_cache.c */
	uint32_t slots;              /* of its leases that run, and are not on their way back */
	uint32_t going;              /* of them, those that go back when they are between two tasks */
	uint32_t later, later_near;  /* slots that wait for it to start, see sched_lease.c; of them, those for
				      * tasks that have their data there */
	uint64_t later_ms;           /* they do so no longer than until then */
	VEC(uint64_t) idle_since;    /* of its free slots, see sched_lease.c */
	uint32_t load;               /* slots of attempts over the link */
	uint32_t ahead;              /* of them, those of attempts that wait there for a slot */
	uint64_t heard_ms;           /* when it last had a result, or was given something */
	VEC(struct attempt *) batch; /* given to it in this step, not sent yet */
	uint32_t free_slots;         /* that it has for tasks */
	bool idle;                   /* it has some: in sched.idle, or ... */
	bool asked;                  /* ... in sched.asked */
	struct executor *prev, *next; /* there */
	bool is_behind;               /* in sched.behind */
	struct executor *behind_prev, *behind_next;
	bool knows_stage; /* what was sent last: */
	uint32_t stage, revision;
	uint32_t broadcasts_version; /* of the table that was sent on this link; 0: none */
	uint32_t hdfs_version;       /* of what was sent, see sched_hdfs.c; 0: none */
	struct known_outputs outputs_sent[OUTPUTS_KNOWN]; /* the last few tables */
	uint32_t n_outputs_sent, next_outputs_sent;
	uint32_t fetches;     /* reports of outputs on it that could not be had */
	uint32_t host, stamp; /* place in the table of outputs that is being made */
	UT_hash_handle hh;
};

/* Where a lease is on its way back: see sched_lease.c. */
enum lease_way {
	LEASE_NONE,  /* not RUNNING yet; or no lease; or of a mode that gives none back */
	LEASE_KEPT,  /* until it is too old, or idle */
	LEASE_GOING, /* in sched.going: it is too old, and gets no more tasks */
	LEASE_ENDED, /* its executor was asked to end it: its slots are not used any more, but still held */
};

struct hold {
	char *id;
	struct executor *executor;
	const char *role; /* of sched.roles: that its resources are allocated to */
	uint32_t slots;
	uint32_t cpus_milli, mem_mb;
	bool lease;
	bool near;               /* a lease that was taken for a task with its data there */
	bool running;            /* Mesos says so, or its executor */
	bool kill;               /* asked for */
	bool seen;               /* there was news of it on this subscription */
	uint64_t unknown_ms;     /* when the master first did not know it; 0: it does */
	uint64_t since_ms;       /* of a lease: it is RUNNING */
	struct attempt *attempt; /* of one that is not a lease, until its result is in */
	enum lease_way way;
	enum sched_return why;                /* of a lease: for what its end was asked for */
	struct hold *prev, *next;             /* of executor.holds */
	struct hold *going_prev, *going_next; /* of sched.going */
	UT_hash_handle hh;
};

/* ---- Runs, stages, tasks, attempts ---- */

/* No padding: a key. */
struct attempt_name {
	uint32_t stage, partition, attempt;
};

struct attempt {
	struct attempt_name name;
	struct task *task; /* NULL: its run is over */
	struct executor *executor;
	struct hold *hold; /* NULL: over the link, or it has ended */
	uint64_t deadline_ms;
	uint32_t slots;      /* that it takes */
	uint32_t cpus_milli; /* cores of it */
	uint64_t given_ms;   /* when it was made */
	uint64_t begun_ms;   /* not ahead: since when */
	bool over_link;
	bool ahead;                  /* waits there for a slot, see sched_ahead.c */
	bool kill;                   /* asked for */
	bool late;                   /* for it took too long */
	struct attempt *prev, *next; /* of executor.attempts */
	UT_hash_handle hh;
};

enum task_state { TASK_PENDING, TASK_RUNNING, TASK_COMMITTING, TASK_DONE };

/* Where a pending task waits: it ran before; it never did; it never did and waits for a place that it
 * prefers. */
enum task_queue { QUEUE_RETRY, QUEUE_FRESH, QUEUE_CHOOSY };

/* Of a task: where its partition is, where its input is, neither of them, or there was nothing to prefer. */
enum locality { LOCALITY_CACHED, LOCALITY_HOST, LOCALITY_ELSEWHERE, LOCALITY_ANY };

/* How long the tasks of a stage still wait for their places: see sched_wait.c. */
struct wait {
	uint64_t since_ms;     /* what follows is so since then */
	uint64_t lost_us;      /* of the time that may be lost */
	uint32_t part, whole;  /* of the time that passes so much is lost */
	uint32_t passed, idle; /* slots that were passed over and not made good; that are held and idle */
	uint32_t behind; /* tasks that could be running, but for that: as many as those, of the choosy */
	uint32_t widest; /* the most that ran or could have run */
	uint64_t round;  /* a new one whenever it is not behind any more */
};

/* Which tasks a slot gets: those that are tried again, then those that prefer to be there, then others. */
enum pick { PICK_RETRY, PICK_NEAR, PICK_ANY };

struct avoid {
	uint64_t until_ms;
	uint32_t n;
	const struct agent *at[AVOID_MAX];
};

/* There may be a million of them. */
struct task {
	struct stage *stage;
	uint32_t partition, next_attempt;
	uint32_t failures, losses, fetches, stale_fetches;
	uint32_t prefer;            /* the first of what it prefers, of the stage's */
	uint8_t n_prefer, n_owners; /* of them; the first few are executors */
	uint8_t locality;           /* enum locality: where the last attempt was */
	uint8_t state;              /* enum task_state */
	uint8_t queue;              /* enum task_queue, while pending */
	bool counted;               /* its tally */
	bool waits;                 /* for a slot ... */
	uint32_t queued_ms;         /* ... since then (modulo 2^32), or since its stage is ready */
	struct attempt *attempt;    /* under way */
	struct avoid *avoid;        /* agents that it failed on; NULL: none */
	union {
		struct {
			struct task *prev, *next; /* of a queue, while pending */
		};
		struct {
			struct task *out_prev, *out_next; /* of host->outputs, while TASK_DONE */
		};
	};

	/* Of a map: where its output is, or was. */
	struct executor *host; /* NULL: there never was one */
	uint32_t output;       /* attempt that wrote it */
};

/* A branch of a stage. */
struct branch {
	struct shuffle *sources[STAGE_SHUFFLES_MAX];
	uint32_t versions[STAGE_SHUFFLES_MAX]; /* of their tables, for the tasks that are being sent */
	uint32_t n_sources;                    /* 0: it has splits */
	uint32_t first;                        /* task of the stage */
	uint32_t first_split;                  /* of the stage's, where it has some */
};

struct stage {
	uint32_t id;
	Quern__Stage *message;
	struct branch *branches;
	uint32_t n_branches;
	struct shuffle *sink; /* or NULL */
	uint32_t first, n_tasks, n_done, n_pending;
	struct task *tasks;
	Quern__Split **splits; /* of the branches that have some, one behind the other */
	size_t n_splits;
	struct task *fresh, *retry, *choosy; /* queues */
	uint32_t n_choosy;
	uint64_t any_left; /* while offers are answered: slots that may be leased for it wherever they are */
	VEC(uint32_t) split_hosts; /* numbers of hosts, of one split behind the other; empty: none has any */
	uint32_t *first_host;      /* of each split, of these; and where the last one ends. NULL: likewise */
	VEC(struct prefer) prefers;
	VEC(struct place *) place_list;
	struct place *places; /* by executor or host */
	bool hopeful;         /* an agent was seen on some host of its data */
	struct wait wait;
	const struct run *run; /* that has it; NULL: none now */
	bool needed;           /* for that run */
	bool ready;            /* likewise: tasks of it may start ... */
	uint64_t ready_ms;     /* ... since then, or could last */
	bool timed;            /* some task of it has ended */
	int64_t mean_us;       /* running mean of their wall time */
	UT_hash_handle hh;
};

struct shuffle {
	uint32_t id, partitions;
	struct stage *stage; /* that writes it; owned */
	uint32_t version;    /* of the table of outputs */
	bool complete_once;  /* every map had an output at some time */
	uint8_t *packed;     /* ToExecutor with the table of packed_version */
	size_t packed_len;
	uint32_t packed_version;
	UT_hash_handle hh;
};

struct run {
	uint32_t id;
	uint64_t since_ms;
	VEC(struct stage *) stages; /* in order */
	struct stage *last;         /* owned */
	VEC(struct stage *) ready;  /* with tasks that may start, in order */
	uint32_t wanted, widest;    /* see mode_view */
	bool sized;                 /* a stage that is not done says what its tasks take */
	bool stale;                 /* `ready` and `wanted` must be made anew */
	bool may_run;               /* the mode says so */
	uint32_t failed;            /* attempts */
	bool ended;                 /* DONE was said; it goes at the end of the step */
};

/* Ids of last stages: one that comes again could not be told from the old one. */
struct used {
	uint32_t id;
	UT_hash_handle hh;
};

enum { GAPS = 224 }; /* buckets up to some weeks */

/* See sched_ledger.c. */
struct ledger {
	uint64_t since_ms; /* what is held is so since then */
	uint64_t task_milli, task_mb, executor_milli, executor_mb;
	uint64_t task_core_us, task_mb_ms, executor_core_us, executor_mb_ms; /* until then */
	uint64_t used_core_us;
	uint64_t waiting_ms; /* tasks wait since then; UINT64_MAX: none does */
	uint32_t gaps[GAPS]; /* how many there were, by their length */
};

enum appetite { APPETITE_HUNGRY, APPETITE_SUPPRESSED }; /* what the master was told */

struct sched {
	struct sched_config config; /* but for its roles: */
	char **roles;               /* NULL-terminated */
	struct mode *mode;
	uint64_t now_ms, wall_ms;
	struct constraints constraints;
	struct waiting waiting;
	char *region;                            /* of the master; NULL: it has none */
	uint32_t least_cpus_milli, least_mem_mb; /* of an offer, see sched_wishes.c ... */
	uint32_t said_cpus_milli, said_mem_mb;   /* ... as the master was told last */
	VEC(struct agent *) draining;
	uint64_t drain_ms;                                       /* another one may be to be left then */
	struct sched_plan *plan;                                 /* of the step */
	void (*log)(void *arg, const struct sched_logged *what); /* or NULL */
	void *log_arg;
	bool stopping, over;
	int status;          /* of the job, when stopping */
	bool own_ended;      /* the master knows the end of the driver's own task, ... */
	uint64_t own_due_ms; /* ... or is not waited for any longer */

	char *framework_id; /* NULL: none yet */
	bool subscribing;   /* a SUBSCRIBE was made, sent or not */
	bool subscribed;
	enum appetite appetite;
	bool claimed_suppressed; /* the SUBSCRIBE that is under way said so */
	bool freed;              /* resources, since the last REVIVE */
	bool revived;            /* there was one */
	uint64_t revived_ms, revive_due_ms, tokens_ms;
	uint32_t tokens;

	struct agent *agents;       /* by id */
	struct executor *executors; /* by id */
	struct executor *idle;      /* linked, with free slots */
	struct executor *asked;     /* likewise, but there is nothing for them ... */
	bool stirred;               /* ... unless something has changed since */
	uint32_t free_slots;        /* of all of them */
	struct executor *behind;    /* with attempts that wait there */
	struct executor *heard;     /* in this step: it has sent results; or NULL */
	uint32_t ahead;             /* attempts that wait there */
	uint64_t begun_ms;          /* when the last attempt began */
	int64_t mean_us;            /* running mean of all tasks' wall time; 0: none has ended */
	uint64_t behind_look_ms;    /* `behind` is not looked at before */
	struct hold *holds;         /* by id */
	struct hold *going;         /* leases, see LEASE_GOING */
	bool may_go;                /* one of `going` is between two tasks, perhaps */
	uint64_t idle_ms;           /* idle slots are not asked about before */
	uint32_t coming;            /* slots of leases that are not RUNNING yet, and `later` */
	uint32_t coming_near;       /* of them, those of hold.near, and of executor.later_near */
	uint32_t later;             /* slots that wait for executors to start ... */
	uint32_t later_executors;   /* ... so many */
	struct attempt *attempts;   /* by name */
	struct shuffle *shuffles;   /* by id */
	struct stage *stages;       /* by id: all of the shuffles', and the run's last */
	struct used *used;
	struct host *hosts; /* by name */
	VEC(struct host *) host_list;
	uint32_t left_out_agents;               /* until some time */
	uint64_t wait_round;                    /* the last one, of any stage */
	uint64_t ran[LOCALITY_ANY + 1];         /* tasks, by locality */
	struct cached *cached;                  /* by set and partition */
	struct cached_set *cached_sets;         /* by id */
	struct broadcast *broadcasts;           /* by id */
	uint32_t broadcasts_version;            /* of the table of them; 0: there never was one */
	ProtobufCBinaryData hdfs;               /* for executors, see sched_hdfs.c */
	uint32_t hdfs_version;                  /* grows with each; 0: there is none */
	struct run *run;                        /* or NULL */
	VEC(Quern__Count *) totals;             /* see sched_tally.c */
	VEC(Quern__Accumulator *) accumulators; /* of the job, by id */
	uint64_t bad;                           /* records that were left out */
	VEC(char *) bad_texts;
	VEC(struct agent *) offering;   /* agents with offers in this step */
	VEC(struct executor *) batched; /* executors with a batch */

	uint32_t next_agent, next_lease, stamp;
	uint32_t held, registered, linked; /* slots; slots; executors */
	uint32_t start_failures;
	uint64_t offers, declined, revives;
	uint64_t peak_rss; /* the most that a result told of */
	struct ledger ledger;

	uint64_t look_ms;  /* something may be due then: never later than that */
	uint64_t start_ms; /* the mode wants to be asked again */
	uint64_t holds_look_ms, reconcile_ms;
	uint64_t goodbye_ms; /* when it is next asked about agents that are expected */
};

/* ---- sched_plan.c ---- */

/* Appends an action; its bytes and text become the plan's, also on failure. 0 or -ENOMEM. */
int sched_plan_add(struct sched *s, struct sched_action action);
int sched_plan_text(struct sched *s, enum sched_action_kind kind, uint32_t run, int code, const char *format,
	...) __attribute__((format(printf, 5, 6)));
/* Appends one with a packed message; `executor` is copied, or NULL. */
int sched_plan_message(
	struct sched *s, enum sched_action_kind kind, const char *executor, const ProtobufCMessage *message);
int sched_plan_bytes(struct sched *s, struct sched_action action, const void *data, size_t len);

/* A deep copy, for protobuf_c_message_free_unpacked(). NULL: no memory. */
void *sched_message_dup(const ProtobufCMessage *message);

/* "Remind me": sched_next_ms() is at most this. */
void sched_look_at(struct sched *s, uint64_t ms);

/* ---- sched_call.c: calls of Mesos; none is sent without a subscription ---- */

int sched_call_simple(struct sched *s, Mesos__V1__Scheduler__Call__Type type);
int sched_call_acknowledge(struct sched *s, const Mesos__V1__TaskStatus *status);
int sched_call_kill(struct sched *s, const char *task_id, const char *agent_id);
int sched_call_shutdown(struct sched *s, const struct executor *e);
int sched_call_decline(struct sched *s, Mesos__V1__OfferID **ids, size_t n, double refuse_s);
/* The agent's offers in that role. */
int sched_call_accept(struct sched *s, const struct agent *agent, const char *role,
	Mesos__V1__TaskInfo **tasks, size_t n, double refuse_s);
int sched_call_accept_inverse(struct sched *s, Mesos__V1__OfferID **ids, size_t n);
/* Of holds; `all`: of those as well that were heard of. */
int sched_call_reconcile(struct sched *s, bool all);
int sched_call_reconcile_implicitly(struct sched *s);
/* Of the `n` agents that are expected: of a task that nobody knows, on each. */
int sched_call_reconcile_agents(struct sched *s, size_t n);
/* What the master was told at the subscription, as it is now. */
int sched_call_update_framework(struct sched *s);

/* ---- sched_status.c ---- */

/* UPDATE_FRAMEWORK, with the status of the job as a label. */
int sched_call_status(struct sched *s);

/* ---- sched_master.c: events of the subscription ---- */

int sched_master_event(struct sched *s, const Mesos__V1__Scheduler__Event *event);
int sched_master_down(struct sched *s);
int sched_master_stop(struct sched *s, int status);

/* ---- sched_appetite.c ---- */

/* SUPPRESS, or REVIVE, or nothing. */
int sched_appetite_settle(struct sched *s);
bool sched_appetite_hungry(struct sched *s);
/* REVIVE may follow soon after each of so many things that are waited for. */
bool sched_appetite_soon(struct sched *s, uint32_t n);
struct mode_view sched_view_of(const struct sched *s);

/* ---- sched_wishes.c ---- */

/* Puts into `info`, whose roles are set, and beside it what offers we have use for (NULL: any, as far as is
 * told there). *ret owns it. */
struct wishes;
int sched_wishes_say(struct sched *s, Mesos__V1__FrameworkInfo *info,
	Mesos__V1__Scheduler__OfferConstraints **ret_constraints, struct wishes **ret);
struct wishes *sched_wishes_free(struct wishes *w);
/* A run begins: its tasks may be smaller than any before. */
int sched_wishes_run(struct sched *s, const struct run *run);
/* The master is there, and may have been told something else. */
int sched_wishes_renew(struct sched *s);

/* ---- sched_drain.c ---- */

/* What the agent's offer says; NULL: nothing. */
void sched_drain_offered(
	struct sched *s, struct agent *agent, const Mesos__V1__Unavailability *unavailability);
/* What we have there is asked back. *ret_again: that was answered a moment ago. */
int sched_drain_asked(struct sched *s, struct agent *agent, const Mesos__V1__Unavailability *unavailability,
	bool *ret_again);
/* A new subscription: the master may not know what was answered. */
void sched_drain_subscribed(struct sched *s);
/* An operator ends what runs there. */
int sched_drain_ordered(struct sched *s, struct agent *agent);
/* A task of the stage may be started there, as far as that goes. */
bool sched_drain_allows(const struct sched *s, const struct agent *agent, const struct stage *stage);
/* One of some stage of the run that waits may be. */
bool sched_drain_in_time(const struct sched *s, const struct agent *agent);
/* A slot there stays idle, though tasks wait. */
int sched_drain_idle(struct sched *s, struct agent *agent);
/* At the end of a step. */
int sched_drain_settle(struct sched *s);

/* ---- sched_agent.c ---- */

/* The agent of that id, made if it is not known. NULL: no memory. */
struct agent *sched_agent_get(struct sched *s, const char *id, const char *hostname);
struct agent *sched_agent_find(const struct sched *s, const char *id);
/* Something of ours failed there. */
int sched_agent_failed(struct sched *s, struct agent *agent);
/* It may be given work: it is not left out, or there is no other. */
bool sched_agent_usable(struct sched *s, const struct agent *agent);
/* Whether some agent that `avoid` does not name could take a task. */
bool sched_agent_other(const struct sched *s, const struct avoid *avoid);
/* All that was there is lost. */
int sched_agent_lost(struct sched *s, struct agent *agent, const char *why);
/* It was lost, and is there after all: what it still has of ours is to end. */
int sched_agent_back(struct sched *s, struct agent *agent);
void sched_agents_deinit(struct sched *s);

/* ---- sched_share.c ---- */

/* Fills e->info, and what follows from it: its share is taken out of `pool`, where it is. */
int sched_share_take(const struct sched *s, struct executor *e, struct resources *pool);

/* ---- sched_executor.c ---- */

/* A new one for the agent: its share is taken out of `pool`. */
int sched_executor_new(struct sched *s, struct agent *agent, struct resources *pool, struct executor **ret);
struct executor *sched_executor_find(const struct sched *s, const char *id);
/* It runs, as far as Mesos is concerned. */
void sched_executor_is_up(struct executor *e);
/* It is gone, and everything in it. `counts`: by its own doing, or that of what ran in it. */
int sched_executor_lost(struct sched *s, struct executor *e, bool counts, const char *why);
/* Those of a lost agent that is back, and of a master that may not have heard it: SHUTDOWN. */
int sched_executors_dismiss(struct sched *s, const struct agent *agent);
/* It has failed, and what that was may be said yet. */
void sched_executor_doubt(struct sched *s, struct executor *e);
/* SHUTDOWN, and then as lost: by its own doing, or not. */
int sched_executor_leave(struct sched *s, struct executor *e, const char *why);
int sched_executor_give_up(struct sched *s, struct executor *e, const char *why);
/* Slots or load changed. */
void sched_executor_refresh(struct sched *s, struct executor *e);
/* Slots that tasks may take now, if it is there. */
static inline uint32_t sched_executor_free(const struct executor *e)
{
	uint64_t taken = (uint64_t)e->load + e->going;

	return taken < e->slots ? (uint32_t)(e->slots - taken) : 0;
}
/* Links that are due, tasks to send again. */
int sched_executors_look(struct sched *s);
void sched_executors_deinit(struct sched *s);

/* ---- sched_hold.c ---- */

/* `id` is copied. It is launched by the ACCEPT that follows. What it holds is the caller's to say. */
int sched_hold_new(
	struct sched *s, const char *id, struct executor *e, uint32_t slots, bool lease, struct hold **ret);
/* It is over: forgets it. Its attempt is not touched. */
void sched_hold_free(struct sched *s, struct hold *h, enum sched_return why);
int sched_hold_kill(struct sched *s, struct hold *h);
int sched_hold_update(struct sched *s, const Mesos__V1__TaskStatus *status);
/* A lease is RUNNING: its executor says so, before Mesos does. */
int sched_hold_begins(struct sched *s, const struct executor *e, const char *id);
/* Those that nothing is heard of; KILLs again. */
int sched_holds_look(struct sched *s);
void sched_holds_unseen(struct sched *s);

/* sched_goodbye.c */
/* A subscription that is not the first. */
void sched_goodbye_expect(struct sched *s);
/* Agents that it waits for. */
uint32_t sched_goodbye_expected(const struct sched *s);
/* TEARDOWN, if it is time for it. */
int sched_goodbye_settle(struct sched *s);
void sched_holds_deinit(struct sched *s);

/* ---- sched_offer.c ---- */

int sched_offer_pool(struct sched *s, const Mesos__V1__Scheduler__Event__Offers *offers);
/* Answers every offer that is pooled. */
int sched_offers_answer(struct sched *s);

/* ---- sched_hdfs.c ---- */

/* Copied. 0 or -ENOMEM. */
int sched_hdfs_set(struct sched *s, const void *data, size_t len);
/* Whether the executor has to have it anew for a task of the stage. */
bool sched_hdfs_stale(const struct sched *s, const struct executor *e, const struct stage *stage);
/* Puts it (borrowed) beside the stage that is being sent, if that is so. */
void sched_hdfs_fill(const struct sched *s, struct executor *e, const struct stage *stage,
	Quern__ToExecutor__StageInfo *info);
void sched_hdfs_deinit(struct sched *s);

/* ---- sched_lease.c: slots that are taken as tasks need them, and given back ---- */

/* Whether more than one lease there has to wait for the agent's executor, which is about to be launched. */
bool sched_lease_waits(struct sched *s, const struct agent *agent);
/* So many slots do. */
void sched_lease_later(struct sched *s, struct executor *e, uint32_t slots, bool near);
/* They do no longer: the executor is there, or not to be waited for. */
void sched_lease_ask(struct sched *s, struct executor *e);
/* It is not coming any more: it runs, or has ended before. */
void sched_lease_arrived(struct sched *s, const struct hold *h);
/* The lease runs from now on; or is over. */
void sched_lease_begins(struct sched *s, struct hold *h);
void sched_lease_ended(struct sched *s, struct hold *h);
/* It is not wanted any more: its executor ends it, or, where that cannot be told, the agent. */
int sched_lease_end(struct sched *s, struct hold *h, enum sched_return why);
/* Idle slots of the executor became more or fewer. */
void sched_lease_idle(struct sched *s, struct executor *e);
/* A task has ended there: leases that are too old get no other one. */
void sched_lease_between(struct sched *s, struct executor *e);
/* Before tasks are given out: those go that have room by now. */
int sched_lease_go(struct sched *s);
/* The slot of the next task that ends there is to go back. */
bool sched_lease_is_due(struct sched *s, const struct executor *e);
/* After that: idle slots go. */
int sched_lease_settle(struct sched *s);
/* The executor has a new connection. */
int sched_lease_linked(struct sched *s, const struct executor *e);

/* ---- sched_ledger.c ---- */

/* What the hold holds from now on. */
void sched_ledger_hold(struct sched *s, struct hold *h, uint32_t cpus_milli, uint32_t mem_mb);
/* An executor's share is held from now on, or no longer. */
void sched_ledger_executor(struct sched *s, bool begins);
void sched_ledger_begins(struct sched *s, struct attempt *a);
/* `result`: NULL, there is none. */
void sched_ledger_ends(struct sched *s, const struct attempt *a, const Quern__TaskResult *result);
/* At the end of a step. */
void sched_ledger_settle(struct sched *s);
/* The framework is over, and with it what still ran. */
void sched_ledger_over(struct sched *s);

/* ---- sched_launch.c ---- */

/* Mesos tasks that are being launched on the offers of one agent in one role. */
struct launch;
struct launches {
	struct agent *agent;
	const char *role;       /* of sched.roles */
	struct resources *pool; /* what is left of the offers */
	VEC(struct launch *) list;
};

/* A lease of so many slots (`near`: for a task that has its data there); or a task that was picked. The
 * agent's executor comes with it, if there is none. */
int sched_launch_lease(struct sched *s, struct launches *l, uint32_t slots, bool near);
int sched_launch_task(struct sched *s, struct launches *l, struct task *t);
/* Accepts the agent's offers with all of them; the rest is refused for so long. */
int sched_launch_send(struct sched *s, const struct launches *l, double refuse_s);
void sched_launches_deinit(struct launches *l);

/* ---- sched_log.c: for an event log, see sched_log.h ---- */

void sched_log_framework(struct sched *s);
void sched_log_no_master(struct sched *s);
/* The master was told it. */
void sched_log_appetite(struct sched *s);
void sched_log_offer(struct sched *s, const Mesos__V1__Offer *o);
/* For the reason that the agent stands under. */
void sched_log_decline(struct sched *s, const struct agent *a, const Mesos__V1__Offer *o, double refuse_s);
void sched_log_rescind(struct sched *s, const Mesos__V1__Scheduler__Event__Rescind *rescind);
/* The hold, or if it is NULL the agent's executor, is launched on the offers. 0 or -ENOMEM. */
int sched_log_accept(struct sched *s, const struct launches *l, const struct hold *h);
/* Of a hold, or of an executor. */
void sched_log_running(struct sched *s, const char *id);
void sched_log_return(struct sched *s, const char *id, enum sched_return why);
void sched_log_start(struct sched *s, const struct attempt *a);
/* `result`: NULL, there is none. */
void sched_log_end(
	struct sched *s, const struct attempt *a, const Quern__TaskResult *result, uint64_t ran_us);
/* The run begins, or has ended. */
void sched_log_run(struct sched *s, const struct run *run, int code);
/* stage->ready has changed. */
void sched_log_stage(struct sched *s, const struct run *run, const struct stage *stage);
/* Slots that are lacking, all told: some, after none; or 0. */
void sched_log_waiting(struct sched *s, uint32_t slots);
/* Everything that is held goes back with the framework. */
void sched_log_over(struct sched *s);

/* ---- sched_run.c ---- */

int sched_run_start(struct sched *s, const struct sched_event *ev);
int sched_run_cancel(struct sched *s, uint32_t id);
int sched_run_committed(struct sched *s, uint32_t run, uint32_t partition, const char *error);
/* Ends the run. Once; later ends are ignored. */
int sched_run_end(struct sched *s, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What follows from everything: readiness, start, end. */
int sched_run_settle(struct sched *s);
/* Whether a task is of the run that is under way. */
bool sched_run_has(const struct sched *s, const struct task *t);
/* Frees a run that has ended. */
void sched_run_sweep(struct sched *s);
/* Slots that tasks could take which may start. */
uint32_t sched_run_runnable(const struct sched *s);
void sched_run_free(struct sched *s, struct run *run);

/* ---- sched_stage.c: stages and shuffles ---- */

/* The stage of a run: a new one, or the one of its shuffle. -EINVAL with a sentence. */
int sched_stage_get(struct sched *s, const Quern__Run *run, size_t i, const Quern__Split *const *splits,
	size_t n_splits, struct stage **ret, struct err *err);
void sched_stage_free(struct sched *s, struct stage *stage);
struct shuffle *sched_shuffle_find(const struct sched *s, uint32_t id);
bool sched_shuffle_complete(const struct shuffle *shuffle);
/* The output of a map is there; or is not any more. */
void sched_output_set(struct sched *s, struct task *t, struct executor *host, uint32_t attempt);
void sched_output_lost(struct sched *s, struct task *t);
/* Brings `shuffle->packed` up to date. It may not be asked for before it was complete once. */
int sched_shuffle_pack(struct sched *s, struct shuffle *shuffle);
void sched_shuffles_deinit(struct sched *s);

/* ---- sched_branch.c ---- */

/* Those of the stage's message. 0, -ENOMEM, or -EINVAL with a sentence: what does not fit together. */
int sched_branches_make(struct sched *s, struct stage *stage, size_t n_splits, struct err *err);
/* Whether the message means the same shuffles. */
bool sched_branches_same(const struct stage *stage, const Quern__Stage *message);
/* The branch of a task, by its number in the stage. */
struct branch *sched_stage_branch(const struct stage *stage, uint32_t partition);
uint32_t sched_stage_tasks(const struct stage *stage);
/* Whether everything that it reads is there. */
bool sched_stage_may_start(const struct stage *stage);

/* ---- sched_task.c ---- */

void sched_task_queue(struct sched *s, struct task *t);
/* What a pending task prefers has changed, or whether that is worth waiting for. */
void sched_task_requeue(struct sched *s, struct task *t);
/* A task of the stage for the agent, out of its queue; NULL: none. */
struct task *sched_task_pick(struct sched *s, struct stage *stage, const struct agent *agent, enum pick what);
/* Whether one that is tried again may go there. */
bool sched_task_retries(struct sched *s, const struct stage *stage, const struct agent *agent);
/* One of any ready stage that has room there. */
struct task *sched_task_pick_any(struct sched *s, const struct agent *agent, const struct room *room);
void sched_task_done(struct sched *s, struct task *t);
struct task *sched_task_at(const struct stage *stage, uint32_t partition);
/* The message that an executor runs. Borrows from the task. */
void sched_task_fill(const struct sched *s, const struct attempt *a, Quern__Task *ret);

/* ---- sched_size.c: what a task of a stage takes ---- */

uint32_t sched_size_cpus_milli(const struct sched *s, const struct stage *stage);
uint32_t sched_size_mem_mb(const struct sched *s, const struct stage *stage);
/* Slots that cover both; one at least. */
uint32_t sched_size_slots(const struct sched *s, const struct stage *stage);
/* Whether the job has said it. */
static inline bool sched_size_own(const struct stage *stage)
{
	return stage->message->task_cores_milli > 0 || stage->message->task_mem_mb > 0;
}
bool sched_size_fits(const struct sched *s, const struct stage *stage, const struct room *room);
/* One task has taken its part. */
void sched_size_take(const struct sched *s, const struct stage *stage, struct room *room);
/* The slots of as many as fit. */
uint32_t sched_size_count(const struct sched *s, const struct stage *stage, const struct room *room);
/* -EINVAL with a sentence: the job may not have so much at a time. */
int sched_size_check(const struct sched *s, const struct stage *stage, struct err *err);
/* A stage of the run that is not done, of whose tasks no agent has room for one; NULL: there is none. */
const struct stage *sched_size_homeless(const struct sched *s);
/* Ends the run for it. */
int sched_size_give_up(struct sched *s, const struct stage *stage, const char *why);

/* ---- sched_cache.c ---- */

/* What a result says about persisted sets. */
int sched_cache_result(struct sched *s, struct executor *e, const Quern__TaskResult *result);
/* The executor has nothing any more. */
void sched_cache_lost(struct sched *s, struct executor *e);
/* The job wants a set no longer. */
int sched_cache_drop(struct sched *s, uint32_t id);
/* The executor has a new connection. */
int sched_cache_linked(struct sched *s, const struct executor *e);
/* The executors that save a task the most: those that have the last step of it that anybody has. How many. */
uint32_t sched_cache_owners(const struct sched *s, const struct task *t, struct executor *ret[PREFER_MAX]);
void sched_cache_deinit(struct sched *s);

/* ---- sched_tally.c ---- */

/* The run's accumulators. */
int sched_tally_run(struct sched *s, const Quern__Run *run);
/* A success of the task was accepted: what it counted, NULL: nothing. */
int sched_tally_add(struct sched *s, struct task *t, const Quern__Tally *m);
/* So many bad records may still be left out. */
uint64_t sched_tally_bad_left(const struct sched *s);
/* Ends a run when there are too many. */
int sched_tally_settle(struct sched *s);
void sched_tally_deinit(struct sched *s);

/* ---- sched_broadcast.c ---- */

/* A value for all tasks, under a new id; and when it is not wanted any more. */
int sched_broadcasts_add(struct sched *s, uint32_t id, uint64_t length, uint64_t checksum);
int sched_broadcasts_destroy(struct sched *s, uint32_t id);
/* The table of all, unless the executor has it as it is; and in any case. */
int sched_broadcasts_prepare(struct sched *s, struct executor *e);
int sched_broadcasts_send(struct sched *s, struct executor *e);
/* What an executor says that it has, or wants. */
int sched_broadcasts_copy(struct sched *s, struct executor *e, const Quern__ToDriver__Copy *said);
/* The executor has nothing any more. */
int sched_broadcasts_lost(struct sched *s, const struct executor *e);
void sched_broadcasts_deinit(struct sched *s);

/* ---- sched_attempt.c ---- */

/* A new attempt of a picked task; `h`: its hold, or NULL. */
int sched_attempt_new(
	struct sched *s, struct task *t, struct executor *e, struct hold *h, struct attempt **ret);
struct attempt *sched_attempt_find(
	const struct sched *s, uint32_t stage, uint32_t partition, uint32_t number);
int sched_attempt_result(struct sched *s, struct attempt *a, const Quern__TaskResult *result);
/* Its data came ahead of its end. */
int sched_attempt_data(struct sched *s, struct attempt *a, const Quern__ToDriver__Data *data);
/* It ended without a result of its own. */
int sched_attempt_lost(struct sched *s, struct attempt *a, bool counts, const char *why);
int sched_attempt_kill(struct sched *s, struct attempt *a);
/* One that went ahead has its slot. */
void sched_attempt_begins(struct sched *s, struct attempt *a);
/* Those that take too long. */
int sched_attempts_look(struct sched *s);
void sched_attempts_deinit(struct sched *s);

/* ---- sched_ahead.c ---- */

/* How long a task of the stage took. */
void sched_ahead_learn(struct sched *s, struct stage *stage, const Quern__TaskResult *result);
/* Slots or load changed: who has a slot now? */
void sched_ahead_settle(struct sched *s, struct executor *e);
/* Whether one more task may be sent there, slot or no slot. */
bool sched_ahead_room(struct sched *s, const struct executor *e);
/* With slots free elsewhere and nothing else to run. */
int sched_ahead_take_back(struct sched *s);

/* ---- sched_link.c ---- */

int sched_link_up(struct sched *s, const char *executor_id);
int sched_link_down(struct sched *s, const char *executor_id);
/* The executor is of no more use: it ends, with its agent or without. */
int sched_link_leave(struct sched *s, const struct executor *e);
int sched_link_message(struct sched *s, const char *executor_id, const Quern__ToDriver *m);
/* Tasks for the slots that are held. */
int sched_link_dispatch(struct sched *s);
/* Everything that this executor has, again. */
int sched_link_resend(struct sched *s, struct executor *e);
int sched_link_kill(struct sched *s, const struct attempt *a);
/* The stage and the outputs, ahead of an attempt at the task. */
int sched_link_prepare(struct sched *s, struct executor *e, const struct task *t);
/* Which slots are idle has changed: for stages whose tasks wait for places. */
void sched_link_note_idle(struct sched *s);
/* Asks for the end of a lease. */
int sched_link_end_lease(struct sched *s, const struct hold *h);

#endif
