#include "executor/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"
#include "executor/part_file_kind.h"

/* ---- The local disk ---- */

struct local {
	struct part_file f;
	int fd; /* -1: closed */
	bool finished;
	char *path;
};

static int make_local(const char *path, struct keep *keep, struct part_file **ret, struct err *err)
{
	struct local *l = calloc(1, sizeof(*l));

	(void)keep;
	if (l == NULL || (l->path = strdup(path)) == NULL) {
		free(l);
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	/* An attempt that is run again, since word of its end was lost, must not touch what it wrote before.
	 */
	l->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (l->fd < 0) {
		int r = err_errno(err, -errno, "output '%s'", path);
		free(l->path);
		free(l);
		return r;
	}
	*ret = &l->f;
	return 0;
}

static int write_local(struct part_file *f, const void *data, size_t len, struct err *err)
{
	struct local *l = (struct local *)f;
	int r = write_all(l->fd, data, len);

	return r < 0 ? err_errno(err, r, "output '%s'", l->path) : 0;
}

static int finish_local(struct part_file *f, struct err *err)
{
	struct local *l = (struct local *)f;
	int fd = l->fd;
	int r = fdatasync(fd) < 0 ? -errno : 0; /* the commit's rename must not outlive the bytes */

	l->fd = -1;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	l->finished = r == 0;
	return r < 0 ? err_errno(err, r, "output '%s'", l->path) : 0;
}

static void free_local(struct part_file *f)
{
	struct local *l = (struct local *)f;

	if (l->fd >= 0)
		(void)close(l->fd);
	if (!l->finished)
		(void)unlink(l->path);
	free(l->path);
	free(l);
}

static const struct part_file_kind part_file_local = {
	.make = make_local, .write = write_local, .finish = finish_local, .free = free_local
};

/* ---- Either ---- */

int part_file_new(
	const char *folder, const char *name, struct keep *keep, struct part_file **ret, struct err *err)
{
	const struct part_file_kind *kind = hdfs_url_is(folder) ? &part_file_hdfs : &part_file_local;
	size_t len = strlen(folder);
	auto_free char *path = NULL;

	while (len > 1 && folder[len - 1] == '/')
		len--;
	if (asprintf(&path, "%.*s/_temporary/%s", (int)len, folder, name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	int r = kind->make(path, keep, ret, err);
	if (r == 0)
		(*ret)->kind = kind;
	return r;
}

int part_file_write(struct part_file *f, const void *data, size_t len, struct err *err)
{
	return f->kind->write(f, data, len, err);
}

int part_file_finish(struct part_file *f, struct err *err)
{
	return f->kind->finish(f, err);
}

struct part_file *part_file_free(struct part_file *f)
{
	if (f != NULL)
		f->kind->free(f);
	return NULL;
}
