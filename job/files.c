#include "job/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <quern/quern.h>

#include "base/vec.h"

/* A path that was given out: it stays. */
struct given {
	char *name, *path;
};

static const char *folder;
static VEC(struct given) given;

static const char *find(const char *name)
{
	for (size_t i = 0; i < given.n; i++)
		if (strcmp(given.at[i].name, name) == 0)
			return given.at[i].path;
	return NULL;
}

static int add(char *name, char *path)
{
	const struct given g = { name, path };

	return vec_push(&given, g);
}

void files_in(const char *path)
{
	folder = path;
}

void files_at(char *const *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (add(pairs[2 * i], pairs[2 * i + 1]) < 0)
			quern_fail("out of memory");
}

/* Of a file in the folder, if it is there. */
static const char *look(const char *name)
{
	char *path = NULL, *copy = strdup(name);
	struct stat st;

	if (copy == NULL || asprintf(&path, "%s/%s", folder, name) < 0)
		quern_fail("out of memory");
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		if (add(copy, path) < 0)
			quern_fail("out of memory");
		return path;
	}
	free(copy);
	free(path);
	return NULL;
}

const char *quern_file_path(const char *name)
{
	const char *path = find(name);

	if (path == NULL && folder != NULL && name[0] != '\0' && strchr(name, '/') == NULL)
		path = look(name);
	if (path == NULL)
		quern_fail(
			"quern_file_path(): no file '%.200s' came with the job: name it with --files", name);
	return path;
}
