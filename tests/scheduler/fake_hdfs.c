#include "tests/scheduler/fake_hdfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_entry *find(struct hdfs *fs, const char *path)
{
	for (unsigned i = 0; i < fs->n; i++)
		if (strcmp(fs->at[i].path, path) == 0)
			return &fs->at[i];
	return NULL;
}

bool fake_has(const struct hdfs *fs, const char *path)
{
	return strcmp(path, "/") == 0 || find((struct hdfs *)(uintptr_t)fs, path) != NULL;
}

/* Whether `path` is in folder `above`, at whatever depth. */
static bool is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncmp(path, above, n) == 0 && path[n] == '/';
}

static void parent_of(const char *path, char ret[128])
{
	(void)snprintf(ret, 128, "%s", path);
	char *slash = strrchr(ret, '/');
	slash[slash == ret] = '\0';
}

void fake_add(struct hdfs *fs, const char *path, bool folder)
{
	char above[128];

	if (fake_has(fs, path))
		return;
	parent_of(path, above);
	fake_add(fs, above, true);
	if (fs->n == FAKE_NAMES)
		abort();
	struct fake_entry *e = &fs->at[fs->n++];
	(void)snprintf(e->path, sizeof(e->path), "%s", path);
	e->folder = folder;
	e->id = ++fs->ids;
}

void fake_remove(struct hdfs *fs, const char *path)
{
	for (unsigned i = fs->n; i-- > 0;)
		if (strcmp(fs->at[i].path, path) == 0 || is_below(fs->at[i].path, path))
			fs->at[i] = fs->at[--fs->n];
}

/* ---- Calls ---- */

/* Every call begins with it: whether it fails, and has no effect. */
static bool call(struct hdfs *fs)
{
	fs->calls++;
	if (fs->calls == fs->before_at)
		fs->before(fs->before_arg);
	bool fails =
		fs->fail_at > 0 && (fs->calls == fs->fail_at || (fs->fail_ever && fs->calls > fs->fail_at));
	return fails;
}

/* ... and ends with that. */
static int end(struct hdfs *fs, const char *path, bool fails, int r, struct err *err)
{
	if (fails)
		r = fs->fail_with;
	return r < 0 ? err_errno(err, r, "hdfs://fake%s", path) : 0;
}

int hdfs_pool_get(
	struct hdfs_pool *pool, const char *url, struct hdfs **ret, char **ret_path, struct err *err)
{
	(void)err;
	*ret = &pool->fs;
	*ret_path = strdup(url + strlen("hdfs://fake"));
	return *ret_path == NULL ? -ENOMEM : 0;
}

bool hdfs_url_is(const char *text)
{
	return strncmp(text, "hdfs://", 7) == 0;
}

int hdfs_stat(struct hdfs *fs, const char *path, struct hdfs_status *ret, struct err *err)
{
	bool fails = call(fs);
	const struct fake_entry *e = find(fs, path);
	bool root = strcmp(path, "/") == 0;
	int r = end(fs, path, fails, e == NULL && !root ? -ENOENT : 0, err);

	if (r == 0)
		*ret = (struct hdfs_status){ .kind = root || e->folder ? HDFS_FOLDER : HDFS_FILE,
			.id = root ? 0 : e->id };
	return r;
}

void hdfs_status_deinit(struct hdfs_status *s)
{
	*s = (struct hdfs_status){ 0 };
}

/* Only their number is of interest. */
int hdfs_list(struct hdfs *fs, const char *path, struct hdfs_listing *ret, struct err *err)
{
	bool fails = call(fs);
	char above[128];
	int r = end(fs, path, fails, fake_has(fs, path) ? 0 : -ENOENT, err);

	for (unsigned i = 0; r == 0 && i < fs->n; i++) {
		parent_of(fs->at[i].path, above);
		ret->n += strcmp(above, path) == 0;
	}
	return r;
}

void hdfs_listing_deinit(struct hdfs_listing *l)
{
	*l = (struct hdfs_listing){ 0 };
}

int hdfs_mkdirs(struct hdfs *fs, const char *path, int permission, struct err *err)
{
	bool fails = call(fs);

	(void)permission;
	if (!fails)
		fake_add(fs, path, true);
	return end(fs, path, fails, 0, err);
}

static int rename_entry(struct hdfs *fs, const char *from, const char *to)
{
	struct fake_entry *e = find(fs, from);
	char above[128];

	parent_of(to, above);
	if (e == NULL || !fake_has(fs, above))
		return -ENOENT;
	if (fake_has(fs, to))
		return -EEXIST;
	(void)snprintf(e->path, sizeof(e->path), "%s", to);
	return 0;
}

int hdfs_rename(struct hdfs *fs, const char *from, const char *to, struct err *err)
{
	bool fails = call(fs);
	int r = fails ? 0 : rename_entry(fs, from, to);

	return end(fs, from, fails, r, err);
}

static int delete_entry(struct hdfs *fs, const char *path, bool recursive)
{
	if (find(fs, path) == NULL)
		return -ENOENT;
	for (unsigned i = 0; i < fs->n && !recursive; i++)
		if (is_below(fs->at[i].path, path))
			return -ENOTEMPTY;
	fake_remove(fs, path);
	return 0;
}

int hdfs_delete(struct hdfs *fs, const char *path, bool recursive, struct err *err)
{
	bool fails = call(fs);
	int r = fails ? 0 : delete_entry(fs, path, recursive);

	return end(fs, path, fails, r, err);
}

struct hdfs_writer {
	struct hdfs *fs;
	char path[128];
};

int hdfs_create(struct hdfs *fs, const char *path, const struct hdfs_create *how, struct hdfs_writer **ret,
	struct err *err)
{
	bool fails = call(fs);
	int r = end(fs, path, fails, fake_has(fs, path) && !how->overwrite ? -EEXIST : 0, err);

	if (r < 0)
		return r;
	if (!how->in_folder) /* which is all that outputs need */
		abort();
	*ret = malloc(sizeof(**ret));
	if (*ret == NULL)
		return -ENOMEM;
	(*ret)->fs = fs;
	(void)snprintf((*ret)->path, sizeof((*ret)->path), "%s", path);
	return 0;
}

int hdfs_finish(struct hdfs_writer *w, struct err *err)
{
	bool fails = call(w->fs);
	char above[128];
	int r = 0;

	parent_of(w->path, above);
	if (!fails) {
		r = !fake_has(w->fs, above) ? -ENOENT : fake_has(w->fs, w->path) ? -EEXIST : 0;
		if (r == 0)
			fake_add(w->fs, w->path, false);
	}
	return end(w->fs, w->path, fails, r, err);
}

struct hdfs_writer *hdfs_writer_free(struct hdfs_writer *w)
{
	free(w);
	return NULL;
}
