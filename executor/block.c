#include "executor/block.h"

#include <errno.h>
#include <xxhash.h>

#include "executor/bytes.h"
#include "job/records.h"

enum { BLOCK_LAST = 1, BLOCK_PLAIN = 2, BLOCK_LEVEL = 1 /* of zstd: the network is faster than level 3 */ };
enum { BLOCK_SUMMED = 16 }; /* bytes of the header that the sum covers */

uint64_t segment_seed(uint32_t shuffle, uint32_t map, uint32_t attempt, uint32_t partition)
{
	uint8_t id[16];

	put_le32(id, shuffle);
	put_le32(id + 4, map);
	put_le32(id + 8, attempt);
	put_le32(id + 12, partition);
	return XXH64(id, sizeof(id), 0);
}

/* Of a header and the stored bytes behind it. */
static uint64_t block_sum(const uint8_t *header, size_t stored, uint64_t seed)
{
	uint64_t head = XXH64(header, BLOCK_SUMMED, seed);

	return XXH64(header + BLOCK_HEADER, stored, head);
}

int segment_writer_init(struct segment_writer *w, size_t block)
{
	*w = (struct segment_writer){ .raw = BUF_INIT(BLOCK_RAW_MAX), .block = block };
	w->zstd = ZSTD_createCCtx();
	return w->zstd == NULL ? -ENOMEM : 0;
}

void segment_writer_deinit(struct segment_writer *w)
{
	(void)ZSTD_freeCCtx(w->zstd);
	w->zstd = NULL;
	buf_deinit(&w->raw);
}

void segment_begin(struct segment_writer *w, uint64_t seed)
{
	w->seed = seed;
	w->records = 0;
	w->block_records = 0;
	buf_clear(&w->raw);
}

/* Puts the records, as they are or compressed, behind the header at `p`, which has room. */
static size_t block_store(struct segment_writer *w, uint8_t *p, size_t room, uint32_t *flags)
{
	size_t n = ZSTD_compressCCtx(w->zstd, p + BLOCK_HEADER, room, w->raw.data, w->raw.len, BLOCK_LEVEL);

	if (!ZSTD_isError(n) && n < w->raw.len)
		return n;
	*flags |= BLOCK_PLAIN;
	if (w->raw.len > 0)
		memcpy(p + BLOCK_HEADER, w->raw.data, w->raw.len);
	return w->raw.len;
}

static int block_close(struct segment_writer *w, uint32_t flags, struct buf *out)
{
	size_t room = ZSTD_compressBound(w->raw.len);

	int r = buf_reserve(out, BLOCK_HEADER + room);
	if (r < 0)
		return r;
	uint8_t *p = out->data + out->len;
	size_t stored = block_store(w, p, room, &flags);
	put_le32(p, (uint32_t)stored);
	put_le32(p + 4, (uint32_t)w->raw.len);
	put_le32(p + 8, w->block_records);
	put_le32(p + 12, flags);
	put_le64(p + BLOCK_SUMMED, block_sum(p, stored, w->seed++));
	out->len += BLOCK_HEADER + stored;
	w->block_records = 0;
	buf_clear(&w->raw);
	return 0;
}

int segment_add(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out)
{
	int r = 0;

	/* A record that does not fit goes into a block of its own. */
	if (w->raw.len > 0 && key.len + value.len >= w->block)
		r = block_close(w, 0, out);
	if (r == 0)
		r = record_put(&w->raw, key, value);
	if (r < 0)
		return r;
	w->records++;
	w->block_records++;
	return w->raw.len >= w->block ? block_close(w, 0, out) : 0;
}

int segment_end(struct segment_writer *w, struct buf *out)
{
	return block_close(w, BLOCK_LAST, out);
}

void segment_reader_init(struct segment_reader *r, ZSTD_DCtx *zstd, uint64_t seed)
{
	*r = (struct segment_reader){ .zstd = zstd, .seed = seed, .raw = BUF_INIT(BLOCK_RAW_MAX) };
}

void segment_reader_deinit(struct segment_reader *r)
{
	buf_deinit(&r->raw);
}

/* Fills r->raw, which is empty, from a block whose sum is right. */
static int block_load(struct segment_reader *r, const uint8_t *stored, size_t n, size_t raw, uint32_t flags)
{
	int e = buf_reserve(
		&r->raw, raw > 0 ? raw : 1); /* r->raw.data is for arithmetic also when it is empty */

	if (e < 0)
		return e;
	if (flags & BLOCK_PLAIN) {
		if (n != raw)
			return -EBADMSG;
		if (n > 0)
			memcpy(r->raw.data, stored, n);
	} else if (ZSTD_decompressDCtx(r->zstd, r->raw.data, raw, stored, n) != raw) {
		return -EBADMSG;
	}
	r->raw.len = raw;
	return 0;
}

int segment_take(struct segment_reader *r, const uint8_t *data, size_t len, size_t *ret)
{
	*ret = BLOCK_HEADER;
	if (r->last)
		return -EBADMSG;
	if (len < BLOCK_HEADER)
		return 0;

	size_t stored = get_le32(data), raw = get_le32(data + 4);
	uint32_t flags = get_le32(data + 12);
	if (raw > BLOCK_RAW_MAX || stored > raw || flags > (BLOCK_LAST | BLOCK_PLAIN))
		return -EBADMSG;
	*ret = BLOCK_HEADER + stored;
	if (len - BLOCK_HEADER < stored)
		return 0;
	if (block_sum(data, stored, r->seed) != get_le64(data + BLOCK_SUMMED))
		return -EBADMSG;

	buf_clear(&r->raw);
	int e = block_load(r, data + BLOCK_HEADER, stored, raw, flags);
	if (e < 0)
		return e == -EMSGSIZE ? -EBADMSG : e;
	r->records = get_le32(data + 8);
	r->last = (flags & BLOCK_LAST) != 0;
	r->seed++;
	r->bytes += *ret;
	return 1;
}
