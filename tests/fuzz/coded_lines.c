/* Compressed files, read as one extent and as one for each frame that is found: the same lines, or an error
 * both times, which is one line that names the file; and what a whole file's lines are is what the libraries
 * make of it. The first byte is the codec, and how an extent is that makes no sense. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#include "base/buf.h"
#include "executor/reader.h"
#include "job/frames.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 20 /* bytes: more is not looked at, lest an input take long */ };

struct sink {
	struct quern_out out;
	struct buf text; /* the lines, each with a newline */
	struct flow flow;
	bool full; /* there is more than is looked at */
};

static void emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sink *s = (struct sink *)out;

	assert(key.ptr == NULL);
	assert(value.len == 0 || memchr(value.ptr, '\n', value.len) == NULL);
	if (buf_add(&s->text, value.ptr, value.len) < 0 || buf_add(&s->text, "\n", 1) < 0)
		s->full = s->flow.stop = true;
}

static struct sink sink_new(void)
{
	return (struct sink){ .out = { emit }, .text = BUF_INIT(TEXT_MAX) };
}

/* Reads one extent; false: it failed. */
static bool read_extent(
	const struct fuzz_file *f, Quern__Codec codec, uint64_t begin, uint64_t end, struct sink *s)
{
	Quern__Extent x = QUERN__EXTENT__INIT, *list[] = { &x };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct reader reader = READER_INIT;

	x.path = (char *)(uintptr_t)f->path;
	x.offset = begin;
	x.length = end - begin;
	x.codec = codec;
	split.extents = list;
	split.n_extents = 1;
	reader_run(&reader, &split, &s->out, &s->flow);
	reader_deinit(&reader);
	assert(s->flow.result == 0 || strstr(s->flow.err.text, f->path) != NULL);
	assert(strchr(s->flow.err.text, '\n') == NULL);
	return s->flow.result == 0;
}

/* Whether all of it is zstd that libzstd can read, and then of the same length; lines are given a newline. */
static void compare_zstd(const uint8_t *data, size_t size, const struct sink *s, bool good)
{
	uint8_t *text = malloc(TEXT_MAX);

	if (text == NULL)
		return;
	size_t n = ZSTD_decompress(text, TEXT_MAX, data, size);
	/* In one go any window will do, and nothing is a file. */
	bool refused = strstr(s->flow.err.text, "window larger") != NULL || size == 0;
	if (!ZSTD_isError(n) && n < TEXT_MAX && !s->full && !refused) {
		assert(good && s->text.len == n + (n > 0 && text[n - 1] != '\n'));
		assert(n == 0 || memcmp(s->text.data, text, n) == 0);
	}
	free(text);
}

/* The same once more, in parts. */
static void read_parts(const struct fuzz_file *f, size_t size, const struct sink *whole, bool good)
{
	const struct frames_file file = { .read = fuzz_file_read, .file = (void *)f };
	uint32_t reads = 1000;
	struct err err = { "" };
	struct frames found = { 0 };
	struct sink parts = sink_new();
	uint64_t begin = 0;
	bool all = true;

	if (frames_find(&file, size, 0, &reads, &found, &err) == 0)
		for (size_t i = 0; i <= found.begin.n && all && i < 50; i++) {
			uint64_t end = i < found.begin.n && i < 49 ? found.begin.at[i] : size;

			all = read_extent(f, QUERN__CODEC__ZSTD, begin, end, &parts);
			begin = end;
		}
	assert(all == good || whole->full || parts.full);
	if (all && good && !whole->full && !parts.full) {
		assert(parts.text.len == whole->text.len);
		assert(parts.text.len == 0 || memcmp(parts.text.data, whole->text.data, parts.text.len) == 0);
	}
	buf_deinit(&parts.text);
	frames_deinit(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink whole = sink_new(), odd = sink_new();

	if (size == 0)
		return 0;
	Quern__Codec codec = (Quern__Codec)(data[0] & 3);
	uint64_t begin = data[0] >> 5, less = data[0] >> 2 & 7;
	data++;
	size--;
	struct fuzz_file f = fuzz_file_open(data, size);
	bool good = read_extent(&f, codec, 0, size, &whole);
	if (codec == QUERN__CODEC__ZSTD) {
		compare_zstd(data, size, &whole, good);
		read_parts(&f, size, &whole, good);
	}
	if (begin + less < size)
		(void)read_extent(&f, codec, begin, size - less, &odd);
	fuzz_file_close(&f);
	buf_deinit(&whole.text);
	buf_deinit(&odd.text);
	return 0;
}
