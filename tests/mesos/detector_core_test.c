/* detector_core_test.c: mesos/detector_core.h: what ZooKeeper says, in virtual time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdint.h>
#include <string.h>

#include "mesos/detector_core.h"

#define JSON(port) "{\"address\":{\"ip\":\"10.0.0.1\",\"port\":" port "}}"
#define NAME(n)    "json.info_000000000" n

struct kit {
	struct detector_core core;
	uint64_t now;
};

static void expect(struct kit *k, struct detector_event ev, enum detector_ask ask, enum detector_tell tell)
{
	ev.now_ms = k->now;
	struct detector_plan p = detector_core_step(&k->core, &ev);
	assert_int_equal(p.ask, ask);
	assert_int_equal(p.tell, tell);
}

#define SAY(k, k_kind, ask, tell)                                                                            \
	expect(k, (struct detector_event){ .kind = DETECTOR_EV_##k_kind }, DETECTOR_ASK_##ask,               \
		DETECTOR_TELL_##tell)
#define ANSWER(k, k_kind, code, ask, tell)                                                                   \
	expect(k, (struct detector_event){ .kind = DETECTOR_EV_##k_kind, .result = DETECTOR_##code },        \
		DETECTOR_ASK_##ask, DETECTOR_TELL_##tell)
#define LISTED(k, ask, tell, ...)                                                                            \
	do {                                                                                                 \
		const char *const list[] = { "log_replicas", ##__VA_ARGS__ };                                \
		expect(k,                                                                                    \
			(struct detector_event){ .kind = DETECTOR_EV_LISTED,                                 \
				.names = list,                                                               \
				.n_names = sizeof(list) / sizeof(list[0]) },                                 \
			DETECTOR_ASK_##ask, DETECTOR_TELL_##tell);                                           \
	} while (0)

static void read_it(struct kit *k, const char *json, enum detector_tell tell)
{
	expect(k, (struct detector_event){ .kind = DETECTOR_EV_READ, .data = json, .len = strlen(json) },
		DETECTOR_ASK_NOTHING, tell);
}

static void tick_at(struct kit *k, uint64_t at, enum detector_ask ask)
{
	assert_int_equal(detector_core_next_ms(&k->core), at);
	k->now = at - 1;
	SAY(k, TICK, NOTHING, NOTHING);
	k->now = at;
	expect(k, (struct detector_event){ .kind = DETECTOR_EV_TICK }, ask, DETECTOR_TELL_NOTHING);
}

static void init(struct kit *k)
{
	k->now = 1000;
	detector_core_init(&k->core, "/mesos", "zoo:2181", k->now);
}

/* The one at 10.0.0.1:5050 leads. */
static void led(struct kit *k)
{
	init(k);
	SAY(k, CONNECTED, LIST, NOTHING);
	LISTED(k, READ, NOTHING, NAME("3"), NAME("2"));
	assert_string_equal(k->core.node, NAME("2"));
	read_it(k, JSON("5050"), DETECTOR_TELL_LEADS);
	assert_string_equal(k->core.endpoint, "10.0.0.1:5050");
	assert_string_equal(k->core.why, "");
}

static void the_lowest_leads_until_it_goes(void **state)
{
	struct kit k;
	(void)state;

	led(&k);
	assert_true(detector_core_next_ms(&k.core) == UINT64_MAX);
	SAY(&k, CHANGED, LIST, NOTHING); /* one that does not lead */
	LISTED(&k, NOTHING, NOTHING, NAME("2"), NAME("4"));
	SAY(&k, CHANGED, LIST, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("4"));
	read_it(&k, JSON("5051"), DETECTOR_TELL_LEADS);
	assert_string_equal(k.core.endpoint, "10.0.0.1:5051");
	SAY(&k, CHANGED, LIST, NOTHING);
	LISTED(&k, NOTHING, NONE);
	assert_string_equal(k.core.why, "no master is registered below /mesos in ZooKeeper");
	SAY(&k, CHANGED, LIST, NOTHING);
	LISTED(&k, NOTHING, NOTHING); /* said already */
	SAY(&k, CHANGED, LIST, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("5"));
	read_it(&k, JSON("5051"), DETECTOR_TELL_LEADS); /* where it was, but another process */
}

static void a_path_that_is_not_there_is_awaited(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	SAY(&k, CONNECTED, LIST, NOTHING);
	ANSWER(&k, LISTED, NO_NODE, AWAIT, NONE);
	assert_string_equal(k.core.why, "there is no /mesos in ZooKeeper yet");
	ANSWER(&k, AWAITED, NO_NODE, NOTHING, NOTHING);
	SAY(&k, CHANGED, LIST, NOTHING);
	ANSWER(&k, LISTED, NO_NODE, AWAIT, NOTHING);
	ANSWER(&k, AWAITED, OK, LIST, NOTHING); /* made between the two questions */
	LISTED(&k, READ, NOTHING, NAME("0"));
	read_it(&k, JSON("5050"), DETECTOR_TELL_LEADS);
}

static void a_change_during_a_question_is_asked_about_after_it(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	SAY(&k, CONNECTED, LIST, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("1"));
	SAY(&k, CHANGED, NOTHING, NOTHING);
	expect(&k,
		(struct detector_event){
			.kind = DETECTOR_EV_READ, .data = JSON("1"), .len = strlen(JSON("1")) },
		DETECTOR_ASK_LIST, DETECTOR_TELL_LEADS);
	SAY(&k, CHANGED, NOTHING, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("2")); /* that question is newer than the change */
	ANSWER(&k, READ, NO_NODE, LIST, NOTHING);
	LISTED(&k, NOTHING, NONE);
}

static void a_node_that_names_no_master_is_none(void **state)
{
	struct kit k;
	(void)state;

	led(&k);
	SAY(&k, CHANGED, LIST, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("4"));
	read_it(&k, "{}", DETECTOR_TELL_NONE);
	assert_string_equal(
		k.core.why, "/mesos/" NAME("4") " in ZooKeeper names no master: it has no address");
	SAY(&k, CHANGED, LIST, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("4"));
	read_it(&k, "{}", DETECTOR_TELL_NOTHING);
}

/* ZooKeeper may be away for as long as it likes: the master need not be. */
static void a_lost_connection_changes_nothing(void **state)
{
	struct kit k;
	(void)state;

	led(&k);
	SAY(&k, DISCONNECTED, NOTHING, NOTHING);
	SAY(&k, CHANGED, NOTHING, NOTHING);
	tick_at(&k, 1000 + DETECTOR_REOPEN_MS, DETECTOR_ASK_OPEN);
	expect(&k, (struct detector_event){ .kind = DETECTOR_EV_OPEN_FAILED, .text = "no such name" },
		DETECTOR_ASK_NOTHING, DETECTOR_TELL_NOTHING);
	tick_at(&k, k.now + DETECTOR_RETRY_MS, DETECTOR_ASK_OPEN);
	SAY(&k, CONNECTED, LIST, NOTHING);
	assert_true(detector_core_next_ms(&k.core) == UINT64_MAX);
	LISTED(&k, READ, NOTHING, NAME("2")); /* read again: ZooKeeper may have begun anew */
	read_it(&k, JSON("5050"), DETECTOR_TELL_LEADS);
}

static void a_session_that_is_over_is_followed_by_another(void **state)
{
	struct kit k;
	(void)state;

	led(&k);
	SAY(&k, CHANGED, LIST, NOTHING);
	SAY(&k, EXPIRED, OPEN, NOTHING);
	ANSWER(&k, LISTED, FAILED, NOTHING, NOTHING); /* of the old one */
	SAY(&k, CONNECTED, LIST, NOTHING);
	SAY(&k, CONNECTED, NOTHING, NOTHING);      /* once more, in the middle of a question ... */
	ANSWER(&k, LISTED, FAILED, LIST, NOTHING); /* ... which is asked again at once */
	LISTED(&k, READ, NOTHING, NAME("7"));
	ANSWER(&k, READ, FAILED, NOTHING, NOTHING);
	tick_at(&k, k.now + DETECTOR_RETRY_MS, DETECTOR_ASK_LIST);
	ANSWER(&k, LISTED, FAILED, NOTHING, NOTHING);
	SAY(&k, DISCONNECTED, NOTHING, NOTHING);
	assert_int_equal(detector_core_next_ms(&k.core), k.now + DETECTOR_REOPEN_MS);
}

static void nobody_is_known_while_there_is_no_connection(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	assert_string_equal(k.core.why, "no ZooKeeper answers at zoo:2181");
	expect(&k, (struct detector_event){ .kind = DETECTOR_EV_OPEN_FAILED, .text = "no such name" },
		DETECTOR_ASK_NOTHING, DETECTOR_TELL_NONE);
	assert_string_equal(k.core.why, "no ZooKeeper at zoo:2181: no such name");
	tick_at(&k, k.now + DETECTOR_RETRY_MS, DETECTOR_ASK_OPEN);
	SAY(&k, CONNECTED, LIST, NOTHING);
	ANSWER(&k, LISTED, FAILED, NOTHING, NOTHING);
	SAY(&k, DISCONNECTED, NOTHING, NONE);
	SAY(&k, CONNECTED, LIST, NOTHING);
	SAY(&k, DISCONNECTED, NOTHING, NOTHING); /* said already */
}

static void who_may_not_read_is_told_once_and_for_all(void **state)
{
	struct kit k;
	(void)state;

	init(&k);
	SAY(&k, CONNECTED, LIST, NOTHING);
	ANSWER(&k, LISTED, NO_AUTH, NOTHING, FAILED);
	assert_non_null(strstr(k.core.why, "lets us not read /mesos"));
	assert_true(detector_core_next_ms(&k.core) == UINT64_MAX);
	SAY(&k, CONNECTED, NOTHING, NOTHING);
	SAY(&k, TICK, NOTHING, NOTHING);

	init(&k);
	SAY(&k, CONNECTED, LIST, NOTHING);
	LISTED(&k, READ, NOTHING, NAME("2"));
	ANSWER(&k, READ, NO_AUTH, NOTHING, FAILED);

	init(&k);
	SAY(&k, DENIED, NOTHING, FAILED);
	assert_non_null(strstr(k.core.why, "USER:PASSWORD"));
}

static void who_might_read_before_asks_again(void **state)
{
	struct kit k;
	(void)state;

	led(&k);
	SAY(&k, CHANGED, LIST, NOTHING);
	ANSWER(&k, LISTED, NO_AUTH, NOTHING, NOTHING);
	tick_at(&k, k.now + DETECTOR_RETRY_MS, DETECTOR_ASK_LIST);
	LISTED(&k, NOTHING, NOTHING, NAME("2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_leads_until_it_goes),
		cmocka_unit_test(a_path_that_is_not_there_is_awaited),
		cmocka_unit_test(a_change_during_a_question_is_asked_about_after_it),
		cmocka_unit_test(a_node_that_names_no_master_is_none),
		cmocka_unit_test(a_lost_connection_changes_nothing),
		cmocka_unit_test(a_session_that_is_over_is_followed_by_another),
		cmocka_unit_test(nobody_is_known_while_there_is_no_connection),
		cmocka_unit_test(who_may_not_read_is_told_once_and_for_all),
		cmocka_unit_test(who_might_read_before_asks_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
