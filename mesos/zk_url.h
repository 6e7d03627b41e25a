/* zk_url.h: where ZooKeeper knows of a cluster's masters: zk://[USER:PASSWORD@]HOST[:PORT][,...]/PATH. */
#ifndef QUERN_MESOS_ZK_URL_H
#define QUERN_MESOS_ZK_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ZK_HOSTS_MAX = 16, ZK_PORT = 2181, ZK_URL_MAX = 4096 };

struct zk_host {
	char *name; /* or address, without brackets */
	uint16_t port;
};

struct zk_url {
	struct zk_host hosts[ZK_HOSTS_MAX];
	size_t n_hosts;
	char *credentials; /* "user:password" of the digest scheme, or NULL */
	char *path;        /* "/mesos": never "/", without a slash at its end */
	char *shown;       /* the whole, for people: without the password */
};

/* Does the text begin with "zk://"? */
bool zk_url_is(const char *text);

/* The caller ends *ret with zk_url_deinit(), after a failure as well. -EINVAL or -ENOMEM with a sentence,
 * which never has the password in it. */
int zk_url_parse(const char *text, struct zk_url *ret, struct err *err);
void zk_url_deinit(struct zk_url *url);

#endif
