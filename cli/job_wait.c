/* job_wait.c: `quern wait`: until jobs of a cluster are over. */
#include <errno.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/job_follow.h"

static const struct jobs_usage usage = { .args = "ID...",
	.doc = "Waits until the jobs are over; the exit status is that of the first of them that was not "
	       "done, "
	       "as `quern run` would have it: 1 it failed, 130 it was interrupted or killed.\v"
	       "ID may be the last part of one alone, 0012, if no other job has it. A job that the master "
	       "does not know any more was forgotten, or the master has failed over: that is an error.",
	.min = 1,
	.max = -1 };

/* The job's exit status, or that of this command: why was printed. */
static int wait_for(const struct jobs_command *c, const char *text)
{
	struct job_follow f = { .c = c };
	struct err err = { "" };
	int status = -1;

	for (unsigned round = 0; status < 0; round++) {
		struct jobs_answer a = { 0 };
		const struct job *j;

		int r = job_follow_look(&f, text, &a, &j, &err);
		if (r < 0) {
			status = jobs_fail(c, r, &err);
		} else if (j != NULL && job_is_over(j)) {
			status = j->status;
			if (j->state == JOB_KILLED)
				(void)fprintf(stderr, "%s: %s was killed, or its driver was lost\n", c->name,
					j->id);
		}
		jobs_answer_deinit(&a);
		if (status < 0)
			job_follow_pause(round);
	}
	job_follow_deinit(&f);
	return status;
}

int command_wait(int argc, char **argv)
{
	struct jobs_command c;

	int status = jobs_command_init(&c, argc, argv, &usage);
	bool right = status == 0;
	for (int i = 0; right && i < c.n; i++) {
		int one = wait_for(&c, c.args[i]);

		status = status != 0 ? status : one;
	}
	jobs_command_deinit(&c);
	return status;
}
