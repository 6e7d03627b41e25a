/* leader_test.c: mesos/leader.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/leader.h"

static void the_lowest_number_leads(void **state)
{
	static const char *const names[] = { "log_replicas", "json.info_0000000012", "json.info_0000000009",
		"json.info_0000000010", "info_0000000001", "json.info_", "json.info_-000000001",
		"json.info_00000000001", "json.info_000000000x", "json.info_0000000002 ", "" };
	(void)state;

	assert_int_equal(leader_pick(names, sizeof(names) / sizeof(names[0])), 2);
	assert_int_equal(leader_pick(names, 2), 1);
	assert_int_equal(leader_pick(names, 1), -1);
	assert_int_equal(leader_pick(names + 4, 7), -1);
	assert_int_equal(leader_pick(NULL, 0), -1);
}

static void expect(const char *json, const char *endpoint)
{
	char got[LEADER_ENDPOINT_MAX];
	struct err err = { "" };

	assert_int_equal(leader_endpoint(json, strlen(json), got, &err), 0);
	assert_string_equal(got, endpoint);
}

/* As a master of Mesos 1.12 writes it. */
static void a_real_one(void **state)
{
	(void)state;
	expect("{\"address\":{\"hostname\":\"localhost\",\"ip\":\"127.0.0.1\",\"port\":5050},"
	       "\"capabilities\":[{\"type\":\"AGENT_UPDATE\"},{\"type\":\"AGENT_DRAINING\"}],\"hostname\":"
	       "\"localhost\","
	       "\"id\":\"c0b8f1f1-3b1c-4a85-a12d-d9aa18a4d3a5\",\"ip\":16777343,\"pid\":\"master@127.0.0.1:"
	       "5050\","
	       "\"port\":5050,\"version\":\"1.12.0\"}",
		"127.0.0.1:5050");
}

static void an_ip_goes_before_a_name(void **state)
{
	(void)state;
	expect("{\"address\":{\"hostname\":\"x.invalid\",\"ip\":\"10.1.2.3\",\"port\":1}}", "10.1.2.3:1");
	expect("{\"address\":{\"ip\":\"2001:db8::1\",\"port\":65535}}", "[2001:db8::1]:65535");
	expect("{\"address\":{\"hostname\":\"master-1.example_x.org\",\"port\":5050}}",
		"master-1.example_x.org:5050");
}

static void refused(const char *json, size_t len, const char *words)
{
	char got[LEADER_ENDPOINT_MAX];
	struct err err = { "" };

	assert_int_equal(leader_endpoint(json, len, got, &err), -EBADMSG);
	assert_non_null(strstr(err.text, words));
}

static void what_names_no_master(void **state)
{
	static const struct {
		const char *json, *words;
	} wrong[] = {
		{ "", "no JSON" },
		{ "{", "no JSON" },
		{ "\"address\"", "no JSON" },
		{ "[{\"address\":{}}]", "no address" },
		{ "{}", "no address" },
		{ "{\"address\":7}", "no address" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\"}}", "port" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\",\"port\":\"5050\"}}", "port" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\",\"port\":5050.0}}", "port" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\",\"port\":0}}", "port" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\",\"port\":65536}}", "port" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\",\"port\":-1}}", "port" },
		{ "{\"address\":{\"ip\":\"1.2.3\",\"port\":1}}", "its ip" },
		{ "{\"address\":{\"ip\":\"host\",\"port\":1}}", "its ip" },
		{ "{\"address\":{\"ip\":\"\",\"port\":1}}", "its ip" },
		{ "{\"address\":{\"ip\":\"1.2.3.4\\u0000\",\"port\":1}}", "neither" },
		{ "{\"address\":{\"ip\":16777343,\"port\":1}}", "neither" },
		{ "{\"address\":{\"hostname\":\"\",\"port\":1}}", "neither" },
		{ "{\"address\":{\"hostname\":\"a/b\",\"port\":1}}", "neither" },
		{ "{\"address\":{\"hostname\":\"u@h\",\"port\":1}}", "neither" },
		{ "{\"address\":{\"hostname\":\"a\\r\\nb\",\"port\":1}}", "neither" },
		{ "{\"address\":{\"hostname\":\"-a\",\"port\":1}}", "neither" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(wrong[i].json, strlen(wrong[i].json), wrong[i].words);
}

static void what_is_too_long(void **state)
{
	char *json = malloc(LEADER_JSON_MAX + 1), name[512];
	(void)state;

	assert_non_null(json);
	memset(json, ' ', LEADER_JSON_MAX + 1);
	memcpy(json, "{\"address\":{\"ip\":\"1.2.3.4\",\"port\":1}}", 37);
	refused(json, LEADER_JSON_MAX + 1, "bytes long");
	free(json);
	(void)snprintf(name, sizeof(name), "{\"address\":{\"port\":1,\"hostname\":\"%0300d\"}}", 1);
	refused(name, strlen(name), "neither");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_number_leads),
		cmocka_unit_test(a_real_one),
		cmocka_unit_test(an_ip_goes_before_a_name),
		cmocka_unit_test(what_names_no_master),
		cmocka_unit_test(what_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
