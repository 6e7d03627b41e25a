/* broadcast_store.h: the broadcasts of an executor as files of its own: fetched over HTTP, checked, mapped by
 * its workers (job/broadcast.h) and offered to other executors. What is fetched, and where, says the core. */
#ifndef QUERN_EXECUTOR_BROADCAST_STORE_H
#define QUERN_EXECUTOR_BROADCAST_STORE_H

#include <event2/event.h>
#include <event2/http.h>

#include "base/http.h"
#include "executor/core.h"

struct broadcast_store;

struct broadcast_store_config {
	const char *folder;      /* exists; a broadcast is a file in it, whose name is its number */
	const char *executor_id; /* ours */
	const uint8_t *secret;   /* LINK_SECRET bytes */
	const char *driver_host; /* where the driver serves them */
	uint16_t driver_port;
	struct event_base *loop;
	struct http_client *client;
	struct evhttp *server; /* to offer them on */
	/* A fetch is over; `error` NULL: the broadcast is here. From the loop. */
	void (*fetched)(void *arg, uint32_t broadcast, const char *error);
	void *arg;
};

/* Copies the configuration; what it points at is borrowed for the life of *ret, but for `secret`. 0 or
 * -ENOMEM. */
int broadcast_store_new(const struct broadcast_store_config *config, struct broadcast_store **ret);

/* After the client, which ends all transfers, and before the server. */
struct broadcast_store *broadcast_store_free(struct broadcast_store *s);

/* Fetches one: `fetched` follows, unless it is forgotten. What the other side sends is not trusted: it must
 * be as long as it should be, and have its checksum. 0 or -ENOMEM. */
int broadcast_store_fetch(struct broadcast_store *s, uint32_t broadcast, const struct exec_fetch *fetch);

/* The file goes, or comes no more. */
void broadcast_store_forget(struct broadcast_store *s, uint32_t broadcast);

#endif
