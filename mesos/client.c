#include "mesos/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <strings.h>

#include "base/auto.h"
#include "mesos/codec.h"
#include "mesos/recordio.h"

enum {
	REDIRECTS_MAX = 5,
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 10000,
	CALL_TIMEOUT_MS = 30000, /* a master that takes longer to answer a call is as good as gone */
	HEARTBEAT_MS = 15000,    /* DEFAULT_HEARTBEAT_INTERVAL of src/master/constants.hpp */
	HEARTBEATS_MISSED = 5,
	SUBSCRIBE_MAX = RECORDIO_MAX, /* bytes of a SUBSCRIBE: executors repeat what is unacknowledged */
	WORDS_MAX = 256               /* of what a peer says about a refusal */
};

/* A request under way, which may outlive the interest in it, and the client. */
struct exchange {
	struct mesos_client *client; /* NULL: nobody waits any more */
	struct http_request *request;
	char words[WORDS_MAX]; /* of a SUBSCRIBE's refusal */
};

struct queued_call {
	struct queued_call *next;
	size_t len;
	uint8_t data[];
};

struct mesos_client {
	struct event_base *loop;
	struct http_client *http;
	char **endpoints; /* NULL-terminated; none: no master leads */
	bool told;        /* they are told by mesos_client_leads() */
	size_t endpoint;  /* which one is tried */
	char *target;     /* host:port of the subscription, wherever redirects led */
	char *path;
	char *authorization; /* header line, or NULL */
	char *unauthorized;  /* or NULL */
	struct mesos_client_config c;
	const struct mesos_client_ops *ops;
	void *arg;

	struct exchange *stream, *call; /* NULL: none under way */
	struct recordio records;
	char *stream_id;
	bool open;       /* the head of the stream was right */
	bool subscribed; /* an event came: the owner is told when it ends */
	unsigned redirects, attempts;
	bool was_subscribed; /* since the last back-off ... */
	uint64_t since_ms;   /* ... from this time on */
	long heartbeat_ms;
	struct queued_call *first, **last;
	size_t pending;
	struct event *retry, *silence, *give_up, *broken;
	char why[512];
	bool dropping; /* `broken` is due, for the reason in `why` */
	bool over;     /* `lost` was said */
};

static void connect_stream(struct mesos_client *c);

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void arm(struct event *event, long ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)event_add(event, &tv);
}

static struct exchange *detach(struct exchange *x)
{
	if (x != NULL) {
		x->client = NULL;
		http_cancel(x->request);
	}
	return NULL;
}

static void clear_calls(struct mesos_client *c)
{
	struct queued_call *next;

	c->call = detach(c->call);
	for (struct queued_call *q = c->first; q != NULL; q = next) {
		next = q->next;
		free(q);
	}
	c->first = NULL;
	c->last = &c->first;
	c->pending = 0;
}

static void close_stream(struct mesos_client *c)
{
	c->stream = detach(c->stream);
	clear_calls(c);
	recordio_deinit(&c->records);
	c->records = RECORDIO_INIT(RECORDIO_MAX);
	free(c->stream_id);
	c->stream_id = NULL;
	c->open = false;
	c->dropping = false;
	(void)event_del(c->silence);
	(void)event_del(c->broken);
}

static void lose(struct mesos_client *c, const char *why)
{
	close_stream(c);
	c->over = true;
	(void)event_del(c->retry);
	(void)event_del(c->give_up);
	c->ops->lost(c->arg, why);
}

/* Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog): anything from nothing to
 * the exponential bound. */
static long back_off(struct mesos_client *c)
{
	long bound = c->c.backoff_min_ms;

	/* A stream that breaks as soon as it is there is no better than none: a peer that sends what cannot
	 * be understood, or two of us with one id. */
	if (c->was_subscribed && now_ms() - c->since_ms >= (uint64_t)c->c.backoff_max_ms)
		c->attempts = 0;
	c->was_subscribed = false;
	for (unsigned i = 0; i < c->attempts && bound < c->c.backoff_max_ms; i++)
		bound *= 2;
	if (bound > c->c.backoff_max_ms)
		bound = c->c.backoff_max_ms;
	c->attempts++;
	return (long)arc4random_uniform((uint32_t)bound + 1);
}

/* The next try, at the next endpoint, after `ms`. */
static void try_next(struct mesos_client *c, long ms)
{
	const bool more = c->endpoints[0] != NULL && c->endpoints[c->endpoint + 1] != NULL;

	c->redirects = 0;
	c->endpoint = more ? c->endpoint + 1 : 0;
	free(c->target);
	c->target = NULL;
	arm(c->retry, ms);
}

/* The stream ended, or never came to be. Tells the owner if it was there, and tries again later, or now. */
static void drop_and(struct mesos_client *c, const char *why, bool now)
{
	bool told = c->subscribed;

	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	close_stream(c);
	c->subscribed = false;
	if (told && c->c.give_up_ms > 0)
		arm(c->give_up, c->c.give_up_ms);
	try_next(c, now ? 0 : back_off(c));
	if (told)
		c->ops->down(c->arg, c->why);
}

static void drop(struct mesos_client *c, const char *why)
{
	drop_and(c, why, false);
}

/* The same, from inside a callback of the stream itself: later. */
static void drop_soon(struct mesos_client *c, const char *why)
{
	if (c->dropping)
		return; /* the first reason counts */
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	c->dropping = true;
	event_active(c->broken, 0, 0);
}

static void on_broken(evutil_socket_t fd, short what, void *arg)
{
	struct mesos_client *c = arg;
	char why[sizeof(c->why)];

	(void)fd;
	(void)what;
	memcpy(why, c->why, sizeof(why));
	drop(c, why);
}

static void on_silence(evutil_socket_t fd, short what, void *arg)
{
	struct mesos_client *c = arg;

	(void)fd;
	(void)what;
	drop(c, c->open ? "five heartbeats were missed" : "SUBSCRIBE was not answered");
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connect_stream(arg);
}

static void on_give_up(evutil_socket_t fd, short what, void *arg)
{
	struct mesos_client *c = arg;
	char why[sizeof(c->why) + 64];

	(void)fd;
	(void)what;
	(void)snprintf(why, sizeof(why), "gave up after %g s%s%s", (double)c->c.give_up_ms / 1000,
		c->why[0] != '\0' ? ": " : "", c->why);
	lose(c, why);
}

static void heard(struct mesos_client *c)
{
	if (c->c.heartbeats)
		arm(c->silence, c->heartbeat_ms * HEARTBEATS_MISSED);
}

/* Appends what a peer said, as far as there is room: one line, fit for a terminal. */
static void add_words(char words[WORDS_MAX], const void *said, size_t len)
{
	const unsigned char *from = said;
	size_t n = strlen(words);

	for (size_t i = 0; i < len && n < WORDS_MAX - 1; i++)
		words[n++] = (char)(from[i] < ' ' || from[i] == 0x7f ? ' ' : from[i]);
	words[n] = '\0';
}

/* ---- The stream ---- */

static int on_record(void *arg, const void *data, size_t len)
{
	struct mesos_client *c = arg;

	if (!c->subscribed) {
		c->subscribed = true;
		c->why[0] = '\0';
		c->was_subscribed = true;
		c->since_ms = now_ms();
		(void)event_del(c->give_up);
	}
	int r = c->ops->event(c->arg, data, len);
	if (c->stream == NULL)
		return -ECANCELED; /* ended in the callback */
	return r < 0 ? r : 0;
}

/* "application/x-protobuf", with or without parameters. */
static bool is_protobuf(const char *type)
{
	const size_t n = sizeof(MESOS_TYPE_PROTOBUF) - 1;

	return strncasecmp(type, MESOS_TYPE_PROTOBUF, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static int on_head(void *arg, const struct http_response *r)
{
	struct exchange *x = arg;
	struct mesos_client *c = x->client;

	if (c == NULL)
		return -ECANCELED;
	if (r->status != 200)
		return 0; /* `done` tells what that means */
	if (r->content_type == NULL || !is_protobuf(r->content_type))
		return 0;
	if (r->stream_id != NULL) {
		c->stream_id = strdup(r->stream_id);
		if (c->stream_id == NULL) {
			drop_soon(c, "out of memory");
			return -ENOMEM;
		}
	}
	c->open = true;
	(void)event_del(c->silence); /* of the answer; from now on of heartbeats */
	heard(c);
	return 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct exchange *x = arg;
	struct mesos_client *c = x->client;
	struct err err = { "" };

	if (c == NULL)
		return -ECANCELED;
	if (!c->open) {
		add_words(x->words, data, len); /* of a refusal */
		return 0;
	}
	heard(c);
	int r = recordio_feed(&c->records, data, len, on_record, c, &err);
	if (r != 0)
		drop_soon(c, err.text[0] != '\0' ? err.text : "an event that is none");
	return r;
}

/* "//host:port/path" or "http://host:port/path": *ret is host:port, allocated. */
static int location_host(const char *location, char **ret)
{
	if (strncasecmp(location, "http:", 5) == 0)
		location += 5;
	if (strncmp(location, "//", 2) != 0)
		return -EINVAL;
	size_t len = strcspn(location + 2, "/?#");
	if (len == 0 || memchr(location + 2, '@', len) != NULL)
		return -EINVAL;
	*ret = strndup(location + 2, len);
	return *ret == NULL ? -ENOMEM : 0;
}

static void redirect(struct mesos_client *c, const struct http_response *r)
{
	char *host = NULL;

	if (c->redirects >= REDIRECTS_MAX || r->location == NULL || location_host(r->location, &host) < 0) {
		drop(c, c->redirects >= REDIRECTS_MAX ? "redirected in circles" : "redirected to nowhere");
		return;
	}
	c->redirects++;
	free(c->target);
	c->target = host;
	close_stream(c);
	connect_stream(c);
}

/* Is there no use in asking again? */
static bool is_final(long status)
{
	return status >= 400 && status < 500 && status != 404 && status != 408 && status != 429;
}

static void on_stream_done(void *arg, const struct http_response *r)
{
	auto_free struct exchange *x = arg;
	struct mesos_client *c = x->client;
	char why[sizeof(x->words) + 64];

	if (c == NULL)
		return;
	c->stream = NULL;
	if (c->dropping)
		return; /* on_broken() knows better why */
	if (c->open || r->result < 0) {
		drop(c, r->result < 0 ? r->error : "the stream ended");
	} else if (r->status == 307 || r->status == 302 || r->status == 301 || r->status == 308) {
		redirect(c, r);
	} else if (r->status == 200) {
		lose(c, "what answers there does not speak Mesos' v1 API");
	} else {
		const char *words = r->status == 401 && c->unauthorized != NULL ? c->unauthorized : x->words;

		(void)snprintf(why, sizeof(why), "SUBSCRIBE was answered with status %ld%s%s", r->status,
			words[0] != '\0' ? ": " : "", words);
		if (is_final(r->status))
			lose(c, why);
		else
			drop(c, why);
	}
}

static int start_request(struct mesos_client *c, struct http_options *o, bool is_call, struct exchange **ret)
{
	auto_free char *url = NULL, *id = NULL;
	const char *headers[5] = { "Content-Type: " MESOS_TYPE_PROTOBUF, "Accept: " MESOS_TYPE_PROTOBUF };
	size_t n = 2;
	struct err err;

	struct exchange *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return -ENOMEM;
	x->client = c;
	int r = 0;
	if (asprintf(&url, "http://%s%s", c->target, c->path) < 0) {
		url = NULL;
		r = -ENOMEM;
	}
	if (r == 0 && is_call && c->stream_id != NULL) {
		if (asprintf(&id, "Mesos-Stream-Id: %s", c->stream_id) < 0) {
			id = NULL;
			r = -ENOMEM;
		}
		headers[n++] = id;
	}
	if (c->authorization != NULL)
		headers[n++] = c->authorization;
	o->method = "POST";
	o->url = url;
	o->headers = headers;
	o->arg = x;
	if (r == 0)
		r = http_start(c->http, o, &x->request, &err);
	if (r < 0) {
		free(x);
		return r;
	}
	*ret = x;
	return 0;
}

static void connect_stream(struct mesos_client *c)
{
	auto_buf struct buf body = BUF_INIT(SUBSCRIBE_MAX);

	if (c->target == NULL && c->endpoints[0] == NULL)
		return; /* mesos_client_leads() goes on */
	if (c->target == NULL)
		c->target = strdup(c->endpoints[c->endpoint]);
	int r = c->target == NULL ? -ENOMEM : c->ops->subscribe(c->arg, &body);
	if (r < 0) {
		lose(c, "no memory for a SUBSCRIBE");
		return;
	}
	struct http_options o = { .body = body.data,
		.body_len = body.len,
		.on_head = on_head,
		.on_data = on_data,
		.done = on_stream_done };
	r = start_request(c, &o, false, &c->stream);
	if (r == 0) /* what takes a connection and says nothing is as good as gone, too: others may lead by
		       now */
		arm(c->silence, c->heartbeat_ms);
	else
		drop(c, r == -EINVAL ? "that is not an address" : "no memory for a request");
}

/* ---- Who leads ---- */

int mesos_client_leads(struct mesos_client *c, const char *endpoint)
{
	char why[sizeof(c->why)];

	if (c->over || !c->told)
		return 0;
	char *copy = strdup(endpoint);
	if (copy == NULL)
		return -ENOMEM;
	free(c->endpoints[0]);
	c->endpoints[0] = copy;
	if (c->stream != NULL && strcmp(c->target, endpoint) == 0)
		return 0; /* we are there */
	c->attempts = 0;
	(void)snprintf(why, sizeof(why), "the master at %s leads now", endpoint);
	drop_and(c, why, true);
	return 0;
}

void mesos_client_no_leader(struct mesos_client *c, const char *why)
{
	if (c->over || !c->told)
		return;
	free(c->endpoints[0]);
	c->endpoints[0] = NULL;
	if (!c->subscribed)
		(void)snprintf(c->why, sizeof(c->why), "%s", why);
}

bool mesos_client_asks(const struct mesos_client *c)
{
	return c->stream != NULL && !c->subscribed;
}

const char *mesos_client_at(const struct mesos_client *c)
{
	return c->target != NULL ? c->target : "";
}

const char *mesos_client_why(const struct mesos_client *c)
{
	return c->why;
}

/* ---- Calls ---- */

static void send_next(struct mesos_client *c);

static void on_call_done(void *arg, const struct http_response *r)
{
	struct exchange *x = arg;
	struct mesos_client *c = x->client;
	char words[WORDS_MAX] = "", why[WORDS_MAX + 64];

	free(x);
	if (c == NULL)
		return;
	c->call = NULL;
	c->pending--;
	if (r->result < 0) {
		drop_soon(c, r->error);
		return;
	}
	if (r->status != 202 && r->status != 200 && c->ops->refused != NULL) {
		add_words(words, r->body, r->body_len);
		if (c->ops->refused(c->arg, r->status, words) < 0) {
			(void)snprintf(why, sizeof(why), "a call was refused with status %ld%s%s", r->status,
				words[0] != '\0' ? ": " : "", words);
			drop_soon(c, why);
			return;
		}
	}
	if (c->stream != NULL && c->call == NULL)
		send_next(c);
}

static void send_next(struct mesos_client *c)
{
	struct queued_call *q = c->first;

	if (q == NULL)
		return;
	c->first = q->next;
	if (c->first == NULL)
		c->last = &c->first;
	struct http_options o = {
		.body = q->data, .body_len = q->len, .timeout_ms = CALL_TIMEOUT_MS, .done = on_call_done
	};
	int r = start_request(c, &o, true, &c->call);
	free(q);
	if (r < 0)
		drop_soon(c, "no memory for a call");
}

int mesos_client_call(struct mesos_client *c, const void *data, size_t len)
{
	if (!c->open || c->over)
		return -ENOTCONN;
	struct queued_call *q = malloc(sizeof(*q) + len);
	if (q == NULL)
		return -ENOMEM;
	q->next = NULL;
	q->len = len;
	memcpy(q->data, data, len);
	*c->last = q;
	c->last = &q->next;
	c->pending++;
	if (c->call == NULL)
		send_next(c);
	return 0;
}

size_t mesos_client_pending(const struct mesos_client *c)
{
	return c->pending;
}

/* ---- Birth and death ---- */

static int copy_config(struct mesos_client *c, const struct mesos_client_config *config)
{
	size_t n = 0;

	c->told = config->endpoints == NULL;
	while (!c->told && config->endpoints[n] != NULL)
		n++;
	c->c = *config;
	if (c->c.backoff_min_ms <= 0)
		c->c.backoff_min_ms = BACKOFF_MIN_MS;
	if (c->c.backoff_max_ms <= 0)
		c->c.backoff_max_ms = BACKOFF_MAX_MS;
	c->c.endpoints = NULL;
	c->endpoints = calloc(n + 2, sizeof(char *)); /* one may be told */
	c->path = strdup(config->path);
	if (c->endpoints == NULL || c->path == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if ((c->endpoints[i] = strdup(config->endpoints[i])) == NULL)
			return -ENOMEM;
	if (config->authorization != NULL && strpbrk(config->authorization, "\r\n") != NULL)
		return -EINVAL;
	if (config->authorization != NULL &&
		asprintf(&c->authorization, "Authorization: %s", config->authorization) < 0) {
		c->authorization = NULL;
		return -ENOMEM;
	}
	c->unauthorized = config->unauthorized != NULL ? strdup(config->unauthorized) : NULL;
	return config->unauthorized != NULL && c->unauthorized == NULL ? -ENOMEM : 0;
}

int mesos_client_new(struct event_base *loop, struct http_client *http,
	const struct mesos_client_config *config, const struct mesos_client_ops *ops, void *arg,
	struct mesos_client **ret, struct err *err)
{
	if (config->endpoints != NULL && config->endpoints[0] == NULL)
		return err_set(err, -EINVAL, "no endpoint to connect to");
	struct mesos_client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	c->loop = loop;
	c->http = http;
	c->ops = ops;
	c->arg = arg;
	c->last = &c->first;
	c->heartbeat_ms = HEARTBEAT_MS;
	c->records = RECORDIO_INIT(RECORDIO_MAX);
	c->retry = event_new(loop, -1, 0, on_retry, c);
	c->silence = event_new(loop, -1, 0, on_silence, c);
	c->give_up = event_new(loop, -1, 0, on_give_up, c);
	c->broken = event_new(loop, -1, 0, on_broken, c);
	int r = copy_config(c, config);
	if (r < 0 || c->retry == NULL || c->silence == NULL || c->give_up == NULL || c->broken == NULL) {
		(void)mesos_client_free(c);
		return r == -EINVAL ? err_set(err, r, "a credential of more than one line")
				    : err_set(err, -ENOMEM, "out of memory");
	}
	*ret = c;
	return 0;
}

int mesos_client_start(struct mesos_client *c, struct err *err)
{
	(void)err;
	if (c->c.give_up_ms > 0)
		arm(c->give_up, c->c.give_up_ms);
	arm(c->retry, 0); /* from the loop: no callback before this returns */
	return 0;
}

void mesos_client_heartbeat(struct mesos_client *c, double seconds)
{
	if (seconds > 0 && seconds < 86400)
		c->heartbeat_ms = (long)(seconds * 1000) + 1;
	if (c->open)
		heard(c);
}

struct mesos_client *mesos_client_free(struct mesos_client *c)
{
	if (c == NULL)
		return NULL;
	struct event *events[] = { c->retry, c->silence, c->give_up, c->broken };
	c->stream = detach(c->stream);
	clear_calls(c);
	for (size_t i = 0; i < 4; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	for (char **e = c->endpoints; e != NULL && *e != NULL; e++)
		free(*e);
	free(c->endpoints);
	free(c->target);
	free(c->path);
	free(c->authorization);
	free(c->unauthorized);
	free(c->stream_id);
	recordio_deinit(&c->records);
	free(c);
	return NULL;
}
