/* join.c: a large set joined with a smaller one: each link, with how many links its target has in all.
 *
 *     quern run bench/jobs/join.c LINKS OUTPUT
 *
 * LINKS has a line "from<TAB>to" for each link; pages are numbers. Lines of OUTPUT are "from<TAB>number". */
#include <quern/quern.h>
#include <stdio.h>

static void by_target(quern_slice line, quern_out *out, void *arg)
{
	const quern_slice tab = quern_str("\t");
	uint64_t to = quern_need_u64(quern_need_field(line, tab, 1));

	(void)arg;
	quern_emit_u64(out, quern_bytes(&to, sizeof(to)), quern_need_u64(quern_need_field(line, tab, 0)));
}

static void one(quern_slice to, quern_slice from, quern_out *out, void *arg)
{
	(void)from, (void)arg;
	quern_emit_u64(out, to, 1);
}

static void both(
	quern_slice to, const quern_slice *from, const quern_slice *number, quern_out *out, void *arg)
{
	(void)to, (void)arg;
	quern_emit(out, *from, *number);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s LINKS OUTPUT\n", argv[0]);
		return 1;
	}
	quern_set *links = quern_map(quern_text(job, argv[1]), by_target, NULL);
	quern_set *numbers = quern_reduce_by_key(quern_flat_map_pairs(links, one, NULL), quern_sum_u64, NULL);
	quern_set *joined = quern_join(links, numbers, both, NULL);

	return quern_save_text(quern_typed(joined, QUERN_U64, QUERN_U64), argv[2]);
}
