/* transfer_test.c: reading and writing by hdfs_client/hdfs.h, with DataNodes that fail (fake.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/hdfs.h"
#include "tests/hdfs_client/fake.h"

enum {
	PIECE = 128 << 10,
	SIZE = 5 * PIECE + 12345,
};

struct world {
	struct fake fake;
	struct hdfs_access access;
	struct hdfs_pool *pool;
	struct hdfs *fs;
	char url[64];
	struct err err;
};

static void begin(struct world *w, size_t size)
{
	*w = (struct world){ 0 };
	fake_init(&w->fake, size);
	fake_url(&w->fake, w->url);
	fake_access(&w->fake, &w->access);
	w->access.patience_ms = 10000;
}

/* What the test changed in the access is in force from here on. */
static void join(struct world *w)
{
	char url[80];

	if (hdfs_pool_new(&w->access, &w->pool, &w->err) < 0)
		fail_msg("%s", w->err.text);
	hdfs_pool_set_memory(w->pool, 1 << 20);
	(void)snprintf(url, sizeof(url), "%s/f", w->url);
	if (hdfs_pool_get(w->pool, url, &w->fs, NULL, &w->err) < 0)
		fail_msg("%s", w->err.text);
}

static void end(struct world *w)
{
	(void)hdfs_pool_free(w->pool);
	hdfs_access_deinit(&w->access);
	fake_deinit(&w->fake);
}

/* Of a DataNode. */
static unsigned exchanges(struct world *w, int datanode)
{
	pthread_mutex_lock(&w->fake.mutex);
	unsigned n = w->fake.exchanges[datanode];
	pthread_mutex_unlock(&w->fake.mutex);
	return n;
}

static struct hdfs_file *open_file(struct world *w, uint64_t from, uint64_t to)
{
	struct hdfs_file *f = NULL;
	uint64_t size = 0;

	if (hdfs_open(w->fs, "/f", from, to, &f, &size, &w->err) < 0)
		fail_msg("%s", w->err.text);
	assert_int_equal(size, w->fake.len);
	return f;
}

/* Reads [from, to) in pieces of `step` bytes; every byte is compared. What the last call returned: 0 at the
 * end, or an error. */
static ssize_t read_range(struct world *w, struct hdfs_file *f, uint64_t from, uint64_t to, size_t step)
{
	uint8_t *buffer = malloc(step);
	ssize_t n = 1;

	assert_non_null(buffer);
	while (from < to && n > 0) {
		n = hdfs_read(f, buffer, step < to - from ? step : (size_t)(to - from), from, &w->err);
		for (ssize_t i = 0; i < n; i++)
			if (buffer[i] != fake_byte((size_t)from + (size_t)i))
				fail_msg("byte %zu is wrong", (size_t)from + (size_t)i);
		from += n > 0 ? (uint64_t)n : 0;
	}
	free(buffer);
	assert_true(n != 0);
	return n < 0 ? n : 0;
}

static void check_whole(struct world *w, size_t step)
{
	struct hdfs_file *f = open_file(w, 0, UINT64_MAX);
	uint8_t byte;

	if (read_range(w, f, 0, SIZE, step) < 0)
		fail_msg("%s", w->err.text);
	assert_int_equal(hdfs_read(f, &byte, 1, SIZE, &w->err), 0);
	(void)hdfs_close(f);
}

/* Reading the whole file ends with this error, and these words in its sentence. */
static void check_fails(struct world *w, int result, const char *words)
{
	struct hdfs_file *f = open_file(w, 0, UINT64_MAX);
	char name[80];

	assert_int_equal(read_range(w, f, 0, SIZE, 100000), result);
	(void)snprintf(name, sizeof(name), "%s/f: ", strchr(w->url, ':'));
	if (strstr(w->err.text, name) == NULL || strstr(w->err.text, words) == NULL)
		fail_msg("%s", w->err.text);
	(void)hdfs_close(f);
}

/* ---- Reading ---- */

static void a_file_is_read_in_pieces(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	join(&w);
	check_whole(&w, 10000);
	check_whole(&w, SIZE);
	check_whole(&w, 77777);
	assert_int_equal(w.fake.opens, 3 * 6);
	end(&w);
}

static void a_file_is_read_at_random(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	join(&w);
	struct hdfs_file *f = open_file(&w, PIECE / 2, 3 * PIECE);
	for (unsigned i = 0; i < 30; i++) {
		uint64_t from = (uint64_t)i * 7919 * 104729 % SIZE, to = from + (uint64_t)i * 15013 % 200000;

		if (read_range(&w, f, from, to < SIZE ? to : SIZE, 50000) < 0)
			fail_msg("%s", w.err.text);
	}
	(void)hdfs_close(f);
	end(&w);
}

/* Much more than may wait: whatever it is that comes, breaks off or is held back. */
static void a_file_of_large_blocks_is_read(void **state)
{
	enum { LARGE = 12 << 20 };
	struct world w;
	(void)state;

	for (int fault = 0; fault < 2; fault++) {
		begin(&w, LARGE);
		w.fake.block_size = 4 << 20;
		fake_set(&w.fake, 0, fault ? FAKE_BREAK : FAKE_NONE);
		w.fake.after = 3000000;
		join(&w);
		struct hdfs_file *f = open_file(&w, 0, UINT64_MAX);
		if (read_range(&w, f, 0, LARGE, fault ? 4000 : 3 << 20) < 0)
			fail_msg("%s", w.err.text);
		(void)hdfs_close(f);
		end(&w);
	}
}

/* A few bytes are passed over without another request. */
static void a_reader_may_skip(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	w.fake.block_size = 1 << 20;
	join(&w);
	struct hdfs_file *f = open_file(&w, 0, UINT64_MAX);
	for (uint64_t at = 0; at + 100 < SIZE; at += 10007)
		if (read_range(&w, f, at, at + 100, 100) < 0)
			fail_msg("%s", w.err.text);
	(void)hdfs_close(f);
	assert_int_equal(w.fake.opens, 1);
	end(&w);
}

static void an_empty_file_has_no_bytes(void **state)
{
	struct world w;
	uint8_t byte;
	(void)state;

	begin(&w, 0);
	join(&w);
	struct hdfs_file *f = open_file(&w, 0, UINT64_MAX);
	assert_int_equal(hdfs_read(f, &byte, 1, 0, &w.err), 0);
	(void)hdfs_close(f);
	end(&w);
}

static void what_is_no_file_is_not_opened(void **state)
{
	struct hdfs_file *f = NULL;
	struct world w;
	(void)state;

	begin(&w, SIZE);
	join(&w);
	w.fake.folder = true;
	assert_int_equal(hdfs_open(w.fs, "/f", 0, 1, &f, NULL, &w.err), -EISDIR);
	w.fake.there = false;
	assert_int_equal(hdfs_open(w.fs, "/f", 0, 1, &f, NULL, &w.err), -ENOENT);
	assert_null(f);
	end(&w);
}

static void a_file_may_be_closed_at_any_time(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	join(&w);
	for (unsigned i = 0; i < 10; i++) {
		struct hdfs_file *f = open_file(&w, 0, UINT64_MAX);
		if (i > 0 && read_range(&w, f, 0, i * 30000, 30000) < 0)
			fail_msg("%s", w.err.text);
		(void)hdfs_close(f);
	}
	end(&w);
}

static void a_datanode_that_fails_is_left_for_another(void **state)
{
	static const enum fake_fault faults[] = { FAKE_REFUSE, FAKE_BREAK, FAKE_CUT, FAKE_TOO_MUCH };
	(void)state;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct world w;

		begin(&w, SIZE);
		fake_set(&w.fake, 0, faults[i]);
		w.fake.after = 50001;
		join(&w);
		check_whole(&w, 10000);
		assert_int_equal(exchanges(&w, 2), 0);
		assert_true(exchanges(&w, 1) >= 6);
		assert_true(exchanges(&w, 0) <= 3); /* not once more for each piece */
		end(&w);
	}
}

/* Each of them gives something before it breaks off. */
static void reading_goes_on_where_it_was(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	for (int i = 0; i < FAKE_DATANODES; i++)
		fake_set(&w.fake, i, FAKE_BREAK);
	w.fake.after = 60000;
	join(&w);
	check_whole(&w, 10000);
	end(&w);
}

static void patience_ends(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	w.access.patience_ms = 300;
	for (int i = 0; i < FAKE_DATANODES; i++)
		fake_set(&w.fake, i, FAKE_CUT);
	join(&w);
	check_fails(&w, -EBADMSG, "sent fewer bytes than it was asked for");
	end(&w);
}

static void a_file_that_is_gone_or_has_changed_is_stale(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	fake_set(&w.fake, 0, FAKE_BREAK);
	w.fake.after = 1000;
	w.fake.vanish = true;
	join(&w);
	check_fails(&w, -ESTALE, "deleted");
	end(&w);

	begin(&w, SIZE);
	fake_set(&w.fake, 0, FAKE_BREAK);
	w.fake.after = 1000;
	w.fake.grow = 1;
	join(&w);
	check_fails(&w, -ESTALE, "bytes");
	end(&w);
}

/* By another of the same length, once some of it was read: what came cannot be told apart. */
static void a_file_that_was_replaced_is_stale(void **state)
{
	(void)state;

	for (unsigned long id = 0; id <= 2; id += 2) {
		struct world w;

		begin(&w, SIZE);
		w.fake.id = id;
		w.fake.replace_at = 3;
		join(&w);
		check_fails(&w, -ESTALE, "it became another file while it was read");
		assert_true(w.fake.opens >= 3);
		end(&w);
	}
}

static void rights_are_not_asked_for_twice(void **state)
{
	struct world w;
	(void)state;

	begin(&w, SIZE);
	fake_set(&w.fake, 0, FAKE_DENY);
	join(&w);
	check_fails(&w, -EACCES, "ermission denied");
	assert_int_equal(exchanges(&w, 1), 0);
	end(&w);
}

/* ---- Writing ---- */

enum { UPLOAD = 5 << 20 }; /* more than is held at a time */

static int write_bytes(struct world *w, struct hdfs_writer *writer, size_t from, size_t n, size_t step)
{
	uint8_t *buffer = malloc(step);
	int k = 0;

	assert_non_null(buffer);
	for (size_t done = 0; done < n && k == 0; done += step) {
		size_t len = n - done < step ? n - done : step;

		for (size_t i = 0; i < len; i++)
			buffer[i] = fake_byte(from + done + i);
		k = hdfs_write(writer, buffer, len, &w->err);
	}
	free(buffer);
	return k;
}

static struct hdfs_writer *create(struct world *w, const struct hdfs_create *how)
{
	struct hdfs_writer *writer = NULL;

	if (hdfs_create(w->fs, "/f", how, &writer, &w->err) < 0)
		fail_msg("%s", w->err.text);
	return writer;
}

static const struct hdfs_create plain = { .permission = HDFS_DEFAULT_PERMISSION };

/* Writes it; what hdfs_write() or hdfs_finish() say. */
static int upload(struct world *w, size_t n)
{
	struct hdfs_writer *writer = create(w, &plain);
	int k = write_bytes(w, writer, 0, n, 100000);

	if (k == 0)
		k = hdfs_finish(writer, &w->err);
	(void)hdfs_writer_free(writer);
	return k;
}

static void check_content(struct world *w, size_t n)
{
	pthread_mutex_lock(&w->fake.mutex);
	assert_int_equal(w->fake.len, n);
	for (size_t i = 0; i < n; i++)
		if (w->fake.content[i] != fake_byte(i))
			fail_msg("byte %zu is wrong", i);
	pthread_mutex_unlock(&w->fake.mutex);
}

static void begin_empty(struct world *w)
{
	begin(w, 0);
	w->fake.there = false;
}

static void a_file_is_written(void **state)
{
	static const size_t steps[] = { 100, 65536, 1000003, UPLOAD };
	struct world w;
	(void)state;

	begin_empty(&w);
	join(&w);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct hdfs_create how = plain;
		how.overwrite = i > 0;
		struct hdfs_writer *writer = create(&w, &how);
		assert_int_equal(write_bytes(&w, writer, 0, UPLOAD, steps[i]), 0);
		assert_int_equal(hdfs_finish(writer, &w.err), 0);
		(void)hdfs_writer_free(writer);
		check_content(&w, UPLOAD);
	}
	assert_int_equal(w.fake.puts, 4);
	end(&w);
}

static void an_empty_file_is_written(void **state)
{
	struct world w;
	(void)state;

	begin_empty(&w);
	join(&w);
	assert_int_equal(upload(&w, 0), 0);
	assert_true(w.fake.there);
	assert_int_equal(w.fake.len, 0);
	end(&w);
}

static void a_file_is_appended_to(void **state)
{
	struct hdfs_create how = plain;
	struct world w;
	(void)state;

	begin_empty(&w);
	join(&w);
	assert_int_equal(upload(&w, 1000), 0);
	how.append = true;
	struct hdfs_writer *writer = create(&w, &how);
	assert_int_equal(write_bytes(&w, writer, 1000, 500000, 1000), 0);
	assert_int_equal(hdfs_finish(writer, &w.err), 0);
	(void)hdfs_writer_free(writer);
	check_content(&w, 501000);
	end(&w);
}

static void a_file_that_exists_is_left_alone(void **state)
{
	struct hdfs_writer *writer = NULL;
	struct world w;
	(void)state;

	begin(&w, SIZE);
	join(&w);
	assert_int_equal(hdfs_create(w.fs, "/f", &plain, &writer, &w.err), -EEXIST);
	assert_null(writer);
	w.fake.folder = true;
	assert_int_equal(hdfs_create(w.fs, "/f", &plain, &writer, &w.err), -EISDIR);
	assert_int_equal(w.fake.puts, 0);
	end(&w);
}

static void a_datanode_that_is_not_there_is_left_for_another(void **state)
{
	struct world w;
	(void)state;

	begin_empty(&w);
	fake_set(&w.fake, 0, FAKE_REFUSE);
	fake_set(&w.fake, 1, FAKE_REFUSE);
	join(&w);
	if (upload(&w, UPLOAD) < 0)
		fail_msg("%s", w.err.text);
	check_content(&w, UPLOAD);
	assert_int_equal(exchanges(&w, 2), 1);
	end(&w);
}

static void bytes_are_sent_once(void **state)
{
	struct world w;
	(void)state;

	begin_empty(&w);
	fake_set(&w.fake, 0, FAKE_BREAK);
	w.fake.after = 1 << 20;
	join(&w);
	assert_true(upload(&w, UPLOAD) < 0);
	assert_int_equal(exchanges(&w, 0), 1);
	assert_int_equal(exchanges(&w, 1) + exchanges(&w, 2), 0);
	end(&w);
}

static void a_file_that_turns_out_whole_is_written(void **state)
{
	struct world w;
	(void)state;

	begin_empty(&w);
	fake_set(&w.fake, 0, FAKE_SILENT);
	join(&w);
	if (upload(&w, UPLOAD) < 0)
		fail_msg("%s", w.err.text);
	check_content(&w, UPLOAD);
	end(&w);
}

/* An old file of the same length is not taken for the new one. */
static void a_file_that_is_the_old_one_is_not_written(void **state)
{
	struct hdfs_create how = plain;
	struct world w;
	(void)state;

	begin(&w, 1000);
	fake_set(&w.fake, 0, FAKE_DEAF);
	join(&w);
	how.overwrite = true;
	struct hdfs_writer *writer = create(&w, &how);
	assert_int_equal(write_bytes(&w, writer, 0, 1000, 1000), 0);
	assert_true(hdfs_finish(writer, &w.err) < 0);
	(void)hdfs_writer_free(writer);
	end(&w);
}

static void the_first_error_is_every_error(void **state)
{
	struct world w;
	(void)state;

	begin_empty(&w);
	fake_set(&w.fake, 0, FAKE_QUOTA);
	w.fake.after = 1 << 20;
	join(&w);
	struct hdfs_writer *writer = create(&w, &plain);
	int k = write_bytes(&w, writer, 0, 4 * UPLOAD, 100000);
	assert_int_equal(k, -EDQUOT);
	assert_non_null(strstr(w.err.text, "quota"));
	assert_int_equal(hdfs_write(writer, "x", 1, &w.err), -EDQUOT);
	assert_int_equal(hdfs_finish(writer, &w.err), -EDQUOT);
	(void)hdfs_writer_free(writer);
	end(&w);
}

static void a_writer_may_be_left(void **state)
{
	struct world w;
	(void)state;

	begin_empty(&w);
	join(&w);
	for (size_t i = 0; i < 5; i++) {
		struct hdfs_create how = plain;
		how.overwrite = true;
		struct hdfs_writer *writer = create(&w, &how);
		assert_int_equal(write_bytes(&w, writer, 0, i * 1000000, 1000000), 0);
		(void)hdfs_writer_free(writer);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_in_pieces),
		cmocka_unit_test(a_file_is_read_at_random),
		cmocka_unit_test(a_file_of_large_blocks_is_read),
		cmocka_unit_test(a_reader_may_skip),
		cmocka_unit_test(an_empty_file_has_no_bytes),
		cmocka_unit_test(what_is_no_file_is_not_opened),
		cmocka_unit_test(a_file_may_be_closed_at_any_time),
		cmocka_unit_test(a_datanode_that_fails_is_left_for_another),
		cmocka_unit_test(reading_goes_on_where_it_was),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(a_file_that_is_gone_or_has_changed_is_stale),
		cmocka_unit_test(a_file_that_was_replaced_is_stale),
		cmocka_unit_test(rights_are_not_asked_for_twice),
		cmocka_unit_test(a_file_is_written),
		cmocka_unit_test(an_empty_file_is_written),
		cmocka_unit_test(a_file_is_appended_to),
		cmocka_unit_test(a_file_that_exists_is_left_alone),
		cmocka_unit_test(a_datanode_that_is_not_there_is_left_for_another),
		cmocka_unit_test(bytes_are_sent_once),
		cmocka_unit_test(a_file_that_turns_out_whole_is_written),
		cmocka_unit_test(a_file_that_is_the_old_one_is_not_written),
		cmocka_unit_test(the_first_error_is_every_error),
		cmocka_unit_test(a_writer_may_be_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
