/* stage.h: what the plan of a stage says, for all who read it. */
#ifndef QUERN_JOB_STAGE_H
#define QUERN_JOB_STAGE_H

#include <stdbool.h>

#include "job/plan.pb-c.h"

/* Whether a step of it keeps records of a persisted set. */
static inline bool stage_keeps(const Quern__Stage *stage)
{
	for (size_t i = 0; i < stage->n_steps; i++)
		if (stage->steps[i]->cache != NULL)
			return true;
	return false;
}

#endif
