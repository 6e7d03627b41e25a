/* resources_test.c: mesos/resources.h: what is told apart, and the arithmetic against a model of plain
 * arrays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "mesos/resources.h"

static struct resources *parse(const char *text)
{
	struct resources *r = NULL;
	struct err err = { "" };

	if (resources_parse(text, &r, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return r;
}

static void assert_prints(const struct resources *r, const char *text)
{
	struct buf out = BUF_INIT(1 << 16);

	assert_int_equal(resources_print(r, &out), 0);
	assert_int_equal(buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.data, text);
	buf_deinit(&out);
}

static bool same(const struct resources *a, const struct resources *b)
{
	return resources_contains(a, b) && resources_contains(b, a);
}

/* ---- Text ---- */

static void text_is_read_and_printed(void **state)
{
	static const struct {
		const char *text, *prints;
	} cases[] = {
		{ "cpus:4;mem:4096;ports:[31000-32000]", "cpus:4;mem:4096;ports:[31000-32000]" },
		{ "", "" },
		{ " ; ;", "" },
		{ "cpus:4;", "cpus:4" },
		{ " cpus : 4 ; mem:\t1.5 \n", "cpus:4;mem:1.5" },
		{ "cpus:0.1", "cpus:0.1" },
		{ "cpus:.25;mem:1e3;disk:1E-3", "cpus:0.25;mem:1000;disk:0.001" },
		{ "cpus:1073741823.999", "cpus:1073741823.999" },
		{ "cpus:0;mem:0.0004", "" }, /* nothing is not there */
		{ "cpus:1;cpus:2", "cpus:3" },
		{ "cpus(a):1;cpus(b):2;cpus:3;cpus(*):4", "cpus(a):1;cpus(b):2;cpus:7" },
		{ "cpus(a/b.c-d_e):1", "cpus(a/b.c-d_e):1" },
		{ "cpus{REV}:1;cpus:2; cpus{REV} : 3", "cpus{REV}:4;cpus:2" },
		{ "cpus(a){REV}:1;cpus(a):1;ports{REV}:[1-2]", "cpus(a){REV}:1;cpus(a):1;ports{REV}:[1-2]" },
		{ "ports:[1-2,3-3, 5 -6]", NULL },
		{ "ports:[ 5-6 ,1-2,3-3]", "ports:[1-3,5-6]" },
		{ "ports:[1-5,2-3];ports:[4-9]", "ports:[1-9]" },
		{ "ports:[0-0,18446744073709551615-18446744073709551615]",
			"ports:[0-0,18446744073709551615-18446744073709551615]" },
		{ "ports:[0-18446744073709551615,7-7]", "ports:[0-18446744073709551615]" },
		{ "zones:{b,a, c ,b}", "zones:{a,b,c}" },
		{ "zones(r):{x};zones:{y}", "zones(r):{x};zones:{y}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct resources *r = NULL;

		if (cases[i].prints == NULL) {
			assert_int_equal(resources_parse(cases[i].text, &r, NULL), -EINVAL);
			continue;
		}
		r = parse(cases[i].text);
		if (cases[i].prints[0] != '\0')
			assert_prints(r, cases[i].prints);
		assert_int_equal(resources_empty(r), cases[i].prints[0] == '\0');
		struct resources *again = parse(cases[i].prints);
		assert_true(same(r, again));
		(void)resources_free(again);
		(void)resources_free(r);
	}
}

static void text_that_is_none_is_refused_with_words(void **state)
{
	static const char *const bad[] = { "cpus", "cpus=4", ":4", "cpus:", "cpus: ", "cpus:x", "cpus:4x",
		"cpus:0x10", "cpus:inf", "cpus:nan", "cpus:1e999", "cpus:-1", "cpus:1 2", "cpus:1073741825",
		"cpus(:1", "cpus(a:1", "cpus():1", "cpus(a)b:1", "(a):1", "cpus(a b):1", "c pus:1",
		"cpus{a}:1", "{REV}:1", "cpus{REV}{REV}:1", "cpus{REV}(a):1", "cpus{rev}:1", "cpus(a//b):1",
		"cpus(a/):1", "cpus(-a):1", "ports:[", "ports:]", "ports:[]", "ports:[1]", "ports:[1-]",
		"ports:[-1]", "ports:[1--2]", "ports:[-1-2]", "ports:[+1-2]", "ports:[2-1]", "ports:[1-2",
		"ports:[1-2]x", "ports:[1-2,]", "ports:[,1-2]", "ports:[1-2;3-4]", "ports:[a-b]",
		"ports:[1-18446744073709551616]", "zones:{", "zones:{}", "zones:{a", "zones:{a,}",
		"zones:{,}", "zones:{a}b", "zones:{{a}}", "zones:{a b}", "cpus:4;mem" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct resources *r = NULL;
		struct err err = { "" };

		if (resources_parse(bad[i], &r, &err) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_null(r);
		assert_string_not_equal(err.text, "");
	}
}

/* ---- Scalars ---- */

static void scalars_have_three_digits_and_no_error(void **state)
{
	struct resources *sum = parse(""), *tenth = parse("cpus:0.1"), *small = parse("cpus:0.001"), *all;

	(void)state;
	for (int i = 1; i <= 1000; i++) {
		assert_int_equal(resources_add(sum, tenth), 0);
		assert_int_equal(resources_milli(sum, "cpus"), i * 100);
	}
	all = parse("cpus:100");
	assert_true(same(sum, all));
	assert_int_equal(resources_subtract(all, small), 0);
	assert_false(resources_contains(all, sum));
	assert_int_equal(resources_subtract(all, sum), -ERANGE);
	assert_prints(all, "cpus:99.999");
	for (int i = 0; i < 1000; i++)
		assert_int_equal(resources_subtract(sum, tenth), 0);
	assert_true(resources_empty(sum));
	assert_int_equal(resources_milli(sum, "cpus"), 0);
	(void)resources_free(sum);
	(void)resources_free(tenth);
	(void)resources_free(small);
	(void)resources_free(all);
}

static Mesos__V1__Resource *scalar_message(double value)
{
	static Mesos__V1__Resource r;
	static Mesos__V1__Value__Scalar scalar;

	mesos__v1__resource__init(&r);
	mesos__v1__value__scalar__init(&scalar);
	r.name = (char *)"cpus";
	r.type = MESOS__V1__VALUE__TYPE__SCALAR;
	r.scalar = &scalar;
	scalar.value = value;
	return &r;
}

/* src/common/values.cpp of Apache Mesos: to the nearest thousandth. */
static void scalars_of_messages_are_rounded_as_mesos_does(void **state)
{
	static const struct {
		double value;
		int64_t milli;
	} cases[] = { { 1, 1000 }, { 0.1 + 0.2, 300 }, { 0.0004, 0 }, { 0.0005, 1 }, { 1.2344999, 1234 },
		{ 1.2345001, 1235 }, { 3.9999999, 4000 }, { 0, 0 }, { -0.0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		Mesos__V1__Resource *m = scalar_message(cases[i].value);
		struct resources *r = NULL;

		assert_int_equal(resources_from_pb(&m, 1, &r, NULL), 0);
		assert_int_equal(resources_milli(r, "cpus"), cases[i].milli);
		assert_int_equal(resources_empty(r), cases[i].milli == 0);
		(void)resources_free(r);
	}
}

/* ---- Messages ---- */

static void expect_bad(Mesos__V1__Resource *m, const char *says)
{
	struct resources *r = NULL;
	struct err err = { "" };

	assert_int_equal(resources_from_pb(&m, 1, &r, &err), -EINVAL);
	assert_null(r);
	assert_non_null(strstr(err.text, says));
}

static void messages_that_make_no_sense_are_refused(void **state)
{
	const double bad[] = { -1, -0.001, NAN, INFINITY, -INFINITY, 1e300, 2e9 };
	Mesos__V1__Resource m = MESOS__V1__RESOURCE__INIT;
	Mesos__V1__Value__Range range = MESOS__V1__VALUE__RANGE__INIT, *list[] = { &range };
	Mesos__V1__Value__Ranges ranges = MESOS__V1__VALUE__RANGES__INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_bad(scalar_message(bad[i]), "'cpus'");
	m.name = (char *)"";
	m.type = MESOS__V1__VALUE__TYPE__SCALAR;
	expect_bad(&m, "without a name");
	m.name = (char *)"x";
	expect_bad(&m, "'x' is not a scalar");
	m.type = MESOS__V1__VALUE__TYPE__SET;
	expect_bad(&m, "'x' has no set");
	m.type = MESOS__V1__VALUE__TYPE__TEXT;
	expect_bad(&m, "'x' is neither");
	m.type = MESOS__V1__VALUE__TYPE__RANGES;
	expect_bad(&m, "'x' has no ranges");
	ranges.n_range = 1;
	ranges.range = list;
	m.ranges = &ranges;
	range.begin = 2;
	range.end = 1;
	expect_bad(&m, "'x': a range ends before it begins");
}

/* Everything that makes a piece another piece. Each is one cpu. */
static size_t variants(Mesos__V1__Resource ret[16])
{
	static Mesos__V1__Value__Scalar one = MESOS__V1__VALUE__SCALAR__INIT;
	static Mesos__V1__Resource__AllocationInfo to_a = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT,
						   to_b = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;
	static Mesos__V1__Resource__ReservationInfo of_a = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT,
						    of_b = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT,
						    dynamic = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;
	static Mesos__V1__Resource__ReservationInfo *reserved_a[] = { &of_a }, *reserved_b[] = { &of_b },
						    *both[] = { &of_a, &of_b }, *dynamics[] = { &dynamic };
	static Mesos__V1__Resource__RevocableInfo revocable = MESOS__V1__RESOURCE__REVOCABLE_INFO__INIT;
	static Mesos__V1__Resource__SharedInfo shared = MESOS__V1__RESOURCE__SHARED_INFO__INIT;
	static ProtobufCMessageUnknownField volume = { .tag = 7,
		.wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		.len = 2,
		.data = (uint8_t *)"\x01x" }; /* DiskInfo, which we do not declare */

	one.value = 1;
	to_a.role = of_a.role = dynamic.role = (char *)"a";
	to_b.role = of_b.role = (char *)"b";
	of_a.has_type = of_b.has_type = dynamic.has_type = true;
	of_a.type = of_b.type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
	dynamic.type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
	dynamic.principal = (char *)"p";
	for (size_t i = 0; i < 16; i++) {
		mesos__v1__resource__init(&ret[i]);
		ret[i].name = (char *)"cpus";
		ret[i].type = MESOS__V1__VALUE__TYPE__SCALAR;
		ret[i].scalar = &one;
	}
	size_t n = 1; /* the plain one first */
	ret[n++].name = (char *)"mem";
	ret[n++].role = (char *)"a";
	ret[n++].allocation_info = &to_a;
	ret[n++].allocation_info = &to_b;
	ret[n].n_reservations = 1, ret[n++].reservations = reserved_a;
	ret[n].n_reservations = 1, ret[n++].reservations = reserved_b;
	ret[n].n_reservations = 2, ret[n++].reservations = both;
	ret[n].n_reservations = 1, ret[n++].reservations = dynamics;
	ret[n].role = (char *)"a", ret[n++].reservation = &dynamic;
	ret[n++].revocable = &revocable;
	ret[n++].shared = &shared;
	ret[n].base.n_unknown_fields = 1, ret[n++].base.unknown_fields = &volume;
	return n;
}

static void pieces_that_differ_never_mix(void **state)
{
	Mesos__V1__Resource list[16], *pointers[16], **back;
	struct resources *all = NULL, *rest = NULL;
	size_t n = variants(list), n_back;

	(void)state;
	for (size_t i = 0; i < n; i++)
		pointers[i] = &list[i];
	assert_int_equal(resources_from_pb(pointers, n, &all, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct resources *a = NULL, *b = NULL;

			assert_int_equal(resources_from_pb(&pointers[i], 1, &a, NULL), 0);
			assert_int_equal(resources_from_pb(&pointers[j], 1, &b, NULL), 0);
			assert_int_equal(resources_contains(a, b), i == j);
			assert_int_equal(resources_subtract(a, b), i == j ? 0 : -ERANGE);
			(void)resources_free(a);
			(void)resources_free(b);
		}
	}
	/* As messages and back they are the same, each on its own. */
	assert_int_equal(resources_to_pb(all, &back, &n_back), 0);
	assert_int_equal(n_back, n);
	assert_int_equal(resources_from_pb(back, n_back, &rest, NULL), 0);
	assert_true(same(rest, all));
	for (size_t i = 0; i < n; i++) {
		uint8_t one[200], two[200];
		size_t len = mesos__v1__resource__pack(&list[i], one);

		assert_int_equal(mesos__v1__resource__pack(back[i], two), len);
		assert_memory_equal(one, two, len);
	}
	assert_int_equal(resources_milli(all, "cpus"), (int64_t)(n - 1) * 1000);
	resources_pb_free(back, n_back);
	(void)resources_free(all);
	(void)resources_free(rest);
}

/* A master writes `role: "*"` for frameworks that know no refined reservations; others leave the default out.
 */
static void the_role_of_everybody_need_not_be_written(void **state)
{
	Mesos__V1__Resource *m = scalar_message(1);
	struct resources *written = NULL, *plain = parse("cpus:1");

	(void)state;
	m->role = (char *)"*";
	assert_int_equal(resources_from_pb(&m, 1, &written, NULL), 0);
	assert_true(same(written, plain));
	(void)resources_free(written);
	(void)resources_free(plain);
}

/* ---- Arithmetic, against a model ---- */

enum { PORTS = 24, ZONES = 6, ROLES = 3 };
static const char *const roles[ROLES] = { "", "(a)", "(b)" };

/* Of each role: thousandths of cpus, which ports and which zones. */
struct model {
	struct {
		int cpus;
		bool ports[PORTS], zones[ZONES];
	} of[ROLES];
};

static uint32_t random_next(uint32_t *state) /* xorshift32 */
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static struct model random_model(uint32_t *seed)
{
	struct model m = { 0 };

	for (int i = 0; i < ROLES; i++) {
		if (random_next(seed) % 3 == 0)
			continue;
		m.of[i].cpus = (int)(random_next(seed) % 3000);
		for (int p = 0; p < PORTS; p++)
			m.of[i].ports[p] = random_next(seed) % 2 == 0;
		for (int z = 0; z < ZONES; z++)
			m.of[i].zones[z] = random_next(seed) % 3 == 0;
	}
	return m;
}

/* As --resources would say it, every port on its own and in no order. */
static struct resources *resources_of(const struct model *m, uint32_t *seed)
{
	struct buf text = BUF_INIT(1 << 16);

	for (int i = 0; i < ROLES; i++) {
		unsigned turn = random_next(seed);

		assert_int_equal(buf_add_fmt(&text, "cpus%s:%d.%03d;", roles[i], m->of[i].cpus / 1000,
					 m->of[i].cpus % 1000),
			0);
		for (unsigned k = 0; k < PORTS; k++) {
			unsigned p = (k * 7 + turn) % PORTS;
			if (m->of[i].ports[p])
				assert_int_equal(buf_add_fmt(&text, "ports%s:[%u-%u];", roles[i], p, p), 0);
		}
		for (unsigned k = 0; k < ZONES; k++) {
			unsigned z = (k * 5 + turn) % ZONES;
			if (m->of[i].zones[z])
				assert_int_equal(buf_add_fmt(&text, "zones%s:{z%u};", roles[i], z), 0);
		}
	}
	assert_int_equal(buf_add(&text, "", 1), 0);
	struct resources *r = parse((const char *)text.data);
	buf_deinit(&text);
	return r;
}

static struct model model_add(const struct model *a, const struct model *b)
{
	struct model sum = *a;

	for (int i = 0; i < ROLES; i++) {
		sum.of[i].cpus += b->of[i].cpus;
		for (int p = 0; p < PORTS; p++)
			sum.of[i].ports[p] |= b->of[i].ports[p];
		for (int z = 0; z < ZONES; z++)
			sum.of[i].zones[z] |= b->of[i].zones[z];
	}
	return sum;
}

static bool model_contains(const struct model *a, const struct model *b)
{
	bool all = true;

	for (int i = 0; i < ROLES; i++) {
		all = all && a->of[i].cpus >= b->of[i].cpus;
		for (int p = 0; p < PORTS; p++)
			all = all && (a->of[i].ports[p] || !b->of[i].ports[p]);
		for (int z = 0; z < ZONES; z++)
			all = all && (a->of[i].zones[z] || !b->of[i].zones[z]);
	}
	return all;
}

static struct model model_subtract(const struct model *a, const struct model *b)
{
	struct model rest = *a;

	for (int i = 0; i < ROLES; i++) {
		rest.of[i].cpus -= b->of[i].cpus;
		for (int p = 0; p < PORTS; p++)
			rest.of[i].ports[p] &= !b->of[i].ports[p];
		for (int z = 0; z < ZONES; z++)
			rest.of[i].zones[z] &= !b->of[i].zones[z];
	}
	return rest;
}

static void assert_model(const struct resources *r, const struct model *m, uint32_t *seed)
{
	struct resources *expected = resources_of(m, seed);

	assert_true(same(r, expected));
	(void)resources_free(expected);
}

static void arithmetic_is_that_of_the_model(void **state)
{
	int contained = 0;

	(void)state;
	for (uint32_t round = 1; round <= 600; round++) {
		uint32_t seed = round * 2654435761U;
		struct model a = random_model(&seed), b = random_model(&seed);
		struct model sum = model_add(&a, &b);

		if (round % 4 == 0) { /* a part of it, which chance would hardly give */
			b = model_subtract(&a, &b);
			for (int i = 0; i < ROLES; i++)
				b.of[i].cpus = a.of[i].cpus / 2;
			sum = model_add(&a, &b);
		}
		struct resources *ra = resources_of(&a, &seed), *rb = resources_of(&b, &seed), *rs = NULL;
		assert_int_equal(resources_dup(ra, &rs), 0);
		assert_int_equal(resources_add(rs, rb), 0);
		assert_model(rs, &sum, &seed);
		assert_model(ra, &a, &seed); /* the copy was one */
		assert_int_equal(resources_contains(ra, rb), model_contains(&a, &b));
		struct model left = model_subtract(&sum, &b);
		assert_int_equal(resources_subtract(rs, rb), 0);
		assert_model(rs, &left, &seed);
		if (model_contains(&a, &b)) {
			contained++;
			left = model_subtract(&a, &b);
			assert_int_equal(resources_subtract(ra, rb), 0);
		} else {
			left = a;
			assert_int_equal(resources_subtract(ra, rb), -ERANGE);
		}
		assert_model(ra, &left, &seed);
		assert_int_equal(resources_add(rb, rb), 0); /* with itself, too */
		left = model_add(&b, &b);
		assert_model(rb, &left, &seed);
		assert_int_equal(resources_subtract(rb, rb), 0);
		assert_true(resources_empty(rb));
		(void)resources_free(ra);
		(void)resources_free(rb);
		(void)resources_free(rs);
	}
	assert_true(contained >= 150);
}

/* ---- Taking, allocating ---- */

static void reserved_pieces_are_taken_first(void **state)
{
	struct resources *from = parse("cpus:2;cpus(a):1;mem:10;ports:[1-2];cpus(b):0.5"), *into = parse("");

	(void)state;
	assert_int_equal(resources_take(from, "cpus", 1200, into), 0);
	assert_prints(from, "cpus:2;mem:10;ports:[1-2];cpus(b):0.3");
	assert_prints(into, "cpus(a):1;cpus(b):0.2");
	assert_int_equal(resources_take(from, "cpus", 2301, into), -ERANGE);
	assert_int_equal(resources_take(from, "gpus", 1, into), -ERANGE);
	assert_int_equal(resources_take(from, "ports", 1, into), -ERANGE);
	assert_prints(from, "cpus:2;mem:10;ports:[1-2];cpus(b):0.3");
	assert_int_equal(resources_take(from, "cpus", 2300, into), 0);
	assert_int_equal(resources_take(from, "cpus", 0, into), 0);
	assert_prints(from, "mem:10;ports:[1-2]");
	assert_prints(into, "cpus(a):1;cpus(b):0.5;cpus:2");
	(void)resources_free(from);
	(void)resources_free(into);
}

/* "ports" alone are ports, and of them what TCP has. */
static void a_port_is_taken_of_reserved_pieces_first(void **state)
{
	struct resources *from = parse("cpus:1;ports:[5-6,9-9];ports(a):[7-8];other:[1-1]"),
			 *into = parse("");
	uint16_t port;

	(void)state;
	assert_true(resources_has_port(from));
	assert_int_equal(resources_take_port(from, 5, into, &port), 0); /* the second of two */
	assert_int_equal(port, 8);
	assert_prints(from, "cpus:1;ports:[5-6,9-9];ports(a):[7-7];other:[1-1]");
	assert_prints(into, "ports(a):[8-8]");
	assert_int_equal(resources_take_port(from, UINT64_MAX, into, &port), 0);
	assert_int_equal(port, 7);
	assert_int_equal(resources_take_port(from, 2, into, &port), 0);
	assert_int_equal(port, 9);
	assert_int_equal(resources_take_port(from, 0, into, &port), 0);
	assert_int_equal(port, 5);
	assert_int_equal(resources_take_port(from, 1, into, &port), 0);
	assert_int_equal(port, 6);
	assert_prints(from, "cpus:1;other:[1-1]");
	assert_prints(into, "ports(a):[7-8];ports:[5-6,9-9]");
	assert_false(resources_has_port(from));
	assert_int_equal(resources_take_port(from, 0, into, &port), -ERANGE);
	assert_prints(into, "ports(a):[7-8];ports:[5-6,9-9]");
	(void)resources_free(from);
	(void)resources_free(into);
}

static void what_is_no_port_is_none(void **state)
{
	struct resources *none = parse("ports:[0-0,65536-18446744073709551615]"), *into = parse("");
	struct resources *all = parse("ports:[0-18446744073709551615]");
	uint16_t port;

	(void)state;
	assert_false(resources_has_port(none));
	assert_int_equal(resources_take_port(none, 0, into, &port), -ERANGE);
	assert_true(resources_empty(into));
	assert_int_equal(resources_take_port(all, 65534, into, &port), 0);
	assert_int_equal(port, 65535);
	assert_int_equal(resources_take_port(all, 65534, into, &port), 0); /* of 65534 that are left */
	assert_int_equal(port, 1);
	(void)resources_free(none);
	(void)resources_free(all);
	(void)resources_free(into);
}

static void revocable_pieces_are_kept_or_left(void **state)
{
	struct resources *r = parse("cpus:1;cpus{REV}:2;cpus(a){REV}:3;mem:4;ports:[1-2]");

	(void)state;
	assert_true(resources_revocable(r, "cpus"));
	assert_false(resources_revocable(r, "mem"));
	struct resources *kept = NULL;
	assert_int_equal(resources_dup(r, &kept), 0);
	resources_keep(kept, "cpus", true);
	assert_prints(kept, "cpus{REV}:2;cpus(a){REV}:3;mem:4;ports:[1-2]");
	resources_keep(r, "cpus", false);
	assert_prints(r, "cpus:1;mem:4;ports:[1-2]");
	assert_false(resources_revocable(r, "cpus"));
	resources_keep(r, "mem", true);
	assert_prints(r, "cpus:1;ports:[1-2]");
	(void)resources_free(r);
	(void)resources_free(kept);
}

/* Reservations as a master writes them for who refines them, and for who does not; labels, a volume that this
 * schema does not know, and what such a piece is part of: all of that comes back as it was. */
static void pieces_come_back_as_they_were(void **state)
{
	static const uint8_t disk[] = { 0x3a, 0x07, 0x0a, 0x05, 0x0a, 0x03, 'v', 'o', 'l' }; /* field 7 */
	Mesos__V1__Label label = MESOS__V1__LABEL__INIT, *label_list[] = { &label };
	Mesos__V1__Labels labels = MESOS__V1__LABELS__INIT;
	Mesos__V1__Resource__ReservationInfo stack[2] = { MESOS__V1__RESOURCE__RESERVATION_INFO__INIT,
		MESOS__V1__RESOURCE__RESERVATION_INFO__INIT },
					     *stack_list[] = { &stack[0], &stack[1] };
	Mesos__V1__Resource__ReservationInfo old = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;
	Mesos__V1__Value__Scalar two = MESOS__V1__VALUE__SCALAR__INIT;
	Mesos__V1__Resource r[3] = { MESOS__V1__RESOURCE__INIT, MESOS__V1__RESOURCE__INIT,
		MESOS__V1__RESOURCE__INIT },
			    *list[] = { &r[0], &r[1], &r[2] }, **out;
	struct resources *from = NULL, *part = parse("");
	uint8_t bytes[512];
	size_t n;

	(void)state;
	two.value = 2;
	label.key = (char *)(uintptr_t) "team";
	label.value = (char *)(uintptr_t) "search";
	labels.n_labels = 1;
	labels.labels = label_list;
	for (size_t i = 0; i < 3; i++) {
		r[i].name = (char *)(uintptr_t)(i < 2 ? "cpus" : "disk");
		r[i].type = MESOS__V1__VALUE__TYPE__SCALAR;
		r[i].scalar = &two;
	}
	stack[0].has_type = stack[1].has_type = true;
	stack[0].type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
	stack[0].role = (char *)(uintptr_t) "eng";
	stack[1].type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
	stack[1].role = (char *)(uintptr_t) "eng/search";
	stack[1].labels = &labels;
	r[0].n_reservations = 2;
	r[0].reservations = stack_list;
	old.principal = (char *)(uintptr_t) "operator";
	r[1].role = (char *)(uintptr_t) "eng";
	r[1].reservation = &old;
	size_t len = mesos__v1__resource__pack(&r[2], bytes);
	memcpy(bytes + len, disk, sizeof(disk));
	list[2] = mesos__v1__resource__unpack(NULL, len + sizeof(disk), bytes);
	assert_int_equal(resources_from_pb(list, 3, &from, NULL), 0);
	assert_int_equal(resources_take(from, "cpus", 3000, part), 0);
	assert_int_equal(resources_to_pb(part, &out, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[0]->n_reservations, 2);
	assert_string_equal(out[0]->reservations[0]->role, "eng");
	assert_string_equal(out[0]->reservations[1]->labels->labels[0]->value, "search");
	assert_string_equal(out[1]->role, "eng");
	assert_string_equal(out[1]->reservation->principal, "operator");
	assert_int_equal(out[1]->n_reservations, 0);
	resources_pb_free(out, n);
	assert_int_equal(resources_to_pb(from, &out, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(mesos__v1__resource__get_packed_size(out[1]), len + sizeof(disk));
	(void)mesos__v1__resource__pack(out[1], bytes + 256);
	assert_memory_equal(bytes, bytes + 256, len + sizeof(disk));
	resources_pb_free(out, n);
	mesos__v1__resource__free_unpacked(list[2], NULL);
	(void)resources_free(from);
	(void)resources_free(part);
}

static void allocating_is_of_every_piece_and_can_be_undone(void **state)
{
	struct resources *plain = parse("cpus:2;cpus(a):1;ports:[1-2]"), *to_a = NULL, *to_b = NULL;
	Mesos__V1__Resource **list;
	size_t n;

	(void)state;
	assert_int_equal(resources_dup(plain, &to_a), 0);
	assert_int_equal(resources_allocate(to_a, "a"), 0);
	assert_int_equal(resources_dup(to_a, &to_b), 0);
	assert_int_equal(resources_allocate(to_b, "b"), 0);
	assert_false(resources_contains(to_a, plain));
	assert_false(resources_contains(to_a, to_b));
	assert_int_equal(resources_to_pb(to_b, &list, &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(list[i]->allocation_info->role, "b");
	resources_pb_free(list, n);
	/* What differed in that alone is one piece afterwards. */
	assert_int_equal(resources_add(to_a, to_b), 0);
	assert_int_equal(resources_allocate(to_a, NULL), 0);
	assert_prints(to_a, "cpus:4;cpus(a):2;ports:[1-2]");
	assert_int_equal(resources_add(plain, plain), 0);
	assert_true(same(to_a, plain));
	(void)resources_free(plain);
	(void)resources_free(to_a);
	(void)resources_free(to_b);
}

static void many_ranges_take_no_time(void **state)
{
	enum { MANY = 50000 };
	struct buf text = BUF_INIT(16 << 20);

	(void)state;
	assert_int_equal(buf_add_str(&text, "ports:[9999999-9999999"), 0);
	for (int i = MANY; i > 0; i--) /* the worst order for sorting in */
		assert_int_equal(buf_add_fmt(&text, ",%d-%d", i * 3, i * 3 + 1), 0);
	assert_int_equal(buf_add(&text, "]", 2), 0);
	struct resources *r = parse((const char *)text.data), *copy = NULL;
	assert_int_equal(resources_dup(r, &copy), 0);
	assert_int_equal(resources_add(copy, r), 0);
	assert_true(same(copy, r));
	assert_int_equal(resources_subtract(copy, r), 0);
	assert_true(resources_empty(copy));
	(void)resources_free(r);
	(void)resources_free(copy);
	buf_deinit(&text);
}

static void nothing_can_be_freed(void **state)
{
	(void)state;
	assert_null(resources_free(NULL));
	resources_pb_free(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_and_printed),
		cmocka_unit_test(text_that_is_none_is_refused_with_words),
		cmocka_unit_test(scalars_have_three_digits_and_no_error),
		cmocka_unit_test(scalars_of_messages_are_rounded_as_mesos_does),
		cmocka_unit_test(messages_that_make_no_sense_are_refused),
		cmocka_unit_test(pieces_that_differ_never_mix),
		cmocka_unit_test(the_role_of_everybody_need_not_be_written),
		cmocka_unit_test(arithmetic_is_that_of_the_model),
		cmocka_unit_test(reserved_pieces_are_taken_first),
		cmocka_unit_test(a_port_is_taken_of_reserved_pieces_first),
		cmocka_unit_test(what_is_no_port_is_none),
		cmocka_unit_test(revocable_pieces_are_kept_or_left),
		cmocka_unit_test(pieces_come_back_as_they_were),
		cmocka_unit_test(allocating_is_of_every_piece_and_can_be_undone),
		cmocka_unit_test(many_ranges_take_no_time),
		cmocka_unit_test(nothing_can_be_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
