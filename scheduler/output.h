/* output.h: the folder that an action writes: filled by renames, whole at the end or gone.
 *
 * Order: output_open() makes PATH and PATH/_temporary -> tasks write below PATH/_temporary/ATTEMPT/ ->
 * output_commit() moves one file per partition to PATH/part-NNNNN (or .gz, .zst) -> output_finish() removes
 * _temporary and writes _SUCCESS last. A reader that waits for _SUCCESS never sees a part of an answer (the
 * convention of Hadoop's FileOutputCommitter). */
#ifndef QUERN_SCHEDULER_OUTPUT_H
#define QUERN_SCHEDULER_OUTPUT_H

#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

struct output;

/* Makes the folder, and its parents where they are missing. `suffix`, which is borrowed, ends the names of
 * the parts: codec_suffix(). Negative errno with a sentence: -EEXIST when
 * `path` exists, whatever it is; -EACCES, -ENOSPC, ... */
int output_open(const char *path, const char *suffix, struct output **ret, struct err *err);

/* Whether it could be: 0, or -EEXIST with a sentence. Makes nothing. */
int output_look(const char *path, struct err *err);

/* Puts the finished `file` ("STAGE.PARTITION.ATTEMPT/part-NNNNN" and the suffix, as an executor names it: it
 * is checked) in place as `partition`'s part. -EINVAL: the name is not of that form or of another partition.
 */
int output_commit(struct output *o, const char *file, uint32_t partition, struct err *err);

/* Everything is in place: makes it durable, removes _temporary, writes _SUCCESS. */
int output_finish(struct output *o, struct err *err);

/* Frees. A folder that was not finished is removed with everything in it, and with the parents that
 * output_open() made. Takes and returns NULL. */
struct output *output_free(struct output *o);

AUTO_FREE(output, struct output, output_free)
#define auto_output AUTO_CLEANUP(auto_output_cleanup_)

#endif
