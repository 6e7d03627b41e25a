/* sched_ledger.c: what the job holds and uses of the cluster, and how long slots lie idle while tasks wait.
 *
 * Held is what Mesos allocates to us: each Mesos task from its launch to its terminal update, and the share
 * of each executor from the launch that brings it to its end. It is what we know of it: an update is on its
 * way for a while, so a little more is counted than the master does. Used is the wall time of attempts, as
 * the executor measured it, times the cores that the job said they take; of an attempt that nobody tells of,
 * the time from when it began to when it was known to be over.
 *
 * A gap is the time from the end of an attempt to the beginning of another one on the same agent, while tasks
 * waited all the while. The slot that became free last is taken to be the one that is used next. What is free
 * longer, as others got it or nobody, does not count once nothing waits. */
#include "scheduler/sched_parts.h"

enum {
	GAPS_EXACT = 16, /* ms of a bucket of their own */
	GAPS_PARTS = 8,  /* buckets for each doubling beyond that */
	GAPS_LOG = 4,    /* of GAPS_EXACT */
	FREED_MAX = 256  /* slots of an agent whose end is remembered */
};

/* ---- Held ---- */

static void advance(struct sched *s)
{
	struct ledger *l = &s->ledger;
	uint64_t ms = s->now_ms - l->since_ms;

	l->since_ms = s->now_ms;
	l->task_core_us += ms * l->task_milli; /* thousandths of a core for a millisecond */
	l->task_mb_ms += ms * l->task_mb;
	l->executor_core_us += ms * l->executor_milli;
	l->executor_mb_ms += ms * l->executor_mb;
}

void sched_ledger_hold(struct sched *s, struct hold *h, uint32_t cpus_milli, uint32_t mem_mb)
{
	advance(s);
	s->ledger.task_milli += (uint64_t)cpus_milli - h->cpus_milli;
	s->ledger.task_mb += (uint64_t)mem_mb - h->mem_mb;
	h->cpus_milli = cpus_milli;
	h->mem_mb = mem_mb;
}

void sched_ledger_executor(struct sched *s, bool begins)
{
	advance(s);
	s->ledger.executor_milli +=
		begins ? s->config.executor_cpus_milli : -(uint64_t)s->config.executor_cpus_milli;
	s->ledger.executor_mb += begins ? s->config.executor_mem_mb : -(uint64_t)s->config.executor_mem_mb;
}

/* ---- Used, and gaps ---- */

static uint32_t bucket_of(uint64_t ms)
{
	uint32_t log = GAPS_LOG;

	if (ms < GAPS_EXACT)
		return (uint32_t)ms;
	while (ms >> (log + 1) > 0)
		log++;
	uint64_t part = (ms >> (log - 3)) & (GAPS_PARTS - 1);
	uint64_t i = GAPS_EXACT + (uint64_t)(log - GAPS_LOG) * GAPS_PARTS + part;
	return i < GAPS ? (uint32_t)i : GAPS - 1;
}

/* The least that is in it. */
static uint64_t least_of(uint32_t bucket)
{
	if (bucket < GAPS_EXACT)
		return bucket;
	uint32_t i = bucket - GAPS_EXACT, log = GAPS_LOG + i / GAPS_PARTS;
	return (UINT64_C(1) << log) + ((uint64_t)(i % GAPS_PARTS) << (log - 3));
}

void sched_ledger_begins(struct sched *s, struct attempt *a)
{
	struct agent *agent = a->executor->agent;

	a->begun_ms = s->now_ms;
	sched_log_start(s, a);
	if (a->task != NULL)
		a->task->waits = false;
	if (agent->freed.n == 0)
		return;
	uint64_t freed_ms = agent->freed.at[--agent->freed.n];
	if (freed_ms < s->ledger.waiting_ms || s->ledger.waiting_ms == UINT64_MAX)
		agent->freed.n = 0; /* nothing waited meanwhile, and so it is with older ones */
	else
		s->ledger.gaps[bucket_of(s->now_ms - freed_ms)]++;
}

void sched_ledger_ends(struct sched *s, const struct attempt *a, const Quern__TaskResult *result)
{
	struct agent *agent = a->executor->agent;
	uint64_t us = (s->now_ms - a->given_ms) * 1000;

	if (a->ahead)
		return;
	if (result == NULL)
		us = (s->now_ms - a->begun_ms) * 1000;
	else if (result->has_wall_us && result->wall_us < us)
		us = result->wall_us; /* not more than can be */
	s->ledger.used_core_us += us * a->cpus_milli / 1000;
	sched_log_end(s, a, result, us);
	if (s->ledger.waiting_ms != UINT64_MAX && agent->freed.n < FREED_MAX)
		(void)vec_push(&agent->freed, s->now_ms);
}

void sched_ledger_settle(struct sched *s)
{
	uint32_t slots = sched_run_runnable(s);

	if ((slots > 0) == (s->ledger.waiting_ms != UINT64_MAX))
		return;
	s->ledger.waiting_ms = slots > 0 ? s->now_ms : UINT64_MAX;
	sched_log_waiting(s, slots);
}

void sched_ledger_over(struct sched *s)
{
	for (struct attempt *a = s->attempts; a != NULL; a = a->hh.next)
		sched_ledger_ends(s, a, NULL);
	sched_log_over(s);
}

/* ---- For whoever asks ---- */

/* The gap that `permille` of them do not exceed, to an eighth. */
static uint64_t quantile(const struct ledger *l, uint64_t n, uint64_t permille)
{
	uint64_t rank = (n * permille + 999) / 1000, seen = 0;

	for (uint32_t i = 0; i < GAPS; i++) {
		seen += l->gaps[i];
		if (seen >= rank)
			return least_of(i);
	}
	return 0;
}

void sched_get_ledger(const struct sched *s, struct sched_ledger *ret)
{
	const struct ledger *l = &s->ledger;
	uint64_t ms = s->now_ms - l->since_ms, n = 0;

	*ret = (struct sched_ledger){ .task_core_us = l->task_core_us + ms * l->task_milli,
		.task_mb_ms = l->task_mb_ms + ms * l->task_mb,
		.executor_core_us = l->executor_core_us + ms * l->executor_milli,
		.executor_mb_ms = l->executor_mb_ms + ms * l->executor_mb,
		.used_core_us = l->used_core_us };
	for (uint32_t i = 0; i < GAPS; i++)
		n += l->gaps[i];
	ret->gaps = n;
	ret->gap_p50_ms = n > 0 ? quantile(l, n, 500) : 0;
	ret->gap_p99_ms = n > 0 ? quantile(l, n, 990) : 0;
}
