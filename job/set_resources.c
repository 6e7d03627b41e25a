/* set_resources.c: what the tasks that compute a set take. */
#include <math.h>

#include "job/plan_check.h"
#include "job/set.h"

quern_set *quern_resources(quern_set *from, double cores, uint32_t memory_mb)
{
	if (from->error != NULL)
		return from;
	if (!isfinite(cores) || cores < 0 || cores > PLAN_CORES_MAX)
		return set_wrong(from->job, memory_format(&from->job->memory,
						    "quern_resources(): %g cores: from 0 to %d are possible",
						    cores, PLAN_CORES_MAX));
	if (memory_mb > PLAN_MEMORY_MB_MAX)
		return set_wrong(from->job, "quern_resources(): more memory than 1 TB");
	quern_set *set = set_copy(from);
	if (set->error == NULL) {
		set->task_cores_milli = (uint32_t)ceil(cores * 1000);
		set->task_mem_mb = memory_mb;
	}
	return set;
}
