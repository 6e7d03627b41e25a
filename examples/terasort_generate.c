/* terasort_generate.c: lines to sort, as the TeraSort benchmark has them.
 *
 *     quern run terasort_generate.c LINES OUTPUT
 *
 * A line is 99 bytes: a random key of 10 printable ones, two spaces, the line's number in 32 hexadecimal
 * digits, two spaces, 53 letters. Then terasort.c sorts them, and terasort_validate.c looks whether it has.
 */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY = 10, LINE = 99 };

static uint64_t scatter(uint64_t n)
{
	n = (n + 1) * 0x9e3779b97f4a7c15;
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
	n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
	return n ^ (n >> 31);
}

static void line(quern_slice number, quern_out *out, void *arg)
{
	uint64_t n = quern_as_u64(number), random = 0;
	char text[LINE + 1];

	(void)arg;
	for (int i = 0; i < KEY; i++) {
		if (i % 5 == 0)
			random = scatter(2 * n + (uint64_t)(i / 5));
		text[i] = (char)(' ' + random % 95);
		random /= 95;
	}
	(void)snprintf(text + KEY, sizeof(text) - KEY, "  %032" PRIX64 "  ", n);
	for (int i = KEY + 36; i < LINE; i++)
		text[i] = (char)('A' + (n + (uint64_t)i / 4) % 26);
	quern_put(out, quern_bytes(text, LINE));
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s LINES OUTPUT\n", argv[0]);
		return 1;
	}
	quern_set *numbers = quern_range(job, 0, strtoull(argv[1], NULL, 10));
	return quern_save_text(quern_map(numbers, line, NULL), argv[2]);
}
