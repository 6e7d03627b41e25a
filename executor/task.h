/* task.h: runs one task, in a worker process: reads its split or its partition of a shuffle, applies the
 * fused steps, and writes map output, a part file, or data for the driver. Also the executor's side of a
 * shuffle: what is on disk, and serving it. The worker's main loop (worker.c) calls the first, the executor's
 * shell (shell.c) the second. */
#ifndef QUERN_EXECUTOR_TASK_H
#define QUERN_EXECUTOR_TASK_H

#include <event2/http.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "executor/keep.h"
#include "job/code.h"
#include "executor/worker.pb-c.h"
#include "job/link.pb-c.h"

struct task_env {
	const struct code *code; /* the loaded job */
	const char *executor_id; /* of this executor */
	const char *machine;     /* identity of this machine (OutputHost.machine) */
	const char *shuffle_dir; /* where map output goes; exists */
	const char *scratch_dir; /* for anything else that is temporary; exists; emptied by the caller after a
				    death */
	const uint8_t *secret;   /* LINK_SECRET bytes */
	struct keep *keep;       /* of the worker's, from task to task */
};

struct task {
	const Quern__Stage *stage;
	const Quern__Task *task;
	const Quern__Branch *branch;          /* of the stage: the task's */
	const Quern__Outputs *const *outputs; /* of the branch's shuffles, in their order */
	size_t n_outputs;
	const Quern__TaskCache *cache; /* persisted sets: where to begin, what to keep; NULL: nothing */
};

/* The seed by which keys are hashed for the shuffles of the job with this one (Sink.seed; hash.h). */
uint64_t task_hash_seed(const struct code *code, uint32_t seed);

/* Runs. Fills *ret (the caller frees it with quern__task_result__free_unpacked) and returns 0, whatever
 * became of the task: state DONE, FAILED (error says why) or FETCH_FAILED. Negative: no memory even for that.
 * User code may crash or never return; quern_fail() in it ends here as FAILED. Half-written files are
 * removed, except after a crash: their names contain the attempt, so nobody takes them for whole ones. */
int task_run(const struct task_env *env, const struct task *t, Quern__TaskResult **ret);

/* ---- Shuffle files, in the executor's process ---- */

/* Name of the file of one map attempt in a shuffle folder: "SHUFFLE-MAP-ATTEMPT.map". Written under another
 * name, fsynced or not as the platform likes, and renamed when it is whole. */
int shuffle_file_name(char *ret, size_t size, uint32_t shuffle, uint32_t map, uint32_t attempt);

/* Removes every file of a shuffle. */
void shuffle_drop(const char *shuffle_dir, uint32_t shuffle);

/* Answers GET /shuffle/SHUFFLE/MAP/ATTEMPT/PARTITION with that partition's bytes by sendfile: 401 without the
 * right Authorization (base/proof.h), 404 without the file. */
struct shuffle_server; /* remembers open files and their indexes, a bounded number */
int shuffle_server_new(
	const char *shuffle_dir, const uint8_t *secret, const char *executor_id, struct shuffle_server **ret);
struct shuffle_server *shuffle_server_free(struct shuffle_server *s);
void shuffle_server_forget(struct shuffle_server *s, uint32_t shuffle);   /* before shuffle_drop() */
void shuffle_server_handle(struct evhttp_request *request, void *server); /* for evhttp_set_gencb() */

#endif
