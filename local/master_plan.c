#include "local/master.h"

#include <stdlib.h>

void master_plan_reset(struct master_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->at[i].text);
		free(plan->at[i].stream_id);
		free(plan->at[i].data);
	}
	plan->n = 0;
}

void master_plan_deinit(struct master_plan *plan)
{
	master_plan_reset(plan);
	free(plan->at);
	*plan = (struct master_plan){ 0 };
}
