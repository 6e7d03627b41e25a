/* sort.c: sorts lines: sort.c INPUT OUTPUT. The parts of the output, one behind the other, are what
 * `LC_ALL=C sort` gives. */
#include <quern/quern.h>

static void as_key(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, line, quern_bytes(NULL, 0));
}

static void as_line(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)value;
	(void)arg;
	quern_put(out, key);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3)
		return 2;
	quern_set *lines = quern_map(quern_text(job, argv[1]), as_key, NULL);
	quern_set *sorted = quern_sort_by_key(lines, QUERN_ASCENDING);

	return quern_save_text(quern_map_pairs(sorted, as_line, NULL), argv[2]);
}
