#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"

/* The name is a file's in a folder of the executors' sandboxes, and goes through Mesos as text. */
static int check_name(const struct files *files, const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strchr(name, '/') != NULL)
		return err_set(err, -EINVAL, "'%s' is not the name of a file: write FILE#NAME", name);
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == '\x7f')
			return err_set(
				err, -EINVAL, "the name of a file has a control character: write FILE#NAME");
	for (size_t i = 0; i < files->list.n; i++)
		if (strcmp(files->list.at[i].name, name) == 0)
			return err_set(err, -EINVAL, "two files are named '%s': write FILE#NAME", name);
	return 0;
}

static int check_file(const char *path, struct shipped *file, struct err *err)
{
	struct stat st;

	/* Not to wait for the writer of a FIFO. */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "'%s': not a regular file", path);
	file->executable = (st.st_mode & S_IXUSR) != 0;
	file->path = realpath(path, NULL);
	return file->path == NULL ? err_errno(err, -errno, "'%s'", path) : 0;
}

/* `item` is changed. */
static int add(struct files *files, char *item, struct err *err)
{
	struct shipped file = { NULL };
	char *alias = strrchr(item, '#');
	const char *slash;

	if (alias != NULL)
		*alias++ = '\0';
	slash = strrchr(item, '/');
	const char *name = alias != NULL ? alias : slash != NULL ? slash + 1 : item;
	if (files->list.n == FILES_MAX)
		return err_set(err, -EINVAL, "more than %d files", FILES_MAX);
	int r = check_file(item, &file, err);
	if (r == 0)
		r = check_name(files, name, err);
	if (r == 0) {
		file.name = strdup(name);
		if (file.name == NULL || vec_push(&files->list, file) < 0)
			r = err_set(err, -ENOMEM, "out of memory");
	}
	if (r < 0) {
		free(file.path);
		free(file.name);
	}
	return r;
}

int files_parse(const char *value, struct files *files, struct err *err)
{
	auto_free char *copy = strdup(value);
	char *rest = copy;
	int r = copy == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;

	files_deinit(files);
	while (r == 0 && rest != NULL) {
		char *item = strsep(&rest, ",");

		r = *item != '\0' ? add(files, item, err)
				  : err_set(err, -EINVAL, "'%s': write FILE[#NAME],...", value);
	}
	return r;
}

void files_deinit(struct files *files)
{
	for (size_t i = 0; i < files->list.n; i++) {
		free(files->list.at[i].path);
		free(files->list.at[i].name);
	}
	vec_deinit(&files->list);
}
