#include "base/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HOST_MAX = 1025 }; /* NI_MAXHOST of <netdb.h> */

/* What the thread and the loop share; the last of the two frees it. */
struct lookup {
	atomic_int users;
	int ready; /* eventfd: the thread is through */
	int code;  /* of getaddrinfo() */
	struct addrinfo *addresses;
	char port[8];
	char host[];
};

struct resolve {
	struct lookup *lookup;
	struct event *event;
	void (*done)(void *arg, struct addrinfo *addresses, const char *error);
	void *arg;
};

static void lookup_release(struct lookup *l)
{
	if (l == NULL || atomic_fetch_sub(&l->users, 1) != 1)
		return;
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	if (l->ready >= 0)
		(void)close(l->ready);
	free(l);
}

static int look_up(struct lookup *l, int flags)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV
	};

	return getaddrinfo(l->host, l->port, &hints, &l->addresses);
}

static void say_ready(const struct lookup *l)
{
	const uint64_t one = 1;

	(void)!write(l->ready, &one, sizeof(one)); /* an eventfd at 0 takes it always */
}

static void *look_up_thread(void *arg)
{
	struct lookup *l = arg;

	l->code = look_up(l, AI_ADDRCONFIG);
	say_ready(l);
	lookup_release(l);
	return NULL;
}

/* The thread takes no signals: they are the loop's. */
static int start_thread(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;

	int r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_fetch_add(&l->users, 1);
	r = pthread_create(&thread, &attr, look_up_thread, l);
	if (r != 0)
		atomic_fetch_sub(&l->users, 1);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	struct lookup *l = r->lookup;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	struct addrinfo *addresses = l->addresses;
	l->addresses = NULL;
	(void)event_del(r->event);
	/* `r` may be gone when this returns. */
	r->done(r->arg, addresses, addresses == NULL ? gai_strerror(l->code) : NULL);
}

static int lookup_new(const char *host, uint16_t port, struct lookup **ret, struct err *err)
{
	size_t len = strlen(host);

	if (len == 0 || len >= HOST_MAX)
		return err_set(err, -EINVAL, "'%.64s' is not a host name", host);
	struct lookup *l = calloc(1, sizeof(*l) + len + 1);
	if (l == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	atomic_init(&l->users, 1);
	memcpy(l->host, host, len + 1);
	(void)snprintf(l->port, sizeof(l->port), "%u", (unsigned)port);
	l->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->ready < 0) {
		int code = -errno;
		lookup_release(l);
		return err_errno(err, code, "looking up '%s'", host);
	}
	*ret = l;
	return 0;
}

int resolve_start(struct event_base *loop, const char *host, uint16_t port,
	void (*done)(void *arg, struct addrinfo *addresses, const char *error), void *arg,
	struct resolve **ret, struct err *err)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int k = lookup_new(host, port, &r->lookup, err);
	if (k < 0) {
		free(r);
		return k;
	}
	r->done = done;
	r->arg = arg;
	r->event = event_new(loop, r->lookup->ready, EV_READ, on_ready, r);
	if (r->event == NULL || event_add(r->event, NULL) < 0) {
		(void)resolve_free(r);
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (look_up(r->lookup, AI_NUMERICHOST) == 0) {
		say_ready(r->lookup);
	} else {
		k = start_thread(r->lookup);
		if (k < 0) {
			(void)resolve_free(r);
			return err_errno(err, k, "looking up '%s'", host);
		}
	}
	*ret = r;
	return 0;
}

struct resolve *resolve_free(struct resolve *r)
{
	if (r == NULL)
		return NULL;
	if (r->event != NULL)
		event_free(r->event);
	lookup_release(r->lookup);
	free(r);
	return NULL;
}
