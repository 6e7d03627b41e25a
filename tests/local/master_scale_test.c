/* The master under load, and from outside: a thousand agents, twenty thousand tasks, a REVIVE every 20 ms;
 * equal plans for equal seeds; the numbers and the page for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "base/vec.h"
#include "tests/local/master_kit_calls.h"

/* ---- Many ---- */

enum { AGENTS = 1000, TASKS = 20000, AT_ONCE = 64 };

struct running {
	char task[16];
	int link;
};

/* A framework that launches a task on each offer, of which some end between two REVIVEs. */
struct many {
	struct kit k;
	size_t launched, ended;
	VEC(struct running) running;
	uint64_t hash, conn_offers;
};

/* FNV-1a over everything that was to be done. */
static void digest(uint64_t *hash, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*hash = (*hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
}

static void launch_one(struct many *s, const Mesos__V1__Offer *o);

/* Steps, and answers offers in further steps. */
static void many_step(struct many *s, struct master_event *ev)
{
	struct master_plan plan = { 0 };

	ev->now_ms = s->k.now;
	assert_int_equal(master_step(s->k.master, ev, &plan), 0);
	for (size_t i = 0; i < plan.n; i++) {
		const struct master_action *x = &plan.at[i];

		digest(&s->hash, &x->kind, sizeof(x->kind));
		if (x->data != NULL)
			digest(&s->hash, x->data, x->len);
		if (x->stream_id != NULL)
			(void)snprintf(s->k.stream[1], sizeof(s->k.stream[1]), "%s", x->stream_id);
		if (x->kind != MASTER_DO_EVENT)
			continue;
		Mesos__V1__Scheduler__Event *e = mesos__v1__scheduler__event__unpack(NULL, x->len, x->data);
		assert_non_null(e);
		if (e->subscribed != NULL)
			(void)snprintf(s->k.framework[1], KIT_ID, "%s", e->subscribed->framework_id->value);
		for (size_t j = 0; e->offers != NULL && j < e->offers->n_offers; j++)
			launch_one(s, e->offers->offers[j]);
		mesos__v1__scheduler__event__free_unpacked(e, NULL);
	}
	master_plan_deinit(&plan);
}

static void many_call(struct many *s, Mesos__V1__Scheduler__Call__Type type, Call *call)
{
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	id.value = s->k.framework[1];
	call->framework_id = &id;
	call->has_type = 1;
	call->type = type;
	many_step(s, &(struct master_event){ .kind = MASTER_EV_CALL,
			     .u.call = { .conn = 0, .stream_id = s->k.stream[1], .call = call } });
}

/* A task of one cpu, or a refusal when there have been enough. */
static void launch_one(struct many *s, const Mesos__V1__Offer *o)
{
	Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
	Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
				    *operations[] = { &operation };
	Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
	Mesos__V1__Filters filters = kit_filters(0);
	Mesos__V1__OfferID *offers[] = { o->id };
	Mesos__V1__TaskInfo *info = NULL;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	struct running r;

	accept.offer_ids = offers;
	accept.n_offer_ids = 1;
	accept.filters = &filters;
	if (s->launched < TASKS) {
		(void)snprintf(r.task, sizeof(r.task), "t%zu", s->launched++);
		r.link = atoi(strrchr(o->hostname, 't') + 1);
		info = kit_task_info(&s->k, s->k.framework[1],
			&(struct kit_task){ .id = r.task, .agent = o->agent_id->value, .executor = "e" });
		assert_int_equal(vec_push(&s->running, r), 0);
		operation.has_type = 1;
		operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
		operation.launch = &launch;
		launch.task_infos = &info;
		launch.n_task_infos = 1;
		accept.operations = operations;
		accept.n_operations = 1;
	}
	call.accept = &accept;
	many_call(s, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT, &call);
	if (info != NULL)
		mesos__v1__task_info__free_unpacked(info, NULL);
}

/* The task ends, is forwarded, and acknowledged. */
static void end_one(struct many *s)
{
	struct running r = s->running.at[--s->running.n];
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Update update = QUERN__LOCAL__TO_MASTER__UPDATE__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	uint8_t uuid[16] = { 1 };

	framework.value = s->k.framework[1];
	id.value = r.task;
	status.task_id = &id;
	status.state = MESOS__V1__TASK_STATE__TASK_FINISHED;
	status.has_uuid = 1;
	status.uuid = (ProtobufCBinaryData){ .data = uuid, .len = sizeof(uuid) };
	update.framework_id = &framework;
	update.status = &status;
	m.update = &update;
	many_step(s, &(struct master_event){ .kind = MASTER_EV_AGENT,
			     .u.agent = { .link = (uint64_t)r.link, .message = &m } });
	Mesos__V1__Scheduler__Call__Acknowledge ack = MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];
	(void)snprintf(room, sizeof(room), "%s-S%d", s->k.id, r.link - 1);
	agent.value = room;
	ack.agent_id = &agent;
	ack.task_id = &id;
	ack.uuid = status.uuid;
	call.acknowledge = &ack;
	many_call(s, MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE, &call);
	s->ended++;
}

static uint64_t run_many(struct many *s, uint64_t seed)
{
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Revive revive = MESOS__V1__SCHEDULER__CALL__REVIVE__INIT;

	*s = (struct many){ 0 };
	kit_init_with(&s->k, (struct master_config){ .seed = seed });
	s->k.mute = true;
	for (int i = 1; i <= AGENTS; i++)
		kit_agent(&s->k, i, "cpus:8;mem:8192;disk:10000;ports:[31000-32000]");
	info.user = info.name = (char *)"many";
	subscribe.framework_info = &info;
	call.has_type = 1;
	call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	call.subscribe = &subscribe;
	(void)snprintf(s->k.stream[1], sizeof(s->k.stream[1]), "none");
	many_step(
		s, &(struct master_event){ .kind = MASTER_EV_CALL, .u.call = { .conn = 1, .call = &call } });
	(void)snprintf(s->k.id, sizeof(s->k.id), "%.36s", s->k.framework[1]);
	while (s->ended < TASKS) {
		s->k.now += 20;
		for (size_t i = 0; i < AT_ONCE && s->running.n > 0; i++)
			end_one(s);
		call = (Call)MESOS__V1__SCHEDULER__CALL__INIT;
		call.revive = &revive;
		many_call(s, MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE, &call);
		assert_true(s->k.now < 10 * 60 * 1000 + 1000000); /* it gets on */
	}
	vec_deinit(&s->running);
	kit_deinit(&s->k);
	return s->hash;
}

static void a_thousand_agents_and_twenty_thousand_tasks(void **state)
{
	struct many s;
	(void)state;

	(void)run_many(&s, 1);
	assert_int_equal(s.launched, TASKS);
	assert_int_equal(s.ended, TASKS);
}

/* ---- The same again ---- */

/* A little of everything. */
static uint64_t run_some(uint64_t seed)
{
	struct kit k;
	uint64_t hash = 1;

	kit_init_with(&k, (struct master_config){ .seed = seed, .offer_timeout_ms = 1500 });
	kit_subscribe_as(&k, 1, &(struct kit_framework){ .roles = { "a", "b" } });
	kit_subscribe_as(&k, 2, &(struct kit_framework){ .role = "b" });
	for (int i = 1; i <= 7; i++)
		kit_agent(&k, i, "cpus:4;mem:1024");
	kit_launch(&k, 1, "O0", 5, { .id = "t1", .executor = "e1", .role = "a" });
	kit_wait(&k, 20000);
	kit_update(&k, 1, 1, "t1", TASK_FAILED, 3);
	kit_agent_down(&k, 3);
	kit_closed(&k, 2);
	kit_wait(&k, 100000);
	digest(&hash, k.text, strlen(k.text));
	digest(&hash, k.id, strlen(k.id));
	assert_true(k.offers > 20);
	k.text[0] = '\0';
	kit_deinit(&k);
	return hash;
}

static void equal_seeds_give_equal_plans(void **state)
{
	(void)state;
	assert_int_equal(run_some(5), run_some(5));
	assert_int_not_equal(run_some(5), run_some(6));
}

/* ---- From outside ---- */

static double number(const json_t *metrics, const char *name)
{
	const json_t *value = json_object_get(metrics, name);

	if (!json_is_number(value))
		fail_msg("no '%s'", name);
	return json_number_value(value);
}

static double of_framework(struct kit *k, const json_t *metrics, const char *name)
{
	char key[256];

	(void)snprintf(key, sizeof(key), "master/frameworks/framework/%s/%s", k->framework[1], name);
	return number(metrics, key);
}

#define assert_number(actual, expected) assert_true(fabs((actual) - (expected)) < 1e-9)

static void init_page(struct kit *k)
{
	kit_init(k);
	kit_agent(k, 1, "cpus:4;mem:1024;ports:[31000-31009]");
	kit_agent(k, 2, "cpus:4;mem:1024");
	kit_subscribe(k, 1);
	kit_launch(k, 1, "O0", 1000,
		{ .id = "t1", .agent = strstr(k->text, "O0:S1") != NULL ? "S1" : "S0", .executor = "e1" });
	kit_subscribe_as(k, 2, &(struct kit_framework){ .failover_timeout = 1000 });
	kit_closed(k, 2);
	kit_subscribe(k, 3);
	kit_teardown(k, 3);
	kit_wait(k, 500);
	k->text[0] = '\0';
}

static void metrics_have_the_names_of_mesos(void **state)
{
	struct kit k;
	(void)state;

	init_page(&k);
	kit_revive(&k, 1, NULL);
	kit_reconcile(&k, 1, NULL, NULL);
	k.text[0] = '\0';
	json_t *m = master_metrics(k.master, k.now);
	assert_non_null(m);
	assert_number(number(m, "master/elected"), 1);
	assert_number(number(m, "master/uptime_secs"), 0.5);
	assert_number(number(m, "master/slaves_active"), 2);
	assert_number(number(m, "master/slaves_unreachable"), 0);
	assert_number(number(m, "master/frameworks_active"), 1);
	assert_number(number(m, "master/frameworks_inactive"), 1);
	assert_number(number(m, "master/tasks_staging"), 1);
	assert_number(number(m, "master/tasks_running"), 0);
	assert_number(number(m, "master/tasks_finished"), 0);
	assert_number(number(m, "master/cpus_total"), 8);
	assert_number(number(m, "master/cpus_used"), 1.1);
	assert_number(number(m, "master/mem_percent"), 96.0 / 2048);
	assert_number(number(m, "allocator/mesos/resources/cpus/total"), 8);
	assert_number(number(m, "allocator/mesos/resources/cpus/offered_or_allocated"), 8);
	assert_number(number(m, "master/outstanding_offers"), 2);
	/* Two agents that registered, three subscriptions, one REVIVE. */
	assert_number(number(m, "allocator/mesos/allocation_runs"), 6);
	assert_number(number(m, "master/messages_revive_offers"), 1);
	assert_number(of_framework(&k, m, "subscribed"), 1);
	assert_number(of_framework(&k, m, "calls"), 4);
	assert_number(of_framework(&k, m, "calls/revive"), 1);
	assert_number(of_framework(&k, m, "calls/subscribe"), 1);
	assert_number(of_framework(&k, m, "events/update"), 1);
	assert_number(of_framework(&k, m, "offers/sent"), 3);
	assert_number(of_framework(&k, m, "offers/accepted"), 1);
	assert_number(of_framework(&k, m, "offers/declined"), 0);
	assert_number(of_framework(&k, m, "offers/rescinded"), 0);
	assert_number(of_framework(&k, m, "tasks/active/task_staging"), 1);
	assert_number(of_framework(&k, m, "tasks/terminal/task_failed"), 0);
	assert_number(of_framework(&k, m, "roles/*/suppressed"), 0);
	json_decref(m);
	kit_deinit(&k);
}

static void the_state_tells_a_person_what_is_there(void **state)
{
	struct kit k;
	const char *id, *task, *executor, *state_name, *gone;
	double cpus, offered;
	json_t *used;
	int active;
	(void)state;

	init_page(&k);
	json_t *s = master_state(k.master, k.now);
	assert_non_null(s);
	assert_int_equal(json_array_size(json_object_get(s, "slaves")), 2);
	assert_int_equal(json_array_size(json_object_get(s, "frameworks")), 2);
	assert_int_equal(json_unpack(s, "{s:[{s:s, s:b, s:o, s:{s:f}, s:[{s:s, s:s}], s:[{s:s}]}, {}]}",
				 "frameworks", "id", &id, "active", &active, "used_resources", &used,
				 "offered_resources", "cpus", &offered, "tasks", "id", &task, "state",
				 &state_name, "executors", "executor_id", &executor),
		0);
	assert_string_equal(id, k.framework[1]);
	assert_true(active);
	assert_string_equal(task, "t1");
	assert_string_equal(state_name, "TASK_STAGING");
	assert_string_equal(executor, "e1");
	assert_int_equal(json_unpack(used, "{s:f}", "cpus", &cpus), 0);
	assert_number(cpus, 1.1);
	assert_number(offered, 4);
	assert_int_equal(json_unpack(s, "{s:[{s:s}]}", "completed_frameworks", "id", &gone), 0);
	assert_string_equal(gone, k.framework[3]);
	json_decref(s);
	kit_deinit(&k);
}

static void what_is_over_is_remembered_up_to_a_thousand(void **state)
{
	struct kit k;
	char name[32], offer[32];
	const char *first, *state_name;
	(void)state;

	kit_init(&k);
	k.mute = true;
	kit_agent(&k, 1, "cpus:4;mem:1024");
	kit_subscribe(&k, 1);
	(void)snprintf(k.id, sizeof(k.id), "%.36s", k.framework[1]);
	for (int i = 0; i < 1003; i++) {
		(void)snprintf(name, sizeof(name), "t%d", i);
		(void)snprintf(offer, sizeof(offer), "O%d", i);
		kit_launch(&k, 1, offer, 0, { .id = name });
		kit_update(&k, 1, 1, name, TASK_KILLED, 1);
		kit_acknowledge(&k, 1, "S0", name, 1);
		kit_revive(&k, 1, NULL);
	}
	json_t *s = master_state(k.master, k.now);
	json_t *done =
		json_object_get(json_array_get(json_object_get(s, "frameworks"), 0), "completed_tasks");
	assert_int_equal(json_array_size(done), 1000);
	assert_int_equal(
		json_unpack(json_array_get(done, 0), "{s:s, s:s}", "id", &first, "state", &state_name), 0);
	assert_string_equal(first, "t3");
	assert_string_equal(state_name, "TASK_KILLED");
	json_decref(s);
	kit_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_agents_and_twenty_thousand_tasks),
		cmocka_unit_test(equal_seeds_give_equal_plans),
		cmocka_unit_test(metrics_have_the_names_of_mesos),
		cmocka_unit_test(the_state_tells_a_person_what_is_there),
		cmocka_unit_test(what_is_over_is_remembered_up_to_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
