/* sched_state.h: the state that the files of the core share (sched.c, sched_*.c); what they do for each other
 * is in sched_parts.h. Not for others: sched.h is.
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
	STARTING_END_MS = 1000,   /* for agents to say that what executors start for has ended */
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
	bool kill;               /* asked for ... */
	bool kill_told;          /* ... of this subscription's master, which knew of the agent */
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
	uint64_t any_left; /* while offers are answered: slots that may be held for it wherever they are */
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
	int status;               /* of the job, when stopping */
	bool own_ended;           /* the master knows the end of the driver's own task, ... */
	uint64_t own_due_ms;      /* ... or is not waited for any longer */
	uint64_t starting_due_ms; /* when executors that start are not waited for any longer */

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
	bool limit_said;                        /* see sched_size_say_limit() */
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
	uint64_t goodbye_ms; /* when TEARDOWN is next considered */
};

#endif
