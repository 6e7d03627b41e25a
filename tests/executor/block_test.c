#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/block.h"
#include "executor/bytes.h"
#include "tests/executor/kit.h"

enum { SEED = 42 };

/* Reads a segment that lies in memory as a whole into `records`. 0, -EBADMSG, or 1: it is not whole. */
static int read_segment(const uint8_t *data, size_t len, uint64_t seed, struct buf *records)
{
	struct buf raw = BUF_INIT(SIZE_MAX / 2);
	struct keep keep = { 0 };
	struct segment_reader r;
	struct block b;
	size_t used = 0;
	int e = 1;

	segment_reader_init(&r, seed);
	while (e == 1 && !r.last) {
		/* A copy of exactly what is left, so that a sanitizer sees the first byte behind it. */
		uint8_t *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		if (len > 0)
			memcpy(exact, data, len);
		e = segment_check(&r, exact, len, &used, &b);
		if (e == 1)
			assert_int_equal(block_unpack(&b, keep_decompress(&keep), &raw), 0);
		free(exact);
		if (e == 0)
			assert_true(used > len); /* says how much it waits for */
		if (e != 1)
			break;
		assert_true(used <= len);
		data += used;
		len -= used;
		assert_int_equal(buf_add(records, raw.data, raw.len), 0);
	}
	bool whole = r.last;
	buf_deinit(&raw);
	keep_deinit(&keep);
	if (e < 0)
		return e;
	return whole && len == 0 ? 0 : 1;
}

/* Some records, and the segment that holds them. */
static void make_segment(uint64_t *random, size_t n, size_t block, int level, bool noise, struct buf *records,
	struct buf *segment)
{
	struct segment_writer w;
	struct keep keep = { 0 };
	char key[64], value[600];

	*records = BUF_INIT(SIZE_MAX / 2);
	*segment = BUF_INIT(SIZE_MAX / 2);
	segment_writer_init(&w, block, level, &keep);
	segment_begin(&w, SEED);
	for (size_t i = 0; i < n; i++) {
		quern_slice k = quern_bytes(key, (size_t)kit_below(random, sizeof(key)));
		quern_slice v = quern_bytes(value, (size_t)kit_below(random, sizeof(value)));

		for (size_t j = 0; j < k.len; j++)
			key[j] = (char)(noise ? random_next(random) : 'k');
		for (size_t j = 0; j < v.len; j++)
			value[j] = (char)(noise ? random_next(random) : 'v');
		assert_int_equal(record_put(records, k, v), 0);
		assert_int_equal(segment_add(&w, k, v, segment), 0);
	}
	assert_int_equal(segment_end(&w, segment), 0);
	assert_int_equal(w.records, n);
	segment_writer_deinit(&w);
	keep_deinit(&keep);
}

static void what_goes_in_comes_out(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 10, 500, 5000 };
	static const size_t blocks[] = { 1, 100, 4096, BLOCK_RAW };
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t j = 0; j < sizeof(blocks) / sizeof(blocks[0]); j++)
			for (int shape = 0; shape < 6; shape++) {
				static const int levels[] = { 0, 1, 5 };
				struct buf records, segment, back = BUF_INIT(SIZE_MAX / 2);

				make_segment(&random, counts[i], blocks[j], levels[shape / 2], shape % 2 != 0,
					&records, &segment);
				assert_int_equal(read_segment(segment.data, segment.len, SEED, &back), 0);
				assert_int_equal(back.len, records.len);
				if (back.len > 0)
					assert_memory_equal(back.data, records.data, back.len);
				buf_deinit(&records);
				buf_deinit(&segment);
				buf_deinit(&back);
			}
}

/* A record that is larger than a block, and one that is larger than many. */
static void large_records(void **state)
{
	enum { LEN = 5 << 20 };
	struct buf segment = BUF_INIT(SIZE_MAX / 2), back = BUF_INIT(SIZE_MAX / 2);
	struct buf records = BUF_INIT(SIZE_MAX / 2);
	struct segment_writer w;
	struct keep keep = { 0 };
	uint64_t random = 3;
	char *large = malloc(LEN);

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < LEN; i++)
		large[i] = (char)random_next(&random);
	segment_writer_init(&w, 1000, 1, &keep);
	segment_begin(&w, SEED);
	for (size_t i = 0; i < 5; i++) {
		quern_slice value = quern_bytes(large, i % 2 == 0 ? 10 : LEN);

		assert_int_equal(segment_add(&w, quern_str("key"), value, &segment), 0);
		assert_int_equal(record_put(&records, quern_str("key"), value), 0);
	}
	assert_int_equal(segment_end(&w, &segment), 0);
	assert_int_equal(read_segment(segment.data, segment.len, SEED, &back), 0);
	assert_int_equal(back.len, records.len);
	assert_memory_equal(back.data, records.data, back.len);
	segment_writer_deinit(&w);
	keep_deinit(&keep);
	buf_deinit(&records);
	buf_deinit(&segment);
	buf_deinit(&back);
	free(large);
}

/* Each bit of a segment matters; so does each byte that is missing. */
static void every_damage_is_seen(void **state)
{
	uint64_t random = 4;

	(void)state;
	for (int noise = 0; noise < 2; noise++) {
		struct buf records, segment, back = BUF_INIT(SIZE_MAX / 2);

		make_segment(&random, 12, 700, 1, noise != 0, &records, &segment);
		for (size_t i = 0; i < segment.len; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				segment.data[i] ^= (uint8_t)(1u << bit);
				buf_clear(&back);
				int e = read_segment(segment.data, segment.len, SEED, &back);
				/* A length that grew makes it wait for bytes that never come. */
				assert_true(e == -EBADMSG || e == 1);
				/* Nothing but blocks that are right is given. */
				assert_true(back.len <= records.len);
				if (back.len > 0)
					assert_memory_equal(back.data, records.data, back.len);
				segment.data[i] ^= (uint8_t)(1u << bit);
			}
		for (size_t len = 0; len < segment.len; len++) {
			buf_clear(&back);
			assert_int_equal(read_segment(segment.data, len, SEED, &back), 1);
		}
		buf_deinit(&records);
		buf_deinit(&segment);
		buf_deinit(&back);
	}
}

/* Where the block at `at` ends. */
static size_t block_end(const struct buf *segment, size_t at)
{
	return at + BLOCK_HEADER + get_le32(segment->data + at);
}

static void blocks_belong_where_they_are(void **state)
{
	struct buf records, segment, back = BUF_INIT(SIZE_MAX / 2);
	uint64_t random = 5;

	(void)state;
	make_segment(&random, 30, 700, 1, true, &records, &segment);
	assert_int_equal(read_segment(segment.data, segment.len, SEED + 1, &back), -EBADMSG);
	size_t first = block_end(&segment, 0);
	assert_true(first < segment.len);
	assert_int_equal(read_segment(segment.data + first, segment.len - first, SEED, &back), -EBADMSG);
	assert_int_equal(read_segment(segment.data + first, segment.len - first, SEED + 1, &back), 0);
	buf_deinit(&records);
	buf_deinit(&segment);
	buf_deinit(&back);
}

static void seeds_differ(void **state)
{
	(void)state;
	uint64_t seed = segment_seed(1, 2, 3, 4);
	assert_int_equal(seed, segment_seed(1, 2, 3, 4));
	assert_int_not_equal(seed, segment_seed(2, 2, 3, 4));
	assert_int_not_equal(seed, segment_seed(1, 3, 3, 4));
	assert_int_not_equal(seed, segment_seed(1, 2, 4, 4));
	assert_int_not_equal(seed, segment_seed(1, 2, 3, 5));
	assert_int_not_equal(seed, segment_seed(2, 1, 3, 4));
}

/* Nothing comes behind the last block. */
static void the_end_is_the_end(void **state)
{
	struct buf records, segment;
	uint64_t random = 6;
	struct segment_reader r;
	struct block b;
	size_t used;

	(void)state;
	make_segment(&random, 3, BLOCK_RAW, 1, true, &records, &segment);
	segment_reader_init(&r, SEED);
	assert_int_equal(segment_check(&r, segment.data, segment.len, &used, &b), 1);
	assert_true(r.last);
	assert_int_equal(b.records, 3);
	assert_int_equal(r.bytes, segment.len);
	assert_int_equal(segment_check(&r, segment.data, segment.len, &used, &b), -EBADMSG);
	buf_deinit(&records);
	buf_deinit(&segment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(large_records),
		cmocka_unit_test(every_damage_is_seen),
		cmocka_unit_test(blocks_belong_where_they_are),
		cmocka_unit_test(seeds_differ),
		cmocka_unit_test(the_end_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
