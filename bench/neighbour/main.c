/* main.c: quern-bench-neighbour: a batch framework of its own, that shares a cluster with what is measured:
 * it takes whatever it is offered, launches tasks of one length, and counts the work that they do. It has
 * nothing of quern's scheduler or modes.
 *
 * Order: it says {"framework":ID} once it is subscribed. For each line on stdin it says how far it is, see
 * say(). At SIGTERM or SIGINT, or once all of --tasks are over, it says that a last time, tears its framework
 * down and ends when the master has closed the stream. */
#include <argp.h>
#include <event2/event.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "bench/neighbour/batch.h"
#include "bench/neighbour/calls.h"
#include "bench/neighbour/executor.h"
#include "mesos/client.h"
#include "mesos/codec.h"

enum { GIVE_UP_MS = 10000, GOODBYE_S = 10, CALL_MAX = 16 << 20 };

/* Value of the header Authorization, for masters that want one: not an option, which others could see. */
static const char authorization[] = "QUERN_BENCH_AUTHORIZATION";

struct options {
	const char *master;
	struct batch_config batch;
	struct calls_config calls;
	uint64_t revive_ms;
	bool as_executor;
};

struct neighbour {
	const struct options *options;
	struct event_base *loop;
	struct event *revive, *asked, *term, *interrupt, *late;
	struct mesos_client *mesos;
	struct batch *batch;
	char *framework_id;
	uint64_t revived_us; /* 0: not yet */
	bool ending;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "quern-bench-neighbour: %s\n", what);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* One line: when (CLOCK_MONOTONIC), the work done so far, and how many tasks that were. */
static void say(const struct neighbour *n)
{
	uint64_t now = now_us();
	struct batch_count c = batch_count(n->batch, now);

	(void)printf("{\"t_s\":%.6f,\"work_core_s\":%.6f,\"finished\":%" PRIu64 ",\"lost\":%" PRIu64
		     ",\"running\":%u,\"elapsed_s\":%.6f}\n",
		(double)now / 1e6, (double)c.work_us / 1e6, c.finished, c.lost, c.running,
		(double)c.elapsed_us / 1e6);
	if (fflush(stdout) != 0)
		fail("nobody reads what is said");
}

/* ---- Calls ---- */

static void send_call(const struct neighbour *n, int encoded, const struct buf *out)
{
	if (encoded < 0 || mesos_client_call(n->mesos, out->data, out->len) < 0)
		fail("a call could not be sent");
}

static void send_simple(
	const struct neighbour *n, Mesos__V1__Scheduler__Call__Type type, Mesos__V1__TaskStatus *acknowledge)
{
	auto_buf struct buf out = BUF_INIT(CALL_MAX);

	int r = calls_simple(type, n->framework_id, acknowledge, &out);
	send_call(n, r, &out);
}

static int on_subscribe(void *arg, struct buf *body)
{
	const struct neighbour *n = arg;

	return calls_subscribe(&n->options->calls, body);
}

static void on_offer(struct neighbour *n, Mesos__V1__Offer *offer)
{
	auto_buf struct buf out = BUF_INIT(CALL_MAX);
	char ids[BATCH_LAUNCH_MAX][BATCH_ID_SIZE];
	uint32_t wanted = n->ending ? 0
				    : batch_room(n->batch, calls_offered(offer, "cpus"),
					      calls_offered(offer, "mem"), offer->n_executor_ids > 0);

	for (uint32_t i = 0; i < wanted; i++)
		if (batch_launch(n->batch, now_us(), ids[i]) < 0)
			fail("out of memory");
	int r = calls_accept(&n->options->calls, n->framework_id, offer, ids, wanted, &out);
	send_call(n, r, &out);
}

/* ---- The end ---- */

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fail("the master does not end the framework");
}

/* The master closes the stream of a framework that is gone: on_end(). */
static void finish(struct neighbour *n)
{
	const struct timeval most = { .tv_sec = GOODBYE_S };

	if (n->ending)
		return;
	n->ending = true;
	say(n);
	if (n->framework_id == NULL) {
		(void)event_base_loopbreak(n->loop);
		return;
	}
	send_simple(n, MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN, NULL);
	(void)evtimer_add(n->late, &most);
}

static void on_end(void *arg, const char *why)
{
	const struct neighbour *n = arg;

	if (!n->ending)
		fail(why);
	(void)event_base_loopbreak(n->loop);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	finish(arg);
}

/* ---- Events ---- */

static void on_revive(evutil_socket_t fd, short what, void *arg)
{
	struct neighbour *n = arg;

	(void)fd, (void)what;
	if (n->ending || !batch_wants(n->batch))
		return;
	n->revived_us = now_us();
	send_simple(n, MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE, NULL);
}

/* REVIVE, at once unless the last one is too recent. */
static void ask_for_offers(struct neighbour *n)
{
	uint64_t due = n->revived_us + n->options->revive_ms * 1000, now = now_us();
	uint64_t us = n->revived_us > 0 && due > now ? due - now : 0;
	const struct timeval wait = { .tv_sec = (time_t)(us / 1000000),
		.tv_usec = (suseconds_t)(us % 1000000) };

	if (n->options->revive_ms > 0 && !event_pending(n->revive, EV_TIMEOUT, NULL))
		(void)evtimer_add(n->revive, &wait);
}

static void on_update(struct neighbour *n, Mesos__V1__TaskStatus *status)
{
	if (status->has_uuid)
		send_simple(n, MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE, status);
	if (!batch_status(n->batch, status->task_id->value, status->state, now_us()))
		return;
	if (n->options->batch.tasks > 0 && status->state != MESOS__V1__TASK_STATE__TASK_FINISHED)
		fail(status->message != NULL ? status->message : "a task did not finish");
	if (batch_done(n->batch))
		finish(n);
	else
		ask_for_offers(n);
}

static void on_subscribed(struct neighbour *n, const char *id)
{
	n->framework_id = strdup(id);
	if (n->framework_id == NULL)
		fail("out of memory");
	(void)printf("{\"framework\":\"%s\"}\n", id);
	(void)fflush(stdout);
}

static int on_event(void *arg, const void *data, size_t len)
{
	struct neighbour *n = arg;
	ProtobufCMessage *m;
	struct err err;

	if (mesos_decode(&mesos__v1__scheduler__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err) < 0)
		fail(err.text);
	Mesos__V1__Scheduler__Event *e = (Mesos__V1__Scheduler__Event *)m;
	if (e->subscribed != NULL && n->framework_id == NULL)
		on_subscribed(n, e->subscribed->framework_id->value);
	if (e->error != NULL && !n->ending)
		fail(e->error->message);
	if (e->update != NULL && !n->ending)
		on_update(n, e->update->status);
	for (size_t i = 0; e->offers != NULL && i < e->offers->n_offers && !n->ending; i++)
		on_offer(n, e->offers->offers[i]);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

/* Whoever has closed it asks no more. */
static void on_asked(evutil_socket_t fd, short what, void *arg)
{
	struct neighbour *n = arg;
	char text[256];

	(void)what;
	ssize_t len = read(fd, text, sizeof(text));
	if (len <= 0)
		(void)event_del(n->asked);
	for (ssize_t i = 0; i < len; i++)
		if (text[i] == '\n' && !n->ending)
			say(n);
}

/* ---- The command line ---- */

enum {
	KEY_TASKS = 0x100,
	KEY_MS,
	KEY_SPIN,
	KEY_LIMIT,
	KEY_NAME,
	KEY_ROLE,
	KEY_REVIVE,
	KEY_OWN,
	KEY_AS_EXECUTOR
};

static const struct argp_option list[] = {
	{ .name = "tasks", .key = KEY_TASKS, .arg = "N", .doc = "end after so many tasks (never)" },
	{ .name = "task-ms", .key = KEY_MS, .arg = "MS", .doc = "length of a task (500)" },
	{ .name = "spin", .key = KEY_SPIN, .doc = "tasks compute, and do not sleep" },
	{ .name = "limit", .key = KEY_LIMIT, .arg = "N", .doc = "tasks at a time (any number)" },
	{ .name = "name", .key = KEY_NAME, .arg = "NAME", .doc = "of the framework (batch)" },
	{ .name = "role", .key = KEY_ROLE, .arg = "ROLE", .doc = "of the framework (*)" },
	{ .name = "revive-ms",
		.key = KEY_REVIVE,
		.arg = "MS",
		.doc = "ask for offers when a task has ended, but not again within so long, 0: never (20)" },
	{ .name = "own-executor",
		.key = KEY_OWN,
		.doc = "tasks are run by this program, which is on the agents under the same path; without "
		       "it, each "
		       "is a command" },
	{ .name = "as-executor", .key = KEY_AS_EXECUTOR, .flags = OPTION_HIDDEN },
	{ 0 },
};

static uint64_t number(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n > UINT32_MAX)
		argp_error(state, "'%s' is no number", text);
	return n;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_TASKS:
		o->batch.tasks = number(arg, state);
		break;
	case KEY_MS:
		o->calls.task_ms = number(arg, state);
		break;
	case KEY_SPIN:
		o->calls.spin = true;
		break;
	case KEY_LIMIT:
		o->batch.limit = (uint32_t)number(arg, state);
		break;
	case KEY_NAME:
		o->calls.name = arg;
		break;
	case KEY_ROLE:
		o->calls.role = arg;
		break;
	case KEY_REVIVE:
		o->revive_ms = number(arg, state);
		break;
	case KEY_OWN:
		o->batch.executor = true;
		break;
	case KEY_AS_EXECUTOR:
		o->as_executor = true;
		break;
	case ARGP_KEY_ARG:
		if (o->master != NULL)
			return ARGP_ERR_UNKNOWN;
		o->master = arg;
		break;
	case ARGP_KEY_END:
		if (o->master == NULL && !o->as_executor)
			argp_error(state, "the master is missing");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const char doc[] =
	"A framework beside what is measured: takes whatever it is offered, and counts the work that its "
	"tasks do.\v"
	"Says, as a line of JSON, how far it is for each line on standard input, and at its end.";

/* ---- */

static int start(struct neighbour *n, struct http_client **http, struct err *err)
{
	static const struct mesos_client_ops ops = {
		.subscribe = on_subscribe, .event = on_event, .down = on_end, .lost = on_end
	};
	const char *endpoints[] = { n->options->master, NULL };
	const struct mesos_client_config config = { .endpoints = endpoints,
		.path = "/api/v1/scheduler",
		.authorization = getenv(authorization),
		.give_up_ms = GIVE_UP_MS };
	struct stat st;

	n->loop = event_base_new();
	if (n->loop == NULL || batch_new(&n->options->batch, &n->batch) < 0)
		return err_set(err, -1, "out of memory");
	n->revive = evtimer_new(n->loop, on_revive, n);
	n->late = evtimer_new(n->loop, on_late, n);
	n->asked = event_new(n->loop, STDIN_FILENO, EV_READ | EV_PERSIST, on_asked, n);
	n->term = evsignal_new(n->loop, SIGTERM, on_signal, n);
	n->interrupt = evsignal_new(n->loop, SIGINT, on_signal, n);
	if (n->revive == NULL || n->late == NULL || n->asked == NULL || n->term == NULL ||
		n->interrupt == NULL || evsignal_add(n->term, NULL) < 0 ||
		evsignal_add(n->interrupt, NULL) < 0)
		return err_set(err, -1, "out of memory");
	if (fstat(STDIN_FILENO, &st) == 0 &&
		(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(STDIN_FILENO)))
		(void)event_add(n->asked, NULL);
	int r = http_client_new(n->loop, 0, http, err);
	if (r == 0)
		r = mesos_client_new(n->loop, *http, &config, &ops, n, &n->mesos, err);
	return r == 0 ? mesos_client_start(n->mesos, err) : r;
}

static void stop(struct neighbour *n, struct http_client *http)
{
	struct event *events[] = { n->revive, n->asked, n->term, n->interrupt, n->late };

	(void)mesos_client_free(n->mesos);
	(void)http_client_free(http);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		event_free(events[i]);
	event_base_free(n->loop);
	(void)batch_free(n->batch);
	free(n->framework_id);
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = list, .parser = take, .args_doc = "HOST:PORT", .doc = doc };
	struct options o = { .calls = { .name = "batch", .role = "*", .task_ms = 500 }, .revive_ms = 20 };
	struct neighbour n = { .options = &o };
	struct http_client *http = NULL;
	struct err err = { "" };
	char self[PATH_MAX], command[PATH_MAX + 32];

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return 2;
	if (o.as_executor)
		return executor_run();
	o.batch.task_us = o.calls.task_ms * 1000;
	if (o.batch.executor) {
		ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (len <= 0)
			fail("cannot find out where this program is");
		self[len] = '\0';
		(void)snprintf(command, sizeof(command), "exec '%s' --as-executor", self);
		o.calls.executor = command;
	}
	if (start(&n, &http, &err) < 0)
		fail(err.text);
	(void)event_base_dispatch(n.loop);
	stop(&n, http);
	return 0;
}
