/* place_test.c: where a NameNode that is scripted says that bytes are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/hdfs_client/name_nodes.h"

static const struct hdfs_ask open_x = { .op = HDFS_OP_OPEN, .path = "/x", .offset = 3, .length = 4 };

#define OPEN_X  "GET /webhdfs/v1/x?op=OPEN&user.name=ann&offset=3&length=4&noredirect=true HTTP"
#define TO_NAME "{\"Location\":\"http://dn1.quern.invalid:%u/webhdfs/v1/x?op=OPEN&offset=3\"}"

static void a_place_is_what_the_redirect_said(void **state)
{
	struct world w = { 0 };
	struct got g;
	struct text t;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ OPEN_X, "200 OK", redirect(&t, TO_NAME, 9864u) },
		{ OPEN_X, "307 Temporary Redirect", NULL,
			"Location: http://dn2:1/webhdfs/v1/y?x=1&op=OPEN\r\n" });
	assert_int_equal(ask(&w, &open_x, &g), 0);
	assert_string_equal(
		g.answer.place.url, "http://dn1.quern.invalid:9864/webhdfs/v1/x?op=OPEN&offset=3");
	assert_string_equal(g.answer.place.host, "dn1.quern.invalid");
	assert_int_equal(g.answer.place.port, 9864);
	assert_string_equal(g.answer.place.path, "/x");
	assert_false(g.answer.place.proxy);
	hdfs_answer_deinit(&g.answer);
	assert_int_equal(ask(&w, &open_x, &g), 0); /* an old NameNode */
	assert_string_equal(g.answer.place.url, "http://dn2:1/webhdfs/v1/x?x=1&op=OPEN");
	hdfs_answer_deinit(&g.answer);
	assert_null(hdfs_fs_warning(w.fs));
	world_end(&w);
}

static void a_redirect_that_leads_astray_is_not_followed(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps =
		SCRIPT({ OPEN_X, "307 Temporary Redirect", NULL, "Location: http://dn2:1/other?op=OPEN\r\n" },
			{ OPEN_X, "307 Temporary Redirect", NULL, NULL },
			{ OPEN_X, "200 OK", "{\"Location\":\"file:///etc/passwd\"}" });
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&w, &open_x, &g), -EBADMSG);
	world_end(&w);
}

static void those_that_did_badly_are_excluded_by_address(void **state)
{
	struct world w = { 0 };
	struct got g;
	static const char *const bad[] = { "dn1.quern.invalid", "nobody" };
	const struct hdfs_ask locate = { .op = HDFS_OP_LOCATE, .path = "/x", .length = UINT64_MAX };
	struct hdfs_ask a = open_x;
	(void)state;

	a.exclude = bad;
	a.n_exclude = 2;
	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ OPEN_X, NOT_THERE }, { "op=GETFILEBLOCKLOCATIONS", "200 OK", LOCATED },
		{ "noredirect=true&excludedatanodes=127.0.0.1%3A9866 HTTP", NOT_THERE });
	assert_int_equal(ask(&w, &a, &g), -ENOENT);
	assert_int_equal(ask(&w, &locate, &g), 0);
	hdfs_answer_deinit(&g.answer);
	assert_int_equal(ask(&w, &a, &g), -ENOENT);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_what_the_redirect_said),
		cmocka_unit_test(a_redirect_that_leads_astray_is_not_followed),
		cmocka_unit_test(those_that_did_badly_are_excluded_by_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
