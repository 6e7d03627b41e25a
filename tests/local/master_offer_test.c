/* Who is offered what, and when: what makes the master allocate, filters, fairness, the end of offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/local/master_kit_calls.h"

/* ---- What makes the master allocate ---- */

static void a_subscription_is_offered_what_there_is(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;mem:1024;ports:[31000-31009]");
	kit_expect(&k, "agent 1: registered S0\n");
	kit_subscribe(&k, 1);
	kit_expect(&k, "reply 1 stream\n1 SUBSCRIBED F0\n1 HEARTBEAT\n"
		       "1 OFFERS O0:S0 cpus=4 mem=1024 ports=31000-31009 (*)\n");
	kit_deinit(&k);
}

static void an_agent_that_registers_is_offered(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe(&k, 1);
	kit_expect(&k, "reply 1 stream\n1 SUBSCRIBED F0\n1 HEARTBEAT\n");
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_expect(&k, "agent 1: registered S0\n1 OFFERS O0:S0 cpus=4 mem=1024 (*)\n");
	kit_agent(&k, 2, "cpus:2;mem:512");
	kit_expect(&k, "agent 2: registered S1\n1 OFFERS O1:S1 cpus=2 mem=512 (*)\n");
	kit_deinit(&k);
}

/* One agent, one framework that declined it for nothing: it is free. */
static void init_free(struct kit *k)
{
	kit_init(k);
	kit_agent(k, 1, "cpus:4;mem:1024");
	kit_subscribe(k, 1);
	kit_decline(k, 1, "O0", 0);
	k->text[0] = '\0';
}

static void what_is_declined_comes_with_the_timer(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 999);
	kit_expect(&k, "");
	kit_wait(&k, 1);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_wait(&k, 5000);
	kit_expect(&k, ""); /* it is held */
	kit_deinit(&k);
}

static void what_is_left_of_an_accept_comes_with_the_timer(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	k.text[0] = '\0';
	kit_launch(&k, 1, "O1", 0, { .id = "t1", .executor = "e1" });
	kit_expect(&k, "agent 1: run t1 e1\n");
	kit_wait(&k, 999);
	kit_expect(&k, "");
	kit_wait(&k, 1);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=2.9 mem=928 (*) [e1]\n");
	kit_deinit(&k);
}

static void a_task_that_ends_allocates_nothing_and_revive_does(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	kit_launch(&k, 1, "O1", 0, { .id = "t1", .executor = "e1", .resources = "cpus:3.9;mem:992" });
	k.text[0] = '\0';
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 7);
	kit_expect(&k, "1 UPDATE t1 TASK_FINISHED S0 SOURCE_EXECUTOR 7\n");
	kit_acknowledge(&k, 1, "S0", "t1", 7);
	kit_expect(&k, "agent 1: acknowledge t1 7\n");
	kit_wait(&k, 500);
	kit_expect(&k, "");
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=3.9 mem=992 (*) [e1]\n");
	kit_deinit(&k);
}

static void an_executor_that_ends_allocates_nothing(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	kit_launch(&k, 1, "O1", 0, { .id = "t1", .executor = "e1", .resources = "cpus:3.9;mem:992" });
	k.text[0] = '\0';
	kit_exited(&k, 1, 1, "e1", 768);
	kit_expect(&k, "1 FAILURE S0 e1 768\n");
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=0.1 mem=32 (*)\n"); /* the executor's; the task is not over */
	kit_deinit(&k);
}

static void nothing_smaller_than_the_least_is_offered(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe(&k, 1);
	k.text[0] = '\0';
	kit_agent(&k, 1, "cpus:0.009;mem:31;disk:1000");
	kit_expect(&k, "agent 1: registered S0\n");
	kit_agent(&k, 2, "cpus:0.01");
	kit_expect(&k, "agent 2: registered S1\n1 OFFERS O0:S1 cpus=0.01 (*)\n");
	kit_agent(&k, 3, "mem:32");
	kit_expect(&k, "agent 3: registered S2\n1 OFFERS O1:S2 mem=32 (*)\n");
	kit_deinit(&k);
}

/* Every field that a recorded offer of Mesos has. */
static void an_offer_says_where_its_agent_is(void **state)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Register r = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
	Mesos__V1__Attribute rack = MESOS__V1__ATTRIBUTE__INIT, *attributes[] = { &rack };
	Mesos__V1__Value__Text text = MESOS__V1__VALUE__TEXT__INIT;
	Mesos__V1__Resource cpus = MESOS__V1__RESOURCE__INIT, *resources[] = { &cpus };
	Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe(&k, 1);
	k.text[0] = '\0';
	rack.name = (char *)"rack";
	rack.type = MESOS__V1__VALUE__TYPE__TEXT;
	rack.text = &text;
	text.value = (char *)"r7";
	cpus.name = (char *)"cpus";
	cpus.scalar = &scalar;
	scalar.value = 2;
	info.hostname = (char *)"agent7";
	info.has_port = 1;
	info.port = 5057;
	info.attributes = attributes;
	info.resources = resources;
	info.n_attributes = info.n_resources = 1;
	r.info = &info;
	m.register_ = &r;
	struct master_event ev = {
		.now_ms = k.now, .kind = MASTER_EV_AGENT, .u.agent = { .link = 1, .message = &m }
	};
	assert_int_equal(master_step(k.master, &ev, &k.plan), 0);
	assert_int_equal(k.plan.n, 2);
	Mesos__V1__Scheduler__Event *e =
		mesos__v1__scheduler__event__unpack(NULL, k.plan.at[1].len, k.plan.at[1].data);
	assert_non_null(e);
	assert_int_equal(e->offers->n_offers, 1);
	const Mesos__V1__Offer *o = e->offers->offers[0];
	assert_string_equal(o->framework_id->value, k.framework[1]);
	assert_string_equal(o->agent_id->value + KIT_UUID, "-S0");
	assert_string_equal(o->id->value + KIT_UUID, "-O0");
	assert_string_equal(o->hostname, "agent7");
	assert_string_equal(o->url->scheme, "http");
	assert_string_equal(o->url->path, "/slave(1)");
	assert_string_equal(o->url->address->hostname, "agent7");
	assert_string_equal(o->url->address->ip, "127.0.0.1");
	assert_int_equal(o->url->address->port, 5057);
	assert_int_equal(o->n_attributes, 1);
	assert_string_equal(o->attributes[0]->text->value, "r7");
	assert_int_equal(o->n_resources, 1);
	assert_string_equal(o->resources[0]->role, "*");
	assert_string_equal(o->resources[0]->allocation_info->role, "*");
	assert_string_equal(o->allocation_info->role, "*");
	assert_null(o->unavailability);
	mesos__v1__scheduler__event__free_unpacked(e, NULL);
	master_plan_reset(&k.plan);
	kit_deinit(&k);
}

/* REQUEST is ignored, as by the allocator of Mesos; inverse offers are not made, so that answers to them are
 * of nothing. */
static void other_calls_are_taken_and_change_nothing(void **state)
{
	static const Mesos__V1__Scheduler__Call__Type types[] = {
		MESOS__V1__SCHEDULER__CALL__TYPE__REQUEST,
		MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT_INVERSE_OFFERS,
		MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE_INVERSE_OFFERS,
	};
	struct kit k;
	(void)state;

	init_free(&k);
	for (size_t i = 0; i < 3; i++) {
		Call call = MESOS__V1__SCHEDULER__CALL__INIT;

		kit_call(&k, 1, types[i], &call);
		kit_expect(&k, "");
	}
	kit_deinit(&k);
}

/* ---- Filters ---- */

static void a_refusal_hides_the_offer_while_it_stands(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_decline(&k, 1, "O1", 3);
	kit_wait(&k, 2999);
	kit_expect(&k, "");
	kit_wait(&k, 1001);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void a_refusal_without_a_time_is_of_five_seconds(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	kit_decline(&k, 1, "O1", -1);
	k.text[0] = '\0';
	kit_wait(&k, 4999);
	kit_expect(&k, "");
	kit_wait(&k, 1001);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	/* The same for what an ACCEPT leaves. */
	kit_launch(&k, 1, "O2", -1, { .id = "t1" });
	kit_expect(&k, "agent 1: run t1\n");
	kit_wait(&k, 4900);
	kit_expect(&k, "");
	kit_wait(&k, 1100);
	kit_expect(&k, "1 OFFERS O3:S0 cpus=3 mem=960 (*)\n");
	kit_deinit(&k);
}

static void a_filter_outlives_the_next_allocation(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1500);
	kit_decline(&k, 1, "O1", 0.001); /* MESOS-4302: stands for an allocation interval all the same */
	k.text[0] = '\0';
	kit_wait(&k, 600);
	kit_expect(&k, "");
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void a_filter_hides_what_it_contains_and_nothing_more(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	kit_launch(&k, 1, "O1", 1000, { .id = "t1" }, { .id = "t2" });
	k.text[0] = '\0';
	kit_wait(&k, 2000);
	kit_expect(&k, "");
	kit_update(&k, 1, 1, "t1", TASK_FINISHED, 7); /* more is free than was refused */
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=3 mem=960 (*)\n");
	kit_deinit(&k);
}

static void revive_takes_filters_down(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 1000);
	kit_decline(&k, 1, "O1", 1000);
	k.text[0] = '\0';
	kit_revive(&k, 1, NULL);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	kit_decline(&k, 1, "O2", 1000);
	kit_revive(&k, 1, "*");
	kit_expect(&k, "1 OFFERS O3:S0 cpus=4 mem=1024 (*)\n");
	kit_decline(&k, 1, "O3", 1000);
	kit_revive(&k, 1, "other"); /* a role that it has not: nothing */
	kit_expect(&k, "");
	kit_deinit(&k);
}

static void what_one_refuses_another_gets(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_subscribe(&k, 2);
	kit_expect(&k, "reply 2 stream\n2 SUBSCRIBED F1\n2 HEARTBEAT\n2 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_decline(&k, 2, "O1", 1000);
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O2:S0 cpus=4 mem=1024 (*)\n");
	kit_decline(&k, 1, "O2", 0); /* has had more offers by now, so that it comes second */
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O3:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

/* ---- SUPPRESS ---- */

static void suppress_stops_offers_until_revive(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_suppress(&k, 1, NULL);
	kit_wait(&k, 5000);
	kit_agent(&k, 2, "cpus:1;mem:64");
	kit_expect(&k, "agent 2: registered S1\n");
	kit_revive(&k, 1, NULL);
	assert_int_equal(k.offers, 3);
	k.text[0] = '\0';
	kit_deinit(&k);
}

static void roles_are_suppressed_one_by_one(void **state)
{
	const struct kit_framework two = { .roles = { "a", "b" }, .suppressed = { "a" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe_as(&k, 1, &two);
	kit_expect(&k, "agent 1: registered S0\nreply 1 stream\n1 SUBSCRIBED F0\n1 HEARTBEAT\n"
		       "1 OFFERS O0:S0 cpus=4 mem=1024 (b)\n");
	kit_suppress(&k, 1, "b");
	kit_decline(&k, 1, "O0", 0);
	kit_wait(&k, 1000);
	kit_expect(&k, "");
	kit_revive(&k, 1, "a");
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (a)\n");
	kit_deinit(&k);
}

/* ---- Fairness ---- */

static void the_lower_dominant_share_is_served_first(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe(&k, 1);
	kit_subscribe(&k, 2);
	/* F0 has half of the memory and a quarter of the cpus, so that its share is one half. */
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .resources = "cpus:1;mem:512" });
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	kit_expect(&k, "2 OFFERS O1:S0 cpus=3 mem=512 (*)\n");
	/* F1 gets three eighths of the cpus: less. */
	kit_launch(&k, 2, "O1", 0, { .id = "t1", .resources = "cpus:1.5;mem:32" });
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	kit_expect(&k, "2 OFFERS O2:S0 cpus=1.5 mem=480 (*)\n");
	/* And now three quarters: more. */
	kit_launch(&k, 2, "O2", 0, { .id = "t2", .resources = "cpus:1.4;mem:32" });
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	kit_expect(&k, "1 OFFERS O3:S0 cpus=0.1 mem=448 (*)\n");
	kit_deinit(&k);
}

static void roles_come_before_frameworks(void **state)
{
	const struct kit_framework a = { .roles = { "a" } }, b = { .roles = { "b" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe_as(&k, 1, &a);
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .role = "a" });
	kit_subscribe_as(&k, 2, &a); /* has nothing, but its role has a quarter */
	kit_decline(&k, 2, "O1", 0);
	k.text[0] = '\0';
	kit_subscribe_as(&k, 3, &b);
	kit_expect(&k, "reply 3 stream\n3 SUBSCRIBED F2\n3 HEARTBEAT\n3 OFFERS O2:S0 cpus=3 mem=960 (b)\n");
	kit_deinit(&k);
}

/* What roles below another hold counts for that one: "eng" has two agents before "ads" has any. */
static void roles_within_a_role_are_one_beside_others(void **state)
{
	const struct kit_framework web = { .roles = { "eng/web" } }, search = { .roles = { "eng/search" } },
				   ads = { .roles = { "ads" } }, eng = { .roles = { "eng" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe_as(&k, 1, &web);
	kit_agent(&k, 1, "cpus:1;mem:64");
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .role = "eng/web" });
	kit_suppress(&k, 1, NULL);
	kit_subscribe_as(&k, 2, &search);
	kit_agent(&k, 2, "cpus:1;mem:64");
	kit_launch(&k, 2, "O1", 0, { .id = "t2", .agent = "S1", .role = "eng/search" });
	kit_subscribe_as(&k, 3, &ads);
	kit_subscribe_as(&k, 4, &eng);
	kit_revive(&k, 1, NULL);
	k.text[0] = '\0';
	kit_agent(&k, 3, "cpus:1;mem:64");
	kit_agent(&k, 4, "cpus:1;mem:64");
	kit_agent(&k, 5, "cpus:1;mem:64"); /* ads has two then, as many as eng */
	kit_agent(&k, 6, "cpus:1;mem:64"); /* and within eng he who has nothing is next */
	kit_expect(&k, "agent 3: registered S2\n3 OFFERS O2:S2 cpus=1 mem=64 (ads)\n"
		       "agent 4: registered S3\n3 OFFERS O3:S3 cpus=1 mem=64 (ads)\n"
		       "agent 5: registered S4\n3 OFFERS O4:S4 cpus=1 mem=64 (ads)\n"
		       "agent 6: registered S5\n4 OFFERS O5:S5 cpus=1 mem=64 (eng)\n");
	kit_deinit(&k);
}

static void agents_are_shared_out_within_one_allocation(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_subscribe(&k, 1);
	kit_subscribe(&k, 2);
	for (int i = 1; i <= 4; i++)
		kit_agent(&k, i, "cpus:1;mem:64");
	kit_decline(&k, 1, "O0 O1 O2 O3", 0);
	kit_decline(&k, 2, "O0 O1 O2 O3", 0);
	k.text[0] = '\0';
	kit_wait(&k, 1000);
	/* Two each, whichever. */
	size_t one = 0, other = 0;
	for (const char *line = k.text; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t n = 0;

		for (const char *p = line; *p != '\n'; p++)
			n += *p == '(';
		*(line[0] == '1' ? &one : &other) += n;
	}
	assert_int_equal(one, 2);
	assert_int_equal(other, 2);
	k.text[0] = '\0';
	kit_deinit(&k);
}

static void reservations_are_for_their_role(void **state)
{
	const struct kit_framework a = { .roles = { "a" } };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus(a):2;mem(a):256;cpus:1;mem:128");
	kit_subscribe(&k, 1);
	kit_expect(&k, "agent 1: registered S0\nreply 1 stream\n1 SUBSCRIBED F0\n1 HEARTBEAT\n"
		       "1 OFFERS O0:S0 cpus=1 mem=128 (*)\n");
	kit_subscribe_as(&k, 2, &a);
	kit_expect(&k, "reply 2 stream\n2 SUBSCRIBED F1\n2 HEARTBEAT\n"
		       "2 OFFERS O1:S0 cpus=2<a> mem=256<a> (a)\n");
	kit_deinit(&k);
}

static void older_frameworks_are_told_of_no_allocation(void **state)
{
	const struct kit_framework old = { .role = "a" };
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:1;mem:128");
	kit_subscribe_as(&k, 1, &old);
	kit_expect(&k, "agent 1: registered S0\nreply 1 stream\n1 SUBSCRIBED F0\n1 HEARTBEAT\n"
		       "1 OFFERS O0:S0 cpus=1 mem=128\n");
	kit_launch(&k, 1, "O0", 0, { .id = "t1", .role = "" });
	kit_expect(&k, "agent 1: run t1\n");
	kit_deinit(&k);
}

/* ---- The end of offers ---- */

static void offers_are_held_for_ever_by_default(void **state)
{
	struct kit k;
	(void)state;

	init_free(&k);
	kit_wait(&k, 3600 * 1000);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n");
	kit_deinit(&k);
}

static void offers_time_out_where_that_is_asked_for(void **state)
{
	struct kit k;
	(void)state;

	kit_init_with(&k, (struct master_config){
				  .seed = 1, .heartbeat_interval_ms = 100000000, .offer_timeout_ms = 2500 });
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe(&k, 1);
	k.text[0] = '\0';
	kit_wait(&k, 2499);
	kit_expect(&k, "");
	kit_wait(&k, 1);
	kit_expect(&k, "1 RESCIND O0\n");
	kit_launch(&k, 1, "O0", 0, { .id = "t1" });
	kit_expect(&k, "1 UPDATE t1 TASK_DROPPED S0 SOURCE_MASTER REASON_INVALID_OFFERS \"Task launched with "
		       "invalid offers: Offer @O0 is no longer valid\" -\n");
	kit_wait(&k, 500);
	kit_expect(&k, "1 OFFERS O1:S0 cpus=4 mem=1024 (*)\n"); /* no filter */
	kit_deinit(&k);
}

static void the_offer_of_another_is_not_declined(void **state)
{
	struct kit k;
	(void)state;

	kit_init(&k);
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe(&k, 1);
	kit_subscribe(&k, 2);
	k.text[0] = '\0';
	kit_decline(&k, 2, "O0 O99", 0);
	kit_launch(&k, 1, "O0", 0, { .id = "t1" });
	kit_expect(&k, "agent 1: run t1\n");
	kit_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subscription_is_offered_what_there_is),
		cmocka_unit_test(an_agent_that_registers_is_offered),
		cmocka_unit_test(what_is_declined_comes_with_the_timer),
		cmocka_unit_test(what_is_left_of_an_accept_comes_with_the_timer),
		cmocka_unit_test(a_task_that_ends_allocates_nothing_and_revive_does),
		cmocka_unit_test(an_executor_that_ends_allocates_nothing),
		cmocka_unit_test(nothing_smaller_than_the_least_is_offered),
		cmocka_unit_test(an_offer_says_where_its_agent_is),
		cmocka_unit_test(other_calls_are_taken_and_change_nothing),
		cmocka_unit_test(a_refusal_hides_the_offer_while_it_stands),
		cmocka_unit_test(a_refusal_without_a_time_is_of_five_seconds),
		cmocka_unit_test(a_filter_outlives_the_next_allocation),
		cmocka_unit_test(a_filter_hides_what_it_contains_and_nothing_more),
		cmocka_unit_test(revive_takes_filters_down),
		cmocka_unit_test(what_one_refuses_another_gets),
		cmocka_unit_test(suppress_stops_offers_until_revive),
		cmocka_unit_test(roles_are_suppressed_one_by_one),
		cmocka_unit_test(the_lower_dominant_share_is_served_first),
		cmocka_unit_test(roles_come_before_frameworks),
		cmocka_unit_test(roles_within_a_role_are_one_beside_others),
		cmocka_unit_test(agents_are_shared_out_within_one_allocation),
		cmocka_unit_test(reservations_are_for_their_role),
		cmocka_unit_test(older_frameworks_are_told_of_no_allocation),
		cmocka_unit_test(offers_are_held_for_ever_by_default),
		cmocka_unit_test(offers_time_out_where_that_is_asked_for),
		cmocka_unit_test(the_offer_of_another_is_not_declined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
