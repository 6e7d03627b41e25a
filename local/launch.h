/* launch.h: containers' processes: started, signalled, and all gone before anybody hears of their end.
 *
 * Between the cluster and the leader of a container (the executor) stands a shim, a child of the cluster that
 * does nothing else: launch_shim.h. It is a subreaper, so that whatever the leader leaves behind, in whatever
 * session it is, becomes a child of the shim, and is killed and reaped when the leader ends. A socket between
 * cluster and shim carries signals one way and news the other; when it closes because the cluster is gone,
 * killed even, the shim ends the container. When the *shim* is killed (by the executor, say: both run as the
 * same user), the kernel kills the leader, and the launcher finds the rest among its own children, being a
 * subreaper too.
 *
 * Everything runs as the user that the cluster runs as; CommandInfo.user is not obeyed. */
#ifndef QUERN_LOCAL_LAUNCH_H
#define QUERN_LOCAL_LAUNCH_H

#include <event2/event.h>
#include <stdint.h>

#include "base/err.h"
#include "mesos/mesos.pb-c.h"

struct launcher; /* of a cluster process */
struct launch;   /* one container's */

struct launch_ops {
	/* Its process runs: the command was exec'ed, or could not be, and then exited() follows with status
	 * 127. */
	void (*started)(void *arg, int64_t pid);
	/* It could not be started. The end: the handle is gone when this returns. */
	void (*failed)(void *arg, const char *why);
	/* It ended, and every process that came from it is gone. `status` as waitpid(2) gives it. The end. */
	void (*exited)(void *arg, int status);
};

/* Makes the calling process a subreaper and looks at its SIGCHLD. One at a time. Containers may have as many
 * open files as the process may at this moment. */
int launcher_new(struct event_base *loop, struct launcher **ret, struct err *err);

/* Kills every container, waits until all their processes are gone, frees; no callback is called. Takes and
 * returns NULL. */
struct launcher *launcher_free(struct launcher *l);

/* Starts `command` in folder `dir`, with `env` ("NAME=value", NULL-terminated) and a PATH, if it has none, as
 * environment; stdout and stderr are files of those names there. Callbacks come from the loop. -EINVAL: the
 * command says nothing to run. -ENOMEM, -EAGAIN. */
int launch_start(struct launcher *l, const char *dir, char *const *env, const Mesos__V1__CommandInfo *command,
	const struct launch_ops *ops, void *arg, struct launch **ret, struct err *err);

/* Sends a signal to the leader's process group, if the leader still is. */
void launch_kill(struct launch *c, int signal);

#endif
