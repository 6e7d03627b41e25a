/* part_file_kind.h: what part_file.c asks of a place where files are made: the local disk, HDFS
 * (part_file_hdfs.c). Not for others: part_file.h is. */
#ifndef QUERN_EXECUTOR_PART_FILE_KIND_H
#define QUERN_EXECUTOR_PART_FILE_KIND_H

#include <stddef.h>

#include "base/err.h"
#include "executor/keep.h"

struct part_file {
	const struct part_file_kind *kind;
};

/* As the functions of part_file.h. `make`: `path` is folder/_temporary/name. `free` takes one that was not
 * finished, too, and all that it has. */
struct part_file_kind {
	int (*make)(const char *path, struct keep *keep, struct part_file **ret, struct err *err);
	int (*write)(struct part_file *f, const void *data, size_t len, struct err *err);
	int (*finish)(struct part_file *f, struct err *err);
	void (*free)(struct part_file *f);
};

extern const struct part_file_kind part_file_hdfs;

#endif
