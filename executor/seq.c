/* seq.c: the ends of a file of records, and its writer. */
#include "executor/seq.h"

#include <errno.h>
#include <sys/random.h>
#include <xxhash.h>

#include "executor/bytes.h"

enum { VERSION = 1, HAS_KEY = 1, SUMMED = 32 /* bytes of head and tail that their sums cover */ };
static const uint8_t magic[8] = { 'Q', 'U', 'E', 'R', 'N', 'S', 'E', 'Q' };

/* ---- Head and tail ---- */

void seq_head_put(const struct seq_head *h, uint8_t *to)
{
	memcpy(to, magic, sizeof(magic));
	put_le32(to + 8, VERSION);
	to[12] = (uint8_t)h->key_type;
	to[13] = (uint8_t)h->value_type;
	to[14] = h->has_key ? HAS_KEY : 0;
	to[15] = 0;
	memcpy(to + 16, h->mark, SEQ_MARK);
	put_le64(to + SUMMED, XXH64(to, SUMMED, 0));
}

const char *seq_head_parse(const uint8_t *data, struct seq_head *ret)
{
	if (memcmp(data, magic, sizeof(magic)) != 0)
		return "not a seq file: it does not begin with QUERNSEQ";
	if (XXH64(data, SUMMED, 0) != get_le64(data + SUMMED))
		return "damaged at byte 0: the sum of its head is wrong";
	if (get_le32(data + 8) != VERSION)
		return "a seq file of another version than 1: a later quern wrote it";
	if (data[12] > QUERN__VALUE_TYPE__DOUBLE || data[13] > QUERN__VALUE_TYPE__DOUBLE ||
		data[14] > HAS_KEY || data[15] != 0)
		return "damaged at byte 12: its head says what version 1 does not know";
	ret->key_type = (Quern__ValueType)data[12];
	ret->value_type = (Quern__ValueType)data[13];
	ret->has_key = data[14] == HAS_KEY;
	memcpy(ret->mark, data + 16, SEQ_MARK);
	return NULL;
}

uint64_t seq_seed(const struct seq_head *h, uint64_t offset)
{
	uint8_t id[SEQ_MARK + 8];

	memcpy(id, h->mark, SEQ_MARK);
	put_le64(id + SEQ_MARK, offset);
	return XXH64(id, sizeof(id), 0);
}

void seq_tail_put(const struct seq_head *h, uint64_t offset, uint64_t records, uint8_t *to)
{
	for (size_t i = 0; i < SEQ_MARK; i++)
		to[i] = (uint8_t)~h->mark[i];
	put_le64(to + 16, records);
	put_le64(to + 24, offset);
	put_le64(to + SUMMED, XXH64(to, SUMMED, seq_seed(h, offset)));
}

bool seq_tail_is(const struct seq_head *h, const uint8_t *data)
{
	for (size_t i = 0; i < SEQ_MARK; i++)
		if ((data[i] ^ h->mark[i]) != 0xff)
			return false;
	return true;
}

bool seq_tail_parse(const struct seq_head *h, uint64_t offset, const uint8_t *data, uint64_t *ret_records)
{
	if (!seq_tail_is(h, data) || get_le64(data + 24) != offset ||
		XXH64(data, SUMMED, seq_seed(h, offset)) != get_le64(data + SUMMED))
		return false;
	*ret_records = get_le64(data + 16);
	return true;
}

/* ---- Writing ---- */

int seq_writer_init(struct seq_writer *w, const Quern__Sink *sink, int level, struct keep *keep)
{
	*w = (struct seq_writer){ .head = { .key_type = sink->key_type,
					  .value_type = sink->value_type,
					  .has_key = sink->has_key } };
	segment_writer_init(&w->segment, BLOCK_RAW, level, keep);
	/* Random, so that no record holds the mark of the file in which it is. */
	return getrandom(w->head.mark, SEQ_MARK, 0) == SEQ_MARK ? 0 : -EIO;
}

void seq_writer_deinit(struct seq_writer *w)
{
	segment_writer_deinit(&w->segment);
}

/* Appends bytes of the file that are no segment's. */
static int put(struct seq_writer *w, const uint8_t *data, size_t len, struct buf *out)
{
	int r = buf_add(out, data, len);

	if (r == 0)
		w->at += len;
	return r;
}

static int put_head(struct seq_writer *w, struct buf *out)
{
	uint8_t head[SEQ_HEAD];

	if (w->at > 0)
		return 0;
	seq_head_put(&w->head, head);
	return put(w, head, sizeof(head), out);
}

static int begin_stretch(struct seq_writer *w, struct buf *out)
{
	int r = put_head(w, out);
	uint64_t begun = w->at;

	if (r == 0)
		r = put(w, w->head.mark, SEQ_MARK, out);
	if (r < 0)
		return r;
	w->begun = begun;
	segment_begin(&w->segment, seq_seed(&w->head, begun));
	return 0;
}

static int end_stretch(struct seq_writer *w, struct buf *out)
{
	size_t before = out->len;

	int r = segment_end(&w->segment, out);
	w->at += out->len - before;
	w->begun = 0;
	return r;
}

int seq_add(struct seq_writer *w, quern_slice key, quern_slice value, struct buf *out)
{
	int r = w->begun == 0 ? begin_stretch(w, out) : 0;
	size_t before = out->len;

	if (r == 0)
		r = segment_add_optional(&w->segment, key, value, out);
	if (r < 0)
		return r;
	w->records++;
	w->at += out->len - before;
	return w->at - w->begun >= SEQ_STRETCH ? end_stretch(w, out) : 0;
}

int seq_end(struct seq_writer *w, struct buf *out)
{
	uint8_t tail[SEQ_TAIL];

	int r = w->begun != 0 ? end_stretch(w, out) : put_head(w, out);
	if (r < 0)
		return r;
	seq_tail_put(&w->head, w->at, w->records, tail);
	return put(w, tail, sizeof(tail), out);
}
