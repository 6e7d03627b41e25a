/* fs_change.c: `quern fs mkdir`, `rm`, `rmdir`, `mv`, `touch`, `chmod`: names in HDFS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/fs_copy.h"
#include "cli/fs_place.h"
#include "cli/fs_text.h"

/* For those arguments that need not exist. */
static void each_place(struct fs *f, int (*each)(struct fs *f, const struct fs_place *place, struct err *err))
{
	for (size_t i = 0; i < f->n; i++) {
		auto_fs_place struct fs_place place = { 0 };
		struct err err = { "" };

		int r = fs_place(f, f->args[i], &place, &err);
		if (r == 0)
			r = each(f, &place, &err);
		fs_warn(f);
		if (r < 0)
			fs_fail(f, &err);
	}
}

/* ---- mkdir ---- */

static const struct argp_option mkdir_options[] = {
	{ .key = 'p', .doc = "with the folders that it is in; one that exists is no error" },
	{ 0 },
};

static int mkdir_place(struct fs *f, const struct fs_place *place, struct err *err)
{
	struct hdfs_status s = { 0 };

	if (!f->given['p']) {
		int r = hdfs_stat(place->fs, place->path, &s, err);
		hdfs_status_deinit(&s);
		if (r == 0)
			return err_set(err, -EEXIST, "'%s%s' exists", place->base, place->path);
		if (r == -ENOENT)
			r = fs_need_parent(place, ": -p makes it", err);
		if (r < 0)
			return r;
	}
	return hdfs_mkdirs(place->fs, place->path, HDFS_DEFAULT_PERMISSION, err);
}

static void run_mkdir(struct fs *f)
{
	each_place(f, mkdir_place);
}

const struct fs_command fs_mkdir = { "mkdir", "URL...", "make folders", mkdir_options, 1, run_mkdir };

/* ---- rm, rmdir ---- */

static const struct argp_option rm_options[] = {
	{ .key = 'r', .doc = "folders, too, with all that is in them" },
	{ .key = 'R', .flags = OPTION_ALIAS },
	{ .key = 'f', .doc = "what does not exist is no error" },
	{ 0 },
};

static int rm_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	const struct hdfs_status *s = &item->status;
	bool recursive = f->given['r'] || f->given['R'];

	(void)arg;
	if (strcmp(s->path, "/") == 0)
		return err_set(err, -EPERM, "'%s/' is never removed", item->base);
	if (s->kind == HDFS_FOLDER && !recursive)
		return err_set(err, -EISDIR, "'%s%s' is a folder: -r removes it", item->base, s->path);
	int r = hdfs_delete(item->fs, s->path, recursive, err);
	if (r < 0)
		return r == -ENOENT && f->absent_ok ? 0 : r;
	(void)fputs("Deleted ", stdout);
	fs_write_name(stdout, item->base);
	fs_write_name(stdout, s->path);
	(void)putchar('\n');
	return 0;
}

static void run_rm(struct fs *f)
{
	f->absent_ok = f->given['f'];
	fs_each(f, 0, f->n, rm_item, NULL);
}

const struct fs_command fs_rm = { "rm", "URL...", "remove files, at once: there is no trash", rm_options, 1,
	run_rm };

static int rmdir_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	(void)f;
	(void)arg;
	if (item->status.kind != HDFS_FOLDER)
		return err_set(err, -ENOTDIR, "'%s%s' is no folder", item->base, item->status.path);
	return hdfs_delete(item->fs, item->status.path, false, err);
}

static void run_rmdir(struct fs *f)
{
	fs_each(f, 0, f->n, rmdir_item, NULL);
}

const struct fs_command fs_rmdir = { "rmdir", "URL...", "remove empty folders", NULL, 1, run_rmdir };

/* ---- mv ---- */

static int mv_item(const struct fs_item *item, const struct fs_place *to, bool into, struct err *err)
{
	const struct hdfs_status *s = &item->status;

	if (strcmp(s->path, "/") == 0)
		return err_set(err, -EPERM, "'%s/' cannot be moved", item->base);
	if (item->fs != to->fs)
		return err_set(err, -EXDEV, "'%s%s' and '%s%s' are in two file systems: copy it", item->base,
			s->path, to->base, to->path);
	auto_free char *path = into ? fs_join(to->path, fs_name_of(s->path)) : strdup(to->path);
	return path == NULL ? fs_no_memory(err) : hdfs_rename(item->fs, s->path, path, err);
}

static void run_mv(struct fs *f)
{
	auto_fs_place struct fs_place to = { 0 };
	auto_fs_items struct fs_items items = { 0 };
	struct hdfs_status s = { 0 };
	struct err err = { "" };

	int r = fs_place(f, f->args[f->n - 1], &to, &err);
	if (r == 0)
		r = hdfs_stat(to.fs, to.path, &s, &err);
	bool into = r == 0 && s.kind == HDFS_FOLDER;
	hdfs_status_deinit(&s);
	if (r == -ENOENT)
		r = fs_need_parent(&to, ": quern fs mkdir -p makes it", &err);
	if (r == 0) {
		fs_gather(f, 0, f->n - 1, &items);
		if (!into && (items.n > 1 || to.folder))
			r = err_set(&err, -ENOTDIR, "'%s%s' is no folder%s", to.base, to.path,
				items.n > 1 ? ": there is more than one thing to move" : "");
	}
	if (r < 0)
		fs_fail(f, &err);
	for (size_t i = 0; i < items.n && r == 0; i++)
		if (mv_item(&items.at[i], &to, into, &err) < 0)
			fs_fail(f, &err);
}

const struct fs_command fs_mv = { "mv", "URL... URL", "rename a file or folder, or move them into a folder",
	NULL, 2, run_mv };

/* ---- touch ---- */

static int touch_place(struct fs *f, const struct fs_place *place, struct err *err)
{
	auto_hdfs_writer struct hdfs_writer *w = NULL;
	const struct hdfs_create how = { .permission = HDFS_DEFAULT_PERMISSION };
	struct timespec now;

	(void)f;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	const uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	int r = hdfs_set_times(place->fs, place->path, ms, ms, err);
	if (r == -ENOENT)
		r = fs_need_parent(place, ": quern fs mkdir -p makes it", err);
	else
		return r;
	if (r == 0)
		r = hdfs_create(place->fs, place->path, &how, &w, err);
	return r < 0 ? r : hdfs_finish(w, err);
}

static void run_touch(struct fs *f)
{
	each_place(f, touch_place);
}

const struct fs_command fs_touch = { "touch", "URL...",
	"make empty files; of those that exist, set the times", NULL, 1, run_touch };

/* ---- chmod ---- */

static const struct argp_option chmod_options[] = {
	{ .key = 'R', .doc = "of all that is in folders, too" },
	{ 0 },
};

static int chmod_all(
	struct fs *f, struct hdfs *fs, const struct hdfs_status *s, uint16_t mode, struct err *err)
{
	auto_listing struct hdfs_listing l = { 0 };

	int r = hdfs_set_permission(fs, s->path, mode, err);
	if (r < 0 || !f->given['R'] || s->kind != HDFS_FOLDER)
		return r;
	r = hdfs_list(fs, s->path, &l, err);
	for (size_t i = 0; i < l.n; i++) {
		struct err own = { "" };

		if (chmod_all(f, fs, &l.at[i], mode, &own) < 0)
			fs_fail(f, &own);
	}
	return r;
}

static int chmod_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	return chmod_all(f, item->fs, &item->status, *(const uint16_t *)arg, err);
}

static void run_chmod(struct fs *f)
{
	char *end;
	unsigned long n = strtoul(f->args[0], &end, 8);
	uint16_t mode = (uint16_t)n;

	if (f->args[0][0] < '0' || f->args[0][0] > '7' || *end != '\0' || n > 01777) {
		(void)fprintf(stderr, "%s: '%s' is no mode: write it in octal, as 644 or 1777\n", f->name,
			f->args[0]);
		f->status = 2;
		return;
	}
	fs_each(f, 1, f->n, chmod_item, &mode);
}

const struct fs_command fs_chmod = { "chmod", "MODE URL...", "set permissions, in octal", chmod_options, 2,
	run_chmod };
