/* child.h: the first steps of a child process after fork(2): nothing inherited by accident. Only calls that
 * are safe in a child of a process with threads. */
#ifndef QUERN_LOCAL_CHILD_H
#define QUERN_LOCAL_CHILD_H

#include <signal.h>
#include <stddef.h>

enum { CHILD_FIRST_FD = 3, CHILD_KEPT_MAX = 4 };

/* In the parent, around fork(2): no handler of the parent's may run in the child. */
void child_signals_block(sigset_t *ret_before);

/* In the child: every signal has its default effect and none is blocked. */
void child_signals_default(void);

/* In the child: moves `fds` to CHILD_FIRST_FD and up, in order, closes every other descriptor above 2, and
 * connects 0 with /dev/null. n <= CHILD_KEPT_MAX. 0 or -errno. */
int child_keep_descriptors(const int *fds, size_t n);

#endif
