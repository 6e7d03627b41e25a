/* Who submits a job to be hosted: one launch, nothing held, and every way in which it can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/submission.h"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;
#define CALL(name)  MESOS__V1__SCHEDULER__CALL__TYPE__##name
#define EVENT(name) MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define STATE(name) MESOS__V1__TASK_STATE__TASK_##name

struct kit {
	struct submission *s;
	struct submission_config config;
	Mesos__V1__ExecutorInfo executor;
	Mesos__V1__CommandInfo command;
	submission_calls calls; /* of the last event */
};

static void kit_new(struct kit *k)
{
	*k = (struct kit){ 0 };
	mesos__v1__executor_info__init(&k->executor);
	mesos__v1__command_info__init(&k->command);
	k->command.value = (char *)(uintptr_t) "host";
	k->executor.command = &k->command;
	k->config = (struct submission_config){ .task = "driver",
		.name = "the driver",
		.cpus_milli = 490,
		.mem_mb = 480,
		.executor_cpus_milli = 10,
		.executor_mem_mb = 32,
		.executor = &k->executor };
	assert_int_equal(submission_new(&k->config, &k->s), 0);
}

static void kit_free(struct kit *k)
{
	submission_calls_deinit(&k->calls);
	assert_null(submission_free(k->s));
}

static void send(struct kit *k, Event *e, Mesos__V1__Scheduler__Event__Type type)
{
	submission_calls_deinit(&k->calls);
	e->has_type = 1;
	e->type = type;
	assert_int_equal(submission_event(k->s, e, &k->calls), 0);
}

static void subscribed(struct kit *k)
{
	Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Subscribed s = MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	id.value = (char *)(uintptr_t) "framework-1";
	s.framework_id = &id;
	e.subscribed = &s;
	send(k, &e, EVENT(SUBSCRIBED));
}

/* What an offer has: pieces of cpus and mem, of a role, revocable or not. */
struct piece {
	const char *name;
	double value;
	const char *role; /* reserved for it; NULL: for nobody */
	bool revocable;
};

struct offer {
	const char *id;
	struct piece pieces[4];
	int64_t leaves_ns; /* its maintenance begins; 0: none is planned */
};

static void fill(Mesos__V1__Resource *r, Mesos__V1__Value__Scalar *value,
	Mesos__V1__Resource__ReservationInfo *reservation, Mesos__V1__Resource__RevocableInfo *revocable,
	const struct piece *p)
{
	mesos__v1__resource__init(r);
	mesos__v1__value__scalar__init(value);
	mesos__v1__resource__reservation_info__init(reservation);
	mesos__v1__resource__revocable_info__init(revocable);
	value->value = p->value;
	r->name = (char *)(uintptr_t)p->name;
	r->type = MESOS__V1__VALUE__TYPE__SCALAR;
	r->scalar = value;
	r->role = (char *)(uintptr_t)(p->role != NULL ? p->role : "*");
	r->revocable = p->revocable ? revocable : NULL;
}

/* One OFFERS event with all of them; an offer's agent has its id. */
static void offers(struct kit *k, const struct offer *all, size_t n)
{
	Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Offers body = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__Offer list[4], *pointers[4];
	Mesos__V1__OfferID ids[4];
	Mesos__V1__Unavailability unavailable[4];
	Mesos__V1__TimeInfo starts[4];
	Mesos__V1__AgentID agents[4];
	Mesos__V1__Resource resources[4][4], *resource_pointers[4][4];
	Mesos__V1__Value__Scalar values[4][4];
	Mesos__V1__Resource__ReservationInfo reservations[4][4];
	Mesos__V1__Resource__RevocableInfo revocables[4][4];

	framework.value = (char *)(uintptr_t) "framework-1";
	for (size_t i = 0; i < n; i++) {
		mesos__v1__offer__init(&list[i]);
		mesos__v1__offer_id__init(&ids[i]);
		mesos__v1__agent_id__init(&agents[i]);
		ids[i].value = agents[i].value = list[i].hostname = (char *)(uintptr_t)all[i].id;
		list[i].id = &ids[i];
		list[i].agent_id = &agents[i];
		list[i].framework_id = &framework;
		mesos__v1__unavailability__init(&unavailable[i]);
		mesos__v1__time_info__init(&starts[i]);
		starts[i].nanoseconds = all[i].leaves_ns;
		unavailable[i].start = &starts[i];
		list[i].unavailability = all[i].leaves_ns != 0 ? &unavailable[i] : NULL;
		list[i].resources = resource_pointers[i];
		for (size_t p = 0; p < 4 && all[i].pieces[p].name != NULL; p++) {
			fill(&resources[i][p], &values[i][p], &reservations[i][p], &revocables[i][p],
				&all[i].pieces[p]);
			resource_pointers[i][list[i].n_resources++] = &resources[i][p];
		}
		pointers[i] = &list[i];
	}
	body.n_offers = n;
	body.offers = pointers;
	e.offers = &body;
	send(k, &e, EVENT(OFFERS));
}

static void large_offer(struct kit *k)
{
	const struct offer one = { "a", { { "cpus", 2, NULL, false }, { "mem", 1000, NULL, false } }, 0 };

	offers(k, &one, 1);
}

static void update(struct kit *k, const char *task, Mesos__V1__TaskState state, const char *message)
{
	Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Update body = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
	uint8_t uuid[16] = { 1 };

	id.value = (char *)(uintptr_t)task;
	agent.value = (char *)(uintptr_t) "a";
	status.task_id = &id;
	status.agent_id = &agent;
	status.state = state;
	status.message = (char *)(uintptr_t)message;
	status.has_uuid = 1;
	status.uuid = (ProtobufCBinaryData){ .data = uuid, .len = sizeof(uuid) };
	body.status = &status;
	e.update = &body;
	send(k, &e, EVENT(UPDATE));
}

static void error(struct kit *k, const char *message)
{
	Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Error body = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;

	body.message = (char *)(uintptr_t)message;
	e.error = &body;
	send(k, &e, EVENT(ERROR));
}

/* Call number i of the last event; to be freed. */
static Call *call_at(const struct kit *k, size_t i)
{
	assert_true(i < k->calls.n);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, k->calls.at[i].len, k->calls.at[i].data);
	assert_non_null(c);
	assert_string_equal(c->framework_id->value, "framework-1");
	return c;
}

static void assert_call(const struct kit *k, size_t i, Mesos__V1__Scheduler__Call__Type type)
{
	Call *c = call_at(k, i);

	assert_int_equal(c->type, type);
	mesos__v1__scheduler__call__free_unpacked(c, NULL);
}

static void assert_failed(const struct kit *k, const char *words)
{
	struct submission_view v = submission_look(k->s);

	assert_int_equal(v.state, SUBMISSION_FAILED);
	if (strstr(v.why, words) == NULL)
		fail_msg("no '%s' in: %s", words, v.why);
}

static double sum(Mesos__V1__Resource *const *list, size_t n, const char *name)
{
	double all = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i]->name, name) == 0)
			all += list[i]->scalar->value;
	return all;
}

static void the_first_offer_that_does_gets_the_launch(void **state)
{
	const struct offer all[] = {
		{ "small", { { "cpus", 0.4, NULL, false }, { "mem", 1000, NULL, false } } },
		{ "right", { { "cpus", 0.5, NULL, false }, { "mem", 512, NULL, false } } },
		{ "late", { { "cpus", 4, NULL, false }, { "mem", 4000, NULL, false } } },
	};
	struct kit k;
	(void)state;

	kit_new(&k);
	subscribed(&k);
	offers(&k, all, 3);
	assert_int_equal(k.calls.n, 3);
	assert_call(&k, 0, CALL(DECLINE));
	assert_call(&k, 2, CALL(DECLINE));
	Call *c = call_at(&k, 1);
	assert_int_equal(c->type, CALL(ACCEPT));
	assert_string_equal(c->accept->offer_ids[0]->value, "right");
	const Mesos__V1__TaskInfo *t = c->accept->operations[0]->launch->task_infos[0];
	assert_string_equal(t->task_id->value, "driver");
	assert_string_equal(t->agent_id->value, "right");
	assert_string_equal(t->executor->executor_id->value, "driver");
	assert_string_equal(t->executor->command->value, "host");
	assert_true(sum(t->resources, t->n_resources, "cpus") == 0.49);
	assert_true(sum(t->resources, t->n_resources, "mem") == 480);
	assert_true(sum(t->executor->resources, t->executor->n_resources, "cpus") == 0.01);
	assert_true(sum(t->executor->resources, t->executor->n_resources, "mem") == 32);
	mesos__v1__scheduler__call__free_unpacked(c, NULL);
	struct submission_view v = submission_look(k.s);
	assert_int_equal(v.state, SUBMISSION_LAUNCHED);
	assert_string_equal(v.id, "framework-1");
	assert_string_equal(v.host, "right");
	assert_int_equal(v.offers, 1);
	large_offer(&k); /* and no other one */
	assert_int_equal(k.calls.n, 1);
	assert_call(&k, 0, CALL(DECLINE));
	kit_free(&k);
}

static void what_can_be_taken_away_is_not_used(void **state)
{
	const struct offer one = { "a",
		{ { "cpus", 0.3, NULL, false }, { "cpus", 4, NULL, true }, { "mem", 1000, NULL, false } } };
	struct kit k;
	(void)state;

	kit_new(&k);
	subscribed(&k);
	offers(&k, &one, 1);
	assert_int_equal(k.calls.n, 1);
	assert_call(&k, 0, CALL(DECLINE));
	assert_int_equal(submission_look(k.s).state, SUBMISSION_WAITS);
	kit_free(&k);
}

static void it_ends_when_it_is_taken_over(void **state)
{
	struct kit k;
	(void)state;

	kit_new(&k);
	subscribed(&k);
	large_offer(&k);
	update(&k, "driver", STATE(RUNNING), NULL);
	assert_int_equal(k.calls.n, 1);
	assert_call(&k, 0, CALL(ACKNOWLEDGE));
	assert_int_equal(submission_look(k.s).state, SUBMISSION_RUNS);
	error(&k, "Framework failed over");
	assert_int_equal(submission_look(k.s).state, SUBMISSION_TAKEN);
	submission_down(k.s, "the stream ended");
	assert_int_equal(submission_look(k.s).state, SUBMISSION_TAKEN);
	submission_calls_deinit(&k.calls);
	assert_int_equal(submission_tear_down(k.s, &k.calls), 0);
	assert_int_equal(k.calls.n, 0); /* it is not ours any more */
	kit_free(&k);
}

static void a_driver_that_does_not_come_up_is_told_of(void **state)
{
	static const Mesos__V1__TaskState ends[] = { STATE(FAILED), STATE(LOST), STATE(DROPPED), STATE(ERROR),
		STATE(FINISHED), STATE(GONE), STATE(UNREACHABLE), STATE(KILLED) };
	struct kit k;
	(void)state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		kit_new(&k);
		subscribed(&k);
		large_offer(&k);
		update(&k, "driver", ends[i], "it is broken");
		assert_call(&k, 0, CALL(ACKNOWLEDGE));
		assert_failed(&k, "it is broken");
		submission_calls_deinit(&k.calls);
		assert_int_equal(submission_tear_down(k.s, &k.calls), 0);
		assert_call(&k, 0, CALL(TEARDOWN));
		kit_free(&k);
	}
}

static void other_errors_are_failures(void **state)
{
	struct kit k;
	(void)state;

	kit_new(&k);
	error(&k, "Not authorized to use role");
	assert_failed(&k, "Not authorized");
	submission_calls_deinit(&k.calls);
	assert_int_equal(submission_tear_down(k.s, &k.calls), 0);
	assert_int_equal(k.calls.n, 0); /* there is nothing to take down */
	kit_free(&k);

	kit_new(&k);
	subscribed(&k);
	error(&k, "Framework failed over"); /* by whom? nothing was launched */
	assert_failed(&k, "failed over");
	kit_free(&k);
}

static void a_lost_stream_is_a_failure(void **state)
{
	struct kit k;
	(void)state;

	kit_new(&k);
	submission_down(k.s, "nobody there"); /* not yet: the client tries again */
	assert_int_equal(submission_look(k.s).state, SUBMISSION_WAITS);
	subscribed(&k);
	large_offer(&k);
	submission_down(k.s, "the master died");
	assert_failed(&k, "the master died. It may run all the same");
	assert_failed(&k, "'quern kill framework-1'");
	assert_true(submission_look(k.s).unsure);
	large_offer(&k);
	assert_int_equal(k.calls.n, 0);
	kit_free(&k);

	kit_new(&k);
	subscribed(&k);
	submission_down(k.s, "the master died");
	assert_failed(&k, "the master died");
	assert_false(submission_look(k.s).unsure); /* nothing was launched */
	kit_free(&k);
}

/* It cannot move. */
static void agents_with_maintenance_are_the_last_choice(void **state)
{
	const struct offer all[] = {
		{ "leaves", { { "cpus", 4, NULL, false }, { "mem", 4000, NULL, false } }, 7000 },
		{ "stays", { { "cpus", 0.5, NULL, false }, { "mem", 512, NULL, false } }, 0 },
	};
	struct kit k;
	(void)state;

	kit_new(&k);
	subscribed(&k);
	offers(&k, all, 2);
	assert_int_equal(k.calls.n, 2);
	assert_call(&k, 0, CALL(DECLINE));
	assert_call(&k, 1, CALL(ACCEPT));
	assert_int_equal(submission_look(k.s).leaving, 1);
	kit_free(&k);

	kit_new(&k);
	subscribed(&k);
	submission_settle(k.s, 7001);
	offers(&k, all, 1);
	assert_call(&k, 0, CALL(DECLINE));
	submission_settle(k.s, 7000);
	offers(&k, all, 1);
	assert_call(&k, 0, CALL(ACCEPT));
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_offer_that_does_gets_the_launch),
		cmocka_unit_test(what_can_be_taken_away_is_not_used),
		cmocka_unit_test(it_ends_when_it_is_taken_over),
		cmocka_unit_test(a_driver_that_does_not_come_up_is_told_of),
		cmocka_unit_test(other_errors_are_failures),
		cmocka_unit_test(a_lost_stream_is_a_failure),
		cmocka_unit_test(agents_with_maintenance_are_the_last_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
