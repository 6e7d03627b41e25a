#include "executor/sort.h"

#include <errno.h>

void sort_init(struct sort *s, const struct sort_config *config)
{
	*s = (struct sort){ .config = *config };
	sorter_init(&s->sorter, config->order, config->memory);
	fold_init(&s->fold, config->reduce);
	spill_init(&s->spill, config->scratch_dir, config->keep, config->flow);
}

void sort_deinit(struct sort *s)
{
	s->merge = merge_free(s->merge);
	fold_deinit(&s->fold);
	sorter_deinit(&s->sorter);
	spill_deinit(&s->spill);
}

/* ---- From memory ---- */

/* Gives the key that has come to its end, if there is one. */
static void give_folded(struct sort *s, record_give *give, void *arg)
{
	uint64_t word = s->fold.word;
	quern_slice key, value;

	if (fold_end(&s->fold, &key, &value))
		give(arg, word, key, value);
}

static void give_memory(struct sort *s, record_give *give, void *arg)
{
	const struct order *o = s->config.order;
	quern_slice key, value;

	sorter_sort(&s->sorter);
	for (size_t i = 0; i < s->sorter.n && !s->config.flow->stop; i++) {
		sorter_get(&s->sorter, i, &key, &value);
		uint64_t word = order_word(o, order_first(o), key, value);

		if (s->config.reduce == NULL) {
			give(arg, word, key, value);
		} else if (fold_same(&s->fold, word, key)) {
			fold_add(&s->fold, value);
		} else {
			give_folded(s, give, arg);
			if (!s->config.flow->stop)
				fold_begin(&s->fold, word, key, value);
		}
	}
	give_folded(s, give, arg);
}

/* ---- To disk and back ---- */

static void spill_memory(struct sort *s)
{
	spill_begin(&s->spill);
	give_memory(s, spill_give, &s->spill);
	spill_end(&s->spill);
	sorter_clear(&s->sorter);
}

static void damaged(void *arg, const struct stored *run, int code)
{
	const struct sort *s = arg;

	(void)run;
	scratch_failed(&s->spill.scratch, s->config.flow, code);
}

static void give_runs(struct sort *s, record_give *give, void *arg)
{
	const struct merge_config config = { .order = s->config.order,
		.reduce = s->config.reduce,
		.memory = s->config.memory,
		.spill = &s->spill,
		.keep = s->config.keep,
		.flow = s->config.flow,
		.damaged = damaged,
		.damaged_arg = s };

	sorter_deinit(&s->sorter); /* the merge has the memory now */
	s->merge = merge_new(&config);
	if (s->merge == NULL)
		flow_fail(s->config.flow, -ENOMEM, false, "out of memory");
	else
		merge_run(s->merge, s->spill.runs.at, s->spill.runs.n, give, arg);
}

/* ---- All of it ---- */

void sort_add(struct sort *s, uint64_t word, quern_slice key, quern_slice value)
{
	struct flow *flow = s->config.flow;

	int r = sorter_add(&s->sorter, word, key, value);
	if (r == SORTER_OK)
		return;
	if (r == SORTER_FULL && s->sorter.n > 0) {
		spill_memory(s);
		r = flow->result < 0 ? SORTER_OK : sorter_add(&s->sorter, word, key, value);
	}
	if (r == SORTER_FULL) { /* a run of one record */
		spill_begin(&s->spill);
		spill_put(&s->spill, key, value);
		spill_end(&s->spill);
	} else if (r < 0) {
		flow_fail(flow, r, false, "out of memory to sort in");
	}
}

void sort_record(struct sort *s, quern_slice key, quern_slice value)
{
	const struct order *o = s->config.order;

	if (s->config.flow->stop)
		return;
	if (order_fits(o, key, value))
		sort_add(s, order_word(o, order_first(o), key, value), key, value);
	else
		flow_fail_record(s->config.flow, -EINVAL, ORDER_MISFIT, key.len, value.len);
}

void sort_finish(struct sort *s, record_give *give, void *arg)
{
	if (s->spill.runs.n == 0) {
		give_memory(s, give, arg);
		return;
	}
	if (s->sorter.n > 0)
		spill_memory(s);
	if (s->config.flow->result == 0)
		give_runs(s, give, arg);
}
