/* top_words.c: the N words that occur most, with their counts, the most frequent first.
 *
 *     quern run top_words.c INPUT [N [LEAST]]
 *
 * The counting is that of wordcount.c. Each task then picks the N best of its counts, and the best of those
 * are picked here: nothing is sorted that is not printed. With LEAST, words that occur less often do not
 * count. Of equally frequent words the last in the alphabet comes first. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

static bool is_frequent(quern_slice word, quern_slice count, void *arg)
{
	const uint64_t *least = arg; /* aligned for any type */

	(void)word;
	return quern_as_u64(count) >= *least;
}

static int print(quern_slice word, quern_slice count, void *arg)
{
	(void)arg;
	return printf("%" PRIu64 "\t", quern_as_u64(count)) < 0 ||
	       fwrite(word.ptr, 1, word.len, stdout) != word.len || putchar('\n') == EOF;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	uint64_t n = argc >= 3 ? strtoull(argv[2], NULL, 10) : 10;
	uint64_t least = argc == 4 ? strtoull(argv[3], NULL, 10) : 1;

	if (argc < 2 || argc > 4 || n == 0) {
		(void)fprintf(stderr, "usage: %s INPUT [N [LEAST]]\n", argv[0]);
		return 1;
	}
	quern_set *ones = quern_flat_map(quern_text(job, argv[1]), words, NULL);
	quern_set *counts = quern_reduce_by_key(ones, quern_sum_u64, NULL);

	/* QUERN_ARG() sends the bytes of a variable along. */
	if (least > 1)
		counts = quern_filter_pairs(counts, is_frequent, QUERN_ARG(least));
	return quern_top(counts, n, QUERN_BY_VALUE, print, NULL);
}
