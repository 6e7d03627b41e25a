/* sandbox.h: folders of containers, made and removed. Nothing here follows a symbolic link below the folder
 * that it was given: what an executor leaves behind is not trusted. Blocking. */
#ifndef QUERN_LOCAL_SANDBOX_H
#define QUERN_LOCAL_SANDBOX_H

#include "base/err.h"

/* Makes the folder and those above it that are missing; one that is there already is fine. 0 or -errno. */
int sandbox_make(const char *path, struct err *err);

/* Removes the folder with everything in it, however deep and whatever its permissions; one that is not there
 * is fine. A path that is a symbolic link is -ENOTDIR, and the link stays. 0 or -errno: as much as could be
 * is gone then. */
int sandbox_remove(const char *path, struct err *err);

/* Removes the folders above `path` up to and without `top`, as long as they are empty. */
void sandbox_prune(const char *path, const char *top);

#endif
