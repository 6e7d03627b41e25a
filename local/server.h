/* server.h: one listening port of the embedded cluster: requests in, streams of events out, on evhttp.
 *
 * A request that server_request.h lets through as a call gets a number (`conn`) and goes to `call`, which
 * answers it, before it returns, by server_reply(). An answer of 200 opens a stream on that number:
 * server_event() sends, server_close() ends it, `closed` says that it ended otherwise (the peer left, or does
 * not read). Any other answer ends the number's life. Numbers are never used twice.
 *
 * `closed` comes from the event loop, never from inside a function of this header, and never after
 * server_close().
 *
 * Limits: bodies and heads of requests, bytes waiting for a reader who does not read (the stream is dropped
 * then), and the time for which a connection may idle between two requests. */
#ifndef QUERN_LOCAL_SERVER_H
#define QUERN_LOCAL_SERVER_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "local/server_request.h"

struct server;
struct json_t;

struct server_ops {
	/* One call: the message is borrowed. `stream_id` is the header's value, or NULL. */
	void (*call)(void *arg, uint64_t conn, const ProtobufCMessage *call, const char *stream_id);
	void (*closed)(void *arg, uint64_t conn);
	/* The content of a page; the server drops the reference. NULL: no memory. */
	struct json_t *(*state)(void *arg);
	struct json_t *(*metrics)(void *arg);
	/* Of a master: appends a packed mesos.v1.master.Response with its agents. 0 or -ENOMEM. */
	int (*agents)(void *arg, struct buf *out);
};

struct server_config {
	enum server_role role;
	const char *address;  /* IPv4 */
	uint16_t port;        /* 0: any */
	const char *hostname; /* of the redirection; NULL: the address */
	size_t max_body;      /* of a request; 0: 64 MiB */
	size_t max_pending;   /* of what waits for the reader of a stream; 0: 64 MiB */
	const struct server_ops *ops;
	void *arg;
};

/* Listens. 0, -ENOMEM, -EADDRINUSE and the like, with a sentence. Copies the configuration but for ops. */
int server_new(
	struct event_base *loop, const struct server_config *config, struct server **ret, struct err *err);
uint16_t server_port(const struct server *s);

/* Answers call `conn`. `text` may be NULL; `stream_id` goes into the header of a 200. 0 or -ENOMEM: then the
 * connection is dropped, and `closed` follows if it was to be a stream. */
int server_reply(struct server *s, uint64_t conn, int status, const char *text, const char *stream_id);

/* Sends one packed Event of the role's API on a stream, in the media type that its subscription asked for. A
 * stream that is gone already takes it silently: `closed` is on its way. 0 or -ENOMEM. */
int server_event(struct server *s, uint64_t conn, const void *data, size_t len);

/* Ends a stream after what was sent on it. Nothing happens if it is gone. */
void server_close(struct server *s, uint64_t conn);

/* Closes the port and every connection, without `closed`. Takes and returns NULL. */
struct server *server_free(struct server *s);

#endif
