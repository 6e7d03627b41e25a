/* kmeans.c: divides points into K groups, each around a centre (Lloyd's algorithm).
 *
 *     quern run kmeans.c POINTS K [ROUNDS]
 *
 * A line of POINTS is a point: 16 numbers at most, with spaces between them, as many in every line. The first
 * K points are the first centres. In each of ROUNDS (10) rounds every point goes to the centre that is
 * nearest to it, and each centre to the mean of its points. Prints the centres, one a line, each behind the
 * number of its points in the last round. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

enum { K_MAX = 100, NUMBERS_MAX = 16 };

struct point {
	size_t n; /* numbers */
	double at[NUMBERS_MAX];
};

/* What every task has to know: it is sent along with the function. */
struct centers {
	uint32_t n;
	struct point at[K_MAX];
};

/* Points on the way to one centre. */
struct sum {
	struct point total;
	uint64_t n;
};

/* A slice of the record may begin anywhere in memory: it is copied to where a struct may be. */
static void get(quern_slice value, void *to, size_t size)
{
	if (value.len != size)
		quern_fail("%zu bytes instead of %zu", value.len, size);
	memcpy(to, value.ptr, size);
}

static void parse(quern_slice line, quern_out *out, void *arg)
{
	struct point p = { 0 };
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word)) {
		if (p.n == NUMBERS_MAX)
			quern_bad_record("more than %d numbers", NUMBERS_MAX);
		p.at[p.n++] = quern_need_double(word);
	}
	quern_put(out, quern_bytes(&p, sizeof(p)));
}

static uint32_t nearest(const struct centers *centers, const struct point *p)
{
	double best = 0;
	uint32_t found = 0;

	for (uint32_t c = 0; c < centers->n; c++) {
		double distance = 0;

		if (p->n != centers->at[c].n)
			quern_bad_record("a point of %zu numbers among those of %zu", p->n, centers->at[c].n);
		for (size_t i = 0; i < p->n; i++) {
			double d = p->at[i] - centers->at[c].at[i];

			distance += d * d;
		}
		if (c == 0 || distance < best) {
			best = distance;
			found = c;
		}
	}
	return found;
}

/* The key is the number of the centre, the value the point as a sum of one. */
static void to_center(quern_slice value, quern_out *out, void *arg)
{
	struct sum sum = { .n = 1 };

	get(value, &sum.total, sizeof(sum.total));
	uint32_t center = nearest(arg, &sum.total);
	quern_emit(out, quern_bytes(&center, sizeof(center)), quern_bytes(&sum, sizeof(sum)));
}

static void add(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	struct sum x, y;

	(void)arg;
	get(a, &x, sizeof(x));
	get(b, &y, sizeof(y));
	for (size_t i = 0; i < x.total.n; i++)
		x.total.at[i] += y.total.at[i];
	x.n += y.n;
	quern_put(out, quern_bytes(&x, sizeof(x)));
}

/* ---- Here, beside quern_main() ---- */

struct model {
	struct centers centers;
	uint64_t points[K_MAX]; /* of each centre */
};

static int first_center(quern_slice key, quern_slice value, void *arg)
{
	struct model *m = arg;

	(void)key;
	get(value, &m->centers.at[m->centers.n++], sizeof(struct point));
	return 0;
}

static int move_center(quern_slice key, quern_slice value, void *arg)
{
	struct model *m = arg;
	struct sum sum;
	uint32_t c;

	get(key, &c, sizeof(c));
	get(value, &sum, sizeof(sum));
	for (size_t i = 0; i < sum.total.n; i++)
		m->centers.at[c].at[i] = sum.total.at[i] / (double)sum.n;
	m->points[c] = sum.n;
	return 0;
}

static void print(const struct model *m)
{
	for (uint32_t c = 0; c < m->centers.n; c++) {
		(void)printf("%" PRIu64, m->points[c]);
		for (size_t i = 0; i < m->centers.at[c].n; i++)
			(void)printf(" %.17g", m->centers.at[c].at[i]);
		(void)putchar('\n');
	}
}

int quern_main(quern_job *job, int argc, char **argv)
{
	static struct model model;
	long k = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;
	long rounds = argc == 4 ? strtol(argv[3], NULL, 10) : 10;

	if (argc < 3 || argc > 4 || k < 1 || k > K_MAX || rounds < 0) {
		(void)fprintf(stderr, "usage: %s POINTS K [ROUNDS], K from 1 to %d\n", argv[0], K_MAX);
		return 1;
	}
	/* Every round needs the points: they are parsed once, and stay in memory of the executors. */
	quern_set *points = quern_persist(quern_map(quern_text(job, argv[1]), parse, NULL), QUERN_MEMORY);

	int r = quern_take(points, (uint64_t)k, first_center, &model);
	for (long i = 0; i < rounds && r == 0; i++) {
		quern_set *sums = quern_reduce_by_key(
			quern_flat_map(points, to_center, QUERN_ARG(model.centers)), add, NULL);

		memset(model.points, 0, sizeof(model.points));
		r = quern_collect(sums, move_center, &model);
	}
	if (r == 0)
		print(&model);
	return r;
}
