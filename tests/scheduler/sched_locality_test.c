/* Tasks and the hosts of their data: who goes where, who waits, for how long, and for whom nobody does. */
#include <malloc.h>

#include "tests/scheduler/place_kit.h"

enum { MANY = 50000, HOSTS = 1000, EACH = 8, TASK_BYTES = 512 };

/* ---- Fine ---- */

static void each_agent_gets_the_tasks_of_its_data(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "c b a c b a");
	offer(&k, "a:2.1 b:2.1 c:2.1");
	launched(&k, "a: 1.2.0 1.5.0 | b: 1.1.0 1.4.0 | c: 1.0.0 1.3.0");
	kit_free(&k);
}

static void names_are_alike_whatever_their_case_and_with_a_dot_at_their_end(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "- dn1.QUERN.test. 10.0.0.1 -");
	offer(&k, "DN1.quern.test:1.1 10.0.0.1.:1.1");
	launched(&k, "DN1.quern.test: 1.1.0 | 10.0.0.1.: 1.2.0");
	kit_free(&k);
}

static void what_one_agent_alone_has_is_left_for_it(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a,b a"); /* b has one of them, a both */
	offer(&k, "a:1.1 b:1.1");
	launched(&k, "a: 1.1.0 | b: 1.0.0");
	kit_free(&k);
}

static void what_two_have_is_spread(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a,b a,b a,b a,b");
	offer(&k, "a:8 b:8");
	launched(&k, "a: 1.0.0 1.2.0 | b: 1.1.0 1.3.0");
	kit_free(&k);
}

static void an_offer_without_data_takes_what_has_none_and_is_passed_over_for_the_rest(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a a -");
	offer(&k, "b:4 a:1.1");
	launched(&k, "b: 1.2.0 | a: 1.0.0");
	Call *c = kit_call(&k, CALL(ACCEPT), 0); /* others may have the rest of b; it comes back in time */
	assert_true(c->accept->filters->refuse_seconds > 0);
	assert_true(c->accept->filters->refuse_seconds <= WAIT_MS / 1000.0);
	kit_call_free(c);
	offer(&k, "d:4");
	launched(&k, "");
	assert_true(kit_refused(&k) > 0);
	assert_true(kit_refused(&k) <= WAIT_MS / 1000.0);
	kit_free(&k);
}

static void nobody_waits_where_no_host_has_an_agent(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "dn1,dn2 dn2,dn3");
	offer(&k, "a:1.1");
	launched(&k, "a: 1.0.0");
	offer(&k, "dn3:1.1"); /* one comes after all */
	launched(&k, "dn3: 1.1.0");
	kit_fine_done(&k, "1.0.0", "a");
	kit_fine_done(&k, "1.1.0", "dn3");
	kit_done(&k, 0, NULL);
	ran(&k, 0, 1, 1, 0);
	kit_free(&k);
}

static void an_agent_that_is_lost_is_not_waited_for(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a b b");
	offer(&k, "b:1.1");
	launched(&k, "b: 1.1.0");
	kit_failure(&k, NULL, "b"); /* of the agent */
	offer(&k, "c:1.1"); /* 0 waits for a, as data is where agents are; 2 for nobody; 1 was there */
	launched(&k, "c: 1.1.1");
	kit_link(&k, "000007-1-0");
	offer(&k, "c:1.1");
	launched(&k, "c: 1.2.0");
	offer(&k, "c:1.1");
	launched(&k, "");
	kit_free(&k);
}

static void a_host_is_waited_for_in_vain_once(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a dn1");
	offer(&k, "a:1.1");
	launched(&k, "a: 1.0.0");
	offer(&k, "b:1.1");
	launched(&k, ""); /* dn1 may have an agent as well */
	kit_wait(&k, WAIT_MS + 1);
	kit_fine_done(&k, "1.0.0", "a");
	kit_wait(&k, 2 * WAIT_MS); /* half of it was lost before */
	offer(&k, "b:1.1");
	launched(&k, "b: 1.1.0");
	kit_fine_done(&k, "1.1.0", "b");
	kit_done(&k, 0, NULL);
	submit(&k, 2, "a dn1");
	offer(&k, "c:4");
	launched(&k, "c: 2.1.0"); /* 0 waits for a */
	kit_free(&k);
}

/* The clock: alone, all that is left waits, and every millisecond counts. */
static void the_wait_ends_and_offers_are_asked_for_again(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a a");
	offer(&k, "a:1.1 b:1.1");
	launched(&k, "a: 1.0.0");
	kit_fine_done(&k, "1.0.0", "a");
	kit_wait(&k, 60000); /* b was passed over: the time is over. Nobody takes the offer since */
	offer(&k, "b:1.1");
	launched(&k, "b: 1.1.0");
	kit_free(&k);
}

static void while_nothing_is_passed_over_nothing_is_lost(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	offer(&k, "a:1.1");
	submit(&k, 1, "a");
	kit_wait(&k, 10 * WAIT_MS); /* no offers at all */
	offer(&k, "b:1.1");
	launched(&k, "");
	assert_true(sched_next_ms(k.s) <= k.now + WAIT_MS);
	kit_wait(&k, WAIT_MS - 1);
	offer(&k, "b:1.1");
	launched(&k, "");
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	offer(&k, "b:1.1");
	launched(&k, "b: 1.0.0");
	kit_fine_done(&k, "1.0.0", "b");
	ran(&k, 0, 0, 1, 0);
	kit_free(&k);
}

/* Three run and one could: a quarter of the time is lost. */
static void little_is_lost_while_most_slots_are_busy(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a a a a a");
	offer(&k, "a:3.1 b:1.1");
	launched(&k, "a: 1.0.0 1.1.0 1.2.0");
	kit_wait(&k, 4 * WAIT_MS - 1);
	offer(&k, "b:1.1"); /* the same again */
	launched(&k, "");
	k.now++;
	kit_tick(&k);
	offer(&k, "b:1.1");
	launched(&k, "b: 1.3.0");
	kit_free(&k);
}

/* A local launch makes good the one slot, and does not wind up the clock. */
static void a_lucky_launch_stops_the_clock_and_gives_nothing_back(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a a a");
	offer(&k, "a:1.1");
	launched(&k, "a: 1.0.0");
	kit_link(&k, "000007-0-0");
	kit_fine_done(&k, "1.0.0", "a");
	offer(&k, "b:1.1");
	launched(&k, "");
	kit_wait(&k, 800); /* nothing runs: 800 ms are lost */
	offer(&k, "a:1.1");
	launched(&k, "a: 1.1.0");
	kit_wait(&k, 10000); /* not behind */
	kit_fine_done(&k, "1.1.0", "a");
	offer(&k, "b:1.1");
	launched(&k, "");
	kit_wait(&k, WAIT_MS - 801);
	offer(&k, "b:1.1");
	launched(&k, "");
	k.now++;
	kit_tick(&k);
	offer(&k, "b:1.1");
	launched(&k, "b: 1.2.0");
	kit_free(&k);
}

/* Tasks that run again do not wait, but go where their data is if they can. */
static void tasks_of_a_lost_executor_go_where_their_data_is(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a,b a,c a,d");
	offer(&k, "a:3.1");
	launched(&k, "a: 1.0.0 1.1.0 1.2.0");
	kit_failure(&k, NULL, "a");
	offer(&k, "c:1.1 e:1.1 b:1.1");
	launched(&k, "c: 1.1.1 | e: 1.0.1 | b: 1.2.1"); /* e was ahead of b */
	kit_free(&k);
}

static void without_a_wait_local_tasks_still_go_first(void **state)
{
	struct kit k;
	struct sched_config config = config_of(&mode_fine);

	(void)state;
	config.locality_wait_ms = 0;
	kit_new(&k, &config);
	kit_subscribed(&k);
	submit(&k, 1, "a b c");
	offer(&k, "b:2.1 a:1.1");
	launched(&k, "b: 1.1.0 1.2.0 | a: 1.0.0");
	kit_free(&k);
}

static void what_nobody_may_take_is_not_passed_over(void **state)
{
	struct kit k;
	struct sched_config config = config_of(&mode_fine);

	(void)state;
	config.mode_config.max_slots = 1;
	kit_new(&k, &config);
	kit_subscribed(&k);
	submit(&k, 1, "a a");
	offer(&k, "a:2.1 b:1.1");
	launched(&k, "a: 1.0.0");
	kit_link(&k, "000007-0-0");
	kit_wait(&k, 100 * WAIT_MS); /* it is the limit that the other one waits for */
	kit_fine_done(&k, "1.0.0", "a");
	offer(&k, "b:1.1");
	launched(&k, "");
	kit_free(&k);
}

/* ---- Coarse ---- */

/* Executors of one slot each on a, b ... are there. */
static void coarse(struct kit *k, const char *agents, uint32_t max_slots, char e[][64])
{
	struct sched_config config = config_of(&mode_coarse);
	char text[64], *save, *rest = text, *name;

	config.mode_config.max_slots = max_slots;
	kit_new(k, &config);
	kit_subscribed(k);
	submit(k, 1, "- - - - - - - -");
	(void)snprintf(text, sizeof(text), "%s", agents);
	for (uint32_t i = 0; (name = strtok_r(rest, " ", &save)) != NULL; i++, rest = NULL) {
		char lease[16];

		(void)snprintf(lease, sizeof(lease), "lease-%u", i);
		kit_offer(k, name, 1.1, 1000);
		memcpy(e[i], k->executor, sizeof(e[i]));
		kit_link(k, e[i]);
		kit_running(k, lease, name);
	}
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	for (uint32_t i = 0; i < max_slots; i++) {
		Quern__TaskResult r = kit_result("1.0.0", DID(KILLED));

		r.partition = i;
		kit_coarse(k, e[i], &r);
	}
}

static void agents_with_data_are_taken_first(void **state)
{
	struct kit k;
	struct sched_config config = config_of(&mode_coarse);

	(void)state;
	config.mode_config.max_slots = 3;
	kit_new(&k, &config);
	kit_subscribed(&k);
	submit(&k, 1, "c b,d c d");
	offer(&k, "a:1.1 b:1.1 c:1.1 d:1.1");
	launched(&k, "b: lease-2 | c: lease-0 | d: lease-1");
	kit_free(&k);
}

static void slots_get_their_local_tasks_first(void **state)
{
	struct kit k;
	char e[3][64];

	(void)state;
	coarse(&k, "a b c", 3, e);
	submit(&k, 2, "c - b a");
	kit_sent(&k, e[0], "2.3.0");
	kit_sent(&k, e[1], "2.2.0");
	kit_sent(&k, e[2], "2.0.0");
	kit_coarse_done(&k, e[2], "2.0.0");
	kit_sent(&k, e[2], "2.1.0");
	kit_coarse_done(&k, e[2], "2.1.0");
	kit_coarse_done(&k, e[1], "2.2.0");
	kit_coarse_done(&k, e[0], "2.3.0");
	kit_done(&k, 0, NULL);
	ran(&k, 0, 3, 0, 1);
	kit_free(&k);
}

static void an_idle_slot_waits_and_not_for_ever(void **state)
{
	struct kit k;
	char e[2][64];

	(void)state;
	coarse(&k, "a b", 2, e);
	submit(&k, 2, "a a a");
	kit_sent(&k, e[0], "2.0.0");
	kit_sent(&k, e[1], "");
	uint64_t end = k.now + 2 * WAIT_MS; /* half of the time is lost */
	kit_wait(&k, WAIT_MS);
	kit_coarse_done(&k, e[0], "2.0.0");
	kit_sent(&k, e[0], "2.1.0");
	kit_sent(&k, e[1], "");
	/* From now on one waits and one runs: what is left could all be running. */
	end = k.now + WAIT_MS / 2;
	assert_true(sched_next_ms(k.s) <= end);
	k.now = end - 1;
	kit_tick(&k);
	kit_sent(&k, e[1], "");
	k.now = end;
	kit_tick(&k);
	kit_sent(&k, e[1], "2.2.0");
	kit_free(&k);
}

static void in_coarse_mode_nobody_waits_for_a_host_without_slots(void **state)
{
	struct kit k;
	char e[2][64];

	(void)state;
	coarse(&k, "a b", 2, e);
	submit(&k, 2, "c c a a");
	kit_sent(&k, e[0], "2.2.0");
	kit_sent(&k, e[1], "2.0.0");
	kit_coarse_done(&k, e[1], "2.0.0");
	kit_sent(&k, e[1], "2.1.0");
	kit_coarse_done(&k, e[1], "2.1.0");
	kit_sent(&k, e[1], "");
	kit_free(&k);
}

static void executors_do_not_hear_of_hosts(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &mode_fine);
	submit(&k, 1, "a");
	offer(&k, "a:1.1");
	Call *c = kit_call(&k, CALL(ACCEPT), 0);
	const Mesos__V1__TaskInfo *t = c->accept->operations[0]->launch->task_infos[0];
	Quern__TaskData *data = quern__task_data__unpack(NULL, t->data.len, t->data.data);
	assert_non_null(data);
	assert_int_equal(data->task->split->n_hosts, 0);
	quern__task_data__free_unpacked(data, NULL);
	kit_call_free(c);
	kit_free(&k);
}

/* ---- Many ---- */

/* Splits of one block each, in EACH of HOSTS places. */
struct many {
	struct kit_run run;
	char names[HOSTS][32];
	char *hosts[MANY][EACH];
	Quern__Extent extents[MANY], *extent_list[MANY];
	Quern__Split splits[MANY];
	const Quern__Split *list[MANY];
};

static void make_many(struct many *m)
{
	static const char path[] = "hdfs://namenode.quern.test:9870/data/2026/11/25/part-00017";

	for (uint32_t i = 0; i < HOSTS; i++)
		(void)snprintf(m->names[i], sizeof(m->names[i]), "datanode%u.cluster.quern.test", i);
	kit_run_init(&m->run, 1, 1, 0, 0, QUERN__SINK__KIND__COUNT);
	for (uint32_t i = 0; i < MANY; i++) {
		quern__extent__init(&m->extents[i]);
		m->extents[i].path = (char *)(uintptr_t)path;
		m->extents[i].offset = (uint64_t)i << 27;
		m->extents[i].length = 1 << 27;
		m->extent_list[i] = &m->extents[i];
		quern__split__init(&m->splits[i]);
		m->splits[i].n_extents = 1;
		m->splits[i].extents = &m->extent_list[i];
		m->splits[i].n_hosts = EACH;
		m->splits[i].hosts = m->hosts[i];
		for (uint32_t h = 0; h < EACH; h++)
			m->hosts[i][h] = m->names[(i * 7 + h * h * 31) % HOSTS];
		m->list[i] = &m->splits[i];
	}
	m->run.splits_of[0] = m->list;
	m->run.n_splits[0] = MANY;
	one_branch_count(&m->run.from[0], MANY);
}

static size_t allocated(void)
{
	const struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void a_pending_task_takes_little_memory(void **state)
{
	struct many *m = calloc(1, sizeof(*m));
	struct kit k;

	(void)state;
	assert_non_null(m);
	make_many(m);
	begin(&k, &mode_fine);
	size_t before = allocated();
	kit_submit(&k, &m->run);
	size_t after = allocated();
	offer(&k, "datanode500.cluster.quern.test:1.1");
	Call *c = kit_call(&k, CALL(ACCEPT), 0);
	assert_non_null(c); /* and they are all there */
	kit_call_free(c);
	kit_free(&k);
	free(m);
	if (before == 0) /* another malloc, which does not count that way */
		skip();
	assert_in_range((after - before) / MANY, 100, TASK_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_agent_gets_the_tasks_of_its_data),
		cmocka_unit_test(names_are_alike_whatever_their_case_and_with_a_dot_at_their_end),
		cmocka_unit_test(what_one_agent_alone_has_is_left_for_it),
		cmocka_unit_test(what_two_have_is_spread),
		cmocka_unit_test(an_offer_without_data_takes_what_has_none_and_is_passed_over_for_the_rest),
		cmocka_unit_test(nobody_waits_where_no_host_has_an_agent),
		cmocka_unit_test(an_agent_that_is_lost_is_not_waited_for),
		cmocka_unit_test(a_host_is_waited_for_in_vain_once),
		cmocka_unit_test(the_wait_ends_and_offers_are_asked_for_again),
		cmocka_unit_test(while_nothing_is_passed_over_nothing_is_lost),
		cmocka_unit_test(little_is_lost_while_most_slots_are_busy),
		cmocka_unit_test(a_lucky_launch_stops_the_clock_and_gives_nothing_back),
		cmocka_unit_test(tasks_of_a_lost_executor_go_where_their_data_is),
		cmocka_unit_test(without_a_wait_local_tasks_still_go_first),
		cmocka_unit_test(what_nobody_may_take_is_not_passed_over),
		cmocka_unit_test(agents_with_data_are_taken_first),
		cmocka_unit_test(slots_get_their_local_tasks_first),
		cmocka_unit_test(an_idle_slot_waits_and_not_for_ever),
		cmocka_unit_test(in_coarse_mode_nobody_waits_for_a_host_without_slots),
		cmocka_unit_test(executors_do_not_hear_of_hosts),
		cmocka_unit_test(a_pending_task_takes_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
