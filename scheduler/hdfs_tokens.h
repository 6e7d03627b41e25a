/* hdfs_tokens.h: the delegation tokens of a job, on the event loop: taken where a cluster gives one when its
 * file system is first used, renewed while the job runs, cancelled at its end; and what executors are told of
 * HDFS, which has these tokens in it and nothing else by which the user could be taken for somebody.
 *
 * They are taken where the user is known by Kerberos (hdfs_access.negotiate): elsewhere HDFS takes the
 * executors' word for who they are, as it does the driver's. A token that somebody gave us
 * (hdfs_access.tokens) is passed on as it is, neither renewed nor cancelled. Callbacks come from the loop,
 * never from inside a call of this header but hdfs_tokens_free(). */
#ifndef QUERN_SCHEDULER_HDFS_TOKENS_H
#define QUERN_SCHEDULER_HDFS_TOKENS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "hdfs_client/access.h"

struct hdfs_tokens;

struct hdfs_tokens_ops {
	/* What executors are to know from now on (hdfs_access_pack()); borrowed, wiped after the call. */
	void (*changed)(void *arg, const void *data, size_t len);
	/* What hdfs_tokens_want() asked for is there, and `changed` has been called for it; or why not (r <
	 * 0). */
	void (*ready)(void *arg, int r, const char *why);
	/* Nothing of ours is left behind, as far as hdfs_tokens_end() can bring that about. */
	void (*ended)(void *arg);
	/* For people: a token that could not be renewed or cancelled. There are no secrets in it. */
	void (*warn)(void *arg, const char *text);
};

/* `access` is copied. 0 or -ENOMEM. */
int hdfs_tokens_new(struct event_base *loop, const struct hdfs_access *access,
	const struct hdfs_tokens_ops *ops, void *arg, struct hdfs_tokens **ret, struct err *err);

/* Sees to it that there is a token for the file systems of these URLs, where there can be one; `ready`
 * follows. One call at a time. 0, -ENOMEM, -EINVAL (a URL is none). */
int hdfs_tokens_want(struct hdfs_tokens *t, const char *const *urls, size_t n, struct err *err);

/* Cancels all that were taken. True: `ended` follows, in the access's patience at the latest; false: there
 * are none. Nothing else may be called afterwards. */
bool hdfs_tokens_end(struct hdfs_tokens *t);

/* Takes and returns NULL. */
struct hdfs_tokens *hdfs_tokens_free(struct hdfs_tokens *t);

#endif
