/* What the embedded cluster answers to a request before any core is asked: statuses and words as Mesos has
 * them (src/master/http.cpp, src/slave/http.cpp and their validation). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "local/server_request.h"
#include "mesos/executor.pb-c.h"
#include "mesos/scheduler.pb-c.h"

#define JSON_TYPE     "application/json"
#define PROTOBUF_TYPE "application/x-protobuf"
#define SUBSCRIBE_JSON                                                                                       \
	"{\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":{\"user\":\"u\",\"name\":\"n\"}}}"

struct expectation {
	enum server_role role;
	const char *method, *path, *type, *accept, *stream_id, *body;
	int status;        /* 0: a call; 1: a page */
	const char *words; /* the start of the text */
};

static void check(const struct expectation *e)
{
	struct server_decision d;
	const struct server_request r = {
		.method = e->method,
		.path = e->path,
		.content_type = e->type,
		.accept = e->accept,
		.stream_id = e->stream_id,
		.body = e->body != NULL ? e->body : "",
		.body_len = e->body != NULL ? strlen(e->body) : 0,
	};

	assert_int_equal(server_decide(e->role, &r, &d), 0);
	if (e->status > 1) {
		assert_int_equal(d.kind, SERVER_REFUSE);
		assert_int_equal(d.status, e->status);
		if (strncmp(d.text, e->words, strlen(e->words)) != 0)
			fail_msg("'%s' does not start with '%s'", d.text, e->words);
	} else {
		assert_int_equal(d.kind, e->status == 0 ? SERVER_CALL : SERVER_PAGE);
	}
	assert_true((d.call != NULL) == (d.kind == SERVER_CALL));
	server_decision_deinit(&d);
}

static void check_all(const struct expectation *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&all[i]);
}
#define CHECK(list) check_all(list, sizeof(list) / sizeof((list)[0]))

static void paths_have_two_spellings(void **state)
{
	static const struct expectation all[] = {
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, JSON_TYPE, NULL, SUBSCRIBE_JSON, 0,
			"" },
		{ SERVER_MASTER, "POST", "/master/api/v1/scheduler", JSON_TYPE, JSON_TYPE, NULL,
			SUBSCRIBE_JSON, 0, "" },
		{ SERVER_MASTER, "POST", "/api/v1/executor", JSON_TYPE, JSON_TYPE, NULL, "{}", 404, "" },
		{ SERVER_AGENT, "POST", "/api/v1/scheduler", JSON_TYPE, JSON_TYPE, NULL, "{}", 404, "" },
		{ SERVER_AGENT, "POST", "/slave(1)/api/v1/executor", JSON_TYPE, NULL, NULL,
			"{\"type\":\"SUBSCRIBE\",\"executor_id\":{\"value\":\"e\"},\"framework_id\":{"
			"\"value\":\"f\"},"
			"\"subscribe\":{}}",
			0, "" },
		{ SERVER_MASTER, "GET", "/state", NULL, NULL, NULL, NULL, 1, "" },
		{ SERVER_MASTER, "GET", "/master/state", NULL, NULL, NULL, NULL, 1, "" },
		{ SERVER_AGENT, "GET", "/slave(1)/state", NULL, NULL, NULL, NULL, 1, "" },
		{ SERVER_AGENT, "GET", "/redirect", NULL, NULL, NULL, NULL, 404, "" },
		{ SERVER_MASTER, "GET", "/metrics/snapshot", NULL, NULL, NULL, NULL, 1, "" },
		{ SERVER_MASTER, "GET", "/health", NULL, NULL, NULL, NULL, 200, "" },
		{ SERVER_AGENT, "GET", "/slave(1)/health", NULL, NULL, NULL, NULL, 200, "" },
		{ SERVER_MASTER, "GET", "/nothing", NULL, NULL, NULL, NULL, 404, "" },
	};

	(void)state;
	CHECK(all);
}

static void wrong_calls_are_refused_in_mesos_words(void **state)
{
	static const struct expectation all[] = {
		{ SERVER_MASTER, "GET", "/api/v1/scheduler", NULL, NULL, NULL, NULL, 405,
			"405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'." },
		{ SERVER_MASTER, "POST", "/state", NULL, NULL, NULL, NULL, 405, "405 Method Not Allowed." },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", NULL, NULL, NULL, SUBSCRIBE_JSON, 400,
			"Expecting 'Content-Type' to be present" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", "text/plain", NULL, NULL, SUBSCRIBE_JSON, 415,
			"Expecting 'Content-Type' of application/json or application/x-protobuf" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", PROTOBUF_TYPE, NULL, NULL, "nonsense", 400,
			"Failed to parse body into Call protobuf" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL, "nonsense", 400,
			"Failed to parse body into JSON: " },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL, "[1]", 400,
			"Failed to convert JSON into Call protobuf: " },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", PROTOBUF_TYPE, NULL, NULL, "", 400,
			"Failed to validate scheduler::Call: Expecting 'type' to be present" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL,
			"{\"type\":\"SUBSCRIBE\"}", 400,
			"Failed to validate scheduler::Call: Expecting 'subscribe' to be present" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL, "{\"type\":\"REVIVE\"}",
			400, "Failed to validate scheduler::Call: Expecting 'framework_id' to be present" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL,
			"{\"type\":\"KILL\",\"framework_id\":{\"value\":\"f\"}}", 400,
			"Failed to validate scheduler::Call: Expecting 'kill' to be present" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL,
			"{\"type\":\"ACKNOWLEDGE\",\"framework_id\":{\"value\":\"f\"},\"acknowledge\":{"
			"\"agent_id\":{"
			"\"value\":\"a\"},\"task_id\":{\"value\":\"t\"},\"uuid\":\"AAAA\"}}",
			400, "Failed to validate scheduler::Call: Not a valid UUID" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, NULL,
			"{\"type\":\"SUBSCRIBE\",\"framework_id\":{\"value\":\"f\"},\"subscribe\":{"
			"\"framework_info\":{"
			"\"user\":\"u\",\"name\":\"n\"}}}",
			400,
			"Failed to validate scheduler::Call: 'framework_id' differs from "
			"'subscribe.framework_info.id'" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, "text/html", NULL, SUBSCRIBE_JSON,
			406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'" },
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", JSON_TYPE, NULL, "some-stream", SUBSCRIBE_JSON,
			400, "Subscribe calls should not include the 'Mesos-Stream-Id' header" },
		/* RECONCILE_OPERATIONS: Mesos knows it, we do not */
		{ SERVER_MASTER, "POST", "/api/v1/scheduler", PROTOBUF_TYPE, NULL, NULL,
			"\x0a\x03\x0a\x01"
			"f\x10\x10",
			501, "This master does not implement" },
	};

	(void)state;
	CHECK(all);
}

#define UPDATE(fields)                                                                                       \
	"{\"type\":\"UPDATE\",\"executor_id\":{\"value\":\"e\"},\"framework_id\":{\"value\":\"f\"},"         \
	"\"update\":{\"status\":{\"task_id\":{\"value\":\"t\"}," fields "}}}"
#define UUID "\"uuid\":\"AAAAAAAAAAAAAAAAAAAAAA==\""

static void executor_updates_are_held_to_their_form(void **state)
{
	static const struct expectation all[] = {
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL,
			UPDATE("\"state\":\"TASK_RUNNING\",\"source\":\"SOURCE_EXECUTOR\"," UUID), 0, "" },
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL,
			UPDATE("\"state\":\"TASK_RUNNING\",\"source\":\"SOURCE_EXECUTOR\""), 400,
			"Failed to validate Executor::Call: Expecting 'uuid' to be present" },
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL,
			UPDATE("\"state\":\"TASK_RUNNING\"," UUID), 400,
			"Failed to validate Executor::Call: Received Call from executor e of framework f "
			"with invalid "
			"source" },
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL,
			UPDATE("\"state\":\"TASK_STAGING\",\"source\":\"SOURCE_EXECUTOR\"," UUID), 400,
			"Failed to validate Executor::Call: Received TASK_STAGING" },
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL,
			UPDATE("\"executor_id\":{\"value\":\"other\"},\"state\":\"TASK_RUNNING\",\"source\":"
			       "\"SOURCE_EXECUTOR\"," UUID),
			400, "Failed to validate Executor::Call: ExecutorID in Call: e does not match" },
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL,
			"{\"type\":\"HEARTBEAT\",\"executor_id\":{\"value\":\"\"},\"framework_id\":{"
			"\"value\":\"\"}}",
			202, "" },
		{ SERVER_AGENT, "POST", "/api/v1/executor", JSON_TYPE, NULL, NULL, "{\"type\":\"SUBSCRIBE\"}",
			400, "Failed to convert JSON into Call protobuf: " },
	};

	(void)state;
	CHECK(all);
}

static enum mesos_media media_for(const char *accept)
{
	struct server_decision d;
	const struct server_request r = {
		.method = "POST",
		.path = "/api/v1/scheduler",
		.content_type = JSON_TYPE,
		.accept = accept,
		.body = SUBSCRIBE_JSON,
		.body_len = strlen(SUBSCRIBE_JSON),
	};

	assert_int_equal(server_decide(SERVER_MASTER, &r, &d), 0);
	assert_int_equal(d.kind, SERVER_CALL);
	assert_ptr_equal(d.call->descriptor, &mesos__v1__scheduler__call__descriptor);
	server_decision_deinit(&d);
	return d.media;
}

static void events_come_in_json_unless_only_protobuf_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(media_for(NULL), MESOS_JSON);
	assert_int_equal(media_for("*/*"), MESOS_JSON);
	assert_int_equal(media_for("application/x-protobuf"), MESOS_PROTOBUF);
	assert_int_equal(media_for("application/x-protobuf, application/json"), MESOS_JSON);
	assert_int_equal(media_for("application/json;q=0, application/x-protobuf"), MESOS_PROTOBUF);
}

static void accept_headers_are_read_as_libprocess_does(void **state)
{
	(void)state;
	assert_true(server_accepts(NULL, JSON_TYPE));
	assert_true(server_accepts("Application/JSON", JSON_TYPE));
	assert_true(server_accepts("text/html , application/* ; q=0.1", JSON_TYPE));
	assert_true(server_accepts("application/json;charset=utf-8", JSON_TYPE));
	assert_false(server_accepts("", JSON_TYPE));
	assert_false(server_accepts("application/jso", JSON_TYPE));
	assert_false(server_accepts("application/json-seq", JSON_TYPE));
	assert_false(server_accepts("application/json; q=0.0", JSON_TYPE));
	assert_true(server_accepts("application/json;q=0;q=0", JSON_TYPE)); /* twice is malformed: ignored */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_have_two_spellings),
		cmocka_unit_test(wrong_calls_are_refused_in_mesos_words),
		cmocka_unit_test(executor_updates_are_held_to_their_form),
		cmocka_unit_test(events_come_in_json_unless_only_protobuf_is_accepted),
		cmocka_unit_test(accept_headers_are_read_as_libprocess_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
