/* sched_appetite.c: whether offers are wanted, and how often that may be said.
 *
 * REVIVE makes the master allocate at once, for everybody, at a cost in agents times frameworks: it is sent
 * only with tasks waiting and either resources freed since the last one (or an executor up, or late, that
 * slots waited for) or offers suppressed; never twice within revive_interval_ms; and not more often than a
 * bucket of tokens allows, which fills the slower the larger the cluster is. To un-suppress it does not wait
 * long for a token, for there is no other way to get offers again. What it brings is not relied upon: the
 * master's own timer brings offers as well. */
#include "scheduler/sched_parts.h"

/* The newest of the tasks that run is expected to end last. */
static uint64_t more_ms(const struct sched *s)
{
	uint64_t passed = s->now_ms - s->begun_ms, most = 0;

	for (size_t i = 0; s->run != NULL && !s->run->ended && i < s->run->ready.n; i++) {
		const struct stage *stage = s->run->ready.at[i];
		uint64_t ms = (uint64_t)(stage->timed ? stage->mean_us : s->mean_us) / 1000;

		if (stage->n_done + stage->n_pending < stage->n_tasks && ms > most)
			most = ms;
	}
	return most > passed ? most - passed : 0;
}

struct mode_view sched_view_of(const struct sched *s)
{
	return (struct mode_view){ .now_ms = s->now_ms,
		.runnable = sched_run_runnable(s),
		.wanted = s->run != NULL && !s->run->ended ? s->run->wanted : 0,
		.widest = s->run != NULL && !s->run->ended ? s->run->widest : 0,
		.homeless = sched_size_homeless(s) != NULL,
		.held = s->held + s->later,
		.idle = s->run != NULL && !s->run->may_run ? s->free_slots : 0,
		.coming = s->coming,
		.registered = s->registered,
		.since_ms = s->run != NULL ? s->run->since_ms : 0,
		.more_ms = more_ms(s) };
}

bool sched_appetite_hungry(struct sched *s)
{
	const struct mode_view v = sched_view_of(s);

	return s->run != NULL && !s->run->ended && !s->stopping && s->config.mode->hungry(s->mode, &v);
}

/* ---- The bucket ---- */

static uint64_t token_period(const struct sched *s)
{
	uint64_t seen = HASH_COUNT(s->agents), all = s->waiting.agents;
	uint64_t ms = (seen > all ? seen : all) * REVIVE_PER_AGENT_MS;

	if (ms < s->config.revive_interval_ms)
		ms = s->config.revive_interval_ms;
	return ms > REVIVE_TOKEN_MAX_MS ? REVIVE_TOKEN_MAX_MS : ms > 0 ? ms : 1;
}

static void fill_bucket(struct sched *s)
{
	uint64_t period = token_period(s), n = (s->now_ms - s->tokens_ms) / period;

	if (n >= s->config.revive_burst - s->tokens) {
		s->tokens = s->config.revive_burst;
		s->tokens_ms = s->now_ms;
		return;
	}
	s->tokens += (uint32_t)n;
	s->tokens_ms += n * period;
}

/* When the next REVIVE may leave. */
static uint64_t revive_at(struct sched *s)
{
	uint64_t interval = s->config.revive_interval_ms;
	uint64_t at = s->now_ms;

	if (s->revived && interval != UINT64_MAX && s->revived_ms + interval > at)
		at = s->revived_ms + interval;
	fill_bucket(s);
	if (s->tokens == 0) {
		uint64_t token = s->tokens_ms + token_period(s);
		uint64_t latest = s->appetite == APPETITE_SUPPRESSED ? s->revived_ms + UNSUPPRESS_MS : token;

		token = token < latest ? token : latest;
		at = token > at ? token : at;
	}
	return at;
}

bool sched_appetite_soon(struct sched *s, uint32_t n)
{
	fill_bucket(s);
	return s->config.revive_interval_ms <= SOON_MS && s->tokens >= n;
}

static int revive(struct sched *s)
{
	uint64_t at = revive_at(s);

	if (at > s->now_ms) {
		s->revive_due_ms = at;
		return 0;
	}
	if (s->tokens > 0)
		s->tokens--;
	s->appetite = APPETITE_HUNGRY;
	s->freed = false;
	s->revived = true;
	s->revived_ms = s->now_ms;
	s->revives++;
	sched_log_appetite(s);
	return sched_call_simple(s, MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE);
}

int sched_appetite_settle(struct sched *s)
{
	s->revive_due_ms = UINT64_MAX;
	if (!s->subscribed || s->stopping)
		return 0;
	if (!sched_appetite_hungry(s)) {
		if (s->appetite == APPETITE_SUPPRESSED)
			return 0;
		s->appetite = APPETITE_SUPPRESSED;
		sched_log_appetite(s);
		return sched_call_simple(s, MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS);
	}
	if (s->appetite == APPETITE_SUPPRESSED)
		return revive(s);
	if (s->freed && s->config.revive_interval_ms != UINT64_MAX && s->config.revive_burst > 0)
		return revive(s);
	return 0;
}
