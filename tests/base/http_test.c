/* http_test.c: base/http.h against a server whose every byte is scripted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>

#include "base/buf.h"
#include "base/http.h"
#include "tests/base/script_server.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"

struct world {
	struct event_base *loop;
	struct http_client *http;
	struct script_server server;
	char url[64];
	const char *answer; /* of the server, to every request, if set */
};

/* What became of one request. */
struct seen {
	struct world *w;
	struct http_request *request;
	int heads, pieces, dones;
	int result;
	long status;
	char error[256], location[256], stream_id[128], type[128];
	struct buf body;
	/* What the callbacks do. */
	int head_return, data_return;
	bool cancel_in_head, cancel_in_data;
	struct seen *start_in_head, *start_in_data, *start_in_done;
};

static void start(struct seen *s, struct world *w, const struct http_options *options);

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from != NULL ? from : "(none)");
}

static void start_get(struct seen *s, struct world *w)
{
	const struct http_options o = { .method = "GET" };

	start(s, w, &o);
}

static int on_head(void *arg, const struct http_response *r)
{
	struct seen *s = arg;

	s->heads++;
	assert_int_equal(s->pieces + s->dones, 0);
	assert_int_equal(r->result, 0);
	assert_null(r->body);
	s->status = r->status;
	if (s->start_in_head != NULL)
		start_get(s->start_in_head, s->w);
	if (s->cancel_in_head)
		http_cancel(s->request);
	return s->head_return;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct seen *s = arg;

	s->pieces++;
	assert_int_equal(s->heads, 1);
	assert_int_equal(s->dones, 0);
	assert_int_equal(buf_add(&s->body, data, len), 0);
	if (s->start_in_data != NULL) {
		start_get(s->start_in_data, s->w);
		s->start_in_data = NULL;
	}
	if (s->cancel_in_data)
		http_cancel(s->request);
	return s->data_return;
}

static void on_done(void *arg, const struct http_response *r)
{
	struct seen *s = arg;

	s->dones++;
	s->request = NULL;
	s->result = r->result;
	s->status = r->status;
	copy(s->error, sizeof(s->error), r->error);
	copy(s->location, sizeof(s->location), r->location);
	copy(s->stream_id, sizeof(s->stream_id), r->stream_id);
	copy(s->type, sizeof(s->type), r->content_type);
	if (r->body_len > 0)
		assert_int_equal(buf_add(&s->body, r->body, r->body_len), 0);
	if (s->start_in_done != NULL)
		start_get(s->start_in_done, s->w);
}

static void start(struct seen *s, struct world *w, const struct http_options *options)
{
	struct http_options o = *options;
	struct err err = { "" };

	s->w = w;
	s->body.max = 16 << 20;
	if (o.url == NULL)
		o.url = w->url;
	o.done = on_done;
	o.arg = s;
	assert_int_equal(http_start(w->http, &o, &s->request, &err), 0);
	assert_int_equal(s->dones, 0); /* never from inside */
}

static void start_stream(struct seen *s, struct world *w)
{
	const struct http_options o = {
		.method = "POST", .body = "x", .body_len = 1, .on_head = on_head, .on_data = on_data
	};

	start(s, w, &o);
}

static void answer(void *arg, struct script_request *r)
{
	struct world *w = arg;

	if (w->answer != NULL)
		script_say(r->peer, w->answer);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	assert_non_null(w);
	(void)signal(SIGPIPE, SIG_IGN);
	w->loop = event_base_new();
	assert_int_equal(http_client_new(w->loop, 0, &w->http, &err), 0);
	script_listen(&w->server, w->loop);
	w->server.on_request = answer;
	w->server.arg = w;
	(void)snprintf(w->url, sizeof(w->url), "http://%s/path?q=1", w->server.at);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	assert_null(http_client_free(w->http));
	script_end(&w->server);
	event_base_free(w->loop);
	free(w);
	return 0;
}

#define WAIT(w, condition) SCRIPT_WAIT((w)->loop, condition)

/* Has the request end, and expects its one `done`. */
static void finish(struct seen *s)
{
	WAIT(s->w, s->dones > 0);
	assert_int_not_equal(event_base_loop(s->w->loop, EVLOOP_NONBLOCK), -1);
	assert_int_equal(s->dones, 1);
}

static void assert_body(struct seen *s, const char *text)
{
	assert_int_equal(s->body.len, strlen(text));
	if (s->body.len > 0)
		assert_memory_equal(s->body.data, text, s->body.len);
	buf_deinit(&s->body);
}

/* ---- Exchanges that take place ---- */

static void a_get_gives_status_headers_and_body(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };

	w->answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nContent-Type:  text/plain \r\n"
		    "mesos-stream-ID:\tabc \r\nLocation: //h:1/p\r\n\r\nwords";
	start_get(&s, w);
	finish(&s);
	assert_int_equal(s.result, 0);
	assert_int_equal(s.status, 404);
	assert_string_equal(s.type, "text/plain");
	assert_string_equal(s.stream_id, "abc");
	assert_string_equal(s.location, "//h:1/p");
	assert_string_equal(s.error, "(none)");
	assert_body(&s, "words");
	assert_int_equal(w->server.n, 1); /* the Location was not followed */
	assert_ptr_equal(
		strstr(w->server.requests[0].head, "GET /path?q=1 HTTP/1.1\r\n"), w->server.requests[0].head);
}

static void a_post_sends_headers_and_bytes_as_they_are(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	static const char body[] = "a\0b\r\n\xff";
	const char *const headers[] = { "Content-Type: application/x-protobuf", "X-Empty;", NULL };
	const struct http_options o = {
		.method = "PUT", .body = body, .body_len = sizeof(body), .headers = headers
	};
	char value[256];

	w->answer = OK_HELLO;
	start(&s, w, &o);
	finish(&s);
	assert_int_equal(s.status, 200);
	assert_body(&s, "hello");
	const struct script_request *r = &w->server.requests[0];
	assert_ptr_equal(strstr(r->head, "PUT /path"), r->head);
	assert_int_equal(r->body_len, sizeof(body));
	assert_memory_equal(r->body, body, sizeof(body));
	assert_string_equal(script_header(r, "Content-Type", value), "application/x-protobuf");
	assert_string_equal(script_header(r, "Expect", value), "");
}

static void a_body_of_no_bytes_is_one(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	const struct http_options o = { .method = "POST", .body = "", .body_len = 0 };
	char value[256];

	w->answer = OK_HELLO;
	start(&s, w, &o);
	finish(&s);
	assert_body(&s, "hello");
	assert_string_equal(script_header(&w->server.requests[0], "Content-Length", value), "0");
}

static void a_connection_is_kept_for_the_next_request(void **state)
{
	struct world *w = *state;

	w->answer = OK_HELLO;
	for (int i = 0; i < 5; i++) {
		struct seen s = { 0 };

		start_get(&s, w);
		finish(&s);
		assert_body(&s, "hello");
	}
	assert_int_equal(w->server.n_peers, 1);
}

/* The kept connection went away meanwhile: that is not the request's fault. */
static void a_kept_connection_that_closed_is_replaced(void **state)
{
	struct world *w = *state;
	struct seen one = { 0 }, two = { 0 };

	w->answer = OK_HELLO;
	start_get(&one, w);
	finish(&one);
	assert_body(&one, "hello");
	script_close(w->server.peers[0]);
	start_stream(&two, w);
	finish(&two);
	assert_int_equal(two.result, 0);
	assert_body(&two, "hello");
	assert_int_equal(w->server.n_peers, 2);
}

static void a_stream_is_given_as_it_comes(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };

	start_stream(&s, w);
	WAIT(w, w->server.n == 1);
	struct script_peer *p = w->server.requests[0].peer;
	script_say(p,
		"HTTP/1.1 100 Continue\r\nContent-Type: no/thing\r\n\r\n"
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: 7\r\n\r\n3\r\nabc\r\n");
	WAIT(w, s.pieces == 1);
	assert_int_equal(s.status, 200);
	script_say(p, "2\r\nx");
	WAIT(w, s.body.len == 4);
	assert_int_equal(s.dones, 0);
	script_say(p, "y\r\n0\r\nX-Trailer: t\r\n\r\n");
	finish(&s);
	assert_int_equal(s.heads, 1);
	assert_int_equal(s.result, 0);
	assert_string_equal(s.stream_id, "7");
	assert_string_equal(s.type, "(none)"); /* of the last head, not of the 100 */
	assert_body(&s, "abcxy");
}

static void a_head_without_a_body_is_told_too(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };

	w->answer = "HTTP/1.1 307 Temporary Redirect\r\nLocation: //h:1/p\r\nContent-Length: 0\r\n\r\n";
	start_stream(&s, w);
	finish(&s);
	assert_int_equal(s.heads, 1);
	assert_int_equal(s.pieces, 0);
	assert_int_equal(s.status, 307);
	assert_string_equal(s.location, "//h:1/p");
}

static void many_at_once_each_end_once(void **state)
{
	struct world *w = *state;
	enum { MANY = 40 };
	struct seen s[MANY] = { 0 };

	w->answer = OK_HELLO;
	for (int i = 0; i < MANY; i++)
		start_get(&s[i], w);
	for (int i = 0; i < MANY; i++) {
		finish(&s[i]);
		assert_int_equal(s[i].result, 0);
		assert_body(&s[i], "hello");
	}
}

/* ---- What callbacks may do ---- */

static void requests_may_be_started_in_every_callback(void **state)
{
	struct world *w = *state;
	struct seen in_head = { 0 }, in_data = { 0 }, in_done = { 0 };
	struct seen s = { .start_in_head = &in_head, .start_in_data = &in_data, .start_in_done = &in_done };
	struct seen *all[] = { &s, &in_head, &in_data, &in_done };

	w->answer = OK_HELLO;
	start_stream(&s, w);
	for (int i = 0; i < 4; i++) {
		WAIT(w, all[i]->dones == 1);
		assert_int_equal(all[i]->result, 0);
		assert_body(all[i], "hello");
	}
}

static void a_request_started_in_a_callback_can_be_cancelled_there(void **state)
{
	struct world *w = *state;
	struct seen inner = { 0 }, s = { .start_in_data = &inner };

	start_stream(&s, w);
	WAIT(w, w->server.n == 1);
	script_say(w->server.requests[0].peer, OK_HELLO);
	WAIT(w, inner.request != NULL);
	http_cancel(inner.request);
	finish(&inner);
	assert_int_equal(inner.result, -ECANCELED);
	finish(&s);
	assert_int_equal(s.result, 0);
	assert_body(&s, "hello");
}

static void a_head_that_is_not_wanted_ends_the_request(void **state)
{
	for (int how = 0; how < 2; how++) {
		struct world *w = *state;
		struct seen s = { .head_return = how == 0 ? -EINVAL : 0, .cancel_in_head = how == 1 };

		w->answer = OK_HELLO;
		start_stream(&s, w);
		finish(&s);
		assert_int_equal(s.heads, 1);
		assert_int_equal(s.pieces, 0);
		assert_int_equal(s.result, -ECANCELED);
	}
}

static void a_head_alone_that_is_not_wanted_ends_the_request(void **state)
{
	for (int how = 0; how < 2; how++) {
		struct world *w = *state;
		struct seen s = { .head_return = how == 0 ? 1 : 0, .cancel_in_head = how == 1 };

		w->answer = "HTTP/1.1 204 No Content\r\n\r\n";
		start_stream(&s, w);
		finish(&s);
		assert_int_equal(s.heads, 1);
		assert_int_equal(s.result, -ECANCELED);
		assert_string_equal(s.error, "cancelled");
	}
}

static void data_that_is_not_wanted_ends_the_request(void **state)
{
	for (int how = 0; how < 2; how++) {
		struct world *w = *state;
		struct seen s = { .data_return = how == 0 ? 1 : 0, .cancel_in_data = how == 1 };

		w->answer = OK_HELLO;
		start_stream(&s, w);
		finish(&s);
		assert_int_equal(s.pieces, 1);
		assert_int_equal(s.result, -ECANCELED);
		assert_string_equal(s.error, "cancelled");
		assert_body(&s, "hello");
	}
}

static void cancelling_ends_a_request_wherever_it_is(void **state)
{
	struct world *w = *state;
	struct seen early = { 0 }, late = { 0 };

	start_get(&early, w);
	http_cancel(early.request);
	http_cancel(early.request);
	assert_int_equal(early.dones, 0);
	finish(&early);
	assert_int_equal(early.result, -ECANCELED);
	http_cancel(NULL);

	start_stream(&late, w);
	WAIT(w, w->server.n >= 1);
	script_say(w->server.requests[w->server.n - 1].peer,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
	WAIT(w, late.pieces == 1);
	http_cancel(late.request);
	finish(&late);
	assert_int_equal(late.result, -ECANCELED);
	assert_body(&late, "a");
	WAIT(w, w->server.n_open == 0); /* a stream that was left is not kept */
}

static void freeing_the_client_ends_what_is_under_way(void **state)
{
	struct world *w = *state;
	struct seen s[3] = { 0 };

	for (int i = 0; i < 3; i++)
		start_stream(&s[i], w);
	WAIT(w, w->server.n == 3);
	script_say(w->server.requests[0].peer,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
	for (int i = 0; i < 3 && s[0].pieces + s[1].pieces + s[2].pieces == 0; i++)
		WAIT(w, s[0].pieces + s[1].pieces + s[2].pieces == 1);
	w->http = http_client_free(w->http);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(s[i].dones, 1);
		assert_int_equal(s[i].result, -ECANCELED);
		buf_deinit(&s[i].body);
	}
}

static void on_done_again(void *arg, const struct http_response *r)
{
	struct seen *s = arg;
	const struct http_options o = { .method = "GET", .url = s->w->url, .done = on_done_again, .arg = s };

	assert_int_equal(r->result, -ECANCELED);
	s->dones++;
	assert_int_equal(http_start(s->w->http, &o, NULL, NULL), -ECANCELED);
}

/* Who tries again at once would keep it alive for ever. */
static void a_client_that_is_freed_takes_no_more(void **state)
{
	struct world *w = *state;
	struct seen s = { .w = w };
	const struct http_options o = { .method = "GET", .url = w->url, .done = on_done_again, .arg = &s };

	assert_int_equal(http_start(w->http, &o, NULL, NULL), 0);
	w->http = http_client_free(w->http);
	assert_int_equal(s.dones, 1);
}

/* ---- Exchanges that do not ---- */

/* One answer, as long as it lasts, then the end of the connection. */
static void expect_broken(struct world *w, const char *answered, bool reset, int result)
{
	struct seen s = { 0 };

	start_stream(&s, w);
	WAIT(w, w->server.n > 0 && w->server.requests[w->server.n - 1].peer->bev != NULL);
	struct script_peer *p = w->server.requests[w->server.n - 1].peer;
	if (reset) {
		script_say(p, answered);
		WAIT(w, s.pieces == 1);
		script_reset(p);
	} else if (answered[0] == '\0') {
		script_close(p);
	} else {
		script_say_and_close(p, answered);
	}
	finish(&s);
	assert_int_equal(s.result, result);
	assert_string_not_equal(s.error, "");
	assert_string_not_equal(s.error, "(none)");
	buf_deinit(&s.body);
}

static void a_connection_that_breaks_is_an_error(void **state)
{
	struct world *w = *state;

	expect_broken(w, "", false, -ECONNRESET);
	expect_broken(w, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", false, -ECONNRESET);
	expect_broken(w, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true, -ECONNRESET);
	expect_broken(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", false, -ECONNRESET);
}

static void an_answer_that_is_not_http_is_an_error(void **state)
{
	struct world *w = *state;

	expect_broken(w, "nonsense\r\n\r\n", false, -EIO);
	/* which of the two a bad chunk is, libcurl decides by its version */
	expect_broken(
		w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc", false, -ECONNRESET);
	expect_broken(w, "HTTP/1.1 200 OK\r\nContent-Length: much\r\n\r\nabc", false, -EIO);
}

static void a_nul_in_a_head_is_an_error(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	static const char head[] = "HTTP/1.1 200 OK\r\nMesos-Stream-Id: a\0b\r\nContent-Length: 0\r\n\r\n";

	start_stream(&s, w);
	WAIT(w, w->server.n == 1);
	script_send(w->server.requests[0].peer, head, sizeof(head) - 1);
	finish(&s);
	assert_int_equal(s.result, -EIO);
	assert_int_equal(s.heads, 0);
}

static void a_head_without_end_is_an_error(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	char line[1024];

	start_stream(&s, w);
	WAIT(w, w->server.n == 1);
	struct script_peer *p = w->server.requests[0].peer;
	script_say(p, "HTTP/1.1 200 OK\r\n");
	memset(line, 'x', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	while (s.dones == 0) {
		if (p->bev != NULL)
			script_send(p, line, sizeof(line));
		assert_int_equal(event_base_loop(w->loop, EVLOOP_ONCE), 0);
	}
	assert_true(s.result < 0);
	assert_int_equal(s.heads, 0);
}

static void a_body_above_its_limit_is_an_error(void **state)
{
	struct world *w = *state;
	struct seen fits = { 0 }, above = { 0 };
	struct http_options o = { .method = "GET", .max_body = 5 };

	w->answer = OK_HELLO;
	start(&fits, w, &o);
	finish(&fits);
	assert_int_equal(fits.result, 0);
	assert_body(&fits, "hello");
	o.max_body = 4;
	start(&above, w, &o);
	finish(&above);
	assert_int_equal(above.result, -EMSGSIZE);
	assert_string_equal(above.error, "the answer is longer than it may be");
	buf_deinit(&above.body);
}

static void nobody_there_is_an_error(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };

	evconnlistener_free(w->server.listener);
	w->server.listener = NULL;
	start_get(&s, w);
	finish(&s);
	assert_int_equal(s.result, -ECONNREFUSED);
	assert_non_null(strstr(s.error, "127.0.0.1"));
}

static void an_answer_that_takes_too_long_is_an_error(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	const struct http_options o = { .method = "GET", .timeout_ms = 20 };

	start(&s, w, &o); /* no answer is given */
	finish(&s);
	assert_int_equal(s.result, -ETIMEDOUT);
}

static void what_is_no_url_is_refused_at_once(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = { "", "http://", "http://h:99999/", "http://h:12x/", "ftp://h/f",
		"file:///etc/passwd", "http://a b/", "http://h\n/" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct seen s = { 0 };
		struct err err = { "" };
		struct http_request *request = NULL;
		const struct http_options o = { .method = "GET", .url = bad[i], .done = on_done, .arg = &s };

		assert_int_equal(http_start(w->http, &o, &request, &err), -EINVAL);
		assert_string_not_equal(err.text, "");
		assert_null(request);
		assert_int_not_equal(event_base_loop(w->loop, EVLOOP_NONBLOCK), -1);
		assert_int_equal(s.dones, 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_get_gives_status_headers_and_body),
		TEST(a_post_sends_headers_and_bytes_as_they_are),
		TEST(a_body_of_no_bytes_is_one),
		TEST(a_connection_is_kept_for_the_next_request),
		TEST(a_kept_connection_that_closed_is_replaced),
		TEST(a_stream_is_given_as_it_comes),
		TEST(a_head_without_a_body_is_told_too),
		TEST(many_at_once_each_end_once),
		TEST(requests_may_be_started_in_every_callback),
		TEST(a_request_started_in_a_callback_can_be_cancelled_there),
		TEST(a_head_that_is_not_wanted_ends_the_request),
		TEST(a_head_alone_that_is_not_wanted_ends_the_request),
		TEST(data_that_is_not_wanted_ends_the_request),
		TEST(cancelling_ends_a_request_wherever_it_is),
		TEST(freeing_the_client_ends_what_is_under_way),
		TEST(a_client_that_is_freed_takes_no_more),
		TEST(a_connection_that_breaks_is_an_error),
		TEST(an_answer_that_is_not_http_is_an_error),
		TEST(a_nul_in_a_head_is_an_error),
		TEST(a_head_without_end_is_an_error),
		TEST(a_body_above_its_limit_is_an_error),
		TEST(nobody_there_is_an_error),
		TEST(an_answer_that_takes_too_long_is_an_error),
		TEST(what_is_no_url_is_refused_at_once),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
