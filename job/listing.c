#include "job/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* A walk through what one path stands for. */
struct walk {
	struct listing *l;
	const struct storage *storage;
	bool recursive;
	struct err *err;
};

/* A folder that is being gone through, and the one that it is in. */
struct level {
	const struct level *up;
	const struct storage_entry *folder;
	unsigned depth;
};

#define auto_entries AUTO_CLEANUP(storage_entries_deinit)
#define auto_entry   AUTO_CLEANUP(storage_entry_deinit)

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* Adds a file; its path is taken over. */
static int add_file(const struct walk *w, struct storage_entry *e)
{
	struct listing *l = w->l;
	struct listed f = {
		.storage = w->storage, .size = e->size, .block = e->block, .codec = codec_of_path(e->path)
	};

	if (e->kind != STORAGE_FILE)
		return err_set(w->err, -EINVAL, "the input '%s' is neither a file nor a folder", e->path);
	if (f.codec != QUERN__CODEC__PLAIN && f.size == 0)
		return err_set(w->err, -EINVAL, "the input '%s' is empty, as no compressed file is", e->path);
	if (__builtin_mul_overflow(
		    f.size, f.codec != QUERN__CODEC__PLAIN ? LISTING_CODED_WORK : 1, &f.work) ||
		__builtin_add_overflow(l->work, f.work, &l->work) || l->work > INT64_MAX)
		return err_set(w->err, -EFBIG, "the input is larger than any disk: '%s'", e->path);
	f.path = e->path;
	if (vec_push(&l->files, f) < 0)
		return no_memory(w->err);
	l->bytes += f.size;
	l->opening += w->storage->file_cost;
	e->path = NULL;
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct storage_entry *)a)->path, ((const struct storage_entry *)b)->path);
}

/* In the order of their names. */
static void sort(const struct storage_entries *found)
{
	if (found->n > 1)
		qsort(found->at, found->n, sizeof(*found->at), compare_paths);
}

static int add_members(const struct walk *w, const struct level *level);

/* A folder that was found in another one. */
static int add_folder_within(const struct walk *w, const struct storage_entry *e, const struct level *up)
{
	const struct level level = { .up = up, .folder = e, .depth = up->depth + 1 };

	if (!w->recursive)
		return err_set(w->err, -EINVAL,
			"the input '%s' is a folder within a folder, which is not looked into without "
			"--recursive: say so, or name it, or the files that are wanted",
			e->path);
	for (const struct level *i = up; i != NULL && (e->device != 0 || e->id != 0); i = i->up)
		if (i->folder->device == e->device && i->folder->id == e->id)
			return err_set(w->err, -ELOOP,
				"the input '%s' is a link to a folder that it is in: without an end",
				e->path);
	if (level.depth > LISTING_DEPTH_MAX)
		return err_set(w->err, -ELOOP, "the input '%.300s': more than %d folders within folders",
			e->path, LISTING_DEPTH_MAX);
	return add_members(w, &level);
}

static int add_members(const struct walk *w, const struct level *level)
{
	auto_entries struct storage_entries found = { 0 };

	int r = w->storage->list(w->storage->arg, level->folder->path, &found, w->err);
	sort(&found);
	for (size_t i = 0; i < found.n && r == 0; i++)
		if (!storage_hides(found.at[i].path))
			r = found.at[i].kind == STORAGE_FOLDER ? add_folder_within(w, &found.at[i], level)
							       : add_file(w, &found.at[i]);
	return r;
}

static int add_either(const struct walk *w, struct storage_entry *e)
{
	const struct level level = { .folder = e };

	return e->kind == STORAGE_FOLDER ? add_members(w, &level) : add_file(w, e);
}

/* A folder that matches stands for its files here as well. */
static int add_glob(const struct walk *w, const char *pattern)
{
	auto_entries struct storage_entries found = { 0 };
	size_t added = 0;

	int r = w->storage->glob(w->storage->arg, pattern, &found, w->err);
	sort(&found);
	for (size_t i = 0; i < found.n && r == 0; i++) {
		if (storage_hides(found.at[i].path))
			continue;
		added++;
		r = add_either(w, &found.at[i]);
	}
	if (r == 0 && added == 0)
		return err_set(w->err, -ENOENT,
			"the input '%s': No such file (those that begin with '.' or '_' do not count)",
			pattern);
	return r;
}

int listing_add(
	struct listing *l, const struct storage *storage, const char *path, bool recursive, struct err *err)
{
	const struct walk w = { .l = l, .storage = storage, .recursive = recursive, .err = err };
	auto_entry struct storage_entry e = { 0 };

	struct err why = { "" };

	int r = storage->stat(storage->arg, path, &e, &why);
	if (r == 0)
		return add_either(&w, &e);
	if ((r == -ENOENT || r == -ENOTDIR) && storage->is_glob(path))
		return add_glob(&w, path);
	if (err != NULL)
		*err = why;
	return r;
}

/* ---- Where they are ---- */

/* Consecutive files of one storage. */
static int locate(struct listing *l, size_t first, size_t n, struct err *err)
{
	const struct storage *storage = l->files.at[first].storage;
	auto_free const char **paths = calloc(n, sizeof(*paths));
	auto_free struct storage_blocks *blocks = calloc(n, sizeof(*blocks));

	if (paths == NULL || blocks == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		paths[i] = l->files.at[first + i].path;
	int r = storage->locate(storage->arg, paths, n, blocks, err);
	for (size_t i = 0; i < n; i++)
		l->files.at[first + i].blocks = blocks[i];
	return r;
}

int listing_locate(struct listing *l, struct err *err)
{
	size_t first = 0;
	int r = 0;

	while (first < l->files.n && r == 0) {
		size_t n = 1;

		while (first + n < l->files.n && l->files.at[first + n].storage == l->files.at[first].storage)
			n++;
		r = locate(l, first, n, err);
		first += n;
	}
	return r;
}

void listing_deinit(struct listing *l)
{
	for (size_t i = 0; i < l->files.n; i++) {
		free(l->files.at[i].path);
		storage_blocks_deinit(&l->files.at[i].blocks);
	}
	vec_deinit(&l->files);
}
