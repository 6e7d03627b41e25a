/* Groups over two sorted sides of random records, against loops over all pairs of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#include "executor/group.h"
#include "executor/sorter.h"
#include "tests/executor/kit.h"

static const struct order order = { .by_hash = true, .seed = 5 };
enum { SIDES = 2, RUNS = 5 };

/* ---- Sides: records in the order of their coming, and as runs ---- */

struct side {
	struct buf bytes; /* the records lie in it */
	struct kit_record *at;
	size_t n;
};

struct bench {
	char dir[KIT_PATH];
	struct flow flow;
	struct keep keep;
	struct spill spill;
	struct side sides[SIDES];
	struct stored runs[SIDES][RUNS];
	struct merge *merges[SIDES];
	struct kit_sink expected, got;
};

static void damaged(void *arg, const struct stored *run, int code_)
{
	struct bench *b = arg;

	(void)run;
	scratch_failed(&b->spill.scratch, &b->flow, code_);
}

/* How random records are. */
struct shape {
	size_t n[SIDES];
	uint64_t keys;    /* different ones; few of them come often */
	size_t value_max; /* bytes */
};

/* An empty key, often; short ones; long ones. */
static quern_slice random_key(uint64_t *random, const struct shape *s, char room[64])
{
	uint64_t which = kit_below(random, kit_below(random, s->keys) + 1);

	if (which == 0)
		return quern_str("");
	return quern_bytes(
		room, (size_t)snprintf(room, 64, which % 3 == 0 ? "%040" PRIu64 : "%" PRIu64, which));
}

static void make_side(struct side *s, uint64_t *random, const struct shape *shape, size_t n)
{
	const uint8_t *p;
	char room[64];

	*s = (struct side){ .bytes = BUF_INIT(SIZE_MAX / 2), .at = calloc(n + 1, sizeof(*s->at)), .n = n };
	char *value = malloc(shape->value_max + 1);
	assert_true(value != NULL && s->at != NULL);
	for (size_t i = 0; i < n; i++) {
		size_t len = (size_t)kit_below(random, shape->value_max + 1);

		for (size_t k = 0; k < len; k++)
			value[k] = (char)random_next(random);
		assert_int_equal(
			record_put(&s->bytes, random_key(random, shape, room), quern_bytes(value, len)), 0);
	}
	p = s->bytes.data;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			record_next(&p, s->bytes.data + s->bytes.len, &s->at[i].key, &s->at[i].value), 1);
	free(value);
}

/* The i-th of so many parts of a side, sorted. */
static void put_run(struct bench *b, const struct side *s, size_t i, struct stored *ret)
{
	quern_slice key, value;
	struct sorter sorter;

	sorter_init(&sorter, &order, 256 << 20);
	for (size_t k = s->n * i / RUNS; k < s->n * (i + 1) / RUNS; k++)
		assert_int_equal(
			sorter_add(&sorter, hash_key(s->at[k].key, order.seed), s->at[k].key, s->at[k].value),
			SORTER_OK);
	sorter_sort(&sorter);
	spill_begin(&b->spill);
	for (size_t k = 0; k < sorter.n; k++) {
		sorter_get(&sorter, k, &key, &value);
		spill_put(&b->spill, key, value);
	}
	assert_true(spill_end_run(&b->spill, ret));
	sorter_deinit(&sorter);
}

static void open_merge(struct bench *b, size_t side, size_t memory)
{
	const struct merge_config config = { .order = &order,
		.memory = memory,
		.spill = &b->spill,
		.keep = &b->keep,
		.flow = &b->flow,
		.damaged = damaged,
		.damaged_arg = b };

	for (size_t i = 0; i < RUNS; i++)
		put_run(b, &b->sides[side], i, &b->runs[side][i]);
	b->merges[side] = merge_new(&config);
	assert_non_null(b->merges[side]);
	merge_open(b->merges[side], b->runs[side], RUNS);
}

static void bench_open(struct bench *b, uint64_t *random, const struct shape *shape, size_t memory)
{
	*b = (struct bench){ 0 };
	kit_folder(b->dir);
	kit_sink_init(&b->expected);
	kit_sink_init(&b->got);
	spill_init(&b->spill, b->dir, &b->keep, &b->flow);
	for (size_t i = 0; i < SIDES; i++) {
		make_side(&b->sides[i], random, shape, shape->n[i]);
		open_merge(b, i, memory);
	}
}

static void bench_close(struct bench *b)
{
	for (size_t i = 0; i < SIDES; i++) {
		b->merges[i] = merge_free(b->merges[i]);
		buf_deinit(&b->sides[i].bytes);
		free(b->sides[i].at);
	}
	spill_deinit(&b->spill);
	keep_deinit(&b->keep);
	buf_deinit(&b->expected.data);
	buf_deinit(&b->got.data);
	assert_int_equal(kit_entries(b->dir), 0);
	tree_remove(b->dir);
}

static void run(struct bench *b, const Quern__Group *plan, size_t memory)
{
	struct group_config config = { .code = kit_code,
		.plan = plan,
		.sides = { b->merges[0], plan->kind == QUERN__GROUP__KIND__GROUP ? NULL : b->merges[1] },
		.memory = memory,
		.spill = &b->spill,
		.keep = &b->keep,
		.flow = &b->flow };
	auto_group struct group *g = NULL;
	struct err err;

	b->got.flow = &b->flow;
	assert_int_equal(group_new(&config, &g, &err), 0);
	group_run(g, &b->got.out);
}

/* ---- The oracle ---- */

static bool same_key(const struct kit_record *a, const struct kit_record *b)
{
	return kit_compare_slices(a->key, b->key) == 0;
}

static bool has_key(const struct side *s, const struct kit_record *r)
{
	for (size_t i = 0; i < s->n; i++)
		if (same_key(&s->at[i], r))
			return true;
	return false;
}

static bool key_is_first(const struct side *s, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_key(&s->at[i], &s->at[at]))
			return false;
	return true;
}

/* What the functions of the job write. */
static void expect(struct bench *b, quern_slice key, const quern_slice *left, const quern_slice *right)
{
	const quern_slice *parts[] = { left, right };
	struct buf text = BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(buf_add_str(&text, parts[i] != NULL ? "+" : "-"), 0);
		if (parts[i] != NULL)
			assert_int_equal(buf_add(&text, parts[i]->ptr, parts[i]->len), 0);
		assert_int_equal(buf_add_str(&text, "|"), 0);
	}
	kit_emit(&b->expected.out, key, quern_bytes(text.data, text.len));
	buf_deinit(&text);
}

static void expect_join(struct bench *b, bool all_left, bool all_right)
{
	const struct side *l = &b->sides[0], *r = &b->sides[1];

	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < r->n; k++)
			if (same_key(&l->at[i], &r->at[k]))
				expect(b, l->at[i].key, &l->at[i].value, &r->at[k].value);
	for (size_t i = 0; all_left && i < l->n; i++)
		if (!has_key(r, &l->at[i]))
			expect(b, l->at[i].key, &l->at[i].value, NULL);
	for (size_t k = 0; all_right && k < r->n; k++)
		if (!has_key(l, &r->at[k]))
			expect(b, r->at[k].key, NULL, &r->at[k].value);
}

/* The n-th value of the record's key in a side; NULL: it has fewer. */
static const quern_slice *nth(const struct side *s, const struct kit_record *r, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (same_key(&s->at[i], r) && n-- == 0)
			return &s->at[i].value;
	return NULL;
}

static void expect_turns(struct bench *b, const struct kit_record *r)
{
	for (size_t n = 0;; n++) {
		const quern_slice *left = nth(&b->sides[0], r, n), *right = nth(&b->sides[1], r, n);

		if (left == NULL && right == NULL)
			return;
		expect(b, r->key, left, right);
	}
}

static void expect_cogroup(struct bench *b)
{
	const struct side *l = &b->sides[0], *r = &b->sides[1];

	for (size_t i = 0; i < l->n; i++)
		if (key_is_first(l, i))
			expect_turns(b, &l->at[i]);
	for (size_t i = 0; i < r->n; i++)
		if (key_is_first(r, i) && !has_key(l, &r->at[i]))
			expect_turns(b, &r->at[i]);
}

static void expect_first_values(struct bench *b, uint64_t most)
{
	const struct side *l = &b->sides[0];

	for (size_t i = 0; i < l->n; i++) {
		const quern_slice *value;
		uint64_t n = 0;

		if (!key_is_first(l, i))
			continue;
		for (; n < most && (value = nth(l, &l->at[i], n)) != NULL; n++)
			kit_emit(&b->expected.out, l->at[i].key, *value);
		kit_emit(&b->expected.out, l->at[i].key, quern_bytes(&n, 8));
	}
}

static void expect_difference(struct bench *b)
{
	const struct side *l = &b->sides[0];

	for (size_t i = 0; i < l->n; i++)
		if (!has_key(&b->sides[1], &l->at[i]))
			kit_emit(&b->expected.out, l->at[i].key, l->at[i].value);
}

static void expect_intersection(struct bench *b)
{
	const struct side *l = &b->sides[0];

	for (size_t i = 0; i < l->n; i++)
		if (key_is_first(l, i) && has_key(&b->sides[1], &l->at[i]))
			kit_emit(&b->expected.out, l->at[i].key, quern_str(""));
}

static void expect_kind(struct bench *b, const Quern__Group *plan)
{
	uint64_t most;

	switch (plan->kind) {
	case QUERN__GROUP__KIND__GROUP:
		memcpy(&most, plan->function->arg.data, sizeof(most));
		expect_first_values(b, most);
		break;
	case QUERN__GROUP__KIND__COGROUP:
		expect_cogroup(b);
		break;
	case QUERN__GROUP__KIND__SUBTRACT:
		expect_difference(b);
		break;
	case QUERN__GROUP__KIND__INTERSECT:
		expect_intersection(b);
		break;
	default:
		expect_join(b,
			plan->kind == QUERN__GROUP__KIND__LEFT_JOIN ||
				plan->kind == QUERN__GROUP__KIND__FULL_JOIN,
			plan->kind == QUERN__GROUP__KIND__RIGHT_JOIN ||
				plan->kind == QUERN__GROUP__KIND__FULL_JOIN);
	}
}

/* ---- All kinds, shapes and memories ---- */

static const struct shape shapes[] = {
	{ { 0, 0 }, 1, 10 }, { { 300, 0 }, 50, 10 }, { { 0, 300 }, 50, 10 },
	{ { 300, 200 }, 1, 10 },                            /* one key, which is empty */
	{ { 700, 600 }, 400, 20 }, { { 60, 40 }, 5, 3000 }, /* values that fill blocks */
};

/* The same group of the same records in much memory and in little: where each value of a join and each run of
 * a merge goes over the disk. */
static void check(const Quern__Group *plan)
{
	uint64_t random = 1;

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		for (size_t memory = 0; memory <= 1 << 20; memory = memory * 1000 + 1048) {
			struct bench b;

			bench_open(&b, &random, &shapes[s], memory);
			run(&b, plan, memory);
			assert_string_equal(b.flow.err.text, "");
			expect_kind(&b, plan);
			kit_assert_same(&b.got.data, &b.expected.data);
			bench_close(&b);
		}
	}
}

static Quern__Group group_plan(Quern__Group__Kind kind, Quern__Function *function)
{
	Quern__Group plan = QUERN__GROUP__INIT;

	plan.kind = kind;
	plan.function = function;
	return plan;
}

static void values_are_streamed_and_may_be_left(void **state)
{
	(void)state;
	for (uint64_t most = 0; most <= 1000000; most = most * 100 + 3) {
		Quern__Function function = kit_function(kit_code, "first_values");
		const Quern__Group plan = group_plan(QUERN__GROUP__KIND__GROUP, &function);

		function.has_arg = true;
		function.arg = (ProtobufCBinaryData){ sizeof(most), (uint8_t *)&most };
		check(&plan);
	}
}

static void two_sides_in_turns(void **state)
{
	Quern__Function function = kit_function(kit_code, "in_turns");
	const Quern__Group plan = group_plan(QUERN__GROUP__KIND__COGROUP, &function);

	(void)state;
	check(&plan);
}

static void joins(void **state)
{
	Quern__Function function = kit_function(kit_code, "both_sides");

	(void)state;
	for (int kind = QUERN__GROUP__KIND__JOIN; kind <= QUERN__GROUP__KIND__FULL_JOIN; kind++) {
		const Quern__Group plan = group_plan((Quern__Group__Kind)kind, &function);

		check(&plan);
	}
}

static void differences_and_intersections(void **state)
{
	const Quern__Group subtract = group_plan(QUERN__GROUP__KIND__SUBTRACT, NULL);
	const Quern__Group intersect = group_plan(QUERN__GROUP__KIND__INTERSECT, NULL);

	(void)state;
	check(&subtract);
	check(&intersect);
}

/* ---- One by one ---- */

/* Without a function: both values, packed, or one. */
static void a_join_packs_pairs(void **state)
{
	const Quern__Group plan = group_plan(QUERN__GROUP__KIND__FULL_JOIN, NULL);
	const struct shape shape = { { 100, 100 }, 60, 700 };
	uint64_t random = 3;
	struct bench b;
	size_t n;

	(void)state;
	bench_open(&b, &random, &shape, 1 << 20);
	run(&b, &plan, 1 << 20);
	struct kit_sink unpacked;
	kit_sink_init(&unpacked);
	struct kit_record *all = kit_sorted(b.got.data.data, b.got.data.len, &n);
	expect_join(&b, true, true);
	struct kit_sink wanted = b.expected;
	kit_sink_init(&b.expected);
	for (size_t i = 0; i < n; i++) {
		quern_slice left = quern_left(all[i].value), right = quern_right(all[i].value);

		expect(&b, all[i].key, left.ptr != NULL ? &left : NULL, right.ptr != NULL ? &right : NULL);
	}
	kit_assert_same(&b.expected.data, &wanted.data);
	free(all);
	buf_deinit(&wanted.data);
	bench_close(&b);
}

/* A damaged block is a failure of the task, whatever the function did with what it got. */
static void a_damaged_run_fails_the_flow(void **state)
{
	const Quern__Group plan = group_plan(QUERN__GROUP__KIND__INTERSECT, NULL);
	const struct shape shape = { { 300, 300 }, 60, 100 };
	uint64_t random = 3;
	struct bench b;

	(void)state;
	bench_open(&b, &random, &shape, 1 << 20);
	b.merges[1] = merge_free(b.merges[1]);
	b.runs[1][2].seed++;
	const struct merge_config config = { .order = &order,
		.memory = 1 << 20,
		.spill = &b.spill,
		.keep = &b.keep,
		.flow = &b.flow,
		.damaged = damaged,
		.damaged_arg = &b };
	b.merges[1] = merge_new(&config);
	assert_non_null(b.merges[1]);
	merge_open(b.merges[1], b.runs[1], RUNS);
	run(&b, &plan, 1 << 20);
	assert_int_equal(b.flow.result, -EBADMSG);
	bench_close(&b);
}

static void a_limit_ends_it(void **state)
{
	Quern__Function function = kit_function(kit_code, "both_sides");
	const Quern__Group plan = group_plan(QUERN__GROUP__KIND__JOIN, &function);
	const struct shape shape = { { 300, 300 }, 10, 10 };
	uint64_t random = 3;
	struct bench b;

	(void)state;
	bench_open(&b, &random, &shape, 1 << 20);
	b.got.limit = 7;
	run(&b, &plan, 1 << 20);
	assert_int_equal(b.flow.result, 0);
	assert_int_equal(b.got.n, 7);
	bench_close(&b);
}

static void a_group_without_its_function(void **state)
{
	(void)state;
	for (int kind = 0; kind <= 9; kind++) {
		const Quern__Group plan = group_plan((Quern__Group__Kind)kind, NULL);
		const struct group_config config = { .plan = &plan };
		auto_group struct group *g = NULL;
		struct err err;
		bool needs = kind == QUERN__GROUP__KIND__GROUP || kind == QUERN__GROUP__KIND__COGROUP ||
			     kind == QUERN__GROUP__KIND__CROSS || kind == 9;

		assert_int_equal(group_new(&config, &g, &err), needs ? -EINVAL : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_streamed_and_may_be_left),
		cmocka_unit_test(two_sides_in_turns),
		cmocka_unit_test(joins),
		cmocka_unit_test(differences_and_intersections),
		cmocka_unit_test(a_join_packs_pairs),
		cmocka_unit_test(a_damaged_run_fails_the_flow),
		cmocka_unit_test(a_limit_ends_it),
		cmocka_unit_test(a_group_without_its_function),
	};

	return cmocka_run_group_tests(tests, kit_load, kit_unload);
}
