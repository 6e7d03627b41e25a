#include "executor/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "executor/packet.h"
#include "executor/strays.h"
#include "executor/task.h"
#include "executor/worker.h"
#include "executor/worker.pb-c.h"
#include "job/broadcast.h"
#include "job/code.h"
#include "job/files.h"

struct zygote {
	int socket, signals;
	struct code *code;
	Quern__ZygoteRequest *load; /* holds `job` */
	const Quern__ZygoteRequest__Load *job;
	VEC(pid_t) pids;   /* of workers */
	VEC(uint32_t) ids; /* theirs, in the same order */
};

/* Ties this process' life to its parent's. The parent may have died before: then its child is somebody
 * else's. */
static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
}

/* The executor is gone, or does not understand us: there is nothing to be here for. */
static void send_report(const struct zygote *z, const Quern__ZygoteReport *report)
{
	if (packet_send(z->socket, &report->base, NULL, 0) < 0)
		_exit(EXIT_FAILURE);
}

static void report_ended(const struct zygote *z, uint32_t worker, int status, bool never_was)
{
	Quern__ZygoteReport report = QUERN__ZYGOTE_REPORT__INIT;
	Quern__ZygoteReport__Ended ended = QUERN__ZYGOTE_REPORT__ENDED__INIT;

	ended.worker = worker;
	ended.status = status;
	ended.has_never_was = never_was;
	ended.never_was = never_was;
	report.ended = &ended;
	send_report(z, &report);
}

static void load(struct zygote *z)
{
	Quern__ZygoteReport report = QUERN__ZYGOTE_REPORT__INIT;
	struct err err = { "" };

	if (code_load(z->job->path, z->job->build_id.data, z->job->build_id.len, &z->code, &err) < 0) {
		report.load_error = err.text;
	} else {
		report.has_loaded = 1;
		report.loaded = 1;
	}
	(void)fflush(NULL); /* or every worker would print it again */
	send_report(z, &report);
}

/* ---- Workers ---- */

static void be_worker(const struct zygote *z, uint32_t id, int socket, int output, pid_t parent)
{
	char scratch[4096];
	sigset_t none;

	die_with(parent);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_NAME, "quern-worker");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)close(z->socket);
	(void)close(z->signals);
	if (dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	(void)close(output);
	if (chdir(z->job->files_dir) < 0 && errno != ENOENT) {
		perror("quern worker: folder of the job's files");
		_exit(EXIT_FAILURE);
	}
	int n = snprintf(scratch, sizeof(scratch), "%s/%u", z->job->scratch_dir, (unsigned)id);
	if (n < 0 || (size_t)n >= sizeof(scratch) || (mkdir(scratch, 0700) < 0 && errno != EEXIST)) {
		perror("quern worker: scratch folder");
		_exit(EXIT_FAILURE);
	}
	struct keep keep = { 0 };
	const struct task_env env = { .code = z->code,
		.executor_id = z->job->executor_id,
		.machine = z->job->machine,
		.shuffle_dir = z->job->shuffle_dir,
		.scratch_dir = scratch,
		.secret = z->job->secret.data,
		.keep = &keep };
	int status = worker_serve(&env, socket);
	keep_deinit(&keep);
	_exit(status);
}

static void fork_worker(struct zygote *z, uint32_t id, int socket, int output)
{
	const pid_t self = getpid();

	if (vec_push(&z->ids, id) < 0) {
		report_ended(z, id, -ENOMEM, true);
		return;
	}
	if (vec_push(&z->pids, -1) < 0) {
		z->ids.n--;
		report_ended(z, id, -ENOMEM, true);
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		be_worker(z, id, socket, output, self);
	if (pid < 0) {
		int code = -errno;
		z->ids.n--;
		z->pids.n--;
		report_ended(z, id, code, true);
		return;
	}
	z->pids.at[z->pids.n - 1] = pid;
	(void)setpgid(pid, pid); /* whichever of us is first */
}

static void kill_worker(const struct zygote *z, uint32_t id)
{
	for (size_t i = 0; i < z->ids.n; i++) {
		if (z->ids.at[i] != id)
			continue;
		/* Not reaped yet, so the number is its own. */
		if (kill(-z->pids.at[i], SIGKILL) < 0)
			(void)kill(z->pids.at[i], SIGKILL);
	}
}

static void reap_worker(struct zygote *z, size_t i)
{
	const uint32_t id = z->ids.at[i];
	const pid_t pid = z->pids.at[i];
	int status = 0;

	(void)kill(-pid, SIGKILL); /* its group, while the number is certainly its own */
	if (waitpid(pid, &status, 0) != pid)
		return;
	vec_remove(&z->ids, i);
	vec_remove(&z->pids, i);
	(void)strays_kill(z->pids.at, z->pids.n);
	report_ended(z, id, status, false);
}

static void reap(struct zygote *z)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		size_t i = 0;
		while (i < z->pids.n && z->pids.at[i] != info.si_pid)
			i++;
		if (i < z->pids.n)
			reap_worker(z, i);
		else
			(void)waitpid(info.si_pid, NULL, 0);
	}
}

/* ---- Requests ---- */

/* Takes the request. */
static void serve(struct zygote *z, Quern__ZygoteRequest *request, const int *fds, size_t n_fds)
{
	if (request->load != NULL && z->load == NULL) {
		z->load = request;
		z->job = request->load;
		files_in(z->job->files_dir);
		broadcasts_in(z->job->broadcast_dir);
		load(z);
		return;
	}
	if (request->has_fork && n_fds == 2 && z->code != NULL)
		fork_worker(z, request->fork, fds[0], fds[1]);
	else if (request->has_fork)
		report_ended(z, request->fork, -ENOEXEC, true);
	if (request->has_kill)
		kill_worker(z, request->kill);
	quern__zygote_request__free_unpacked(request, NULL);
}

static void take_request(struct zygote *z)
{
	ProtobufCMessage *message;
	int fds[PACKET_FDS];
	size_t n_fds;

	int r = packet_receive(z->socket, &quern__zygote_request__descriptor, &message, fds, &n_fds);
	if (r <= 0)
		_exit(r == 0 ? EXIT_SUCCESS : EXIT_FAILURE); /* the workers die with us */
	serve(z, (Quern__ZygoteRequest *)message, fds, n_fds);
	while (n_fds > 0)
		(void)close(fds[--n_fds]);
}

static void prepare(struct zygote *z, const char *parent)
{
	struct rlimit files;
	sigset_t child;

	/* Sockets of the executor's: libevent and curl do not mark theirs. */
	if (close_range(ZYGOTE_SOCKET + 1, ~0U, 0) < 0)
		for (int fd = ZYGOTE_SOCKET + 1; fd < FD_SETSIZE; fd++)
			(void)close(fd);
	die_with((pid_t)strtol(parent, NULL, 10));
	/* A reduce has a file open for each map of its machine. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)prctl(PR_SET_NAME, "quern-zygote");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	z->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (z->signals < 0 || fcntl(z->socket, F_SETFD, FD_CLOEXEC) < 0) {
		perror("quern zygote");
		_exit(EXIT_FAILURE);
	}
}

void zygote_main(const char *parent)
{
	struct zygote z = { .socket = ZYGOTE_SOCKET };

	prepare(&z, parent);
	for (;;) {
		struct pollfd on[2] = { { .fd = z.socket, .events = POLLIN },
			{ .fd = z.signals, .events = POLLIN } };
		struct signalfd_siginfo info;

		if (poll(on, 2, -1) < 0 && errno != EINTR)
			_exit(EXIT_FAILURE);
		if (on[1].revents != 0) {
			(void)!read(z.signals, &info, sizeof(info));
			reap(&z);
		}
		if (on[0].revents != 0)
			take_request(&z);
	}
}
