/* link.h: an authenticated connection of frames between the driver and an executor, on libevent.
 *
 * Wire: everything is little-endian. The server opens with 32 random bytes. The client answers with 32 random
 * bytes, a 2-byte length and its peer name, and HMAC-SHA256(secret, "quern client" | server's bytes |
 * client's bytes | name). The server closes the connection if that is wrong, and else proves itself:
 * HMAC-SHA256(secret, "quern server" | client's bytes | server's bytes). Then both send frames: 4-byte
 * length, bytes. A frame of length 0 is a keepalive and is not passed on. A peer that is not through the
 * handshake in 10 s, or sends more than it may, is closed.
 *
 * Order is kept. Sending never blocks; what is not on the wire yet counts against max_queue. Frames sent
 * before the link is up wait for it. The process must ignore SIGPIPE. */
#ifndef QUERN_BASE_LINK_H
#define QUERN_BASE_LINK_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LINK_SECRET = 32, LINK_NAME_MAX = 255 };

struct link;
struct link_server;

struct link_ops {
	/* Through the handshake; `name` is the client's peer name (server) or NULL (client). */
	void (*up)(void *arg, struct link *link, const char *name);
	/* One frame; borrowed during the call. */
	void (*frame)(void *arg, struct link *link, const void *data, size_t len);
	/* The end: the peer left, failed or broke the protocol; `why` says so. Exactly once, never from
	 * inside link_connect() or link_send(). The link is freed when this returns. Not called for a link
	 * that link_free() ended, nor for a server's link that never was up. */
	void (*down)(void *arg, struct link *link, const char *why);
};

struct link_config {
	const uint8_t *secret; /* LINK_SECRET bytes, copied */
	size_t max_frame;      /* of what arrives; 0: 64 MiB */
	size_t max_queue;      /* of what is waiting to leave; 0: 256 MiB */
	const struct link_ops *ops;
	void *arg;
};

/* Connects. `name` is this side's peer name. 0, -ENOMEM or -EINVAL; a connection refused comes as `down`. */
int link_connect(struct event_base *loop, const char *host, uint16_t port, const char *name,
	const struct link_config *config, struct link **ret, struct err *err);

/* Listens on `address` ("0.0.0.0", "127.0.0.1"), port 0 = any. */
int link_listen(struct event_base *loop, const char *address, uint16_t port, const struct link_config *config,
	struct link_server **ret, struct err *err);
uint16_t link_server_port(const struct link_server *server);
/* Closes the listener and every link of it, without `down`. Takes and returns NULL. */
struct link_server *link_server_free(struct link_server *server);

/* Queues one frame. 0, -ENOMEM, or -EMSGSIZE (max_queue would be passed). */
int link_send(struct link *link, const void *data, size_t len);

/* Something of the owner's, for its callbacks; NULL at first. */
void link_set_data(struct link *link, void *data);
void *link_data(const struct link *link);

/* Closes without `down`. From a callback as well. Takes and returns NULL. */
struct link *link_free(struct link *link);

#endif
