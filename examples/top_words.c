/* top_words.c: the N words that occur most, with their counts, the most frequent first.
 *
 *     quern run top_words.c INPUT [N [LEAST]]
 *
 * The counting is that of wordcount.c. The counts then come to quern_main(), one by one, and the best are
 * kept there. With LEAST, words that occur less often do not even leave the cluster: in most texts half of
 * them occur once. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_MAX = 10000 };

struct count {
	uint64_t n;
	char *word;
	size_t len;
};

/* The best so far, the most frequent first. */
struct top {
	struct count *at;
	size_t n, max;
};

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

/* Equal counts in the order of the words, so that any two runs print the same. */
static bool before(uint64_t n, quern_slice word, const struct count *c)
{
	size_t len = word.len < c->len ? word.len : c->len;
	int order = memcmp(word.ptr, c->word, len);

	return n != c->n ? n > c->n : order != 0 ? order < 0 : word.len < c->len;
}

static int keep(quern_slice word, quern_slice value, void *arg)
{
	struct top *top = arg;
	uint64_t n = quern_as_u64(value);
	size_t i = top->n;

	if (i == top->max && !before(n, word, &top->at[i - 1]))
		return 0;
	char *copy = malloc(word.len > 0 ? word.len : 1); /* the bytes are there for this call alone */
	if (copy == NULL)
		return 1;
	memcpy(copy, word.ptr, word.len);
	if (i == top->max)
		free(top->at[--i].word);
	for (; i > 0 && before(n, word, &top->at[i - 1]); i--)
		top->at[i] = top->at[i - 1];
	top->at[i] = (struct count){ .n = n, .word = copy, .len = word.len };
	if (top->n < top->max)
		top->n++;
	return 0;
}

static int print(const struct count *c)
{
	return printf("%" PRIu64 "\t", c->n) < 0 || fwrite(c->word, 1, c->len, stdout) != c->len ||
	       putchar('\n') == EOF;
}

static int top_words(quern_job *job, const char *input, uint64_t least, struct top *top)
{
	quern_set *ones = quern_flat_map(quern_text(job, input), words, NULL);
	quern_set *counts = quern_reduce_by_key(ones, quern_sum_u64, NULL);

	/* QUERN_ARG() sends the bytes of a variable along. */
	int r = quern_collect(quern_filter_pairs(counts, is_frequent, QUERN_ARG(least)), keep, top);
	for (size_t i = 0; i < top->n; i++) {
		if (r == 0)
			r = print(&top->at[i]);
		free(top->at[i].word);
	}
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	long n = argc >= 3 ? strtol(argv[2], NULL, 10) : 10;
	long least = argc == 4 ? strtol(argv[3], NULL, 10) : 1;

	if (argc < 2 || argc > 4 || n < 1 || n > N_MAX || least < 1) {
		(void)fprintf(stderr, "usage: %s INPUT [N [LEAST]], N from 1 to %d\n", argv[0], N_MAX);
		return 1;
	}
	struct top top = { .at = calloc((size_t)n, sizeof(*top.at)), .max = (size_t)n };
	if (top.at == NULL) {
		(void)fprintf(stderr, "%s: out of memory\n", argv[0]);
		return 1;
	}
	int r = top_words(job, argv[1], (uint64_t)least, &top);
	free(top.at);
	return r;
}
