#include "executor/shuffle_write.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/write.h"
#include "executor/block.h"
#include "executor/task.h"

enum { WRITE_SIZE = 512 << 10 }; /* bytes written at a time, at least */

struct shuffle_writer {
	struct shuffle_name name;
	uint32_t partitions;
	uint32_t partition; /* of the open segment */
	uint64_t segment;   /* offset at which it began */
	uint64_t records;
	uint64_t written; /* bytes in the file; behind them come those in `out` */
	int fd;
	char *path, *temporary; /* temporary is NULL once the file has its name */
	uint8_t *entries;
	struct segment_writer segments;
	struct buf out;
};

static int write_failed(struct shuffle_writer *w, int code, struct err *err)
{
	return err_errno(err, code, "map output '%s'", w->path);
}

static void begin_segment(struct shuffle_writer *w)
{
	w->segment = w->written + w->out.len;
	segment_begin(
		&w->segments, segment_seed(w->name.shuffle, w->name.map, w->name.attempt, w->partition));
}

static int open_file(struct shuffle_writer *w, const char *dir, struct err *err)
{
	char file[SHUFFLE_NAME];

	int r = shuffle_file_name(file, sizeof(file), w->name.shuffle, w->name.map, w->name.attempt);
	if (r < 0)
		return err_errno(err, r, "map output");
	if (asprintf(&w->path, "%s/%s", dir, file) < 0) {
		w->path = NULL;
		return err_set(err, -ENOMEM, "map output: out of memory");
	}
	if (asprintf(&w->temporary, "%s.part", w->path) < 0) {
		w->temporary = NULL;
		return err_set(err, -ENOMEM, "map output: out of memory");
	}
	w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return w->fd < 0 ? write_failed(w, -errno, err) : 0;
}

int shuffle_writer_new(
	const struct shuffle_write_config *config, struct shuffle_writer **ret, struct err *err)
{
	uint32_t partitions = config->partitions;

	if (partitions == 0 || partitions > SHUFFLE_PARTITIONS_MAX)
		return err_set(err, -EINVAL, "map output: %u partitions: must be 1 to %d", partitions,
			SHUFFLE_PARTITIONS_MAX);

	auto_shuffle_writer struct shuffle_writer *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return err_set(err, -ENOMEM, "map output: out of memory");
	w->name = config->name;
	w->partitions = partitions;
	w->fd = -1;
	w->out = BUF_INIT(SIZE_MAX / 2);
	w->entries = calloc(partitions, SHUFFLE_ENTRY);
	segment_writer_init(&w->segments, BLOCK_RAW, config->level, config->keep);
	if (w->entries == NULL)
		return err_set(err, -ENOMEM, "map output: out of memory");
	int r = open_file(w, config->dir, err);
	if (r < 0)
		return r;
	begin_segment(w);
	*ret = w, w = NULL;
	return 0;
}

static int flush(struct shuffle_writer *w, struct err *err)
{
	int r = write_all(w->fd, w->out.data, w->out.len);
	if (r < 0)
		return write_failed(w, r, err);
	w->written += w->out.len;
	buf_clear(&w->out);
	return 0;
}

/* Ends the open segment and writes its entry. */
static int end_segment(struct shuffle_writer *w, struct err *err)
{
	int r = segment_end(&w->segments, &w->out);
	if (r < 0)
		return write_failed(w, r, err);

	struct shuffle_segment s = { .offset = w->segment,
		.length = w->written + w->out.len - w->segment,
		.records = w->segments.records,
		.largest = w->segments.largest };
	shuffle_entry_put(w->entries + (size_t)w->partition * SHUFFLE_ENTRY, &w->name, w->partition, &s);
	w->records += s.records;
	return w->out.len >= WRITE_SIZE ? flush(w, err) : 0;
}

/* Ends segments until that of `partition` is open. */
static int go_to(struct shuffle_writer *w, uint32_t partition, struct err *err)
{
	while (w->partition < partition) {
		int r = end_segment(w, err);

		if (r < 0)
			return r;
		w->partition++;
		begin_segment(w);
	}
	return 0;
}

int shuffle_writer_add(
	struct shuffle_writer *w, uint32_t partition, quern_slice key, quern_slice value, struct err *err)
{
	assert(partition >= w->partition && partition < w->partitions);
	int r = go_to(w, partition, err);
	if (r < 0)
		return r;
	r = segment_add(&w->segments, key, value, &w->out);
	if (r < 0)
		return err_errno(err, r, "map output: a record of %zu bytes", key.len + value.len);
	return w->out.len >= WRITE_SIZE ? flush(w, err) : 0;
}

int shuffle_writer_finish(struct shuffle_writer *w, struct err *err)
{
	uint8_t footer[SHUFFLE_FOOTER];

	int r = go_to(w, w->partitions - 1, err);
	if (r == 0)
		r = end_segment(w, err);
	if (r < 0)
		return r;
	shuffle_footer_put(footer, &w->name, w->partitions);
	if (buf_add(&w->out, w->entries, (size_t)w->partitions * SHUFFLE_ENTRY) < 0 ||
		buf_add(&w->out, footer, sizeof(footer)) < 0)
		return write_failed(w, -ENOMEM, err);
	r = flush(w, err);
	if (r < 0)
		return r;
	/* close() may be the one to say that the disk is full or the server of a mount is gone. */
	int fd = w->fd;
	w->fd = -1;
	if (close(fd) < 0 || rename(w->temporary, w->path) < 0)
		return write_failed(w, -errno, err);
	free(w->temporary);
	w->temporary = NULL;
	return 0;
}

uint64_t shuffle_writer_records(const struct shuffle_writer *w)
{
	return w->records;
}

uint64_t shuffle_writer_bytes(const struct shuffle_writer *w)
{
	return w->written;
}

struct shuffle_writer *shuffle_writer_free(struct shuffle_writer *w)
{
	if (w == NULL)
		return NULL;
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->temporary != NULL)
		(void)unlink(w->temporary);
	free(w->temporary);
	free(w->path);
	free(w->entries);
	segment_writer_deinit(&w->segments);
	buf_deinit(&w->out);
	free(w);
	return NULL;
}
