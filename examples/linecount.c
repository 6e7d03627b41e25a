/* linecount.c: how many lines there are, as `wc -l` would say (and one more where the last has no newline).
 *
 *     quern run linecount.c INPUT */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>

int quern_main(quern_job *job, int argc, char **argv)
{
	uint64_t n;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s INPUT\n", argv[0]);
		return 1;
	}
	int r = quern_count(quern_text(job, argv[1]), &n);
	if (r != 0)
		return r;
	return printf("%" PRIu64 "\n", n) < 0;
}
