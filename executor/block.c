#include "executor/block.h"

#include <errno.h>
#include <xxhash.h>

#include "executor/bytes.h"

enum { BLOCK_LAST = 1, BLOCK_PLAIN = 2 };
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

/* ---- Writing ---- */

void segment_writer_init(struct segment_writer *w, size_t block, int level, struct keep *keep)
{
	*w = (struct segment_writer){
		.keep = keep, .level = level, .raw = BUF_INIT(BLOCK_HEADER + BLOCK_RAW_MAX), .block = block
	};
}

void segment_writer_deinit(struct segment_writer *w)
{
	buf_deinit(&w->raw);
}

void segment_begin(struct segment_writer *w, uint64_t seed)
{
	w->seed = seed;
	w->records = w->largest = 0;
	w->block_records = 0;
	w->raw.len = w->raw.cap > 0 ? BLOCK_HEADER : 0;
}

/* Bytes of the open block's records. */
static size_t raw_bytes(const struct segment_writer *w)
{
	return w->raw.len > BLOCK_HEADER ? w->raw.len - BLOCK_HEADER : 0;
}

static void put_head(uint8_t *p, size_t stored, size_t raw, uint32_t records, uint32_t flags, uint64_t seed)
{
	put_le32(p, (uint32_t)stored);
	put_le32(p + 4, (uint32_t)raw);
	put_le32(p + 8, records);
	put_le32(p + 12, flags);
	put_le64(p + BLOCK_SUMMED, block_sum(p, stored, seed));
}

/* Appends the open block compressed. 1; 0: that would not be shorter; -ENOMEM. */
static int put_compressed(struct segment_writer *w, uint32_t flags, struct buf *out)
{
	size_t raw = raw_bytes(w), room = ZSTD_compressBound(raw);
	ZSTD_CCtx *zstd = keep_compress(w->keep);

	int r = zstd == NULL ? -ENOMEM : buf_reserve(out, BLOCK_HEADER + room);
	if (r < 0)
		return r;
	uint8_t *p = out->data + out->len;
	size_t n = ZSTD_compressCCtx(zstd, p + BLOCK_HEADER, room, w->raw.data + BLOCK_HEADER, raw, w->level);
	if (ZSTD_isError(n) || n >= raw)
		return 0;
	put_head(p, n, raw, w->block_records, flags, w->seed);
	out->len += BLOCK_HEADER + n;
	return 1;
}

/* Makes room for the header of the first block. */
static int make_room(struct segment_writer *w)
{
	if (w->raw.len >= BLOCK_HEADER)
		return 0;
	int r = buf_reserve(&w->raw, BLOCK_HEADER + w->block);
	if (r < 0)
		return r;
	w->raw.len = BLOCK_HEADER;
	w->full = BLOCK_HEADER + w->block;
	return 0;
}

static int block_close(struct segment_writer *w, uint32_t flags, struct buf *out)
{
	int r = make_room(w);

	if (r == 0 && w->level != 0 && raw_bytes(w) > 0)
		r = put_compressed(w, flags, out);
	if (r == 0) {
		put_head(w->raw.data, raw_bytes(w), raw_bytes(w), w->block_records, flags | BLOCK_PLAIN,
			w->seed);
		r = buf_add(out, w->raw.data, w->raw.len);
	}
	if (r < 0)
		return r;
	if (raw_bytes(w) > w->largest)
		w->largest = raw_bytes(w);
	w->seed++;
	w->block_records = 0;
	w->raw.len = BLOCK_HEADER;
	return 0;
}

static int add_record(struct segment_writer *w, int (*put)(struct buf *, quern_slice, quern_slice),
	quern_slice key, quern_slice value, struct buf *out)
{
	int r = make_room(w);

	/* A record that does not fit goes into a block of its own. */
	if (r == 0 && raw_bytes(w) > 0 && key.len + value.len >= w->block)
		r = block_close(w, 0, out);
	if (r == 0)
		r = put(&w->raw, key, value);
	if (r < 0)
		return r;
	w->records++;
	w->block_records++;
	return raw_bytes(w) >= w->block ? block_close(w, 0, out) : 0;
}

int segment_add_any(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out)
{
	return add_record(w, record_put_any, key, value, out);
}

int segment_add_optional(struct segment_writer *w, quern_slice key, quern_slice value, struct buf *out)
{
	return add_record(w, record_put_optional, key, value, out);
}

int segment_end(struct segment_writer *w, struct buf *out)
{
	return block_close(w, BLOCK_LAST, out);
}

/* ---- Reading ---- */

void segment_reader_init(struct segment_reader *r, uint64_t seed)
{
	*r = (struct segment_reader){ .seed = seed };
}

int segment_check(
	struct segment_reader *r, const uint8_t *data, size_t len, size_t *ret_len, struct block *ret)
{
	*ret_len = BLOCK_HEADER;
	if (r->last)
		return -EBADMSG;
	if (len < BLOCK_HEADER)
		return 0;

	struct block b = { .bytes = data + BLOCK_HEADER,
		.stored = get_le32(data),
		.raw = get_le32(data + 4),
		.records = get_le32(data + 8) };
	uint32_t flags = get_le32(data + 12);
	b.plain = (flags & BLOCK_PLAIN) != 0;
	if (b.raw > BLOCK_RAW_MAX || b.stored > b.raw || flags > (BLOCK_LAST | BLOCK_PLAIN) ||
		(b.plain && b.stored != b.raw))
		return -EBADMSG;
	*ret_len = BLOCK_HEADER + b.stored;
	if (len - BLOCK_HEADER < b.stored)
		return 0;
	if (block_sum(data, b.stored, r->seed) != get_le64(data + BLOCK_SUMMED))
		return -EBADMSG;
	r->last = (flags & BLOCK_LAST) != 0;
	r->seed++;
	r->bytes += *ret_len;
	*ret = b;
	return 1;
}

int block_unpack(const struct block *b, ZSTD_DCtx *zstd, struct buf *raw)
{
	buf_clear(raw);
	int r = buf_reserve(raw, b->raw > 0 ? b->raw : 1);
	if (r < 0 || zstd == NULL)
		return r == -EMSGSIZE ? -EBADMSG : -ENOMEM;
	if (b->plain)
		memcpy(raw->data, b->bytes, b->raw);
	else if (ZSTD_decompressDCtx(zstd, raw->data, b->raw, b->bytes, b->stored) != b->raw)
		return -EBADMSG;
	raw->len = b->raw;
	return 0;
}
