/* fs_get.c: `quern fs get`: files and folders from HDFS. A file comes under another name beside its own,
 * which it gets once it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fs_copy.h"
#include "cli/fs_place.h"

static const struct argp_option options[] = {
	{ .key = 'f', .doc = "overwrite files that exist" },
	{ .key = 'p', .doc = "keep permissions and times" },
	{ 0 },
};

static int local_error(const char *path, struct err *err)
{
	return err_errno(err, -errno, "'%s'", path);
}

/* Permissions and times of what is there under `fd`. */
static int keep_attributes(int fd, const char *local, const struct hdfs_status *s, struct err *err)
{
	const uint64_t ms[2] = { s->accessed_ms != 0 ? s->accessed_ms : s->modified_ms, s->modified_ms };
	struct timespec times[2];

	for (int i = 0; i < 2; i++)
		times[i] = (struct timespec){ .tv_sec = (time_t)(ms[i] / 1000),
			.tv_nsec = (long)(ms[i] % 1000 * 1000000) };
	return fchmod(fd, s->permission & 07777) < 0 || futimens(fd, times) < 0 ? local_error(local, err) : 0;
}

/* ---- Files ---- */

/* Gives a whole file its name. */
static int settle(const struct fs *f, const char *temp, const char *local, struct err *err)
{
	if (f->given['f'])
		return rename(temp, local) < 0 ? local_error(local, err) : 0;
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, local, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system knows that. */
	if (errno == EINVAL && access(local, F_OK) < 0 && rename(temp, local) == 0)
		return 0;
	return local_error(local, err);
}

/* What was opened as `fd`, for `temp`, becomes the whole file. */
static int fill(struct fs *f, const struct fs_item *item, int fd, const char *temp, const char *local,
	struct err *err)
{
	const struct hdfs_status *s = &item->status;
	mode_t mask = umask(0);

	(void)umask(mask);
	int r = fs_copy_out(f, item->fs, s->path, 0, UINT64_MAX, fd, local, NULL, err);
	if (r == 0 && f->given['p'])
		r = keep_attributes(fd, local, s, err);
	else if (r == 0 && fchmod(fd, 0666 & ~mask) < 0)
		r = local_error(local, err);
	if (close(fd) < 0 && r == 0)
		r = local_error(local, err);
	return r < 0 ? r : settle(f, temp, local, err);
}

static int get_beside(struct fs *f, const struct fs_item *item, const char *local, struct err *err)
{
	auto_free char *temp = NULL;

	if (asprintf(&temp, "%.*s.quern-get.XXXXXX", (int)(fs_name_of(local) - local), local) < 0) {
		temp = NULL;
		return fs_no_memory(err);
	}
	fs_hold(true);
	int fd = mkostemp(temp, O_CLOEXEC);
	int r = fd < 0 ? local_error(local, err) : fill(f, item, fd, temp, local, err);
	if (fd >= 0 && r < 0)
		(void)unlink(temp);
	fs_hold(false);
	return r;
}

/* Into something that is there and no file: a pipe, /dev/null. */
static int get_into(struct fs *f, const struct fs_item *item, const char *local, struct err *err)
{
	auto_close int fd = open(local, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return local_error(local, err);
	return fs_copy_out(f, item->fs, item->status.path, 0, UINT64_MAX, fd, local, NULL, err);
}

static int get_file(struct fs *f, const struct fs_item *item, const char *local, struct err *err)
{
	struct stat st;
	bool exists = stat(local, &st) == 0;

	int r = fs_copy_begin(f, fs_name_of(item->status.path), item->status.length, err);
	if (r < 0)
		return r;
	if (exists && S_ISDIR(st.st_mode))
		return err_set(err, -EISDIR, "'%s' is a folder, '%s%s' is a file", local, item->base,
			item->status.path);
	if (exists && !S_ISREG(st.st_mode))
		return get_into(f, item, local, err);
	if (exists && !f->given['f'])
		return err_set(err, -EEXIST, "'%s' exists: -f overwrites it", local);
	return get_beside(f, item, local, err);
}

/* ---- Folders ---- */

static int get_any(struct fs *f, const struct fs_item *item, const char *local, struct err *err);

static void get_children(struct fs *f, const struct fs_item *item, const char *local, struct hdfs_listing *l)
{
	for (size_t i = 0; i < l->n && fs_interrupted() == 0; i++) {
		const struct fs_item child = { .fs = item->fs, .base = item->base, .status = l->at[i] };
		auto_free char *to = fs_join(local, fs_name_of(l->at[i].path));
		struct err err = { "" };

		if ((to == NULL ? fs_no_memory(&err) : get_any(f, &child, to, &err)) < 0)
			fs_fail(f, &err);
	}
}

static int get_folder(struct fs *f, const struct fs_item *item, const char *local, struct err *err)
{
	auto_listing struct hdfs_listing l = { 0 };

	int r = hdfs_list(item->fs, item->status.path, &l, err);
	if (r < 0)
		return r;
	if (mkdir(local, 0777) < 0 && errno != EEXIST)
		return local_error(local, err);
	auto_close int fd = open(local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return local_error(local, err);
	get_children(f, item, local, &l);
	return f->given['p'] ? keep_attributes(fd, local, &item->status, err) : 0;
}

static int get_any(struct fs *f, const struct fs_item *item, const char *local, struct err *err)
{
	return item->status.kind == HDFS_FOLDER ? get_folder(f, item, local, err)
						: get_file(f, item, local, err);
}

/* ---- Arguments ---- */

static int to_stdout(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	(void)arg;
	if (item->status.kind == HDFS_FOLDER)
		return err_set(err, -EISDIR, "'%s%s' is a folder", item->base, item->status.path);
	return fs_copy_out(
		f, item->fs, item->status.path, 0, UINT64_MAX, STDOUT_FILENO, "standard output", NULL, err);
}

static int get_item(struct fs *f, const struct fs_item *item, const char *target, bool into, struct err *err)
{
	const char *name = fs_name_of(item->status.path);

	if (!into || name[0] == '\0') /* the root's contents go right into it */
		return get_any(f, item, target, err);
	auto_free char *local = fs_join(target, name);
	return local == NULL ? fs_no_memory(err) : get_any(f, item, local, err);
}

static void run_get(struct fs *f)
{
	size_t sources = f->n > 1 ? f->n - 1 : 1;
	const char *target = f->n > 1 ? fs_local(f->args[f->n - 1]) : ".";
	auto_fs_items struct fs_items items = { 0 };
	struct stat st;

	if (strcmp(target, "-") == 0) {
		fs_each(f, 0, sources, to_stdout, NULL);
		return;
	}
	fs_gather(f, 0, sources, &items);
	bool into = stat(target, &st) == 0 && S_ISDIR(st.st_mode);
	if (!into && (items.n > 1 || target[0] == '\0' || target[strlen(target) - 1] == '/')) {
		struct err err;

		(void)err_set(&err, -ENOTDIR, "'%s' is no folder%s", target,
			items.n > 1 ? ": there is more than one thing to copy" : "");
		fs_fail(f, &err);
		return;
	}
	for (size_t i = 0; i < items.n && fs_interrupted() == 0; i++) {
		struct err err = { "" };

		if (get_item(f, &items.at[i], target, into, &err) < 0)
			fs_fail(f, &err);
	}
}

const struct fs_command fs_get = { "get", "URL... [LOCAL]",
	"copy files and folders from HDFS (to here; - is standard output)", options, 1, run_get };
