/* broadcast.c: broadcasts: values that every task may read. The job's process has each as a sealed memfd, of
 * which the driver gets a descriptor; workers map the copy of their executor, all the same pages. */
#include "job/broadcast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/auto.h"
#include "base/vec.h"
#include "base/write.h"
#include "job/graph.h"

/* One that this process has mapped. */
struct mapped {
	uint32_t id;
	void *at; /* NULL: it is empty */
	size_t len;
};

static const char *folder;
static VEC(struct mapped) all;

void broadcasts_in(const char *path)
{
	folder = path;
}

static struct mapped *find(uint32_t id)
{
	for (size_t i = 0; i < all.n; i++)
		if (all.at[i].id == id)
			return &all.at[i];
	return NULL;
}

/* 0 or -errno. */
static int map(uint32_t id, int fd, size_t len)
{
	struct mapped m = { .id = id, .len = len };

	if (len > 0)
		m.at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (m.at == MAP_FAILED)
		return -errno;
	int r = vec_push(&all, m);
	if (r < 0 && len > 0)
		(void)munmap(m.at, len);
	return r;
}

void broadcast_forget(uint32_t id)
{
	const struct mapped *m = find(id);

	if (m == NULL)
		return;
	if (m->len > 0)
		(void)munmap(m->at, m->len);
	vec_remove(&all, (size_t)(m - all.at));
}

/* ---- In quern_main() ---- */

/* What nobody can change any more. */
static int make_memory(const quern_slice data, struct err *err)
{
	auto_close int fd = memfd_create("quern-broadcast", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : write_all(fd, data.ptr, data.len);

	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0)
		return err_errno(err, r, "%zu bytes", data.len);
	r = fd;
	fd = -1;
	return r;
}

static int give(quern_job *job, Quern__SessionToDriver__Broadcast *b, const quern_slice data, struct err *err)
{
	if (job->running)
		return err_set(err, -EINVAL, "not inside of an action's function");
	auto_close int fd = make_memory(data, err);
	if (fd < 0)
		return fd;
	b->length = data.len;
	b->checksum = XXH3_64bits(data.ptr, data.len);
	b->fd = (uint32_t)fd;
	int r = map(b->id, fd, data.len);
	if (r < 0)
		return err_errno(err, r, "%zu bytes", data.len);
	return job->runner.broadcast(job->runner.arg, b, err);
}

quern_broadcast_t quern_broadcast(quern_job *job, quern_slice data)
{
	Quern__SessionToDriver__Broadcast b = QUERN__SESSION_TO_DRIVER__BROADCAST__INIT;
	struct err err = { "the driver is gone" };

	b.id = job->next_broadcast++;
	if (give(job, &b, data, &err) < 0)
		quern_fail("quern_broadcast(): %s", err.text);
	return (quern_broadcast_t){ b.id };
}

void quern_broadcast_destroy(quern_job *job, quern_broadcast_t broadcast)
{
	if (find(broadcast.id) == NULL)
		return;
	broadcast_forget(broadcast.id);
	(void)job->runner.destroy(job->runner.arg, broadcast.id); /* without a driver the next action fails */
}

/* ---- Anywhere ---- */

/* The executor's copy. */
static int open_copy(uint32_t id)
{
	char path[4096];
	struct stat st;

	int n = snprintf(path, sizeof(path), "%s/%u", folder, (unsigned)id);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return map(id, fd, (size_t)st.st_size);
}

quern_slice quern_broadcast_value(quern_broadcast_t broadcast)
{
	const struct mapped *m = find(broadcast.id);

	if (m == NULL) {
		int r = folder != NULL ? open_copy(broadcast.id) : -ENOENT;

		if (r == -ENOENT)
			quern_fail("quern_broadcast_value(): there is no broadcast %u: was it destroyed?",
				(unsigned)broadcast.id);
		if (r < 0)
			quern_fail("quern_broadcast_value(): broadcast %u: %s", (unsigned)broadcast.id,
				strerror(-r));
		m = &all.at[all.n - 1];
	}
	return quern_bytes(m->at, m->len);
}
