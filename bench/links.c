/* links.c: writes pages that link to each other: lines "FROM<TAB>TO", in the order of FROM, from 0.
 *
 *     bench-links PAGES SEED
 *
 * Each page has 6 links or more, 12 on average; how many more goes by a power law (Pareto's, of 2), as does
 * how often a page is linked to. A page may be linked to twice, or by itself, and some are by none. The same
 * PAGES and SEED give the same bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

enum { LINKS_MIN = 6, LINKS_MAX = 10000 };

/* Above 0, and at most 1. */
static double fraction(uint64_t *random)
{
	return (double)((random_next(random) >> 11) + 1) * 0x1p-53;
}

static uint32_t links_of_page(uint64_t *random)
{
	double n = LINKS_MIN / sqrt(fraction(random));

	return n < LINKS_MAX ? (uint32_t)n : LINKS_MAX;
}

/* Few of the pages are linked to most often: which ones is spread over all numbers by a prime, larger than
 * any. */
static uint64_t linked(uint64_t pages, uint64_t *random)
{
	double f = fraction(random);
	uint64_t nth = (uint64_t)(f * f * f * (double)pages);

	return (nth < pages ? nth : pages - 1) * 2654435761u % pages;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fputs("Usage: bench-links PAGES SEED\n", stderr);
		return 2;
	}
	uint64_t pages = strtoull(argv[1], NULL, 10), random = strtoull(argv[2], NULL, 10);
	if (pages == 0 || pages > INT32_MAX) {
		(void)fprintf(stderr, "bench-links: PAGES: 1 to %d\n", INT32_MAX);
		return 2;
	}
	for (uint64_t from = 0; from < pages; from++) {
		for (uint32_t n = links_of_page(&random); n > 0; n--)
			(void)printf("%" PRIu64 "\t%" PRIu64 "\n", from, linked(pages, &random));
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("bench-links");
		return 1;
	}
	return 0;
}
