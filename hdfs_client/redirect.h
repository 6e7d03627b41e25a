/* redirect.h: where a NameNode says that bytes go. A redirect is not trusted: it stays within WebHDFS, with
 * the same kind of connection and the same file. */
#ifndef QUERN_HDFS_CLIENT_REDIRECT_H
#define QUERN_HDFS_CLIENT_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A name as DNS has it, or an address; an IPv6 one without brackets. */
bool hdfs_host_ok(const char *host);

struct hdfs_redirect {
	char *url; /* where to go: of the redirect its host, port and query; of the request its path */
	char *host;
	uint16_t port;
};

/* Reads a Location that came as answer to an operation `op` ("OPEN") on `path`, over TLS or not. -EBADMSG
 * with a sentence (which has nothing of its query, where tokens are), -ENOMEM; then `ret` is untouched. */
int hdfs_redirect_read(const char *location, bool tls, const char *path, const char *op,
	struct hdfs_redirect *ret, struct err *err);
void hdfs_redirect_deinit(struct hdfs_redirect *r);

#endif
