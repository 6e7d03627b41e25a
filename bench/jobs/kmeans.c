/* kmeans.c: finds K centres of points: N times each point goes to the centre that is nearest, and each centre
 * to the middle of its points.
 *
 *     quern run bench/jobs/kmeans.c POINTS K N
 *
 * POINTS has lines of numbers, as many in each (up to 64). The first K points are the first centres. Prints
 * the centres. */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIMENSIONS_MAX = 64, CENTRES_MAX = 1000, BLOCK = 4096 /* points */ };

/* All centres, one behind the other: what each iteration gives the next. */
struct centres {
	size_t k, dimensions;
	double at[];
};

/* The number that is all of `word`. Most are plain: of up to 15 digits, perhaps with a point. Those are
 * done here, in less time: the quotient of two numbers that a double holds exactly is the double nearest to
 * what is written. */
static double number(quern_slice word)
{
	static const double tens[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
		1e14, 1e15 };
	bool negative = word.len > 0 && word.ptr[0] == '-';
	size_t begin = negative, i = begin, point = word.len;
	uint64_t digits = 0;

	for (; i < word.len && word.len <= 16; i++) {
		unsigned digit = (unsigned)word.ptr[i] - '0';

		if (digit <= 9)
			digits = digits * 10 + digit;
		else if (word.ptr[i] == '.' && point == word.len)
			point = i;
		else
			break;
	}
	if (i == word.len && i > begin + (point < i ? 1 : 0)) {
		double n = (double)digits / tens[point < i ? i - point - 1 : 0];
		return negative ? -n : n;
	}
	return quern_need_double(word);
}

/* The numbers of a line, of which there are to be so many; 0: any number. Returns how many there are. */
static size_t parse(quern_slice line, double *point, size_t dimensions)
{
	quern_slice word;
	size_t n = 0;

	for (; quern_next_word(&line, &word); n++) {
		if (n == DIMENSIONS_MAX)
			quern_fail("a point of more than %d numbers", DIMENSIONS_MAX);
		point[n] = number(word);
	}
	if (n == 0 || (dimensions > 0 && n != dimensions))
		quern_fail("a point of %zu numbers, but the first has %zu", n, dimensions);
	return n;
}

/* Lines become blocks: records with the numbers of many points. What looks at them does not parse again, and
 * the price of a record, which is about that of looking at a point, is paid once for all of them. */
static void parse_all(uint32_t partition, quern_records *lines, quern_out *out, void *arg)
{
	const size_t *dimensions = arg;
	double *block = malloc(BLOCK * *dimensions * sizeof(*block));
	quern_slice key, line;
	size_t n = 0;

	(void)partition;
	if (block == NULL)
		quern_fail("out of memory");
	while (quern_next(lines, &key, &line)) {
		(void)parse(line, block + n * *dimensions, *dimensions);
		if (++n == BLOCK) {
			quern_put(out, quern_bytes(block, n * *dimensions * sizeof(block[0])));
			n = 0;
		}
	}
	if (n > 0)
		quern_put(out, quern_bytes(block, n * *dimensions * sizeof(block[0])));
	free(block);
}

/* The first numbers of all centres, then the second ones, and so on: the compiler takes several centres at
 * once. */
static double *across_new(const struct centres *c)
{
	double *across = malloc(c->k * c->dimensions * sizeof(*across));

	if (across == NULL)
		quern_fail("out of memory");
	for (size_t k = 0; k < c->k; k++)
		for (size_t i = 0; i < c->dimensions; i++)
			across[i * c->k + k] = c->at[k * c->dimensions + i];
	return across;
}

static size_t nearest(const struct centres *c, const double *across, const double *point)
{
	double distance[CENTRES_MAX];
	size_t best = 0;

	memset(distance, 0, c->k * sizeof(distance[0]));
	for (size_t i = 0; i < c->dimensions; i++, across += c->k)
		for (size_t k = 0; k < c->k; k++)
			distance[k] += (point[i] - across[k]) * (point[i] - across[k]);
	for (size_t k = 1; k < c->k; k++)
		best = distance[k] < distance[best] ? k : best;
	return best;
}

/* Of each centre: how many points are nearest to it, and then the sums of their numbers. */
static double *sums_new(const struct centres *c)
{
	double *sums = calloc(c->k * (1 + c->dimensions), sizeof(*sums));

	if (sums == NULL)
		quern_fail("out of memory");
	return sums;
}

/* One record for all points of a partition: their sums. */
static void sum_up(uint32_t partition, quern_records *blocks, quern_out *out, void *arg)
{
	const struct centres *c = arg;
	double point[DIMENSIONS_MAX], *sums = sums_new(c), *across = across_new(c);
	const size_t size = c->dimensions * sizeof(point[0]);
	quern_slice key, block;

	(void)partition;
	while (quern_next(blocks, &key, &block)) {
		for (; block.len > 0; block.ptr += size, block.len -= size) {
			memcpy(point, block.ptr, size); /* which is aligned then */
			double *sum = sums + nearest(c, across, point) * (1 + c->dimensions);
			sum[0]++;
			for (size_t i = 0; i < c->dimensions; i++)
				sum[1 + i] += point[i];
		}
	}
	quern_put(out, quern_bytes(sums, c->k * (1 + c->dimensions) * sizeof(*sums)));
	free(sums);
	free(across);
}

/* ---- quern_main()'s side ---- */

/* The first points, one behind the other. */
struct first {
	size_t n, dimensions;
	double *at;
};

static int take_point(quern_slice key, quern_slice line, void *arg)
{
	struct first *f = arg;

	(void)key;
	f->dimensions = parse(line, f->at + f->n * f->dimensions, f->dimensions);
	f->n++;
	return 0;
}

/* The centres that begin where the first points of `lines` are. NULL: failed. */
static struct centres *centres_new(quern_set *lines, size_t k)
{
	struct first f = { .at = calloc(k, DIMENSIONS_MAX * sizeof(double)) };
	struct centres *c = NULL;

	if (f.at == NULL)
		quern_fail("out of memory");
	if (quern_take(lines, k, take_point, &f) == 0) {
		if (f.n < k)
			quern_fail("there are only %zu points", f.n);
		c = malloc(sizeof(*c) + k * f.dimensions * sizeof(c->at[0]));
		if (c == NULL)
			quern_fail("out of memory");
		*c = (struct centres){ .k = k, .dimensions = f.dimensions };
		memcpy(c->at, f.at, k * f.dimensions * sizeof(c->at[0]));
	}
	free(f.at);
	return c;
}

/* Adds a partition's sums to those of the others. */
static int add(quern_slice key, quern_slice value, void *arg)
{
	double *sums = arg, number;

	(void)key;
	for (size_t i = 0; i < value.len / sizeof(number); i++) {
		memcpy(&number, value.ptr + i * sizeof(number), sizeof(number));
		sums[i] += number;
	}
	return 0;
}

/* Each centre goes to the middle of its points; one without points stays. */
static int iterate(quern_set *blocks, struct centres *c)
{
	const quern_slice centres = quern_bytes(c, sizeof(*c) + c->k * c->dimensions * sizeof(c->at[0]));
	double *sums = sums_new(c);
	int r = quern_collect(quern_map_partitions(blocks, sum_up, &centres), add, sums);

	for (size_t k = 0; r == 0 && k < c->k; k++) {
		const double *sum = sums + k * (1 + c->dimensions);

		for (size_t i = 0; i < c->dimensions && sum[0] > 0; i++)
			c->at[k * c->dimensions + i] = sum[1 + i] / sum[0];
	}
	free(sums);
	return r;
}

static int print(const struct centres *c)
{
	for (size_t k = 0; k < c->k; k++) {
		for (size_t i = 0; i < c->dimensions; i++) {
			if (printf("%s%.17g", i > 0 ? " " : "", c->at[k * c->dimensions + i]) < 0)
				return 1;
		}
		if (putchar('\n') == EOF)
			return 1;
	}
	return 0;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	long k = argc == 4 ? strtol(argv[2], NULL, 10) : 0, n = argc == 4 ? strtol(argv[3], NULL, 10) : 0;

	if (k < 1 || k > CENTRES_MAX || n < 1) {
		(void)fprintf(stderr, "usage: %s POINTS K N, K up to %d\n", argv[0], CENTRES_MAX);
		return 1;
	}
	quern_set *lines = quern_text(job, argv[1]);
	struct centres *c = centres_new(lines, (size_t)k);
	if (c == NULL)
		return 1;
	/* Persisted: the first iteration reads and parses, the others find the blocks in memory. */
	quern_set *blocks =
		quern_persist(quern_map_partitions(lines, parse_all, QUERN_ARG(c->dimensions)), QUERN_MEMORY);
	int r = 0;
	for (; r == 0 && n > 0; n--)
		r = iterate(blocks, c);
	if (r == 0)
		r = print(c);
	free(c);
	return r;
}
