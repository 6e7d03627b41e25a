/* command.h: an external command that is fed and listened to at the same time. Nothing that it does can block
 * us for good but not ending: it may write before it reads, not read at all, or end when it likes.
 *
 * It runs as `sh -c TEXT` in a process group of its own. The shell dies with this process, and what else is
 * in the group with command_free(). SIGPIPE must be ignored in this process; the command has it as usual. */
#ifndef QUERN_EXECUTOR_COMMAND_H
#define QUERN_EXECUTOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"

struct command;

struct command_config {
	const char *text;
	const char *directory;    /* where it runs; NULL: where we are */
	char *const *environment; /* "NAME=value", over what we have; NULL at the end. NULL: none */
	/* What came from its standard output. false: no more is wanted. May leave by a jump: then only
	 * command_free() may follow. */
	bool (*output)(void *arg, const char *data, size_t len);
	/* What came from its standard error. */
	void (*errors)(void *arg, const char *data, size_t len);
	void *arg;
};

/* Starts it. What `config` points to may go after that. 0, or -errno with a sentence. That there is no such
 * command is for the shell to say: status 127. */
int command_start(const struct command_config *config, struct command **ret, struct err *err);

enum {
	COMMAND_STOPPED = 1, /* output() wants no more */
	COMMAND_FAILED       /* it has ended, and not with status 0: command_end() says how */
};

/* Feeds it. Returns when it has taken all of the bytes, or has closed its standard input: the rest is dropped
 * then. 0, COMMAND_STOPPED, COMMAND_FAILED, or -errno. */
int command_write(struct command *c, const char *data, size_t len);

/* Closes its standard input and listens until it has ended and its standard output is closed by all who have
 * it: something that it has left in the background counts, unless the command failed. *ret_status is what
 * wait(2) says. 0, COMMAND_STOPPED, or -errno. */
int command_end(struct command *c, int *ret_status);

/* Kills what is left of its process group, and waits for that. */
struct command *command_free(struct command *c);

AUTO_FREE(command, struct command, command_free)
#define auto_command AUTO_CLEANUP(auto_command_cleanup_)

#endif
