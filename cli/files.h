/* files.h: the value of --files: "FILE[#NAME],...". */
#ifndef QUERN_CLI_FILES_H
#define QUERN_CLI_FILES_H

#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"
#include "scheduler/shipped.h"

enum { FILES_MAX = 1000 };

struct files {
	VEC(struct shipped) list;
};

/* Replaces what `files` has. Each FILE must be a regular one that can be read; without a NAME it keeps its
 * own. Nothing else is read yet. -EINVAL, -ENOENT and the like with a sentence. */
int files_parse(const char *value, struct files *files, struct err *err);
void files_deinit(struct files *files);

#endif
