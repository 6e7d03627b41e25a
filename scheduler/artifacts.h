/* artifacts.h: the files that executors are started from (their own bundle, the job), served over HTTP for
 * the agents' fetchers. A fetcher cannot prove anything, so the path itself is the secret: a random token
 * that travels only in CommandInfo.uris. Anything else is answered with 404. */
#ifndef QUERN_SCHEDULER_ARTIFACTS_H
#define QUERN_SCHEDULER_ARTIFACTS_H

#include <event2/event.h>
#include <event2/http.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct artifacts;

/* Listens on `address`, any port. */
int artifacts_new(struct event_base *loop, const char *address, struct artifacts **ret, struct err *err);
struct artifacts *artifacts_free(struct artifacts *a);

/* Serves file `path` under `name` (no slash). The file is opened now: -ENOENT and the like with a sentence.
 */
int artifacts_add(struct artifacts *a, const char *name, const char *path, struct err *err);

/* The URL of `name` for those who reach us as `host`. The caller frees it; NULL: no memory. */
char *artifacts_url(const struct artifacts *a, const char *host, const char *name);

/* The server, for what else it may offer (base/serve.h), and its port. */
struct evhttp *artifacts_http(const struct artifacts *a);
uint16_t artifacts_port(const struct artifacts *a);

#endif
