/* url.h: names of files in HDFS, as Hadoop's tools take them:
 * hdfs://NAMENODE[:PORT][,NAMENODE[:PORT]...]/PATH, and the same with webhdfs:// and swebhdfs:// (WebHDFS
 * over HTTP and over TLS). Without NameNodes (hdfs:///PATH) it is fs.defaultFS of a configuration: see
 * hdfs_access_resolve(). */
#ifndef QUERN_HDFS_CLIENT_URL_H
#define QUERN_HDFS_CLIENT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HDFS_NAMENODES_MAX = 16,
	HDFS_HTTP_PORT = 9870,  /* dfs.namenode.http-address of Hadoop 3 */
	HDFS_HTTPS_PORT = 9871, /* dfs.namenode.https-address */
};

struct hdfs_namenode {
	char *host; /* a name or an address; an IPv6 address without its brackets */
	uint16_t port;
};

struct hdfs_url {
	const char *scheme; /* as it was written: "hdfs://", "webhdfs://", "swebhdfs://"; not freed */
	bool tls;
	struct hdfs_namenode namenodes[HDFS_NAMENODES_MAX]; /* in the order in which they are tried */
	unsigned n;                                         /* 0: it names none */
	char *authority; /* as it was written, in small letters; "": none */
	char *path;      /* absolute */
};

/* Whether `text` begins like one. */
bool hdfs_url_is(const char *text);

/* Takes it apart. A port that is left out, or that of hdfs:// (the NameNode's RPC port, which WebHDFS does
 * not speak on), becomes the HTTP one. -EINVAL with a sentence; -ENOMEM. hdfs_url_deinit() in any case. */
int hdfs_url_parse(const char *text, struct hdfs_url *ret, struct err *err);
void hdfs_url_deinit(struct hdfs_url *u);

#endif
