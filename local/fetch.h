/* fetch.h: CommandInfo.uris brought into a sandbox, all of a container at the same time, without blocking the
 * loop: http and https by base/http.h, file:// and absolute paths copied by a child process, archives
 * unpacked by a child process (extract.h).
 *
 * As Mesos' fetcher (src/slave/containerizer/fetcher.cpp, src/launcher/fetcher.cpp): a file gets the last
 * part of its URI as name, or output_file; `executable` makes it so, and it is not unpacked then; `extract`
 * unpacks it by its ending, and the archive stays. `cache` is taken for "please", and not done. A file
 * appears under its name only when it is whole. */
#ifndef QUERN_LOCAL_FETCH_H
#define QUERN_LOCAL_FETCH_H

#include <event2/event.h>
#include <stddef.h>

#include "base/err.h"
#include "base/http.h"
#include "mesos/mesos.pb-c.h"

struct fetch;

/* Exactly once, from the loop, when everything is there, or nothing is under way any more after a failure. 0,
 * or -errno and a sentence; -ECANCELED after fetch_cancel(). The handle is gone when it returns. */
typedef void fetch_done(void *arg, int result, const char *why);

/* Starts. `dir` exists. 0; -EINVAL: a URI or output_file that cannot be, with a sentence; -ENOMEM. */
int fetch_start(struct event_base *loop, struct http_client *http, const char *dir,
	Mesos__V1__CommandInfo__URI *const *uris, size_t n, fetch_done *done, void *arg, struct fetch **ret,
	struct err *err);

/* Stops; `done` follows. */
void fetch_cancel(struct fetch *f);

/* For a loop that runs no more, after http_client_free(): stops and frees, without `done`. Takes and returns
 * NULL. */
struct fetch *fetch_free(struct fetch *f);

#endif
