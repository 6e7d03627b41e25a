/* action_fold.c: actions that make one value of all: each task one of its own (COLLECT with `combine`), and
 * this process one of those, by the same function. */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "job/act.h"
#include "job/builtin.h"
#include "job/out.h"
#include "job/plan_check.h"
#include "job/records.h"
#include "job/set.h"

/* One value so far. */
struct merging {
	struct quern_out out; /* where the function emits */
	quern_reduce_fn *fn;
	void *arg;
	bool any;
	struct buf value, next;
	unsigned emitted;  /* by this call; stays at 2 */
	const char *wrong; /* what went wrong; or NULL */
};

static void take_emitted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct merging *m = (struct merging *)out;

	(void)key;
	m->emitted = m->emitted > 0 ? 2 : 1;
	buf_clear(&m->next);
	if (buf_add(&m->next, value.ptr, value.len) < 0)
		m->wrong = "out of memory";
}

static void merge(struct merging *m, quern_slice value)
{
	struct buf before = m->value;

	if (!m->any) {
		m->any = true;
		if (buf_add(&m->value, value.ptr, value.len) < 0)
			m->wrong = "out of memory";
		return;
	}
	m->emitted = 0;
	m->fn(quern_bytes(before.data, before.len), value, &m->out, m->arg);
	if (m->emitted != 1 && m->wrong == NULL)
		m->wrong = "the function of a reduction must emit exactly one value, with quern_put()";
	m->value = m->next;
	m->next = before;
}

static int merge_records(void *arg, uint32_t partition, const uint8_t *data, size_t len)
{
	struct merging *m = arg;
	const uint8_t *p = data, *end = data + len;
	quern_slice key, value;
	int r = 0;

	(void)partition;
	while (m->wrong == NULL && (r = record_next(&p, end, &key, &value)) > 0)
		merge(m, value);
	if (r < 0)
		m->wrong = "what the driver collected is not a sequence of records";
	return m->wrong != NULL;
}

/* 0: the values of all tasks are in `m`, behind what was there. */
static int run(
	quern_set *set, const char *what, quern_reduce_fn *fn, const quern_slice *arg, struct merging *m)
{
	struct action a = act_of(set, QUERN__SINK__KIND__COLLECT);
	Quern__Function f = QUERN__FUNCTION__INIT;
	struct err err = { "" };

	if (set->error != NULL)
		return act_complain(set->error);
	int r = fn == NULL ? err_set(&err, -1, "the function is NULL")
			   : code_describe(set->job->code, (code_fn *)fn, &f, &err);
	if (r == 0 && arg != NULL && arg->len > PLAN_ARG_MAX)
		r = err_set(&err, -1, "an argument of %zu bytes is more than %d", arg->len, PLAN_ARG_MAX);
	if (r < 0) {
		(void)err_prefix(&err, r, "quern_%s()", what);
		return act_complain(err.text);
	}
	f.has_arg = arg != NULL;
	if (arg != NULL)
		f.arg = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)arg->ptr, .len = arg->len };
	a.sink.combine = &f;
	a.name = act_name("%s", what);
	r = act(&a, merge_records, m);
	if (r == 0 && m->wrong != NULL)
		r = act_complain(m->wrong);
	return r;
}

/* With `zero` the result is fn(zero, all of them), or `zero` if there are none; without, it may be missing.
 */
static int combine(quern_set *set, const char *what, const quern_slice *zero, quern_reduce_fn *fn,
	const quern_slice *arg, quern_each_fn *result, void *result_arg)
{
	struct merging m = { .out = { take_emitted },
		.fn = fn,
		.value = BUF_INIT(SIZE_MAX / 2),
		.next = BUF_INIT(SIZE_MAX / 2) };
	int r = 0;

	if (arg != NULL) { /* a copy of its own, as functions elsewhere get */
		m.arg = malloc(arg->len > 0 ? arg->len : 1);
		if (m.arg == NULL)
			return act_complain("out of memory");
		if (arg->len > 0)
			memcpy(m.arg, arg->ptr, arg->len);
	}
	if (zero != NULL)
		merge(&m, *zero);
	r = m.wrong != NULL ? act_complain(m.wrong) : run(set, what, fn, arg, &m);
	if (r == 0 && m.any)
		r = result(quern_bytes(NULL, 0), quern_bytes(m.value.data, m.value.len), result_arg);
	free(m.arg);
	buf_deinit(&m.value);
	buf_deinit(&m.next);
	return r;
}

int quern_reduce(
	quern_set *set, quern_reduce_fn *fn, const quern_slice *arg, quern_each_fn *result, void *result_arg)
{
	return combine(set, "reduce", NULL, fn, arg, result, result_arg);
}

int quern_fold(quern_set *set, quern_slice zero, quern_reduce_fn *fn, const quern_slice *arg,
	quern_each_fn *result, void *result_arg)
{
	return combine(set, "fold", &zero, fn, arg, result, result_arg);
}

int quern_aggregate(quern_set *set, quern_slice zero, quern_reduce_fn *add, quern_reduce_fn *both,
	const quern_slice *arg, quern_each_fn *result, void *result_arg)
{
	return combine(set_fold(set, "quern_aggregate", zero, add, arg), "aggregate", &zero, both, arg,
		result, result_arg);
}

/* ---- Statistics ---- */

static int take_stats(quern_slice key, quern_slice value, void *arg)
{
	(void)key;
	if (value.len != sizeof(struct quern_stats))
		return act_complain("the driver's statistics are none");
	memcpy(arg, value.ptr, value.len);
	return 0;
}

int quern_stats(quern_set *set, struct quern_stats *ret)
{
	static quern_reduce_fn *const fold_of[] = { [QUERN__VALUE_TYPE__U64] = quern_stats_u64,
		[QUERN__VALUE_TYPE__I64] = quern_stats_i64,
		[QUERN__VALUE_TYPE__DOUBLE] = quern_stats_double };
	struct quern_stats stats = { .mean = NAN, .min = NAN, .max = NAN };

	if (set->error == NULL && set->value_type == QUERN__VALUE_TYPE__BYTES)
		return act_complain("quern_stats(): the values are not numbers: see quern_typed()");
	quern_set *each = set_fold(set, "quern_stats", quern_bytes(NULL, 0),
		set->error == NULL ? fold_of[set->value_type] : NULL, NULL);
	int r = combine(each, "stats", NULL, quern_stats_merge, NULL, take_stats, &stats);
	if (r == 0)
		*ret = stats;
	return r;
}
