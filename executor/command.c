#include "executor/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/close_range.h>

enum {
	READ_SIZE = 64 << 10, /* bytes; what a pipe holds */
	NO_SHELL = 127        /* the status with which a shell says that there is no such command */
};

struct command {
	bool (*output)(void *arg, const char *data, size_t len);
	void (*errors)(void *arg, const char *data, size_t len);
	void *arg;
	pid_t pid;
	int exited;       /* pidfd */
	int in, out, err; /* our ends; -1: closed */
	const char *data; /* to be written */
	size_t left;
	bool stopped, ended, failed;
	char bytes[READ_SIZE];
};

/* ---- The child ---- */

/* Our environment with `more` over it. The strings are borrowed, the array is the caller's to free(). */
static char **environment_with(char *const *more)
{
	size_t n = 0, n_more = 0, at = 0;

	while (environ != NULL && environ[n] != NULL)
		n++;
	while (more != NULL && more[n_more] != NULL)
		n_more++;
	char **ret = calloc(n + n_more + 1, sizeof(*ret));
	if (ret == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t name = strcspn(environ[i], "="), same = 0;

		while (same < n_more &&
			(strncmp(more[same], environ[i], name) != 0 || more[same][name] != '='))
			same++;
		if (same == n_more)
			ret[at++] = environ[i];
	}
	for (size_t i = 0; i < n_more; i++)
		ret[at++] = more[i];
	return ret;
}

/* Only what may be called between fork and exec. Why it failed is said where the command would speak. */
static void exec_child(const int fds[3], pid_t parent, const char *directory, char **argv, char **environment)
{
	sigset_t none;

	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(NO_SHELL);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(NO_SHELL);
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (directory == NULL || chdir(directory) == 0)
		(void)execve("/bin/sh", argv, environment);
	const char *why = strerrordesc_np(errno);
	(void)!write(STDERR_FILENO, why, strlen(why));
	_exit(NO_SHELL);
}

/* ---- Starting ---- */

/* A pipe whose both ends are above the standard streams: user code may have closed those. */
static int open_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		int code = -errno;

		(void)close(fds[i]);
		fds[i] = fd;
		if (fd < 0) {
			(void)close(fds[1 - i]);
			return code;
		}
	}
	return 0;
}

/* Opens the three pipes; `child` gets the command's ends, the caller's to close. 0 or -errno. */
static int open_pipes(struct command *c, int child[3])
{
	int *ours[3] = { &c->in, &c->out, &c->err };

	for (int i = 0; i < 3; i++) {
		int fds[2];
		int end = i == STDIN_FILENO; /* which one is ours: 1 is the writing end */

		int r = open_pipe(fds);
		if (r < 0)
			return r;
		*ours[i] = fds[end];
		child[i] = fds[1 - end];
		if (fcntl(fds[end], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
	}
	return 0;
}

static int fork_child(struct command *c, const struct command_config *config, const int child[3])
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)config->text, NULL };
	auto_free char **environment = environment_with(config->environment);
	const pid_t self = getpid();

	if (environment == NULL)
		return -ENOMEM;
	/* What the command's children leave behind falls to us while it is at work, not to somebody who would
	 * take it for a stray. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		exec_child(child, self, config->directory, argv, environment);
	if (c->pid < 0)
		return -errno;
	(void)setpgid(c->pid, c->pid); /* whichever of us is first */
	c->exited = (int)syscall(SYS_pidfd_open, c->pid, 0);
	return c->exited < 0 ? -errno : 0;
}

int command_start(const struct command_config *config, struct command **ret, struct err *err)
{
	auto_command struct command *c = calloc(1, sizeof(*c));
	int child[3] = { -1, -1, -1 };

	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	c->output = config->output;
	c->errors = config->errors;
	c->arg = config->arg;
	c->pid = c->exited = c->in = c->out = c->err = -1;
	int r = open_pipes(c, child);
	if (r == 0)
		r = fork_child(c, config, child);
	for (int i = 0; i < 3; i++)
		if (child[i] >= 0)
			(void)close(child[i]);
	if (r < 0)
		return err_errno(err, r, "cannot start the command '%.200s'", config->text);
	*ret = c, c = NULL;
	return 0;
}

/* ---- Feeding and listening ---- */

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Writes what the pipe takes now. A command that has closed its input wants no more. 0 or -errno. */
static int feed(struct command *c)
{
	ssize_t n = write(c->in, c->data, c->left);

	if (n >= 0) {
		c->data += n;
		c->left -= (size_t)n;
		return 0;
	}
	if (errno == EPIPE) {
		close_end(&c->in);
		c->left = 0;
	}
	return errno == EPIPE || errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Reads once. How many bytes there were: 0 also at the end, when *fd is closed. Or -errno: -EAGAIN. */
static ssize_t listen_once(struct command *c, int *fd)
{
	ssize_t n = read(*fd, c->bytes, sizeof(c->bytes));

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		close_end(fd);
	return n;
}

/* 0 or -errno. */
static int take_output(struct command *c)
{
	ssize_t n = listen_once(c, &c->out);

	if (n > 0)
		c->stopped = !c->output(c->arg, c->bytes, (size_t)n);
	return n < 0 && n != -EAGAIN ? (int)n : 0;
}

/* How many bytes there were, or -errno. */
static ssize_t take_errors(struct command *c)
{
	ssize_t n = listen_once(c, &c->err);

	if (n > 0)
		c->errors(c->arg, c->bytes, (size_t)n);
	return n == -EAGAIN ? 0 : n;
}

/* The shell has ended: how? It stays to be reaped, so that its number remains its own. */
static void look(struct command *c)
{
	siginfo_t info = { 0 };

	c->ended = true;
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		c->failed = info.si_code != CLD_EXITED || info.si_status != 0;
}

/* Waits so many ms (-1: as long as it takes) for whatever happens next, and does it. 0 or -errno. */
static int step(struct command *c, int ms)
{
	struct pollfd on[] = {
		{ .fd = c->left > 0 ? c->in : -1, .events = POLLOUT },
		{ .fd = c->out, .events = POLLIN },
		{ .fd = c->err, .events = POLLIN },
		{ .fd = c->ended ? -1 : c->exited, .events = POLLIN },
	};
	int r = 0;

	if (poll(on, sizeof(on) / sizeof(on[0]), ms) < 0)
		return errno == EINTR ? 0 : -errno;
	if (on[3].revents != 0)
		look(c);
	if (on[2].revents != 0 && take_errors(c) < 0)
		close_end(&c->err); /* what it says is not worth failing for */
	if (r == 0 && on[0].revents != 0)
		r = feed(c);
	if (r == 0 && on[1].revents != 0)
		r = take_output(c);
	return r;
}

int command_write(struct command *c, const char *data, size_t len)
{
	int r = 0;

	c->data = data;
	c->left = c->in >= 0 ? len : 0;
	if (c->left == 0)
		r = step(c, 0); /* it may have said something, or have ended */
	while (r == 0 && c->left > 0 && !c->stopped && !c->failed)
		r = step(c, -1);
	return r < 0 ? r : c->stopped ? COMMAND_STOPPED : c->failed ? COMMAND_FAILED : 0;
}

/* Kills the group and reaps all of it: whose parent dies falls to us. *ret_status: of the command itself. 0,
 * or -ECHILD when somebody else has reaped that. */
static int reap(struct command *c, int *ret_status)
{
	bool found = false;
	int status;
	pid_t pid;

	/* It is not reaped, so the number is its own. */
	(void)kill(-c->pid, SIGKILL);
	(void)kill(c->pid, SIGKILL);
	while ((pid = waitpid(-c->pid, &status, 0)) > 0 || (pid < 0 && errno == EINTR)) {
		if (pid != c->pid)
			continue;
		*ret_status = status;
		found = true;
	}
	c->pid = -1;
	return found ? 0 : -ECHILD;
}

int command_end(struct command *c, int *ret_status)
{
	int r = 0;

	close_end(&c->in);
	c->left = 0;
	while (r == 0 && !c->stopped && !c->failed && !(c->ended && c->out < 0))
		r = step(c, -1);
	if (r < 0 || c->stopped)
		return r < 0 ? r : COMMAND_STOPPED;
	r = reap(c, ret_status);
	while (c->err >= 0 && take_errors(c) > 0)
		; /* what it said last */
	return r;
}

struct command *command_free(struct command *c)
{
	int status;

	if (c == NULL)
		return NULL;
	if (c->pid > 0)
		(void)reap(c, &status);
	close_end(&c->in);
	close_end(&c->out);
	close_end(&c->err);
	close_end(&c->exited);
	free(c);
	return NULL;
}
