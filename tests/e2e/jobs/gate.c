/* gate.c: a word count whose map tasks wait: each says that it is there by a file FOLDER/at-PID, and goes on
 * when FOLDER/open exists. For tests that kill something in the middle. */
#include <quern/quern.h>
#include <stdio.h>
#include <unistd.h>

static void words(quern_slice line, quern_out *out, void *arg)
{
	const char *folder = arg;
	char path[512];
	quern_slice word;

	(void)snprintf(path, sizeof(path), "%s/at-%d", folder, (int)getpid());
	FILE *f = fopen(path, "w");
	if (f == NULL || fclose(f) != 0)
		quern_fail("cannot write %s", path);
	(void)snprintf(path, sizeof(path), "%s/open", folder);
	while (access(path, F_OK) != 0)
		(void)usleep(10000);
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 4)
		return 1;
	const quern_slice folder = { argv[3], strlen(argv[3]) + 1 };
	quern_set *counts = quern_reduce_by_key(
		quern_flat_map(quern_text(job, argv[1]), words, &folder), quern_sum_u64, NULL);
	return quern_save_text(counts, argv[2]);
}
