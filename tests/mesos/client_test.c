/* client_test.c: mesos/client.h against servers whose every byte is scripted. What the client tells its owner
 * is kept as a text, one line per callback, and compared. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "mesos/client.h"
#include "tests/base/script_server.h"

#define HEAD_200                                                                                             \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: stream-1\r\n"                     \
	"Content-Type: application/x-protobuf\r\n\r\n"
#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

struct world {
	struct event_base *loop;
	struct http_client *http;
	struct script_server a, b;
	const char *endpoints[3];
	struct mesos_client_config config;
	struct mesos_client *client;
	struct buf log;
	const char *answer; /* of both servers to every request, if set */
	const char *call_in_event;
	int subscribe_return, events, downs, losts, refusals;
	bool beating;
	struct event *beat;
};

static void logged(struct world *w, const char *what, const char *text)
{
	assert_int_equal(buf_add_fmt(&w->log, "%s%s%s\n", what, text[0] != '\0' ? " " : "", text), 0);
}

static int on_subscribe(void *arg, struct buf *body)
{
	struct world *w = arg;

	return w->subscribe_return < 0 ? w->subscribe_return : buf_add_str(body, "the SUBSCRIBE");
}

/* An event "bad" is not understood. */
static int on_event(void *arg, const void *data, size_t len)
{
	struct world *w = arg;
	char text[64];

	w->events++;
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
	if (!w->beating)
		logged(w, "event", text);
	if (w->call_in_event != NULL)
		assert_int_equal(mesos_client_call(w->client, w->call_in_event, strlen(w->call_in_event)), 0);
	return strcmp(text, "bad") == 0 ? -EBADMSG : 0;
}

static void on_down(void *arg, const char *why)
{
	struct world *w = arg;

	w->downs++;
	logged(w, "down", why);
	assert_int_equal(mesos_client_call(w->client, "x", 1), -ENOTCONN);
	assert_int_equal(mesos_client_pending(w->client), 0);
}

static void on_lost(void *arg, const char *why)
{
	struct world *w = arg;

	w->losts++;
	logged(w, "lost", why);
	assert_int_equal(mesos_client_call(w->client, "x", 1), -ENOTCONN);
}

static void on_refused(void *arg, long status, const char *words)
{
	struct world *w = arg;
	char text[512];

	w->refusals++;
	(void)snprintf(text, sizeof(text), "%ld %s", status, words);
	logged(w, "refused", text);
}

static const struct mesos_client_ops ops = {
	.subscribe = on_subscribe, .event = on_event, .down = on_down, .lost = on_lost, .refused = on_refused
};

static void on_request(void *arg, struct script_request *r)
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
	script_listen(&w->a, w->loop);
	script_listen(&w->b, w->loop);
	w->a.on_request = w->b.on_request = on_request;
	w->a.arg = w->b.arg = w;
	w->endpoints[0] = w->a.at;
	w->config = (struct mesos_client_config){ .endpoints = w->endpoints,
		.path = "/api/v1/scheduler",
		.backoff_min_ms = 1,
		.backoff_max_ms = 2 };
	w->log = BUF_INIT(1 << 20);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	assert_null(mesos_client_free(w->client));
	assert_null(http_client_free(w->http));
	script_end(&w->a);
	script_end(&w->b);
	if (w->beat != NULL)
		event_free(w->beat);
	event_base_free(w->loop);
	buf_deinit(&w->log);
	free(w);
	return 0;
}

#define WAIT(w, condition) SCRIPT_WAIT((w)->loop, condition)

static void start(struct world *w)
{
	struct err err = { "" };

	assert_int_equal(mesos_client_new(w->loop, w->http, &w->config, &ops, w, &w->client, &err), 0);
	assert_int_equal(mesos_client_start(w->client, &err), 0);
	assert_int_equal(w->log.len, 0); /* nothing from inside */
}

/* The next request that server `s` has got, in order. */
static struct script_request *request(struct world *w, struct script_server *s, size_t i)
{
	WAIT(w, s->n > i);
	return &s->requests[i];
}

/* One HTTP chunk. */
static void chunk(struct script_peer *p, const char *bytes)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "%zx\r\n", strlen(bytes));
	script_say(p, head);
	script_say(p, bytes);
	script_say(p, "\r\n");
}

static void record(struct script_peer *p, const char *bytes)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%zu\n%s", strlen(bytes), bytes);
	chunk(p, text);
}

/* Starts, and answers the SUBSCRIBE with a stream and its first event. */
static struct script_peer *subscribed(struct world *w)
{
	start(w);
	struct script_peer *p = request(w, &w->a, 0)->peer;
	script_say(p, HEAD_200);
	record(p, "subscribed");
	WAIT(w, w->events == 1);
	return p;
}

static void call(struct world *w, const char *bytes)
{
	assert_int_equal(mesos_client_call(w->client, bytes, strlen(bytes)), 0);
}

static void assert_log(struct world *w, const char *text)
{
	assert_int_equal(buf_add(&w->log, "", 1), 0);
	assert_string_equal((const char *)w->log.data, text);
	buf_clear(&w->log);
}

/* ---- The stream ---- */

static void a_subscription_is_asked_for_and_gives_events(void **state)
{
	struct world *w = *state;
	char value[256];

	w->config.authorization = "Bearer token";
	start(w);
	assert_int_equal(mesos_client_call(w->client, "x", 1), -ENOTCONN);
	const struct script_request *r = request(w, &w->a, 0);
	assert_ptr_equal(strstr(r->head, "POST /api/v1/scheduler HTTP/1.1\r\n"), r->head);
	assert_string_equal(script_header(r, "Content-Type", value), "application/x-protobuf");
	assert_string_equal(script_header(r, "Accept", value), "application/x-protobuf");
	assert_string_equal(script_header(r, "Authorization", value), "Bearer token");
	assert_string_equal(script_header(r, "Host", value), w->a.at);
	assert_string_equal(script_header(r, "Mesos-Stream-Id", value), "");
	assert_string_equal(r->body, "the SUBSCRIBE");
	script_say(r->peer, HEAD_200);
	assert_int_equal(mesos_client_call(w->client, "x", 1), -ENOTCONN);
	record(r->peer, "one");
	WAIT(w, w->events == 1);
	/* Chunks are not records. */
	chunk(r->peer, "3\ntwo");
	chunk(r->peer, "5\nth");
	chunk(r->peer, "ree4\nfour1");
	chunk(r->peer, "0");
	chunk(r->peer, "\n0123456789");
	WAIT(w, w->events == 5);
	assert_log(w, "event one\nevent two\nevent three\nevent four\nevent 0123456789\n");
}

static void a_content_type_may_have_parameters(void **state)
{
	struct world *w = *state;

	w->answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		    "Content-Type: Application/X-Protobuf; charset=none\r\n\r\n3\none";
	start(w);
	WAIT(w, w->downs == 1);
	assert_log(w, "event one\ndown the stream ended\n");
}

static void the_end_of_a_stream_is_told_and_it_is_asked_for_again(void **state)
{
	struct world *w = *state;

	chunk(subscribed(w), "7\nhal"); /* of a record: it belongs to that stream alone */
	script_say_and_close(w->a.requests[0].peer, "0\r\n\r\n");
	WAIT(w, w->downs == 1);
	struct script_peer *p = request(w, &w->a, 1)->peer;
	script_say(p, HEAD_200);
	record(p, "again");
	WAIT(w, w->events == 2);
	assert_log(w, "event subscribed\ndown the stream ended\nevent again\n");
	assert_string_equal(w->a.requests[1].body, "the SUBSCRIBE");
}

static void a_connection_reset_within_a_record_ends_the_stream(void **state)
{
	struct world *w = *state;
	struct script_peer *p = subscribed(w);

	record(p, "whole");
	chunk(p, "100\nhalf");
	WAIT(w, w->events == 2);
	script_reset(p);
	WAIT(w, w->downs == 1);
	assert_non_null(request(w, &w->a, 1));
	assert_int_equal(w->events, 2);
}

static void expect_dropped(struct world *w, const char *bytes, const char *why)
{
	chunk(subscribed(w), bytes);
	WAIT(w, w->downs == 1);
	assert_non_null(request(w, &w->a, 1)); /* and the client goes on */
	assert_log(w, why);
}

static void garbage_instead_of_a_record_ends_the_stream(void **state)
{
	expect_dropped(*state, "2\nok2x\nno",
		"event subscribed\nevent ok\n"
		"down no length of a record where one must be, or one above 67108864\n");
}

static void a_giant_length_ends_the_stream(void **state)
{
	expect_dropped(*state, "67108865\n",
		"event subscribed\n"
		"down no length of a record where one must be, or one above 67108864\n");
}

static void an_event_that_is_not_understood_ends_the_stream(void **state)
{
	expect_dropped(*state, "3\nbad3\nend", "event subscribed\nevent bad\ndown an event that is none\n");
}

/* An ERROR is an event like others for the connection; the peer closes after it. */
static void an_error_event_is_given_before_the_end(void **state)
{
	struct world *w = *state;
	struct script_peer *p = subscribed(w);

	record(p, "ERROR: Framework has been removed");
	script_say_and_close(p, "0\r\n\r\n");
	WAIT(w, w->downs == 1);
	assert_log(w, "event subscribed\nevent ERROR: Framework has been removed\ndown the stream ended\n");
}

/* ---- Silence ---- */

static void five_heartbeats_missed_end_the_stream(void **state)
{
	struct world *w = *state;

	w->config.heartbeats = true;
	(void)subscribed(w);
	mesos_client_heartbeat(w->client, 0.001);
	WAIT(w, w->downs == 1);
	assert_log(w, "event subscribed\ndown five heartbeats were missed\n");
	assert_non_null(request(w, &w->a, 1));
}

static void beat(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;

	(void)fd;
	(void)what;
	record(w->a.requests[0].peer, "beat");
}

static double now(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* More than five intervals of a stream with heartbeats, each well within its own. */
static void heartbeats_keep_a_stream(void **state)
{
	struct world *w = *state;
	const struct timeval often = { .tv_usec = 10000 };
	double start_at;

	w->config.heartbeats = true;
	(void)subscribed(w);
	w->beating = true;
	w->beat = event_new(w->loop, -1, EV_PERSIST, beat, w);
	assert_int_equal(event_add(w->beat, &often), 0);
	start_at = now();
	mesos_client_heartbeat(w->client, 0.2);
	WAIT(w, now() - start_at > 1.2 && w->events > 5);
	assert_log(w, "event subscribed\n");
}

static void senseless_intervals_are_ignored(void **state)
{
	struct world *w = *state;
	const double senseless[] = { 0, -1, 1e300, 1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0 };

	w->config.heartbeats = true;
	struct script_peer *p = subscribed(w);
	for (size_t i = 0; i < sizeof(senseless) / sizeof(*senseless); i++)
		mesos_client_heartbeat(w->client, senseless[i]);
	record(p, "still there");
	WAIT(w, w->events == 2);
	assert_log(w, "event subscribed\nevent still there\n");
}

static void a_subscribe_that_is_not_answered_is_repeated(void **state)
{
	struct world *w = *state;

	start(w);
	mesos_client_heartbeat(w->client, 0.001);
	struct script_peer *first = request(w, &w->a, 0)->peer;
	(void)request(w, &w->a, 1);
	WAIT(w, first->bev == NULL); /* the first connection is given up */
	assert_log(w, "");           /* there was no stream: nothing is down */
}

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
	(void)request(w, &w->b, 1); /* and so on */
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

/* ---- Calls ---- */

static void calls_go_one_at_a_time_in_order(void **state)
{
	struct world *w = *state;
	static const char *const calls[] = { "first", "second", "third" };
	char value[256];

	w->config.authorization = "Basic x";
	(void)subscribed(w);
	for (size_t i = 0; i < 3; i++)
		call(w, calls[i]);
	assert_int_equal(mesos_client_pending(w->client), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct script_request *r = request(w, &w->a, 1 + i);

		assert_int_equal(mesos_client_pending(w->client), 3 - i);
		assert_ptr_equal(strstr(r->head, "POST /api/v1/scheduler HTTP/1.1\r\n"), r->head);
		assert_string_equal(script_header(r, "Mesos-Stream-Id", value), "stream-1");
		assert_string_equal(script_header(r, "Content-Type", value), "application/x-protobuf");
		assert_string_equal(script_header(r, "Authorization", value), "Basic x");
		assert_string_equal(r->body, calls[i]);
		/* The next one is not sent before this one is answered. */
		(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
		assert_int_equal(w->a.n, 2 + i);
		script_say(r->peer, ACCEPTED);
	}
	WAIT(w, mesos_client_pending(w->client) == 0);
	assert_int_equal(w->a.n_peers, 2); /* one connection for the stream, one for all calls */
	assert_log(w, "event subscribed\n");
}

static void bytes_of_a_call_arrive_as_they_are(void **state)
{
	struct world *w = *state;
	static const char bytes[] = "\0\r\n\xff\0";

	(void)subscribed(w);
	assert_int_equal(mesos_client_call(w->client, bytes, sizeof(bytes)), 0);
	const struct script_request *r = request(w, &w->a, 1);
	assert_int_equal(r->body_len, sizeof(bytes));
	assert_memory_equal(r->body, bytes, sizeof(bytes));
}

static void calls_may_be_made_inside_an_event(void **state)
{
	struct world *w = *state;

	w->call_in_event = "acknowledge";
	struct script_peer *p = subscribed(w);
	chunk(p, "1\na1\nb");
	for (size_t i = 1; i <= 3; i++) {
		const struct script_request *r = request(w, &w->a, i);

		assert_string_equal(r->body, "acknowledge");
		script_say(r->peer, ACCEPTED);
	}
	WAIT(w, mesos_client_pending(w->client) == 0);
	assert_log(w, "event subscribed\nevent a\nevent b\n");
}

static void a_refused_call_is_told_and_the_next_one_goes_on(void **state)
{
	struct world *w = *state;

	(void)subscribed(w);
	call(w, "one");
	call(w, "two");
	script_say(request(w, &w->a, 1)->peer,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\nExpecting\n'x' ");
	script_say(request(w, &w->a, 2)->peer, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
	WAIT(w, mesos_client_pending(w->client) == 0);
	assert_log(w, "event subscribed\nrefused 400 Expecting 'x' \nrefused 503 \n");
}

static void a_call_without_an_answer_ends_the_stream(void **state)
{
	struct world *w = *state;

	(void)subscribed(w);
	call(w, "one");
	call(w, "two");
	script_close(request(w, &w->a, 1)->peer);
	/* Once more, perhaps, by libcurl: on a fresh connection that is an end. */
	while (w->downs == 0) {
		for (size_t i = 2; i < w->a.n; i++)
			script_close(w->a.requests[i].peer);
		assert_int_equal(event_base_loop(w->loop, EVLOOP_ONCE), 0);
	}
	assert_int_equal(w->downs, 1);
	WAIT(w, w->a.n > 2 && strcmp(w->a.requests[w->a.n - 1].body, "the SUBSCRIBE") == 0);
	for (size_t i = 0; i < w->a.n; i++)
		assert_string_not_equal(w->a.requests[i].body, "two"); /* it went with its stream */
}

static void calls_of_a_stream_that_ended_are_gone(void **state)
{
	struct world *w = *state;
	struct script_peer *p = subscribed(w);

	call(w, "one");
	call(w, "two");
	(void)request(w, &w->a, 1);
	script_reset(p);
	WAIT(w, w->downs == 1);
	p = request(w, &w->a, 2)->peer;
	script_say(p, HEAD_200);
	record(p, "again");
	WAIT(w, w->events == 2);
	call(w, "three");
	assert_string_equal(request(w, &w->a, 3)->body, "three");
}

/* ---- Life ---- */

static void a_client_can_be_freed_at_any_moment(void **state)
{
	for (int moment = 0; moment < 6; moment++) {
		struct world *w;
		struct err err;

		assert_int_equal(setup((void **)&w), 0);
		if (moment >= 3) {
			(void)subscribed(w);
			if (moment >= 4) {
				call(w, "one");
				call(w, "two");
			}
			if (moment == 5)
				(void)request(w, &w->a, 1);
		} else {
			assert_int_equal(
				mesos_client_new(w->loop, w->http, &w->config, &ops, w, &w->client, &err), 0);
			if (moment >= 1)
				assert_int_equal(mesos_client_start(w->client, &err), 0);
			if (moment == 2)
				(void)request(w, &w->a, 0);
		}
		buf_clear(&w->log);
		w->client = mesos_client_free(w->client);
		(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
		assert_log(w, "");
		assert_int_equal(teardown((void **)&w), 0);
	}
	(void)state;
	assert_null(mesos_client_free(NULL));
}

static void what_cannot_be_a_configuration_is_refused(void **state)
{
	struct world *w = *state;
	struct err err = { "" };

	w->config.authorization = "Bearer a\r\nX: y";
	assert_int_equal(mesos_client_new(w->loop, w->http, &w->config, &ops, w, &w->client, &err), -EINVAL);
	assert_string_equal(err.text, "a credential of more than one line");
	w->config.authorization = NULL;
	w->endpoints[0] = NULL;
	assert_int_equal(mesos_client_new(w->loop, w->http, &w->config, &ops, w, &w->client, &err), -EINVAL);
	assert_string_equal(err.text, "no endpoint to connect to");
	assert_null(w->client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_subscription_is_asked_for_and_gives_events),
		TEST(a_content_type_may_have_parameters),
		TEST(the_end_of_a_stream_is_told_and_it_is_asked_for_again),
		TEST(a_connection_reset_within_a_record_ends_the_stream),
		TEST(garbage_instead_of_a_record_ends_the_stream),
		TEST(a_giant_length_ends_the_stream),
		TEST(an_event_that_is_not_understood_ends_the_stream),
		TEST(an_error_event_is_given_before_the_end),
		TEST(five_heartbeats_missed_end_the_stream),
		TEST(heartbeats_keep_a_stream),
		TEST(senseless_intervals_are_ignored),
		TEST(a_subscribe_that_is_not_answered_is_repeated),
		TEST(a_redirect_without_a_scheme_is_followed),
		TEST(a_redirect_with_a_scheme_is_followed),
		TEST(redirects_in_circles_end_in_a_back_off),
		TEST(redirects_to_nowhere_end_in_a_back_off),
		TEST(endpoints_are_tried_in_turn),
		TEST(a_refusal_is_the_end_with_the_words_of_the_peer),
		TEST(a_refusal_may_be_without_words),
		TEST(words_of_a_refusal_are_cut),
		TEST(an_answer_of_another_kind_is_the_end),
		TEST(refusals_that_may_pass_are_tried_again),
		TEST(without_a_subscription_the_client_gives_up),
		TEST(after_a_stream_ended_the_client_gives_up_too),
		TEST(without_a_body_to_send_the_client_gives_up),
		TEST(calls_go_one_at_a_time_in_order),
		TEST(bytes_of_a_call_arrive_as_they_are),
		TEST(calls_may_be_made_inside_an_event),
		TEST(a_refused_call_is_told_and_the_next_one_goes_on),
		TEST(a_call_without_an_answer_ends_the_stream),
		TEST(calls_of_a_stream_that_ended_are_gone),
		TEST(a_client_can_be_freed_at_any_moment),
		TEST(what_cannot_be_a_configuration_is_refused),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
