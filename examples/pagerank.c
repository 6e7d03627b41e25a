/* pagerank.c: how important each page is: pages that important pages link to.
 *
 *     quern run pagerank.c LINKS OUTPUT [ROUNDS]
 *
 * A line of LINKS is "PAGE PAGE": the first links to the second. A line of the output is "PAGE<TAB>RANK".
 * Every page begins with rank 1. In each of ROUNDS (10) rounds it gives its rank to the pages that it links
 * to, in equal parts, and gets 0.15 + 0.85 * (what it was given). A page that links nowhere keeps what it has
 * got to itself. */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

static const double DAMPING = 0.85;

static void link(quern_slice line, quern_out *out, void *arg)
{
	quern_slice from, to;

	(void)arg;
	if (!quern_next_word(&line, &from))
		return; /* an empty line */
	if (!quern_next_word(&line, &to))
		quern_fail("no second page in '%.*s'", (int)from.len, from.ptr);
	quern_emit(out, from, to);
}

/* All the pages that one links to, as one value: with spaces between them. */
static void list(quern_slice page, quern_values *targets, quern_out *out, void *arg)
{
	char *all = NULL, *more;
	size_t len = 0, room = 0;
	quern_slice target;

	(void)arg;
	while (quern_next_value(targets, &target)) {
		if (len + target.len + 1 > room) {
			room = 2 * (len + target.len + 1);
			more = realloc(all, room);
			if (more == NULL)
				quern_fail("no memory for the links of a page");
			all = more;
		}
		memcpy(all + len, target.ptr, target.len);
		len += target.len;
		all[len++] = ' ';
	}
	quern_emit(out, page, quern_bytes(all, len));
	free(all);
}

/* What a page was given makes its rank. */
static double rank(quern_slice given)
{
	return 1 - DAMPING + DAMPING * quern_as_double(given);
}

/* At first every page is given 1, which makes a rank of 1. */
static void give_one(quern_slice page, quern_slice targets, quern_out *out, void *arg)
{
	(void)targets, (void)arg;
	quern_emit_double(out, page, 1);
}

/* A page gives its rank away. It gives itself nothing, so that it is there in the next round even if no other
 * page links to it. */
static void give(
	quern_slice page, const quern_slice *targets, const quern_slice *given, quern_out *out, void *arg)
{
	quern_slice left = *targets, target;
	double links = 0;

	(void)arg;
	while (quern_next_word(&left, &target))
		links++;
	for (left = *targets; quern_next_word(&left, &target);)
		quern_emit_double(out, target, rank(*given) / links);
	quern_emit_double(out, page, 0);
}

static void as_rank(quern_slice page, quern_slice given, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit_double(out, page, rank(given));
}

int quern_main(quern_job *job, int argc, char **argv)
{
	long rounds = argc == 4 ? strtol(argv[3], NULL, 10) : 10;

	if (argc < 3 || argc > 4 || rounds < 1) {
		(void)fprintf(stderr, "usage: %s LINKS OUTPUT [ROUNDS]\n", argv[0]);
		return 1;
	}
	quern_set *lines = quern_text(job, argv[1]);
	quern_set *links = quern_group_by_key(quern_flat_map(lines, link, NULL), list, NULL);
	quern_set *given = quern_map_pairs(links, give_one, NULL);

	/* This only writes down what is to be done, each round behind the last. The links are moved to where
	 * the join wants them once, for all rounds; what a reduction made is already there. */
	for (long i = 0; i < rounds; i++)
		given = quern_reduce_by_key(quern_join(links, given, give, NULL), quern_sum_double, NULL);

	quern_set *ranks = quern_typed(quern_map_pairs(given, as_rank, NULL), QUERN_BYTES, QUERN_DOUBLE);
	return quern_save_text(ranks, argv[2]);
}
