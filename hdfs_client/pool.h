/* pool.h: what the parts of the blocking form (hdfs.h) share. The calling thread hands jobs to the pool's
 * thread (thread.h) and waits; only the latter touches the file systems on its loop (fs.h). */
#ifndef QUERN_HDFS_CLIENT_POOL_H
#define QUERN_HDFS_CLIENT_POOL_H

#include "hdfs_client/avoid.h"
#include "hdfs_client/fs.h"
#include "hdfs_client/hdfs.h"
#include "hdfs_client/thread.h"

struct hdfs {
	struct hdfs_pool *pool;
	struct hdfs_url url;        /* without a path */
	char *base;                 /* "hdfs://AUTHORITY" as it was first written, for sentences */
	struct hdfs_thread *thread; /* the pool's; NULL until the first call */
	/* Of the loop. */
	struct hdfs_fs *fs; /* NULL until the first call */
	struct hdfs *next;  /* that has one, of the pool */
	struct hdfs_avoid avoid;
};

/* Of the pool of `fs`. */
const struct hdfs_access *hdfs_access_of(const struct hdfs *fs);
size_t hdfs_memory_of(const struct hdfs *fs);

/* Starts the pool's thread if it is not there: before anything else is handed to it. */
int hdfs_begin(struct hdfs *fs, struct err *err);

/* On the loop: makes fs->fs if it is not there. */
int hdfs_ready(struct hdfs *fs, struct err *err);

/* One operation, from the question to its answer, which the caller deinits. */
int hdfs_wait_for(struct hdfs *fs, const struct hdfs_ask *ask, struct hdfs_answer *ret, struct err *err);

#endif
