#include "hdfs_client/window.h"

#include <string.h>

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void hdfs_window_init(
	struct hdfs_window *w, uint64_t from, uint64_t to, uint64_t size, uint64_t block_size, size_t memory)
{
	*w = (struct hdfs_window){ .from = from,
		.to = min(to, size),
		.size = size,
		.block_size = block_size <= size ? block_size : 0,
		.memory = memory > HDFS_AHEAD_MIN ? memory : HDFS_AHEAD_MIN,
		.streams = 1 };
	hdfs_window_begin(w, from);
}

static struct hdfs_piece *piece(struct hdfs_window *w, unsigned i)
{
	return &w->pieces[(w->first + i) % HDFS_PIECES];
}

static uint64_t end_of(const struct hdfs_piece *p)
{
	return p->offset + p->len;
}

bool hdfs_window_misses(const struct hdfs_window *w, uint64_t offset)
{
	if (offset == w->at)
		return false;
	return w->n == 0 || offset < w->at || offset - w->at > HDFS_SKIP_MAX ||
	       offset >= end_of(&w->pieces[w->first]);
}

void hdfs_window_begin(struct hdfs_window *w, uint64_t offset)
{
	memset(w->pieces, 0, sizeof(w->pieces));
	w->first = w->n = 0;
	w->began = w->at = offset;
	w->small = HDFS_PIECE_MIN;
}

struct hdfs_piece *hdfs_window_first(struct hdfs_window *w)
{
	return w->n > 0 ? piece(w, 0) : NULL;
}

static uint64_t next_end(struct hdfs_window *w, uint64_t offset)
{
	if (offset < w->from || offset >= w->to) { /* one does not know how much is wanted */
		uint64_t end = min(w->size, offset + w->small);

		w->small = min(w->small * 2, HDFS_PIECE_MAX);
		return offset < w->from ? min(end, w->from) : end;
	}
	uint64_t end = min(w->to, offset + HDFS_PIECE_MAX);
	return w->block_size > 0 ? min(end, (offset / w->block_size + 1) * w->block_size) : end;
}

struct hdfs_piece *hdfs_window_next(struct hdfs_window *w)
{
	unsigned under_way = 0;
	uint64_t next = w->n > 0 ? end_of(piece(w, w->n - 1)) : w->at;

	for (unsigned i = 0; i < w->n; i++)
		under_way += !piece(w, i)->over;
	if (next >= w->size || w->n == HDFS_PIECES || under_way >= w->streams)
		return NULL;
	if ((next < w->from || next >= w->to) && w->n > 0) /* not ahead */
		return NULL;
	struct hdfs_piece *p = piece(w, w->n++);
	*p = (struct hdfs_piece){ .offset = next, .len = next_end(w, next) - next };
	return p;
}

void hdfs_window_waits(struct hdfs_window *w)
{
	if (w->streams < HDFS_STREAMS && ++w->waits >= HDFS_WAITS)
		w->streams++;
}

bool hdfs_window_take(struct hdfs_window *w, uint64_t n)
{
	w->at += n;
	return w->at == end_of(piece(w, 0));
}

void hdfs_window_drop(struct hdfs_window *w)
{
	*piece(w, 0) = (struct hdfs_piece){ 0 };
	w->first = (w->first + 1) % HDFS_PIECES;
	w->n--;
}

size_t hdfs_window_room(const struct hdfs_window *w, const struct hdfs_piece *p)
{
	uint64_t ahead = w->at - w->began;
	size_t room = (size_t)min(ahead > HDFS_AHEAD_MIN ? ahead : HDFS_AHEAD_MIN, w->memory);

	return p == &w->pieces[w->first] ? room : room - room / 8;
}
