#include "executor/extent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check(int fd, const Quern__Extent *x, const struct stat *st, struct flow *flow)
{
	if (!S_ISREG(st->st_mode)) {
		flow_fail(flow, -EINVAL, true, "input '%s': not a regular file", x->path);
		return false;
	}
	if (x->length > UINT64_MAX - x->offset || x->offset + x->length > (uint64_t)st->st_size) {
		flow_fail(flow, -ESTALE, true, "input '%s' is shorter than when the job began", x->path);
		return false;
	}
	(void)posix_fadvise(fd, (off_t)x->offset, (off_t)x->length, POSIX_FADV_SEQUENTIAL);
	return true;
}

int extent_open(const Quern__Extent *x, uint64_t *ret_size, struct flow *flow)
{
	struct stat st;
	/* Non-blocking for the open() alone: a FIFO must not hang us before fstat() has seen it. */
	int fd = open(x->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good = fd >= 0 && fstat(fd, &st) == 0;

	if (!good)
		flow_fail(flow, -errno, false, "input '%s': %s", x->path, strerror(errno));
	if (!good || !check(fd, x, &st, flow)) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	*ret_size = (uint64_t)st.st_size;
	return fd;
}

ssize_t extent_read(int fd, const Quern__Extent *x, void *to, size_t len, uint64_t offset, struct flow *flow)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (uint8_t *)to + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			flow_fail(flow, -errno, false, "input '%s': %s", x->path, strerror(errno));
			return -1;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}
