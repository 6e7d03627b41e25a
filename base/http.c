#include "base/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/buf.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	BODY_MAX = 64 << 10,
	KEEPALIVE_IDLE_S = 30, /* TCP keepalive: first probe after, and between two */
};

struct http_client {
	struct event_base *loop;
	CURLM *multi;
	struct event *timer;           /* libcurl's */
	struct event *reaper;          /* `done` of requests that ended or were cancelled */
	struct http_request *requests; /* all */
	bool closing;
};

struct http_request {
	struct http_client *client;
	struct http_request *next, *prev;
	CURL *easy;
	struct curl_slist *headers;
	struct http_options o; /* callbacks and arg only */
	char error[CURL_ERROR_SIZE];
	char *location, *stream_id, *content_type;
	struct buf body, sent;
	CURLcode code; /* how it ended */
	bool started;  /* libcurl has it */
	bool ended, head_told, too_large, cancelled, no_memory;
};

static void unlink_request(struct http_request *r)
{
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		r->client->requests = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
}

static void free_request(struct http_request *r)
{
	if (r->easy != NULL) {
		(void)curl_multi_remove_handle(r->client->multi, r->easy);
		curl_easy_cleanup(r->easy);
	}
	curl_slist_free_all(r->headers);
	free(r->location);
	free(r->stream_id);
	free(r->content_type);
	buf_deinit(&r->body);
	buf_deinit(&r->sent);
	free(r);
}

static void fill_response(const struct http_request *r, struct http_response *ret)
{
	*ret = (struct http_response){ .location = r->location,
		.stream_id = r->stream_id,
		.content_type = r->content_type,
		.body = r->body.data,
		.body_len = r->body.len };
	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &ret->status);
}

/* ---- libcurl's callbacks for one request ---- */

/* The value of header `name` in a line, or NULL. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL)
		len--;
	*ret_len = len;
	return line;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;
	char **where[] = { &r->location, &r->stream_id, &r->content_type };
	static const char *const names[] = { "Location", "Mesos-Stream-Id", "Content-Type" };
	size_t len;

	if (size * n > 5 && memcmp(line, "HTTP/", 5) == 0) { /* a new head (after 100 Continue) */
		for (size_t i = 0; i < 3; i++) {
			free(*where[i]);
			*where[i] = NULL;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		const char *value = header_value(line, size * n, names[i], &len);
		if (value == NULL)
			continue;
		free(*where[i]);
		*where[i] = strndup(value, len);
		if (*where[i] == NULL) {
			r->no_memory = true;
			return 0;
		}
	}
	return size * n;
}

/* Tells the owner of the head, once. false: it wants no more. */
static bool tell_head(struct http_request *r)
{
	struct http_response response;

	if (r->head_told || r->o.on_head == NULL)
		return true;
	r->head_told = true;
	fill_response(r, &response);
	response.body = NULL;
	response.body_len = 0;
	if (r->o.on_head(r->o.arg, &response) != 0)
		r->cancelled = true;
	return !r->cancelled;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;
	size_t len = size * n;

	if (r->cancelled || !tell_head(r))
		return 0;
	if (r->o.on_data != NULL) {
		if (r->o.on_data(r->o.arg, data, len) == 0 && !r->cancelled)
			return len;
		r->cancelled = true;
		return 0;
	}
	int k = buf_add(&r->body, data, len);
	r->too_large = k == -EMSGSIZE;
	r->no_memory = k == -ENOMEM;
	return k < 0 ? 0 : len;
}

/* ---- The end of requests ---- */

static int result_of(const struct http_request *r)
{
	if (r->cancelled)
		return -ECANCELED;
	if (r->too_large)
		return -EMSGSIZE;
	if (r->no_memory)
		return -ENOMEM;
	switch (r->code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return -ECONNRESET;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* A sentence for a result below 0. */
static const char *words_of(const struct http_request *r, int result)
{
	switch (result) {
	case -ECANCELED:
		return "cancelled";
	case -EMSGSIZE:
		return "the answer is longer than it may be";
	case -ENOMEM:
		return "out of memory";
	default:
		return r->error[0] != '\0' ? r->error : curl_easy_strerror(r->code);
	}
}

static void mark_ended(struct http_request *r, CURLcode code)
{
	if (r->ended)
		return;
	r->ended = true;
	r->code = code;
	event_active(r->client->reaper, 0, 0);
}

/* Runs `done` of one request that ended. The request is out of the list before: the callback may start and
 * cancel others. */
static void reap(struct http_request *r)
{
	struct http_response response;

	unlink_request(r);
	(void)curl_multi_remove_handle(r->client->multi, r->easy);
	if (result_of(r) == 0)
		(void)tell_head(r);
	fill_response(r, &response);
	response.result = result_of(r);
	if (response.result < 0)
		response.error = words_of(r, response.result);
	if (r->o.done != NULL)
		r->o.done(r->o.arg, &response);
	free_request(r);
}

/* Hands a request to libcurl, which takes none inside its callbacks: such a request waits for the reaper. */
static void give_to_curl(struct http_request *r)
{
	CURLMcode code = curl_multi_add_handle(r->client->multi, r->easy);

	if (code == CURLM_RECURSIVE_API_CALL) {
		event_active(r->client->reaper, 0, 0);
		return;
	}
	r->started = true;
	if (code != CURLM_OK)
		mark_ended(r, CURLE_OUT_OF_MEMORY);
}

static void on_reaper(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	struct http_request *r;

	(void)fd;
	(void)what;
	for (r = c->requests; r != NULL; r = r->next)
		if (!r->started && !r->ended)
			give_to_curl(r);
	do { /* from the start each time: `done` may change the list */
		for (r = c->requests; r != NULL && !r->ended; r = r->next)
			;
		if (r != NULL)
			reap(r);
	} while (r != NULL);
}

static void collect(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct http_request *r;

		if (m->msg == CURLMSG_DONE &&
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r) == CURLE_OK)
			mark_ended(r, m->data.result);
	}
}

/* ---- libcurl on the loop ---- */

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	int running,
		bits = ((what & EV_READ) ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0);

	(void)curl_multi_socket_action(c->multi, fd, bits, &running);
	collect(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	int running;

	(void)fd;
	(void)what;
	(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(c);
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
	struct http_client *c = arg;
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	return (ms < 0 ? event_del(c->timer) : event_add(c->timer, &tv)) < 0 ? -1 : 0;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
	struct http_client *c = arg;
	struct event *old = watched;
	short events = EV_PERSIST;

	(void)easy;
	if (old != NULL)
		event_free(old);
	(void)curl_multi_assign(c->multi, fd, NULL);
	if (what == CURL_POLL_REMOVE)
		return 0;
	if (what & CURL_POLL_IN)
		events |= EV_READ;
	if (what & CURL_POLL_OUT)
		events |= EV_WRITE;
	struct event *event = event_new(c->loop, fd, events, on_socket, c);
	if (event == NULL || event_add(event, NULL) < 0) {
		if (event != NULL)
			event_free(event);
		return -1;
	}
	(void)curl_multi_assign(c->multi, fd, event);
	return 0;
}

/* ---- The public face ---- */

int http_client_new(
	struct event_base *loop, long max_host_connections, struct http_client **ret, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, -EIO, "libcurl does not start");
	struct http_client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	c->loop = loop;
	c->multi = curl_multi_init();
	c->timer = event_new(loop, -1, 0, on_timer, c);
	c->reaper = event_new(loop, -1, 0, on_reaper, c);
	if (c->multi == NULL || c->timer == NULL || c->reaper == NULL) {
		(void)http_client_free(c);
		return err_set(err, -ENOMEM, "out of memory");
	}
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, max_host_connections);
	*ret = c;
	return 0;
}

struct http_client *http_client_free(struct http_client *c)
{
	if (c == NULL)
		return NULL;
	c->closing = true;
	for (struct http_request *r = c->requests; r != NULL; r = c->requests) {
		if (!r->ended) {
			r->cancelled = true;
			mark_ended(r, CURLE_ABORTED_BY_CALLBACK);
		}
		reap(r);
	}
	if (c->multi != NULL)
		(void)curl_multi_cleanup(c->multi);
	if (c->timer != NULL)
		event_free(c->timer);
	if (c->reaper != NULL)
		event_free(c->reaper);
	free(c);
	return NULL;
}

static int add_header(struct http_request *r, const char *line)
{
	struct curl_slist *list = curl_slist_append(r->headers, line);

	if (list == NULL)
		return -ENOMEM;
	r->headers = list;
	return 0;
}

static int set_headers(struct http_request *r, const struct http_options *o)
{
	int k = add_header(r, "Expect:"); /* no 100 Continue: a round trip for nothing */

	for (size_t i = 0; k == 0 && o->headers != NULL && o->headers[i] != NULL; i++)
		k = add_header(r, o->headers[i]);
	return k;
}

/* CURLE_OK or what libcurl said. */
static CURLcode set_options(struct http_request *r, const struct http_options *o)
{
	CURLcode code = CURLE_OK;

#define SET(option, value)                                                                                   \
	do {                                                                                                 \
		if (code == CURLE_OK)                                                                        \
			code = curl_easy_setopt(r->easy, option, value);                                     \
	} while (0)
	SET(CURLOPT_URL, o->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_CUSTOMREQUEST, o->method);
	SET(CURLOPT_NOPROXY, "*"); /* masters, agents and drivers are never behind one */
	SET(CURLOPT_HTTPHEADER, r->headers);
	SET(CURLOPT_PRIVATE, r);
	SET(CURLOPT_ERRORBUFFER, r->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_IDLE_S);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		o->connect_timeout_ms > 0 ? o->connect_timeout_ms : (long)CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TIMEOUT_MS, o->timeout_ms);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, r);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, r);
	if (o->body != NULL) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->sent.len);
		SET(CURLOPT_POSTFIELDS, r->sent.data != NULL ? (const char *)r->sent.data : "");
	}
#undef SET
	return code;
}

/* libcurl itself looks at a URL no sooner than it connects. */
static int check_url(const char *url, struct err *err)
{
	char *scheme = NULL;
	int r = -EINVAL;

	CURLU *u = curl_url();
	if (u == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		(strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0))
		r = 0;
	curl_free(scheme);
	curl_url_cleanup(u);
	return r == 0 ? 0 : err_set(err, r, "bad URL '%s'", url);
}

int http_start(struct http_client *client, const struct http_options *options, struct http_request **ret,
	struct err *err)
{
	if (client->closing)
		return err_set(err, -ECANCELED, "no more requests are taken");
	int k = check_url(options->url, err);
	if (k < 0)
		return k;
	struct http_request *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r->client = client;
	r->o = (struct http_options){ .on_head = options->on_head,
		.on_data = options->on_data,
		.done = options->done,
		.arg = options->arg };
	r->body = BUF_INIT(options->max_body > 0 ? options->max_body : BODY_MAX);
	r->sent = BUF_INIT(SIZE_MAX);
	r->easy = curl_easy_init();
	k = r->easy == NULL ? -ENOMEM : set_headers(r, options);
	if (k == 0 && options->body != NULL)
		k = buf_add(&r->sent, options->body, options->body_len);
	if (k < 0 || set_options(r, options) != CURLE_OK) {
		free_request(r);
		return err_set(err, -ENOMEM, "out of memory for a request to '%s'", options->url);
	}
	r->next = client->requests;
	if (r->next != NULL)
		r->next->prev = r;
	client->requests = r;
	give_to_curl(r);
	if (ret != NULL)
		*ret = r;
	return 0;
}

void http_cancel(struct http_request *r)
{
	if (r == NULL)
		return;
	r->cancelled = true; /* also if it has ended meanwhile: `done` has not run yet */
	mark_ended(r, CURLE_ABORTED_BY_CALLBACK);
}
