/* blobs.h: the memory of persisted partitions, as the executor's process owns it: a memfd for each blob of
 * the core, which workers open by its path. It ends with this process, however that ends. */
#ifndef QUERN_EXECUTOR_BLOBS_H
#define QUERN_EXECUTOR_BLOBS_H

#include "executor/core.h"
#include "executor/worker.pb-c.h"

struct blobs {
	struct blob *by_number;
};

/* Allows this process as many descriptors as it may have, and returns how many blobs that is good for. */
size_t blobs_most(void);

/* What the worker is told of an attempt that has to do with persisted sets: memory is made for what it is to
 * write; what cannot be had is left out. Freed with quern__task_cache__free_unpacked(). NULL: nothing is
 * left. */
Quern__TaskCache *blobs_prepare(struct blobs *b, const struct exec_cached *cached);

void blobs_discard(struct blobs *b, uint32_t number);
void blobs_deinit(struct blobs *b);

#endif
