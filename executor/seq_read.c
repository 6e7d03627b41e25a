/* seq_read.c: reads what an extent of a file of records has.
 *
 * A stretch belongs to the extent in which its mark begins. Whoever has read what is before a place, the head
 * or a stretch, looks at what is there: a stretch of its own, one of another extent, or the tail. So a file
 * that was cut anywhere is found to be by one reader at least. */
#include <errno.h>

#include "executor/seq.h"

enum { AT_A_TIME = 256 << 10 /* bytes */ };

/* What one extent is read with. */
struct reading {
	struct seq_reader *r;
	const Quern__Extent *x;
	struct quern_out *out;
	struct flow *flow;
	uint64_t end;   /* of the extent */
	uint64_t given; /* records of it */
};

void seq_reader_init(struct seq_reader *r, struct keep *keep)
{
	*r = (struct seq_reader){ .keep = keep,
		.file = EXTENT_FILE_INIT,
		.in = BUF_INIT(SIZE_MAX / 2),
		.raw = BUF_INIT(SIZE_MAX / 2) };
}

void seq_reader_deinit(struct seq_reader *r)
{
	extent_close(&r->file);
	buf_deinit(&r->in);
	buf_deinit(&r->raw);
}

/* ---- Bytes ---- */

static uint64_t position(const struct seq_reader *r)
{
	return r->base + r->at;
}

static size_t available(const struct seq_reader *r)
{
	return r->in.len - r->at;
}

static const uint8_t *bytes(const struct seq_reader *r)
{
	return r->in.data + r->at;
}

static void damaged(const struct reading *g, uint64_t at, const char *what)
{
	flow_fail(g->flow, -EBADMSG, true, "input '%s': damaged at byte %llu: %s", g->x->path,
		(unsigned long long)at, what);
}

static void truncated(const struct reading *g)
{
	flow_fail(g->flow, -EBADMSG, true,
		"input '%s': truncated: it has %llu bytes, and the end of a seq file is not among them",
		g->x->path, (unsigned long long)g->r->file.size);
}

/* Goes on at `offset`. */
static void jump(struct seq_reader *r, uint64_t offset)
{
	buf_clear(&r->in);
	r->base = offset;
	r->at = 0;
}

/* Sees to it that `need` bytes from the position on are there. false: the file has not so many, or it failed.
 */
static bool fill(const struct reading *g, size_t need)
{
	struct seq_reader *r = g->r;

	if (available(r) >= need)
		return true;
	if (need > r->file.size - position(r)) {
		truncated(g);
		return false;
	}
	buf_consume(&r->in, r->at);
	r->base += r->at;
	r->at = 0;
	uint64_t left = r->file.size - r->base - r->in.len;
	size_t more = need - r->in.len > AT_A_TIME ? need - r->in.len : AT_A_TIME;
	more = more > left ? (size_t)left : more;
	uint64_t from = r->base + r->in.len;
	size_t worth = extent_worth(&r->file, more, from), least = need - r->in.len;
	more = worth > least ? worth : least;
	if (buf_reserve(&r->in, more) < 0) {
		flow_fail(g->flow, -ENOMEM, false, "input '%s': out of memory for a block of %zu bytes",
			g->x->path, need);
		return false;
	}
	ssize_t n = extent_read(&r->file, r->in.data + r->in.len, more, from, g->flow);
	if (n < 0)
		return false;
	r->in.len += (size_t)n;
	if (available(r) < need)
		truncated(g); /* since it was opened */
	return available(r) >= need;
}

/* ---- Stretches ---- */

static bool give_block(struct reading *g, const struct block *b, uint64_t at)
{
	struct seq_reader *r = g->r;
	quern_slice key, value;
	uint32_t n = 0;
	int more = 0;

	int e = block_unpack(b, keep_decompress(r->keep), &r->raw);
	if (e == -ENOMEM)
		flow_fail(g->flow, e, false, "input '%s': out of memory for a block of %zu bytes", g->x->path,
			b->raw);
	else if (e < 0)
		damaged(g, at, "a block that cannot be decompressed");
	if (e < 0)
		return false;
	const uint8_t *p = r->raw.data, *end = p + r->raw.len;
	while (!g->flow->stop && (more = record_next_optional(&p, end, &key, &value)) > 0 && n < b->records) {
		n++;
		r->records++;
		g->given++;
		g->out->emit(g->out, key, value);
	}
	if (g->flow->stop)
		return false;
	if (more != 0 || n != b->records)
		damaged(g, at, "a block whose records are not as many, or as long, as it says");
	return !g->flow->stop;
}

/* The blocks behind a mark. false: no more is wanted, or it failed. */
static bool give_segment(struct reading *g, uint64_t seed)
{
	struct seq_reader *r = g->r;
	struct segment_reader segment;
	struct block b;
	size_t need = BLOCK_HEADER;

	segment_reader_init(&segment, seed);
	while (!segment.last) {
		if (!fill(g, need))
			return false;
		int e = segment_check(&segment, bytes(r), available(r), &need, &b);
		if (e < 0) {
			damaged(g, position(r), "the sum of a block is wrong");
			return false;
		}
		if (e == 0)
			continue;
		if (!give_block(g, &b, position(r)))
			return false;
		r->at += need;
		need = BLOCK_HEADER;
	}
	return true;
}

static void end_file(struct reading *g)
{
	struct seq_reader *r = g->r;
	uint64_t records;

	if (!seq_tail_parse(&r->head, position(r), bytes(r), &records))
		damaged(g, position(r), "the sum of the file's end is wrong");
	else if (position(r) + SEQ_TAIL != r->file.size)
		damaged(g, position(r) + SEQ_TAIL, "it goes on behind its end");
	else if (g->x->offset == 0 && g->x->length == r->file.size && records != g->given)
		damaged(g, position(r), "it has not as many records as its end says");
}

/* From a place on where a stretch begins, or the tail. */
static void give_stretches(struct reading *g)
{
	struct seq_reader *r = g->r;

	while (!g->flow->stop && fill(g, SEQ_TAIL)) { /* nothing that can be here is shorter */
		uint64_t at = position(r);

		if (seq_tail_is(&r->head, bytes(r))) {
			end_file(g);
			return;
		}
		if (memcmp(bytes(r), r->head.mark, SEQ_MARK) != 0) {
			damaged(g, at, "neither more records begin here nor does the file end");
			return;
		}
		if (at >= g->end)
			return;
		r->at += SEQ_MARK;
		if (!give_segment(g, seq_seed(&r->head, at)))
			return;
	}
}

/* Goes to the first mark that begins in the extent. false: there is none, or it failed. */
static bool find_mark(struct reading *g)
{
	struct seq_reader *r = g->r;

	while (position(r) < g->end && r->file.size - position(r) >= SEQ_MARK && fill(g, SEQ_MARK)) {
		const uint8_t *found = memmem(bytes(r), available(r), r->head.mark, SEQ_MARK);

		if (found != NULL) {
			r->at = (size_t)(found - r->in.data);
			return position(r) < g->end;
		}
		r->at = r->in.len - (SEQ_MARK - 1); /* it may begin there */
	}
	return false;
}

/* ---- Files ---- */

static bool read_head(struct reading *g)
{
	struct seq_reader *r = g->r;
	uint8_t head[SEQ_HEAD];

	ssize_t n = extent_read(&r->file, head, sizeof(head), 0, g->flow);
	if (n < 0)
		return false;
	const char *why = n < SEQ_HEAD ? "not a seq file: it is shorter than the head of one"
				       : seq_head_parse(head, &r->head);
	if (why != NULL)
		flow_fail(g->flow, -EBADMSG, true, "input '%s': %s", g->x->path, why);
	return why == NULL;
}

static void read_extent(struct reading *g)
{
	struct seq_reader *r = g->r;

	if (!read_head(g))
		return;
	if (g->x->offset <= SEQ_HEAD) {
		jump(r, SEQ_HEAD);
		give_stretches(g);
		return;
	}
	jump(r, g->x->offset);
	if (find_mark(g))
		give_stretches(g);
}

void seq_reader_run(struct seq_reader *r, const Quern__Extent *x, struct quern_out *out, struct flow *flow)
{
	struct reading g = { .r = r, .x = x, .out = out, .flow = flow, .end = x->offset + x->length };

	if (!extent_open(&r->file, x, r->keep, flow))
		return;
	read_extent(&g);
	r->bytes += x->length;
	extent_close(&r->file);
}
