/* write.h: one file uploaded, on the event loop: its bytes are pulled as fast as the DataNode takes them,
 * once. A DataNode that is not reached is left for another one, as long as no byte was pulled. */
#ifndef QUERN_HDFS_CLIENT_WRITE_H
#define QUERN_HDFS_CLIENT_WRITE_H

#include <sys/types.h>

#include "base/err.h"
#include "hdfs_client/avoid.h"
#include "hdfs_client/fs.h"
#include "hdfs_client/hdfs.h"

struct hdfs_upload;

struct hdfs_upload_options {
	const char *path;              /* copied */
	const char *name;              /* of the same, for sentences; copied */
	const struct hdfs_create *how; /* borrowed during the call */
	uint64_t before;               /* append: bytes that the file has */
	uint64_t before_ms;            /* when it was modified; 0: there is none */
	uint64_t patience_ms;          /* for a DataNode that is reached; 0: HDFS_PATIENCE_MS */
	struct hdfs_avoid *avoid;      /* of the loop's side */

	/* Fills `to`: 1 to `room` bytes; 0: that was all; -EAGAIN: nothing now, hdfs_upload_resume() follows.
	 */
	ssize_t (*pull)(void *arg, void *to, size_t room);
	/* The end, once, never from inside hdfs_upload_start(). 0: the file is whole and closed. The upload
	 * is freed when it returns. */
	void (*done)(void *arg, int result, const struct err *err);
	void *arg;
};

/* 0 or -ENOMEM, -ECANCELED (the file system is being freed). */
int hdfs_upload_start(
	struct hdfs_fs *fs, const struct hdfs_upload_options *o, struct hdfs_upload **ret, struct err *err);

/* There is something to pull. */
void hdfs_upload_resume(struct hdfs_upload *u);

/* Its `done` runs with -ECANCELED, from the loop; a part of the file is there, perhaps. */
void hdfs_upload_cancel(struct hdfs_upload *u);

#endif
