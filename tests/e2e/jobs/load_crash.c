/* load_crash.c: dies while it is loaded. */
#include <quern/quern.h>
#include <signal.h>

__attribute__((constructor)) static void load(void)
{
	(void)signal(SIGSEGV, SIG_DFL); /* not for a sanitizer of the program that loads this */
	(void)raise(SIGSEGV);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	(void)job;
	(void)argc;
	(void)argv;
	return 0;
}
