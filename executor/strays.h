/* strays.h: children that user code started and left behind. They fall to the nearest ancestor that is a
 * subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): the zygote, and then the executor. */
#ifndef QUERN_EXECUTOR_STRAYS_H
#define QUERN_EXECUTOR_STRAYS_H

#include <stddef.h>
#include <sys/types.h>

/* SIGKILLs every child of this process but those in `keep`; they are left to be reaped. How many there were.
 */
size_t strays_kill(const pid_t *keep, size_t n_keep);

/* SIGKILLs and reaps every child of this process, and theirs as they fall to it, until none is left or `ms`
 * have passed. */
void strays_end(unsigned ms);

/* Removes a folder with all that is in it; nothing is followed. What cannot be removed stays. */
void tree_remove(const char *path);

#endif
