/* Offers and launches, in fine mode. */
#include "tests/scheduler/sched_kit.h"

static int setup(void **state)
{
	static struct kit k;
	const struct sched_config config = kit_config(&mode_fine);

	kit_new(&k, &config);
	kit_subscribed(&k);
	*state = &k;
	return 0;
}

static int teardown(void **state)
{
	kit_free(*state);
	return 0;
}

static void nothing_to_run_declines_for_long(void **state)
{
	struct kit *k = *state;

	kit_offer(k, "a", 4, 1000);
	assert_int_equal(kit_calls(k, CALL(DECLINE)), 1);
	assert_true(kit_refused(k) >= 3600);
}

static void a_launch_says_everything(void **state)
{
	struct kit *k = *state;

	kit_run(k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 1.1, 164);
	kit_accepted(k, "5.0.0");
	assert_true(kit_refused(k) <= 0); /* there is more to run */
	Call *c = kit_call(k, CALL(ACCEPT), 0);
	assert_int_equal(c->accept->n_offer_ids, 1);
	assert_string_equal(c->accept->offer_ids[0]->value, "offer-1");
	const Mesos__V1__TaskInfo *t = c->accept->operations[0]->launch->task_infos[0];
	assert_string_equal(t->agent_id->value, "a");
	assert_int_equal(t->n_resources, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(t->resources[i]->allocation_info->role, "*");
		assert_string_equal(t->executor->resources[i]->allocation_info->role, "*");
		bool cpus = strcmp(t->resources[i]->name, "cpus") == 0;
		assert_int_equal((int)(t->resources[i]->scalar->value * 1000 + .5), cpus ? 1000 : 100000);
	}
	assert_int_equal(t->executor->type, MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM);
	assert_string_equal(t->executor->command->value, "./quern-executor");
	assert_string_equal(t->executor->framework_id->value, "framework-1");
	assert_int_equal(t->executor->data.len, 3);
	Quern__TaskData *data = quern__task_data__unpack(NULL, t->data.len, t->data.data);
	assert_non_null(data);
	assert_null(data->lease);
	assert_int_equal(data->task->stage, 5);
	assert_non_null(data->task->split);
	assert_int_equal(data->task->memory, (uint64_t)100 << 20);
	quern__task_data__free_unpacked(data, NULL);
	kit_call_free(c);
}

static void the_executors_share_counts_once(void **state)
{
	struct kit *k = *state;

	kit_run(k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 1, 1000); /* not enough for a task and the executor */
	assert_int_equal(kit_calls(k, CALL(ACCEPT)), 0);
	assert_true(kit_refused(k) < 60); /* but it may grow */
	kit_offer(k, "a", 2.1, 1000);
	kit_accepted(k, "5.0.0 5.1.0");
	kit_offer(k, "a", 1, 1000); /* whether it runs is not known */
	assert_int_equal(kit_calls(k, CALL(ACCEPT)), 0);
	assert_true(kit_refused(k) <= 0);
	char first[64];
	memcpy(first, k->executor, sizeof(first));
	kit_link(k, k->executor);
	kit_offer(k, "a", 1, 1000);
	kit_accepted(k, "5.2.0");
	assert_string_equal(k->executor, first);
}

static void memory_limits_as_cores_do(void **state)
{
	struct kit *k = *state;

	kit_run(k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 8, 364); /* 64 + 3 * 100 */
	kit_accepted(k, "5.0.0 5.1.0 5.2.0");
}

static void offers_of_one_agent_are_used_together(void **state)
{
	struct kit *k = *state;
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
	Mesos__V1__Offer o[3], *list[] = { &o[0], &o[1], &o[2] };
	Mesos__V1__OfferID ids[3];
	Mesos__V1__AgentID a = MESOS__V1__AGENT_ID__INIT, b = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__Value__Scalar half = MESOS__V1__VALUE__SCALAR__INIT, mem = MESOS__V1__VALUE__SCALAR__INIT;
	Mesos__V1__Resource r[2] = { MESOS__V1__RESOURCE__INIT, MESOS__V1__RESOURCE__INIT };
	Mesos__V1__Resource *resources[] = { &r[0], &r[1] };
	char *names[] = { (char *)(uintptr_t) "x", (char *)(uintptr_t) "y", (char *)(uintptr_t) "z" };

	kit_run(k, 1, 5, 10, 0, QUERN__SINK__KIND__COUNT);
	half.value = 0.6;
	mem.value = 100;
	r[0].name = (char *)(uintptr_t) "cpus";
	r[0].scalar = &half;
	r[1].name = (char *)(uintptr_t) "mem";
	r[1].scalar = &mem;
	a.value = (char *)(uintptr_t) "a";
	b.value = (char *)(uintptr_t) "b";
	framework.value = (char *)(uintptr_t) "framework-1";
	for (int i = 0; i < 3; i++) {
		mesos__v1__offer__init(&o[i]);
		mesos__v1__offer_id__init(&ids[i]);
		ids[i].value = names[i];
		o[i].id = &ids[i];
		o[i].framework_id = &framework;
		o[i].agent_id = i == 1 ? &b : &a;
		o[i].hostname = o[i].agent_id->value;
		o[i].n_resources = 2;
		o[i].resources = resources;
	}
	offers.n_offers = 3;
	offers.offers = list;
	e.offers = &offers;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS);
	kit_accepted(k, "5.0.0");
	Call *c = kit_call(k, CALL(ACCEPT), 0);
	assert_int_equal(c->accept->n_offer_ids, 2);
	assert_string_equal(c->accept->offer_ids[0]->value, "x");
	assert_string_equal(c->accept->offer_ids[1]->value, "z");
	kit_call_free(c);
	c = kit_call(k, CALL(DECLINE), 0); /* and that of the other agent is not kept */
	assert_int_equal(c->decline->n_offer_ids, 1);
	assert_string_equal(c->decline->offer_ids[0]->value, "y");
	kit_call_free(c);
}

static void no_more_than_is_to_run(void **state)
{
	struct kit *k = *state;

	kit_run(k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", 8, 8000);
	kit_accepted(k, "5.0.0 5.1.0");
	assert_true(kit_refused(k) >= 3600); /* nothing is left to run */
	assert_int_equal(kit_calls(k, CALL(SUPPRESS)), 1);
}

static void nonsense_is_declined(void **state)
{
	struct kit *k = *state;

	kit_run(k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(k, "a", -1, 8000);
	assert_int_equal(kit_calls(k, CALL(ACCEPT)), 0);
	assert_int_equal(kit_calls(k, CALL(DECLINE)), 1);
}

static void a_refused_launch_costs_the_task_nothing(void **state)
{
	struct kit *k = *state;
	char first[64];

	kit_run(k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	for (int i = 0; i < 20; i++) {
		char id[32];

		kit_offer(k, "a", 4, 1000);
		(void)snprintf(id, sizeof(id), "5.0.%d", i);
		kit_accepted(k, id);
		if (i == 0)
			memcpy(first, k->executor, sizeof(first));
		else /* the one before never was */
			assert_string_not_equal(first, k->executor);
		kit_says(k, id, "a", STATE(DROPPED));
		assert_null(kit_action(k, SCHED_DO_DONE, 0));
	}
}

static void inverse_offers_are_accepted_and_the_agent_left_alone(void **state)
{
	struct kit *k = *state;
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__InverseOffers offers = MESOS__V1__SCHEDULER__EVENT__INVERSE_OFFERS__INIT;
	Mesos__V1__InverseOffer o = MESOS__V1__INVERSE_OFFER__INIT, *list[] = { &o };
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__Unavailability unavailability = MESOS__V1__UNAVAILABILITY__INIT;

	id.value = (char *)(uintptr_t) "inverse";
	agent.value = (char *)(uintptr_t) "a";
	framework.value = (char *)(uintptr_t) "framework-1";
	o.id = &id;
	o.agent_id = &agent;
	o.framework_id = &framework;
	o.unavailability = &unavailability;
	offers.n_inverse_offers = 1;
	offers.inverse_offers = list;
	e.inverse_offers = &offers;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS);
	Call *c = kit_call(k, CALL(ACCEPT_INVERSE_OFFERS), 0);
	assert_non_null(c);
	assert_string_equal(c->accept_inverse_offers->inverse_offer_ids[0]->value, "inverse");
	kit_call_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* All that the driver says of executors, and what the core adds. */
static void an_executor_is_told_what_the_driver_says(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	Mesos__V1__ExecutorInfo executor = *config.executor;
	Mesos__V1__CommandInfo command = *executor.command;
	Mesos__V1__CommandInfo__URI uri = MESOS__V1__COMMAND_INFO__URI__INIT, *uris[] = { &uri };
	Mesos__V1__ContainerInfo container = MESOS__V1__CONTAINER_INFO__INIT;
	struct kit k;
	(void)state;

	uri.value = (char *)(uintptr_t) "http://driver/job.so";
	command.uris = uris;
	command.n_uris = 1;
	container.type = MESOS__V1__CONTAINER_INFO__TYPE__MESOS;
	executor.command = &command;
	executor.container = &container;
	config.executor = &executor;
	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2, 1000);
	Call *c = kit_call(&k, CALL(ACCEPT), 0);
	const Mesos__V1__ExecutorInfo *info = c->accept->operations[0]->launch->task_infos[0]->executor;
	assert_string_not_equal(info->executor_id->value, "");
	assert_string_equal(info->name, "test");
	assert_string_equal(info->command->value, "./quern-executor");
	assert_int_equal(info->command->n_uris, 1);
	assert_string_equal(info->command->uris[0]->value, "http://driver/job.so");
	assert_int_equal(info->container->type, MESOS__V1__CONTAINER_INFO__TYPE__MESOS);
	assert_int_equal(info->data.len, 3);
	kit_call_free(c);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_executor_is_told_what_the_driver_says),
		TEST(nothing_to_run_declines_for_long),
		TEST(a_launch_says_everything),
		TEST(the_executors_share_counts_once),
		TEST(memory_limits_as_cores_do),
		TEST(offers_of_one_agent_are_used_together),
		TEST(no_more_than_is_to_run),
		TEST(nonsense_is_declined),
		TEST(a_refused_launch_costs_the_task_nothing),
		TEST(inverse_offers_are_accepted_and_the_agent_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
