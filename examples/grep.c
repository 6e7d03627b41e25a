/* grep.c: the lines that contain a text.
 *
 *     quern run grep.c TEXT INPUT [OUTPUT]
 *
 * Without OUTPUT, a folder that does not exist yet, the lines are printed, in the order of the input. */
#define _GNU_SOURCE /* memmem() */
#include <quern/quern.h>
#include <stdio.h>

/* Runs on the cluster, in other processes and on other machines: it sees nothing of quern_main()'s variables.
 * What it needs comes in `arg`: a copy of what quern_filter() was given, with a NUL at its end because that
 * was too. */
static bool contains(quern_slice line, void *arg)
{
	const char *text = arg;

	return memmem(line.ptr, line.len, text, strlen(text)) != NULL;
}

/* Runs beside quern_main(): anything may be done here. Non-zero ends the action. */
static int print(quern_slice key, quern_slice line, void *arg)
{
	(void)key; /* a line of text has none */
	(void)arg;
	return fwrite(line.ptr, 1, line.len, stdout) != line.len || putchar('\n') == EOF;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3 && argc != 4) {
		(void)fprintf(stderr, "usage: %s TEXT INPUT [OUTPUT]\n", argv[0]);
		return 1;
	}
	const quern_slice text = quern_bytes(argv[1], strlen(argv[1]) + 1);
	quern_set *found = quern_filter(quern_text(job, argv[2]), contains, &text);

	return argc == 4 ? quern_save_text(found, argv[3]) : quern_collect(found, print, NULL);
}
