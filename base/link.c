/* link.c: the connection of frames. A link moves through the states below, from top to bottom, and never
 * back; FAILED waits for the loop to say `down`, so that the owner is never called from inside a call of its
 * own. */
#include "base/link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/resolve.h"
#include "base/socket.h"

enum {
	NONCE = 32,
	MAC = 32,
	HEADER = 4, /* of a frame: its length */
	HELLO_MAX = NONCE + 2 + LINK_NAME_MAX + MAC,
	HANDSHAKE_S = 10,
	KEEPALIVE_S = 10,     /* of having sent nothing */
	SILENCE_S = 30,       /* of having received nothing: the peer is dropped */
	PAUSE_MS = 100,       /* of accepting, when there are no descriptors left */
	STRANGERS_MAX = 4096, /* connections of a server that are not through the handshake */
	BACKLOG = 1024,
	MAX_FRAME = 64 << 20,
	MAX_QUEUE = 256 << 20,
	WHY_MAX = 320
};

enum link_state {
	LINK_CONNECTING, /* client */
	LINK_NONCE,      /* client: waits for the server's bytes */
	LINK_PROOF,      /* client: has answered, waits for the server's proof */
	LINK_HELLO,      /* server: waits for the client's bytes, name and proof */
	LINK_UP,
	LINK_FAILED, /* `down` is due */
	LINK_CLOSED  /* freed by its owner during a callback */
};

struct link {
	struct event_base *loop;
	struct link_server *server; /* NULL: we are the client */
	struct link *next, *prev;   /* of the server's */
	struct bufferevent *bev;
	struct event *timer;    /* handshake, keepalive, and `down` when it is due */
	struct evbuffer *early; /* frames sent before the link is up */
	struct resolve *resolve;
	struct addrinfo *addresses, *address; /* client: all, and the one that is tried */
	enum link_state state;
	bool told; /* `up` was called */
	int busy;  /* callbacks under way */
	uint8_t secret[LINK_SECRET];
	uint8_t nonce[NONCE]; /* ours */
	char name[LINK_NAME_MAX + 1];
	char *target; /* client: "host:port", for sentences */
	size_t max_frame, max_queue;
	const struct link_ops *ops;
	void *arg, *data;
	char why[WHY_MAX];
};

struct link_server {
	struct event_base *loop;
	struct evconnlistener *listener;
	struct event *resume; /* accepting, after a pause */
	struct link *links;
	size_t strangers;
	uint16_t port;
	uint8_t secret[LINK_SECRET];
	struct link_config config;
};

/* ---- Life of a link ---- */

static void server_forget(struct link *l)
{
	struct link_server *s = l->server;

	if (s == NULL)
		return;
	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		s->links = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	if (!l->told)
		s->strangers--;
	l->server = NULL;
}

static void link_destroy(struct link *l)
{
	server_forget(l);
	if (l->bev != NULL)
		bufferevent_free(l->bev);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->early != NULL)
		evbuffer_free(l->early);
	(void)resolve_free(l->resolve);
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	free(l->target);
	OPENSSL_cleanse(l->secret, sizeof(l->secret));
	free(l);
}

/* Every entry from the loop is between these two, so that the owner may free the link in a callback. */
static void link_enter(struct link *l)
{
	l->busy++;
}

static void link_leave(struct link *l)
{
	if (--l->busy == 0 && l->state == LINK_CLOSED)
		link_destroy(l);
}

struct link *link_free(struct link *l)
{
	if (l == NULL)
		return NULL;
	if (l->busy == 0) {
		link_destroy(l);
		return NULL;
	}
	server_forget(l); /* the server may be freed before the callback returns */
	l->state = LINK_CLOSED;
	return NULL;
}

/* The first reason counts. `down` follows from the loop. */
static void __attribute__((format(printf, 2, 3))) link_fail(struct link *l, const char *format, ...)
{
	va_list ap;

	if (l->state >= LINK_FAILED)
		return;
	l->state = LINK_FAILED;
	va_start(ap, format);
	(void)vsnprintf(l->why, sizeof(l->why), format, ap);
	va_end(ap);
	if (l->bev != NULL)
		(void)bufferevent_disable(l->bev, EV_READ | EV_WRITE);
	event_active(l->timer, EV_TIMEOUT, 1);
}

/* A client hears of every end; of a server's links only those that its owner knows. */
static void say_down(struct link *l)
{
	if (l->server == NULL || l->told)
		l->ops->down(l->arg, l, l->why);
	if (l->state != LINK_CLOSED) {
		server_forget(l);
		l->state = LINK_CLOSED; /* freed by link_leave() */
	}
}

/* ---- Frames ---- */

static void put_u32(uint8_t *p, size_t v)
{
	for (int i = 0; i < HEADER; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static size_t get_u32(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static int arm(struct link *l, time_t seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	return event_add(l->timer, &tv) < 0 ? -ENOMEM : 0;
}

int link_send(struct link *l, const void *data, size_t len)
{
	uint8_t header[HEADER];

	if (l->state >= LINK_FAILED)
		return 0; /* as lost as what is on the wire; `down` says so */
	struct evbuffer *out = l->state == LINK_UP ? bufferevent_get_output(l->bev) : l->early;
	size_t queued = evbuffer_get_length(out);
	if (len > UINT32_MAX || len > l->max_queue || queued > l->max_queue - len)
		return -EMSGSIZE;
	/* Room for both first: half a frame would be the end of the stream. */
	if (evbuffer_expand(out, HEADER + len) < 0)
		return -ENOMEM;
	put_u32(header, len);
	(void)evbuffer_add(out, header, HEADER);
	if (len > 0)
		(void)evbuffer_add(out, data, len);
	return l->state == LINK_UP ? arm(l, KEEPALIVE_S) : 0;
}

/* One frame if there is one. false: wait for more, or nothing more is wanted. */
static bool next_frame(struct link *l)
{
	struct evbuffer *in = bufferevent_get_input(l->bev);
	uint8_t header[HEADER];

	if (l->state != LINK_UP || evbuffer_copyout(in, header, HEADER) != HEADER)
		return false;
	size_t len = get_u32(header);
	if (len > l->max_frame) {
		link_fail(l, "%s sent a frame of %zu bytes; at most %zu are taken",
			l->target != NULL ? l->target : l->name, len, l->max_frame);
		return false;
	}
	if (evbuffer_get_length(in) < HEADER + len)
		return false;
	if (len > 0) {
		const uint8_t *frame = evbuffer_pullup(in, (ev_ssize_t)(HEADER + len));
		if (frame == NULL) {
			link_fail(l, "out of memory");
			return false;
		}
		l->ops->frame(l->arg, l, frame + HEADER, len);
	}
	(void)evbuffer_drain(in, HEADER + len);
	return true;
}

/* ---- Handshake ---- */

static int prove(const struct link *l, const char *role, const uint8_t *first, const uint8_t *second,
	const char *name, uint8_t mac[MAC])
{
	uint8_t text[sizeof("quern client") + 2 * NONCE + LINK_NAME_MAX];
	size_t n = strlen(role), name_len = strlen(name);
	unsigned len = MAC;

	memcpy(text, role, n);
	memcpy(text + n, first, NONCE);
	memcpy(text + n + NONCE, second, NONCE);
	memcpy(text + n + 2 * NONCE, name, name_len);
	n += 2 * NONCE + name_len;
	return HMAC(EVP_sha256(), l->secret, LINK_SECRET, text, n, mac, &len) == NULL || len != MAC ? -EIO
												    : 0;
}

static void link_up(struct link *l)
{
	const struct timeval silence = { .tv_sec = SILENCE_S };

	l->state = LINK_UP;
	bufferevent_setwatermark(l->bev, EV_READ, 0, HEADER + l->max_frame);
	(void)bufferevent_set_timeouts(l->bev, &silence, NULL);
	if (bufferevent_write_buffer(l->bev, l->early) < 0 || arm(l, KEEPALIVE_S) < 0) {
		link_fail(l, "out of memory");
		return;
	}
	if (l->server != NULL)
		l->server->strangers--;
	l->told = true;
	l->ops->up(l->arg, l, l->server != NULL ? l->name : NULL);
}

static void client_answer(struct link *l, struct evbuffer *in)
{
	uint8_t theirs[NONCE], hello[HELLO_MAX];
	size_t name_len = strlen(l->name);
	size_t n = NONCE + 2 + name_len;

	if (evbuffer_get_length(in) < NONCE)
		return;
	(void)evbuffer_remove(in, theirs, NONCE);
	memcpy(hello, l->nonce, NONCE);
	hello[NONCE] = (uint8_t)(name_len & 0xff);
	hello[NONCE + 1] = (uint8_t)(name_len >> 8);
	memcpy(hello + NONCE + 2, l->name, name_len);
	if (prove(l, "quern client", theirs, l->nonce, l->name, hello + n) < 0 ||
		bufferevent_write(l->bev, hello, n + MAC) < 0) {
		link_fail(l, "out of memory");
		return;
	}
	/* The server's proof is over both; its own bytes are kept where ours were. */
	uint8_t expected[MAC];
	if (prove(l, "quern server", l->nonce, theirs, "", expected) < 0) {
		link_fail(l, "out of memory");
		return;
	}
	memcpy(l->nonce, expected, MAC);
	l->state = LINK_PROOF;
}

static void client_check(struct link *l, struct evbuffer *in)
{
	uint8_t mac[MAC];

	if (evbuffer_get_length(in) < MAC)
		return;
	(void)evbuffer_remove(in, mac, MAC);
	if (CRYPTO_memcmp(mac, l->nonce, MAC) != 0) {
		link_fail(l, "%s does not know the job's secret", l->target);
		return;
	}
	link_up(l);
}

static void server_check(struct link *l, struct evbuffer *in)
{
	uint8_t hello[HELLO_MAX], mac[MAC];

	ev_ssize_t got = evbuffer_copyout(in, hello, sizeof(hello));
	if (got < NONCE + 2)
		return;
	size_t name_len = (size_t)hello[NONCE] | (size_t)hello[NONCE + 1] << 8;
	if (name_len > LINK_NAME_MAX) {
		link_fail(l, "a name of %zu bytes", name_len);
		return;
	}
	size_t n = NONCE + 2 + name_len;
	if ((size_t)got < n + MAC)
		return;
	memcpy(l->name, hello + NONCE + 2, name_len);
	l->name[name_len] = '\0';
	if (strlen(l->name) != name_len || prove(l, "quern client", l->nonce, hello, l->name, mac) < 0 ||
		CRYPTO_memcmp(mac, hello + n, MAC) != 0) {
		link_fail(l, "wrong secret");
		return;
	}
	(void)evbuffer_drain(in, n + MAC);
	if (prove(l, "quern server", hello, l->nonce, "", mac) < 0 ||
		bufferevent_write(l->bev, mac, MAC) < 0) {
		link_fail(l, "out of memory");
		return;
	}
	link_up(l);
}

/* ---- Callbacks of the bufferevent and the timer ---- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct link *l = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	link_enter(l);
	if (l->state == LINK_NONCE)
		client_answer(l, in);
	if (l->state == LINK_PROOF)
		client_check(l, in);
	if (l->state == LINK_HELLO)
		server_check(l, in);
	while (next_frame(l))
		;
	link_leave(l);
}

static void connect_next(struct link *l);

static void on_connected(struct link *l)
{
	const int one = 1;

	(void)setsockopt(bufferevent_getfd(l->bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->state = LINK_NONCE;
	if (bufferevent_enable(l->bev, EV_READ | EV_WRITE) < 0)
		link_fail(l, "out of memory");
}

static void on_end(struct link *l, short what)
{
	const char *peer = l->target != NULL ? l->target : l->name;
	int code = EVUTIL_SOCKET_ERROR();

	if (what & BEV_EVENT_TIMEOUT)
		link_fail(l, "%s was silent for %d s", peer, SILENCE_S);
	else if (what & BEV_EVENT_EOF)
		link_fail(l,
			l->state == LINK_UP ? "%s closed the connection"
					    : "%s closed the connection before it was established",
			peer);
	else
		link_fail(l, "%s: %s", peer, evutil_socket_error_to_string(code));
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct link *l = arg;

	link_enter(l);
	if (l->state == LINK_CONNECTING && (what & BEV_EVENT_CONNECTED)) {
		on_connected(l);
	} else if (l->state == LINK_CONNECTING) {
		(void)snprintf(
			l->why, sizeof(l->why), "%s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
		connect_next(l);
	} else if (!(what & BEV_EVENT_CONNECTED)) {
		on_end(l, what);
	}
	(void)bev;
	link_leave(l);
}

/* What still waits to leave keeps the link alive as well, and the queue may be full. */
static int keep_alive(struct link *l)
{
	if (evbuffer_get_length(bufferevent_get_output(l->bev)) > 0)
		return arm(l, KEEPALIVE_S);
	return link_send(l, NULL, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	link_enter(l);
	if (l->state == LINK_FAILED)
		say_down(l);
	else if (l->state != LINK_UP)
		link_fail(l, "%s was not through the handshake in %d s",
			l->target != NULL ? l->target : "a peer", HANDSHAKE_S);
	else if (keep_alive(l) < 0)
		link_fail(l, "out of memory");
	link_leave(l);
}

/* ---- Making links ---- */

static struct link *link_alloc(struct event_base *loop, const struct link_config *config)
{
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->loop = loop;
	l->ops = config->ops;
	l->arg = config->arg;
	l->max_frame = config->max_frame > 0 ? config->max_frame : MAX_FRAME;
	l->max_queue = config->max_queue > 0 ? config->max_queue : MAX_QUEUE;
	memcpy(l->secret, config->secret, LINK_SECRET);
	l->early = evbuffer_new();
	l->timer = event_new(loop, -1, 0, on_timer, l);
	if (l->early == NULL || l->timer == NULL || arm(l, HANDSHAKE_S) < 0 ||
		getrandom(l->nonce, NONCE, 0) != NONCE) {
		link_destroy(l);
		return NULL;
	}
	return l;
}

/* A bufferevent around `fd` (taken, also on failure), or around none yet with -1. */
static int link_watch(struct link *l, evutil_socket_t fd)
{
	if (l->bev != NULL)
		bufferevent_free(l->bev);
	l->bev = bufferevent_socket_new(l->loop, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (l->bev == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -ENOMEM;
	}
	bufferevent_setcb(l->bev, on_read, NULL, on_event, l);
	/* A peer that has proved nothing gets no more memory than a handshake takes. */
	bufferevent_setwatermark(l->bev, EV_READ, 0, HELLO_MAX);
	return 0;
}

static void connect_next(struct link *l)
{
	while (l->address != NULL) {
		const struct addrinfo *a = l->address;

		l->address = a->ai_next;
		if (link_watch(l, -1) < 0) {
			link_fail(l, "out of memory");
			return;
		}
		if (bufferevent_socket_connect(l->bev, a->ai_addr, (int)a->ai_addrlen) == 0)
			return;
		(void)snprintf(
			l->why, sizeof(l->why), "%s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	}
	char last[WHY_MAX];
	memcpy(last, l->why, sizeof(last));
	link_fail(l, "%s: %.200s", l->target, last);
}

static void on_resolved(void *arg, struct addrinfo *addresses, const char *error)
{
	struct link *l = arg;

	link_enter(l);
	l->resolve = resolve_free(l->resolve);
	if (addresses == NULL) {
		link_fail(l, "%s: %s", l->target, error);
	} else {
		l->addresses = l->address = addresses;
		connect_next(l);
	}
	link_leave(l);
}

int link_connect(struct event_base *loop, const char *host, uint16_t port, const char *name,
	const struct link_config *config, struct link **ret, struct err *err)
{
	if (strlen(name) > LINK_NAME_MAX)
		return err_set(err, -EINVAL, "'%.64s...' is too long for a peer's name", name);
	struct link *l = link_alloc(loop, config);
	if (l == NULL)
		return err_set(err, -ENOMEM, "out of memory for a connection to %s", host);
	memcpy(l->name, name, strlen(name) + 1);
	if (asprintf(&l->target, "%.255s:%u", host, (unsigned)port) < 0) {
		l->target = NULL;
		link_destroy(l);
		return err_set(err, -ENOMEM, "out of memory for a connection to %s", host);
	}
	int r = resolve_start(loop, host, port, on_resolved, l, &l->resolve, err);
	if (r < 0) {
		link_destroy(l);
		return r;
	}
	*ret = l;
	return 0;
}

void link_set_data(struct link *link, void *data)
{
	link->data = data;
}

void *link_data(const struct link *link)
{
	return link->data;
}

/* ---- Server ---- */

static void on_accept(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int from_len, void *arg)
{
	struct link_server *s = arg;
	const int one = 1;

	(void)listener;
	(void)from;
	(void)from_len;
	struct link *l = s->strangers < STRANGERS_MAX ? link_alloc(s->loop, &s->config) : NULL;
	if (l == NULL) {
		(void)close(fd);
		return;
	}
	l->server = s;
	l->next = s->links;
	if (l->next != NULL)
		l->next->prev = l;
	s->links = l;
	s->strangers++;
	l->state = LINK_HELLO;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (link_watch(l, fd) < 0 || bufferevent_write(l->bev, l->nonce, NONCE) < 0 ||
		bufferevent_enable(l->bev, EV_READ | EV_WRITE) < 0)
		link_destroy(l);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct link_server *s = arg;
	const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };

	if (event_add(s->resume, &pause) == 0)
		(void)evconnlistener_disable(listener);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct link_server *s = arg;

	(void)fd;
	(void)what;
	(void)evconnlistener_enable(s->listener);
}

static int server_listen(struct link_server *s, const char *address, uint16_t port, struct err *err)
{
	struct addrinfo *at = NULL;
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	char text[8];

	(void)snprintf(text, sizeof(text), "%u", (unsigned)port);
	int r = getaddrinfo(address, text, &hints, &at);
	if (r != 0)
		return err_set(
			err, -EINVAL, "'%s' is not an address to listen on: %s", address, gai_strerror(r));
	errno = 0;
	s->listener = evconnlistener_new_bind(s->loop, on_accept, s,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG, at->ai_addr,
		(int)at->ai_addrlen);
	r = errno != 0 ? -errno : -EIO;
	freeaddrinfo(at);
	if (s->listener == NULL)
		return err_errno(err, r, "listening on %s:%u", address, (unsigned)port);
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	s->port = socket_port(evconnlistener_get_fd(s->listener));
	return 0;
}

int link_listen(struct event_base *loop, const char *address, uint16_t port, const struct link_config *config,
	struct link_server **ret, struct err *err)
{
	struct link_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	s->loop = loop;
	s->config = *config;
	memcpy(s->secret, config->secret, LINK_SECRET);
	s->config.secret = s->secret;
	s->resume = event_new(loop, -1, 0, on_resume, s);
	int r = s->resume == NULL ? err_set(err, -ENOMEM, "out of memory")
				  : server_listen(s, address, port, err);
	if (r < 0) {
		(void)link_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

uint16_t link_server_port(const struct link_server *server)
{
	return server->port;
}

struct link_server *link_server_free(struct link_server *s)
{
	if (s == NULL)
		return NULL;
	while (s->links != NULL)
		(void)link_free(s->links);
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	if (s->resume != NULL)
		event_free(s->resume);
	OPENSSL_cleanse(s->secret, sizeof(s->secret));
	free(s);
	return NULL;
}
