#include "executor/binary.h"

#include <errno.h>
#include <string.h>

enum { AT_A_TIME = 256 << 10 /* bytes; stays in a core's cache */ };

/* What one extent is read with. */
struct reading {
	struct binary_reader *r;
	const Quern__Extent *x;
	struct flow *flow;
	bool coded;
};

void binary_reader_init(struct binary_reader *r, struct keep *keep)
{
	*r = (struct binary_reader){ .keep = keep, .file = EXTENT_FILE_INIT, .data = BUF_INIT(SIZE_MAX / 2) };
}

void binary_reader_deinit(struct binary_reader *r)
{
	extent_close(&r->file);
	r->decoder = decoder_free(r->decoder);
	buf_deinit(&r->data);
}

/* ---- Bytes ---- */

static void no_memory(const struct reading *g)
{
	flow_fail(g->flow, -ENOMEM, false, "input '%s': out of memory", g->x->path);
}

/* false: the flow has failed. */
static bool open_extent(struct reading *g)
{
	struct binary_reader *r = g->r;
	struct err err;

	buf_clear(&r->data);
	g->coded = g->x->codec != QUERN__CODEC__PLAIN;
	r->at = g->x->offset;
	if (!extent_open(&r->file, g->x, r->keep, g->flow))
		return false;
	if (!g->coded)
		return true;
	if (r->decoder == NULL && decoder_new(&r->decoder) < 0) {
		no_memory(g);
		return false;
	}
	int e = g->x->offset != 0 || g->x->length != r->file.size
			? err_set(&err, -ESTALE, "input '%s' is not as long as when the job began",
				  g->x->path)
			: decoder_start(r->decoder, &r->file, &err);
	if (e < 0)
		extent_failed(&r->file, e, &err, g->flow);
	return e == 0;
}

/* Reads up to `most` bytes more behind r->data. How many; 0: there are no more; -1: the flow has failed. */
static ssize_t read_more(const struct reading *g, size_t most)
{
	struct binary_reader *r = g->r;
	struct err err;
	ssize_t n;

	if (most > 0 && buf_reserve(&r->data, most) < 0) {
		no_memory(g);
		return -1;
	}
	if (most == 0)
		return 0;
	uint8_t *to = r->data.data + r->data.len;
	if (g->coded) {
		n = decoder_read(r->decoder, to, most, &err);
		if (n < 0) {
			extent_failed(&r->file, (int)n, &err, g->flow);
			return -1;
		}
	} else {
		n = extent_read(&r->file, to, most, r->at, g->flow);
		if (n < 0)
			return -1;
	}
	r->at += (uint64_t)n;
	r->data.len += (size_t)n;
	return n;
}

/* ---- Whole files ---- */

static bool read_whole(const struct reading *g)
{
	const struct buf *data = &g->r->data;
	ssize_t n = 1;

	while (n > 0 && data->len <= INPUT_WHOLE_MAX) {
		uint64_t left = g->coded ? AT_A_TIME : g->x->length - data->len;

		n = read_more(g, left < AT_A_TIME ? (size_t)left : AT_A_TIME);
	}
	if (n < 0)
		return false;
	if (data->len > INPUT_WHOLE_MAX) {
		flow_fail(g->flow, -EFBIG, true,
			"input '%s': more than %d bytes, which a file as one record may have", g->x->path,
			INPUT_WHOLE_MAX);
		return false;
	}
	if (!g->coded && data->len < g->x->length) {
		flow_fail(g->flow, -ESTALE, true, "input '%s' was cut while it was read", g->x->path);
		return false;
	}
	return true;
}

void binary_reader_whole(
	struct binary_reader *r, const Quern__Extent *x, struct quern_out *out, struct flow *flow)
{
	struct reading g = { .r = r, .x = x, .flow = flow };

	if (open_extent(&g) && read_whole(&g)) {
		r->records++;
		r->bytes += x->length;
		out->emit(out, quern_str(x->path), quern_bytes(r->data.data, r->data.len));
	}
	extent_close(&r->file);
	if (r->data.cap > AT_A_TIME)
		buf_deinit(&r->data); /* a large file is no reason to hold so much for the next */
}

/* ---- Records of a fixed width ---- */

static void no_multiple(const struct reading *g, uint64_t size, uint32_t width)
{
	flow_fail(g->flow, -EBADMSG, true,
		"input '%s': %llu bytes are no whole number of records of %u bytes", g->x->path,
		(unsigned long long)size, width);
}

/* Gives the records that are there as a whole, `most` of them at most, and keeps the rest. */
static uint64_t give_records(const struct reading *g, uint32_t width, uint64_t most, struct quern_out *out)
{
	struct buf *data = &g->r->data;
	uint64_t n = 0;
	size_t at = 0;

	while (n < most && data->len - at >= width && !g->flow->stop) {
		n++;
		out->emit(out, quern_bytes(NULL, 0), quern_bytes(data->data + at, width));
		at += width;
	}
	buf_consume(data, at);
	g->r->records += n;
	return n;
}

/* The records that begin in the extent. */
static void read_plain(const struct reading *g, uint32_t width, struct quern_out *out)
{
	struct binary_reader *r = g->r;
	uint64_t end = g->x->offset + g->x->length, before = g->x->offset % width;
	size_t each = width < AT_A_TIME ? AT_A_TIME / width * width : width;

	if (r->file.size % width != 0) {
		no_multiple(g, r->file.size, width);
		return;
	}
	r->at += before > 0 ? width - before : 0;
	uint64_t left = r->at < end ? (end - r->at - 1) / width + 1 : 0;
	r->bytes += left * width;
	while (left > 0 && !g->flow->stop) {
		ssize_t n = read_more(g, left < each / width ? (size_t)(left * width) : each);

		if (n < 0)
			return;
		if ((size_t)n < width) {
			flow_fail(g->flow, -ESTALE, true, "input '%s' was cut while it was read", g->x->path);
			return;
		}
		left -= give_records(g, width, left, out);
	}
}

static void read_coded(const struct reading *g, uint32_t width, struct quern_out *out)
{
	ssize_t n;

	do {
		n = read_more(g, width < AT_A_TIME ? AT_A_TIME : width);
		(void)give_records(g, width, UINT64_MAX, out);
	} while (n > 0 && !g->flow->stop);
	if (!g->flow->stop && g->r->data.len > 0)
		no_multiple(g, g->r->at, width);
	g->r->bytes += g->x->length;
}

void binary_reader_fixed(struct binary_reader *r, const Quern__Extent *x, uint32_t width,
	struct quern_out *out, struct flow *flow)
{
	struct reading g = { .r = r, .x = x, .flow = flow };

	if (!open_extent(&g))
		return;
	if (g.coded)
		read_coded(&g, width, out);
	else
		read_plain(&g, width, out);
	extent_close(&r->file);
}
