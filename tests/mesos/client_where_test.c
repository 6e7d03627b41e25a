/* client_where_test.c: mesos/client.h: redirects, endpoints in turn, and when it gives up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/mesos/client_world.h"

/* ---- Where to ---- */

static void expect_redirected(struct world *w, const char *location)
{
	char answer[256], value[256];

	(void)snprintf(answer, sizeof(answer),
		"HTTP/1.1 307 Temporary Redirect\r\nLocation: %s%s/master/api/v1/scheduler\r\n"
		"Content-Length: 0\r\n\r\n",
		location, w->b.at);
	start(w);
	script_say(request(w, &w->a, 0)->peer, answer);
	struct script_request *r = request(w, &w->b, 0);
	assert_string_equal(r->body, "the SUBSCRIBE");
	script_say(r->peer, HEAD_200);
	record(r->peer, "subscribed");
	WAIT(w, w->events == 1);
	call(w, "call");
	r = request(w, &w->b, 1); /* calls go where the stream is */
	assert_string_equal(r->body, "call");
	assert_string_equal(script_header(r, "Mesos-Stream-Id", value), "stream-1");
	assert_int_equal(w->a.n, 1);
	assert_log(w, "event subscribed\n");
}

static void a_redirect_without_a_scheme_is_followed(void **state)
{
	expect_redirected(*state, "//");
}

static void a_redirect_with_a_scheme_is_followed(void **state)
{
	expect_redirected(*state, "HTTP://");
}

/* The standby goes on naming a dead leader for a while: the client asks again, and there is no `down`. */
static void redirects_in_circles_end_in_a_back_off(void **state)
{
	struct world *w = *state;
	char answer[256];

	w->endpoints[1] = w->b.at;
	(void)snprintf(answer, sizeof(answer),
		"HTTP/1.1 307 Temporary Redirect\r\nLocation: //%s/x\r\nContent-Length: 0\r\n\r\n", w->a.at);
	w->answer = answer;
	start(w);
	(void)request(w, &w->b, 0); /* the next endpoint, after the first and five redirects */
	assert_int_equal(w->a.n, 6);
	(void)request(
		w, &w->b, 1); /* and so on, the redirects counted anew: five of B's, A and five of its own */
	assert_int_equal(w->a.n, 6 + 5 + 6);
	assert_log(w, "");
}

static void redirects_to_nowhere_end_in_a_back_off(void **state)
{
	static const char *const nowhere[] = { "", "Location: /x\r\n", "Location: https://h/x\r\n",
		"Location: //\r\n", "Location: ///x\r\n", "Location: //u@h/x\r\n",
		"Location: //h:99999/x\r\n", "Location: //a b/x\r\n" };

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		struct world *w;
		char answer[256];

		assert_int_equal(setup((void **)&w), 0);
		w->endpoints[1] = w->b.at;
		(void)snprintf(answer, sizeof(answer),
			"HTTP/1.1 307 Temporary Redirect\r\n%sContent-Length: 0\r\n\r\n", nowhere[i]);
		start(w);
		script_say(request(w, &w->a, 0)->peer, answer);
		(void)request(w, &w->b, 0);
		assert_int_equal(w->a.n, 1);
		assert_log(w, "");
		assert_int_equal(teardown((void **)&w), 0);
	}
	(void)state;
}

static void a_redirect_carries_no_credentials(void **state)
{
	struct world *w = *state;
	char answer[256];

	w->endpoints[1] = w->b.at;
	(void)snprintf(answer, sizeof(answer),
		"HTTP/1.1 307 Temporary Redirect\r\nLocation: //user:word@%s/x\r\nContent-Length: 0\r\n\r\n",
		w->a.at);
	start(w);
	script_say(request(w, &w->a, 0)->peer, answer);
	(void)request(w, &w->b, 0);
	assert_int_equal(w->a.n, 1);
}

static void endpoints_are_tried_in_turn(void **state)
{
	struct world *w = *state;

	w->endpoints[0] = "127.0.0.1:1"; /* nobody listens there */
	w->endpoints[1] = w->b.at;
	start(w);
	script_say_and_close(
		request(w, &w->b, 0)->peer, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
	struct script_peer *p = request(w, &w->b, 1)->peer;
	script_say(p, HEAD_200);
	record(p, "subscribed");
	WAIT(w, w->events == 1);
	assert_log(w, "event subscribed\n");
}

/* ---- The end ---- */

static void expect_lost(struct world *w, const char *answer, const char *why)
{
	start(w);
	script_say(request(w, &w->a, 0)->peer, answer);
	WAIT(w, w->losts == 1);
	assert_log(w, why);
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	assert_int_equal(w->a.n, 1); /* and that is all */
	assert_log(w, "");
}

static void a_refusal_is_the_end_with_the_words_of_the_peer(void **state)
{
	expect_lost(*state,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 30\r\n\r\nFramework\tcannot\x1b[0m be\r\nfound",
		"lost SUBSCRIBE was answered with status 400: Framework cannot [0m be  found\n");
}

static void a_refusal_may_be_without_words(void **state)
{
	expect_lost(*state,
		"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
		"lost SUBSCRIBE was answered with status 401\n");
}

static void what_to_do_about_credentials_is_said_instead(void **state)
{
	struct world *w = *state;

	w->config.unauthorized = "give some";
	expect_lost(w, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 17\r\n\r\n401 Unauthorized.",
		"lost SUBSCRIBE was answered with status 401: give some\n");
}

static void words_of_a_refusal_are_cut(void **state)
{
	struct world *w = *state;
	char answer[2048] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 1500\r\n\r\n", why[512];
	static const char said[] = "lost SUBSCRIBE was answered with status 403: ";

	size_t n = strlen(answer);
	memset(answer + n, 'x', 1500);
	memcpy(why, said, sizeof(said));
	memset(why + sizeof(said) - 1, 'x', 255);
	memcpy(why + sizeof(said) - 1 + 255, "\n", 2);
	expect_lost(w, answer, why);
}

static void an_answer_of_another_kind_is_the_end(void **state)
{
	expect_lost(*state, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
		"lost what answers there does not speak Mesos' v1 API\n");
}

static void refusals_that_may_pass_are_tried_again(void **state)
{
	static const int statuses[] = { 404, 408, 429, 500, 503 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		struct world *w;
		char answer[128];

		assert_int_equal(setup((void **)&w), 0);
		start(w);
		(void)snprintf(
			answer, sizeof(answer), "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n", statuses[i]);
		script_say(request(w, &w->a, 0)->peer, answer);
		(void)request(w, &w->a, 1);
		assert_log(w, "");
		assert_int_equal(teardown((void **)&w), 0);
	}
	(void)state;
}

static void without_a_subscription_the_client_gives_up(void **state)
{
	struct world *w = *state;

	w->config.give_up_ms = 50;
	w->answer = "HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nwords";
	start(w);
	WAIT(w, w->losts == 1);
	assert_log(w, "lost gave up after 0.05 s: SUBSCRIBE was answered with status 503: words\n");
	size_t n = w->a.n;
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	assert_int_equal(w->a.n, n);
}

static void after_a_stream_ended_the_client_gives_up_too(void **state)
{
	struct world *w = *state;

	w->config.give_up_ms = 50;
	struct script_peer *p = subscribed(w);
	evconnlistener_free(w->a.listener);
	w->a.listener = NULL;
	script_say_and_close(p, "0\r\n\r\n");
	WAIT(w, w->losts == 1);
	assert_int_equal(w->downs, 1);
	static const char says[] = "event subscribed\ndown the stream ended\nlost gave up after 0.05 s: ";
	assert_memory_equal(w->log.data, says, sizeof(says) - 1);
}

static void without_a_body_to_send_the_client_gives_up(void **state)
{
	struct world *w = *state;

	w->subscribe_return = -ENOMEM;
	start(w);
	WAIT(w, w->losts == 1);
	assert_int_equal(w->a.n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_redirect_without_a_scheme_is_followed),
		TEST(a_redirect_with_a_scheme_is_followed),
		TEST(redirects_in_circles_end_in_a_back_off),
		TEST(redirects_to_nowhere_end_in_a_back_off),
		TEST(a_redirect_carries_no_credentials),
		TEST(endpoints_are_tried_in_turn),
		TEST(a_refusal_is_the_end_with_the_words_of_the_peer),
		TEST(a_refusal_may_be_without_words),
		TEST(what_to_do_about_credentials_is_said_instead),
		TEST(words_of_a_refusal_are_cut),
		TEST(an_answer_of_another_kind_is_the_end),
		TEST(refusals_that_may_pass_are_tried_again),
		TEST(without_a_subscription_the_client_gives_up),
		TEST(after_a_stream_ended_the_client_gives_up_too),
		TEST(without_a_body_to_send_the_client_gives_up),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
