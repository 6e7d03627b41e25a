/* access.h: what somebody must know to use HDFS: who they are, whom to trust, where DataNodes really are.
 * Made by the command line, sent to executors, and given to the workers there: it has secrets in it. */
#ifndef QUERN_HDFS_CLIENT_ACCESS_H
#define QUERN_HDFS_CLIENT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "hdfs_client/url.h"

/* A host that is really somewhere else. */
struct hdfs_host {
	char *name;    /* as HDFS announces it */
	char *address; /* where to connect: a name or an address, or "HOST:PORT" */
};

/* A name that stands for several NameNodes (dfs.nameservices), or a default port that is another. */
struct hdfs_service {
	char *name;      /* authority of a URL, in small letters; "": of URLs that have none (fs.defaultFS) */
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
	bool known; /* its NameNodes have answered before, if not to this process: what is wrong with
		     * them will pass (retry.h). Does not travel: who receives an access decides */
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

/* ---- What is put in: checked, copied. 0, -EINVAL with a sentence, -ENOMEM; then nothing has changed ---- */

/* A name that can be a user.name. Replaces the one that was there. */
int hdfs_access_set_user(struct hdfs_access *a, const char *user, struct err *err);
/* The text of a file of certificates. Replaces the one that was there. */
int hdfs_access_set_ca(struct hdfs_access *a, const char *pem, struct err *err);
/* Replaces the one with the same name. */
int hdfs_access_add_host(struct hdfs_access *a, const char *name, const char *address, struct err *err);
/* Of those with the same name the one that was added first counts, of one kind each (TLS or not). */
int hdfs_access_add_service(
	struct hdfs_access *a, const char *name, const char *namenodes, bool tls, struct err *err);
/* Replaces (and wipes) the one for the same authority. The sentence never has the token in it. */
int hdfs_access_add_token(struct hdfs_access *a, const char *authority, const char *token, struct err *err);

/* ---- What it says ---- */

/* Puts the NameNodes of its service in the place of those of a URL (hdfs_url_parse()), if there is one for
 * its authority; afterwards it has at least one. -EINVAL: a URL without an authority, and no fs.defaultFS; or
 * one that wants TLS of a service that is said to have none. */
int hdfs_access_resolve(const struct hdfs_access *a, struct hdfs_url *u, struct err *err);

/* The token for an authority (hdfs_url.authority), borrowed, or NULL. */
const char *hdfs_access_token(const struct hdfs_access *a, const char *authority);

/* ---- On its way ---- */

/* Appends all of it, for hdfs_access_unpack(). 0, -ENOMEM or -EMSGSIZE. Whoever has the bytes wipes them. */
int hdfs_access_pack(const struct hdfs_access *a, struct buf *to);

/* Reads what was packed; nothing is trusted. `ret` is overwritten. -EPROTO, -ENOMEM; then it is all zeros. */
int hdfs_access_unpack(const void *data, size_t len, struct hdfs_access *ret, struct err *err);

int hdfs_access_copy(const struct hdfs_access *a, struct hdfs_access *ret, struct err *err);

/* Wipes secrets, frees, leaves zeros. */
void hdfs_access_deinit(struct hdfs_access *a);

#endif
