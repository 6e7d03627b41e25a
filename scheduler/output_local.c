/* Output on the local disk. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "scheduler/output_kind.h"

enum { WALK_FDS = 16 }; /* descriptors that a walk over a folder may hold */

struct local {
	struct output o;
	char *temporary; /* path/_temporary */
	size_t made;     /* length of the shortest prefix of path that we made; 0 = nothing yet */
	bool own;        /* the folder itself: we made it */
};

/* nftw()'s callback for removing: depth first, links not followed. */
static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	(void)remove(path); /* what cannot be removed stays; the folder above it stays then as well */
	return 0;
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
}

/* Makes the folders above the output that are missing. */
static int make_parents(struct local *l, struct err *err)
{
	char *path = l->o.path;

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int r = 0;

		*slash = '\0';
		if (mkdir(path, 0777) == 0) {
			if (l->made == 0)
				l->made = (size_t)(slash - path);
		} else if (errno != EEXIST) {
			r = err_errno(err, -errno, "output: cannot make folder '%s'", path);
		}
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static int look_local(const char *path, struct hdfs_pool *hdfs, struct err *err)
{
	struct stat st;

	(void)hdfs;
	return lstat(path, &st) < 0 ? 0 : output_exists(path, err);
}

static int make_local(const char *path, struct hdfs_pool *hdfs, struct output **ret, struct err *err)
{
	struct local *l = calloc(1, sizeof(*l));

	(void)hdfs;
	if (l == NULL || asprintf(&l->temporary, "%s/_temporary", path) < 0) {
		free(l);
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	*ret = &l->o;
	return 0;
}

static int open_local(struct output *o, struct err *err)
{
	struct local *l = (struct local *)o;

	int r = make_parents(l, err);
	if (r < 0)
		return r;
	if (mkdir(o->path, 0777) < 0) {
		r = -errno;
		return r == -EEXIST ? output_exists(o->path, err) /* somebody was quicker */
				    : err_errno(err, r, "output: cannot make folder '%s'", o->path);
	}
	l->own = true;
	if (l->made == 0)
		l->made = strlen(o->path);
	if (mkdir(l->temporary, 0777) < 0)
		return err_errno(err, -errno, "output: cannot make folder '%s'", l->temporary);
	return 0;
}

static int commit_local(struct output *o, const char *from, const char *to, struct err *err)
{
	struct local *l = (struct local *)o;
	auto_free char *old = NULL;
	auto_free char *new = NULL;

	if (asprintf(&old, "%s/%s", l->temporary, from) < 0) {
		old = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (asprintf(&new, "%s/%s", o->path, to) < 0) {
		new = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	return rename(old, new) < 0 ? err_set(err, -errno, "%s", strerror(errno)) : 0;
}

/* Makes the entries of folder `path` durable. */
static int sync_folder(const char *path, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, -errno, "output '%s'", path);
	return 0;
}

static int finish_local(struct output *o, struct err *err)
{
	struct local *l = (struct local *)o;
	auto_free char *success = NULL;

	if (asprintf(&success, "%s/_SUCCESS", o->path) < 0) {
		success = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	int r = sync_folder(o->path, err);
	if (r < 0)
		return r;
	remove_tree(l->temporary);

	auto_close int fd = open(success, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, -errno, "output: cannot write '%s'", success);
	return sync_folder(o->path, err);
}

static int remove_local(struct output *o, struct err *err)
{
	struct local *l = (struct local *)o;
	struct stat st;

	if (l->made == 0)
		return 0;
	if (l->own) { /* not that of another job which was quicker */
		remove_tree(o->path);
		if (lstat(o->path, &st) == 0)
			return err_set(err, -EIO, "output '%s' was not removed as a whole", o->path);
	}
	auto_free char *path = strdup(o->path);
	if (path == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	for (size_t n = strlen(path); n > l->made;) {
		while (n > 0 && path[n - 1] != '/')
			n--;
		n--; /* the slash */
		path[n] = '\0';
		if (rmdir(path) < 0)
			break;
	}
	return 0;
}

static void free_local(struct output *o)
{
	free(((struct local *)o)->temporary);
}

const struct output_kind output_local = { .look = look_local,
	.make = make_local,
	.open = open_local,
	.commit = commit_local,
	.finish = finish_local,
	.remove = remove_local,
	.free = free_local };
