/* output.h: the folder that an action writes, on the local disk or in HDFS: filled by renames, whole at the
 * end or gone. Every call may wait for a disk or for HDFS.
 *
 * Order: output_open() makes PATH and PATH/_temporary -> tasks write below PATH/_temporary -> output_commit()
 * moves one file per partition to PATH/part-NNNNN (or .gz, .zst) -> output_finish() removes _temporary and
 * writes _SUCCESS last. A reader that waits for _SUCCESS never sees a part of an answer (the convention of
 * Hadoop's FileOutputCommitter). Of two that open the same PATH one has it, and the other is told. */
#ifndef QUERN_SCHEDULER_OUTPUT_H
#define QUERN_SCHEDULER_OUTPUT_H

#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "hdfs_client/hdfs.h"

struct output;

/* Makes the folder, and its parents where they are missing. `path` is absolute, or a URL of HDFS, which is
 * reached by `hdfs` (borrowed until output_free()). `suffix`, which is borrowed, ends the names of the parts:
 * codec_suffix(). Negative errno with a sentence, and then nothing is left behind: -EEXIST when `path`
 * exists, whatever it is, or another job is quicker; -EACCES, -ENOSPC, those of hdfs.h ... */
int output_open(
	const char *path, const char *suffix, struct hdfs_pool *hdfs, struct output **ret, struct err *err);

/* Whether it could be: 0, or -EEXIST with a sentence; those of hdfs.h. Makes nothing. */
int output_look(const char *path, struct hdfs_pool *hdfs, struct err *err);

/* Puts the finished `file` ("STAGE.PARTITION.ATTEMPT.part-NNNNN" and the suffix, as an executor names it: it
 * is checked) in place as `partition`'s part. -EINVAL: the name is not of that form or of another partition.
 */
int output_commit(struct output *o, const char *file, uint32_t partition, struct err *err);

/* Everything is in place: makes it durable, removes _temporary, writes _SUCCESS. */
int output_finish(struct output *o, struct err *err);

/* Removes what was made, with everything in it, and the parents that output_open() made where nobody else has
 * put anything; but nothing once it is finished, and nothing that is of another job. 0, or a negative errno
 * and what is left behind. */
int output_remove(struct output *o, struct err *err);

/* Its path, as long as it is neither finished nor removed; or NULL. Borrowed. */
const char *output_path(const struct output *o);

/* Frees the memory. Takes and returns NULL. */
struct output *output_free(struct output *o);

AUTO_FREE(output, struct output, output_free)
#define auto_output AUTO_CLEANUP(auto_output_cleanup_)

#endif
