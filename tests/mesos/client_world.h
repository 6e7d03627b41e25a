/* client_world.h: a Mesos client, and servers whose every byte is scripted. What the client tells its owner
 * is kept as a text, one line per callback, and compared. Include after cmocka.h. */
#ifndef QUERN_TESTS_MESOS_CLIENT_WORLD_H
#define QUERN_TESTS_MESOS_CLIENT_WORLD_H

#include <errno.h>
#include <event2/event.h>
#include <signal.h>

#include "base/buf.h"
#include "mesos/client.h"
#include "tests/base/script_server.h"

#define HEAD_200                                                                                             \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: stream-1\r\n"                     \
	"Content-Type: application/x-protobuf\r\n\r\n"
#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

struct world {
	struct event_base *loop;
	struct http_client *http;
	struct script_server a, b;
	const char *endpoints[3];
	struct mesos_client_config config;
	struct mesos_client *client;
	struct buf log;
	const char *answer; /* of both servers to every request, if set */
	const char *call_in_event;
	int subscribe_return, refused_return, events, downs, losts, refusals;
	bool beating, free_in_callback;
	struct event *beat;
};

static inline void logged(struct world *w, const char *what, const char *text)
{
	assert_int_equal(buf_add_fmt(&w->log, "%s%s%s\n", what, text[0] != '\0' ? " " : "", text), 0);
}

static inline int on_subscribe(void *arg, struct buf *body)
{
	struct world *w = arg;

	return w->subscribe_return < 0 ? w->subscribe_return : buf_add_str(body, "the SUBSCRIBE");
}

/* An event "bad" is not understood. */
static inline int on_event(void *arg, const void *data, size_t len)
{
	struct world *w = arg;
	char text[64];

	w->events++;
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
	if (!w->beating)
		logged(w, "event", text);
	if (w->call_in_event != NULL)
		assert_int_equal(mesos_client_call(w->client, w->call_in_event, strlen(w->call_in_event)), 0);
	return strcmp(text, "bad") == 0 ? -EBADMSG : 0;
}

static inline void on_down(void *arg, const char *why)
{
	struct world *w = arg;

	w->downs++;
	logged(w, "down", why);
	if (w->free_in_callback) {
		w->client = mesos_client_free(w->client);
		return;
	}
	assert_int_equal(mesos_client_call(w->client, "x", 1), -ENOTCONN);
	assert_int_equal(mesos_client_pending(w->client), 0);
}

static inline void on_lost(void *arg, const char *why)
{
	struct world *w = arg;

	w->losts++;
	logged(w, "lost", why);
	if (w->free_in_callback) {
		w->client = mesos_client_free(w->client);
		return;
	}
	assert_int_equal(mesos_client_call(w->client, "x", 1), -ENOTCONN);
}

static inline int on_refused(void *arg, long status, const char *words)
{
	struct world *w = arg;
	char text[512];

	w->refusals++;
	(void)snprintf(text, sizeof(text), "%ld %s", status, words);
	logged(w, "refused", text);
	return w->refused_return;
}

static const struct mesos_client_ops ops = {
	.subscribe = on_subscribe, .event = on_event, .down = on_down, .lost = on_lost, .refused = on_refused
};

static inline void on_request(void *arg, struct script_request *r)
{
	struct world *w = arg;

	if (w->answer != NULL)
		script_say(r->peer, w->answer);
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	assert_non_null(w);
	(void)signal(SIGPIPE, SIG_IGN);
	w->loop = event_base_new();
	assert_int_equal(http_client_new(w->loop, 0, &w->http, &err), 0);
	script_listen(&w->a, w->loop);
	script_listen(&w->b, w->loop);
	w->a.on_request = w->b.on_request = on_request;
	w->a.arg = w->b.arg = w;
	w->endpoints[0] = w->a.at;
	w->config = (struct mesos_client_config){ .endpoints = w->endpoints,
		.path = "/api/v1/scheduler",
		.backoff_min_ms = 1,
		.backoff_max_ms = 2 };
	w->log = BUF_INIT(1 << 20);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	assert_null(mesos_client_free(w->client));
	assert_null(http_client_free(w->http));
	script_end(&w->a);
	script_end(&w->b);
	if (w->beat != NULL)
		event_free(w->beat);
	event_base_free(w->loop);
	buf_deinit(&w->log);
	free(w);
	return 0;
}

#define WAIT(w, condition) SCRIPT_WAIT((w)->loop, condition)

static inline void start(struct world *w)
{
	struct err err = { "" };

	assert_int_equal(mesos_client_new(w->loop, w->http, &w->config, &ops, w, &w->client, &err), 0);
	assert_int_equal(mesos_client_start(w->client, &err), 0);
	assert_int_equal(w->log.len, 0); /* nothing from inside */
}

/* The next request that server `s` has got, in order. */
static inline struct script_request *request(struct world *w, struct script_server *s, size_t i)
{
	WAIT(w, s->n > i);
	return &s->requests[i];
}

/* One HTTP chunk. */
static inline void chunk(struct script_peer *p, const char *bytes)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "%zx\r\n", strlen(bytes));
	script_say(p, head);
	script_say(p, bytes);
	script_say(p, "\r\n");
}

static inline void record(struct script_peer *p, const char *bytes)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%zu\n%s", strlen(bytes), bytes);
	chunk(p, text);
}

/* Starts, and answers the SUBSCRIBE with a stream and its first event. */
static inline struct script_peer *subscribed(struct world *w)
{
	start(w);
	struct script_peer *p = request(w, &w->a, 0)->peer;
	script_say(p, HEAD_200);
	record(p, "subscribed");
	WAIT(w, w->events == 1);
	return p;
}

static inline void call(struct world *w, const char *bytes)
{
	assert_int_equal(mesos_client_call(w->client, bytes, strlen(bytes)), 0);
}

static inline void assert_log(struct world *w, const char *text)
{
	assert_int_equal(buf_add(&w->log, "", 1), 0);
	assert_string_equal((const char *)w->log.data, text);
	buf_clear(&w->log);
}

#endif
