#include "executor/blobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
	OTHERS = 256, /* descriptors for everything else: workers, connections, files */
	MOST = 64 << 10,
	PATH_SIZE = 64
};

struct blob {
	uint32_t number;
	int fd;
	UT_hash_handle hh;
};

size_t blobs_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= OTHERS)
		return 1;
	return limit.rlim_cur - OTHERS < MOST ? (size_t)(limit.rlim_cur - OTHERS) : MOST;
}

static struct blob *find(const struct blobs *b, uint32_t number)
{
	struct blob *blob;

	HASH_FIND(hh, b->by_number, &number, sizeof(number), blob);
	return blob;
}

static void name_of(uint32_t number, char name[PATH_SIZE])
{
	(void)snprintf(name, PATH_SIZE, "quern-cache-%u", (unsigned)number);
}

/* NULL: there is no memory, or no descriptor. */
static struct blob *make(struct blobs *b, uint32_t number)
{
	struct blob *blob = calloc(1, sizeof(*blob)), *added = blob;
	char name[PATH_SIZE];

	if (blob == NULL)
		return NULL;
	name_of(number, name);
	blob->number = number;
	blob->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (blob->fd >= 0)
		HASH_ADD(hh, b->by_number, number, sizeof(blob->number), added);
	if (blob->fd < 0 || added == NULL || added->hh.tbl == NULL) {
		if (blob->fd >= 0)
			(void)close(blob->fd);
		free(blob);
		return NULL;
	}
	return blob;
}

/* NULL: no memory. */
static Quern__TaskCache__File *file_of(const struct blob *blob, const struct exec_keep *keep)
{
	Quern__TaskCache__File *f = malloc(sizeof(*f));
	char path[PATH_SIZE], name[PATH_SIZE];

	if (f == NULL)
		return NULL;
	name_of(blob->number, name);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), blob->fd);
	quern__task_cache__file__init(f);
	f->step = keep->step;
	f->path = strdup(path);
	f->name = strdup(name);
	f->has_bytes = 1;
	f->bytes = keep->bytes;
	if (f->path != NULL && f->name != NULL)
		return f;
	protobuf_c_message_free_unpacked(&f->base, NULL);
	return NULL;
}

static void add_write(struct blobs *b, Quern__TaskCache *cache, const struct exec_keep *keep)
{
	struct blob *blob = make(b, keep->blob);
	Quern__TaskCache__File *f = blob != NULL ? file_of(blob, keep) : NULL;

	if (f != NULL)
		cache->write[cache->n_write++] = f;
}

Quern__TaskCache *blobs_prepare(struct blobs *b, const struct exec_cached *cached)
{
	Quern__TaskCache *cache = malloc(sizeof(*cache));
	const struct blob *read = cached->reads ? find(b, cached->read.blob) : NULL;

	if (cache == NULL)
		return NULL;
	quern__task_cache__init(cache);
	cache->has_most = 1;
	cache->most = cached->most;
	if (read != NULL)
		cache->read = file_of(read, &cached->read);
	if (cached->n_write > 0)
		cache->write = calloc(cached->n_write, sizeof(Quern__TaskCache__File *));
	for (uint32_t i = 0; cache->write != NULL && i < cached->n_write; i++)
		add_write(b, cache, &cached->write[i]);
	if (cache->read != NULL || cache->n_write > 0)
		return cache;
	quern__task_cache__free_unpacked(cache, NULL);
	return NULL;
}

static void drop(struct blobs *b, struct blob *blob)
{
	HASH_DELETE(hh, b->by_number, blob);
	(void)close(blob->fd);
	free(blob);
}

void blobs_discard(struct blobs *b, uint32_t number)
{
	struct blob *blob = find(b, number);

	if (blob != NULL)
		drop(b, blob);
}

void blobs_deinit(struct blobs *b)
{
	struct blob *blob, *next;

	HASH_ITER (hh, b->by_number, blob, next) {
		drop(b, blob);
	}
}
