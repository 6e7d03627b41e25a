/* What a command prints on its standard error, from anywhere: however it is cut into pieces, the same is
 * counted and kept, and what is passed on is no longer than what came. */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "executor/reports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, const char *group, const char *name, int64_t n)
{
	int64_t *sum = arg;

	assert(group[0] != '\0' && name[0] != '\0');
	*sum = (int64_t)((uint64_t)*sum * 31 + (uint64_t)n);
}

/* How many bytes were passed on. */
static off_t feed(struct reports *r, int64_t *sum, const uint8_t *data, size_t size, size_t piece)
{
	int fd = memfd_create("reports", MFD_CLOEXEC);

	assert(fd >= 0);
	*sum = 0;
	reports_init(r, fd, count, sum);
	for (size_t i = 0; i < size; i += piece)
		reports_take(r, (const char *)data + i, piece < size - i ? piece : size - i);
	reports_end(r);
	reports_deinit(r);
	off_t n = lseek(fd, 0, SEEK_END);
	(void)close(fd);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reports whole, cut;
	int64_t a, b;

	off_t n = feed(&whole, &a, data, size, size + 1);
	off_t m = feed(&cut, &b, data, size, 7);
	assert(n == m && n >= 0 && (size_t)n <= size && a == b);
	assert(strcmp(whole.last, cut.last) == 0 && strcmp(whole.status, cut.status) == 0);
	return 0;
}
