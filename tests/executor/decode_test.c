/* decode_test.c: lines of compressed files: the decoder below the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "executor/reader.h"
#include "tests/executor/kit.h"

enum { FRAMES_MAX = 40 };

/* A compressed file, where its frames begin, and the lines of what it stands for. */
struct file {
	char dir[KIT_PATH];
	char *path;
	Quern__Codec codec;
	struct buf raw, bytes, lines;
	uint64_t begin[FRAMES_MAX + 1]; /* of each frame, and the file's length */
	size_t frames;
	bool unchecked; /* frames have no checksum */
};

static void file_open(struct file *f, Quern__Codec codec)
{
	*f = (struct file){ .codec = codec,
		.raw = BUF_INIT(SIZE_MAX / 2),
		.bytes = BUF_INIT(SIZE_MAX / 2),
		.lines = BUF_INIT(SIZE_MAX / 2) };
	kit_folder(f->dir);
	f->path = strdup(kit_path(f->dir, "input"));
	assert_non_null(f->path);
}

static void file_close(struct file *f)
{
	tree_remove(f->dir);
	free(f->path);
	buf_deinit(&f->raw);
	buf_deinit(&f->bytes);
	buf_deinit(&f->lines);
}

static void append_zstd(struct buf *out, bool checksum, const void *data, size_t len)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	assert_non_null(z);
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, checksum)));
	assert_int_equal(buf_reserve(out, ZSTD_compressBound(len)), 0);
	size_t n = ZSTD_compress2(z, out->data + out->len, out->cap - out->len, data, len);
	assert_false(ZSTD_isError(n));
	out->len += n;
	(void)ZSTD_freeCCtx(z);
}

static void append_gzip(struct buf *out, const void *data, size_t len)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(buf_reserve(out, deflateBound(&z, len) + 1), 0);
	z.next_in = (uint8_t *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = out->data + out->len;
	z.avail_out = (uInt)(out->cap - out->len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = out->cap - z.avail_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
}

/* Adds a frame, or a member, of these bytes. */
static void file_frame(struct file *f, const void *data, size_t len)
{
	assert_true(f->frames < FRAMES_MAX);
	f->begin[f->frames++] = f->bytes.len;
	assert_int_equal(len == 0 ? 0 : buf_add(&f->raw, data, len), 0);
	if (f->codec == QUERN__CODEC__ZSTD)
		append_zstd(&f->bytes, !f->unchecked, data, len);
	else
		append_gzip(&f->bytes, data, len);
	f->begin[f->frames] = f->bytes.len;
}

/* Adds a frame that says nothing, of zstd. */
static void file_skippable(struct file *f, size_t len)
{
	const uint8_t head[] = { 0x53, 0x2a, 0x4d, 0x18, (uint8_t)len, (uint8_t)(len >> 8), 0, 0 };
	uint8_t *body = calloc(1, len + 1);

	assert_true(f->frames < FRAMES_MAX && len <= UINT16_MAX);
	assert_non_null(body);
	memset(body, '\n', len);
	f->begin[f->frames++] = f->bytes.len;
	assert_int_equal(buf_add(&f->bytes, head, sizeof(head)), 0);
	assert_int_equal(len == 0 ? 0 : buf_add(&f->bytes, body, len), 0);
	f->begin[f->frames] = f->bytes.len;
	free(body);
}

/* Writes it, and finds the lines by a plain reading of their definition. */
static void file_write(struct file *f)
{
	const uint8_t *data = f->raw.data;
	size_t len = f->raw.len;

	kit_write(f->path, f->bytes.data, f->bytes.len);
	buf_clear(&f->lines);
	for (size_t i = 0, begin = 0; i <= len; i++) {
		bool end = i == len;

		if (!end && data[i] != '\n')
			continue;
		if (!end || begin < len)
			assert_int_equal(record_put(&f->lines, quern_bytes(NULL, 0),
						 quern_bytes(data + begin, i - begin)),
				0);
		begin = i + 1;
	}
}

static Quern__Extent extent_of(const struct file *f, uint64_t begin, uint64_t end)
{
	Quern__Extent x = QUERN__EXTENT__INIT;

	x.path = f->path;
	x.offset = begin;
	x.length = end - begin;
	x.has_codec = true;
	x.codec = f->codec;
	return x;
}

/* The lines of the extents between the frames that `cut` has a bit for, with one reader or one for each. */
static void read_cut(const struct file *f, uint64_t cut, bool apart, struct kit_sink *sink)
{
	Quern__Extent extents[FRAMES_MAX], *list[FRAMES_MAX];
	Quern__Split split = QUERN__SPLIT__INIT;
	uint64_t bytes = 0;
	size_t n = 0;

	for (size_t i = 0, begin = 0; i < f->frames; i++) {
		if (i + 1 < f->frames && (cut >> i & 1) == 0)
			continue;
		extents[n] = extent_of(f, f->begin[begin], f->begin[i + 1]);
		list[n] = &extents[n];
		n++;
		begin = i + 1;
	}
	kit_sink_init(sink);
	for (size_t i = 0; i < n; i += apart ? 1 : n) {
		struct reader reader = READER_INIT;
		struct flow flow = { 0 };

		split.extents = list + i;
		split.n_extents = apart ? 1 : n;
		reader_run(&reader, &split, &sink->out, &flow);
		assert_string_equal(flow.err.text, "");
		assert_int_equal(flow.result, 0);
		bytes += reader.bytes;
		reader_deinit(&reader);
	}
	assert_int_equal(bytes, f->bytes.len);
}

static void assert_lines(const struct file *f, uint64_t cut)
{
	struct kit_sink sink;

	for (int apart = 0; apart < 2; apart++) {
		read_cut(f, cut, apart != 0, &sink);
		assert_int_equal(sink.data.len, f->lines.len);
		if (sink.data.len > 0)
			assert_memory_equal(sink.data.data, f->lines.data, sink.data.len);
		buf_deinit(&sink.data);
	}
}

/* Of small texts, at every place into three frames, with empty and skippable ones, in every cut. */
static void every_division_of_small_texts(void **state)
{
	static const char *const texts[] = { "", "\n", "\n\n\n", "a", "a\n", "\na", "one\ntwo\nthree",
		"ab\n\ncd\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i]);

		for (size_t a = 0; a <= len; a++)
			for (size_t b = a; b <= len; b++) {
				struct file f;

				file_open(&f, QUERN__CODEC__ZSTD);
				file_frame(&f, texts[i], a);
				file_frame(&f, texts[i] + a, b - a);
				if ((a + b) % 2 != 0)
					file_skippable(&f, a);
				file_frame(&f, texts[i] + b, len - b);
				file_write(&f);
				for (uint64_t cut = 0; cut < 8; cut++)
					assert_lines(&f, cut);
				file_close(&f);
			}
	}
}

/* Appends random bytes in which one of `rare` is a newline, the last one if `whole`. */
static void random_text(uint64_t *seed, struct buf *out, size_t len, uint64_t rare, bool whole)
{
	assert_int_equal(buf_reserve(out, len + 1), 0);
	for (size_t i = 0; i < len; i++)
		out->data[out->len++] =
			kit_below(seed, rare) == 0 ? '\n' : (uint8_t)('a' + kit_below(seed, 20));
	if (whole)
		out->data[out->len++] = '\n';
}

static void random_frames_in_random_divisions(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 120; round++) {
		/* Some frames are larger than the buffers, and than any line; some hold no newline. */
		bool large = round % 20 == 0;
		uint64_t most = large ? 3 * READER_BUFFER : 200;
		size_t frames = 1 + (size_t)kit_below(&seed, large ? 6 : FRAMES_MAX);
		struct buf text = BUF_INIT(SIZE_MAX / 2);
		struct file f;

		file_open(&f, QUERN__CODEC__ZSTD);
		f.unchecked = round % 2 != 0;
		while (f.frames < frames) {
			uint64_t kind = kit_below(&seed, 8);

			buf_clear(&text);
			if (kind == 0) {
				file_skippable(&f, (size_t)kit_below(&seed, 100));
				continue;
			}
			if (kind > 1)
				random_text(&seed, &text, (size_t)kit_below(&seed, most + 1),
					kind == 2 ? UINT64_MAX : 1 + kit_below(&seed, large ? 100000 : 50),
					kind == 3);
			file_frame(&f, text.data, text.len);
		}
		file_write(&f);
		assert_lines(&f, 0);
		assert_lines(&f, UINT64_MAX);
		for (int i = 0; i < 10; i++)
			assert_lines(&f, random_next(&seed));
		file_close(&f);
		buf_deinit(&text);
	}
}

/* The last block of the file is read whole when there is room for a part of what it stands for. */
static void a_last_block_that_does_not_fit(void **state)
{
	enum { LEN = 2 * READER_BUFFER, LINE = 100 };
	char *text = malloc(LEN);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < LEN; i++)
		text[i] = i % LINE == LINE - 1 ? '\n' : 'x';
	for (size_t less = 0; less < LINE; less += 3) {
		struct file f;

		file_open(&f, QUERN__CODEC__ZSTD);
		f.unchecked = true;
		file_frame(&f, text, LEN - less);
		file_write(&f);
		assert_lines(&f, 0);
		file_close(&f);
	}
	free(text);
}

static void members_of_a_gzip_file(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int round = 0; round < 40; round++) {
		size_t members = 1 + (size_t)kit_below(&seed, 8);
		struct buf text = BUF_INIT(SIZE_MAX / 2);
		struct file f;

		file_open(&f, QUERN__CODEC__GZIP);
		for (size_t i = 0; i < members; i++) {
			buf_clear(&text);
			random_text(&seed, &text,
				(size_t)kit_below(&seed, round % 8 == 0 ? 3 * READER_BUFFER : 300),
				1 + kit_below(&seed, 50), kit_below(&seed, 2) == 0);
			file_frame(&f, text.data, text.len);
		}
		file_write(&f);
		assert_lines(&f, 0);
		file_close(&f);
		buf_deinit(&text);
	}
}

/* One extent, alone: what becomes of it; the lines that came are in *sink. */
static void run_extent(Quern__Extent x, struct flow *flow, struct kit_sink *sink)
{
	Quern__Extent *list[] = { &x };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct reader reader = READER_INIT;

	*flow = (struct flow){ 0 };
	split.extents = list;
	split.n_extents = 1;
	kit_sink_init(sink);
	reader_run(&reader, &split, &sink->out, flow);
	if (flow->result < 0 && strstr(flow->err.text, x.path) == NULL)
		fail_msg("no '%s' in: %s", x.path, flow->err.text);
	reader_deinit(&reader);
}

static void assert_fails(Quern__Extent x, int code, const char *words)
{
	struct kit_sink sink;
	struct flow flow;

	run_extent(x, &flow, &sink);
	assert_int_equal(flow.result, code);
	assert_true(flow.final);
	if (strstr(flow.err.text, words) == NULL)
		fail_msg("no '%s' in: %s", words, flow.err.text);
	buf_deinit(&sink.data);
}

static void make_two_frames(struct file *f, Quern__Codec codec)
{
	static const char first[] = "the first line\nthe second line, which the two frames sh",
			  second[] = "are\nthe third\n";

	file_open(f, codec);
	file_frame(f, first, sizeof(first) - 1);
	file_frame(f, second, sizeof(second) - 1);
	file_write(f);
}

/* Every shorter file is an error, unless it ends between two frames. */
static void files_cut_short(void **state)
{
	(void)state;
	for (Quern__Codec codec = QUERN__CODEC__GZIP; codec <= QUERN__CODEC__ZSTD; codec++) {
		struct file f;

		make_two_frames(&f, codec);
		for (size_t len = 0; len < f.bytes.len; len++) {
			kit_write(f.path, f.bytes.data, len);
			if (len != f.begin[1])
				assert_fails(extent_of(&f, 0, len), -EBADMSG, "truncated");
			assert_fails(extent_of(&f, 0, len + 1), -ESTALE, "shorter");
		}
		file_close(&f);
	}
}

/* A bit that changed is an error, or one that does not matter: there is never another text. */
static void files_with_a_wrong_bit(void **state)
{
	(void)state;
	for (Quern__Codec codec = QUERN__CODEC__GZIP; codec <= QUERN__CODEC__ZSTD; codec++) {
		size_t found = 0;
		struct file f;

		make_two_frames(&f, codec);
		for (size_t bit = 0; bit < 8 * f.bytes.len; bit++) {
			struct kit_sink sink;
			struct flow flow;

			f.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			kit_write(f.path, f.bytes.data, f.bytes.len);
			run_extent(extent_of(&f, 0, f.bytes.len), &flow, &sink);
			if (flow.result == 0) {
				assert_int_equal(sink.data.len, f.lines.len);
				assert_memory_equal(sink.data.data, f.lines.data, sink.data.len);
			} else {
				assert_int_equal(flow.result, -EBADMSG);
				assert_true(flow.final);
				found++;
			}
			buf_deinit(&sink.data);
			f.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(found > 6 * f.bytes.len);
		file_close(&f);
	}
}

static void files_that_are_not_what_their_names_say(void **state)
{
	static const char text[] = "this is no compressed file at all\n";
	/* zstd: a window of 256 MiB, and a block of nothing. */
	static const uint8_t large[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, (28 - 10) << 3, 1, 0, 0 };
	struct file f;

	(void)state;
	file_open(&f, QUERN__CODEC__GZIP);
	kit_write(f.path, text, sizeof(text) - 1);
	assert_fails(extent_of(&f, 0, sizeof(text) - 1), -EBADMSG, "not gzip: ");
	f.codec = QUERN__CODEC__ZSTD;
	assert_fails(extent_of(&f, 0, sizeof(text) - 1), -EBADMSG, "not zstd: ");
	kit_write(f.path, large, sizeof(large));
	assert_fails(extent_of(&f, 0, sizeof(large)), -EBADMSG, "larger than 128 MiB");
	file_close(&f);

	/* Something else behind what is right. */
	for (Quern__Codec codec = QUERN__CODEC__GZIP; codec <= QUERN__CODEC__ZSTD; codec++) {
		make_two_frames(&f, codec);
		assert_int_equal(buf_add(&f.bytes, text, sizeof(text)), 0);
		kit_write(f.path, f.bytes.data, f.bytes.len);
		assert_fails(extent_of(&f, 0, f.bytes.len), -EBADMSG, "damaged");
		file_close(&f);
	}
}

static void extents_that_make_no_sense(void **state)
{
	struct file f;

	(void)state;
	make_two_frames(&f, QUERN__CODEC__ZSTD);
	assert_fails(extent_of(&f, 3, f.bytes.len), -EBADMSG, "damaged");
	assert_fails(extent_of(&f, 0, f.begin[1] - 1), -ESTALE, "has changed");
	assert_fails(extent_of(&f, 0, f.begin[1] + 1), -ESTALE, "has changed");
	assert_fails(extent_of(&f, f.begin[1], UINT64_MAX), -ESTALE, "shorter");
	f.codec = QUERN__CODEC__GZIP;
	assert_fails(extent_of(&f, f.begin[1], f.bytes.len), -EPROTO, "a part");
	f.codec = (Quern__Codec)7;
	assert_fails(extent_of(&f, 0, f.bytes.len), -EPROTO, "unknown");
	file_close(&f);
}

/* Whoever reads on into another's frame meets what is wrong with it, as far as he reads. */
static void a_frame_that_is_missing_behind_the_extent(void **state)
{
	struct kit_sink sink;
	struct flow flow;
	struct file f;

	(void)state;
	make_two_frames(&f, QUERN__CODEC__ZSTD);
	kit_write(f.path, f.bytes.data, f.bytes.len - 1);
	assert_fails(extent_of(&f, f.begin[1], f.bytes.len - 1), -EBADMSG, "truncated");
	kit_write(f.path, f.bytes.data, f.begin[1] + 5);
	assert_fails(extent_of(&f, 0, f.begin[1]), -EBADMSG, "truncated");
	/* All that is left is the extent itself: its last line ends with the file. */
	kit_write(f.path, f.bytes.data, f.begin[1]);
	run_extent(extent_of(&f, 0, f.begin[1]), &flow, &sink);
	assert_int_equal(flow.result, 0);
	assert_int_equal(sink.n, 2);
	buf_deinit(&sink.data);
	file_close(&f);
}

static void stops_when_told(void **state)
{
	Quern__Extent x;
	Quern__Extent *list[] = { &x, &x };
	Quern__Split split = QUERN__SPLIT__INIT;
	struct reader reader = READER_INIT;
	struct flow flow = { 0 };
	struct kit_sink sink;
	struct file f;

	(void)state;
	make_two_frames(&f, QUERN__CODEC__GZIP);
	x = extent_of(&f, 0, f.bytes.len);
	split.extents = list;
	split.n_extents = 2;
	kit_sink_init(&sink);
	sink.flow = &flow;
	sink.limit = 4; /* the first of the second time */
	reader_run(&reader, &split, &sink.out, &flow);
	assert_int_equal(flow.result, 0);
	assert_int_equal(sink.n, 4);
	reader_deinit(&reader);
	buf_deinit(&sink.data);
	file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_division_of_small_texts),
		cmocka_unit_test(random_frames_in_random_divisions),
		cmocka_unit_test(a_last_block_that_does_not_fit),
		cmocka_unit_test(members_of_a_gzip_file),
		cmocka_unit_test(files_cut_short),
		cmocka_unit_test(files_with_a_wrong_bit),
		cmocka_unit_test(files_that_are_not_what_their_names_say),
		cmocka_unit_test(extents_that_make_no_sense),
		cmocka_unit_test(a_frame_that_is_missing_behind_the_extent),
		cmocka_unit_test(stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
