/* logistic.c: logistic regression by gradient descent: learns from examples to tell two kinds of points
 * apart.
 *
 *     quern run logistic.c EXAMPLES [ROUNDS [STEP]]
 *
 * A line of EXAMPLES is "LABEL NUMBER...": a label of 0 or 1, then 15 numbers at most, as many in every line.
 * Prints the weight of each number, the constant one first, after ROUNDS (20) steps downhill of size STEP (1)
 * from weights of 0. */
#include <math.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

enum { WEIGHTS_MAX = 16 };

struct example {
	double label;
	size_t n;              /* of x[] */
	double x[WEIGHTS_MAX]; /* the first is always 1: its weight is the constant */
};

struct weights {
	size_t n;
	double at[WEIGHTS_MAX];
};

/* What some examples say together: which way the error grows. */
struct gradient {
	double examples;
	size_t n;
	double at[WEIGHTS_MAX];
};

static void get(quern_slice value, void *to, size_t size)
{
	if (value.len != size)
		quern_fail("%zu bytes instead of %zu", value.len, size);
	memcpy(to, value.ptr, size);
}

static void parse(quern_slice line, quern_out *out, void *arg)
{
	struct example e = { .n = 1, .x = { 1 } };
	quern_slice word;

	(void)arg;
	if (!quern_next_word(&line, &word))
		return; /* an empty line */
	e.label = quern_need_double(word);
	if (e.label != 0 && e.label != 1)
		quern_bad_record("a label is 0 or 1");
	while (quern_next_word(&line, &word)) {
		if (e.n == WEIGHTS_MAX)
			quern_bad_record("more than %d numbers", WEIGHTS_MAX - 1);
		e.x[e.n++] = quern_need_double(word);
	}
	quern_put(out, quern_bytes(&e, sizeof(e)));
}

static void slope(quern_slice value, quern_out *out, void *arg)
{
	const struct weights *w = arg;
	struct gradient g = { .examples = 1 };
	struct example e;
	double sum = 0;

	get(value, &e, sizeof(e));
	if (w->n != 0 && w->n != e.n)
		quern_bad_record("%zu numbers instead of %zu", e.n - 1, w->n - 1);
	for (size_t i = 0; i < e.n; i++)
		sum += w->at[i] * e.x[i];
	double error = 1 / (1 + exp(-sum)) - e.label;
	g.n = e.n;
	for (size_t i = 0; i < e.n; i++)
		g.at[i] = error * e.x[i];
	quern_put(out, quern_bytes(&g, sizeof(g)));
}

static void add(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	struct gradient x, y;

	(void)arg;
	get(a, &x, sizeof(x));
	get(b, &y, sizeof(y));
	if (x.n != y.n)
		quern_fail("there are examples of %zu numbers and of %zu", x.n - 1, y.n - 1);
	x.examples += y.examples;
	for (size_t i = 0; i < x.n; i++)
		x.at[i] += y.at[i];
	quern_put(out, quern_bytes(&x, sizeof(x)));
}

static int take(quern_slice key, quern_slice value, void *arg)
{
	(void)key;
	get(value, arg, sizeof(struct gradient));
	return 0;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	long rounds = argc >= 3 ? strtol(argv[2], NULL, 10) : 20;
	double step = argc == 4 ? strtod(argv[3], NULL) : 1;
	struct weights w = { 0 };
	int r = 0;

	if (argc < 2 || argc > 4 || rounds < 1 || !(step > 0)) {
		(void)fprintf(stderr, "usage: %s EXAMPLES [ROUNDS [STEP]]\n", argv[0]);
		return 1;
	}
	quern_set *examples =
		quern_persist(quern_flat_map(quern_text(job, argv[1]), parse, NULL), QUERN_MEMORY);

	for (long i = 0; i < rounds && r == 0; i++) {
		struct gradient g = { 0 };

		/* Each task adds up its own part; what comes here is one value. */
		r = quern_reduce(quern_map(examples, slope, QUERN_ARG(w)), add, NULL, take, &g);
		w.n = g.n;
		for (size_t j = 0; j < g.n; j++)
			w.at[j] -= step * g.at[j] / g.examples;
	}
	for (size_t i = 0; i < w.n && r == 0; i++)
		(void)printf("%.17g\n", w.at[i]);
	return r;
}
