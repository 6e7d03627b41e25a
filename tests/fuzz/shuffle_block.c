/* What segment_check() and block_unpack() take: blocks of a segment, as bytes come from a file or another
 * executor. The sum keeps chance bytes out, so the input is also tried with sums that are right. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "executor/block.h"
#include "executor/bytes.h"
#include "executor/shuffle_file.h"
#include "job/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEED = 5, RAW_MAX = 1 << 20 /* larger blocks only cost time */ };

static void read_records(const struct buf *raw)
{
	const uint8_t *p = raw->data, *end = p + raw->len;
	quern_slice key, value;
	volatile char sum = 0;

	while (record_next(&p, end, &key, &value) == 1) {
		assert((const uint8_t *)key.ptr >= raw->data && key.ptr + key.len == value.ptr);
		assert((const uint8_t *)value.ptr + value.len == p && p <= end);
		if (key.len + value.len > 0)
			sum = (char)(sum + key.ptr[0] + p[-1]);
	}
}

/* Takes blocks until there are no more. */
static void read_segment(const uint8_t *data, size_t size)
{
	struct buf raw = BUF_INIT(SIZE_MAX / 2);
	struct keep keep = { 0 };
	struct segment_reader r;
	struct block b;
	size_t used = 0;
	int e = 1;

	segment_reader_init(&r, SEED);
	while (e == 1 && size >= 8 && get_le32(data + 4) <= RAW_MAX) {
		e = segment_check(&r, data, size, &used, &b);
		if (e == 1) {
			assert(used <= size && used >= BLOCK_HEADER);
			if (block_unpack(&b, keep_decompress(&keep), &raw) == 0)
				read_records(&raw);
			data += used;
			size -= used;
		} else {
			assert(e == -EBADMSG || e == -ENOMEM || (e == 0 && used > size));
		}
	}
	buf_deinit(&raw);
	keep_deinit(&keep);
}

/* Makes the sums of the blocks right, as far as they are whole. */
static void mend(uint8_t *data, size_t size)
{
	for (uint64_t seed = SEED; size >= BLOCK_HEADER; seed++) {
		size_t stored = get_le32(data);

		if (stored > size - BLOCK_HEADER)
			return;
		put_le64(data + 16, XXH64(data + BLOCK_HEADER, stored, XXH64(data, 16, seed)));
		data += BLOCK_HEADER + stored;
		size -= BLOCK_HEADER + stored;
	}
}

/* The end of a map output's file. */
static void read_footer(uint8_t *data, size_t size)
{
	const struct shuffle_name name = { 1, 2, 3 };
	struct shuffle_index index;
	struct shuffle_segment s;

	if (size < SHUFFLE_FOOTER)
		return;
	uint8_t *footer = data + size - SHUFFLE_FOOTER;
	for (int mended = 0; mended < 2; mended++) {
		if (shuffle_footer_parse(footer, size, &name, &index) == 0) {
			assert(index.entries + (uint64_t)index.partitions * SHUFFLE_ENTRY + SHUFFLE_FOOTER ==
				size);
			for (uint32_t i = 0; i < index.partitions; i++)
				if (shuffle_entry_parse(data + index.entries + i * SHUFFLE_ENTRY, &index,
					    &name, i, &s) == 0)
					assert(s.offset <= index.entries &&
						s.length <= index.entries - s.offset);
		}
		put_le64(footer + 32, XXH64(footer, 32, 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = calloc(1, size > 0 ? size : 1);

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	read_segment(copy, size);
	mend(copy, size);
	read_segment(copy, size);
	read_footer(copy, size);
	free(copy);
	return 0;
}
