/* null.c: tasks that do nothing, to see what a task itself costs. null.c TEXT N: the text is read by its one
 * or few tasks, which give nothing; then N tasks count the nothing of a partition each. */
#include <quern/quern.h>
#include <stdlib.h>

static void nothing(quern_slice line, quern_out *out, void *arg)
{
	(void)line;
	(void)out;
	(void)arg;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	uint64_t n;

	if (argc != 3)
		return 2;
	quern_set *none = quern_reduce_by_key(
		quern_flat_map(quern_text(job, argv[1]), nothing, NULL), quern_sum_u64, NULL);
	return quern_count(quern_partitions(none, (uint32_t)strtoul(argv[2], NULL, 10)), &n);
}
