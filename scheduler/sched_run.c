/* sched_run.c: a run: an action of the job, from its stages to its end.
 *
 * A stage is needed when it is the last one, or writes a shuffle that a needed stage reads and that is not
 * whole; its tasks may start when its own source is whole. That is worked out anew whenever an output comes
 * or goes, so that lost outputs are made again exactly as far as somebody still needs them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

bool sched_run_has(const struct sched *s, const struct task *t)
{
	return s->run != NULL && !s->run->ended && t->stage->run == s->run;
}

/* ---- Begin ---- */

static void forgive(struct stage *stage)
{
	for (uint32_t i = 0; i < stage->n_tasks; i++)
		stage->tasks[i].failures = stage->tasks[i].losses = stage->tasks[i].fetches =
			stage->tasks[i].stale_fetches = 0;
}

static int add_stages(struct sched *s, struct run *run, const struct sched_event *ev, struct err *err)
{
	const Quern__Run *message = ev->u.run.run;
	int r = message->n_stages > 0 ? 0 : err_set(err, -EINVAL, "an action without stages");

	for (size_t i = 0; r == 0 && i < message->n_stages; i++) {
		struct stage *stage;

		r = sched_stage_get(s, message, i, ev->u.run.splits[i], ev->u.run.n_splits[i], &stage, err);
		if (r < 0)
			return r;
		if (stage->sink == NULL)
			run->last = stage;
		r = vec_push(&run->stages, stage);
		if (r == 0 && stage->run == run)
			return err_set(err, -EINVAL, "stage %u is there twice", stage->id);
		stage->run = run;
		if (r == 0)
			r = sched_size_check(s, stage, err);
		forgive(stage);
		if (r == 0)
			r = sched_prefer_make(s, stage);
	}
	return r;
}

void sched_run_free(struct sched *s, struct run *run)
{
	if (run == NULL)
		return;
	for (size_t i = 0; i < run->stages.n; i++) {
		run->stages.at[i]->run = NULL;
		run->stages.at[i]->ready = false;
	}
	sched_stage_free(s, run->last);
	vec_deinit(&run->stages);
	vec_deinit(&run->ready);
	free(run);
}

int sched_run_start(struct sched *s, const struct sched_event *ev)
{
	struct err err = { "" };
	uint32_t id = ev->u.run.run->id;

	if (s->stopping || (s->run != NULL && !s->run->ended))
		return sched_plan_text(s, SCHED_DO_DONE, id, 1, "%s",
			s->stopping ? "the driver is ending" : "another action is under way");
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL)
		return -ENOMEM;
	run->id = id;
	run->since_ms = s->now_ms;
	run->stale = true;
	int r = sched_tally_run(s, ev->u.run.run);
	if (r == 0)
		r = add_stages(s, run, ev, &err);
	if (r == 0) {
		s->run = run;
		sched_log_run(s, run, 0);
		return sched_wishes_run(s, run);
	}
	sched_run_free(s, run);
	return r == -ENOMEM ? r : sched_plan_text(s, SCHED_DO_DONE, id, 1, "%s", err.text);
}

/* ---- The way ---- */

/* Whatever writes what a stage reads is needed as well, unless it is whole. */
static void need_sources(const struct stage *stage)
{
	for (uint32_t i = 0; i < stage->n_branches; i++)
		for (uint32_t k = 0; k < stage->branches[i].n_sources; k++)
			if (!sched_shuffle_complete(stage->branches[i].sources[k]))
				stage->branches[i].sources[k]->stage->needed = true;
}

/* Whether its tasks may start. */
static void note_ready(struct sched *s, const struct run *run, struct stage *stage)
{
	bool ready = stage->needed && stage->n_done < stage->n_tasks && sched_stage_may_start(stage);

	if (ready == stage->ready)
		return;
	stage->ready = ready;
	if (ready)
		stage->ready_ms = s->now_ms;
	sched_log_stage(s, run, stage);
}

static int refresh(struct sched *s, struct run *run)
{
	size_t n_before = run->ready.n;
	int r = 0;

	for (size_t i = 0; i < run->stages.n; i++)
		run->stages.at[i]->needed = false;
	run->last->needed = true;
	run->wanted = run->widest = 0;
	run->sized = false;
	run->ready.n = 0;
	for (size_t i = run->stages.n; i-- > 0;) {
		struct stage *stage = run->stages.at[i];
		uint32_t left = stage->n_tasks - stage->n_done, slots = sched_size_slots(s, stage);

		if (!stage->needed || left == 0)
			continue;
		uint64_t wanted = (uint64_t)left * slots;
		if (wanted > run->wanted)
			run->wanted = wanted < UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
		run->widest = slots > run->widest ? slots : run->widest;
		run->sized = run->sized || sched_size_own(stage);
		need_sources(stage);
	}
	for (size_t i = 0; r == 0 && i < run->stages.n; i++) {
		struct stage *stage = run->stages.at[i];

		note_ready(s, run, stage);
		if (!stage->ready)
			continue;
		if (run->ready.n >= n_before || run->ready.at[run->ready.n] != stage)
			s->stirred = true;
		r = vec_push(&run->ready, stage);
	}
	run->stale = false;
	return r;
}

uint32_t sched_run_runnable(const struct sched *s)
{
	uint64_t n = 0;

	if (s->run == NULL || s->run->ended)
		return 0;
	for (size_t i = 0; i < s->run->ready.n; i++)
		n += (uint64_t)s->run->ready.at[i]->n_pending * sched_size_slots(s, s->run->ready.at[i]);
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Ends the run with the mode's reason, and what became of offers. */
static int give_up(struct sched *s, const char *why)
{
	const struct stage *homeless = sched_size_homeless(s);

	if (homeless != NULL)
		return sched_size_give_up(s, homeless, why);
	char *reasons = sched_reason_text(s);
	if (reasons == NULL)
		return -ENOMEM;
	int r = sched_run_end(s, 1, "%s. %llu offers came: %s", why, (unsigned long long)s->offers, reasons);
	free(reasons);
	return r;
}

int sched_run_settle(struct sched *s)
{
	struct err why = { "" };
	struct run *run = s->run;
	int r = 0;

	s->start_ms = UINT64_MAX;
	if (run == NULL || run->ended)
		return 0;
	if (run->stale)
		r = refresh(s, run);
	if (r == 0)
		r = sched_tally_settle(s);
	if (r < 0 || run->ended)
		return r;
	if (run->last->n_done == run->last->n_tasks)
		return sched_run_end(s, 0, "%s", "");
	r = sched_size_say_limit(s);
	if (r < 0)
		return r;
	const struct mode_view v = sched_view_of(s);
	uint64_t until_ms = UINT64_MAX;
	switch (s->config.mode->start(s->mode, &v, &until_ms, &why)) {
	case MODE_RUN:
		run->may_run = true;
		s->start_ms = until_ms;
		return 0;
	case MODE_WAIT:
		run->may_run = false;
		s->start_ms = until_ms;
		return 0;
	case MODE_GIVE_UP:
	default:
		return give_up(s, why.text);
	}
}

int sched_run_committed(struct sched *s, uint32_t run, uint32_t partition, const char *error)
{
	if (s->run == NULL || s->run->ended || s->run->id != run)
		return 0;
	struct task *t = sched_task_at(s->run->last, partition);
	if (t == NULL || t->state != TASK_COMMITTING)
		return 0;
	if (error != NULL)
		return sched_run_end(s, 1, "%s", error);
	sched_task_done(s, t);
	return 0;
}

/* ---- End ---- */

int sched_run_end(struct sched *s, int code, const char *format, ...)
{
	struct sched_action a = { .kind = SCHED_DO_DONE, .code = code };
	va_list ap;
	int r = 0;

	if (s->run == NULL || s->run->ended)
		return 0;
	s->run->ended = true;
	sched_log_run(s, s->run, code);
	for (struct attempt *i = s->attempts; r == 0 && i != NULL; i = i->hh.next)
		if (i->task == NULL || i->task->stage->run == s->run)
			r = sched_attempt_kill(s, i);
	if (r < 0)
		return r;
	a.run = s->run->id;
	va_start(ap, format);
	int n = vasprintf(&a.text, format, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : sched_plan_add(s, a);
}

int sched_run_cancel(struct sched *s, uint32_t id)
{
	if (s->run == NULL || s->run->ended || s->run->id != id)
		return 0;
	/* What was written of an output must not be taken for a whole one. */
	bool writes = sink_writes_files(s->run->last->message->sink);
	return sched_run_end(s, writes ? 1 : 0, "cancelled");
}

void sched_run_sweep(struct sched *s)
{
	if (s->run == NULL || !s->run->ended)
		return;
	sched_run_free(s, s->run);
	s->run = NULL;
}
