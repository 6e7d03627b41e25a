/* Persisted partitions in shared memory: what is written is read, record by record, as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "executor/cache_file.h"
#include "tests/executor/kit.h"

/* A memfd as the executor makes it. */
struct memory {
	int fd;
	char path[64];
	struct cache_place place;
};

static void memory_open(struct memory *m)
{
	m->fd = memfd_create("quern-cache-1", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(m->fd >= 0);
	(void)snprintf(m->path, sizeof(m->path), "/proc/%d/fd/%d", (int)getpid(), m->fd);
	m->place = (struct cache_place){ .path = m->path, .name = "quern-cache-1" };
}

static uint64_t memory_size(const struct memory *m)
{
	struct stat st;

	assert_int_equal(fstat(m->fd, &st), 0);
	return (uint64_t)st.st_size;
}

static void memory_close(struct memory *m)
{
	assert_int_equal(close(m->fd), 0);
}

/* Records with all that makes them differ: whether there is a key is one of it. */
struct list {
	struct quern_out out;
	struct record {
		bool has_key;
		struct buf key, value;
	} * at;
	size_t n, cap;
	struct flow *flow;
	size_t limit;
};

static void list_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct list *l = (struct list *)out;

	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : 2 * l->cap;
		l->at = realloc(l->at, l->cap * sizeof(*l->at));
		assert_non_null(l->at);
	}
	struct record *r = &l->at[l->n++];
	*r = (struct record){
		.has_key = key.ptr != NULL, .key = BUF_INIT(SIZE_MAX), .value = BUF_INIT(SIZE_MAX)
	};
	assert_int_equal(buf_add(&r->key, key.ptr, key.len), 0);
	assert_int_equal(buf_add(&r->value, value.ptr, value.len), 0);
	if (l->flow != NULL && l->n == l->limit)
		l->flow->stop = true;
}

static void list_free(struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		buf_deinit(&l->at[i].key);
		buf_deinit(&l->at[i].value);
	}
	free(l->at);
	*l = (struct list){ 0 };
}

static void assert_same_bytes(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->len, b->len);
	assert_true(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void assert_same_lists(const struct list *a, const struct list *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->at[i].has_key, b->at[i].has_key);
		assert_same_bytes(&a->at[i].key, &b->at[i].key);
		assert_same_bytes(&a->at[i].value, &b->at[i].value);
	}
}

static void give(const struct list *l, struct quern_out *out)
{
	for (size_t i = 0; i < l->n; i++)
		out->emit(out,
			quern_bytes(l->at[i].has_key && l->at[i].key.len == 0 ? (const void *)""
									      : l->at[i].key.data,
				l->at[i].key.len),
			quern_bytes(l->at[i].value.data, l->at[i].value.len));
}

static void random_list(struct list *l, uint64_t seed, size_t n, size_t most)
{
	uint8_t *bytes = calloc(1, most + 1);
	uint64_t random = seed;

	assert_non_null(bytes);
	*l = (struct list){ .out = { list_emit } };
	for (size_t i = 0; i < n; i++) {
		uint64_t kind = kit_below(&random, 8);
		size_t key = kind < 2 ? 0 : kit_below(&random, kind == 7 || most < 20 ? most : 20);
		size_t value = kind == 3 ? 0 : kit_below(&random, kind == 6 || most < 200 ? most : 200);

		for (size_t b = 0; b < most && b < 64; b++)
			bytes[kit_below(&random, most)] = (uint8_t)kit_below(&random, 4);
		list_emit(&l->out, quern_bytes(kind == 0 ? NULL : (const void *)bytes, key),
			quern_bytes(bytes + most - value, value));
	}
	free(bytes);
}

static uint64_t write_list(const struct memory *m, const struct list *l, bool compressed)
{
	struct cache_writer *w;
	uint64_t left = UINT64_MAX, bytes = 0;

	assert_int_equal(cache_writer_new(&m->place, compressed, &left, &w), 0);
	give(l, cache_writer_in(w));
	assert_true(cache_writer_finish(w, &bytes));
	assert_false(cache_writer_too_large(w));
	assert_null(cache_writer_free(w));
	assert_int_equal(UINT64_MAX - left, bytes);
	assert_int_equal(memory_size(m), bytes);
	return bytes;
}

static void read_list(const struct memory *m, uint64_t bytes, bool compressed, struct list *ret)
{
	struct cache_reader r;
	struct flow flow = { 0 };

	*ret = (struct list){ .out = { list_emit } };
	assert_int_equal(cache_reader_open(&r, &m->place, bytes, compressed), 0);
	cache_reader_run(&r, &ret->out, &flow);
	assert_int_equal(flow.result, 0);
	assert_int_equal(r.records, ret->n);
	cache_reader_close(&r);
}

static void round_trip(uint64_t seed, size_t n, size_t most)
{
	for (int compressed = 0; compressed < 2; compressed++) {
		struct list in, out;
		struct memory m;

		memory_open(&m);
		random_list(&in, seed, n, most);
		uint64_t bytes = write_list(&m, &in, compressed != 0);
		read_list(&m, bytes, compressed != 0, &out);
		assert_same_lists(&in, &out);
		list_free(&in);
		list_free(&out);
		memory_close(&m);
	}
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	round_trip(1, 0, 1);
	round_trip(2, 1, 1);
	round_trip(3, 20000, 500);
	round_trip(4, 300, 70000);
	round_trip(5, 8, 3 << 20); /* records larger than a block */
}

static void no_key_is_not_an_empty_one(void **state)
{
	struct list in = { .out = { list_emit } }, out;
	struct memory m;

	(void)state;
	memory_open(&m);
	list_emit(&in.out, quern_bytes(NULL, 0), quern_str("value"));
	list_emit(&in.out, quern_str(""), quern_str(""));
	uint64_t bytes = write_list(&m, &in, false);
	assert_int_equal(bytes, 2 + 5 + 2);
	read_list(&m, bytes, false, &out);
	assert_int_equal(out.n, 2);
	assert_false(out.at[0].has_key);
	assert_true(out.at[1].has_key);
	list_free(&in);
	list_free(&out);
	memory_close(&m);
}

static void compressing_makes_it_smaller(void **state)
{
	struct memory plain, packed;
	struct list l;

	(void)state;
	memory_open(&plain);
	memory_open(&packed);
	random_list(&l, 7, 5000, 300);
	assert_true(write_list(&packed, &l, true) < write_list(&plain, &l, false) / 2);
	list_free(&l);
	memory_close(&plain);
	memory_close(&packed);
}

static void what_is_whole_cannot_be_changed(void **state)
{
	struct list l;
	struct memory m;

	(void)state;
	memory_open(&m);
	random_list(&l, 8, 100, 100);
	(void)write_list(&m, &l, false);
	assert_int_equal(pwrite(m.fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(m.fd, 0), -1);
	list_free(&l);
	memory_close(&m);
}

static void a_partition_that_is_too_large_gives_its_memory_back(void **state)
{
	for (int compressed = 0; compressed < 2; compressed++) {
		uint64_t left = 600000, bytes = 0, random = 9;
		struct cache_writer *w;
		struct memory m;
		char noise[1000];

		(void)state;
		memory_open(&m);
		assert_int_equal(cache_writer_new(&m.place, compressed != 0, &left, &w), 0);
		struct quern_out *out = cache_writer_in(w);
		for (int i = 0; i < 590; i++) {
			for (size_t k = 0; k < sizeof(noise); k++)
				noise[k] = (char)random_next(&random);
			out->emit(out, quern_bytes(NULL, 0), quern_bytes(noise, sizeof(noise)));
		}
		assert_false(cache_writer_too_large(w)); /* 590 fit, ... */
		for (int i = 0; i < 600; i++)            /* ... but no more than 600 */
			out->emit(out, quern_bytes(NULL, 0), quern_bytes(noise, sizeof(noise)));
		for (int i = 0; compressed != 0 && i < 600000; i++) {
			uint64_t number = random_next(&random);
			out->emit(out, quern_bytes(NULL, 0), quern_bytes(&number, sizeof(number)));
		}
		assert_true(cache_writer_too_large(w));
		assert_int_equal(memory_size(&m), 0); /* at once */
		assert_int_equal(left, 600000);       /* for others */
		assert_false(cache_writer_finish(w, &bytes));
		assert_null(cache_writer_free(w));
		memory_close(&m);
	}
}

static void a_number_that_means_another_memory_is_found_out(void **state)
{
	struct memory m;
	struct cache_reader r;
	struct cache_writer *w;
	uint64_t left = 100;

	(void)state;
	memory_open(&m);
	m.place.name = "quern-cache-2";
	assert_int_equal(cache_writer_new(&m.place, false, &left, &w), -ESTALE);
	assert_int_equal(cache_reader_open(&r, &m.place, 0, false), -ESTALE);
	m.place.name = "quern-cache-1";
	assert_int_equal(cache_reader_open(&r, &m.place, 1, false), -ESTALE); /* of another length */
	m.place.path = "/dev/null";
	assert_int_equal(cache_writer_new(&m.place, false, &left, &w), -ESTALE);
	memory_close(&m);
	m.place.path = m.path;
	assert_int_equal(cache_reader_open(&r, &m.place, 0, false), -ENOENT);
}

static void reading_ends_where_nobody_wants_more(void **state)
{
	for (int compressed = 0; compressed < 2; compressed++) {
		struct flow flow = { 0 };
		struct list in, out = { .out = { list_emit }, .flow = &flow, .limit = 3 };
		struct cache_reader r;
		struct memory m;

		(void)state;
		memory_open(&m);
		random_list(&in, 10, 20000, 100);
		uint64_t bytes = write_list(&m, &in, compressed != 0);
		assert_int_equal(cache_reader_open(&r, &m.place, bytes, compressed != 0), 0);
		cache_reader_run(&r, &out.out, &flow);
		assert_int_equal(out.n, 3);
		assert_int_equal(r.records, 3);
		assert_int_equal(flow.result, 0);
		cache_reader_close(&r);
		list_free(&in);
		list_free(&out);
		memory_close(&m);
	}
}

static void assert_damaged(const void *data, size_t len, bool compressed)
{
	struct list out = { .out = { list_emit } };
	struct flow flow = { 0 };
	struct cache_reader r;

	cache_reader_bytes(&r, data, len, compressed);
	cache_reader_run(&r, &out.out, &flow);
	assert_int_equal(flow.result, -EBADMSG);
	assert_true(flow.stop);
	assert_false(flow.final);
	cache_reader_close(&r);
	list_free(&out);
}

static void what_is_not_records_is_found_out(void **state)
{
	(void)state;
	assert_damaged("\x00", 1, false); /* half a head */
	assert_damaged("\x80", 1, false); /* half a number */
	assert_damaged("\x00\x05"
		       "abcd",
		6, false); /* half a value */
	assert_damaged("\x06\x00"
		       "abcd",
		6, false); /* half a key */
	assert_damaged("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"
		       "a",
		12, false); /* a key of 2^64 - 2 */
	assert_damaged("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x01"
		       "a",
		12, false); /* more than 64 bits */
	assert_damaged("\x01\x00\x00\x00\x01\x00\x00", 7, true);
	assert_damaged("\x01\x00\x00\x00\x02\x00\x00\x00"
		       "a",
		9, true);
	assert_damaged("\x01\x00\x00\x00\x01\x00\x00\x00"
		       "a",
		9, true);
	assert_damaged("\xff\xff\xff\xff\x01\x00\x00\x00"
		       "a",
		9, true);
	assert_damaged("\x00\x00\x00\x00\x00\x00\x00\x00", 8, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(no_key_is_not_an_empty_one),
		cmocka_unit_test(compressing_makes_it_smaller),
		cmocka_unit_test(what_is_whole_cannot_be_changed),
		cmocka_unit_test(a_partition_that_is_too_large_gives_its_memory_back),
		cmocka_unit_test(a_number_that_means_another_memory_is_found_out),
		cmocka_unit_test(reading_ends_where_nobody_wants_more),
		cmocka_unit_test(what_is_not_records_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
