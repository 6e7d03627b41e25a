/* pool.h: the worker processes of an executor: forked from a zygote that has loaded the job, kept warm,
 * replaced when they die.
 *
 * Whatever becomes of a worker, each attempt that pool_run() took ends with exactly one `result`: the
 * worker's own, or one made here that says how it died and what it printed last. Callbacks come from the
 * loop, never from inside a call of this header. */
#ifndef QUERN_EXECUTOR_POOL_H
#define QUERN_EXECUTOR_POOL_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "executor/core.h"
#include "executor/worker.pb-c.h"
#include "job/link.pb-c.h"
#include "job/plan.pb-c.h"

struct pool;

struct pool_ops {
	/* An attempt ended; `result` is the callee's, for quern__task_result__free_unpacked(). */
	void (*result)(void *arg, Quern__TaskResult *result);
	/* The job cannot be loaded: nothing that was given to pool_run() or will be can run, and no `result`
	 * follows. */
	void (*unloadable)(void *arg, const char *why);
};

/* What workers are told, see struct task_env. Copied. */
struct pool_job {
	const char *path; /* of the job's shared object */
	const uint8_t *build_id;
	size_t build_id_len;
	const char *executor_id, *machine, *shuffle_dir;
	const char *scratch_dir;   /* exists; each worker has a folder in it, removed with the worker */
	const char *broadcast_dir; /* files that are broadcasts, by number; exists */
	const char *files_dir; /* of what came with the job: the workers' working directory if it exists */
	const uint8_t *secret; /* LINK_SECRET bytes */
};

enum { POOL_LOAD_MS = 60000 }; /* that loading the job may take */

/* Starts the zygote: `program` is started with ZYGOTE_OPTION (zygote.h). This process becomes a subreaper.
 * `load_ms`: how long loading the job may take, 0: POOL_LOAD_MS. 0, or -errno with a sentence. */
int pool_new(struct event_base *loop, const char *program, uint64_t load_ms, const struct pool_ops *ops,
	void *arg, struct pool **ret, struct err *err);

/* Once: what to load. 0 or -ENOMEM. */
int pool_load(struct pool *p, const struct pool_job *job);

/* Keeps `n` workers, busy and idle, and one idle beyond the busy ones. Idle ones beyond that are ended. */
void pool_warm(struct pool *p, uint32_t n);

/* Runs an attempt, in an idle worker or a new one; before the job is loaded it waits. `hdfs`: how the stage's
 * files in HDFS are reached, empty where it has none. `outputs`: STAGE_SHUFFLES_MAX at most. `cache`: NULL
 * where it has nothing to do with persisted sets. Nothing is kept of what is pointed at. 0 or -ENOMEM. */
int pool_run(struct pool *p, const Quern__Task *task, const Quern__Stage *stage,
	const ProtobufCBinaryData *hdfs, const Quern__Outputs *const *outputs, size_t n_outputs,
	const Quern__TaskCache *cache);

/* Every worker gives the memory of that broadcast back, once its task has ended. */
void pool_forget(struct pool *p, uint32_t broadcast);

/* Ends an attempt's worker; the `result` follows, if it has not been on its way before. */
void pool_kill(struct pool *p, const struct exec_name *name);

/* For tests: workers that there are, and the process id of the zygote. */
size_t pool_workers(const struct pool *p);
int pool_zygote(const struct pool *p);

/* Ends every worker and the zygote, and every other child of this process, and waits for them (2 s at most).
 * Takes and returns NULL. */
struct pool *pool_free(struct pool *p);

#endif
