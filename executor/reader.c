#include "executor/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where in the file the next line begins. */
static uint64_t position(const struct reader *r)
{
	return r->base + r->at;
}

static void open_decoder(struct reader *r, const Quern__Extent *x, struct flow *flow)
{
	struct err err;

	if (r->decoder == NULL && decoder_new(&r->decoder) < 0) {
		flow_fail(flow, -ENOMEM, false, "input '%s': out of memory", x->path);
		return;
	}
	int e = decoder_start(r->decoder, &r->file, &err);
	if (e < 0)
		extent_failed(&r->file, e, &err, flow);
	r->end = UINT64_MAX; /* until it is known */
}

static void reader_open(struct reader *r, const Quern__Extent *x, struct flow *flow)
{
	if (!extent_open(&r->file, x, r->keep, flow))
		return;
	r->end = x->offset + x->length;
	r->coded = x->codec != QUERN__CODEC__PLAIN;
	if (r->coded)
		open_decoder(r, x, flow);
}

/* Makes room behind what was read: drops the lines that were given, or grows for a line that fills all. */
static bool make_room(struct reader *r, const Quern__Extent *x, struct flow *flow)
{
	if (r->at > 0) {
		memmove(r->data, r->data + r->at, r->len - r->at);
		r->base += r->at;
		r->len -= r->at;
		r->at = 0;
	}
	if (r->len < r->cap)
		return true;
	if (r->cap >= READER_LINE_MAX) {
		flow_fail(flow, -EFBIG, true, "input '%s': %s byte %llu is longer than %d bytes", x->path,
			r->coded ? "a line behind" : "the line at",
			(unsigned long long)(r->coded ? x->offset : r->base), READER_LINE_MAX);
		return false;
	}
	size_t cap = r->cap == 0 ? READER_BUFFER : r->cap * 2;
	uint8_t *data = realloc(r->data, cap + FLOW_WIDE);
	if (data == NULL) {
		flow_fail(flow, -ENOMEM, false, "input '%s': out of memory for a line of %zu bytes", x->path,
			r->len);
		return false;
	}
	r->data = data;
	r->cap = cap;
	return true;
}

/* Decodes more, behind what was read. false: there is no more, or it failed. */
static bool decode(struct reader *r, struct flow *flow)
{
	struct err err;

	ssize_t n = decoder_read(r->decoder, r->data + r->len, r->cap - r->len, &err);
	if (n < 0)
		extent_failed(&r->file, (int)n, &err, flow);
	else if (decoder_end(r->decoder) != UINT64_MAX)
		r->end = decoder_end(r->decoder) + 1; /* one that begins right there is still ours */
	if (n <= 0)
		return false;
	r->len += (size_t)n;
	return true;
}

/* Reads more. false: there is no more, or it failed. */
static bool fill(struct reader *r, const Quern__Extent *x, struct flow *flow)
{
	struct err err;

	if (!make_room(r, x, flow))
		return false;
	if (r->coded)
		return decode(r, flow);
	uint64_t offset = r->base + r->len;
	ssize_t n = extent_some(
		&r->file, r->data + r->len, extent_worth(&r->file, r->cap - r->len, offset), offset, &err);
	if (n < 0)
		extent_failed(&r->file, (int)n, &err, flow);
	if (n <= 0)
		return false;
	r->len += (size_t)n;
	return true;
}

/* Goes to the extent's first line: the first that begins at `offset` or later, where the byte before decides
 * whether one begins there; of a compressed one, the first that begins behind its first byte. */
static void seek_line(struct reader *r, const Quern__Extent *x, struct flow *flow)
{
	r->len = r->at = r->scanned = 0;
	r->base = r->coded ? 0 : x->offset;
	if (x->offset == 0)
		return;
	if (!r->coded)
		r->base--;
	while (position(r) < r->end && fill(r, x, flow)) {
		const uint8_t *newline = memchr(r->data, '\n', r->len);

		r->at = newline == NULL ? r->len : (size_t)(newline - r->data) + 1;
		if (newline != NULL)
			return;
	}
}

/* What lies in the buffer may be read beyond its end. */
static void announce_buffer(const struct reader *r, struct flow *flow)
{
	flow->wide = (uintptr_t)r->data;
	flow->wide_len = r->len;
}

/* Gives the lines that are whole in the buffer. */
static void give_whole_lines(struct reader *r, struct quern_out *out, struct flow *flow)
{
	const uint8_t *p = r->data + r->at, *read_end = r->data + r->len;
	const uint8_t *last = r->end - r->base < r->len ? r->data + (r->end - r->base) : read_end;
	const uint8_t *from = p + r->scanned;
	uint64_t records = 0;

	announce_buffer(r, flow);
	while (p < last && !flow->stop) {
		const uint8_t *newline = memchr(from, '\n', (size_t)(read_end - from));

		if (newline == NULL)
			break;
		out->emit(out, quern_bytes(NULL, 0), quern_bytes(p, (size_t)(newline - p)));
		records++;
		from = p = newline + 1;
	}
	r->records += records;
	r->at = (size_t)(p - r->data);
	r->scanned = r->len - r->at;
}

static void read_extent(struct reader *r, const Quern__Extent *x, struct quern_out *out, struct flow *flow)
{
	seek_line(r, x, flow);
	uint64_t first = position(r);

	if (r->at < r->len) /* what came with the end of the line before */
		give_whole_lines(r, out, flow);
	while (!flow->stop && position(r) < r->end) {
		if (fill(r, x, flow)) {
			give_whole_lines(r, out, flow);
			continue;
		}
		if (flow->stop || r->at == r->len)
			break;
		announce_buffer(r, flow);
		out->emit(out, quern_bytes(NULL, 0), quern_bytes(r->data + r->at, r->len - r->at));
		r->records++;
		r->at = r->len; /* the last line, without a newline */
	}
	r->bytes += r->coded ? decoder_bytes(r->decoder) : position(r) - first;
	if (!flow->stop && !r->coded && position(r) < r->end)
		flow_fail(flow, -ESTALE, true, "input '%s' was cut while it was read", x->path);
}

void reader_run(struct reader *r, const Quern__Split *split, struct quern_out *out, struct flow *flow)
{
	for (size_t i = 0; i < split->n_extents && !flow->stop; i++) {
		const Quern__Extent *x = split->extents[i];

		if (flow->task != NULL)
			flow->task->path = x->path;
		reader_open(r, x, flow);
		if (!flow->stop)
			read_extent(r, x, out, flow);
		extent_close(&r->file);
	}
	flow->wide_len = 0;
}

void reader_deinit(struct reader *r)
{
	extent_close(&r->file);
	r->decoder = decoder_free(r->decoder);
	free(r->data);
	*r = READER_INIT;
}
