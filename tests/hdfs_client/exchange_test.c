/* exchange_test.c: bytes to and from DataNodes that are scripted. Node 0 is the NameNode, node
 * 1 a DataNode that calls itself dn1.quern.invalid, a name that nobody can resolve. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tests/hdfs_client/name_nodes.h"

static const struct hdfs_ask open_x = { .op = HDFS_OP_OPEN, .path = "/x", .offset = 3, .length = 4 };
static const struct hdfs_ask create_x = {
	.op = HDFS_OP_CREATE, .path = "/x", .permission = 0640, .block_size = 1 << 20
};

#define OPEN_X "GET /webhdfs/v1/x?op=OPEN&user.name=ann&offset=3&length=4&noredirect=true HTTP"
#define CREATE_X                                                                                             \
	"PUT "                                                                                               \
	"/webhdfs/v1/"                                                                                       \
	"x?op=CREATE&user.name=ann&overwrite=false&permission=640&blocksize=1048576&noredirect=true HTTP"

#define TO_ADDRESS "{\"Location\":\"http://127.0.0.1:%u/webhdfs/v1/x?op=OPEN&offset=3\"}"
#define TO_CREATE  "{\"Location\":\"http://dn1.quern.invalid:%u/webhdfs/v1/x?op=CREATE&createparent=true\"}"
#define NODES_JSON                                                                                           \
	"{\"beans\":[{\"LiveNodes\":\"{\\\"dn1.quern.invalid:9866\\\":{\\\"xferaddr\\\":"                    \
	"\\\"127.0.0.1:9866\\\"}}\"}]}"

/* What became of an exchange. */
struct moved {
	struct hdfs_exchange *x;
	struct buf came;
	const char *send; /* pulled a byte at a time */
	bool starve;      /* nothing now, once, before each byte */
	bool starved;
	int pull_result;
	int dones, r;
	bool sent;
	char error[1024];
};

static int on_data(void *arg, const void *data, size_t len)
{
	struct moved *m = arg;

	assert_int_equal(buf_add(&m->came, data, len), 0);
	return 0;
}

static ssize_t pull(void *arg, void *to, size_t room)
{
	struct moved *m = arg;

	assert_true(room > 0);
	if (m->pull_result != 0)
		return m->pull_result;
	if (m->starve && !m->starved) {
		m->starved = true;
		return -EAGAIN;
	}
	m->starved = false;
	if (*m->send == '\0')
		return 0;
	*(char *)to = *m->send++;
	return 1;
}

static void on_done(void *arg, int r, bool sent, const struct err *err)
{
	struct moved *m = arg;

	m->dones++;
	m->x = NULL;
	m->r = r;
	m->sent = sent;
	(void)snprintf(m->error, sizeof(m->error), "%s", r < 0 ? err->text : "");
}

static void start(struct world *w, const struct hdfs_place *place, struct moved *m)
{
	const struct hdfs_exchange_options o = {
		.place = place, .on_data = on_data, .pull = pull, .done = on_done, .arg = m
	};
	struct err err;

	m->came.max = 1 << 20;
	assert_int_equal(hdfs_exchange_start(w->fs, &o, &m->x, &err), 0);
	assert_int_equal(m->dones, 0);
}

static int move(struct world *w, const struct hdfs_place *place, struct moved *m)
{
	start(w, place, m);
	while (m->dones == 0) {
		assert_int_equal(event_base_loop(w->loop, EVLOOP_ONCE), 0);
		if (m->x != NULL && m->starved)
			hdfs_exchange_resume(m->x);
	}
	assert_int_equal(m->dones, 1);
	return m->r;
}

static void assert_came(struct moved *m, const char *text)
{
	assert_int_equal(m->came.len, strlen(text));
	if (m->came.len > 0)
		assert_memory_equal(m->came.data, text, m->came.len);
	buf_deinit(&m->came);
}

/* ---- Bytes ---- */

static struct hdfs_place place_of(struct world *w, enum hdfs_op op, const char *host)
{
	static char url[256];

	(void)snprintf(url, sizeof(url), "http://%s:%u/webhdfs/v1/x?op=%s&delegation=SECRET", host,
		(unsigned)w->nodes[1].server.port, op == HDFS_OP_OPEN ? "OPEN" : "CREATE");
	return (struct hdfs_place){ .op = op,
		.url = url,
		.host = (char *)host,
		.port = w->nodes[1].server.port,
		.path = (char *)"/x" };
}

static void bytes_come(void **state)
{
	struct world w = { 0 };
	struct moved m = { 0 };
	(void)state;

	world_begin(&w, 1);
	w.nodes[1].steps = SCRIPT({ "GET /webhdfs/v1/x?op=OPEN&", "200 OK", "hello" });
	const struct hdfs_place p = place_of(&w, HDFS_OP_OPEN, "127.0.0.1");
	assert_int_equal(move(&w, &p, &m), 0);
	assert_true(m.sent);
	assert_came(&m, "hello");
	world_end(&w);
}

static void httpfs_is_told_of_once(void **state)
{
	struct world w = { 0 };
	struct got g;
	struct text t;
	struct moved m = { 0 };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT(
		{ OPEN_X, "200 OK", redirect(&t, TO_ADDRESS, (unsigned)w.nodes[0].server.port) },
		{ OPEN_X, "200 OK", "1234567", "X: y\r\n", "application/octet-stream" },
		{ "GET /webhdfs/v1/x?op=OPEN&user.name=ann&offset=3&length=4 HTTP", "200 OK", "4567" });
	assert_int_equal(ask(&w, &open_x, &g), 0);
	assert_true(g.answer.place.proxy);
	hdfs_answer_deinit(&g.answer);
	assert_non_null(strstr(hdfs_fs_warning(w.fs), "HttpFS"));
	assert_int_equal(ask(&w, &open_x, &g), 0); /* one that knows no noredirect sends the file */
	assert_true(g.answer.place.proxy);
	assert_null(hdfs_fs_warning(w.fs));
	assert_int_equal(move(&w, &g.answer.place, &m), 0);
	assert_came(&m, "4567");
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

static void a_name_without_an_address_is_asked_for_once(void **state)
{
	struct world w = { 0 };
	struct moved m = { 0 };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ "/x?op=GETFILEBLOCKLOCATIONS", "200 OK", LOCATED });
	w.nodes[1].steps = SCRIPT({ "Host: dn1.quern.invalid:", "200 OK", "one" },
		{ "Host: dn1.quern.invalid:", "200 OK", "two" });
	const struct hdfs_place p = place_of(&w, HDFS_OP_OPEN, "dn1.quern.invalid");
	assert_int_equal(move(&w, &p, &m), 0);
	assert_came(&m, "one");
	m = (struct moved){ 0 };
	assert_int_equal(move(&w, &p, &m), 0); /* neither the resolver nor the NameNode is asked */
	assert_came(&m, "two");
	world_end(&w);
}

static void a_new_file_has_the_list_of_datanodes(void **state)
{
	struct world w = { 0 };
	struct moved m = { .send = "" };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps =
		SCRIPT({ "GET /jmx?qry=Hadoop%3Aservice%3DNameNode%2Cname%3DNameNodeInfo&user.name=ann HTTP",
			"200 OK", NODES_JSON });
	w.nodes[1].steps =
		SCRIPT({ "PUT /webhdfs/v1/x?op=CREATE&", "201 Created" }, { "0\r\n\r\n", "201 Created" });
	const struct hdfs_place p = place_of(&w, HDFS_OP_CREATE, "dn1.quern.invalid");
	assert_int_equal(move(&w, &p, &m), 0);
	world_end(&w);
}

static void a_name_that_nobody_knows_is_an_error(void **state)
{
	struct world w = { 0 };
	struct moved m = { 0 };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps =
		SCRIPT({ "op=GETFILEBLOCKLOCATIONS", NOT_THERE }, { "GET /jmx", "200 OK", "{\"beans\":[]}" });
	const struct hdfs_place p = place_of(&w, HDFS_OP_OPEN, "dn1.quern.invalid");
	assert_int_equal(move(&w, &p, &m), -EHOSTUNREACH);
	assert_false(m.sent);
	assert_non_null(strstr(m.error, "/x: DataNode dn1.quern.invalid:"));
	assert_null(strstr(m.error, "SECRET"));
	world_end(&w);
}

static void the_host_map_comes_first(void **state)
{
	struct world w = { 0 };
	struct moved m = { 0 };
	struct hdfs_host host = { .name = (char *)"DN1.quern.invalid", .address = (char *)"127.0.0.1" };
	(void)state;

	w.access.hosts = &host;
	w.access.n_hosts = 1;
	world_begin(&w, 1);
	w.nodes[1].steps = SCRIPT({ "Host: dn1.quern.invalid:", "200 OK", "one" });
	const struct hdfs_place p = place_of(&w, HDFS_OP_OPEN, "dn1.quern.invalid");
	assert_int_equal(move(&w, &p, &m), 0);
	assert_came(&m, "one");
	world_end(&w);
}

static void a_datanode_says_why_not(void **state)
{
	struct world w = { 0 };
	struct moved m = { 0 };
	(void)state;

	world_begin(&w, 1);
	w.nodes[1].steps = SCRIPT({ "GET", NOT_THERE },
		{ "GET", "403 Forbidden", REFUSAL("StandbyException", "its NameNode") });
	const struct hdfs_place p = place_of(&w, HDFS_OP_OPEN, "127.0.0.1");
	assert_int_equal(move(&w, &p, &m), -ENOENT);
	assert_int_equal(m.came.len, 0);
	m = (struct moved){ 0 };
	assert_int_equal(move(&w, &p, &m), -EIO);
	world_end(&w);
}

static void bytes_that_stop_are_an_error(void **state)
{
	struct world w = { 0 };
	struct moved m = { 0 };
	(void)state;

	world_begin(&w, 1);
	w.nodes[1].server.on_request = NULL;
	const struct hdfs_place p = place_of(&w, HDFS_OP_OPEN, "127.0.0.1");
	start(&w, &p, &m);
	SCRIPT_WAIT(w.loop, w.nodes[1].server.n == 1);
	script_say_and_close(
		w.nodes[1].server.requests[0].peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234");
	SCRIPT_WAIT(w.loop, m.dones > 0);
	assert_int_equal(m.r, -ECONNRESET);
	assert_came(&m, "1234");
	world_end(&w);
}

/* ---- Uploads ---- */

static void bytes_go_as_they_are_there(void **state)
{
	struct world w = { 0 };
	struct got g;
	struct text t;
	struct moved m = { .send = "abc", .starve = true };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps =
		SCRIPT({ CREATE_X, "200 OK", redirect(&t, TO_CREATE, (unsigned)w.nodes[1].server.port) },
			{ "GET /jmx", "200 OK", NODES_JSON });
	w.nodes[1].server.on_request = NULL;
	assert_int_equal(ask(&w, &create_x, &g), 0);
	start(&w, &g.answer.place, &m);
	/* chunks, which the server takes for one more request each time that it sees an empty line */
	while (w.nodes[1].server.n < 2) {
		assert_int_equal(event_base_loop(w.loop, EVLOOP_ONCE), 0);
		if (m.starved)
			hdfs_exchange_resume(m.x);
	}
	const struct script_server *dn = &w.nodes[1].server;
	assert_non_null(strstr(dn->requests[0].head, "PUT /webhdfs/v1/x?op=CREATE&createparent=true HTTP"));
	assert_non_null(strstr(dn->requests[0].head, "Content-Type: application/octet-stream"));
	assert_string_equal(dn->requests[1].head, "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
	assert_int_equal(m.dones, 0);
	script_say(dn->requests[0].peer, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	SCRIPT_WAIT(w.loop, m.dones > 0);
	assert_int_equal(m.r, 0);
	hdfs_answer_deinit(&g.answer);
	world_end(&w);
}

/* A DataNode that is full says so in the middle, also while there is nothing to send. */
static void a_refusal_in_the_middle_of_an_upload_is_heard(void **state)
{
	struct world w = { 0 };
	struct moved m = { .send = "abc", .pull_result = -EAGAIN };
	(void)state;

	world_begin(&w, 1);
	w.nodes[1].steps = SCRIPT({ "PUT", "403 Forbidden", REFUSAL("DSQuotaExceededException", "full") });
	const struct hdfs_place p = place_of(&w, HDFS_OP_CREATE, "127.0.0.1");
	start(&w, &p, &m);
	SCRIPT_WAIT(w.loop, m.dones > 0);
	assert_int_equal(m.r, -EDQUOT);
	assert_true(m.sent);
	world_end(&w);
}

static void an_upload_that_fails_itself_ends(void **state)
{
	struct world w = { 0 };
	struct moved m = { .pull_result = -EIO };
	(void)state;

	world_begin(&w, 1);
	w.nodes[1].server.on_request = NULL;
	const struct hdfs_place p = place_of(&w, HDFS_OP_CREATE, "127.0.0.1");
	start(&w, &p, &m);
	SCRIPT_WAIT(w.loop, m.dones > 0);
	assert_int_equal(m.r, -ECANCELED);
	world_end(&w);
}

/* ---- Checksums, and ends ---- */

static void a_checksum_is_of_another_datanode_if_one_fails(void **state)
{
	struct world w = { 0 };
	struct got g;
	struct text t;
	const struct hdfs_ask a = { .op = HDFS_OP_CHECKSUM, .path = "/x" };
	(void)state;

	world_begin(&w, 1);
	const char *to =
		redirect(&t, "{\"Location\":\"http://127.0.0.1:%u/webhdfs/v1/x?op=GETFILECHECKSUM\"}",
			(unsigned)w.nodes[1].server.port);
	w.nodes[0].steps = SCRIPT({ "op=GETFILECHECKSUM", "200 OK", to },
		{ "op=GETFILECHECKSUM", "200 OK", to }, { "op=GETFILECHECKSUM", "200 OK", to });
	w.nodes[1].steps = SCRIPT({ "op=GETFILECHECKSUM", NULL },
		{ "op=GETFILECHECKSUM", "200 OK",
			"{\"FileChecksum\":{\"algorithm\":\"MD5\",\"bytes\":\"0af\",\"length\":2}}" },
		{ "op=GETFILECHECKSUM", NOT_THERE });
	assert_int_equal(ask(&w, &a, &g), 0);
	assert_string_equal(g.answer.checksum.algorithm, "MD5");
	assert_string_equal(g.answer.checksum.hex, "0af");
	hdfs_answer_deinit(&g.answer);
	assert_int_equal(ask(&w, &a, &g), -ENOENT);
	assert_ptr_equal(strstr(g.error, "webhdfs://"), g.error);
	assert_null(strstr(g.error + 4, "hdfs://")); /* named once */
	world_end(&w);
}

static void an_exchange_may_be_cancelled_and_freed(void **state)
{
	struct world w = { 0 };
	struct moved bytes = { 0 }, address = { 0 }, freed[2] = { 0 };
	struct got sum;
	struct text t;
	const struct hdfs_ask checksum = { .op = HDFS_OP_CHECKSUM, .path = "/x" };
	(void)state;

	world_begin(&w, 1);
	w.nodes[0].steps = SCRIPT({ "op=GETFILECHECKSUM", "200 OK",
		redirect(&t, "{\"Location\":\"http://127.0.0.1:%u/webhdfs/v1/x?op=GETFILECHECKSUM\"}",
			(unsigned)w.nodes[1].server.port) });
	w.nodes[1].server.on_request = NULL;
	(void)ask_it(&w, &checksum, &sum);
	SCRIPT_WAIT(w.loop, w.nodes[1].server.n == 1);
	w.nodes[0].server.on_request = NULL;
	const struct hdfs_place known = place_of(&w, HDFS_OP_OPEN, "127.0.0.1");
	start(&w, &known, &bytes);
	start(&w, &known, &freed[0]);
	const struct hdfs_place unknown = place_of(&w, HDFS_OP_OPEN, "dn1.quern.invalid");
	start(&w, &unknown, &address);
	start(&w, &unknown, &freed[1]);
	SCRIPT_WAIT(w.loop, w.nodes[1].server.n == 3 && w.nodes[0].server.n == 3);
	hdfs_exchange_cancel(bytes.x);
	hdfs_exchange_cancel(address.x);
	hdfs_exchange_cancel(address.x);
	SCRIPT_WAIT(w.loop, bytes.dones > 0 && address.dones > 0);
	assert_int_equal(bytes.r, -ECANCELED);
	assert_int_equal(address.r, -ECANCELED);
	w.fs = hdfs_fs_free(w.fs);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(freed[i].dones, 1);
		assert_int_equal(freed[i].r, -ECANCELED);
	}
	assert_int_equal(sum.dones, 1);
	assert_int_equal(sum.r, -ECANCELED);
	world_end(&w);
}

static void a_token_takes_the_place_of_the_name_and_is_never_told(void **state)
{
	struct world w = { 0 };
	struct got g;
	struct hdfs_token token = { .token = (char *)"SECRET" };
	const struct hdfs_ask stat = { .op = HDFS_OP_STAT, .path = "/x" };
	(void)state;

	world_begin(&w, 1);
	token.authority = w.nodes[0].server.at;
	w.access.tokens = &token;
	w.access.n_tokens = 1;
	w.nodes[0].steps = SCRIPT({ "/x?op=GETFILESTATUS&delegation=SECRET HTTP", "403 Forbidden",
		REFUSAL("SecretManager$InvalidToken", "token SECRET is expired") });
	assert_int_equal(ask(&w, &stat, &g), -EKEYEXPIRED);
	assert_non_null(strstr(g.error, "token ****** is expired"));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come),
		cmocka_unit_test(httpfs_is_told_of_once),
		cmocka_unit_test(a_name_without_an_address_is_asked_for_once),
		cmocka_unit_test(a_new_file_has_the_list_of_datanodes),
		cmocka_unit_test(a_name_that_nobody_knows_is_an_error),
		cmocka_unit_test(the_host_map_comes_first),
		cmocka_unit_test(a_datanode_says_why_not),
		cmocka_unit_test(bytes_that_stop_are_an_error),
		cmocka_unit_test(bytes_go_as_they_are_there),
		cmocka_unit_test(a_refusal_in_the_middle_of_an_upload_is_heard),
		cmocka_unit_test(an_upload_that_fails_itself_ends),
		cmocka_unit_test(a_checksum_is_of_another_datanode_if_one_fails),
		cmocka_unit_test(an_exchange_may_be_cancelled_and_freed),
		cmocka_unit_test(a_token_takes_the_place_of_the_name_and_is_never_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
