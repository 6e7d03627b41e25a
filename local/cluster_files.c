/* cluster_files.c: files of sandboxes for operators: FilesProcess::_read() in src/files/files.cpp of Apache
 * Mesos. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "local/cluster_parts.h"
#include "local/server.h"

enum { READ_PAGES = 16 }; /* at a time at most */

static int refuse(struct server_answer *a, int status, const char *text)
{
	a->status = status;
	(void)snprintf(a->text, sizeof(a->text), "%s", text);
	return 0;
}

/* The descriptor, or -1 after a refusal. Links that lead out of the folder are no way to other files. */
static int open_below(const char *folder, const char *path, struct server_answer *a)
{
	auto_free char *real = path[0] == '/' ? realpath(path, NULL) : NULL;
	auto_free char *top = realpath(folder, NULL);
	struct stat st;
	size_t len = top != NULL ? strlen(top) : 0;

	if (real == NULL || top == NULL || strncmp(real, top, len) != 0 || real[len] != '/') {
		(void)refuse(a, 404, "404 Not Found.");
		return -1;
	}
	int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)refuse(
		a, fd < 0 ? 500 : 400, fd < 0 ? "Failed to open the file.\n" : "Cannot read a directory.\n");
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int read_part(int fd, const Mesos__V1__Agent__Call__ReadFile *what,
	Mesos__V1__Agent__Response__ReadFile *to, struct server_answer *a)
{
	const uint64_t most = (uint64_t)READ_PAGES * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t length = what->has_length && what->length < most ? what->length : most;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(a, 500, "Failed to open the file.\n");
	to->size = (uint64_t)st.st_size;
	if (what->offset >= to->size || length == 0)
		return 0;
	to->data.data = malloc(length);
	if (to->data.data == NULL)
		return -ENOMEM;
	ssize_t n = pread(fd, to->data.data, length, (off_t)what->offset);
	if (n < 0)
		return refuse(a, 500, "Failed to read the file.\n");
	to->data.len = (size_t)n;
	return 0;
}

int cluster_read_file(
	const char *folder, const Mesos__V1__Agent__Call__ReadFile *what, struct server_answer *ret)
{
	auto_close int fd = open_below(folder, what->path, ret);
	if (fd < 0)
		return 0;

	Mesos__V1__Agent__Response *answer = malloc(sizeof(*answer));
	if (answer == NULL)
		return -ENOMEM;
	mesos__v1__agent__response__init(answer);
	answer->has_type = 1;
	answer->type = MESOS__V1__AGENT__RESPONSE__TYPE__READ_FILE;
	answer->read_file = malloc(sizeof(*answer->read_file));
	int r = answer->read_file != NULL ? 0 : -ENOMEM;
	if (r == 0) {
		mesos__v1__agent__response__read_file__init(answer->read_file);
		r = read_part(fd, what, answer->read_file, ret);
	}
	if (r == 0 && ret->status == 200)
		ret->message = &answer->base;
	else
		mesos__v1__agent__response__free_unpacked(answer, NULL);
	return r;
}
