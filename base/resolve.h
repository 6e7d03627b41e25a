/* resolve.h: a host name's addresses without blocking the event loop.
 *
 * The system's own resolver (getaddrinfo) answers, on a thread of its own, because only it knows what the
 * operator configured (nsswitch.conf). Numeric addresses need no thread. */
#ifndef QUERN_BASE_RESOLVE_H
#define QUERN_BASE_RESOLVE_H

#include <event2/event.h>
#include <netdb.h>
#include <stdint.h>

#include "base/err.h"

struct resolve;

/* Starts. `done` runs once, from the loop, never from inside this call: with the addresses for a TCP
 * connection to `port` (the callee frees them with freeaddrinfo()), or NULL and the reason. It may free the
 * handle. 0, -ENOMEM, -EINVAL (a name that cannot be one), or what the system refused with. */
int resolve_start(struct event_base *loop, const char *host, uint16_t port,
	void (*done)(void *arg, struct addrinfo *addresses, const char *error), void *arg,
	struct resolve **ret, struct err *err);

/* Cancels if it is still under way, and frees. A thread that hangs in the system's resolver ends when it is
 * through. Takes and returns NULL. */
struct resolve *resolve_free(struct resolve *r);

#endif
