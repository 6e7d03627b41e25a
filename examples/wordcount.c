/* wordcount.c: how often each word occurs.
 *
 *     quern run wordcount.c INPUT OUTPUT
 *
 * INPUT is a text file, a folder of them, or a glob in quotes; OUTPUT a folder that does not exist yet. Every
 * line of its part-NNNNN files is "word<TAB>count". */
#include <quern/quern.h>
#include <stdio.h>

/* Called for each line of the input, on the cluster: one record per word, with the number 1. */
static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg; /* what the NULL behind `words` below could have been */
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

/* Called once, beside `quern run`: says what is to be done. */
int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s INPUT OUTPUT\n", argv[0]);
		return 1;
	}

	/* Nothing runs here yet: a quern_set is the plan of a dataset. */
	quern_set *lines = quern_text(job, argv[1]);
	quern_set *ones = quern_flat_map(lines, words, NULL);
	quern_set *counts = quern_reduce_by_key(ones, quern_sum_u64, NULL);

	/* This does, and says on the terminal what went wrong if it returns anything but 0. */
	return quern_save_text(counts, argv[2]);
}
