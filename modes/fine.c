/* fine.c: one hold per task. It is launched with the task and ends with it; nothing is held for later. Nor
 * while an executor starts: the first task of an agent comes with it, and the others when it is there. */
#include "modes/policy.h"

/* Also at the limit: a task that ends makes room for another, and to suppress and revive for each of them is
 * dearer than the offers. */
static bool hungry(struct mode *m, const struct mode_view *v)
{
	(void)m;
	return policy_lacking(v) > 0;
}

const struct mode_ops mode_fine = { .name = "fine",
	.task_per_hold = true,
	.as_needed = true,
	.executor_first = true,
	.consider = policy_consider_needed,
	.start = policy_start_at_once,
	.hungry = hungry,
	.release = policy_release_never }; /* a hold ends with its task */
