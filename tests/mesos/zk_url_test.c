/* zk_url_test.c: mesos/zk_url.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/zk_url.h"

/* The parts of it as one text: host|port ... path credentials shown. */
static void expect(const char *text, const char *parts)
{
	struct zk_url url;
	struct err err = { "" };
	char got[512] = "";
	size_t n = 0;

	assert_int_equal(zk_url_parse(text, &url, &err), 0);
	for (size_t i = 0; i < url.n_hosts; i++)
		n += (size_t)snprintf(
			got + n, sizeof(got) - n, "%s|%u ", url.hosts[i].name, url.hosts[i].port);
	(void)snprintf(got + n, sizeof(got) - n, "%s %s %s", url.path,
		url.credentials != NULL ? url.credentials : "-", url.shown);
	assert_string_equal(got, parts);
	zk_url_deinit(&url);
}

static void hosts_and_a_path(void **state)
{
	(void)state;
	expect("zk://h:1/mesos", "h|1 /mesos - zk://h:1/mesos");
	expect("zk://a,b-c.d:65535,10.0.0.1/x/y_z",
		"a|2181 b-c.d|65535 10.0.0.1|2181 /x/y_z - zk://a,b-c.d:65535,10.0.0.1/x/y_z");
	expect("zk://[::1]:7,[fe80::1%eth0]/m/",
		"::1|7 fe80::1%eth0|2181 /m - zk://[::1]:7,[fe80::1%eth0]/m");
	expect("zk://h/...", "h|2181 /... - zk://h/...");
}

static void the_password_is_not_shown(void **state)
{
	(void)state;
	expect("zk://u:p@h:1/m", "h|1 /m u:p zk://u@h:1/m");
	expect("zk://u:p:q@r@h:1/m", "h|1 /m u:p:q@r zk://u@h:1/m");
	expect("zk://u:@h:1/m", "h|1 /m u: zk://u@h:1/m");
}

static void refused(const char *text, const char *words)
{
	struct zk_url url;
	struct err err = { "" };

	assert_int_equal(zk_url_parse(text, &url, &err), -EINVAL);
	assert_non_null(strstr(err.text, words));
	assert_null(strstr(err.text, "secret"));
	zk_url_deinit(&url);
}

static void what_is_none(void **state)
{
	static const char *const hosts[] = { "zk:///m", "zk://:1/m", "zk://h:/m", "zk://h:0/m",
		"zk://h:65536/m", "zk://h:123456/m", "zk://h:99999999999/m", "zk://h:1a/m", "zk://h:+1/m",
		"zk://a,,b/m", "zk://a,/m", "zk://::1/m", "zk://[]:1/m", "zk://[::1/m", "zk://[::1]1/m",
		"zk://[a]b:1/m", "zk://a b/m", "zk://u:secret@/m", "zk://u:secret@h:x/m" };
	char many[256] = "zk://a";
	(void)state;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		refused(hosts[i], "is no HOST:PORT of ZooKeeper");
	refused("zk://secret@h/m", "USER:PASSWORD");
	refused("zk://:secret@h/m", "USER:PASSWORD");
	refused("zk://h", "no path");
	refused("zk://u:secret@h:1//", "no path");
	refused("zk://h//m", "no path in ZooKeeper");
	refused("zk://h/m/../n", "no path in ZooKeeper");
	refused("zk://h/./m", "no path in ZooKeeper");
	refused("zk://h/m\x7f", "no path in ZooKeeper");
	refused("zk://h/m n", "no path in ZooKeeper");
	refused("http://h/m", "zk://");
	for (size_t i = 0; i < ZK_HOSTS_MAX; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), ",a");
	(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "/m");
	refused(many, "more than 16");
	assert_true(zk_url_is("zk://"));
	assert_false(zk_url_is("zk:/h"));
}

static void one_that_is_too_long(void **state)
{
	char *text = malloc(ZK_URL_MAX + 2);
	(void)state;

	assert_non_null(text);
	memset(text, 'a', ZK_URL_MAX + 1);
	memcpy(text, "zk://h/", 7);
	text[ZK_URL_MAX + 1] = '\0';
	refused(text, "zk://HOST:PORT");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_a_path),
		cmocka_unit_test(the_password_is_not_shown),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(one_that_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
