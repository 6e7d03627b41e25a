#include "executor/fold.h"

#include <errno.h>

#include "executor/table.h"

void fold_init(struct fold *f, struct reduce *reduce, record_give *give, void *arg)
{
	*f = (struct fold){ .reduce = reduce,
		.give = give,
		.arg = arg,
		.key = BUF_INIT(SIZE_MAX / 2),
		.value = BUF_INIT(SIZE_MAX / 2) };
}

void fold_deinit(struct fold *f)
{
	buf_deinit(&f->key);
	buf_deinit(&f->value);
	f->open = false;
}

static void set_bytes(struct fold *f, struct buf *to, quern_slice from)
{
	buf_clear(to);
	int r = buf_add(to, from.ptr, from.len);
	if (r < 0)
		flow_fail(f->reduce->flow, r, false, "out of memory for %zu bytes of a record", from.len);
}

static void combine_values(struct fold *f, quern_slice value)
{
	struct reduce *r = f->reduce;

	if (r->kind != REDUCE_CALL) {
		if (value.len == 8)
			f->bits = reduce_bits(r->kind, f->bits, get_le64(value.ptr));
		else
			reduce_wrong_length(r, value);
		return;
	}
	quern_slice now = reduce_values(r, quern_bytes(f->value.data, f->value.len), value);
	if (r->flow->result == 0)
		set_bytes(f, &f->value, now);
}

static void begin_key(struct fold *f, uint64_t word, quern_slice key, quern_slice value)
{
	f->word = word;
	set_bytes(f, &f->key, key);
	if (f->reduce->kind == REDUCE_CALL)
		set_bytes(f, &f->value, value);
	else if (value.len == 8)
		f->bits = get_le64(value.ptr);
	else
		reduce_wrong_length(f->reduce, value);
	f->open = f->reduce->flow->result == 0;
}

void fold_take(void *fold, uint64_t word, quern_slice key, quern_slice value)
{
	struct fold *f = fold;

	if (f->open && f->word == word && f->key.len == key.len &&
		table_same((const char *)f->key.data, key.ptr, key.len)) {
		combine_values(f, value);
		return;
	}
	fold_end(f);
	if (!f->reduce->flow->stop)
		begin_key(f, word, key, value);
}

void fold_end(struct fold *f)
{
	uint8_t bits[8];

	if (!f->open || f->reduce->flow->result < 0)
		return;
	f->open = false;
	quern_slice value = quern_bytes(f->value.data, f->value.len);
	if (f->reduce->kind != REDUCE_CALL) {
		put_le64(bits, f->bits);
		value = quern_bytes(bits, sizeof(bits));
	}
	/* An empty key is one: NULL would say that there is none (job/out.h). */
	f->give(f->arg, f->word, f->key.len > 0 ? quern_bytes(f->key.data, f->key.len) : quern_str(""),
		value);
}
