#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/reader.h"
#include "tests/executor/kit.h"

/* A text in a file, and what its lines are by a plain reading of the definition. */
struct text {
	char dir[KIT_PATH];
	char *path;
	size_t len;
	struct buf lines;
};

static void text_make(struct text *t, const char *data, size_t len)
{
	*t = (struct text){ .len = len, .lines = BUF_INIT(SIZE_MAX / 2) };
	kit_folder(t->dir);
	t->path = strdup(kit_path(t->dir, "text"));
	assert_non_null(t->path);
	kit_write(t->path, data, len);
	for (size_t i = 0, begin = 0; i <= len; i++) {
		bool end = i == len;

		if (!end && data[i] != '\n')
			continue;
		if (!end || begin < len)
			assert_int_equal(record_put(&t->lines, quern_bytes(NULL, 0),
						 quern_bytes(data + begin, i - begin)),
				0);
		begin = i + 1;
	}
}

static void text_end(struct text *t)
{
	tree_remove(t->dir);
	buf_deinit(&t->lines);
	free(t->path);
}

/* The lines of the extents between consecutive `cuts` (the first is 0, the last the file's length), one
 * reader each when `apart`, all in one otherwise. */
static void read_cut(const struct text *t, const uint64_t *cuts, size_t n, bool apart, struct kit_sink *sink)
{
	Quern__Extent extents[64];
	Quern__Extent *list[64];
	Quern__Split split = QUERN__SPLIT__INIT;
	uint64_t records = 0, bytes = 0;

	kit_sink_init(sink);
	for (size_t i = 0; i + 1 < n; i++) {
		quern__extent__init(&extents[i]);
		extents[i].path = t->path;
		extents[i].offset = cuts[i];
		extents[i].length = cuts[i + 1] - cuts[i];
		list[i] = &extents[i];
	}
	for (size_t i = 0; i + 1 < n; i += apart ? 1 : n) {
		struct reader reader = READER_INIT;
		struct flow flow = { 0 };

		split.extents = list + i;
		split.n_extents = apart ? 1 : n - 1;
		reader_run(&reader, &split, &sink->out, &flow);
		assert_string_equal(flow.err.text, "");
		assert_int_equal(flow.result, 0);
		records += reader.records;
		bytes += reader.bytes;
		reader_deinit(&reader);
	}
	assert_int_equal(records, sink->n);
	assert_int_equal(bytes, t->len);
}

/* Lines come in the order of the file: the sequences are equal as they are. */
static void assert_lines(const struct text *t, const uint64_t *cuts, size_t n)
{
	struct kit_sink sink;

	for (int apart = 0; apart < 2; apart++) {
		read_cut(t, cuts, n, apart != 0, &sink);
		assert_int_equal(sink.data.len, t->lines.len);
		if (sink.data.len > 0)
			assert_memory_equal(sink.data.data, t->lines.data, sink.data.len);
		buf_deinit(&sink.data);
	}
}

static void every_cut_of_small_texts(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} texts[] = { { "", 0 }, { "\n", 1 }, { "\n\n\n", 3 }, { "a", 1 }, { "a\n", 2 }, { "\na", 2 },
		{ "one\ntwo\nthree", 13 }, { "one\r\ntwo\r\n\r\n", 12 }, { "a\0b\n\0\n\0", 7 },
		{ "\xff\xfe\n\x80", 4 }, { "ends with one\n", 14 } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct text t;

		text_make(&t, texts[i].text, texts[i].len);
		for (uint64_t a = 0; a <= t.len; a++)
			for (uint64_t b = a; b <= t.len; b++)
				assert_lines(&t, (const uint64_t[]){ 0, a, b, t.len }, 4);
		text_end(&t);
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void random_texts_in_random_cuts(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 60; round++) {
		/* Some lines are longer than the reader's buffer. */
		size_t len = (size_t)kit_below(&seed, round % 6 == 0 ? 5 * READER_BUFFER : 3000);
		uint64_t rare = round % 6 == 0 ? 300000 : 1 + kit_below(&seed, 40);
		char *data = malloc(len + 1);
		uint64_t cuts[16];
		struct text t;

		assert_non_null(data);
		for (size_t i = 0; i < len; i++)
			data[i] = kit_below(&seed, rare) == 0 ? '\n' : (char)random_next(&seed);
		text_make(&t, data, len);
		for (size_t i = 0; i < 16; i++)
			cuts[i] = kit_below(&seed, len + 1);
		cuts[0] = 0, cuts[15] = len;
		qsort(cuts, 16, sizeof(cuts[0]), by_number);
		assert_lines(&t, cuts, 16);
		text_end(&t);
		free(data);
	}
}

/* Buffers' borders: lines that end just before, at and behind them. */
static void lines_around_the_buffer(void **state)
{
	enum { ROOM = READER_BUFFER + 8 };
	char *data = malloc(2 * ROOM);

	(void)state;
	assert_non_null(data);
	for (int off = -3; off <= 3; off++) {
		size_t first = (size_t)(READER_BUFFER + off), len = first + 10;
		struct text t;

		memset(data, 'x', len);
		data[first - 1] = '\n';
		text_make(&t, data, len);
		for (int cut = -2; cut <= 2; cut++)
			assert_lines(&t, (const uint64_t[]){ 0, (uint64_t)((int)first + cut), len }, 3);
		text_end(&t);
	}
	free(data);
}

static void one_huge_line(void **state)
{
	enum { LEN = 20 << 20 };
	char *data = malloc(LEN);
	struct text t;

	(void)state;
	assert_non_null(data);
	memset(data, 'h', LEN);
	text_make(&t, data, LEN);
	assert_lines(&t, (const uint64_t[]){ 0, 1, LEN / 2, LEN - 1, LEN }, 5);
	text_end(&t);
	free(data);
}

static void stops_when_told(void **state)
{
	Quern__Extent extent = QUERN__EXTENT__INIT;
	Quern__Extent *list[] = { &extent, &extent };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct reader reader = READER_INIT;
	struct flow flow = { 0 };
	struct kit_sink sink;
	struct text t;

	(void)state;
	text_make(&t, "1\n2\n3\n4\n", 8);
	extent.path = t.path;
	extent.length = t.len;
	split.extents = list;
	split.n_extents = 2;
	kit_sink_init(&sink);
	sink.flow = &flow;
	sink.limit = 3;
	reader_run(&reader, &split, &sink.out, &flow);
	assert_int_equal(flow.result, 0);
	assert_int_equal(sink.n, 3);
	assert_int_equal(reader.records, 3);
	reader_deinit(&reader);
	buf_deinit(&sink.data);
	text_end(&t);
}

/* Runs a split of one extent that must fail; *ret is the flow. */
static void fail_extent(const char *path, uint64_t offset, uint64_t length, struct flow *ret)
{
	Quern__Extent extent = QUERN__EXTENT__INIT;
	Quern__Extent *list[] = { &extent };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct reader reader = READER_INIT;
	struct kit_sink sink;

	*ret = (struct flow){ 0 };
	extent.path = (char *)(uintptr_t)path;
	extent.offset = offset;
	extent.length = length;
	split.extents = list;
	split.n_extents = 1;
	kit_sink_init(&sink);
	reader_run(&reader, &split, &sink.out, ret);
	assert_true(ret->stop);
	assert_non_null(strstr(ret->err.text, path));
	reader_deinit(&reader);
	buf_deinit(&sink.data);
}

static void inputs_that_cannot_be_read(void **state)
{
	struct flow flow;
	struct text t;

	(void)state;
	text_make(&t, "some\ntext\n", 10);
	fail_extent(kit_path(t.dir, "missing"), 0, 1, &flow);
	assert_int_equal(flow.result, -ENOENT);
	fail_extent(t.dir, 0, 0, &flow);
	assert_int_equal(flow.result, -EINVAL);
	assert_true(flow.final);
	assert_int_equal(mkfifo(kit_path(t.dir, "fifo"), 0600), 0);
	fail_extent(kit_path(t.dir, "fifo"), 0, 0, &flow);
	assert_int_equal(flow.result, -EINVAL);
	fail_extent(t.path, 5, 6, &flow);
	assert_int_equal(flow.result, -ESTALE);
	fail_extent(t.path, 5, UINT64_MAX, &flow);
	assert_int_equal(flow.result, -ESTALE);
	text_end(&t);
}

/* Cuts the file to nothing when the first line comes. */
static void truncating_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	(void)key, (void)value;
	assert_int_equal(truncate(*(const char **)(void *)(out + 1), 0), 0);
}

static void a_file_that_shrinks_meanwhile(void **state)
{
	enum { LEN = 4 * READER_BUFFER };
	struct {
		struct quern_out out;
		const char *path;
	} sink = { .out = { truncating_emit } };
	Quern__Extent extent = QUERN__EXTENT__INIT;
	Quern__Extent *list[] = { &extent };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct reader reader = READER_INIT;
	struct flow flow = { 0 };
	char *data = malloc(LEN);
	struct text t;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < LEN; i++)
		data[i] = i % 100 == 99 ? '\n' : 'x';
	text_make(&t, data, LEN);
	sink.path = extent.path = t.path;
	extent.length = LEN;
	split.extents = list;
	split.n_extents = 1;
	reader_run(&reader, &split, &sink.out, &flow);
	assert_int_equal(flow.result, -ESTALE);
	reader_deinit(&reader);
	text_end(&t);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_of_small_texts),
		cmocka_unit_test(random_texts_in_random_cuts),
		cmocka_unit_test(lines_around_the_buffer),
		cmocka_unit_test(one_huge_line),
		cmocka_unit_test(stops_when_told),
		cmocka_unit_test(inputs_that_cannot_be_read),
		cmocka_unit_test(a_file_that_shrinks_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
