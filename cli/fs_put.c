/* fs_put.c: `quern fs put`: files and folders to HDFS. */
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
#include "cli/fs_upload.h"

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

/* ---- Folders ---- */

static int put_any(struct fs_uploads *u, const struct inside *outer, const char *local, const char *path,
	struct err *err);

static int put_folder(struct fs_uploads *u, const struct inside *inside, int fd, const struct stat *st,
	const char *local, const char *path, struct err *err)
{
	struct dirent **names;

	int r = hdfs_mkdirs(u->to->fs, path, HDFS_DEFAULT_PERMISSION, err);
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
							: put_any(u, inside, from, as, &own)) < 0)
				fs_fail(u->f, &own);
		}
		free(names[i]);
	}
	free(names);
	if (!u->f->given['p'])
		return 0;
	fs_uploads_settle(u); /* each of which changes the time */
	return fs_keep_attributes(u->to->fs, path, st, err);
}

/* `outer`: NULL of an argument, which may be a pipe, too. */
static int put_any(struct fs_uploads *u, const struct inside *outer, const char *local, const char *path,
	struct err *err)
{
	struct stat st;

	if (!fs_is_utf8(path))
		return err_set(
			err, -EINVAL, "'%s': its name is not UTF-8, as names in HDFS have to be", local);
	if (strchr(fs_name_of(path), ':') != NULL)
		return err_set(err, -EINVAL,
			"'%s%s': HDFS has no names with a ':' in them; put it under another name",
			u->to->base, path);
	auto_close int fd = open(local, O_RDONLY | O_CLOEXEC | (outer != NULL ? O_NONBLOCK : 0));
	if (fd < 0 || fstat(fd, &st) < 0)
		return local_error(local, err);
	if (S_ISDIR(st.st_mode)) {
		const struct inside inside = { .outer = outer, .dev = st.st_dev, .ino = st.st_ino };

		for (const struct inside *i = outer; i != NULL; i = i->outer)
			if (i->dev == st.st_dev && i->ino == st.st_ino)
				return err_set(err, -ELOOP, "'%s' is a folder that it is in itself", local);
		return put_folder(u, &inside, fd, &st, local, path, err);
	}
	if (outer != NULL && !S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "'%s' is not a regular file", local);
	return fs_upload(u, fd, &st, local, path, err);
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

static int put_arg(struct fs_uploads *u, bool into, const char *local, struct err *err)
{
	const struct fs_place *to = u->to;
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
		return put_any(u, NULL, local, path, err);
	if (fstat(STDIN_FILENO, &st) < 0)
		return local_error("standard input", err);
	return fs_upload(u, STDIN_FILENO, &st, "standard input", path, err);
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
	return r == 0 ? 0 : fs_need_parent(to, ": quern fs mkdir -p makes it", err);
}

static void run_put(struct fs *f)
{
	auto_fs_place struct fs_place to = { 0 };
	struct fs_uploads uploads = { .f = f, .to = &to };
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
		if (put_arg(&uploads, into, fs_local(f->args[i]), &err) < 0)
			fs_fail(f, &err);
	fs_uploads_settle(&uploads);
}

const struct fs_command fs_put = { "put", "LOCAL... URL",
	"copy files and folders to HDFS (- is standard input)", options, 2, run_put };
