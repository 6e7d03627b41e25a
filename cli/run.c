/* run.c: `quern run`: a job from its source to its exit status. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/credential.h"
#include "cli/embedded.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "job/compile.h"
#include "scheduler/driver.h"

enum {
	SHARED_CLUSTER_CORES = 16,  /* taken at most when nobody says more: there are others on a cluster */
	GIVE_UP_LOCAL_MS = 10000,   /* no master for so long: exit status 3 */
	GIVE_UP_CLUSTER_MS = 30000, /* the same for one that may be failing over */
	FAILOVER_TIMEOUT_S = 10,    /* after that long without its driver the framework's tasks are ended */
	EXECUTOR_DISK_MB = 10240,
};

/* Everything of one command; freed in one place. */
struct command {
	struct run_options o;
	struct paths paths;
	struct embedded embedded;
	bool embedded_runs;
	char *so, *authorization, *name;
	const char *endpoints[MASTER_ENDPOINTS_MAX + 1];
	uint8_t build_id[CODE_BUILD_ID_MAX];
	size_t build_id_len;
};

static int prepare(struct command *c, char **argv, struct err *err)
{
	const char *job = argv[c->o.first];
	int r = paths_find(&c->paths, err);

	if (r == 0)
		r = compile_job(job, c->paths.include, c->o.cflags, &c->so, err);
	if (r < 0)
		return r;
	r = compile_build_id(c->so, c->build_id, &c->build_id_len, err);
	if (r == 0 && c->o.secret_file != NULL)
		r = credential_header(c->o.principal, c->o.secret_file, &c->authorization, err);
	return r;
}
