/* A driver that runs in a task of its own framework: it takes a framework over, leaves its own task alone,
 * and waits for that one's end to be known before TEARDOWN; and how a job has ended, as a label. */
#include "tests/scheduler/sched_kit.h"

static struct sched_config config(const char *own_task)
{
	static Mesos__V1__Label mode = MESOS__V1__LABEL__INIT, *list[] = { &mode };
	static Mesos__V1__Labels labels = MESOS__V1__LABELS__INIT;
	struct sched_config c = kit_config(&mode_fine);

	mode.key = (char *)(uintptr_t)SCHED_LABEL_MODE;
	mode.value = (char *)(uintptr_t) "fine";
	labels.n_labels = 1;
	labels.labels = list;
	c.labels = &labels;
	c.framework_id = own_task != NULL ? "framework-1" : NULL;
	c.own_task = own_task;
	return c;
}

static void start(struct kit *k, const char *own_task)
{
	const struct sched_config c = config(own_task);

	kit_new(k, &c);
	kit_subscribed(k);
}

static void stop(struct kit *k, int status)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_STOP, .u.status = status });
}

/* The last plan is UPDATE_FRAMEWORK with the status, then TEARDOWN, and that is all. */
static void assert_torn_down(const struct kit *k, const char *status)
{
	Call *c = kit_call(k, CALL(UPDATE_FRAMEWORK), 0);

	assert_non_null(c);
	const Mesos__V1__FrameworkInfo *info = c->update_framework->framework_info;
	assert_string_equal(info->id->value, "framework-1");
	assert_string_equal(info->user, "me");
	assert_int_equal(info->labels->n_labels, 2);
	assert_string_equal(info->labels->labels[0]->key, SCHED_LABEL_MODE);
	assert_string_equal(info->labels->labels[0]->value, "fine");
	assert_string_equal(info->labels->labels[1]->key, SCHED_LABEL_STATUS);
	assert_string_equal(info->labels->labels[1]->value, status);
	assert_int_equal(c->update_framework->n_suppressed_roles, info->n_roles);
	kit_call_free(c);
	assert_int_equal(kit_calls(k, CALL(UPDATE_FRAMEWORK)), 1);
	assert_int_equal(kit_calls(k, CALL(TEARDOWN)), 1);
	c = mesos__v1__scheduler__call__unpack(
		NULL, kit_action(k, SCHED_DO_CALL, 1)->len, kit_action(k, SCHED_DO_CALL, 1)->data);
	assert_int_equal(c->type, CALL(TEARDOWN));
	kit_call_free(c);
	assert_int_equal(kit_actions(k, SCHED_DO_STOPPED), 1);
}

static void the_status_is_a_label(void **state)
{
	struct kit k;
	(void)state;

	start(&k, NULL);
	stop(&k, 1);
	assert_torn_down(&k, "1");
	kit_free(&k);
}

static void a_framework_is_taken_over(void **state)
{
	const struct sched_config c = config("driver");
	struct buf bytes = BUF_INIT(1 << 16);
	struct kit k;
	(void)state;

	kit_new(&k, &c);
	assert_int_equal(sched_subscribe_call(k.s, &bytes), 0);
	Call *call = mesos__v1__scheduler__call__unpack(NULL, bytes.len, bytes.data);
	assert_string_equal(call->framework_id->value, "framework-1");
	assert_string_equal(call->subscribe->framework_info->id->value, "framework-1");
	assert_string_equal(call->subscribe->framework_info->labels->labels[0]->value, "fine");
	kit_call_free(call);
	buf_deinit(&bytes);
	kit_free(&k);
}

static void the_own_task_is_left_alone(void **state)
{
	struct kit k;
	(void)state;

	start(&k, "driver");
	kit_running(&k, "driver", "a");
	assert_int_equal(kit_calls(&k, CALL(ACKNOWLEDGE)), 1);
	assert_int_equal(kit_calls(&k, CALL(KILL)), 0);
	kit_running(&k, "another", "a"); /* nobody knows that one */
	assert_int_equal(kit_calls(&k, CALL(KILL)), 1);
	kit_free(&k);
}

static void teardown_waits_for_the_end_of_the_own_task(void **state)
{
	struct kit k;
	(void)state;

	start(&k, "driver");
	stop(&k, 0);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 0);
	kit_update(&k, "driver", "a", STATE(FINISHED), MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR, NULL,
		true);
	Call *c = kit_call(&k, CALL(ACKNOWLEDGE), 0);
	assert_non_null(c);
	kit_call_free(c);
	assert_int_equal(kit_calls(&k, CALL(UPDATE_FRAMEWORK)), 1);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 1);
	assert_int_equal(kit_actions(&k, SCHED_DO_STOPPED), 1);
	kit_free(&k);
}

static void but_not_for_ever(void **state)
{
	struct kit k;
	(void)state;

	start(&k, "driver");
	stop(&k, 130);
	uint64_t due = sched_next_ms(k.s);
	assert_true(due > k.now && due <= k.now + 5000);
	k.now = due;
	kit_tick(&k);
	assert_torn_down(&k, "130");
	kit_free(&k);
}

static void an_end_that_was_known_before_is_not_waited_for(void **state)
{
	struct kit k;
	(void)state;

	start(&k, "driver");
	kit_says(&k, "driver", "a", STATE(FAILED));
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
	stop(&k, 1);
	assert_torn_down(&k, "1");
	kit_free(&k);
}

static void without_a_stream_the_next_one_gets_it(void **state)
{
	struct kit k;
	(void)state;

	start(&k, "driver");
	stop(&k, 0);
	kit_down(&k);
	kit_wait(&k, 10000);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0);
	kit_subscribed(&k);
	assert_int_equal(kit_calls(&k, CALL(TEARDOWN)), 0); /* the end of the own task is on its way */
	uint64_t due = sched_next_ms(k.s);
	assert_true(due > k.now && due <= k.now + 5000);
	k.now = due;
	kit_tick(&k);
	assert_torn_down(&k, "0");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_is_a_label),
		cmocka_unit_test(a_framework_is_taken_over),
		cmocka_unit_test(the_own_task_is_left_alone),
		cmocka_unit_test(teardown_waits_for_the_end_of_the_own_task),
		cmocka_unit_test(but_not_for_ever),
		cmocka_unit_test(an_end_that_was_known_before_is_not_waited_for),
		cmocka_unit_test(without_a_stream_the_next_one_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
