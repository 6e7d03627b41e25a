/* sim_state.h: what the files of the simulation share. No memory is the end of the process: it is a test. */
#ifndef QUERN_TESTS_SCHEDULER_SIM_STATE_H
#define QUERN_TESTS_SCHEDULER_SIM_STATE_H

#include <uthash.h>

#include "base/buf.h"
#include "base/vec.h"
#include "bench/sim/books.h"
#include "bench/sim/time.h"
#include "executor/core.h"
#include "local/agent.h"
#include "local/master.h"
#include "scheduler/sched.h"
#include "tests/scheduler/sim.h"

/* The master: one core at a time. */
struct sim_master {
	struct master *core; /* NULL: between two */
	struct master_plan plan;
	uint64_t life; /* grows with each fail-over */
	uint64_t armed_ms;
	struct books held; /* since held_ms */
	uint64_t held_ms;
};

struct sim_agent {
	struct agent *core; /* NULL: switched off */
	struct agent_plan plan;
	uint64_t life;
	uint64_t link; /* to the master; 0: none */
	uint64_t armed_ms;
	uint64_t last_up, last_down; /* when the latest message to and from the master arrives */
};

/* A map output, or a part of an action's output. No padding: the name is a key. */
struct sim_file {
	struct sim_file_name {
		uint32_t stage, partition, attempt;
	} name;
	uint32_t set; /* the shuffle, or the run */
	uint64_t value;
	UT_hash_handle hh;
};

/* One container; never used again. */
/* A partition of a persisted set. */
struct sim_blob {
	uint32_t number;
	uint64_t value;
};

enum { SIM_BROADCASTS = 3 };

struct sim_executor {
	uint32_t index, agent;
	struct sim_executor *older; /* of the same id, or NULL */
	uint64_t agent_life;
	char *container, *id;
	struct exec *core; /* NULL: not started yet, or dead */
	bool dead;
	struct exec_plan plan;
	uint64_t armed_ms;
	uint64_t conn;                /* its stream from the agent; 0: none */
	uint64_t link, driver_link;   /* to the driver, as either side sees it; 0: none */
	uint64_t last_up, last_down;  /* as an agent's, of the link */
	struct sim_file *files;       /* map outputs */
	VEC(struct sim_event *) runs; /* results that will come */
	VEC(struct sim_blob) blobs;
	bool broadcasts[SIM_BROADCASTS + 1],
		forgotten[SIM_BROADCASTS + 1]; /* by number: here; not any more */
	UT_hash_handle hh;                     /* by id */
	UT_hash_handle by_container;
};

enum { SIM_RUNS = 3, SIM_CACHE = 1000 /* bytes of an executor for persisted partitions */ };

/* What an action must come to, and what has come. */
struct sim_action {
	uint32_t partitions;
	uint64_t *expected; /* of each partition */
	uint8_t *got;       /* how often it came */
};

struct sim_driver {
	struct sched *core;
	struct sched_plan plan;
	uint64_t armed_ms;
	uint64_t conn;   /* of the SUBSCRIBE under way, or of the stream; 0: none */
	char *stream_id; /* NULL: not subscribed */
	uint32_t run;    /* under way, or the last one; 0: none yet */
	bool done, stopping;
	bool stopped;                      /* TEARDOWN was sent */
	bool gone;                         /* the process */
	VEC(struct sim_event *) committed; /* answers for the core */
	uint64_t lag_ms, last_call, last_event;
	struct sim_action actions[SIM_RUNS + 1];
	struct sim_file *parts;
};

struct sim {
	struct sim_time time; /* in ms */
	const struct sim_config *config;
	struct sim_report *report;
	void *hash;
	struct sim_master master;
	struct sim_agent *agents;
	VEC(struct sim_executor *) executors;
	struct sim_executor *by_id, *by_container;
	VEC(uint32_t) agent_of_link;    /* who has it, by number */
	VEC(uint32_t) executor_of_conn; /* SIM_NOBODY: the driver */
	uint64_t next_link;             /* of executors */
	struct sim_driver driver;
};

enum { SIM_NOBODY = UINT32_MAX >> 1 };

/* ---- sim.c ---- */

uint64_t sim_conn(struct sim *sim, uint32_t executor);

/* Into the trace. */
void sim_trace(
	struct sim *sim, char who, uint64_t index, int kind, const char *text, const void *data, size_t len);
/* The first that is wrong ends the simulation. */
void sim_wrong(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- sim_cluster.c: the master and the agents ---- */

void sim_cluster_start(struct sim *sim);
void sim_cluster_end(struct sim *sim);
void sim_master_failover(struct sim *sim);
/* A call of the scheduler's, sent now. */
void sim_master_call(struct sim *sim, uint64_t conn, const char *stream_id, const void *data, size_t len);
void sim_master_closed(struct sim *sim, uint64_t conn);
void sim_agent_event(struct sim *sim, uint32_t index, struct agent_event *ev);
void sim_agent_cut(struct sim *sim, uint32_t index, uint64_t ms);
void sim_agent_off(struct sim *sim, uint32_t index, uint64_t ms);

/* ---- sim_executor.c ---- */

/* The latest of that id. */
struct sim_executor *sim_executor_find(const struct sim *sim, const char *id);
/* The one whose map outputs are in that folder; or NULL. */
struct sim_executor *sim_executor_host(const struct sim *sim, const char *directory);
void sim_executor_start(struct sim *sim, uint32_t agent, const struct agent_action *start);
void sim_executor_kill(struct sim *sim, const char *container);
/* What the agent sends on a stream; data NULL: its end. */
void sim_executor_stream(struct sim *sim, uint64_t conn, const void *data, size_t len);
void sim_executor_link(struct sim *sim, const char *id, const void *data, size_t len);
/* The process is gone, with `status` as waitpid(2) gives it; with its machine: nobody says so. */
void sim_executor_die(struct sim *sim, struct sim_executor *x, int status, bool machine);
void sim_executor_cut(struct sim *sim, struct sim_executor *x);
/* The driver is gone, and its end of every link. */
void sim_executors_abandon(struct sim *sim);
void sim_executors_end(struct sim *sim);

/* ---- sim_task.c ---- */

/* What an attempt will come to; its files are there once it has. */
/* `kept`: the value of the persisted partition that it begins with; NULL: with none. */
Quern__TaskResult *sim_task(
	struct sim *sim, const struct exec_action *run, const uint64_t *kept, uint64_t *ret_value);
Quern__TaskResult *sim_task_killed(const struct exec_name *name);

/* ---- sim_driver.c ---- */

void sim_driver_start(struct sim *sim);
void sim_driver_end(struct sim *sim);
void sim_driver_step(struct sim *sim, struct sched_event ev);
void sim_driver_reply(struct sim *sim, uint64_t conn, int status, const char *stream_id, const char *text);
/* What the master sends on the stream; data NULL: its end. */
void sim_driver_stream(struct sim *sim, uint64_t conn, const void *data, size_t len);
/* The stream ends, and the driver knows. */
void sim_driver_down(struct sim *sim);

/* ---- sim_job.c ---- */

void sim_job_start(struct sim *sim); /* works out what is right */
void sim_job_submit(struct sim *sim, uint32_t run);
void sim_job_result(struct sim *sim, const struct sched_action *a);
/* NULL, or what is wrong with it. */
const char *sim_job_commit(struct sim *sim, const struct sched_action *a);
void sim_job_done(struct sim *sim, const struct sched_action *a);
void sim_job_end(struct sim *sim);
/* What the text task of the split that begins at `offset` comes to; 44 bits, as every value. */
uint64_t sim_job_map_value(const struct sim *sim, uint64_t offset);
/* A finished part of an output. */
void sim_job_part(struct sim *sim, const struct exec_name *name, uint64_t value);

/* ---- sim_faults.c ---- */

void sim_faults_start(struct sim *sim);

#endif
