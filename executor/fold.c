#include "executor/fold.h"

#include <errno.h>

void fold_init(struct fold *f, struct reduce *reduce)
{
	*f = (struct fold){
		.reduce = reduce, .key = BUF_INIT(SIZE_MAX / 2), .value = BUF_INIT(SIZE_MAX / 2)
	};
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

void fold_begin(struct fold *f, uint64_t word, quern_slice key, quern_slice value)
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

void fold_add(struct fold *f, quern_slice value)
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

bool fold_end(struct fold *f, quern_slice *ret_key, quern_slice *ret_value)
{
	if (!f->open || f->reduce->flow->result < 0)
		return false;
	f->open = false;
	*ret_value = quern_bytes(f->value.data, f->value.len);
	if (f->reduce->kind != REDUCE_CALL) {
		put_le64(f->number, f->bits);
		*ret_value = quern_bytes(f->number, sizeof(f->number));
	}
	/* An empty key is one: NULL would say that there is none (job/out.h). */
	*ret_key = f->key.len > 0 ? quern_bytes(f->key.data, f->key.len) : quern_str("");
	return true;
}
