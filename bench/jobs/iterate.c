/* iterate: a set that is looked at again and again: what does it cost to read and parse it each time, and
 * what when it is persisted?
 *
 *     quern run bench/jobs/iterate.c INPUT N parsed|cached|compressed [kmeans]
 *
 * INPUT has lines of numbers, as many in each: points. Each of N iterations adds all numbers up; with
 * "kmeans" it finds the nearest of four centres for every point and moves the centres to the middle of
 * theirs. It prints for each the seconds that it took, and the sum (of the distances), which is the same but
 * for its last digits however the points are had. With "cached" and "compressed" there is one more line
 * ahead, of the iteration that fills the memory. */
#include <math.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CENTRES = 4, DIMENSIONS_MAX = 64 };

struct centres {
	int n; /* dimensions */
	double at[CENTRES][DIMENSIONS_MAX];
};

/* Of the points that are nearest to a centre. */
struct sum {
	double count, distance, at[DIMENSIONS_MAX];
};

static void parse(quern_slice line, quern_out *out, void *arg)
{
	double point[DIMENSIONS_MAX];
	char text[DIMENSIONS_MAX * 32], *p = text, *end;
	size_t n = 0;

	(void)arg;
	if (line.len >= sizeof(text))
		quern_fail("a line of %zu bytes is too long", line.len);
	memcpy(text, line.ptr, line.len); /* strtod() wants its end */
	text[line.len] = '\0';
	for (; n < DIMENSIONS_MAX; n++, p = end) {
		point[n] = strtod(p, &end);
		if (end == p)
			break;
	}
	quern_put(out, quern_bytes(point, n * sizeof(point[0])));
}

static void total(quern_slice value, quern_out *out, void *arg)
{
	double number, sum = 0;

	(void)arg;
	for (size_t i = 0; i + sizeof(number) <= value.len; i += sizeof(number)) {
		memcpy(&number, value.ptr + i, sizeof(number));
		sum += number;
	}
	quern_emit_double(out, quern_str(""), sum);
}

static void nearest(quern_slice value, quern_out *out, void *arg)
{
	const struct centres *c = arg;
	double point[DIMENSIONS_MAX], least = INFINITY;
	struct sum sum = { .count = 1 };
	size_t bytes = (size_t)c->n * sizeof(point[0]);
	uint32_t best = 0;

	if (value.len != bytes)
		quern_fail("a point of %zu bytes; the first line's has %zu", value.len, bytes);
	memcpy(point, value.ptr, bytes);
	for (uint32_t k = 0; k < CENTRES; k++) {
		double distance = 0;

		for (int i = 0; i < c->n; i++)
			distance += (point[i] - c->at[k][i]) * (point[i] - c->at[k][i]);
		if (distance < least) {
			least = distance;
			best = k;
		}
	}
	sum.distance = least;
	memcpy(sum.at, point, bytes);
	quern_emit(
		out, quern_bytes(&best, sizeof(best)), quern_bytes(&sum, offsetof(struct sum, at) + bytes));
}

static void add(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	struct sum x, y;

	(void)arg;
	memcpy(&x, a.ptr, a.len);
	memcpy(&y, b.ptr, b.len);
	x.count += y.count;
	x.distance += y.distance;
	for (size_t i = 0; i < (a.len - offsetof(struct sum, at)) / sizeof(double); i++)
		x.at[i] += y.at[i];
	quern_put(out, quern_bytes(&x, a.len));
}

/* ---- quern_main()'s side ---- */

struct state {
	struct centres centres;
	double distance;
};

static int first_points(quern_slice key, quern_slice value, void *arg)
{
	static int k;
	struct centres *c = arg;

	(void)key;
	c->n = (int)(value.len / sizeof(double));
	memcpy(c->at[k++], value.ptr, value.len);
	return 0;
}

static int move(quern_slice key, quern_slice value, void *arg)
{
	struct state *s = arg;
	struct sum sum;
	uint32_t k;

	memcpy(&k, key.ptr, sizeof(k));
	memcpy(&sum, value.ptr, value.len);
	s->distance += sum.distance;
	for (int i = 0; i < s->centres.n; i++)
		s->centres.at[k][i] = sum.at[i] / sum.count;
	return 0;
}

static int take_total(quern_slice key, quern_slice value, void *arg)
{
	struct state *s = arg;

	(void)key;
	s->distance = quern_as_double(value);
	return 0;
}

static int iterate(quern_set *points, bool kmeans, struct state *s)
{
	struct timespec begin, end;
	quern_set *sums;
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	s->distance = 0;
	if (kmeans)
		sums = quern_reduce_by_key(quern_flat_map(points, nearest, QUERN_ARG(s->centres)), add, NULL);
	else
		sums = quern_reduce_by_key(quern_flat_map(points, total, NULL), quern_sum_double, NULL);
	r = quern_collect(quern_partitions(sums, 1), kmeans ? move : take_total, s);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	(void)printf("%.4f %.10g\n",
		(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
		s->distance);
	(void)fflush(stdout);
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	struct state s = { 0 };
	bool kmeans = argc == 5 && strcmp(argv[4], "kmeans") == 0;
	int r = 0;

	if (argc != 4 && !kmeans) {
		(void)fprintf(stderr, "usage: %s INPUT N parsed|cached|compressed [kmeans]\n", argv[0]);
		return 1;
	}
	bool cached = strcmp(argv[3], "cached") == 0, compressed = strcmp(argv[3], "compressed") == 0;
	quern_set *points = quern_map(quern_text(job, argv[1]), parse, NULL);
	r = quern_take(points, CENTRES, first_points, &s.centres);
	if (cached || compressed)
		points = quern_persist(points, compressed ? QUERN_MEMORY_COMPRESSED : QUERN_MEMORY);
	for (long i = cached || compressed ? -1 : 0, n = strtol(argv[2], NULL, 10); r == 0 && i < n; i++)
		r = iterate(points, kmeans, &s);
	quern_unpersist(points);
	return r;
}
