#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "base/write.h"
#include "executor/seq.h"
#include "tests/executor/kit.h"

/* A file of records, in memory, and what is in it. */
struct file {
	int fd;
	char path[64];
	struct buf bytes;
	struct buf records; /* by record_put_optional() */
	uint64_t n;
	struct keep keep;
};

/* Takes records as the file has them. */
struct taken {
	struct quern_out out;
	struct buf data;
	uint64_t n, limit;
	struct flow flow;
};

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct taken *t = (struct taken *)out;

	assert_false(t->flow.stop);
	assert_int_equal(record_put_optional(&t->data, key, value), 0);
	if (++t->n == t->limit)
		t->flow.stop = true;
}

static quern_slice random_bytes(uint64_t *state, size_t most)
{
	static uint8_t bytes[2][400000];
	static unsigned turn;
	uint8_t *at = bytes[turn++ % 2];
	size_t n = random_next(state) % (most + 1);
	bool dull = random_next(state) % 2 == 0;

	for (size_t i = 0; i < n; i++)
		at[i] = dull ? 'x' : (uint8_t)random_next(state);
	return quern_bytes(at, n);
}

static void file_write(const struct file *f, const void *data, size_t len)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(write_all_at(f->fd, 0, data, len), 0);
}

/* A file of `n` random records of `most` bytes at most, some larger, some without a key. */
static void file_make(struct file *f, uint64_t n, size_t most, int level)
{
	Quern__Sink sink = QUERN__SINK__INIT;
	struct seq_writer w;
	uint64_t random = n + most;

	*f = (struct file){ .n = n, .bytes = BUF_INIT(SIZE_MAX / 2), .records = BUF_INIT(SIZE_MAX / 2) };
	f->fd = memfd_create("seq", MFD_CLOEXEC);
	assert_true(f->fd >= 0);
	(void)snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	sink.key_type = QUERN__VALUE_TYPE__I64;
	sink.value_type = QUERN__VALUE_TYPE__DOUBLE;
	sink.has_key = true;
	assert_int_equal(seq_writer_init(&w, &sink, level, &f->keep), 0);
	for (uint64_t i = 0; i < n; i++) {
		bool large = most > 100 && random_next(&random) % 100 == 0;
		quern_slice key = random_bytes(&random, most),
			    value = random_bytes(&random, large ? 400000 : most);

		if (random_next(&random) % 3 == 0)
			key = quern_bytes(NULL, 0);
		assert_int_equal(seq_add(&w, key, value, &f->bytes), 0);
		assert_int_equal(record_put_optional(&f->records, key, value), 0);
	}
	assert_int_equal(seq_end(&w, &f->bytes), 0);
	assert_int_equal(w.at, f->bytes.len);
	seq_writer_deinit(&w);
	file_write(f, f->bytes.data, f->bytes.len);
}

static void file_end(struct file *f)
{
	assert_int_equal(close(f->fd), 0);
	buf_deinit(&f->bytes);
	buf_deinit(&f->records);
	keep_deinit(&f->keep);
}

/* Adds what the extent has to `t`. */
static void read_extent(struct file *f, uint64_t begin, uint64_t end, struct taken *t)
{
	Quern__Extent x = QUERN__EXTENT__INIT;
	struct seq_reader reader;

	x.path = f->path;
	x.offset = begin;
	x.length = end - begin;
	seq_reader_init(&reader, &f->keep);
	seq_reader_run(&reader, &x, &t->out, &t->flow);
	if (t->flow.result == 0)
		assert_int_equal(reader.bytes, end - begin);
	seq_reader_deinit(&reader);
}

static struct taken taken_new(void)
{
	return (struct taken){ .out = { take }, .data = BUF_INIT(SIZE_MAX / 2) };
}

/* The file in parts that begin at `cuts` has its records, in order. */
static void assert_parts(struct file *f, const uint64_t *cuts, size_t n)
{
	struct taken t = taken_new();

	for (size_t i = 0; i + 1 < n; i++)
		read_extent(f, cuts[i], cuts[i + 1], &t);
	assert_string_equal(t.flow.err.text, "");
	assert_int_equal(t.n, f->n);
	assert_int_equal(t.data.len, f->records.len);
	if (t.data.len > 0)
		assert_memory_equal(t.data.data, f->records.data, t.data.len);
	buf_deinit(&t.data);
}

static void what_was_written_comes_back(void **state)
{
	static const struct {
		uint64_t n;
		size_t most;
		int level;
	} cases[] = { { 0, 1, 0 }, { 1, 0, 0 }, { 1, 300, 3 }, { 5000, 20, 0 }, { 5000, 20, 3 },
		{ 2000, 1000, 0 }, { 2000, 1000, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file f;
		struct seq_head head;

		file_make(&f, cases[i].n, cases[i].most, cases[i].level);
		assert_null(seq_head_parse(f.bytes.data, &head));
		assert_int_equal(head.key_type, QUERN__VALUE_TYPE__I64);
		assert_int_equal(head.value_type, QUERN__VALUE_TYPE__DOUBLE);
		assert_true(head.has_key);
		assert_parts(&f, (const uint64_t[]){ 0, f.bytes.len }, 2);
		file_end(&f);
	}
}

static void every_cut_of_a_small_file(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 3; n++) {
		struct file f;

		file_make(&f, n, 5, 0);
		for (uint64_t a = 0; a <= f.bytes.len; a++)
			for (uint64_t b = a; b <= f.bytes.len; b += 3)
				assert_parts(&f, (const uint64_t[]){ 0, a, b, f.bytes.len }, 4);
		file_end(&f);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void random_cuts_of_a_file_of_many_stretches(void **state)
{
	uint64_t random = 1, cuts[20];
	struct file f;

	(void)state;
	file_make(&f, 3000, 1000, 3);
	assert_in_range(f.bytes.len, 5 * SEQ_STRETCH, 1 << 30);
	for (int turn = 0; turn < 20; turn++) {
		cuts[0] = 0;
		for (int i = 1; i < 19; i++)
			cuts[i] = random_next(&random) % f.bytes.len;
		cuts[19] = f.bytes.len;
		qsort(cuts, 20, sizeof(*cuts), compare_numbers);
		assert_parts(&f, cuts, 20);
	}
	/* Right before, at, and behind each mark. */
	for (const uint8_t *mark = f.bytes.data + 16, *at = mark + 1;
		(at = memmem(at, (size_t)(f.bytes.data + f.bytes.len - at), mark, SEQ_MARK)) != NULL; at++)
		for (int i = -1; i < 3; i++) {
			uint64_t cut = (uint64_t)(at - f.bytes.data + i);

			assert_parts(
				&f, (const uint64_t[]){ 0, cut, cut + 1, cut + SEQ_MARK, f.bytes.len }, 5);
		}
	file_end(&f);
}

/* ---- Damage ---- */

/* Somebody who reads the file in `n` parts finds that it is wrong: final, in one line that names it. */
static void assert_wrong(struct file *f, const void *data, size_t len, size_t n, const char *words)
{
	struct taken t = taken_new();

	file_write(f, data, len);
	for (size_t i = 0; i < n; i++)
		read_extent(f, len * i / n, len * (i + 1) / n, &t);
	if (t.flow.result == 0)
		fail_msg("%zu bytes in %zu parts: nothing was found", len, n);
	assert_true(t.flow.final);
	if (strstr(t.flow.err.text, f->path) == NULL || strstr(t.flow.err.text, words) == NULL ||
		strchr(t.flow.err.text, '\n') != NULL)
		fail_msg("%s", t.flow.err.text);
	buf_deinit(&t.data);
}

static void a_file_cut_anywhere_is_found(void **state)
{
	struct file f;

	(void)state;
	file_make(&f, 3, 20, 0);
	for (size_t len = 1; len < f.bytes.len; len++)
		for (size_t n = 1; n < 8; n++)
			assert_wrong(
				&f, f.bytes.data, len, n, len < SEQ_HEAD ? "not a seq file" : "truncated");
	file_end(&f);
	file_make(&f, 1000, 1000, 0);
	for (size_t len = f.bytes.len - 1; len > 0; len -= len / 40 + 1)
		assert_wrong(&f, f.bytes.data, len, 1 + len % 9, "");
	file_end(&f);
}

static void a_bit_changed_anywhere_is_found(void **state)
{
	struct file f;

	(void)state;
	for (int level = 0; level < 4; level += 3) {
		file_make(&f, 3, 40, level);
		for (size_t bit = 0; bit < 8 * f.bytes.len; bit++) {
			f.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			for (size_t n = 1; n < 4; n++)
				assert_wrong(&f, f.bytes.data, f.bytes.len, n, "");
			f.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		file_end(&f);
	}
}

static void what_is_no_such_file_is_said(void **state)
{
	static const char text[100] = "some text, which is longer than the head of a file of records";
	struct buf more = BUF_INIT(SIZE_MAX);
	struct file f;

	(void)state;
	file_make(&f, 3, 40, 0);
	assert_wrong(&f, text, sizeof(text), 1, "does not begin with QUERNSEQ");
	assert_wrong(&f, text, 5, 1, "shorter than the head");
	assert_int_equal(buf_add(&more, f.bytes.data, f.bytes.len), 0);
	assert_int_equal(buf_add(&more, f.bytes.data, f.bytes.len), 0);
	assert_wrong(&f, more.data, more.len, 1, "goes on behind its end");
	assert_wrong(&f, more.data, more.len, 3, "goes on behind its end");
	buf_deinit(&more);
	file_end(&f);
}

/* A stretch that is elsewhere than it was written, and one that is gone. */
static void stretches_stay_where_they_are(void **state)
{
	struct file f;

	(void)state;
	file_make(&f, 800, 1000, 0);
	uint8_t *data = f.bytes.data, *first = data + SEQ_HEAD;
	uint8_t *second = memmem(first + 1, f.bytes.len - SEQ_HEAD - 1, data + 16, SEQ_MARK);
	assert_non_null(second);
	size_t n = (size_t)(second - first);
	memmove(first, second, f.bytes.len - SEQ_HEAD - n);
	assert_wrong(&f, data, f.bytes.len - n, 1, "damaged at byte 56: the sum of a block is wrong");
	file_end(&f);
}

static void a_reader_that_has_enough_stops(void **state)
{
	struct taken t = taken_new();
	struct file f;

	(void)state;
	file_make(&f, 1000, 1000, 3);
	t.limit = 5;
	read_extent(&f, 0, f.bytes.len, &t);
	assert_int_equal(t.flow.result, 0);
	assert_int_equal(t.n, 5);
	buf_deinit(&t.data);
	file_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_comes_back),
		cmocka_unit_test(every_cut_of_a_small_file),
		cmocka_unit_test(random_cuts_of_a_file_of_many_stretches),
		cmocka_unit_test(a_file_cut_anywhere_is_found),
		cmocka_unit_test(a_bit_changed_anywhere_is_found),
		cmocka_unit_test(what_is_no_such_file_is_said),
		cmocka_unit_test(stretches_stay_where_they_are),
		cmocka_unit_test(a_reader_that_has_enough_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
