/* detector.h: watches in ZooKeeper which master leads.
 *
 * Order: start (nothing is told from inside) -> `leads` or `none`, again whenever that changes, until freed
 * -> `failed` at most once, and nothing after it. While ZooKeeper cannot be reached nothing is told: the
 * leader stays whoever it was.
 *
 * A build without libzookeeper has none: detector_here() says so. */
#ifndef QUERN_MESOS_DETECTOR_H
#define QUERN_MESOS_DETECTOR_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"
#include "mesos/zk_url.h"

struct detector;

struct detector_ops {
	/* A master leads, at "host:port". Told again when it is another one, be it at the same address. */
	void (*leads)(void *arg, const char *endpoint);
	/* None leads as far as is known, for that reason; told again when the reason is another. */
	void (*none)(void *arg, const char *why);
	/* None will be found: no access. */
	void (*failed)(void *arg, const char *why);
};

/* Can this build talk with ZooKeeper? */
bool detector_here(void);

/* `url` is borrowed for as long as the detector lives. Each callback may free it. 0, -ENOMEM, -ENOTSUP (not
 * in this build). */
int detector_new(struct event_base *loop, const struct zk_url *url, const struct detector_ops *ops, void *arg,
	struct detector **ret, struct err *err);

/* Ends the session, which may take a moment when ZooKeeper does not answer. Takes and returns NULL. */
struct detector *detector_free(struct detector *detector);

#endif
