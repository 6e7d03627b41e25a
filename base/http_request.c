#include "base/http_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	CONNECT_TIMEOUT_MS = 10000,
	BODY_MAX = 64 << 10,
	KEEPALIVE_IDLE_S = 30, /* TCP keepalive: first probe after, and between two */
};

void http_request_free(struct http_request *r)
{
	if (r->easy != NULL) {
		(void)curl_multi_remove_handle(r->client->multi, r->easy);
		curl_easy_cleanup(r->easy);
	}
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->connect_to);
	if (r->idle != NULL)
		event_free(r->idle);
	free(r->location);
	free(r->stream_id);
	free(r->content_type);
	buf_deinit(&r->body);
	buf_deinit(&r->sent);
	free(r);
}

/* ---- Idle time ---- */

static uint64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int watch_idle(struct http_request *r, uint64_t ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	return event_add(r->idle, &tv) < 0 ? -ENOMEM : 0;
}

/* libcurl's own limit counts the time in which `pull` had nothing. */
static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct http_request *r = arg;
	uint64_t idle = now_ms() - r->moved_ms, most = r->o.idle_ms;

	(void)fd;
	(void)what;
	if (r->paused || r->starved)
		idle = 0;
	if (!r->ended && (idle >= most || watch_idle(r, most - idle) < 0)) {
		r->idled = true;
		http_request_end(r, CURLE_OPERATION_TIMEDOUT);
	}
}

void http_request_moved(struct http_request *r)
{
	if (r->idle != NULL)
		r->moved_ms = now_ms();
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

/* The head of an answer came before the body was all sent. libcurl wants no more of it if it is a refusal,
 * but does not notice while the body pauses. */
static void refuse_body(struct http_request *r)
{
	long status = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 300)
		return;
	r->go_on = true;
	event_active(r->client->reaper, 0, 0);
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
	if (r->starved && line[0] == '\r')
		refuse_body(r);
	return size * n;
}

bool http_request_tell_head(struct http_request *r)
{
	struct http_response response;

	if (r->head_told || r->o.on_head == NULL)
		return true;
	r->head_told = true;
	http_request_result(r, &response);
	response.result = 0;
	response.error = NULL;
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

	http_request_moved(r);
	if (r->cancelled || !http_request_tell_head(r))
		return 0;
	if (r->paused)
		return CURL_WRITEFUNC_PAUSE; /* the same bytes come again */
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

/* What the owner has of a body that is pulled. */
static size_t on_pull(char *to, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;

	if (r->cancelled)
		return CURL_READFUNC_ABORT;
	ssize_t k = r->o.pull(r->o.arg, to, size * n);
	if (k >= 0 && (size_t)k <= size * n) {
		http_request_moved(r);
		return (size_t)k;
	}
	if (k == -EAGAIN) {
		r->starved = true;
		return CURL_READFUNC_PAUSE;
	}
	r->cancelled = true;
	return CURL_READFUNC_ABORT;
}

/* ---- The end ---- */

static int result_of(const struct http_request *r)
{
	if (r->cancelled)
		return -ECANCELED;
	if (r->too_large)
		return -EMSGSIZE;
	if (r->no_memory)
		return -ENOMEM;
	if (r->idled)
		return -ETIMEDOUT;
	switch (r->code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return -EKEYREJECTED;
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
		if (r->idled)
			return "nothing came or went for too long";
		return r->error[0] != '\0' ? r->error : curl_easy_strerror(r->code);
	}
}

void http_request_result(const struct http_request *r, struct http_response *ret)
{
	long request_size = 0;

	*ret = (struct http_response){ .location = r->location,
		.stream_id = r->stream_id,
		.content_type = r->content_type,
		.body = r->body.data,
		.body_len = r->body.len,
		.result = result_of(r) };
	if (ret->result < 0)
		ret->error = words_of(r, ret->result);
	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &ret->status);
	(void)curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &request_size);
	ret->sent = request_size > 0;
}

/* ---- What libcurl is told ---- */

static int add_line(struct curl_slist **to, const char *line)
{
	struct curl_slist *list = curl_slist_append(*to, line);

	if (list == NULL)
		return -ENOMEM;
	*to = list;
	return 0;
}

static int set_lists(struct http_request *r, const struct http_options *o)
{
	int k = add_line(&r->headers, "Expect:"); /* no 100 Continue: a round trip for nothing */

	for (size_t i = 0; k == 0 && o->headers != NULL && o->headers[i] != NULL; i++)
		k = add_line(&r->headers, o->headers[i]);
	for (size_t i = 0; k == 0 && o->connect_to != NULL && o->connect_to[i] != NULL; i++)
		k = add_line(&r->connect_to, o->connect_to[i]);
	return k;
}

/* Sets an option, unless one was refused before. */
#define SET(option, value)                                                                                   \
	do {                                                                                                 \
		if (code == CURLE_OK)                                                                        \
			code = curl_easy_setopt(r->easy, option, value);                                     \
	} while (0)

static CURLcode set_body(struct http_request *r, const struct http_options *o)
{
	CURLcode code = CURLE_OK;

	if (o->body != NULL) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->sent.len);
		SET(CURLOPT_POSTFIELDS, r->sent.data != NULL ? (const char *)r->sent.data : "");
	} else if (o->pull != NULL) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_READFUNCTION, on_pull);
		SET(CURLOPT_READDATA, r);
		if (o->buffer > 0)
			SET(CURLOPT_UPLOAD_BUFFERSIZE, o->buffer);
	}
	if (o->buffer > 0 && o->pull == NULL)
		SET(CURLOPT_BUFFERSIZE, o->buffer);
	return code;
}

static CURLcode set_trust(struct http_request *r, const struct http_options *o)
{
	char *ca = r->client->ca;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca != NULL) {
		struct curl_blob blob = { .data = ca, .len = strlen(ca), .flags = CURL_BLOB_NOCOPY };

		SET(CURLOPT_CAINFO_BLOB, &blob);
		SET(CURLOPT_CAPATH, NULL); /* the blob takes the place of the system's file alone */
	}
	if (o->negotiate) {
		SET(CURLOPT_HTTPAUTH, CURLAUTH_NEGOTIATE);
		SET(CURLOPT_USERPWD, ":"); /* whoever the ticket is of */
	}
	return code;
}

static CURLcode set_connection(struct http_request *r, const struct http_options *o)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_NOPROXY, "*"); /* masters, agents, drivers and HDFS are never behind one */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_IDLE_S);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		o->connect_timeout_ms > 0 ? o->connect_timeout_ms : (long)CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TIMEOUT_MS, o->timeout_ms);
	SET(CURLOPT_FRESH_CONNECT, (long)o->once);
	if (r->connect_to != NULL)
		SET(CURLOPT_CONNECT_TO, r->connect_to);
	return code;
}

/* CURLE_OK or what libcurl said. */
static CURLcode set_options(struct http_request *r, const struct http_options *o)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, o->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTPHEADER, r->headers);
	SET(CURLOPT_PRIVATE, r);
	SET(CURLOPT_ERRORBUFFER, r->error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, r);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, r);
	if (code == CURLE_OK)
		code = set_connection(r, o);
	if (code == CURLE_OK)
		code = set_trust(r, o);
	if (code == CURLE_OK)
		code = set_body(r, o);
	SET(CURLOPT_CUSTOMREQUEST, o->method); /* the last word: bodies have methods in mind too */
	return code;
}
#undef SET

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

/* ---- Making one ---- */

static int copy_options(struct http_request *r, const struct http_options *o)
{
	r->o = (struct http_options){ .on_head = o->on_head,
		.on_data = o->on_data,
		.pull = o->pull,
		.done = o->done,
		.arg = o->arg,
		.idle_ms = o->idle_ms };
	r->body = BUF_INIT(o->max_body > 0 ? o->max_body : BODY_MAX);
	r->sent = BUF_INIT(SIZE_MAX);
	int k = set_lists(r, o);
	if (k == 0 && o->body != NULL)
		k = buf_add(&r->sent, o->body, o->body_len);
	if (k == 0 && o->idle_ms > 0) {
		r->idle = event_new(r->client->loop, -1, 0, on_idle, r);
		k = r->idle == NULL ? -ENOMEM : watch_idle(r, o->idle_ms);
		http_request_moved(r);
	}
	return k;
}

int http_request_set(struct http_request *r, const struct http_options *o, struct err *err)
{
	int k = check_url(o->url, err);

	if (k < 0)
		return k;
	r->easy = curl_easy_init();
	k = r->easy == NULL ? -ENOMEM : copy_options(r, o);
	if (k < 0 || set_options(r, o) != CURLE_OK)
		return err_set(err, -ENOMEM, "out of memory for a request to '%s'", o->url);
	return 0;
}
