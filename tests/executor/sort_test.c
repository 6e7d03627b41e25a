#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/ranges.h"
#include "executor/sort.h"
#include "tests/executor/kit.h"

/* ---- The oracle: what qsort() and a comparison of its own make of the same records ---- */

struct oracle {
	struct order order;
	struct record {
		quern_slice key, value;
		size_t number; /* of its coming */
	} * at;
	size_t n, cap;
};

static int64_t signed_number(quern_slice s)
{
	return (int64_t)kit_number(s);
}

static double double_number(quern_slice s)
{
	uint64_t bits = kit_number(s);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static int compare_field(Quern__ValueType type, quern_slice a, quern_slice b)
{
	switch (type) {
	case QUERN__VALUE_TYPE__U64:
		return (kit_number(a) > kit_number(b)) - (kit_number(a) < kit_number(b));
	case QUERN__VALUE_TYPE__I64:
		return (signed_number(a) > signed_number(b)) - (signed_number(a) < signed_number(b));
	case QUERN__VALUE_TYPE__DOUBLE:
		return (double_number(a) > double_number(b)) - (double_number(a) < double_number(b));
	default:
		return kit_compare_slices(a, b);
	}
}

static int by_order(const void *a, const void *b, void *order)
{
	const struct record *x = a, *y = b;
	const struct order *o = order;
	const size_t tag = o->tagged ? TAG_SIZE : 0;
	int c = memcmp(x->key.ptr, y->key.ptr, tag > 0 ? 4 : 0);

	if (c != 0)
		return c;
	if (o->loose)
		return (x->number > y->number) - (x->number < y->number);
	c = o->compare != NULL ? o->compare(x->key, y->key, o->arg)
			       : compare_field(o->key, quern_bytes(x->key.ptr + tag, x->key.len - tag),
					 quern_bytes(y->key.ptr + tag, y->key.len - tag));
	if (c == 0 && o->by_value)
		c = compare_field(o->value, x->value, y->value);
	if (c != 0)
		return o->descending ? -c : c;
	return (x->number > y->number) - (x->number < y->number);
}

static quern_slice copy(quern_slice s)
{
	char *p = malloc(s.len + 1);

	assert_non_null(p);
	if (s.len > 0)
		memcpy(p, s.ptr, s.len);
	return quern_bytes(p, s.len);
}

static void oracle_add(struct oracle *o, quern_slice key, quern_slice value)
{
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 64 : o->cap * 2;
		o->at = realloc(o->at, o->cap * sizeof(*o->at));
		assert_non_null(o->at);
	}
	o->at[o->n] = (struct record){ copy(key), copy(value), o->n };
	o->n++;
}

static void oracle_free(struct oracle *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free((void *)(uintptr_t)o->at[i].key.ptr);
		free((void *)(uintptr_t)o->at[i].value.ptr);
	}
	free(o->at);
}

/* ---- Random records ---- */

/* How long the keys are, and how much alike. */
struct shape {
	size_t n, key_max, value_max;
	uint64_t keys;    /* different ones, about */
	size_t same;      /* bytes that all begin with */
	unsigned letters; /* different bytes in them */
	Quern__ValueType type;
};

static const struct shape shapes[] = {
	{ 0, 1, 1, 1, 0, 1, 0 },
	{ 1, 10, 10, 1, 0, 3, 0 },
	{ 20000, 0, 9, 1, 0, 1, 0 },       /* empty keys alone */
	{ 20000, 3, 0, 5, 0, 2, 0 },       /* few keys, empty values */
	{ 50000, 40, 30, 20000, 0, 3, 0 }, /* long common beginnings, NULs among them */
	{ 20000, 12, 100, UINT64_MAX, 0, 256, 0 },
	{ 3000, 30, 20, 400, 100, 256, 0 },
	{ 500, 100, 50, 100, 10000, 2, 0 },   /* alike for long */
	{ 60, 1 << 20, 1000, 30, 0, 256, 0 }, /* keys up to 1 MiB */
	{ 40, 100, 3 << 20, 10, 0, 256, 0 },  /* and values beyond the memory */
	{ 20000, 8, 8, 3000, 0, 256, QUERN__VALUE_TYPE__U64 },
	{ 20000, 8, 8, 3000, 0, 256, QUERN__VALUE_TYPE__I64 },
	{ 20000, 8, 8, 3000, 0, 256, QUERN__VALUE_TYPE__DOUBLE },
};

static quern_slice random_field(uint64_t seed, const struct shape *s, size_t same, size_t max, char *room)
{
	if (s->type != QUERN__VALUE_TYPE__BYTES) {
		double d = (double)(int64_t)random_next(&seed) / 1e9; /* no NaN */
		uint64_t v = random_next(&seed) >> random_next(&seed) % 64;

		memcpy(room, s->type == QUERN__VALUE_TYPE__DOUBLE ? (void *)&d : (void *)&v, 8);
		return quern_bytes(room, 8);
	}
	size_t len = same + (size_t)kit_below(&seed, max + 1);
	for (size_t i = 0; i < len; i++)
		room[i] = (char)(i < same ? 's' : random_next(&seed) % s->letters);
	return quern_bytes(room, len);
}

/* ---- Sorts ---- */

struct bench {
	char dir[KIT_PATH];
	struct flow flow;
	struct keep keep;
	struct sort sort;
	const struct oracle *expected;
	size_t got;
};

static void check(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	struct bench *b = arg;
	const struct order *o = &b->expected->order;

	assert_true(b->got < b->expected->n);
	const struct record *r = &b->expected->at[b->got++];
	if (kit_compare_slices(key, r->key) != 0 || kit_compare_slices(value, r->value) != 0)
		fail_msg("record %zu is not the one expected", b->got - 1);
	assert_true(word == order_word(o, order_first(o), key, value));
}

static void one_sort(uint64_t *random, const struct shape *s, const struct order *order, size_t memory)
{
	struct oracle oracle = { .order = *order };
	struct bench b = { .expected = &oracle };
	const struct sort_config config = { .order = &oracle.order,
		.memory = memory,
		.scratch_dir = b.dir,
		.keep = &b.keep,
		.flow = &b.flow };
	const size_t tag = order->tagged ? TAG_SIZE : 0;
	char *key = malloc(tag + s->same + s->key_max + 8), *value = malloc(s->value_max + 8);

	assert_true(key != NULL && value != NULL);
	oracle.order.key = oracle.order.value = s->type;
	kit_folder(b.dir);
	sort_init(&b.sort, &config);
	for (size_t i = 0; i < s->n; i++) {
		quern_slice k = random_field(kit_below(random, s->keys), s, s->same, s->key_max, key + tag);
		quern_slice v = random_field(kit_below(random, 100), s, 0, s->value_max, value);

		if (tag > 0)
			tag_put((uint8_t *)key, (uint32_t)(random_next(random) % 5 * 1000), true);
		k = quern_bytes(key, tag + k.len);
		oracle_add(&oracle, k, v);
		sort_record(&b.sort, k, v);
	}
	if (oracle.n > 0)
		qsort_r(oracle.at, oracle.n, sizeof(*oracle.at), by_order, &oracle.order);
	sort_finish(&b.sort, check, &b);
	assert_string_equal(b.flow.err.text, "");
	assert_int_equal(b.got, oracle.n);
	assert_int_equal(kit_entries(b.dir), 0);
	sort_deinit(&b.sort);
	keep_deinit(&b.keep);
	tree_remove(b.dir);
	oracle_free(&oracle);
	free(key);
	free(value);
}

static void records_of_every_shape_in_every_memory(void **state)
{
	static const size_t memories[] = { 0, 300 << 10, 256 << 20 };
	uint64_t random = 1;

	(void)state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		for (size_t m = 0; m < sizeof(memories) / sizeof(memories[0]); m++)
			for (unsigned flags = 0; flags < 4; flags++) {
				const struct order order = { .descending = (flags & 1) != 0,
					.by_value = (flags & 2) != 0 };

				one_sort(&random, &shapes[s], &order, memories[m]);
			}
}

/* ---- Orders of the job's own ---- */

/* Shorter ones first, then by the last bytes. */
static int by_length(quern_slice a, quern_slice b, void *arg)
{
	(*(uint64_t *)arg)++;
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	for (size_t i = a.len; i-- > 0;)
		if (a.ptr[i] != b.ptr[i])
			return (uint8_t)a.ptr[i] < (uint8_t)b.ptr[i] ? -1 : 1;
	return 0;
}

static void records_in_the_order_of_a_function(void **state)
{
	static const size_t memories[] = { 0, 256 << 20 };
	uint64_t random = 2, calls = 0;

	(void)state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		for (size_t m = 0; m < sizeof(memories) / sizeof(memories[0]); m++)
			for (unsigned flags = 0; flags < 4; flags += 3) {
				const struct order order = { .compare = by_length,
					.arg = &calls,
					.descending = (flags & 1) != 0,
					.by_value = (flags & 2) != 0 };

				one_sort(&random, &shapes[s], &order, memories[m]);
			}
	assert_true(calls > 0);
}

static int at_random(quern_slice a, quern_slice b, void *arg)
{
	(void)a, (void)b;
	return (int)kit_below(arg, 3) - 1;
}

static void count(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	(void)word, (void)key;
	assert_int_equal(value.len, sizeof(uint64_t));
	*(uint64_t *)arg += kit_number(value);
}

/* Nothing is lost or comes twice, and nothing worse happens. */
static void a_function_that_contradicts_itself(void **state)
{
	enum { N = 20000 };
	uint64_t random = 3, sum = 0;
	const struct order order = { .compare = at_random, .arg = &random };

	(void)state;
	for (size_t memory = 0; memory <= 256 << 20; memory = memory * 2 + (16 << 20)) {
		struct bench b = { 0 };
		const struct sort_config config = { .order = &order,
			.memory = memory,
			.scratch_dir = b.dir,
			.keep = &b.keep,
			.flow = &b.flow };

		kit_folder(b.dir);
		sort_init(&b.sort, &config);
		for (uint64_t i = 0; i < N; i++)
			sort_record(&b.sort, quern_str("key"), quern_bytes(&i, sizeof(i)));
		sum = 0;
		sort_finish(&b.sort, count, &sum);
		assert_string_equal(b.flow.err.text, "");
		assert_int_equal(sum, (uint64_t)N * (N - 1) / 2);
		sort_deinit(&b.sort);
		keep_deinit(&b.keep);
		tree_remove(b.dir);
	}
}

static void tags_go_first(void **state)
{
	static const size_t memories[] = { 0, 256 << 20 };
	uint64_t random = 2;

	(void)state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s += 4)
		for (size_t m = 0; m < sizeof(memories) / sizeof(memories[0]); m++)
			for (unsigned flags = 0; flags < 4; flags++) {
				const struct order order = { .tagged = true,
					.loose = flags == 3,
					.descending = (flags & 1) != 0,
					.by_value = flags == 2 };

				one_sort(&random, &shapes[s], &order, memories[m]);
			}
}

static void what_is_no_number_is_said_so(void **state)
{
	const struct order order = { .key = QUERN__VALUE_TYPE__U64 };
	struct bench b = { .dir = "/" };
	const struct sort_config config = {
		.order = &order, .scratch_dir = b.dir, .keep = &b.keep, .flow = &b.flow
	};

	(void)state;
	sort_init(&b.sort, &config);
	sort_record(&b.sort, quern_str("eight by"), quern_str(""));
	assert_int_equal(b.flow.result, 0);
	sort_record(&b.sort, quern_str("no number"), quern_str(""));
	assert_int_equal(b.flow.result, -EINVAL);
	assert_true(b.flow.final);
	assert_non_null(strstr(b.flow.err.text, "its key has 9"));
	sort_deinit(&b.sort);
}

static void what_has_no_tag_does_not_fit(void **state)
{
	const struct order tagged = { .tagged = true, .key = QUERN__VALUE_TYPE__U64 };
	const struct order loose = { .tagged = true, .loose = true };

	(void)state;
	assert_false(order_fits(&loose, quern_str("1234"), quern_str("")));
	assert_true(order_fits(&loose, quern_str("12345"), quern_str("")));
	assert_true(order_fits(&tagged, quern_str("12345eight by"), quern_str("")));
	assert_false(order_fits(&tagged, quern_str("12345678"), quern_str("")));
	assert_false(order_fits(&tagged, quern_str(""), quern_str("")));
}

/* A file system without room: one line that says what to do. */
static void a_full_disk(void **state)
{
	struct flow flow = { 0 };
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch, "/where");
	scratch_failed(&scratch, &flow, -ENOSPC);
	assert_int_equal(flow.result, -ENOSPC);
	assert_non_null(strstr(flow.err.text, "'/where': No space left on device"));
	assert_non_null(strstr(flow.err.text, "--task-memory"));
}

/* ---- Ranges ---- */

static void partitions_are_ranges(void **state)
{
	char keys[99][3];
	ProtobufCBinaryData bounds[99];

	(void)state;
	for (size_t i = 0; i < 99; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "%02zu", i + 1);
		bounds[i] = (ProtobufCBinaryData){ 2, (uint8_t *)keys[i] };
	}
	for (size_t n = 0; n <= 99; n += n == 0 ? 4 : 95) {
		for (uint32_t partitions = 1; partitions <= 300; partitions++) {
			struct order order = { 0 };
			struct ranges r;
			uint32_t last = 0, used = 0;
			char key[3];

			ranges_init(&r, &order, bounds, n, partitions);
			for (size_t i = 0; i < 100; i++) {
				(void)snprintf(key, sizeof(key), "%02zu", i);
				uint32_t p = ranges_next(&r, quern_str(key));
				assert_true(p >= last && p < partitions);
				used += p != last || i == 0;
				assert_int_equal(ranges_next(&r, quern_str(key)), p);
				last = p;
			}
			/* As many as there are, or as there are parts. */
			assert_int_equal(used, partitions < n + 1 ? partitions : n + 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_every_shape_in_every_memory),
		cmocka_unit_test(records_in_the_order_of_a_function),
		cmocka_unit_test(a_function_that_contradicts_itself),
		cmocka_unit_test(tags_go_first),
		cmocka_unit_test(what_is_no_number_is_said_so),
		cmocka_unit_test(what_has_no_tag_does_not_fit),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(partitions_are_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
