#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#include "executor/bytes.h"
#include "executor/split_read.h"
#include "job/codec.h"
#include "tests/executor/kit.h"

/* A source, a split of one file, and the records that come of it. */
struct bench {
	char dir[KIT_PATH];
	Quern__Source source;
	Quern__Extent extent, *extents[1];
	Quern__Split split;
	struct keep keep;
	struct kit_sink sink;
	struct flow flow;
	uint64_t records, bytes;
};

static void bench_open(struct bench *b, Quern__Source__Format format)
{
	*b = (struct bench){
		.source = QUERN__SOURCE__INIT, .extent = QUERN__EXTENT__INIT, .split = QUERN__SPLIT__INIT
	};
	b->source.format = format;
	kit_folder(b->dir);
	kit_sink_init(&b->sink);
}

static void bench_close(struct bench *b)
{
	buf_deinit(&b->sink.data);
	keep_deinit(&b->keep);
	tree_remove(b->dir);
}

static void use_file(struct bench *b, const char *name, const void *data, size_t len)
{
	b->extent.path = (char *)(uintptr_t)kit_path(b->dir, name);
	b->extent.codec = codec_of_path(name);
	b->extent.length = len;
	b->extents[0] = &b->extent;
	b->split.extents = b->extents;
	b->split.n_extents = 1;
	kit_write(b->extent.path, data, len);
}

/* Adds what the split has to the sink. */
static void read_split(struct bench *b)
{
	struct split_reader r;

	split_reader_init(&r, &b->source, &b->keep);
	split_reader_run(&r, &b->split, &b->sink.out, &b->flow);
	b->records += split_reader_records(&r);
	b->bytes += split_reader_bytes(&r);
	split_reader_deinit(&r);
}

static void expect(struct bench *b, const char *key, quern_slice value)
{
	struct buf all = BUF_INIT(SIZE_MAX);

	assert_string_equal(b->flow.err.text, "");
	assert_int_equal(record_put(&all, quern_str(key), value), 0);
	assert_int_equal(b->sink.data.len, all.len);
	assert_memory_equal(b->sink.data.data, all.data, all.len);
	buf_deinit(&all);
	buf_clear(&b->sink.data);
}

static void expect_failure(struct bench *b, const char *words)
{
	assert_true(b->flow.result < 0);
	assert_true(b->flow.final);
	if (strstr(b->flow.err.text, words) == NULL || strchr(b->flow.err.text, '\n') != NULL)
		fail_msg("no '%s' in: %s", words, b->flow.err.text);
	b->flow = (struct flow){ 0 };
}

static size_t gzip(const void *data, size_t len, uint8_t *to, size_t room)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)data,
		.avail_in = (uInt)len,
		.next_out = to,
		.avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return room - z.avail_out;
}

static void lines_are_split_at_the_first_separator(void **state)
{
	static const struct {
		const char *line, *separator, *key, *value;
	} cases[] = { { "a\tb\tc\n", "\t", "a", "b\tc" }, { "a\n", "\t", "a", "" }, { "\n", "\t", "", "" },
		{ "\tb\n", "\t", "", "b" }, { "a=>b=>c", "=>", "a", "b=>c" }, { "a=b=>", "=>", "a=b", "" } };
	struct bench b;

	(void)state;
	bench_open(&b, QUERN__SOURCE__FORMAT__PAIRS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b.source.separator.data = (uint8_t *)(uintptr_t)cases[i].separator;
		b.source.separator.len = strlen(cases[i].separator);
		use_file(&b, "text", cases[i].line, strlen(cases[i].line));
		read_split(&b);
		expect(&b, cases[i].key, quern_str(cases[i].value));
	}
	bench_close(&b);
}

static void a_file_is_a_record(void **state)
{
	uint8_t packed[1000];
	struct bench b;

	(void)state;
	bench_open(&b, QUERN__SOURCE__FORMAT__WHOLE);
	use_file(&b, "a", "one\ntwo\n", 8);
	read_split(&b);
	expect(&b, b.extent.path, quern_str("one\ntwo\n"));
	use_file(&b, "empty", "", 0);
	read_split(&b);
	expect(&b, b.extent.path, quern_str(""));
	use_file(&b, "a.gz", packed, gzip("packed", 6, packed, sizeof(packed)));
	read_split(&b);
	expect(&b, b.extent.path, quern_str("packed"));
	assert_int_equal(b.records, 3);
	/* Of another length than when the job began. */
	b.extent.length--;
	read_split(&b);
	expect_failure(&b, "not as long");
	b.extent.length += 2;
	read_split(&b);
	expect_failure(&b, "shorter");
	bench_close(&b);
}

static void every_division_of_records_of_a_width(void **state)
{
	char data[60];
	struct buf all = BUF_INIT(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)('A' + i);
	for (uint32_t width = 1; width <= 60; width++) {
		struct bench b;

		if (sizeof(data) % width != 0)
			continue;
		buf_clear(&all);
		for (size_t i = 0; i < sizeof(data); i += width)
			assert_int_equal(
				record_put(&all, quern_bytes(NULL, 0), quern_bytes(data + i, width)), 0);
		bench_open(&b, QUERN__SOURCE__FORMAT__FIXED);
		b.source.width = width;
		use_file(&b, "in", data, sizeof(data));
		for (uint64_t first = 0; first <= sizeof(data); first++)
			for (uint64_t second = first; second <= sizeof(data); second += 7) {
				const uint64_t cuts[] = { 0, first, second, sizeof(data) };

				buf_clear(&b.sink.data);
				b.bytes = 0;
				for (int i = 0; i < 3; i++) {
					b.extent.offset = cuts[i];
					b.extent.length = cuts[i + 1] - cuts[i];
					read_split(&b);
				}
				assert_string_equal(b.flow.err.text, "");
				assert_int_equal(b.bytes, sizeof(data));
				assert_int_equal(b.sink.data.len, all.len);
				assert_memory_equal(b.sink.data.data, all.data, all.len);
			}
		bench_close(&b);
	}
	buf_deinit(&all);
}

static void a_size_that_is_no_multiple_is_an_error(void **state)
{
	uint8_t packed[1000];
	struct bench b;

	(void)state;
	bench_open(&b, QUERN__SOURCE__FORMAT__FIXED);
	b.source.width = 4;
	use_file(&b, "in", "123456", 6);
	read_split(&b);
	expect_failure(&b, "6 bytes are no whole number of records of 4 bytes");
	use_file(&b, "in.gz", packed, gzip("123456", 6, packed, sizeof(packed)));
	read_split(&b);
	expect_failure(&b, "6 bytes are no whole number of records of 4 bytes");
	buf_clear(&b.sink.data);
	use_file(&b, "in.gz", packed, gzip("abcd", 4, packed, sizeof(packed)));
	read_split(&b);
	expect(&b, "", quern_str("abcd"));
	b.source.width = 0;
	read_split(&b);
	expect_failure(&b, "no bytes");
	bench_close(&b);
}

static void records_and_numbers_are_in_the_split(void **state)
{
	Quern__Range range = QUERN__RANGE__INIT;
	struct buf records = BUF_INIT(SIZE_MAX);
	struct bench b;

	(void)state;
	bench_open(&b, QUERN__SOURCE__FORMAT__LINES);
	assert_int_equal(record_put_optional(&records, quern_str("key"), quern_str("value")), 0);
	b.split.has_records = true;
	b.split.records.data = records.data;
	b.split.records.len = records.len;
	read_split(&b);
	expect(&b, "key", quern_str("value"));
	assert_int_equal(b.bytes, records.len);
	b.split.records.len--;
	read_split(&b);
	expect_failure(&b, "none");
	b.split.has_records = false;
	b.split.records.len = 0;
	b.split.range = &range;
	range.start = UINT64_MAX - 1;
	range.end = UINT64_MAX;
	read_split(&b);
	expect(&b, "", quern_str("\xfe\xff\xff\xff\xff\xff\xff\xff"));
	range.start = 5;
	range.end = 1000000;
	b.sink.n = 0;
	b.sink.limit = 3;
	b.sink.flow = &b.flow;
	read_split(&b);
	assert_int_equal(b.sink.n, 3);
	buf_deinit(&records);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_split_at_the_first_separator),
		cmocka_unit_test(a_file_is_a_record),
		cmocka_unit_test(every_division_of_records_of_a_width),
		cmocka_unit_test(a_size_that_is_no_multiple_is_an_error),
		cmocka_unit_test(records_and_numbers_are_in_the_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
