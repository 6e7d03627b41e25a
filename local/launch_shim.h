/* launch_shim.h: the process between the cluster and a container; see launch.h. Runs in a child of the
 * cluster, after fork(2), without malloc.
 *
 * On the socket, each one message (SOCK_SEQPACKET). Cluster to shim: an int, the signal to send. Shim to
 * cluster: SHIM_STARTED, or SHIM_FAILED and the end; then SHIM_EXITED and the end. End of file in either
 * direction: the other one is gone. */
#ifndef QUERN_LOCAL_LAUNCH_SHIM_H
#define QUERN_LOCAL_LAUNCH_SHIM_H

#include <stdint.h>
#include <sys/resource.h>

enum shim_kind {
	SHIM_STARTED, /* value: the leader's pid */
	SHIM_FAILED,  /* value: errno; step: what failed */
	SHIM_EXITED,  /* value: status as waitpid(2) gives it */
};

struct shim_news {
	enum shim_kind kind;
	int64_t value;
	char step[64];
};

struct shim_command {
	const char *dir;
	char *const *argv;
	char *const *env;
	struct rlimit files; /* RLIMIT_NOFILE of the leader */
};

/* Lives the shim's life. `socket` is its end. */
_Noreturn void launch_shim(int socket, const struct shim_command *command);

#endif
