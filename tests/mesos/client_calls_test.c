/* client_calls_test.c: mesos/client.h: calls beside the stream, and the life of a client. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/mesos/client_world.h"

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

static void a_refused_call_may_end_the_stream(void **state)
{
	struct world *w = *state;

	w->refused_return = -EPROTO;
	(void)subscribed(w);
	assert_false(mesos_client_asks(w->client));
	call(w, "one");
	call(w, "two");
	script_say(request(w, &w->a, 1)->peer, "HTTP/1.1 501 No\r\nContent-Length: 9\r\n\r\nwhat\nelse");
	WAIT(w, w->downs == 1);
	assert_string_equal(request(w, &w->a, 2)->body, "the SUBSCRIBE"); /* "two" is never said */
	assert_true(mesos_client_asks(w->client));
	assert_log(w, "event subscribed\nrefused 501 what else\n"
		      "down a call was refused with status 501: what else\n");
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

/* Every way that leads to `down` or `lost`. */
static void a_client_can_be_freed_when_it_is_down_or_lost(void **state)
{
	for (int way = 0; way < 8; way++) {
		struct world *w;
		struct script_peer *p;

		assert_int_equal(setup((void **)&w), 0);
		w->free_in_callback = true;
		w->config.heartbeats = true;
		if (way == 4)
			w->subscribe_return = -ENOMEM;
		if (way == 5)
			w->config.give_up_ms = 1;
		if (way >= 4) {
			start(w);
		} else {
			p = subscribed(w);
			call(w, "one");
			call(w, "two");
		}
		if (way == 0)
			chunk(p, "garbage");
		else if (way == 1)
			script_reset(p);
		else if (way == 2)
			mesos_client_heartbeat(w->client, 0.001);
		else if (way == 3)
			script_reset(request(w, &w->a, 1)->peer);
		else if (way == 6)
			script_say(
				request(w, &w->a, 0)->peer, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
		else if (way == 7)
			script_say(
				request(w, &w->a, 0)->peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		while (w->client != NULL) {
			if (way == 3 && w->a.n > 2 && w->a.requests[2].peer->bev != NULL)
				script_reset(w->a.requests[2].peer); /* libcurl tried once more */
			assert_int_equal(event_base_loop(w->loop, EVLOOP_ONCE), 0);
		}
		assert_int_equal(w->downs, way < 4 ? 1 : 0);
		assert_int_equal(w->losts, way < 4 ? 0 : 1);
		assert_int_not_equal(event_base_loop(w->loop, EVLOOP_NONBLOCK), -1);
		assert_int_equal(teardown((void **)&w), 0);
	}
	(void)state;
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
		TEST(calls_go_one_at_a_time_in_order),
		TEST(bytes_of_a_call_arrive_as_they_are),
		TEST(calls_may_be_made_inside_an_event),
		TEST(a_refused_call_is_told_and_the_next_one_goes_on),
		TEST(a_refused_call_may_end_the_stream),
		TEST(a_call_without_an_answer_ends_the_stream),
		TEST(calls_of_a_stream_that_ended_are_gone),
		TEST(a_client_can_be_freed_at_any_moment),
		TEST(a_client_can_be_freed_when_it_is_down_or_lost),
		TEST(what_cannot_be_a_configuration_is_refused),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
