/* file.h: an input as a file that has a path. */
#ifndef QUERN_TESTS_FUZZ_FILE_H
#define QUERN_TESTS_FUZZ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

struct fuzz_file {
	int fd;
	char path[64];
};

static inline struct fuzz_file fuzz_file_open(const uint8_t *data, size_t size)
{
	struct fuzz_file f = { .fd = memfd_create("input", MFD_CLOEXEC) };

	if (f.fd < 0 || write(f.fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static inline void fuzz_file_close(const struct fuzz_file *f)
{
	(void)close(f->fd);
}

/* Reads one, as struct frames_file wants it. */
static inline ssize_t fuzz_file_read(void *file, void *to, size_t len, uint64_t offset, struct err *err)
{
	const struct fuzz_file *f = file;

	(void)err;
	return pread(f->fd, to, len, (off_t)offset);
}

#endif
