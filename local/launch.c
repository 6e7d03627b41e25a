#include "local/launch.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "local/child.h"
#include "local/launch_shim.h"
#include "local/processes.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct launch {
	struct launcher *launcher;
	struct launch *next, **back;
	pid_t shim;
	pid_t leader; /* 0: not started yet */
	int socket;
	struct event *news;
	const struct launch_ops *ops;
	void *arg;
};

struct launcher {
	struct event_base *loop;
	struct event *sigchld;
	struct launch *all;
	struct rlimit files; /* what containers get, whatever this process allows itself later */
	bool strays;         /* a shim was killed: some of our children may be nobody's */
};

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* --- strays ------------------------------------------------------------------------------------------- */

struct sweep {
	const struct launcher *launcher;
	pid_t session; /* ours: helpers are in it, and no container can be */
	bool found;
};

static void kill_stray(void *arg, pid_t pid, pid_t session)
{
	struct sweep *sweep = arg;

	if (session == sweep->session)
		return;
	for (const struct launch *c = sweep->launcher->all; c != NULL; c = c->next)
		if (c->shim == pid)
			return;
	sweep->found = true;
	(void)kill(pid, SIGKILL);
	reap(pid);
}

/* Kills and reaps the children that belong to no living shim, until there are none. */
static void sweep_strays(const struct launcher *l)
{
	struct sweep sweep = { .launcher = l, .session = getsid(0) };

	do {
		sweep.found = false;
		(void)processes_children(getpid(), kill_stray, &sweep);
	} while (sweep.found);
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	const struct launcher *l = arg;

	(void)fd, (void)what;
	if (l->strays)
		sweep_strays(l);
}

/* --- one container ------------------------------------------------------------------------------------ */

static void launch_forget(struct launch *c)
{
	if (c->back != NULL) {
		*c->back = c->next;
		if (c->next != NULL)
			c->next->back = c->back;
	}
	if (c->news != NULL)
		event_free(c->news);
	if (c->socket >= 0)
		(void)close(c->socket);
	free(c);
}

static void fail(struct launch *c, const struct shim_news *news)
{
	char why[256];
	const struct launch_ops *ops = c->ops;
	void *arg = c->arg;

	(void)snprintf(why, sizeof(why), "Failed to start the executor: %.*s: %s", (int)sizeof(news->step),
		news->step, strerror((int)news->value));
	reap(c->shim);
	launch_forget(c);
	ops->failed(arg, why);
}

/* The shim has gone after it said so, or (status < 0) without a word. */
static void end(struct launch *c, int status, bool killed)
{
	struct launcher *l = c->launcher;
	const struct launch_ops *ops = c->ops;
	void *arg = c->arg;
	bool was_started = c->leader > 0;

	reap(c->shim);
	launch_forget(c);
	if (killed) {
		l->strays = true;
		sweep_strays(l);
	}
	if (was_started)
		ops->exited(arg, status);
	else
		ops->failed(arg, "Failed to start the executor: it was killed");
}

static void on_news(evutil_socket_t fd, short what, void *arg)
{
	struct launch *c = arg;
	struct shim_news news;

	(void)what;
	ssize_t n = recv(fd, &news, sizeof(news), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(news)) {
		end(c, SIGKILL, true); /* PR_SET_PDEATHSIG: that is how the leader ended */
		return;
	}
	news.step[sizeof(news.step) - 1] = '\0';
	switch (news.kind) {
	case SHIM_STARTED:
		c->leader = (pid_t)news.value;
		c->ops->started(c->arg, news.value);
		break;
	case SHIM_FAILED:
		fail(c, &news);
		break;
	case SHIM_EXITED:
		end(c, (int)news.value, false);
		break;
	}
}

void launch_kill(struct launch *c, int signal)
{
	(void)send(c->socket, &signal, sizeof(signal), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- starting ----------------------------------------------------------------------------------------- */

/* argv of the command: `sh -c value`, or value with `arguments` as the whole argv, argv[0] included
 * (CommandInfo in include/mesos/v1/mesos.proto of Apache Mesos). An array of borrowed strings. */
static char **command_argv(const Mesos__V1__CommandInfo *command)
{
	bool shell = !command->has_shell || command->shell;
	size_t n = shell ? 3 : command->n_arguments + 1;
	static char sh[] = "/bin/sh", dash_c[] = "-c";

	char **argv = calloc(n + 1, sizeof(*argv));
	if (argv == NULL)
		return NULL;
	if (shell) {
		argv[0] = sh;
		argv[1] = dash_c;
		argv[2] = command->value;
		return argv;
	}
	for (size_t i = 0; i < command->n_arguments; i++)
		argv[i] = command->arguments[i];
	if (command->n_arguments == 0)
		argv[0] = command->value;
	return argv;
}

/* `env` with a PATH. An array of borrowed strings. */
static char **command_env(char *const *env, char *path)
{
	size_t n = 0;
	bool has_path = false;

	for (; env != NULL && env[n] != NULL; n++)
		has_path = has_path || strncmp(env[n], "PATH=", strlen("PATH=")) == 0;
	char **all = calloc(n + 2, sizeof(*all));
	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		all[i] = env[i];
	if (!has_path)
		all[n] = path;
	return all;
}

static int launch_fork(struct launch *c, int theirs, const struct shim_command *command, struct err *err)
{
	sigset_t before;

	c->news = event_new(c->launcher->loop, c->socket, EV_READ | EV_PERSIST, on_news, c);
	if (c->news == NULL || event_add(c->news, NULL) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	child_signals_block(&before);
	c->shim = fork();
	int r = -errno;
	if (c->shim == 0)
		launch_shim(theirs, command);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return c->shim < 0 ? err_errno(err, r, "Failed to start the executor: fork") : 0;
}

static int launch_new(struct launcher *l, const struct shim_command *command, const struct launch_ops *ops,
	void *arg, struct launch **ret, struct err *err)
{
	int pair[2];

	struct launch *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*c = (struct launch){ .launcher = l, .socket = -1, .ops = ops, .arg = arg };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		int r = -errno;
		launch_forget(c);
		return err_errno(err, r, "Failed to start the executor: socketpair");
	}
	auto_close int theirs = pair[1];
	c->socket = pair[0];
	int r = launch_fork(c, theirs, command, err);
	if (r < 0) {
		launch_forget(c);
		return r;
	}
	c->next = l->all;
	c->back = &l->all;
	if (c->next != NULL)
		c->next->back = &c->next;
	l->all = c;
	*ret = c;
	return 0;
}

int launch_start(struct launcher *l, const char *dir, char *const *env, const Mesos__V1__CommandInfo *command,
	const struct launch_ops *ops, void *arg, struct launch **ret, struct err *err)
{
	const char *ours = getenv("PATH");

	if (command->value == NULL || command->value[0] == '\0')
		return err_set(err, -EINVAL, "Failed to start the executor: the command has no value");
	size_t size = strlen("PATH=") + strlen(ours != NULL ? ours : DEFAULT_PATH) + 1;
	auto_free char *path = malloc(size);
	if (path == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	(void)snprintf(path, size, "PATH=%s", ours != NULL ? ours : DEFAULT_PATH);
	auto_free char **argv = command_argv(command);
	auto_free char **all = command_env(env, path);
	if (argv == NULL || all == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	struct shim_command what = { .dir = dir, .argv = argv, .env = all, .files = l->files };
	return launch_new(l, &what, ops, arg, ret, err);
}

/* --- life --------------------------------------------------------------------------------------------- */

int launcher_new(struct event_base *loop, struct launcher **ret, struct err *err)
{
	struct launcher *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	l->loop = loop;
	l->sigchld = evsignal_new(loop, SIGCHLD, on_sigchld, l);
	if (l->sigchld == NULL || event_add(l->sigchld, NULL) < 0) {
		launcher_free(l);
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (getrlimit(RLIMIT_NOFILE, &l->files) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		int r = -errno;
		launcher_free(l);
		return err_errno(err, r, "cannot become a subreaper");
	}
	*ret = l;
	return 0;
}

struct launcher *launcher_free(struct launcher *l)
{
	if (l == NULL)
		return NULL;
	/* All at once, then one after the other. */
	for (struct launch *c = l->all; c != NULL; c = c->next)
		(void)shutdown(c->socket, SHUT_RDWR);
	while (l->all != NULL) {
		struct launch *c = l->all;
		reap(c->shim);
		launch_forget(c);
	}
	sweep_strays(l);
	if (l->sigchld != NULL)
		event_free(l->sigchld);
	free(l);
	return NULL;
}
