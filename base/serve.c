#include "base/serve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/proof.h"
#include "base/vec.h"

struct offer {
	const struct offers *offers;
	char *path;
	int fd;
	uint64_t length;
};

struct offers {
	struct evhttp *http;
	char proof[PROOF_SIZE];
	VEC(struct offer *) list;
};

/* ---- One answer ---- */

/* The head of an answer and its body leave in two writes: without this the second waits until the client,
 * which has nothing to say, acknowledges the first. */
static void send_at_once(struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	const int one = 1;

	if (connection != NULL)
		(void)setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)),
			IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int serve_file(struct evhttp_request *request, int file, uint64_t offset, uint64_t length)
{
	auto_close int fd = fcntl(file, F_DUPFD_CLOEXEC, 0); /* the buffer closes it when it has been sent */
	struct evbuffer *body = fd < 0 ? NULL : evbuffer_new();

	if (body == NULL)
		return fd < 0 ? -errno : -ENOMEM;
	/* Says that these bytes will only go to a socket; libevent maps and copies them otherwise. */
	(void)evbuffer_set_flags(body, EVBUFFER_FLAG_DRAINS_TO_FD);
	if (length > 0 && evbuffer_add_file(body, fd, (ev_off_t)offset, (ev_off_t)length) < 0) {
		evbuffer_free(body);
		return -ENOMEM;
	}
	if (length > 0)
		fd = -1;
	(void)evhttp_add_header(
		evhttp_request_get_output_headers(request), "Content-Type", "application/octet-stream");
	send_at_once(request);
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
	return 0;
}

/* ---- Offers ---- */

static void answer(struct evhttp_request *request, void *arg)
{
	const struct offer *offer = arg;
	const char *header = evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");

	if (!proof_holds(header, offer->offers->proof))
		evhttp_send_reply(request, 401, "Unauthorized", NULL);
	else if (evhttp_request_get_command(request) != EVHTTP_REQ_GET)
		evhttp_send_reply(request, 405, "Method Not Allowed", NULL);
	else if (serve_file(request, offer->fd, 0, offer->length) < 0)
		evhttp_send_reply(request, HTTP_INTERNAL, "Internal Server Error", NULL);
}

int offers_new(struct evhttp *http, const uint8_t *secret, const char *server, struct offers **ret)
{
	struct offers *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return -ENOMEM;
	o->http = http;
	proof_make(secret, server, o->proof);
	*ret = o;
	return 0;
}

static void offer_free(struct offer *offer)
{
	(void)close(offer->fd);
	free(offer->path);
	free(offer);
}

int offers_add(struct offers *o, const char *path, int fd, uint64_t length)
{
	struct offer *offer = calloc(1, sizeof(*offer));

	if (offer == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	*offer = (struct offer){ .offers = o, .path = strdup(path), .fd = fd, .length = length };
	int r = offer->path == NULL ? -ENOMEM : vec_push(&o->list, offer);
	if (r < 0) {
		offer_free(offer);
		return r;
	}
	r = evhttp_set_cb(o->http, path, answer, offer);
	if (r == 0)
		return 0;
	o->list.n--;
	offer_free(offer);
	return r == -1 ? -EEXIST : -ENOMEM;
}

void offers_remove(struct offers *o, const char *path)
{
	for (size_t i = 0; i < o->list.n; i++) {
		struct offer *offer = o->list.at[i];

		if (strcmp(offer->path, path) != 0)
			continue;
		(void)evhttp_del_cb(o->http, path);
		vec_remove(&o->list, i);
		offer_free(offer);
		return;
	}
}

struct offers *offers_free(struct offers *o)
{
	if (o == NULL)
		return NULL;
	while (o->list.n > 0)
		offers_remove(o, o->list.at[o->list.n - 1]->path);
	vec_deinit(&o->list);
	free(o);
	return NULL;
}
