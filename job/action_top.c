/* action_top.c: the first records in some order: each task gives its own (COLLECT with `order`), and this
 * process merges them, keeping no more than are wanted. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "job/act.h"
#include "job/compare.h"
#include "job/records.h"

struct merging {
	const Quern__Order *order;
	uint64_t limit;
	struct buf first, next; /* records, sorted, and the same with one more partition */
	const char *wrong;
};

/* The next of a sorted row of records. */
struct row {
	const uint8_t *at, *end;
	quern_slice key, value;
	int there; /* 1: there is one; 0: none; < 0: it is not a record, or does not fit */
};

static void advance(struct row *row, const Quern__Order *o)
{
	row->there = record_next(&row->at, row->end, &row->key, &row->value);
	if (row->there > 0 && !compare_fits(o, row->key, row->value))
		row->there = -1;
}

/* What came before goes before what is equal. */
static int merge_partition(void *arg, uint32_t partition, const uint8_t *data, size_t len)
{
	struct merging *m = arg;
	struct row a = { .at = m->first.data, .end = m->first.data + m->first.len },
		   b = { .at = data, .end = data + len };
	int r = 0;

	(void)partition;
	buf_clear(&m->next);
	advance(&a, m->order);
	advance(&b, m->order);
	for (uint64_t n = 0; r == 0 && n < m->limit && (a.there > 0 || b.there > 0); n++) {
		bool first = b.there <= 0 ||
			     (a.there > 0 && compare_records(m->order, a.key, a.value, b.key, b.value) <= 0);
		struct row *row = first ? &a : &b;

		r = record_put(&m->next, row->key, row->value);
		advance(row, m->order);
	}
	struct buf before = m->first;
	m->first = m->next;
	m->next = before;
	if (r < 0 || a.there < 0 || b.there < 0)
		m->wrong = r < 0 ? "out of memory" : "what the driver collected is not a sequence of records";
	return m->wrong != NULL;
}

static int give(const struct merging *m, quern_each_fn *each, void *arg)
{
	const uint8_t *at = m->first.data, *end = at + m->first.len;
	quern_slice key, value;
	int r = 0;

	while (r == 0 && record_next(&at, end, &key, &value) > 0)
		r = each(key, value, arg);
	return r;
}

static int first(quern_set *set, const char *what, uint64_t n, unsigned order, quern_each_fn *each, void *arg)
{
	struct action a = act_of(set, QUERN__SINK__KIND__COLLECT);
	Quern__Order o = QUERN__ORDER__INIT;
	struct merging m = {
		.order = &o, .limit = n, .first = BUF_INIT(SIZE_MAX / 2), .next = BUF_INIT(SIZE_MAX / 2)
	};

	if (set->error != NULL)
		return act_complain(set->error);
	if ((order & ~(unsigned)(QUERN_DESCENDING | QUERN_THEN_BY_VALUE | QUERN_BY_VALUE)) != 0)
		return act_complain("quern_top(), quern_take_ordered(): there is no such order");
	if (n == 0)
		return 0;
	o.has_descending = o.descending = (order & QUERN_DESCENDING) != 0;
	o.has_by_value = o.by_value = (order & (QUERN_THEN_BY_VALUE | QUERN_BY_VALUE)) != 0;
	o.has_value_first = o.value_first = (order & QUERN_BY_VALUE) != 0;
	o.has_key = o.has_value = true;
	o.key = set->key_type;
	o.value = set->value_type;
	a.sink.order = &o;
	a.sink.has_limit = true;
	a.sink.limit = n;
	a.name = act_name("%s(%" PRIu64 ")", what, n);
	int r = act(&a, merge_partition, &m);
	if (r == 0)
		r = m.wrong != NULL ? act_complain(m.wrong) : give(&m, each, arg);
	buf_deinit(&m.first);
	buf_deinit(&m.next);
	return r;
}

int quern_take_ordered(quern_set *set, uint64_t n, unsigned order, quern_each_fn *each, void *arg)
{
	return first(set, "take_ordered", n, order, each, arg);
}

int quern_top(quern_set *set, uint64_t n, unsigned order, quern_each_fn *each, void *arg)
{
	return first(set, "top", n, order ^ QUERN_DESCENDING, each, arg);
}
