/* action.h: one action of the job, from what its process asked for to the finished output: paths made
 * absolute, input cut into splits, partitions settled, the output folder opened, filled and finished.
 *
 * Order: action_new() -> action_begin() -> action_commit() for each part -> action_finish(), or action_undo()
 * from anywhere -> action_free(). The four in between ask the disk or HDFS and wait for the answer, so they
 * may be called by another thread than the others, one of them at a time (offload.h). */
#ifndef QUERN_SCHEDULER_ACTION_H
#define QUERN_SCHEDULER_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "hdfs_client/hdfs.h"
#include "job/plan.pb-c.h"
#include "job/symbols.h"
#include "scheduler/sched.h"

struct action;

/* What later actions must know of earlier ones: into how many partitions the shuffles with a seed were
 * divided. A shuffle that is used again is not written again. */
struct action_shuffle {
	uint32_t seed, partitions;
};

struct action_memory {
	VEC(struct action_shuffle) shuffles;
};
void action_memory_deinit(struct action_memory *m);

/* Of what the job does not say. */
struct action_config {
	uint32_t cores;         /* at least so many splits where the input allows it */
	uint32_t partitions;    /* of a shuffle; 0: as many as cores, but not more than tasks fill them */
	uint32_t compression;   /* of a shuffle: level of zstd, 0: none */
	uint64_t task_memory;   /* bytes; splits are made so that what they hold fits, as far as that goes */
	bool recursive;         /* folders in folders of an input are looked into */
	bool no_folder;         /* there is no current folder that would mean anything to a person */
	bool only_look;         /* the output is not opened: it is only seen to that it could be */
	struct hdfs_pool *hdfs; /* for paths in HDFS; borrowed, used by the calls that wait */
};

/* For `run`, which is copied. `memory` is borrowed until the end. 0 or -ENOMEM. */
int action_new(const Quern__Run *run, struct action_memory *memory, const struct action_config *config,
	struct action **ret, struct err *err);

/* Prepares it: nothing is left behind when that fails. -ENOENT, -EACCES, -EEXIST ... with a sentence that
 * names the path. */
int action_begin(struct action *a, struct err *err);

/* Which one of the job's. */
uint32_t action_run(const struct action *a);

/* The folder that it has made and neither finished nor removed, or NULL. */
const char *action_output(const struct action *a);

/* The event for the core (SCHED_EV_RUN), once it has begun; it points into the action. */
void action_event(const struct action *a, struct sched_event *ev);

/* Appends the plan as text (job/explain.h), and a line for the input of each stage. `symbols`: names of
 * functions, or NULL. 0, -ENOMEM or -EMSGSIZE. */
int action_explain(struct action *a, const struct symbols *symbols, struct buf *out);

/* Puts a finished part in place; 0 or as output_commit(). */
int action_commit(struct action *a, const char *file, uint32_t partition, struct err *err);

/* All parts are there: finishes the output, if there is one. */
int action_finish(struct action *a, struct err *err);

/* Removes an output that was not finished: as output_remove(). */
int action_undo(struct action *a, struct err *err);

/* Takes and returns NULL. */
struct action *action_free(struct action *a);

#endif
