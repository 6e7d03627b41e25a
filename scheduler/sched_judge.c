/* sched_judge.c: what the offers of one agent are worth: whether they may be used at all, and for how long
 * they are refused if not. */
#include <errno.h>

#include "scheduler/sched_offer.h"

/* A constraint that the agent does not meet, or NULL. What an agent is does not change while it is there. */
static const struct constraint *unmet_by(const struct sched *s, const struct agent *a)
{
	const Mesos__V1__Offer *o = a->offers.at[0];
	const struct constrained c = { o->hostname, o->attributes, o->n_attributes, o->domain };

	return constraints_unmet(&s->constraints, &c);
}

/* What is wrong with the agent itself, whatever it offers, and for how long that is so. REASON_NONE: nothing.
 */
static enum reason fault_of(struct sched *s, const struct agent *agent, double *ret_s)
{
	const struct executor *e = agent->executor;

	*ret_s = UNWANTED_S;
	if (unmet_by(s, agent) != NULL)
		return REASON_CONSTRAINT;
	*ret_s = TOO_SMALL_S;
	if (agent->draining || !sched_drain_in_time(s, agent))
		return REASON_DRAINING;
	*ret_s = 0;
	if (!sched_agent_usable(s, agent)) {
		if (agent->excluded_until_ms > s->now_ms)
			*ret_s = (double)(agent->excluded_until_ms - s->now_ms) / 1000;
		return REASON_FAILURES;
	}
	if (e != NULL && (e->state != EXECUTOR_UP || !e->linked || e->doubtful))
		return REASON_STARTING;
	return REASON_NONE;
}

/* What a task needs that is not in the room. */
static enum reason missing(const struct sched *s, const struct take *t)
{
	if (t->portless)
		return REASON_PORTS;
	return t->whole.cpus_milli < (int64_t)s->least_cpus_milli ? REASON_CORES : REASON_MEMORY;
}

enum reason sched_offer_enough(const struct sched *s)
{
	const struct mode_view v = sched_view_of(s);
	uint32_t max = s->config.mode_config.max_slots;
	bool lacks = s->config.mode->as_needed ? v.runnable > v.coming : v.wanted > v.held || v.homeless;

	return lacks && max > 0 && (uint64_t)v.held + v.widest > max ? REASON_ENOUGH : REASON_UNNEEDED;
}

int sched_offer_judge(struct sched *s, struct agent *agent, const char *role, struct take *ret)
{
	struct verdict v = { .reason = REASON_RESERVED };

	*ret = (struct take){ .refuse_s = UNWANTED_S, .launches = { .agent = agent, .role = role } };
	if (role != NULL)
		v.reason =
			sched_appetite_hungry(s) ? fault_of(s, agent, &ret->refuse_s) : sched_offer_enough(s);
	if (v.reason == REASON_CONSTRAINT)
		v.constraint = (size_t)(unmet_by(s, agent) - s->constraints.at);
	if (v.reason != REASON_NONE) {
		sched_reason_judge(s, agent, v);
		return 0;
	}
	int r = sched_room_look(s, ret);
	if (r == 0 && ret->fits > 0)
		return 1;
	sched_launches_deinit(&ret->launches);
	if (r == -ENOMEM)
		return r;
	ret->refuse_s = TOO_SMALL_S;
	v.reason = r < 0 ? REASON_SENSELESS : missing(s, ret);
	v.cpus_milli = ret->whole.cpus_milli;
	v.mem_milli = ret->whole.mem_milli;
	sched_reason_judge(s, agent, v);
	return 0;
}
