#include "scheduler/job_process.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "job/plan_check.h"
#include "job/session.h"

enum {
	FD_IN_CHILD = 3,
	WAITING_MAX = 1 << 30, /* bytes of results that the job has not read */
};

struct job_process {
	const struct job_process_ops *ops;
	void *arg;
	pid_t pid;
	struct event *exited; /* of SIGCHLD */
	struct bufferevent *socket;
	struct session_reader reader;
	const uint8_t *build_id; /* borrowed */
	size_t build_id_len;
	bool greeted;
	uint32_t last_broadcast;
	char *broke; /* how it broke the protocol; NULL: it has not */
};

/* ---- The child ---- */

/* Only what may be called between fork and exec. */
static void exec_child(int fd, pid_t parent, char *const *argv)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Ctrl-C is the driver's to answer: it ends this process when it has taken note. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd == FD_IN_CHILD) {
		if (fcntl(fd, F_SETFD, 0) < 0)
			_exit(127);
	} else if (dup2(fd, FD_IN_CHILD) < 0) {
		_exit(127);
	}
	(void)execv(argv[0], argv);
	_exit(127);
}

/* `number`: room for the number of files. */
static char **child_argv(const struct job_process_config *c, char number[16])
{
	char **ret = calloc((size_t)c->argc + 2 * c->n_files + 6, sizeof(*ret)), **next = ret;

	if (ret == NULL)
		return NULL;
	(void)snprintf(number, 16, "%zu", c->n_files);
	*next++ = (char *)c->self;
	*next++ = (char *)"job";
	*next++ = (char *)"3";
	*next++ = (char *)c->so;
	*next++ = number;
	for (size_t i = 0; i < c->n_files; i++) {
		*next++ = c->files[i].name;
		*next++ = c->files[i].path;
	}
	for (int i = 0; i < c->argc; i++)
		*next++ = c->argv[i];
	return ret;
}

/* ---- What it says ---- */

/* It cannot be trusted any further: the end is on_exited(). */
static void break_off(struct job_process *p, const char *why)
{
	if (p->broke != NULL)
		return;
	p->broke = strdup(why);
	(void)bufferevent_disable(p->socket, EV_READ);
	(void)kill(p->pid, SIGKILL);
}

/* Sends what is in `b`. A job that is gone needs no answer. */
static int send_frame(struct job_process *p, struct buf *b)
{
	struct evbuffer *out = bufferevent_get_output(p->socket);

	if ((bufferevent_get_enabled(p->socket) & EV_WRITE) == 0)
		return 0;
	if (evbuffer_get_length(out) + b->len > WAITING_MAX)
		return -EMSGSIZE;
	return evbuffer_add(out, b->data, b->len) < 0 ? -ENOMEM : 0;
}

static int take_broadcast(struct job_process *p, const Quern__SessionToDriver__Broadcast *b, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(8192);

	if (b->id <= p->last_broadcast)
		return err_set(err, -EPROTO, "a broadcast under a number that was there before");
	p->last_broadcast = b->id;
	int r = p->ops->broadcast(p->arg, p->pid, b, err);
	r = session_put_taken(&out, b->id, r < 0 ? err->text : NULL);
	if (r == 0)
		r = send_frame(p, &out);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static int take(struct job_process *p, const Quern__SessionToDriver *m, struct err *err)
{
	if (!p->greeted) {
		p->greeted = true;
		return session_check_hello(m, p->build_id, p->build_id_len, err);
	}
	if (m->cancel != NULL)
		p->ops->cancel(p->arg, m->cancel->run);
	else if (m->unpersist != NULL)
		p->ops->unpersist(p->arg, m->unpersist->cache);
	else if (m->destroy != NULL)
		p->ops->destroy(p->arg, m->destroy->broadcast);
	else if (m->broadcast != NULL)
		return take_broadcast(p, m->broadcast, err);
	if (m->hello != NULL)
		return err_set(err, -EPROTO, "a second hello");
	if (m->run == NULL)
		return 0;
	int r = plan_check(m->run, p->build_id, p->build_id_len, err);
	if (r == 0)
		p->ops->run(p->arg, m->run);
	return r;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct job_process *p = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct err err = { "" };

	while (evbuffer_get_length(in) > 0 && p->broke == NULL) {
		struct evbuffer_iovec v;

		if (evbuffer_peek(in, -1, NULL, &v, 1) < 1)
			return;
		const uint8_t *data = v.iov_base;
		size_t left = v.iov_len;
		ProtobufCMessage *m;
		int r = session_feed(&p->reader, &data, &left, &m, &err);
		(void)evbuffer_drain(in, v.iov_len - left);
		if (r > 0) {
			r = take(p, (const Quern__SessionToDriver *)m, &err);
			protobuf_c_message_free_unpacked(m, NULL);
		}
		if (r < 0)
			break_off(p, err.text);
	}
}

static void on_socket_end(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	/* Its exit says the rest; a job that closed the socket of its own accord cannot be served. */
	(void)bufferevent_disable(bev, EV_READ | EV_WRITE);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct job_process *p = arg;
	int status = 0;

	(void)fd;
	(void)what;
	if (p->pid < 0)
		return;
	pid_t r = waitpid(p->pid, &status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return; /* another child's end */
	p->pid = -1;
	/* What it said last counts still: a cancel, a run whose answer it did not await. */
	if (p->broke == NULL && !session_at_border(&p->reader))
		p->broke = strdup("it ended in the middle of a message");
	p->ops->gone(p->arg, r < 0 ? 0 : status, p->broke);
}

/* ---- Setting up ---- */

static int listen_to(struct event_base *loop, struct job_process *p, int fd)
{
	if (evutil_make_socket_nonblocking(fd) < 0)
		return -errno;
	p->socket = bufferevent_socket_new(loop, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (p->socket == NULL)
		return -ENOMEM;
	bufferevent_setcb(p->socket, on_read, NULL, on_socket_end, p);
	return bufferevent_enable(p->socket, EV_READ | EV_WRITE) < 0 ? -ENOMEM : 0;
}

/* Its exit is watched for from before it is there, lest it be missed. */
static int watch(struct event_base *loop, struct job_process *p)
{
	p->exited = evsignal_new(loop, SIGCHLD, on_exited, p);
	return p->exited == NULL || event_add(p->exited, NULL) < 0 ? -ENOMEM : 0;
}

int job_process_start(struct event_base *loop, const struct job_process_config *config,
	const struct job_process_ops *ops, void *arg, struct job_process **ret, struct err *err)
{
	static const char failed[] = "cannot start the job's process";
	char number[16];
	auto_free char **child = child_argv(config, number);
	struct job_process *p = calloc(1, sizeof(*p));
	int fds[2];

	*ret = NULL;
	if (child == NULL || p == NULL) {
		free(p);
		return err_set(err, -ENOMEM, "out of memory");
	}
	p->ops = ops;
	p->arg = arg;
	p->build_id = config->build_id;
	p->build_id_len = config->build_id_len;
	p->pid = -1;
	session_reader_driver(&p->reader);
	int r = watch(loop, p);
	if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		r = -errno;
	if (r < 0) {
		(void)job_process_free(p);
		return err_errno(err, r, "%s", failed);
	}
	pid_t parent = getpid();
	p->pid = fork();
	if (p->pid == 0)
		exec_child(fds[1], parent, child);
	r = p->pid < 0 ? -errno : 0;
	(void)close(fds[1]);
	if (r == 0)
		r = listen_to(loop, p, fds[0]);
	if (p->socket == NULL)
		(void)close(fds[0]);
	if (r < 0) {
		(void)job_process_free(p);
		return err_errno(err, r, "%s", failed);
	}
	*ret = p;
	return 0;
}

struct job_process *job_process_free(struct job_process *p)
{
	if (p == NULL)
		return NULL;
	if (p->pid > 0) {
		(void)kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (p->exited != NULL)
		event_free(p->exited);
	if (p->socket != NULL)
		bufferevent_free(p->socket);
	session_reader_deinit(&p->reader);
	free(p->broke);
	free(p);
	return NULL;
}

/* ---- Answers ---- */

int job_process_result(struct job_process *p, uint32_t run, uint32_t partition, const void *data, size_t len)
{
	auto_buf struct buf b = BUF_INIT(SESSION_TO_JOB_MAX + 4);

	int r = session_put_result(&b, run, partition, data, len);
	return r < 0 ? r : send_frame(p, &b);
}

int job_process_done(struct job_process *p, uint32_t run, int code, const char *text,
	Quern__Count *const *totals, size_t n_totals)
{
	auto_buf struct buf b = BUF_INIT(SESSION_TO_JOB_MAX + 4);

	int r = session_put_done(&b, run, code, text, totals, n_totals);
	return r < 0 ? r : send_frame(p, &b);
}
