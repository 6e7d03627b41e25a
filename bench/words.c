/* words.c: writes text to count: lines of words, of which few are frequent and most are rare, as in life.
 *
 *     bench-words BYTES SEED
 *
 * How often a word comes goes by Zipf's law, roughly: its rank is drawn uniformly on a logarithmic scale,
 * from 500,000 words of 2 to 12 letters. The last line ends where there are BYTES or a few more. The same
 * BYTES and SEED give the same bytes. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

enum { WORDS = 500000, LINE = 12 /* words */, LONGEST = 12 };

/* The letters of the word of that rank: the frequent ones are short. */
static size_t word(uint64_t rank, char *to)
{
	uint64_t state = rank + 1;
	uint64_t bits = random_next(&state);
	size_t n = 2 + (size_t)(log2((double)rank + 1) / 4) + bits % 6;

	n = n < LONGEST ? n : LONGEST;
	for (size_t i = 0; i < n; i++) {
		bits = i % 8 == 0 ? random_next(&state) : bits >> 8;
		to[i] = (char)('a' + (bits & 0xff) % 26);
	}
	return n;
}

int main(int argc, char **argv)
{
	char text[LONGEST + 1];
	uint64_t written = 0;

	if (argc != 3) {
		(void)fputs("Usage: bench-words BYTES SEED\n", stderr);
		return 2;
	}
	uint64_t bytes = strtoull(argv[1], NULL, 10), random = strtoull(argv[2], NULL, 10);
	for (uint64_t i = 0; written < bytes; i++) {
		double f = (double)(random_next(&random) >> 11) * 0x1p-53;
		size_t n = word((uint64_t)exp2(f * log2(WORDS)), text);

		written += n + 1;
		text[n] = i % LINE == LINE - 1 || written >= bytes ? '\n' : ' ';
		if (fwrite(text, 1, n + 1, stdout) != n + 1)
			break;
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("bench-words");
		return 1;
	}
	return 0;
}
