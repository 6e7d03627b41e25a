/* sched_kit.h: the scheduler's core with a script for a master and for executors: events by one call each,
 * and a look at what the last of them brought about. Everything ends in assertions. */
#ifndef QUERN_TESTS_SCHEDULER_SCHED_KIT_H
#define QUERN_TESTS_SCHEDULER_SCHED_KIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "scheduler/sched.h"
#include "tests/one_branch.h"

#define KIT __attribute__((unused)) static

typedef Mesos__V1__Scheduler__Call Call;
#define CALL(name)  MESOS__V1__SCHEDULER__CALL__TYPE__##name
#define STATE(name) MESOS__V1__TASK_STATE__TASK_##name
#define DID(name)   QUERN__TASK_RESULT__STATE__##name

enum { KIT_SPLITS = 64 };

struct kit {
	struct sched *s;
	struct sched_plan plan; /* of the last event */
	uint64_t now;
	unsigned next_offer, next_uuid;
	char executor[64]; /* of the last launch on an offer */
};

/* The mode, but all that it wants of an agent is taken at once: what waits until an executor has started is
 * the matter of sched_start_test. */
KIT const struct mode_ops *kit_at_once(const struct mode_ops *mode)
{
	enum { MODES = 4 };
	static struct {
		const struct mode_ops *of;
		struct mode_ops ops;
	} known[MODES];
	size_t i = 0;

	if (mode == NULL)
		return NULL;
	while (i < MODES && known[i].of != NULL && known[i].of != mode)
		i++;
	assert_true(i < MODES);
	known[i].of = mode;
	known[i].ops = *mode;
	known[i].ops.executor_first = false;
	return &known[i].ops;
}

KIT struct sched_config kit_config(const struct mode_ops *mode)
{
	static uint8_t data[] = { 1, 2, 3 };
	static Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	static Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;

	command.value = (char *)(uintptr_t) "./quern-executor";
	executor.has_type = executor.has_data = 1;
	executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	executor.command = &command;
	executor.data = (ProtobufCBinaryData){ .data = data, .len = sizeof(data) };
	return (struct sched_config){ .name = "test",
		.user = "me",
		.failover_timeout_s = 10,
		.mode = kit_at_once(mode),
		.mode_config = { .min_ratio_percent = 100, .max_registered_wait_ms = 30000 },
		.task_cpus_milli = 1000,
		.task_mem_mb = 100,
		.executor_cpus_milli = 100,
		.executor_mem_mb = 64,
		.task_max_failures = 4,
		.revive_interval_ms = 20,
		.revive_burst = 3,
		.exclude_after = 100,
		.exclude_ms = 60000,
		.executor = &executor,
		.seed = 7 };
}

KIT void kit_new(struct kit *k, const struct sched_config *config)
{
	struct err err = { "" };

	*k = (struct kit){ .now = 1000 };
	if (sched_new(config, &k->s, &err) < 0)
		fail_msg("%s", err.text);
}

KIT void kit_free(struct kit *k)
{
	sched_plan_deinit(&k->plan);
	assert_null(sched_free(k->s));
}

/* ---- What came of the last event ---- */

/* Action number `n` of that kind in the last plan, or NULL. */
KIT const struct sched_action *kit_action(const struct kit *k, enum sched_action_kind kind, size_t n)
{
	for (size_t i = 0; i < k->plan.n; i++)
		if (k->plan.at[i].kind == kind && n-- == 0)
			return &k->plan.at[i];
	return NULL;
}

KIT size_t kit_actions(const struct kit *k, enum sched_action_kind kind)
{
	size_t n = 0;

	while (kit_action(k, kind, n) != NULL)
		n++;
	return n;
}

/* Call number `n` of that type in the last plan, or NULL; to be freed. */
KIT Call *kit_call(const struct kit *k, Mesos__V1__Scheduler__Call__Type type, size_t n)
{
	const struct sched_action *a;

	for (size_t i = 0; (a = kit_action(k, SCHED_DO_CALL, i)) != NULL; i++) {
		Call *c = mesos__v1__scheduler__call__unpack(NULL, a->len, a->data);

		assert_non_null(c);
		assert_string_equal(c->framework_id->value, "framework-1");
		if (c->type == type && n-- == 0)
			return c;
		mesos__v1__scheduler__call__free_unpacked(c, NULL);
	}
	return NULL;
}

KIT void kit_call_free(Call *c)
{
	mesos__v1__scheduler__call__free_unpacked(c, NULL);
}

KIT size_t kit_calls(const struct kit *k, Mesos__V1__Scheduler__Call__Type type)
{
	Call *c;
	size_t n = 0;

	while ((c = kit_call(k, type, n)) != NULL) {
		kit_call_free(c);
		n++;
	}
	return n;
}

/* The executor of an ACCEPT. */
KIT void kit_remember(struct kit *k)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);

	if (c == NULL)
		return;
	(void)snprintf(k->executor, sizeof(k->executor), "%s",
		c->accept->operations[0]->launch->task_infos[0]->executor->executor_id->value);
	kit_call_free(c);
}

/* ---- Events ---- */

KIT void kit_step(struct kit *k, struct sched_event ev)
{
	sched_plan_reset(&k->plan);
	ev.now_ms = k->now;
	assert_int_equal(sched_step(k->s, &ev, &k->plan), 0);
}

KIT void kit_tick(struct kit *k)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_TICK });
}

/* Time passes, with every tick that the core asks for. What those bring about is lost, but for the last. */
KIT void kit_wait(struct kit *k, uint64_t ms)
{
	uint64_t end = k->now + ms;

	while (sched_next_ms(k->s) <= end) {
		uint64_t next = sched_next_ms(k->s);

		k->now = next > k->now ? next : k->now;
		kit_tick(k);
		assert_true(sched_next_ms(k->s) > k->now);
	}
	k->now = end;
}

KIT void kit_mesos(struct kit *k, Mesos__V1__Scheduler__Event *e, Mesos__V1__Scheduler__Event__Type type)
{
	e->has_type = 1;
	e->type = type;
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_MESOS, .u.mesos = e });
}

KIT void kit_subscribed(struct kit *k)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Subscribed subscribed = MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	struct buf call = BUF_INIT(1 << 16);

	assert_int_equal(sched_subscribe_call(k->s, &call), 0);
	buf_deinit(&call);
	id.value = (char *)(uintptr_t) "framework-1";
	subscribed.framework_id = &id;
	e.subscribed = &subscribed;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED);
}

/* An offer of one agent; its id is "offer-N", N from 1 on. `like`: what else it says: attributes, domain,
 * unavailability. */
KIT void kit_offer_like(
	struct kit *k, const char *agent, double cpus, double mem, const Mesos__V1__Offer *like)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
	Mesos__V1__Offer offer = *like, *list[] = { &offer };
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__Value__Scalar values[2];
	Mesos__V1__Resource resources[2], *resource_list[] = { &resources[0], &resources[1] };
	Mesos__V1__Resource__AllocationInfo allocation = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;
	char text[32];

	(void)snprintf(text, sizeof(text), "offer-%u", ++k->next_offer);
	allocation.role = (char *)(uintptr_t) "*";
	for (int i = 0; i < 2; i++) {
		mesos__v1__value__scalar__init(&values[i]);
		values[i].value = i == 0 ? cpus : mem;
		mesos__v1__resource__init(&resources[i]);
		resources[i].name = (char *)(uintptr_t)(i == 0 ? "cpus" : "mem");
		resources[i].type = MESOS__V1__VALUE__TYPE__SCALAR;
		resources[i].scalar = &values[i];
		resources[i].allocation_info = &allocation;
	}
	id.value = text;
	framework.value = (char *)(uintptr_t) "framework-1";
	agent_id.value = (char *)(uintptr_t)agent;
	offer.id = &id;
	offer.framework_id = &framework;
	offer.agent_id = &agent_id;
	offer.hostname = (char *)(uintptr_t)agent;
	offer.n_resources = 2;
	offer.resources = resource_list;
	offer.allocation_info = &allocation;
	offers.n_offers = 1;
	offers.offers = list;
	e.offers = &offers;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS);
	kit_remember(k);
}

KIT void kit_offer(struct kit *k, const char *agent, double cpus, double mem)
{
	const Mesos__V1__Offer plain = MESOS__V1__OFFER__INIT;

	kit_offer_like(k, agent, cpus, mem, &plain);
}

KIT bool lost(Mesos__V1__TaskState state)
{
	return state == STATE(LOST) || state == STATE(DROPPED) || state == STATE(UNREACHABLE);
}

/* An update of a task. `result`: comes as its data; `source`: from the executor if there is none with 0. */
KIT void kit_update(struct kit *k, const char *task, const char *agent, Mesos__V1__TaskState state,
	Mesos__V1__TaskStatus__Source source, const Quern__TaskResult *result, bool with_uuid)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	uint8_t data[8192], uuid[16] = { 0 };

	id.value = (char *)(uintptr_t)task;
	agent_id.value = (char *)(uintptr_t)agent;
	status.task_id = &id;
	status.agent_id = &agent_id;
	status.state = state;
	status.has_source = 1;
	status.source = source;
	status.has_reason = source == MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER && !lost(state);
	status.reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION;
	if (with_uuid) {
		uuid[0] = (uint8_t)++k->next_uuid;
		status.has_uuid = 1;
		status.uuid = (ProtobufCBinaryData){ .data = uuid, .len = sizeof(uuid) };
	}
	if (result != NULL) {
		assert_true(quern__task_result__get_packed_size(result) <= sizeof(data));
		status.has_data = 1;
		status.data.data = data;
		status.data.len = quern__task_result__pack(result, data);
	}
	update.status = &status;
	e.update = &update;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
}

KIT void kit_running(struct kit *k, const char *task, const char *agent)
{
	kit_update(
		k, task, agent, STATE(RUNNING), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL, true);
}

/* The agent has found the master, which says that it does not know a task of that name. */
KIT void kit_agent_is_there(struct kit *k, const char *agent)
{
	kit_update(k, "is-the-agent-there", agent, STATE(GONE), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER,
		NULL, false);
}

/* What the agent or the master says of a task. */
KIT void kit_says(struct kit *k, const char *task, const char *agent, Mesos__V1__TaskState state)
{
	kit_update(k, task, agent, state,
		lost(state) ? MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER
			    : MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
		NULL, !lost(state));
}

KIT void kit_failure(struct kit *k, const char *executor, const char *agent)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

	executor_id.value = (char *)(uintptr_t)executor;
	agent_id.value = (char *)(uintptr_t)agent;
	failure.agent_id = &agent_id;
	failure.executor_id = executor != NULL ? &executor_id : NULL;
	failure.has_status = 1;
	failure.status = 9;
	e.failure = &failure;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE);
}

KIT void kit_error(struct kit *k, const char *message)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Error error = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;

	error.message = (char *)(uintptr_t)message;
	e.error = &error;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR);
}

KIT void kit_down(struct kit *k)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_MESOS_DOWN });
}

KIT void kit_link_message(struct kit *k, const char *executor, const Quern__ToDriver *m)
{
	kit_step(k, (struct sched_event){
			    .kind = SCHED_EV_LINK, .u.link = { .executor_id = executor, .message = m } });
}

KIT void kit_link_up(struct kit *k, const char *executor)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_LINK_UP, .u.link = { .executor_id = executor } });
}

KIT uint32_t kit_held(const struct kit *k)
{
	struct sched_progress p;

	sched_get_progress(k->s, &p);
	return p.slots_held;
}

/* A link with its Hello. */
KIT void kit_link(struct kit *k, const char *executor)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Hello hello = QUERN__TO_DRIVER__HELLO__INIT;

	kit_link_up(k, executor);
	hello.shuffle_port = 1234;
	hello.directory = (char *)(uintptr_t) "/shuffle";
	hello.machine = (char *)(uintptr_t) "machine";
	hello.address = (char *)(uintptr_t) "10.0.0.1";
	m.hello = &hello;
	kit_link_message(k, executor, &m);
}

KIT void kit_unlink(struct kit *k, const char *executor)
{
	kit_step(
		k, (struct sched_event){ .kind = SCHED_EV_LINK_DOWN, .u.link = { .executor_id = executor } });
}

/* "STAGE.PARTITION.ATTEMPT" */
KIT Quern__TaskResult kit_result(const char *name, Quern__TaskResult__State state)
{
	Quern__TaskResult r = QUERN__TASK_RESULT__INIT;

	assert_int_equal(sscanf(name, "%u.%u.%u", &r.stage, &r.partition, &r.attempt), 3);
	r.state = state;
	if (state != DID(DONE))
		r.error = (char *)(uintptr_t) "it went wrong";
	return r;
}

/* The end of a fine task, by its executor. */
KIT void kit_fine(struct kit *k, const char *name, const char *agent, const Quern__TaskResult *result)
{
	kit_update(k, name, agent,
		result->state == DID(DONE)     ? STATE(FINISHED)
		: result->state == DID(KILLED) ? STATE(KILLED)
					       : STATE(FAILED),
		MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, result, true);
}

KIT void kit_fine_done(struct kit *k, const char *name, const char *agent)
{
	const Quern__TaskResult r = kit_result(name, DID(DONE));

	kit_fine(k, name, agent, &r);
}

/* The end of one that came over the link. */
KIT void kit_coarse(struct kit *k, const char *executor, const Quern__TaskResult *result)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__TaskResult *list[] = { (Quern__TaskResult *)(uintptr_t)result };

	m.n_results = 1;
	m.results = list;
	kit_link_message(k, executor, &m);
}

KIT void kit_coarse_done(struct kit *k, const char *executor, const char *name)
{
	const Quern__TaskResult r = kit_result(name, DID(DONE));

	kit_coarse(k, executor, &r);
}

/* ---- Runs ---- */

/* A run of `maps` text tasks in stage `stage`, then, with `reduces` > 0, a stage `stage` + 1 that reads
 * shuffle `stage`. */
struct kit_run {
	Quern__Run run;
	Quern__Stage stages[2], *stage_list[2];
	struct one_branch from[2];
	Quern__Sink sinks[2];
	Quern__Split splits[KIT_SPLITS];
	const Quern__Split *split_list[KIT_SPLITS];
	const Quern__Split *const *splits_of[2];
	size_t n_splits[2];
};

KIT void kit_run_init(struct kit_run *r, uint32_t id, uint32_t stage, uint32_t maps, uint32_t reduces,
	Quern__Sink__Kind kind)
{
	assert_true(maps <= KIT_SPLITS);
	memset(r, 0, sizeof(*r));
	quern__run__init(&r->run);
	r->run.id = id;
	r->run.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "id", .len = 2 };
	r->run.n_stages = reduces > 0 ? 2 : 1;
	r->run.stages = r->stage_list;
	for (uint32_t i = 0; i < r->run.n_stages; i++) {
		quern__stage__init(&r->stages[i]);
		quern__sink__init(&r->sinks[i]);
		r->stages[i].id = stage + i;
		one_branch_init(&r->from[i], &r->stages[i]);
		r->stages[i].sink = &r->sinks[i];
		r->stage_list[i] = &r->stages[i];
		r->sinks[i].kind = kind;
	}
	for (uint32_t i = 0; i < maps; i++) {
		quern__split__init(&r->splits[i]);
		r->split_list[i] = &r->splits[i];
	}
	r->splits_of[0] = r->split_list;
	r->n_splits[0] = maps;
	one_branch_count(&r->from[0], maps);
	if (reduces == 0)
		return;
	r->sinks[0].kind = QUERN__SINK__KIND__SHUFFLE;
	r->sinks[0].has_shuffle = 1;
	r->sinks[0].shuffle = stage;
	one_branch_read(&r->from[1], stage);
	r->sinks[0].has_partitions = 1;
	r->sinks[0].partitions = reduces;
	one_branch_count(&r->from[1], reduces);
}

KIT void kit_submit(struct kit *k, const struct kit_run *r)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_RUN,
			    .u.run = { .run = &r->run, .splits = r->splits_of, .n_splits = r->n_splits } });
}

KIT void kit_run(
	struct kit *k, uint32_t id, uint32_t stage, uint32_t maps, uint32_t reduces, Quern__Sink__Kind kind)
{
	struct kit_run r;

	kit_run_init(&r, id, stage, maps, reduces, kind);
	kit_submit(k, &r);
}

/* ---- More of what came of it ---- */

/* The tasks of the only ACCEPT: their ids, joined by spaces. */
KIT void kit_accepted(const struct kit *k, const char *expected)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);
	char ids[4096] = "";

	assert_non_null(c);
	assert_null(kit_call(k, CALL(ACCEPT), 1));
	const Mesos__V1__Offer__Operation__Launch *launch = c->accept->operations[0]->launch;
	for (size_t i = 0; i < launch->n_task_infos; i++) {
		size_t len = strlen(ids);

		(void)snprintf(ids + len, sizeof(ids) - len, "%s%s", i > 0 ? " " : "",
			launch->task_infos[i]->task_id->value);
	}
	kit_call_free(c);
	assert_string_equal(ids, expected);
}

/* The refuse_seconds of the only ACCEPT, or DECLINE. */
KIT double kit_refused(const struct kit *k)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);

	if (c == NULL)
		c = kit_call(k, CALL(DECLINE), 0);
	assert_non_null(c);
	double s =
		c->accept != NULL ? c->accept->filters->refuse_seconds : c->decline->filters->refuse_seconds;
	kit_call_free(c);
	return s;
}

/* The tasks that went to `executor` over its link in the last step: their names, joined by spaces. */
KIT void kit_sent(const struct kit *k, const char *executor, const char *expected)
{
	const struct sched_action *a;
	char names[4096] = "";

	for (size_t i = 0; (a = kit_action(k, SCHED_DO_LINK, i)) != NULL; i++) {
		if (strcmp(a->text, executor) != 0)
			continue;
		Quern__ToExecutor *m = quern__to_executor__unpack(NULL, a->len, a->data);
		assert_non_null(m);
		for (size_t t = 0; t < m->n_tasks; t++) {
			size_t len = strlen(names);

			(void)snprintf(names + len, sizeof(names) - len, "%s%u.%u.%u", len > 0 ? " " : "",
				m->tasks[t]->stage, m->tasks[t]->partition, m->tasks[t]->attempt);
		}
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_string_equal(names, expected);
}

/* Message number `n` of the last step to any executor; to be freed. */
KIT Quern__ToExecutor *kit_link_sent(const struct kit *k, size_t n)
{
	const struct sched_action *a = kit_action(k, SCHED_DO_LINK, n);
	Quern__ToExecutor *m = a != NULL ? quern__to_executor__unpack(NULL, a->len, a->data) : NULL;

	return m;
}

/* The leases that executors were asked to end in the last step, joined by spaces. */
KIT void kit_ended(const struct kit *k, const char *expected)
{
	Quern__ToExecutor *m;
	char ids[256] = "";

	for (size_t i = 0; (m = kit_link_sent(k, i)) != NULL; i++) {
		for (size_t n = 0; n < m->n_end_leases; n++) {
			size_t len = strlen(ids);

			(void)snprintf(
				ids + len, sizeof(ids) - len, "%s%s", len > 0 ? " " : "", m->end_leases[n]);
		}
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_string_equal(ids, expected);
}

/* The run is over. */
KIT void kit_done(const struct kit *k, int code, const char *words)
{
	const struct sched_action *a = kit_action(k, SCHED_DO_DONE, 0);

	assert_non_null(a);
	assert_null(kit_action(k, SCHED_DO_DONE, 1));
	assert_int_equal(a->code, code);
	if (words != NULL && strstr(a->text, words) == NULL)
		fail_msg("no '%s' in '%s'", words, a->text);
}

#endif
