#include "cli/console.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/http.h"
#include "cli/credential.h"
#include "cli/leader.h"
#include "mesos/codec.h"

enum {
	REDIRECTS_MAX = 5,
	CONNECT_MS = 5000,
	ANSWER_MS = 60000,    /* a master with many frameworks takes its time */
	ANSWER_MAX = 1 << 30, /* bytes */
	WORDS_MAX = 200,      /* of a refusal */
};

struct console {
	const struct cluster_options *options;
	struct event_base *loop;
	struct http_client *http;
	char *authorization; /* header, or NULL */
	struct leader leader;
	bool found; /* the leader was looked for */
};

/* One exchange. */
struct exchange {
	struct console *o;
	const char *endpoint;
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *answer;
	char *location; /* of a redirect */
	int r;
	struct err *err;
};

int console_new(const struct cluster_options *options, struct console **ret, struct err *err)
{
	struct console *o = calloc(1, sizeof(*o));
	char *value = NULL;

	if (o == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	o->options = options;
	o->loop = event_base_new();
	int r = o->loop == NULL ? err_set(err, -ENOMEM, "out of memory")
				: http_client_new(o->loop, 0, &o->http, err);
	if (r == 0 && options->secret_file != NULL)
		r = credential_header(options->principal, options->secret_file, &value, err);
	if (r == 0 && value != NULL && asprintf(&o->authorization, "Authorization: %s", value) < 0) {
		o->authorization = NULL;
		r = err_set(err, -ENOMEM, "out of memory");
	}
	if (value != NULL)
		explicit_bzero(value, strlen(value));
	free(value);
	if (r < 0) {
		(void)console_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

struct console *console_free(struct console *o)
{
	if (o == NULL)
		return NULL;
	o->http = http_client_free(o->http);
	if (o->loop != NULL) {
		(void)event_base_loop(o->loop, EVLOOP_NONBLOCK);
		event_base_free(o->loop);
	}
	if (o->authorization != NULL)
		explicit_bzero(o->authorization, strlen(o->authorization));
	free(o->authorization);
	leader_deinit(&o->leader);
	free(o);
	return NULL;
}

/* ---- One exchange ---- */

/* What a peer said, as far as there is room: one line, fit for a terminal. */
static void words(const struct http_response *r, char ret[WORDS_MAX])
{
	const unsigned char *from = r->body;
	size_t n = 0;

	for (size_t i = 0; i < r->body_len && n < WORDS_MAX - 1; i++)
		ret[n++] = (char)(from[i] < ' ' || from[i] >= 0x7f ? ' ' : from[i]);
	while (n > 0 && ret[n - 1] == ' ')
		n--;
	ret[n] = '\0';
}

static int refused(struct exchange *x, const struct http_response *r)
{
	char text[WORDS_MAX];

	words(r, text);
	switch (r->status) {
	case 401:
		return err_set(x->err, -EACCES,
			"%s wants to know who asks: --principal and --secret-file say so", x->endpoint);
	case 403:
		return err_set(x->err, -EACCES, "%s does not allow it: %s", x->endpoint, text);
	case 404:
		return err_set(x->err, -ENOENT, "%s does not have it: %s", x->endpoint, text);
	default:
		return err_set(x->err, r->status >= 500 ? -EIO : -EINVAL, "%s answers %ld: %s", x->endpoint,
			r->status, text);
	}
}

static int take(struct exchange *x, const struct http_response *r)
{
	if (r->result < 0)
		return err_set(x->err, r->result == -ENOMEM ? -ENOMEM : -EHOSTUNREACH, "%s: %s", x->endpoint,
			r->error);
	if (r->status == 307 && r->location != NULL) {
		x->location = strdup(r->location);
		return x->location != NULL ? 0 : err_set(x->err, -ENOMEM, "out of memory");
	}
	if (r->status != 200 && r->status != 202)
		return refused(x, r);
	if (x->type == NULL)
		return 0;
	int code = mesos_decode(x->type, MESOS_PROTOBUF, r->body, r->body_len, &x->answer, x->err);
	return code < 0 ? err_prefix(x->err, code, "the answer of %s", x->endpoint) : 0;
}

static void on_done(void *arg, const struct http_response *r)
{
	struct exchange *x = arg;

	x->r = take(x, r);
	(void)event_base_loopbreak(x->o->loop);
}

static int exchange(struct exchange *x, const char *path, const struct buf *body)
{
	struct console *o = x->o;
	auto_free char *url = NULL;
	const char *headers[] = { "Content-Type: " MESOS_TYPE_PROTOBUF, "Accept: " MESOS_TYPE_PROTOBUF,
		o->authorization, NULL };

	if (asprintf(&url, "http://%s%s", x->endpoint, path) < 0) {
		url = NULL;
		return err_set(x->err, -ENOMEM, "out of memory");
	}
	const struct http_options options = { .method = "POST",
		.url = url,
		.headers = headers,
		.body = body->data,
		.body_len = body->len,
		.connect_timeout_ms = CONNECT_MS,
		.timeout_ms = ANSWER_MS,
		.max_body = ANSWER_MAX,
		.done = on_done,
		.arg = x };
	x->r = -EIO;
	int r = http_start(o->http, &options, NULL, x->err);
	if (r < 0)
		return r;
	return event_base_dispatch(o->loop) < 0 ? err_set(x->err, -EIO, "the event loop failed") : x->r;
}

/* "//host:port/path" or "http://host:port/path": the host and port, the caller's. NULL: it is neither. */
static char *host_of(const char *location)
{
	const char *slashes = strstr(location, "//");
	bool known = slashes == location || strncmp(location, "http://", 7) == 0;

	return known && slashes[2] != '/' && slashes[2] != '\0'
		       ? strndup(slashes + 2, strcspn(slashes + 2, "/?#"))
		       : NULL;
}

/* Asks one, and whom it names in its stead: a standby knows who leads. */
static int follow(struct exchange *x, const char *endpoint, const char *path, const struct buf *body)
{
	auto_free char *at = strdup(endpoint);
	int r = at == NULL ? err_set(x->err, -ENOMEM, "out of memory") : 0;

	for (int i = 0; r == 0 && i <= REDIRECTS_MAX; i++) {
		x->endpoint = at;
		r = exchange(x, path, body);
		if (r < 0 || x->location == NULL)
			return r;
		char *next = host_of(x->location);
		free(x->location);
		x->location = NULL;
		if (next == NULL)
			return err_set(x->err, -EBADMSG, "%s leads nowhere", at);
		free(at);
		at = next;
	}
	return r < 0 ? r : err_set(x->err, -EHOSTUNREACH, "%s: no master leads", endpoint);
}

/* ---- Both ---- */

static int pack(const ProtobufCMessage *call, struct buf *to, struct err *err)
{
	int r = mesos_encode(call, MESOS_PROTOBUF, to);

	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static void give(struct exchange *x, ProtobufCMessage **ret)
{
	if (ret != NULL)
		*ret = x->answer;
	else if (x->answer != NULL)
		protobuf_c_message_free_unpacked(x->answer, NULL);
}

int console_ask_agent(struct console *o, const char *endpoint, const ProtobufCMessage *call,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct err *err)
{
	struct exchange x = { .o = o, .endpoint = endpoint, .type = type, .err = err };
	auto_buf struct buf body = BUF_INIT(SIZE_MAX);

	int r = pack(call, &body, err);
	if (r == 0)
		r = exchange(&x, "/api/v1", &body);
	free(x.location);
	if (r == 0 && x.answer == NULL && type != NULL)
		r = err_set(err, -EBADMSG, "%s is no agent", endpoint);
	if (r == 0)
		give(&x, ret);
	return r;
}

int console_ask_master(struct console *o, const ProtobufCMessage *call,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct err *err)
{
	struct exchange x = { .o = o, .type = type, .err = err };
	auto_buf struct buf body = BUF_INIT(SIZE_MAX);

	int r = pack(call, &body, err);
	if (r == 0 && !o->found) {
		r = leader_find(&o->options->master, o->options->master_timeout_ms, &o->leader, err);
		o->found = r == 0;
	}
	if (r < 0)
		return r;
	r = -EHOSTUNREACH;
	for (size_t i = 0; r == -EHOSTUNREACH && o->leader.endpoints[i] != NULL; i++)
		r = follow(&x, o->leader.endpoints[i], "/master/api/v1", &body);
	if (r == -EHOSTUNREACH) {
		leader_deinit(&o->leader); /* another one may be found the next time */
		o->found = false;
		return err_prefix(err, r, "no Mesos master");
	}
	if (r == 0)
		give(&x, ret);
	return r;
}
