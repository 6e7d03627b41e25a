#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/executor/core_kit.h"

/* ---- Traces ---- */

static void trace_call(struct bench *b, const struct exec_action *a)
{
	Mesos__V1__Executor__Call *call = mesos__v1__executor__call__unpack(NULL, a->len, a->data);

	assert_non_null(call);
	assert_string_equal(call->executor_id->value, "e1");
	assert_string_equal(call->framework_id->value, "f1");
	assert_int_equal(call->type, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE);
	const Mesos__V1__TaskStatus *s = call->update->status;
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)s->state);
	assert_int_equal(s->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
	assert_true(s->has_timestamp && s->has_uuid && s->uuid.len == 16);
	memcpy(b->last_uuid, s->uuid.data, 16);
	(void)snprintf(b->last_task, sizeof(b->last_task), "%s", s->task_id->value);
	if (b->last_status != NULL)
		quern__task_result__free_unpacked(b->last_status, NULL);
	b->last_status = s->has_data ? quern__task_result__unpack(NULL, s->data.len, s->data.data) : NULL;
	kit_note(b, "%s %s\n", s->task_id->value, v->name + strlen("TASK_"));
	mesos__v1__executor__call__free_unpacked(call, NULL);
}

static void trace_link(struct bench *b, const struct exec_action *a)
{
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, a->len, a->data);

	assert_non_null(m);
	if (m->hello != NULL)
		kit_note(b, "link hello %s:%u\n", m->hello->address, (unsigned)m->hello->shuffle_port);
	if (m->need != NULL && m->need->has_stage)
		kit_note(b, "link need stage %u\n", (unsigned)m->need->stage);
	if (m->need != NULL && m->need->has_shuffle)
		kit_note(b, "link need shuffle %u.%u\n", (unsigned)m->need->shuffle,
			(unsigned)m->need->version);
	if (m->data != NULL)
		kit_note(b, "link data %u.%u.%u %zu bytes\n", (unsigned)m->data->stage,
			(unsigned)m->data->partition, (unsigned)m->data->attempt, m->data->data.len);
	for (size_t i = 0; i < m->n_leases; i++)
		kit_note(b, "link %s\n", m->leases[i]);
	for (size_t i = 0; i < m->n_results; i++) {
		static const char *const states[] = { "done", "failed", "fetch failed", "killed" };
		const Quern__TaskResult *r = m->results[i];

		kit_note(b, "%s%u.%u.%u %s", i == 0 ? "link results " : ", ", (unsigned)r->stage,
			(unsigned)r->partition, (unsigned)r->attempt, states[r->state]);
	}
	if (m->n_results > 0)
		kit_note(b, "\n");
	quern__to_driver__free_unpacked(m, NULL);
}

static void note_action(struct bench *b, const struct exec_action *a)
{
	switch (a->kind) {
	case EXEC_DO_CALL:
		trace_call(b, a);
		break;
	case EXEC_DO_LINK:
		trace_link(b, a);
		break;
	case EXEC_DO_SETUP:
		kit_note(b, "setup %s\n", a->setup->job);
		break;
	case EXEC_DO_CONNECT:
		kit_note(b, "connect %s:%u\n", a->setup->driver_host, (unsigned)a->setup->driver_port);
		break;
	case EXEC_DO_RUN:
		assert_int_equal(a->stage->id, a->task->stage);
		kit_note(b, "run %u.%u.%u", (unsigned)a->task->stage, (unsigned)a->task->partition,
			(unsigned)a->task->attempt);
		for (size_t i = 0; i < a->n_outputs; i++)
			kit_note(b, " outputs %u.%u", (unsigned)a->outputs[i]->shuffle,
				(unsigned)a->outputs[i]->version);
		kit_note(b, "\n");
		break;
	case EXEC_DO_KILL:
		kit_note(b, "kill %u.%u.%u\n", (unsigned)a->name.stage, (unsigned)a->name.partition,
			(unsigned)a->name.attempt);
		break;
	case EXEC_DO_DROP:
		kit_note(b, "drop %u\n", (unsigned)a->n);
		break;
	case EXEC_DO_EXIT:
		kit_note(b, "exit %d: %s\n", a->code, a->text);
		break;
	case EXEC_DO_FETCH:
	case EXEC_DO_FORGET:
	case EXEC_DO_DISCARD:
	case EXEC_DO_WARM:
	case EXEC_DO_LOG:
		break;
	}
}

/* ---- Events ---- */

static void launch_task(struct bench *b, Quern__Task task)
{
	Quern__TaskData d = QUERN__TASK_DATA__INIT;
	uint8_t bytes[64];
	char id[64];

	d.task = &task;
	(void)snprintf(id, sizeof(id), "%u.%u.%u", (unsigned)task.stage, (unsigned)task.partition,
		(unsigned)task.attempt);
	kit_launch(b, id, bytes, quern__task_data__pack(&d, bytes));
}

static void acknowledge(struct bench *b, const char *id, const uint8_t uuid[16])
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Acknowledged a = MESOS__V1__EXECUTOR__EVENT__ACKNOWLEDGED__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;

	task_id.value = (char *)(uintptr_t)id;
	a.task_id = &task_id;
	a.uuid = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)uuid, .len = 16 };
	e.acknowledged = &a;
	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED);
}

static void acknowledge_last(struct bench *b)
{
	acknowledge(b, b->last_task, b->last_uuid);
}

/* A text stage, or one that reads a shuffle (> 0). */
static void tell_stage(struct bench *b, uint32_t id, uint32_t shuffle)
{
	struct kit_stage s;

	kit_stage_init(&s, id);
	if (shuffle > 0)
		one_branch_read(&s.from, shuffle);
	kit_tell_stage(b, &s);
}

static void tell_outputs(struct bench *b, uint32_t shuffle, uint32_t version)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Outputs o = QUERN__OUTPUTS__INIT;

	o.shuffle = shuffle;
	o.version = version;
	m.outputs = &o;
	kit_tell(b, &m);
}

static void done(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	kit_give_result(b, kit_result(stage, partition, attempt, QUERN__TASK_RESULT__STATE__DONE));
}

static void died(struct bench *b, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	Quern__TaskResult *r = kit_result(stage, partition, attempt, QUERN__TASK_RESULT__STATE__FAILED);

	r->error = strdup("the worker process was killed by SIGKILL");
	kit_give_result(b, r);
}

static void tick_at(struct bench *b, uint64_t now)
{
	b->now = now;
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_TICK });
}

/* ---- Set-up ---- */

static void open_bench(struct bench *b, bool checkpoint, uint64_t seed)
{
	struct exec_config config = kit_config();

	config.checkpoint = checkpoint;
	config.epoch_ms = 1795496552000;
	config.seed = seed;
	config.shuffle_port = 31000;
	config.max_data = 1 << 20;
	kit_open(b, &config);
}

static int setup(void **state)
{
	static struct bench b;

	open_bench(&b, true, 1);
	*state = &b;
	return 0;
}

/* Subscribed, linked, stage 1 known. */
static int setup_ready(void **state)
{
	(void)setup(state);
	struct bench *b = *state;
	kit_subscribed(b, 0);
	kit_link_up(b);
	tell_stage(b, 1, 0);
	buf_clear(&b->trace);
	return 0;
}

static int teardown(void **state)
{
	kit_close(*state);
	return 0;
}

/* ---- Tests ---- */

static void subscribing_sets_up_the_job_and_the_link(void **state)
{
	struct bench *b = *state;

	kit_subscribed(b, 0);
	kit_assert_trace(b, "setup job.so\nconnect driver:4711\n");
	kit_link_up(b);
	kit_assert_trace(b, "link hello 10.0.0.1:31000\n");
	kit_subscribed(b, 0); /* again, after the agent was away: all of that is there */
	kit_assert_trace(b, "");
}

static void nonsense_about_the_executor_is_the_end(void **state)
{
	struct bench *b = *state;
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;

	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED);
	kit_assert_trace(b, "exit 1: what the framework says about this executor makes no sense\n");
}

static void a_short_fine_task_only_sends_its_end(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(1, 7, 0));
	kit_assert_trace(b, "run 1.7.0\n");
	b->now += 100;
	done(b, 1, 7, 0);
	kit_assert_trace(b, "1.7.0 FINISHED\n");
	assert_int_equal(b->last_status->partition, 7);
	assert_int_equal(exec_attempts(b->core), 0);
	assert_int_equal(exec_unacknowledged(b->core), 1);
	acknowledge_last(b);
	assert_int_equal(exec_unacknowledged(b->core), 0);
}

static void a_long_fine_task_says_that_it_runs(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(1, 7, 0));
	assert_int_equal(exec_next_ms(b->core), b->now + 250);
	buf_clear(&b->trace);
	tick_at(b, b->now + 249);
	kit_assert_trace(b, "");
	tick_at(b, b->now + 1);
	kit_assert_trace(b, "1.7.0 RUNNING\n");
	acknowledge_last(b);
	assert_int_equal(exec_next_ms(b->core), UINT64_MAX);
	done(b, 1, 7, 0);
	kit_assert_trace(b, "1.7.0 FINISHED\n");
}

static void what_is_not_known_is_asked_for_once(void **state)
{
	struct bench *b = *state;
	Quern__Task t = kit_task(2, 0, 0), u = kit_task(2, 1, 0);

	t.n_outputs_versions = u.n_outputs_versions = 1;
	t.outputs_versions = &(uint32_t){ 3 };
	u.outputs_versions = &(uint32_t){ 4 };
	launch_task(b, t);
	launch_task(b, u);
	kit_assert_trace(b, "link need stage 2\n");
	tell_stage(b, 2, 9);
	kit_assert_trace(b, "link need shuffle 9.3\nlink need shuffle 9.4\n");
	tell_outputs(b, 9, 2); /* too old */
	kit_assert_trace(b, "");
	tell_outputs(b, 9, 3);
	kit_assert_trace(b, "run 2.0.0 outputs 9.3\n");
	tell_outputs(b, 9, 5);
	kit_assert_trace(b, "run 2.1.0 outputs 9.5\n");
}

static void a_new_link_asks_again_for_what_was_not_answered(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(2, 0, 0));
	kit_assert_trace(b, "link need stage 2\n");
	kit_link_down(b, "closed");
	launch_task(b, kit_task(3, 0, 0));
	tick_at(b, exec_next_ms(b->core));
	kit_assert_trace(b, "connect driver:4711\n");
	kit_link_up(b);
	kit_assert_trace(b, "link hello 10.0.0.1:31000\nlink need stage 2\nlink need stage 3\n");
}

static void a_lease_runs_as_many_as_it_has_slots(void **state)
{
	struct bench *b = *state;
	Quern__Task t[4] = { kit_task(1, 0, 0), kit_task(1, 1, 0), kit_task(1, 2, 0), kit_task(1, 3, 0) };

	kit_lease(b, "lease", 2);
	kit_assert_trace(b, "lease RUNNING\nlink lease\n");
	kit_give(b, t, 4);
	kit_assert_trace(b, "run 1.0.0\nrun 1.1.0\n");
	done(b, 1, 1, 0);
	done(b, 1, 0, 0);
	kit_assert_trace(b, "run 1.2.0\nrun 1.3.0\n");
	assert_true(exec_wants_flush(b->core));
	kit_flush(b);
	kit_assert_trace(b, "link results 1.1.0 done, 1.0.0 done\n");
	assert_false(exec_wants_flush(b->core));
}

/* Killed over the link. */
static void kill_over_link(struct bench *b, uint32_t stage, uint32_t partition)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__TaskName name = QUERN__TO_EXECUTOR__TASK_NAME__INIT, *names[] = { &name };

	name.stage = stage;
	name.partition = partition;
	m.kill = names;
	m.n_kill = 1;
	kit_tell(b, &m);
}

static void a_kill_of_what_waits_for_a_slot_is_answered_at_once(void **state)
{
	struct bench *b = *state;
	Quern__Task t[3] = { kit_task(1, 0, 0), kit_task(1, 1, 0), kit_task(1, 2, 0) };

	kit_lease(b, "lease", 1);
	kit_give(b, t, 3);
	kill_over_link(b, 1, 1);
	kit_flush(b);
	kit_assert_trace(b, "lease RUNNING\nlink lease\nrun 1.0.0\nlink results 1.1.0 killed\n");
	done(b, 1, 0, 0);
	kit_assert_trace(b, "run 1.2.0\n");
}

static void a_timeout_counts_from_the_slot_on(void **state)
{
	struct bench *b = *state;
	Quern__Task t[2] = { kit_task(1, 0, 0), kit_task(1, 1, 0) };
	uint64_t begun = b->now;

	for (int i = 0; i < 2; i++) {
		t[i].has_timeout_ms = 1;
		t[i].timeout_ms = 100;
	}
	kit_lease(b, "lease", 1);
	kit_give(b, t, 2);
	assert_int_equal(exec_next_ms(b->core), begun + 100);
	tick_at(b, begun + 60);
	done(b, 1, 0, 0);
	kit_flush(b);
	assert_int_equal(exec_next_ms(b->core), begun + 160);
	tick_at(b, begun + 159);
	kit_assert_trace(b, "lease RUNNING\nlink lease\nrun 1.0.0\nrun 1.1.0\nlink results 1.0.0 done\n");
	tick_at(b, begun + 160);
	kit_assert_trace(b, "kill 1.1.0\n");
}

static void results_wait_for_others_while_more_is_there_to_run(void **state)
{
	struct bench *b = *state;
	Quern__Task t[6] = { kit_task(1, 0, 0), kit_task(1, 1, 0), kit_task(1, 2, 0), kit_task(1, 3, 0),
		kit_task(1, 4, 0), kit_task(1, 5, 0) };

	kit_lease(b, "lease", 1);
	kit_give(b, t, 6);
	done(b, 1, 0, 0); /* four wait for the slot, and one result for others: for a moment */
	assert_false(exec_wants_flush(b->core));
	assert_int_equal(exec_next_ms(b->core), b->now + 1);
	tick_at(b, b->now + 1);
	assert_true(exec_wants_flush(b->core));
	kit_flush(b);
	buf_clear(&b->trace);
	done(b, 1, 1, 0);
	assert_false(exec_wants_flush(b->core)); /* three to one */
	done(b, 1, 2, 0);
	assert_true(exec_wants_flush(b->core)); /* two to two */
	kit_flush(b);
	kit_assert_trace(b, "run 1.2.0\nrun 1.3.0\nlink results 1.1.0 done, 1.2.0 done\n");
}

/* Its task was lost with a link: the driver waits for an answer to its kill. */
static void a_kill_of_what_is_not_known_is_answered(void **state)
{
	struct bench *b = *state;

	kit_lease(b, "lease", 2);
	kill_over_link(b, 1, 7);
	kit_flush(b);
	kit_assert_trace(b, "lease RUNNING\nlink lease\nlink results 1.7.0 killed\n");
}

static void a_lease_says_that_it_runs_when_the_link_is_up(void **state)
{
	struct bench *b = *state;

	kit_subscribed(b, 0);
	buf_clear(&b->trace);
	kit_lease(b, "lease", 2);
	kit_assert_trace(b, "");
	kit_link_up(b);
	kit_assert_trace(b, "link hello 10.0.0.1:31000\nlease RUNNING\nlink lease\n");
}

static void a_killed_lease_takes_all_its_tasks_along(void **state)
{
	struct bench *b = *state;
	Quern__Task t[3] = { kit_task(1, 0, 0), kit_task(1, 1, 0), kit_task(1, 2, 0) };

	kit_lease(b, "lease", 2);
	kit_give(b, t, 3);
	buf_clear(&b->trace);
	kit_kill(b, "lease");
	kit_assert_trace(b, "kill 1.1.0\nkill 1.0.0\n");
	died(b, 1, 0, 0);
	kit_assert_trace(b, "");
	died(b, 1, 1, 0);
	kit_assert_trace(b, "lease KILLED\n");
	kit_flush(b);
	kit_assert_trace(b, "link results 1.2.0 killed, 1.0.0 killed, 1.1.0 killed\n");
	/* What the driver sent before it knew. */
	Quern__Task late = kit_task(1, 9, 0);
	kit_give(b, &late, 1);
	kit_flush(b);
	kit_assert_trace(b, "link results 1.9.0 killed\n");
}

static void giving_back_one_lease_of_two_ends_the_newest_tasks(void **state)
{
	struct bench *b = *state;
	Quern__Task t[4] = { kit_task(1, 0, 0), kit_task(1, 1, 0), kit_task(1, 2, 0), kit_task(1, 3, 0) };

	kit_lease(b, "l1", 2);
	kit_lease(b, "l2", 1);
	kit_give(b, t, 4);
	buf_clear(&b->trace);
	kit_kill(b, "l1");
	kit_assert_trace(b, "kill 1.2.0\nkill 1.1.0\n");
	kit_kill(b, "l1"); /* asked for twice, done once */
	died(b, 1, 2, 0);
	kit_assert_trace(b, "");
	died(b, 1, 1, 0);
	kit_assert_trace(b, "l1 KILLED\n");
	done(b, 1, 0, 0);
	kit_assert_trace(b, "run 1.3.0\n");
}

static void an_idle_lease_is_given_back_at_once(void **state)
{
	struct bench *b = *state;

	kit_lease(b, "lease", 2);
	kit_kill(b, "lease");
	kit_assert_trace(b, "lease RUNNING\nlink lease\nlease KILLED\n");
}

static void a_killed_fine_task_is_killed_not_failed(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(1, 0, 0));
	kit_kill(b, "1.0.0");
	kit_kill(b, "1.0.0");
	kit_assert_trace(b, "run 1.0.0\nkill 1.0.0\n");
	died(b, 1, 0, 0);
	kit_assert_trace(b, "1.0.0 KILLED\n");
	assert_int_equal(b->last_status->state, QUERN__TASK_RESULT__STATE__KILLED);
	launch_task(b, kit_task(5, 0, 0)); /* waits for its stage */
	kit_kill(b, "5.0.0");
	kit_assert_trace(b, "link need stage 5\n5.0.0 KILLED\n");
	kit_kill(b, "unknown");
	kit_assert_trace(b, "");
}

static void a_task_that_was_faster_than_its_killer_is_done(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(1, 0, 0));
	kit_kill(b, "1.0.0");
	done(b, 1, 0, 0);
	kit_assert_trace(b, "run 1.0.0\nkill 1.0.0\n1.0.0 FINISHED\n");
}

static void a_timeout_is_a_failure_of_the_attempt(void **state)
{
	struct bench *b = *state;
	Quern__Task t = kit_task(1, 0, 0);

	t.has_timeout_ms = 1;
	t.timeout_ms = 100;
	launch_task(b, t);
	assert_int_equal(exec_next_ms(b->core), b->now + 100);
	tick_at(b, b->now + 100);
	kit_assert_trace(b, "run 1.0.0\nkill 1.0.0\n");
	died(b, 1, 0, 0);
	kit_assert_trace(b, "1.0.0 FAILED\n");
	assert_string_equal(b->last_status->error, "timeout: not done after 100 ms");
	assert_false(b->last_status->final);
}

static void large_data_goes_over_the_link_before_the_update(void **state)
{
	struct bench *b = *state;
	Quern__TaskResult *r = kit_result(1, 0, 0, QUERN__TASK_RESULT__STATE__DONE);
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__TaskName name = QUERN__TO_EXECUTOR__TASK_NAME__INIT;

	r->has_data = 1;
	r->data.len = 5000;
	r->data.data = calloc(1, 5000);
	launch_task(b, kit_task(1, 0, 0));
	kit_give_result(b, r);
	kit_assert_trace(b, "run 1.0.0\nlink data 1.0.0 5000 bytes\n");
	kit_link_down(b, "closed");
	kit_link_up(b);
	kit_assert_trace(b, "link hello 10.0.0.1:31000\nlink data 1.0.0 5000 bytes\n");
	name.stage = 1;
	m.data_taken = &name;
	kit_tell(b, &m);
	kit_assert_trace(b, "1.0.0 FINISHED\n");
	assert_true(b->last_status->data_on_link);
	assert_false(b->last_status->has_data);
	kit_tell(b, &m);
	kit_assert_trace(b, "");
}

static void data_beyond_every_limit_fails_for_good(void **state)
{
	struct bench *b = *state;
	Quern__TaskResult *r = kit_result(1, 0, 0, QUERN__TASK_RESULT__STATE__DONE);

	r->has_data = 1;
	r->data.len = (1 << 20) + 1;
	r->data.data = calloc(1, r->data.len);
	launch_task(b, kit_task(1, 0, 0));
	kit_give_result(b, r);
	kit_assert_trace(b, "run 1.0.0\n1.0.0 FAILED\n");
	assert_true(b->last_status->final);
	assert_non_null(strstr(b->last_status->error, "1048577"));
}

static void the_end_of_stderr_is_cut_to_what_an_update_holds(void **state)
{
	struct bench *b = *state;
	Quern__TaskResult *r = kit_result(1, 0, 0, QUERN__TASK_RESULT__STATE__FAILED);

	r->error = malloc(3001);
	memset(r->error, 'e', 3000);
	r->error[3000] = '\0';
	r->stderr_tail = malloc(9001);
	memset(r->stderr_tail, 'x', 9000);
	memcpy(r->stderr_tail + 8996, "last", 5);
	launch_task(b, kit_task(1, 0, 0));
	kit_give_result(b, r);
	kit_assert_trace(b, "run 1.0.0\n1.0.0 FAILED\n");
	assert_in_range(quern__task_result__get_packed_size(b->last_status), 4096, 5120);
	assert_string_equal(b->last_status->stderr_tail + strlen(b->last_status->stderr_tail) - 4, "last");
}

static void updates_are_kept_until_acknowledged_and_go_with_the_next_subscription(void **state)
{
	struct bench *b = *state;
	auto_buf struct buf body = BUF_INIT(1 << 20);
	uint8_t first[16];

	launch_task(b, kit_task(1, 0, 0));
	done(b, 1, 0, 0);
	memcpy(first, b->last_uuid, 16);
	launch_task(b, kit_task(1, 1, 0));
	tick_at(b, b->now + 300);
	acknowledge_last(b); /* RUNNING of 1.1.0 */
	launch_task(b, kit_task(1, 2, 0));
	buf_clear(&b->trace);

	kit_step(b, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
	done(b, 1, 1, 0);
	kit_assert_trace(b, ""); /* there is nobody to send it to */
	assert_int_equal(exec_subscribe_call(b->core, &body), 0);
	Mesos__V1__Executor__Call *call = mesos__v1__executor__call__unpack(NULL, body.len, body.data);
	assert_non_null(call);
	assert_int_equal(call->type, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE);
	assert_int_equal(call->subscribe->n_unacknowledged_tasks, 2);
	assert_string_equal(call->subscribe->unacknowledged_tasks[0]->task_id->value, "1.0.0");
	assert_string_equal(call->subscribe->unacknowledged_tasks[1]->task_id->value, "1.2.0");
	assert_int_equal(call->subscribe->n_unacknowledged_updates, 2);
	assert_memory_equal(call->subscribe->unacknowledged_updates[0]->status->uuid.data, first, 16);
	assert_string_equal(call->subscribe->unacknowledged_updates[1]->status->task_id->value, "1.1.0");
	mesos__v1__executor__call__free_unpacked(call, NULL);

	kit_subscribed(b, 0);
	kit_assert_trace(b, ""); /* they went with SUBSCRIBE */
	acknowledge(b, "1.0.0", first);
	assert_int_equal(exec_unacknowledged(b->core), 1);
}

static void an_update_that_nobody_acknowledges_is_sent_again(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(1, 0, 0));
	done(b, 1, 0, 0);
	buf_clear(&b->trace);
	uint64_t start = b->now;
	tick_at(b, start + 9999);
	kit_assert_trace(b, "");
	tick_at(b, start + 10000);
	kit_assert_trace(b, "1.0.0 FINISHED\n");
	tick_at(b, start + 29999);
	kit_assert_trace(b, "");
	tick_at(b, start + 30000);
	kit_assert_trace(b, "1.0.0 FINISHED\n");
	acknowledge_last(b);
	assert_int_equal(exec_next_ms(b->core), UINT64_MAX);
}

static void an_acknowledgement_of_something_else_changes_nothing(void **state)
{
	struct bench *b = *state;
	const uint8_t uuid[16] = { 1 };

	launch_task(b, kit_task(1, 0, 0));
	done(b, 1, 0, 0);
	acknowledge(b, "1.0.0", uuid);
	acknowledge(b, "unknown", uuid);
	assert_int_equal(exec_unacknowledged(b->core), 1);
}

static void a_lost_agent_is_waited_for_only_with_checkpointing(void **state)
{
	struct bench *b = *state, other;

	kit_step(b, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
	kit_assert_trace(b, "");
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_MESOS_LOST, .u.text = "gone" });
	kit_assert_trace(b, "exit 1: gone\n");

	open_bench(&other, false, 1);
	kit_subscribed(&other, 0);
	buf_clear(&other.trace);
	kit_step(&other, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
	kit_assert_trace(&other, "exit 1: the agent is lost and the framework does not checkpoint\n");
	kit_close(&other);
}

/* A master that hears of this executor when the framework is over may die of it. */
static void an_executor_of_no_more_use_leaves_without_its_agent(void **state)
{
	struct bench *b = *state, away;
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	m.has_leave = m.leave = 1;
	kit_tell(b, &m);
	uint64_t due = b->now + 1000;
	assert_int_equal(exec_next_ms(b->core), due);
	tick_at(b, due - 1);
	kit_assert_trace(b, ""); /* the agent's own word, as a rule, comes first */
	tick_at(b, due);
	kit_assert_trace(b, "exit 0: the driver has no more use for it\n");

	open_bench(&away, true, 1);
	kit_subscribed(&away, 0);
	kit_link_up(&away);
	buf_clear(&away.trace);
	kit_tell(&away, &m);
	kit_step(&away, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
	kit_assert_trace(&away, "exit 0: the driver has no more use for it\n");
	kit_close(&away);

	open_bench(&away, true, 1);
	kit_subscribed(&away, 0);
	kit_link_up(&away);
	buf_clear(&away.trace);
	kit_step(&away, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
	kit_assert_trace(&away, "");
	kit_tell(&away, &m);
	kit_assert_trace(&away, "exit 0: the driver has no more use for it\n");
	kit_close(&away);
}

static void a_lost_driver_is_waited_for_a_while(void **state)
{
	struct bench *b = *state;
	uint64_t start = b->now;
	int tries = 0;

	kit_link_down(b, "closed");
	while (exec_next_ms(b->core) < start + 15000) {
		tick_at(b, exec_next_ms(b->core));
		kit_assert_trace(b, "connect driver:4711\n");
		kit_link_down(b, "refused");
		tries++;
	}
	assert_in_range(tries, 8, 40);
	tick_at(b, start + 15000);
	kit_assert_trace(b, "exit 1: the driver is gone\n");
	assert_int_equal(exec_next_ms(b->core), UINT64_MAX);
}

static void results_that_a_link_may_have_lost_are_sent_again(void **state)
{
	struct bench *b = *state;
	Quern__Task t[2] = { kit_task(1, 0, 0), kit_task(1, 1, 0) };

	kit_lease(b, "lease", 2);
	kit_give(b, t, 2);
	done(b, 1, 0, 0);
	kit_flush(b);
	kit_link_down(b, "closed");
	done(b, 1, 1, 0);
	assert_false(exec_wants_flush(b->core));
	buf_clear(&b->trace);
	kit_link_up(b);
	kit_assert_trace(b, "link hello 10.0.0.1:31000\nlink results 1.0.0 done\n");
	assert_true(exec_wants_flush(b->core));
	kit_flush(b);
	kit_assert_trace(b, "link results 1.1.0 done\n");
}

static void shutdown_ends_what_runs_and_says_so(void **state)
{
	struct bench *b = *state;
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;

	kit_lease(b, "lease", 2);
	launch_task(b, kit_task(1, 0, 0));
	buf_clear(&b->trace);
	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN);
	kit_assert_trace(b, "lease KILLED\n1.0.0 KILLED\nexit 0: the agent asked for it\n");
	died(b, 1, 0, 0); /* too late for anybody */
	launch_task(b, kit_task(1, 1, 0));
	kit_assert_trace(b, "");
}

static void an_error_of_the_agent_is_the_end(void **state)
{
	struct bench *b = *state;
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Error error = MESOS__V1__EXECUTOR__EVENT__ERROR__INIT;

	error.message = (char *)(uintptr_t) "no";
	e.error = &error;
	kit_mesos(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__ERROR);
	kit_assert_trace(b, "exit 1: no\n");
}

static void a_job_that_cannot_be_loaded_fails_every_task_for_good(void **state)
{
	struct bench *b = *state;

	launch_task(b, kit_task(1, 0, 0));
	launch_task(b, kit_task(2, 0, 0));
	buf_clear(&b->trace);
	kit_step(b, (struct exec_event){ .kind = EXEC_EV_UNLOADABLE, .u.text = "undefined symbol: x" });
	kit_assert_trace(b, "1.0.0 FAILED\n2.0.0 FAILED\n");
	assert_true(b->last_status->final);
	assert_string_equal(b->last_status->error, "undefined symbol: x");
	launch_task(b, kit_task(1, 1, 0));
	kit_assert_trace(b, "1.1.0 FAILED\n");
}

static void nonsense_in_a_launch_fails_that_task(void **state)
{
	struct bench *b = *state;

	kit_launch(b, "t1", "\xff\xff\xff", 3);
	kit_launch(b, "t2", "", 0);
	kit_lease(b, "t3", 0);
	kit_assert_trace(b, "t1 FAILED\nt2 FAILED\nt3 FAILED\n");
}

static void an_attempt_is_held_once(void **state)
{
	struct bench *b = *state;
	Quern__Task t = kit_task(1, 0, 0);

	kit_lease(b, "lease", 4);
	kit_give(b, &t, 1);
	kit_give(b, &t, 1);
	launch_task(b, t);
	launch_task(b, t); /* the same id again */
	kit_assert_trace(b, "lease RUNNING\nlink lease\nrun 1.0.0\n1.0.0 FAILED\n");
	assert_int_equal(exec_attempts(b->core), 1);
}

static void dropping_a_shuffle_forgets_its_outputs(void **state)
{
	struct bench *b = *state;
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	uint32_t nine = 9;

	tell_stage(b, 2, 9);
	tell_outputs(b, 9, 1);
	m.drop_shuffles = &nine;
	m.n_drop_shuffles = 1;
	kit_tell(b, &m);
	kit_assert_trace(b, "drop 9\n");
	launch_task(b, kit_task(2, 0, 0));
	kit_assert_trace(b, "link need shuffle 9.0\n");
}

/* ---- Whatever comes, in any order ---- */

struct lcg {
	uint64_t x;
};

static uint32_t draw(struct lcg *r, uint32_t n)
{
	r->x = r->x * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(r->x >> 33) % n;
}

static void random_kill(struct bench *b, struct lcg *r)
{
	char id[64];

	if (draw(r, 4) == 0)
		(void)snprintf(id, sizeof(id), "lease%u", (unsigned)draw(r, 50));
	else
		(void)snprintf(id, sizeof(id), "%u.%u.0", 1 + (unsigned)draw(r, 3), (unsigned)draw(r, 30));
	kit_kill(b, id);
}

static void random_step(struct bench *b, struct lcg *r, uint32_t i)
{
	Quern__Task t = kit_task(1 + draw(r, 3), draw(r, 30), 0);
	char id[64];

	b->now += draw(r, 40);
	switch (draw(r, 13)) {
	case 0:
		(void)snprintf(id, sizeof(id), "lease%u", (unsigned)i % 50);
		kit_lease(b, id, 1 + draw(r, 4));
		break;
	case 1:
		launch_task(b, t);
		break;
	case 2:
	case 3:
		kit_give(b, &t, 1);
		break;
	case 4:
		random_kill(b, r);
		break;
	case 5:
	case 6:
	case 7:
		if (draw(r, 3) > 0)
			done(b, t.stage, t.partition, 0);
		else
			died(b, t.stage, t.partition, 0);
		break;
	case 8:
		tell_stage(b, 1 + draw(r, 3), draw(r, 2));
		break;
	case 9:
		tell_outputs(b, 1, draw(r, 5));
		break;
	case 10:
		if (draw(r, 2) == 0)
			kit_link_up(b);
		else
			kit_link_down(b, "closed");
		break;
	case 11:
		if (draw(r, 2) == 0)
			kit_subscribed(b, 0);
		else
			kit_step(b, (struct exec_event){ .kind = EXEC_EV_MESOS_DOWN, .u.text = "closed" });
		break;
	default:
		acknowledge_last(b);
		break;
	}
	kit_flush(b);
}

/* Ends every attempt that is left, then acknowledges everything: nothing may remain. */
static void settle(struct bench *b)
{
	kit_subscribed(b, 0);
	kit_link_up(b);
	for (uint32_t i = 0; i < 50; i++) {
		char id[64];
		(void)snprintf(id, sizeof(id), "lease%u", (unsigned)i);
		kit_kill(b, id);
	}
	for (uint32_t stage = 1; stage <= 3; stage++)
		for (uint32_t p = 0; p < 30; p++) {
			char id[64];
			(void)snprintf(id, sizeof(id), "%u.%u.0", (unsigned)stage, (unsigned)p);
			kit_kill(b, id);
			died(b, stage, p, 0);
		}
	kit_flush(b);
	assert_int_equal(exec_attempts(b->core), 0);
	while (exec_unacknowledged(b->core) > 0) {
		size_t before = exec_unacknowledged(b->core);
		auto_buf struct buf body = BUF_INIT(16 << 20);
		assert_int_equal(exec_subscribe_call(b->core, &body), 0);
		Mesos__V1__Executor__Call *call =
			mesos__v1__executor__call__unpack(NULL, body.len, body.data);
		const Mesos__V1__TaskStatus *s = call->subscribe->unacknowledged_updates[0]->status;
		acknowledge(b, s->task_id->value, s->uuid.data);
		mesos__v1__executor__call__free_unpacked(call, NULL);
		assert_int_equal(exec_unacknowledged(b->core), before - 1);
	}
	auto_buf struct buf body = BUF_INIT(16 << 20);
	assert_int_equal(exec_subscribe_call(b->core, &body), 0);
	Mesos__V1__Executor__Call *call = mesos__v1__executor__call__unpack(NULL, body.len, body.data);
	assert_int_equal(call->subscribe->n_unacknowledged_tasks, 0);
	mesos__v1__executor__call__free_unpacked(call, NULL);
}

static void any_order_of_events_settles_and_is_repeatable(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct bench b[2];

		for (int k = 0; k < 2; k++) {
			struct lcg r = { seed };

			open_bench(&b[k], true, seed);
			kit_subscribed(&b[k], 0);
			kit_link_up(&b[k]);
			for (uint32_t i = 0; i < 400; i++)
				random_step(&b[k], &r, i);
			settle(&b[k]);
		}
		assert_int_equal(b[0].trace.len, b[1].trace.len);
		assert_memory_equal(b[0].trace.data, b[1].trace.data, b[0].trace.len);
		kit_close(&b[0]);
		kit_close(&b[1]);
	}
}

int main(void)
{
#define FRESH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define READY(name) cmocka_unit_test_setup_teardown(name, setup_ready, teardown)
	const struct CMUnitTest tests[] = {
		FRESH(subscribing_sets_up_the_job_and_the_link),
		FRESH(nonsense_about_the_executor_is_the_end),
		READY(a_short_fine_task_only_sends_its_end),
		READY(a_long_fine_task_says_that_it_runs),
		READY(what_is_not_known_is_asked_for_once),
		READY(a_new_link_asks_again_for_what_was_not_answered),
		READY(a_lease_runs_as_many_as_it_has_slots),
		READY(a_kill_of_what_waits_for_a_slot_is_answered_at_once),
		READY(a_timeout_counts_from_the_slot_on),
		READY(results_wait_for_others_while_more_is_there_to_run),
		READY(a_kill_of_what_is_not_known_is_answered),
		FRESH(a_lease_says_that_it_runs_when_the_link_is_up),
		READY(a_killed_lease_takes_all_its_tasks_along),
		READY(giving_back_one_lease_of_two_ends_the_newest_tasks),
		READY(an_idle_lease_is_given_back_at_once),
		READY(a_killed_fine_task_is_killed_not_failed),
		READY(a_task_that_was_faster_than_its_killer_is_done),
		READY(a_timeout_is_a_failure_of_the_attempt),
		READY(large_data_goes_over_the_link_before_the_update),
		READY(data_beyond_every_limit_fails_for_good),
		READY(the_end_of_stderr_is_cut_to_what_an_update_holds),
		READY(updates_are_kept_until_acknowledged_and_go_with_the_next_subscription),
		READY(an_update_that_nobody_acknowledges_is_sent_again),
		READY(an_acknowledgement_of_something_else_changes_nothing),
		READY(a_lost_agent_is_waited_for_only_with_checkpointing),
		READY(an_executor_of_no_more_use_leaves_without_its_agent),
		READY(a_lost_driver_is_waited_for_a_while),
		READY(results_that_a_link_may_have_lost_are_sent_again),
		READY(shutdown_ends_what_runs_and_says_so),
		READY(an_error_of_the_agent_is_the_end),
		READY(a_job_that_cannot_be_loaded_fails_every_task_for_good),
		READY(nonsense_in_a_launch_fails_that_task),
		READY(an_attempt_is_held_once),
		READY(dropping_a_shuffle_forgets_its_outputs),
		cmocka_unit_test(any_order_of_events_settles_and_is_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
