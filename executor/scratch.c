#include "executor/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/write.h"

void scratch_init(struct scratch *s, const char *dir)
{
	*s = (struct scratch){ .dir = dir, .fd = -1 };
}

void scratch_deinit(struct scratch *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	scratch_init(s, s->dir);
}

/* An open file in the folder that has no name. */
static int nameless(const char *dir)
{
	auto_free char *name = NULL;

	int fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Not every file system can do that. */
	if (asprintf(&name, "%s/run-XXXXXX", dir) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)unlink(name);
	return fd;
}

int scratch_open(struct scratch *s)
{
	if (s->fd >= 0)
		return 0;
	int fd = nameless(s->dir);
	if (fd < 0)
		return fd;
	s->fd = fd;
	return 0;
}

int scratch_write_at(struct scratch *s, uint64_t offset, const void *data, size_t len)
{
	return write_all_at(s->fd, offset, data, len);
}

int scratch_write(struct scratch *s, const void *data, size_t len)
{
	int r = scratch_open(s);

	if (r == 0)
		r = scratch_write_at(s, s->end, data, len);
	if (r == 0)
		s->end += len;
	return r;
}

void scratch_forget(struct scratch *s, uint64_t offset, uint64_t len)
{
	if (s->fd >= 0 && len > 0)
		(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len);
}

void scratch_failed(const struct scratch *s, struct flow *flow, int code)
{
	if (code == -ENOSPC || code == -EDQUOT)
		flow_fail(flow, code, false,
			"scratch folder '%s': %s behind %llu MiB of what does not fit the task's memory: "
			"free some, or give tasks more memory (--task-memory)",
			s->dir, strerror(-code), (unsigned long long)(s->end >> 20));
	else if (code == -ENOMEM)
		flow_fail(flow, code, false, "out of memory");
	else
		flow_fail(flow, code, false, "scratch folder '%s': %s", s->dir,
			code == -EBADMSG ? "it gives back other bytes than were written" : strerror(-code));
}
