/* What is said when nothing runs: by reason and number, within seconds, and again only when it changes. */
#include <math.h>

#include "tests/scheduler/sched_kit.h"

static const Mesos__V1__Offer plain = MESOS__V1__OFFER__INIT;

/* An offer of an agent with one attribute. */
static void offer_of(struct kit *k, const char *agent, double cpus, const char *name, const char *value)
{
	Mesos__V1__Offer like = plain;
	Mesos__V1__Attribute a = MESOS__V1__ATTRIBUTE__INIT, *list[] = { &a };
	Mesos__V1__Value__Text text = MESOS__V1__VALUE__TEXT__INIT;

	a.name = (char *)(uintptr_t)name;
	a.type = MESOS__V1__VALUE__TYPE__TEXT;
	a.text = &text;
	text.value = (char *)(uintptr_t)value;
	like.n_attributes = 1;
	like.attributes = list;
	kit_offer_like(k, agent, cpus, 4000, &like);
}

static void offer_with(struct kit *k, const char *agent, const char *name, const char *value)
{
	offer_of(k, agent, 4, name, value);
}

static void no_note(const struct kit *k)
{
	const struct sched_action *a = kit_action(k, SCHED_DO_NOTE, 0);

	if (a != NULL)
		fail_msg("it was said: %s", a->text);
}

static void note(const struct kit *k, const char *words)
{
	const struct sched_action *a = kit_action(k, SCHED_DO_NOTE, 0);

	assert_non_null(a);
	assert_null(kit_action(k, SCHED_DO_NOTE, 1));
	if (strstr(a->text, words) == NULL)
		fail_msg("no '%s' in '%s'", words, a->text);
}

/* The master has nothing to say, once it is asked. */
static void no_answer(struct kit *k)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_SURVEY });
}

/* Waits until the master is asked, no longer than that. */
static void asked_after(struct kit *k, uint64_t ms)
{
	kit_wait(k, ms - 1);
	assert_null(kit_action(k, SCHED_DO_SURVEY, 0));
	k->now++;
	kit_tick(k);
	assert_int_equal(kit_actions(k, SCHED_DO_SURVEY), 1);
	no_note(k);
}

static void start(struct kit *k, const struct sched_config *config)
{
	kit_new(k, config);
	kit_subscribed(k);
	kit_run(k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
}

static void no_offers_at_all(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config);
	asked_after(&k, 5000);
	no_answer(&k);
	note(&k, "waiting for resources for a task of 1 cores and 100 MB");
	note(&k, "its executor's 0.1 and 64 MB beside it: no agent with free resources was offered to role "
		 "'*'");
	kit_free(&k);
}

static void a_master_that_does_not_answer_is_not_waited_for(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config);
	kit_offer(&k, "a", 0.5, 1000);
	asked_after(&k, 5000);
	kit_wait(&k, 2999);
	no_note(&k);
	k.now++;
	kit_tick(&k);
	note(&k, "too few cores: 1 agent (the most: 0.4)");
	no_answer(&k); /* late: it was said already */
	no_note(&k);
	kit_free(&k);
}

static void each_agent_stands_under_its_last_reason(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.constraints = "rack:a;os";
	start(&k, &config);
	for (int i = 0; i < 3; i++) {
		offer_with(&k, "x", "rack", "b");
		offer_with(&k, "y", "rack", "c");
		offer_with(&k, "z", "rack", "a");
		assert_true(kit_refused(&k) >= 3600); /* what an agent is does not change */
	}
	asked_after(&k, 5000);
	no_answer(&k);
	note(&k, ": constraint rack: 2 agents; constraint os: 1");
	kit_free(&k);
}

static void too_small_in_cores_and_in_memory(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config);
	kit_offer(&k, "a", 0.5, 1000);
	kit_offer(&k, "b", 0.9, 1000);
	kit_offer(&k, "c", 4, 120);
	asked_after(&k, 5000);
	no_answer(&k);
	note(&k, ": too few cores: 2 agents (the most: 0.8); too little memory: 1 (the most: 56 MB)");
	kit_free(&k);
}

static void said_again_only_when_it_changes(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config);
	kit_offer(&k, "a", 0.5, 1000);
	asked_after(&k, 5000);
	no_answer(&k);
	note(&k, "too few cores: 1 agent");
	for (int i = 0; i < 20; i++) {
		kit_offer(&k, "a", 0.5, 1000);
		no_note(&k);
	}
	asked_after(&k, 5000);
	no_answer(&k);
	no_note(&k);
	kit_offer(&k, "b", 0.5, 1000);
	no_note(&k);
	asked_after(&k, 10000); /* less often, while nothing changes */
	no_answer(&k);
	note(&k, "too few cores: 2 agents");
	asked_after(&k, 5000);
	kit_free(&k);
}

static void that_it_goes_on_is_said_once(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct sched_progress p;
	struct kit k;
	(void)state;

	start(&k, &config);
	asked_after(&k, 5000);
	no_answer(&k);
	sched_get_progress(k.s, &p);
	assert_non_null(strstr(p.waiting, "no agent"));
	kit_offer(&k, "a", 1.1, 1000);
	kit_accepted(&k, "5.0.0");
	note(&k, "tasks run");
	sched_get_progress(k.s, &p);
	assert_null(p.waiting);
	kit_wait(&k, 60000);
	no_note(&k); /* one task runs: that is no standstill */
	kit_free(&k);
}

static void nothing_is_said_of_a_short_wait(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	start(&k, &config);
	kit_wait(&k, 4999);
	assert_null(kit_action(&k, SCHED_DO_SURVEY, 0));
	kit_offer(&k, "a", 4, 1000);
	no_note(&k);
	kit_wait(&k, 60000);
	assert_null(kit_action(&k, SCHED_DO_SURVEY, 0));
	kit_free(&k);
}

static void nor_with_nothing_to_run(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_wait(&k, 60000);
	assert_int_equal(sched_next_ms(k.s) > k.now + 60000, true);
	kit_free(&k);
}

static void an_executor_that_does_not_come_up(void **state)
{
	const struct sched_config config = kit_config(&mode_coarse);
	struct kit k;
	(void)state;

	start(&k, &config);
	kit_offer(&k, "a", 3.1, 1000);
	kit_accepted(&k, "lease-0");
	asked_after(&k, 5000);
	no_answer(&k);
	note(&k, "(3 of 3 slots are held): executor not up yet: 1 agent");
	kit_link(&k, k.executor);
	no_note(&k);
	kit_running(&k, "lease-0", "a");
	note(&k, "tasks run");
	kit_free(&k);
}

/* ---- What the master says of agents that make no offers ---- */

struct surveyed {
	Mesos__V1__Master__Response__GetAgents__Agent agent;
	Mesos__V1__AgentInfo info;
	Mesos__V1__AgentID id;
	Mesos__V1__Resource resources[4], *list[4], *used_list[2];
	Mesos__V1__Value__Scalar values[4];
	Mesos__V1__Resource__ReservationInfo reservation, *reservations[1];
	Mesos__V1__Resource__RevocableInfo revocable;
	Mesos__V1__DomainInfo domain;
	Mesos__V1__DomainInfo__FaultDomain fault;
	Mesos__V1__DomainInfo__FaultDomain__RegionInfo region;
	Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone;
};

static void set_resource(struct surveyed *a, int i, double value)
{
	mesos__v1__value__scalar__init(&a->values[i]);
	a->values[i].value = value;
	mesos__v1__resource__init(&a->resources[i]);
	a->resources[i].name = (char *)(uintptr_t)(i % 2 == 0 ? "cpus" : "mem");
	a->resources[i].scalar = &a->values[i];
	a->list[i] = &a->resources[i];
}

/* Of so many cores and MB, of which so many cores are in use. */
static void survey_agent(struct surveyed *a, const char *id, double cpus, double mem, double used)
{
	memset(a, 0, sizeof(*a));
	mesos__v1__master__response__get_agents__agent__init(&a->agent);
	mesos__v1__agent_info__init(&a->info);
	mesos__v1__agent_id__init(&a->id);
	a->id.value = (char *)(uintptr_t)id;
	a->info.id = &a->id;
	a->info.hostname = a->id.value;
	set_resource(a, 0, cpus);
	set_resource(a, 1, mem);
	set_resource(a, 2, used);
	a->used_list[0] = &a->resources[2];
	a->agent.agent_info = &a->info;
	a->agent.active = 1;
	a->agent.version = (char *)(uintptr_t) "1";
	a->agent.n_total_resources = 2;
	a->agent.total_resources = a->list;
	a->agent.n_allocated_resources = 1;
	a->agent.allocated_resources = a->used_list;
}

static void reserve(struct surveyed *a, const char *role)
{
	mesos__v1__resource__reservation_info__init(&a->reservation);
	a->reservation.role = (char *)(uintptr_t)role;
	a->reservations[0] = &a->reservation;
	for (int i = 0; i < 2; i++) {
		a->resources[i].n_reservations = 1;
		a->resources[i].reservations = a->reservations;
	}
}

static void place(struct surveyed *a, const char *region)
{
	mesos__v1__domain_info__init(&a->domain);
	mesos__v1__domain_info__fault_domain__init(&a->fault);
	mesos__v1__domain_info__fault_domain__region_info__init(&a->region);
	mesos__v1__domain_info__fault_domain__zone_info__init(&a->zone);
	a->region.name = (char *)(uintptr_t)region;
	a->zone.name = (char *)(uintptr_t) "z";
	a->fault.region = &a->region;
	a->fault.zone = &a->zone;
	a->domain.fault_domain = &a->fault;
	a->info.domain = &a->domain;
}

static void answer(struct kit *k, struct surveyed *agents, size_t n)
{
	Mesos__V1__Master__Response__GetAgents m = MESOS__V1__MASTER__RESPONSE__GET_AGENTS__INIT;
	Mesos__V1__Master__Response__GetAgents__Agent *list[16];

	assert_true(n <= 16);
	for (size_t i = 0; i < n; i++)
		list[i] = &agents[i].agent;
	m.n_agents = n;
	m.agents = list;
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_SURVEY, .u.survey = &m });
}

static void the_master_tells_of_agents_that_were_not_offered(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct surveyed a[11];
	struct kit k;
	(void)state;

	static const char *const roles[] = { "us/me", "*", NULL };
	config.roles = roles;
	config.constraints = "hostname:a,b,c,d,e,f,g,h,i,offered";
	start(&k, &config);
	kit_offer(&k, "offered", 0.5, 1000);
	survey_agent(&a[0], "a", 1, 1000, 0); /* no room for the executor beside the task */
	survey_agent(&a[1], "b", 4, 150, 0);
	survey_agent(&a[2], "c", 4, 1000, 3); /* busy */
	survey_agent(&a[3], "d", 4, 1000, 0); /* nobody knows why not */
	survey_agent(&a[4], "e", 4, 1000, 0);
	reserve(&a[4], "them");
	survey_agent(&a[5], "f", 4, 1000, 0);
	reserve(&a[5], "us"); /* is for us as well */
	survey_agent(&a[6], "g", 4, 1000, 0);
	mesos__v1__resource__revocable_info__init(&a[6].revocable);
	a[6].resources[0].revocable = &a[6].revocable;
	survey_agent(&a[7], "h", 4, 1000, 0);
	a[7].agent.active = 0;
	survey_agent(&a[8], "i", 4, 1000, 0);
	a[8].agent.has_deactivated = a[8].agent.deactivated = 1;
	survey_agent(&a[9], "other", 4, 1000, 0);
	survey_agent(&a[10], "offered", 8, 8000, 0); /* the offer says more */
	asked_after(&k, 5000);
	answer(&k, a, 11);
	note(&k, "too few cores: 2 agents (the most: 0.9); too little memory: 1 (the most: 86 MB); reserved "
		 "for "
		 "another role: 1; revocable: 1; in use by others: 1; free but not offered (quota or shares "
		 "of "
		 "roles): 2; not active: 2; constraint hostname: 1");
	asked_after(&k, 5000);
	answer(&k, a, 11);
	no_note(&k);
	asked_after(&k, 10000);
	answer(&k, a, 10);
	note(&k, "too few cores: 1 agent");
	kit_free(&k);
}

static void agents_of_other_regions_are_told_apart(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Subscribed subscribed = MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__MasterInfo master = MESOS__V1__MASTER_INFO__INIT;
	struct surveyed here, there;
	struct kit k;
	(void)state;

	survey_agent(&here, "here", 4, 1000, 4);
	survey_agent(&there, "there", 4, 1000, 0);
	place(&here, "east");
	place(&there, "west");
	kit_new(&k, &config);
	id.value = (char *)(uintptr_t) "framework-1";
	master.id = master.hostname = (char *)(uintptr_t) "m";
	master.domain = &here.domain;
	subscribed.framework_id = &id;
	subscribed.master_info = &master;
	e.subscribed = &subscribed;
	kit_mesos(&k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED);
	kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
	asked_after(&k, 5000);
	struct surveyed both[] = { here, there };
	both[0].agent.agent_info = &here.info;
	both[1].agent.agent_info = &there.info;
	both[0].agent.total_resources = here.list;
	both[1].agent.total_resources = there.list;
	answer(&k, both, 2);
	note(&k, ": in another region: 1 agent; in use by others: 1");
	kit_free(&k);
}

/* ---- What the master is told ---- */

static void what_we_want_is_told_with_the_subscription(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct buf out = BUF_INIT(1 << 16);
	struct kit k;
	(void)state;

	config.constraints = "rack:a,b;region:x";
	static const char *const roles[] = { "us", NULL };
	config.roles = roles;
	kit_new(&k, &config);
	assert_int_equal(sched_subscribe_call(k.s, &out), 0);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, out.len, out.data);
	assert_non_null(c);
	const Mesos__V1__FrameworkInfo *info = c->subscribe->framework_info;
	assert_int_equal(info->n_offer_filters, 1);
	assert_string_equal(info->offer_filters[0]->key, "us");
	const Mesos__V1__OfferFilters__MinAllocatableResources *least =
		info->offer_filters[0]->value->min_allocatable_resources;
	assert_int_equal(least->n_quantities, 1);
	assert_int_equal(least->quantities[0]->n_quantities, 2);
	assert_string_equal(least->quantities[0]->quantities[0]->key, "cpus");
	assert_true(least->quantities[0]->quantities[0]->value->value == 1.0);
	assert_true(least->quantities[0]->quantities[1]->value->value == 100.0);
	const Mesos__V1__Scheduler__OfferConstraints *told = c->subscribe->offer_constraints;
	assert_int_equal(told->n_role_constraints, 1);
	assert_string_equal(told->role_constraints[0]->key, "us");
	assert_int_equal(told->role_constraints[0]->value->n_groups, 4);
	bool aware = false;
	for (size_t i = 0; i < info->n_capabilities; i++)
		aware = aware || info->capabilities[i]->type ==
					 MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REGION_AWARE;
	assert_true(aware);
	kit_call_free(c);
	buf_deinit(&out);
	kit_free(&k);
}

static void without_constraints_only_the_least_is_told(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct buf out = BUF_INIT(1 << 16);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	assert_int_equal(sched_subscribe_call(k.s, &out), 0);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, out.len, out.data);
	assert_null(c->subscribe->offer_constraints);
	for (size_t i = 0; i < c->subscribe->framework_info->n_capabilities; i++)
		assert_int_not_equal(c->subscribe->framework_info->capabilities[i]->type,
			MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REGION_AWARE);
	kit_call_free(c);
	buf_deinit(&out);
	kit_free(&k);
}

static void smaller_tasks_change_what_was_told(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit_run r;
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run_init(&r, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	r.stages[0].has_task_cores_milli = 1;
	r.stages[0].task_cores_milli = 250;
	kit_submit(&k, &r);
	Call *c = kit_call(&k, CALL(UPDATE_FRAMEWORK), 0);
	assert_non_null(c);
	const Mesos__V1__FrameworkInfo *info = c->update_framework->framework_info;
	assert_string_equal(info->id->value, "framework-1");
	assert_int_equal(
		c->update_framework->n_suppressed_roles, 0); /* it may come after the REVIVE behind it */
	const Mesos__V1__OfferFilters__ResourceQuantities *q =
		info->offer_filters[0]->value->min_allocatable_resources->quantities[0];
	assert_true(q->quantities[0]->value->value == 0.25);
	assert_true(q->quantities[1]->value->value == 100.0);
	assert_int_equal(kit_calls(&k, CALL(REVIVE)), 1);
	kit_call_free(c);
	kit_step(&k, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = 1 });
	r.run.id = 2;
	r.stages[0].id = 6;
	kit_submit(&k, &r);
	assert_int_equal(kit_calls(&k, CALL(UPDATE_FRAMEWORK)), 0); /* it knows */
	kit_free(&k);
}

/* A run begins while SUBSCRIBE, which says what is so without it, is on its way. */
static void smaller_tasks_are_told_of_when_the_master_answers(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Subscribed subscribed = MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	struct buf call = BUF_INIT(1 << 16);
	struct kit_run r;
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	assert_int_equal(sched_subscribe_call(k.s, &call), 0);
	buf_deinit(&call);
	kit_run_init(&r, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	r.stages[0].has_task_cores_milli = 1;
	r.stages[0].task_cores_milli = 250;
	kit_submit(&k, &r);
	assert_int_equal(kit_actions(&k, SCHED_DO_CALL), 0);
	id.value = (char *)(uintptr_t) "framework-1";
	subscribed.framework_id = &id;
	e.subscribed = &subscribed;
	kit_mesos(&k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED);
	Call *c = kit_call(&k, CALL(UPDATE_FRAMEWORK), 0);
	assert_non_null(c);
	const Mesos__V1__OfferFilters__ResourceQuantities *q =
		c->update_framework->framework_info->offer_filters[0]
			->value->min_allocatable_resources->quantities[0];
	assert_true(q->quantities[0]->value->value == 0.25);
	assert_int_equal(c->update_framework->n_suppressed_roles, 0);
	kit_call_free(c);
	kit_down(&k);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(UPDATE_FRAMEWORK)), 0); /* SUBSCRIBE has said it */
	kit_free(&k);
}

static void an_executor_without_a_port(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.ports_from_offer = true;
	start(&k, &config);
	kit_offer(&k, "a", 4, 1000);
	kit_offer(&k, "b", 1, 1000); /* and it is too small as well */
	asked_after(&k, 5000);
	no_answer(&k);
	note(&k, ": too few cores: 1 agent (the most: 0.9); no port for an executor: 1");
	kit_free(&k);
}

/* The master may tell of anything. */
static void numbers_that_mean_nothing(void **state)
{
	static const double values[] = { NAN, INFINITY, -INFINITY, 1e300, -1e300, -1 };
	const struct sched_config config = kit_config(&mode_fine);
	struct surveyed a[6];
	struct kit k;
	(void)state;

	start(&k, &config);
	asked_after(&k, 5000);
	for (size_t i = 0; i < 6; i++)
		survey_agent(&a[i], "a", values[i], values[i], values[5 - i]);
	answer(&k, a, 6);
	note(&k, "too few cores: 4 agents (the most: 0); free but not offered");
	kit_free(&k);
}

static void a_task_that_nobody_was_offered_room_for(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit_run r;
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run_init(&r, 1, 5, 2, 0, QUERN__SINK__KIND__COUNT);
	r.stages[0].has_task_cores_milli = 1;
	r.stages[0].task_cores_milli = 2000;
	kit_submit(&k, &r);
	kit_wait(&k, 29999);
	k.now++;
	kit_tick(&k);
	kit_done(&k, 1,
		"a task needs 2 cores and 100 MB, and no agent has that for tasks: no agent with free "
		"resources was offered to role '*'. None came with more");
	kit_free(&k);
}

static void nonsense_does_not_start(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct sched *s = NULL;
	struct err err = { "" };
	(void)state;

	config.constraints = "rack:";
	assert_int_equal(sched_new(&config, &s, &err), 0);
	assert_null(sched_free(s));
	config.constraints = ":a";
	assert_int_equal(sched_new(&config, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no name"));
}

/* ---- How many were declined for what ---- */

static void declined(const struct kit *k, uint64_t n, const char *expected)
{
	char *text = sched_declined_text(k->s);
	struct sched_progress p;

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	sched_get_progress(k->s, &p);
	assert_int_equal(p.declined, n);
}

static void declined_offers_are_counted_by_reason(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.constraints = "rack:a";
	config.mode_config.max_slots = 2;
	start(&k, &config);
	declined(&k, 0, "");
	for (int i = 0; i < 3; i++)
		offer_with(&k, "x", "rack", "b");
	offer_of(&k, "y", 0.5, "rack", "a");
	declined(&k, 4, "too few cores: 1; constraint rack: 3");
	offer_with(&k, "z", "rack", "a"); /* used */
	kit_accepted(&k, "5.0.0 5.1.0");
	offer_with(&k, "w", "rack", "a");
	declined(&k, 5, "too few cores: 1; more than the job may hold: 1; constraint rack: 3");
	kit_free(&k);
}

/* Without a limit nothing is more than the job may hold. */
static void what_nobody_waits_for_is_not_more_than_may_be_held(void **state)
{
	static const struct mode_ops *const modes[] = { &mode_fine, &mode_adaptive, &mode_coarse };
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		const struct sched_config config = kit_config(modes[i]);
		struct kit k;

		kit_new(&k, &config);
		kit_subscribed(&k);
		kit_offer(&k, "a", 4, 4000); /* no action yet */
		declined(&k, 1, "no task waits for it: 1");
		kit_run(&k, 1, 5, 3, 0, QUERN__SINK__KIND__COUNT);
		kit_offer(&k, "b", 3.1, 4000);
		assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 1);
		kit_offer(&k, "c", 4, 4000); /* what runs or is coming is enough */
		declined(&k, 2, "no task waits for it: 2");
		kit_free(&k);
	}
}

/* Of adaptive slots that are coming and those that may not be. */
static void at_the_limit_it_is_more_than_may_be_held(void **state)
{
	struct sched_config config = kit_config(&mode_adaptive);
	struct kit k;
	(void)state;

	config.mode_config.max_slots = 2;
	start(&k, &config);
	kit_offer(&k, "a", 2.1, 4000);
	kit_accepted(&k, "lease-0 lease-1");
	kit_offer(&k, "b", 2.1, 4000);
	declined(&k, 1, "more than the job may hold: 1");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_offers_at_all),
		cmocka_unit_test(a_master_that_does_not_answer_is_not_waited_for),
		cmocka_unit_test(each_agent_stands_under_its_last_reason),
		cmocka_unit_test(too_small_in_cores_and_in_memory),
		cmocka_unit_test(said_again_only_when_it_changes),
		cmocka_unit_test(that_it_goes_on_is_said_once),
		cmocka_unit_test(nothing_is_said_of_a_short_wait),
		cmocka_unit_test(nor_with_nothing_to_run),
		cmocka_unit_test(an_executor_that_does_not_come_up),
		cmocka_unit_test(the_master_tells_of_agents_that_were_not_offered),
		cmocka_unit_test(agents_of_other_regions_are_told_apart),
		cmocka_unit_test(what_we_want_is_told_with_the_subscription),
		cmocka_unit_test(without_constraints_only_the_least_is_told),
		cmocka_unit_test(smaller_tasks_change_what_was_told),
		cmocka_unit_test(smaller_tasks_are_told_of_when_the_master_answers),
		cmocka_unit_test(an_executor_without_a_port),
		cmocka_unit_test(numbers_that_mean_nothing),
		cmocka_unit_test(a_task_that_nobody_was_offered_room_for),
		cmocka_unit_test(nonsense_does_not_start),
		cmocka_unit_test(declined_offers_are_counted_by_reason),
		cmocka_unit_test(what_nobody_waits_for_is_not_more_than_may_be_held),
		cmocka_unit_test(at_the_limit_it_is_more_than_may_be_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
