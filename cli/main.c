/* main.c: `quern COMMAND ...`. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"

static const struct command {
	const char *name, *help; /* help NULL: not for people */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "run a job: a .c file or a shared object", command_run },
	{ "stream", "run a job of other programs, as Hadoop Streaming does", command_stream },
	{ "local", "run an embedded Mesos cluster on its own", command_local },
	{ "fs", "files in HDFS: list, copy, remove and more", command_fs },
	{ "ps", "jobs on a cluster", command_ps },
	{ "log", "what a detached job has printed", command_log },
	{ "wait", "wait for jobs on a cluster to end", command_wait },
	{ "kill", "end jobs on a cluster", command_kill },
	{ "bench", "measure what a mode gains and what it costs, on your cluster", command_bench },
	{ "job", NULL, command_job },
	{ "host", NULL, command_host },
	{ "hosted", NULL, command_hosted },
	{ "leader", NULL, command_leader },
};

static void usage(FILE *out)
{
	(void)fputs("Usage: quern COMMAND [OPTION...] [ARG...]\n"
		    "Map/reduce jobs in C on Apache Mesos, coarse or fine.\n\n",
		out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].help != NULL)
			(void)fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	(void)fputs("\n`quern COMMAND --help` tells more; so do quern(1) and the man page of each command.\n"
		    "First steps: quern run examples/wordcount.c TEXT OUTPUT-FOLDER\n",
		out);
}

static int run(const struct command *c, int argc, char **argv)
{
	auto_free char *name = NULL;

	if (asprintf(&name, "quern %s", c->name) < 0) {
		name = NULL;
		(void)fputs("quern: out of memory\n", stderr);
		return 1;
	}
	argv[0] = name;
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (word == NULL) {
		usage(stderr);
		return 2;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		(void)puts("quern " QUERN_VERSION);
		return 0;
	}
	bool help = strcmp(word, "help") == 0;
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || (help && argc == 2)) {
		usage(stdout);
		return 0;
	}
	char *asked[] = { argv[0], (char[]){ "--help" }, NULL };
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!help && strcmp(commands[i].name, word) == 0)
			return run(&commands[i], argc - 1, argv + 1);
		if (help && strcmp(commands[i].name, argv[2]) == 0)
			return run(&commands[i], 2, asked);
	}
	(void)fprintf(
		stderr, "quern: unknown command '%s'; `quern --help` lists them\n", help ? argv[2] : word);
	return 2;
}
