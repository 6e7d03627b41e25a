/* What the driver takes from the job's process: which is this one here, and not to be trusted. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "scheduler/broadcasts.h"

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

struct world {
	struct event_base *loop;
	struct evhttp *http;
	struct offers *offers;
};

static int setup(void **state)
{
	static const uint8_t secret[] = "0123456789abcdef0123456789abcdef";
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->loop = event_base_new();
	w->http = evhttp_new(w->loop);
	assert_int_equal(offers_new(w->http, secret, "driver", &w->offers), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	(void)offers_free(w->offers);
	evhttp_free(w->http);
	event_base_free(w->loop);
	free(w);
	return 0;
}

static int memory(int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "12345", 5), 5);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int take(const struct world *w, uint32_t id, int fd, uint64_t length, struct err *err)
{
	Quern__SessionToDriver__Broadcast b = QUERN__SESSION_TO_DRIVER__BROADCAST__INIT;

	b.id = id;
	b.length = length;
	b.fd = (uint32_t)fd;
	return broadcasts_take(w->offers, getpid(), &b, err);
}

static void memory_that_is_sealed(void **state)
{
	const struct world *w = *state;
	struct err err = { "" };
	int fd = memory(SEALS);

	assert_int_equal(take(w, 1, fd, 5, &err), 0);
	assert_int_equal(take(w, 1, fd, 5, &err), -EEXIST);
	assert_int_equal(take(w, 2, fd, 5, &err), 0);
	broadcasts_drop(w->offers, 1);
	broadcasts_drop(w->offers, 1);
	assert_int_equal(take(w, 1, fd, 5, &err), 0);
	(void)close(fd);
}

static void nothing_else(void **state)
{
	const struct world *w = *state;
	struct err err = { "" };
	int pipes[2], fd = memory(SEALS & ~F_SEAL_WRITE), whole = memory(SEALS);

	assert_int_equal(take(w, 1, fd, 5, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "broadcast 1 is not memory of 5 bytes that stays as it is"));
	(void)close(fd);
	assert_int_equal(take(w, 1, whole, 4, &err), -EBADMSG);
	assert_int_equal(take(w, 1, whole, 6, &err), -EBADMSG);
	(void)close(whole);
	assert_int_equal(take(w, 1, whole, 5, &err), -ENOENT);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(take(w, 1, pipes[0], 5, &err), -EBADMSG); /* and does not wait for a writer */
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(take(w, 1, fd, 0, &err), -EBADMSG);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_that_is_sealed, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_else, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
