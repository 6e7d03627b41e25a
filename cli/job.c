/* job.c: the process of a job's quern_main(); scheduler/job_process.c starts it. */
#include <stdio.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/parse.h"
#include "job/files.h"
#include "job/session.h"

int command_job(int argc, char **argv)
{
	struct err err = { "" };
	uint32_t fd, files;
	int first; /* of the job's own words */

	if (argc < 5 || parse_count(argv[1], 3, 1 << 20, &fd, &err) < 0 ||
		parse_count(argv[3], 0, FILES_MAX, &files, &err) < 0 ||
		(first = 4 + 2 * (int)files) >= argc) {
		(void)fputs("quern job: this command is for quern itself; `quern run` runs a job\n", stderr);
		return 2;
	}
	files_at(argv + 4, files);
	return session_serve((int)fd, argv[2], argc - first, argv + first);
}
