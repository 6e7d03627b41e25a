#include "executor/cursor.h"

#include <errno.h>
#include <unistd.h>

void cursor_init(struct cursor *c, const struct stored *stored)
{
	*c = (struct cursor){ .stored = stored, .raw = BUF_INIT(BLOCK_RAW_MAX + BLOCK_HEADER) };
	segment_reader_init(&c->segment, stored->seed);
}

void cursor_deinit(struct cursor *c)
{
	buf_deinit(&c->raw);
}

/* Reads until `in` has `need` bytes of the next block. */
static int read_block(const struct cursor *c, struct buf *in, size_t need)
{
	const struct stored *s = c->stored;

	if (need > s->length - c->segment.bytes)
		return -EBADMSG;
	int r = buf_reserve(in, need - in->len);
	while (r == 0 && in->len < need) {
		ssize_t n = pread(s->fd, in->data + in->len, need - in->len,
			(off_t)(s->offset + c->segment.bytes + in->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		in->len += (size_t)n;
	}
	return r;
}

/* Puts the records of a block where they stay: they are there already if it was stored as they are. */
static int open_block(struct cursor *c, const struct block *b, struct cursor_room *room)
{
	int r = 0;

	if (b->plain) {
		struct buf other = c->raw;

		c->raw = room->in;
		room->in = other;
		c->p = c->raw.data + BLOCK_HEADER;
	} else {
		r = block_unpack(b, keep_decompress(room->keep), &c->raw);
		c->p = c->raw.data;
	}
	c->end = c->p + b->raw;
	c->left = b->records;
	return r;
}

static int load(struct cursor *c, struct cursor_room *room)
{
	size_t need = 0;
	struct block b;
	int r;

	buf_clear(&room->in);
	while ((r = segment_check(&c->segment, room->in.data, room->in.len, &need, &b)) == 0) {
		r = read_block(c, &room->in, need);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : open_block(c, &b, room);
}

int cursor_next_block(struct cursor *c, struct cursor_room *room)
{
	while (c->p == c->end) {
		if (c->left > 0)
			return -EBADMSG;
		if (c->segment.last)
			return c->segment.bytes == c->stored->length ? 0 : -EBADMSG;
		int r = load(c, room);
		if (r < 0)
			return r;
	}
	return c->left > 0 ? cursor_next(c, room) : -EBADMSG;
}
