/* shuffle_write.h: writes the file of one map attempt (shuffle_file.h). Under a name of its own until it is
 * whole. */
#ifndef QUERN_EXECUTOR_SHUFFLE_WRITE_H
#define QUERN_EXECUTOR_SHUFFLE_WRITE_H

#include <quern/quern.h>

#include "base/auto.h"
#include "base/err.h"
#include "executor/keep.h"
#include "executor/shuffle_file.h"

enum { SHUFFLE_PARTITIONS_MAX = 1 << 20 };

struct shuffle_writer;

struct shuffle_write_config {
	const char *dir;
	struct shuffle_name name;
	uint32_t partitions;
	int level;         /* of zstd; 0: not compressed */
	struct keep *keep; /* borrowed */
};

/* 0, or a negative errno with a sentence: the folder cannot be written, -EINVAL: number of partitions. */
int shuffle_writer_new(
	const struct shuffle_write_config *config, struct shuffle_writer **ret, struct err *err);

/* Adds a record to `partition`, which is never less than that of the record before. 0, or a negative errno
 * with a sentence. */
int shuffle_writer_add(
	struct shuffle_writer *w, uint32_t partition, quern_slice key, quern_slice value, struct err *err);

/* Ends the file and gives it its name. 0, or a negative errno with a sentence. */
int shuffle_writer_finish(struct shuffle_writer *w, struct err *err);

/* So far. */
uint64_t shuffle_writer_records(const struct shuffle_writer *w);
uint64_t shuffle_writer_bytes(const struct shuffle_writer *w);

/* A file that was not finished is removed. */
struct shuffle_writer *shuffle_writer_free(struct shuffle_writer *w);

AUTO_FREE(shuffle_writer, struct shuffle_writer, shuffle_writer_free)
#define auto_shuffle_writer AUTO_CLEANUP(auto_shuffle_writer_cleanup_)

#endif
