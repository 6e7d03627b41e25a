#include "cli/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"

/* The first of the two, below the program's folder, that can be read; *ret is made absolute. */
static int find(const char *dir, const char *built, const char *installed, char **ret, struct err *err)
{
	const char *places[] = { built, installed };

	for (size_t i = 0; i < 2; i++) {
		auto_free char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, places[i]) < 0) {
			path = NULL;
			return err_set(err, -ENOMEM, "out of memory");
		}
		*ret = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
		if (*ret != NULL)
			return 0;
	}
	return err_set(err, -ENOENT, "this installation is not whole: there is no %s/%s", dir, installed);
}

/* The suite itself is a link in the build tree, so the folder is known by a program in it. */
static void find_bench(const char *self, struct paths *ret, struct err *err)
{
	if (find(self, "../bench/quern-bench-neighbour", "../libexec/quern/bench/quern-bench-neighbour",
		    &ret->bench, err) == 0)
		*strrchr(ret->bench, '/') = '\0';
}

int paths_find(struct paths *ret, struct err *err)
{
	char self[PATH_MAX];

	*ret = (struct paths){ 0 };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return err_errno(err, -errno, "cannot find out where this program is");
	self[n] = '\0';
	ret->self = strdup(self);
	char *slash = strrchr(self, '/');
	if (ret->self == NULL || slash == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*slash = '\0';
	auto_free char *header = NULL;
	int r = find(self, "../include/quern/quern.h", "../include/quern/quern.h", &header, err);
	if (r < 0)
		return r;
	header[strlen(header) - strlen("/quern/quern.h")] = '\0';
	ret->include = strdup(header);
	if (ret->include == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r = find(self, "quern-stream.so", "../libexec/quern/quern-stream.so", &ret->stream, err);
	if (r == 0)
		find_bench(self, ret, err);
	if (r == 0)
		(void)find(self, "quern-driver.tar.gz", "../libexec/quern/quern-driver.tar.gz", &ret->driver,
			err);
	return r < 0 ? r
		     : find(self, "../executor/quern-executor.tar", "../libexec/quern/quern-executor.tar",
			       &ret->bundle, err);
}

void paths_deinit(struct paths *p)
{
	free(p->self);
	free(p->include);
	free(p->bundle);
	free(p->driver);
	free(p->stream);
	free(p->bench);
	*p = (struct paths){ 0 };
}
