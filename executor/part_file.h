/* part_file.h: the file that a task of the last stage writes, from its first byte to its last: on the local
 * disk, or in HDFS, where it is streamed and never held as a whole. */
#ifndef QUERN_EXECUTOR_PART_FILE_H
#define QUERN_EXECUTOR_PART_FILE_H

#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"
#include "executor/keep.h"

struct part_file;

/* Makes the file FOLDER/_temporary/NAME, in a folder that is there: `folder` is an absolute path or a URL of
 * HDFS. One that is there already stays as it is. -EEXIST, -ENOENT, -EACCES, ...; those of hdfs.h, of which
 * some may come later. All errors have a sentence. `keep` is borrowed. */
int part_file_new(
	const char *folder, const char *name, struct keep *keep, struct part_file **ret, struct err *err);

/* Takes all of it. */
int part_file_write(struct part_file *f, const void *data, size_t len, struct err *err);

/* The file is whole, and durable; or that cannot be said. Nothing but part_file_free() follows. */
int part_file_finish(struct part_file *f, struct err *err);

/* Removes what was not finished. Takes and returns NULL. */
struct part_file *part_file_free(struct part_file *f);

AUTO_FREE(part_file, struct part_file, part_file_free)
#define auto_part_file AUTO_CLEANUP(auto_part_file_cleanup_)

#endif
