/* request.h: URLs of WebHDFS operations, piece by piece. */
#ifndef QUERN_HDFS_CLIENT_REQUEST_H
#define QUERN_HDFS_CLIENT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define HDFS_HTTP_ROOT "/webhdfs/v1"

/* A file's path is at most 8000 bytes in HDFS (FSNamesystem: MAX_PATH_LENGTH, 1000 levels). */
enum { HDFS_PATH_MAX = 8000, HDFS_HTTP_URL_MAX = 512 << 10 };

/* A URL in the making. An error stays: it is looked at once, by hdfs_request_end(). */
struct hdfs_request {
	struct buf url;
	int error;
	bool asked; /* the query has begun */
};

/* Absolute, not too long, without "." and "..", which HDFS has no use for. */
bool hdfs_path_ok(const char *path);

/* Appends a good path as a URL has it: every byte that is not plain is escaped; no slash twice or at the
 * end. Errors as buf_add(). */
int hdfs_path_escape(struct buf *to, const char *path);

/* Begins with where it goes; `host` without brackets. */
void hdfs_request_begin(
	struct hdfs_request *q, bool tls, const char *host, uint16_t port, const char *path, const char *op);

/* What the NameNode says of its DataNodes, which is no operation of WebHDFS. */
void hdfs_request_nodes(struct hdfs_request *q, bool tls, const char *host, uint16_t port);

/* "&name=value". Values are escaped. */
void hdfs_request_text(struct hdfs_request *q, const char *name, const char *value);
void hdfs_request_number(struct hdfs_request *q, const char *name, uint64_t value);
void hdfs_request_flag(struct hdfs_request *q, const char *name, bool value);
void hdfs_request_octal(struct hdfs_request *q, const char *name, unsigned value);

/* Terminates it. 0, -ENOMEM or -EMSGSIZE. The URL is q->url.data until hdfs_request_deinit(), which wipes
 * it: it may have a token in it. */
int hdfs_request_end(struct hdfs_request *q);
void hdfs_request_deinit(struct hdfs_request *q);

#endif
