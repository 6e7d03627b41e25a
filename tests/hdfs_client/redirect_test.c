/* redirect_test.c: redirects that are followed, and those that are not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hdfs_client/redirect.h"

static void a_redirect_keeps_the_path_of_the_request(void **state)
{
	static const struct {
		const char *location;
		bool tls;
		const char *url, *host;
		uint16_t port;
	} all[] = {
		{ "http://dn1.quern.test:9864/webhdfs/v1/a?op=OPEN&user.name=x&offset=0", false,
			"http://dn1.quern.test:9864/webhdfs/v1/a%20b?op=OPEN&user.name=x&offset=0",
			"dn1.quern.test", 9864 },
		{ "HTTP://10.0.0.1/webhdfs/v1/?x=1&OP=open", false,
			"http://10.0.0.1:80/webhdfs/v1/a%20b?x=1&OP=open", "10.0.0.1", 80 },
		{ "https://[2001:db8::1]:9865/webhdfs/v1/b?op=OPEN", true,
			"https://[2001:db8::1]:9865/webhdfs/v1/a%20b?op=OPEN", "2001:db8::1", 9865 },
		{ "https://dn_2/webhdfs/v1/b?op=OPEN", true, "https://dn_2:443/webhdfs/v1/a%20b?op=OPEN",
			"dn_2", 443 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hdfs_redirect r;
		struct err err;

		assert_int_equal(
			hdfs_redirect_read(all[i].location, all[i].tls, "/a b", "OPEN", &r, &err), 0);
		assert_string_equal(r.url, all[i].url);
		assert_string_equal(r.host, all[i].host);
		assert_int_equal(r.port, all[i].port);
		hdfs_redirect_deinit(&r);
	}
}

static void a_bad_one_is_refused_without_its_secrets(void **state)
{
	static const char *const all[] = {
		"",
		"/webhdfs/v1/a?op=OPEN&delegation=SECRET",
		"ftp://h/webhdfs/v1/a?op=OPEN&delegation=SECRET",
		"https://h/webhdfs/v1/a?op=OPEN&delegation=SECRET",
		"http://h/other/v1/a?op=OPEN&delegation=SECRET",
		"http://h/webhdfs/v1?op=OPEN&delegation=SECRET",
		"http://h?/webhdfs/v1/a?op=OPEN&delegation=SECRET",
		"http://h/webhdfs/v1/a",
		"http://h/webhdfs/v1/a?delegation=SECRET",
		"http://h/webhdfs/v1/a?op=DELETE&delegation=SECRET",
		"http://h/webhdfs/v1/a?op=OPEN&op=DELETE&delegation=SECRET",
		"http://h/webhdfs/v1/a?op=OPENED&delegation=SECRET",
		"http://h/webhdfs/v1/a?op=OPEN#&delegation=SECRET",
		"http://h/webhdfs/v1/a?op=OPEN &delegation=SECRET",
		"http://h/webhdfs/v1/a?op=OPEN\r\n&delegation=SECRET",
		"http://h/webhdfs/v1/a?op=OPEN\x80&delegation=SECRET",
		"http://u:SECRET@h/webhdfs/v1/a?op=OPEN",
		"http:///webhdfs/v1/a?op=OPEN",
		"http://:80/webhdfs/v1/a?op=OPEN",
		"http://h:/webhdfs/v1/a?op=OPEN",
		"http://h:0/webhdfs/v1/a?op=OPEN",
		"http://h:65536/webhdfs/v1/a?op=OPEN",
		"http://h:1x/webhdfs/v1/a?op=OPEN",
		"http://h:000080/webhdfs/v1/a?op=OPEN",
		"http://[::1/webhdfs/v1/a?op=OPEN",
		"http://[h]:80/webhdfs/v1/a?op=OPEN",
		"http://[::1]80/webhdfs/v1/a?op=OPEN",
		"http://a%20b/webhdfs/v1/a?op=OPEN",
		"http://-h/webhdfs/v1/a?op=OPEN",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hdfs_redirect r = { 0 };
		struct err err = { "" };

		if (hdfs_redirect_read(all[i], false, "/a", "OPEN", &r, &err) != -EBADMSG)
			fail_msg("followed: %s", all[i]);
		assert_null(r.url);
		assert_true(err.text[0] != '\0');
		assert_null(strstr(err.text, "SECRET"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_redirect_keeps_the_path_of_the_request),
		cmocka_unit_test(a_bad_one_is_refused_without_its_secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
