/* kmeans.c: k-means by a plain loop: what that of others is compared with.
 *
 *     plain-kmeans POINTS K N
 *
 * POINTS has lines of numbers, as many in each. The first K points are the first centres. In each of N
 * iterations every point goes to the centre that is nearest (of equally near ones the first), then every
 * centre to the middle of its points; one without points stays. Prints the centres. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct points {
	double *at;
	size_t n, room; /* numbers */
	size_t dimensions;
};

static void *need(void *memory)
{
	if (memory == NULL) {
		perror("plain-kmeans");
		exit(1);
	}
	return memory;
}

static void add(struct points *p, const char *line)
{
	char *end;

	for (double number = strtod(line, &end); end != line; number = strtod(line, &end)) {
		if (p->n == p->room) {
			p->room = p->room > 0 ? 2 * p->room : 1 << 16;
			p->at = need(realloc(p->at, p->room * sizeof(*p->at)));
		}
		p->at[p->n++] = number;
		line = end;
	}
	if (p->dimensions == 0)
		p->dimensions = p->n;
}

static size_t nearest(const double *point, const double *centres, size_t k, size_t dimensions)
{
	double least = INFINITY;
	size_t best = 0;

	for (size_t c = 0; c < k; c++) {
		double distance = 0;

		for (size_t i = 0; i < dimensions; i++) {
			double d = point[i] - centres[c * dimensions + i];

			distance += d * d;
		}
		if (distance < least) {
			least = distance;
			best = c;
		}
	}
	return best;
}

static void iterate(const struct points *p, double *centres, size_t k)
{
	size_t dimensions = p->dimensions;
	double *sums = need(calloc(k * dimensions, sizeof(*sums))),
	       *counts = need(calloc(k, sizeof(*counts)));

	for (size_t at = 0; at < p->n; at += dimensions) {
		size_t c = nearest(p->at + at, centres, k, dimensions);

		counts[c]++;
		for (size_t i = 0; i < dimensions; i++)
			sums[c * dimensions + i] += p->at[at + i];
	}
	for (size_t i = 0; i < k * dimensions; i++) {
		if (counts[i / dimensions] > 0)
			centres[i] = sums[i] / counts[i / dimensions];
	}
	free(sums);
	free(counts);
}

int main(int argc, char **argv)
{
	struct points p = { 0 };
	char *line = NULL;
	size_t room = 0;

	if (argc != 4) {
		(void)fputs("Usage: plain-kmeans POINTS K N\n", stderr);
		return 2;
	}
	FILE *in = need(fopen(argv[1], "re"));
	while (getline(&line, &room, in) >= 0)
		add(&p, line);
	free(line);
	(void)fclose(in);
	size_t k = strtoul(argv[2], NULL, 10);
	if (k == 0 || p.dimensions == 0 || p.n % p.dimensions != 0 || p.n / p.dimensions < k) {
		(void)fputs("plain-kmeans: too few points, or not all of as many numbers\n", stderr);
		return 1;
	}
	double *centres = need(malloc(k * p.dimensions * sizeof(*centres)));
	memcpy(centres, p.at, k * p.dimensions * sizeof(*centres));
	for (long n = strtol(argv[3], NULL, 10); n > 0; n--)
		iterate(&p, centres, k);
	for (size_t i = 0; i < k * p.dimensions; i++)
		(void)printf("%.17g%c", centres[i], (i + 1) % p.dimensions == 0 ? '\n' : ' ');
	free(centres);
	free(p.at);
	return fflush(stdout) != 0;
}
