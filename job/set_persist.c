/* set_persist.c: sets that executors keep. */
#include "job/set.h"

quern_set *quern_persist(quern_set *parent, enum quern_storage storage)
{
	if (parent->error != NULL)
		return parent;
	if (storage != QUERN_MEMORY && storage != QUERN_MEMORY_COMPRESSED)
		return set_wrong(parent->job, "quern_persist(): no such storage");
	quern_set *set = set_plain_step(parent, QUERN__STEP__KIND__CACHE);
	if (set->error != NULL)
		return set;
	set->cache = memory_take(&parent->job->memory, sizeof(*set->cache));
	if (set->cache == NULL)
		return &parent->job->no_memory;
	set->cache->id = parent->job->next_cache++;
	set->cache->compressed = storage == QUERN_MEMORY_COMPRESSED;
	return set;
}

void quern_unpersist(quern_set *set)
{
	if (set->error != NULL || set->cache == NULL || set->cache->dropped)
		return;
	set->cache->dropped = true;
	/* Without a driver nothing is kept either, and the next action says so. */
	if (set->job->runner.unpersist != NULL)
		(void)set->job->runner.unpersist(set->job->runner.arg, set->cache->id);
}
