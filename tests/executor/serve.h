/* serve.h: a shuffle server in a process of its own, for the tests. */
#ifndef QUERN_TESTS_EXECUTOR_SERVE_H
#define QUERN_TESTS_EXECUTOR_SERVE_H

#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor/task.h"

static const uint8_t serve_secret[] = "0123456789abcdef0123456789abcdef";
#define SERVE_ID "executor-1"

struct serve {
	pid_t pid;
	uint16_t port;
};

/* A server's way to misbehave: called instead of it; true: it has answered. */
typedef bool serve_trick(struct evhttp_request *request, unsigned n);

struct serve_state {
	struct shuffle_server *server;
	serve_trick *trick;
	unsigned n; /* requests so far */
};

static inline void serve_one(struct evhttp_request *request, void *arg)
{
	struct serve_state *s = arg;

	if (s->trick == NULL || !s->trick(request, s->n++))
		shuffle_server_handle(request, s->server);
}

static inline void serve_run(const char *dir, serve_trick *trick, int port_fd)
{
	struct serve_state s = { .trick = trick };
	struct event_base *loop = event_base_new();
	struct evhttp *http = evhttp_new(loop);
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);

	struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	if (socket == NULL || shuffle_server_new(dir, serve_secret, SERVE_ID, &s.server) < 0)
		_exit(1);
	evhttp_set_gencb(http, serve_one, &s);
	(void)getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)(void *)&a, &len);
	uint16_t port = ntohs(a.sin_port);
	(void)!write(port_fd, &port, sizeof(port));
	(void)event_base_dispatch(loop);
	_exit(1);
}

static inline void serve_start(struct serve *s, const char *dir, serve_trick *trick)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		serve_run(dir, trick, fds[1]);
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &s->port, sizeof(s->port)), sizeof(s->port));
	(void)close(fds[0]);
}

static inline void serve_stop(struct serve *s)
{
	(void)kill(s->pid, SIGKILL);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

#endif
