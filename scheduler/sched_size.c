/* sched_size.c: what a task takes, where the job says so for a stage (quern_resources()).
 *
 * In a mode with a hold for each task the hold is of that size. Else a task takes as many slots of a lease as
 * cover both its cores and its memory. Slots are also what modes count in, and what limits a job. */
#include <errno.h>
#include <stdlib.h>

#include "scheduler/sched_parts.h"

uint32_t sched_size_cpus_milli(const struct sched *s, const struct stage *stage)
{
	return stage->message->task_cores_milli > 0 ? stage->message->task_cores_milli
						    : s->config.task_cpus_milli;
}

uint32_t sched_size_mem_mb(const struct sched *s, const struct stage *stage)
{
	return stage->message->task_mem_mb > 0 ? stage->message->task_mem_mb : s->config.task_mem_mb;
}

static uint32_t cover(uint32_t size, uint32_t slot)
{
	return slot > 0 && size > slot ? size / slot + (size % slot > 0) : 1;
}

uint32_t sched_size_slots(const struct sched *s, const struct stage *stage)
{
	uint32_t cpus = cover(sched_size_cpus_milli(s, stage), s->config.task_cpus_milli);
	uint32_t mem = cover(sched_size_mem_mb(s, stage), s->config.task_mem_mb);

	return cpus > mem ? cpus : mem;
}

bool sched_size_fits(const struct sched *s, const struct stage *stage, const struct room *room)
{
	return sched_size_slots(s, stage) <= room->slots &&
	       sched_size_cpus_milli(s, stage) <= room->cpus_milli &&
	       sched_size_mem_mb(s, stage) * INT64_C(1000) <= room->mem_milli;
}

void sched_size_take(const struct sched *s, const struct stage *stage, struct room *room)
{
	room->slots -= sched_size_slots(s, stage);
	room->cpus_milli -= sched_size_cpus_milli(s, stage);
	room->mem_milli -= sched_size_mem_mb(s, stage) * INT64_C(1000);
}

uint32_t sched_size_count(const struct sched *s, const struct stage *stage, const struct room *room)
{
	uint32_t slots = sched_size_slots(s, stage);
	int64_t n = room->slots / slots, cpus = sched_size_cpus_milli(s, stage),
		mem = sched_size_mem_mb(s, stage) * INT64_C(1000);

	if (cpus > 0 && room->cpus_milli / cpus < n)
		n = room->cpus_milli / cpus;
	if (mem > 0 && room->mem_milli / mem < n)
		n = room->mem_milli / mem;
	return n > 0 ? (uint32_t)n * slots : 0;
}

int sched_size_check(const struct sched *s, const struct stage *stage, struct err *err)
{
	uint32_t max = s->config.mode_config.max_slots, slots = sched_size_slots(s, stage);

	if (max == 0 || slots <= max)
		return 0;
	return err_set(err, -EINVAL,
		"stage %u: a task needs %g cores and %u MB, as much as %u tasks of %g cores and %u MB; the "
		"job may have %u at a time (--total-executor-cores)",
		stage->id, sched_size_cpus_milli(s, stage) / 1000.0, sched_size_mem_mb(s, stage), slots,
		s->config.task_cpus_milli / 1000.0, s->config.task_mem_mb, max);
}

int sched_size_say_limit(struct sched *s)
{
	uint32_t max = s->config.mode_config.max_slots, wanted = s->run->wanted;

	if (!s->config.limit_by_default || s->limit_said || !s->subscribed || max == 0 || wanted <= max)
		return 0;
	s->limit_said = true;
	return sched_plan_text(s, SCHED_DO_NOTE, s->run->id, 0,
		"the job could use %.10g cores and takes at most %.10g at a time, for others may need the "
		"cluster: "
		"--total-executor-cores says otherwise",
		wanted * (s->config.task_cpus_milli / 1000.0), max * (s->config.task_cpus_milli / 1000.0));
}

/* ---- Whether there is an agent for each ---- */

/* Whether an agent has room for a task of the stage, or would have if nothing of ours was there. */
static bool has_room(const struct sched *s, const struct stage *stage, const struct agent *a)
{
	const struct executor *e = a->executor;

	if (a->lost)
		return false;
	if (s->config.mode->as_needed)
		return sched_size_fits(s, stage, &a->seen);
	return e != NULL && e->linked && e->slots >= sched_size_slots(s, stage);
}

const struct stage *sched_size_homeless(const struct sched *s)
{
	const struct run *run = s->run;

	if (run == NULL || run->ended || !run->sized)
		return NULL;
	for (size_t i = 0; i < run->stages.n; i++) {
		const struct stage *stage = run->stages.at[i];
		const struct agent *a = s->agents;

		if (!stage->needed || stage->n_done == stage->n_tasks || !sched_size_own(stage))
			continue;
		while (a != NULL && !has_room(s, stage, a))
			a = a->hh.next;
		if (a == NULL)
			return stage;
	}
	return NULL;
}

int sched_size_give_up(struct sched *s, const struct stage *stage, const char *why)
{
	struct room most = { 0 };
	bool offered = s->config.mode->as_needed;

	for (const struct agent *a = s->agents; a != NULL; a = a->hh.next) {
		const struct executor *e = a->executor;
		int64_t cpus = offered     ? a->seen.cpus_milli
			       : e != NULL ? (int64_t)e->slots * s->config.task_cpus_milli
					   : 0;
		int64_t mem = offered     ? a->seen.mem_milli
			      : e != NULL ? (int64_t)e->slots * s->config.task_mem_mb * 1000
					  : 0;

		most.cpus_milli = cpus > most.cpus_milli ? cpus : most.cpus_milli;
		most.mem_milli = mem > most.mem_milli ? mem : most.mem_milli;
	}
	if (most.cpus_milli == 0 &&
		most.mem_milli == 0) { /* nobody offered as much as the least that we want */
		char *reasons = sched_reason_text(s);
		int r = reasons == NULL ? -ENOMEM
					: sched_run_end(s, 1,
						  "stage %u: a task needs %g cores and %u MB, and no agent "
						  "has that for tasks: %s. %s",
						  stage->id, sched_size_cpus_milli(s, stage) / 1000.0,
						  sched_size_mem_mb(s, stage), reasons, why);
		free(reasons);
		return r;
	}
	return sched_run_end(s, 1,
		"stage %u: a task needs %g cores and %u MB, and no agent has that for tasks: the most that "
		"one had "
		"was %g cores and %g MB. %s",
		stage->id, sched_size_cpus_milli(s, stage) / 1000.0, sched_size_mem_mb(s, stage),
		(double)most.cpus_milli / 1000, (double)most.mem_milli / 1000, why);
}
