/* Files of records, read as one extent and cut in three: the same records, or an error both times, which is
 * one line that names the file. The sums keep chance bytes out, so the input is also tried with sums that are
 * right. The first two bytes say where it is cut; head and mark are given. */
#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "executor/bytes.h"
#include "executor/seq.h"
#include "job/records.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 1 << 20 /* bytes: more is not looked at, lest an input take long */ };

static const struct seq_head head = { .has_key = true, .mark = "0123456789abcde" };

struct sink {
	struct quern_out out;
	struct buf records;
	struct flow flow;
	bool full; /* there is more than is looked at */
};

static void emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sink *s = (struct sink *)out;

	if (record_put_optional(&s->records, key, value) < 0)
		s->full = s->flow.stop = true;
}

static void read_extent(const struct fuzz_file *f, uint64_t begin, uint64_t end, struct sink *s)
{
	Quern__Extent x = QUERN__EXTENT__INIT;
	struct keep keep = { 0 };
	struct seq_reader reader;

	if (s->flow.stop)
		return;
	x.path = (char *)(uintptr_t)f->path;
	x.offset = begin;
	x.length = end - begin;
	seq_reader_init(&reader, &keep);
	seq_reader_run(&reader, &x, &s->out, &s->flow);
	seq_reader_deinit(&reader);
	keep_deinit(&keep);
	assert(s->flow.result == 0 || strstr(s->flow.err.text, f->path) != NULL);
	assert(strchr(s->flow.err.text, '\n') == NULL);
}

/* `stretches`: how many there are; with more marks than that a reader of a part may take one for a stretch's.
 */
static bool has_more_marks(const uint8_t *data, size_t size, size_t stretches)
{
	const uint8_t *at = data + SEQ_HEAD, *end = data + size;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), head.mark, SEQ_MARK)) != NULL) {
		n++;
		at++;
	}
	return n > stretches;
}

static void read_file(const uint8_t *data, size_t size, uint64_t first, uint64_t second, bool same)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	struct sink whole = { .out = { emit }, .records = BUF_INIT(RECORDS_MAX) }, parts = whole;

	read_extent(&f, 0, size, &whole);
	read_extent(&f, 0, first, &parts);
	read_extent(&f, first, second, &parts);
	read_extent(&f, second, size, &parts);
	if (whole.flow.result == 0 && !whole.full && same) {
		assert(parts.flow.result == 0 && parts.records.len == whole.records.len);
		assert(whole.records.len == 0 ||
			memcmp(parts.records.data, whole.records.data, whole.records.len) == 0);
	}
	buf_deinit(&whole.records);
	buf_deinit(&parts.records);
	fuzz_file_close(&f);
}

/* Makes the sums right of what stands where a reader of the whole file would look for it. How many stretches.
 */
static size_t mend(uint8_t *data, size_t size)
{
	size_t at = SEQ_HEAD, n = 0;

	while (size - at > SEQ_MARK + BLOCK_HEADER && memcmp(data + at, head.mark, SEQ_MARK) == 0) {
		uint64_t seed = seq_seed(&head, at);
		uint32_t flags = 0;

		n++;
		at += SEQ_MARK;
		while ((flags & 1) == 0 && size - at >= BLOCK_HEADER) {
			uint8_t *block = data + at;
			size_t stored = get_le32(block);

			if (stored > size - at - BLOCK_HEADER)
				return n;
			flags = get_le32(block + 12);
			put_le64(block + 16, XXH64(block + BLOCK_HEADER, stored, XXH64(block, 16, seed++)));
			at += BLOCK_HEADER + stored;
		}
	}
	if (size - at == SEQ_TAIL)
		seq_tail_put(&head, at, get_le64(data + at + 16), data + at);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t all = SEQ_HEAD + size - 2;
	uint64_t first = all * data[0] / 256, second = first + (all - first) * data[1] / 256;
	uint8_t *copy = malloc(all);

	if (copy == NULL)
		return 0;
	seq_head_put(&head, copy);
	memcpy(copy + SEQ_HEAD, data + 2, size - 2);
	read_file(copy, all, first, second, false);
	size_t stretches = mend(copy, all);
	read_file(copy, all, first, second, !has_more_marks(copy, all, stretches));
	if (size > SEQ_HEAD) /* the head as well */
		read_file(data, size, first % size, size, false);
	free(copy);
	return 0;
}
