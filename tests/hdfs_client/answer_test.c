/* answer_test.c: answers of WebHDFS: those of Hadoop 3.4.1, and such as nobody should send. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hdfs_client/answer.h"
#include "hdfs_client/remote.h"

static struct hdfs_json text(const char *t)
{
	return (struct hdfs_json){ .data = t, .len = strlen(t) };
}

#define REST                                                                                                 \
	"\"accessTime\":1795641308065,\"blockSize\":134217728,\"childrenNum\":0,\"fileId\":16386,"           \
	"\"group\":\"supergroup\",\"owner\":\"root\",\"replication\":2,\"storagePolicy\":0,\"new\":[{}],"

/* A FileStatus with other fields in it; those that come later are in the place of nothing. */
static char *status(const char *fields)
{
	char *out;

	assert_true(asprintf(&out, "{\"FileStatus\":{" REST "%s}}", fields) > 0);
	return out;
}

#define NAME "\"pathSuffix\":\"\","
#define LEN  "\"length\":9223372036854775807,"
#define TIME "\"modificationTime\":0,"
#define PERM "\"permission\":\"644\","
#define TYPE "\"type\":\"FILE\""

static void a_status_that_is_one(void **state)
{
	struct hdfs_status s;
	struct err err;
	char *j = status(NAME LEN TIME PERM TYPE);
	(void)state;

	assert_int_equal(hdfs_answer_status(text(j), "/a/", &s, &err), 0);
	assert_string_equal(s.path, "/a");
	assert_int_equal(s.length, INT64_MAX);
	assert_int_equal(s.permission, 0644);
	hdfs_status_deinit(&s);
	assert_int_equal(hdfs_answer_status(text(j), "/", &s, &err), 0);
	assert_string_equal(s.path, "/");
	hdfs_status_deinit(&s);
	free(j);
}

static void a_status_that_is_none(void **state)
{
	static const char *const all[] = {
		LEN TIME PERM TYPE,
		NAME TIME PERM TYPE,
		NAME LEN PERM TYPE,
		NAME LEN TIME TYPE,
		NAME LEN TIME PERM "\"x\":1",
		NAME "\"length\":-1," TIME PERM TYPE,
		NAME "\"length\":9223372036854775808," TIME PERM TYPE,
		NAME "\"length\":1.5," TIME PERM TYPE,
		NAME "\"length\":\"1\"," TIME PERM TYPE,
		NAME LEN LEN TIME PERM TYPE,
		NAME LEN "\"modificationTime\":null," PERM TYPE,
		NAME LEN TIME "\"permission\":644," TYPE,
		NAME LEN TIME "\"permission\":\"\"," TYPE,
		NAME LEN TIME "\"permission\":\"+644\"," TYPE,
		NAME LEN TIME "\"permission\":\"648\"," TYPE,
		NAME LEN TIME "\"permission\":\"10000\"," TYPE,
		NAME LEN TIME "\"permission\":\"0000000000644\"," TYPE,
		NAME LEN TIME PERM "\"type\":\"file\"",
		NAME LEN TIME PERM "\"type\":1",
		"\"pathSuffix\":1," LEN TIME PERM TYPE,
		"\"pathSuffix\":\"a/b\"," LEN TIME PERM TYPE,
		"\"pathSuffix\":\"/\"," LEN TIME PERM TYPE,
		"\"pathSuffix\":\".\"," LEN TIME PERM TYPE,
		"\"pathSuffix\":\"..\"," LEN TIME PERM TYPE,
		"\"pathSuffix\":\"a\\u0000b\"," LEN TIME PERM TYPE,
		"\"pathSuffix\":\"\xff\"," LEN TIME PERM TYPE,
	};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hdfs_status s = { 0 };
		struct err err = { "" };
		char *j = status(all[i]);

		if (hdfs_answer_status(text(j), "/a", &s, &err) != -EBADMSG)
			fail_msg("taken: %s", j);
		assert_null(s.path);
		assert_true(err.text[0] != '\0');
		free(j);
	}
	static const char *const others[] = { "", "null", "[]", "{}", "{\"FileStatus\":[]}",
		"{\"FileStatus\":{}} x" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct hdfs_status s;
		struct err err;

		assert_int_equal(hdfs_answer_status(text(others[i]), "/a", &s, &err), -EBADMSG);
	}
}

static void listings(void **state)
{
	struct hdfs_listing l = { 0 };
	struct err err;
	uint64_t more = 7;
	(void)state;

	assert_int_equal(
		hdfs_answer_listing(text("{\"FileStatuses\":{\"FileStatus\":[]}}"), "/a", &l, &more, &err),
		0);
	assert_int_equal(more, 0);
	/* no batch after this one would ever be the last */
	assert_int_equal(
		hdfs_answer_listing(text("{\"DirectoryListing\":{\"partialListing\":{\"FileStatuses\":"
					 "{\"FileStatus\":[]}},\"remainingEntries\":1}}"),
			"/a", &l, &more, &err),
		-EBADMSG);
	assert_int_equal(hdfs_answer_listing(text("{\"DirectoryListing\":{\"remainingEntries\":0}}"), "/a",
				 &l, &more, &err),
		-EBADMSG);
	assert_int_equal(l.n, 0);
	hdfs_listing_deinit(&l);
}

#define BLOCKS(list) "{\"BlockLocations\":{\"BlockLocation\":[" list "]}}"
#define BLOCK(offset, length, hosts, names)                                                                  \
	"{\"cachedHosts\":[],\"corrupt\":false,\"hosts\":[" hosts "],\"length\":" length                     \
	",\"names\":[" names "],\"offset\":" offset ",\"storageTypes\":[\"DISK\"]}"

static void blocks_that_are_some(void **state)
{
	struct hdfs_blocks b = { 0 };
	struct err err;
	(void)state;

	assert_int_equal(
		hdfs_answer_blocks(
			text(BLOCKS(BLOCK("0", "5", "\"dn1\",\"dn2\",\"dn3\"",
				"\"10.0.0.1:9866\",\"[::1]:9866\",\"fe80:0:0:0:0:0:0:1:9866\"") "," BLOCK("5",
				"2", "", ""))),
			&b, &err),
		0);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.at[0].n, 3);
	assert_string_equal(b.at[0].replicas[0].address, "10.0.0.1");
	assert_int_equal(b.at[0].replicas[0].port, 9866);
	assert_string_equal(b.at[0].replicas[1].address, "::1");
	assert_string_equal(b.at[0].replicas[2].address, "fe80:0:0:0:0:0:0:1");
	assert_int_equal(b.at[1].offset, 5);
	assert_int_equal(b.at[1].n, 0);
	hdfs_blocks_deinit(&b);
}

static void blocks_that_are_none(void **state)
{
	static const char *const all[] = {
		"{}",
		BLOCKS("1"),
		BLOCKS(BLOCK("-1", "5", "", "")),
		BLOCKS(BLOCK("0", "\"5\"", "", "")),
		BLOCKS(BLOCK("0", "5", "\"dn1\"", "")),
		BLOCKS(BLOCK("0", "5", "\"dn1\"", "\"10.0.0.1\"")),
		BLOCKS(BLOCK("0", "5", "\"dn1\"", "\"10.0.0.1:\"")),
		BLOCKS(BLOCK("0", "5", "\"dn1\"", "\"10.0.0.1:65536\"")),
		BLOCKS(BLOCK("0", "5", "\"dn1\"", "\":9866\"")),
		BLOCKS(BLOCK("0", "5", "\"dn 1\"", "\"10.0.0.1:9866\"")),
		BLOCKS(BLOCK("0", "5", "\"\"", "\"10.0.0.1:9866\"")),
		BLOCKS(BLOCK("0", "5", "1", "\"10.0.0.1:9866\"")),
		BLOCKS(BLOCK("0", "5", "", "") "," BLOCK("4", "5", "", "")),
		"{\"LocatedBlocks\":{\"locatedBlocks\":[{\"startOffset\":0,\"locations\":[]}]}}",
		"{\"LocatedBlocks\":{\"locatedBlocks\":[{\"startOffset\":0,\"block\":{\"numBytes\":1}}]}}",
		"{\"LocatedBlocks\":{\"locatedBlocks\":[{\"startOffset\":0,\"block\":{\"numBytes\":1},"
		"\"locations\":[{\"hostName\":\"a\",\"ipAddr\":\"1.2.3.4\",\"xferPort\":65536}]}]}}",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hdfs_blocks b = { 0 };
		struct err err;

		if (hdfs_answer_blocks(text(all[i]), &b, &err) != -EBADMSG)
			fail_msg("taken: %s", all[i]);
		hdfs_blocks_deinit(&b);
	}
}

static int count_node(void *arg, const char *host, const char *address, uint16_t port)
{
	assert_string_equal(host, "dn1.quern.test");
	assert_string_equal(address, "127.0.1.1");
	assert_int_equal(port, 33469);
	++*(int *)arg;
	return 0;
}

static void nodes(void **state)
{
	struct err err;
	int n = 0;
	(void)state;

	assert_int_equal(hdfs_answer_nodes(text("{\"beans\":[{\"LiveNodes\":\"{\\\"dn1.quern.test:33469\\\":"
						"{\\\"xferaddr\\\":\\\"127.0.1.1:33469\\\"}}\"}]}"),
				 count_node, &n, &err),
		0);
	assert_int_equal(n, 1);
	assert_int_equal(hdfs_answer_nodes(text("{\"beans\":[]}"), count_node, &n, &err), 0);
	assert_int_equal(hdfs_answer_nodes(text("{\"beans\":[{\"LiveNodes\":\"x\"}]}"), count_node, &n, &err),
		-EBADMSG);
	assert_int_equal(hdfs_answer_nodes(text("{\"beans\":[{\"LiveNodes\":\"{\\\"a\\\":{}}\"}]}"),
				 count_node, &n, &err),
		-EBADMSG);
	assert_int_equal(n, 1);
}

static void small_answers(void **state)
{
	struct hdfs_summary s;
	struct hdfs_checksum c;
	struct err err;
	uint64_t n;
	bool yes;
	char *t;
	(void)state;

	assert_int_equal(
		hdfs_answer_summary(text("{\"ContentSummary\":{\"directoryCount\":1,\"fileCount\":2,"
					 "\"length\":3,\"quota\":-1,\"spaceConsumed\":6,\"spaceQuota\":9}}"),
			&s, &err),
		0);
	assert_int_equal(s.files, 2);
	assert_int_equal(s.quota, -1);
	assert_int_equal(s.space_quota, 9);
	assert_int_equal(
		hdfs_answer_checksum(
			text("{\"FileChecksum\":{\"algorithm\":\"MD5\",\"bytes\":\"0aF\"}}"), &c, &err),
		-EBADMSG);
	assert_int_equal(hdfs_answer_checksum(text("{\"FileChecksum\":{\"algorithm\":\"MD5\","
						   "\"bytes\":\"0aff0000\",\"length\":2}}"),
				 &c, &err),
		0);
	assert_string_equal(c.hex, "0aff");
	hdfs_checksum_deinit(&c);
	assert_int_equal(hdfs_answer_boolean(text("{\"boolean\":true}"), &yes, &err), 0);
	assert_true(yes);
	assert_int_equal(hdfs_answer_boolean(text("{\"boolean\":1}"), &yes, &err), -EBADMSG);
	assert_int_equal(hdfs_answer_long(text("{\"long\":12}"), &n, &err), 0);
	assert_int_equal(n, 12);
	assert_int_equal(hdfs_answer_long(text("{\"long\":-12}"), &n, &err), -EBADMSG);
	assert_int_equal(hdfs_answer_token(text("{\"Token\":null}"), &t, &err), 0);
	assert_null(t);
	assert_int_equal(hdfs_answer_token(text("{}"), &t, &err), -EBADMSG);
	assert_int_equal(hdfs_answer_home(text("{\"Path\":\"/user/a\"}"), &t, &err), 0);
	assert_string_equal(t, "/user/a");
	free(t);
	assert_int_equal(hdfs_answer_home(text("{\"Path\":\"/user/../a\"}"), &t, &err), -EBADMSG);
}

static void refusals(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum hdfs_outcome outcome;
		int code;
	} all[] = {
		{ 403, "{\"RemoteException\":{\"exception\":\"StandbyException\",\"message\":\"m\"}}",
			HDFS_STANDBY, -EHOSTDOWN },
		{ 403, "{\"RemoteException\":{\"exception\":\"SafeModeException\"}}", HDFS_NOT_NOW, -EROFS },
		{ 403,
			"{\"RemoteException\":{\"exception\":\"RetriableException\",\"message\":"
			"\"Cannot create /a. Name node is in safe mode.\"}}",
			HDFS_NOT_NOW, -EROFS },
		{ 403, "{\"RemoteException\":{\"exception\":\"RetriableException\",\"message\":\"startup\"}}",
			HDFS_NOT_NOW, -EHOSTDOWN },
		{ 403,
			"{\"RemoteException\":{\"exception\":\"IOException\",\"message\":\"File /a could "
			"only be "
			"written to 0 of the 1 minReplication nodes.\"}}",
			HDFS_ANSWERED, -ENOSPC },
		{ 403,
			"{\"RemoteException\":{\"exception\":\"IOException\",\"message\":\"All datanodes [x] "
			"are bad. "
			"Aborting...\"}}",
			HDFS_ANSWERED, -EIO },
		{ 404,
			"{\"RemoteException\":{\"exception\":\"FileNotFoundException\",\"message\":\"Path is "
			"not a "
			"file: /d\"}}",
			HDFS_ANSWERED, -EISDIR },
		{ 400, "{\"RemoteException\":{\"exception\":\"IllegalArgumentException\",\"message\":\"m\"}}",
			HDFS_ANSWERED, -EINVAL },
		{ 503, "busy", HDFS_NOT_NOW, -EHOSTDOWN },
		{ 502, "<html>", HDFS_LOST, -EHOSTDOWN },
		{ 404, "<html>", HDFS_ANSWERED, -EBADMSG },
		{ 302, "", HDFS_ANSWERED, -EIO },
		{ 500, "{\"RemoteException\":{\"exception\":1}}", HDFS_ANSWERED, -EIO },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hdfs_refusal r;

		hdfs_refusal_read(all[i].status, all[i].body, strlen(all[i].body), &r);
		assert_int_equal(r.outcome, all[i].outcome);
		assert_int_equal(r.code, all[i].code);
		assert_true(r.text[0] != '\0');
	}
}

/* One line, of whole characters, without control characters. */
static void words_of_others_are_cut_to_a_line(void **state)
{
	struct hdfs_refusal r;
	char body[2000] =
		"{\"RemoteException\":{\"exception\":\"IOException\",\"message\":\"\\u001b[31ma\\tb";
	(void)state;

	for (int i = 0; i < 300; i++)
		(void)strcat(body, "\xc3\xa9");
	(void)strcat(body, "\\nat java\"}}");
	hdfs_refusal_read(403, body, strlen(body), &r);
	assert_ptr_equal(strstr(r.text, " [31ma b\xc3\xa9"), r.text);
	assert_null(strpbrk(r.text, "\n\t\x1b"));
	assert_true(strlen(r.text) > 200);
	assert_string_equal(r.text + strlen(r.text) - 2, "\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_that_is_one),
		cmocka_unit_test(a_status_that_is_none),
		cmocka_unit_test(listings),
		cmocka_unit_test(blocks_that_are_some),
		cmocka_unit_test(blocks_that_are_none),
		cmocka_unit_test(nodes),
		cmocka_unit_test(small_answers),
		cmocka_unit_test(refusals),
		cmocka_unit_test(words_of_others_are_cut_to_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
