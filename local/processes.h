/* processes.h: who is whose child, from /proc. Safe in a child of a process with threads (no malloc). */
#ifndef QUERN_LOCAL_PROCESSES_H
#define QUERN_LOCAL_PROCESSES_H

#include <sys/types.h>

/* Calls `each` for every process, zombies included, that is a child of `parent` now; `session` is its
 * session. Returns how many there were, or -errno when /proc cannot be read. */
int processes_children(pid_t parent, void (*each)(void *arg, pid_t pid, pid_t session), void *arg);

#endif
