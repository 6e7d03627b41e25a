#include <unistd.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "executor/bytes.h"
#include "executor/encode.h"
#include "executor/output.h"
#include "executor/seq.h"
#include "tests/executor/kit.h"

struct bench {
	char dir[KIT_PATH];
	Quern__Sink sink;
	Quern__Task task;
	struct flow flow;
	struct keep keep;
	struct part *part;
	struct err err;
};

static void bench_open(struct bench *b)
{
	*b = (struct bench){ .sink = QUERN__SINK__INIT, .task = QUERN__TASK__INIT };
	kit_folder(b->dir);
	assert_int_equal(mkdir(kit_path(b->dir, "_temporary"), 0700), 0);
	b->sink.kind = QUERN__SINK__KIND__TEXT;
	b->sink.path = b->dir;
	b->task.stage = 3;
	b->task.partition = 41;
	b->task.attempt = 2;
}

static void bench_close(struct bench *b)
{
	b->part = part_free(b->part);
	keep_deinit(&b->keep);
	tree_remove(b->dir);
}

static void start(struct bench *b)
{
	if (part_new(&b->sink, &b->task, &b->keep, &b->flow, &b->part, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

static void put(struct bench *b, quern_slice key, quern_slice value)
{
	struct quern_out *in = part_in(b->part);

	in->emit(in, key, value);
}

static void put_number(struct bench *b, uint64_t key, uint64_t value)
{
	uint8_t k[8], v[8];

	put_le64(k, key);
	put_le64(v, value);
	put(b, quern_bytes(k, 8), quern_bytes(v, 8));
}

/* Ends the file; it holds `text`. */
static void expect(struct bench *b, const char *text, size_t len)
{
	const char *name = NULL;
	size_t got;

	if (part_finish(b->part, &name, &b->err) < 0)
		fail_msg("%s", b->err.text);
	assert_string_equal(name, "3.41.2.part-00041");
	assert_int_equal(part_bytes(b->part), len);
	b->part = part_free(b->part);
	uint8_t *data = kit_read(kit_path(b->dir, "_temporary/3.41.2.part-00041"), &got);
	assert_int_equal(got, len);
	if (len > 0)
		assert_memory_equal(data, text, len);
	free(data);
	assert_int_equal(unlink(kit_path(b->dir, "_temporary/3.41.2.part-00041")), 0);
}

static void expect_text(struct bench *b, const char *text)
{
	expect(b, text, strlen(text));
}

/* Word of its end was lost, and the driver asked for it again. */
static void an_attempt_that_runs_twice_leaves_what_it_wrote(void **state)
{
	struct bench b;
	struct part *first;
	const char *name;

	(void)state;
	bench_open(&b);
	start(&b);
	put(&b, quern_bytes(NULL, 0), quern_str("whole"));
	assert_int_equal(part_finish(b.part, &name, &b.err), 0);
	first = b.part;
	assert_int_equal(part_new(&b.sink, &b.task, &b.keep, &b.flow, &b.part, &b.err), -EEXIST);
	b.part = first;
	size_t got;
	uint8_t *data = kit_read(kit_path(b.dir, "_temporary/3.41.2.part-00041"), &got);
	assert_int_equal(got, 6);
	assert_memory_equal(data, "whole\n", 6);
	free(data);
	bench_close(&b);
}

static void values_alone(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	start(&b);
	put(&b, quern_bytes(NULL, 0), quern_str("one"));
	put(&b, quern_str("not printed"), quern_str(""));
	put(&b, quern_bytes(NULL, 0), quern_bytes("a\0b", 3));
	assert_int_equal(part_records(b.part), 3);
	expect(&b, "one\n\na\0b\n", 9);
	bench_close(&b);
}

/* One dataset may hold both: a function decides with each record. */
static void a_record_without_a_key_is_its_value(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.sink.has_key = true;
	start(&b);
	put(&b, quern_str("k"), quern_str("v"));
	put(&b, quern_bytes(NULL, 0), quern_str("alone"));
	put(&b, quern_str(""), quern_str("empty"));
	expect_text(&b, "k\tv\nalone\n\tempty\n");
	bench_close(&b);
}

static void an_empty_part(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	start(&b);
	expect_text(&b, "");
	bench_close(&b);
}

static void numbers_of_every_type(void **state)
{
	struct bench b;
	char text[400];
	double d;
	uint64_t bits;

	(void)state;
	bench_open(&b);
	b.sink.has_key = true;
	b.sink.key_type = QUERN__VALUE_TYPE__I64;
	b.sink.value_type = QUERN__VALUE_TYPE__U64;
	start(&b);
	put_number(&b, 0, 0);
	put_number(&b, (uint64_t)INT64_MIN, UINT64_MAX);
	put_number(&b, (uint64_t)-1, 10);
	put_number(&b, INT64_MAX, 9);
	expect_text(&b, "0\t0\n-9223372036854775808\t18446744073709551615\n-1\t10\n9223372036854775807\t9\n");

	b.sink.key_type = QUERN__VALUE_TYPE__BYTES;
	b.sink.value_type = QUERN__VALUE_TYPE__DOUBLE;
	start(&b);
	static const double values[] = { 0, 1, -2.5, 0.1, 1e300, 1.0 / 3, 5e-324 };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memcpy(&bits, &values[i], 8);
		put(&b, quern_str("k"), quern_bytes(&bits, 8));
	}
	const char *name;
	size_t len;
	assert_int_equal(part_finish(b.part, &name, &b.err), 0);
	char *data = (char *)kit_read(kit_path(b.dir, "_temporary/3.41.2.part-00041"), &len);
	(void)snprintf(text, sizeof(text), "k\t0\nk\t1\nk\t-2.5\nk\t0.1\nk\t1e+300\n");
	assert_memory_equal(data, text, strlen(text));
	char *line = data;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_memory_equal(line, "k\t", 2);
		d = strtod(line + 2, &line); /* what is printed reads back as the same number */
		assert_true(memcmp(&d, &values[i], sizeof(d)) == 0);
		assert_int_equal(*line++, '\n');
	}
	assert_int_equal(*line, '\0');
	free(data);
	bench_close(&b);
}

static void many_records(void **state)
{
	struct buf expected = BUF_INIT(SIZE_MAX / 2);
	uint64_t random = 1;
	struct bench b;

	(void)state;
	bench_open(&b);
	b.sink.has_key = true;
	b.sink.value_type = QUERN__VALUE_TYPE__U64;
	start(&b);
	for (int i = 0; i < 50000; i++) {
		uint64_t value = random_next(&random) >> kit_below(&random, 64);
		char key[32];
		uint8_t v[8];

		int n = snprintf(key, sizeof(key), "key %d", i);
		put_le64(v, value);
		put(&b, quern_bytes(key, (size_t)n), quern_bytes(v, 8));
		assert_int_equal(buf_add_fmt(&expected, "%s\t%llu\n", key, (unsigned long long)value), 0);
	}
	assert_int_equal(part_records(b.part), 50000);
	expect(&b, (const char *)expected.data, expected.len);
	buf_deinit(&expected);
	bench_close(&b);
}

/* Decompressed by what others wrote: *ret_frames of them, and their text. */
static struct buf unpack(Quern__Codec codec, const uint8_t *data, size_t len, size_t *ret_frames)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	size_t n;

	assert_int_equal(buf_reserve(&text, 100 << 20), 0);
	*ret_frames = 0;
	if (codec == QUERN__CODEC__GZIP) {
		z_stream z = { .next_in = (uint8_t *)(uintptr_t)data,
			.avail_in = (uInt)len,
			.next_out = text.data,
			.avail_out = (uInt)text.cap };

		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.avail_in, 0);
		text.len = z.total_out;
		*ret_frames = 1;
		assert_int_equal(inflateEnd(&z), Z_OK);
		return text;
	}
	n = ZSTD_decompress(text.data, text.cap, data, len);
	assert_false(ZSTD_isError(n));
	text.len = n;
	for (size_t at = 0; at < len; at += n, ++*ret_frames) {
		n = ZSTD_findFrameCompressedSize(data + at, len - at);
		assert_false(ZSTD_isError(n));
		assert_true((data[at + 4] & 4) != 0); /* a checksum */
	}
	return text;
}

static void expect_packed(struct bench *b, const char *name, const struct buf *wanted, size_t frames)
{
	char path[2 * KIT_PATH];
	const char *file;
	size_t len, n;

	if (part_finish(b->part, &file, &b->err) < 0)
		fail_msg("%s", b->err.text);
	assert_string_equal(file, name);
	(void)snprintf(path, sizeof(path), "%s/_temporary/%s", b->dir, name);
	uint8_t *data = kit_read(path, &len);
	assert_int_equal(part_bytes(b->part), len);
	struct buf text = unpack(b->sink.codec, data, len, &n);
	assert_int_equal(n, frames);
	assert_int_equal(text.len, wanted->len);
	if (text.len > 0)
		assert_memory_equal(text.data, wanted->data, text.len);
	b->part = part_free(b->part);
	assert_int_equal(unlink(path), 0);
	buf_deinit(&text);
	free(data);
}

static void compressed_parts(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, ENCODE_FRAME - 1, ENCODE_FRAME, ENCODE_FRAME + 1,
		2 * ENCODE_FRAME + 300000 };
	uint64_t random = 1;
	struct bench b;

	(void)state;
	bench_open(&b);
	for (Quern__Codec codec = QUERN__CODEC__GZIP; codec <= QUERN__CODEC__ZSTD; codec++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct buf wanted = BUF_INIT(SIZE_MAX / 2);
			bool zstd = codec == QUERN__CODEC__ZSTD;

			b.sink.codec = codec;
			start(&b);
			assert_int_equal(buf_reserve(&wanted, sizes[i] + 1), 0);
			while (wanted.len < sizes[i]) {
				size_t len = (size_t)kit_below(&random, 3000), rest = sizes[i] - wanted.len;
				uint8_t *line = wanted.data + wanted.len;

				len = len < rest ? len : rest - 1;
				for (size_t k = 0; k < len; k++) /* noise and repetition */
					line[k] = (uint8_t)(k % 4 ? 'x' : random_next(&random));
				line[len] = '\n';
				put(&b, quern_bytes(NULL, 0), quern_bytes(line, len));
				wanted.len += len + 1;
			}
			assert_int_equal(b.flow.result, 0);
			expect_packed(&b, zstd ? "3.41.2.part-00041.zst" : "3.41.2.part-00041.gz", &wanted,
				zstd && sizes[i] > 0 ? (sizes[i] + ENCODE_FRAME - 1) / ENCODE_FRAME : 1);
			buf_deinit(&wanted);
		}
	b.sink.codec = (Quern__Codec)9;
	assert_int_equal(part_new(&b.sink, &b.task, &b.keep, &b.flow, &b.part, &b.err), -EINVAL);
	assert_non_null(strstr(b.err.text, "9"));
	bench_close(&b);
}

static void what_was_not_finished_is_gone(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	start(&b);
	put(&b, quern_bytes(NULL, 0), quern_str("half"));
	b.part = part_free(b.part);
	assert_int_equal(kit_entries(kit_path(b.dir, "_temporary")), 0);
	bench_close(&b);
}

static void a_field_that_is_no_number(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.sink.value_type = QUERN__VALUE_TYPE__U64;
	start(&b);
	put(&b, quern_bytes(NULL, 0), quern_str("seven!!"));
	assert_true(b.flow.stop);
	assert_int_equal(b.flow.result, -EINVAL);
	assert_true(b.flow.final);
	assert_non_null(strstr(b.flow.err.text, "7 bytes"));
	bench_close(&b);
}

static void no_folder(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(rmdir(kit_path(b.dir, "_temporary")), 0);
	assert_int_equal(part_new(&b.sink, &b.task, &b.keep, &b.flow, &b.part, &b.err), -ENOENT);
	assert_non_null(strstr(b.err.text, b.dir));
	bench_close(&b);
}

/* The part is made to write to /dev/full, where every write fails. */
static void a_full_disk(void **state)
{
	struct bench b;
	const char *name;

	(void)state;
	bench_open(&b);
	start(&b);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	/* The part's descriptor is the one that was opened before. */
	assert_true(dup2(full, full - 1) >= 0);
	(void)close(full);
	put(&b, quern_bytes(NULL, 0), quern_str("lost"));
	assert_int_equal(part_finish(b.part, &name, &b.err), -ENOSPC);
	assert_non_null(strstr(b.err.text, "No space left"));
	b.part = part_free(b.part);
	assert_int_equal(kit_entries(kit_path(b.dir, "_temporary")), 0);
	bench_close(&b);
}

static void collecting(void **state)
{
	struct flow flow = { 0 };
	struct collect c;

	(void)state;
	collect_init(&c, 3, &flow);
	for (int i = 0; i < 5; i++)
		c.in.emit(&c.in, quern_str("k"), quern_str("v"));
	assert_int_equal(c.records, 3);
	assert_true(flow.stop);
	assert_int_equal(flow.result, 0);
	size_t n;
	struct kit_record *all = kit_sorted(c.data.data, c.data.len, &n);
	assert_int_equal(n, 3);
	free(all);
	collect_deinit(&c);

	flow = (struct flow){ 0 };
	collect_init(&c, 0, &flow);
	for (int i = 0; i < 5000; i++)
		c.in.emit(&c.in, quern_str("k"), quern_str("v"));
	assert_int_equal(c.records, 5000);
	assert_false(flow.stop);
	collect_deinit(&c);
}

static void collecting_too_much(void **state)
{
	struct flow flow = { 0 };
	char *mib = calloc(1, 1 << 20);
	struct collect c;

	(void)state;
	assert_non_null(mib);
	collect_init(&c, 0, &flow);
	for (int i = 0; i < 70 && !flow.stop; i++)
		c.in.emit(&c.in, quern_str("k"), quern_bytes(mib, 1 << 20));
	assert_int_equal(flow.result, -EMSGSIZE);
	assert_true(flow.final);
	assert_true(c.data.len <= COLLECT_MAX);
	assert_non_null(strstr(flow.err.text, "quern_save_text"));
	collect_deinit(&c);
	free(mib);
}

static void counting(void **state)
{
	struct flow flow = { 0 };
	struct collect c;

	(void)state;
	count_init(&c, &flow);
	for (int i = 0; i < 1000; i++)
		c.in.emit(&c.in, quern_bytes(NULL, 0), quern_str("v"));
	assert_int_equal(c.records, 1000);
	assert_int_equal(c.data.len, 0);
	collect_deinit(&c);
}

static void raw_bytes_have_nothing_between_them(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.sink.kind = QUERN__SINK__KIND__RAW;
	b.sink.key_type = QUERN__VALUE_TYPE__U64; /* does not matter */
	start(&b);
	put(&b, quern_str("key"), quern_str("value"));
	put(&b, quern_bytes(NULL, 0), quern_bytes("\0\n", 2));
	put(&b, quern_str(""), quern_str(""));
	expect(&b, "keyvalue\0\n", 10);
	bench_close(&b);
}

static void records_go_into_a_seq_file(void **state)
{
	const char *name = NULL;
	struct seq_head head;
	struct bench b;
	uint64_t records;
	size_t len;

	(void)state;
	bench_open(&b);
	b.sink.kind = QUERN__SINK__KIND__SEQ;
	b.sink.codec = QUERN__CODEC__ZSTD;
	b.sink.has_key = true;
	b.sink.value_type = QUERN__VALUE_TYPE__DOUBLE;
	start(&b);
	put(&b, quern_str("key"), quern_str("value"));
	put(&b, quern_bytes(NULL, 0), quern_str("value"));
	assert_int_equal(part_finish(b.part, &name, &b.err), 0);
	assert_string_equal(name, "3.41.2.part-00041.seq");
	uint8_t *data = kit_read(kit_path(b.dir, "_temporary/3.41.2.part-00041.seq"), &len);
	assert_int_equal(part_bytes(b.part), len);
	assert_null(seq_head_parse(data, &head));
	assert_true(head.has_key);
	assert_int_equal(head.value_type, QUERN__VALUE_TYPE__DOUBLE);
	assert_true(seq_tail_parse(&head, len - SEQ_TAIL, data + len - SEQ_TAIL, &records));
	assert_int_equal(records, 2);
	free(data);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_that_runs_twice_leaves_what_it_wrote),
		cmocka_unit_test(values_alone),
		cmocka_unit_test(raw_bytes_have_nothing_between_them),
		cmocka_unit_test(records_go_into_a_seq_file),
		cmocka_unit_test(a_record_without_a_key_is_its_value),
		cmocka_unit_test(an_empty_part),
		cmocka_unit_test(numbers_of_every_type),
		cmocka_unit_test(many_records),
		cmocka_unit_test(compressed_parts),
		cmocka_unit_test(what_was_not_finished_is_gone),
		cmocka_unit_test(a_field_that_is_no_number),
		cmocka_unit_test(no_folder),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(collecting),
		cmocka_unit_test(collecting_too_much),
		cmocka_unit_test(counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
