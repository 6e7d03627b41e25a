#include "local/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/auto.h"
#include "local/server_listen.h"
#include "mesos/executor.pb-c.h"
#include "mesos/master.pb-c.h"
#include "mesos/recordio.h"
#include "mesos/scheduler.pb-c.h"

enum {
	MAX_BODY = 64 << 20, /* an ACCEPT of thousands of tasks, each with its data */
	MAX_PENDING = 64 << 20,
	MAX_HEAD = 64 << 10,
	MAX_STREAM_INPUT = 64 << 10, /* of what a subscriber sends behind its subscription: nobody reads it */
	IDLE_S = 600,
};

/* A request that is with the core, or the stream that became of it. */
struct conn {
	uint64_t id;
	struct server *server;
	struct evhttp_request *request; /* NULL: the connection is gone, and `closed` is due */
	enum mesos_media media;
	bool stream;
	bool dropped; /* `closed` is due */
	UT_hash_handle hh;
};

struct server {
	struct event_base *loop;
	struct evhttp *http;
	struct event *late; /* runs `closed` for what was dropped, from the loop */
	struct conn *conns;
	uint64_t last_id;
	enum server_role role;
	char *hostname;
	uint16_t port;
	size_t max_pending;
	const struct server_ops *ops;
	void *arg;
};

static struct conn *conn_find(const struct server *s, uint64_t id)
{
	struct conn *c = NULL;

	HASH_FIND(hh, s->conns, &id, sizeof(id), c);
	return c;
}

/* Forgets a connection. What is left of its request is evhttp's. */
static void conn_forget(struct server *s, struct conn *c)
{
	if (c->request != NULL && evhttp_request_get_connection(c->request) != NULL)
		evhttp_connection_set_closecb(evhttp_request_get_connection(c->request), NULL, NULL);
	HASH_DEL(s->conns, c);
	free(c);
}

/* The stream is of no more use: its connection goes, and `closed` is called from the loop. */
static void conn_drop(struct conn *c)
{
	c->dropped = true;
	event_active(c->server->late, 0, 0);
}

/* evhttp: the peer is gone. It has taken the request off the connection, and leaves freeing it to us. */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
	struct conn *c = arg;

	(void)connection;
	if (evhttp_request_get_connection(c->request) == NULL)
		evhttp_request_free(c->request);
	c->request = NULL;
	conn_drop(c);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct conn *c, *next;

	(void)fd, (void)what;
	/* `closed` may answer with server_close() for others, so that each round starts anew. */
	do {
		HASH_ITER (hh, s->conns, c, next) {
			if (c->dropped)
				break;
		}
		if (c == NULL)
			return;
		uint64_t id = c->id;
		struct evhttp_connection *connection =
			c->request != NULL ? evhttp_request_get_connection(c->request) : NULL;
		conn_forget(s, c);
		if (connection != NULL)
			evhttp_connection_free(connection);
		s->ops->closed(s->arg, id);
	} while (true);
}

/* --- answers ------------------------------------------------------------------------------------------ */

static int set_header(struct evhttp_request *request, const char *name, const char *value)
{
	return evhttp_add_header(evhttp_request_get_output_headers(request), name, value) < 0 ? -ENOMEM : 0;
}

/* Drops a request that cannot be answered for want of memory. */
static void abandon(struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);

	if (connection != NULL)
		evhttp_connection_free(connection);
}

static void answer(struct evhttp_request *request, int status, const char *type, const void *body, size_t len)
{
	struct evbuffer *out = evhttp_request_get_output_buffer(request);

	if ((len > 0 && (evbuffer_add(out, body, len) < 0 || set_header(request, "Content-Type", type) < 0)))
		abandon(request);
	else
		evhttp_send_reply(request, status, NULL, NULL);
}

static void answer_refusal(struct evhttp_request *request, const struct server_decision *d)
{
	if (d->allow != NULL && set_header(request, "Allow", d->allow) < 0)
		abandon(request);
	else
		answer(request, d->status, "text/plain; charset=utf-8", d->text, strlen(d->text));
}

static void answer_json(struct evhttp_request *request, json_t *content)
{
	auto_free char *text = content != NULL ? json_dumps(content, JSON_COMPACT) : NULL;

	json_decref(content);
	if (text == NULL)
		abandon(request);
	else
		answer(request, 200, MESOS_TYPE_JSON, text, strlen(text));
}

/* The leader is always this master: Location without a scheme, as Mesos has it. */
static void answer_redirect(const struct server *s, struct evhttp_request *request)
{
	char location[512];

	(void)snprintf(location, sizeof(location), "//%s:%u", s->hostname, s->port);
	if (set_header(request, "Location", location) < 0)
		abandon(request);
	else
		answer(request, 307, "", NULL, 0);
}

static void answer_agents(const struct server *s, struct evhttp_request *request, enum mesos_media media)
{
	struct buf packed = BUF_INIT(SIZE_MAX), text = BUF_INIT(SIZE_MAX);
	ProtobufCMessage *m = NULL;
	struct err err;

	int r = s->ops->agents(s->arg, &packed);
	if (r == 0 && media == MESOS_JSON)
		r = mesos_decode(&mesos__v1__master__response__descriptor, MESOS_PROTOBUF, packed.data,
			packed.len, &m, &err);
	if (r == 0 && media == MESOS_JSON)
		r = mesos_encode(m, media, &text);
	if (r < 0)
		abandon(request);
	else if (media == MESOS_JSON)
		answer(request, 200, MESOS_TYPE_JSON, text.data, text.len);
	else
		answer(request, 200, MESOS_TYPE_PROTOBUF, packed.data, packed.len);
	if (m != NULL)
		protobuf_c_message_free_unpacked(m, NULL);
	buf_deinit(&packed);
	buf_deinit(&text);
}

static void answer_page(
	const struct server *s, struct evhttp_request *request, const struct server_decision *d)
{
	switch (d->page) {
	case SERVER_PAGE_STATE:
		answer_json(request, s->ops->state(s->arg));
		break;
	case SERVER_PAGE_METRICS:
		answer_json(request, s->ops->metrics(s->arg));
		break;
	case SERVER_PAGE_VERSION: /* of the API that is spoken, which clients look at */
		answer_json(request, json_pack("{s:s, s:s}", "version", "1.12.0", "build_user", "quern"));
		break;
	case SERVER_PAGE_REDIRECT:
		answer_redirect(s, request);
		break;
	case SERVER_PAGE_AGENTS:
		answer_agents(s, request, d->media);
		break;
	}
}

/* --- requests ----------------------------------------------------------------------------------------- */

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_TRACE:
		return "TRACE";
	case EVHTTP_REQ_CONNECT:
		return "CONNECT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	}
	return "?";
}

static void on_call(struct server *s, struct evhttp_request *request, const struct server_decision *d,
	const char *stream_id)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		abandon(request);
		return;
	}
	*c = (struct conn){ .id = s->last_id + 1, .server = s, .request = request, .media = d->media };
	HASH_ADD(hh, s->conns, id, sizeof(c->id), c);
	if (conn_find(s, c->id) == NULL) {
		free(c);
		abandon(request);
		return;
	}
	uint64_t id = s->last_id = c->id;
	s->ops->call(s->arg, id, d->call, stream_id);
	c = conn_find(s, id);
	if (c != NULL && !c->stream) { /* the core owes an answer: a fault of ours, not of the peer's */
		conn_forget(s, c);
		answer(request, 500, "", NULL, 0);
	}
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct server *s = arg;
	struct server_decision d;
	const struct evkeyvalq *head = evhttp_request_get_input_headers(request);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *raw = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	auto_free char *path = evhttp_uridecode(raw != NULL ? raw : "/", 0, NULL);
	struct evbuffer *in = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(in);
	const void *body = len > 0 ? (const void *)evbuffer_pullup(in, -1) : "";

	struct server_request r = {
		.method = method_name(evhttp_request_get_command(request)),
		.path = path,
		.content_type = evhttp_find_header(head, "Content-Type"),
		.accept = evhttp_find_header(head, "Accept"),
		.stream_id = evhttp_find_header(head, "Mesos-Stream-Id"),
		.body = body,
		.body_len = len,
	};
	if (path == NULL || body == NULL || server_decide(s->role, &r, &d) < 0) {
		abandon(request);
		return;
	}
	switch (d.kind) {
	case SERVER_REFUSE:
		answer_refusal(request, &d);
		break;
	case SERVER_PAGE:
		answer_page(s, request, &d);
		break;
	case SERVER_CALL:
		on_call(s, request, &d, r.stream_id);
		break;
	}
	server_decision_deinit(&d);
}

/* --- streams ------------------------------------------------------------------------------------------ */

static int stream_open(struct conn *c, const char *stream_id)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(c->request);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

	if (set_header(c->request, "Content-Type",
		    c->media == MESOS_JSON ? MESOS_TYPE_JSON : MESOS_TYPE_PROTOBUF) < 0 ||
		(stream_id != NULL && set_header(c->request, "Mesos-Stream-Id", stream_id) < 0))
		return -ENOMEM;
	c->stream = true;
	evhttp_connection_set_closecb(connection, on_connection_closed, c);
	evhttp_send_reply_start(c->request, 200, "OK");
	/* A stream idles as long as it likes; a dead peer is found by TCP keepalive. */
	bufferevent_setwatermark(bev, EV_READ, 0, MAX_STREAM_INPUT);
	bufferevent_set_timeouts(bev, NULL, NULL);
	return 0;
}

int server_reply(struct server *s, uint64_t conn, int status, const char *text, const char *stream_id)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->stream || c->request == NULL)
		return 0;
	if (status == 200) {
		int r = stream_open(c, stream_id);
		if (r < 0) {
			c->stream = true;
			conn_drop(c);
		}
		return r;
	}
	struct evhttp_request *request = c->request;
	conn_forget(s, c);
	answer(request, status, "text/plain; charset=utf-8", text != NULL ? text : "",
		text != NULL ? strlen(text) : 0);
	return 0;
}

/* Appends one record with the event in JSON. */
static int encode_json(enum server_role role, const void *data, size_t len, struct buf *out)
{
	const ProtobufCMessageDescriptor *type = role == SERVER_MASTER
							 ? &mesos__v1__scheduler__event__descriptor
							 : &mesos__v1__executor__event__descriptor;
	auto_buf struct buf text = BUF_INIT(RECORDIO_MAX);
	ProtobufCMessage *event = NULL;

	int r = mesos_decode(type, MESOS_PROTOBUF, data, len, &event, NULL);
	if (r < 0)
		return r;
	r = mesos_encode(event, MESOS_JSON, &text);
	protobuf_c_message_free_unpacked(event, NULL);
	return r < 0 ? r : recordio_encode(out, text.data, text.len);
}

int server_event(struct server *s, uint64_t conn, const void *data, size_t len)
{
	struct conn *c = conn_find(s, conn);
	auto_buf struct buf record = BUF_INIT(RECORDIO_MAX + 32);

	if (c == NULL || c->request == NULL || c->dropped || !c->stream)
		return 0;
	int r = c->media == MESOS_JSON ? encode_json(s->role, data, len, &record)
				       : recordio_encode(&record, data, len);
	struct evbuffer *chunk = r == 0 ? evbuffer_new() : NULL;
	if (chunk != NULL && evbuffer_add(chunk, record.data, record.len) == 0) {
		evhttp_send_reply_chunk(c->request, chunk);
		struct bufferevent *bev =
			evhttp_connection_get_bufferevent(evhttp_request_get_connection(c->request));
		if (evbuffer_get_length(bufferevent_get_output(bev)) > s->max_pending)
			conn_drop(c);
	} else {
		conn_drop(c); /* an event left out would be a lie: rather no stream */
		r = r == -EMSGSIZE ? 0 : -ENOMEM;
	}
	if (chunk != NULL)
		evbuffer_free(chunk);
	return r;
}

void server_close(struct server *s, uint64_t conn)
{
	static const struct timeval idle = { .tv_sec = IDLE_S };
	struct conn *c = conn_find(s, conn);

	if (c == NULL)
		return;
	struct evhttp_request *request = c->request;
	conn_forget(s, c);
	if (request == NULL)
		return;
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
	bufferevent_setwatermark(bev, EV_READ, 0, 0);
	bufferevent_set_timeouts(bev, &idle, &idle);
	evhttp_send_reply_end(request);
}

/* --- life --------------------------------------------------------------------------------------------- */

static int server_open(struct server *s, const struct server_config *config, struct err *err)
{
	int fd = server_listen(config->address, config->port, &s->port, err);
	if (fd < 0)
		return fd;
	s->late = event_new(s->loop, -1, EV_PERSIST, on_late, s);
	s->http = evhttp_new(s->loop);
	if (s->late == NULL || s->http == NULL || evhttp_accept_socket(s->http, fd) < 0) {
		(void)close(fd);
		return err_set(err, -ENOMEM, "port %u: out of memory", s->port);
	}
	/* Every method, so that the answer to a wrong one is ours. */
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
						    EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_max_body_size(s->http, (ev_ssize_t)(config->max_body > 0 ? config->max_body : MAX_BODY));
	evhttp_set_max_headers_size(s->http, MAX_HEAD);
	evhttp_set_timeout(s->http, IDLE_S);
	evhttp_set_gencb(s->http, on_request, s);
	return 0;
}

int server_new(
	struct event_base *loop, const struct server_config *config, struct server **ret, struct err *err)
{
	struct server *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*s = (struct server){
		.loop = loop,
		.role = config->role,
		.hostname = strdup(config->hostname != NULL ? config->hostname : config->address),
		.max_pending = config->max_pending > 0 ? config->max_pending : MAX_PENDING,
		.ops = config->ops,
		.arg = config->arg,
	};
	int r = s->hostname != NULL ? server_open(s, config, err) : err_set(err, -ENOMEM, "out of memory");
	if (r < 0) {
		server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

uint16_t server_port(const struct server *s)
{
	return s->port;
}

struct server *server_free(struct server *s)
{
	struct conn *c, *next;

	if (s == NULL)
		return NULL;
	HASH_ITER (hh, s->conns, c, next)
		conn_forget(s, c);
	if (s->http != NULL)
		evhttp_free(s->http);
	if (s->late != NULL)
		event_free(s->late);
	free(s->hostname);
	free(s);
	return NULL;
}
