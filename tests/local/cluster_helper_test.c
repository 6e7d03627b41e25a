#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "local/helper.h"

struct fixture {
	struct event_base *loop;
	struct helper *helper;
	int calls, result;
	char why[512];
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .loop = event_base_new() };
	assert_non_null(f.loop);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	event_base_free(((struct fixture *)*state)->loop);
	return 0;
}

static void on_done(void *arg, int result, const char *why)
{
	struct fixture *f = arg;

	f->calls++;
	f->result = result;
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
	(void)event_base_loopbreak(f->loop);
}

static void start(struct fixture *f, helper_work *work, void *arg)
{
	assert_int_equal(helper_start(f->loop, work, arg, on_done, f, &f->helper, NULL), 0);
}

static int go_wrong(void *arg, struct err *err)
{
	return err_set(err, -EIO, "about %s", (const char *)arg);
}

static void what_went_wrong_is_told(void **state)
{
	struct fixture *f = *state;
	char subject[] = "this";

	start(f, go_wrong, subject);
	(void)event_base_dispatch(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->result, -EIO);
	assert_string_equal(f->why, "about this");
}

static int raise_all(void *arg, struct err *err)
{
	static const int signals[] = { SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGPIPE };

	(void)arg, (void)err;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (raise(signals[i]) != 0)
			return -errno;
	return 0;
}

/* A terminal sends them to the whole group. They are the cluster's, which ends its helpers itself. */
static void signals_to_the_group_do_not_stop_it(void **state)
{
	struct fixture *f = *state;

	start(f, raise_all, NULL);
	(void)event_base_dispatch(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->result, 0);
}

static int wait_for_ever(void *arg, struct err *err)
{
	(void)arg, (void)err;
	for (;;)
		(void)pause();
	return 0;
}

static void it_can_be_cancelled(void **state)
{
	struct fixture *f = *state;

	start(f, wait_for_ever, NULL);
	helper_cancel(f->helper);
	(void)event_base_dispatch(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->result, -ECANCELED);
}

static void it_can_be_waited_for_without_a_loop(void **state)
{
	struct fixture *f = *state;

	start(f, raise_all, NULL);
	assert_null(helper_join(f->helper));
	assert_int_equal(f->calls, 0);
	helper_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_went_wrong_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_to_the_group_do_not_stop_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_waited_for_without_a_loop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
