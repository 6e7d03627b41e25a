/* fetch_uri.h: what a URI of a CommandInfo means. */
#ifndef QUERN_LOCAL_FETCH_URI_H
#define QUERN_LOCAL_FETCH_URI_H

#include <stdbool.h>

#include "base/err.h"
#include "mesos/mesos.pb-c.h"

struct fetch_uri {
	bool http;
	char *source; /* URL, or absolute path */
	char *target; /* name below the sandbox */
	bool executable, extract;
};

/* 0; -EINVAL with a sentence (Mesos' words where it has some); -ENOMEM. */
int fetch_uri_parse(const Mesos__V1__CommandInfo__URI *uri, struct fetch_uri *ret, struct err *err);
void fetch_uri_deinit(struct fetch_uri *u);

/* Where a redirection leads: `location` as a URL by itself, or relative to `url`. Only http and https: NULL
 * otherwise, or without memory. The caller frees it. */
char *fetch_uri_redirect(const char *url, const char *location);

#endif
