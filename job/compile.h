/* compile.h: from what a user names as a job to a shared object that can be one. */
#ifndef QUERN_JOB_COMPILE_H
#define QUERN_JOB_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/code.h"

/* `path` is a shared object, which is taken as it is, or a C source (*.c), which is compiled: with $CC or cc,
 * `include` (the folder with quern/quern.h) and the words of `cflags` (NULL: none; quoted as for a shell).
 * What was compiled stays in ${XDG_CACHE_HOME:-~/.cache}/quern, under a hash of the preprocessed source, the
 * compiler and its flags, until nobody has used it for a month. The compiler's own messages go to stderr. The
 * object is looked at, not loaded: it has a build id and a quern_main(). *ret is its path, the caller's to
 * free. -ECANCELED: the compiler found a mistake and has said so; -ENOENT, -EACCES: no such file, no
 * compiler; -ENOEXEC: not a job: no quern_main(), no build id, not an object; -EINVAL: cflags. Always a
 * sentence. */
int compile_job(const char *path, const char *include, const char *cflags, char **ret, struct err *err);

/* The build id of a shared object, by reading the file. -ENOEXEC with a sentence: it has none. */
int compile_build_id(const char *so, uint8_t ret[CODE_BUILD_ID_MAX], size_t *ret_len, struct err *err);

#endif
