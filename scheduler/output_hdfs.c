/* Output in HDFS.
 *
 * MKDIRS makes no difference between a folder that it made and one that was there. So who has the folder is
 * decided by a rename, which takes place once whoever asks for it how often: each job makes an empty file
 * with a random name in _temporary and renames it to _temporary/_owner. A job that is slow between looking
 * for PATH and making it could become the owner of a folder that another has finished meanwhile: it looks
 * into it afterwards. What is removed recursively is the owner's alone, and only while the owner file is
 * still the one that it made.
 *
 * Files of tasks are made in _temporary only while that is there (hdfs_create.in_folder): a task that does
 * not know yet that its job is over brings nothing back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/auto.h"
#include "scheduler/output_kind.h"

struct remote {
	struct output o;
	struct hdfs *fs;
	char *folder;        /* the path in `fs` */
	char *temporary;     /* folder/_temporary */
	char *claim, *owner; /* temporary/RANDOM, which becomes temporary/_owner */
	char *success;       /* folder/_SUCCESS */
	size_t made;         /* length of the shortest prefix of `folder` that was not there; 0: none made */
	uint64_t id;         /* of the owner file; 0: HDFS does not say (HttpFS) */
	bool own;            /* it is ours */
	bool cleared;        /* _temporary was removed, and the owner file with it */
};

/* ---- Names ---- */

static int in_folder(char **ret, const char *folder, const char *name)
{
	if (asprintf(ret, "%s/%s", folder, name) >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

static int name_claim(struct remote *m)
{
	uint64_t id[2];
	char name[40];

	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -EIO;
	(void)snprintf(
		name, sizeof(name), "%016llx%016llx", (unsigned long long)id[0], (unsigned long long)id[1]);
	return in_folder(&m->claim, m->temporary, name);
}

static void free_remote(struct output *o)
{
	struct remote *m = (struct remote *)o;

	free(m->folder);
	free(m->temporary);
	free(m->claim);
	free(m->owner);
	free(m->success);
}

/* The file system and the path of a URL, which the caller frees. */
static int find(const char *url, struct hdfs_pool *hdfs, struct hdfs **ret, char **ret_path, struct err *err)
{
	int r = hdfs_pool_get(hdfs, url, ret, ret_path, err);

	if (r < 0)
		return err_prefix(err, r, "output");
	for (size_t n = strlen(*ret_path); n > 1 && (*ret_path)[n - 1] == '/'; n--)
		(*ret_path)[n - 1] = '\0';
	return 0;
}

static int make_remote(const char *path, struct hdfs_pool *hdfs, struct output **ret, struct err *err)
{
	struct remote *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	int r = find(path, hdfs, &m->fs, &m->folder, err);
	if (r < 0) {
		free(m);
		return r;
	}
	r = in_folder(&m->temporary, m->folder, "_temporary");
	if (r == 0)
		r = in_folder(&m->success, m->folder, "_SUCCESS");
	if (r == 0)
		r = in_folder(&m->owner, m->temporary, "_owner");
	if (r == 0)
		r = name_claim(m);
	if (r < 0) {
		free_remote(&m->o);
		free(m);
		return err_errno(err, r, "output");
	}
	*ret = &m->o;
	return 0;
}

/* ---- Looking ---- */

/* 1: it is there; 0: it is not. */
static int is_there(struct hdfs *fs, const char *path, struct err *err)
{
	struct hdfs_status s;
	int r = hdfs_stat(fs, path, &s, err);

	if (r == 0)
		hdfs_status_deinit(&s);
	return r == 0 ? 1 : r == -ENOENT ? 0 : err_prefix(err, r, "output");
}

static int look_remote(const char *path, struct hdfs_pool *hdfs, struct err *err)
{
	auto_free char *folder = NULL;
	auto_free char *temporary = NULL;
	struct hdfs *fs;

	int r = find(path, hdfs, &fs, &folder, err);
	if (r < 0)
		return r;
	r = is_there(fs, folder, err);
	if (r <= 0)
		return r;
	if (in_folder(&temporary, folder, "_temporary") < 0)
		return err_set(err, -ENOMEM, "output: out of memory");
	if (is_there(fs, temporary, err) != 1)
		return output_exists(path, err);
	return err_set(err, -EEXIST,
		"output '%s' exists already: another job writes it, or died before it was whole. If none "
		"does, remove it (quern fs rm -r), or name another",
		path);
}

/* Sets m->made. */
static int look_at_parents(struct remote *m, struct err *err)
{
	auto_free char *path = strdup(m->folder);
	char *slash;

	if (path == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	m->made = strlen(path);
	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		int r = is_there(m->fs, path, err);
		if (r != 0)
			return r < 0 ? r : 0;
		m->made = (size_t)(slash - path);
	}
	return 0;
}

/* ---- Becoming the owner ---- */

/* An empty file that was not there, in a folder that is. */
static int make_file(struct hdfs *fs, const char *path, struct err *err)
{
	const struct hdfs_create how = { .in_folder = true, .permission = HDFS_DEFAULT_PERMISSION };
	auto_hdfs_writer struct hdfs_writer *w = NULL;

	int r = hdfs_create(fs, path, &how, &w, err);
	return r < 0 ? r : hdfs_finish(w, err);
}

static int another(const struct remote *m, struct err *err)
{
	return err_set(err, -EEXIST, "output '%s' is being written by another job", m->o.path);
}

/* Makes _temporary. Whether something may have been made is known afterwards. */
static int make_folder(struct remote *m, struct err *err)
{
	int r = look_at_parents(m, err);

	if (r < 0) {
		m->made = 0;
		return r;
	}
	r = hdfs_mkdirs(m->fs, m->temporary, HDFS_DEFAULT_PERMISSION, err);
	if (r == -EACCES || r == -ENOTDIR || r == -EROFS) /* seen before anything is made */
		m->made = 0;
	return r < 0 ? err_prefix(err, r, "output") : 0;
}

static int claim(struct remote *m, struct err *err)
{
	struct hdfs_status s;

	int r = make_file(m->fs, m->claim, err);
	if (r == -ENOENT) /* the other one has finished, or failed, since MKDIRS */
		return another(m, err);
	if (r < 0)
		return err_prefix(err, r, "output");
	r = hdfs_stat(m->fs, m->claim, &s, err);
	if (r == 0) {
		m->id = s.id;
		hdfs_status_deinit(&s);
		r = hdfs_rename(m->fs, m->claim, m->owner, err);
	}
	if (r == -EEXIST || r == -ENOENT)
		return another(m, err);
	m->own = r == 0;
	return r < 0 ? err_prefix(err, r, "output") : 0;
}

/* Nobody else has put anything there. */
static int look_around(struct remote *m, struct err *err)
{
	struct hdfs_listing l = { 0 };

	int r = hdfs_list(m->fs, m->folder, &l, err);
	bool alone = r == 0 && l.n == 1;
	hdfs_listing_deinit(&l);
	if (r < 0)
		return err_prefix(err, r, "output");
	if (alone)
		return 0;
	/* It is another's: no more than the file that makes it look like ours goes. */
	m->own = false;
	free(m->claim);
	m->claim = m->owner;
	m->owner = NULL;
	return output_exists(m->o.path, err);
}

static int open_remote(struct output *o, struct err *err)
{
	struct remote *m = (struct remote *)o;

	int r = make_folder(m, err);
	if (r == 0)
		r = claim(m, err);
	return r == 0 ? look_around(m, err) : r;
}

/* Whether the folder is still what we have made: 1 or 0. */
static int still_ours(struct remote *m, struct err *err)
{
	struct hdfs_status s;

	if (m->cleared)
		return 1;
	int r = hdfs_stat(m->fs, m->owner, &s, err);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	bool same = s.id == m->id;
	hdfs_status_deinit(&s);
	return same;
}

/* ---- Filling ---- */

static int commit_remote(struct output *o, const char *from, const char *to, struct err *err)
{
	struct remote *m = (struct remote *)o;
	auto_free char *old = NULL;
	auto_free char *new = NULL;

	if (in_folder(&old, m->temporary, from) < 0 || in_folder(&new, m->folder, to) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return hdfs_rename(m->fs, old, new, err);
}

static int finish_remote(struct output *o, struct err *err)
{
	struct remote *m = (struct remote *)o;

	int r = still_ours(m, err);
	if (r == 0)
		return err_set(err, -ESTALE, "output '%s' was removed while it was written", o->path);
	if (r > 0)
		r = hdfs_delete(m->fs, m->temporary, true, err);
	if (r < 0)
		return err_prefix(err, r, "output");
	m->cleared = true;
	r = make_file(m->fs, m->success, err);
	if (r == -EEXIST)
		m->own = false;
	return r < 0 ? err_prefix(err, r, "output") : 0;
}

/* ---- Removing ---- */

/* A folder in which there is nothing, or a file. 1: there is something in it, so it stays. */
static int remove_empty(struct remote *m, const char *path, struct err *err)
{
	int r = hdfs_delete(m->fs, path, false, err);

	return r == -ENOTEMPTY ? 1 : r == -ENOENT ? 0 : r;
}

static int remove_parents(struct remote *m, struct err *err)
{
	auto_free char *path = strdup(m->folder);
	int r = path == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;

	while (r == 0 && strlen(path) > m->made) {
		*strrchr(path, '/') = '\0';
		r = remove_empty(m, path, err);
	}
	return r;
}

static int remove_all(struct remote *m, struct err *err)
{
	int r;

	if (m->own) {
		r = still_ours(m, err);
		if (r <= 0)
			return r; /* with 0 it is another's by now */
		r = hdfs_delete(m->fs, m->folder, true, err);
		if (r == -ENOENT)
			r = 0;
	} else {
		r = remove_empty(m, m->claim, err);
		if (r == 0)
			r = remove_empty(m, m->temporary, err);
		if (r == 0)
			r = remove_empty(m, m->folder, err);
	}
	return r == 0 ? remove_parents(m, err) : r;
}

static int remove_remote(struct output *o, struct err *err)
{
	struct remote *m = (struct remote *)o;

	if (m->made == 0 || (m->cleared && !m->own))
		return 0;
	int r = remove_all(m, err);
	if (r >= 0)
		return 0;
	return err_prefix(err, r, "output '%s' was not removed, do so by hand (quern fs rm -r)", o->path);
}

const struct output_kind output_hdfs = { .look = look_remote,
	.make = make_remote,
	.open = open_remote,
	.commit = commit_remote,
	.finish = finish_remote,
	.remove = remove_remote,
	.free = free_remote };
