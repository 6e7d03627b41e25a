/* sched_wait.c: how long the tasks of a stage wait for the places that they prefer.
 *
 * What is promised of --locality-wait: a stage ends at most that much later, all told, than if its tasks had
 * taken every slot that they could have had. So the clock measures what waiting costs, not how long anybody
 * has waited:
 *
 * - It stands while nothing is passed over: a task that waits for its host while there is no slot for it
 *   anywhere loses nothing.
 * - A slot that could run a task of the stage and is passed over for locality's sake puts the stage one slot
 *   *behind*; one that is taken for a task of it anywhere makes one good. Slots that are held and idle count
 *   as well, and those that are given back for that reason are passed over. While a stage is b slots behind
 *   and r of its tasks run, b / (b + r) of each millisecond is lost: with one slot passed over and 99 busy
 *   ones the stage goes on nearly as fast as it could. Once everything that is left could have been running,
 *   all of the time is lost.
 * - When the sum is locality_wait_ms tasks of the stage go anywhere, those that are local first.
 * - How wide a stage is, b + r, is not known at its beginning: a job that has just come to a busy cluster has
 *   one slot before it has twenty. What it has lost of one is a twentieth of that then. So whenever it is
 * wider than it ever was in this run, what was lost before is divided accordingly; and if that was all of the
 * wait, it goes on with what it has regained.
 *
 * Beside that nothing gives time back, so a lucky local launch does not renew anybody's wait; but such a
 * launch makes good a slot, so luck stops the clock as long as it lasts. That matters in fine mode, where a
 * declined offer goes to somebody else and another comes instead, as a rule before long: the stage walks over
 * the cluster rather than stay on the agents where it has used up what is local, and that costs it a few
 * hundredths of a second each time. With a clock that is wound up by each local launch one idle slot might
 * wait for ever; with one that does not care how much is passed over, a long stage would spend its wait
 * within its first percent.
 *
 * That slots were made good is remembered by the number of the round: a new one begins whenever a stage is
 * not behind any more. An offer of an agent that was passed over before in the round does not count again. */
#include "scheduler/sched_place.h"

static uint64_t most_us(const struct sched *s)
{
	uint64_t ms = s->config.locality_wait_ms;

	return ms < UINT64_MAX / 1000 ? ms * 1000 : UINT64_MAX;
}

static uint32_t running(const struct stage *stage)
{
	return stage->n_tasks - stage->n_done - stage->n_pending;
}

/* What was lost since it was last counted. */
static void count(struct sched *s, struct stage *stage)
{
	struct wait *w = &stage->wait;
	uint64_t ms = s->now_ms - w->since_ms, most = most_us(s);

	w->since_ms = s->now_ms;
	if (w->part == 0 || w->lost_us >= most)
		return;
	w->lost_us += ms * 1000 * w->part / w->whole;
	if (w->lost_us >= most) {
		w->lost_us = most;
		s->freed = s->stirred = true; /* any slot will do now: what was declined for it is wanted */
	}
}

/* It has never been as wide, perhaps. */
static void widen(struct stage *stage)
{
	struct wait *w = &stage->wait;
	uint32_t width = running(stage) + w->behind;

	if (width <= w->widest)
		return;
	if (w->lost_us > 0)
		w->lost_us = (uint64_t)((double)w->lost_us * w->widest / width);
	w->widest = width;
}

void sched_wait_begin(struct sched *s, struct stage *stage)
{
	stage->wait = (struct wait){ .since_ms = s->now_ms, .round = ++s->wait_round };
}

bool sched_wait_over(struct sched *s, struct stage *stage)
{
	count(s, stage);
	return stage->wait.lost_us >= most_us(s);
}

uint64_t sched_wait_left_ms(struct sched *s, struct stage *stage)
{
	if (sched_wait_over(s, stage))
		return 0;
	uint64_t us = most_us(s) - stage->wait.lost_us;
	return us / 1000 + (us % 1000 > 0);
}

static void set_behind(struct sched *s, struct stage *stage)
{
	struct wait *w = &stage->wait;
	uint64_t n = (uint64_t)w->passed + w->idle;
	uint32_t behind = n < stage->n_choosy ? (uint32_t)n : stage->n_choosy;

	w->passed = w->passed < stage->n_choosy ? w->passed : stage->n_choosy;

	if (behind == 0 && w->behind > 0)
		w->round = ++s->wait_round;
	w->behind = behind;
	widen(stage);
}

void sched_wait_pass(struct sched *s, struct stage *stage, struct agent *agent, uint32_t n)
{
	struct wait *w = &stage->wait;
	uint32_t before = agent->passed_round == w->round ? agent->passed : 0;

	agent->passed_round = w->round;
	agent->passed = n > before ? n : before;
	if (n <= before)
		return;
	w->passed = n - before < UINT32_MAX - w->passed ? w->passed + n - before : UINT32_MAX;
	set_behind(s, stage);
}

void sched_wait_idle(struct sched *s, struct stage *stage, uint32_t n)
{
	stage->wait.idle = n;
	set_behind(s, stage);
}

void sched_wait_launched(struct sched *s, struct stage *stage)
{
	count(s, stage);
	stage->wait.passed -= stage->wait.passed > 0;
	set_behind(s, stage);
}

static void settle(struct sched *s, struct stage *stage)
{
	struct wait *w = &stage->wait;

	count(s, stage);
	set_behind(s, stage); /* of those that are left */
	w->part = w->behind;
	w->whole = w->behind >= stage->n_pending ? w->behind : w->behind + running(stage);
	if (w->part == 0 || w->lost_us >= most_us(s))
		return;
	uint64_t us = most_us(s) - w->lost_us, part_us = (uint64_t)w->part * 1000;
	if (us < UINT64_MAX / 2 / w->whole)
		sched_look_at(s, s->now_ms + (us * w->whole + part_us - 1) / part_us);
}

void sched_wait_settle(struct sched *s)
{
	for (size_t i = 0; s->run != NULL && i < s->run->ready.n; i++) {
		struct stage *stage = s->run->ready.at[i];

		if (stage->n_choosy > 0 || stage->wait.part > 0)
			settle(s, stage);
	}
}
