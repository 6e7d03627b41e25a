/* detector_zk.c: detector.h on libzookeeper, the variant without threads: its socket and its timeouts are
 * events of our loop.
 *
 * libzookeeper looks up host names by itself, in the middle of the loop and at every attempt to connect: it
 * is given addresses, and names are looked up by base/resolve.h. Nothing is told to the owner from inside one
 * of its calls, for the owner may free us then: that is done from the loop. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

#include "base/resolve.h"
#include "mesos/detector.h"
#include "mesos/detector_core.h"

enum {
	SESSION_MS = 10000, /* ZOOKEEPER_SESSION_TIMEOUT of src/master/constants.hpp */
	PAUSE_MIN_MS = 10,  /* where libzookeeper waits for nothing but says so at once */
	PAUSE_MS = 200,    /* after a server that does not answer: libzookeeper has a pause only at the end of
			    * its list, and misses that where the list's length is even */
	ADDRESSES_MAX = 4, /* of one name */
	ADDRESS_MAX = 64,
	NODES_MAX = 1000, /* below the path, of which a few are masters' */
	PATH_MAX_ZK = ZK_URL_MAX + LEADER_NAME_MAX + 2,
};

struct lookup {
	struct detector *d;
	struct resolve *resolve;
};

struct detector {
	struct event_base *loop;
	const struct zk_url *url;
	const struct detector_ops *ops;
	void *arg;
	struct detector_core core;
	enum detector_tell tell;   /* due, from `teller` */
	struct event *teller, *io; /* `io`: libzookeeper's socket, and the next time that something is due */
	zhandle_t *zh;             /* NULL: no session, or names are being looked up */
	bool closing;              /* what its end makes it say is for nobody */
	bool reopen;               /* due, once libzookeeper's call has returned */
	bool pause;                /* its last call failed */
	struct lookup lookups[ZK_HOSTS_MAX];
	size_t looking; /* lookups under way */
	char servers[ZK_HOSTS_MAX * ADDRESSES_MAX * ADDRESS_MAX];
	char why[128]; /* a name could not be looked up */
	char hosts[ZK_URL_MAX];
};

static void step(struct detector *d, struct detector_event ev);
static void arm(struct detector *d);

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- Answers ---- */

static enum detector_result result_of(int rc)
{
	return rc == ZOK       ? DETECTOR_OK
	       : rc == ZNONODE ? DETECTOR_NO_NODE
	       : rc == ZNOAUTH ? DETECTOR_NO_AUTH
			       : DETECTOR_FAILED;
}

static void on_watch(zhandle_t *zh, int type, int state, const char *path, void *arg)
{
	struct detector *d = arg;

	(void)zh;
	(void)state;
	(void)path;
	if (!d->closing && type != ZOO_SESSION_EVENT) /* those are seen by the handle's state */
		step(d, (struct detector_event){ .kind = DETECTOR_EV_CHANGED });
}

static void on_list(int rc, const struct String_vector *strings, const void *arg)
{
	struct detector *d = (struct detector *)(uintptr_t)arg;
	struct detector_event ev = { .kind = DETECTOR_EV_LISTED, .result = result_of(rc) };

	if (d->closing)
		return;
	if (rc == ZOK && strings != NULL && strings->count > 0 && strings->data != NULL) {
		ev.names = (const char *const *)strings->data;
		ev.n_names = strings->count > NODES_MAX ? NODES_MAX : (size_t)strings->count;
	}
	step(d, ev);
}

static void on_exists(int rc, const struct Stat *stat, const void *arg)
{
	struct detector *d = (struct detector *)(uintptr_t)arg;

	(void)stat;
	if (!d->closing)
		step(d, (struct detector_event){ .kind = DETECTOR_EV_AWAITED, .result = result_of(rc) });
}

static void on_data(int rc, const char *value, int len, const struct Stat *stat, const void *arg)
{
	struct detector *d = (struct detector *)(uintptr_t)arg;

	(void)stat;
	if (!d->closing)
		step(d, (struct detector_event){ .kind = DETECTOR_EV_READ,
				.result = result_of(rc),
				.data = value != NULL ? value : "",
				.len = value != NULL && len > 0 ? (size_t)len : 0 });
}

/* ---- What the core wants ---- */

static int ask(struct detector *d, enum detector_ask what)
{
	char path[PATH_MAX_ZK];

	if (what == DETECTOR_ASK_LIST)
		return zoo_awget_children(d->zh, d->url->path, on_watch, d, on_list, d);
	if (what == DETECTOR_ASK_AWAIT)
		return zoo_awexists(d->zh, d->url->path, on_watch, d, on_exists, d);
	(void)snprintf(path, sizeof(path), "%s/%s", d->url->path, d->core.node);
	return zoo_aget(d->zh, path, 0, on_data, d);
}

static void step(struct detector *d, struct detector_event ev)
{
	ev.now_ms = now_ms();
	struct detector_plan p = detector_core_step(&d->core, &ev);

	if (p.tell != DETECTOR_TELL_NOTHING) {
		d->tell = p.tell; /* the newest is what counts */
		event_active(d->teller, 0, 0);
	}
	if (p.ask == DETECTOR_ASK_OPEN)
		d->reopen = true;
	else if (p.ask != DETECTOR_ASK_NOTHING && (d->zh == NULL || ask(d, p.ask) != ZOK))
		step(d, (struct detector_event){ .kind = DETECTOR_EV_LISTED, .result = DETECTOR_FAILED });
}

static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct detector *d = arg;
	enum detector_tell tell = d->tell;
	char text[DETECTOR_WHY_MAX];

	(void)fd;
	(void)what;
	d->tell = DETECTOR_TELL_NOTHING;
	(void)snprintf(
		text, sizeof(text), "%s", tell == DETECTOR_TELL_LEADS ? d->core.endpoint : d->core.why);
	/* `d` may be gone when these return. */
	if (tell == DETECTOR_TELL_LEADS)
		d->ops->leads(d->arg, text);
	else if (tell == DETECTOR_TELL_NONE)
		d->ops->none(d->arg, text);
	else if (tell == DETECTOR_TELL_FAILED)
		d->ops->failed(d->arg, text);
}

/* ---- The session ---- */

static void close_session(struct detector *d)
{
	(void)event_del(d->io); /* before its socket goes */
	d->closing = true;
	if (d->zh != NULL)
		(void)zookeeper_close(d->zh);
	d->zh = NULL;
	d->closing = false;
	for (size_t i = 0; i < ZK_HOSTS_MAX; i++)
		d->lookups[i].resolve = resolve_free(d->lookups[i].resolve);
	d->looking = 0;
}

/* The names are looked up. */
static void open_session(struct detector *d)
{
	const char *credentials = d->url->credentials;

	if (d->servers[0] != '\0') {
		d->zh = zookeeper_init(d->servers, NULL, SESSION_MS, NULL, NULL, ZOO_NO_LOG_CLIENTENV);
		if (d->zh == NULL)
			(void)snprintf(d->why, sizeof(d->why), "%s", strerror(errno));
	}
	if (d->zh == NULL)
		step(d, (struct detector_event){ .kind = DETECTOR_EV_OPEN_FAILED, .text = d->why });
	else if (credentials != NULL &&
		 zoo_add_auth(d->zh, "digest", credentials, (int)strlen(credentials), NULL, NULL) != ZOK)
		step(d, (struct detector_event){ .kind = DETECTOR_EV_DENIED });
	arm(d);
}

static void add_server(struct detector *d, const struct addrinfo *a)
{
	char host[ADDRESS_MAX], port[8];
	size_t len = strlen(d->servers);

	if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	int n = snprintf(
		d->servers + len, sizeof(d->servers) - len, "%s%s:%s", len > 0 ? "," : "", host, port);
	if (n < 0 || (size_t)n >= sizeof(d->servers) - len)
		d->servers[len] = '\0'; /* no room: there are enough */
}

static void looked_up(struct detector *d, struct addrinfo *addresses, const char *error)
{
	size_t n = 0;

	for (const struct addrinfo *a = addresses; a != NULL && n < ADDRESSES_MAX; a = a->ai_next, n++)
		add_server(d, a);
	if (addresses != NULL)
		freeaddrinfo(addresses);
	if (error != NULL)
		(void)snprintf(d->why, sizeof(d->why), "%s", error);
	if (--d->looking == 0)
		open_session(d);
}

static void on_looked_up(void *arg, struct addrinfo *addresses, const char *error)
{
	struct lookup *l = arg;

	l->resolve = resolve_free(l->resolve);
	looked_up(l->d, addresses, error);
}

static void begin(struct detector *d)
{
	struct err err = { "" };

	d->reopen = false;
	close_session(d);
	d->servers[0] = d->why[0] = '\0';
	d->looking = d->url->n_hosts + 1; /* and we, until all have been started */
	for (size_t i = 0; i < d->url->n_hosts; i++) {
		const struct zk_host *h = &d->url->hosts[i];
		struct lookup *l = &d->lookups[i];

		l->d = d;
		if (resolve_start(d->loop, h->name, h->port, on_looked_up, l, &l->resolve, &err) < 0)
			looked_up(d, NULL, err.text);
	}
	looked_up(d, NULL, NULL);
}

/* Whether there is a connection is seen by the handle's state after each of libzookeeper's calls. */
static void look(struct detector *d)
{
	int state = zoo_state(d->zh);
	bool connected = state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE;

	if (d->reopen)
		return;
	if (state == ZOO_EXPIRED_SESSION_STATE)
		step(d, (struct detector_event){ .kind = DETECTOR_EV_EXPIRED });
	else if (state == ZOO_AUTH_FAILED_STATE)
		step(d, (struct detector_event){ .kind = DETECTOR_EV_DENIED });
	else if (connected != d->core.connected)
		step(d, (struct detector_event){
				.kind = connected ? DETECTOR_EV_CONNECTED : DETECTOR_EV_DISCONNECTED });
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct detector *d = arg;

	(void)fd;
	if (d->zh != NULL) {
		int rc = zookeeper_process(d->zh, ((what & EV_READ) != 0 ? ZOOKEEPER_READ : 0) |
							  ((what & EV_WRITE) != 0 ? ZOOKEEPER_WRITE : 0));
		d->pause = rc != ZOK && rc != ZNOTHING;
		look(d);
	}
	if (!d->reopen && detector_core_next_ms(&d->core) <= now_ms())
		step(d, (struct detector_event){ .kind = DETECTOR_EV_TICK });
	arm(d);
}

/* How long until something is due, by libzookeeper, which wants to wait for `tv`, and by the core. */
static struct timeval due(const struct detector *d, struct timeval tv)
{
	uint64_t next = detector_core_next_ms(&d->core), now = now_ms();
	uint64_t ms = (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000;

	if (next != UINT64_MAX && (next > now ? next - now : 0) < ms)
		ms = next > now ? next - now : 0;
	if (ms < PAUSE_MIN_MS)
		ms = PAUSE_MIN_MS;
	return (struct timeval){ .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
}

/* Waits for what is next. The last of every callback of the loop. */
static void arm(struct detector *d)
{
	struct timeval tv = { .tv_sec = 3600 };
	int fd = -1, interest = 0;

	(void)event_del(d->io);
	if (d->zh != NULL && !d->reopen && !d->core.over) {
		if (!d->pause) {
			d->pause = zookeeper_interest(d->zh, &fd, &interest, &tv) != ZOK;
			look(d);
		}
		if (d->pause) {
			tv = (struct timeval){ .tv_usec = PAUSE_MS * 1000 };
			interest = 0;
		}
		d->pause = false;
	}
	if (d->core.over)
		return;
	if (d->reopen) {
		begin(d);
		if (d->looking == 0)
			return; /* it has armed */
	}
	short what = (short)(((interest & ZOOKEEPER_READ) != 0 ? EV_READ : 0) |
			     ((interest & ZOOKEEPER_WRITE) != 0 ? EV_WRITE : 0));
	if (fd < 0 || d->zh == NULL)
		what = 0;
	tv = due(d, tv);
	(void)event_assign(d->io, d->loop, what != 0 ? fd : -1, what, on_io, d);
	(void)event_add(d->io, &tv);
}

/* ---- Birth and death ---- */

bool detector_here(void)
{
	return true;
}

static void list_hosts(struct detector *d)
{
	for (size_t i = 0, len = 0; i < d->url->n_hosts && len < sizeof(d->hosts); i++) {
		const struct zk_host *h = &d->url->hosts[i];
		const bool v6 = strchr(h->name, ':') != NULL;
		int n = snprintf(d->hosts + len, sizeof(d->hosts) - len, "%s%s%s%s:%u", i > 0 ? "," : "",
			v6 ? "[" : "", h->name, v6 ? "]" : "", (unsigned)h->port);

		len += n > 0 ? (size_t)n : 0;
	}
}

int detector_new(struct event_base *loop, const struct zk_url *url, const struct detector_ops *ops, void *arg,
	struct detector **ret, struct err *err)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	d->loop = loop;
	d->url = url;
	d->ops = ops;
	d->arg = arg;
	d->teller = event_new(loop, -1, 0, on_tell, d);
	d->io = event_new(loop, -1, 0, on_io, d);
	if (d->teller == NULL || d->io == NULL) {
		(void)detector_free(d);
		return err_set(err, -ENOMEM, "out of memory");
	}
	zoo_set_debug_level((ZooLogLevel)0); /* what it has to say is said by us */
	list_hosts(d);
	detector_core_init(&d->core, url->path, d->hosts, now_ms());
	d->tell = DETECTOR_TELL_NONE; /* why nobody is known yet */
	event_active(d->teller, 0, 0);
	d->reopen = true;
	event_active(d->io, EV_TIMEOUT, 0); /* from the loop: no callback before this returns */
	*ret = d;
	return 0;
}

struct detector *detector_free(struct detector *d)
{
	if (d == NULL)
		return NULL;
	if (d->io != NULL)
		close_session(d);
	if (d->io != NULL)
		event_free(d->io);
	if (d->teller != NULL)
		event_free(d->teller);
	free(d);
	return NULL;
}
