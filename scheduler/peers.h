/* peers.h: the links of the executors, by executor id. */
#ifndef QUERN_SCHEDULER_PEERS_H
#define QUERN_SCHEDULER_PEERS_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/link.pb-c.h"

struct peers;

struct peers_ops {
	void (*up)(void *arg, const char *executor_id);
	void (*message)(void *arg, const char *executor_id, const Quern__ToDriver *message); /* borrowed */
	void (*down)(void *arg, const char *executor_id, const char *why);
};

/* Listens on `address`, any port. An executor that connects again takes the place of its old link, which goes
 * down first. */
int peers_new(struct event_base *loop, const char *address, const uint8_t *secret,
	const struct peers_ops *ops, void *arg, struct peers **ret, struct err *err);
struct peers *peers_free(struct peers *p);

uint16_t peers_port(const struct peers *p);

/* Queues a packed ToExecutor. -ENOTCONN: no link to that executor; else as link_send(). */
int peers_send(struct peers *p, const char *executor_id, const void *data, size_t len);

#endif
