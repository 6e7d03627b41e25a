/* cluster.h: the embedded cluster in life: one master core (master.h) and its agent cores (agent.h) behind
 * one HTTP shell, in one process, on one event loop.
 *
 * Startup: every port is bound first (nothing is started when one is taken), the work folder is made, the
 * agents register, and then the line "HOST:PORT\n" of the master goes to ready_fd, which is closed after it.
 * Operation: docs in server.h (HTTP), fetch.h and launch.h (containers).
 * Teardown, by SIGTERM (or SIGINT or SIGHUP, see life_fd): the agents shut their executors down (SHUTDOWN,
 * the grace period, SIGKILL), what is left of their processes is killed, sandboxes are removed, 0 is
 * returned. A second signal, or the end of file on life_fd, leaves out the grace: everything is killed and
 * removed at once. When the cluster process itself dies, by SIGKILL say, the kernel kills the leader of every
 * container (PR_SET_PDEATHSIG); only then may sandboxes stay behind.
 *
 * The process is the cluster's: it becomes a subreaper, reaps every child and grandchild it has, and handles
 * SIGINT, SIGHUP, SIGTERM, SIGCHLD and SIGPIPE. Call it from a process that does nothing else, a child of the
 * driver for instance; after it returned only exit remains to be done. */
#ifndef QUERN_LOCAL_CLUSTER_H
#define QUERN_LOCAL_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLUSTER_STOPPED = 0,
	CLUSTER_FAILED = 1,   /* ran, and ran into something it could not go on from: no memory */
	CLUSTER_NO_START = 3, /* port in use, work folder not to be made, nonsense configured */
	CLUSTER_AGENTS_MAX = 1000,
};

struct cluster_config {
	const char *address;  /* to listen on and to be reached at: an IPv4 address. NULL: "127.0.0.1" */
	const char *hostname; /* in MasterInfo, AgentInfo and offers. NULL: the address */
	const char *const *agent_hostnames;  /* of the first agents, instead of that. Names alone: nothing
						looks them up, and agents are reached at the address */
	uint32_t n_agent_hostnames;          /* not more than agents */
	const char *const *agent_attributes; /* of the first agents, as Mesos' --attributes */
	uint32_t n_agent_attributes;         /* not more than agents */
	uint16_t port;         /* of the master; 0: any that is free. The agents' are always any */
	uint32_t agents;       /* 1 to CLUSTER_AGENTS_MAX */
	const char *resources; /* of each agent, Mesos' --resources text:
				  "cpus:4;mem:4096;disk:10000;ports:[31000-32000]" */
	const char
		*work_dir; /* sandboxes are below it, each agent's in a folder of its own. Made when missing,
			      and then removed at the end. NULL: a new folder in $TMPDIR, or /tmp */
	bool keep_sandboxes; /* leave them and the work folder where they are */

	int ready_fd; /* -1: none. Gets the one line "HOST:PORT\n"; closed without a word when nothing starts
		       */
	int life_fd;  /* -1: none. End of file on it means that the owner is gone: everything goes, at once.
		       * With a life_fd SIGINT and SIGHUP are ignored: a Ctrl-C reaches the owner too, who
		       * decides */

	uint64_t allocation_interval_ms;           /* as in struct master_config; 0: its default */
	uint64_t heartbeat_interval_ms;            /* likewise */
	uint64_t executor_registration_timeout_ms; /* as in struct agent_config; 0: its default */
	uint64_t executor_shutdown_grace_ms;       /* likewise */
	uint64_t seed;                             /* of ids; 0: a random one */
};

/* Runs the cluster until it is told to stop; returns an exit status. What goes wrong is one line on stderr,
 * "quern: ..." */
int cluster_main(const struct cluster_config *config);

#endif
