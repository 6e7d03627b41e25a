/* object.h: a shared object as a file: what can be said of it without loading it, which would run its code.
 */
#ifndef QUERN_JOB_OBJECT_H
#define QUERN_JOB_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/code.h"

struct object {
	uint8_t build_id[CODE_BUILD_ID_MAX];
	size_t build_id_len; /* 0: it has none */
	bool has_main;       /* it defines quern_main() for others to call */
	bool persists;       /* it calls quern_persist() */
};

/* -ENOENT, -EACCES, ... or -ENOEXEC: not a shared object; with a sentence that names `path`. */
int object_look(const char *path, struct object *ret, struct err *err);

#endif
