#include "executor/reduce.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/steps.h"

static void reduce_emitted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct reduce *r = (struct reduce *)out;

	(void)key;
	if (r->emitted++ != 0) {
		r->emitted = 2;
		return;
	}
	buf_clear(&r->result);
	int e = buf_add(&r->result, value.ptr, value.len);
	if (e < 0)
		flow_fail(r->flow, e, false, "out of memory for a value of %zu bytes", value.len);
}

int reduce_init(struct reduce *r, const struct code *code, const Quern__Function *f, struct flow *flow,
	struct err *err)
{
	code_fn *fn = NULL;

	*r = (struct reduce){ .flow = flow, .result = BUF_INIT(SIZE_MAX / 2) };
	r->out.emit = reduce_emitted;
	r->kind = code_reduction(f);
	if (r->kind != REDUCE_CALL)
		return 0;
	int e = steps_resolve(code, f, &fn, &r->arg, err);
	if (e < 0)
		return e;
	r->fn = (quern_reduce_fn *)fn;
	return 0;
}

void reduce_deinit(struct reduce *r)
{
	free(r->arg);
	r->arg = NULL;
	buf_deinit(&r->result);
}

void reduce_wrong_length(struct reduce *r, quern_slice value)
{
	flow_fail_record(r->flow, -EINVAL,
		"a reduction of numbers met a value of %zu bytes: emit 8 bytes, with quern_emit_u64() or its "
		"like",
		value.len);
}

static quern_slice reduce_known(struct reduce *r, quern_slice a, quern_slice b)
{
	uint8_t bits[8];

	if (a.len != 8 || b.len != 8) {
		reduce_wrong_length(r, a.len != 8 ? a : b);
		return a;
	}
	put_le64(bits, reduce_bits(r->kind, get_le64(a.ptr), get_le64(b.ptr)));
	buf_clear(&r->result);
	int e = buf_add(&r->result, bits, sizeof(bits));
	if (e < 0) {
		flow_fail(r->flow, e, false, "out of memory");
		return a;
	}
	return quern_bytes(r->result.data, r->result.len);
}

quern_slice reduce_values(struct reduce *r, quern_slice a, quern_slice b)
{
	if (r->kind != REDUCE_CALL)
		return reduce_known(r, a, b);
	r->emitted = 0;
	buf_clear(&r->result);
	/* No one record is to blame for what is wrong in here, and nothing around may be left half done. */
	const bool skips = r->flow->task != NULL && r->flow->task->tally->bad_max > 0;
	jmp_buf *skip = skips ? out_skip(NULL) : NULL;
	r->fn(a, b, &r->out, r->arg);
	if (skips)
		(void)out_skip(skip);
	if (r->emitted != 1) {
		flow_fail_record(r->flow, -EINVAL,
			"the function of a reduction emitted %s: it must emit exactly one, with "
			"quern_put()",
			r->emitted == 0 ? "no value" : "more than one value");
		return a;
	}
	return quern_bytes(r->result.data, r->result.len);
}
