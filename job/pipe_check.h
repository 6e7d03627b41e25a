/* pipe_check.h: whether a command of a pipe can be run as it is described. */
#ifndef QUERN_JOB_PIPE_CHECK_H
#define QUERN_JOB_PIPE_CHECK_H

#include "base/err.h"
#include "job/plan.pb-c.h"

enum {
	PIPE_COMMAND_MAX = 100000, /* bytes; execve(2) takes 128 KiB for one string */
	PIPE_SEPARATOR_MAX = 16,   /* bytes */
	PIPE_ENVIRONMENT_MAX = 1000,
};

/* 0, or -EBADMSG with a sentence. */
int pipe_check(const Quern__Pipe *p, struct err *err);

#endif
