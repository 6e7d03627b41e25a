/* cache_write.c: the writing half of cache_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "executor/bytes.h"
#include "executor/cache_place.h"

enum {
	LEVEL = 1, /* of zstd: what is kept is read many times, and its making is waited for */
	KEPT = 4 << 20
};

struct cache_writer {
	struct quern_out in;
	int fd; /* -1: gave up */
	bool compressed, too_large;
	uint64_t bytes, *left;
	struct buf raw, packed;
	ZSTD_CCtx *zstd;
};

/* What was written is of no use: the memory goes back at once. */
static void give_up(struct cache_writer *w)
{
	(void)ftruncate(w->fd, 0);
	(void)close(w->fd);
	w->fd = -1;
	*w->left += w->bytes;
	w->bytes = 0;
	buf_deinit(&w->raw);
	buf_deinit(&w->packed);
}

static void write_out(struct cache_writer *w, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (w->fd >= 0 && len > *w->left) {
		w->too_large = true;
		give_up(w);
	}
	if (w->fd >= 0) {
		*w->left -= len;
		w->bytes += len;
	}
	while (w->fd >= 0 && len > 0) {
		ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			give_up(w); /* no memory, or none of shared memory's */
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

static void pack_raw(struct cache_writer *w)
{
	size_t room = ZSTD_compressBound(w->raw.len);

	buf_clear(&w->packed);
	if (buf_reserve(&w->packed, CACHE_BLOCK_HEADER + room) < 0) {
		give_up(w);
		return;
	}
	uint8_t *p = w->packed.data;
	size_t n = ZSTD_compressCCtx(w->zstd, p + CACHE_BLOCK_HEADER, room, w->raw.data, w->raw.len, LEVEL);
	if (ZSTD_isError(n)) {
		give_up(w);
		return;
	}
	put_le32(p, (uint32_t)w->raw.len);
	put_le32(p + 4, (uint32_t)n);
	write_out(w, p, CACHE_BLOCK_HEADER + n);
}

static void flush(struct cache_writer *w)
{
	if (w->fd < 0 || w->raw.len == 0)
		return;
	if (w->compressed)
		pack_raw(w);
	else
		write_out(w, w->raw.data, w->raw.len);
	if (w->raw.cap > KEPT) /* a large record is rare: its memory is not kept for the next */
		buf_deinit(&w->raw);
	else
		buf_clear(&w->raw);
}

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct cache_writer *w = (struct cache_writer *)out;
	size_t all = record_size_optional(key, value);

	if (w->fd < 0)
		return;
	/* One that fills a block by itself makes no hole in front of it. */
	if (w->raw.len > 0 && w->raw.len + all > CACHE_BLOCK)
		flush(w);
	if (w->fd >= 0 && !w->compressed && all > *w->left)
		w->too_large = true;
	if (w->fd >= 0 &&
		(w->too_large || all > CACHE_BLOCK_MAX || record_put_optional(&w->raw, key, value) < 0))
		give_up(w);
}

int cache_writer_new(
	const struct cache_place *place, bool compressed, uint64_t *left, struct cache_writer **ret)
{
	struct cache_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->in.emit = take;
	w->compressed = compressed;
	w->left = left;
	w->raw = BUF_INIT(CACHE_BLOCK_MAX + CACHE_BLOCK);
	w->packed = BUF_INIT(SIZE_MAX);
	w->fd = cache_place_open(place, O_RDWR);
	if (compressed)
		w->zstd = ZSTD_createCCtx();
	if (w->fd < 0 || (compressed && w->zstd == NULL)) {
		int r = w->fd < 0 ? w->fd : -ENOMEM;

		(void)cache_writer_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct quern_out *cache_writer_in(struct cache_writer *w)
{
	return &w->in;
}

bool cache_writer_finish(struct cache_writer *w, uint64_t *ret_bytes)
{
	flush(w);
	if (w->fd < 0)
		return false;
	if (fcntl(w->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		give_up(w);
		return false;
	}
	*ret_bytes = w->bytes;
	return true;
}

bool cache_writer_too_large(const struct cache_writer *w)
{
	return w->too_large;
}

struct cache_writer *cache_writer_free(struct cache_writer *w)
{
	if (w == NULL)
		return NULL;
	if (w->fd >= 0)
		(void)close(w->fd);
	buf_deinit(&w->raw);
	buf_deinit(&w->packed);
	(void)ZSTD_freeCCtx(w->zstd);
	free(w);
	return NULL;
}
