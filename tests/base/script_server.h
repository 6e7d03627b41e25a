/* script_server.h: an HTTP server whose every byte the test decides, on the test's own event loop. It only
 * parses requests (head and Content-Length body) and keeps them; what is answered is sent by the test, at
 * once through `on_request` or later through the connection. Include after cmocka.h. */
#ifndef QUERN_TESTS_BASE_SCRIPT_SERVER_H
#define QUERN_TESTS_BASE_SCRIPT_SERVER_H

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SCRIPT_PEERS = 64, SCRIPT_REQUESTS = 256 };

struct script_server;

struct script_peer {
	struct script_server *server;
	struct bufferevent *bev; /* NULL: over */
	bool close_when_sent;
};

struct script_request {
	struct script_peer *peer;
	char *head; /* up to the empty line, terminated */
	char *body; /* terminated; may hold NULs */
	size_t body_len;
};

struct script_server {
	struct event_base *loop;
	struct evconnlistener *listener;
	uint16_t port;
	char at[32];                             /* "127.0.0.1:PORT" */
	struct script_peer *peers[SCRIPT_PEERS]; /* every connection there was */
	size_t n_peers, n_open;
	struct script_request requests[SCRIPT_REQUESTS];
	size_t n;
	void (*on_request)(void *arg, struct script_request *r); /* NULL: the test answers later */
	void *arg;
};

static inline void script_close(struct script_peer *p)
{
	if (p->bev == NULL)
		return;
	bufferevent_free(p->bev);
	p->bev = NULL;
	p->server->n_open--;
}

/* Ends the connection with RST, not FIN. */
static inline void script_reset(struct script_peer *p)
{
	const struct linger none = { .l_onoff = 1 };

	if (p->bev == NULL)
		return;
	assert_int_equal(
		setsockopt(bufferevent_getfd(p->bev), SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	script_close(p);
}

static inline void script_send(struct script_peer *p, const void *data, size_t len)
{
	assert_non_null(p->bev);
	assert_int_equal(bufferevent_write(p->bev, data, len), 0);
}

static inline void script_say(struct script_peer *p, const char *text)
{
	script_send(p, text, strlen(text));
}

static inline void script_on_sent(struct bufferevent *bev, void *arg)
{
	struct script_peer *p = arg;

	if (p->close_when_sent && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		script_close(p);
}

/* Closes when everything that was said is on the wire. */
static inline void script_say_and_close(struct script_peer *p, const char *text)
{
	p->close_when_sent = true;
	script_say(p, text);
}

/* The value of a request's header, copied into `value`; "" if it is not there. */
static inline const char *script_header(const struct script_request *r, const char *name, char value[256])
{
	size_t n = strlen(name);

	value[0] = '\0';
	for (const char *line = strchr(r->head, '\n'); line != NULL; line = strchr(line, '\n')) {
		line++;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			const char *from = line + n + 1 + strspn(line + n + 1, " ");
			(void)snprintf(value, 256, "%.*s", (int)strcspn(from, "\r\n"), from);
			break;
		}
	}
	return value;
}

static inline bool script_take_request(struct script_peer *p, struct evbuffer *in)
{
	struct script_server *s = p->server;
	char length[256];

	const struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0)
		return false;
	size_t head = (size_t)end.pos + 4;
	struct script_request r = { .peer = p, .head = calloc(1, head + 1) };
	assert_non_null(r.head);
	assert_int_equal(evbuffer_copyout(in, r.head, head), head);
	r.body_len = strtoul(script_header(&r, "Content-Length", length), NULL, 10);
	if (evbuffer_get_length(in) < head + r.body_len) {
		free(r.head);
		return false;
	}
	r.body = calloc(1, r.body_len + 1);
	assert_non_null(r.body);
	(void)evbuffer_drain(in, head);
	assert_int_equal(evbuffer_remove(in, r.body, r.body_len), r.body_len);
	assert_true(s->n < SCRIPT_REQUESTS);
	s->requests[s->n++] = r;
	if (s->on_request != NULL)
		s->on_request(s->arg, &s->requests[s->n - 1]);
	return p->bev != NULL;
}

static inline void script_on_read(struct bufferevent *bev, void *arg)
{
	while (script_take_request(arg, bufferevent_get_input(bev)))
		;
}

static inline void script_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		script_close(arg);
}

static inline void script_on_accept(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	struct script_server *s = arg;
	struct script_peer *p = calloc(1, sizeof(*p));

	(void)listener;
	(void)from;
	(void)len;
	assert_non_null(p);
	assert_true(s->n_peers < SCRIPT_PEERS);
	s->peers[s->n_peers++] = p;
	s->n_open++;
	p->server = s;
	p->bev = bufferevent_socket_new(s->loop, fd, BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(p->bev);
	bufferevent_setcb(p->bev, script_on_read, script_on_sent, script_on_event, p);
	assert_int_equal(bufferevent_enable(p->bev, EV_READ | EV_WRITE), 0);
}

static inline void script_listen(struct script_server *s, struct event_base *loop)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*s = (struct script_server){ .loop = loop };
	s->listener = evconnlistener_new_bind(loop, script_on_accept, s,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1, (struct sockaddr *)&at, sizeof(at));
	assert_non_null(s->listener);
	assert_int_equal(getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	(void)snprintf(s->at, sizeof(s->at), "127.0.0.1:%u", (unsigned)s->port);
}

static inline void script_end(struct script_server *s)
{
	for (size_t i = 0; i < s->n_peers; i++) {
		script_close(s->peers[i]);
		free(s->peers[i]);
	}
	for (size_t i = 0; i < s->n; i++) {
		free(s->requests[i].head);
		free(s->requests[i].body);
	}
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	*s = (struct script_server){ 0 };
}

/* Runs the loop until the condition holds; a test that hangs is ended by its time limit. */
#define SCRIPT_WAIT(loop, condition)                                                                         \
	while (!(condition))                                                                                 \
	assert_int_equal(event_base_loop(loop, EVLOOP_ONCE), 0)

#endif
