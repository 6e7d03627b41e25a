/* Delegation tokens, with a NameNode that answers as the test says: what it is asked, and what executors are
 * told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "scheduler/hdfs_tokens.h"

enum { PATIENCE_S = 60 };

struct bench {
	struct event_base *loop;
	struct evhttp *http;
	struct event *timeout;
	uint16_t port;
	struct hdfs_access access;
	struct hdfs_tokens *tokens;
	struct buf trace;
	unsigned taken, renewed, cancelled; /* requests so far */
	unsigned stop_renewed;              /* breaks the loop after so many */

	/* What the NameNode does. */
	bool gives_none, refuses;
	unsigned invalid;            /* this renewal, counted from 1, is refused */
	unsigned dies;               /* at this one the token has not long to live */
	struct evhttp_request *held; /* a request for a token that is not answered yet */
	bool holds;
};

static void note(struct bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct bench *b, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	assert_int_equal(buf_add_str(&b->trace, text), 0);
}

/* What came about since the last call. */
#define assert_trace(b, text)                                                                                \
	do {                                                                                                 \
		assert_int_equal(buf_add(&(b)->trace, "", 1), 0);                                            \
		assert_string_equal((const char *)(b)->trace.data, text);                                    \
		buf_clear(&(b)->trace);                                                                      \
	} while (0)

/* ---- The NameNode ---- */

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void answer(struct evhttp_request *request, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void answer(struct evhttp_request *request, int status, const char *format, ...)
{
	struct evbuffer *body = evbuffer_new();
	va_list ap;

	assert_non_null(body);
	va_start(ap, format);
	(void)evbuffer_add_vprintf(body, format, ap);
	va_end(ap);
	(void)evhttp_add_header(
		evhttp_request_get_output_headers(request), "Content-Type", "application/json");
	evhttp_send_reply(request, status, "", body);
	evbuffer_free(body);
}

static void answer_exception(struct evhttp_request *request, int status, const char *name, const char *words)
{
	answer(request, status,
		"{\"RemoteException\":{\"exception\":\"%s\",\"javaClassName\":\"org.apache.hadoop.%s\","
		"\"message\":\"%s\"}}",
		name, name, words);
}

static void give_token(struct bench *b, struct evhttp_request *request)
{
	if (b->gives_none)
		answer(request, 200, "{\"Token\":null}");
	else if (b->refuses)
		answer_exception(request, 403, "AccessControlException", "you may not");
	else
		answer(request, 200, "{\"Token\":{\"urlString\":\"token-%u\"}}", b->taken);
}

static void renew_token(struct bench *b, struct evhttp_request *request)
{
	if (b->renewed == b->invalid)
		answer_exception(request, 403, "InvalidToken", "token can't be found in cache");
	else
		answer(request, 200, "{\"long\":%llu}",
			(unsigned long long)(now_ms() + (b->renewed == b->dies ? 100 : 800)));
	if (b->renewed == b->stop_renewed)
		(void)event_base_loopbreak(b->loop);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct bench *b = arg;
	struct evkeyvalq query = { 0 };

	assert_int_equal(
		evhttp_parse_query_str(evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request)), &query),
		0);
	const char *op = evhttp_find_header(&query, "op"), *token = evhttp_find_header(&query, "token");
	assert_non_null(op);
	assert_null(evhttp_find_header(&query, "delegation")); /* one is needed that is the user's own word */
	if (strcmp(op, "GETDELEGATIONTOKEN") == 0) {
		b->taken++;
		note(b, "get\n");
		if (b->holds) {
			b->held = request;
			(void)event_base_loopbreak(b->loop);
		} else
			give_token(b, request);
	} else if (strcmp(op, "RENEWDELEGATIONTOKEN") == 0) {
		assert_int_equal(evhttp_request_get_command(request), EVHTTP_REQ_PUT);
		b->renewed++;
		note(b, "renew %s\n", token);
		renew_token(b, request);
	} else {
		assert_string_equal(op, "CANCELDELEGATIONTOKEN");
		assert_int_equal(evhttp_request_get_command(request), EVHTTP_REQ_PUT);
		b->cancelled++;
		note(b, "cancel %s\n", token);
		answer(request, 200, "%s", "");
	}
	evhttp_clear_headers(&query);
}

/* ---- The driver ---- */

static void on_changed(void *arg, const void *data, size_t len)
{
	struct bench *b = arg;
	struct hdfs_access a;
	struct err err;

	assert_int_equal(hdfs_access_unpack(data, len, &a, &err), 0);
	assert_false(a.negotiate);
	note(b, "executors:");
	for (size_t i = 0; i < a.n_tokens; i++)
		note(b, " %s", a.tokens[i].token);
	note(b, " %s\n", a.user);
	hdfs_access_deinit(&a);
}

static void on_ready(void *arg, int r, const char *why)
{
	struct bench *b = arg;

	note(b, "%s\n", r == 0 ? "ready" : "not ready");
	assert_int_equal(r == 0, why[0] == '\0');
	(void)event_base_loopbreak(b->loop);
}

static void on_ended(void *arg)
{
	struct bench *b = arg;

	note(b, "ended\n");
	(void)event_base_loopbreak(b->loop);
}

static void on_warn(void *arg, const char *text)
{
	struct bench *b = arg;

	assert_null(strstr(text, "token-"));
	note(b, "warning\n");
}

static const struct hdfs_tokens_ops ops = {
	.changed = on_changed, .ready = on_ready, .ended = on_ended, .warn = on_warn
};

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fail_msg("nothing happens any more");
}

static void bench_open(struct bench *b, bool negotiate)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof(at);
	struct err err;

	*b = (struct bench){ .loop = event_base_new(), .trace = BUF_INIT(1 << 16) };
	assert_non_null(b->loop);
	b->http = evhttp_new(b->loop);
	assert_non_null(b->http);
	evhttp_set_allowed_methods(b->http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT);
	evhttp_set_gencb(b->http, on_request, b);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(b->http, "127.0.0.1", 0);
	assert_non_null(bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len), 0);
	b->port = ntohs(at.sin_port);
	b->timeout = event_new(b->loop, -1, 0, on_timeout, NULL);
	assert_non_null(b->timeout);
	assert_int_equal(event_add(b->timeout, &patience), 0);
	b->access = (struct hdfs_access){ .negotiate = negotiate, .patience_ms = 2000 };
	assert_int_equal(hdfs_access_set_user(&b->access, "alice", &err), 0);
}

static void bench_start(struct bench *b)
{
	struct err err = { "" };

	if (hdfs_tokens_new(b->loop, &b->access, &ops, b, &b->tokens, &err) < 0)
		fail_msg("%s", err.text);
}

static void run(struct bench *b)
{
	assert_true(event_base_dispatch(b->loop) >= 0);
}

/* Wants tokens for two files of the NameNode's. */
static void want(struct bench *b)
{
	char first[64], second[64];
	const char *urls[] = { first, second };
	struct err err = { "" };

	(void)snprintf(first, sizeof(first), "webhdfs://127.0.0.1:%u/in", b->port);
	(void)snprintf(second, sizeof(second), "webhdfs://127.0.0.1:%u/out", b->port);
	if (hdfs_tokens_want(b->tokens, urls, 2, &err) < 0)
		fail_msg("%s", err.text);
	run(b);
}

static void end(struct bench *b)
{
	if (hdfs_tokens_end(b->tokens))
		run(b);
	else
		note(b, "nothing left\n");
}

static void bench_close(struct bench *b)
{
	assert_null(hdfs_tokens_free(b->tokens));
	evhttp_free(b->http);
	event_free(b->timeout);
	event_base_free(b->loop);
	buf_deinit(&b->trace);
	hdfs_access_deinit(&b->access);
}

/* ---- Tests ---- */

static void taken_once_and_cancelled(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	bench_start(&b);
	want(&b);
	assert_trace(&b, "get\nrenew token-1\nexecutors: token-1 alice\nready\n");
	want(&b); /* of the next action */
	assert_trace(&b, "executors: token-1 alice\nready\n");
	end(&b);
	assert_trace(&b, "cancel token-1\nended\n");
	bench_close(&b);
}

static void without_kerberos_none_is_asked_for(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, false);
	bench_start(&b);
	want(&b);
	assert_trace(&b, "executors: alice\nready\n");
	end(&b);
	assert_trace(&b, "nothing left\n");
	bench_close(&b);
}

static void a_cluster_may_give_none(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	b.gives_none = true;
	bench_start(&b);
	want(&b);
	assert_trace(&b, "get\nexecutors: alice\nready\n");
	want(&b);
	assert_trace(&b, "executors: alice\nready\n");
	end(&b);
	assert_trace(&b, "nothing left\n");
	bench_close(&b);
}

static void one_that_is_refused_is_asked_for_again(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	b.refuses = true;
	bench_start(&b);
	want(&b);
	assert_trace(&b, "get\nnot ready\n");
	b.refuses = false;
	want(&b);
	assert_trace(&b, "get\nrenew token-2\nexecutors: token-2 alice\nready\n");
	bench_close(&b);
}

static void one_that_was_given_is_passed_on(void **state)
{
	struct bench b;
	struct err err;
	char authority[32];
	(void)state;

	bench_open(&b, true);
	(void)snprintf(authority, sizeof(authority), "127.0.0.1:%u", b.port);
	assert_int_equal(hdfs_access_add_token(&b.access, authority, "given", &err), 0);
	bench_start(&b);
	want(&b);
	assert_trace(&b, "executors: given alice\nready\n");
	end(&b);
	assert_trace(&b, "nothing left\n");
	bench_close(&b);
}

static void renewed_before_it_expires(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	b.stop_renewed = 3;
	bench_start(&b);
	want(&b);
	assert_trace(&b, "get\nrenew token-1\nexecutors: token-1 alice\nready\n");
	run(&b);
	assert_trace(&b, "renew token-1\nrenew token-1\n");
	bench_close(&b);
}

/* At the end of its life, or when the NameNode has lost it. */
static void replaced(struct bench *b)
{
	bench_start(b);
	b->stop_renewed = 4; /* the first of the new one is the third */
	want(b);
	assert_trace(b, "get\nrenew token-1\nexecutors: token-1 alice\nready\n");
	run(b);
	assert_trace(b, "renew token-1\nget\nrenew token-2\nexecutors: token-2 alice\nrenew token-2\n");
	end(b);
	assert_int_equal(b->cancelled, 2);
	bench_close(b);
}

static void another_one_near_the_end_of_its_life(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	b.dies = 2;
	replaced(&b);
}

static void another_one_when_it_is_lost(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	b.invalid = 2;
	replaced(&b);
}

static void one_that_comes_too_late_is_cancelled(void **state)
{
	struct bench b;
	(void)state;

	bench_open(&b, true);
	b.holds = true;
	bench_start(&b);
	want(&b); /* until the request is there */
	assert_trace(&b, "get\n");
	assert_true(hdfs_tokens_end(b.tokens));
	give_token(&b, b.held);
	run(&b);
	assert_trace(&b, "cancel token-1\nended\n");
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_once_and_cancelled),
		cmocka_unit_test(without_kerberos_none_is_asked_for),
		cmocka_unit_test(a_cluster_may_give_none),
		cmocka_unit_test(one_that_is_refused_is_asked_for_again),
		cmocka_unit_test(one_that_was_given_is_passed_on),
		cmocka_unit_test(renewed_before_it_expires),
		cmocka_unit_test(another_one_near_the_end_of_its_life),
		cmocka_unit_test(another_one_when_it_is_lost),
		cmocka_unit_test(one_that_comes_too_late_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
