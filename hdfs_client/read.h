/* read.h: one range of a file read, on the event loop. A DataNode that refuses, breaks off, sends
 * what is no answer or is silent is left for one that has another replica, where the range goes on at the
 * byte that it has come to. When every replica was tried all are tried again, until no byte has come for as
 * long as one has patience. */
#ifndef QUERN_HDFS_CLIENT_READ_H
#define QUERN_HDFS_CLIENT_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hdfs_client/avoid.h"
#include "hdfs_client/fs.h"

struct hdfs_range;

struct hdfs_range_options {
	const char *path; /* of a file; copied */
	const char *name; /* of the same, for sentences; copied */
	uint64_t size;    /* that the file has; the range is within it */
	uint64_t offset;
	uint64_t len;             /* > 0 */
	uint64_t patience_ms;     /* without a byte; 0: HDFS_PATIENCE_MS */
	struct hdfs_avoid *avoid; /* of the loop's side, shared by ranges */

	/* The next bytes, all of which are taken. -ENOMEM: they are not, and that is the end. */
	int (*bytes)(void *arg, const void *data, size_t len);
	/* The end, once, never from inside hdfs_range_start(). 0: all of it is there. -ESTALE: the file is
	 * gone, or has another length; -ECANCELED; others of hdfs.h. The range is freed when it returns. */
	void (*done)(void *arg, int result, const struct err *err);
	void *arg;
};

/* 0 or -ENOMEM, -ECANCELED (the file system is being freed). */
int hdfs_range_start(
	struct hdfs_fs *fs, const struct hdfs_range_options *o, struct hdfs_range **ret, struct err *err);

/* No more bytes (but for what is at hand: up to 512 KiB), until it is resumed. */
void hdfs_range_pause(struct hdfs_range *r);
void hdfs_range_resume(struct hdfs_range *r);

/* Its `done` runs with -ECANCELED, from the loop. */
void hdfs_range_cancel(struct hdfs_range *r);

#endif
