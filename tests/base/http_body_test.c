/* http_body_test.c: bodies that are pulled, pauses, idle time, and the ways not to get anywhere. */
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

struct world {
	struct event_base *loop;
	struct http_client *http;
	struct script_server server;
	char url[64];
};

struct seen {
	struct http_request *request;
	const char *send; /* pulled whole; NULL: -EAGAIN */
	bool pause_in_data;
	int pulls, dones, result;
	bool sent;
	long status;
	struct buf body;
};

static ssize_t pull(void *arg, void *to, size_t room)
{
	struct seen *s = arg;

	s->pulls++;
	if (s->send == NULL)
		return -EAGAIN;
	size_t len = strlen(s->send);
	assert_true(len <= room);
	memcpy(to, s->send, len);
	s->send += len;
	return (ssize_t)len;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct seen *s = arg;

	assert_int_equal(buf_add(&s->body, data, len), 0);
	if (s->pause_in_data)
		http_pause(s->request);
	s->pause_in_data = false;
	return 0;
}

static void on_done(void *arg, const struct http_response *r)
{
	struct seen *s = arg;

	s->dones++;
	s->result = r->result;
	s->sent = r->sent;
	s->status = r->status;
	assert_int_equal(r->error != NULL, r->result < 0);
}

static void start(struct world *w, struct seen *s, struct http_options o)
{
	struct err err;

	s->body.max = 1 << 20;
	o.method = o.pull != NULL ? "PUT" : "GET";
	o.url = o.url != NULL ? o.url : w->url;
	o.done = on_done;
	o.arg = s;
	assert_int_equal(http_start(w->http, &o, &s->request, &err), 0);
}

static int finish(struct world *w, struct seen *s)
{
	SCRIPT_WAIT(w->loop, s->dones > 0);
	assert_int_equal(s->dones, 1);
	buf_deinit(&s->body);
	return s->result;
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
	(void)snprintf(w->url, sizeof(w->url), "http://%s/path", w->server.at);
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

static const char created[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

static void a_body_is_pulled_as_it_is_there(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	char value[256];

	start(w, &s, (struct http_options){ .pull = pull, .buffer = 64 << 10 });
	SCRIPT_WAIT(w->loop, w->server.n == 1 && s.pulls == 1);
	assert_string_equal(script_header(&w->server.requests[0], "Transfer-Encoding", value), "chunked");
	assert_string_equal(script_header(&w->server.requests[0], "Expect", value), "");
	s.send = "hello";
	http_resume(s.request);
	assert_int_equal(s.pulls, 1); /* from the loop */
	SCRIPT_WAIT(w->loop, w->server.n == 2);
	assert_string_equal(w->server.requests[1].head, "5\r\nhello\r\n0\r\n\r\n");
	script_say(w->server.requests[0].peer, created);
	assert_int_equal(finish(w, &s), 0);
	assert_int_equal(s.status, 201);
}

static void a_refusal_ends_an_upload_that_has_nothing_to_send(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };

	start(w, &s, (struct http_options){ .pull = pull });
	SCRIPT_WAIT(w->loop, w->server.n == 1 && s.pulls == 1);
	script_say(w->server.requests[0].peer, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(finish(w, &s), 0);
	assert_int_equal(s.status, 403);
}

static void a_pause_holds_bytes_back(void **state)
{
	struct world *w = *state;
	struct seen s = { .pause_in_data = true }, other = { 0 };

	start(w, &s, (struct http_options){ .on_data = on_data });
	SCRIPT_WAIT(w->loop, w->server.n == 1);
	script_say(w->server.requests[0].peer, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
	SCRIPT_WAIT(w->loop, s.body.len == 3);
	script_say(w->server.requests[0].peer, "def");
	start(w, &other, (struct http_options){ 0 }); /* time goes by */
	SCRIPT_WAIT(w->loop, w->server.n == 2);
	script_say(w->server.requests[1].peer, created);
	assert_int_equal(finish(w, &other), 0);
	assert_int_equal(s.body.len, 3);
	http_resume(s.request);
	assert_int_equal(s.body.len, 3); /* from the loop */
	SCRIPT_WAIT(w->loop, s.body.len == 6);
	assert_memory_equal(s.body.data, "abcdef", 6);
	assert_int_equal(finish(w, &s), 0);
}

static void a_pause_before_anything_came_holds_too(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 }, other = { 0 };

	start(w, &s, (struct http_options){ .on_data = on_data });
	http_pause(s.request);
	SCRIPT_WAIT(w->loop, w->server.n == 1);
	script_say(w->server.requests[0].peer, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
	start(w, &other, (struct http_options){ 0 });
	SCRIPT_WAIT(w->loop, w->server.n == 2);
	script_say(w->server.requests[1].peer, created);
	assert_int_equal(finish(w, &other), 0);
	assert_int_equal(s.body.len, 0);
	http_resume(s.request);
	SCRIPT_WAIT(w->loop, s.body.len == 3);
	assert_int_equal(finish(w, &s), 0);
}

static void idle_time_ends_a_request_but_for_pauses(void **state)
{
	struct world *w = *state;
	struct seen idle = { 0 }, starved = { 0 }, paused = { .pause_in_data = true };

	start(w, &starved, (struct http_options){ .pull = pull, .idle_ms = 10 });
	SCRIPT_WAIT(w->loop, w->server.n == 1 && starved.pulls == 1);
	start(w, &paused, (struct http_options){ .on_data = on_data, .idle_ms = 10000 });
	SCRIPT_WAIT(w->loop, w->server.n == 2);
	script_say(w->server.requests[1].peer, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
	SCRIPT_WAIT(w->loop, paused.body.len == 3);
	start(w, &idle, (struct http_options){ .idle_ms = 50 });
	assert_int_equal(finish(w, &idle), -ETIMEDOUT);
	assert_true(idle.sent);
	assert_int_equal(starved.dones + paused.dones, 0);
	http_cancel(starved.request);
	http_cancel(paused.request);
	assert_int_equal(finish(w, &starved), -ECANCELED);
	assert_int_equal(finish(w, &paused), -ECANCELED);
}

static void a_host_may_really_be_another(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	char to[128], value[256];
	const char *const connect_to[] = { to, NULL };

	(void)snprintf(to, sizeof(to), "name.invalid:80:%s", w->server.at);
	start(w, &s, (struct http_options){ .url = "http://name.invalid/p", .connect_to = connect_to });
	SCRIPT_WAIT(w->loop, w->server.n == 1);
	assert_string_equal(script_header(&w->server.requests[0], "Host", value), "name.invalid");
	script_say(w->server.requests[0].peer, created);
	assert_int_equal(finish(w, &s), 0);
}

/* What must not be sent twice is not sent over a connection that may be closed already. */
static void once_is_over_a_new_connection(void **state)
{
	struct world *w = *state;
	struct seen s[3] = { { 0 } };

	for (size_t i = 0; i < 3; i++) {
		start(w, &s[i], (struct http_options){ .once = i == 2 });
		SCRIPT_WAIT(w->loop, w->server.n == i + 1);
		assert_int_equal(w->server.n_peers, i == 2 ? 2 : 1);
		script_say(w->server.requests[i].peer, created);
		assert_int_equal(finish(w, &s[i]), 0);
	}
}

static void ways_not_to_get_there_are_told_apart(void **state)
{
	struct world *w = *state;
	struct seen unknown = { 0 }, refused = { 0 }, plain = { 0 };
	char url[64];
	struct script_server none;

	start(w, &unknown, (struct http_options){ .url = "http://name.invalid/" });
	assert_int_equal(finish(w, &unknown), -EHOSTUNREACH);
	assert_false(unknown.sent);

	script_listen(&none, w->loop);
	(void)snprintf(url, sizeof(url), "http://%s/", none.at);
	script_end(&none);
	start(w, &refused, (struct http_options){ .url = url });
	assert_int_equal(finish(w, &refused), -ECONNREFUSED);
	assert_false(refused.sent);

	(void)snprintf(url, sizeof(url), "https://%s/", w->server.at);
	start(w, &plain, (struct http_options){ .url = url });
	SCRIPT_WAIT(w->loop, w->server.n_peers == 1);
	script_say(w->server.peers[0], "HTTP/1.1 400 This is no TLS\r\n\r\n");
	assert_int_equal(finish(w, &plain), -EKEYREJECTED);
	assert_false(plain.sent);
}

static void a_ca_is_set_before_there_are_requests(void **state)
{
	struct world *w = *state;
	struct seen s = { 0 };
	struct err err;

	assert_int_equal(http_client_set_ca(w->http, "no PEM", &err), 0);
	assert_int_equal(http_client_set_ca(w->http, "none either", &err), 0);
	start(w, &s, (struct http_options){ 0 });
	assert_int_equal(http_client_set_ca(w->http, "x", &err), -EBUSY);
	http_cancel(s.request);
	assert_int_equal(finish(w, &s), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_body_is_pulled_as_it_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_refusal_ends_an_upload_that_has_nothing_to_send, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pause_holds_bytes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pause_before_anything_came_holds_too, setup, teardown),
		cmocka_unit_test_setup_teardown(idle_time_ends_a_request_but_for_pauses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_host_may_really_be_another, setup, teardown),
		cmocka_unit_test_setup_teardown(once_is_over_a_new_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(ways_not_to_get_there_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_ca_is_set_before_there_are_requests, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
