/* The first records in an order, against a sort of all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "executor/top.h"
#include "job/compare.h"

enum { RECORDS = 300 };

struct record {
	uint64_t key, value; /* of which bytes are compared when they are not numbers */
	size_t number;
};

/* What comes out. */
struct came {
	struct quern_out in;
	struct record at[RECORDS];
	size_t n;
};

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct came *c = (struct came *)out;

	assert_true(key.len == 8 && value.len == 8 && c->n < RECORDS);
	memcpy(&c->at[c->n].key, key.ptr, 8);
	memcpy(&c->at[c->n++].value, value.ptr, 8);
}

static quern_slice slice(const uint64_t *n)
{
	return quern_bytes(n, sizeof(*n));
}

static int by_order(const void *a, const void *b, void *order)
{
	const struct record *x = a, *y = b;
	int c = compare_records(order, slice(&x->key), slice(&x->value), slice(&y->key), slice(&y->value));

	return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

static void check(const Quern__Order *order, uint64_t limit, const struct record *records, size_t n)
{
	struct flow flow = { 0 };
	struct came *came = calloc(1, sizeof(*came));
	struct record sorted[RECORDS];
	struct top top;

	assert_non_null(came);
	came->in.emit = take;
	top_init(&top, order, limit, 1 << 20, &flow);
	for (size_t i = 0; i < n; i++)
		top.in.emit(&top.in, slice(&records[i].key), slice(&records[i].value));
	top_finish(&top, &came->in);
	assert_int_equal(flow.result, 0);
	memcpy(sorted, records, n * sizeof(*records));
	qsort_r(sorted, n, sizeof(*sorted), by_order, (void *)(uintptr_t)order);
	assert_int_equal(came->n, limit < n ? limit : n);
	for (size_t i = 0; i < came->n; i++)
		assert_true(came->at[i].key == sorted[i].key && came->at[i].value == sorted[i].value);
	top_deinit(&top);
	free(came);
}

static void the_first_of_a_sort(void **state)
{
	static const uint64_t limits[] = { 1, 2, 17, RECORDS - 1, RECORDS, 10 * RECORDS };
	struct record records[RECORDS];
	uint64_t random = 88172645463325252u;
	(void)state;

	for (unsigned kind = 0; kind < 64; kind++) {
		Quern__Order order = QUERN__ORDER__INIT;

		order.descending = (kind & 1) != 0;
		order.by_value = (kind & 6) != 0;
		order.value_first = (kind & 4) != 0;
		order.key = (kind & 8) != 0 ? QUERN__VALUE_TYPE__I64 : QUERN__VALUE_TYPE__BYTES;
		order.value = (kind & 16) != 0 ? QUERN__VALUE_TYPE__DOUBLE : QUERN__VALUE_TYPE__BYTES;
		for (size_t i = 0; i < RECORDS; i++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			/* Few different keys, so that equal ones are common; some negative ones. */
			records[i] = (struct record){ random % 20 - 10, random >> (kind & 32), i };
			records[i].value >>= 60 * (i % 2);
		}
		for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
			check(&order, limits[i], records, RECORDS);
		check(&order, 3, records, 0);
	}
}

static void they_have_so_much_memory(void **state)
{
	Quern__Order order = QUERN__ORDER__INIT;
	struct flow flow = { 0 };
	char bytes[1000] = "";
	struct top top;
	(void)state;

	top_init(&top, &order, 1000, 50000, &flow);
	for (int i = 0; i < 100 && !flow.stop; i++)
		top.in.emit(&top.in, quern_bytes(NULL, 0), quern_bytes(bytes, sizeof(bytes)));
	assert_int_equal(flow.result, -EMSGSIZE);
	assert_true(flow.final);
	assert_true(top.n < 60);
	top_deinit(&top);

	/* As many records as one likes, where few are wanted. */
	flow = (struct flow){ 0 };
	top_init(&top, &order, 10, 50000, &flow);
	for (int i = 0; i < 1000; i++) {
		bytes[0] = (char)(i % 7);
		top.in.emit(&top.in, quern_bytes(bytes, 1), quern_bytes(bytes, sizeof(bytes)));
	}
	assert_int_equal(flow.result, 0);
	assert_int_equal(top.n, 10);
	top_deinit(&top);
}

static void what_cannot_be_compared_fails(void **state)
{
	const struct out_record record = { .number = 3, .value = quern_str("short") };
	struct out_task task = { .record = &record };
	Quern__Order order = QUERN__ORDER__INIT;
	struct flow flow = { .task = &task };
	struct top top;
	(void)state;

	order.by_value = true;
	order.value = QUERN__VALUE_TYPE__U64;
	top_init(&top, &order, 10, 50000, &flow);
	top.in.emit(&top.in, quern_bytes(NULL, 0), quern_str("short"));
	assert_int_equal(flow.result, -EINVAL);
	assert_true(flow.final);
	assert_non_null(strstr(flow.err.text, "(record 3: value 'short')"));
	top_deinit(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_a_sort),
		cmocka_unit_test(they_have_so_much_memory),
		cmocka_unit_test(what_cannot_be_compared_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
