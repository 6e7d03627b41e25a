#include "scheduler/driver.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/link.h"
#include "base/proof.h"
#include "base/serve.h"
#include "scheduler/driver_state.h"
#include "scheduler/outfit.h"

enum {
	GOODBYE_MS = 5000,   /* how long TEARDOWN may take */
	PROGRESS_MS = 100,   /* between two looks at a terminal */
	CALL_MAX = 64 << 20, /* bytes of one SUBSCRIBE */
	DAY_S = 86400,
};

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t driver_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t driver_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

void driver_say(struct driver *d, const char *format, ...)
{
	va_list ap;

	progress_clear(&d->progress);
	(void)fputs("quern: ", stderr);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* Of HDFS, by another thread: nothing of the driver is touched. */
static void on_waiting(void *arg, const char *text)
{
	(void)arg;
	(void)fprintf(stderr, "%squern: warning: %s\n", isatty(STDERR_FILENO) ? "\r\x1b[K" : "", text);
}

/* The way out, from wherever: the work is done by on_end(), from the loop. The first reason counts. */
void driver_end(struct driver *d, int status)
{
	if (d->ending)
		return;
	d->ending = true;
	d->status = status;
	event_active(d->end, 0, 0);
}

void driver_out_of_memory(struct driver *d)
{
	if (!d->ending)
		driver_say(d, "out of memory");
	driver_end(d, DRIVER_JOB_FAILED);
	d->stopped = true; /* the core cannot be asked any more */
}

/* ---- What the core wants done ---- */

static void perform(struct driver *d, const struct sched_action *a)
{
	int r = 0;

	switch (a->kind) {
	case SCHED_DO_CALL:
		r = mesos_client_call(d->mesos, a->data, a->len);
		break;
	case SCHED_DO_LINK:
		r = peers_send(d->peers, a->text, a->data, a->len);
		break;
	case SCHED_DO_RESULT:
		if (d->job != NULL)
			r = job_process_result(d->job, a->run, a->partition, a->data, a->len);
		break;
	case SCHED_DO_COMMIT:
		driver_action_commit(d, a);
		break;
	case SCHED_DO_DONE:
		if (d->phase == ACTION_RUNS)
			driver_action_end(d, a->code, a->text);
		break;
	case SCHED_DO_LOG:
		if (d->c->verbose)
			driver_say(d, "%s", a->text);
		break;
	case SCHED_DO_NOTE:
		if (!d->c->quiet && !d->ending)
			driver_say(d, "%s", a->text);
		break;
	case SCHED_DO_SURVEY:
		r = driver_survey(d);
		break;
	case SCHED_DO_FATAL:
		if (!d->ending)
			driver_say(d, "%s", a->text);
		driver_end(d, a->code);
		break;
	case SCHED_DO_STOPPED:
		d->stopped = true;
		break;
	}
	if (r == -ENOMEM)
		driver_out_of_memory(
			d); /* -ENOTCONN: the core hears of the lost connection by an event of its own */
	else if (r == -EMSGSIZE) {
		driver_say(d, "a message of %zu bytes is more than may wait for a slow receiver", a->len);
		driver_end(d, DRIVER_JOB_FAILED);
	}
}

static void arm_tick(struct driver *d)
{
	uint64_t at = sched_next_ms(d->sched), now = driver_now_ms();

	if (at == UINT64_MAX) {
		(void)event_del(d->tick);
		return;
	}
	uint64_t ms = at > now ? at - now : 0;
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	(void)event_add(d->tick, &tv);
}

/* One event through the core, and everything that follows from it. */
void driver_step(struct driver *d, struct sched_event ev)
{
	if (d->stopped)
		return;
	ev.now_ms = driver_now_ms();
	ev.wall_ms = driver_wall_ms();
	if (sched_step(d->sched, &ev, &d->plan) < 0)
		driver_out_of_memory(d);
	for (size_t i = 0; i < d->plan.n; i++)
		perform(d, &d->plan.at[i]);
	sched_plan_reset(&d->plan);
	if (!d->stopped)
		arm_tick(d);
	driver_leave(d);
}

void driver_leave(struct driver *d)
{
	bool gone = d->gone || (d->stopped && !d->subscribed && !d->tokens_left);

	if (d->ending && d->ended && gone && offload_idle(d->offload))
		(void)event_base_loopbreak(d->loop);
}

/* ---- Executors ---- */

static void on_peer_up(void *arg, const char *id)
{
	driver_step(arg, (struct sched_event){ .kind = SCHED_EV_LINK_UP, .u.link = { .executor_id = id } });
}

static void on_peer_message(void *arg, const char *id, const Quern__ToDriver *message)
{
	driver_step(arg, (struct sched_event){ .kind = SCHED_EV_LINK,
				 .u.link = { .executor_id = id, .message = message } });
}

static void on_peer_down(void *arg, const char *id, const char *why)
{
	struct driver *d = arg;

	if (d->c->verbose && !d->ending)
		driver_say(d, "connection to executor %s ended: %s", id, why);
	driver_step(d, (struct sched_event){ .kind = SCHED_EV_LINK_DOWN, .u.link = { .executor_id = id } });
}

static const struct peers_ops peers_ops = {
	.up = on_peer_up, .message = on_peer_message, .down = on_peer_down
};

/* ---- The loop's own events ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	driver_step(arg, (struct sched_event){ .kind = SCHED_EV_TICK });
}

static void on_redraw(evutil_socket_t fd, short what, void *arg)
{
	struct driver *d = arg;
	struct sched_progress now;

	(void)fd;
	(void)what;
	if (d->ending || d->stopped || d->phase != ACTION_RUNS)
		return;
	sched_get_progress(d->sched, &now);
	progress_show(&d->progress, &now, driver_now_ms());
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct driver *d = arg;

	(void)fd;
	(void)what;
	if (d->ending) /* asked twice: no goodbye. The master's failover timeout does the rest */
		(void)event_base_loopbreak(d->loop);
	driver_end(d, DRIVER_INTERRUPTED);
}

/* The master has had its time; after it, whoever keeps files from being finished or removed. */
static void on_goodbye(evutil_socket_t fd, short what, void *arg)
{
	struct driver *d = arg;
	const uint64_t patience_ms = d->c->hdfs->patience_ms > 0 ? d->c->hdfs->patience_ms : HDFS_PATIENCE_MS;
	const struct timeval tv = { .tv_sec = (time_t)(patience_ms / 1000) };

	const double s = d->c->sched.failover_timeout_s;
	const bool days = s >= DAY_S;

	(void)fd;
	(void)what;
	if (d->gone) {
		(void)event_base_loopbreak(d->loop);
		return;
	}
	d->gone = true;
	if (d->subscribed)
		driver_say(d, "%s; the master will take the framework down after %g %s",
			driver_master_awaits(d), days ? s / DAY_S : s, days ? "days" : "s");
	if (!offload_idle(d->offload)) {
		driver_say(d,
			d->phase == ACTION_BEGINS
				? "files are still being looked for; interrupt once more to end at once"
				: "the output is still being seen to; interrupt once more to leave it as it "
				  "is");
		(void)event_add(d->goodbye, &tv);
	}
	driver_leave(d);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct driver *d = arg;

	(void)fd;
	(void)what;
	progress_clear(&d->progress);
	d->job = job_process_free(d->job);
	driver_hdfs_end(d);
	if (!d->stopped) {
		if (d->c->ends != NULL)
			d->c->ends(d->c->ends_arg, d->status);
		driver_step(d, (struct sched_event){ .kind = SCHED_EV_STOP, .u.status = d->status });
	}
	if (d->phase == ACTION_READY ||
		d->phase == ACTION_RUNS) /* the core has not heard of it, or cannot say so */
		driver_action_end(d, DRIVER_JOB_FAILED, NULL);
	uint64_t ms = d->stopped ? GOODBYE_MS : driver_master_patience(d, GOODBYE_MS);
	if (ms == 0) /* nobody is told */
		d->stopped = true;
	const struct timeval tv = { .tv_sec = (time_t)((ms > GOODBYE_MS ? ms : GOODBYE_MS) / 1000) };
	(void)event_add(d->goodbye, &tv);
	d->ended = true;
	driver_leave(d);
}

/* ---- Setting up and taking down ---- */

static int add_event(struct driver *d, struct event **where, int fd, short what, event_callback_fn fn)
{
	*where = event_new(d->loop, fd, what, fn, d);
	return *where == NULL ? -ENOMEM : 0;
}

static int make_loop(struct driver *d, struct err *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct timeval redraw = { .tv_usec = PROGRESS_MS * 1000 };
	int r = 0;

	d->loop = event_base_new();
	if (d->loop == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r |= add_event(d, &d->tick, -1, 0, on_tick);
	r |= add_event(d, &d->end, -1, 0, on_end);
	r |= add_event(d, &d->goodbye, -1, 0, on_goodbye);
	r |= add_event(d, &d->redraw, -1, EV_PERSIST, on_redraw);
	for (size_t i = 0; i < 3; i++) {
		r |= add_event(d, &d->signals[i], signals[i], EV_SIGNAL | EV_PERSIST, on_signal);
		if (r == 0 && event_add(d->signals[i], NULL) < 0)
			r = -ENOMEM;
	}
	if (r == 0 && d->progress.line.on && event_add(d->redraw, &redraw) < 0)
		r = -ENOMEM;
	return r < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int set_up(struct driver *d, struct err *err)
{
	uint8_t secret[LINK_SECRET];
	int r;

	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return err_set(err, -EIO, "no random numbers to be had");
	r = make_loop(d, err);
	if (r == 0)
		r = driver_log_start(d, err);
	if (r == 0)
		r = peers_new(d->loop, d->c->bind_address, secret, &peers_ops, d, &d->peers, err);
	if (r == 0)
		r = artifacts_new(d->loop, d->c->bind_address, &d->artifacts, err);
	if (r == 0 && offers_new(artifacts_http(d->artifacts), secret, PROOF_DRIVER, &d->offers) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		r = outfit_sched(d->c, d->artifacts, peers_port(d->peers), secret, &d->sched, err);
	explicit_bzero(secret, sizeof(secret));
	if (r == 0)
		driver_log_follow(d);
	if (r == 0)
		r = http_client_new(d->loop, 0, &d->http, err);
	if (r < 0)
		return r;
	r = driver_master_start(d, err);
	if (r == 0 && !d->c->only_end)
		r = job_process_start(d->loop, &d->c->process, &driver_job_ops, d, &d->job, err);
	if (r == 0) /* threads come after the fork */
		r = offload_new(d->loop, &d->offload, err);
	if (r == 0)
		r = hdfs_pool_new(d->c->hdfs, &d->hdfs, err);
	if (r == 0 && !d->c->quiet)
		hdfs_pool_on_waiting(d->hdfs, on_waiting, NULL);
	d->config = d->c->action;
	d->config.hdfs = d->hdfs;
	return r;
}

static void tear_down(struct driver *d)
{
	struct event *events[] = { d->tick, d->end, d->goodbye, d->redraw, d->signals[0], d->signals[1],
		d->signals[2] };

	progress_clear(&d->progress);
	d->job = job_process_free(d->job);
	d->ending = d->stopped = true;
	if (d->hdfs != NULL) /* whoever is still waited for is not any longer */
		hdfs_pool_interrupt(d->hdfs);
	d->offload = offload_free(d->offload);
	d->action = action_free(d->action);
	d->hdfs = hdfs_pool_free(d->hdfs);
	action_memory_deinit(&d->memory);
	d->tokens = hdfs_tokens_free(d->tokens);
	driver_master_end(d);
	(void)http_client_free(d->http);
	(void)peers_free(d->peers);
	(void)offers_free(d->offers);
	(void)artifacts_free(d->artifacts);
	driver_log_end(d);
	(void)sched_free(d->sched);
	sched_plan_deinit(&d->plan);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (d->loop != NULL) {
		(void)event_base_loop(d->loop, EVLOOP_NONBLOCK); /* libevent frees some things later */
		event_base_free(d->loop);
	}
}

int driver_run(const struct driver_config *config)
{
	struct driver d = { .c = config };
	struct err err = { "" };

	(void)signal(SIGPIPE, SIG_IGN);
	progress_init(&d.progress, stderr, config->quiet);
	if (set_up(&d, &err) < 0) {
		driver_say(&d, "%s", err.text);
		d.status = DRIVER_JOB_FAILED;
	} else if (event_base_dispatch(d.loop) < 0) {
		driver_say(&d, "the event loop failed");
		d.status = DRIVER_JOB_FAILED;
	}
	tear_down(&d);
	return d.status;
}
