#include "executor/top.h"

#include <errno.h>
#include <stdlib.h>

#include "job/compare.h"

struct top_record {
	uint64_t number; /* equal ones stay in the order in which they came */
	quern_slice key, value;
	char bytes[];
};

enum { CAP_FIRST = 64 };

static int compare(const Quern__Order *o, const struct top_record *a, const struct top_record *b)
{
	int c = compare_records(o, a->key, a->value, b->key, b->value);

	return c != 0 ? c : (a->number > b->number) - (a->number < b->number);
}

/* NULL: it failed. */
static struct top_record *copy(struct top *t, quern_slice key, quern_slice value)
{
	struct top_record *r = malloc(sizeof(*r) + key.len + value.len);

	if (r == NULL) {
		flow_fail(t->flow, -ENOMEM, false, "out of memory");
		return NULL;
	}
	if (key.len > 0)
		memcpy(r->bytes, key.ptr, key.len);
	if (value.len > 0)
		memcpy(r->bytes + key.len, value.ptr, value.len);
	r->number = t->came;
	r->key = quern_bytes(key.ptr != NULL ? r->bytes : NULL, key.len);
	r->value = quern_bytes(r->bytes + key.len, value.len);
	t->bytes += sizeof(*r) + key.len + value.len;
	return r;
}

static void drop(struct top *t, struct top_record *r)
{
	t->bytes -= sizeof(*r) + r->key.len + r->value.len;
	free(r);
}

/* ---- The heap ---- */

static void go_up(struct top *t, size_t i)
{
	struct top_record *r = t->heap[i];

	for (; i > 0 && compare(t->order, t->heap[(i - 1) / 2], r) < 0; i = (i - 1) / 2)
		t->heap[i] = t->heap[(i - 1) / 2];
	t->heap[i] = r;
}

static void go_down(struct top *t)
{
	struct top_record *r = t->heap[0];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < t->n; i = child) {
		if (child + 1 < t->n && compare(t->order, t->heap[child], t->heap[child + 1]) < 0)
			child++;
		if (compare(t->order, t->heap[child], r) <= 0)
			break;
		t->heap[i] = t->heap[child];
	}
	t->heap[i] = r;
}

static void add(struct top *t, quern_slice key, quern_slice value)
{
	if (t->n == t->cap) {
		size_t cap = t->cap > 0 ? 2 * t->cap : CAP_FIRST;
		struct top_record **heap = reallocarray(t->heap, cap, sizeof(*heap));

		if (heap == NULL) {
			flow_fail(t->flow, -ENOMEM, false, "out of memory");
			return;
		}
		t->heap = heap;
		t->cap = cap;
	}
	struct top_record *r = copy(t, key, value);
	if (r == NULL)
		return;
	t->heap[t->n++] = r;
	go_up(t, t->n - 1);
}

/* In the place of the last. */
static void replace(struct top *t, quern_slice key, quern_slice value)
{
	struct top_record *r = copy(t, key, value);

	if (r == NULL)
		return;
	drop(t, t->heap[0]);
	t->heap[0] = r;
	go_down(t);
}

static void top_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct top *t = (struct top *)out;

	if (t->flow->stop)
		return;
	if (!compare_fits(t->order, key, value)) {
		flow_fail_record(t->flow, -EINVAL,
			"records are to be compared as numbers, which have 8 bytes: here the key has %zu and "
			"the "
			"value %zu (see quern_typed())",
			key.len, value.len);
		return;
	}
	t->came++;
	if (t->n < t->limit)
		add(t, key, value);
	else if (compare_records(t->order, key, value, t->heap[0]->key, t->heap[0]->value) < 0)
		replace(t, key, value);
	if (t->bytes + t->n * sizeof(*t->heap) > t->memory)
		flow_fail(t->flow, -EMSGSIZE, true,
			"the first %llu records of a task take more than %zu MiB: use quern_sort_by_key()",
			(unsigned long long)t->limit, t->memory >> 20);
}

/* ---- All of it ---- */

void top_init(struct top *t, const Quern__Order *order, uint64_t limit, size_t memory, struct flow *flow)
{
	*t = (struct top){
		.in = { top_emit }, .order = order, .limit = limit, .memory = memory, .flow = flow
	};
}

static int by_order(const void *a, const void *b, void *order)
{
	return compare(order, *(struct top_record *const *)a, *(struct top_record *const *)b);
}

void top_finish(struct top *t, struct quern_out *next)
{
	if (t->n > 0)
		qsort_r(t->heap, t->n, sizeof(*t->heap), by_order, (void *)t->order);
	for (size_t i = 0; i < t->n; i++)
		next->emit(next, t->heap[i]->key, t->heap[i]->value);
}

void top_deinit(struct top *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->heap[i]);
	free(t->heap);
	t->heap = NULL;
	t->n = 0;
}
