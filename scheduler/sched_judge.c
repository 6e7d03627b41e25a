/* sched_judge.c: what the offers of one agent are worth: whether they may be used at all, and for how long
 * they are refused if not. */
#include <errno.h>

#include "scheduler/sched_offer.h"

int sched_offer_judge(struct sched *s, struct agent *agent, const char *role, struct take *ret)
{
	const struct executor *e = agent->executor;

	*ret = (struct take){ .refuse_s = UNWANTED_S, .launches = { .agent = agent, .role = role } };
	if (role == NULL || !sched_appetite_hungry(s)) {
		s->not_wanted++;
		return 0;
	}
	ret->refuse_s = 0;
	if (!sched_agent_usable(s, agent)) {
		if (agent->excluded_until_ms > s->now_ms)
			ret->refuse_s = (double)(agent->excluded_until_ms - s->now_ms) / 1000;
		s->left_out++;
		return 0;
	}
	if (e != NULL && (e->state != EXECUTOR_UP || !e->linked || e->leaving))
		return 0;
	int r = sched_room_look(s, ret);
	if (r == 0 && ret->fits > 0)
		return 1;
	sched_launches_deinit(&ret->launches);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	ret->refuse_s = TOO_SMALL_S;
	s->too_small++;
	return 0;
}
