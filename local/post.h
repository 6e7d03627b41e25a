/* post.h: messages between the master and the agents of one process, in the order in which they were sent.
 * Delivered from the loop, never from inside post_send(): no core is entered while it, or another, is at
 * work. */
#ifndef QUERN_LOCAL_POST_H
#define QUERN_LOCAL_POST_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct post;

/* One message, borrowed during the call. */
typedef void post_deliver(void *arg, uint32_t from, uint32_t to, const uint8_t *data, size_t len);

int post_new(struct event_base *loop, post_deliver *deliver, void *arg, struct post **ret, struct err *err);
struct post *post_free(struct post *p);

/* Copies. 0 or -ENOMEM. */
int post_send(struct post *p, uint32_t from, uint32_t to, const uint8_t *data, size_t len);

#endif
