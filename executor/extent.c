#include "executor/extent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "hdfs_client/hdfs.h"

/* ---- On the local disk ---- */

static int open_local(struct extent_file *f, struct err *err)
{
	const Quern__Extent *x = f->x;
	struct stat st;

	/* Non-blocking for the open() alone: a FIFO must not hang us before fstat() has seen it. */
	f->fd = open(x->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return err_errno(err, -errno, "input '%s'", x->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "input '%s': not a regular file", x->path);
	f->size = (uint64_t)st.st_size;
	(void)posix_fadvise(f->fd, (off_t)x->offset, (off_t)x->length, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static ssize_t read_local(const struct extent_file *f, void *to, size_t len, uint64_t offset, struct err *err)
{
	ssize_t n;

	do {
		n = pread(f->fd, to, len, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(err, -errno, "input '%s'", f->x->path) : n;
}

/* ---- In HDFS ---- */

static int open_hdfs(struct extent_file *f, uint64_t end, struct keep *keep, struct err *err)
{
	const Quern__Extent *x = f->x;
	auto_free char *path = NULL;
	struct hdfs_pool *pool;
	struct hdfs *fs;
	/* The byte before decides whether a line begins at the extent. */
	uint64_t from = x->offset > 0 ? x->offset - 1 : 0;

	if (keep == NULL)
		return err_set(err, -EINVAL, "input '%s': HDFS is not to be had here", x->path);
	int r = keep_hdfs(keep, &pool, err);
	if (r == 0)
		r = hdfs_pool_get(pool, x->path, &fs, &path, err);
	return r < 0 ? r : hdfs_open(fs, path, from, end, &f->hdfs, &f->size, err);
}

/* ---- Both ---- */

/* What will be the same for every attempt: of HDFS, unlike a local disk, everybody sees the same files. */
static bool is_final(const struct extent_file *f, int code)
{
	switch (code) {
	case -EBADMSG:
	case -ESTALE:
	case -EPROTO:
	case -EINVAL:
		return true;
	case -ENOENT:
	case -EACCES:
	case -EISDIR:
	case -ENOTDIR:
		return hdfs_url_is(f->x->path);
	default:
		return false;
	}
}

void extent_failed(const struct extent_file *f, int code, const struct err *err, struct flow *flow)
{
	flow_fail(flow, code, is_final(f, code), "%s", err->text);
}

bool extent_open(struct extent_file *f, const Quern__Extent *x, struct keep *keep, struct flow *flow)
{
	struct err err = { "" };
	uint64_t end;
	bool good = !__builtin_add_overflow(x->offset, x->length, &end);

	*f = EXTENT_FILE_INIT;
	f->x = x;
	int r = hdfs_url_is(x->path) ? open_hdfs(f, good ? end : UINT64_MAX, keep, &err)
				     : open_local(f, &err);
	if (r == 0 && (!good || end > f->size))
		r = err_set(&err, -ESTALE, "input '%s' is shorter than when the job began", x->path);
	if (r == 0)
		return true;
	extent_failed(f, r, &err, flow);
	extent_close(f);
	return false;
}

ssize_t extent_some(const struct extent_file *f, void *to, size_t len, uint64_t offset, struct err *err)
{
	return f->hdfs != NULL ? hdfs_read(f->hdfs, to, len, offset, err)
			       : read_local(f, to, len, offset, err);
}

ssize_t extent_read(const struct extent_file *f, void *to, size_t len, uint64_t offset, struct flow *flow)
{
	size_t got = 0;

	while (got < len) {
		struct err err;
		ssize_t n = extent_some(f, (uint8_t *)to + got, len - got, offset + got, &err);

		if (n < 0) {
			extent_failed(f, (int)n, &err, flow);
			return -1;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

size_t extent_worth(const struct extent_file *f, size_t len, uint64_t offset)
{
	uint64_t end = f->x->offset + f->x->length;

	if (f->hdfs == NULL)
		return len;
	if (offset < end)
		return end - offset < len ? (size_t)(end - offset) : len;
	return len < EXTENT_BEHIND ? len : EXTENT_BEHIND;
}

void extent_close(struct extent_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	f->hdfs = hdfs_close(f->hdfs);
}
