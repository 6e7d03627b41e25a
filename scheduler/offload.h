/* offload.h: work that waits for disks or for a network, off the event loop. One thread does it, a piece at a
 * time, in the order in which it was given; that a piece is done is an event of the loop.
 *
 * Order: of two pieces the first is done, and its `done` called, before the `done` of the second. `done` runs
 * exactly once for each, also for one that was cancelled; from the loop, never from inside offload_run(). All
 * functions belong to the loop's thread, and inside `done` all but offload_free() may be called. */
#ifndef QUERN_SCHEDULER_OFFLOAD_H
#define QUERN_SCHEDULER_OFFLOAD_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"

struct offload;

/* Starts the thread, with all signals blocked. 0, -ENOMEM, -EAGAIN, -EMFILE ... with a sentence. */
int offload_new(struct event_base *loop, struct offload **ret, struct err *err);

/* `work` runs in the thread, and may take its time; then `done` on the loop. `ran` is false if it was
 * cancelled before it began. 0; or -ENOMEM, and then neither is called. */
int offload_run(struct offload *o, void (*work)(void *arg), void (*done)(void *arg, bool ran), void *arg);

/* What has not begun never will: `done` says so. */
void offload_cancel(struct offload *o);

/* Whether there is nothing whose `done` has not been called. */
bool offload_idle(const struct offload *o);

/* Cancels what has not begun, waits for what has, and calls each `done` that is left before it returns. Takes
 * and returns NULL. */
struct offload *offload_free(struct offload *o);

#endif
