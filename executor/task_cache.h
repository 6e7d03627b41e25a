/* task_cache.h: what one task has to do with persisted sets: it begins with records that were kept, and keeps
 * those that pass its CACHE steps. */
#ifndef QUERN_EXECUTOR_TASK_CACHE_H
#define QUERN_EXECUTOR_TASK_CACHE_H

#include "executor/cache_file.h"
#include "executor/steps.h"
#include "executor/worker.pb-c.h"

struct task_cache {
	const Quern__Branch *branch;
	uint32_t task;                   /* its number in the stage */
	const Quern__TaskCache *request; /* NULL: there is nothing to do */
	bool reads;                      /* from `reader`, instead of from the source */
	struct cache_reader reader;
	size_t first;                  /* the step to begin with */
	struct cache_writer **writers; /* of request->write; NULL: none to that one */
	uint64_t left;
};

/* Opens what is to be read. When that cannot be had the task begins at its source, where it would have begun
 * without. `request` is borrowed, or NULL. */
void task_cache_init(
	struct task_cache *c, const Quern__Branch *branch, uint32_t task, const Quern__TaskCache *request);

/* Makes the steps from c->first on keep what is to be kept. 0, or -ENOMEM with a sentence. */
int task_cache_tee(struct task_cache *c, struct steps *steps, struct err *err);

/* The task is done, and `whole`: its source was read to the end. Says in result->kept what was kept. 0 or
 * -ENOMEM. */
int task_cache_finish(struct task_cache *c, bool whole, Quern__TaskResult *result);

void task_cache_deinit(struct task_cache *c);

#endif
