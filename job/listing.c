#include "job/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/vec.h"

struct names {
	char **at;
	size_t n, cap;
};

static void names_deinit(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	vec_deinit(names);
}
#define auto_names AUTO_CLEANUP(names_deinit)

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int absolute(const char *path, char **ret, struct err *err)
{
	auto_free char *here = NULL;

	if (*path != '/') {
		here = getcwd(NULL, 0);
		if (here == NULL)
			return err_errno(err, -errno, "the working directory");
	}
	if (asprintf(ret, "%s%s%s", here != NULL ? here : "", here != NULL ? "/" : "", path) < 0)
		return no_memory(err);
	return 0;
}

/* Adds a file. Whether it can be opened is found out here, before anything runs. */
static int add_file(struct listing *l, const char *path, const struct stat *st, struct err *err)
{
	struct listed f = { .size = (uint64_t)st->st_size, .codec = codec_of_path(path) };

	if (S_ISDIR(st->st_mode))
		return err_set(err, -EINVAL,
			"the input '%s' is a folder within a folder, which is not looked into: name it, or "
			"the "
			"files that are wanted",
			path);
	if (!S_ISREG(st->st_mode))
		return err_set(err, -EINVAL, "the input '%s' is neither a file nor a folder", path);
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		return err_errno(err, -errno, "the input '%s'", path);
	if (f.codec != QUERN__CODEC__PLAIN && f.size == 0)
		return err_set(err, -EINVAL, "the input '%s' is empty, as no compressed file is", path);
	if (__builtin_mul_overflow(
		    f.size, f.codec != QUERN__CODEC__PLAIN ? LISTING_CODED_WORK : 1, &f.work) ||
		__builtin_add_overflow(l->work, f.work, &l->work) || l->work > INT64_MAX)
		return err_set(err, -EFBIG, "the input is larger than any disk: '%s'", path);
	l->bytes += f.size;
	int r = absolute(path, &f.path, err);
	if (r < 0)
		return r;
	if (vec_push(&l->files, f) < 0) {
		free(f.path);
		return no_memory(err);
	}
	return 0;
}

/* Files that are other programs' business: unfinished, hidden, marks. */
static bool left_out(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return *name == '.' || *name == '_';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_folder(const char *path, struct names *ret, struct err *err)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int r = 0;

	if (dir == NULL)
		return err_errno(err, -errno, "the input '%s'", path);
	size_t len = strlen(path);
	while (r == 0 && (errno = 0, e = readdir(dir)) != NULL) {
		char *name;

		if (left_out(e->d_name))
			continue;
		if (asprintf(&name, "%s%s%s", path, len > 0 && path[len - 1] == '/' ? "" : "/", e->d_name) <
			0) {
			r = no_memory(err);
		} else if (vec_push(ret, name) < 0) {
			free(name);
			r = no_memory(err);
		}
	}
	if (r == 0 && errno != 0)
		r = err_errno(err, -errno, "the input '%s'", path);
	(void)closedir(dir);
	return r;
}

static int add_folder(struct listing *l, const char *path, struct err *err)
{
	auto_names struct names names = { 0 };

	int r = read_folder(path, &names, err);
	if (names.n > 1)
		qsort(names.at, names.n, sizeof(*names.at), compare_names);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		struct stat st;

		r = stat(names.at[i], &st) < 0 ? err_errno(err, -errno, "the input '%s'", names.at[i])
					       : add_file(l, names.at[i], &st, err);
	}
	return r;
}

static int add_either(struct listing *l, const char *path, const struct stat *st, struct err *err)
{
	return S_ISDIR(st->st_mode) ? add_folder(l, path, err) : add_file(l, path, st, err);
}

/* What glob() found. A folder stands for its files here as well. */
static int add_matches(struct listing *l, const char *pattern, const glob_t *found, struct err *err)
{
	size_t added = 0;
	int r = 0;

	if (found->gl_pathc > 1)
		qsort(found->gl_pathv, found->gl_pathc, sizeof(*found->gl_pathv), compare_names);
	for (size_t i = 0; i < found->gl_pathc && r == 0; i++) {
		const char *path = found->gl_pathv[i];
		struct stat st;

		if (left_out(path))
			continue;
		added++;
		r = stat(path, &st) < 0 ? err_errno(err, -errno, "the input '%s'", path)
					: add_either(l, path, &st, err);
	}
	if (r == 0 && added == 0)
		return err_set(err, -ENOENT,
			"the input '%s': No such file (those that begin with '.' or '_' do not count)",
			pattern);
	return r;
}

/* For glob(): a folder that cannot be read is an error, one that is not there, or none, matches nothing. */
static int glob_failed(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int add_glob(struct listing *l, const char *pattern, struct err *err)
{
	glob_t found = { 0 };

	errno = 0;
	int r = glob(pattern, GLOB_NOSORT, glob_failed, &found);
	switch (r) {
	case 0:
	case GLOB_NOMATCH:
		r = add_matches(l, pattern, &found, err);
		break;
	case GLOB_NOSPACE:
		r = no_memory(err);
		break;
	default:
		r = err_errno(err, errno != 0 ? -errno : -EACCES,
			"the input '%s': a folder on the way to it cannot be read", pattern);
	}
	globfree(&found);
	return r;
}

int listing_add(struct listing *l, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return add_either(l, path, &st, err);
	if ((errno == ENOENT || errno == ENOTDIR) && strpbrk(path, "*?[") != NULL)
		return add_glob(l, path, err);
	return err_errno(err, -errno, "the input '%s'", path);
}

void listing_deinit(struct listing *l)
{
	for (size_t i = 0; i < l->files.n; i++)
		free(l->files.at[i].path);
	vec_deinit(&l->files);
}
