/* json_test.c: messages in Mesos' JSON against the same messages in protobuf's wire format, which is written
 * here by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/codec.h"
#include "mesos/json.h"
#include "mesos/mesos.pb-c.h"
#include "mesos/scheduler.pb-c.h"

#define TYPE(name) (&mesos__v1__##name##__descriptor)

struct pair {
	const ProtobufCMessageDescriptor *type;
	const char *json; /* as it is written */
	const char *wire;
	size_t wire_len;
};
#define PAIR(name, json_, wire_)                                                                             \
	{                                                                                                    \
		TYPE(name), json_, wire_, sizeof(wire_) - 1                                                  \
	}

static const struct pair pairs[] = {
	PAIR(task_id, "{\"value\":\"\"}", "\x0a\x00"),
	PAIR(task_id, "{\"value\":\"a\\\"\\u0001\xc3\xa9\"}",
		"\x0a\x05"
		"a\"\x01\xc3\xa9"),
	/* whole numbers, up to their limits */
	PAIR(time_info, "{\"nanoseconds\":0}", "\x08\x00"),
	PAIR(time_info, "{\"nanoseconds\":-1}", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	PAIR(time_info, "{\"nanoseconds\":9223372036854775807}", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
	PAIR(time_info, "{\"nanoseconds\":-9223372036854775808}",
		"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
	PAIR(value__range, "{\"begin\":1,\"end\":9223372036854775807}",
		"\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
	/* what no JSON parser takes for a whole number is a string */
	PAIR(value__range, "{\"begin\":\"9223372036854775808\",\"end\":\"18446744073709551615\"}",
		"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	PAIR(scheduler__event__failure, "{\"status\":-2147483648}",
		"\x18\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01"),
	PAIR(scheduler__event__failure, "{\"status\":2147483647}", "\x18\xff\xff\xff\xff\x07"),
	PAIR(scheduler__event__failure, "{}", ""),
	PAIR(container_status, "{\"executor_pid\":4294967295}", "\x18\xff\xff\xff\xff\x0f"),
	/* maps */
	PAIR(offer_filters__resource_quantities, "{\"quantities\":{\"cpus\":{\"value\":2.0}}}",
		"\x0a\x11\x0a\x04"
		"cpus\x12\x09\x09\x00\x00\x00\x00\x00\x00\x00\x40"),
	/* others */
	PAIR(value__scalar, "{\"value\":0.1}", "\x09\x9a\x99\x99\x99\x99\x99\xb9\x3f"),
	PAIR(value__scalar, "{\"value\":-2.0}", "\x09\x00\x00\x00\x00\x00\x00\x00\xc0"),
	PAIR(value__scalar, "{\"value\":1e300}", "\x09\x9c\x75\x00\x88\x3c\xe4\x37\x7e"),
	PAIR(value__scalar, "{\"value\":\"Infinity\"}", "\x09\x00\x00\x00\x00\x00\x00\xf0\x7f"),
	PAIR(value__scalar, "{\"value\":\"-Infinity\"}", "\x09\x00\x00\x00\x00\x00\x00\xf0\xff"),
	PAIR(value__scalar, "{\"value\":\"NaN\"}", "\x09\x00\x00\x00\x00\x00\x00\xf8\x7f"),
	PAIR(command_info__uri, "{\"value\":\"u\",\"executable\":true,\"extract\":false}",
		"\x0a\x01u\x10\x01\x18\x00"),
	/* presence is kept, also of what is the default */
	PAIR(command_info, "{\"shell\":true,\"value\":\"x\"}", "\x1a\x01x\x30\x01"),
	PAIR(command_info, "{\"value\":\"x\"}", "\x1a\x01x"),
	PAIR(resource, "{\"name\":\"n\",\"type\":\"SCALAR\",\"role\":\"*\"}", "\x0a\x01n\x10\x00\x32\x01*"),
	PAIR(resource, "{\"name\":\"n\",\"type\":\"RANGES\"}", "\x0a\x01n\x10\x01"),
	/* enums by name, repeated fields, messages within messages, empty ones too */
	PAIR(task_status, "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_GONE_BY_OPERATOR\"}",
		"\x0a\x03\x0a\x01t\x10\x0c"),
	PAIR(scheduler__call, "{\"type\":\"REVIVE\",\"revive\":{}}", "\x10\x05\x7a\x00"),
	PAIR(scheduler__call, "{\"type\":\"REVIVE\",\"revive\":{\"roles\":[\"a\",\"\"]}}",
		"\x10\x05\x7a\x05\x0a\x01"
		"a\x0a\x00"),
	PAIR(container_id, "{\"value\":\"a\",\"parent\":{\"value\":\"b\",\"parent\":{\"value\":\"c\"}}}",
		"\x0a\x01"
		"a\x12\x08\x0a\x01"
		"b\x12\x03\x0a\x01"
		"c"),
	/* bytes in base64, of every remainder */
	PAIR(scheduler__call__acknowledge,
		"{\"agent_id\":{\"value\":\"\"},\"task_id\":{\"value\":\"\"},\"uuid\":\"\"}",
		"\x0a\x02\x0a\x00\x12\x02\x0a\x00\x1a\x00"),
	PAIR(task_status, "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_STAGING\",\"data\":\"AA==\"}",
		"\x0a\x03\x0a\x01t\x10\x06\x1a\x01\x00"),
	PAIR(task_status, "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_STAGING\",\"data\":\"+/8=\"}",
		"\x0a\x03\x0a\x01t\x10\x06\x1a\x02\xfb\xff"),
	PAIR(task_status, "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_STAGING\",\"data\":\"AP+A\"}",
		"\x0a\x03\x0a\x01t\x10\x06\x1a\x03\x00\xff\x80"),
};
enum { PAIRS = sizeof(pairs) / sizeof(*pairs) };

static int from_text(
	const ProtobufCMessageDescriptor *type, const char *text, ProtobufCMessage **ret, struct err *err)
{
	json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	int r = json_to_message(object, type, ret, err);
	json_decref(object);
	return r;
}

static void assert_wire(const ProtobufCMessage *m, const char *wire, size_t len)
{
	assert_int_equal(protobuf_c_message_get_packed_size(m), len);
	uint8_t *packed = malloc(len + 1);
	assert_non_null(packed);
	assert_int_equal(protobuf_c_message_pack(m, packed), len);
	assert_memory_equal(packed, wire, len);
	free(packed);
}

static void expect_message(
	const ProtobufCMessageDescriptor *type, const char *json, const char *wire, size_t wire_len)
{
	ProtobufCMessage *m = NULL;
	struct err err = { "" };

	if (from_text(type, json, &m, &err) != 0)
		fail_msg("%s: %s", json, err.text);
	assert_wire(m, wire, wire_len);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void messages_become_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		ProtobufCMessage *m = protobuf_c_message_unpack(
			pairs[i].type, NULL, pairs[i].wire_len, (const uint8_t *)pairs[i].wire);

		assert_non_null(m);
		json_t *expected = json_loads(pairs[i].json, 0, NULL), *is = json_from_message(m);
		assert_non_null(expected);
		char *text = json_dumps(is, JSON_COMPACT);
		if (!json_equal(is, expected))
			fail_msg("%s is not %s", text, pairs[i].json);
		free(text);
		json_decref(is);
		json_decref(expected);
		protobuf_c_message_free_unpacked(m, NULL);
	}
}

static void json_becomes_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++)
		expect_message(pairs[i].type, pairs[i].json, pairs[i].wire, pairs[i].wire_len);
}

/* What others may write for the same. */
static void json_may_be_written_in_other_ways(void **state)
{
	static const struct pair others[] = {
		PAIR(time_info, "{\"nanoseconds\":\"-12\"}", "\x08\xf4\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		PAIR(time_info, "{\"nanoseconds\":12.0,\"unknown\":[{}]}", "\x08\x0c"),
		PAIR(time_info, "{\"nanoseconds\":1e3}", "\x08\xe8\x07"),
		PAIR(value__range, "{\"begin\":\"0\",\"end\":\"7\"}", "\x08\x00\x10\x07"),
		PAIR(value__scalar, "{\"value\":4}", "\x09\x00\x00\x00\x00\x00\x00\x10\x40"),
		PAIR(task_status,
			"{\"task_id\":{\"value\":\"t\"},\"state\":12,\"data\":null,\"reason\":null}",
			"\x0a\x03\x0a\x01t\x10\x0c"),
		PAIR(scheduler__call, "{\"type\":\"REVIVE\",\"revive\":{\"roles\":[]}}", "\x10\x05\x7a\x00"),
		PAIR(scheduler__call, "{\"type\":\"REVIVE\",\"revive\":{\"roles\":null}}",
			"\x10\x05\x7a\x00"),
		/* of a newer peer: a value of an enum that we do not know */
		PAIR(framework_info__capability, "{\"type\":\"OF_TOMORROW\"}", ""),
		PAIR(framework_info__capability, "{\"type\":4711}", ""),
		PAIR(framework_info,
			"{\"user\":\"u\",\"name\":\"n\",\"capabilities\":[{\"type\":\"OF_TOMORROW\"},"
			"{\"type\":\"MULTI_ROLE\"}]}",
			"\x0a\x01u\x12\x01n\x52\x00\x52\x02\x08\x06"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		expect_message(others[i].type, others[i].json, others[i].wire, others[i].wire_len);
}

static void what_is_no_such_message_is_refused_with_its_field(void **state)
{
#define STATUS(rest) "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_LOST\"," rest "}"
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *json, *says;
	} cases[] = {
		{ TYPE(task_id), "[]", "TaskID" },
		{ TYPE(task_id), "{}", "'value' is missing" },
		{ TYPE(task_id), "{\"value\":null}", "'value' is missing" },
		{ TYPE(task_id), "{\"value\":1}", "'value'" },
		{ TYPE(task_id), "{\"value\":[\"a\"]}", "'value'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\" 1\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"+1\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"-\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"1x\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"0x1\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"9223372036854775808\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":\"-9223372036854775809\"}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":1.5}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":1e19}", "'nanoseconds'" },
		{ TYPE(time_info), "{\"nanoseconds\":true}", "'nanoseconds'" },
		{ TYPE(value__range), "{\"begin\":-1,\"end\":1}", "'begin'" },
		{ TYPE(value__range), "{\"begin\":\"-1\",\"end\":1}", "'begin'" },
		{ TYPE(value__range), "{\"begin\":1,\"end\":\"18446744073709551616\"}", "'end'" },
		{ TYPE(scheduler__event__failure), "{\"status\":2147483648}", "'status'" },
		{ TYPE(scheduler__event__failure), "{\"status\":-2147483649}", "'status'" },
		{ TYPE(container_status), "{\"executor_pid\":4294967296}", "'executor_pid'" },
		{ TYPE(container_status), "{\"executor_pid\":-1}", "'executor_pid'" },
		{ TYPE(value__scalar), "{\"value\":\"1\"}", "'value'" },
		{ TYPE(value__scalar), "{\"value\":\"nan\"}", "'value'" },
		{ TYPE(value__scalar), "{\"value\":{}}", "'value'" },
		{ TYPE(command_info), "{\"shell\":\"true\"}", "'shell'" },
		{ TYPE(command_info), "{\"shell\":1}", "'shell'" },
		{ TYPE(command_info), "{\"arguments\":\"a\"}", "'arguments'" },
		{ TYPE(command_info), "{\"arguments\":{}}", "'arguments'" },
		{ TYPE(command_info), "{\"arguments\":[\"a\",1]}", "'arguments'" },
		{ TYPE(command_info), "{\"arguments\":[\"a\",null]}", "'arguments'" },
		{ TYPE(command_info), "{\"uris\":[{\"value\":\"a\"},{}]}", "'value' is missing" },
		{ TYPE(resource), "{\"name\":\"n\",\"type\":\"OF_TOMORROW\"}", "'type'" },
		{ TYPE(resource), "{\"name\":\"n\",\"type\":99}", "'type'" },
		{ TYPE(resource), "{\"name\":\"n\",\"type\":4294967296}", "'type'" },
		{ TYPE(scheduler__call), "{\"type\":{}}", "'type'" },
		{ TYPE(scheduler__call), "{\"type\":\"REVIVE\",\"revive\":[]}", "Revive" },
		{ TYPE(task_status), STATUS("\"data\":1"), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"A\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"AAA\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"====\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"A===\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"AA=A\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"AA==AAAA\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\" AAA\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"AAA\\n\""), "'data'" },
		{ TYPE(task_status), STATUS("\"data\":\"AA-_\""), "'data'" },
	};
#undef STATUS

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ProtobufCMessage *m = NULL;
		struct err err = { "" };

		if (from_text(cases[i].type, cases[i].json, &m, &err) != -EBADMSG)
			fail_msg("%s was taken", cases[i].json);
		assert_null(m);
		if (strstr(err.text, cases[i].says) == NULL)
			fail_msg("%s: '%s' does not say \"%s\"", cases[i].json, err.text, cases[i].says);
	}
}

/* Base64 of all lengths up to 300 bytes, against libjansson's own text and a decoder written out here. */
static void bytes_of_any_length_come_back(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + i / 3);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		Mesos__V1__Scheduler__Event__Message m = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
		Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
		Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
		ProtobufCMessage *back = NULL;

		agent.value = executor.value = (char *)"";
		m.agent_id = &agent;
		m.executor_id = &executor;
		m.data = (ProtobufCBinaryData){ .len = len, .data = bytes };
		json_t *object = json_from_message(&m.base);
		const char *text = json_string_value(json_object_get(object, "data"));
		assert_int_equal(strlen(text), (len + 2) / 3 * 4);
		for (size_t bit = 0; bit < len * 8; bit++) {
			size_t six = (size_t)(strchr(alphabet, text[bit / 6]) - alphabet);
			assert_int_equal(six >> (5 - bit % 6) & 1, bytes[bit / 8] >> (7 - bit % 8) & 1);
		}
		assert_int_equal(json_to_message(object, m.base.descriptor, &back, NULL), 0);
		const Mesos__V1__Scheduler__Event__Message *b = (void *)back;
		assert_int_equal(b->data.len, len);
		assert_memory_equal(b->data.data, bytes, len);
		protobuf_c_message_free_unpacked(back, NULL);
		json_decref(object);
	}
}

static void text_that_is_not_utf8_is_made_fit_for_json(void **state)
{
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	char value[] = "a\xff\xc3z";

	(void)state;
	id.value = value;
	json_t *object = json_from_message(&id.base);
	assert_string_equal(json_string_value(json_object_get(object, "value")), "a??z");
	json_decref(object);
}

/* An enum's number that came over the wire and has no name stays a number. */
static void an_enum_without_a_name_is_a_number(void **state)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;

	(void)state;
	call.has_type = true;
	*(int *)&call.type = 4711;
	json_t *object = json_from_message(&call.base);
	assert_int_equal(json_integer_value(json_object_get(object, "type")), 4711);
	json_decref(object);
}

static void messages_within_messages_have_a_limit(void **state)
{
	(void)state;
	for (int depth = MESSAGE_DEPTH_MAX - 1; depth <= MESSAGE_DEPTH_MAX + 1; depth++) {
		json_t *object = json_pack("{s:s}", "value", "x");
		ProtobufCMessage *m = NULL;
		struct err err = { "" };

		for (int i = 0; i < depth; i++)
			object = json_pack("{s:s, s:o}", "value", "x", "parent", object);
		int r = json_to_message(object, TYPE(container_id), &m, &err);
		assert_int_equal(r, depth <= MESSAGE_DEPTH_MAX ? 0 : -EBADMSG);
		json_decref(object);
		if (m != NULL)
			protobuf_c_message_free_unpacked(m, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_become_json),
		cmocka_unit_test(json_becomes_messages),
		cmocka_unit_test(json_may_be_written_in_other_ways),
		cmocka_unit_test(what_is_no_such_message_is_refused_with_its_field),
		cmocka_unit_test(bytes_of_any_length_come_back),
		cmocka_unit_test(text_that_is_not_utf8_is_made_fit_for_json),
		cmocka_unit_test(an_enum_without_a_name_is_a_number),
		cmocka_unit_test(messages_within_messages_have_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
