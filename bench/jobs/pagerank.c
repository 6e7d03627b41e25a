/* pagerank.c: how much pages matter, by who links to them.
 *
 *     quern run bench/jobs/pagerank.c LINKS N OUTPUT
 *
 * LINKS has a line "from<TAB>to" for each link; pages are numbers. Every page has the rank 1 at first. Then,
 * N times, it divides its rank among the pages that it links to, and its next one is 0.15 and 0.85 times what
 * it was given. Pages without links give nothing. Lines of OUTPUT are "page<TAB>rank". */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

static void parse(quern_slice line, quern_out *out, void *arg)
{
	const quern_slice tab = quern_str("\t");
	uint64_t from = quern_need_u64(quern_need_field(line, tab, 0));

	(void)arg;
	quern_emit_u64(out, quern_bytes(&from, sizeof(from)), quern_need_u64(quern_need_field(line, tab, 1)));
}

/* All links of a page become one record: the page, and the numbers of those that it links to. */
static void gather(quern_slice page, quern_values *values, quern_out *out, void *arg)
{
	size_t n = 0, room = 0;
	uint64_t *to = NULL;
	quern_slice value;

	(void)arg;
	while (quern_next_value(values, &value)) {
		if (n == room) {
			room = room > 0 ? 2 * room : 16;
			to = realloc(to, room * sizeof(*to));
			if (to == NULL)
				quern_fail("out of memory");
		}
		to[n++] = quern_as_u64(value);
	}
	quern_emit(out, page, quern_bytes(to, n * sizeof(*to)));
	free(to);
}

static double rank(double given)
{
	return 0.15 + 0.85 * given;
}

/* A page of this rank gives each page that it links to its share. */
static void share(quern_slice links, double rank, quern_out *out)
{
	size_t n = links.len / sizeof(uint64_t);

	for (size_t i = 0; i < n; i++)
		quern_emit_double(out, quern_bytes(links.ptr + i * sizeof(uint64_t), sizeof(uint64_t)),
			rank / (double)n);
}

static void share_first(quern_slice page, quern_slice links, quern_out *out, void *arg)
{
	(void)page, (void)arg;
	share(links, 1, out);
}

/* What a page was given: nothing, if nobody links to it. */
static double sum(quern_values *given)
{
	quern_slice value;

	return quern_next_value(given, &value) ? quern_as_double(value) : 0;
}

static void share_again(quern_slice page, quern_values *links, quern_values *given, quern_out *out, void *arg)
{
	quern_slice to;

	(void)page, (void)arg;
	if (quern_next_value(links, &to))
		share(to, rank(sum(given)), out);
}

static void rank_of(quern_slice page, quern_values *links, quern_values *given, quern_out *out, void *arg)
{
	(void)links, (void)arg;
	quern_emit_double(out, page, rank(sum(given)));
}

int quern_main(quern_job *job, int argc, char **argv)
{
	long n = argc == 4 ? strtol(argv[2], NULL, 10) : 0;

	if (n < 1) {
		(void)fprintf(stderr, "usage: %s LINKS N OUTPUT\n", argv[0]);
		return 1;
	}
	/* Divided by page once, and kept so. What pages are given is divided in the same way: a cogroup of
	 * both moves nothing, so each iteration has one shuffle, that of the shares. */
	quern_set *edges = quern_map(quern_text(job, argv[1]), parse, NULL);
	quern_set *links = quern_group_by_key(edges, gather, NULL);
	quern_set *shares = quern_flat_map_pairs(links, share_first, NULL);
	quern_set *given = quern_reduce_by_key(shares, quern_sum_double, NULL);

	for (long i = 1; i < n; i++) {
		shares = quern_cogroup(links, given, share_again, NULL);
		given = quern_reduce_by_key(shares, quern_sum_double, NULL);
	}
	quern_set *ranks = quern_cogroup(links, given, rank_of, NULL);
	return quern_save_text(quern_typed(ranks, QUERN_U64, QUERN_DOUBLE), argv[3]);
}
