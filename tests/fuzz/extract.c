/* Archives, unpacked in a folder of their own beside which a file lies: whatever the archive says, that file
 * stays as it is, and nothing appears beside it. The first byte is the way: archive or single file. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local/extract.h"
#include "local/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "stays as it is";
static const struct extract_limits limits = { .bytes = 1 << 20, .entries = 1000 };

static void write_file(const char *name, const void *data, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
}

static void check_outside(const char *top)
{
	char path[4096], now[sizeof(text)] = "";
	size_t n = 0;

	DIR *d = opendir(top);
	assert(d != NULL);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	assert(n == 4); /* ".", "..", "box", "outside" */
	(void)snprintf(path, sizeof(path), "%s/outside", top);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	assert(fd >= 0 && read(fd, now, sizeof(now)) == (ssize_t)sizeof(text) - 1);
	assert(memcmp(now, text, sizeof(text) - 1) == 0);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "in.tar", "in.zip", "in.txt.gz" };
	char top[] = "/tmp/quern-fuzz-XXXXXX";
	struct err err = { "" };

	if (size == 0)
		return 0;
	const char *name = names[data[0] % 3];
	int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (before < 0 || mkdtemp(top) == NULL || chdir(top) < 0 || mkdir("box", 0700) < 0)
		abort();
	write_file("outside", text, sizeof(text) - 1);
	if (chdir("box") < 0)
		abort();
	write_file(name, data + 1, size - 1);
	int r = extract_is_gzip(name) ? extract_gzip(name, &limits, &err) : extract_here(name, &limits, &err);
	assert(r == 0 || (r < 0 && err.text[0] != '\0'));
	check_outside(top);
	if (fchdir(before) < 0)
		abort();
	(void)close(before);
	assert(sandbox_remove(top, &err) == 0);
	return 0;
}
