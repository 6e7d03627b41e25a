#include "scheduler/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct piece {
	void (*work)(void *arg);
	void (*done)(void *arg, bool ran);
	void *arg;
	bool cancelled;
	struct piece *next;
};

struct offload {
	struct event *woken; /* of `wake`: pieces have been done */
	int wake;
	pthread_t thread;
	bool running;                /* the thread is there */
	size_t n;                    /* pieces whose `done` was not called */
	pthread_mutex_t mutex;       /* of all that follows, and of pieces until they are done */
	pthread_cond_t cond;         /* there is a piece, or the end */
	struct piece *first, **last; /* in order, also the one under way and those that are done */
	struct piece *next;          /* the first that the thread has not begun, or NULL */
	struct piece *undone;        /* the first that is not done, or NULL */
	bool ending;
};

static void wake_loop(const struct offload *o)
{
	const uint64_t one = 1;

	(void)!write(o->wake, &one, sizeof(one)); /* it is full: then it is awake */
}

static void *run(void *arg)
{
	struct offload *o = arg;

	(void)pthread_mutex_lock(&o->mutex);
	for (;;) {
		while (o->next == NULL && !o->ending)
			(void)pthread_cond_wait(&o->cond, &o->mutex);
		struct piece *p = o->next;
		if (p == NULL)
			break;
		o->next = p->next;
		bool skip = p->cancelled;
		(void)pthread_mutex_unlock(&o->mutex);
		if (!skip)
			p->work(p->arg);
		(void)pthread_mutex_lock(&o->mutex);
		o->undone = p->next;
		wake_loop(o);
	}
	(void)pthread_mutex_unlock(&o->mutex);
	return NULL;
}

/* The first piece, if it is done: out of the list. */
static struct piece *take_done(struct offload *o)
{
	(void)pthread_mutex_lock(&o->mutex);
	struct piece *p = o->first != o->undone ? o->first : NULL;
	if (p != NULL) {
		o->first = p->next;
		if (o->first == NULL)
			o->last = &o->first;
	}
	(void)pthread_mutex_unlock(&o->mutex);
	return p;
}

/* Those that are done. */
static void call_done(struct offload *o)
{
	struct piece *p;

	while ((p = take_done(o)) != NULL) {
		void (*done)(void *arg, bool ran) = p->done;
		void *arg = p->arg;
		bool ran = !p->cancelled;

		free(p);
		o->n--;
		done(arg, ran);
	}
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	call_done(arg);
}

static int start_thread(struct offload *o)
{
	sigset_t all, old;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	int k = pthread_create(&o->thread, NULL, run, o);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	o->running = k == 0;
	return -k;
}

int offload_new(struct event_base *loop, struct offload **ret, struct err *err)
{
	struct offload *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	o->last = &o->first;
	(void)pthread_mutex_init(&o->mutex, NULL); /* neither fails, without attributes */
	(void)pthread_cond_init(&o->cond, NULL);
	o->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = o->wake < 0 ? -errno : 0;
	if (r == 0) {
		o->woken = event_new(loop, o->wake, EV_READ | EV_PERSIST, on_woken, o);
		r = o->woken == NULL || event_add(o->woken, NULL) < 0 ? -ENOMEM : start_thread(o);
	}
	if (r < 0) {
		(void)offload_free(o);
		return err_errno(err, r, "no thread for files");
	}
	*ret = o;
	return 0;
}

int offload_run(struct offload *o, void (*work)(void *arg), void (*done)(void *arg, bool ran), void *arg)
{
	struct piece *p = malloc(sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	*p = (struct piece){ .work = work, .done = done, .arg = arg };
	o->n++;
	(void)pthread_mutex_lock(&o->mutex);
	*o->last = p;
	o->last = &p->next;
	if (o->next == NULL)
		o->next = p;
	if (o->undone == NULL)
		o->undone = p;
	(void)pthread_cond_signal(&o->cond);
	(void)pthread_mutex_unlock(&o->mutex);
	return 0;
}

void offload_cancel(struct offload *o)
{
	(void)pthread_mutex_lock(&o->mutex);
	for (struct piece *p = o->next; p != NULL; p = p->next)
		p->cancelled = true;
	(void)pthread_mutex_unlock(&o->mutex);
}

bool offload_idle(const struct offload *o)
{
	return o->n == 0;
}

struct offload *offload_free(struct offload *o)
{
	if (o == NULL)
		return NULL;
	if (o->running) {
		offload_cancel(o);
		(void)pthread_mutex_lock(&o->mutex);
		o->ending = true;
		(void)pthread_cond_signal(&o->cond);
		(void)pthread_mutex_unlock(&o->mutex);
		(void)pthread_join(o->thread, NULL);
		call_done(o);
	}
	while (o->first != NULL) { /* what a `done` gave since */
		offload_cancel(o);
		o->next = o->undone = NULL;
		call_done(o);
	}
	if (o->woken != NULL)
		event_free(o->woken);
	if (o->wake >= 0)
		(void)close(o->wake);
	(void)pthread_cond_destroy(&o->cond);
	(void)pthread_mutex_destroy(&o->mutex);
	free(o);
	return NULL;
}
