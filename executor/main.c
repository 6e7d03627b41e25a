/* main.c: quern-executor, as a Mesos agent starts it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "executor/shell.h"
#include "executor/zygote.h"

static const char usage[] = "usage: quern-executor\n"
			    "\n"
			    "Runs the tasks of a quern job on one machine. It is started by a Mesos agent, "
			    "which says everything that it needs\n"
			    "to know by its environment (MESOS_AGENT_ENDPOINT, MESOS_EXECUTOR_ID, ...).\n";

/* What is opened later must not become a standard stream. */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	struct environment environment;
	struct timespec start;
	char program[4096];
	struct err err;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (argc == 3 && strcmp(argv[1], ZYGOTE_OPTION) == 0)
		zygote_main(argv[2]);
	if (argc > 1) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
		(void)fputs(usage, help ? stdout : stderr);
		return help ? EXIT_SUCCESS : 2;
	}
	open_standard_streams();
	if (environment_read(getenv, &environment, &err) < 0) {
		(void)fprintf(stderr, "quern-executor: %s\n", err.text);
		return 2;
	}
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (n < 0) {
		perror("quern-executor: /proc/self/exe");
		return EXIT_FAILURE;
	}
	program[n] = '\0';
	return shell_run(
		&environment, program, (uint64_t)start.tv_sec * 1000000 + (uint64_t)start.tv_nsec / 1000);
}
