#include "job/tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/out.h"
#include "job/reduction.h"

_Static_assert((int)QUERN__COUNT__KIND__SUM_U64 == (int)REDUCE_SUM_U64 &&
		       (int)QUERN__COUNT__KIND__MAX_DOUBLE == (int)REDUCE_MAX_DOUBLE,
	"plan.proto says that these are the same");

void tally_bad(struct tally *t, const char *text)
{
	if (t->bad++ >= TALLY_TEXTS)
		return;
	char *to = t->texts[t->bad - 1];
	(void)snprintf(to, sizeof(t->texts[0]), "%s", text);
	for (; *to != '\0'; to++)
		if ((unsigned char)*to < ' ')
			*to = ' '; /* it is to be one line */
}

/* ---- Messages ---- */

static int add_count(Quern__Tally *m, const struct tally_count *c, uint32_t id, const char *name)
{
	Quern__Count *count = malloc(sizeof(*count));

	if (count == NULL)
		return -ENOMEM;
	quern__count__init(count);
	m->counts[m->n_counts++] = count;
	count->kind = (Quern__Count__Kind)c->kind;
	count->bits = c->bits;
	count->has_id = name == NULL;
	count->id = id;
	if (name == NULL)
		return 0;
	count->name = strdup(name);
	return count->name != NULL ? 0 : -ENOMEM;
}

static int fill_counts(const struct tally *t, Quern__Tally *m)
{
	int r = 0;

	m->counts = calloc(t->n_accumulators + t->n_counters + 1, sizeof(*m->counts));
	if (m->counts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_accumulators && r == 0; i++)
		if (t->accumulators[i].kind != REDUCE_CALL)
			r = add_count(m, &t->accumulators[i], (uint32_t)i, NULL);
	for (size_t i = 0; i < t->n_counters && r == 0; i++)
		r = add_count(m, &t->counters[i], 0, t->names[i]);
	return r;
}

static int fill_texts(const struct tally *t, Quern__Tally *m)
{
	size_t n = t->bad < TALLY_TEXTS ? (size_t)t->bad : TALLY_TEXTS;

	m->has_bad = t->bad > 0;
	m->bad = t->bad;
	m->texts = calloc(n + 1, sizeof(*m->texts));
	if (m->texts == NULL)
		return -ENOMEM;
	for (; m->n_texts < n; m->n_texts++) {
		m->texts[m->n_texts] = strdup(t->texts[m->n_texts]);
		if (m->texts[m->n_texts] == NULL)
			return -ENOMEM;
	}
	return 0;
}

bool tally_counted(const struct tally *t)
{
	return t->n_accumulators > 0 || t->n_counters > 0 || t->bad > 0;
}

int tally_message(const struct tally *t, Quern__Tally **ret)
{
	*ret = NULL;
	if (!tally_counted(t))
		return 0;
	Quern__Tally *m = malloc(sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	quern__tally__init(m);
	int r = fill_counts(t, m);
	if (r == 0)
		r = fill_texts(t, m);
	if (r == 0)
		*ret = m;
	else
		quern__tally__free_unpacked(m, NULL);
	return r;
}

/* ---- What functions call ---- */

const char *tally_type(enum reduction kind)
{
	switch (kind) {
	case REDUCE_SUM_U64:
	case REDUCE_MIN_U64:
	case REDUCE_MAX_U64:
		return "u64";
	case REDUCE_SUM_I64:
	case REDUCE_MIN_I64:
	case REDUCE_MAX_I64:
		return "i64";
	case REDUCE_SUM_DOUBLE:
	case REDUCE_MIN_DOUBLE:
	case REDUCE_MAX_DOUBLE:
		return "double";
	case REDUCE_CALL:
	default:
		return "nothing";
	}
}

static void add(quern_accumulator a, const char *type, uint64_t bits)
{
	struct tally *t = out_tally();
	enum reduction kind = (enum reduction)a.kind;

	if (t == NULL)
		return;
	if (a.id >= TALLY_COUNTS || strcmp(tally_type(kind), type) != 0)
		quern_fail("quern_add_%s(): this is no accumulator of that type, but of %s", type,
			a.id >= TALLY_COUNTS ? "nothing" : tally_type(kind));
	struct tally_count *c = &t->accumulators[a.id];
	c->bits = c->kind == REDUCE_CALL ? bits : reduce_bits(kind, c->bits, bits);
	c->kind = kind;
	if (a.id >= t->n_accumulators)
		t->n_accumulators = a.id + 1;
}

void quern_add_u64(quern_accumulator a, uint64_t n)
{
	add(a, "u64", n);
}

void quern_add_i64(quern_accumulator a, int64_t n)
{
	add(a, "i64", (uint64_t)n);
}

void quern_add_double(quern_accumulator a, double n)
{
	add(a, "double", reduce_of_double(n));
}

void quern_counter_add(const char *name, int64_t n)
{
	struct tally *t = out_tally();
	size_t i = 0;

	if (t == NULL)
		return;
	while (i < t->n_counters && strcmp(t->names[i], name) != 0)
		i++;
	if (i == t->n_counters) {
		if (i == TALLY_COUNTS || name[0] == '\0' || strlen(name) > TALLY_NAME)
			quern_fail(
				"quern_counter_add(): there are at most %d counters, with names of 1 to %d "
				"bytes: '%.*s' is none",
				TALLY_COUNTS, TALLY_NAME, TALLY_NAME, name);
		(void)strcpy(t->names[t->n_counters++], name);
		t->counters[i] = (struct tally_count){ REDUCE_SUM_I64, 0 };
	}
	t->counters[i].bits += (uint64_t)n;
}
