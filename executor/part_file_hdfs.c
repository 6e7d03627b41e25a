/* A part file in HDFS. */
#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "executor/part_file_kind.h"

struct remote {
	struct part_file f;
	struct hdfs *fs;
	char *path;
	struct hdfs_writer *w;
	bool keep; /* it is whole, or another's */
};

static int make_remote(const char *path, struct keep *keep, struct part_file **ret, struct err *err)
{
	/* When the job is over the folder is gone, and a task that does not know yet must not make it. */
	const struct hdfs_create how = { .in_folder = true, .permission = HDFS_DEFAULT_PERMISSION };
	struct remote *m = calloc(1, sizeof(*m));
	struct hdfs_pool *pool;

	if (m == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	int r = keep_hdfs(keep, &pool, err);
	if (r == 0)
		r = hdfs_pool_get(pool, path, &m->fs, &m->path, err);
	if (r == 0)
		r = hdfs_create(m->fs, m->path, &how, &m->w, err);
	if (r < 0) {
		free(m->path);
		free(m);
		return err_prefix(err, r, "output");
	}
	*ret = &m->f;
	return 0;
}

static int write_remote(struct part_file *f, const void *data, size_t len, struct err *err)
{
	struct remote *m = (struct remote *)f;
	int r = hdfs_write(m->w, data, len, err);

	m->keep = r == -EEXIST;
	return r < 0 ? err_prefix(err, r, "output") : 0;
}

static int finish_remote(struct part_file *f, struct err *err)
{
	struct remote *m = (struct remote *)f;
	int r = hdfs_finish(m->w, err);

	m->keep = r == 0 || r == -EEXIST;
	return r < 0 ? err_prefix(err, r, "output") : 0;
}

static void free_remote(struct part_file *f)
{
	struct remote *m = (struct remote *)f;

	m->w = hdfs_writer_free(m->w);
	if (!m->keep)
		(void)hdfs_delete(m->fs, m->path, false, NULL); /* else it goes with the whole folder */
	free(m->path);
	free(m);
}

const struct part_file_kind part_file_hdfs = {
	.make = make_remote, .write = write_remote, .finish = finish_remote, .free = free_remote
};
