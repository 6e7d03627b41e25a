#include "local/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "local/child.h"

/* What the child says at its end, in one message. */
struct verdict {
	int result;
	char why[sizeof(((struct err *)0)->text)];
};

struct helper {
	pid_t pid;
	int fd;
	struct event *readable;
	helper_done *done;
	void *arg;
};

static void free_helper(struct helper *h)
{
	if (h->readable != NULL)
		event_free(h->readable);
	if (h->fd >= 0)
		(void)close(h->fd);
	free(h);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct helper *h = arg;
	struct verdict v;

	(void)what;
	ssize_t n = recv(fd, &v, sizeof(v), MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n != (ssize_t)sizeof(v))
		v = (struct verdict){ .result = -ECANCELED, .why = "it was stopped" };
	v.why[sizeof(v.why) - 1] = '\0';
	reap(h->pid);
	helper_done *done = h->done;
	void *done_arg = h->arg;
	free_helper(h);
	done(done_arg, v.result, v.why);
}

_Noreturn static void child(int fd, pid_t parent, helper_work *work, void *work_arg)
{
	struct err err = { "" };
	struct verdict v = { .result = 0 };
	static const int not_for_us[] = { SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGPIPE };

	child_signals_default();
	/* What a terminal, or timeout(1), sends to the whole group is for the cluster, whose end is ours too.
	 */
	for (size_t i = 0; i < sizeof(not_for_us) / sizeof(not_for_us[0]); i++)
		(void)signal(not_for_us[i], SIG_IGN);
	int out = child_keep_descriptors(&fd, 1) < 0 ? -1 : CHILD_FIRST_FD;
	if (out < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	v.result = work(work_arg, &err);
	memcpy(v.why, err.text, sizeof(v.why));
	(void)send(out, &v, sizeof(v), MSG_NOSIGNAL);
	_exit(0);
}

int helper_start(struct event_base *loop, helper_work *work, void *work_arg, helper_done *done, void *arg,
	struct helper **ret, struct err *err)
{
	int pair[2];
	pid_t self = getpid();

	struct helper *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*h = (struct helper){ .fd = -1, .done = done, .arg = arg };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		int r = -errno;
		free_helper(h);
		return err_errno(err, r, "cannot start a process");
	}
	auto_close int theirs = pair[1];
	h->fd = pair[0];
	h->readable = event_new(loop, h->fd, EV_READ | EV_PERSIST, on_readable, h);
	sigset_t before;
	child_signals_block(&before);
	h->pid = h->readable != NULL && event_add(h->readable, NULL) == 0 ? fork() : -1;
	if (h->pid == 0)
		child(theirs, self, work, work_arg);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (h->pid < 0) {
		free_helper(h);
		return err_set(err, -EAGAIN, "cannot start a process");
	}
	*ret = h;
	return 0;
}

void helper_cancel(struct helper *h)
{
	if (h != NULL)
		(void)kill(h->pid, SIGKILL); /* not reaped before its `done`: the number is still its own */
}

struct helper *helper_join(struct helper *h)
{
	if (h != NULL) {
		reap(h->pid);
		free_helper(h);
	}
	return NULL;
}
