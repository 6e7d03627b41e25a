/* kmeans.c: what examples/kmeans.c computes, by a plain loop.
 *
 *     kmeans NUMBERS K ROUNDS <POINTS: prints each centre behind the number of its points */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	size_t d = argc == 4 ? strtoul(argv[1], NULL, 10) : 0, k = argc == 4 ? strtoul(argv[2], NULL, 10) : 0,
	       n = 0, room = 0;
	long rounds = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	double *points = NULL, x, *centers = calloc(k * d, sizeof(*centers)),
	       *sums = calloc(k * d, sizeof(*sums));
	size_t *counts = calloc(k, sizeof(*counts));

	if (d == 0 || k == 0 || centers == NULL || sums == NULL || counts == NULL)
		return 1;
	while (scanf("%lf", &x) == 1) {
		if (n == room) {
			room = 2 * room + 1024;
			points = realloc(points, room * sizeof(*points));
			if (points == NULL)
				return 1;
		}
		points[n++] = x;
	}
	n /= d;
	if (n < k)
		return 1;
	memcpy(centers, points, k * d * sizeof(*centers));
	for (long round = 0; round < rounds; round++) {
		memset(sums, 0, k * d * sizeof(*sums));
		memset(counts, 0, k * sizeof(*counts));
		for (size_t p = 0; p < n; p++) {
			size_t best = 0;
			double least = 0;

			for (size_t c = 0; c < k; c++) {
				double distance = 0;

				for (size_t i = 0; i < d; i++)
					distance += (points[p * d + i] - centers[c * d + i]) *
						    (points[p * d + i] - centers[c * d + i]);
				if (c == 0 || distance < least) {
					least = distance;
					best = c;
				}
			}
			counts[best]++;
			for (size_t i = 0; i < d; i++)
				sums[best * d + i] += points[p * d + i];
		}
		for (size_t c = 0; c < k; c++)
			for (size_t i = 0; i < d && counts[c] > 0; i++)
				centers[c * d + i] = sums[c * d + i] / (double)counts[c];
	}
	for (size_t c = 0; c < k; c++) {
		(void)printf("%zu", counts[c]);
		for (size_t i = 0; i < d; i++)
			(void)printf(" %.17g", centers[c * d + i]);
		(void)putchar('\n');
	}
	return 0;
}
