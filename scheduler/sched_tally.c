/* sched_tally.c: what tasks count beside their records (job/tally.h): accumulators, counters, bad records.
 *
 * A task's tally counts when its first success is accepted, and never again: not that of another attempt, nor
 * that of one that makes a lost output again. Executors are not trusted: an accumulator that the job does not
 * have, or with another kind, is not counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/reduction.h"
#include "scheduler/sched_parts.h"

/* ---- Totals ---- */

static Quern__Count *find(const struct sched *s, const Quern__Count *c)
{
	for (size_t i = 0; i < s->totals.n; i++) {
		Quern__Count *t = s->totals.at[i];

		if (c->name != NULL ? t->name != NULL && strcmp(t->name, c->name) == 0
				    : t->has_id && t->id == c->id)
			return t;
	}
	return NULL;
}

static bool known(const struct sched *s, const Quern__Count *c)
{
	return tally_count_valid(c) &&
	       (c->name != NULL || (c->id < s->accumulators.n && s->accumulators.at[c->id]->kind == c->kind));
}

static int add_new(struct sched *s, const Quern__Count *c)
{
	size_t named = 0;

	for (size_t i = 0; i < s->totals.n; i++)
		named += s->totals.at[i]->name != NULL;
	if (c->name != NULL && named == TALLY_COUNTS)
		return sched_run_end(
			s, 1, "there are more than %d counters: '%s' is one too many", TALLY_COUNTS, c->name);
	Quern__Count *copy = sched_message_dup(&c->base);
	int r = copy == NULL ? -ENOMEM : vec_push(&s->totals, copy);
	if (r < 0 && copy != NULL)
		quern__count__free_unpacked(copy, NULL);
	return r;
}

static int add_count(struct sched *s, const Quern__Count *c)
{
	if (!known(s, c))
		return 0;
	Quern__Count *total = find(s, c);
	if (total == NULL)
		return add_new(s, c);
	total->bits = reduce_bits(tally_reduction(c), total->bits, c->bits);
	return 0;
}

static int add_bad(struct sched *s, const Quern__Tally *m)
{
	if (!m->has_bad || m->bad == 0)
		return 0;
	s->bad = m->bad > UINT64_MAX - s->bad ? UINT64_MAX : s->bad + m->bad;
	if (s->run != NULL)
		s->run->stale = true;
	for (size_t i = 0; i < m->n_texts && s->bad_texts.n < TALLY_TEXTS; i++) {
		char *copy = strndup(m->texts[i], TALLY_TEXT);
		int r = copy == NULL ? -ENOMEM : vec_push(&s->bad_texts, copy);

		if (r < 0) {
			free(copy);
			return r;
		}
	}
	return 0;
}

int sched_tally_add(struct sched *s, struct task *t, const Quern__Tally *m)
{
	bool first = !t->counted;
	int r = 0;

	t->counted = true;
	if (!first || m == NULL)
		return 0;
	for (size_t i = 0; i < m->n_counts && r == 0; i++)
		r = add_count(s, m->counts[i]);
	return r < 0 ? r : add_bad(s, m);
}

/* ---- Limits ---- */

uint64_t sched_tally_bad_left(const struct sched *s)
{
	return s->bad < s->config.max_bad_records ? s->config.max_bad_records - s->bad : 0;
}

int sched_tally_settle(struct sched *s)
{
	const size_t n = s->bad_texts.n;

	if (s->bad <= s->config.max_bad_records)
		return 0;
	return sched_run_end(s, 1, "there are %llu bad records, more than --max-bad-records %llu%s%s",
		(unsigned long long)s->bad, (unsigned long long)s->config.max_bad_records,
		n > 0 ? "; one of them: " : "", n > 0 ? s->bad_texts.at[n - 1] : "");
}

/* ---- The accumulators of the job ---- */

int sched_tally_run(struct sched *s, const Quern__Run *run)
{
	/* The list only grows, and what was there stays as it was: plan_check() knows one run alone. */
	for (size_t i = s->accumulators.n; i < run->n_accumulators; i++) {
		Quern__Accumulator *copy = sched_message_dup(&run->accumulators[i]->base);
		int r = copy == NULL ? -ENOMEM : vec_push(&s->accumulators, copy);

		if (r < 0) {
			if (copy != NULL)
				quern__accumulator__free_unpacked(copy, NULL);
			return r;
		}
	}
	return 0;
}

void sched_get_tally(const struct sched *s, struct sched_tally *ret)
{
	*ret = (struct sched_tally){ .totals = s->totals.at,
		.n_totals = s->totals.n,
		.accumulators = s->accumulators.at,
		.bad = s->bad,
		.texts = (const char *const *)s->bad_texts.at,
		.n_texts = s->bad_texts.n };
}

void sched_tally_deinit(struct sched *s)
{
	for (size_t i = 0; i < s->totals.n; i++)
		quern__count__free_unpacked(s->totals.at[i], NULL);
	for (size_t i = 0; i < s->accumulators.n; i++)
		quern__accumulator__free_unpacked(s->accumulators.at[i], NULL);
	for (size_t i = 0; i < s->bad_texts.n; i++)
		free(s->bad_texts.at[i]);
	vec_deinit(&s->totals);
	vec_deinit(&s->accumulators);
	vec_deinit(&s->bad_texts);
}
