#include "scheduler/hdfs_storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

enum {
	FILE_COST = 1 << 20, /* bytes: some round trips, 5 ms */
	READS = 4 << 10,     /* 10 s of round trips */
};

/* A file in HDFS. */
struct place {
	struct hdfs *fs;
	char *path;      /* there */
	size_t prefix;   /* of the URL: what is before the path */
	const char *url; /* borrowed */
};

static void place_deinit(struct place *p)
{
	free(p->path);
}
#define auto_place AUTO_CLEANUP(place_deinit)

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int place_of(struct hdfs_pool *pool, const char *url, struct place *ret, struct err *err)
{
	struct place p = { .url = url };

	int r = hdfs_pool_get(pool, url, &p.fs, &p.path, err);
	if (r < 0)
		return r;
	p.prefix = strlen(url) - strlen(p.path); /* the path is the URL's end */
	*ret = p;
	return 0;
}

/* ---- Names ---- */

static enum storage_kind kind_of(enum hdfs_kind kind)
{
	return kind == HDFS_FILE ? STORAGE_FILE : kind == HDFS_FOLDER ? STORAGE_FOLDER : STORAGE_OTHER;
}

/* The path is taken over. */
static struct storage_entry entry_of(const struct hdfs_status *s, char *path)
{
	/* There are no links to folders, and no loops. */
	return (struct storage_entry){ .path = path,
		.kind = kind_of(s->kind),
		.size = s->length,
		.block = s->block_size > 0 ? s->block_size
			 : s->length > 0   ? s->length
					   : 1 };
}

static int add_all(
	const struct place *p, const struct hdfs_listing *found, struct storage_entries *ret, struct err *err)
{
	for (size_t i = 0; i < found->n; i++) {
		char *path;

		if (asprintf(&path, "%.*s%s", (int)p->prefix, p->url, found->at[i].path) < 0)
			return no_memory(err);
		if (vec_push(ret, entry_of(&found->at[i], path)) < 0) {
			free(path);
			return no_memory(err);
		}
	}
	return 0;
}

static int stat_one(void *pool, const char *url, struct storage_entry *ret, struct err *err)
{
	auto_place struct place p = { 0 };
	struct hdfs_status s;

	int r = place_of(pool, url, &p, err);
	if (r == 0)
		r = hdfs_stat(p.fs, p.path, &s, err);
	if (r < 0)
		return r;
	char *path = strdup(url);
	if (path != NULL)
		*ret = entry_of(&s, path);
	hdfs_status_deinit(&s);
	return path != NULL ? 0 : no_memory(err);
}

/* What one of the two calls finds. */
static int find(void *pool, const char *url,
	int (*call)(struct hdfs *fs, const char *path, struct hdfs_listing *ret, struct err *err),
	struct storage_entries *ret, struct err *err)
{
	auto_place struct place p = { 0 };
	struct hdfs_listing found = { 0 };

	int r = place_of(pool, url, &p, err);
	if (r == 0)
		r = call(p.fs, p.path, &found, err);
	if (r == 0)
		r = add_all(&p, &found, ret, err);
	hdfs_listing_deinit(&found);
	return r;
}

static int list(void *pool, const char *url, struct storage_entries *ret, struct err *err)
{
	return find(pool, url, hdfs_list, ret, err);
}

static int match(void *pool, const char *url, struct storage_entries *ret, struct err *err)
{
	return find(pool, url, hdfs_glob, ret, err);
}

/* ---- Blocks ---- */

/* Takes the names out of the replicas. */
static int take_hosts(const struct hdfs_block *from, struct storage_block *to)
{
	to->hosts = calloc(2 * from->n + 1, sizeof(*to->hosts));
	if (to->hosts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++) {
		char **names[] = { &from->replicas[i].host, &from->replicas[i].address };

		for (size_t k = 0; k < 2; k++) {
			if (*names[k] == NULL)
				continue;
			to->hosts[to->n_hosts++] = *names[k];
			*names[k] = NULL;
		}
	}
	return 0;
}

static int take_blocks(const struct hdfs_blocks *from, struct storage_blocks *to)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++) {
		struct storage_block b = { .offset = from->at[i].offset, .length = from->at[i].length };

		r = vec_push(to, b);
		if (r == 0)
			r = take_hosts(&from->at[i], &to->at[to->n - 1]);
	}
	return r;
}

/* Of `n` files in one file system. */
static int locate_some(
	struct hdfs *fs, const char *const *paths, size_t n, struct storage_blocks *ret, struct err *err)
{
	auto_free struct hdfs_blocks *blocks = calloc(n, sizeof(*blocks));

	if (blocks == NULL)
		return no_memory(err);
	int r = hdfs_locate_many(fs, paths, n, blocks, err);
	for (size_t i = 0; i < n && r == 0; i++)
		if (take_blocks(&blocks[i], &ret[i]) < 0)
			r = no_memory(err);
	for (size_t i = 0; i < n; i++)
		hdfs_blocks_deinit(&blocks[i]);
	return r;
}

static int locate_places(
	const struct place *places, const char **paths, size_t n, struct storage_blocks *ret, struct err *err)
{
	size_t first = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		paths[i] = places[i].path;
	while (first < n && r == 0) {
		size_t some = 1;

		while (first + some < n && places[first + some].fs == places[first].fs)
			some++;
		r = locate_some(places[first].fs, &paths[first], some, &ret[first], err);
		first += some;
	}
	return r;
}

static int locate(void *pool, const char *const *urls, size_t n, struct storage_blocks *ret, struct err *err)
{
	auto_free struct place *places = calloc(n, sizeof(*places));
	auto_free const char **paths = calloc(n, sizeof(*paths));
	int r = places == NULL || paths == NULL ? no_memory(err) : 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = place_of(pool, urls[i], &places[i], err);
	if (r == 0)
		r = locate_places(places, paths, n, ret, err);
	for (size_t i = 0; places != NULL && i < n; i++)
		place_deinit(&places[i]);
	return r;
}

/* ---- Bytes ---- */

static int open_one(void *pool, const char *url, void **ret, struct err *err)
{
	auto_place struct place p = { 0 };
	struct hdfs_file *f;

	int r = place_of(pool, url, &p, err);
	if (r == 0)
		r = hdfs_open(p.fs, p.path, 0, 0, &f, NULL, err);
	if (r == 0)
		*ret = f;
	return r;
}

static ssize_t read_some(void *file, void *to, size_t len, uint64_t offset, struct err *err)
{
	return hdfs_read(file, to, len, offset, err);
}

static void close_one(void *file)
{
	(void)hdfs_close(file);
}

struct storage hdfs_storage(struct hdfs_pool *pool)
{
	return (struct storage){ .has = hdfs_url_is,
		.is_glob = hdfs_is_glob,
		.stat = stat_one,
		.list = list,
		.glob = match,
		.locate = locate,
		.open = open_one,
		.read = read_some,
		.close = close_one,
		.arg = pool,
		.file_cost = FILE_COST,
		.reads_most = READS };
}
