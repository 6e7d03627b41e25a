/* embedded.h: an embedded cluster in a child process, for one command: started, found, taken down. */
#ifndef QUERN_CLI_EMBEDDED_H
#define QUERN_CLI_EMBEDDED_H

#include <sys/types.h>

#include "base/err.h"
#include "local/cluster.h"

struct embedded {
	pid_t pid;
	int life;          /* the cluster lives as long as this is open, here or nowhere */
	char endpoint[64]; /* host:port of its master */
};

/* Forks the cluster into a session of its own and waits until its master listens. `config` without its
 * descriptors. To be called before there are threads or an event loop. Negative errno: it did not start, and
 * has said why. */
int embedded_start(const struct cluster_config *config, struct embedded *ret, struct err *err);

/* Takes it down and waits until nothing of it is left. */
void embedded_stop(struct embedded *e);

#endif
