/* sort.c: sorts the lines of a text: `quern run sort.c INPUT OUTPUT [-r]`. The parts of the output, one
 * behind the other, are what `LC_ALL=C sort [-r]` prints. */
#include <quern/quern.h>

/* A sort goes by keys: the line is one, and needs no value. */
static void as_key(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, line, quern_bytes(NULL, 0));
}

static void as_line(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)value, (void)arg;
	quern_put(out, key);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	bool reverse = argc == 4 && strcmp(argv[3], "-r") == 0;

	if (argc != 3 && !reverse)
		quern_fail("usage: sort.c INPUT OUTPUT [-r]");
	quern_set *lines = quern_map(quern_text(job, argv[1]), as_key, NULL);
	/* Each partition gets a range of the keys, as a sample of them suggests: so the order is that of the
	 * whole, and every task sorts a part of its own. */
	quern_set *sorted = quern_sort_by_key(lines, reverse ? QUERN_DESCENDING : QUERN_ASCENDING);

	return quern_save_text(quern_map_pairs(sorted, as_line, NULL), argv[2]);
}
