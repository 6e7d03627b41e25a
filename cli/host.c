/* host.c: `quern host`: the executor of a driver that the cluster hosts. It is started by an agent, opens
 * what came sealed with the key that came in ExecutorInfo, starts `quern hosted` when its task is launched,
 * and tells the agent how that ends. The driver says so itself, by one byte, before it takes its framework
 * down: a task that goes with its framework would be one that was killed. Other ends are those of the
 * process.
 *
 * A driver that dies leaves its framework to the master's patience. So another one is started, to take it
 * down.
 *
 * SHUTDOWN and KILL: the driver gets SIGTERM, which is its Ctrl-C. One that is about to end anyway is left
 * alone: a second Ctrl-C would make it leave its output as it is. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/write.h"
#include "cli/commands.h"
#include "cli/host_task.h"
#include "cli/hosting.h"
#include "cli/seal.h"
#include "executor/environment.h"
#include "executor/tail.h"
#include "mesos/client.h"
#include "mesos/codec.h"
#include "scheduler/driver.h"

enum {
	FD_JOB = 3,         /* of the driver: what it is told, unsealed */
	FD_STATUS = 4,      /* where it says how it ends */
	GIVE_UP_MS = 60000, /* of an agent that never answers */
	LAST_WORDS_S = 5,   /* for the agent to take the end of the task */
	SEALED_MAX = 64 << 20,
};

struct host {
	struct environment environment;
	struct event_base *loop;
	struct event *child, *terminate, *ended, *timer;
	struct http_client *http;
	struct mesos_client *agent;
	struct host_task task;
	int job, status_read; /* descriptors; -1: none */
	pid_t pid;            /* of the driver; 0: there is none */
	int status;           /* that it has said; -1: nothing */
	bool shutting;        /* it was asked to end */
	bool lost;            /* the driver has died; what runs takes its framework down */
	off_t printed;        /* of the sandbox's stderr, before the driver was started */
	int exit_status;
};

static void say(const char *text)
{
	(void)fprintf(stderr, "quern host: %s\n", text);
}

static void stop(struct host *h, int status)
{
	h->exit_status = status;
	(void)event_base_loopbreak(h->loop);
}

static void out_of_memory(struct host *h)
{
	say("out of memory");
	stop(h, EXIT_FAILURE);
}

/* ---- Updates ---- */

static void update(struct host *h, Mesos__V1__TaskState state, const char *message)
{
	auto_buf struct buf call = BUF_INIT(SIZE_MAX);
	struct timespec now;
	uint64_t seed;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		say("no random numbers");
		stop(h, EXIT_FAILURE);
		return;
	}
	int r = host_task_update(
		&h->task, state, message, seed, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
	if (r == -EINVAL)
		return;
	if (r == 0)
		r = host_task_update_call(&h->task, h->task.n_updates - 1, &call);
	if (r == 0) /* without a subscription it goes with the next one */
		(void)mesos_client_call(h->agent, call.data, call.len);
	else
		out_of_memory(h);
}

static void update_end(struct host *h, int status, const char *message)
{
	update(h,
		status == DRIVER_DONE          ? MESOS__V1__TASK_STATE__TASK_FINISHED
		: status == DRIVER_INTERRUPTED ? MESOS__V1__TASK_STATE__TASK_KILLED
					       : MESOS__V1__TASK_STATE__TASK_FAILED,
		message);
}

/* ---- The driver ---- */

/* The last lines of what the driver has printed. NULL: nothing, or no memory. */
static char *last_lines(const struct host *h)
{
	auto_free char *path = NULL;
	struct tail tail = { .at = 0 };
	char piece[TAIL_BYTES];

	if (asprintf(&path, "%s/stderr", h->environment.sandbox) < 0) {
		path = NULL;
		return NULL;
	}
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	off_t from = size - h->printed > (off_t)sizeof(piece) ? size - (off_t)sizeof(piece) : h->printed;
	ssize_t n = size > from ? pread(fd, piece, sizeof(piece), from) : 0;
	if (n <= 0)
		return NULL;
	tail_add(&tail, piece, (size_t)n);
	return tail_text(&tail);
}

static void on_said(evutil_socket_t fd, short what, void *arg)
{
	struct host *h = arg;
	uint8_t byte;

	(void)what;
	if (read(fd, &byte, 1) == 1 && h->status < 0) {
		h->status = byte;
		auto_free char *lines = byte != DRIVER_DONE ? last_lines(h) : NULL;
		update_end(h, byte, lines);
	}
	(void)event_del(h->ended);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stop(arg, EXIT_SUCCESS);
}

/* Only what may be called between fork and exec. */
static void exec_driver(int job, int status, bool lost, pid_t parent)
{
	char *const argv[] = { (char *)(uintptr_t) "quern", (char *)(uintptr_t) "hosted",
		lost ? (char *)(uintptr_t) "lost" : NULL, NULL };
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Above both first: neither may be closed by the other's place. */
	job = fcntl(job, F_DUPFD_CLOEXEC, 10);
	status = fcntl(status, F_DUPFD_CLOEXEC, 10);
	if (job < 0 || status < 0 || dup2(job, FD_JOB) < 0 || dup2(status, FD_STATUS) < 0)
		_exit(127);
	(void)execv("/proc/self/exe", argv);
	_exit(127);
}

static void start_driver(struct host *h)
{
	struct stat st;
	int fds[2];
	pid_t parent = getpid();

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		update_end(h, DRIVER_JOB_FAILED, "no pipe to be had");
		return;
	}
	if (h->status_read >= 0)
		(void)close(h->status_read);
	h->status_read = fds[0];
	if (h->ended != NULL)
		event_free(h->ended);
	h->ended = event_new(h->loop, fds[0], EV_READ | EV_PERSIST, on_said, h);
	if (h->ended == NULL || event_add(h->ended, NULL) < 0) {
		out_of_memory(h);
		(void)close(fds[1]);
		return;
	}
	h->printed = fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
	h->pid = fork();
	if (h->pid == 0)
		exec_driver(h->job, fds[1], h->lost, parent);
	(void)close(fds[1]);
	if (h->pid < 0) {
		h->pid = 0;
		update_end(h, DRIVER_JOB_FAILED, "no process to be had");
		return;
	}
	update(h, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL);
}

/* The driver is gone. What it did not say is said for it. */
static void on_child(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval last_words = { .tv_sec = LAST_WORDS_S };
	struct host *h = arg;
	char text[128];
	int status;

	(void)fd;
	(void)what;
	if (h->pid == 0 || waitpid(h->pid, &status, WNOHANG) != h->pid)
		return;
	h->pid = 0;
	on_said(h->status_read, 0, h);
	if (h->status < 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : DRIVER_JOB_FAILED;
		auto_free char *lines = last_lines(h);

		if (WIFSIGNALED(status))
			(void)snprintf(text, sizeof(text), "the driver died of signal %d (%s)",
				WTERMSIG(status), strsignal(WTERMSIG(status)));
		update_end(h, code == DRIVER_DONE ? DRIVER_JOB_FAILED : code,
			WIFSIGNALED(status) ? text : lines);
	}
	if (h->status < 0 && !h->lost && !h->shutting) {
		h->lost = true;
		start_driver(h);
	} else if (h->shutting || host_task_over(&h->task)) {
		stop(h, EXIT_SUCCESS);
	} else {
		(void)event_add(h->timer, &last_words);
	}
}

static void shut_down(struct host *h)
{
	h->shutting = true;
	if (h->pid == 0)
		stop(h, EXIT_SUCCESS);
	else if (h->status < 0)
		(void)kill(h->pid, SIGTERM);
}

/* ---- What came sealed ---- */

static int read_sealed(const char *path, struct buf *to, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "'%s'", path);
	if (st.st_size > SEALED_MAX)
		return err_set(err, -EMSGSIZE, "'%s' is too large", path);
	int r = buf_reserve(to, (size_t)st.st_size + 1);
	if (r < 0)
		return err_set(err, r, "out of memory");
	ssize_t n = read(fd, to->data, (size_t)st.st_size);
	if (n != (ssize_t)st.st_size)
		return err_set(err, -EIO, "'%s' cannot be read", path);
	to->len = (size_t)n;
	return 0;
}

/* Opens it into memory. Nobody else finds it any more. */
static int open_job(struct host *h, const ProtobufCBinaryData *key, struct err *err)
{
	auto_buf struct buf sealed = BUF_INIT(SIZE_MAX), plain = BUF_INIT(SIZE_MAX);
	auto_free char *path = NULL;

	if (key->len != SEAL_KEY)
		return err_set(err, -EBADMSG, "the agent sent no key");
	if (asprintf(&path, "%s/%s", h->environment.sandbox, DETACH_SEALED) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	int r = read_sealed(path, &sealed, err);
	if (r == 0)
		r = unseal(sealed.data, sealed.len, key->data, &plain, err);
	if (r < 0)
		return r;
	(void)unlink(path);
	h->job = memfd_create("job", MFD_CLOEXEC);
	if (h->job < 0 || write_all(h->job, plain.data, plain.len) < 0 || lseek(h->job, 0, SEEK_SET) < 0)
		r = err_errno(err, -errno, "cannot make a file in memory");
	explicit_bzero(plain.data, plain.len);
	return r;
}

/* ---- The agent ---- */

static int on_subscribe(void *arg, struct buf *body)
{
	const struct host *h = arg;

	return host_task_subscribe(&h->task, body);
}

static void on_subscribed(struct host *h, const Mesos__V1__Executor__Event__Subscribed *s)
{
	const ProtobufCBinaryData none = { 0 };
	struct err err = { "" };

	if (h->job >= 0 || h->task.info != NULL)
		return;
	if (open_job(h, s->executor_info->has_data ? &s->executor_info->data : &none, &err) < 0) {
		say(err.text);
		stop(h, EXIT_FAILURE);
	}
}

static void on_launch(struct host *h, const Mesos__V1__TaskInfo *info)
{
	int r = host_task_launch(&h->task, info);

	if (r == -ENOMEM)
		out_of_memory(h);
	else if (r == 0)
		start_driver(h);
}

static int on_event(void *arg, const void *data, size_t len)
{
	struct host *h = arg;
	ProtobufCMessage *m;
	struct err err = { "" };

	int r = mesos_decode(&mesos__v1__executor__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err);
	if (r < 0)
		return r;
	const Mesos__V1__Executor__Event *e = (const Mesos__V1__Executor__Event *)m;
	switch (e->has_type ? e->type : MESOS__V1__EXECUTOR__EVENT__TYPE__UNKNOWN) {
	case MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED:
		if (e->subscribed != NULL)
			on_subscribed(h, e->subscribed);
		break;
	case MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH:
		if (e->launch != NULL)
			on_launch(h, e->launch->task);
		break;
	case MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED:
		if (e->acknowledged != NULL)
			host_task_acknowledged(&h->task, &e->acknowledged->uuid);
		if (h->pid == 0 && host_task_over(&h->task))
			stop(h, EXIT_SUCCESS);
		break;
	case MESOS__V1__EXECUTOR__EVENT__TYPE__KILL:
	case MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN:
		shut_down(h);
		break;
	default:
		break;
	}
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static void on_down(void *arg, const char *why)
{
	(void)arg;
	(void)fprintf(stderr, "quern host: no connection to the agent: %s\n", why);
}

static void on_lost(void *arg, const char *why)
{
	(void)fprintf(stderr, "quern host: no agent: %s\n", why);
	shut_down(arg);
}

static void on_terminate(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	shut_down(arg);
}

/* ---- Life ---- */

static int subscribe(struct host *h, struct err *err)
{
	static const struct mesos_client_ops ops = {
		.subscribe = on_subscribe, .event = on_event, .down = on_down, .lost = on_lost
	};
	const struct environment *e = &h->environment;
	const char *const endpoints[] = { e->agent, NULL };
	auto_free char *authorization = NULL;

	if (e->token != NULL && asprintf(&authorization, "Bearer %s", e->token) < 0) {
		authorization = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	const struct mesos_client_config config = { .endpoints = endpoints,
		.path = "/api/v1/executor",
		.authorization = authorization,
		.backoff_max_ms = (long)e->backoff_max_ms,
		.give_up_ms = e->checkpoint ? (long)e->recovery_timeout_ms : GIVE_UP_MS };
	int r = http_client_new(h->loop, 0, &h->http, err);
	if (r == 0)
		r = mesos_client_new(h->loop, h->http, &config, &ops, h, &h->agent, err);
	return r < 0 ? r : mesos_client_start(h->agent, err);
}

static int start(struct host *h, struct err *err)
{
	int r = environment_read(getenv, &h->environment, err);

	if (r < 0)
		return r;
	h->task.framework_id = h->environment.framework_id;
	h->task.executor_id = h->environment.executor_id;
	h->loop = event_base_new();
	if (h->loop == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	h->child = evsignal_new(h->loop, SIGCHLD, on_child, h);
	h->terminate = evsignal_new(h->loop, SIGTERM, on_terminate, h);
	h->timer = event_new(h->loop, -1, 0, on_timer, h);
	if (h->child == NULL || h->terminate == NULL || h->timer == NULL || event_add(h->child, NULL) < 0 ||
		event_add(h->terminate, NULL) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return subscribe(h, err);
}

static void end(struct host *h)
{
	struct event *events[] = { h->child, h->terminate, h->ended, h->timer };

	(void)mesos_client_free(h->agent);
	(void)http_client_free(h->http);
	host_task_deinit(&h->task);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (h->loop != NULL)
		event_base_free(h->loop);
	if (h->job >= 0)
		(void)close(h->job);
	if (h->status_read >= 0)
		(void)close(h->status_read);
}

int command_host(int argc, char **argv)
{
	struct host h = { .job = -1, .status_read = -1, .status = -1 };
	struct err err = { "" };

	(void)argc;
	(void)argv;
	(void)signal(SIGPIPE, SIG_IGN);
	int r = start(&h, &err);
	if (r == 0 && event_base_dispatch(h.loop) < 0)
		r = err_set(&err, -EIO, "the event loop failed");
	if (r < 0) {
		say(err.text);
		h.exit_status = EXIT_FAILURE;
	}
	end(&h);
	return h.exit_status;
}
