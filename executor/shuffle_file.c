#include "executor/shuffle_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/auto.h"
#include "executor/block.h"
#include "executor/bytes.h"
#include "executor/task.h"

enum { ENTRY_SUMMED = 32, FOOTER_SUMMED = 32, FILE_VERSION = 2 };
static const uint64_t file_magic = 0x50414d4e52455551; /* "QUERNMAP" */

int shuffle_file_name(char *ret, size_t size, uint32_t shuffle, uint32_t map, uint32_t attempt)
{
	int n = snprintf(ret, size, "%u-%u-%u.map", shuffle, map, attempt);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

void shuffle_drop(const char *shuffle_dir, uint32_t shuffle)
{
	char prefix[16];
	DIR *d = opendir(shuffle_dir);

	if (d == NULL)
		return;
	int n = snprintf(prefix, sizeof(prefix), "%u-", shuffle);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, prefix, (size_t)n) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}

static uint64_t entry_sum(const uint8_t *entry, const struct shuffle_name *name, uint32_t partition)
{
	return XXH64(entry, ENTRY_SUMMED, segment_seed(name->shuffle, name->map, name->attempt, partition));
}

void shuffle_entry_put(uint8_t to[SHUFFLE_ENTRY], const struct shuffle_name *name, uint32_t partition,
	const struct shuffle_segment *s)
{
	put_le64(to, s->offset);
	put_le64(to + 8, s->length);
	put_le64(to + 16, s->records);
	put_le64(to + 24, s->largest);
	put_le64(to + ENTRY_SUMMED, entry_sum(to, name, partition));
}

void shuffle_footer_put(uint8_t to[SHUFFLE_FOOTER], const struct shuffle_name *name, uint32_t partitions)
{
	put_le64(to, file_magic);
	put_le32(to + 8, FILE_VERSION);
	put_le32(to + 12, name->shuffle);
	put_le32(to + 16, name->map);
	put_le32(to + 20, name->attempt);
	put_le32(to + 24, partitions);
	put_le32(to + 28, 0);
	put_le64(to + FOOTER_SUMMED, XXH64(to, FOOTER_SUMMED, 0));
}

int shuffle_footer_parse(const uint8_t from[SHUFFLE_FOOTER], uint64_t size, const struct shuffle_name *name,
	struct shuffle_index *ret)
{
	uint64_t partitions = get_le32(from + 24), tail = SHUFFLE_FOOTER + partitions * SHUFFLE_ENTRY;

	if (get_le64(from) != file_magic || get_le32(from + 8) != FILE_VERSION ||
		get_le32(from + 12) != name->shuffle || get_le32(from + 16) != name->map ||
		get_le32(from + 20) != name->attempt || tail > size ||
		get_le64(from + FOOTER_SUMMED) != XXH64(from, FOOTER_SUMMED, 0))
		return -EBADMSG;
	ret->partitions = (uint32_t)partitions;
	ret->entries = size - tail;
	return 0;
}

int shuffle_entry_parse(const uint8_t from[SHUFFLE_ENTRY], const struct shuffle_index *index,
	const struct shuffle_name *name, uint32_t partition, struct shuffle_segment *ret)
{
	struct shuffle_segment s = { get_le64(from), get_le64(from + 8), get_le64(from + 16),
		get_le64(from + 24) };

	if (get_le64(from + ENTRY_SUMMED) != entry_sum(from, name, partition) || s.offset > index->entries ||
		s.length > index->entries - s.offset || s.length < BLOCK_HEADER)
		return -EBADMSG;
	*ret = s;
	return 0;
}

/* Reads exactly `n` bytes. */
static int read_at(int fd, uint64_t at, uint8_t *to, size_t n)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EBADMSG;
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int shuffle_file_open(
	const char *dir, const struct shuffle_name *name, int *ret_fd, struct shuffle_index *ret_index)
{
	char file[SHUFFLE_NAME];
	auto_free char *path = NULL;
	uint8_t footer[SHUFFLE_FOOTER];
	struct stat st;

	int r = shuffle_file_name(file, sizeof(file), name->shuffle, name->map, name->attempt);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s", dir, file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < SHUFFLE_FOOTER)
		return -EBADMSG;
	r = read_at(fd, (uint64_t)st.st_size - SHUFFLE_FOOTER, footer, sizeof(footer));
	if (r == 0)
		r = shuffle_footer_parse(footer, (uint64_t)st.st_size, name, ret_index);
	if (r < 0)
		return r;
	*ret_fd = fd, fd = -1;
	return 0;
}

int shuffle_file_find(int fd, const struct shuffle_index *index, const struct shuffle_name *name,
	uint32_t partition, struct shuffle_segment *ret)
{
	uint8_t entry[SHUFFLE_ENTRY];

	if (partition >= index->partitions)
		return -ENOENT;
	int r = read_at(fd, index->entries + (uint64_t)partition * SHUFFLE_ENTRY, entry, sizeof(entry));
	return r < 0 ? r : shuffle_entry_parse(entry, index, name, partition, ret);
}
