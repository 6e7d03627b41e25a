/* codec_test.c: mesos/codec.h: what is no message, what must survive, limits. Right messages are
 * golden_test.c's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/codec.h"
#include "mesos/executor.pb-c.h"
#include "mesos/json.h"
#include "mesos/mesos.pb-c.h"
#include "mesos/scheduler.pb-c.h"

#define TYPE(name) (&mesos__v1__##name##__descriptor)

/* Decodes a copy of just that size, so that a sanitizer sees a read past it. */
static int decode(const ProtobufCMessageDescriptor *type, enum mesos_media media, const void *data,
	size_t len, ProtobufCMessage **ret, struct err *err)
{
	uint8_t *exact = malloc(len + (len == 0));

	assert_non_null(exact);
	if (len > 0)
		memcpy(exact, data, len);
	int r = mesos_decode(type, media, exact, len, ret, err);
	free(exact);
	return r;
}

static void expect_bad(
	const ProtobufCMessageDescriptor *type, enum mesos_media media, const void *data, size_t len)
{
	ProtobufCMessage *m = NULL;
	struct err err = { "" };

	assert_int_equal(decode(type, media, data, len, &m, &err), -EBADMSG);
	assert_null(m);
	assert_string_not_equal(err.text, "");
}

static void what_is_no_protobuf_is_refused(void **state)
{
#define BAD(name, bytes)                                                                                     \
	{                                                                                                    \
		TYPE(name), bytes, sizeof(bytes) - 1                                                         \
	}
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *bytes;
		size_t len;
	} cases[] = {
		BAD(task_id, ""),                     /* a required field is missing */
		BAD(task_status, "\x10\x01"),         /* one of two */
		BAD(task_status, "\x0a\x00\x10\x01"), /* one in a message within */
		BAD(task_id, "\x0a"),                 /* cut: before a length */
		BAD(task_id, "\x0a\x02x"),            /* within the bytes */
		BAD(task_id, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),      /* longer than memory */
		BAD(task_id, "\x0a\x80"),                                           /* within a length */
		BAD(time_info, "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* too long a number */
		BAD(time_info, "\x08"), BAD(value__scalar, "\x09\x00\x00\x00"),     /* within a double */
		BAD(task_id, "\x0a\x01x\x1d\x00\x00"), /* within an unknown field of 4 bytes */
		BAD(task_id, "\x0a\x01x\x0b\x0c"),     /* groups */
		BAD(task_id, "\x0a\x01x\x0e\x00"),     /* a wire type that is none */
		BAD(scheduler__event, "\x00\x00"),     /* field 0, also in the long way of writing it */
		BAD(scheduler__event, "\x80\x00\x00"),
		BAD(scheduler__event, "\x80\x80\x80\x80\x10\x00"), /* field 2^29 */
		BAD(task_id, "\x08\x01"),                          /* another wire type than the field's */
		BAD(scheduler__event, "\x12\x03\x0a\x01"),         /* a message cut */
		BAD(scheduler__event, "\x12\x04\x0a\x05\x0a\x03"), /* a message longer than what holds it */
	};
#undef BAD

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_bad(cases[i].type, MESOS_PROTOBUF, cases[i].bytes, cases[i].len);
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const cases[] = { "", "{", "nonsense", "{\"value\":\"x\"} more",
		"{\"value\":\"\\u0000\"}", "{\"value\":\"\xff\"}", "\"x\"", "[]", "null", "{\"value\":1e999}",
		"{'value':'x'}", "{}" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_bad(TYPE(task_id), MESOS_JSON, cases[i], strlen(cases[i]));
	expect_bad(TYPE(task_id), MESOS_JSON, "{\"value\":\"x\0y\"}", 15);
}

static void an_empty_message_is_one(void **state)
{
	struct buf out = BUF_INIT(16);
	ProtobufCMessage *m = NULL;

	(void)state;
	assert_int_equal(decode(TYPE(scheduler__event), MESOS_PROTOBUF, "", 0, &m, NULL), 0);
	assert_int_equal(mesos_encode(m, MESOS_PROTOBUF, &out), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(mesos_encode(m, MESOS_JSON, &out), 0);
	assert_int_equal(out.len, 2);
	assert_memory_equal(out.data, "{}", 2);
	protobuf_c_message_free_unpacked(m, NULL);
	assert_int_equal(decode(TYPE(scheduler__event), MESOS_JSON, "{}", 2, &m, NULL), 0);
	protobuf_c_message_free_unpacked(m, NULL);
	buf_deinit(&out);
}

/* What we do not declare goes on to whoever does: a resource with a volume, say, must come back whole. */
static void unknown_fields_survive(void **state)
{
	static const char wire[] =
		"\x0a\x01n\x10\x00\x3a\x02\x0a\x00\xf8\x07\x2a\x81\x08\x01\x02\x03\x04\x05\x06\x07"
		"\x08";
	struct buf out = BUF_INIT(100);
	ProtobufCMessage *m = NULL;

	(void)state;
	assert_int_equal(decode(TYPE(resource), MESOS_PROTOBUF, wire, sizeof(wire) - 1, &m, NULL), 0);
	assert_int_equal(mesos_encode(m, MESOS_PROTOBUF, &out), 0);
	assert_int_equal(out.len, sizeof(wire) - 1);
	assert_memory_equal(out.data, wire, sizeof(wire) - 1);
	protobuf_c_message_free_unpacked(m, NULL);
	buf_deinit(&out);
}

static size_t varint(uint8_t *to, size_t n)
{
	size_t i = 0;

	for (; n >= 0x80; n >>= 7)
		to[i++] = (uint8_t)(n | 0x80);
	to[i++] = (uint8_t)n;
	return i;
}

/* A ContainerID with `depth` parents, one within the other: written from its end. */
static uint8_t *nested(int depth, size_t *ret_len)
{
	size_t cap = (size_t)depth * 16 + 16, at = cap - 3;
	uint8_t *bytes = malloc(cap), length[10];

	assert_non_null(bytes);
	memcpy(bytes + at, "\x0a\x01x", 3);
	for (int i = 0; i < depth; i++) {
		size_t n = varint(length, cap - at);

		at -= n;
		memcpy(bytes + at, length, n);
		at -= 4;
		memcpy(bytes + at, "\x0a\x01x\x12", 4);
	}
	*ret_len = cap - at;
	memmove(bytes, bytes + at, cap - at);
	return bytes;
}

static void messages_within_messages_have_a_limit(void **state)
{
	static const struct {
		int depth, result;
	} cases[] = { { 1, 0 }, { MESSAGE_DEPTH_MAX, 0 }, { MESSAGE_DEPTH_MAX + 1, -EBADMSG },
		{ 100000, -EBADMSG } /* enough to end the stack */ };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		ProtobufCMessage *m = NULL;
		size_t len;
		uint8_t *bytes = nested(cases[i].depth, &len);

		assert_int_equal(
			decode(TYPE(container_id), MESOS_PROTOBUF, bytes, len, &m, NULL), cases[i].result);
		free(bytes);
		if (m != NULL)
			protobuf_c_message_free_unpacked(m, NULL);
	}
}

static void json_within_json_has_a_limit(void **state)
{
	enum { DEPTH = 100000 };
	struct buf text = BUF_INIT(4 << 20);

	(void)state;
	for (int i = 0; i < DEPTH; i++)
		assert_int_equal(buf_add_str(&text, "{\"value\":\"x\",\"parent\":"), 0);
	assert_int_equal(buf_add_str(&text, "null"), 0);
	for (int i = 0; i < DEPTH; i++)
		assert_int_equal(buf_add_str(&text, "}"), 0);
	expect_bad(TYPE(container_id), MESOS_JSON, text.data, text.len);
	buf_deinit(&text);
}

static void encoding_above_the_limit_changes_nothing(void **state)
{
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;

	(void)state;
	id.value = (char *)"task";
	for (enum mesos_media media = MESOS_PROTOBUF; media <= MESOS_JSON; media++) {
		const size_t size = media == MESOS_PROTOBUF ? 6 : sizeof("{\"value\":\"task\"}") - 1;
		struct buf fits = BUF_INIT(size + 1), above = BUF_INIT(size);

		assert_int_equal(buf_add(&fits, "-", 1), 0);
		assert_int_equal(mesos_encode(&id.base, media, &fits), 0);
		assert_int_equal(fits.len, size + 1);
		assert_memory_equal(fits.data,
			media == MESOS_PROTOBUF ? "-\x0a\x04task" : "-{\"value\":\"task\"}", size + 1);
		assert_int_equal(buf_add(&above, "-", 1), 0);
		assert_int_equal(mesos_encode(&id.base, media, &above), -EMSGSIZE);
		assert_int_equal(above.len, 1);
		buf_deinit(&fits);
		buf_deinit(&above);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_protobuf_is_refused),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(an_empty_message_is_one),
		cmocka_unit_test(unknown_fields_survive),
		cmocka_unit_test(messages_within_messages_have_a_limit),
		cmocka_unit_test(json_within_json_has_a_limit),
		cmocka_unit_test(encoding_above_the_limit_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
