#include "executor/total.h"

/* As if all had the same key. */
static void total_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct total *t = (struct total *)out;

	(void)key;
	if (t->fold.open)
		fold_add(&t->fold, value);
	else if (t->reduce.flow->result == 0)
		fold_begin(&t->fold, 0, quern_str(""), value);
}

int total_init(struct total *t, const struct code *code, const Quern__Function *f, struct quern_out *next,
	struct flow *flow, struct err *err)
{
	*t = (struct total){ .in = { total_emit }, .next = next };
	fold_init(&t->fold, &t->reduce);
	return reduce_init(&t->reduce, code, f, flow, err);
}

void total_finish(struct total *t)
{
	quern_slice key, value;

	if (fold_end(&t->fold, &key, &value))
		t->next->emit(t->next, quern_bytes(NULL, 0), value);
}

void total_deinit(struct total *t)
{
	fold_deinit(&t->fold);
	reduce_deinit(&t->reduce);
}
