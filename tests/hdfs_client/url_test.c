#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hdfs_client/url.h"

static void the_forms_that_there_are(void **state)
{
	struct hdfs_url u;
	struct err err;
	(void)state;

	assert_int_equal(hdfs_url_parse("hdfs://nn1:8020,nn-2.example/a/b c", &u, &err), 0);
	assert_int_equal(u.n, 2);
	assert_string_equal(u.namenodes[0].host, "nn1");
	assert_int_equal(u.namenodes[0].port, HDFS_HTTP_PORT); /* 8020 is not for HTTP */
	assert_string_equal(u.namenodes[1].host, "nn-2.example");
	assert_string_equal(u.path, "/a/b c");
	assert_false(u.tls);
	hdfs_url_deinit(&u);

	assert_int_equal(hdfs_url_parse("WebHDFS://[::1]:14000/", &u, &err), 0);
	assert_string_equal(u.authority, "[::1]:14000");
	assert_string_equal(u.namenodes[0].host, "::1");
	assert_int_equal(u.namenodes[0].port, 14000);
	assert_string_equal(u.path, "/");
	hdfs_url_deinit(&u);

	assert_int_equal(hdfs_url_parse("swebhdfs://10.0.0.1/x", &u, &err), 0);
	assert_true(u.tls);
	assert_int_equal(u.namenodes[0].port, HDFS_HTTPS_PORT);
	hdfs_url_deinit(&u);

	assert_int_equal(hdfs_url_parse("hdfs:///path", &u, &err), 0); /* of the configuration */
	assert_int_equal(u.n, 0);
	assert_string_equal(u.authority, "");
	assert_string_equal(u.path, "/path");
	hdfs_url_deinit(&u);
}

static void what_is_none_is_said_to_be_none(void **state)
{
	static const char *const texts[] = { "", "/a/path", "hdfs:/a", "hdfs://", "hdfs://nn", "hdfs://nn:/p",
		"hdfs://nn:0/p", "hdfs://nn:65536/p", "hdfs://nn:123456789/p", "hdfs://nn:8o20/p",
		"hdfs://a,,b/p", "hdfs://user@nn/p", "hdfs://[::1/p", "hdfs://[::1]x/p", "hdfs://a b/p",
		"http://nn/p", "hdfs://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q/p" };
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hdfs_url u;
		struct err err = { "" };

		assert_int_equal(hdfs_url_parse(texts[i], &u, &err), -EINVAL);
		assert_true(err.text[0] != '\0');
		hdfs_url_deinit(&u);
	}
	assert_true(hdfs_url_is("hdfs://"));
	assert_false(hdfs_url_is("file:///x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_that_there_are),
		cmocka_unit_test(what_is_none_is_said_to_be_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
