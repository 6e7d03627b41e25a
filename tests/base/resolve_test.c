/* resolve_test.c: base/resolve.h with names that need no network. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/resolve.h"

struct wish {
	struct event_base *loop;
	struct resolve *resolve;
	int dones;
	bool found, loopback; /* all addresses are of this machine and of the port */
	char error[128];
	uint16_t port;
};

static bool is_loopback(const struct sockaddr *a, uint16_t port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127 && ntohs(v4.sin_port) == port;
	}
	memcpy(&v6, a, sizeof(v6));
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) && ntohs(v6.sin6_port) == port;
}

static void on_done(void *arg, struct addrinfo *addresses, const char *error)
{
	struct wish *w = arg;

	w->dones++;
	w->found = addresses != NULL;
	w->loopback = true;
	for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
		assert_int_equal(a->ai_socktype, SOCK_STREAM);
		w->loopback = w->loopback && is_loopback(a->ai_addr, w->port);
	}
	assert_true((addresses == NULL) == (error != NULL));
	(void)snprintf(w->error, sizeof(w->error), "%s", error != NULL ? error : "");
	if (addresses != NULL)
		freeaddrinfo(addresses);
	w->resolve = resolve_free(w->resolve); /* from inside */
	event_base_loopbreak(w->loop);
}

static struct wish ask(const char *host, uint16_t port)
{
	struct wish w = { .loop = event_base_new(), .port = port };
	struct err err = { "" };

	if (resolve_start(w.loop, host, port, on_done, &w, &w.resolve, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(w.dones, 0); /* never from inside */
	while (w.dones == 0)
		assert_int_not_equal(event_base_loop(w.loop, EVLOOP_ONCE), -1);
	assert_int_not_equal(event_base_loop(w.loop, EVLOOP_NONBLOCK), -1);
	assert_int_equal(w.dones, 1);
	event_base_free(w.loop);
	return w;
}

static void numbers_and_names_are_found(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "127.1.2.3", "::1", "localhost" };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		const struct wish w = ask(hosts[i], (uint16_t)(60000 + i));

		if (!w.found)
			fail_msg("%s: %s", hosts[i], w.error);
		assert_true(w.loopback);
	}
}

static void what_is_no_name_has_a_reason(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct wish w = ask(i == 0 ? ".." : "a b", 1);

		assert_false(w.found);
		assert_string_not_equal(w.error, "");
	}
}

static void what_cannot_be_a_name_is_refused(void **state)
{
	struct event_base *loop = event_base_new();
	struct resolve *r = NULL;
	struct err err = { "" };
	char name[2000];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(resolve_start(loop, name, 1, on_done, NULL, &r, &err), -EINVAL);
	assert_int_equal(resolve_start(loop, "", 1, on_done, NULL, &r, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a host name"));
	assert_null(r);
	event_base_free(loop);
}

/* Of this process. */
static int threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	assert_int_equal(closedir(d), 0);
	return n;
}

static void a_wish_can_be_dropped_at_any_moment(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct wish w = { .loop = event_base_new() };
		struct err err;

		assert_int_equal(resolve_start(w.loop, hosts[i % 2], 1, on_done, &w, &w.resolve, &err), 0);
		assert_null(resolve_free(w.resolve));
		assert_int_not_equal(event_base_loop(w.loop, EVLOOP_NONBLOCK), -1);
		assert_int_equal(w.dones, 0);
		event_base_free(w.loop);
	}
	assert_null(resolve_free(NULL));
	/* The threads are through by themselves; an exit in the midst of one would leave libc's locks taken,
	 * for which a memory checker that cleans libc up would wait for ever. */
	for (int i = 0; threads() > 1 && i < 20000; i++) /* a sanitizer may have a thread of its own */
		(void)sched_yield();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_are_found),
		cmocka_unit_test(what_is_no_name_has_a_reason),
		cmocka_unit_test(what_cannot_be_a_name_is_refused),
		cmocka_unit_test(a_wish_can_be_dropped_at_any_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
