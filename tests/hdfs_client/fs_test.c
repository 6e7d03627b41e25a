/* fs_test.c: operations of hdfs_client/fs.h against NameNodes that are scripted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/hdfs_client/name_nodes.h"

static const struct hdfs_ask stat_x = { .op = HDFS_OP_STAT, .path = "/x" };
static const struct hdfs_ask rename_x = { .op = HDFS_OP_RENAME, .path = "/x", .to = "/y" };
static const struct hdfs_ask delete_x = { .op = HDFS_OP_DELETE, .path = "/x", .recursive = true };

#define STAT_X   "GET /webhdfs/v1/x?op=GETFILESTATUS&"
#define STAT_Y   "GET /webhdfs/v1/y?op=GETFILESTATUS&"
#define RENAME_X "PUT /webhdfs/v1/x?op=RENAME&user.name=ann&destination=%2Fy&renameoptions=NONE HTTP"
#define DELETE_X "DELETE /webhdfs/v1/x?op=DELETE&user.name=ann&recursive=true HTTP"
#define TRUE     "{\"boolean\":true}"
#define FALSE    "{\"boolean\":false}"
#define SAFE     REFUSAL("SafeModeException", "Cannot delete /x. Name node is in safe mode.")

/* ---- Answers ---- */

static void a_stat_has_it_all(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_X "user.name=ann HTTP/1.1", "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &stat_x, &g), 0);
	const struct hdfs_status *s = &g.answer.status;
	assert_string_equal(s->path, "/x");
	assert_int_equal(s->kind, HDFS_FILE);
	assert_int_equal(s->length, 5);
	assert_int_equal(s->block_size, 128);
	assert_int_equal(s->modified_ms, 2);
	assert_int_equal(s->accessed_ms, 1);
	assert_int_equal(s->replication, 3);
	assert_int_equal(s->permission, 01644);
	assert_string_equal(s->owner, "o");
	assert_string_equal(s->group, "g");
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void a_path_has_any_bytes(void **state)
{
	struct world w = { 0 };
	struct got g;
	const struct hdfs_ask a = { .op = HDFS_OP_STAT, .path = "//a b%#?&+;\xc3\xa9//c/" };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps =
		SCRIPT({ "GET /webhdfs/v1/a%20b%25%23%3F%26%2B%3B%C3%A9/c?op=GET", "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &a, &g), 0);
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void a_bad_path_is_refused_at_once(void **state)
{
	struct world w = { 0 };
	static const char *const paths[] = { "", "a", "/a/../b", "/.", "/a/.." };
	struct err err;
	(void)state;

	world_begin(&w, 1);
	for (size_t i = 0; i < 5; i++) {
		const struct hdfs_ask a = { .op = HDFS_OP_STAT, .path = paths[i] };

		assert_int_equal(hdfs_fs_ask(w.fs, &a, got_it, NULL, NULL, &err), -EINVAL);
		assert_non_null(strstr(err.text, paths[i]));
	}
	world_end(&w);
}

static void a_folder_is_listed_in_batches(void **state)
{
	struct world w = { 0 };
	struct got g;
	const struct hdfs_ask a = { .op = HDFS_OP_LIST, .path = "/d/" };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ "/d?op=LISTSTATUS_BATCH&user.name=ann HTTP", "200 OK",
					  "{\"DirectoryListing\":{\"partialListing\":{\"FileStatuses\":"
					  "{\"FileStatus\":[" STATUS("b", "FILE") "," STATUS(
						  "a b", "DIRECTORY") "]}},"
								      "\"remainingEntries\":1}}" },
		{ "&startAfter=a%20b HTTP", "200 OK",
			"{\"DirectoryListing\":{\"partialListing\":{\"FileStatuses\":{\"FileStatus\":"
			"[" STATUS("c", "SYMLINK") "]}},\"remainingEntries\":0}}" });
	assert_int_equal(ask(&w, &a, &g), 0);
	assert_int_equal(g.answer.listing.n, 3);
	assert_string_equal(g.answer.listing.at[0].path, "/d/a b");
	assert_int_equal(g.answer.listing.at[0].kind, HDFS_FOLDER);
	assert_int_equal(g.answer.listing.at[0].length, 0);
	assert_string_equal(g.answer.listing.at[2].path, "/d/c");
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void an_old_cluster_is_asked_in_the_old_way(void **state)
{
	struct world w = { 0 };
	struct got g;
	const struct hdfs_ask list = { .op = HDFS_OP_LIST, .path = "/" };
	const struct hdfs_ask locate = { .op = HDFS_OP_LOCATE, .path = "/x", .length = UINT64_MAX };
	static const char unknown[] =
		REFUSAL("IllegalArgumentException", "Invalid value for webhdfs parameter \\\"op\\\": no");
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ "op=LISTSTATUS_BATCH", "400 Bad Request", unknown },
		{ "op=LISTSTATUS&", "200 OK",
			"{\"FileStatuses\":{\"FileStatus\":[" STATUS("q", "FILE") "]}}" },
		{ "op=LISTSTATUS&", "200 OK", "{\"FileStatuses\":{\"FileStatus\":[]}}" },
		{ "op=GETFILEBLOCKLOCATIONS", "400 Bad Request", unknown },
		{ "op=GET_BLOCK_LOCATIONS", "200 OK",
			"{\"LocatedBlocks\":{\"locatedBlocks\":[{\"block\":{\"numBytes\":9},\"startOffset\":"
			"0,"
			"\"isCorrupt\":false,\"locations\":[{\"hostName\":\"dn1\",\"ipAddr\":\"10.0.0.1\","
			"\"xferPort\":9866}]}]"
			"}}" });
	assert_int_equal(ask(&w, &list, &g), 0);
	assert_string_equal(g.answer.listing.at[0].path, "/q");
	hdfs_answer_deinit(&g.answer);
	assert_int_equal(ask(&w, &list, &g), 0);
	assert_int_equal(g.answer.listing.n, 0);
	assert_int_equal(ask(&w, &locate, &g), 0);
	assert_int_equal(g.answer.blocks.n, 1);
	assert_int_equal(g.answer.blocks.at[0].length, 9);
	assert_string_equal(g.answer.blocks.at[0].replicas[0].host, "dn1");
	assert_string_equal(g.answer.blocks.at[0].replicas[0].address, "10.0.0.1");
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void refusals_have_their_codes(void **state)
{
	struct world w = { 0 };
	struct got g;
	static const struct {
		const char *status, *body;
		int code;
	} all[] = {
		{ NOT_THERE, -ENOENT },
		{ "403 Forbidden", REFUSAL("AccessControlException", "Permission denied: user=ann"),
			-EACCES },
		{ "403 Forbidden", REFUSAL("AccessControlException", "/f (is not a directory)"), -ENOTDIR },
		{ "403 Forbidden", REFUSAL("DSQuotaExceededException", "The DiskSpace quota"), -EDQUOT },
		{ "403 Forbidden", REFUSAL("SecretManager$InvalidToken", "token expired"), -EKEYEXPIRED },
		{ "403 Forbidden",
			REFUSAL("SecurityException", "Failed to obtain user group information: "
						     "org.apache.hadoop.security.token.SecretManager$"
						     "InvalidToken: can't be found"),
			-EKEYEXPIRED },
		{ "403 Forbidden", REFUSAL("IOException", "something\\nat java"), -EIO },
		{ "401 Unauthorized", "<html>Authentication required</html>", -EACCES },
		{ "500 Oops", NULL, -EIO },
		{ "200 OK", "{\"FileStatus\":{}}", -EBADMSG },
		{ "200 OK", "<html/>", -EBADMSG },
		{ "307 Away", "", -EIO },
	};
	(void)state;

	world_begin(&w, 1);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		w.nodes[0].at = 0;
		w.nodes[0].steps = SCRIPT({ STAT_X, all[i].status, all[i].body });
		assert_int_equal(ask(&w, &stat_x, &g), all[i].code);
		assert_ptr_equal(strstr(g.error, "webhdfs://127.0.0.1:"), g.error); /* as it was written */
		assert_non_null(strstr(g.error, "/x: "));
		assert_null(strstr(g.error, "denied: Permission")); /* said once */
		assert_null(strchr(g.error, '\n'));
		assert_int_equal(w.nodes[0].at, 1);
		w.nodes[0].steps = NULL;
	}
	world_end(&w);
}

static void an_answer_that_is_too_long_is_none(void **state)
{
	struct world w = { 0 };
	struct got g;
	char *body = calloc(1, 100000);
	(void)state;

	assert_non_null(body);
	memset(body, ' ', 99999);
	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_X, "200 OK", body });
	assert_int_equal(ask(&w, &stat_x, &g), -EBADMSG);
	world_end(&w);
	free(body);
}

/* ---- NameNodes that do not serve ---- */

static void the_active_one_is_found_and_remembered(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 2);
	w.nodes[0].steps = SCRIPT({ STAT_X, "403 Forbidden", STANDBY });
	w.nodes[1].steps = SCRIPT({ STAT_X, "200 OK", IS_FILE }, { STAT_X, NOT_THERE });
	assert_int_equal(ask(&w, &stat_x, &g), 0);
	hdfs_answer_deinit(&g.answer);
	assert_int_equal(ask(&w, &stat_x, &g), -ENOENT);
	world_end(&w);
}

static void a_dead_one_is_passed_over(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 2);
	evconnlistener_free(w.nodes[0].server.listener);
	w.nodes[0].server.listener = NULL;
	w.nodes[1].steps = SCRIPT({ STAT_X, "403 Forbidden", STANDBY }, { STAT_X, "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &stat_x, &g), 0);
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void safe_mode_is_waited_for(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ DELETE_X, "403 Forbidden", SAFE }, { DELETE_X, "403 Forbidden", SAFE },
		{ DELETE_X, "200 OK", TRUE });
	assert_int_equal(ask(&w, &delete_x, &g), 0);
	world_end(&w);
}

static void patience_ends(void **state)
{
	struct world w = { .access.patience_ms = 1 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ DELETE_X, "403 Forbidden", SAFE }, { DELETE_X, "403 Forbidden", SAFE });
	assert_int_equal(ask(&w, &delete_x, &g), -EROFS);
	assert_non_null(strstr(g.error, "safe mode"));
	w.nodes[0].steps = NULL; /* it may have been asked once, or twice */
	evconnlistener_free(w.nodes[0].server.listener);
	w.nodes[0].server.listener = NULL;
	for (size_t i = 0; i < w.nodes[0].server.n_peers; i++)
		script_close(w.nodes[0].server.peers[i]);
	assert_int_equal(ask(&w, &stat_x, &g), -EHOSTDOWN);
	assert_non_null(strstr(g.error, w.nodes[0].server.at));
	world_end(&w);
}

/* ---- Answers that are lost ---- */

static void a_question_is_asked_again(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_X, NULL }, { STAT_X, "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &stat_x, &g), 0);
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void a_rename_is_looked_up_not_repeated(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_Y, NOT_THERE }, { RENAME_X, NULL }, { STAT_X, NOT_THERE },
		{ STAT_Y, "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &rename_x, &g), 0);
	world_end(&w);
}

static void a_rename_that_did_not_take_place_is_sent_again(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_Y, NOT_THERE }, { RENAME_X, NULL }, { STAT_X, "200 OK", IS_FILE },
		{ STAT_Y, NOT_THERE }, { RENAME_X, "200 OK" });
	assert_int_equal(ask(&w, &rename_x, &g), 0);
	world_end(&w);
}

/* The first one was only slow. */
static void a_rename_that_took_place_late_did(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_Y, NOT_THERE }, { RENAME_X, NULL }, { STAT_X, "200 OK", IS_FILE },
		{ STAT_Y, NOT_THERE }, { RENAME_X, NOT_THERE }, { STAT_X, NOT_THERE },
		{ STAT_Y, "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &rename_x, &g), 0);
	world_end(&w);
}

static void a_rename_that_cannot_be_told_says_so(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_Y, NOT_THERE }, { RENAME_X, NULL }, { STAT_X, "200 OK", IS_FILE },
		{ STAT_Y, "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &rename_x, &g), -ECANCELED);
	assert_non_null(strstr(g.error, "both are there"));
	world_end(&w);
}

static void a_delete_is_looked_up(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT(
		{ DELETE_X, NULL }, { STAT_X, "200 OK", IS_FILE }, { DELETE_X, NULL }, { STAT_X, NOT_THERE });
	assert_int_equal(ask(&w, &delete_x, &g), 0);
	w.nodes[0].at = 0;
	w.nodes[0].steps = SCRIPT({ DELETE_X, "200 OK", FALSE });
	assert_int_equal(ask(&w, &delete_x, &g), -ENOENT);
	world_end(&w);
}

/* ---- HttpFS ---- */

static void a_rename_of_httpfs_has_its_reason_looked_up(void **state)
{
	struct world w = { 0 };
	struct got g;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ STAT_Y, NOT_THERE }, { RENAME_X, "200 OK", FALSE },
		{ STAT_X, "200 OK", IS_FILE }, { STAT_Y, NOT_THERE });
	assert_int_equal(ask(&w, &rename_x, &g), -ENOENT);
	w.nodes[0].at = 0;
	w.nodes[0].steps = SCRIPT({ STAT_Y, "200 OK", IS_FILE });
	assert_int_equal(ask(&w, &rename_x, &g), -EEXIST);
	world_end(&w);
}

/* ---- Cancelling ---- */

static void a_call_may_be_cancelled_at_any_time(void **state)
{
	struct world w = { 0 };
	struct got g;
	struct hdfs_call *call;
	(void)state;

	world_begin(&w, 1);
	call = ask_it(&w, &stat_x, &g); /* not sent yet */
	hdfs_call_cancel(call);
	hdfs_call_cancel(call);
	SCRIPT_WAIT(w.loop, g.dones > 0);
	assert_int_equal(g.r, -ECANCELED);

	w.nodes[0].server.on_request = NULL; /* no answer */
	call = ask_it(&w, &stat_x, &g);
	SCRIPT_WAIT(w.loop, w.nodes[0].server.n == 1);
	hdfs_call_cancel(call);
	SCRIPT_WAIT(w.loop, g.dones > 0);
	assert_int_equal(g.r, -ECANCELED);

	call = ask_it(&w, &rename_x, &g); /* waits for a call of its own */
	SCRIPT_WAIT(w.loop, w.nodes[0].server.n == 2);
	hdfs_call_cancel(call);
	SCRIPT_WAIT(w.loop, g.dones > 0);
	assert_int_equal(g.r, -ECANCELED);
	assert_int_equal(g.dones, 1);
	world_end(&w);
}

static void freeing_ends_everything(void **state)
{
	struct world w = { 0 };
	struct got waits, asks, looks;
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].server.on_request = NULL;
	(void)ask_it(&w, &stat_x, &asks);
	(void)ask_it(&w, &rename_x, &looks);
	SCRIPT_WAIT(w.loop, w.nodes[0].server.n == 2);
	(void)ask_it(&w, &stat_x, &waits);
	w.fs = hdfs_fs_free(w.fs);
	assert_int_equal(waits.r, -ECANCELED);
	assert_int_equal(asks.r, -ECANCELED);
	assert_int_equal(looks.r, -ECANCELED);
	assert_int_equal(waits.dones + asks.dones + looks.dones, 3);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stat_has_it_all),
		cmocka_unit_test(a_path_has_any_bytes),
		cmocka_unit_test(a_bad_path_is_refused_at_once),
		cmocka_unit_test(a_folder_is_listed_in_batches),
		cmocka_unit_test(an_old_cluster_is_asked_in_the_old_way),
		cmocka_unit_test(refusals_have_their_codes),
		cmocka_unit_test(an_answer_that_is_too_long_is_none),
		cmocka_unit_test(the_active_one_is_found_and_remembered),
		cmocka_unit_test(a_dead_one_is_passed_over),
		cmocka_unit_test(safe_mode_is_waited_for),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(a_question_is_asked_again),
		cmocka_unit_test(a_rename_is_looked_up_not_repeated),
		cmocka_unit_test(a_rename_that_did_not_take_place_is_sent_again),
		cmocka_unit_test(a_rename_that_took_place_late_did),
		cmocka_unit_test(a_rename_that_cannot_be_told_says_so),
		cmocka_unit_test(a_delete_is_looked_up),
		cmocka_unit_test(a_rename_of_httpfs_has_its_reason_looked_up),
		cmocka_unit_test(a_call_may_be_cancelled_at_any_time),
		cmocka_unit_test(freeing_ends_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
