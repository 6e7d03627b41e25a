#include "cli/detach.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/write.h"
#include "cli/hosting.h"
#include "cli/seal.h"
#include "cli/submission.pb-c.h"
#include "cli/submission_pack.h"
#include "job/files.h"
#include "mesos/client.h"
#include "mesos/codec.h"
#include "scheduler/artifacts.h"
#include "scheduler/driver.h"
#include "scheduler/submission.h"

enum {
	BACKOFF_MAX_MS = 2000,
	WAITING_S = 10,  /* without an offer that does, before a person is told */
	START_S = 120,   /* for the driver to take over, once it is launched */
	GOODBYE_S = 5,   /* for TEARDOWN */
	GRACE_S = 180,   /* for a driver that is taken down, with its output: an agent gives as much */
	LEAVES_S = 3600, /* maintenance that is no sooner will do, if there is no better agent */
	FIXED_URIS = 3,  /* the bundle, the job, what is sealed */
	SIGNALS = 3,
};

static const int64_t NS_PER_S = 1000000000;

struct submitter {
	const struct detach_config *c;
	struct event_base *loop;
	struct event *timer, *signals[SIGNALS];
	struct http_client *http;
	struct mesos_client *mesos;
	struct artifacts *artifacts;
	struct sched *sched; /* what it says at SUBSCRIBE is what the driver will say */
	struct submission *core;
	struct submission_config config;
	enum submission_state said; /* to a person */

	Mesos__V1__ExecutorInfo executor;
	Mesos__V1__CommandInfo command;
	Mesos__V1__DurationInfo grace;
	Mesos__V1__CommandInfo__URI *uris, **uri_list;
	size_t n_uris;
	uint8_t key[SEAL_KEY];
	bool leaving; /* TEARDOWN is on its way */
	int status;
};

static void say(const struct submitter *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct submitter *s, const char *format, ...)
{
	va_list ap;

	(void)s;
	(void)fputs("quern: ", stderr);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

static void arm(const struct submitter *s, long seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	(void)event_add(s->timer, &tv);
}

/* ---- The end ---- */

static void stop(struct submitter *s)
{
	(void)event_base_loopbreak(s->loop);
}

static int send_calls(struct submitter *s, submission_calls *calls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < calls->n; i++)
		r = mesos_client_call(s->mesos, calls->at[i].data, calls->at[i].len);
	submission_calls_deinit(calls);
	return r;
}

/* Nothing is left behind: waits for the answer to TEARDOWN. */
static void leave(struct submitter *s, int status)
{
	submission_calls calls = { 0 };

	if (s->leaving)
		return;
	s->leaving = true;
	s->status = status;
	arm(s, GOODBYE_S);
	int r = submission_tear_down(s->core, &calls);
	bool any = calls.n > 0;
	if (r < 0 || send_calls(s, &calls) < 0 || !any)
		stop(s); /* there is no stream: the failover timeout does it */
}

/* After each event. */
static void look(struct submitter *s)
{
	struct submission_view v = submission_look(s->core);

	if (s->leaving || v.state == s->said)
		return;
	s->said = v.state;
	switch (v.state) {
	case SUBMISSION_LAUNCHED:
		arm(s, START_S);
		if (s->c->options->verbose)
			say(s, "submitted %s; its driver starts on %s", v.id, v.host);
		break;
	case SUBMISSION_TAKEN:
		if (!s->c->options->quiet)
			say(s, "submitted %s; its driver runs on %s", v.id, v.host);
		(void)printf("%s\n", v.id);
		s->status = DRIVER_DONE;
		stop(s);
		break;
	case SUBMISSION_FAILED:
		say(s, "%s", v.why);
		leave(s, v.unsure ? DRIVER_JOB_FAILED : DRIVER_NO_CLUSTER);
		break;
	case SUBMISSION_WAITS:
	case SUBMISSION_RUNS:
		break;
	}
}

/* ---- The master ---- */

/* What the driver will say, but that offers are wanted now. */
static int on_subscribe(void *arg, struct buf *body)
{
	struct submitter *s = arg;
	auto_buf struct buf said = BUF_INIT(SIZE_MAX);

	int r = sched_subscribe_call(s->sched, &said);
	if (r < 0)
		return r;
	Mesos__V1__Scheduler__Call *call = mesos__v1__scheduler__call__unpack(NULL, said.len, said.data);
	if (call == NULL)
		return -ENOMEM;
	size_t suppressed = call->subscribe->n_suppressed_roles;
	call->subscribe->n_suppressed_roles = 0;
	r = buf_reserve(body, mesos__v1__scheduler__call__get_packed_size(call));
	if (r == 0)
		body->len += mesos__v1__scheduler__call__pack(call, body->data + body->len);
	call->subscribe->n_suppressed_roles = suppressed;
	mesos__v1__scheduler__call__free_unpacked(call, NULL);
	return r;
}

static int on_event(void *arg, const void *data, size_t len)
{
	struct submitter *s = arg;
	submission_calls calls = { 0 };
	ProtobufCMessage *m;
	struct err err = { "" };

	int r = mesos_decode(&mesos__v1__scheduler__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err);
	if (r < 0)
		return r;
	const Mesos__V1__Scheduler__Event *event = (const Mesos__V1__Scheduler__Event *)m;
	if (event->subscribed != NULL && event->subscribed->has_heartbeat_interval_seconds)
		mesos_client_heartbeat(s->mesos, event->subscribed->heartbeat_interval_seconds);
	r = submission_event(s->core, event, &calls);
	protobuf_c_message_free_unpacked(m, NULL);
	if (r == 0)
		r = send_calls(s, &calls);
	else
		submission_calls_deinit(&calls);
	look(s);
	return r == -ENOTCONN ? 0 : r;
}

static void on_down(void *arg, const char *why)
{
	struct submitter *s = arg;

	if (s->leaving) { /* TEARDOWN is answered */
		stop(s);
		return;
	}
	submission_down(s->core, why);
	look(s);
	s->mesos = mesos_client_free(s->mesos); /* a new subscription would take the framework back */
	stop(s);
}

static void on_lost(void *arg, const char *why)
{
	struct submitter *s = arg;

	if (!s->leaving)
		say(s, "no Mesos master: %s", why);
	s->status = s->leaving ? s->status : DRIVER_NO_CLUSTER;
	stop(s);
}

static int on_refused(void *arg, long status, const char *words)
{
	const struct submitter *s = arg;

	if (s->c->options->verbose)
		say(s, "the master refused a call: %ld %s", status, words);
	return 0;
}

static const struct mesos_client_ops mesos_ops = {
	.subscribe = on_subscribe, .event = on_event, .down = on_down, .lost = on_lost, .refused = on_refused
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct submitter *s = arg;
	struct submission_view v = submission_look(s->core);

	(void)fd;
	(void)what;
	if (s->leaving) {
		stop(s);
	} else if (v.state != SUBMISSION_WAITS) {
		say(s, "the driver did not come up on %s within %d s", v.host, START_S);
		leave(s, DRIVER_NO_CLUSTER);
	} else {
		if (!s->c->options->quiet)
			say(s,
				"waiting for an offer with %g cores and %u MB for the driver; %u were "
				"smaller, %u of agents with maintenance ahead",
				s->c->options->detached.cpus_milli / 1000.0, s->c->options->detached.mem_mb,
				v.offers, v.leaving);
		submission_settle(s->core, ((int64_t)time(NULL) + LEAVES_S) * NS_PER_S);
		arm(s, WAITING_S);
	}
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct submitter *s = arg;

	(void)fd;
	(void)what;
	if (s->leaving)
		stop(s);
	leave(s, DRIVER_INTERRUPTED);
}

/* ---- What the driver is started from ---- */

/* An artifact of ours as something that is fetched. */
static int add_uri(struct submitter *s, const char *name, const char *path, struct err *err)
{
	Mesos__V1__CommandInfo__URI *uri = &s->uris[s->n_uris];

	int r = artifacts_add(s->artifacts, name, path, err);
	if (r < 0)
		return r;
	mesos__v1__command_info__uri__init(uri);
	uri->value = artifacts_url(s->artifacts, s->c->host, name);
	if (uri->value == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	s->uri_list[s->n_uris++] = uri;
	return 0;
}

static int add_file(struct submitter *s, const struct shipped *file, size_t i, struct err *err)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "file-%zu", i);
	int r = add_uri(s, number, file->path, err);
	if (r < 0)
		return r;
	Mesos__V1__CommandInfo__URI *uri = s->uri_list[s->n_uris - 1];
	uri->has_extract = 1;
	uri->extract = 0;
	uri->has_executable = 1;
	uri->executable = file->executable;
	return asprintf(&uri->output_file, "%s/%s", FILES_FOLDER, file->name) >= 0
		       ? 0
		       : err_set(err, -ENOMEM, "out of memory");
}

/* Everything that is not for all eyes: sealed, in a file without a name. */
static int add_sealed(struct submitter *s, struct err *err)
{
	auto_buf struct buf plain = BUF_INIT(SIZE_MAX), sealed = BUF_INIT(SIZE_MAX);
	auto_close int fd = memfd_create(DETACH_SEALED, MFD_CLOEXEC);
	char path[32];

	if (fd < 0)
		return err_errno(err, -errno, "cannot make a file in memory");
	int r = submission_pack(s->c, &plain, err);
	if (r == 0)
		r = seal(plain.data, plain.len, s->key, &sealed, err);
	if (plain.data != NULL)
		explicit_bzero(plain.data, plain.len);
	if (r == 0 && write_all(fd, sealed.data, sealed.len) < 0)
		r = err_errno(err, -errno, "cannot write a file in memory");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return r < 0 ? r : add_uri(s, DETACH_SEALED, path, err);
}

static int outfit(struct submitter *s, struct err *err)
{
	size_t n = s->c->options->files.list.n;

	s->uris = calloc(n + FIXED_URIS, sizeof(*s->uris));
	s->uri_list = calloc(n + FIXED_URIS, sizeof(*s->uri_list));
	if (s->uris == NULL || s->uri_list == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int r = add_uri(s, "quern-driver.tar.gz", s->c->bundle, err);
	if (r == 0)
		r = add_uri(s, DETACH_OBJECT, s->c->so, err);
	if (r == 0)
		r = add_sealed(s, err);
	for (size_t i = 1; r == 0 && i < s->n_uris; i++) {
		s->uris[i].has_extract = 1;
		s->uris[i].extract = 0;
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_file(s, &s->c->options->files.list.at[i], i, err);
	mesos__v1__command_info__init(&s->command);
	mesos__v1__executor_info__init(&s->executor);
	mesos__v1__duration_info__init(&s->grace);
	s->command.n_uris = s->n_uris;
	s->command.uris = s->uri_list;
	s->command.value = (char *)(uintptr_t) "exec ./bin/quern host";
	s->grace.nanoseconds = GRACE_S * NS_PER_S;
	s->executor.has_type = 1;
	s->executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	s->executor.command = &s->command;
	s->executor.shutdown_grace_period = &s->grace;
	s->executor.has_data = 1;
	s->executor.data = (ProtobufCBinaryData){ .data = s->key, .len = sizeof(s->key) };
	return r;
}

/* ---- Setting up and taking down ---- */

static int make_loop(struct submitter *s, struct err *err)
{
	static const int signals[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

	s->loop = event_base_new();
	s->timer = s->loop != NULL ? event_new(s->loop, -1, 0, on_timer, s) : NULL;
	if (s->timer == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < SIGNALS; i++) {
		s->signals[i] = evsignal_new(s->loop, signals[i], on_signal, s);
		if (s->signals[i] == NULL || event_add(s->signals[i], NULL) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
	arm(s, WAITING_S);
	return 0;
}

static int make_cores(struct submitter *s, struct err *err)
{
	const struct detach_options *o = &s->c->options->detached;
	struct sched_config sched = s->c->sched;

	sched.executor = &s->executor;
	s->config = (struct submission_config){ .task = DETACH_TASK,
		.name = "driver",
		.cpus_milli = o->cpus_milli - HOST_CPUS_MILLI,
		.mem_mb = o->mem_mb - HOST_MEM_MB,
		.executor_cpus_milli = HOST_CPUS_MILLI,
		.executor_mem_mb = HOST_MEM_MB,
		.executor = &s->executor };
	int r = sched_new(&sched, &s->sched, err);
	if (r == 0 && submission_new(&s->config, &s->core) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

static int set_up(struct submitter *s, struct err *err)
{
	const struct mesos_client_config mesos = { .endpoints = s->c->endpoints,
		.path = "/api/v1/scheduler",
		.authorization = s->c->authorization,
		.backoff_max_ms = BACKOFF_MAX_MS,
		.give_up_ms = (long)s->c->options->cluster.master_timeout_ms,
		.heartbeats = true };

	int r = s->c->bundle == NULL ? err_set(err, -ENOENT,
					       "this installation is not whole: there is no "
					       "quern-driver.tar.gz for --detach")
				     : make_loop(s, err);
	if (r == 0)
		r = artifacts_new(s->loop, s->c->bind_address, &s->artifacts, err);
	if (r == 0)
		r = outfit(s, err);
	if (r == 0)
		r = make_cores(s, err);
	if (r == 0)
		r = http_client_new(s->loop, 0, &s->http, err);
	if (r == 0)
		r = mesos_client_new(s->loop, s->http, &mesos, &mesos_ops, s, &s->mesos, err);
	return r < 0 ? r : mesos_client_start(s->mesos, err);
}

static void tear_down(struct submitter *s)
{
	(void)mesos_client_free(s->mesos);
	(void)http_client_free(s->http);
	(void)artifacts_free(s->artifacts);
	(void)submission_free(s->core);
	(void)sched_free(s->sched);
	for (size_t i = 0; i < s->n_uris; i++) {
		free(s->uris[i].value);
		free(s->uris[i].output_file);
	}
	free(s->uris);
	free(s->uri_list);
	explicit_bzero(s->key, sizeof(s->key));
	for (size_t i = 0; i < SIGNALS; i++)
		if (s->signals[i] != NULL)
			event_free(s->signals[i]);
	if (s->timer != NULL)
		event_free(s->timer);
	if (s->loop != NULL) {
		(void)event_base_loop(s->loop, EVLOOP_NONBLOCK); /* libevent frees some things later */
		event_base_free(s->loop);
	}
}

int detach_job(const struct detach_config *config)
{
	struct submitter s = { .c = config, .status = DRIVER_NO_CLUSTER };
	struct err err = { "" };

	(void)signal(SIGPIPE, SIG_IGN);
	int r = set_up(&s, &err);
	if (r == 0 && event_base_dispatch(s.loop) < 0)
		r = err_set(&err, -EIO, "the event loop failed");
	if (r < 0) {
		say(&s, "%s", err.text);
		s.status = DRIVER_JOB_FAILED;
	}
	tear_down(&s);
	return s.status;
}
