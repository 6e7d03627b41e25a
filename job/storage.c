#include "job/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

enum {
	LOCAL_FILE_COST = 16 << 10, /* 10,000 small files pack well */
	LOCAL_READS = 128 << 10,    /* 10 s of a cold SSD, a tenth of a second from memory */
};

bool storage_hides(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return *name == '.' || *name == '_';
}

void storage_entry_deinit(struct storage_entry *e)
{
	free(e->path);
	*e = (struct storage_entry){ 0 };
}

void storage_entries_deinit(struct storage_entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->at[i].path);
	vec_deinit(e);
}

void storage_blocks_deinit(struct storage_blocks *b)
{
	for (size_t i = 0; i < b->n; i++) {
		for (size_t k = 0; k < b->at[i].n_hosts; k++)
			free(b->at[i].hosts[k]);
		free(b->at[i].hosts);
	}
	vec_deinit(b);
}

/* ---- The local disk ---- */

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int failed(const char *path, int error, struct err *err)
{
	return err_errno(err, -error, "the input '%s'", path);
}

static bool local_has(const char *path)
{
	(void)path;
	return true;
}

static bool local_is_glob(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
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

static int local_stat(void *arg, const char *path, struct storage_entry *ret, struct err *err)
{
	struct stat st;
	char *name;

	(void)arg;
	if (stat(path, &st) < 0)
		return failed(path, errno, err);
	int r = absolute(path, &name, err);
	if (r < 0)
		return r;
	*ret = (struct storage_entry){ .path = name,
		.kind = S_ISREG(st.st_mode)   ? STORAGE_FILE
			: S_ISDIR(st.st_mode) ? STORAGE_FOLDER
					      : STORAGE_OTHER,
		.size = (uint64_t)st.st_size,
		.device = st.st_dev,
		.id = st.st_ino };
	return 0;
}

/* Appends what `path` is. */
static int add(const char *path, struct storage_entries *ret, struct err *err)
{
	struct storage_entry e;

	int r = local_stat(NULL, path, &e, err);
	if (r == 0 && vec_push(ret, e) < 0) {
		storage_entry_deinit(&e);
		r = no_memory(err);
	}
	return r;
}

static int add_member(const char *folder, const char *name, struct storage_entries *ret, struct err *err)
{
	auto_free char *path = NULL;
	size_t len = strlen(folder);

	if (asprintf(&path, "%s%s%s", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", name) < 0) {
		path = NULL;
		return no_memory(err);
	}
	return add(path, ret, err);
}

static int local_list(void *arg, const char *folder, struct storage_entries *ret, struct err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int r = 0;

	(void)arg;
	if (dir == NULL)
		return failed(folder, errno, err);
	while (r == 0 && (errno = 0, e = readdir(dir)) != NULL)
		if (!storage_hides(e->d_name)) /* a link into nowhere among those is no error */
			r = add_member(folder, e->d_name, ret, err);
	if (r == 0 && errno != 0)
		r = failed(folder, errno, err);
	(void)closedir(dir);
	return r;
}

/* For glob(): a folder that cannot be read is an error, one that is not there, or none, matches nothing. */
static int glob_failed(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int local_glob(void *arg, const char *pattern, struct storage_entries *ret, struct err *err)
{
	glob_t found = { 0 };
	int r = 0;

	(void)arg;
	errno = 0;
	switch (glob(pattern, GLOB_NOSORT, glob_failed, &found)) {
	case 0:
		for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
			if (!storage_hides(found.gl_pathv[i]))
				r = add(found.gl_pathv[i], ret, err);
		break;
	case GLOB_NOMATCH:
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

static int local_locate(
	void *arg, const char *const *paths, size_t n, struct storage_blocks *ret, struct err *err)
{
	(void)arg, (void)ret;
	for (size_t i = 0; i < n; i++)
		if (faccessat(AT_FDCWD, paths[i], R_OK, AT_EACCESS) < 0)
			return failed(paths[i], errno, err);
	return 0;
}

/* ---- Bytes of it ---- */

struct local_file {
	int fd;
	char path[]; /* for sentences */
};

static int local_open(void *arg, const char *path, void **ret, struct err *err)
{
	size_t len = strlen(path) + 1;
	struct local_file *f = malloc(sizeof(*f) + len);

	(void)arg;
	if (f == NULL)
		return no_memory(err);
	memcpy(f->path, path, len);
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0) {
		int r = failed(path, errno, err);

		free(f);
		return r;
	}
	*ret = f;
	return 0;
}

static ssize_t local_read(void *file, void *to, size_t len, uint64_t offset, struct err *err)
{
	const struct local_file *f = file;
	ssize_t n;

	do {
		n = pread(f->fd, to, len, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? failed(f->path, errno, err) : n;
}

static void local_close(void *file)
{
	struct local_file *f = file;

	(void)close(f->fd);
	free(f);
}

const struct storage storage_local = { .has = local_has,
	.is_glob = local_is_glob,
	.stat = local_stat,
	.list = local_list,
	.glob = local_glob,
	.locate = local_locate,
	.open = local_open,
	.read = local_read,
	.close = local_close,
	.file_cost = LOCAL_FILE_COST,
	.reads_most = LOCAL_READS };
