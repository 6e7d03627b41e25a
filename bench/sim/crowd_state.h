/* crowd_state.h: what the files of the simulation share. */
#ifndef QUERN_BENCH_SIM_CROWD_STATE_H
#define QUERN_BENCH_SIM_CROWD_STATE_H

#include <uthash.h>
#include <utlist.h>

#include "bench/sim/cost.h"
#include "bench/sim/crowd.h"
#include "bench/sim/time.h"
#include "local/master.h"
#include "scheduler/sched.h"

struct work;

/* A Mesos task on an executor. */
struct place {
	struct place *prev, *next;
	char *id;
	uint32_t slots; /* of a lease; 0: it is one task of the job */
	bool leaving;   /* lease: ends when what runs in the slots that are left is no more than they are */
	bool unwanted;  /* in that case as finished, else as killed */
	Quern__Task *task; /* of one that has not begun, for its executor is not up; owned */
};

/* Of a task. */
struct
try {
	struct try *prev, *next; /* of work->waiting, ->queue or ->running */
	struct work *work;
	uint32_t stage, partition, attempt; /* the first as numbered from 0 on in the job */
	uint32_t slots;                     /* that it takes of leases */
	uint32_t version;                   /* of the table that it needs; 0: none */
	struct place *place;                /* NULL: it came over the link */
	struct sim_event *end;              /* running: what will come */
	uint64_t began, us;
};

/* What an executor has to say of tries that are over. */
struct outcome {
	uint32_t stage, partition, attempt;
	Quern__TaskResult__State state;
	uint64_t us;
};

enum work_state { WORK_STARTING, WORK_UP, WORK_GONE };

/* An executor. There until the end of the simulation. */
struct work {
	UT_hash_handle hh;                  /* by id, the latest of that */
	struct work *next;                  /* of all */
	struct work *prev_here, *next_here; /* of the agent */
	char *id;
	struct member *member;
	uint32_t agent;
	enum work_state state;
	uint32_t slots, busy, queued;
	struct place *places;
	struct try *waiting, *queue, *running; /* for a stage or a table; for slots */
	uint32_t known, asked;                 /* bits: by stage */
	uint32_t versions[CROWD_STAGES];       /* of the table that each of them reads */
	VEC(struct outcome) outbox;
	bool flushing;
	uint64_t last_up, last_down; /* when the latest message over the link arrives */
};

/* A framework. */
struct member {
	uint32_t index;
	struct sched *core;
	struct sched_plan plan;
	char *id; /* NULL: not subscribed yet */
	uint64_t armed, last_call, last_event, submitted;
	char *stream_id;
	bool submits, stopping, gone; /* an action was asked for; it is to end; the master knows */
	uint64_t launched;            /* the last time */
	uint32_t tasks, local, in_partition;
	uint8_t *near; /* by task and agent: its data is there; NULL: it is nowhere */
};

/* What the master holds for an agent. */
struct book {
	char id[64]; /* "": not registered */
	uint64_t held_milli;
};

struct crowd_agent {
	struct book book;
	bool off;
	uint64_t link;    /* to the master: number of the agent, and how many it has had before */
	uint64_t last_up; /* when the latest message to the master arrives */
	struct work *works;
};

struct sim {
	struct sim_time time; /* in us */
	const struct crowd_config *config;
	struct crowd_report *report;
	struct {
		struct master *core;
		struct master_plan plan;
		uint64_t armed;
		uint64_t held_milli, since; /* all of it, since then */
	} master;
	struct crowd_agent *agents;
	struct work *by_id, *works;
	VEC(struct book) lost; /* agents that are gone, which the master may not know yet */
	struct member members[CROWD_FRAMEWORKS];
	uint32_t over;
	struct cost cost;
	bool weigh;    /* memory is measured, of the next steps */
	int64_t bytes; /* that the cores have taken in those */
	uint64_t used_milli;
	uint64_t step_us; /* least time between two steps of the timeline */
};

/* ---- crowd.c ---- */

void crowd_wrong(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Cores held or used have changed. */
void crowd_note(struct sim *sim);
/* How long a task of a job's stage takes. */
uint64_t crowd_length_us(const struct sim *sim, const struct member *m, uint32_t stage, uint32_t partition);

/* ---- crowd_master.c ---- */

void crowd_master_start(struct sim *sim);
void crowd_master_end(struct sim *sim);
void crowd_master_step(struct sim *sim, struct master_event *ev);
/* A call of a framework's, sent now. */
void crowd_call(struct sim *sim, struct member *m, const void *data, size_t len);
/* What an agent says, sent now. */
void crowd_to_master(struct sim *sim, uint32_t agent, const Quern__Local__ToMaster *m);
/* It is gone, and its link has ended. */
void crowd_agent_down(struct sim *sim, uint32_t agent);

/* ---- crowd_agent.c ---- */

void crowd_agent_on(struct sim *sim, uint32_t agent);
void crowd_agent_off(struct sim *sim, uint32_t agent);
void crowd_agent_message(struct sim *sim, uint32_t agent, const Quern__Local__ToAgent *m);
/* The state of a Mesos task there; `data` of it, or NULL. */
void crowd_update(struct sim *sim, const struct work *w, const char *task, Mesos__V1__TaskState state,
	Mesos__V1__TaskStatus__Reason reason, const ProtobufCBinaryData *data);
void crowd_exited(struct sim *sim, const struct work *w);

/* ---- crowd_executor.c ---- */

struct work *crowd_work_find(const struct sim *sim, const char *id);
/* The agent has a Mesos task for it; it is started if need be. */
void crowd_work_run(struct sim *sim, uint32_t agent, const Quern__Local__ToAgent__Run *run);
void crowd_work_kill(struct sim *sim, struct work *w, const char *task);
/* The process is gone. `machine`: with all of its machine, so that nobody says so. */
void crowd_work_dies(struct sim *sim, struct work *w, bool machine);
/* From the scheduler. */
void crowd_link(struct sim *sim, const char *id, const void *data, size_t len);
void crowd_works_end(struct sim *sim);

/* ---- crowd_try.c: what runs in an executor ---- */

void crowd_try_add(struct sim *sim, struct work *w, const Quern__Task *task, struct place *place);
/* After something has come that one may have waited for, or slots have changed. */
void crowd_tries_go(struct sim *sim, struct work *w);
void crowd_try_kill(struct sim *sim, struct work *w, uint32_t stage, uint32_t partition, uint32_t attempt);
/* Without a word. */
void crowd_tries_drop(struct sim *sim, struct work *w);
/* To the scheduler, over the link. */
void crowd_up(struct sim *sim, struct work *w, const Quern__ToDriver *m);
/* Leases that are to end and can. */
void crowd_leases_end(struct sim *sim, struct work *w);
void crowd_place_free(struct work *w, struct place *p);

/* ---- crowd_member.c ---- */

void crowd_member_start(struct sim *sim, uint32_t index);
void crowd_member_step(struct sim *sim, struct member *m, struct sched_event ev);
/* An event of the master's. */
void crowd_member_event(struct sim *sim, struct member *m, const void *data, size_t len);
void crowd_member_end(struct member *m);

/* ---- crowd_job.c ---- */

/* Stages are numbered all over: stage `i` of a member has crowd_stage(m) + i, and so has the shuffle that it
 * reads. */
uint32_t crowd_stage(const struct member *m);
void crowd_job_submit(struct sim *sim, struct member *m);
void crowd_host_name(char ret[32], uint32_t agent);

#endif
