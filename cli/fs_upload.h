/* fs_upload.h: files on their way to HDFS. A file goes there as NAME._COPYING_, and gets its name once it is
 * whole. HDFS takes its time to close a file, now and then 400 ms however small it is, so that the next ones
 * are begun meanwhile. */
#ifndef QUERN_CLI_FS_UPLOAD_H
#define QUERN_CLI_FS_UPLOAD_H

#include <sys/stat.h>

#include "cli/fs_place.h"

enum { FS_UPLOADS_MOST = 16 };

/* One that all bytes were taken of. */
struct fs_upload {
	struct hdfs_writer *writer;
	char *temp, *path;
	struct stat st; /* of what is copied */
	bool exists;    /* there is an old one */
};

struct fs_uploads {
	struct fs *f;
	const struct fs_place *to;
	struct fs_upload at[FS_UPLOADS_MOST]; /* a ring */
	size_t first, n;
};

/* What `fd` gives becomes the file `path`, sooner or later: errors that come once all bytes are taken are
 * told (fs_fail()). `local`: of sentences. */
int fs_upload(struct fs_uploads *u, int fd, const struct stat *st, const char *local, const char *path,
	struct err *err);

/* Waits until each has its name, or is told about; also when somebody has interrupted: what a DataNode has
 * been sent cannot be taken back, and one that is given up might still appear afterwards. */
void fs_uploads_settle(struct fs_uploads *u);

/* What -p keeps. */
int fs_keep_attributes(struct hdfs *fs, const char *path, const struct stat *st, struct err *err);

#endif
