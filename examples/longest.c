/* longest.c: for each letter, or other byte, the longest word that begins with it.
 *
 *     quern run longest.c INPUT OUTPUT
 *
 * With a reduction of its own. */
#include <quern/quern.h>
#include <stdio.h>

/* The key is what the records are grouped by: here a word's first byte. The value is the word. */
static void by_letter(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit(out, quern_bytes(word.ptr, 1), word);
}

/* Two words with the same first letter: the longer one goes on. It runs on some of them where they are read,
 * and on what is left after the shuffle, in any order: of equally long words it must not be the first or
 * second that wins, but always the same one. */
static void longer(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	bool a_wins = a.len != b.len ? a.len > b.len : memcmp(a.ptr, b.ptr, a.len) <= 0;

	(void)arg;
	quern_put(out, a_wins ? a : b);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s INPUT OUTPUT\n", argv[0]);
		return 1;
	}
	quern_set *words = quern_flat_map(quern_text(job, argv[1]), by_letter, NULL);
	quern_set *longest = quern_reduce_by_key(words, longer, NULL);

	/* There are few letters: one file, instead of one for each core. */
	return quern_save_text(quern_partitions(longest, 1), argv[2]);
}
