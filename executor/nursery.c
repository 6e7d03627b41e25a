/* nursery.c: the zygote as the pool sees it: started, told what to load, watched, and started again when it
 * dies.
 *
 * Startup: the process is started at once, the job comes with pool_load(); the zygote answers `loaded` or
 * `load_error`. A zygote that dies while it loads has been killed by the job: that is final, unless it was
 * SIGKILL (somebody's, the kernel's), which is tried again. One that dies later takes its workers along,
 * whose attempts fail; the next one loads the job again. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/status.h"
#include "executor/pool_state.h"
#include "executor/strays.h"
#include "executor/zygote.h"

enum { DEATHS_MAX = 3, SEND_TIMEOUT_S = 5, WHY_MAX = 1024 };

extern char **environ;

static void close_zygote(struct pool *p)
{
	if (p->zygote.event != NULL)
		event_free(p->zygote.event);
	if (p->zygote.deadline != NULL)
		event_free(p->zygote.deadline);
	if (p->zygote.socket >= 0)
		(void)close(p->zygote.socket);
	capture_close(&p->zygote.output);
	p->zygote.event = p->zygote.deadline = NULL;
	p->zygote.socket = -1;
	p->zygote.pid = 0;
	p->zygote.loaded = p->zygote.late = false;
}

/* ---- Its end ---- */

static void load_failed_words(struct pool *p, int status, char ret[WHY_MAX])
{
	char words[128];

	status_words(status, words, sizeof(words));
	char *text = capture_text(&p->zygote.output);
	const char *last = text != NULL && strrchr(text, '\n') != NULL ? strrchr(text, '\n') + 1 : text;
	if (p->zygote.late)
		(void)snprintf(ret, WHY_MAX, "the job was not loaded within %llu ms",
			(unsigned long long)p->load_ms);
	else
		(void)snprintf(ret, WHY_MAX, "the job cannot be loaded: the process that loads it %s%s%s",
			words, last != NULL && *last != '\0' ? "; it said: " : "", last != NULL ? last : "");
	free(text);
}

/* The zygote is dead, or as good as. */
static void on_dead(struct pool *p)
{
	char why[WHY_MAX], words[128];
	int status = 0;
	struct err err;

	(void)kill(p->zygote.pid, SIGKILL); /* in case it only closed its socket */
	(void)waitpid(p->zygote.pid, &status, 0);
	bool loaded = p->zygote.loaded, late = p->zygote.late;
	bool somebody = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !late;
	load_failed_words(p, status, why);
	close_zygote(p);
	if (loaded) {
		status_words(status, words, sizeof(words));
		(void)snprintf(why, sizeof(why), "the process that the worker was forked from %s", words);
		pool_all_ended(p, why);
	}
	if ((!loaded && !somebody) || ++p->zygote_deaths > DEATHS_MAX) {
		pool_unloadable(p, why);
		return;
	}
	if (nursery_start(p, &err) < 0)
		pool_unloadable(p, err.text);
	else if (p->load != NULL)
		nursery_load(p);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct pool *p = arg;

	(void)fd;
	(void)what;
	p->zygote.late = true;
	on_dead(p);
}

/* ---- What it says ---- */

static void on_report(struct pool *p, const Quern__ZygoteReport *report)
{
	if (report->has_loaded && !p->zygote.loaded) {
		p->zygote.loaded = true;
		(void)event_del(p->zygote.deadline);
		pool_loaded(p);
	}
	if (report->ended != NULL)
		pool_worker_ended(p, report->ended->worker, report->ended->status,
			report->ended->has_never_was && report->ended->never_was);
	if (report->load_error != NULL) {
		char why[WHY_MAX];

		(void)snprintf(why, sizeof(why), "the job cannot be loaded: %s", report->load_error);
		(void)event_del(p->zygote.deadline);
		pool_unloadable(p, why);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct pool *p = arg;
	ProtobufCMessage *message;
	int fds[PACKET_FDS];
	size_t n_fds;

	(void)what;
	int r = packet_receive((int)fd, &quern__zygote_report__descriptor, &message, fds, &n_fds);
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		on_dead(p);
		return;
	}
	while (n_fds > 0)
		(void)close(fds[--n_fds]);
	on_report(p, (const Quern__ZygoteReport *)message);
	protobuf_c_message_free_unpacked(message, NULL);
}

/* ---- Starting it ---- */

/* Both are taken: the socket becomes its ZYGOTE_SOCKET, `output` its standard error. */
static int spawn(struct pool *p, int socket, int output)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all, none;
	char parent[16];
	char *argv[] = { p->program, (char *)(uintptr_t)ZYGOTE_OPTION, parent, NULL };

	(void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	int r = posix_spawn_file_actions_init(&files);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return -r;
	}
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&files, socket, ZYGOTE_SOCKET);
	if (r == 0)
		r = posix_spawn(&p->zygote.pid, p->program, &files, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	if (r != 0)
		p->zygote.pid = 0;
	return -r;
}

static int watch(struct pool *p)
{
	p->zygote.event = event_new(p->loop, p->zygote.socket, EV_READ | EV_PERSIST, on_readable, p);
	p->zygote.deadline = event_new(p->loop, -1, 0, on_deadline, p);
	return p->zygote.event == NULL || p->zygote.deadline == NULL || event_add(p->zygote.event, NULL) < 0
		       ? -ENOMEM
		       : 0;
}

int nursery_start(struct pool *p, struct err *err)
{
	const struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	int fds[2], output = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, -errno, "starting the worker processes");
	p->zygote.socket = fds[0];
	/* A zygote that does not read is broken, and found out. */
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	int r = capture_open(&p->zygote.output, p->loop, &output);
	if (r == 0)
		r = spawn(p, fds[1], output);
	(void)close(fds[1]);
	if (output >= 0)
		(void)close(output);
	if (r == 0)
		r = watch(p);
	if (r < 0) {
		nursery_end(p);
		return err_errno(err, r, "starting the worker processes ('%s')", p->program);
	}
	return 0;
}

/* ---- What it is told ---- */

/* A send that fails is not reported here: the zygote is dead then, which the loop finds out. */
static void tell(struct pool *p, const Quern__ZygoteRequest *request, const int *fds, size_t n_fds)
{
	if (packet_send(p->zygote.socket, &request->base, fds, n_fds) < 0 && p->zygote.pid > 0)
		(void)kill(p->zygote.pid, SIGKILL);
}

void nursery_load(struct pool *p)
{
	const struct timeval tv = { .tv_sec = (time_t)(p->load_ms / 1000),
		.tv_usec = (suseconds_t)(p->load_ms % 1000 * 1000) };

	tell(p, p->load, NULL, 0);
	if (event_add(p->zygote.deadline, &tv) < 0)
		(void)kill(p->zygote.pid, SIGKILL);
}

void nursery_fork(struct pool *p, struct pool_worker *w)
{
	Quern__ZygoteRequest request = QUERN__ZYGOTE_REQUEST__INIT;
	const int fds[2] = { w->fork_fd, w->fork_stderr };

	if (!p->zygote.loaded)
		return; /* pool_loaded() comes back to it */
	request.has_fork = 1;
	request.fork = w->id;
	tell(p, &request, fds, 2);
	(void)close(w->fork_fd);
	(void)close(w->fork_stderr);
	w->fork_fd = w->fork_stderr = -1;
}

/* Workers that are to be killed before they were forked. */
static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct pool *p = arg;
	struct pool_worker *w, *next;

	(void)fd;
	(void)what;
	DL_FOREACH_SAFE(p->workers, w, next)
	{
		if (w->leaving && w->fork_fd >= 0)
			pool_worker_ended(p, w->id, SIGKILL, false);
	}
}

void nursery_kill(struct pool *p, struct pool_worker *w)
{
	Quern__ZygoteRequest request = QUERN__ZYGOTE_REQUEST__INIT;

	if (w->fork_fd >= 0) {
		if (p->later == NULL)
			p->later = event_new(p->loop, -1, 0, on_later, p);
		if (p->later != NULL)
			event_active(p->later, 0, 0);
		return;
	}
	request.has_kill = 1;
	request.kill = w->id;
	tell(p, &request, NULL, 0);
}

void nursery_end(struct pool *p)
{
	if (p->zygote.pid > 0) {
		(void)kill(p->zygote.pid, SIGKILL);
		(void)waitpid(p->zygote.pid, NULL, 0);
	}
	close_zygote(p);
}
