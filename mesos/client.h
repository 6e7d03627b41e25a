/* client.h: one subscription to a Mesos master (scheduler API) or agent (executor API), and the calls that
 * belong to it.
 *
 * Order: start -> (`subscribe` gives the body, the stream is asked for) -> SUBSCRIBED and other events ->
 * `down` when the stream ends, fails, or misses five heartbeats -> back-off -> the next endpoint ->
 * `subscribe` again, until stopped. Calls made while there is no stream are refused with -ENOTCONN: what to
 * do again is the core's business. So it is with a call that got no answer: the stream is dropped. A peer
 * that takes the connection and does not answer SUBSCRIBE is given as long as one heartbeat takes.
 *
 * Who watches which master leads (detector.h) tells by mesos_client_leads(): that is the only endpoint then.
 *
 * Redirects (307, Location with or without a scheme) are followed at most five times in a row, then the
 * client backs off: a standby goes on naming a dead leader for about 10 s. */
#ifndef QUERN_MESOS_CLIENT_H
#define QUERN_MESOS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/http.h"

struct mesos_client;

struct mesos_client_ops {
	/* Appends a serialised Call of type SUBSCRIBE. 0 or -errno (then the client gives up: `lost`). */
	int (*subscribe)(void *arg, struct buf *body);
	/* One serialised Event (protobuf), borrowed. A negative return drops the stream as if it had broken.
	 */
	int (*event)(void *arg, const void *data, size_t len);
	/* The stream is gone; the client goes on by itself. */
	void (*down)(void *arg, const char *why);
	/* The end: no endpoint could be subscribed to for `give_up_ms`, or one answered SUBSCRIBE with 4xx
	 * other than 404, 408, 429 (credentials, nonsense), or 200 and another content type. The client does
	 * nothing more. */
	void (*lost)(void *arg, const char *why);
	/* The answer to a call was neither 202 nor 200: `words` is its body, as one line. The call is not
	 * repeated. A negative return drops the stream as if it had broken. May be NULL. */
	int (*refused)(void *arg, long status, const char *words);
};

struct mesos_client_config {
	const char *const *endpoints; /* "host:port" ..., NULL-terminated; tried in turn. NULL: told later */
	const char *path;             /* "/api/v1/scheduler" or "/api/v1/executor" */
	const char *authorization;    /* value of that header ("Bearer ...", "Basic ..."), or NULL */
	const char *unauthorized;     /* what to do when that is not good enough: said of a 401, or NULL */
	long backoff_min_ms, backoff_max_ms; /* exponential with full jitter; 0: 100 and 10,000 */
	long give_up_ms;                     /* without a subscription for so long: `lost`. 0: never */
	bool heartbeats; /* supervise them: drop the stream after five are missed (schedulers) */
};

/* Copies the configuration. 0, -ENOMEM, -EINVAL (a list without an endpoint, a line break in
 * `authorization`). */
int mesos_client_new(struct event_base *loop, struct http_client *http,
	const struct mesos_client_config *config, const struct mesos_client_ops *ops, void *arg,
	struct mesos_client **ret, struct err *err);
int mesos_client_start(struct mesos_client *client, struct err *err);

/* The master at `endpoint`, copied, leads now: if the subscription is elsewhere it ends (`down`), and another
 * is asked for at once. For clients without a list of endpoints. 0, -ENOMEM. */
int mesos_client_leads(struct mesos_client *client, const char *endpoint);
/* None leads, for that reason. A subscription that there is stays; another waits for mesos_client_leads(). */
void mesos_client_no_leader(struct mesos_client *client, const char *why);

/* SUBSCRIBE is under way: it was not answered yet, so the peer may have heard it or not. */
bool mesos_client_asks(const struct mesos_client *client);

/* host:port of the subscription, there or asked for; "" between two. Until the next callback. */
const char *mesos_client_at(const struct mesos_client *client);
/* Why there is no subscription, as far as is known: "" or a few words. Until the next callback. */
const char *mesos_client_why(const struct mesos_client *client);

/* The master says how often it sends a heartbeat (SUBSCRIBED.heartbeat_interval_seconds). */
void mesos_client_heartbeat(struct mesos_client *client, double seconds);

/* Queues one serialised Call. Calls reach the peer one after the other, in order, on a kept-alive connection.
 * 0, -ENOTCONN, -ENOMEM. */
int mesos_client_call(struct mesos_client *client, const void *data, size_t len);

/* Calls that were queued and have not been answered. */
size_t mesos_client_pending(const struct mesos_client *client);

/* Drops the stream (without `down`) and cancels calls. Takes and returns NULL. From inside `down` and `lost`
 * as well, but from no other callback. */
struct mesos_client *mesos_client_free(struct mesos_client *client);

#endif
