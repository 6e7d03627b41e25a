/* job.c: the process of a job's quern_main(); scheduler/job_process.c starts it. */
#include <stdio.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/parse.h"
#include "job/session.h"

int command_job(int argc, char **argv)
{
	struct err err = { "" };
	uint32_t fd;

	if (argc < 4 || parse_count(argv[1], 3, 1 << 20, &fd, &err) < 0) {
		(void)fputs("quern job: this command is for quern itself; `quern run` runs a job\n", stderr);
		return 2;
	}
	return session_serve((int)fd, argv[2], argc - 3, argv + 3);
}
