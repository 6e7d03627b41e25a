/* job_follow.h: a job that is looked at again and again, until it is over. */
#ifndef QUERN_CLI_JOB_FOLLOW_H
#define QUERN_CLI_JOB_FOLLOW_H

#include "cli/jobs_command.h"

struct job_follow {
	const struct jobs_command *c;
	char *id;                  /* the whole, once it was found */
	uint64_t missing_since_ms; /* it was there and is not any more; 0: it is there */
};

/* Looks: *ret is the job, in *a, which the caller frees with jobs_answer_deinit(). A job that was there may
 * be missing for as long as --master-timeout: a new master learns of it from its agents. Likewise a master
 * may be missing. *ret is NULL then. `text`: what it is called. -ENOENT and the like with a sentence. */
int job_follow_look(struct job_follow *f, const char *text, struct jobs_answer *a, const struct job **ret,
	struct err *err);

/* Waits until it is worth looking again: for a moment at first, a second or so later. `round` counts looks.
 */
void job_follow_pause(unsigned round);

void job_follow_deinit(struct job_follow *f);

#endif
