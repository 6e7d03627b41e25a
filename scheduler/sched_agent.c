/* sched_agent.c: the agents that we know of, and which of them are left out.
 *
 * An agent on which exclude_after attempts or executors failed gets nothing for exclude_ms; failures older
 * than exclude_ms count half. Being left out never stops a job: where no other agent is to be had, and while
 * an action waits for enough slots, it does not count. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

struct agent *sched_agent_find(const struct sched *s, const char *id)
{
	struct agent *a;

	HASH_FIND_STR(s->agents, id, a);
	return a;
}

static struct agent *make(struct sched *s, const char *id, const char *hostname)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->id = strdup(id);
	a->hostname = strdup(hostname);
	a->host = sched_host_get(s, hostname);
	a->number = s->next_agent++;
	a->leaves_ms = UINT64_MAX;
	struct agent *added = a;
	if (a->id != NULL && a->hostname != NULL && a->host != NULL)
		HASH_ADD_KEYPTR(hh, s->agents, a->id, strlen(a->id), added);
	if (a->id == NULL || a->hostname == NULL || a->host == NULL || added == NULL ||
		added->hh.tbl == NULL) {
		free(a->id);
		free(a->hostname);
		free(a);
		return NULL;
	}
	a->host->agents++;
	return a;
}

struct agent *sched_agent_get(struct sched *s, const char *id, const char *hostname)
{
	struct agent *a = sched_agent_find(s, id);

	return a != NULL ? a : make(s, id, hostname);
}

int sched_agent_failed(struct sched *s, struct agent *a)
{
	uint64_t exclude_ms = s->config.exclude_ms;

	for (; exclude_ms > 0 && a->failures > 0 && s->now_ms - a->failed_ms >= exclude_ms;
		a->failed_ms += exclude_ms)
		a->failures /= 2;
	a->failed_ms = s->now_ms;
	a->failures++;
	if (s->config.exclude_after == 0 || a->failures < s->config.exclude_after)
		return 0;
	a->failures /= 2; /* the next failure after its return sends it out sooner */
	a->excluded_until_ms = s->now_ms + exclude_ms;
	sched_host_refresh(s, a);
	sched_look_at(s, a->excluded_until_ms);
	return sched_plan_text(s, SCHED_DO_LOG, 0, 0, "%s is left out for %llu s: too much fails there",
		a->hostname, (unsigned long long)(exclude_ms / 1000));
}

static bool left_out(const struct sched *s, const struct agent *a)
{
	return a->draining || a->excluded_until_ms > s->now_ms;
}

/* It runs an executor of ours, or may come to do so. */
static bool promising(const struct sched *s, const struct agent *a)
{
	if (a->lost)
		return false;
	if (a->executor != NULL && a->executor->linked && !a->executor->doubtful)
		return s->config.mode->as_needed || a->executor->slots > 0;
	return s->config.mode->as_needed && s->now_ms - a->offered_ms < RECENT_MS;
}

bool sched_agent_usable(struct sched *s, const struct agent *agent)
{
	if (!left_out(s, agent) || agent->draining)
		return !agent->draining;
	if (s->run != NULL && !s->run->may_run) /* it waits for slots: any will do */
		return true;
	for (const struct agent *a = s->agents; a != NULL; a = a->hh.next)
		if (a != agent && !left_out(s, a) && promising(s, a))
			return false;
	return true;
}

static bool named(const struct avoid *avoid, const struct agent *a)
{
	for (uint32_t i = 0; i < avoid->n; i++)
		if (avoid->at[i] == a)
			return true;
	return false;
}

bool sched_agent_other(const struct sched *s, const struct avoid *avoid)
{
	for (const struct agent *a = s->agents; a != NULL; a = a->hh.next)
		if (!named(avoid, a) && !left_out(s, a) && promising(s, a))
			return true;
	return false;
}

int sched_agent_lost(struct sched *s, struct agent *a, const char *why)
{
	a->lost = true;
	a->seen = (struct room){ 0 }; /* what comes back may be smaller */
	sched_host_refresh(s, a);
	return a->executor != NULL ? sched_executor_lost(s, a->executor, false, why) : 0;
}

int sched_agent_back(struct sched *s, struct agent *a)
{
	a->lost = false;
	sched_host_refresh(s, a);
	return sched_executors_dismiss(s, a);
}

void sched_agents_deinit(struct sched *s)
{
	struct agent *a, *next;

	HASH_ITER (hh, s->agents, a, next) {
		HASH_DELETE(hh, s->agents, a);
		vec_deinit(&a->offers);
		vec_deinit(&a->freed);
		free(a->id);
		free(a->hostname);
		free(a);
	}
}
