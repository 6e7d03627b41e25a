/* A pattern becomes a small program that is run for all its ways at once, a character of the name at a time:
 * no pattern takes long. */
#include "hdfs_client/glob.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum {
	BRACES_MAX = 32,        /* within each other */
	REPLACEMENT = 0x110000, /* beyond Unicode: a byte that is not UTF-8 is this and its value */
};

struct range {
	uint32_t from, to;
};

struct step {
	enum { ONE, ANY, SET, BOTH, JUMP, END } what;
	uint32_t a;  /* ONE: the character; SET: the first of its ranges; BOTH, JUMP: where to */
	uint32_t b;  /* SET: how many; BOTH: where to, as well */
	bool others; /* SET: all that are not in it */
};

struct hdfs_name_glob {
	VEC(struct step) steps;
	VEC(struct range) ranges;
	uint32_t *now, *next, *todo; /* steps where a match has come to */
	uint32_t *seen;              /* for each step, in which round it was added last */
};

struct open_brace {
	uint32_t fork;  /* BOTH before the alternative that is being read */
	uint32_t jumps; /* the last JUMP behind one, chained by `a`; UINT32_MAX: none */
};

/* Where the pattern is read. */
struct reading {
	const char *at, *end;
	struct hdfs_name_glob *g;
	struct open_brace open[BRACES_MAX];
	unsigned n_open;
};

/* ---- Characters ---- */

/* Takes one off *at; there is at least one byte. One that is written longer than it need be is none: it might
 * be a '*'. */
static uint32_t take_char(const char **at, const char *end)
{
	static const uint32_t least[] = { [1] = 0, [2] = 0x80, [3] = 0x800, [4] = 0x10000 };
	const unsigned char *p = (const unsigned char *)*at;
	unsigned n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 1;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	bool good = (size_t)(end - *at) >= n && (n > 1 || p[0] < 0x80);
	for (unsigned i = 1; good && i < n; i++) {
		good = (p[i] & 0xc0) == 0x80;
		c = c << 6 | (p[i] & 0x3f);
	}
	good = good && c >= least[n] && c < REPLACEMENT;
	*at += good ? n : 1;
	return good ? c : (uint32_t)REPLACEMENT + p[0];
}

bool hdfs_glob_is(const char *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] == '\\')
			i++;
		else if (strchr("*?[{", pattern[i]) != NULL)
			return true;
	}
	return false;
}

char *hdfs_glob_literal(const char *pattern, size_t len)
{
	char *ret = malloc(len + 1), *to = ret;

	if (ret == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] == '\\' && i + 1 < len)
			i++;
		*to++ = pattern[i];
	}
	*to = '\0';
	return ret;
}

/* ---- A program from a pattern ---- */

static int emit(struct reading *r, struct step s)
{
	return vec_push(&r->g->steps, s);
}

static uint32_t here(const struct reading *r)
{
	return (uint32_t)r->g->steps.n;
}

/* A character of a set, without its backslash. */
static int set_char(struct reading *r, uint32_t *ret, struct err *err)
{
	if (*r->at == '\\' && ++r->at == r->end)
		return err_set(err, -EINVAL, "a pattern ends with '\\'");
	*ret = take_char(&r->at, r->end);
	return 0;
}

static int read_range(struct reading *r, struct err *err)
{
	struct range range;
	int k = set_char(r, &range.from, err);

	if (k < 0)
		return k;
	range.to = range.from;
	if (r->end - r->at >= 2 && r->at[0] == '-' && r->at[1] != ']') {
		r->at++;
		k = set_char(r, &range.to, err);
		if (k < 0)
			return k;
		if (range.to < range.from)
			return err_set(err, -EINVAL, "the end of a range in '[' comes before its start");
	}
	return vec_push(&r->g->ranges, range) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* After '['. */
static int read_set(struct reading *r, struct err *err)
{
	struct step s = { .what = SET, .a = (uint32_t)r->g->ranges.n };
	int k;

	if (r->at < r->end && (*r->at == '^' || *r->at == '!')) {
		s.others = true;
		r->at++;
	}
	do { /* a ']' at the start is one of the set */
		if (r->at == r->end)
			return err_set(err, -EINVAL, "a '[' is not closed");
		k = read_range(r, err);
		if (k < 0)
			return k;
	} while (r->at == r->end || *r->at != ']');
	r->at++;
	s.b = (uint32_t)r->g->ranges.n - s.a;
	return emit(r, s) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int open_brace(struct reading *r, struct err *err)
{
	if (r->n_open == BRACES_MAX)
		return err_set(err, -EINVAL, "more than %d '{' in each other", BRACES_MAX);
	r->open[r->n_open++] = (struct open_brace){ .fork = here(r), .jumps = UINT32_MAX };
	return emit(r, (struct step){ .what = BOTH, .a = here(r) + 1 }) < 0
		       ? err_set(err, -ENOMEM, "out of memory")
		       : 0;
}

static int next_alternative(struct reading *r, struct err *err)
{
	struct open_brace *o = &r->open[r->n_open - 1];

	int k = emit(r, (struct step){ .what = JUMP, .a = o->jumps });
	o->jumps = here(r) - 1;
	r->g->steps.at[o->fork].b = here(r);
	o->fork = here(r);
	if (k == 0)
		k = emit(r, (struct step){ .what = BOTH, .a = here(r) + 1 });
	return k < 0 ? err_set(err, k, "out of memory") : 0;
}

static void close_brace(struct reading *r)
{
	const struct open_brace *o = &r->open[--r->n_open];
	struct step *steps = r->g->steps.at;

	steps[o->fork].b = steps[o->fork].a; /* the last one: nothing else is left */
	for (uint32_t i = o->jumps, next; i != UINT32_MAX; i = next) {
		next = steps[i].a;
		steps[i].a = here(r);
	}
}

/* '*': as often as one likes, any character. */
static int emit_star(struct reading *r)
{
	uint32_t start = here(r);
	int k = emit(r, (struct step){ .what = BOTH, .a = start + 1, .b = start + 3 });

	if (k == 0)
		k = emit(r, (struct step){ .what = ANY });
	return k == 0 ? emit(r, (struct step){ .what = JUMP, .a = start }) : k;
}

static int read_one(struct reading *r, struct err *err)
{
	uint32_t c = take_char(&r->at, r->end);
	int k;

	switch (c) {
	case '[':
		return read_set(r, err);
	case '{':
		return open_brace(r, err);
	case ',':
		if (r->n_open > 0)
			return next_alternative(r, err);
		k = emit(r, (struct step){ .what = ONE, .a = c });
		break;
	case '}':
		if (r->n_open > 0) {
			close_brace(r);
			return 0;
		}
		k = emit(r, (struct step){ .what = ONE, .a = c });
		break;
	case '*':
		k = emit_star(r);
		break;
	case '?':
		k = emit(r, (struct step){ .what = ANY });
		break;
	case '\\':
		if (r->at == r->end)
			return err_set(err, -EINVAL, "a pattern ends with '\\'");
		c = take_char(&r->at, r->end);
		/* fall through */
	default:
		k = emit(r, (struct step){ .what = ONE, .a = c });
	}
	return k < 0 ? err_set(err, k, "out of memory") : 0;
}

int hdfs_name_glob_new(const char *pattern, size_t len, struct hdfs_name_glob **ret, struct err *err)
{
	auto_hdfs_name_glob struct hdfs_name_glob *g = calloc(1, sizeof(*g));
	struct reading r = { .at = pattern, .end = pattern + len, .g = g };

	if (g == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (len > UINT32_MAX / 8)
		return err_set(err, -EINVAL, "a pattern of %zu bytes is too long", len);
	while (r.at < r.end) {
		int k = read_one(&r, err);
		if (k < 0)
			return k;
	}
	if (r.n_open > 0)
		return err_set(err, -EINVAL, "a '{' is not closed");
	if (emit(&r, (struct step){ .what = END }) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	/* A step is in `now` and `next` at most once, and in `todo` at most twice: one step leads to it, and
	 * one by a jump. */
	g->now = calloc(g->steps.n * 5, sizeof(*g->now));
	if (g->now == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	g->next = g->now + g->steps.n;
	g->seen = g->next + g->steps.n;
	g->todo = g->seen + g->steps.n;
	*ret = g;
	g = NULL;
	return 0;
}

struct hdfs_name_glob *hdfs_name_glob_free(struct hdfs_name_glob *g)
{
	if (g == NULL)
		return NULL;
	vec_deinit(&g->steps);
	vec_deinit(&g->ranges);
	free(g->next < g->now ? g->next : g->now); /* one piece of memory; the two change places */
	free(g);
	return NULL;
}

/* ---- Running it ---- */

/* Adds `step`, and where one gets from it without a character. */
static size_t add(struct hdfs_name_glob *g, uint32_t *list, size_t n, uint32_t step, uint32_t round)
{
	size_t n_todo = 0;

	g->todo[n_todo++] = step;
	while (n_todo > 0) {
		uint32_t i = g->todo[--n_todo];
		const struct step *s = &g->steps.at[i];

		if (g->seen[i] == round)
			continue;
		g->seen[i] = round;
		if (s->what == BOTH)
			g->todo[n_todo++] = s->b;
		if (s->what == BOTH || s->what == JUMP)
			g->todo[n_todo++] = s->a;
		else
			list[n++] = i;
	}
	return n;
}

static bool takes(const struct hdfs_name_glob *g, const struct step *s, uint32_t c)
{
	switch (s->what) {
	case ONE:
		return s->a == c;
	case ANY:
		return true;
	case SET:
		for (uint32_t i = 0; i < s->b; i++)
			if (c >= g->ranges.at[s->a + i].from && c <= g->ranges.at[s->a + i].to)
				return !s->others;
		return s->others;
	default:
		return false;
	}
}

bool hdfs_name_glob_match(struct hdfs_name_glob *g, const char *name)
{
	const char *end = name + strlen(name);
	uint32_t round = 1;

	memset(g->seen, 0, g->steps.n * sizeof(*g->seen));
	size_t n = add(g, g->now, 0, 0, round);
	while (name < end && n > 0) {
		uint32_t c = take_char(&name, end);
		size_t n_next = 0;

		round++;
		for (size_t i = 0; i < n; i++)
			if (takes(g, &g->steps.at[g->now[i]], c))
				n_next = add(g, g->next, n_next, g->now[i] + 1, round);
		uint32_t *t = g->now;
		g->now = g->next;
		g->next = t;
		n = n_next;
	}
	for (size_t i = 0; i < n; i++)
		if (name == end && g->steps.at[g->now[i]].what == END)
			return true;
	return false;
}
