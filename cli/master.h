/* master.h: what --master means. */
#ifndef QUERN_CLI_MASTER_H
#define QUERN_CLI_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mesos/zk_url.h"

enum { MASTER_ENDPOINTS_MAX = 16, MASTER_AGENTS_MAX = 1000, MASTER_CORES_MAX = 10000 };

struct master_url {
	bool local;                                /* start an embedded cluster ... */
	uint32_t agents, cores;                    /* ... of so many agents with so many cores each */
	char *endpoints[MASTER_ENDPOINTS_MAX + 1]; /* else: host:port of the masters, NULL-terminated ... */
	struct zk_url zk; /* ... or where they are registered: if `zk.path` is there */
	char *shown;      /* the cluster, for people: without a password. NULL: local */
};

/* "local", "local[N]", "local[*]" (every core of this machine), "local[AxN]"; or "HOST:PORT[,HOST:PORT...]",
 * where a port may be left out (5050), or "zk://...", with "mesos://" before it or not; or
 * "file:///PATH": the first line of that file is one of these. -EINVAL, -ENOMEM, or why the file cannot be
 * read, with a sentence. */
int master_parse(const char *text, struct master_url *ret, struct err *err);
void master_deinit(struct master_url *m);

#endif
