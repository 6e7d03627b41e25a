/* The frames of a session, without I/O. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/session.h"
#include "tests/one_branch.h"

static const uint8_t build_id[20] = "a build id of 20 byt";

/* Feeds all of it in pieces of `piece` bytes; the messages. */
static size_t feed_all(
	struct session_reader *r, const struct buf *b, size_t piece, ProtobufCMessage **ret, size_t max)
{
	struct err err = { "" };
	size_t n = 0;

	for (size_t at = 0; at < b->len; at += piece) {
		const uint8_t *p = b->data + at;
		size_t left = b->len - at < piece ? b->len - at : piece;

		for (int got; left > 0;) {
			assert_true(n < max);
			got = session_feed(r, &p, &left, &ret[n], &err);
			if (got < 0)
				fail_msg("%s", err.text);
			n += (size_t)got;
			assert_true(got == 1 || left == 0);
		}
	}
	return n;
}

static void make_run(
	Quern__Run *run, Quern__Stage *stage, struct one_branch *from, Quern__Sink *sink, Quern__Stage **list)
{
	quern__run__init(run);
	quern__stage__init(stage);
	quern__sink__init(sink);
	sink->kind = QUERN__SINK__KIND__COUNT;
	one_branch_init(from, stage);
	stage->sink = sink;
	list[0] = stage;
	run->stages = list;
	run->n_stages = 1;
	run->id = 3;
	run->build_id = (ProtobufCBinaryData){ .data = (uint8_t *)build_id, .len = sizeof(build_id) };
}

static void any_division_of_the_bytes_gives_the_same_messages(void **state)
{
	static char name[3000];
	Quern__Run run;
	Quern__Stage stage, *list[1];
	struct one_branch from;
	Quern__Sink sink;
	Quern__SessionToDriver__Broadcast value = QUERN__SESSION_TO_DRIVER__BROADCAST__INIT;
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);

	(void)state;
	value.id = 5;
	value.length = UINT64_C(1) << 40;
	value.checksum = UINT64_MAX;
	make_run(&run, &stage, &from, &sink, list);
	memset(name, 'n', sizeof(name) - 1);
	run.name = name;
	assert_int_equal(session_put_hello(&b, build_id, sizeof(build_id)), 0);
	assert_int_equal(session_put_run(&b, &run), 0);
	assert_int_equal(session_put_cancel(&b, 3), 0);
	assert_int_equal(session_put_unpersist(&b, 12), 0);
	assert_int_equal(session_put_broadcast(&b, &value), 0);
	assert_int_equal(session_put_destroy(&b, 5), 0);
	for (size_t piece = 1; piece <= b.len + 1; piece = piece < 300 ? piece + 1 : piece + 97) {
		ProtobufCMessage *m[6];
		struct session_reader r;
		struct err err;

		session_reader_driver(&r);
		assert_true(session_at_border(&r));
		assert_int_equal(feed_all(&r, &b, piece, m, 6), 6);
		assert_true(session_at_border(&r));
		const Quern__SessionToDriver *hello = (Quern__SessionToDriver *)m[0],
					     *action = (Quern__SessionToDriver *)m[1],
					     *cancel = (Quern__SessionToDriver *)m[2],
					     *unpersist = (Quern__SessionToDriver *)m[3],
					     *broadcast = (Quern__SessionToDriver *)m[4],
					     *destroy = (Quern__SessionToDriver *)m[5];
		assert_int_equal(session_check_hello(hello, build_id, sizeof(build_id), &err), 0);
		assert_int_equal(action->run->id, 3);
		assert_string_equal(action->run->name, name);
		assert_int_equal(cancel->cancel->run, 3);
		assert_int_equal(unpersist->unpersist->cache, 12);
		assert_int_equal(broadcast->broadcast->id, 5);
		assert_int_equal(broadcast->broadcast->length, UINT64_C(1) << 40);
		assert_int_equal(broadcast->broadcast->checksum, UINT64_MAX);
		assert_int_equal(destroy->destroy->broadcast, 5);
		for (int i = 0; i < 6; i++)
			protobuf_c_message_free_unpacked(m[i], NULL);
		session_reader_deinit(&r);
	}
}

static void the_other_way_as_well(void **state)
{
	static uint8_t data[70000];
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	ProtobufCMessage *m[5];
	struct session_reader r;
	Quern__Count total = QUERN__COUNT__INIT, *totals[] = { &total };

	(void)state;
	total.has_id = true;
	total.id = 3;
	total.kind = QUERN__COUNT__KIND__MAX_DOUBLE;
	total.bits = UINT64_MAX;
	data[69999] = 1;
	assert_int_equal(session_put_result(&b, 1, 2, data, sizeof(data)), 0);
	assert_int_equal(session_put_result(&b, 1, 3, NULL, 0), 0);
	assert_int_equal(session_put_done(&b, 1, -4, "why", totals, 1), 0);
	assert_int_equal(session_put_taken(&b, 8, NULL), 0);
	assert_int_equal(session_put_taken(&b, 9, "no room"), 0);
	session_reader_job(&r);
	assert_int_equal(feed_all(&r, &b, 1000, m, 5), 5);
	assert_int_equal(((Quern__SessionToJob *)m[3])->taken->broadcast, 8);
	assert_null(((Quern__SessionToJob *)m[3])->taken->error);
	assert_string_equal(((Quern__SessionToJob *)m[4])->taken->error, "no room");
	const Quern__SessionToJob *first = (Quern__SessionToJob *)m[0], *second = (Quern__SessionToJob *)m[1],
				  *done = (Quern__SessionToJob *)m[2];
	assert_int_equal(first->result->partition, 2);
	assert_int_equal(first->result->data.len, sizeof(data));
	assert_memory_equal(first->result->data.data, data, sizeof(data));
	assert_int_equal(second->result->partition, 3);
	assert_int_equal(second->result->data.len, 0);
	assert_int_equal(done->done->code, -4);
	assert_string_equal(done->done->text, "why");
	assert_int_equal(done->done->n_totals, 1);
	assert_true(done->done->totals[0]->id == 3 && done->done->totals[0]->bits == UINT64_MAX);
	for (int i = 0; i < 5; i++)
		protobuf_c_message_free_unpacked(m[i], NULL);
	session_reader_deinit(&r);
}

static void a_stream_that_ends_within_a_frame_is_noticed(void **state)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);

	(void)state;
	assert_int_equal(session_put_hello(&b, build_id, sizeof(build_id)), 0);
	for (size_t len = 1; len < b.len; len++) {
		const uint8_t *p = b.data;
		ProtobufCMessage *m;
		struct session_reader r;
		struct err err;
		size_t left = len;

		session_reader_driver(&r);
		assert_int_equal(session_feed(&r, &p, &left, &m, &err), 0);
		assert_int_equal(left, 0);
		assert_false(session_at_border(&r));
		session_reader_deinit(&r);
	}
}

/* ---- What is refused ---- */

static void assert_refused(const void *bytes, size_t len, int code)
{
	const uint8_t *p = bytes;
	ProtobufCMessage *m = NULL;
	struct session_reader r;
	struct err err = { "" };

	session_reader_driver(&r);
	assert_int_equal(session_feed(&r, &p, &len, &m, &err), code);
	assert_string_not_equal(err.text, "");
	/* And nothing after it is believed. */
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	assert_int_equal(session_put_hello(&b, build_id, sizeof(build_id)), 0);
	p = b.data;
	len = b.len;
	assert_int_equal(session_feed(&r, &p, &len, &m, &err), -EBADMSG);
	assert_null(m);
	session_reader_deinit(&r);
}

static void frames_that_are_none_break_the_session(void **state)
{
	Quern__SessionToDriver two = QUERN__SESSION_TO_DRIVER__INIT;
	Quern__SessionToDriver__Cancel cancel = QUERN__SESSION_TO_DRIVER__CANCEL__INIT;
	Quern__SessionToDriver__Hello hello = QUERN__SESSION_TO_DRIVER__HELLO__INIT;
	uint8_t frame[100] = { 0 };

	(void)state;
	assert_refused("\0\0\0\0", 4, -EBADMSG);  /* empty */
	assert_refused("\1\0\0\1", 4, -EMSGSIZE); /* 16 MiB and one */
	assert_refused("\xff\xff\xff\xff", 4, -EMSGSIZE);
	assert_refused("\3\0\0\0xyz", 7, -EBADMSG);     /* not a message */
	assert_refused("\2\0\0\0\x1a\0", 6, -EBADMSG);  /* a cancel without its number */
	assert_refused("\3\0\0\0\x7a\1x", 7, -EBADMSG); /* says nothing that is known */
	two.cancel = &cancel;
	two.hello = &hello;
	frame[0] = (uint8_t)quern__session_to_driver__pack(&two, frame + 4);
	assert_refused(frame, frame[0] + 4U, -EBADMSG);
}

static void a_hello_has_to_fit(void **state)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;
	Quern__SessionToDriver__Hello hello = QUERN__SESSION_TO_DRIVER__HELLO__INIT;
	struct err err = { "" };

	(void)state;
	assert_int_equal(session_check_hello(&m, build_id, sizeof(build_id), &err), -EPROTO);
	m.hello = &hello;
	hello.version = SESSION_VERSION + 1;
	hello.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)build_id, .len = sizeof(build_id) };
	assert_int_equal(session_check_hello(&m, build_id, sizeof(build_id), &err), -EPROTO);
	assert_non_null(strstr(err.text, "version 2"));
	hello.version = SESSION_VERSION;
	assert_int_equal(session_check_hello(&m, build_id, sizeof(build_id), &err), 0);
	hello.build_id.len--;
	assert_int_equal(session_check_hello(&m, build_id, sizeof(build_id), &err), -EPROTO);
	hello.build_id =
		(ProtobufCBinaryData){ .data = (uint8_t *)"A build id of 20 byt", .len = sizeof(build_id) };
	assert_int_equal(session_check_hello(&m, build_id, sizeof(build_id), &err), -EPROTO);
}

static void what_is_too_large_is_not_sent(void **state)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX), small = BUF_INIT(10);
	uint8_t *large = calloc(1, SESSION_TO_JOB_MAX);

	(void)state;
	assert_non_null(large);
	assert_int_equal(session_put_result(&b, 1, 2, large, SESSION_TO_JOB_MAX), -EMSGSIZE);
	assert_int_equal(b.len, 0);
	assert_int_equal(session_put_result(&b, 1, 2, large, SESSION_TO_JOB_MAX - 1024), 0);
	assert_int_equal(session_put_hello(&small, build_id, sizeof(build_id)), -EMSGSIZE);
	assert_int_equal(small.len, 0);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_division_of_the_bytes_gives_the_same_messages),
		cmocka_unit_test(the_other_way_as_well),
		cmocka_unit_test(a_stream_that_ends_within_a_frame_is_noticed),
		cmocka_unit_test(frames_that_are_none_break_the_session),
		cmocka_unit_test(a_hello_has_to_fit),
		cmocka_unit_test(what_is_too_large_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
