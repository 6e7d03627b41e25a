/* hdfs_storage.h: HDFS as a place of input (job/storage.h). */
#ifndef QUERN_SCHEDULER_HDFS_STORAGE_H
#define QUERN_SCHEDULER_HDFS_STORAGE_H

#include "hdfs_client/hdfs.h"
#include "job/storage.h"

/* For paths that are URLs (hdfs_url_is()). The pool is borrowed. Paths of entries are URLs that begin as the
 * one that was asked for does. */
struct storage hdfs_storage(struct hdfs_pool *pool);

#endif
