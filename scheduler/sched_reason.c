/* sched_reason.c: a job that nothing runs of, though something could, says why: which agents there are, and
 * what is wrong with each.
 *
 * Offers tell a part of it: each agent whose offers were declined stands under the reason of the last time.
 * Others never make one: they are smaller than what the master was told is the least, do not meet the
 * constraints it was told, or are reserved for others. So the master is asked for its agents, once WAITING_MS
 * after nothing ran any more, and again as long as that is so, less and less often: it is a question that it
 * answers for each browser that looks at it. Where it does not (not everybody may ask), what offers told has
 * to do.
 *
 * It is said again only when another number of agents stands under some reason. */
#include "scheduler/sched_reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_parts.h"

enum {
	WAITING_MS = 5000,     /* nothing has run for so long */
	ANSWER_MS = 3000,      /* that the master may take */
	PERIOD_MAX_MS = 60000, /* between two questions, at last */
	TEXT_MAX = 1024
};

static const char *const phrases[REASONS] = { [REASON_CORES] = "too few cores",
	[REASON_MEMORY] = "too little memory",
	[REASON_REGION] = "in another region",
	[REASON_RESERVED] = "reserved for another role",
	[REASON_REVOCABLE] = "revocable",
	[REASON_PORTS] = "no port for an executor",
	[REASON_BUSY] = "in use by others",
	[REASON_WITHHELD] = "free but not offered (quota or shares of roles)",
	[REASON_FAILURES] = "left out after failures",
	[REASON_DRAINING] = "draining",
	[REASON_AWAY] = "not active",
	[REASON_STARTING] = "executor not up yet",
	[REASON_ENOUGH] = "more than the job may hold",
	[REASON_UNNEEDED] = "no task waits for it",
	[REASON_ELSEWHERE] = "not where the data is",
	[REASON_ROLE] = "used in another role",
	[REASON_SENSELESS] = "makes no sense" };

void sched_reason_judge(struct sched *s, struct agent *agent, struct verdict verdict)
{
	verdict.at_ms = s->now_ms;
	agent->verdict = verdict;
}

/* ---- Counting ---- */

struct counted {
	uint32_t *n; /* by reason, then by constraint */
	int64_t most_cpus, most_mem;
};

static size_t places(const struct sched *s)
{
	return REASONS + s->waiting.n_constraints;
}

static size_t place_of(const struct sched *s, const struct verdict *v)
{
	return v->reason == REASON_CONSTRAINT && v->constraint < s->waiting.n_constraints
		       ? REASONS + v->constraint
		       : v->reason;
}

const char *sched_reason_phrase(const struct verdict *v)
{
	return v->reason == REASON_CONSTRAINT ? "constraint" : phrases[v->reason];
}

const char *sched_reason_constraint(const struct sched *s, const struct verdict *v)
{
	return place_of(s, v) >= REASONS ? s->constraints.at[v->constraint].name : NULL;
}

void sched_reason_declined(struct sched *s, const struct agent *agent)
{
	s->declined++;
	s->waiting.declined[place_of(s, &agent->verdict)]++;
}

static void count(const struct sched *s, const struct verdict *v, struct counted *c)
{
	c->n[place_of(s, v)]++;
	if (v->reason == REASON_CORES && v->cpus_milli > c->most_cpus)
		c->most_cpus = v->cpus_milli;
	if (v->reason == REASON_MEMORY && v->mem_milli > c->most_mem)
		c->most_mem = v->mem_milli;
}

static bool is_recent(const struct sched *s, const struct agent *a)
{
	return a->verdict.reason != REASON_NONE && s->waiting.since_ms <= a->verdict.at_ms;
}

/* What we know without its making offers. */
static enum reason known_of(const struct agent *a)
{
	const struct executor *e = a->executor;

	if (a->lost)
		return REASON_NONE;
	if (a->draining)
		return REASON_DRAINING;
	return e != NULL && (e->state != EXECUTOR_UP || !e->linked) ? REASON_STARTING : REASON_NONE;
}

static bool verdict_of(const struct sched *s, const struct agent *a, struct verdict *ret)
{
	enum reason known = known_of(a);

	*ret = known != REASON_NONE ? (struct verdict){ .reason = known } : a->verdict;
	return known != REASON_NONE || (!a->lost && is_recent(s, a));
}

static void count_known(const struct sched *s, struct counted *c)
{
	struct verdict v;

	for (const struct agent *a = s->agents; a != NULL; a = a->hh.next)
		if (verdict_of(s, a, &v))
			count(s, &v, c);
}

/* ---- The sentence ---- */

static void append(char text[TEXT_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char text[TEXT_MAX], const char *format, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text + len, TEXT_MAX - len, format, ap);
	va_end(ap);
}

static void append_reason(const struct sched *s, char text[TEXT_MAX], size_t place, uint64_t n)
{
	if (place < REASONS)
		append(text, "%s: %llu", phrases[place], (unsigned long long)n);
	else
		append(text, "constraint %s: %llu", s->constraints.at[place - REASONS].name,
			(unsigned long long)n);
}

static void list_roles(const struct sched *s, char text[TEXT_MAX])
{
	append(text, "no agent with free resources was offered to role");
	for (size_t i = 0; s->roles[i] != NULL; i++)
		append(text, "%s '%s'", i > 0 ? "," : "", s->roles[i]);
}

/* "a: 3 agents; b: 2" */
static void list(const struct sched *s, const struct counted *c, char text[TEXT_MAX])
{
	bool first = true;

	for (size_t i = REASON_NONE + 1; i < places(s); i++) {
		if (c->n[i] == 0)
			continue;
		append(text, "%s", first ? "" : "; ");
		append_reason(s, text, i, c->n[i]);
		append(text, "%s", !first ? "" : c->n[i] == 1 ? " agent" : " agents");
		if (i == REASON_CORES)
			append(text, " (the most: %g)", (double)c->most_cpus / 1000);
		if (i == REASON_MEMORY)
			append(text, " (the most: %g MB)", (double)c->most_mem / 1000);
		first = false;
	}
	if (first)
		list_roles(s, text);
}

/* The smallest of what could run. */
static struct need smallest(const struct sched *s)
{
	struct need n = { s->config.task_cpus_milli, s->config.task_mem_mb * INT64_C(1000) };
	bool first = true;

	for (size_t i = 0; s->config.mode->task_per_hold && i < s->run->ready.n; i++) {
		const struct stage *stage = s->run->ready.at[i];
		const struct need one = { sched_size_cpus_milli(s, stage),
			sched_size_mem_mb(s, stage) * INT64_C(1000) };

		if (stage->n_pending == 0)
			continue;
		if (first || one.cpus_milli < n.cpus_milli ||
			(one.cpus_milli == n.cpus_milli && one.mem_milli < n.mem_milli))
			n = one;
		first = false;
	}
	return n;
}

/* With the executor's share, where there is none yet. */
static struct need need_at(const struct sched *s, const struct agent *a)
{
	struct need n = smallest(s);

	if (a == NULL || a->executor == NULL) {
		n.cpus_milli += s->config.executor_cpus_milli;
		n.mem_milli += (int64_t)s->config.executor_mem_mb * 1000;
	}
	return n;
}

static int say(struct sched *s, const struct counted *c)
{
	const struct need n = smallest(s);
	struct waiting *w = &s->waiting;
	char text[TEXT_MAX] = "";

	append(text,
		"waiting for resources for a task of %g cores and %g MB, its executor's %g and %u MB beside "
		"it",
		(double)n.cpus_milli / 1000, (double)n.mem_milli / 1000,
		s->config.executor_cpus_milli / 1000.0, s->config.executor_mem_mb);
	if (!s->config.mode->task_per_hold)
		append(text, " (%u of %u slots are held)", s->held, s->run->wanted);
	append(text, ": ");
	w->list_at = strlen(text);
	list(s, c, text);
	char *copy = strdup(text);
	if (copy == NULL)
		return -ENOMEM;
	free(w->text);
	w->text = copy;
	w->said = true;
	return sched_plan_text(s, SCHED_DO_NOTE, s->run->id, 0, "%s", text);
}

char *sched_reason_text(struct sched *s)
{
	const struct waiting *w = &s->waiting;
	char text[TEXT_MAX] = "";

	if (w->said) /* that is what a master said, perhaps */
		return strdup(w->text + w->list_at);
	struct counted c = { .n = calloc(places(s), sizeof(*c.n)) };
	if (c.n == NULL)
		return NULL;
	count_known(s, &c);
	list(s, &c, text);
	free(c.n);
	return strdup(text);
}

char *sched_declined_text(const struct sched *s)
{
	const uint64_t *n = s->waiting.declined;
	char text[TEXT_MAX] = "";

	for (size_t i = REASON_NONE + 1; i < places(s); i++) {
		if (n[i] == 0)
			continue;
		append(text, "%s", text[0] != '\0' ? "; " : "");
		append_reason(s, text, i, n[i]);
	}
	return strdup(text);
}

/* ---- Asking ---- */

static int report(struct sched *s, const struct counted *c)
{
	struct waiting *w = &s->waiting;
	bool changed = !w->said || memcmp(w->counts, c->n, places(s) * sizeof(*c->n)) != 0;
	uint64_t twice = 2 * w->period_ms;

	w->asked = false;
	w->period_ms = changed ? WAITING_MS : twice < PERIOD_MAX_MS ? twice : PERIOD_MAX_MS;
	w->due_ms = s->now_ms + w->period_ms;
	if (!changed)
		return 0;
	memcpy(w->counts, c->n, places(s) * sizeof(*c->n));
	return say(s, c);
}

int sched_reason_survey(struct sched *s, const Mesos__V1__Master__Response__GetAgents *agents)
{
	struct waiting *w = &s->waiting;

	if (!w->asked)
		return 0;
	struct counted c = { .n = calloc(places(s), sizeof(*c.n)) };
	if (c.n == NULL)
		return -ENOMEM;
	for (size_t i = 0; agents != NULL && i < agents->n_agents; i++) {
		const Mesos__V1__Master__Response__GetAgents__Agent *one = agents->agents[i];
		const struct agent *a =
			one->agent_info->id != NULL ? sched_agent_find(s, one->agent_info->id->value) : NULL;
		struct verdict v;

		if (a == NULL || !verdict_of(s, a, &v)) {
			const struct need n = need_at(s, a);

			v = sched_survey_judge(s, one, &n);
		}
		count(s, &v, &c);
	}
	if (agents == NULL)
		count_known(s, &c);
	else
		w->agents = agents->n_agents;
	int r = report(s, &c);
	free(c.n);
	return r;
}

/* Something could run, and nothing does. */
static bool stuck(const struct sched *s)
{
	const struct run *run = s->run;

	return run != NULL && !run->ended && !s->stopping && s->subscribed && s->attempts == NULL &&
	       (sched_run_runnable(s) > 0 || (!run->may_run && run->wanted > 0));
}

static int go_on(struct sched *s)
{
	struct waiting *w = &s->waiting;
	bool said = w->said;

	w->since_ms = w->due_ms = UINT64_MAX;
	w->asked = w->said = false;
	free(w->text);
	w->text = NULL;
	return said && s->attempts != NULL
		       ? sched_plan_text(s, SCHED_DO_NOTE, s->run != NULL ? s->run->id : 0, 0,
				 "there are resources again: tasks run")
		       : 0;
}

int sched_reason_settle(struct sched *s)
{
	struct waiting *w = &s->waiting;

	if (!stuck(s))
		return w->since_ms != UINT64_MAX ? go_on(s) : 0;
	if (w->since_ms == UINT64_MAX) {
		w->since_ms = s->now_ms;
		w->period_ms = WAITING_MS;
		w->due_ms = s->now_ms + WAITING_MS;
	}
	int r = 0;
	if (w->due_ms <= s->now_ms && w->asked) { /* it does not answer */
		r = sched_reason_survey(s, NULL);
	} else if (w->due_ms <= s->now_ms) {
		w->asked = true;
		w->due_ms = s->now_ms + ANSWER_MS;
		r = sched_plan_add(s, (struct sched_action){ .kind = SCHED_DO_SURVEY });
	}
	sched_look_at(s, w->due_ms);
	return r;
}

int sched_reason_init(struct sched *s)
{
	struct waiting *w = &s->waiting;

	w->since_ms = w->due_ms = UINT64_MAX;
	w->n_constraints = s->constraints.n;
	w->counts = calloc(places(s), sizeof(*w->counts));
	w->declined = calloc(places(s), sizeof(*w->declined));
	return w->counts == NULL || w->declined == NULL ? -ENOMEM : 0;
}

void sched_reason_deinit(struct sched *s)
{
	free(s->waiting.text);
	free(s->waiting.counts);
	free(s->waiting.declined);
}
