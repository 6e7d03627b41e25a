#include "executor/total.h"

static void total_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct total *t = (struct total *)out;

	(void)key;
	fold_take(&t->fold, 0, quern_str(""), value); /* as if all had the same key */
}

static void give(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	struct quern_out *next = arg;

	(void)word, (void)key;
	next->emit(next, quern_bytes(NULL, 0), value);
}

int total_init(struct total *t, const struct code *code, const Quern__Function *f, struct quern_out *next,
	struct flow *flow, struct err *err)
{
	*t = (struct total){ .in = { total_emit }, .next = next };
	fold_init(&t->fold, &t->reduce, give, next);
	return reduce_init(&t->reduce, code, f, flow, err);
}

void total_finish(struct total *t)
{
	fold_end(&t->fold);
}

void total_deinit(struct total *t)
{
	fold_deinit(&t->fold);
	reduce_deinit(&t->reduce);
}
