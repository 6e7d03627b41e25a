/* pi.c: pi by the Monte Carlo method: of points in a square, the part that is within the circle.
 *
 *     quern run pi.c POINTS
 *
 * There is no input: the records are numbers, and each makes a point of its own. The same number makes the
 * same point however often it is asked, so the result does not depend on how many tasks there are or how
 * often one is tried. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

/* A number that looks random for each number (splitmix64). */
static uint64_t scatter(uint64_t n)
{
	n = (n + 1) * 0x9e3779b97f4a7c15;
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
	n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
	return n ^ (n >> 31);
}

static bool is_within(quern_slice number, void *arg)
{
	uint64_t n = quern_as_u64(number);
	/* From 0 to 1, in 2^32 steps. */
	double x = (double)(scatter(2 * n) >> 32) / 4294967296.0;
	double y = (double)(scatter(2 * n + 1) >> 32) / 4294967296.0;

	(void)arg;
	return x * x + y * y < 1;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	uint64_t points = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, within;

	if (points == 0) {
		(void)fprintf(stderr, "usage: %s POINTS\n", argv[0]);
		return 1;
	}
	int r = quern_count(quern_filter(quern_range(job, 0, points), is_within, NULL), &within);
	if (r == 0)
		(void)printf("%.6f: %" PRIu64 " of %" PRIu64 "\n", 4 * (double)within / (double)points,
			within, points);
	return r;
}
