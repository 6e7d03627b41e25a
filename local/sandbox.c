#include "local/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

enum {
	DEPTH_MAX = 64, /* descriptors open at a time; deeper folders are moved up before they are emptied */
	MAKE_TRIES = 10000, /* of a folder whose parents others remove */
};

/* -ENOENT: a folder above was removed in the middle of this. */
static int make_folders(const char *path, char part[PATH_MAX])
{
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int sandbox_make(const char *path, struct err *err)
{
	char part[PATH_MAX];
	struct stat st;
	int r = -ENOENT;

	if (strlen(path) >= sizeof(part))
		return err_errno(err, -ENAMETOOLONG, "cannot make folder '%.200s...'", path);
	/* sandbox_prune() for another sandbox may take a folder away that was empty until now. */
	for (int i = 0; i < MAKE_TRIES && r == -ENOENT; i++)
		r = make_folders(path, part);
	if (r < 0)
		return err_errno(err, r, "cannot make folder '%s'", part);
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_errno(err, -ENOTDIR, "cannot make folder '%s'", path);
	return 0;
}

struct removal {
	int top;
	unsigned moved; /* folders moved up to `top`: they need names */
	int r;          /* the first failure */
};

static void failed(struct removal *m, int code)
{
	if (m->r == 0)
		m->r = code;
}

/* Opens a folder for emptying, giving ourselves the right to it if need be. */
static int open_folder(int at, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	int fd = openat(at, name, flags);
	if (fd < 0 && errno == EACCES && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode)) {
		(void)fchmodat(at, name, 0700, 0);
		fd = openat(at, name, flags);
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0300) != 0300)
		(void)fchmod(fd, 0700);
	return fd;
}

static void empty_folder(struct removal *m, int fd, unsigned depth);

/* Removes a folder that rmdir(2) found full; `at` holds it. */
static void remove_folder(struct removal *m, int at, const char *name, unsigned depth)
{
	char up[32];

	if (depth >= DEPTH_MAX) {
		(void)snprintf(up, sizeof(up), ".quern-removed-%u", m->moved++);
		if (renameat(at, name, m->top, up) < 0)
			failed(m, -errno);
		return;
	}
	int fd = open_folder(at, name);
	if (fd < 0) {
		failed(m, -errno);
		return;
	}
	empty_folder(m, fd, depth + 1); /* closes it */
	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT && m->r == 0 && errno != ENOTEMPTY)
		failed(m, -errno);
}

static void remove_entry(struct removal *m, int at, const char *name, unsigned depth)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return;
	/* EISDIR is Linux' answer for a folder, EPERM is POSIX'. */
	if (errno != EISDIR && errno != EPERM) {
		failed(m, -errno);
		return;
	}
	if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return;
	if (errno != ENOTEMPTY && errno != EEXIST) {
		failed(m, -errno);
		return;
	}
	remove_folder(m, at, name, depth);
}

/* Recursion, not deeper than DEPTH_MAX. Takes the descriptor. */
static void empty_folder(struct removal *m, int fd, unsigned depth)
{
	DIR *d = fdopendir(fd);

	if (d == NULL) {
		failed(m, -errno);
		(void)close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_entry(m, dirfd(d), e->d_name, depth);
	(void)closedir(d);
}

int sandbox_remove(const char *path, struct err *err)
{
	unsigned before;
	struct removal m = { .r = 0 };

	auto_close int top = open_folder(AT_FDCWD, path);
	if (top < 0 && errno == ENOENT)
		return 0;
	if (top < 0) {
		int r = errno == ELOOP ? -ENOTDIR : -errno;
		return err_errno(err, r, "cannot remove '%s'", path);
	}
	m.top = top;
	do { /* once more for what was moved up */
		before = m.moved;
		int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			failed(&m, -errno);
		else
			empty_folder(&m, fd, 0);
	} while (m.r == 0 && m.moved > before);
	if (rmdir(path) < 0 && errno != ENOENT)
		failed(&m, -errno);
	return m.r < 0 ? err_errno(err, m.r, "cannot remove '%s'", path) : 0;
}

void sandbox_prune(const char *path, const char *top)
{
	char part[PATH_MAX];
	size_t stop = strlen(top);

	if (strlen(path) >= sizeof(part) || strncmp(path, top, stop) != 0)
		return;
	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strrchr(part, '/'); slash != NULL && (size_t)(slash - part) > stop;
		slash = strrchr(part, '/')) {
		*slash = '\0';
		if (rmdir(part) < 0)
			return;
	}
}
