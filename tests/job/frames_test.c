#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <zstd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/random.h"
#include "job/codec.h"
#include "job/frames.h"
#include "job/input.h"
#include "tests/job/kit.h"

/* Frames in memory, and where they end by what libzstd says of each. */
struct bytes {
	struct buf b;
	uint64_t end[1000];
	size_t n;
};

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
	return random_next(&random_state) % n;
}

static void begin(struct bytes *f)
{
	f->b = BUF_INIT(SIZE_MAX / 2);
	f->n = 0;
}

/* Whatever was appended to f->b since the last one is a frame. */
static void end_frame(struct bytes *f)
{
	uint64_t from = f->n > 0 ? f->end[f->n - 1] : 0;

	assert_int_equal(ZSTD_findFrameCompressedSize(f->b.data + from, f->b.len - from), f->b.len - from);
	assert_true(f->n < sizeof(f->end) / sizeof(f->end[0]));
	f->end[f->n++] = f->b.len;
}

static void put(struct bytes *f, const void *data, size_t len)
{
	assert_int_equal(buf_add(&f->b, data, len), 0);
}

/* A frame of `len` bytes which compress to about 1/`ratio` (0: they are all the same), made in pieces: their
 * sizes and what is known of them vary with `kind`. */
static void put_frame(struct bytes *f, size_t len, uint64_t ratio, uint64_t kind)
{
	auto_free uint8_t *data = calloc(1, len + 1);
	ZSTD_CCtx *z = ZSTD_createCCtx();

	assert_non_null(data);
	assert_non_null(z);
	for (size_t i = 0; i < len && ratio > 0; i++)
		data[i] = i % ratio == 0 ? (uint8_t)random_next(&random_state) : 'x';
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, kind & 1);
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, kind >> 1 & 1);
	if ((kind & 4) != 0)
		assert_false(ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(z, len)));
	assert_int_equal(buf_reserve(&f->b, 2 * ZSTD_compressBound(len) + 1000), 0);
	ZSTD_outBuffer out = { f->b.data + f->b.len, f->b.cap - f->b.len, 0 };
	ZSTD_inBuffer in = { data, len / 2, 0 };
	assert_int_equal(
		ZSTD_compressStream2(z, &out, &in, (kind & 8) != 0 ? ZSTD_e_flush : ZSTD_e_continue), 0);
	in.size = len;
	assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_end), 0);
	f->b.len += out.pos;
	(void)ZSTD_freeCCtx(z);
	end_frame(f);
}

static void put_skippable(struct bytes *f, uint32_t len)
{
	const uint8_t head[] = { (uint8_t)(0x50 + len % 16), 0x2a, 0x4d, 0x18, (uint8_t)len,
		(uint8_t)(len >> 8), (uint8_t)(len >> 16), (uint8_t)(len >> 24) };
	auto_free uint8_t *body = calloc(1, len + 1);

	assert_non_null(body);
	put(f, head, sizeof(head));
	put(f, body, len);
	end_frame(f);
}

static struct frames find(const char *path, uint64_t apart, uint32_t *reads)
{
	struct frames_file file = { .read = storage_local.read };
	struct err err = { "" };
	struct frames found = { 0 };
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(storage_local.open(NULL, path, &file.file, &err), 0);
	assert_int_equal(frames_find(&file, (uint64_t)st.st_size, apart, reads, &found, &err), 0);
	storage_local.close(file.file);
	return found;
}

/* What is found is where frames begin, as `apart` wants them, up to `most` of them. */
static void assert_found(const struct bytes *f, const char *path, uint64_t apart, size_t most)
{
	uint32_t reads = storage_local.reads_most;
	uint64_t last = 0;
	size_t n = 0;

	kit_write_bytes(path, f->b.data, f->b.len);
	struct frames found = find(path, apart, &reads);
	for (size_t i = 0; i < most && i + 1 < f->n; i++) {
		if (f->end[i] - last < apart)
			continue;
		assert_true(n < found.begin.n);
		assert_int_equal(found.begin.at[n++], f->end[i]);
		last = f->end[i];
	}
	assert_int_equal(found.begin.n, n);
	frames_deinit(&found);
}

static void every_kind_of_frame(void **state)
{
	const char *path = kit_path(*state, "f");
	struct bytes f;

	random_state = 1;
	for (int round = 0; round < 30; round++) {
		begin(&f);
		for (uint64_t n = 1 + random_below(40); n > 0; n--) {
			if (random_below(6) == 0)
				put_skippable(&f, (uint32_t)random_below(70000));
			else
				put_frame(&f,
					random_below(5) == 0 ? 0
							     : random_below((uint64_t)1 << random_below(20)),
					random_below(8), random_next(&random_state));
		}
		assert_found(&f, path, 0, SIZE_MAX);
		assert_found(&f, path, 1 + random_below(200000), SIZE_MAX);
		buf_deinit(&f.b);
	}
}

/* Where a file is cut short, changed or no zstd, what was found before it stands. */
static void what_is_no_frame_ends_the_search(void **state)
{
	const char *path = kit_path(*state, "f");
	static const uint8_t reserved[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 7, 0, 0, 'x', 'x' };
	struct bytes f;

	begin(&f);
	for (int i = 0; i < 3; i++)
		put_frame(&f, 1000, 3, 1);
	size_t whole = f.b.len;
	put_frame(&f, 1000, 3, 1);
	for (f.b.len = whole; f.b.len < f.end[3]; f.b.len++) /* the last one begins, at least */
		assert_found(&f, path, 0, f.b.len > whole ? 3 : 2);
	f.b.len = whole;
	put(&f, "something else", 14);
	assert_found(&f, path, 0, 3);
	f.b.len = whole;
	put(&f, reserved, sizeof(reserved));
	assert_found(&f, path, 0, 3);
	/* One that claims to be longer than the file. */
	f.b.len = whole;
	put(&f, "\x50\x2a\x4d\x18\xff\xff\xff\xff", 8);
	assert_found(&f, path, 0, 3);
	buf_deinit(&f.b);

	begin(&f);
	put(&f, "plain text", 10);
	assert_found(&f, path, 0, 0);
	f.b.len = 0;
	assert_found(&f, path, 0, 0);
	buf_deinit(&f.b);
}

static void the_search_is_bounded(void **state)
{
	const char *path = kit_path(*state, "f");
	static const uint8_t head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 0x58 }, block[] = { 0, 0, 0 },
			     last[] = { 1, 0, 0 };
	struct bytes f;

	/* So many blocks are too many for a frame. */
	begin(&f);
	for (int extra = 0; extra < 2; extra++) {
		f.b.len = 0;
		f.n = 0;
		put(&f, head, sizeof(head));
		for (int i = 1; i < FRAMES_BLOCKS_MAX + extra; i++)
			put(&f, block, sizeof(block));
		put(&f, last, sizeof(last));
		end_frame(&f);
		put_skippable(&f, 0);
		assert_found(&f, path, 0, extra == 0 ? 1 : 0);
	}
	buf_deinit(&f.b);

	/* A read for each frame here; those that were taken are gone. */
	begin(&f);
	for (int i = 0; i < 10; i++)
		put_skippable(&f, 10000);
	kit_write_bytes(path, f.b.data, f.b.len);
	uint32_t reads = 13;
	struct frames found = find(path, 0, &reads);
	assert_int_equal(found.begin.n, 9);
	assert_int_equal(reads, 3);
	frames_deinit(&found);
	found = find(path, 0, &reads);
	assert_int_equal(found.begin.n, 3);
	assert_int_equal(reads, 0);
	frames_deinit(&found);
	buf_deinit(&f.b);
}

/* ---- What becomes of it in job/input.h ---- */

static struct input_splits split(const char *path, const struct input_config *config)
{
	struct input_splits s = { 0 };
	struct err err = { "" };

	if (input_splits((char *const[]){ (char *)path }, 1, config, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

/* The extents are the file, one after another, and begin where frames do. */
static void assert_divided(const struct input_splits *s, const struct bytes *f, const char *path)
{
	uint64_t offset = 0;
	size_t frame = 0;

	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->at[i]->n_extents; j++) {
			const Quern__Extent *x = s->at[i]->extents[j];

			assert_string_equal(x->path, path);
			assert_int_equal(x->codec, QUERN__CODEC__ZSTD);
			assert_int_equal(x->offset, offset);
			assert_true(x->length > 0);
			offset += x->length;
			while (frame < f->n && f->end[frame] < offset)
				frame++;
			assert_true(frame < f->n && f->end[frame] == offset);
		}
	assert_int_equal(offset, f->b.len);
}

static void zstd_files_are_cut_between_frames(void **state)
{
	const char *path = kit_path(*state, "f.zst");
	struct bytes f;

	random_state = 5;
	begin(&f);
	for (int i = 0; i < 400; i++)
		put_skippable(&f, 1 + (uint32_t)random_below(20000));
	kit_write_bytes(path, f.b.data, f.b.len);
	for (uint32_t parallelism = 0; parallelism < 200; parallelism += 7) {
		const struct input_config config = { .parallelism = parallelism };
		struct input_splits s = split(path, &config);
		uint64_t wanted = parallelism > 0 ? parallelism : 1;
		uint64_t largest = f.b.len / wanted > INPUT_MIN / 4 ? f.b.len / wanted : INPUT_MIN / 4;

		assert_divided(&s, &f, path);
		assert_in_range(s.n, f.b.len / (largest + 20000), wanted);
		for (size_t i = 0; i < s.n; i++) /* to the first frame behind a place in the next part */
			assert_in_range(s.at[i]->extents[0]->length, 1, 2 * largest + 20008);
		assert_int_equal(s.bytes, f.b.len);
		input_splits_deinit(&s);
	}
	buf_deinit(&f.b);
}

static void gzip_files_are_whole_and_packed(void **state)
{
	static const char bytes[5 << 20]; /* no gzip, which is found out by whoever reads them */
	const struct input_config config = { .target_bytes = 1 << 20, .parallelism = 4 };

	for (int i = 0; i < 100; i++)
		kit_write_bytes(kit_path(*state, "f%02d.gz", i), bytes, i == 50 ? sizeof(bytes) : 10000);
	struct input_splits s = split(*state, &config);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		for (size_t j = 0; j < s.at[i]->n_extents; j++, n++) {
			const Quern__Extent *x = s.at[i]->extents[j];

			assert_string_equal(x->path, kit_path(*state, "f%02zu.gz", n));
			assert_int_equal(x->codec, QUERN__CODEC__GZIP);
			assert_int_equal(x->offset, 0);
			assert_int_equal(x->length, n == 50 ? sizeof(bytes) : 10000);
			assert_true(n != 50 || s.at[i]->n_extents == 1);
		}
	assert_int_equal(n, 100);
	/* 99 times four times 10,000 bytes, and what opening costs, in splits of 1 MiB at most, on either
	 * side. */
	assert_in_range(s.n, 6, 9);
	input_splits_deinit(&s);
}

static void names_say_what_is_compressed(void **state)
{
	static const struct {
		const char *name;
		Quern__Codec codec;
	} cases[] = { { "a.gz", QUERN__CODEC__GZIP }, { "a.zst", QUERN__CODEC__ZSTD },
		{ "a", QUERN__CODEC__PLAIN }, { "a.gz.txt", QUERN__CODEC__PLAIN },
		{ "gz", QUERN__CODEC__PLAIN }, { "agz", QUERN__CODEC__PLAIN },
		{ "a.GZ", QUERN__CODEC__PLAIN }, { "a.tar.zst", QUERN__CODEC__ZSTD } };
	const struct input_config config = { 0 };
	struct input_splits none = { 0 };
	struct err err = { "" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = kit_path(*state, "%s", cases[i].name);

		kit_write(path, "x");
		struct input_splits s = split(path, &config);
		assert_int_equal(s.at[0]->extents[0]->codec, cases[i].codec);
		input_splits_deinit(&s);
		if (cases[i].codec != QUERN__CODEC__PLAIN)
			assert_string_equal(strrchr(cases[i].name, '.'), codec_suffix(cases[i].codec));
	}
	assert_string_equal(codec_suffix(QUERN__CODEC__PLAIN), "");
	kit_write(kit_path(*state, "empty.gz"), "");
	char *paths[] = { (char *)kit_path(*state, "empty.gz") };
	assert_int_equal(input_splits(paths, 1, &config, &none, &err), -EINVAL);
	assert_non_null(strstr(err.text, "empty.gz' is empty"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(every_kind_of_frame),
		kit_test(what_is_no_frame_ends_the_search),
		kit_test(the_search_is_bounded),
		kit_test(zstd_files_are_cut_between_frames),
		kit_test(gzip_files_are_whole_and_packed),
		kit_test(names_say_what_is_compressed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
