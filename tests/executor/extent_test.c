/* Extents of a file in HDFS: the NameNode and DataNodes are made up (tests/hdfs_client/fake.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/auto.h"
#include "executor/split_read.h"
#include "tests/executor/kit.h"
#include "tests/hdfs_client/fake.h"

enum { BLOCK = 128 << 10, SIZE = 5 * BLOCK / 2 };

struct bench {
	struct fake hdfs;
	struct keep keep;
	char url[96];
	struct flow flow;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	char authority[64];

	assert_non_null(b);
	fake_init(&b->hdfs, SIZE);
	fake_access(&b->hdfs, &b->keep.access);
	fake_url(&b->hdfs, authority);
	(void)snprintf(b->url, sizeof(b->url), "%s/f", authority);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	keep_deinit(&b->keep);
	fake_deinit(&b->hdfs);
	free(b);
	return 0;
}

static Quern__Extent extent(struct bench *b, uint64_t offset, uint64_t length)
{
	Quern__Extent x = QUERN__EXTENT__INIT;

	x.path = b->url;
	x.offset = offset;
	x.length = length;
	return x;
}

/* Reads an extent as `format`. */
static void read_as(
	struct bench *b, const Quern__Extent *x, Quern__Source__Format format, struct quern_out *out)
{
	Quern__Source source = QUERN__SOURCE__INIT;
	Quern__Extent *extents[] = { (Quern__Extent *)x };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct split_reader r;

	source.format = format;
	source.width = 100;
	split.extents = extents;
	split.n_extents = 1;
	b->flow = (struct flow){ 0 };
	split_reader_init(&r, &source, &b->keep);
	split_reader_run(&r, &split, out, &b->flow);
	split_reader_deinit(&r);
}

static void expect_failure(struct bench *b, const Quern__Extent *x, int code, bool final, const char *words)
{
	struct kit_sink sink;

	kit_sink_init(&sink);
	read_as(b, x, QUERN__SOURCE__FORMAT__LINES, &sink.out);
	assert_int_equal(b->flow.result, code);
	assert_int_equal(b->flow.final, final);
	if (strstr(b->flow.err.text, words) == NULL || strchr(b->flow.err.text, '\n') != NULL)
		fail_msg("no '%s' in: %s", words, b->flow.err.text);
	buf_deinit(&sink.data);
}

static void bytes_are_those_of_the_file(void **state)
{
	static const struct {
		uint64_t offset, length;
	} parts[] = { { 0, SIZE }, { BLOCK, BLOCK }, { 2 * BLOCK, SIZE - 2 * BLOCK }, { 1000, 3 } };
	struct bench *b = *state;
	auto_free uint8_t *data = malloc(SIZE);

	assert_non_null(data);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const Quern__Extent x = extent(b, parts[i].offset, parts[i].length);
		struct extent_file f;
		size_t len = SIZE - x.offset;

		b->flow = (struct flow){ 0 };
		assert_true(extent_open(&f, &x, &b->keep, &b->flow));
		assert_int_equal(f.size, SIZE);
		/* Also behind the extent, and once more from its middle. */
		assert_int_equal(extent_read(&f, data, SIZE, x.offset, &b->flow), len);
		for (size_t k = 0; k < len; k++)
			assert_int_equal(data[k], fake_byte(x.offset + k));
		assert_int_equal(extent_read(&f, data, 2, x.offset + 1, &b->flow), 2);
		assert_int_equal(data[1], fake_byte(x.offset + 2));
		assert_int_equal(extent_read(&f, data, 1, SIZE, &b->flow), 0);
		extent_close(&f);
		extent_close(&f);
		assert_int_equal(b->flow.result, 0);
	}
}

static void what_is_worth_asking_for_ends_with_the_extent(void **state)
{
	struct bench *b = *state;
	const Quern__Extent x = extent(b, 10, 100);
	struct extent_file f;

	assert_true(extent_open(&f, &x, &b->keep, &b->flow));
	assert_int_equal(extent_worth(&f, 5, 10), 5);
	assert_int_equal(extent_worth(&f, 1 << 20, 10), 100);
	assert_int_equal(extent_worth(&f, 1 << 20, 109), 1);
	assert_int_equal(extent_worth(&f, 1 << 20, 110), EXTENT_BEHIND);
	assert_int_equal(extent_worth(&f, 7, 1000), 7);
	extent_close(&f);
}

/* Any division of the file gives the same lines, once, in order; the same of records of a fixed width. */
static void every_record_comes_once(void **state)
{
	static const Quern__Source__Format formats[] = { QUERN__SOURCE__FORMAT__LINES,
		QUERN__SOURCE__FORMAT__FIXED };
	struct bench *b = *state;

	b->hdfs.len = 2500 * 100;
	for (size_t i = 0; i < 2; i++) {
		struct kit_sink whole, parts;
		uint64_t offset = 0, len = b->hdfs.len;
		const Quern__Extent all = extent(b, 0, len);

		kit_sink_init(&whole);
		kit_sink_init(&parts);
		read_as(b, &all, formats[i], &whole.out);
		assert_string_equal(b->flow.err.text, "");
		while (offset < len) {
			uint64_t n = len - offset < 77777 ? len - offset : 77777;
			const Quern__Extent x = extent(b, offset, n);

			read_as(b, &x, formats[i], &parts.out);
			assert_string_equal(b->flow.err.text, "");
			offset += n;
		}
		assert_true(whole.n > 500);
		assert_int_equal(parts.n, whole.n);
		assert_int_equal(parts.data.len, whole.data.len);
		assert_memory_equal(parts.data.data, whole.data.data, whole.data.len);
		buf_deinit(&whole.data);
		buf_deinit(&parts.data);
	}
}

static void some_failures_are_final(void **state)
{
	struct bench *b = *state;
	Quern__Extent x = extent(b, 0, SIZE);
	struct kit_sink sink;

	x.length = SIZE + 1;
	expect_failure(b, &x, -ESTALE, true, "shorter than when the job began");
	x.length = SIZE;
	b->hdfs.there = false;
	expect_failure(b, &x, -ENOENT, true, "/f: no such file");
	b->hdfs.there = true;
	x.path = (char *)"hdfs://";
	expect_failure(b, &x, -EINVAL, true, "hdfs://");
	/* Another agent may have what is not here. */
	x.path = (char *)"/nothing/here";
	expect_failure(b, &x, -ENOENT, false, "/nothing/here");

	/* Deleted meanwhile. */
	x.path = b->url;
	b->hdfs.vanish = true;
	b->hdfs.after = 1000;
	for (int i = 0; i < FAKE_DATANODES; i++)
		fake_set(&b->hdfs, i, FAKE_CUT);
	kit_sink_init(&sink);
	read_as(b, &x, QUERN__SOURCE__FORMAT__LINES, &sink.out);
	assert_int_equal(b->flow.result, -ESTALE);
	assert_true(b->flow.final);
	buf_deinit(&sink.data);
}

/* A user function that fails. */
struct leaver {
	struct quern_out out;
	jmp_buf to;
};

static void leave(struct quern_out *out, quern_slice key, quern_slice value)
{
	(void)key, (void)value;
	longjmp(((struct leaver *)out)->to, 1);
}

static void who_jumps_out_leaves_nothing_open(void **state)
{
	struct bench *b = *state;
	Quern__Source source = QUERN__SOURCE__INIT;
	Quern__Extent x = extent(b, 0, SIZE), *extents[] = { &x };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct leaver leaver = { .out = { leave } };
	struct split_reader r;

	split.extents = extents;
	split.n_extents = 1;
	split_reader_init(&r, &source, &b->keep);
	if (setjmp(leaver.to) == 0) {
		split_reader_run(&r, &split, &leaver.out, &b->flow);
		fail();
	}
	split_reader_deinit(&r); /* a sanitizer sees what it leaves */
	assert_int_equal(b->flow.result, 0);
	every_record_comes_once(state); /* and the pool is as good as new */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_are_those_of_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_worth_asking_for_ends_with_the_extent, setup, teardown),
		cmocka_unit_test_setup_teardown(every_record_comes_once, setup, teardown),
		cmocka_unit_test_setup_teardown(some_failures_are_final, setup, teardown),
		cmocka_unit_test_setup_teardown(who_jumps_out_leaves_nothing_open, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
