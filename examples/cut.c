/* cut.c: one field of each of the first lines; fields are separated by tabs.
 *
 *     quern run cut.c FIELD INPUT [LINES]
 *
 * FIELD counts from 1. However large the input is, about as much of it is read as LINES (10) of them take. */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

/* One record in, exactly one out: the field, or an empty one where the line has not so many. */
static void field(quern_slice line, quern_out *out, void *arg)
{
	const size_t *number = arg;
	quern_slice found;

	quern_put(out, quern_field(line, quern_str("\t"), *number, &found) ? found : quern_str(""));
}

static int print(quern_slice key, quern_slice value, void *arg)
{
	(void)key;
	(void)arg;
	return fwrite(value.ptr, 1, value.len, stdout) != value.len || putchar('\n') == EOF;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	size_t field_from_1 = argc >= 3 ? strtoul(argv[1], NULL, 10) : 0, number = field_from_1 - 1;
	long lines = argc == 4 ? strtol(argv[3], NULL, 10) : 10;

	if (argc < 3 || argc > 4 || field_from_1 == 0 || lines < 0) {
		(void)fprintf(stderr, "usage: %s FIELD INPUT [LINES]\n", argv[0]);
		return 1;
	}
	quern_set *fields = quern_map(quern_text(job, argv[2]), field, QUERN_ARG(number));
	return quern_take(fields, (uint64_t)lines, print, NULL);
}
