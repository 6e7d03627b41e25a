/* job.c: the job of the tests in this folder. They call its functions by what quern_main() leaves in `argv`.
 */
#include <quern/quern.h>
#include <stdio.h>

static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	quern_set *set = quern_flat_map(quern_text(job, argc > 1 ? argv[1] : NULL), words, NULL);

	return quern_save_text(quern_reduce_by_key(set, quern_sum_u64, NULL), argc > 2 ? argv[2] : NULL);
}
