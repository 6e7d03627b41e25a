/* points.c: writes points to iterate over: lines of ten numbers, around one of four places each.
 *
 *     bench-points N SEED
 *
 * The same N and SEED give the same bytes; a line has 100 of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

enum { DIMENSIONS = 10, PLACES = 4 };

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fputs("Usage: bench-points N SEED\n", stderr);
		return 2;
	}
	uint64_t n = strtoull(argv[1], NULL, 10), random = strtoull(argv[2], NULL, 10);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t place = random_next(&random) % PLACES;

		for (int d = 0; d < DIMENSIONS; d++) {
			uint64_t r = random_next(&random);

			/* Thousandths; around 100, 200, ... with another place's order in each dimension. */
			uint64_t at = (place + (uint64_t)d) % PLACES * 100 + 100 + r % 50;
			(void)printf("%s%" PRIu64 ".%05" PRIu64, d > 0 ? " " : "", at, (r >> 32) % 100000);
		}
		(void)putchar('\n');
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("bench-points");
		return 1;
	}
	return 0;
}
