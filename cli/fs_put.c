/* fs_put.c: `quern fs put`: files and folders to HDFS. A file goes there as NAME._COPYING_, and gets its name
 * once it is whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fs_copy.h"
#include "cli/fs_place.h"
#include "cli/fs_text.h"

static const struct argp_option options[] = {
	{ .key = 'f', .doc = "overwrite files that exist" },
	{ .key = 'p', .doc = "keep permissions and times" },
	{ 0 },
};

/* Local folders that we are inside of: a link may lead back. */
struct inside {
	const struct inside *outer;
	dev_t dev;
	ino_t ino;
};

static int local_error(const char *path, struct err *err)
{
	return err_errno(err, -errno, "'%s'", path);
}

static uint64_t ms_of(struct timespec t)
{
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int keep_attributes(struct hdfs *fs, const char *path, const struct stat *st, struct err *err)
{
	int r = hdfs_set_permission(fs, path, st->st_mode & 01777, err);

	return r < 0 ? r : hdfs_set_times(fs, path, ms_of(st->st_mtim), ms_of(st->st_atim), err);
}

/* ---- Files ---- */

/* 0: `path` is free, or a file that may be overwritten: then *ret_exists. */
static int check_target(
	const struct fs *f, const struct fs_place *to, const char *path, bool *ret_exists, struct err *err)
{
	struct hdfs_status s = { 0 };

	int r = hdfs_stat(to->fs, path, &s, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	bool folder = s.kind == HDFS_FOLDER;
	hdfs_status_deinit(&s);
	if (folder)
		return err_set(err, -EISDIR, "'%s%s' is a folder", to->base, path);
	if (!f->given['f'])
		return err_set(err, -EEXIST, "'%s%s' exists: -f overwrites it", to->base, path);
	*ret_exists = true;
	return 0;
}

/* All of `fd` as the file `temp`. */
static int upload(struct fs *f, struct hdfs *fs, int fd, const char *local, const char *temp, struct err *err)
{
	auto_hdfs_writer struct hdfs_writer *w = NULL;
	const struct hdfs_create how = { .overwrite = true, .permission = HDFS_DEFAULT_PERMISSION };

	int r = hdfs_create(fs, temp, &how, &w, err);
	if (r == 0)
		r = fs_copy_in(f, fd, local, w, err);
	return r < 0 ? r : hdfs_finish(w, err);
}

/* What `fd` gives becomes the file `path`. */
static int put_stream(struct fs *f, const struct fs_place *to, int fd, const struct stat *st,
	const char *local, const char *path, struct err *err)
{
	auto_free char *temp = NULL;
	bool exists = false;

	int r = check_target(f, to, path, &exists, err);
	if (r == 0)
		r = fs_copy_begin(f, local, S_ISREG(st->st_mode) ? (uint64_t)st->st_size : UINT64_MAX, err);
	if (r < 0)
		return r;
	if (asprintf(&temp, "%s._COPYING_", path) < 0) {
		temp = NULL;
		return fs_no_memory(err);
	}
	fs_hold(true);
	r = upload(f, to->fs, fd, local, temp, err);
	if (r == 0 && f->given['p'] && S_ISREG(st->st_mode))
		r = keep_attributes(to->fs, temp, st, err);
	if (r == 0 && exists) {
		r = hdfs_delete(to->fs, path, false, err);
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0)
		r = hdfs_rename(to->fs, temp, path, err);
	if (r < 0)
		(void)hdfs_delete(to->fs, temp, false, NULL); /* what went wrong has been said */
	fs_hold(false);
	return r;
}

/* ---- Folders ---- */

static int put_any(struct fs *f, const struct fs_place *to, const struct inside *outer, const char *local,
	const char *path, struct err *err);

static int put_folder(struct fs *f, const struct fs_place *to, const struct inside *inside, int fd,
	const struct stat *st, const char *local, const char *path, struct err *err)
{
	struct dirent **names;

	int r = hdfs_mkdirs(to->fs, path, HDFS_DEFAULT_PERMISSION, err);
	int n = r < 0 ? -1 : scandirat(fd, ".", &names, NULL, alphasort);
	if (n < 0)
		return r < 0 ? r : local_error(local, err);
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		struct err own = { "" };

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && fs_interrupted() == 0) {
			auto_free char *from = fs_join(local, name);
			auto_free char *as = fs_join(path, name);

			if ((from == NULL || as == NULL ? fs_no_memory(&own)
							: put_any(f, to, inside, from, as, &own)) < 0)
				fs_fail(f, &own);
		}
		free(names[i]);
	}
	free(names);
	return f->given['p'] ? keep_attributes(to->fs, path, st, err) : 0;
}

/* `outer`: NULL of an argument, which may be a pipe, too. */
static int put_any(struct fs *f, const struct fs_place *to, const struct inside *outer, const char *local,
	const char *path, struct err *err)
{
	struct stat st;

	if (!fs_is_utf8(path))
		return err_set(
			err, -EINVAL, "'%s': its name is not UTF-8, as names in HDFS have to be", local);
	auto_close int fd = open(local, O_RDONLY | O_CLOEXEC | (outer != NULL ? O_NONBLOCK : 0));
	if (fd < 0 || fstat(fd, &st) < 0)
		return local_error(local, err);
	if (S_ISDIR(st.st_mode)) {
		const struct inside inside = { .outer = outer, .dev = st.st_dev, .ino = st.st_ino };

		for (const struct inside *i = outer; i != NULL; i = i->outer)
			if (i->dev == st.st_dev && i->ino == st.st_ino)
				return err_set(err, -ELOOP, "'%s' is a folder that it is in itself", local);
		return put_folder(f, to, &inside, fd, &st, local, path, err);
	}
	if (outer != NULL && !S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "'%s' is not a regular file", local);
	return put_stream(f, to, fd, &st, local, path, err);
}

/* ---- Arguments ---- */

/* What a local argument is called in a folder, which the caller frees: of "." and ".." their own names. */
static char *name_of(const char *local)
{
	auto_free char *copy = strdup(local);

	if (copy == NULL)
		return NULL;
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/';)
		copy[--len] = '\0';
	const char *name = fs_name_of(copy);
	if (name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return strdup(name);
	auto_free char *real = realpath(local, NULL);
	return real != NULL ? strdup(fs_name_of(real)) : NULL;
}

static int put_arg(struct fs *f, const struct fs_place *to, bool into, const char *local, struct err *err)
{
	bool input = strcmp(local, "-") == 0;
	struct stat st;

	if (input && into)
		return err_set(
			err, -EISDIR, "'%s%s' is a folder: standard input needs a name", to->base, to->path);
	auto_free char *name = into ? name_of(local) : NULL;
	auto_free char *path = !into ? strdup(to->path) : name != NULL ? fs_join(to->path, name) : NULL;
	if (path == NULL)
		return local_error(local, err);
	if (!input)
		return put_any(f, to, NULL, local, path, err);
	if (fstat(STDIN_FILENO, &st) < 0)
		return local_error("standard input", err);
	return put_stream(f, to, STDIN_FILENO, &st, "standard input", path, err);
}

/* Whether copies go into the target, as it is a folder; else it is the one copy, in a folder that is there.
 */
static int look_at_target(const struct fs_place *to, size_t sources, bool *ret_into, struct err *err)
{
	struct hdfs_status s = { 0 };

	int r = hdfs_stat(to->fs, to->path, &s, err);
	*ret_into = r == 0 && s.kind == HDFS_FOLDER;
	hdfs_status_deinit(&s);
	if (*ret_into || (r < 0 && r != -ENOENT))
		return r;
	if (sources > 1 || to->folder)
		return err_set(err, r < 0 ? r : -ENOTDIR, "'%s%s' is no folder%s", to->base, to->path,
			sources > 1 ? ": there is more than one thing to copy" : "");
	if (r == 0)
		return 0;
	auto_free char *parent = fs_parent(to->path);
	if (parent == NULL)
		return fs_no_memory(err);
	r = hdfs_stat(to->fs, parent, &s, err);
	hdfs_status_deinit(&s);
	return r == -ENOENT ? err_set(err, r, "'%s%s' is no folder", to->base, parent) : r;
}

static void run_put(struct fs *f)
{
	auto_fs_place struct fs_place to = { 0 };
	struct err err = { "" };
	bool into;

	int r = fs_place(f, f->args[f->n - 1], &to, &err);
	if (r == 0)
		r = look_at_target(&to, f->n - 1, &into, &err);
	fs_warn(f);
	if (r < 0) {
		fs_fail(f, &err);
		return;
	}
	for (size_t i = 0; i + 1 < f->n && fs_interrupted() == 0; i++)
		if (put_arg(f, &to, into, fs_local(f->args[i]), &err) < 0)
			fs_fail(f, &err);
}

const struct fs_command fs_put = { "put", "LOCAL... URL",
	"copy files and folders to HDFS (- is standard input)", options, 2, run_put };
