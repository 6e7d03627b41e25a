#include "scheduler/output.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { WALK_FDS = 16 }; /* descriptors that a walk over a folder may hold */

struct output {
	char *path;         /* without a trailing slash */
	char *temporary;    /* path/_temporary */
	const char *suffix; /* of the parts' names */
	size_t made;        /* length of the shortest prefix of path that we made; 0 = nothing yet */
	bool own;           /* the folder itself: we made it */
	bool finished;
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

/* Makes the folders above o->path that are missing. */
static int make_parents(struct output *o, struct err *err)
{
	for (char *slash = strchr(o->path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int r = 0;

		*slash = '\0';
		if (mkdir(o->path, 0777) == 0) {
			if (o->made == 0)
				o->made = (size_t)(slash - o->path);
		} else if (errno != EEXIST) {
			r = err_errno(err, -errno, "output: cannot make folder '%s'", o->path);
		}
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

int output_look(const char *path, struct err *err)
{
	struct stat st;

	return lstat(path, &st) < 0
		       ? 0
		       : err_set(err, -EEXIST, "output '%s' exists already: remove it or name another", path);
}

int output_open(const char *path, const char *suffix, struct output **ret, struct err *err)
{
	auto_output struct output *o = calloc(1, sizeof(*o));

	if (o == NULL || (o->path = strdup(path)) == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	o->suffix = suffix;
	for (size_t n = strlen(o->path); n > 1 && o->path[n - 1] == '/'; n--)
		o->path[n - 1] = '\0';
	if (o->path[0] == '\0')
		return err_set(err, -EINVAL, "output: the name of the folder is empty");
	if (asprintf(&o->temporary, "%s/_temporary", o->path) < 0) {
		o->temporary = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}

	int r = output_look(o->path, err);
	if (r == 0)
		r = make_parents(o, err);
	if (r < 0)
		return r;
	if (mkdir(o->path, 0777) < 0)
		return err_errno(err, -errno, "output: cannot make folder '%s'", o->path);
	o->own = true;
	if (o->made == 0)
		o->made = strlen(o->path);
	if (mkdir(o->temporary, 0777) < 0)
		return err_errno(err, -errno, "output: cannot make folder '%s'", o->temporary);
	*ret = o, o = NULL;
	return 0;
}

int output_commit(struct output *o, const char *file, uint32_t partition, struct err *err)
{
	auto_free char *from = NULL;
	auto_free char *to = NULL;
	auto_free char *proper = NULL;
	unsigned stage, task, attempt;

	/* The name comes from an executor: nothing but this form leaves _temporary. */
	if (sscanf(file, "%9u.%9u.%9u/", &stage, &task, &attempt) != 3)
		stage = task = attempt = 0;
	if (asprintf(&proper, "%u.%u.%u/part-%05u%s", stage, task, attempt, partition, o->suffix) < 0) {
		proper = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	if (strcmp(file, proper) != 0)
		return err_set(
			err, -EINVAL, "output '%s': '%s' is no name of a part %u", o->path, file, partition);
	if (asprintf(&from, "%s/%s", o->temporary, file) < 0) {
		from = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	if (asprintf(&to, "%s/part-%05u%s", o->path, partition, o->suffix) < 0) {
		to = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	if (rename(from, to) < 0)
		return err_errno(err, -errno, "output '%s': cannot put part %u in place", o->path, partition);
	*strrchr(from, '/') = '\0';
	(void)rmdir(from); /* a losing attempt may have left something; _temporary goes as a whole later */
	return 0;
}

/* Makes the entries of folder `path` durable. */
static int sync_folder(const char *path, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, -errno, "output '%s'", path);
	return 0;
}

int output_finish(struct output *o, struct err *err)
{
	auto_free char *success = NULL;

	if (asprintf(&success, "%s/_SUCCESS", o->path) < 0) {
		success = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	int r = sync_folder(o->path, err);
	if (r < 0)
		return r;
	remove_tree(o->temporary);

	auto_close int fd = open(success, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, -errno, "output: cannot write '%s'", success);
	r = sync_folder(o->path, err);
	if (r < 0)
		return r;
	o->finished = true;
	return 0;
}

/* Removes what output_open() made. */
static void remove_made(struct output *o)
{
	if (o->made == 0)
		return;
	if (o->own) /* not that of another job which was quicker */
		remove_tree(o->path);
	for (size_t n = strlen(o->path); n > o->made;) {
		while (n > 0 && o->path[n - 1] != '/')
			n--;
		n--; /* the slash */
		o->path[n] = '\0';
		if (rmdir(o->path) < 0)
			break;
	}
}

struct output *output_free(struct output *o)
{
	if (o == NULL)
		return NULL;
	if (!o->finished && o->path != NULL)
		remove_made(o);
	free(o->path);
	free(o->temporary);
	free(o);
	return NULL;
}
