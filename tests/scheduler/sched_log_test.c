/* What an event log is told, line by line, in virtual time. */
#include "scheduler/event_line.h"
#include "tests/scheduler/sched_kit.h"

/* What was told since it was last looked at. */
struct heard {
	struct buf lines;
	uint64_t start_ms;
};

static void on_event(void *arg, const struct sched_logged *what)
{
	struct heard *h = arg;

	assert_int_equal(event_line(&h->lines, what->now_ms - h->start_ms, what), 0);
}

/* All of it, and nothing else. */
static void told(struct heard *h, const char *lines)
{
	assert_int_equal(buf_add(&h->lines, "", 1), 0);
	assert_string_equal((const char *)h->lines.data, lines);
	buf_clear(&h->lines);
}

/* This among it. */
static void told_too(struct heard *h, const char *line)
{
	assert_int_equal(buf_add(&h->lines, "", 1), 0);
	if (strstr((const char *)h->lines.data, line) == NULL)
		fail_msg("no %s in\n%s", line, (const char *)h->lines.data);
	buf_clear(&h->lines);
}

static void begin_like(struct kit *k, struct heard *h, const struct sched_config *config)
{
	kit_new(k, config);
	*h = (struct heard){ .lines = BUF_INIT(1 << 20), .start_ms = k->now };
	sched_set_log(k->s, on_event, h);
	kit_subscribed(k);
}

static void begin(struct kit *k, struct heard *h, const struct mode_ops *mode, uint32_t max_slots)
{
	struct sched_config config = kit_config(mode);

	config.mode_config.max_slots = max_slots;
	config.mode_config.lease_idle_ms = 100;
	config.mode_config.lease_max_ms = 1000;
	config.revive_burst = 50;
	begin_like(k, h, &config);
	told(h, "{\"t\":0,\"event\":\"framework\",\"framework\":\"framework-1\",\"suppressed\":true}\n");
}

static void end(struct kit *k, struct heard *h)
{
	kit_free(k); /* which is nothing that happens */
	told(h, "");
	buf_deinit(&h->lines);
}

static void a_task_in_fine_mode(void **state)
{
	struct kit k;
	struct heard h;
	(void)state;

	begin(&k, &h, &mode_fine, 0);
	k.now += 500;
	kit_run(&k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	told(&h, "{\"t\":0.5,\"event\":\"run\",\"run\":1,\"stages\":1}\n"
		 "{\"t\":0.5,\"event\":\"stage\",\"run\":1,\"stage\":5,\"tasks\":1,\"done\":0}\n"
		 "{\"t\":0.5,\"event\":\"waiting\",\"slots\":1}\n"
		 "{\"t\":0.5,\"event\":\"revive\"}\n");
	k.now += 7;
	kit_offer(&k, "a", 2.1, 1000);
	told(&h,
		"{\"t\":0.507,\"event\":\"offer\",\"offer\":\"offer-1\",\"agent\":\"a\",\"host\":\"a\","
		"\"role\":\"*\","
		"\"cores\":2.1,\"memory_mib\":1000}\n"
		"{\"t\":0.507,\"event\":\"accept\",\"slot\":\"000007-0-0\",\"kind\":\"executor\","
		"\"executor\":\"000007-0-0\",\"agent\":\"a\",\"host\":\"a\",\"role\":\"*\",\"cores\":0.1,"
		"\"memory_mib\":64,\"offers\":[\"offer-1\"]}\n"
		"{\"t\":0.507,\"event\":\"accept\",\"slot\":\"5.0.0\",\"kind\":\"task\","
		"\"executor\":\"000007-0-0\",\"agent\":\"a\",\"host\":\"a\",\"role\":\"*\",\"cores\":1,"
		"\"memory_mib\":100,\"offers\":[\"offer-1\"]}\n"
		"{\"t\":0.507,\"event\":\"start\",\"task\":\"5.0.0\",\"stage\":5,\"executor\":\"000007-0-0\","
		"\"slot\":\"5.0.0\",\"cores\":1,\"waited\":0.007}\n"
		"{\"t\":0.507,\"event\":\"waiting_end\"}\n"
		"{\"t\":0.507,\"event\":\"suppress\"}\n");
	k.now += 100;
	kit_link(&k, k.executor);
	told(&h, "{\"t\":0.607,\"event\":\"running\",\"slot\":\"000007-0-0\"}\n");
	kit_running(&k, "5.0.0", "a");
	told(&h, "{\"t\":0.607,\"event\":\"running\",\"slot\":\"5.0.0\"}\n");
	k.now += 893;
	Quern__TaskResult r = kit_result("5.0.0", DID(DONE));
	r.has_wall_us = 1;
	r.wall_us = 800001;
	kit_fine(&k, "5.0.0", "a", &r);
	told(&h, "{\"t\":1.5,\"event\":\"return\",\"slot\":\"5.0.0\",\"why\":\"finished\"}\n"
		 "{\"t\":1.5,\"event\":\"end\",\"task\":\"5.0.0\",\"state\":\"finished\",\"ran\":0.800001}\n"
		 "{\"t\":1.5,\"event\":\"stage_end\",\"run\":1,\"stage\":5,\"tasks\":1,\"done\":1}\n"
		 "{\"t\":1.5,\"event\":\"run_end\",\"run\":1,\"status\":\"finished\"}\n");
	k.now += 500;
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	told(&h, "{\"t\":2,\"event\":\"return\",\"slot\":\"000007-0-0\",\"why\":\"end\"}\n");
	end(&k, &h);
}

static void leases_go_back_for_a_reason(void **state)
{
	struct kit k;
	struct heard h;
	(void)state;

	begin(&k, &h, &mode_adaptive, 2);
	kit_run(&k, 1, 5, 4, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	told_too(&h, "\"accept\",\"slot\":\"lease-1\",\"kind\":\"lease\",\"executor\":\"000007-0-0\","
		     "\"agent\":\"a\","
		     "\"host\":\"a\",\"role\":\"*\",\"slots\":1,\"cores\":1,\"memory_mib\":100,");
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	buf_clear(&h.lines);
	kit_running(&k, "lease-1", "a"); /* which leases tasks are in is not said */
	told(&h, "{\"t\":0,\"event\":\"running\",\"slot\":\"lease-1\"}\n"
		 "{\"t\":0,\"event\":\"start\",\"task\":\"5.1.0\",\"stage\":5,\"executor\":\"000007-0-0\","
		 "\"cores\":1,\"waited\":0}\n");
	k.now += 1000;
	kit_coarse_done(&k, k.executor, "5.0.0"); /* too old */
	told(&h, "{\"t\":1,\"event\":\"end\",\"task\":\"5.0.0\",\"state\":\"finished\",\"ran\":1}\n");
	kit_ended(&k, "lease-0");
	k.now += 5;
	kit_update(&k, "lease-0", "a", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
	told_too(&h, "{\"t\":1.005,\"event\":\"return\",\"slot\":\"lease-0\",\"why\":\"age\"}\n");
	kit_says(&k, "lease-1", "a", STATE(LOST));
	told_too(&h, "{\"t\":1.005,\"event\":\"return\",\"slot\":\"lease-1\",\"why\":\"lost\"}\n");
	kit_offer(&k, "a", 2, 900);
	kit_running(&k, "lease-2", "a");
	buf_clear(&h.lines);
	kit_coarse_done(&k, k.executor, "5.1.0");
	kit_coarse_done(&k, k.executor, "5.2.0");
	kit_coarse_done(&k, k.executor, "5.3.0");
	told_too(&h, "{\"t\":1.005,\"event\":\"run_end\",\"run\":1,\"status\":\"finished\"}\n");
	kit_wait(&k, 200);
	kit_update(&k, "lease-2", "a", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
	told_too(&h, "{\"t\":1.205,\"event\":\"return\",\"slot\":\"lease-2\",\"why\":\"idle\"}\n");
	end(&k, &h);
}

static void what_dies_is_lost_and_what_runs_at_the_end_is_killed(void **state)
{
	struct kit k;
	struct heard h;
	struct sched_ledger l;
	(void)state;

	begin(&k, &h, &mode_coarse, 2);
	kit_run(&k, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-0", "a");
	buf_clear(&h.lines);
	k.now += 1000;
	kit_failure(&k, k.executor, "a");
	told(&h, "{\"t\":1,\"event\":\"return\",\"slot\":\"000007-0-0\",\"why\":\"lost\"}\n"
		 "{\"t\":1,\"event\":\"end\",\"task\":\"5.0.0\",\"state\":\"lost\",\"ran\":1}\n"
		 "{\"t\":1,\"event\":\"end\",\"task\":\"5.1.0\",\"state\":\"lost\",\"ran\":1}\n"
		 "{\"t\":1,\"event\":\"return\",\"slot\":\"lease-0\",\"why\":\"lost\"}\n"
		 "{\"t\":1,\"event\":\"waiting\",\"slots\":2}\n"
		 "{\"t\":1,\"event\":\"revive\"}\n");
	kit_offer(&k, "b", 2.1, 1000);
	kit_link(&k, k.executor);
	kit_running(&k, "lease-1", "b");
	told_too(&h, "\"start\",\"task\":\"5.0.1\",\"stage\":5,\"executor\":\"000007-1-0\",\"cores\":1,"
		     "\"waited\":0}\n");
	k.now += 500;
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_STOP });
	told(&h, "{\"t\":1.5,\"event\":\"run_end\",\"run\":1,\"status\":\"failed\"}\n"
		 "{\"t\":1.5,\"event\":\"end\",\"task\":\"5.0.1\",\"state\":\"killed\",\"ran\":0.5}\n"
		 "{\"t\":1.5,\"event\":\"end\",\"task\":\"5.1.1\",\"state\":\"killed\",\"ran\":0.5}\n"
		 "{\"t\":1.5,\"event\":\"return\",\"slot\":\"lease-1\",\"why\":\"end\"}\n"
		 "{\"t\":1.5,\"event\":\"return\",\"slot\":\"000007-1-0\",\"why\":\"end\"}\n");
	sched_get_ledger(k.s, &l);
	assert_int_equal(l.used_core_us, 3000000); /* so the account has it, too */
	end(&k, &h);
}

static void why_offers_are_declined(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	struct heard h;
	(void)state;

	config.constraints = "rack:1";
	begin_like(&k, &h, &config);
	kit_run(&k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	buf_clear(&h.lines);
	kit_offer(&k, "a", 2.1, 1000);
	told_too(&h, "{\"t\":0,\"event\":\"decline\",\"offer\":\"offer-1\",\"reason\":\"constraint\","
		     "\"constraint\":\"rack\",\"refuse_s\":3600}\n");
	end(&k, &h);

	begin(&k, &h, &mode_fine, 0);
	kit_run(&k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 0.9, 1000);
	told_too(&h, "{\"t\":0,\"event\":\"decline\",\"offer\":\"offer-1\",\"reason\":\"too few cores\","
		     "\"refuse_s\":5}\n");
	end(&k, &h);
}

static void a_wait_lasts_until_there_is_a_slot(void **state)
{
	struct kit k;
	struct heard h;
	(void)state;

	begin(&k, &h, &mode_fine, 0);
	kit_run(&k, 1, 5, 1, 1, QUERN__SINK__KIND__COUNT);
	k.now += 100;
	kit_offer(&k, "a", 1.1, 1000);
	told_too(&h,
		"\"task\":\"5.0.0\",\"stage\":5,\"executor\":\"000007-0-0\",\"slot\":\"5.0.0\",\"cores\":1,"
		"\"waited\":0.1}");
	kit_link(&k, k.executor);
	k.now += 900;
	const Quern__TaskResult r = kit_result("5.0.0", DID(FAILED));
	kit_fine(&k, "5.0.0", "a", &r);
	told_too(&h, "{\"t\":1,\"event\":\"end\",\"task\":\"5.0.0\",\"state\":\"failed\",\"ran\":0.9}\n");
	k.now += 30; /* since it has failed, not since it was first there */
	kit_offer(&k, "a", 1, 900);
	told_too(&h, "\"waited\":0.03}");
	k.now += 970;
	kit_fine_done(&k, "5.0.1", "a");
	told_too(&h, "{\"t\":2,\"event\":\"stage_end\",\"run\":1,\"stage\":5,\"tasks\":1,\"done\":1}\n"
		     "{\"t\":2,\"event\":\"stage\",\"run\":1,\"stage\":6,\"tasks\":1,\"done\":0}\n"
		     "{\"t\":2,\"event\":\"waiting\",\"slots\":1}\n");
	k.now += 5; /* since its stage may run */
	kit_offer(&k, "a", 1, 900);
	told_too(&h, "\"waited\":0.005}");
	end(&k, &h);
}

static void a_master_that_goes_and_comes_back(void **state)
{
	struct kit k;
	struct heard h;
	(void)state;

	begin(&k, &h, &mode_fine, 0);
	kit_run(&k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	buf_clear(&h.lines);
	k.now += 250;
	kit_down(&k);
	told(&h, "{\"t\":0.25,\"event\":\"no_master\"}\n");
	kit_subscribed(&k);
	told(&h, "{\"t\":0.25,\"event\":\"framework\",\"framework\":\"framework-1\",\"suppressed\":false}\n");
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Rescind rescind = MESOS__V1__SCHEDULER__EVENT__RESCIND__INIT;
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;

	id.value = (char *)(uintptr_t) "offer-\"7\"";
	rescind.offer_id = &id;
	e.rescind = &rescind;
	kit_mesos(&k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND);
	told(&h, "{\"t\":0.25,\"event\":\"rescind\",\"offer\":\"offer-\\\"7\\\"\"}\n");
	end(&k, &h);
}

/* It changes nothing: the plans are the same. */
static void whoever_listens_or_not(void **state)
{
	struct kit k, other;
	struct heard h;
	(void)state;

	begin(&k, &h, &mode_fine, 0);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	buf_clear(&h.lines);
	const struct sched_config config = kit_config(&mode_fine);
	kit_new(&other, &config);
	kit_subscribed(&other);
	kit_run(&other, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 2.1, 1000);
	kit_offer(&other, "a", 2.1, 1000);
	assert_int_equal(k.plan.n, other.plan.n);
	for (size_t i = 0; i < k.plan.n; i++) {
		assert_int_equal(k.plan.at[i].len, other.plan.at[i].len);
		if (k.plan.at[i].len > 0)
			assert_memory_equal(k.plan.at[i].data, other.plan.at[i].data, k.plan.at[i].len);
	}
	sched_set_log(k.s, NULL, NULL);
	buf_clear(&h.lines);
	kit_link(&k, k.executor);
	kit_fine_done(&k, "5.0.0", "a");
	kit_free(&other);
	end(&k, &h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_in_fine_mode),
		cmocka_unit_test(leases_go_back_for_a_reason),
		cmocka_unit_test(what_dies_is_lost_and_what_runs_at_the_end_is_killed),
		cmocka_unit_test(why_offers_are_declined),
		cmocka_unit_test(a_wait_lasts_until_there_is_a_slot),
		cmocka_unit_test(a_master_that_goes_and_comes_back),
		cmocka_unit_test(whoever_listens_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
