#include "cli/fs_upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fs_copy.h"

static uint64_t ms_of(struct timespec t)
{
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int fs_keep_attributes(struct hdfs *fs, const char *path, const struct stat *st, struct err *err)
{
	int r = hdfs_set_permission(fs, path, st->st_mode & 01777, err);

	return r < 0 ? r : hdfs_set_times(fs, path, ms_of(st->st_mtim), ms_of(st->st_atim), err);
}

/* ---- Its end ---- */

static void upload_deinit(struct fs_upload *one)
{
	one->writer = hdfs_writer_free(one->writer);
	free(one->temp);
	free(one->path);
	*one = (struct fs_upload){ 0 };
}

/* Gives it its name, once it is whole. */
static int complete(const struct fs_uploads *u, struct fs_upload *one, struct err *err)
{
	struct hdfs *fs = u->to->fs;

	int r = hdfs_finish(one->writer, err);
	if (r == 0 && u->f->given['p'] && S_ISREG(one->st.st_mode))
		r = fs_keep_attributes(fs, one->temp, &one->st, err);
	if (r == 0 && one->exists) {
		r = hdfs_delete(fs, one->path, false, err);
		if (r == -ENOENT)
			r = 0;
	}
	return r < 0 ? r : hdfs_rename(fs, one->temp, one->path, err);
}

/* Nothing is left of it. One that was interrupted (`r`) comes to an end as it is first: cut off, the DataNode
 * might make the file after we have deleted it. */
static void give_up(const struct fs_uploads *u, struct fs_upload *one, int r)
{
	if (r == -ECANCELED)
		(void)hdfs_finish(one->writer, NULL);
	one->writer = hdfs_writer_free(one->writer);
	(void)hdfs_delete(u->to->fs, one->temp, false, NULL); /* what went wrong has been said */
}

static void settle_first(struct fs_uploads *u)
{
	struct fs_upload *one = &u->at[u->first];
	struct err err = { "" };

	int r = complete(u, one, &err);
	if (r < 0) {
		fs_fail(u->f, &err);
		give_up(u, one, 0);
	}
	upload_deinit(one);
	u->first = (u->first + 1) % FS_UPLOADS_MOST;
	u->n--;
	fs_hold(u->n > 0);
}

void fs_uploads_settle(struct fs_uploads *u)
{
	while (u->n > 0)
		settle_first(u);
}

/* ---- Its beginning ---- */

/* 0: `path` is free, or a file that may be overwritten: then *ret_exists. */
static int check_target(const struct fs_uploads *u, const char *path, bool *ret_exists, struct err *err)
{
	const struct fs_place *to = u->to;
	struct hdfs_status s = { 0 };

	int r = hdfs_stat(to->fs, path, &s, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	bool folder = s.kind == HDFS_FOLDER;
	hdfs_status_deinit(&s);
	if (folder)
		return err_set(err, -EISDIR, "'%s%s' is a folder", to->base, path);
	if (!u->f->given['f'])
		return err_set(err, -EEXIST, "'%s%s' exists: -f overwrites it", to->base, path);
	*ret_exists = true;
	return 0;
}

/* Whether one that is under way has the same name, or is in the way of it. */
static bool clashes(const struct fs_uploads *u, const struct fs_upload *one)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct fs_upload *other = &u->at[(u->first + i) % FS_UPLOADS_MOST];

		if (strcmp(other->path, one->path) == 0 || strcmp(other->path, one->temp) == 0 ||
			strcmp(other->temp, one->path) == 0)
			return true;
	}
	return false;
}

/* Sends all of `fd`, but does not wait until it has arrived. */
static int send_all(
	const struct fs_uploads *u, struct fs_upload *one, int fd, const char *local, struct err *err)
{
	const struct hdfs_create how = { .overwrite = true, .permission = HDFS_DEFAULT_PERMISSION };

	int r = hdfs_create(u->to->fs, one->temp, &how, &one->writer, err);
	if (r < 0) {
		give_up(u, one, 0);
		return r;
	}
	r = fs_copy_in(u->f, fd, local, one->writer, err);
	if (r == 0)
		hdfs_end(one->writer);
	else
		give_up(u, one, r);
	return r;
}

static int begin(struct fs_uploads *u, struct fs_upload *one, int fd, const char *local, struct err *err)
{
	int r = check_target(u, one->path, &one->exists, err);
	if (r == 0)
		r = fs_copy_begin(
			u->f, local, S_ISREG(one->st.st_mode) ? (uint64_t)one->st.st_size : UINT64_MAX, err);
	if (r < 0)
		return r;
	fs_hold(true);
	r = send_all(u, one, fd, local, err);
	fs_hold(r == 0 || u->n > 0);
	return r;
}

int fs_upload(struct fs_uploads *u, int fd, const struct stat *st, const char *local, const char *path,
	struct err *err)
{
	struct fs_upload one = { .path = strdup(path), .st = *st };

	if (one.path == NULL || asprintf(&one.temp, "%s._COPYING_", path) < 0) {
		free(one.path);
		return fs_no_memory(err);
	}
	while (u->n == FS_UPLOADS_MOST || clashes(u, &one))
		settle_first(u);
	int r = begin(u, &one, fd, local, err);
	if (r < 0)
		upload_deinit(&one);
	else
		u->at[(u->first + u->n++) % FS_UPLOADS_MOST] = one;
	return r;
}
