#include "local/launch_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/child.h"
#include "local/processes.h"

enum { SOCKET = CHILD_FIRST_FD };

static void tell(enum shim_kind kind, int64_t value, const char *step)
{
	struct shim_news news = { .kind = kind, .value = value };

	strncpy(news.step, step, sizeof(news.step) - 1);
	(void)send(SOCKET, &news, sizeof(news), MSG_NOSIGNAL);
}

/* --- the leader, up to exec --------------------------------------------------------------------------- */

/* Says through the pipe what failed, and ends. */
_Noreturn static void give_up(int pipe, const char *step)
{
	struct shim_news news = { .kind = SHIM_FAILED, .value = errno };

	strncpy(news.step, step, sizeof(news.step) - 1);
	(void)!write(pipe, &news, sizeof(news));
	_exit(127);
}

static void output_to(const char *name, int fd, int pipe)
{
	int file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (file < 0 || dup2(file, fd) < 0)
		give_up(pipe, name);
}

_Noreturn static void leader(pid_t shim, int pipe, const struct shim_command *command)
{
	/* The shim's death is the leader's. It may have died before we asked. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != shim)
		give_up(pipe, "prctl");
	if (setsid() < 0)
		give_up(pipe, "setsid");
	child_signals_default();
	(void)setrlimit(RLIMIT_NOFILE, &command->files);
	if (chdir(command->dir) < 0)
		give_up(pipe, "chdir");
	output_to("stdout", STDOUT_FILENO, pipe);
	output_to("stderr", STDERR_FILENO, pipe);
	environ = (char **)command->env; /* for execvp(3): the PATH is the container's */
	(void)execvp(command->argv[0], command->argv);
	/* To Mesos that is a container that ran and came to an end; why is in its stderr. */
	(void)dprintf(
		STDERR_FILENO, "Failed to execute command '%s': %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

/* Starts the leader and waits until it has exec'ed, or ended because there is nothing to. Its pid, or -1 when
 * the cluster was told why not. */
static pid_t start_leader(const struct shim_command *command)
{
	struct shim_news news;
	int ends[2];
	pid_t self = getpid();

	if (pipe2(ends, O_CLOEXEC) < 0) {
		tell(SHIM_FAILED, errno, "pipe");
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0)
		leader(self, ends[1], command);
	int r = errno;
	(void)close(ends[1]);
	if (pid < 0) {
		tell(SHIM_FAILED, r, "fork");
		return -1;
	}
	ssize_t n;
	do
		n = read(ends[0], &news, sizeof(news));
	while (n < 0 && errno == EINTR);
	(void)close(ends[0]);
	if (n == 0) { /* closed by exec, or by the end that took its place */
		tell(SHIM_STARTED, pid, "");
		return pid;
	}
	(void)waitpid(pid, NULL, 0);
	if (n == (ssize_t)sizeof(news))
		(void)send(SOCKET, &news, sizeof(news), MSG_NOSIGNAL);
	else
		tell(SHIM_FAILED, EIO, "start");
	return -1;
}

/* --- its end ------------------------------------------------------------------------------------------ */

static void kill_child(void *arg, pid_t pid, pid_t session)
{
	(void)session;
	(void)kill(pid, SIGKILL); /* a child that nobody has reaped: the number is its own */
	*(bool *)arg = true;
}

/* Kills all that came from the leader, and reaps it: its status. The children of what is killed become ours,
 * so that this ends only when there is nobody left. */
static int end_all(pid_t pid)
{
	int status = 0, its_status;
	bool found, reaped = false;

	(void)kill(-pid, SIGKILL); /* the leader is not reaped yet: the group is its own */
	for (;;) {
		found = false;
		(void)processes_children(getpid(), kill_child, &found);
		pid_t gone = waitpid(-1, &its_status, found || !reaped ? 0 : WNOHANG);
		if (gone < 0 && errno == ECHILD)
			return status;
		if (gone == pid) {
			status = its_status;
			reaped = true;
		}
	}
}

/* Whether the leader has ended; other children that have are reaped. */
static bool leader_ended(pid_t pid)
{
	siginfo_t info;

	for (;;) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return false;
		if (info.si_pid == pid)
			return true;
		(void)waitpid(info.si_pid, NULL, WNOHANG);
	}
}

/* A signal for the leader's group. False: the cluster is gone. */
static bool pass_signal(pid_t pid)
{
	int signal;

	ssize_t n = recv(SOCKET, &signal, sizeof(signal), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (n == (ssize_t)sizeof(signal))
		(void)kill(-pid, signal);
	return true;
}

/* Until the leader has ended or the cluster is gone. */
static void watch(pid_t pid, int signals)
{
	struct pollfd fds[] = { { .fd = SOCKET, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents != 0) {
			(void)!read(signals, &info, sizeof(info));
			if (leader_ended(pid))
				return;
		}
		if (fds[0].revents != 0 && !pass_signal(pid))
			return;
	}
}

void launch_shim(int socket, const struct shim_command *command)
{
	sigset_t all, child;

	(void)sigfillset(&all);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	child_signals_default();
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (child_keep_descriptors(&socket, 1) < 0)
		_exit(1);
	/* A session of its own: a terminal's signals are not for us. */
	int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0 || setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		tell(SHIM_FAILED, errno, "shim");
		_exit(1);
	}
	(void)prctl(PR_SET_NAME, "quern-shim");
	pid_t pid = start_leader(command);
	if (pid < 0)
		_exit(1);
	watch(pid, signals);
	tell(SHIM_EXITED, end_all(pid), "");
	_exit(0);
}
