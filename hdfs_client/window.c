#include "hdfs_client/window.h"

#include <string.h>

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void hdfs_window_init(
	struct hdfs_window *w, uint64_t from, uint64_t to, uint64_t size, uint64_t block_size, size_t memory)
{
	uint64_t piece = memory / HDFS_PIECES;

	*w = (struct hdfs_window){ .from = from,
		.to = min(to, size),
		.size = size,
		.block_size = block_size <= size ? block_size : 0,
		.parallel = 1,
		.small = HDFS_PIECE_MIN };
	w->piece_max = (size_t)min(piece > HDFS_PIECE_MIN ? piece : HDFS_PIECE_MIN, HDFS_PIECE_MAX);
}

static struct hdfs_piece *piece(struct hdfs_window *w, unsigned i)
{
	return &w->pieces[(w->first + i) % HDFS_PIECES];
}

static uint64_t end_of(const struct hdfs_piece *p)
{
	return p->offset + p->len;
}

static const struct hdfs_piece *piece_of(const struct hdfs_window *w, unsigned i)
{
	return &w->pieces[(w->first + i) % HDFS_PIECES];
}

bool hdfs_window_misses(const struct hdfs_window *w, uint64_t offset)
{
	if (w->n == 0)
		return false;
	if (offset < piece_of(w, 0)->offset || offset > end_of(piece_of(w, w->n - 1)))
		return true;
	for (unsigned i = 0; i < w->n && end_of(piece_of(w, i)) <= offset; i++)
		if (!piece_of(w, i)->over && piece_of(w, i)->filled < piece_of(w, i)->len)
			return true;
	return false;
}

bool hdfs_window_ends(const struct hdfs_window *w, uint64_t offset)
{
	for (unsigned i = 0; i < w->n && end_of(piece_of(w, i)) <= offset; i++)
		if (!piece_of(w, i)->over)
			return true;
	return false;
}

void hdfs_window_reset(struct hdfs_window *w)
{
	memset(w->pieces, 0, sizeof(w->pieces));
	w->first = w->n = 0;
	w->small = HDFS_PIECE_MIN;
}

struct hdfs_piece *hdfs_window_at(struct hdfs_window *w, uint64_t offset)
{
	while (w->n > 0 && end_of(piece(w, 0)) <= offset) {
		*piece(w, 0) = (struct hdfs_piece){ 0 };
		w->first = (w->first + 1) % HDFS_PIECES;
		w->n--;
	}
	return w->n > 0 ? piece(w, 0) : NULL;
}

static uint64_t next_end(struct hdfs_window *w, uint64_t offset)
{
	if (offset < w->from || offset >= w->to) { /* one does not know how much is wanted */
		uint64_t end = min(w->size, offset + w->small);

		w->small = (size_t)min(w->small * 2, w->piece_max);
		return offset < w->from ? min(end, w->from) : end;
	}
	uint64_t end = min(w->to, offset + w->piece_max);
	return w->block_size > 0 ? min(end, (offset / w->block_size + 1) * w->block_size) : end;
}

struct hdfs_piece *hdfs_window_next(struct hdfs_window *w, uint64_t offset)
{
	unsigned under_way = 0;
	uint64_t next = w->n > 0 ? end_of(piece(w, w->n - 1)) : offset;

	for (unsigned i = 0; i < w->n; i++)
		under_way += !piece(w, i)->over;
	if (next >= w->size || w->n == HDFS_PIECES || under_way >= w->parallel)
		return NULL;
	if ((next < w->from || next >= w->to) && w->n > 0) /* not ahead */
		return NULL;
	struct hdfs_piece *p = piece(w, w->n++);
	*p = (struct hdfs_piece){ .offset = next, .len = (size_t)(next_end(w, next) - next) };
	return p;
}

void hdfs_window_waits(struct hdfs_window *w)
{
	if (++w->waits >= HDFS_WAITS && w->parallel < HDFS_PIECES) {
		w->waits = 0;
		w->parallel++;
	}
}
