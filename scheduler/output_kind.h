/* output_kind.h: what output.c asks of a place where outputs are: the local disk (output_local.c), HDFS
 * (output_hdfs.c). Not for others: output.h is. */
#ifndef QUERN_SCHEDULER_OUTPUT_KIND_H
#define QUERN_SCHEDULER_OUTPUT_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "hdfs_client/hdfs.h"

struct output {
	const struct output_kind *kind;
	char *path; /* absolute, without a slash at its end; or a URL, as the user wrote it */
	const char *suffix;
	bool over; /* finished or removed */
};

/* Results and errors as in output.h. */
struct output_kind {
	int (*look)(const char *path, struct hdfs_pool *hdfs, struct err *err);
	/* One that has made nothing yet; `kind`, `path` and `suffix` are seen to by the caller. */
	int (*make)(const char *path, struct hdfs_pool *hdfs, struct output **ret, struct err *err);
	int (*open)(struct output *o, struct err *err); /* when that fails, `remove` follows */
	/* From PATH/_temporary/`from` to PATH/`to`: names that have been checked. */
	int (*commit)(struct output *o, const char *from, const char *to, struct err *err);
	int (*finish)(struct output *o, struct err *err);
	int (*remove)(struct output *o, struct err *err); /* not of a finished one */
	void (*free)(struct output *o);                   /* what is beside `path` and the struct itself */
};

extern const struct output_kind output_local, output_hdfs;

/* The sentence for a path that is there. -EEXIST. */
int output_exists(const char *path, struct err *err);

#endif
