/* client_leader_test.c: mesos/client.h: a client that is told who leads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/mesos/client_world.h"

static void start_untold(struct world *w)
{
	w->config.endpoints = NULL;
	start(w);
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	assert_string_equal(mesos_client_at(w->client), "");
}

static void leads(struct world *w, const char *endpoint)
{
	assert_int_equal(mesos_client_leads(w->client, endpoint), 0);
}

/* The i-th SUBSCRIBE of server `s` is answered, and is the n-th. */
static struct script_peer *accepted(struct world *w, struct script_server *s, size_t i, int n)
{
	struct script_peer *p = request(w, s, i)->peer;

	script_say(p, HEAD_200);
	record(p, "subscribed");
	WAIT(w, w->events == n);
	assert_string_equal(mesos_client_at(w->client), s->at);
	assert_string_equal(mesos_client_why(w->client), "");
	return p;
}

static void nothing_is_asked_before_somebody_leads(void **state)
{
	struct world *w = *state;

	start_untold(w);
	mesos_client_no_leader(w->client, "no master is registered");
	assert_string_equal(mesos_client_why(w->client), "no master is registered");
	leads(w, w->a.at);
	(void)accepted(w, &w->a, 0, 1);
	assert_log(w, "event subscribed\n");
}

static void another_leader_is_subscribed_to_at_once(void **state)
{
	struct world *w = *state;
	char says[128];

	w->config.backoff_min_ms = w->config.backoff_max_ms = 3600000;
	start_untold(w);
	leads(w, w->a.at);
	struct script_peer *old = accepted(w, &w->a, 0, 1);
	leads(w, w->a.at); /* where we are */
	leads(w, w->b.at);
	WAIT(w, old->bev == NULL);
	(void)accepted(w, &w->b, 0, 2);
	(void)snprintf(says, sizeof(says),
		"event subscribed\ndown the master at %s leads now\nevent subscribed\n", w->b.at);
	assert_log(w, says);
	assert_int_equal(w->a.n, 1);
}

static void one_that_does_not_answer_is_left_for_another(void **state)
{
	struct world *w = *state;

	start_untold(w);
	leads(w, w->a.at);
	struct script_peer *silent = request(w, &w->a, 0)->peer;
	leads(w, w->b.at);
	(void)accepted(w, &w->b, 0, 1);
	WAIT(w, silent->bev == NULL);
	assert_log(w, "event subscribed\n"); /* there was no stream that could be down */
}

/* ZooKeeper lost the leader before we did: the stream is there as long as it is. */
static void a_stream_outlives_its_leadership(void **state)
{
	struct world *w = *state;

	start_untold(w);
	leads(w, w->a.at);
	struct script_peer *p = accepted(w, &w->a, 0, 1);
	mesos_client_no_leader(w->client, "no master is registered");
	record(p, "still there");
	WAIT(w, w->events == 2);
	script_say_and_close(p, "0\r\n\r\n");
	WAIT(w, w->downs == 1);
	mesos_client_no_leader(w->client, "nobody");
	assert_string_equal(mesos_client_why(w->client), "nobody");
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	leads(w, w->b.at);
	(void)accepted(w, &w->b, 0, 3);
	assert_int_equal(w->a.n, 1);
	assert_log(w, "event subscribed\nevent still there\ndown the stream ended\nevent subscribed\n");
}

static void a_leader_is_asked_again_while_it_leads(void **state)
{
	struct world *w = *state;

	start_untold(w);
	leads(w, w->a.at);
	script_say_and_close(
		request(w, &w->a, 0)->peer, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
	(void)accepted(w, &w->a, 1, 1);
}

static void without_a_leader_the_client_gives_up(void **state)
{
	struct world *w = *state;

	w->config.give_up_ms = 20;
	start_untold(w);
	mesos_client_no_leader(w->client, "no master is registered");
	WAIT(w, w->losts == 1);
	assert_log(w, "lost gave up after 0.02 s: no master is registered\n");
	leads(w, w->a.at);
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	assert_int_equal(w->a.n, 0);
}

static void a_client_with_a_list_is_told_in_vain(void **state)
{
	struct world *w = *state;

	(void)subscribed(w);
	leads(w, w->b.at);
	mesos_client_no_leader(w->client, "nobody");
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	assert_int_equal(w->b.n, 0);
	assert_log(w, "event subscribed\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_asked_before_somebody_leads),
		TEST(another_leader_is_subscribed_to_at_once),
		TEST(one_that_does_not_answer_is_left_for_another),
		TEST(a_stream_outlives_its_leadership),
		TEST(a_leader_is_asked_again_while_it_leads),
		TEST(without_a_leader_the_client_gives_up),
		TEST(a_client_with_a_list_is_told_in_vain),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
