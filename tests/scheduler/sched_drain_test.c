/* Agents that are to be left: maintenance, draining, and agents that come and go. */
#include "tests/scheduler/sched_kit.h"

#define S(ms) ((int64_t)(ms)*1000000)

/* Maintenance at `start_ms` of the kit's clock, for `duration_ms` (0: without an end). */
struct window {
	Mesos__V1__Unavailability u;
	Mesos__V1__TimeInfo start;
	Mesos__V1__DurationInfo duration;
};

static void window_init(struct window *w, uint64_t start_ms, uint64_t duration_ms)
{
	mesos__v1__unavailability__init(&w->u);
	mesos__v1__time_info__init(&w->start);
	mesos__v1__duration_info__init(&w->duration);
	w->start.nanoseconds = S(start_ms);
	w->duration.nanoseconds = S(duration_ms);
	w->u.start = &w->start;
	w->u.duration = duration_ms > 0 ? &w->duration : NULL;
}

static void offer_until(
	struct kit *k, const char *agent, double cpus, uint64_t start_ms, uint64_t duration_ms)
{
	Mesos__V1__Offer like = MESOS__V1__OFFER__INIT;
	struct window w;

	window_init(&w, start_ms, duration_ms);
	like.unavailability = &w.u;
	kit_offer_like(k, agent, cpus, 10000, &like);
}

static void inverse_again(struct kit *k, const char *agent, uint64_t start_ms)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__InverseOffers offers = MESOS__V1__SCHEDULER__EVENT__INVERSE_OFFERS__INIT;
	Mesos__V1__InverseOffer o = MESOS__V1__INVERSE_OFFER__INIT, *list[] = { &o };
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	struct window w;

	window_init(&w, start_ms, 0);
	id.value = (char *)(uintptr_t) "inverse-1";
	framework.value = (char *)(uintptr_t) "framework-1";
	agent_id.value = (char *)(uintptr_t)agent;
	o.id = &id;
	o.framework_id = &framework;
	o.agent_id = &agent_id;
	o.unavailability = &w.u;
	offers.n_inverse_offers = 1;
	offers.inverse_offers = list;
	e.inverse_offers = &offers;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS);
}

static void inverse(struct kit *k, const char *agent, uint64_t start_ms)
{
	inverse_again(k, agent, start_ms);
	Call *c = kit_call(k, CALL(ACCEPT_INVERSE_OFFERS), 0);
	assert_non_null(c);
	assert_int_equal(c->accept_inverse_offers->n_inverse_offer_ids, 1);
	assert_string_equal(c->accept_inverse_offers->inverse_offer_ids[0]->value, "inverse-1");
	assert_true(c->accept_inverse_offers->filters->refuse_seconds >= 3600);
	kit_call_free(c);
}

static void end_by(struct kit *k, const char *task, const char *agent, Mesos__V1__TaskState state,
	Mesos__V1__TaskStatus__Reason reason)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

	id.value = (char *)(uintptr_t)task;
	agent_id.value = (char *)(uintptr_t)agent;
	status.task_id = &id;
	status.agent_id = &agent_id;
	status.state = state;
	status.has_source = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT;
	status.has_reason = 1;
	status.reason = reason;
	update.status = &status;
	e.update = &update;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
}

static uint32_t failures(const struct kit *k)
{
	struct sched_progress p;

	sched_get_progress(k->s, &p);
	return p.tasks_failed;
}

static void start_with(
	struct kit *k, const struct mode_ops *mode, uint32_t max_slots, uint32_t maps, uint32_t reduces)
{
	struct sched_config config = kit_config(mode);

	config.mode_config.max_slots = max_slots;
	config.mode_config.lease_idle_ms = 300;
	config.mode_config.lease_max_ms = UINT64_MAX;
	kit_new(k, &config);
	kit_subscribed(k);
	kit_run(k, 1, 5, maps, reduces, QUERN__SINK__KIND__COUNT);
}

static void start(struct kit *k, const struct mode_ops *mode, uint32_t maps, uint32_t reduces)
{
	start_with(k, mode, 0, maps, reduces);
}

static void tasks_that_end_in_time_may_start(void **state)
{
	struct kit k;
	(void)state;

	start(&k, &mode_fine, 8, 0);
	k.now += 100000;
	offer_until(&k, "a", 1.1, k.now + 60000, 0); /* nothing is known of how long they take */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	offer_until(&k, "a", 1.1, k.now + 200000, 0);
	kit_accepted(&k, "5.0.0");
	kit_link(&k, k.executor);
	Quern__TaskResult r = kit_result("5.0.0", DID(DONE));
	r.has_wall_us = 1;
	r.wall_us = 1000000;
	kit_fine(&k, "5.0.0", "a", &r);
	offer_until(&k, "a", 1, k.now + 14000, 0); /* a second each, three to be sure, and ten to leave */
	kit_accepted(&k, "5.1.0");
	offer_until(&k, "a", 1, k.now + 12000, 0);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	offer_until(&k, "a", 1, k.now - 5000, 4000); /* over */
	kit_accepted(&k, "5.2.0");
	offer_until(&k, "a", 1, k.now - 5000, 6000);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

static const struct mode_ops *const modes[] = { &mode_coarse, &mode_fine, &mode_adaptive };

static void a_time_before_all_times_is_over(void **state)
{
	struct kit k;
	(void)state;

	start(&k, &mode_fine, 8, 0);
	offer_until(&k, "a", 1.1, (uint64_t)(INT64_MIN / 1000000), 5); /* 1677 */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

/* Slots are taken, and kept, where maintenance is far away; each mode has one task of each run there. */
static void far_maintenance_is_no_reason_to_leave(void **state)
{
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		uint64_t hour = 3600000;
		struct kit k;
		bool fine = modes[i] == &mode_fine;

		start_with(&k, modes[i], 1, 3, 0);
		offer_until(&k, "a", 1.1, k.now + hour, 0);
		kit_accepted(&k, fine ? "5.0.0" : "lease-0");
		inverse(&k, "a", k.now + hour); /* the same allocation makes it */
		kit_link(&k, k.executor);
		kit_running(&k, fine ? "5.0.0" : "lease-0", "a");
		if (fine) {
			kit_fine_done(&k, "5.0.0", "a");
			offer_until(&k, "a", 1, k.now + hour, 0);
			kit_accepted(&k, "5.1.0");
		} else {
			kit_coarse_done(&k, k.executor, "5.0.0");
			kit_sent(&k, k.executor, "5.1.0");
		}
		assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)) + kit_calls(&k, CALL(KILL)), 0);
		kit_wait(&k, hour - 70001);
		assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
		if (fine) {
			kit_fine_done(&k, "5.1.0", "a");
			assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
			assert_true(sched_next_ms(k.s) == k.now + 1);
			k.now++; /* a minute, and ten seconds to leave */
			kit_tick(&k);
			assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
		} else {
			k.now++;
			kit_coarse_done(&k, k.executor, "5.1.0");
			kit_sent(&k, k.executor, "");
			assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
		}
		assert_int_equal(failures(&k), 0);
		kit_free(&k);
	}
}

static void a_later_time_is_another_one(void **state)
{
	struct kit k;
	(void)state;

	start(&k, &mode_fine, 8, 0);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	kit_link(&k, k.executor);
	inverse(&k, "a", k.now + 60000);
	offer_until(&k, "a", 1, k.now + 60000, 0);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	offer_until(&k, "a", 1, k.now + 600000, 0);
	kit_accepted(&k, "5.1.0");
	kit_wait(&k, 60000);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
	kit_free(&k);
}

static void an_inverse_offer_is_answered_once(void **state)
{
	struct kit k;
	(void)state;

	start(&k, &mode_fine, 8, 0);
	kit_offer(&k, "a", 1.1, 1000);
	inverse(&k, "a", k.now + 600000);
	inverse_again(&k, "a", k.now + 600000); /* REVIVE brings it again */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT_INVERSE_OFFERS)), 0);
	inverse(&k, "a", k.now + 700000); /* a new plan */
	kit_down(&k);
	kit_subscribed(&k);
	inverse(&k, "a", k.now + 700000); /* a new master */
	kit_wait(&k, 10000);
	inverse(&k, "a", k.now + 690000); /* it is on the list anew */
	kit_free(&k);
}

/* Over links as well only tasks that end in time begin: what a stage's first task shows of that counts. */
static void no_task_that_is_too_long_for_a_lease(void **state)
{
	static const struct mode_ops *const leasing[] = { &mode_coarse, &mode_adaptive };
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct kit k;
		char first[64];

		start_with(&k, leasing[i], 1, 3, 0);
		offer_until(&k, "a", 4.1, k.now + 60000, 0); /* it is not known how long they take */
		assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
		offer_until(&k, "a", 1.1, k.now + 200000, 0);
		kit_accepted(&k, "lease-0");
		memcpy(first, k.executor, sizeof(first));
		kit_link(&k, first);
		kit_running(&k, "lease-0", "a");
		kit_sent(&k, first, "5.0.0");
		Quern__TaskResult r = kit_result("5.0.0", DID(DONE));
		r.has_wall_us = 1;
		r.wall_us = 100000000;
		kit_coarse(&k, first, &r); /* three times so long is too long */
		kit_sent(&k, first, "");
		kit_wait(&k, 1000);
		kit_update(&k, "lease-0", "a", STATE(FINISHED),
			MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL, true);
		offer_until(&k, "a", 1, k.now + 199000, 0);
		assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
		kit_offer(&k, "b", 1.1, 1000);
		kit_accepted(&k, "lease-1");
		kit_link(&k, k.executor);
		kit_running(&k, "lease-1", "b");
		kit_sent(&k, k.executor, "5.1.0");
		kit_free(&k);
	}
}

static void nothing_new_starts_and_then_it_leaves(void **state)
{
	struct kit k;
	(void)state;

	start(&k, &mode_fine, 8, 0);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	kit_link(&k, k.executor);
	inverse(&k, "a", k.now + 60000);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0); /* a task runs */
	offer_until(&k, "a", 4, k.now + 60000, 0);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0); /* nor is it the only agent there is */
	kit_fine_done(&k, "5.0.0", "a");
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
	assert_int_equal(failures(&k), 0);
	offer_until(&k, "a", 4, k.now + 60000, 0);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_offer(&k, "a", 1.1, 1000); /* the maintenance is over */
	kit_accepted(&k, "5.1.0");
	kit_free(&k);
}

static void outputs_stay_until_it_is_time_and_are_made_again(void **state)
{
	struct kit k;
	char first[64];
	(void)state;

	start(&k, &mode_fine, 2, 2);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	memcpy(first, k.executor, sizeof(first));
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.0", "a");
	inverse(&k, "a", k.now + 60000);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0); /* a map output is there */
	kit_wait(&k, 49999);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
	assert_int_equal(failures(&k), 0);
	kit_offer(&k, "b", 2.1, 1000);
	kit_accepted(&k, "5.0.1 5.1.0");
	kit_free(&k);
}

static void leases_go_back_between_tasks(void **state)
{
	struct kit k;
	char first[64];
	(void)state;

	start(&k, &mode_coarse, 3, 2);
	kit_offer(&k, "a", 3.1, 1000);
	kit_accepted(&k, "lease-0");
	memcpy(first, k.executor, sizeof(first));
	kit_link(&k, first);
	kit_running(&k, "lease-0", "a");
	kit_sent(&k, first, "5.0.0 5.1.0 5.2.0");
	kit_coarse_done(&k, first, "5.0.0");
	inverse(&k, "a", k.now + 60000);
	kit_ended(&k, "");
	kit_coarse_done(&k, first, "5.1.0");
	kit_coarse_done(&k, first, "5.2.0");
	kit_sent(&k, first, ""); /* reduces could start */
	kit_ended(&k, "lease-0");
	assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
	kit_update(&k, "lease-0", "a", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0); /* the outputs are there */
	kit_offer(&k, "b", 3.1, 1000);
	kit_accepted(&k, "lease-1");
	kit_link(&k, k.executor);
	kit_running(&k, "lease-1", "b");
	kit_sent(&k, k.executor, "6.0.0 6.1.0");
	kit_free(&k);
}

static void what_runs_too_long_is_ended_without_blame(void **state)
{
	struct kit k;
	(void)state;

	start(&k, &mode_fine, 4, 0);
	kit_offer(&k, "a", 2.1, 1000);
	kit_accepted(&k, "5.0.0 5.1.0");
	kit_link(&k, k.executor);
	inverse(&k, "a", k.now + 30000);
	kit_wait(&k, 19999);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
	k.now++;
	kit_tick(&k);
	assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
	assert_int_equal(failures(&k), 0);
	kit_offer(&k, "b", 2.1, 1000);
	kit_accepted(&k, "5.0.1 5.1.1");
	kit_free(&k);
}

static void an_operator_drains_an_agent(void **state)
{
	static const Mesos__V1__TaskState states[] = { STATE(KILLED), STATE(GONE_BY_OPERATOR) };
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct kit k;

		start(&k, &mode_fine, 4, 0);
		kit_offer(&k, "a", 2.1, 1000);
		kit_accepted(&k, "5.0.0 5.1.0");
		kit_link(&k, k.executor);
		end_by(&k, "5.0.0", "a", states[i], MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING);
		assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 0);
		end_by(&k, "5.1.0", "a", states[i], MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING);
		assert_int_equal(kit_calls(&k, CALL(SHUTDOWN)), 1);
		assert_int_equal(failures(&k), 0);
		kit_offer(&k, "a", 2.1, 1000); /* it was given back */
		kit_accepted(&k, "5.0.1 5.1.1");
		kit_free(&k);
	}
}

/* What the states of a partition-aware framework mean for the task: all but the last cost nothing. */
static void states_of_partitions(void **state)
{
	static const struct {
		Mesos__V1__TaskState state;
		bool blame;
	} all[] = { { STATE(UNREACHABLE), false }, { STATE(GONE), false }, { STATE(GONE_BY_OPERATOR), false },
		{ STATE(UNKNOWN), false }, { STATE(DROPPED), false }, { STATE(LOST), false },
		{ STATE(FAILED), true } };
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct kit k;

		start(&k, &mode_fine, 1, 0);
		kit_offer(&k, "a", 1.1, 1000);
		kit_accepted(&k, "5.0.0");
		k.now += 100;
		end_by(&k, "5.0.0", "a", all[i].state, MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED);
		assert_int_equal(failures(&k), all[i].blame ? 1 : 0);
		assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1); /* it is to run again */
		kit_offer(&k, "b", 1.1, 1000);
		kit_accepted(&k, "5.0.1");
		kit_free(&k);
	}
}

/* What a master says of a task after a new subscription. */
static void answers_to_a_reconciliation(void **state)
{
	static const struct {
		Mesos__V1__TaskState state;
		bool again; /* the task is to run again at once */
	} all[] = { { STATE(STAGING), false }, { STATE(STARTING), false }, { STATE(RUNNING), false },
		{ STATE(KILLING), false }, /* and of these the agent has more to say: */
		{ STATE(FINISHED), false }, { STATE(FAILED), false }, { STATE(KILLED), false },
		{ STATE(ERROR), true }, { STATE(LOST), true }, { STATE(DROPPED), true },
		{ STATE(UNREACHABLE), true }, { STATE(GONE), true }, { STATE(GONE_BY_OPERATOR), true },
		{ STATE(UNKNOWN), true } /* it never ran */ };
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct kit k;

		start(&k, &mode_fine, 1, 0);
		kit_offer(&k, "a", 1.1, 1000);
		kit_accepted(&k, "5.0.0");
		kit_link(&k, k.executor);
		kit_down(&k);
		kit_subscribed(&k);
		assert_int_equal(kit_calls(&k, CALL(RECONCILE)), 1);
		end_by(&k, "5.0.0", "a", all[i].state, MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION);
		kit_offer(&k, "b", 1.1, 1000);
		assert_int_equal(kit_calls(&k, CALL(ACCEPT)), all[i].again);
		kit_free(&k);
	}
}

static void an_agent_that_comes_back_finds_nothing_of_ours(void **state)
{
	struct kit k;
	char first[64];
	(void)state;

	start(&k, &mode_fine, 2, 0);
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	memcpy(first, k.executor, sizeof(first));
	kit_link(&k, first);
	kit_says(&k, "5.0.0", "a", STATE(UNREACHABLE));
	kit_offer(&k, "b", 1.1, 1000);
	kit_accepted(&k, "5.0.1");
	kit_running(&k, "5.0.0", "a");
	Call *c = kit_call(&k, CALL(KILL), 0);
	assert_non_null(c);
	assert_string_equal(c->kill->task_id->value, "5.0.0");
	kit_call_free(c);
	c = kit_call(&k, CALL(SHUTDOWN), 0);
	assert_non_null(c);
	assert_string_equal(c->shutdown->executor_id->value, first);
	kit_call_free(c);
	assert_int_equal(failures(&k), 0);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_that_end_in_time_may_start),
		cmocka_unit_test(a_time_before_all_times_is_over),
		cmocka_unit_test(far_maintenance_is_no_reason_to_leave),
		cmocka_unit_test(a_later_time_is_another_one),
		cmocka_unit_test(an_inverse_offer_is_answered_once),
		cmocka_unit_test(no_task_that_is_too_long_for_a_lease),
		cmocka_unit_test(nothing_new_starts_and_then_it_leaves),
		cmocka_unit_test(outputs_stay_until_it_is_time_and_are_made_again),
		cmocka_unit_test(leases_go_back_between_tasks),
		cmocka_unit_test(what_runs_too_long_is_ended_without_blame),
		cmocka_unit_test(an_operator_drains_an_agent),
		cmocka_unit_test(states_of_partitions),
		cmocka_unit_test(answers_to_a_reconciliation),
		cmocka_unit_test(an_agent_that_comes_back_finds_nothing_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
