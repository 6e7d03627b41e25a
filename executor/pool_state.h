/* pool_state.h: what pool.c and nursery.c share. Not for others: pool.h is. */
#ifndef QUERN_EXECUTOR_POOL_STATE_H
#define QUERN_EXECUTOR_POOL_STATE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdbool.h>
#include <sys/types.h>
#include <utlist.h>

#include "base/link.h"
#include "executor/capture.h"
#include "executor/packet.h"
#include "executor/pool.h"
#include "executor/worker.pb-c.h"
#include "job/stage.h"

enum { RESULT_MAX = 1 << 30 }; /* bytes of a worker's answer */

struct pool_worker {
	struct pool *pool;
	struct pool_worker *prev, *next;
	uint32_t id;
	struct bufferevent *bev;
	struct capture output;
	int fork_fd, fork_stderr; /* the worker's ends until it is forked, -1 then */
	bool busy;                /* with attempt `name` */
	bool leaving;             /* is being killed: gets nothing more */
	bool nonsense;            /* wrote what is not a result */
	struct exec_name name;
	Quern__TaskResult *last_words; /* room for the result that it may not live to give */
	uint64_t used;                 /* when it was given work last, in pool_run()s */
	bool has_stage;
	uint32_t stage, revision; /* what it has */
	uint32_t hdfs_version;    /* likewise; 0: nothing */
	struct pool_outputs {
		uint32_t shuffle, version;
	} outputs[STAGE_SHUFFLES_MAX];
	size_t n_outputs;
};

struct pool {
	struct event_base *loop;
	const struct pool_ops *ops;
	void *arg;
	char *program;
	uint64_t load_ms;
	Quern__ZygoteRequest *load;            /* NULL before pool_load() */
	const Quern__ZygoteRequest__Load *job; /* in it */
	bool failed;                           /* the job cannot be loaded */
	struct pool_worker *workers;
	size_t n_workers, warm;
	uint32_t last_id;
	uint64_t clock;
	ProtobufCBinaryData hdfs;            /* how HDFS is reached, as workers were told last; wiped */
	uint32_t hdfs_version;               /* grows with each */
	struct event *later;                 /* for workers that are killed before they were forked */
	unsigned idle_deaths, zygote_deaths; /* since a result came */

	struct {
		pid_t pid; /* 0: none */
		int socket;
		struct event *event, *deadline;
		struct capture output;
		bool loaded;
		bool late; /* killed because loading took too long */
	} zygote;
};

/* ---- nursery.c: the zygote ---- */

int nursery_start(struct pool *p, struct err *err);
/* Tells it what to load (p->load). */
void nursery_load(struct pool *p);
/* Forks a worker: now, or as soon as the job is loaded. */
void nursery_fork(struct pool *p, struct pool_worker *w);
/* Kills a worker; pool_worker_ended() follows, from the loop. */
void nursery_kill(struct pool *p, struct pool_worker *w);
void nursery_end(struct pool *p);

/* ---- pool.c, for nursery.c ---- */

void pool_worker_ended(struct pool *p, uint32_t id, int status, bool never_was);
/* The zygote died, and all that it had forked. */
void pool_all_ended(struct pool *p, const char *why);
void pool_loaded(struct pool *p);
void pool_unloadable(struct pool *p, const char *why);

#endif
