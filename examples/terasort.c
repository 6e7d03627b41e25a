/* terasort.c: sorts lines by their first 10 bytes, as the TeraSort benchmark does.
 *
 *     quern run terasort.c INPUT OUTPUT */
#include <quern/quern.h>
#include <stdio.h>

enum { KEY = 10 };

static void split(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	if (line.len < KEY)
		quern_bad_record("a line of %zu bytes has no key of %d", line.len, KEY);
	quern_emit(out, quern_bytes(line.ptr, KEY), line);
}

static void line_of(quern_slice key, quern_slice line, quern_out *out, void *arg)
{
	(void)key, (void)arg;
	quern_put(out, line);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s INPUT OUTPUT\n", argv[0]);
		return 1;
	}
	quern_set *lines = quern_map(quern_text(job, argv[1]), split, NULL);
	quern_set *sorted = quern_sort_by_key(lines, QUERN_ASCENDING);

	return quern_save_text(quern_map_pairs(sorted, line_of, NULL), argv[2]);
}
