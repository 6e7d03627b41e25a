/* helper.h: work that blocks (copying, unpacking, removing), done in a child process of its own, which keeps
 * nothing open but what it opens itself. */
#ifndef QUERN_LOCAL_HELPER_H
#define QUERN_LOCAL_HELPER_H

#include <event2/event.h>
#include <sys/types.h>

#include "base/err.h"

struct helper;

/* Runs in the child; may block and allocate. 0 or -errno with a sentence. */
typedef int helper_work(void *arg, struct err *err);

/* Exactly once, from the loop, also after helper_cancel(): what the work returned, and its sentence.
 * -ECANCELED when the child was killed. */
typedef void helper_done(void *arg, int result, const char *why);

/* Starts `work(work_arg)`. 0, or -errno (no process, no memory). The handle is valid until `done`. */
int helper_start(struct event_base *loop, helper_work *work, void *work_arg, helper_done *done, void *arg,
	struct helper **ret, struct err *err);

/* Kills the child. NULL is allowed. */
void helper_cancel(struct helper *h);

/* For a loop that runs no more: waits until the child has done its work, and frees without `done`. */
struct helper *helper_join(struct helper *h);

#endif
