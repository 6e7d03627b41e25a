/* client_stream_test.c: mesos/client.h: the stream of events, its end, silence. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <time.h>

#include "tests/mesos/client_world.h"

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

/* More than five intervals of a stream with heartbeats, each well within its own; nor does the time count
 * that is given for a subscription. */
static void heartbeats_keep_a_stream(void **state)
{
	struct world *w = *state;
	const struct timeval often = { .tv_usec = 10000 };
	double start_at;

	w->config.heartbeats = true;
	w->config.give_up_ms = 1000;
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
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
