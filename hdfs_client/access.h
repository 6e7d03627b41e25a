/* access.h: what somebody must know to use HDFS: who they are, whom to trust, where DataNodes really are.
 * Made by the command line, sent to executors, and given to the workers there: it has secrets in it. */
#ifndef QUERN_HDFS_CLIENT_ACCESS_H
#define QUERN_HDFS_CLIENT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* A host that is really somewhere else. */
struct hdfs_host {
	char *name;    /* as HDFS announces it */
	char *address; /* where to connect: a name or an address, or "HOST:PORT" */
};

/* A name that stands for several NameNodes (dfs.nameservices), or a default port that is another. */
struct hdfs_service {
	char *name;      /* authority of a URL, as the user writes it */
	char *namenodes; /* HOST:PORT[,HOST:PORT...] of the HTTP addresses */
	bool tls;
};

/* A delegation token. */
struct hdfs_token {
	char *authority; /* of URLs for which it is good: hdfs_url.authority */
	char *token;
};

/* All zeros: nobody special. */
struct hdfs_access {
	char *user;           /* user.name; NULL: HADOOP_USER_NAME, then the login's */
	char *ca;             /* PEM, not the name of its file; NULL: those of the system */
	bool negotiate;       /* SPNEGO (Kerberos), where no token is known */
	uint64_t patience_ms; /* for a NameNode that answers properly; 0: HDFS_PATIENCE_MS */
	struct hdfs_host *hosts;
	size_t n_hosts, cap_hosts;
	struct hdfs_service *services;
	size_t n_services, cap_services;
	struct hdfs_token *tokens;
	size_t n_tokens, cap_tokens;
};

/* A failover takes 10 to 30 s in a cluster of ordinary settings; a NameNode leaves safe mode 30 s after the
 * last block was reported. */
enum { HDFS_PATIENCE_MS = 120000 };

/* Appends all of it, for hdfs_access_unpack(). 0, -ENOMEM or -EMSGSIZE. */
int hdfs_access_pack(const struct hdfs_access *a, struct buf *to);

/* Reads what was packed; nothing is trusted. `ret` is overwritten. -EPROTO, -ENOMEM; then it is all zeros. */
int hdfs_access_unpack(const void *data, size_t len, struct hdfs_access *ret, struct err *err);

/* Wipes secrets, frees, leaves zeros. */
void hdfs_access_deinit(struct hdfs_access *a);

#endif
