/* hosts.h: where hosts really are: what the user says of them, and what NameNodes said in block locations,
 * for names that mean nothing here. */
#ifndef QUERN_HDFS_CLIENT_HOSTS_H
#define QUERN_HDFS_CLIENT_HOSTS_H

#include "base/buf.h"
#include "base/vec.h"
#include "hdfs_client/access.h"
#include "hdfs_client/types.h"

enum { HDFS_HOSTS_MAX = 1 << 16 };

struct hdfs_learned {
	char *name, *address;
	uint16_t port; /* hdfs_replica.port */
	bool good;     /* it was used, as the name alone did not do */
};

/* {0} is empty. */
struct hdfs_hosts {
	struct hdfs_learned *at; /* by name */
	size_t n, cap;
};

/* Takes what there is of names and addresses; the newest address counts. 0 or -ENOMEM. */
int hdfs_hosts_learn(struct hdfs_hosts *h, const char *name, const char *address, uint16_t port);
int hdfs_hosts_learn_blocks(struct hdfs_hosts *h, const struct hdfs_blocks *blocks);

/* Without regard to case; NULL: not known. Valid until something is learned. */
struct hdfs_learned *hdfs_hosts_find(const struct hdfs_hosts *h, const char *name);
void hdfs_hosts_deinit(struct hdfs_hosts *h);

/* What the user says of a host, or NULL. */
const char *hdfs_access_host(const struct hdfs_access *a, const char *name);

/* Writes "HOST:PORT:ADDRESS:PORT" for http_options.connect_to, terminated. `address` is a name, an address or
 * either with ":PORT" ("[v6]:PORT"). Errors as buf_add(). */
int hdfs_connect_to(struct buf *to, const char *host, uint16_t port, const char *address);

#endif
