/* pool_test.c: nobody waits any longer: hdfs_pool_interrupt(), while a call is under way and before the
 * first; files that are made only in a folder that is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hdfs_client/hdfs.h"
#include "tests/hdfs_client/name_nodes.h"

/* A NameNode that takes connections, and says nothing. */
struct silence {
	int listener;
	char url[64];
	struct hdfs_access access;
	struct hdfs_pool *pool;
	struct hdfs *fs;
	struct err err;
};

static void begin(struct silence *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);

	*s = (struct silence){ .access = { .user = (char *)"ann" } };
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->listener, 5), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(s->url, sizeof(s->url), "webhdfs://127.0.0.1:%u/x", ntohs(a.sin_port));
	assert_int_equal(hdfs_pool_new(&s->access, &s->pool, &s->err), 0);
	assert_int_equal(hdfs_pool_get(s->pool, s->url, &s->fs, NULL, &s->err), 0);
}

static void end(struct silence *s)
{
	(void)hdfs_pool_free(s->pool);
	(void)close(s->listener);
}

/* Once it has been asked. */
static void *interrupt(void *arg)
{
	struct silence *s = arg;
	int peer = accept(s->listener, NULL, NULL);

	hdfs_pool_interrupt(s->pool);
	hdfs_pool_interrupt(s->pool);
	(void)close(peer);
	return NULL;
}

static int stat_it(struct silence *s)
{
	struct hdfs_status status;

	return hdfs_stat(s->fs, "/x", &status, &s->err);
}

static void a_call_that_waits_ends(void **state)
{
	struct silence s;
	pthread_t thread;

	(void)state;
	begin(&s);
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &s), 0);
	assert_int_equal(stat_it(&s), -ECANCELED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(stat_it(&s), -ECANCELED);
	assert_non_null(strstr(s.err.text, "127.0.0.1"));
	end(&s);
}

static void no_call_begins_afterwards(void **state)
{
	const struct hdfs_create how = { .permission = HDFS_DEFAULT_PERMISSION };
	struct hdfs_writer *w = NULL;
	struct silence s;

	(void)state;
	begin(&s);
	hdfs_pool_interrupt(s.pool);
	assert_int_equal(stat_it(&s), -ECANCELED);
	assert_int_equal(hdfs_create(s.fs, "/x", &how, &w, &s.err), -ECANCELED);
	assert_null(w);
	end(&s);
}

/* Of hdfs:// the port is that of RPC, and another one is asked. */
static void urls_of_one_authority_may_be_two_file_systems(void **state)
{
	static const char *const urls[] = { "hdfs://nn/a", "webhdfs://nn/b", "hdfs://nn:8020/a",
		"webhdfs://nn:8020/b", "webhdfs://NN:8020/c", "swebhdfs://nn/a" };
	struct hdfs *fs[6];
	struct silence s;

	(void)state;
	begin(&s);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(hdfs_pool_get(s.pool, urls[i], &fs[i], NULL, &s.err), 0);
	assert_ptr_equal(fs[0], fs[1]);
	assert_ptr_not_equal(fs[2], fs[3]);
	assert_ptr_equal(fs[3], fs[4]);
	assert_ptr_not_equal(fs[0], fs[5]);
	end(&s);
}

/* On the loop: what is under way ends with a `done` each, and nothing follows. */
static void a_file_system_that_is_closed_asks_no_more(void **state)
{
	static const struct hdfs_ask asks[] = { { .op = HDFS_OP_STAT, .path = "/x" },
		{ .op = HDFS_OP_RENAME, .path = "/x", .to = "/y" } };
	struct got got[2];
	struct world w = { 0 };

	(void)state;
	world_begin(&w, 1);
	w.nodes[0].server.on_request = NULL; /* no answer */
	for (size_t i = 0; i < 2; i++)
		(void)ask_it(&w, &asks[i], &got[i]);
	SCRIPT_WAIT(w.loop, w.nodes[0].server.n == 2);
	hdfs_fs_close(w.fs);
	assert_int_equal(got[0].dones + got[1].dones, 0);
	SCRIPT_WAIT(w.loop, got[0].dones + got[1].dones == 2);
	assert_int_equal(got[0].r, -ECANCELED);
	assert_int_equal(got[1].r, -ECANCELED);
	assert_int_equal(hdfs_fs_ask(w.fs, &asks[0], got_it, &got[0], NULL, NULL), -ECANCELED);
	world_end(&w);
}

static void a_file_may_need_its_folder(void **state)
{
	static const struct step steps[] = {
		{ "op=CREATE&user.name=ann&overwrite=false&createparent=false&noredirect", NOT_THERE },
		{ "op=CREATE&user.name=ann&overwrite=false&noredirect", NOT_THERE }, { 0 }
	};
	struct got got;
	struct world w = { 0 };

	(void)state;
	world_begin(&w, 1);
	w.nodes[0].steps = steps;
	struct hdfs_ask a = {
		.op = HDFS_OP_CREATE, .path = "/x/y", .permission = HDFS_DEFAULT_PERMISSION, .in_folder = true
	};
	assert_int_equal(ask(&w, &a, &got), -ENOENT);
	a.in_folder = false;
	assert_int_equal(ask(&w, &a, &got), -ENOENT);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_waits_ends),
		cmocka_unit_test(no_call_begins_afterwards),
		cmocka_unit_test(urls_of_one_authority_may_be_two_file_systems),
		cmocka_unit_test(a_file_system_that_is_closed_asks_no_more),
		cmocka_unit_test(a_file_may_need_its_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
