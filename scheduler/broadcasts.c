#include "scheduler/broadcasts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

enum { PATH_SIZE = 64 };

static void path_of(uint32_t id, char ret[PATH_SIZE])
{
	(void)snprintf(ret, PATH_SIZE, "/broadcast/%u", (unsigned)id);
}

/* The memory behind a descriptor of another process. That process runs user code: it may name anything that
 * it has open, a FIFO or a file that still changes. */
static int open_memory(pid_t pid, const Quern__SessionToDriver__Broadcast *b, struct err *err)
{
	static const int sealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	char path[PATH_SIZE];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)pid, (unsigned)b->fd);
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, -errno, "broadcast %u", (unsigned)b->id);
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & sealed) != sealed || fstat(fd, &st) < 0 ||
		(uint64_t)st.st_size != b->length)
		return err_set(err, -EBADMSG, "broadcast %u is not memory of %llu bytes that stays as it is",
			(unsigned)b->id, (unsigned long long)b->length);
	int ret = fd;
	fd = -1;
	return ret;
}

int broadcasts_take(
	struct offers *offers, pid_t pid, const Quern__SessionToDriver__Broadcast *broadcast, struct err *err)
{
	char path[PATH_SIZE];

	int fd = open_memory(pid, broadcast, err);
	if (fd < 0)
		return fd;
	path_of(broadcast->id, path);
	int r = offers_add(offers, path, fd, broadcast->length);
	return r < 0 ? err_errno(err, r, "broadcast %u", (unsigned)broadcast->id) : 0;
}

void broadcasts_drop(struct offers *offers, uint32_t id)
{
	char path[PATH_SIZE];

	path_of(id, path);
	offers_remove(offers, path);
}
