/* shell.c: the executor's process: it turns what happens into events of the core and does what the core's
 * plans say.
 *
 * Startup: zygote and shuffle server at once; subscription to the agent; what SUBSCRIBED carries names the
 * job and the driver, so the job is loaded and the link made then. Operation: one step of the core per event.
 * No callback of pool, link or client comes from inside a call of ours, so steps do not nest; what fails at
 * once is told to the core by way of `later`. Teardown: workers first, so that nothing of the job runs any
 * longer than it must; then the last updates get their time, at most half of the agent's grace period; then
 * the files. */
#include "executor/shell.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/http.h"
#include "base/link.h"
#include "executor/blobs.h"
#include "executor/broadcast_store.h"
#include "executor/core.h"
#include "executor/place.h"
#include "executor/pool.h"
#include "executor/strays.h"
#include "executor/task.h"
#include "mesos/client.h"

enum {
	GIVE_UP_MS = 60000, /* of an agent that never answers: its executor_registration_timeout */
	BACKOFF_MIN_MS = 50,
	SUBSCRIBE_MAX = 64 << 20,
	LAST_WORDS_MS = 10 /* between two looks whether the last updates are out */
};

struct shell {
	const struct environment *environment;
	uint64_t start_us;
	struct event_base *loop;
	struct event *timer, *flush, *later, *terminate, *interrupt;
	struct http_client *http;
	struct mesos_client *agent;
	struct place place;
	struct shuffle_server *shuffle;
	struct exec *core;
	struct exec_plan plan;
	struct pool *pool;
	struct blobs blobs;
	struct broadcast_store *broadcasts; /* from EXEC_DO_SETUP on */
	struct link *link;
	char link_error[512]; /* of a link that failed at once; "" none */
	bool subscribed, ending;
	int status;
};

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	(void)fprintf(stderr, "quern-executor: %s\n", line);
}

/* Ends the loop; what was not said by now is left unsaid. */
static void stop(struct shell *s, int status, const char *why)
{
	if (s->ending)
		return;
	say("ending: %s", why);
	s->ending = true;
	s->status = status;
	(void)event_base_loopbreak(s->loop);
}

/* ---- What plans say ---- */

static void step(struct shell *s, struct exec_event event);

static void on_fetched(void *arg, uint32_t broadcast, const char *error)
{
	step(arg, (struct exec_event){
			  .kind = EXEC_EV_FETCHED, .u.fetched = { .broadcast = broadcast, .error = error } });
}

static int open_broadcasts(struct shell *s, const Quern__ExecutorData *setup)
{
	const struct broadcast_store_config config = { .folder = s->place.broadcast_dir,
		.executor_id = s->environment->executor_id,
		.secret = setup->secret.data,
		.driver_host = setup->driver_host,
		.driver_port = (uint16_t)setup->serve_port,
		.loop = s->loop,
		.client = s->http,
		.server = s->place.http,
		.fetched = on_fetched,
		.arg = s };

	return broadcast_store_new(&config, &s->broadcasts);
}

static void set_up(struct shell *s, const Quern__ExecutorData *setup)
{
	char path[4096];
	const struct pool_job job = { .path = path,
		.build_id = setup->build_id.data,
		.build_id_len = setup->build_id.len,
		.executor_id = s->environment->executor_id,
		.machine = s->place.machine,
		.shuffle_dir = s->place.shuffle_dir,
		.scratch_dir = s->place.scratch_dir,
		.broadcast_dir = s->place.broadcast_dir,
		.files_dir = s->place.files_dir,
		.secret = setup->secret.data };

	if (strchr(setup->job, '/') != NULL || setup->job[0] == '\0') {
		stop(s, EXIT_FAILURE, "the job's name is not that of a file in the sandbox");
		return;
	}
	int n = snprintf(path, sizeof(path), "%s/%s", s->environment->sandbox, setup->job);
	if (n < 0 || (size_t)n >= sizeof(path) ||
		shuffle_server_new(s->place.shuffle_dir, setup->secret.data, s->environment->executor_id,
			&s->shuffle) < 0 ||
		open_broadcasts(s, setup) < 0 || pool_load(s->pool, &job) < 0) {
		stop(s, EXIT_FAILURE, "out of memory");
		return;
	}
	evhttp_set_gencb(s->place.http, shuffle_server_handle, s->shuffle);
}

static const struct link_ops link_callbacks;

static void connect_driver(struct shell *s, const Quern__ExecutorData *setup)
{
	const struct link_config config = { .secret = setup->secret.data, .ops = &link_callbacks, .arg = s };
	struct err err;

	s->link = link_free(s->link);
	if (link_connect(s->loop, setup->driver_host, (uint16_t)setup->driver_port,
		    s->environment->executor_id, &config, &s->link, &err) == 0)
		return;
	(void)snprintf(s->link_error, sizeof(s->link_error), "%.500s", err.text);
	event_active(s->later, 0, 0);
}

static void send_driver(struct shell *s, const void *data, size_t len)
{
	if (s->link == NULL || link_send(s->link, data, len) == 0)
		return;
	/* Half of what the driver should know is worse than none: it asks again on a new link. */
	s->link = link_free(s->link);
	(void)snprintf(s->link_error, sizeof(s->link_error), "it does not take what it is sent");
	event_active(s->later, 0, 0);
}

static void run_task(struct shell *s, const struct exec_action *a)
{
	Quern__TaskCache *cache = a->cached != NULL ? blobs_prepare(&s->blobs, a->cached) : NULL;

	if (pool_run(s->pool, a->task, a->stage, &a->hdfs, a->outputs, a->n_outputs, cache) < 0)
		stop(s, EXIT_FAILURE, "out of memory or of descriptors");
	if (cache != NULL)
		quern__task_cache__free_unpacked(cache, NULL);
}

static void do_action(struct shell *s, const struct exec_action *a)
{
	switch (a->kind) {
	case EXEC_DO_CALL: /* without a stream it goes with the next SUBSCRIBE */
		if (mesos_client_call(s->agent, a->data, a->len) == -ENOMEM)
			stop(s, EXIT_FAILURE, "out of memory");
		break;
	case EXEC_DO_SETUP:
		set_up(s, a->setup);
		break;
	case EXEC_DO_CONNECT:
		connect_driver(s, a->setup);
		break;
	case EXEC_DO_LINK:
		send_driver(s, a->data, a->len);
		break;
	case EXEC_DO_RUN:
		run_task(s, a);
		break;
	case EXEC_DO_KILL:
		pool_kill(s->pool, &a->name);
		break;
	case EXEC_DO_WARM:
		pool_warm(s->pool, a->n);
		break;
	case EXEC_DO_DROP:
		if (s->shuffle != NULL)
			shuffle_server_forget(s->shuffle, a->n);
		shuffle_drop(s->place.shuffle_dir, a->n);
		break;
	case EXEC_DO_FETCH:
		if (s->broadcasts != NULL && broadcast_store_fetch(s->broadcasts, a->n, a->fetch) < 0)
			stop(s, EXIT_FAILURE, "out of memory");
		break;
	case EXEC_DO_FORGET:
		if (s->broadcasts != NULL)
			broadcast_store_forget(s->broadcasts, a->n);
		pool_forget(s->pool, a->n);
		break;
	case EXEC_DO_DISCARD:
		blobs_discard(&s->blobs, a->n);
		break;
	case EXEC_DO_LOG:
		say("%s", a->text);
		break;
	case EXEC_DO_EXIT:
		stop(s, a->code, a->text);
		break;
	}
}

static void arm(struct shell *s, uint64_t now_ms)
{
	uint64_t next = exec_next_ms(s->core);

	if (next == UINT64_MAX) {
		(void)event_del(s->timer);
		return;
	}
	uint64_t wait = next > now_ms ? next - now_ms : 0;
	const struct timeval tv = { .tv_sec = (time_t)(wait / 1000),
		.tv_usec = (suseconds_t)(wait % 1000 * 1000) };
	if (event_add(s->timer, &tv) < 0)
		stop(s, EXIT_FAILURE, "out of memory");
}

static void step(struct shell *s, struct exec_event event)
{
	if (s->ending) { /* only the last calls are waited for */
		if (event.kind == EXEC_EV_RESULT)
			quern__task_result__free_unpacked(event.u.result, NULL);
		return;
	}
	event.now_ms = now_us() / 1000;
	int r = exec_step(s->core, &event, &s->plan);
	for (size_t i = 0; r == 0 && i < s->plan.n; i++)
		do_action(s, &s->plan.at[i]);
	exec_plan_reset(&s->plan);
	if (r < 0) {
		stop(s, EXIT_FAILURE, "out of memory");
		return;
	}
	if (exec_wants_flush(s->core))
		event_active(s->flush, 0, 0);
	arm(s, event.now_ms);
}

/* ---- What happens ---- */

static int on_subscribe(void *arg, struct buf *body)
{
	const struct shell *s = arg;

	return exec_subscribe_call(s->core, body);
}

static int on_mesos_event(void *arg, const void *data, size_t len)
{
	struct shell *s = arg;
	Mesos__V1__Executor__Event *event = mesos__v1__executor__event__unpack(NULL, len, data);

	if (event == NULL)
		return -EBADMSG;
	if (!s->subscribed && event->has_type &&
		event->type == MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED) {
		s->subscribed = true;
		say("subscribed to agent %s %.1f ms after the start", s->environment->agent,
			(double)(now_us() - s->start_us) / 1000.0);
	}
	step(s, (struct exec_event){ .kind = EXEC_EV_MESOS, .u.mesos = event });
	mesos__v1__executor__event__free_unpacked(event, NULL);
	return 0;
}

static void on_mesos_down(void *arg, const char *why)
{
	step(arg, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = why });
}

static void on_mesos_lost(void *arg, const char *why)
{
	step(arg, (struct exec_event){ .kind = EXEC_EV_MESOS_LOST, .u.text = why });
}

static int on_mesos_refused(void *arg, long status, const char *words)
{
	(void)arg;
	say("the agent refused a call: %ld %s", status, words);
	return 0;
}

static const struct mesos_client_ops agent_callbacks = { .subscribe = on_subscribe,
	.event = on_mesos_event,
	.down = on_mesos_down,
	.lost = on_mesos_lost,
	.refused = on_mesos_refused };

static void on_link_up(void *arg, struct link *link, const char *name)
{
	(void)link;
	(void)name;
	step(arg, (struct exec_event){ .kind = EXEC_EV_LINK_UP });
}

static void on_link_frame(void *arg, struct link *link, const void *data, size_t len)
{
	struct shell *s = arg;
	Quern__ToExecutor *message = quern__to_executor__unpack(NULL, len, data);

	if (message == NULL) {
		s->link = link_free(link);
		step(s, (struct exec_event){
				.kind = EXEC_EV_LINK_DOWN, .u.text = "it sent what is not a message" });
		return;
	}
	step(s, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = message });
	quern__to_executor__free_unpacked(message, NULL);
}

static void on_link_down(void *arg, struct link *link, const char *why)
{
	struct shell *s = arg;

	(void)link;
	s->link = NULL;
	step(s, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = why });
}

static const struct link_ops link_callbacks = {
	.up = on_link_up, .frame = on_link_frame, .down = on_link_down
};

static void on_result(void *arg, Quern__TaskResult *result)
{
	step(arg, (struct exec_event){ .kind = EXEC_EV_RESULT, .u.result = result });
}

static void on_unloadable(void *arg, const char *why)
{
	say("%s", why);
	step(arg, (struct exec_event){ .kind = EXEC_EV_UNLOADABLE, .u.text = why });
}

static const struct pool_ops pool_callbacks = { .result = on_result, .unloadable = on_unloadable };

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	step(arg, (struct exec_event){ .kind = EXEC_EV_TICK });
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	step(arg, (struct exec_event){ .kind = EXEC_EV_FLUSH });
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct shell *s = arg;
	char why[sizeof(s->link_error)];

	(void)fd;
	(void)what;
	memcpy(why, s->link_error, sizeof(why));
	s->link_error[0] = '\0';
	if (why[0] != '\0')
		step(s, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = why });
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	step(arg, (struct exec_event){ .kind = EXEC_EV_STOP });
}

/* ---- Startup ---- */

static int make_core(struct shell *s, struct err *err)
{
	struct timespec wall;
	struct exec_config config = { .executor_id = s->environment->executor_id,
		.framework_id = s->environment->framework_id,
		.checkpoint = s->environment->checkpoint,
		.shuffle_port = s->place.port,
		.shuffle_dir = s->place.shuffle_dir,
		.machine = s->place.machine,
		.address = s->place.address,
		.max_kept = blobs_most() };

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	config.epoch_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000 - now_us() / 1000;
	if (getrandom(&config.seed, sizeof(config.seed), 0) != (ssize_t)sizeof(config.seed))
		return err_set(err, -EIO, "no random numbers");
	return exec_new(&config, &s->core) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int make_events(struct shell *s, struct err *err)
{
	s->timer = event_new(s->loop, -1, 0, on_timer, s);
	s->flush = event_new(s->loop, -1, 0, on_flush, s);
	s->later = event_new(s->loop, -1, 0, on_later, s);
	s->terminate = evsignal_new(s->loop, SIGTERM, on_signal, s);
	s->interrupt = evsignal_new(s->loop, SIGINT, on_signal, s);
	if (s->timer == NULL || s->flush == NULL || s->later == NULL || s->terminate == NULL ||
		s->interrupt == NULL || evsignal_add(s->terminate, NULL) < 0 ||
		evsignal_add(s->interrupt, NULL) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int subscribe(struct shell *s, struct err *err)
{
	const struct environment *e = s->environment;
	const char *const endpoints[] = { e->agent, NULL };
	char *authorization = NULL;

	if (e->token != NULL && asprintf(&authorization, "Bearer %s", e->token) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	const struct mesos_client_config config = { .endpoints = endpoints,
		.path = "/api/v1/executor",
		.authorization = authorization,
		.backoff_min_ms = BACKOFF_MIN_MS,
		.backoff_max_ms = (long)e->backoff_max_ms,
		.give_up_ms = e->checkpoint ? (long)e->recovery_timeout_ms : GIVE_UP_MS };
	int r = mesos_client_new(s->loop, s->http, &config, &agent_callbacks, s, &s->agent, err);
	free(authorization);
	return r < 0 ? r : mesos_client_start(s->agent, err);
}

static int start(struct shell *s, const char *program, struct err *err)
{
	s->loop = event_base_new();
	if (s->loop == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int r = pool_new(
		s->loop, program, 0, &pool_callbacks, s, &s->pool, err); /* first: it works on its own */
	if (r == 0)
		r = make_events(s, err);
	if (r == 0)
		r = http_client_new(s->loop, 0, &s->http, err);
	if (r == 0)
		r = place_open(s->loop, s->environment, &s->place, err);
	if (r == 0)
		r = make_core(s, err);
	return r < 0 ? r : subscribe(s, err);
}

/* ---- Teardown ---- */

static void on_last_words(evutil_socket_t fd, short what, void *arg)
{
	struct shell *s = arg;

	(void)fd;
	(void)what;
	if (mesos_client_pending(s->agent) == 0)
		(void)event_base_loopbreak(s->loop);
}

static void send_last_words(struct shell *s)
{
	const struct timeval look = { .tv_usec = LAST_WORDS_MS * 1000 };
	uint64_t ms = s->environment->grace_ms / 2;
	const struct timeval most = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (mesos_client_pending(s->agent) == 0)
		return;
	struct event *e = event_new(s->loop, -1, EV_PERSIST, on_last_words, s);
	if (e != NULL && event_add(e, &look) == 0) {
		(void)event_base_loopexit(s->loop, &most);
		(void)event_base_dispatch(s->loop);
	}
	if (e != NULL)
		event_free(e);
}

static void free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

static void end(struct shell *s)
{
	s->pool = pool_free(s->pool);
	s->link = link_free(s->link);
	if (s->agent != NULL) {
		send_last_words(s);
		s->agent = mesos_client_free(s->agent);
	}
	s->http = http_client_free(s->http);
	s->broadcasts = broadcast_store_free(s->broadcasts);
	place_close(&s->place);
	s->shuffle = shuffle_server_free(s->shuffle);
	s->core = exec_free(s->core);
	exec_plan_deinit(&s->plan);
	blobs_deinit(&s->blobs);
	free_event(s->timer);
	free_event(s->flush);
	free_event(s->later);
	free_event(s->terminate);
	free_event(s->interrupt);
	if (s->loop != NULL) {
		(void)event_base_loop(s->loop, EVLOOP_NONBLOCK); /* libevent frees some things later */
		event_base_free(s->loop);
	}
}

int shell_run(const struct environment *environment, const char *program, uint64_t start_us)
{
	struct shell s = { .environment = environment, .start_us = start_us };
	struct err err = { "" };

	(void)signal(SIGPIPE, SIG_IGN);
	int r = start(&s, program, &err);
	if (r == 0 && event_base_dispatch(s.loop) < 0)
		r = err_set(&err, -EIO, "the event loop failed");
	if (r < 0) {
		say("%s", err.text);
		s.status = EXIT_FAILURE;
	}
	s.ending = true;
	end(&s);
	return s.status;
}
