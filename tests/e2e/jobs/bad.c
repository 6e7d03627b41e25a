/* bad.c: jobs that go wrong in the way argv[3] says. */
#include <quern/quern.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Whatever a sanitizer of the program that loads this may have installed. */
static void die_of(int number)
{
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void words(quern_slice line, quern_out *out, void *arg)
{
	const char *how = arg;
	quern_slice word;

	if (strcmp(how, "map-crash") == 0) {
		(void)fputs("about to crash in map\n", stderr);
		die_of(SIGSEGV);
	}
	if (strcmp(how, "map-exit") == 0)
		exit(7);
	if (strcmp(how, "map-fail") == 0)
		quern_fail("this line is %zu bytes and not to my liking", line.len);
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

static void reduce(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	uint64_t sum = quern_as_u64(a) + quern_as_u64(b);

	(void)arg;
	(void)fputs("about to crash in reduce\n", stderr);
	die_of(SIGABRT);
	quern_put(out, quern_bytes(&sum, sizeof(sum)));
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 4)
		return 1;
	const quern_slice how = { argv[3], strlen(argv[3]) + 1 };
	if (strcmp(argv[3], "main-crash") == 0)
		die_of(SIGSEGV);
	if (strcmp(argv[3], "main-status") == 0)
		return 5;
	quern_reduce_fn *fn = strcmp(argv[3], "reduce-crash") == 0 ? reduce : quern_sum_u64;
	return quern_save_text(
		quern_reduce_by_key(quern_flat_map(quern_text(job, argv[1]), words, &how), fn, NULL),
		argv[2]);
}
